//! The website's own database: who has been here, and whose browser is whose.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions};

use crate::provider::{Pending, Visitor};
use crate::verifier::{Asked, Outcome};

/// How long a visitor may take to sign in, in seconds.
const PENDING_LIFETIME: i64 = 900;
/// How long a visitor stays signed in, in seconds.
const SESSION_LIFETIME: i64 = 86_400;

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS visitors
        (sub TEXT PRIMARY KEY, first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL, visits INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS sessions
        (id TEXT PRIMARY KEY, visitor TEXT NOT NULL, expires_at INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS rentals
        (id TEXT PRIMARY KEY, asked TEXT NOT NULL, outcome TEXT NOT NULL, expires_at INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS pending
        (id TEXT PRIMARY KEY, request TEXT NOT NULL, expires_at INTEGER NOT NULL);";

/// Why the database did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database.
    #[error("the database fails: {0}")]
    Sql(#[from] sqlx::Error),
    /// A stored value.
    #[error("a stored value cannot be read: {0}")]
    Value(#[from] serde_json::Error),
    /// The directory of the database file.
    #[error("the database's directory cannot be made: {0}")]
    Directory(#[from] std::io::Error),
}

/// A visitor's history here.
pub struct History {
    /// In Unix seconds.
    pub first_seen: i64,
    /// How often signed in.
    pub visits: i64,
}

/// The database.
pub struct Store {
    pool: SqlitePool,
}

impl Store {
    /// Opens the database, and makes it if there is none.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
        let options = options.journal_mode(SqliteJournalMode::Wal);
        let pool = SqlitePoolOptions::new()
            .max_connections(2)
            .connect_with(options)
            .await?;
        sqlx::raw_sql(TABLES).execute(&pool).await?;
        Ok(Self { pool })
    }

    /// Keeps what a sign-in needs when the visitor comes back, under the browser's cookie.
    pub async fn keep_pending(&self, id: &str, pending: &Pending) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM pending WHERE expires_at < $1")
            .bind(now())
            .execute(&self.pool)
            .await?;
        sqlx::query("INSERT INTO pending VALUES ($1, $2, $3)")
            .bind(id)
            .bind(serde_json::to_string(pending)?)
            .bind(now() + PENDING_LIFETIME)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Takes it out again: a sign-in comes back once.
    pub async fn take_pending(&self, id: &str) -> Result<Option<Pending>, StoreError> {
        let statement = "DELETE FROM pending WHERE id = $1 AND expires_at >= $2 RETURNING request";
        let request: Option<String> = sqlx::query_scalar(statement)
            .bind(id)
            .bind(now())
            .fetch_optional(&self.pool)
            .await?;
        Ok(request
            .map(|request| serde_json::from_str(&request))
            .transpose()?)
    }

    /// Notes a visit, and signs the browser in.
    pub async fn sign_in(&self, id: &str, visitor: &Visitor) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM sessions WHERE expires_at < $1")
            .bind(now())
            .execute(&self.pool)
            .await?;
        let visit = "INSERT INTO visitors VALUES ($1, $2, $2, 1)
                     ON CONFLICT (sub) DO UPDATE SET last_seen = excluded.last_seen, visits = visits + 1";
        sqlx::query(visit)
            .bind(&visitor.sub)
            .bind(now())
            .execute(&self.pool)
            .await?;
        sqlx::query("INSERT INTO sessions VALUES ($1, $2, $3)")
            .bind(id)
            .bind(serde_json::to_string(visitor)?)
            .bind(now() + SESSION_LIFETIME)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Who is signed in with this cookie.
    pub async fn visitor(&self, id: &str) -> Result<Option<(Visitor, History)>, StoreError> {
        let statement = "SELECT visitor FROM sessions WHERE id = $1 AND expires_at >= $2";
        let visitor: Option<String> = sqlx::query_scalar(statement)
            .bind(id)
            .bind(now())
            .fetch_optional(&self.pool)
            .await?;
        let Some(visitor) = visitor else { return Ok(None) };
        let visitor: Visitor = serde_json::from_str(&visitor)?;
        let (first_seen, visits) = sqlx::query_as("SELECT first_seen, visits FROM visitors WHERE sub = $1")
            .bind(&visitor.sub)
            .fetch_one(&self.pool)
            .await?;
        Ok(Some((visitor, History { first_seen, visits })))
    }

    /// Keeps what a visitor was asked for, under the browser's cookie, for so many seconds.
    pub async fn keep_rental(&self, id: &str, asked: &Asked, lifetime: u32) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM rentals WHERE expires_at < $1")
            .bind(now())
            .execute(&self.pool)
            .await?;
        sqlx::query("INSERT INTO rentals VALUES ($1, $2, $3, $4)")
            .bind(id)
            .bind(serde_json::to_string(asked)?)
            .bind(serde_json::to_string(&Outcome::Pending)?)
            .bind(now() + i64::from(lifetime))
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// What the visitor with this cookie was asked for, and what came of it.
    pub async fn rental(&self, id: &str) -> Result<Option<(Asked, Outcome)>, StoreError> {
        let statement = "SELECT asked, outcome FROM rentals WHERE id = $1 AND expires_at >= $2";
        let found: Option<(String, String)> = sqlx::query_as(statement)
            .bind(id)
            .bind(now())
            .fetch_optional(&self.pool)
            .await?;
        let Some((asked, outcome)) = found else {
            return Ok(None);
        };
        Ok(Some((
            serde_json::from_str(&asked)?,
            serde_json::from_str(&outcome)?,
        )))
    }

    /// Notes what came of it.
    pub async fn note_outcome(&self, id: &str, outcome: &Outcome) -> Result<(), StoreError> {
        sqlx::query("UPDATE rentals SET outcome = $2 WHERE id = $1")
            .bind(id)
            .bind(serde_json::to_string(outcome)?)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Signs the browser out.
    pub async fn sign_out(&self, id: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM sessions WHERE id = $1")
            .bind(id)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
