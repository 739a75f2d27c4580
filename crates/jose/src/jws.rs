//! Compact JWS (RFC 7515) as RealDID uses it: small, typed, and checked with the key's own algorithm.
//!
//! Parsing gives [`Unverified`]; only [`Unverified::verify`] gives [`Verified`] claims. To sign
//! without holding the key, take a [`SigningInput`] and bring back the signature.

use realdid_crypto::{KeyType, PublicKey, SecretKey, Signature, base64url_decode, base64url_encode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::json::parse_object;

/// Longest JWS that is parsed, in bytes: a request for 128 tokens takes 59,000.
pub const MAX_JWS: usize = 64 * 1024;

/// Why a JWS is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JwsError {
    /// Longer than [`MAX_JWS`].
    #[error("the signed message is longer than {MAX_JWS} bytes")]
    TooLong,
    /// Not three base64url parts, of which the first two are JSON objects without duplicate names.
    #[error("the message is not a compact JWS")]
    Form,
    /// The header asks for an extension that is not understood (RFC 7515 §4.1.11).
    #[error("the message's header has critical extensions that are not understood")]
    Critical,
    /// The header's `typ` is not the one expected here.
    #[error("the message is of another type than expected here")]
    Type,
    /// The header's `alg` is not the one of the key.
    #[error("the message's algorithm is not the one of the key")]
    Algorithm,
    /// The signature is not valid.
    #[error("the message's signature is not valid")]
    Signature,
    /// The claims do not have the expected form.
    #[error("the message's claims do not have the expected form")]
    Claims,
}

/// What is to be signed: header and claims, encoded.
#[derive(Debug, Clone)]
pub struct SigningInput(String);

impl SigningInput {
    /// Encodes a header of `alg`, `typ` and `kid`, and claims.
    ///
    /// # Errors
    /// [`JwsError::Claims`] if the claims have no JSON form, [`JwsError::TooLong`].
    pub fn new(
        kind: KeyType,
        typ: &str,
        kid: Option<&str>,
        claims: &impl Serialize,
    ) -> Result<Self, JwsError> {
        let mut header = json!({ "alg": kind.jose_algorithm(), "typ": typ });
        if let Some(kid) = kid {
            header["kid"] = kid.into();
        }
        let claims = serde_json::to_vec(claims).map_err(|_| JwsError::Claims)?;
        let input = format!(
            "{}.{}",
            base64url_encode(header.to_string()),
            base64url_encode(claims)
        );
        // 87 more: the dot and the encoded signature.
        if input.len() + 87 > MAX_JWS {
            Err(JwsError::TooLong)
        } else {
            Ok(Self(input))
        }
    }

    /// The bytes to sign, as [`SecretKey::sign_raw`] does.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The JWS, given the signature over [`Self::as_bytes`].
    #[must_use]
    pub fn finish(self, signature: &Signature) -> String {
        format!("{}.{}", self.0, base64url_encode(signature.0))
    }
}

/// Signs claims with a key at hand.
///
/// # Errors
/// As [`SigningInput::new`].
pub fn sign(
    key: &SecretKey,
    typ: &str,
    kid: Option<&str>,
    claims: &impl Serialize,
) -> Result<String, JwsError> {
    let input = SigningInput::new(key.kind(), typ, kid, claims)?;
    let signature = key.sign_raw(input.as_bytes());
    Ok(input.finish(&signature))
}

/// A JWS whose signature has not been checked.
#[derive(Debug, Clone)]
pub struct Unverified {
    algorithm: String,
    typ: Option<String>,
    kid: Option<String>,
    claims: Map<String, Value>,
    signing_input: String,
    signature: Signature,
}

impl Unverified {
    /// Takes a compact JWS apart.
    ///
    /// # Errors
    /// [`JwsError::TooLong`], [`JwsError::Form`], [`JwsError::Critical`].
    pub fn parse(text: &str) -> Result<Self, JwsError> {
        // check: JWS-02
        if text.len() > MAX_JWS {
            return Err(JwsError::TooLong);
        }
        let (signing_input, signature) = text.rsplit_once('.').ok_or(JwsError::Form)?;
        let (header, claims) = signing_input.split_once('.').ok_or(JwsError::Form)?;
        let object = |part| {
            base64url_decode(part)
                .ok()
                .and_then(|bytes| parse_object(&bytes))
                .ok_or(JwsError::Form)
        };
        let (mut header, claims) = (object(header)?, object(claims)?);
        let signature = base64url_decode(signature).map_err(|_| JwsError::Form)?;
        let signature = Signature(signature.try_into().map_err(|_| JwsError::Form)?);
        // check: JWS-03
        if header.contains_key("crit") {
            return Err(JwsError::Critical);
        }
        let mut text = |name| match header.remove(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(JwsError::Form),
        };
        Ok(Self {
            algorithm: text("alg")?.ok_or(JwsError::Form)?,
            typ: text("typ")?,
            kid: text("kid")?,
            claims,
            signing_input: signing_input.to_owned(),
            signature,
        })
    }

    /// The header's `kid`: which key the signer says it is.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The header's `typ`.
    #[must_use]
    pub fn typ(&self) -> Option<&str> {
        self.typ.as_deref()
    }

    /// The claims as the sender states them, to find the key they must be checked with.
    ///
    /// # Errors
    /// [`JwsError::Claims`].
    pub fn stated<C: DeserializeOwned>(&self) -> Result<C, JwsError> {
        serde_json::from_value(Value::Object(self.claims.clone())).map_err(|_| JwsError::Claims)
    }

    /// Checks that the message is of the expected type, which keeps signatures for one use from
    /// being taken for another (RFC 8725 §3.11).
    ///
    /// # Errors
    /// [`JwsError::Type`].
    pub fn expect_type(&self, typ: &str) -> Result<(), JwsError> {
        // check: JWS-04
        if self.typ.as_deref() == Some(typ) {
            Ok(())
        } else {
            Err(JwsError::Type)
        }
    }

    /// Checks type, algorithm and signature: a message of ours, canonical signatures only.
    ///
    /// # Errors
    /// [`JwsError::Type`], [`JwsError::Algorithm`], [`JwsError::Signature`], [`JwsError::Claims`].
    pub fn verify<C: DeserializeOwned>(&self, key: &PublicKey, typ: &str) -> Result<Verified<C>, JwsError> {
        self.expect_type(typ)?;
        // check: JWS-05
        if self.algorithm != key.kind().jose_algorithm() {
            return Err(JwsError::Algorithm);
        }
        // check: JWS-06
        key.verify_raw(self.signing_input.as_bytes(), &self.signature)
            .map_err(|_| JwsError::Signature)?;
        Ok(Verified(self.stated()?))
    }
}

/// Claims whose signature has been checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified<C>(C);

impl<C> Verified<C> {
    /// The claims.
    #[must_use]
    pub const fn claims(&self) -> &C {
        &self.0
    }

    /// The claims, taken out.
    #[must_use]
    pub fn into_claims(self) -> C {
        self.0
    }
}
