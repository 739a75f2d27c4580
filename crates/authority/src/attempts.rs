//! Wrong codes, counted for a person whether there is such a person or not.

use sqlx::{Any, Transaction};

use crate::database::number;

/// Counts a wrong code; the count is forgotten `seconds` after it began.
pub(crate) async fn count_failure(
    transaction: &mut Transaction<'_, Any>,
    person: &str,
    now: u64,
    seconds: u64,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO attempts (person, started, failed, resets_at) VALUES ($1, 0, 1, $2)
         ON CONFLICT (person) DO UPDATE SET
             started   = CASE WHEN attempts.resets_at <= $3 THEN 0 ELSE attempts.started END,
             failed    = CASE WHEN attempts.resets_at <= $3 THEN 1 ELSE attempts.failed + 1 END,
             resets_at = CASE WHEN attempts.resets_at <= $3 THEN $2 ELSE attempts.resets_at END",
    )
    .bind(person)
    .bind(number(now.saturating_add(seconds)))
    .bind(number(now))
    .execute(&mut **transaction)
    .await?;
    Ok(())
}
