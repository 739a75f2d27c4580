//! What a verifier asks for: the Digital Credentials Query Language (OpenID4VP 1.0 §6, §7).
//!
//! * [`DcqlQuery`]: the query as it travels. [`DcqlQuery::check`] gives a [`CheckedQuery`], which
//!   alone can be asked anything.
//! * [`select`]: what of a holder's credentials answers it. It works on [`Candidate`], a view that
//!   knows neither signatures nor disclosures, so that wallet and verifier share each rule.
//! * [`answer`]: whether what was shown satisfies it.
//! * [`login`]: the query for a real-name login, which is one of the formats.
//!
//! Names that are not known are ignored, as §6 asks; unknown formats and kinds of trusted
//! authorities are understood to match nothing, since another part of the query may.

pub mod answer;
pub mod login;
mod path;
mod rules;
pub mod select;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use login::LoginQuery;
pub use path::{ClaimPath, PathError, PathStep, Pointer, PointerStep};
pub use rules::{CheckedQuery, DcqlError};
pub use select::{Authority, Candidate, Match, Mismatch, Selection};

/// The format of SD-JWT VC (OpenID4VP 1.0 §B.3).
pub const SD_JWT_VC: &str = "dc+sd-jwt";
/// The format of mobile documents (§B.2). It is parsed; nothing here is of it yet.
pub const MDOC: &str = "mso_mdoc";

/// A `dcql_query` (§6).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DcqlQuery {
    /// What is asked for; not empty.
    pub credentials: Vec<CredentialQuery>,
    /// Which combinations would do; without it, all of `credentials` are wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_sets: Option<Vec<CredentialSet>>,
}

/// A query for one credential (§6.1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CredentialQuery {
    /// Names the answer in `vp_token`: `[A-Za-z0-9_-]+`, once in a query.
    pub id: String,
    /// Credential format.
    pub format: String,
    /// Whether several answers are welcome; false if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multiple: Option<bool>,
    /// What the format needs to know: `vct_values` of SD-JWT VC.
    pub meta: Map<String, Value>,
    /// Which issuers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trusted_authorities: Option<Vec<TrustedAuthority>>,
    /// Whether the holder must prove a key; true if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub require_cryptographic_holder_binding: Option<bool>,
    /// Which claims; without it, none that the holder could withhold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claims: Option<Vec<ClaimQuery>>,
    /// Which combinations of claims, the preferred one first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim_sets: Option<Vec<Vec<String>>>,
}

/// A query for one claim (§6.3).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClaimQuery {
    /// Names it in `claim_sets`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Where it stands.
    pub path: ClaimPath,
    /// Which values would do: texts, integers or booleans.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<Value>>,
}

/// A set of credentials for one purpose (§6.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialSet {
    /// Alternatives, the preferred one first: identifiers of credential queries.
    pub options: Vec<Vec<String>>,
    /// Whether it must be answered; true if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required: Option<bool>,
}

/// A way to say which issuers would do (§6.1.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustedAuthority {
    /// `aki`, or ours: `did` (the issuer's DID). `etsi_tl`, `openid_federation` and unknown ones
    /// match nothing here.
    #[serde(rename = "type")]
    pub kind: String,
    /// Which; not empty.
    pub values: Vec<String>,
}

impl CredentialQuery {
    /// A query for an SD-JWT VC of one of these types that asks for the claims at these paths.
    #[must_use]
    pub fn sd_jwt_vc(id: &str, vct_values: &[&str], paths: Vec<ClaimPath>) -> Self {
        let claim = |path| ClaimQuery {
            id: None,
            path,
            values: None,
        };
        Self {
            id: id.to_owned(),
            format: SD_JWT_VC.to_owned(),
            multiple: None,
            meta: Map::from_iter([("vct_values".to_owned(), vct_values.into())]),
            trusted_authorities: None,
            require_cryptographic_holder_binding: None,
            claims: (!paths.is_empty()).then(|| paths.into_iter().map(claim).collect()),
            claim_sets: None,
        }
    }

    /// Whether the holder must prove a key.
    #[must_use]
    pub fn needs_holder_binding(&self) -> bool {
        self.require_cryptographic_holder_binding.unwrap_or(true)
    }

    /// Whether several credentials may be shown for this query.
    #[must_use]
    pub fn takes_several(&self) -> bool {
        self.multiple.unwrap_or(false)
    }

    /// The types that would do: `vct_values` of an SD-JWT VC, `doctype_value` of a mobile document.
    /// `None`: the format has none, or it is not told as it should be.
    #[must_use]
    pub fn types(&self) -> Option<Vec<&str>> {
        match self.format.as_str() {
            SD_JWT_VC => self
                .meta
                .get("vct_values")?
                .as_array()?
                .iter()
                .map(Value::as_str)
                .collect(),
            MDOC => Some(vec![self.meta.get("doctype_value")?.as_str()?]),
            _ => None,
        }
    }
}

impl CredentialSet {
    /// Whether it must be answered.
    #[must_use]
    pub fn is_required(&self) -> bool {
        self.required.unwrap_or(true)
    }
}
