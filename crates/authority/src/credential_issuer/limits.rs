//! Whether something may be issued at this moment, decided within the transaction that issues it.

use realdid_checks::passes;
use sqlx::{Any, Row as _, Transaction};

use super::types::{CredentialType, DAY};
use super::{CredentialIssuer, IssueRefusal};
use crate::database::{number, unsigned};

impl CredentialIssuer {
    /// Counts copies that a person is given of a type today, whichever configuration they come by.
    pub(super) async fn count_copies(
        &self,
        transaction: &mut Transaction<'_, Any>,
        kind: &CredentialType,
        person: &str,
        copies: usize,
        now: u64,
    ) -> Result<(), IssueRefusal> {
        let (copies, most) = (copies as u64, self.policy.copies_per_day);
        let row = sqlx::query(
            "INSERT INTO vci_given (person, vct, day, copies) VALUES ($1, $2, $3, $4)
             ON CONFLICT (person, vct, day) DO UPDATE SET copies = vci_given.copies + $4 RETURNING copies",
        )
        .bind(person)
        .bind(&kind.config.vct)
        .bind(number(now / DAY))
        .bind(number(copies))
        .fetch_one(&mut **transaction)
        .await?;
        let given = row.try_get::<i64, _>("copies").map(unsigned)?;
        if passes("VCI-54", given <= most) {
            return Ok(());
        }
        let left = most.saturating_sub(given.saturating_sub(copies));
        Err(IssueRefusal::TooManyCopies { most, left })
    }
}

/// Locks a grant, unless it has been revoked: whoever revokes it at the same moment either waits and
/// finds what is issued here, or was first, and nothing is issued any more.
pub(super) async fn hold_grant(
    transaction: &mut Transaction<'_, Any>,
    grant: &str,
) -> Result<(), IssueRefusal> {
    let held = sqlx::query("UPDATE vci_grants SET revoked = 0 WHERE id = $1 AND revoked = 0")
        .bind(grant)
        .execute(&mut **transaction)
        .await?;
    if passes("VCI-55", held.rows_affected() == 1) {
        Ok(())
    } else {
        Err(IssueRefusal::Denied)
    }
}

/// Uses an approved transaction up, with what is issued for it or not at all.
pub(super) async fn take_deferred(
    transaction: &mut Transaction<'_, Any>,
    id_hash: &str,
) -> Result<(), IssueRefusal> {
    let taken =
        sqlx::query("UPDATE vci_deferred SET state = 'fetched' WHERE id_hash = $1 AND state = 'approved'")
            .bind(id_hash)
            .execute(&mut **transaction)
            .await?;
    if passes("VCI-42", taken.rows_affected() == 1) {
        Ok(())
    } else {
        Err(IssueRefusal::Transaction)
    }
}
