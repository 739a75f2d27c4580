//! The proof that who presents a credential holds its key: RFC 9901 §7.3, step 5.

use realdid_checks::passes;
use realdid_crypto::PublicKey;
use serde_json::{Map, Value};

use super::read::VerifiedSdJwt;
use super::{KEY_BINDING_TYP, SdJwtError};
use crate::times::numeric_date;

/// Furthest that a key binding's time may lie ahead of the verifier's clock, in seconds.
pub const MAX_AHEAD: u64 = 60;

/// What a verifier expects of a key binding.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// Who the verifier is, as its request named it.
    pub audience: &'a str,
    /// The nonce of its request.
    pub nonce: &'a str,
    /// Now, in seconds since 1970.
    pub now: u64,
    /// Oldest key binding that is accepted, in seconds.
    pub max_age: u64,
}

/// A key binding that holds.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyBound {
    key: PublicKey,
    issued_at: u64,
    claims: Map<String, Value>,
}

impl KeyBound {
    /// The holder's key.
    #[must_use]
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// When it was made, in seconds since 1970.
    #[must_use]
    pub const fn issued_at(&self) -> u64 {
        self.issued_at
    }

    /// All its claims.
    #[must_use]
    pub const fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// `transaction_data_hashes_alg` as stated, and `transaction_data_hashes` (OpenID4VP 1.0,
    /// appendix B.3.3.1); `None` if there are none, or they are no array of strings.
    #[must_use]
    pub fn transaction_data_hashes(&self) -> Option<(Option<&str>, Vec<&str>)> {
        let hashes = self.claims.get("transaction_data_hashes")?.as_array()?;
        let hashes: Option<Vec<&str>> = hashes.iter().map(Value::as_str).collect();
        let algorithm = self.claims.get("transaction_data_hashes_alg");
        Some((algorithm.and_then(Value::as_str), hashes?))
    }
}

/// The claims that a key binding must have, and its own times.
struct Stated<'a> {
    issued_at: u64,
    audience: &'a str,
    nonce: &'a str,
    sd_hash: &'a str,
    expires_at: Option<u64>,
    not_before: Option<u64>,
}

impl<'a> Stated<'a> {
    /// `None` if a claim is missing or of another type than prescribed.
    fn of(claims: &'a Map<String, Value>) -> Option<Self> {
        let text = |name| claims.get(name)?.as_str();
        let time = |name| match claims.get(name) {
            None => Some(None),
            Some(value) => numeric_date(value).map(Some),
        };
        Some(Self {
            issued_at: time("iat")??,
            audience: text("aud")?,
            nonce: text("nonce")?,
            sd_hash: text("sd_hash")?,
            expires_at: time("exp")?,
            not_before: time("nbf")?,
        })
    }
}

impl VerifiedSdJwt {
    /// Checks the key binding, which there must be.
    ///
    /// # Errors
    /// [`SdJwtError::Unbound`], [`SdJwtError::HolderKey`], or what is wrong with it.
    pub fn key_binding(&self, expected: &Expected<'_>) -> Result<KeyBound, SdJwtError> {
        let binding = self.key_binding.as_ref();
        if !passes("SDJ-17", binding.is_some()) {
            return Err(SdJwtError::Unbound);
        }
        let key = self.holder_key();
        if !passes("SDJ-18", key.is_some()) {
            return Err(SdJwtError::HolderKey);
        }
        // Whatever is switched off: nothing is bound without both.
        let (Some(binding), Some(key)) = (binding, key) else {
            return Err(SdJwtError::BindingForm);
        };
        binding
            .verify_foreign_signature(key)
            .map_err(SdJwtError::Binding)?;
        if !passes("SDJ-19", binding.typ() == Some(KEY_BINDING_TYP)) {
            return Err(SdJwtError::BindingType);
        }
        let stated = Stated::of(binding.stated_claims());
        if !passes("SDJ-20", stated.is_some()) {
            return Err(SdJwtError::BindingForm);
        }
        let issued_at = stated.as_ref().map_or(0, |stated| stated.issued_at);
        if let Some(stated) = stated {
            self.check_claims(&stated, expected)?;
        }
        Ok(KeyBound {
            key: *key,
            issued_at,
            claims: binding.stated_claims().clone(),
        })
    }

    fn check_claims(&self, stated: &Stated<'_>, expected: &Expected<'_>) -> Result<(), SdJwtError> {
        if !passes("SDJ-21", stated.audience == expected.audience) {
            return Err(SdJwtError::Audience);
        }
        if !passes("SDJ-22", stated.nonce == expected.nonce) {
            return Err(SdJwtError::Nonce);
        }
        if !passes(
            "SDJ-23",
            stated.issued_at.saturating_add(expected.max_age) >= expected.now,
        ) {
            return Err(SdJwtError::Stale);
        }
        if !passes(
            "SDJ-24",
            stated.issued_at <= expected.now.saturating_add(MAX_AHEAD),
        ) {
            return Err(SdJwtError::Early);
        }
        let own_times = stated.expires_at.is_none_or(|end| expected.now < end)
            && stated
                .not_before
                .is_none_or(|begin| begin <= expected.now.saturating_add(MAX_AHEAD));
        if !passes("SDJ-25", own_times) {
            return Err(SdJwtError::BindingTimes);
        }
        let disclosed = self.disclosed();
        let sd_hash = disclosed.hash().digest(disclosed.bound_part());
        if !passes("SDJ-26", stated.sd_hash == sd_hash) {
            return Err(SdJwtError::OtherDisclosures);
        }
        Ok(())
    }
}
