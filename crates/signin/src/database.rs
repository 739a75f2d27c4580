//! The database: SQLite or PostgreSQL behind the same statements.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use sqlx::AnyPool;
use sqlx::any::AnyPoolOptions;
use url::Url;

/// SQLite: wait for another connection's write, don't let readers wait for the writer, and really
/// overwrite what is deleted.
const PRAGMAS: &str = "PRAGMA busy_timeout = 15000; PRAGMA journal_mode = WAL; PRAGMA secure_delete = ON";

/// Why the database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The setting is neither `sqlite:PATH` nor `postgres://…`.
    #[error("the setting `database` is neither `sqlite:PATH` nor `postgres://…`")]
    Url,
    /// The file of an SQLite database cannot be made.
    #[error("the database file cannot be made: {0}")]
    File(#[from] std::io::Error),
    /// The database refuses or fails.
    #[error("the database fails: {0}")]
    Sql(#[from] sqlx::Error),
    /// The tables cannot be brought to this version.
    #[error("the database cannot be migrated: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// A stored value cannot be read; a newer version may have written it.
    #[error("a stored value cannot be read: {0}")]
    Value(#[from] serde_json::Error),
}

/// A pool of connections to a database whose tables are up to date.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    pool: AnyPool,
}

impl Database {
    /// Opens `sqlite:PATH` (made if absent, mode 0600) or `postgres://…` and brings its tables to
    /// this version.
    pub(crate) async fn open(url: &str) -> Result<Self, DatabaseError> {
        sqlx::any::install_default_drivers();
        let options = AnyPoolOptions::new().acquire_timeout(Duration::from_secs(20));
        let pool = if let Some(path) = url.strip_prefix("sqlite:") {
            let path = std::path::absolute(path)?;
            make_private_file(&path)?;
            // The driver takes a URL, in which a path's special characters are escaped.
            let file = Url::from_file_path(&path).map_err(|()| DatabaseError::Url)?;
            let url = file.as_str().replacen("file:", "sqlite:", 1);
            options
                .max_connections(4)
                .after_connect(|connection, _| {
                    Box::pin(async move { sqlx::raw_sql(PRAGMAS).execute(connection).await.map(|_| ()) })
                })
                .connect(&url)
                .await?
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            options.max_connections(8).connect(url).await?
        } else {
            return Err(DatabaseError::Url);
        };
        sqlx::migrate!("./migrations").run(&pool).await?;
        Ok(Self { pool })
    }

    /// The connections.
    pub(crate) const fn pool(&self) -> &AnyPool {
        &self.pool
    }

    /// Whether the database answers.
    pub(crate) async fn ping(&self) -> Result<(), DatabaseError> {
        sqlx::query("SELECT 1").execute(&self.pool).await?;
        Ok(())
    }

    /// Forgets what has expired. Used codes stay ten minutes longer, so that a second use is noticed.
    pub(crate) async fn forget_expired(&self, now: u64) -> Result<(), DatabaseError> {
        let now = number(now);
        let statements = [
            ("DELETE FROM pushed_requests WHERE expires_at < $1", now),
            ("DELETE FROM requests WHERE expires_at < $1", now),
            ("DELETE FROM logins WHERE expires_at < $1", now),
            ("DELETE FROM codes WHERE expires_at < $1", now - 600),
            ("DELETE FROM access_tokens WHERE expires_at < $1", now),
            ("DELETE FROM presentations WHERE erase_at < $1", now),
            ("DELETE FROM webhooks WHERE erase_at < $1", now),
        ];
        for (statement, before) in statements {
            sqlx::query(statement).bind(before).execute(&self.pool).await?;
        }
        Ok(())
    }

    /// The highest ledger height seen before.
    pub(crate) async fn highest_seen(&self) -> Result<u64, DatabaseError> {
        let height: Option<i64> = sqlx::query_scalar("SELECT height FROM seen WHERE id = 1")
            .fetch_optional(&self.pool)
            .await?;
        Ok(height.map_or(0, unsigned))
    }

    /// Remembers the highest ledger height seen.
    pub(crate) async fn remember_seen(&self, height: u64) -> Result<(), DatabaseError> {
        let statement = "INSERT INTO seen (id, height) VALUES (1, $1)
                         ON CONFLICT (id) DO UPDATE SET height = excluded.height
                         WHERE seen.height < excluded.height";
        sqlx::query(statement)
            .bind(number(height))
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Closes all connections; open transactions are rolled back.
    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }
}

fn make_private_file(path: &Path) -> std::io::Result<()> {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
        .map(|_| ())
}

/// Unix seconds and counts as the databases keep them: 63 bits are enough.
pub(crate) fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// The inverse of [`number`].
pub(crate) fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}
