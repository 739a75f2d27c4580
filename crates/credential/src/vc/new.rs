//! Making credentials.

use std::fmt;

use rand_core::CryptoRng;
use realdid_checks::passes;
use realdid_crypto::{KeyType, PublicKey, SecretKey};
use realdid_jose::jwk::Jwk;
use serde_json::{Map, Value, json};

use super::{OPEN_CLAIMS, StatusReference, TYP, VcError, is_type};
use crate::path::ClaimPath;
use crate::sd_jwt::{self, Frame, IssueError, Unsigned};

/// How the header leads to the issuer's key. Any of the two, or both.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IssuerHeader {
    /// Name of the key: a DID URL, or one in the issuer's metadata.
    pub kid: Option<String>,
    /// Certificates as base64 (not base64url) of DER, the key's own first (RFC 7515 §4.1.6).
    pub x5c: Option<Vec<String>>,
}

/// A credential to be made; its `Debug` form shows nothing of its subject. Batches of copies differ in `holder` and times alone; take [`day`] for
/// the times, so that two copies of one batch are not known by their second.
#[derive(Clone, Default)]
pub struct NewVc {
    /// Its type.
    pub vct: String,
    /// Further types that it is of, too (`aka_vcts`).
    pub also_types: Vec<String>,
    /// `iss`; may be left out if a certificate names the issuer.
    pub issuer: Option<String>,
    /// Time of issue, in seconds since 1970.
    pub issued_at: Option<u64>,
    /// First second of validity.
    pub not_before: Option<u64>,
    /// First second after validity.
    pub expires_at: Option<u64>,
    /// The holder's key, for `cnf`.
    pub holder: Option<PublicKey>,
    /// Where its status stands.
    pub status: Option<StatusReference>,
    /// `vct#integrity`: integrity metadata of the type's metadata document.
    pub vct_integrity: Option<String>,
    /// The subject's claims; none of those above.
    pub claims: Map<String, Value>,
    /// Which claims are disclosable.
    pub frame: Frame,
}

impl NewVc {
    /// The claims before anything is hidden (the "Unsecured Payload").
    ///
    /// # Errors
    /// [`VcError::Vct`], [`VcError::ReservedClaim`].
    pub fn payload(&self) -> Result<Map<String, Value>, VcError> {
        if !passes("SVC-14", is_type(&self.vct)) {
            return Err(VcError::Vct);
        }
        let reserved = OPEN_CLAIMS.iter().chain(&["iat"]);
        if let Some(name) = reserved.copied().find(|name| self.claims.contains_key(*name))
            && !passes("SVC-15", false)
        {
            return Err(VcError::ReservedClaim(name));
        }
        let mut payload = self.claims.clone();
        let mut set = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                payload.insert(name.to_owned(), value);
            }
        };
        set("vct", Some(self.vct.as_str().into()));
        set(
            "aka_vcts",
            (!self.also_types.is_empty()).then(|| self.also_types.clone().into()),
        );
        set("iss", self.issuer.as_deref().map(Value::from));
        set("iat", self.issued_at.map(Value::from));
        set("nbf", self.not_before.map(Value::from));
        set("exp", self.expires_at.map(Value::from));
        set(
            "cnf",
            self.holder.as_ref().map(|key| json!({ "jwk": Jwk::of(key) })),
        );
        set("status", self.status.as_ref().map(StatusReference::to_claim));
        set("vct#integrity", self.vct_integrity.as_deref().map(Value::from));
        Ok(payload)
    }
}

impl fmt::Debug for NewVc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewVc")
            .field("vct", &self.vct)
            .finish_non_exhaustive()
    }
}

impl IssuerHeader {
    fn to_map(&self) -> Map<String, Value> {
        let mut header = Map::new();
        header.insert("typ".to_owned(), TYP.into());
        if let Some(kid) = &self.kid {
            header.insert("kid".to_owned(), kid.as_str().into());
        }
        if let Some(x5c) = &self.x5c {
            header.insert("x5c".to_owned(), x5c.clone().into());
        }
        header
    }
}

/// The start of the day (UTC) that `now` is in. Times of whole days are the same for everything
/// issued that day, so nobody tells two copies to be of one batch by them.
#[must_use]
pub const fn day(now: u64) -> u64 {
    now - now % 86_400
}

/// Makes a credential for an issuer's key of this type, up to the signature.
///
/// # Errors
/// [`VcError::Vct`], [`VcError::ReservedClaim`], [`VcError::Issue`].
pub fn prepare(
    kind: KeyType,
    header: &IssuerHeader,
    new: &NewVc,
    rng: &mut impl CryptoRng,
) -> Result<Unsigned, VcError> {
    // the others among [`OPEN_CLAIMS`] are refused for every SD-JWT
    let about_itself =
        |path: &&ClaimPath| matches!(path.top(), Some("vct" | "vct#integrity" | "aka_vcts" | "status"));
    if let Some(path) = new.frame.disclosable.iter().find(about_itself)
        && !passes("SVC-16", false)
    {
        return Err(IssueError::NeverDisclosable(path.clone()).into());
    }
    let payload = new.payload()?;
    Ok(sd_jwt::prepare(kind, header.to_map(), &payload, &new.frame, rng)?)
}

/// Makes and signs a credential with a key at hand.
///
/// # Errors
/// As [`prepare`].
pub fn issue(
    key: &SecretKey,
    header: &IssuerHeader,
    new: &NewVc,
    rng: &mut impl CryptoRng,
) -> Result<String, VcError> {
    let unsigned = prepare(key.kind(), header, new, rng)?;
    let signature = key.sign_raw(unsigned.as_bytes());
    Ok(unsigned.finish(&signature))
}
