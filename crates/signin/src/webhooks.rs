//! Telling websites that a presentation has moved on: a signed message without any claim, sent again
//! with growing pauses until the website takes it.

use std::sync::Arc;
use std::time::Duration;

use realdid_openid::jwk::thumbprint;
use realdid_openid::jws;
use realdid_service::{Shutdown, now_seconds};
use serde_json::json;
use sqlx::{Any, Row as _, Transaction};

use crate::database::{Database, DatabaseError, number, unsigned};
use crate::http::App;
use crate::presentations::Presentation;
use crate::secret::random_id;

/// The JWS type of a message.
const TYP: &str = "realdid-event+jwt";
/// The media type of a message: the compact JWS alone.
const MEDIA_TYPE: &str = "application/jwt";
/// Pause after each failed attempt, in seconds; after the last one the website is not told any more.
const PAUSES: [u64; 8] = [5, 30, 120, 600, 1800, 3600, 3 * 3600, 6 * 3600];
/// For how long a message that is being sent is left alone by others, in seconds.
const TAKEN: u64 = 60;
/// How often the database is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// Most messages taken at once.
const MOST: i64 = 32;

/// What a website is to be told.
pub(crate) struct Notice {
    presentation_id: String,
    client_id: String,
    url: String,
    event: &'static str,
    now: u64,
}

/// A message that is due.
struct Due {
    id: String,
    presentation_id: String,
    client_id: String,
    url: String,
    event: String,
    attempts: u64,
}

impl Notice {
    /// The notice that a presentation has moved on, where its website wants one.
    pub(crate) fn of(presentation: &Presentation, event: &'static str, now: u64) -> Option<Self> {
        Some(Self {
            presentation_id: presentation.id.clone(),
            client_id: presentation.client_id.clone(),
            url: presentation.asked.webhook_url.clone()?,
            event,
            now,
        })
    }

    pub(crate) async fn insert(&self, transaction: &mut Transaction<'_, Any>) -> Result<(), DatabaseError> {
        let statement = "INSERT INTO webhooks
            (id, presentation_id, client_id, url, event, attempts, next_at, erase_at)
            VALUES ($1, $2, $3, $4, $5, 0, $6, $7)";
        sqlx::query(statement)
            .bind(random_id())
            .bind(&self.presentation_id)
            .bind(&self.client_id)
            .bind(&self.url)
            .bind(self.event)
            .bind(number(self.now))
            .bind(number(self.now + PAUSES.iter().sum::<u64>() + 3600))
            .execute(&mut **transaction)
            .await?;
        Ok(())
    }
}

impl Database {
    /// Takes due messages: of several processes each message goes to one.
    async fn take_due(&self, now: u64) -> Result<Vec<Due>, DatabaseError> {
        let statement = "SELECT * FROM webhooks WHERE next_at <= $1 ORDER BY next_at LIMIT $2";
        let rows = sqlx::query(statement)
            .bind(number(now))
            .bind(MOST)
            .fetch_all(self.pool())
            .await?;
        let mut taken = Vec::new();
        for row in rows {
            let (id, next_at): (String, i64) = (row.try_get("id")?, row.try_get("next_at")?);
            let done = sqlx::query("UPDATE webhooks SET next_at = $1 WHERE id = $2 AND next_at = $3")
                .bind(number(now + TAKEN))
                .bind(&id)
                .bind(next_at)
                .execute(self.pool())
                .await?;
            if done.rows_affected() == 1 {
                taken.push(Due {
                    id,
                    presentation_id: row.try_get("presentation_id")?,
                    client_id: row.try_get("client_id")?,
                    url: row.try_get("url")?,
                    event: row.try_get("event")?,
                    attempts: unsigned(row.try_get("attempts")?),
                });
            }
        }
        Ok(taken)
    }

    async fn told(&self, id: &str) -> Result<(), DatabaseError> {
        sqlx::query("DELETE FROM webhooks WHERE id = $1")
            .bind(id)
            .execute(self.pool())
            .await?;
        Ok(())
    }

    async fn not_told(&self, due: &Due, now: u64) -> Result<(), DatabaseError> {
        let attempts = usize::try_from(due.attempts).unwrap_or(usize::MAX);
        let Some(pause) = PAUSES.get(attempts) else {
            return self.told(&due.id).await;
        };
        sqlx::query("UPDATE webhooks SET attempts = attempts + 1, next_at = $1 WHERE id = $2")
            .bind(number(now + pause))
            .bind(&due.id)
            .execute(self.pool())
            .await?;
        Ok(())
    }
}

/// Sends what is due until the shutdown.
pub(crate) async fn keep_telling(app: Arc<App>, shutdown: Shutdown) {
    while !shutdown.is_triggered() {
        if let Err(error) = tell_due(&app, now_seconds()).await {
            tracing::error!(cause = %error, "webhooks cannot be sent");
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = shutdown.triggered() => {}
        }
    }
}

/// Sends what is due at `now`.
pub(crate) async fn tell_due(app: &App, now: u64) -> Result<(), DatabaseError> {
    let due = app.database.take_due(now).await?;
    let tell = due.iter().map(async |due| {
        let sent = match message(app, due, now) {
            Some(message) => app
                .outside
                .post(&due.url, MEDIA_TYPE, message)
                .await
                .map_err(|error| error.code()),
            None => Err("unsigned"),
        };
        let outcome = if sent.is_ok() { "told" } else { "failed" };
        metrics::counter!("signin_webhooks_total", "outcome" => outcome).increment(1);
        match sent {
            Ok(()) => app.database.told(&due.id).await,
            Err(code) => {
                tracing::info!(code, attempts = due.attempts, "a website was not told");
                app.database.not_told(due, now).await
            }
        }
    });
    for outcome in futures::future::join_all(tell).await {
        outcome?;
    }
    Ok(())
}

/// The message: no claim of a person is in it, so it may be logged on its way.
fn message(app: &App, due: &Due, now: u64) -> Option<String> {
    let claims = json!({
        "iss": app.issuer.as_str(),
        "aud": due.client_id,
        "iat": now,
        "jti": due.id,
        "event": due.event,
        "presentation": due.presentation_id,
    });
    let key = &app.signing_key;
    jws::sign(key, TYP, Some(&thumbprint(&key.public_key())), &claims).ok()
}
