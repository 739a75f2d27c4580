//! Taking an SD-JWT apart, and checking it with the issuer's key.

use std::fmt;

use realdid_checks::passes;
use realdid_crypto::{PublicKey, base64url_decode};
use realdid_jose::json::StrictValue;
use realdid_jose::jwk::Jwk;
use realdid_jose::jws::Unverified;
use serde::Deserialize as _;
use serde_json::{Map, Value};

use super::disclosed::Disclosed;
use super::process::process;
use super::{MAX_DISCLOSURES, MAX_SD_JWT, SdJwtError};
use crate::HashAlg;

/// A disclosure as it was sent.
#[derive(Clone)]
pub(super) struct RawDisclosure {
    /// As sent: what the digest is taken over.
    pub(super) encoded: String,
    /// The elements of the array in it; `None` if it is no base64url of a JSON array.
    pub(super) elements: Option<Vec<Value>>,
}

impl RawDisclosure {
    fn parse(encoded: &str) -> Self {
        let array = base64url_decode(encoded)
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Self {
            encoded: encoded.to_owned(),
            elements: match array {
                Some(StrictValue(Value::Array(elements))) => Some(elements),
                _ => None,
            },
        }
    }
}

/// Who says it is the issuer, and where its key may be found. Stated, not proven.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IssuerRef<'a> {
    /// `iss`: an https URL or a DID, if present.
    pub iss: Option<&'a str>,
    /// The header's `kid`.
    pub kid: Option<&'a str>,
    /// The header's `x5c`, as it stands there.
    pub x5c: Option<&'a Value>,
}

/// An SD-JWT whose signatures have not been checked. Its `Debug` form shows no claim.
#[derive(Clone)]
pub struct SdJwt {
    jwt: Unverified,
    /// Everything up to and including the last tilde: what a key binding is over.
    bound_part: String,
    jwt_length: usize,
    disclosures: Vec<RawDisclosure>,
    hash: HashAlg,
    key_binding: Option<Unverified>,
}

impl SdJwt {
    /// Takes an SD-JWT apart, with or without key binding.
    ///
    /// # Errors
    /// [`SdJwtError::TooLong`], [`SdJwtError::Form`], [`SdJwtError::TooMany`], [`SdJwtError::Issuer`],
    /// [`SdJwtError::Binding`], [`SdJwtError::UnknownHash`].
    pub fn parse(text: &str) -> Result<Self, SdJwtError> {
        if !passes("SDJ-01", text.len() <= MAX_SD_JWT) {
            return Err(SdJwtError::TooLong);
        }
        let (bound_part, binding) = match text.rfind('~') {
            Some(tilde) => text.split_at(tilde + 1),
            None => (text, ""),
        };
        let mut parts = bound_part.strip_suffix('~').unwrap_or(bound_part).split('~');
        let issued = parts.next().unwrap_or_default();
        let encoded: Vec<&str> = parts.collect();
        if !passes("SDJ-02", bound_part.ends_with('~') && !encoded.contains(&"")) {
            return Err(SdJwtError::Form);
        }
        if !passes("SDJ-03", encoded.len() <= MAX_DISCLOSURES) {
            return Err(SdJwtError::TooMany);
        }
        let jwt = Unverified::parse(issued).map_err(SdJwtError::Issuer)?;
        let key_binding = match binding {
            "" => None,
            text => Some(Unverified::parse(text).map_err(SdJwtError::Binding)?),
        };
        Ok(Self {
            hash: hash_of(jwt.stated_claims())?,
            jwt_length: issued.len(),
            disclosures: encoded.into_iter().map(RawDisclosure::parse).collect(),
            bound_part: bound_part.to_owned(),
            jwt,
            key_binding,
        })
    }

    /// Takes an SD-JWT apart that an issuer hands out: it has no key binding (RFC 9901 §7.2).
    ///
    /// # Errors
    /// As [`Self::parse`], and [`SdJwtError::Bound`].
    pub fn parse_issued(text: &str) -> Result<Self, SdJwtError> {
        let parsed = Self::parse(text)?;
        if !passes("SDJ-04", parsed.key_binding.is_none()) {
            return Err(SdJwtError::Bound);
        }
        Ok(parsed)
    }

    /// The issuer's header.
    #[must_use]
    pub const fn header(&self) -> &Map<String, Value> {
        self.jwt.header()
    }

    /// The header's `typ`.
    #[must_use]
    pub fn typ(&self) -> Option<&str> {
        self.jwt.typ()
    }

    /// Who says it is the issuer.
    #[must_use]
    pub fn issuer(&self) -> IssuerRef<'_> {
        IssuerRef {
            iss: self.stated("iss").and_then(Value::as_str),
            kid: self.jwt.kid(),
            x5c: self.jwt.header().get("x5c"),
        }
    }

    /// A claim of the part that is open to all, as stated: to find out whom to ask about it.
    #[must_use]
    pub fn stated(&self, name: &str) -> Option<&Value> {
        self.jwt.stated_claims().get(name)
    }

    /// Whether there is a key binding, of whatever worth.
    #[must_use]
    pub const fn has_key_binding(&self) -> bool {
        self.key_binding.is_some()
    }

    /// The issuer's part as a signed message.
    #[must_use]
    pub const fn jwt(&self) -> &Unverified {
        &self.jwt
    }

    /// Checks the issuer's signature and every rule of RFC 9901 §7.1 about digests and disclosures.
    /// Whether `key` is the issuer's is the caller's to know; `typ` and times are the profile's.
    ///
    /// # Errors
    /// [`SdJwtError::Issuer`] or what is wrong with a digest or disclosure.
    pub fn verify(&self, key: &PublicKey) -> Result<VerifiedSdJwt, SdJwtError> {
        self.jwt
            .verify_foreign_signature(key)
            .map_err(SdJwtError::Issuer)?;
        let disclosed = self.disclosed()?;
        Ok(VerifiedSdJwt {
            holder: holder_key(disclosed.claims()),
            disclosed,
            key_binding: self.key_binding.clone(),
        })
    }

    /// The processed claims without a check of the issuer's signature: for a holder who reads again
    /// what it checked when it was issued. Nobody else may believe them.
    ///
    /// # Errors
    /// What is wrong with a digest or disclosure.
    pub fn disclosed(&self) -> Result<Disclosed, SdJwtError> {
        let root = process(self.jwt.stated_claims(), &self.disclosures, self.hash)?;
        Ok(Disclosed::new(
            self.bound_part.clone(),
            self.jwt_length,
            root,
            self.hash,
        ))
    }
}

impl fmt::Debug for SdJwt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SdJwt")
            .field("disclosures", &self.disclosures.len())
            .field("key_binding", &self.key_binding.is_some())
            .finish_non_exhaustive()
    }
}

/// The hash function that the issuer states; SHA-256 if none is stated (RFC 9901 §4.1.1).
fn hash_of(payload: &Map<String, Value>) -> Result<HashAlg, SdJwtError> {
    let hash = match payload.get("_sd_alg") {
        None => Some(HashAlg::Sha256),
        Some(name) => name.as_str().and_then(HashAlg::from_name),
    };
    if !passes("SDJ-05", hash.is_some()) {
        return Err(SdJwtError::UnknownHash);
    }
    Ok(hash.unwrap_or_default())
}

/// An SD-JWT whose issuer's signature holds under the key it was checked with, and whose disclosures
/// are all the issuer's. Its `Debug` form shows no claim.
#[derive(Clone)]
pub struct VerifiedSdJwt {
    disclosed: Disclosed,
    holder: Option<PublicKey>,
    pub(super) key_binding: Option<Unverified>,
}

impl VerifiedSdJwt {
    /// The processed claims: those open to all and those disclosed.
    #[must_use]
    pub const fn claims(&self) -> &Map<String, Value> {
        self.disclosed.claims()
    }

    /// What is disclosed, and what can be shown of it.
    #[must_use]
    pub const fn disclosed(&self) -> &Disclosed {
        &self.disclosed
    }

    /// The holder's key that the issuer names: `cnf.jwk`, if it is a public key that is known here.
    #[must_use]
    pub const fn holder_key(&self) -> Option<&PublicKey> {
        self.holder.as_ref()
    }

    /// Whether there is a key binding, of whatever worth. No verifier decides by this whether it
    /// wants one (RFC 9901 §9.5).
    #[must_use]
    pub const fn has_key_binding(&self) -> bool {
        self.key_binding.is_some()
    }
}

fn holder_key(claims: &Map<String, Value>) -> Option<PublicKey> {
    let jwk = claims.get("cnf")?.as_object()?.get("jwk")?;
    Jwk::deserialize(jwk).ok()?.public_key().ok()
}

impl fmt::Debug for VerifiedSdJwt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedSdJwt")
            .field("key_binding", &self.key_binding.is_some())
            .finish_non_exhaustive()
    }
}
