//! What a person may take: so many tokens in a period of the clock.

use realdid_checks::passes;
use serde::Serialize;
use sqlx::{Any, Row as _, Transaction};

use crate::database::{number, unsigned};
use crate::error::Refusal;
use crate::rules::Authority;

/// Where a person stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// Tokens per period.
    pub tokens: u64,
    /// Length of a period, in seconds.
    pub period_seconds: u64,
    /// Tokens left in this period.
    pub remaining: u64,
    /// When the next period begins, in Unix seconds.
    pub resets_at: u64,
}

impl Authority {
    /// Where a person stands, within a transaction.
    pub(crate) async fn standing_in(
        &self,
        transaction: &mut Transaction<'_, Any>,
        person: &str,
        now: u64,
    ) -> Result<Standing, Refusal> {
        let row = sqlx::query("SELECT used FROM quota WHERE person = $1 AND period = $2")
            .bind(person)
            .bind(number(self.period(now)))
            .fetch_optional(&mut **transaction)
            .await?;
        let used = row.map_or(Ok(0), |row| row.try_get::<i64, _>("used").map(unsigned))?;
        let quota = &self.terms.quota;
        Ok(Standing {
            tokens: quota.tokens.into(),
            period_seconds: quota.period_seconds,
            remaining: u64::from(quota.tokens).saturating_sub(used),
            resets_at: (self.period(now) + 1).saturating_mul(quota.period_seconds),
        })
    }

    /// Debits `count` tokens, all or none; the person's row must be locked.
    pub(crate) async fn debit_quota(
        &self,
        transaction: &mut Transaction<'_, Any>,
        person: &str,
        count: u64,
        now: u64,
    ) -> Result<(), Refusal> {
        let period = number(self.period(now));
        sqlx::query("INSERT INTO quota (person, period, used) VALUES ($1, $2, 0) ON CONFLICT (person, period) DO NOTHING")
            .bind(person)
            .bind(period)
            .execute(&mut **transaction)
            .await?;
        let debited = sqlx::query(
            "UPDATE quota SET used = used + $1 WHERE person = $2 AND period = $3 AND used + $1 <= $4",
        )
        .bind(number(count))
        .bind(person)
        .bind(period)
        .bind(i64::from(self.terms.quota.tokens))
        .execute(&mut **transaction)
        .await?;
        if passes("QUO-01", debited.rows_affected() == 1) {
            return Ok(());
        }
        let standing = self.standing_in(transaction, person, now).await?;
        Err(Refusal::QuotaExhausted {
            remaining: standing.remaining,
            resets_in: standing.resets_at.saturating_sub(now),
        })
    }

    fn period(&self, now: u64) -> u64 {
        now / self.terms.quota.period_seconds
    }
}
