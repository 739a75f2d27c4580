//! What a verifier asks for (DCQL, OpenID4VP 1.0 §6): here, one real-name login.
//!
//! Other queries are refused with their reason, never half understood. Credentials join here: a
//! query of another format becomes another variant beside [`LoginQuery`].

use serde_json::{Value, json};

use crate::realdid_jwt::FORMAT;

/// The purpose of a login query.
const PURPOSE: &str = "login";
/// Longest credential identifier, in bytes.
const MAX_ID: usize = 64;

/// Why a query cannot be answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DcqlError {
    /// Asks for none or several credentials, or for a choice between sets.
    #[error("the request asks for other than exactly one presentation")]
    Count,
    /// The identifier is not 1 to 64 characters `[A-Za-z0-9_-]`.
    #[error("the query's identifier is not valid")]
    Id,
    /// Another format.
    #[error("the request asks for the format `{0}`, which is not supported")]
    Format(String),
    /// Another purpose than a login, or claims of a format that has none.
    #[error("the request asks for more than a real-name login")]
    Purpose,
}

/// A `dcql_query`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct DcqlQuery {
    /// What is asked for.
    pub credentials: Vec<CredentialQuery>,
    /// Which combinations would do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_sets: Option<Value>,
}

/// A query for one credential.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct CredentialQuery {
    /// Names the answer in `vp_token`.
    pub id: String,
    /// Credential format.
    pub format: String,
    /// Whether several answers are welcome.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multiple: Option<bool>,
    /// What the format needs to know.
    pub meta: Value,
    /// Which claims; `realdid+jwt` has none to choose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claims: Option<Value>,
    /// Which combinations of claims.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim_sets: Option<Value>,
    /// Which issuers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trusted_authorities: Option<Value>,
}

/// A query for a real-name login, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginQuery {
    /// Names the answer in `vp_token`.
    pub id: String,
    /// The lowest assurance level that will do: `low`, `substantial` or `high`.
    pub level: String,
}

impl DcqlQuery {
    /// The query for a login under the identifier `realname`.
    #[must_use]
    pub fn login(level: &str) -> Self {
        let query = CredentialQuery {
            id: "realname".to_owned(),
            format: FORMAT.to_owned(),
            multiple: None,
            meta: json!({ "purpose": PURPOSE, "level": level }),
            claims: None,
            claim_sets: None,
            trusted_authorities: None,
        };
        Self {
            credentials: vec![query],
            credential_sets: None,
        }
    }

    /// Understands the query as a login.
    ///
    /// # Errors
    /// [`DcqlError`].
    pub fn as_login(&self) -> Result<LoginQuery, DcqlError> {
        let [query] = self.credentials.as_slice() else {
            return Err(DcqlError::Count);
        };
        // check: VP-03
        if self.credential_sets.is_some() || query.multiple == Some(true) {
            return Err(DcqlError::Count);
        }
        let id_characters = query
            .id
            .bytes()
            .all(|c| c.is_ascii_alphanumeric() || c == b'_' || c == b'-');
        if !id_characters || !(1..=MAX_ID).contains(&query.id.len()) {
            return Err(DcqlError::Id);
        }
        // check: VP-04
        if query.format != FORMAT {
            return Err(DcqlError::Format(query.format.chars().take(MAX_ID).collect()));
        }
        let unasked =
            query.claims.is_none() && query.claim_sets.is_none() && query.trusted_authorities.is_none();
        let level = query.meta["level"]
            .as_str()
            .filter(|level| ["low", "substantial", "high"].contains(level));
        // check: VP-05
        match level {
            Some(level) if unasked && query.meta["purpose"] == PURPOSE => Ok(LoginQuery {
                id: query.id.clone(),
                level: level.to_owned(),
            }),
            _ => Err(DcqlError::Purpose),
        }
    }
}
