//! Which queries are valid: each rule of OpenID4VP 1.0 §6 in a function of its own, and our bounds.

use std::collections::BTreeSet;

use realdid_checks::passes;
use serde_json::Value;

use super::{ClaimQuery, CredentialQuery, DcqlQuery, MDOC, SD_JWT_VC};
use crate::realdid_jwt::FORMAT;

/// Most credential queries, credential sets, options of a set, and claim sets of a query.
const MAX_LIST: usize = 16;
/// Most claims of a query, values of a claim, types and trusted authorities.
const MAX_CLAIMS: usize = 64;
/// Longest path, in components.
const MAX_PATH: usize = 16;
/// Longest identifier, in bytes.
const MAX_ID: usize = 128;

/// Why a query is not answered, or not asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DcqlError {
    /// Not of the form of a query.
    #[error("this is not a DCQL query")]
    Form,
    /// More of something than is read.
    #[error("the query is too large: {0}")]
    TooLarge(&'static str),
    /// A list that may not be empty is; it is named.
    #[error("`{0}` must not be empty")]
    Empty(&'static str),
    /// An identifier is not 1 to 128 characters `[A-Za-z0-9_-]`.
    #[error("an identifier in the query is not valid")]
    Id,
    /// An identifier stands there twice.
    #[error("an identifier stands in the query twice")]
    DuplicateId,
    /// `meta` lacks what the format needs.
    #[error("the query does not say which types of credentials would do")]
    Meta,
    /// `claim_sets` without `claims`.
    #[error("`claim_sets` stands there without `claims`")]
    ClaimSets,
    /// A set refers to what is not asked for.
    #[error("a set refers to an identifier that is not in the query")]
    Reference,
    /// A value to match is neither text, integer nor boolean.
    #[error("the values of a claim can be texts, integers and booleans only")]
    Values,
    /// A verifier points to one claim twice.
    #[error("a claim is asked for twice")]
    DuplicateClaim,
    /// A verifier asks for a format it cannot read.
    #[error("credentials of the format `{0}` cannot be read here")]
    Format(String),
    /// More than one login is asked for.
    #[error("the request asks for more than one login")]
    Count,
    /// Another purpose than a login, or claims of a format that has none.
    #[error("the request asks for something else than a real-name login in the format of one")]
    Purpose,
}

impl DcqlError {
    /// The failure's stable name in interfaces.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLarge(_) => "query_too_large",
            Self::Format(_) => "format_not_supported",
            Self::Count | Self::Purpose => "query_login_invalid",
            _ => "query_invalid",
        }
    }
}

/// A query that is valid by every rule of §6.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedQuery(DcqlQuery);

impl CheckedQuery {
    /// The query.
    #[must_use]
    pub const fn query(&self) -> &DcqlQuery {
        &self.0
    }

    /// The credential query of this identifier.
    #[must_use]
    pub fn credential(&self, id: &str) -> Option<&CredentialQuery> {
        self.0.credentials.iter().find(|query| query.id == id)
    }
}

impl DcqlQuery {
    /// Reads a query from JSON.
    ///
    /// # Errors
    /// [`DcqlError`].
    pub fn read(value: Value) -> Result<CheckedQuery, DcqlError> {
        serde_json::from_value::<Self>(value)
            .map_err(|_| DcqlError::Form)?
            .check()
    }

    /// Checks the query by the rules of §6 and the bounds of this module.
    ///
    /// # Errors
    /// [`DcqlError`], the first found.
    pub fn check(self) -> Result<CheckedQuery, DcqlError> {
        check_sizes(&self)?;
        if !passes("DCQL-01", !self.credentials.is_empty()) {
            return Err(DcqlError::Empty("credentials"));
        }
        for query in &self.credentials {
            check_credential(query)?;
        }
        let ids = self.credentials.iter().map(|query| query.id.as_str());
        if !passes("DCQL-03", all_different(ids)) {
            return Err(DcqlError::DuplicateId);
        }
        check_credential_sets(&self)?;
        Ok(CheckedQuery(self))
    }

    /// What a verifier must not ask, besides: one claim twice (§6.1), or a format it cannot read.
    ///
    /// # Errors
    /// [`DcqlError::DuplicateClaim`], [`DcqlError::Format`].
    pub fn check_asking(&self) -> Result<(), DcqlError> {
        for query in &self.credentials {
            let readable = query.format == SD_JWT_VC || query.format == FORMAT;
            if !passes("DCQL-13", readable) {
                return Err(DcqlError::Format(query.format.chars().take(MAX_ID).collect()));
            }
            let claims = query.claims.as_deref().unwrap_or_default();
            if !passes("DCQL-14", all_different(claims.iter().map(|claim| &claim.path))) {
                return Err(DcqlError::DuplicateClaim);
            }
        }
        Ok(())
    }
}

fn check_sizes(query: &DcqlQuery) -> Result<(), DcqlError> {
    let sets = query.credential_sets.as_deref().unwrap_or_default();
    let options = sets.iter().all(|set| {
        set.options.len() <= MAX_LIST && set.options.iter().all(|option| option.len() <= MAX_LIST)
    });
    let few = query.credentials.len() <= MAX_LIST && sets.len() <= MAX_LIST && options;
    if !passes("DCQL-12", few && query.credentials.iter().all(is_small)) {
        return Err(DcqlError::TooLarge(
            "at most 16 credentials and sets, 64 claims and values",
        ));
    }
    Ok(())
}

fn is_small(query: &CredentialQuery) -> bool {
    let claims = query.claims.as_deref().unwrap_or_default();
    let sets = query.claim_sets.as_deref().unwrap_or_default();
    let authorities = query.trusted_authorities.as_deref().unwrap_or_default();
    let few_values = |claim: &ClaimQuery| {
        claim
            .values
            .as_ref()
            .is_none_or(|values| values.len() <= MAX_CLAIMS)
    };
    claims.len() <= MAX_CLAIMS
        && claims
            .iter()
            .all(|claim| claim.path.0.len() <= MAX_PATH && few_values(claim))
        && sets.len() <= MAX_LIST
        && sets.iter().all(|set| set.len() <= MAX_CLAIMS)
        && authorities.len() <= MAX_LIST
        && authorities
            .iter()
            .all(|authority| authority.values.len() <= MAX_CLAIMS)
        && query.types().is_none_or(|types| types.len() <= MAX_CLAIMS)
}

fn check_credential(query: &CredentialQuery) -> Result<(), DcqlError> {
    if !passes("DCQL-02", is_id(&query.id)) {
        return Err(DcqlError::Id);
    }
    check_meta(query)?;
    check_authorities(query)?;
    if let Some(claims) = &query.claims {
        check_claims(claims)?;
    }
    check_claim_sets(query)
}

/// SD-JWT VC and mobile documents say which types would do (§B.3.5, §B.2.3). Other formats are
/// none of ours.
fn check_meta(query: &CredentialQuery) -> Result<(), DcqlError> {
    let told = query
        .types()
        .is_some_and(|types| !types.is_empty() && types.iter().all(|name| !name.is_empty()));
    let needed = [SD_JWT_VC, MDOC].contains(&query.format.as_str());
    if passes("DCQL-04", told || !needed) {
        Ok(())
    } else {
        Err(DcqlError::Meta)
    }
}

fn check_authorities(query: &CredentialQuery) -> Result<(), DcqlError> {
    let Some(authorities) = &query.trusted_authorities else {
        return Ok(());
    };
    let filled = !authorities.is_empty() && authorities.iter().all(|authority| !authority.values.is_empty());
    if passes("DCQL-05", filled) {
        Ok(())
    } else {
        Err(DcqlError::Empty("trusted_authorities"))
    }
}

fn check_claims(claims: &[ClaimQuery]) -> Result<(), DcqlError> {
    if !passes("DCQL-06", !claims.is_empty()) {
        return Err(DcqlError::Empty("claims"));
    }
    let paths = claims.iter().all(|claim| !claim.path.0.is_empty());
    if !passes("DCQL-07", paths) {
        return Err(DcqlError::Empty("path"));
    }
    let ids = || claims.iter().filter_map(|claim| claim.id.as_deref());
    if !passes("DCQL-08", ids().all(is_id) && all_different(ids())) {
        return Err(DcqlError::DuplicateId);
    }
    let mut values = claims.iter().filter_map(|claim| claim.values.as_deref());
    if passes(
        "DCQL-09",
        values.all(|values| !values.is_empty() && values.iter().all(is_comparable)),
    ) {
        Ok(())
    } else {
        Err(DcqlError::Values)
    }
}

fn check_claim_sets(query: &CredentialQuery) -> Result<(), DcqlError> {
    let Some(sets) = &query.claim_sets else {
        return Ok(());
    };
    if !passes("DCQL-10", query.claims.is_some()) {
        return Err(DcqlError::ClaimSets);
    }
    let claims = query.claims.as_deref().unwrap_or_default();
    let known = |id: &String| claims.iter().any(|claim| claim.id.as_ref() == Some(id));
    let whole = !sets.is_empty() && claims.iter().all(|claim| claim.id.is_some());
    if passes("DCQL-19", whole && sets.iter().flatten().all(known)) {
        Ok(())
    } else {
        Err(DcqlError::Reference)
    }
}

fn check_credential_sets(query: &DcqlQuery) -> Result<(), DcqlError> {
    let Some(sets) = &query.credential_sets else {
        return Ok(());
    };
    let filled = !sets.is_empty()
        && sets
            .iter()
            .all(|set| !set.options.is_empty() && set.options.iter().all(|option| !option.is_empty()));
    if !passes("DCQL-11", filled) {
        return Err(DcqlError::Empty("credential_sets"));
    }
    let known = |id: &String| query.credentials.iter().any(|credential| credential.id == *id);
    let mut named = sets.iter().flat_map(|set| set.options.iter().flatten());
    if passes("DCQL-20", named.all(known)) {
        Ok(())
    } else {
        Err(DcqlError::Reference)
    }
}

fn is_id(id: &str) -> bool {
    let characters = id
        .bytes()
        .all(|c| c.is_ascii_alphanumeric() || c == b'_' || c == b'-');
    characters && (1..=MAX_ID).contains(&id.len())
}

fn is_comparable(value: &Value) -> bool {
    value.is_string() || value.is_boolean() || value.is_i64() || value.is_u64()
}

fn all_different<T: Ord>(items: impl Iterator<Item = T>) -> bool {
    let mut seen = BTreeSet::new();
    items.into_iter().all(|item| seen.insert(item))
}
