//! What a website learns: ID token and userinfo (OpenID Connect Core 1.0 §2, §5.3).

use realdid_crypto::{SecretKey, base64url_encode, sha256};
use serde_json::{Map, Value};

use crate::jwk::thumbprint;
use crate::jws::{self, JwsError};

/// Claims about the visitor that depend on the scopes asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct PersonClaims {
    /// Whether an accredited authority verified the person behind the subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub realname_verified: Option<bool>,
    /// How thoroughly: `low`, `substantial` or `high`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assurance_level: Option<String>,
    /// Claims of the real-name credential, for the scopes `age_over_N` and `profile`.
    #[serde(flatten)]
    pub credential: Map<String, Value>,
}

/// The claims of an ID token.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct IdTokenClaims {
    /// The sign-in server.
    pub iss: String,
    /// The visitor: the DID made for this website, in short form.
    pub sub: String,
    /// The website's client identifier.
    pub aud: String,
    /// Until when to accept it, in Unix seconds.
    pub exp: u64,
    /// When it was made, in Unix seconds.
    pub iat: u64,
    /// When the wallet answered, in Unix seconds.
    pub auth_time: u64,
    /// The website's nonce, if it sent one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// Authentication class: assurance level, and whether another device answered.
    pub acr: String,
    /// Authentication methods (RFC 8176).
    pub amr: Vec<String>,
    /// Binds the access token, see [`access_token_hash`].
    pub at_hash: String,
    /// What was asked for about the person.
    #[serde(flatten)]
    pub person: PersonClaims,
}

impl IdTokenClaims {
    /// Signs the claims; `kid` is the key's thumbprint, as in the published key set.
    ///
    /// # Errors
    /// As [`jws::sign`].
    pub fn sign(&self, key: &SecretKey) -> Result<String, JwsError> {
        jws::sign(key, "JWT", Some(&thumbprint(&key.public_key())), self)
    }
}

/// The `at_hash` of an access token under ES256: the left half of its SHA-256, base64url
/// (OpenID Connect Core 1.0 §3.1.3.6).
#[must_use]
pub fn access_token_hash(access_token: &str) -> String {
    base64url_encode(&sha256(access_token.as_bytes()).0[..16])
}

/// The userinfo response.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct UserInfo {
    /// The visitor, as in the ID token.
    pub sub: String,
    /// What was asked for about the person.
    #[serde(flatten)]
    pub person: PersonClaims,
}
