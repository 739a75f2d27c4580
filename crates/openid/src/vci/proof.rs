//! Key proofs of type `jwt` (OpenID4VCI 1.0 appendix F.1): a wallet shows that it holds the key a
//! credential is to be bound to.

use realdid_checks::passes;
use realdid_crypto::{KeyType, PublicKey, base64url_decode};
use realdid_jose::json::parse_object;
use realdid_jose::jwk::Jwk;
use realdid_jose::jws::{JwsError, SigningInput, Unverified};
use serde_json::{Map, Value, json};

use crate::CLOCK_SKEW;
use crate::oauth::dpop::{is_public, seconds};
use crate::vci::credential::CredentialErrorCode;

/// `typ` of a proof.
pub const PROOF_TYPE: &str = "openid4vci-proof+jwt";
/// Oldest proof that is taken, in seconds.
pub const MAX_AGE: u64 = 300;
/// Longest proof, in bytes: room for a key attestation, which is read by nobody here.
pub const MAX_PROOF: usize = 16 * 1024;

/// Why a proof is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// No compact JWS, or its signature does not hold.
    #[error("a key proof is not a JWS signed by the key in its header: {0}")]
    Jws(JwsError),
    /// Another `typ`.
    #[error("a key proof's typ is not openid4vci-proof+jwt")]
    Type,
    /// Not exactly one of `jwk`, `kid` and `x5c`.
    #[error("a key proof must name its key by exactly one of jwk, kid and x5c")]
    OneKey,
    /// The header holds a private key.
    #[error("a key proof carries a private key")]
    PrivateKey,
    /// The key is of no known type, or named in a way that is not supported here.
    #[error("a key proof names its key in a way that is not supported: use jwk, did:jwk or did:key")]
    Key,
    /// The algorithm is not among the supported ones.
    #[error("a key proof's algorithm is not among proof_signing_alg_values_supported")]
    Algorithm,
    /// A claim is missing or of the wrong type; it is named.
    #[error("a key proof's claim {0} is missing or malformed")]
    Claim(&'static str),
    /// Made for another issuer.
    #[error("a key proof's aud is not the credential issuer")]
    Audience,
    /// Too old, or from the future.
    #[error("a key proof's iat is not recent")]
    Stale,
    /// Named by a client that is not the one with the token.
    #[error("a key proof's iss is not the client the token was given to")]
    Issuer,
    /// Without a nonce.
    #[error("a key proof has no nonce; fetch one from the nonce_endpoint")]
    NoNonce,
    /// The same key twice in one request.
    #[error("two key proofs are by the same key")]
    SameKey,
}

impl ProofError {
    /// The code on the wire.
    #[must_use]
    pub const fn code(self) -> CredentialErrorCode {
        CredentialErrorCode::InvalidProof
    }
}

/// What a proof must be made for.
#[derive(Debug, Clone, Copy)]
pub struct ProofExpectation<'a> {
    /// The issuer's identifier.
    pub issuer: &'a str,
    /// The client the access token was given to; none if it named itself nowhere.
    pub client_id: Option<&'a str>,
    /// Key types that credentials may be bound to.
    pub algorithms: &'a [KeyType],
    /// The time, in Unix seconds.
    pub now: u64,
}

/// How a proof names its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyReference {
    /// The key itself.
    Key(PublicKey),
    /// A DID URL whose key must be looked up, e.g. of `did:real`.
    DidUrl(String),
}

/// A proof that has been checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedProof {
    /// The key to bind to.
    pub key: PublicKey,
    /// The issuer's nonce; whether it is one and unused, the issuer's memory decides.
    pub nonce: String,
}

/// A proof taken apart.
#[derive(Debug, Clone)]
pub struct UnverifiedProof(Unverified);

impl UnverifiedProof {
    /// Takes a proof apart and checks its header.
    ///
    /// # Errors
    /// [`ProofError::Jws`], [`ProofError::Type`], [`ProofError::OneKey`].
    pub fn parse(text: &str) -> Result<Self, ProofError> {
        let jws = Unverified::parse_within(text, MAX_PROOF).map_err(ProofError::Jws)?;
        if !passes("VCI-10", jws.typ() == Some(PROOF_TYPE)) {
            return Err(ProofError::Type);
        }
        let named = ["jwk", "kid", "x5c"];
        let count = named
            .iter()
            .filter(|name| jws.header().contains_key(**name))
            .count();
        if !passes("VCI-11", count == 1) {
            return Err(ProofError::OneKey);
        }
        Ok(Self(jws))
    }

    /// Which key it says to be signed by. `jwk`, `did:jwk` and `did:key` hold the key themselves.
    ///
    /// # Errors
    /// [`ProofError::PrivateKey`], [`ProofError::Key`].
    pub fn key(&self) -> Result<KeyReference, ProofError> {
        if let Some(jwk) = self.0.header().get("jwk") {
            return public_jwk(jwk).map(KeyReference::Key);
        }
        let kid = self.0.kid().ok_or(ProofError::Key)?;
        let did = kid.split_once('#').map_or(kid, |(did, _)| did);
        if let Some(jwk) = did.strip_prefix("did:jwk:") {
            let bytes = base64url_decode(jwk).map_err(|_| ProofError::Key)?;
            let jwk = parse_object(&bytes).ok_or(ProofError::Key)?;
            return public_jwk(&jwk.into()).map(KeyReference::Key);
        }
        if let Some(multikey) = did.strip_prefix("did:key:") {
            let key = PublicKey::from_multikey(multikey).map_err(|_| ProofError::Key)?;
            return Ok(KeyReference::Key(key));
        }
        if did.starts_with("did:") && did != kid {
            Ok(KeyReference::DidUrl(kid.to_owned()))
        } else {
            Err(ProofError::Key)
        }
    }

    /// Checks signature and claims with the key it names.
    ///
    /// # Errors
    /// [`ProofError`].
    pub fn verify(
        &self,
        key: &PublicKey,
        expected: &ProofExpectation<'_>,
    ) -> Result<VerifiedProof, ProofError> {
        if !passes("VCI-13", expected.algorithms.contains(&key.kind())) {
            return Err(ProofError::Algorithm);
        }
        self.0.verify_foreign_signature(key).map_err(ProofError::Jws)?;
        let claims = self.0.stated_claims();
        let text = |name| claims.get(name).and_then(Value::as_str);
        if !passes("VCI-14", text("aud") == Some(expected.issuer)) {
            return Err(ProofError::Audience);
        }
        let iat = claims
            .get("iat")
            .and_then(seconds)
            .ok_or(ProofError::Claim("iat"))?;
        let recent = iat <= expected.now.saturating_add(CLOCK_SKEW)
            && expected.now <= iat.saturating_add(MAX_AGE + CLOCK_SKEW);
        if !passes("VCI-15", recent) {
            return Err(ProofError::Stale);
        }
        let named = claims.get("iss");
        let right = named.is_none() || (text("iss").is_some() && text("iss") == expected.client_id);
        if !passes("VCI-16", right) {
            return Err(ProofError::Issuer);
        }
        let nonce = text("nonce");
        if !passes("VCI-17", nonce.is_some()) {
            return Err(ProofError::NoNonce);
        }
        Ok(VerifiedProof {
            key: *key,
            nonce: nonce.unwrap_or_default().to_owned(),
        })
    }
}

fn public_jwk(jwk: &Value) -> Result<PublicKey, ProofError> {
    let jwk = jwk.as_object().ok_or(ProofError::Key)?;
    if !passes("VCI-12", is_public(jwk)) {
        return Err(ProofError::PrivateKey);
    }
    let jwk: Jwk = serde_json::from_value(Value::Object(jwk.clone())).map_err(|_| ProofError::Key)?;
    jwk.public_key().map_err(|_| ProofError::Key)
}

/// A proof to sign by a key named as `jwk`, for a wallet that need not hold it in this process.
///
/// # Errors
/// [`JwsError::TooLong`].
pub fn signing_input(
    key: &PublicKey,
    issuer: &str,
    client_id: Option<&str>,
    nonce: Option<&str>,
    now: u64,
) -> Result<SigningInput, JwsError> {
    let mut header = Map::new();
    header.insert("typ".to_owned(), PROOF_TYPE.into());
    header.insert("jwk".to_owned(), json!(Jwk::of(key)));
    let mut claims = json!({ "aud": issuer, "iat": now });
    if let Some(client_id) = client_id {
        claims["iss"] = client_id.into();
    }
    if let Some(nonce) = nonce {
        claims["nonce"] = nonce.into();
    }
    SigningInput::with_header(key.kind(), header, &claims, MAX_PROOF)
}
