//! Being proofed once: the authority sends a one-time code and keeps a key of this device.
//!
//! [`Wallet::begin_enrolment`] makes the account key, [`Wallet::confirmation`] proves it, and
//! [`Wallet::enrolled`] keeps the account. What the account is good for is in [`crate::tokens`].

use rand_core::CryptoRng;
use realdid_crypto::{PublicKey, base64url_encode};
use realdid_did::{Did, Level};
use realdid_openid::jws::{self, JwsError};
use realdid_token::BlindingError;

use crate::history::Event;
use crate::root::Secret;
use crate::state::{Wallet, WalletError};
use crate::tokens::MAX_BATCH;

/// JWS type of the confirmation of an enrolment.
pub const CONFIRMATION_TYPE: &str = "realdid-enrolment+jwt";
/// JWS type of a question about the account.
pub const ACCOUNT_TYPE: &str = "realdid-account+jwt";
/// JWS type of a request for an offer of the authority's credentials.
pub const OFFER_TYPE: &str = "realdid-credential-offer+jwt";
/// How long a signed request to the authority is valid, in seconds.
pub(crate) const REQUEST_LIFETIME: u64 = 120;

/// An enrolment that has begun; the account key exists, the authority does not know it for good.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enrolling {
    key: Secret,
    /// What the authority calls this enrolment, once it has answered.
    id: Option<String>,
}

/// The account at the authority: it knows the person; the wallet proves itself by a key made for
/// this purpose alone.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    pub(crate) key: Secret,
    /// What the authority calls the account.
    pub id: String,
    /// The level of its tokens.
    pub level: Level,
    /// The authority's DID.
    pub authority: Did,
}

/// Why an enrolment or a request for tokens cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// No enrolment has begun on this wallet.
    #[error("no enrolment has begun on this wallet")]
    NotBegun,
    /// The wallet is not enrolled.
    #[error("the wallet is not enrolled")]
    NotEnrolled,
    /// The authority's answer names a DID of another network or an unknown level.
    #[error("the authority's answer does not fit this network: `{0}`")]
    Answer(&'static str),
    /// Signing failed: the request is too long.
    #[error(transparent)]
    Jws(#[from] JwsError),
    /// A DID is not held.
    #[error(transparent)]
    Wallet(#[from] WalletError),
    /// The key cannot be blinded for, or a blind signature is not valid.
    #[error(transparent)]
    Blinding(#[from] BlindingError),
    /// A batch is under way under another key.
    #[error("an earlier request for tokens is unfinished")]
    BatchPending,
    /// No batch is under way.
    #[error("no request for tokens is under way")]
    NoBatch,
    /// More or fewer signatures than blinded values.
    #[error("the authority signed {found} values, {expected} were asked")]
    Count {
        /// How many were asked.
        expected: usize,
        /// How many came.
        found: usize,
    },
    /// None, or more than [`MAX_BATCH`], were asked for.
    #[error("between 1 and {MAX_BATCH} tokens can be drawn at once")]
    BatchSize,
    /// The stored batch is damaged.
    #[error("the stored request for tokens is damaged")]
    Damaged,
}

impl EnrolError {
    /// The stable code, the same in every language and version.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotBegun => "enrolment_not_begun",
            Self::NotEnrolled => "not_enrolled",
            Self::Answer(_) => "authority_answer_invalid",
            Self::Jws(_) => "request_too_long",
            Self::Wallet(error) => error.code(),
            Self::Blinding(BlindingError::Key) => "epoch_key_unusable",
            Self::Blinding(BlindingError::Signature) => "blind_signature_invalid",
            Self::BatchPending => "token_request_unfinished",
            Self::NoBatch => "no_token_request",
            Self::Count { .. } => "token_count_mismatch",
            Self::BatchSize => "token_batch_size",
            Self::Damaged => "token_request_damaged",
        }
    }
}

#[derive(serde::Serialize)]
struct ConfirmationClaims<'a> {
    aud: &'a str,
    iat: u64,
    exp: u64,
    jti: String,
    charter: String,
    enrolment_id: &'a str,
}

#[derive(serde::Serialize)]
struct AccountClaims<'a> {
    aud: &'a str,
    iat: u64,
    exp: u64,
    jti: String,
    charter: String,
    account_id: &'a str,
}

impl Wallet {
    /// Makes an account key, to be stored before the authority hears of it. A key made before for an
    /// enrolment that did not end is used again.
    pub fn begin_enrolment(&mut self, rng: &mut impl CryptoRng) -> PublicKey {
        let enrolling = self.enrolling.get_or_insert_with(|| Enrolling {
            key: Secret::generate(rng),
            id: None,
        });
        enrolling.id = None;
        enrolling.key.signing_key().public_key()
    }

    /// Keeps what the authority calls the enrolment.
    ///
    /// # Errors
    /// [`EnrolError::NotBegun`].
    pub fn enrolment_started(&mut self, id: String) -> Result<(), EnrolError> {
        self.enrolling.as_mut().ok_or(EnrolError::NotBegun)?.id = Some(id);
        Ok(())
    }

    /// The enrolment that waits for its code.
    #[must_use]
    pub fn enrolment(&self) -> Option<&str> {
        self.enrolling.as_ref()?.id.as_deref()
    }

    /// The account key's signature that confirms an enrolment: who has the code has the key.
    /// `audience` is the authority's public URL, `now` in Unix seconds.
    ///
    /// # Errors
    /// [`EnrolError::NotBegun`], [`EnrolError::Jws`].
    pub fn confirmation(
        &self,
        audience: &str,
        now: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<String, EnrolError> {
        let enrolling = self.enrolling.as_ref().ok_or(EnrolError::NotBegun)?;
        let claims = ConfirmationClaims {
            aud: audience,
            iat: now,
            exp: now + REQUEST_LIFETIME,
            jti: unique(rng),
            charter: self.charter_claim(),
            enrolment_id: enrolling.id.as_deref().ok_or(EnrolError::NotBegun)?,
        };
        Ok(jws::sign(
            &enrolling.key.signing_key(),
            CONFIRMATION_TYPE,
            None,
            &claims,
        )?)
    }

    /// Keeps the account that the authority opened.
    ///
    /// # Errors
    /// [`EnrolError::NotBegun`]; [`EnrolError::Answer`] if the authority is of another network.
    pub fn enrolled(&mut self, id: String, level: Level, authority: Did, now: u64) -> Result<(), EnrolError> {
        if authority.network != self.charter().network {
            return Err(EnrolError::Answer("did"));
        }
        let enrolling = self.enrolling.take().ok_or(EnrolError::NotBegun)?;
        self.record(
            now,
            Event::Enrolled {
                authority: authority.clone(),
            },
        );
        self.account = Some(Account {
            key: enrolling.key,
            id,
            level,
            authority,
        });
        Ok(())
    }

    /// A signed question about the account, for its quota.
    ///
    /// # Errors
    /// [`EnrolError::NotEnrolled`], [`EnrolError::Jws`].
    pub fn account_request(
        &self,
        audience: &str,
        now: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<String, EnrolError> {
        self.signed_by_account(ACCOUNT_TYPE, audience, now, rng)
    }

    /// A signed request for an offer of the authority's credentials: the account key was tied to the
    /// person at enrolment, so no transaction code is needed.
    ///
    /// # Errors
    /// [`EnrolError::NotEnrolled`], [`EnrolError::Jws`].
    pub fn offer_request(
        &self,
        audience: &str,
        now: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<String, EnrolError> {
        self.signed_by_account(OFFER_TYPE, audience, now, rng)
    }

    fn signed_by_account(
        &self,
        typ: &str,
        audience: &str,
        now: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<String, EnrolError> {
        let account = self.account.as_ref().ok_or(EnrolError::NotEnrolled)?;
        let claims = AccountClaims {
            aud: audience,
            iat: now,
            exp: now + REQUEST_LIFETIME,
            jti: unique(rng),
            charter: self.charter_claim(),
            account_id: &account.id,
        };
        Ok(jws::sign(&account.key.signing_key(), typ, None, &claims)?)
    }

    pub(crate) fn charter_claim(&self) -> String {
        base64url_encode(self.charter_hash().as_bytes())
    }
}

/// A fresh `jti`.
pub(crate) fn unique(rng: &mut impl CryptoRng) -> String {
    let mut bytes = [0; 16];
    rng.fill_bytes(&mut bytes);
    base64url_encode(bytes)
}
