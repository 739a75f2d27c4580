//! What a verifier may ask for, and whether a request asks for more.
//!
//! The ledger holds a verifier's right to ask for a type of credential as the type's hash and a
//! detail: zero if it may ask for any claim, else the hash of a [`MayAsk`] that lists the claims.
//! The verifier shows that list in `verifier_info` (OpenID4VP 1.0 §5.11). A website has no right of
//! its own: its sponsor's statement lists what it may ask, and the sponsor must hold the right.

use std::fmt;

use realdid_checks::passes;
use realdid_crypto::{Hash, sha256};
use serde::{Deserialize, Serialize};

use crate::dcql::{CheckedQuery, ClaimPath, PathStep};
use crate::site_statement::VerifierInfo;

/// The format's name in `verifier_info`; `data` is a [`MayAsk`].
pub const FORMAT: &str = "realdid-registration";

/// What may be asked for of one type of credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MayAsk {
    /// Claims at these paths and below; without it, any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claims: Option<Vec<ClaimPath>>,
    /// The type.
    pub vct: String,
}

/// Something that is asked for without being registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "over_asked")]
pub enum OverAsked {
    /// A type of credential.
    Type {
        /// The type.
        vct: String,
    },
    /// A claim of a type of which others may be asked for.
    Claim {
        /// The type.
        vct: String,
        /// Where the claim stands.
        path: ClaimPath,
    },
}

impl fmt::Display for OverAsked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type { vct } => write!(f, "credentials of the type {vct}"),
            Self::Claim { vct, path } => write!(f, "{path} of the type {vct}"),
        }
    }
}

impl MayAsk {
    /// Any claim of a type.
    #[must_use]
    pub fn any(vct: &str) -> Self {
        Self {
            claims: None,
            vct: vct.to_owned(),
        }
    }

    /// Only the claims at these paths and below.
    #[must_use]
    pub fn only(vct: &str, claims: Vec<ClaimPath>) -> Self {
        Self {
            claims: Some(claims),
            vct: vct.to_owned(),
        }
    }

    /// What the ledger's grant holds: zero for any claim, else the SHA-256 of the compact JSON with
    /// its members in the order `claims`, `vct` and the paths sorted, each once.
    ///
    /// # Panics
    /// Never: it always has a JSON form.
    #[must_use]
    pub fn detail(&self) -> Hash {
        let Some(claims) = &self.claims else {
            return Hash::ZERO;
        };
        let mut claims = claims.clone();
        claims.sort_unstable();
        claims.dedup();
        let canonical = Self::only(&self.vct, claims);
        sha256(&serde_json::to_vec(&canonical).expect("a registration has a JSON form"))
    }

    /// As an element of `verifier_info`.
    #[must_use]
    pub fn to_verifier_info(&self) -> VerifierInfo {
        VerifierInfo {
            format: FORMAT.to_owned(),
            data: serde_json::json!(self),
        }
    }

    /// What a grant on the ledger with this detail lets its holder ask for of a type, with the lists
    /// it shows in `verifier_info`. `None`: nothing, for the list that the ledger means is not shown.
    #[must_use]
    pub fn granted(vct: &str, detail: &Hash, shown: &[VerifierInfo]) -> Option<Self> {
        if *detail == Hash::ZERO {
            return Some(Self::any(vct));
        }
        shown
            .iter()
            .filter(|element| element.format == FORMAT)
            .filter_map(|element| serde_json::from_value::<Self>(element.data.clone()).ok())
            .find(|list| list.vct == vct && passes("TRU-01", list.detail() == *detail))
    }

    /// Whether the claim at a path may be asked for.
    #[must_use]
    pub fn covers(&self, path: &ClaimPath) -> bool {
        self.claims
            .as_ref()
            .is_none_or(|claims| claims.iter().any(|allowed| is_above(allowed, path)))
    }
}

/// Whether a path is another, or leads above it; every element of an array covers each one.
fn is_above(allowed: &ClaimPath, asked: &ClaimPath) -> bool {
    let alike = |(one, other): (&PathStep, &PathStep)| {
        one == other || matches!((one, other), (PathStep::Every, PathStep::Index(_)))
    };
    !allowed.0.is_empty() && allowed.0.len() <= asked.0.len() && allowed.0.iter().zip(&asked.0).all(alike)
}

/// Everything that a query asks for beyond what is allowed; empty if it keeps within. Each thing is
/// named once. A real-name login itself needs no registration.
#[must_use]
pub fn over_asked(query: &CheckedQuery, allowed: &[MayAsk]) -> Vec<OverAsked> {
    let mut over = Vec::new();
    for credential in &query.query().credentials {
        for vct in credential.types().unwrap_or_default() {
            let of_type: Vec<_> = allowed.iter().filter(|may| may.vct == vct).collect();
            let vct = vct.to_owned();
            if !passes("TRU-02", !of_type.is_empty()) {
                over.push(OverAsked::Type { vct });
                continue;
            }
            let asked = credential.claims.iter().flatten().map(|claim| &claim.path);
            let beyond = asked.filter(|path| {
                let covered = of_type.iter().any(|may| may.covers(path));
                !passes("TRU-03", covered)
            });
            over.extend(beyond.map(|path| OverAsked::Claim {
                vct: vct.clone(),
                path: path.clone(),
            }));
        }
    }
    let mut named = Vec::with_capacity(over.len());
    for one in over {
        if !named.contains(&one) {
            named.push(one);
        }
    }
    named
}
