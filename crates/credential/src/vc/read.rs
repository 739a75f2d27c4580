//! Reading credentials: what one says of itself, and what is checked of it.

use realdid_checks::passes;
use realdid_crypto::PublicKey;
use serde_json::{Map, Value};

use super::{OPEN_CLAIMS, StatusReference, TYP, VcError, is_type};
use crate::integrity::Integrity;
use crate::sd_jwt::{Disclosed, Expected, IssuerRef, KeyBound, SdJwt, VerifiedSdJwt};
use crate::times::numeric_date;

/// Most further types (`aka_vcts`) of a credential.
const MAX_ALSO_TYPES: usize = 16;

/// By which clock a credential is judged.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// Now, in seconds since 1970.
    pub now: u64,
    /// By how much the issuer's clock may differ, in seconds.
    pub leeway: u64,
}

/// A credential whose signature has not been checked. Its `Debug` form shows no claim.
#[derive(Debug, Clone)]
pub struct UnverifiedVc {
    sd_jwt: SdJwt,
    vct: String,
}

impl UnverifiedVc {
    /// Takes a presented credential apart, with or without key binding.
    ///
    /// # Errors
    /// What [`SdJwt::parse`] refuses; [`VcError::Type`], [`VcError::Vct`], [`VcError::IssuerMismatch`].
    pub fn parse(text: &str) -> Result<Self, VcError> {
        Self::of(SdJwt::parse(text)?)
    }

    /// Takes a credential apart that an issuer hands out.
    ///
    /// # Errors
    /// As [`Self::parse`]; a key binding is refused, too.
    pub fn parse_issued(text: &str) -> Result<Self, VcError> {
        Self::of(SdJwt::parse_issued(text)?)
    }

    fn of(sd_jwt: SdJwt) -> Result<Self, VcError> {
        if !passes("SVC-01", sd_jwt.typ() == Some(TYP)) {
            return Err(VcError::Type);
        }
        let vct = sd_jwt.stated("vct").and_then(Value::as_str).unwrap_or_default();
        if !passes("SVC-02", is_type(vct)) {
            return Err(VcError::Vct);
        }
        if !passes("SVC-03", names_one_issuer(&sd_jwt)) {
            return Err(VcError::IssuerMismatch);
        }
        Ok(Self {
            vct: vct.to_owned(),
            sd_jwt,
        })
    }

    /// The type it says it is of.
    #[must_use]
    pub fn vct(&self) -> &str {
        &self.vct
    }

    /// Who says it is the issuer, and where its key may be found.
    #[must_use]
    pub fn issuer(&self) -> IssuerRef<'_> {
        self.sd_jwt.issuer()
    }

    /// The SD-JWT that it is.
    #[must_use]
    pub const fn sd_jwt(&self) -> &SdJwt {
        &self.sd_jwt
    }

    /// Checks it with the issuer's key: signature, disclosures, times, and the form of every claim
    /// about the credential itself.
    ///
    /// # Errors
    /// What [`SdJwt::verify`] refuses, or the claim that is wrong.
    pub fn verify(&self, key: &PublicKey, times: &Times) -> Result<VerifiedVc, VcError> {
        let sd_jwt = self.sd_jwt.verify(key)?;
        check_open(sd_jwt.disclosed())?;
        let claims = sd_jwt.claims();
        let validity = Validity::of(claims)?;
        validity.check(times)?;
        check_holder(claims)?;
        Ok(VerifiedVc {
            vct: self.vct.clone(),
            also_types: also_types(claims, &self.vct)?,
            status: status(claims)?,
            integrity: integrity(claims)?,
            validity,
            sd_jwt,
        })
    }
}

/// Whether `iss` is a text and, if it is a DID, the one whose key `kid` names as a DID URL.
fn names_one_issuer(sd_jwt: &SdJwt) -> bool {
    let issuer = sd_jwt.issuer();
    let is_text = sd_jwt.stated("iss").is_none_or(Value::is_string);
    let same = match (issuer.iss, issuer.kid) {
        (Some(iss), Some(kid)) if iss.starts_with("did:") && kid.starts_with("did:") => {
            kid.split_once('#').is_some_and(|(did, _)| did == iss)
        }
        _ => true,
    };
    is_text && same
}

fn check_open(disclosed: &Disclosed) -> Result<(), VcError> {
    for (top, claim) in disclosed.top_level() {
        if let Some(name) = OPEN_CLAIMS.into_iter().find(|name| *name == top)
            && !passes("SVC-04", !claim.has_disclosable())
        {
            return Err(VcError::Disclosable(name));
        }
    }
    Ok(())
}

/// When a credential was made and is valid, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Validity {
    issued_at: Option<u64>,
    not_before: Option<u64>,
    expires_at: Option<u64>,
}

impl Validity {
    fn of(claims: &Map<String, Value>) -> Result<Self, VcError> {
        let time = |name: &'static str| {
            let stated = claims.get(name);
            let time = stated.and_then(numeric_date);
            if !passes("SVC-05", stated.is_some() == time.is_some()) {
                return Err(VcError::Time(name));
            }
            Ok(time)
        };
        Ok(Self {
            issued_at: time("iat")?,
            not_before: time("nbf")?,
            expires_at: time("exp")?,
        })
    }

    fn check(&self, times: &Times) -> Result<(), VcError> {
        let latest = times.now.saturating_add(times.leeway);
        if !passes("SVC-06", self.issued_at.is_none_or(|time| time <= latest)) {
            return Err(VcError::IssuedInFuture);
        }
        if !passes("SVC-07", self.not_before.is_none_or(|time| time <= latest)) {
            return Err(VcError::NotYetValid);
        }
        let alive = |end: u64| times.now < end.saturating_add(times.leeway);
        if !passes("SVC-08", self.expires_at.is_none_or(alive)) {
            return Err(VcError::Expired);
        }
        Ok(())
    }
}

fn also_types(claims: &Map<String, Value>, vct: &str) -> Result<Vec<String>, VcError> {
    let types = match claims.get("aka_vcts") {
        None => Some(Vec::new()),
        Some(Value::Array(types)) if (1..=MAX_ALSO_TYPES).contains(&types.len()) => types
            .iter()
            .map(|name| name.as_str().filter(|name| is_type(name) && *name != vct))
            .map(|name| name.map(str::to_owned))
            .collect(),
        Some(_) => None,
    };
    if !passes("SVC-09", types.is_some()) {
        return Err(VcError::AlsoTypes);
    }
    Ok(types.unwrap_or_default())
}

fn check_holder(claims: &Map<String, Value>) -> Result<(), VcError> {
    let sound = match claims.get("cnf") {
        None => true,
        // a private key in a credential is everybody's: it binds to nobody
        Some(Value::Object(cnf)) => cnf
            .get("jwk")
            .is_none_or(|jwk| jwk.is_object() && jwk.get("d").is_none()),
        Some(_) => false,
    };
    if !passes("SVC-10", sound) {
        return Err(VcError::Confirmation);
    }
    Ok(())
}

fn status(claims: &Map<String, Value>) -> Result<Option<StatusReference>, VcError> {
    let Some(stated) = claims.get("status") else {
        return Ok(None);
    };
    let reference = StatusReference::from_claim(stated).map_err(|_| VcError::Status)?;
    // A status that cannot be read may be "revoked".
    if !passes("SVC-11", reference.is_some()) {
        return Err(VcError::Status);
    }
    Ok(reference)
}

fn integrity(claims: &Map<String, Value>) -> Result<Option<Integrity>, VcError> {
    let stated = claims.get("vct#integrity");
    let integrity = stated
        .and_then(Value::as_str)
        .and_then(|text| Integrity::parse(text).ok());
    if !passes("SVC-12", stated.is_some() == integrity.is_some()) {
        return Err(VcError::Integrity);
    }
    Ok(integrity)
}

/// A credential whose signature holds under the key it was checked with, that is valid now, and whose
/// claims about itself have the prescribed form. Its `Debug` form shows none of the subject's claims.
///
/// Not said by it: that the key's owner may issue this type, and that the credential has not been
/// revoked.
#[derive(Debug, Clone)]
pub struct VerifiedVc {
    sd_jwt: VerifiedSdJwt,
    vct: String,
    also_types: Vec<String>,
    validity: Validity,
    status: Option<StatusReference>,
    integrity: Option<Integrity>,
}

impl VerifiedVc {
    /// Its type.
    #[must_use]
    pub fn vct(&self) -> &str {
        &self.vct
    }

    /// Further types that the issuer says it is of. They prove no right to issue those.
    #[must_use]
    pub fn also_types(&self) -> &[String] {
        &self.also_types
    }

    /// `iss`; proven only if it is what the key was found by.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.claims().get("iss").and_then(Value::as_str)
    }

    /// Time of issue, in seconds since 1970, if stated.
    #[must_use]
    pub const fn issued_at(&self) -> Option<u64> {
        self.validity.issued_at
    }

    /// First second of validity, if stated.
    #[must_use]
    pub const fn not_before(&self) -> Option<u64> {
        self.validity.not_before
    }

    /// First second after validity, if stated.
    #[must_use]
    pub const fn expires_at(&self) -> Option<u64> {
        self.validity.expires_at
    }

    /// The holder's key, if the credential is bound to one of a type that is known here.
    #[must_use]
    pub const fn holder(&self) -> Option<&PublicKey> {
        self.sd_jwt.holder_key()
    }

    /// Where its status stands, if it has one.
    #[must_use]
    pub const fn status(&self) -> Option<&StatusReference> {
        self.status.as_ref()
    }

    /// What its type's metadata document must hash to, if stated.
    #[must_use]
    pub const fn vct_integrity(&self) -> Option<&Integrity> {
        self.integrity.as_ref()
    }

    /// All claims that are open or disclosed.
    #[must_use]
    pub const fn claims(&self) -> &Map<String, Value> {
        self.sd_jwt.claims()
    }

    /// What is disclosed, and what can be shown of it.
    #[must_use]
    pub const fn disclosed(&self) -> &Disclosed {
        self.sd_jwt.disclosed()
    }

    /// The SD-JWT that it is.
    #[must_use]
    pub const fn sd_jwt(&self) -> &VerifiedSdJwt {
        &self.sd_jwt
    }

    /// Checks that the credential, if its issuer made it for some verifiers alone (`aud`), is meant for
    /// this one. For who takes it without a key binding; with one it is part of that.
    ///
    /// # Errors
    /// [`VcError::Audience`].
    pub fn check_audience(&self, audience: &str) -> Result<(), VcError> {
        let meant = match self.claims().get("aud") {
            None => true,
            Some(Value::Array(audiences)) => audiences.iter().any(|one| one.as_str() == Some(audience)),
            Some(one) => one.as_str() == Some(audience),
        };
        if !passes("SVC-32", meant) {
            return Err(VcError::Audience);
        }
        Ok(())
    }

    /// Checks the key binding, which there must be (RFC 9901 §7.3).
    ///
    /// # Errors
    /// [`VcError::SdJwt`] with what is wrong, [`VcError::Audience`].
    pub fn key_binding(&self, expected: &Expected<'_>) -> Result<KeyBound, VcError> {
        self.check_audience(expected.audience)?;
        Ok(self.sd_jwt.key_binding(expected)?)
    }
}
