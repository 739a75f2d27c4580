//! Taking long-lived credentials back: a place in a Token Status List for each, drawn at random, and
//! lists that are published at fixed times, so that a change tells nothing by its moment.
//!
//! Every process publishes the same: what a list says at a time is a function of the rows, and the
//! first token signed for a time is kept and served by all.

use rand::CryptoRng;
use realdid_credential::status::token::{self, Publication};
use realdid_credential::status::{Bits, Status, StatusList, allocation};
use realdid_credential::vc::StatusReference;
use realdid_crypto::KeyType;
use sqlx::{Any, Row as _, Transaction};

use super::types::DAY;
use super::{CredentialIssuer, IssueRefusal};
use crate::database::{number, unsigned};

/// Draws before lists count as too full.
const DRAWS: u32 = 64;
/// How long past publications are kept, in seconds.
const HISTORY: u64 = 30 * DAY;

impl CredentialIssuer {
    /// Gives a credential its place, within the transaction that records it.
    pub(crate) async fn allocate(
        &self,
        transaction: &mut Transaction<'_, Any>,
        issuance: &str,
        expires_at: u64,
        rng: &mut (impl CryptoRng + Send),
    ) -> Result<StatusReference, IssueRefusal> {
        let open = self.open_lists(transaction, rng).await?;
        let places = u32::try_from(self.policy.status_places).unwrap_or(1 << 20);
        for _ in 0..DRAWS {
            let Some(place) = allocation::draw(&open, places, rng, |_| false) else {
                break;
            };
            let taken = sqlx::query(
                "INSERT INTO vci_status (list, idx, issuance, value, previous, changed_at, expires_at)
                 VALUES ($1, $2, $3, 0, 0, 0, $4) ON CONFLICT (list, idx) DO NOTHING",
            )
            .bind(place.list)
            .bind(i64::from(place.index))
            .bind(issuance)
            .bind(number(expires_at))
            .execute(&mut **transaction)
            .await?;
            if taken.rows_affected() == 1 {
                sqlx::query("UPDATE vci_status_lists SET taken = taken + 1 WHERE list = $1")
                    .bind(place.list)
                    .execute(&mut **transaction)
                    .await?;
                return Ok(StatusReference {
                    uri: self.list_uri(place.list),
                    index: place.index.into(),
                });
            }
        }
        Err(IssueRefusal::Internal("the status lists are full"))
    }

    /// The lists that are being filled; new ones are opened as old ones get three quarters full.
    async fn open_lists(
        &self,
        transaction: &mut Transaction<'_, Any>,
        rng: &mut (impl CryptoRng + Send),
    ) -> Result<Vec<i64>, IssueRefusal> {
        let full = number(self.policy.status_places / 4 * 3);
        // Lists of another size, from before the policy changed, are served and no longer filled.
        let rows = sqlx::query("SELECT list FROM vci_status_lists WHERE taken < $1 AND places = $2")
            .bind(full)
            .bind(number(self.policy.status_places))
            .fetch_all(&mut **transaction)
            .await?;
        let mut open = rows
            .iter()
            .map(|row| row.try_get("list"))
            .collect::<Result<Vec<i64>, _>>()?;
        while (open.len() as u64) < self.policy.status_shards.max(1) {
            // A random name: the number of lists is nobody's business.
            let list = i64::from(rng.next_u32());
            sqlx::query(
                "INSERT INTO vci_status_lists (list, taken, places) VALUES ($1, 0, $2)
                 ON CONFLICT (list) DO NOTHING",
            )
            .bind(list)
            .bind(number(self.policy.status_places))
            .execute(&mut **transaction)
            .await?;
            open.push(list);
        }
        Ok(open)
    }

    pub(crate) fn list_uri(&self, list: i64) -> String {
        format!("{}/status/{list}", self.issuer)
    }

    /// The last time of publication at or before `now`.
    #[must_use]
    pub fn published_at(&self, now: u64) -> u64 {
        let period = self.policy.status_seconds.max(1);
        now / period * period
    }

    /// Sets the status of all credentials of an issuance; what is published changes at the next time
    /// of publication.
    pub(crate) async fn set_status(
        &self,
        transaction: &mut Transaction<'_, Any>,
        issuance: &str,
        status: Status,
        now: u64,
    ) -> Result<u64, IssueRefusal> {
        let changed = sqlx::query(
            "UPDATE vci_status SET previous = CASE WHEN changed_at >= $1 THEN previous ELSE value END,
                                   value = $2, changed_at = $3
             WHERE issuance = $4",
        )
        .bind(number(self.published_at(now)))
        .bind(i64::from(status.value()))
        .bind(number(now))
        .bind(issuance)
        .execute(&mut **transaction)
        .await?;
        Ok(changed.rows_affected())
    }

    /// The token of a list: today's, or the one in force at an earlier `time`.
    ///
    /// # Errors
    /// [`IssueRefusal::UnknownList`], [`IssueRefusal::NotPublished`], [`IssueRefusal::Database`].
    pub async fn status_list(&self, list: i64, time: Option<u64>, now: u64) -> Result<String, IssueRefusal> {
        let current = self.published_at(now);
        if let Some(time) = time.filter(|time| *time < current) {
            return self.past_list(list, time).await;
        }
        if let Some(token) = self.kept(list, current).await? {
            return Ok(token);
        }
        let places: Option<i64> = sqlx::query_scalar("SELECT places FROM vci_status_lists WHERE list = $1")
            .bind(list)
            .fetch_optional(self.database.pool())
            .await?;
        let places = places.ok_or(IssueRefusal::UnknownList)?;
        let token = self.build(list, unsigned(places), current).await?;
        sqlx::query("INSERT INTO vci_publications (list, at, token) VALUES ($1, $2, $3) ON CONFLICT (list, at) DO NOTHING")
            .bind(list)
            .bind(number(current))
            .bind(&token)
            .execute(self.database.pool())
            .await?;
        sqlx::query("DELETE FROM vci_publications WHERE list = $1 AND at < $2")
            .bind(list)
            .bind(number(current.saturating_sub(HISTORY)))
            .execute(self.database.pool())
            .await?;
        // Another process may have been first: all serve its token.
        Ok(self.kept(list, current).await?.unwrap_or(token))
    }

    async fn kept(&self, list: i64, at: u64) -> Result<Option<String>, IssueRefusal> {
        let token = sqlx::query_scalar("SELECT token FROM vci_publications WHERE list = $1 AND at = $2")
            .bind(list)
            .bind(number(at))
            .fetch_optional(self.database.pool())
            .await?;
        Ok(token)
    }

    async fn past_list(&self, list: i64, time: u64) -> Result<String, IssueRefusal> {
        let row = sqlx::query(
            "SELECT token, at FROM vci_publications WHERE list = $1 AND at <= $2 ORDER BY at DESC LIMIT 1",
        )
        .bind(list)
        .bind(number(time))
        .fetch_optional(self.database.pool())
        .await?
        .ok_or(IssueRefusal::NotPublished)?;
        let at = row.try_get::<i64, _>("at").map(unsigned)?;
        if time < at + self.life() {
            Ok(row.try_get("token")?)
        } else {
            Err(IssueRefusal::NotPublished)
        }
    }

    /// How long a publication may be relied upon, in seconds.
    fn life(&self) -> u64 {
        self.policy.status_ttl.max(self.policy.status_seconds) + self.policy.status_seconds
    }

    async fn build(&self, list: i64, places: u64, at: u64) -> Result<String, IssueRefusal> {
        let failed = |_| IssueRefusal::Internal("a status list cannot be made");
        let rows = sqlx::query(
            "SELECT idx, CASE WHEN changed_at >= $1 THEN previous ELSE value END AS said
             FROM vci_status WHERE list = $2 AND (value <> 0 OR previous <> 0)",
        )
        .bind(number(at))
        .bind(list)
        .fetch_all(self.database.pool())
        .await?;
        let entry = |row: &sqlx::any::AnyRow| {
            let (index, said): (i64, i64) = (row.try_get("idx")?, row.try_get("said")?);
            let value = u8::try_from(said).unwrap_or(1);
            Ok((u32::try_from(index).unwrap_or(0), Status::from_value(value)))
        };
        let entries = rows.iter().map(entry).collect::<Result<Vec<_>, sqlx::Error>>()?;
        let places = u32::try_from(places).unwrap_or(1 << 20);
        let list_of = StatusList::build(Bits::Two, places, entries).map_err(failed)?;
        let key = self.keys.of(KeyType::P256)?;
        let publication = Publication {
            uri: &self.list_uri(list),
            issued_at: at,
            expires_at: at + self.life(),
            time_to_live: self.policy.status_ttl.max(1),
            aggregation_uri: None,
        };
        token::issue(&key.key, key.header(token::TYPE), &list_of, &publication).map_err(failed)
    }
}
