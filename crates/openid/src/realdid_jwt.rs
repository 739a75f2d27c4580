//! The login presentation `realdid+jwt`: a holder's proof of control over a DID, with its token.
//!
//! Header: `typ: realdid+jwt`, `alg` of the DID's key, `kid: <short DID>#<key>`. It is the whole
//! answer to a login query; in the `vp_token` it stands under the query's identifier.

use std::collections::BTreeMap;

use realdid_checks::passes;
use realdid_crypto::{KeyType, SecretKey};

use crate::jws::{self, JwsError, SigningInput, Unverified};

/// The format's name, in DCQL and in `vp_formats_supported`.
pub const FORMAT: &str = "realdid+jwt";
/// The JWS type.
pub const TYP: &str = "realdid+jwt";
/// Longest time from `iat` to `exp`, in seconds.
pub const MAX_LIFETIME: u64 = 300;

/// The claims of a login presentation. Nothing else may stand in it: what no rule needs could only
/// serve to recognise the holder.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoginClaims {
    /// The DID in short form.
    pub iss: String,
    /// The DID in long form, or in short form if it is on the ledger.
    pub did: String,
    /// The verifier's client identifier, with its prefix.
    pub aud: String,
    /// The verifier's nonce.
    pub nonce: String,
    /// When it was made, in Unix seconds.
    pub iat: u64,
    /// Until when it may be shown, in Unix seconds; at most [`MAX_LIFETIME`] later.
    pub exp: u64,
    /// Hash of the network's charter, base64url.
    pub charter: String,
    /// The real-name token, base64url.
    pub token: String,
    /// SHA-256 of each credential in the same answer, base64url.
    pub credentials: Vec<String>,
}

/// Signs a login presentation with a key at hand; `key_url` is `<short DID>#<key>`.
///
/// # Errors
/// As [`SigningInput::new`].
pub fn sign(claims: &LoginClaims, key_url: &str, key: &SecretKey) -> Result<String, JwsError> {
    jws::sign(key, TYP, Some(key_url), claims)
}

/// What is to be signed for a login presentation, where the key lies elsewhere.
///
/// # Errors
/// As [`SigningInput::new`].
pub fn signing_input(claims: &LoginClaims, key_url: &str, kind: KeyType) -> Result<SigningInput, JwsError> {
    SigningInput::new(kind, TYP, Some(key_url), claims)
}

/// Parses a login presentation; its signature is still to be checked.
///
/// # Errors
/// [`JwsError`].
pub fn parse(text: &str) -> Result<(Unverified, LoginClaims), JwsError> {
    let message = Unverified::parse(text)?;
    message.expect_type(TYP)?;
    let claims = message.stated()?;
    Ok((message, claims))
}

/// A `vp_token`: presentations under the identifiers of the queries they answer.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct VpToken(pub BTreeMap<String, Vec<String>>);

/// The `vp_token` is not exactly one presentation for the query asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the vp_token is not one presentation under the query's identifier")]
pub struct VpTokenError;

impl VpToken {
    /// The answer to one query.
    #[must_use]
    pub fn single(query: &str, presentation: String) -> Self {
        Self(BTreeMap::from([(query.to_owned(), vec![presentation])]))
    }

    /// Parses the JSON text, and takes the one presentation for `query` out.
    ///
    /// # Errors
    /// [`VpTokenError`] if anything else is in it.
    pub fn presentation(json: &str, query: &str) -> Result<String, VpTokenError> {
        let object = crate::json::parse_object(json.as_bytes()).ok_or(VpTokenError)?;
        let Self(mut answers) = serde_json::from_value(object.into()).map_err(|_| VpTokenError)?;
        let count = answers.len();
        let own = answers.remove(query).unwrap_or_default();
        if !passes("VP-06", count == 1 && own.len() == 1) {
            return Err(VpTokenError);
        }
        own.into_iter().next().ok_or(VpTokenError)
    }
}
