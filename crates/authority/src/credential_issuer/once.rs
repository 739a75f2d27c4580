//! Nonces, and whatever else may be taken once.
//!
//! A nonce is made without the database: its end of life and randomness under a tag that only this
//! issuer's secret can make. What is remembered is what was used, until it would expire anyway.

use rand::CryptoRng;
use realdid_checks::passes;
use realdid_crypto::{base64url_decode, base64url_encode};
use realdid_openid::CLOCK_SKEW;
use realdid_openid::oauth::{DpopProof, dpop};

use super::{CredentialIssuer, IssueRefusal, hashed};
use crate::database::number;

/// Life of a nonce, in seconds.
pub const NONCE_LIFE: u64 = 300;
/// Bytes of a nonce: end of life, randomness, tag.
const PARTS: (usize, usize, usize) = (8, 16, 16);

impl CredentialIssuer {
    /// A nonce for key proofs (OpenID4VCI 1.0 §7).
    pub fn nonce(&self, now: u64, rng: &mut impl CryptoRng) -> String {
        self.make_nonce("proof", now, rng)
    }

    /// A nonce for DPoP proofs (RFC 9449 §8); it may be used until it expires.
    pub fn dpop_nonce(&self, now: u64, rng: &mut impl CryptoRng) -> String {
        self.make_nonce("dpop", now, rng)
    }

    fn make_nonce(&self, purpose: &'static str, now: u64, rng: &mut impl CryptoRng) -> String {
        let mut random = [0; PARTS.1];
        rng.fill_bytes(&mut random);
        let body = [(now + NONCE_LIFE).to_be_bytes().as_slice(), &random].concat();
        let tag = self.secrets.tag(purpose, &body);
        base64url_encode([body.as_slice(), &tag.as_bytes()[..PARTS.2]].concat())
    }

    /// Whether a nonce was made here for this purpose and has not expired.
    fn is_own(&self, purpose: &'static str, nonce: &str, now: u64) -> bool {
        let Ok(bytes) = base64url_decode(nonce) else {
            return false;
        };
        if bytes.len() != PARTS.0 + PARTS.1 + PARTS.2 {
            return false;
        }
        let (body, tag) = bytes.split_at(PARTS.0 + PARTS.1);
        let expected = self.secrets.tag(purpose, body);
        let end = body.first_chunk::<8>().map_or(0, |end| u64::from_be_bytes(*end));
        openssl::memcmp::eq(tag, &expected.as_bytes()[..PARTS.2]) && now < end
    }

    /// Takes the nonces of a request's key proofs, each of which works once.
    pub(crate) async fn take_nonces(&self, nonces: &[String], now: u64) -> Result<(), IssueRefusal> {
        for nonce in nonces {
            if !passes("VCI-30", self.is_own("proof", nonce, now)) {
                return Err(IssueRefusal::Nonce);
            }
            let first = self.once("nonce", &hashed(nonce), now + NONCE_LIFE).await?;
            if !passes("VCI-31", first) {
                return Err(IssueRefusal::Nonce);
            }
        }
        Ok(())
    }

    /// Takes a DPoP proof: its nonce, if it has or needs one, and its `jti`, once for each key.
    ///
    /// # Errors
    /// [`IssueRefusal::DpopNonce`], [`IssueRefusal::DpopReplayed`], [`IssueRefusal::Database`].
    pub async fn take_dpop(&self, proof: &DpopProof, now: u64) -> Result<(), IssueRefusal> {
        let own = match &proof.nonce {
            Some(nonce) => self.is_own("dpop", nonce, now),
            None => !self.policy.require_dpop_nonce,
        };
        if !passes("DPOP-08", own) {
            return Err(IssueRefusal::DpopNonce);
        }
        let value = hashed(&format!("{} {}", proof.thumbprint, proof.jti));
        let until = now + dpop::MAX_AGE + 2 * CLOCK_SKEW;
        if passes("DPOP-09", self.once("dpop", &value, until).await?) {
            Ok(())
        } else {
            Err(IssueRefusal::DpopReplayed)
        }
    }

    /// Whether this is the first time, decided by the database.
    async fn once(&self, kind: &'static str, value: &str, expires_at: u64) -> Result<bool, IssueRefusal> {
        let taken = sqlx::query(
            "INSERT INTO vci_once (kind, value, expires_at) VALUES ($1, $2, $3) ON CONFLICT (kind, value) DO NOTHING",
        )
        .bind(kind)
        .bind(value)
        .bind(number(expires_at))
        .execute(self.database.pool())
        .await?;
        Ok(taken.rows_affected() == 1)
    }
}
