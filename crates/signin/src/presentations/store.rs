//! Presentations in the database.

use realdid_checks::passes;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::{LastRefusal, Presentation, PresentationError, RESULT_LIFETIME, Stage};
use crate::database::{Database, DatabaseError, number, unsigned};
use crate::webhooks::Notice;

/// Why a stored presentation could not be read or moved on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PresentationStoreError {
    #[error(transparent)]
    Database(#[from] DatabaseError),
    #[error(transparent)]
    Presentation(#[from] PresentationError),
}

impl From<sqlx::Error> for PresentationStoreError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.into())
    }
}

/// What became of a presentation that was to be stored.
pub(crate) enum Inserted {
    /// It is new.
    New,
    /// One was asked for under the same key before, with the same content.
    Before(Box<Presentation>),
    /// One was asked for under the same key before, with another content.
    Other,
}

impl Database {
    /// Stores a presentation, unless its website has used the same key before. `body_hash` says
    /// whether the content is the same.
    pub(crate) async fn insert_presentation(
        &self,
        presentation: &Presentation,
        idempotency: Option<&str>,
        body_hash: &str,
    ) -> Result<Inserted, DatabaseError> {
        let statement = "INSERT INTO presentations
            (id, request_id, client_id, idempotency_hash, body_hash, asked, stage, version, expires_at, erase_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
            ON CONFLICT (client_id, idempotency_hash) DO NOTHING";
        let done = sqlx::query(statement)
            .bind(&presentation.id)
            .bind(&presentation.request_id)
            .bind(&presentation.client_id)
            .bind(idempotency)
            .bind(body_hash)
            .bind(serde_json::to_string(&presentation.asked)?)
            .bind(serde_json::to_string(&presentation.stage)?)
            .bind(presentation.version)
            .bind(number(presentation.expires_at))
            .bind(number(presentation.erase_at))
            .execute(self.pool())
            .await?;
        if done.rows_affected() == 1 {
            return Ok(Inserted::New);
        }
        let row = sqlx::query("SELECT * FROM presentations WHERE client_id = $1 AND idempotency_hash = $2")
            .bind(&presentation.client_id)
            .bind(idempotency)
            .fetch_one(self.pool())
            .await?;
        let before: String = row.try_get("body_hash")?;
        if passes("VRF-09", before == body_hash) {
            Ok(Inserted::Before(Box::new(read(&row)?)))
        } else {
            Ok(Inserted::Other)
        }
    }

    /// A website's own presentation.
    pub(crate) async fn presentation(
        &self,
        id: &str,
        client_id: &str,
        now: u64,
    ) -> Result<Presentation, PresentationStoreError> {
        let row = sqlx::query("SELECT * FROM presentations WHERE id = $1 AND erase_at > $2")
            .bind(id)
            .bind(number(now))
            .fetch_optional(self.pool())
            .await?;
        let found = row.as_ref().map(read).transpose()?;
        let own = found.filter(|found| passes("VRF-10", found.client_id == client_id));
        Ok(own.ok_or(PresentationError::Unknown)?)
    }

    /// The presentation that a wallet was asked for.
    pub(crate) async fn presentation_asked(
        &self,
        request_id: &str,
        now: u64,
    ) -> Result<Presentation, PresentationStoreError> {
        let row = sqlx::query("SELECT * FROM presentations WHERE request_id = $1 AND erase_at > $2")
            .bind(request_id)
            .bind(number(now))
            .fetch_optional(self.pool())
            .await?;
        let found = row.as_ref().map(read).transpose()?;
        Ok(found.ok_or(PresentationError::Unknown)?)
    }

    /// Moves a presentation to its next stage, unless another move was quicker, and writes down whom
    /// to tell, both or neither.
    pub(crate) async fn advance_presentation(
        &self,
        presentation: &Presentation,
        next: &Stage,
        notice: Option<&Notice>,
        now: u64,
    ) -> Result<(), PresentationStoreError> {
        let mut transaction = self.pool().begin().await?;
        let statement = "UPDATE presentations SET stage = $1, version = version + 1, erase_at = $2
                         WHERE id = $3 AND version = $4";
        let done = sqlx::query(statement)
            .bind(serde_json::to_string(next).map_err(DatabaseError::from)?)
            .bind(number(now + RESULT_LIFETIME))
            .bind(&presentation.id)
            .bind(presentation.version)
            .execute(&mut *transaction)
            .await?;
        if !passes("VRF-11", done.rows_affected() == 1) {
            return Err(PresentationError::AlreadyAnswered.into());
        }
        if let Some(notice) = notice {
            notice.insert(&mut transaction).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Remembers that an answer did not hold, for the website to see.
    pub(crate) async fn remember_refusal(
        &self,
        id: &str,
        refusal: &LastRefusal,
    ) -> Result<(), DatabaseError> {
        sqlx::query("UPDATE presentations SET last_refusal = $1 WHERE id = $2")
            .bind(serde_json::to_string(refusal)?)
            .bind(id)
            .execute(self.pool())
            .await?;
        Ok(())
    }

    /// Erases a presentation with all that was learned by it.
    pub(crate) async fn erase_presentation(&self, id: &str) -> Result<(), DatabaseError> {
        for statement in [
            "DELETE FROM webhooks WHERE presentation_id = $1",
            "DELETE FROM presentations WHERE id = $1",
        ] {
            sqlx::query(statement).bind(id).execute(self.pool()).await?;
        }
        Ok(())
    }
}

fn read(row: &AnyRow) -> Result<Presentation, DatabaseError> {
    let json = |name| -> Result<String, sqlx::Error> { row.try_get(name) };
    let refusal: Option<String> = row.try_get("last_refusal")?;
    Ok(Presentation {
        id: row.try_get("id")?,
        request_id: row.try_get("request_id")?,
        client_id: row.try_get("client_id")?,
        asked: serde_json::from_str(&json("asked")?)?,
        stage: serde_json::from_str(&json("stage")?)?,
        last_refusal: refusal.map(|text| serde_json::from_str(&text)).transpose()?,
        version: row.try_get("version")?,
        expires_at: unsigned(row.try_get("expires_at")?),
        erase_at: unsigned(row.try_get("erase_at")?),
    })
}
