//! What every step of the authority needs: database, secret, and the numbers it decides by.

use realdid_checks::passes;
use realdid_crypto::{Hash, base64url_encode};
use realdid_ledger::{Charter, Quota};
use serde::Deserialize;

use crate::database::Database;
use crate::error::Refusal;
use crate::secrets::Secrets;

/// Most blinded values in one request.
pub const MAX_BATCH: usize = 128;
/// Longest time between a signed request's `iat` and `exp`, in seconds.
pub const MAX_REQUEST_LIFE: u64 = 300;

/// The numbers that enrolment goes by; a table of the configuration file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EnrolmentLimits {
    /// Life of a one-time code, in seconds.
    pub code_seconds: u64,
    /// Tries for each code.
    pub tries_per_code: u64,
    /// Enrolments started for a number before it is locked out.
    pub starts: u64,
    /// Wrong codes for a number before it is locked out.
    pub failures: u64,
    /// After how many seconds starts and failures are forgotten.
    pub lockout_seconds: u64,
    /// Enrolments and confirmations from one address, per minute.
    pub requests_per_minute: f64,
}

impl Default for EnrolmentLimits {
    fn default() -> Self {
        Self {
            code_seconds: 600,
            tries_per_code: 5,
            starts: 10,
            failures: 15,
            lockout_seconds: 3600,
            requests_per_minute: 30.0,
        }
    }
}

/// The network and address that signed requests must name, and what is granted on it.
#[derive(Debug, Clone)]
pub struct Terms {
    /// Hash of the genesis charter.
    pub charter_hash: Hash,
    /// The authority's own address, without a trailing slash: the `aud` of signed requests.
    pub audience: String,
    /// Tokens per person and period.
    pub quota: Quota,
    /// The limits of enrolment.
    pub limits: EnrolmentLimits,
}

impl Terms {
    /// As the charter has them, for an authority at this address.
    #[must_use]
    pub fn of(charter: &Charter, audience: &str, limits: EnrolmentLimits) -> Self {
        Self {
            charter_hash: charter.hash(),
            audience: audience.to_owned(),
            quota: charter.quota,
            limits,
        }
    }

    /// Checks what every signed request states about itself.
    ///
    /// # Errors
    /// [`Refusal::WrongClaim`], [`Refusal::StaleRequest`].
    pub(crate) fn check_stated(&self, stated: &Stated, now: u64) -> Result<(), Refusal> {
        if !passes("ENR-08", stated.aud == self.audience) {
            return Err(Refusal::WrongClaim("aud"));
        }
        let own = base64url_encode(self.charter_hash.as_bytes());
        if !passes("ENR-09", stated.charter == own) {
            return Err(Refusal::WrongClaim("charter"));
        }
        let begun = stated.iat <= now.saturating_add(realdid_openid::CLOCK_SKEW);
        let life = stated
            .exp
            .checked_sub(stated.iat)
            .is_some_and(|life| life <= MAX_REQUEST_LIFE);
        if passes("ENR-10", begun && life && now <= stated.exp) {
            Ok(())
        } else {
            Err(Refusal::StaleRequest)
        }
    }
}

/// What every request signed by an account key states about itself.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Stated {
    /// The authority's address.
    aud: String,
    /// Hash of the charter, base64url.
    charter: String,
    /// When it was signed, in Unix seconds.
    iat: u64,
    /// Until when it may be taken, in Unix seconds.
    pub(crate) exp: u64,
}

/// The authority without sockets, clock and ledger: every rule of enrolment, quota and issuance.
#[derive(Debug, Clone)]
pub struct Authority {
    pub(crate) database: Database,
    pub(crate) secrets: Secrets,
    pub(crate) terms: Terms,
}

impl Authority {
    /// Joins its parts.
    #[must_use]
    pub const fn new(database: Database, secrets: Secrets, terms: Terms) -> Self {
        Self {
            database,
            secrets,
            terms,
        }
    }

    /// What it goes by.
    #[must_use]
    pub const fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Its database.
    #[must_use]
    pub const fn database(&self) -> &Database {
        &self.database
    }

    /// Forgets what has expired: old enrolments, attempts and seen requests.
    ///
    /// # Errors
    /// [`Refusal::Database`].
    pub async fn forget_expired(&self, now: u64) -> Result<(), Refusal> {
        let now = crate::database::number(now);
        // A day more, so that whoever comes late is told that the code has expired.
        let statements = [
            ("DELETE FROM enrolments WHERE expires_at < $1", now - 86_400),
            ("DELETE FROM attempts WHERE resets_at < $1", now),
            ("DELETE FROM requests WHERE expires_at < $1", now),
        ];
        for (statement, before) in statements {
            sqlx::query(statement)
                .bind(before)
                .execute(self.database.pool())
                .await?;
        }
        Ok(())
    }
}
