//! Compact JWS (RFC 7515) as RealDID uses it: small, typed, and checked with the key's own algorithm.
//!
//! Parsing gives [`Unverified`]; only [`Unverified::verify`] (messages of ours) and
//! [`Unverified::verify_foreign`] (messages of anybody) give [`Verified`] claims. To sign without
//! holding the key, take a [`SigningInput`] and bring back the signature.
//!
//! A key that a header carries (`jwk`, `x5c`) or points at (`jku`, `x5u`) is never used here: the
//! caller may look at it through [`Unverified::header`] and has to know why it may be trusted.

use std::collections::BTreeMap;

use realdid_checks::passes;
use realdid_crypto::{
    KeyType, PublicKey, SecretKey, Signature, SignatureError, base64url_decode, base64url_encode,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::json::parse_object;

/// Longest JWS that is parsed without a limit of the caller's own, in bytes: a request for 128
/// tokens takes 59,000.
pub const MAX_JWS: usize = 64 * 1024;

/// Why a JWS is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JwsError {
    /// Longer than the limit: [`MAX_JWS`], or the caller's own.
    #[error("the signed message is longer than is read here")]
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
    /// Encodes a header of `alg`, `typ` and `kid`, and claims, within [`MAX_JWS`].
    ///
    /// # Errors
    /// [`JwsError::Claims`] if the claims have no JSON form, [`JwsError::TooLong`].
    pub fn new(
        kind: KeyType,
        typ: &str,
        kid: Option<&str>,
        claims: &impl Serialize,
    ) -> Result<Self, JwsError> {
        let mut header = Map::new();
        header.insert("typ".to_owned(), typ.into());
        if let Some(kid) = kid {
            header.insert("kid".to_owned(), kid.into());
        }
        Self::with_header(kind, header, claims, MAX_JWS)
    }

    /// Encodes any header (`typ`, `kid`, `x5c`, …) and claims. `alg` is set here, by the type of the
    /// key, whatever the header says of it. `limit`: longest JWS to make, in bytes.
    ///
    /// # Errors
    /// [`JwsError::Claims`] if the claims have no JSON form, [`JwsError::TooLong`].
    pub fn with_header(
        kind: KeyType,
        mut header: Map<String, Value>,
        claims: &impl Serialize,
        limit: usize,
    ) -> Result<Self, JwsError> {
        header.insert("alg".to_owned(), kind.jose_algorithm().into());
        // by name, whatever order the JSON library has: the bytes do not depend on a build's features
        let header: BTreeMap<String, Value> = header.into_iter().collect();
        let header = serde_json::to_vec(&header).map_err(|_| JwsError::Claims)?;
        let claims = serde_json::to_vec(claims).map_err(|_| JwsError::Claims)?;
        let input = format!("{}.{}", base64url_encode(header), base64url_encode(claims));
        // 87 more: the dot and the encoded signature.
        if input.len() + 87 > limit {
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

/// Signs claims under any header with a key at hand, within [`MAX_JWS`].
///
/// # Errors
/// As [`SigningInput::with_header`].
pub fn sign_with_header(
    key: &SecretKey,
    header: Map<String, Value>,
    claims: &impl Serialize,
) -> Result<String, JwsError> {
    let input = SigningInput::with_header(key.kind(), header, claims, MAX_JWS)?;
    let signature = key.sign_raw(input.as_bytes());
    Ok(input.finish(&signature))
}

/// A JWS whose signature has not been checked.
#[derive(Debug, Clone)]
pub struct Unverified {
    header: Map<String, Value>,
    algorithm: String,
    claims: Map<String, Value>,
    signing_input: String,
    signature: Vec<u8>,
}

impl Unverified {
    /// Takes a compact JWS of at most [`MAX_JWS`] bytes apart.
    ///
    /// # Errors
    /// [`JwsError::TooLong`], [`JwsError::Form`], [`JwsError::Critical`].
    pub fn parse(text: &str) -> Result<Self, JwsError> {
        Self::parse_within(text, MAX_JWS)
    }

    /// Takes a compact JWS of at most `limit` bytes apart.
    ///
    /// # Errors
    /// [`JwsError::TooLong`], [`JwsError::Form`], [`JwsError::Critical`].
    pub fn parse_within(text: &str, limit: usize) -> Result<Self, JwsError> {
        if !passes("JWS-02", text.len() <= limit) {
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
        let (header, claims) = (object(header)?, object(claims)?);
        let signature = base64url_decode(signature).map_err(|_| JwsError::Form)?;
        if !passes("JWS-03", !header.contains_key("crit")) {
            return Err(JwsError::Critical);
        }
        let text = |name| match header.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(JwsError::Form),
        };
        let algorithm = text("alg")?.ok_or(JwsError::Form)?.clone();
        text("typ")?;
        text("kid")?;
        Ok(Self {
            header,
            algorithm,
            claims,
            signing_input: signing_input.to_owned(),
            signature,
        })
    }

    /// The whole header, as the sender states it. Nothing in it is to be trusted before a signature
    /// has been checked with a key that was found by other means.
    #[must_use]
    pub const fn header(&self) -> &Map<String, Value> {
        &self.header
    }

    /// The header's `alg`.
    #[must_use]
    pub fn algorithm(&self) -> &str {
        &self.algorithm
    }

    /// The header's `kid`: which key the signer says it is.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.header.get("kid").and_then(Value::as_str)
    }

    /// The header's `typ`.
    #[must_use]
    pub fn typ(&self) -> Option<&str> {
        self.header.get("typ").and_then(Value::as_str)
    }

    /// The claims as the sender states them, to find the key they must be checked with.
    ///
    /// # Errors
    /// [`JwsError::Claims`].
    pub fn stated<C: DeserializeOwned>(&self) -> Result<C, JwsError> {
        serde_json::from_value(Value::Object(self.claims.clone())).map_err(|_| JwsError::Claims)
    }

    /// The claims as the sender states them, member by member.
    #[must_use]
    pub const fn stated_claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// The bytes the signature is over.
    #[must_use]
    pub fn signing_input(&self) -> &[u8] {
        self.signing_input.as_bytes()
    }

    /// The signature; of any length, as its algorithm is not known to be one of ours.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// Checks that the message is of the expected type, which keeps signatures for one use from
    /// being taken for another (RFC 8725 §3.11).
    ///
    /// # Errors
    /// [`JwsError::Type`].
    pub fn expect_type(&self, typ: &str) -> Result<(), JwsError> {
        if passes("JWS-04", self.typ() == Some(typ)) {
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
        self.check_signature(key, PublicKey::verify_raw)?;
        Ok(Verified(self.stated()?))
    }

    /// Checks type, algorithm and signature of a message by anybody's software: ECDSA signatures
    /// with a high `s` are as good (RFC 7518 §3.4 knows no other rule).
    ///
    /// # Errors
    /// As [`Self::verify`].
    pub fn verify_foreign<C: DeserializeOwned>(
        &self,
        key: &PublicKey,
        typ: &str,
    ) -> Result<Verified<C>, JwsError> {
        self.expect_type(typ)?;
        self.verify_foreign_signature(key)?;
        Ok(Verified(self.stated()?))
    }

    /// Checks algorithm and signature as [`Self::verify_foreign`], and leaves the type to the caller:
    /// for messages that may be of one of several types.
    ///
    /// # Errors
    /// [`JwsError::Algorithm`], [`JwsError::Signature`].
    pub fn verify_foreign_signature(&self, key: &PublicKey) -> Result<(), JwsError> {
        self.check_signature(key, PublicKey::verify_foreign)
    }

    fn check_signature(
        &self,
        key: &PublicKey,
        verify: impl Fn(&PublicKey, &[u8], &Signature) -> Result<(), SignatureError>,
    ) -> Result<(), JwsError> {
        let own = key.kind().jose_algorithm();
        // RFC 9864 gives EdDSA with this curve a name of its own; both are in use.
        let fits = self.algorithm == own || (own == "EdDSA" && self.algorithm == "Ed25519");
        if !passes("JWS-05", fits) {
            return Err(JwsError::Algorithm);
        }
        let valid = <[u8; 64]>::try_from(self.signature.as_slice())
            .is_ok_and(|bytes| verify(key, self.signing_input.as_bytes(), &Signature(bytes)).is_ok());
        if !passes("JWS-06", valid) {
            return Err(JwsError::Signature);
        }
        Ok(())
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
