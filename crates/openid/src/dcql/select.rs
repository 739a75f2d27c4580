//! Which of a holder's credentials answer a query, and what of them (OpenID4VP 1.0 §6.4).

use realdid_checks::passes;
use serde_json::Value;

use super::{CheckedQuery, ClaimQuery, CredentialQuery, PathError, Pointer};

/// A credential as a query sees it: in a wallet with all claims it could disclose, at a verifier
/// with those that were disclosed.
#[derive(Debug, Clone)]
pub struct Candidate<'a> {
    /// Its format.
    pub format: &'a str,
    /// Its type, and the types it extends.
    pub types: &'a [String],
    /// Its claims, with nothing left of the packaging (digests, disclosures).
    pub claims: &'a Value,
    /// Whether it can be, or was, shown with a proof of the holder's key.
    pub holder_bound: bool,
    /// What is known about who stands behind its issuer.
    pub authorities: &'a [Authority],
}

/// Something known about a credential's issuer, to be compared with `trusted_authorities`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    /// `aki`: a key identifier of the issuer's certificates, base64url. `did`: the issuer's DID.
    pub kind: String,
    /// Its value.
    pub value: String,
}

/// Why a credential does not answer a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// Another format.
    #[error("the credential is of another format than asked for")]
    Format,
    /// Another type.
    #[error("the credential is of another type than asked for")]
    Type,
    /// None of the authorities asked for.
    #[error("the credential's issuer is none of those asked for")]
    Authority,
    /// No proof of the holder's key.
    #[error("the credential is not bound to a key of its holder")]
    HolderBinding,
    /// A claim is missing, or the path to it leads astray.
    #[error("the credential lacks a claim that is asked for")]
    Claim,
    /// A claim has none of the values asked for.
    #[error("a claim has none of the values asked for")]
    Value,
}

impl From<PathError> for Mismatch {
    fn from(_: PathError) -> Self {
        Self::Claim
    }
}

/// How a credential answers a query: what is to be disclosed of it, and no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// Which candidate, by its place.
    pub candidate: usize,
    /// The claims asked for, each with its place in the query's `claims` and where it stands here.
    pub claims: Vec<(usize, Vec<Pointer>)>,
}

impl Match {
    /// Every place that is to be disclosed.
    pub fn pointers(&self) -> impl Iterator<Item = &Pointer> {
        self.claims.iter().flat_map(|(_, pointers)| pointers)
    }
}

/// What would answer each credential query, in the order of the query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// Identifier of the credential query, and the candidates that answer it.
    pub matches: Vec<(String, Vec<Match>)>,
    /// The credential queries to be answered: of each required set the first option that can be.
    pub chosen: Vec<String>,
    /// Those that may be answered besides: of each optional set the first option that can be.
    pub optional: Vec<String>,
}

/// What is asked for is not there (§6.4.2): nothing at all may be returned then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no credential answers {missing:?}")]
pub struct Unsatisfied {
    /// The credential queries without an answer, one of which at least would have been needed.
    pub missing: Vec<String>,
}

impl Selection {
    /// The candidates that answer a credential query.
    #[must_use]
    pub fn of(&self, id: &str) -> &[Match] {
        let found = self.matches.iter().find(|(query, _)| query == id);
        found.map_or(&[], |(_, matches)| matches)
    }
}

impl CheckedQuery {
    /// What of the candidates answers this query.
    ///
    /// # Errors
    /// [`Unsatisfied`].
    pub fn select(&self, candidates: &[Candidate<'_>]) -> Result<Selection, Unsatisfied> {
        let matching = |query: &CredentialQuery| -> Vec<Match> {
            let fitting = candidates.iter().enumerate();
            fitting
                .filter_map(|(place, candidate)| {
                    let claims = fit(query, candidate).ok()?;
                    Some(Match {
                        candidate: place,
                        claims,
                    })
                })
                .collect()
        };
        let queries = &self.query().credentials;
        let matches: Vec<_> = queries
            .iter()
            .map(|query| (query.id.clone(), matching(query)))
            .collect();
        let answered = |id: &str| {
            matches
                .iter()
                .any(|(query, found)| query == id && !found.is_empty())
        };
        let (chosen, optional) = self.choose(&answered)?;
        Ok(Selection {
            matches,
            chosen,
            optional,
        })
    }

    /// The credential queries that must be answered and those that may be, given which can be.
    ///
    /// # Errors
    /// [`Unsatisfied`].
    pub fn choose(
        &self,
        answered: &impl Fn(&str) -> bool,
    ) -> Result<(Vec<String>, Vec<String>), Unsatisfied> {
        let ids = || self.query().credentials.iter().map(|query| query.id.clone());
        let missing = || ids().filter(|id| !answered(id)).collect::<Vec<_>>();
        let Some(sets) = &self.query().credential_sets else {
            let missing = missing();
            return if passes("DCQL-21", missing.is_empty()) {
                Ok((ids().collect(), Vec::new()))
            } else {
                Err(Unsatisfied { missing })
            };
        };
        let (mut chosen, mut optional) = (Vec::new(), Vec::new());
        for set in sets {
            let option = set
                .options
                .iter()
                .find(|option| option.iter().all(|id| answered(id)));
            if !passes("DCQL-22", option.is_some() || !set.is_required()) {
                return Err(Unsatisfied { missing: missing() });
            }
            let list = if set.is_required() {
                &mut chosen
            } else {
                &mut optional
            };
            list.extend(option.into_iter().flatten().cloned());
        }
        for list in [&mut chosen, &mut optional] {
            list.sort();
            list.dedup();
        }
        optional.retain(|id| !chosen.contains(id));
        Ok((chosen, optional))
    }
}

/// Whether a credential answers a query, and with which claims. Shared by wallet and verifier.
///
/// # Errors
/// [`Mismatch`], the first found.
pub fn fit(
    query: &CredentialQuery,
    candidate: &Candidate<'_>,
) -> Result<Vec<(usize, Vec<Pointer>)>, Mismatch> {
    if !passes("DCQL-23", query.format == candidate.format) {
        return Err(Mismatch::Format);
    }
    let types = query.types().unwrap_or_default();
    let fits = types
        .iter()
        .any(|name| candidate.types.iter().any(|own| own == name));
    if !passes("DCQL-24", fits || query.types().is_none()) {
        return Err(Mismatch::Type);
    }
    let authorities = query.trusted_authorities.as_deref();
    let trusted = authorities.is_none_or(|wanted| {
        wanted.iter().any(|authority| {
            let known = candidate
                .authorities
                .iter()
                .filter(|known| known.kind == authority.kind);
            known
                .into_iter()
                .any(|known| authority.values.contains(&known.value))
        })
    });
    if !passes("DCQL-25", trusted) {
        return Err(Mismatch::Authority);
    }
    if !passes("DCQL-26", candidate.holder_bound || !query.needs_holder_binding()) {
        return Err(Mismatch::HolderBinding);
    }
    select_claims(query, candidate.claims)
}

/// §6.4.1: all claims, or the first of the claim sets that is there whole.
fn select_claims(query: &CredentialQuery, claims: &Value) -> Result<Vec<(usize, Vec<Pointer>)>, Mismatch> {
    let asked = query.claims.as_deref().unwrap_or_default();
    let find = |place: usize| Ok((place, select_claim(&asked[place], claims)?));
    let Some(sets) = &query.claim_sets else {
        return (0..asked.len()).map(find).collect();
    };
    let place_of = |id: &String| asked.iter().position(|claim| claim.id.as_ref() == Some(id));
    let whole = |set: &Vec<String>| {
        set.iter()
            .filter_map(place_of)
            .map(find)
            .collect::<Result<Vec<_>, _>>()
    };
    let mut reason = Mismatch::Claim;
    for set in sets {
        match whole(set) {
            Ok(found) => return Ok(found),
            Err(mismatch) => reason = mismatch,
        }
    }
    if passes("DCQL-28", false) {
        Ok(Vec::new())
    } else {
        Err(reason)
    }
}

/// Where a claim stands; with `values`, those places that have one of them. Type and value must
/// be the same (§6.3): 1 is neither "1" nor true.
fn select_claim(query: &ClaimQuery, claims: &Value) -> Result<Vec<Pointer>, Mismatch> {
    let found = match query.path.select(claims) {
        Ok(found) => found,
        Err(_) if passes("DCQL-29", false) => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let wanted = |value: &Value| query.values.as_ref().is_none_or(|values| values.contains(value));
    let fits = found.iter().any(|(_, value)| wanted(value));
    if !passes("DCQL-27", fits) {
        return Err(Mismatch::Value);
    }
    Ok(found
        .into_iter()
        .filter(|(_, value)| wanted(value))
        .map(|(pointer, _)| pointer)
        .collect())
}
