//! Whether what was shown satisfies a query, as its verifier decides (OpenID4VP 1.0 §8.1, §8.6).

use std::collections::BTreeMap;

use realdid_checks::passes;
use serde_json::Value;

use super::select::{Unsatisfied, fit};
use super::{Candidate, CheckedQuery, CredentialQuery, Mismatch, Pointer, PointerStep};

/// Most presentations in an answer.
pub const MAX_PRESENTATIONS: usize = 16;

/// Why an answer does not satisfy the query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// Not a JSON object of lists of presentations.
    #[error("the vp_token is not an object of lists of presentations")]
    Form,
    /// More than [`MAX_PRESENTATIONS`].
    #[error("the answer holds more than {MAX_PRESENTATIONS} presentations")]
    TooMany,
    /// An answer to what was not asked.
    #[error("the answer holds a presentation that was not asked for")]
    Unasked,
    /// Several presentations where one was asked for.
    #[error("several presentations answer a query that asks for one")]
    Several,
    /// A query named without a presentation.
    #[error("a query is named in the answer without a presentation")]
    Empty,
    /// A presentation that does not answer its query.
    #[error("{1} (query `{0}`)")]
    Mismatch(String, Mismatch),
    /// Something asked for is missing.
    #[error(transparent)]
    Unsatisfied(#[from] Unsatisfied),
}

impl AnswerError {
    /// The failure's stable name in interfaces.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Form => "malformed_answer",
            Self::TooMany => "too_many_presentations",
            Self::Unasked | Self::Several | Self::Empty => "unasked_presentation",
            Self::Mismatch(_, Mismatch::Format) => "other_format",
            Self::Mismatch(_, Mismatch::Type) => "type_not_asked_for",
            Self::Mismatch(_, Mismatch::Authority) => "other_authority",
            Self::Mismatch(_, Mismatch::HolderBinding) => "holder_binding_missing",
            Self::Mismatch(_, Mismatch::Claim) => "claim_missing",
            Self::Mismatch(_, Mismatch::Value) => "claim_value_not_asked_for",
            Self::Unsatisfied(_) => "presentation_missing",
        }
    }
}

/// A `vp_token` taken apart: presentations under the identifiers of credential queries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer(BTreeMap<String, Vec<String>>);

impl Answer {
    /// Reads a `vp_token`'s JSON and checks it against the query as far as identifiers and numbers go.
    ///
    /// # Errors
    /// [`AnswerError`].
    pub fn read(vp_token: &str, query: &CheckedQuery) -> Result<Self, AnswerError> {
        let object = crate::json::parse_object(vp_token.as_bytes()).ok_or(AnswerError::Form)?;
        let answers: BTreeMap<String, Vec<String>> =
            serde_json::from_value(object.into()).map_err(|_| AnswerError::Form)?;
        let count: usize = answers.values().map(Vec::len).sum();
        if !passes("DCQL-30", count <= MAX_PRESENTATIONS) {
            return Err(AnswerError::TooMany);
        }
        for (id, presentations) in &answers {
            let asked = query.credential(id);
            if !passes("DCQL-31", asked.is_some()) {
                return Err(AnswerError::Unasked);
            }
            let several = asked.is_some_and(CredentialQuery::takes_several);
            if !passes("DCQL-32", presentations.len() < 2 || several) {
                return Err(AnswerError::Several);
            }
            if !passes("DCQL-33", !presentations.is_empty()) {
                return Err(AnswerError::Empty);
            }
        }
        query.choose(&|id| answers.contains_key(id))?;
        Ok(Self(answers))
    }

    /// Each presentation with the identifier of its query.
    pub fn presentations(&self) -> impl Iterator<Item = (&str, &str)> {
        let lists = self.0.iter();
        lists.flat_map(|(id, list)| {
            list.iter()
                .map(move |presentation| (id.as_str(), presentation.as_str()))
        })
    }

    /// The first presentation for a query.
    #[must_use]
    pub fn first(&self, id: &str) -> Option<&str> {
        self.0.get(id)?.first().map(String::as_str)
    }
}

impl CheckedQuery {
    /// Checks that what was shown answers the query of this identifier, and gives the claims that
    /// were asked for: what was disclosed beside them is left out.
    ///
    /// # Errors
    /// [`AnswerError::Unasked`], [`AnswerError::Mismatch`].
    pub fn satisfied_by(&self, id: &str, shown: &Candidate<'_>) -> Result<Value, AnswerError> {
        let query = self.credential(id).ok_or(AnswerError::Unasked)?;
        let found = fit(query, shown).map_err(|mismatch| AnswerError::Mismatch(id.to_owned(), mismatch))?;
        let pointers = found.iter().flat_map(|(_, pointers)| pointers);
        Ok(keep(shown.claims, pointers))
    }
}

/// The parts of `claims` at these places, at the same places. Of an array, the elements kept move
/// together.
#[must_use]
pub fn keep<'p>(claims: &Value, pointers: impl Iterator<Item = &'p Pointer>) -> Value {
    let paths: Vec<&[PointerStep]> = pointers.map(Vec::as_slice).collect();
    keep_at(claims, &paths).unwrap_or_else(|| Value::Object(serde_json::Map::new()))
}

fn keep_at(value: &Value, paths: &[&[PointerStep]]) -> Option<Value> {
    if paths.is_empty() {
        return None;
    }
    if paths.iter().any(|path| path.is_empty()) {
        return Some(value.clone());
    }
    let below = |step: &PointerStep| -> Vec<&[PointerStep]> {
        let inside = paths.iter().filter(|path| path.first() == Some(step));
        inside.map(|path| &path[1..]).collect()
    };
    match value {
        Value::Object(members) => {
            let kept = members.iter().filter_map(|(name, member)| {
                let member = keep_at(member, &below(&PointerStep::Key(name.clone())))?;
                Some((name.clone(), member))
            });
            Some(Value::Object(kept.collect()))
        }
        Value::Array(elements) => {
            let kept = elements.iter().enumerate();
            let kept =
                kept.filter_map(|(place, element)| keep_at(element, &below(&PointerStep::Index(place))));
            Some(Value::Array(kept.collect()))
        }
        _ => None,
    }
}
