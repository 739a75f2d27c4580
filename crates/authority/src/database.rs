//! The database: SQLite or PostgreSQL behind the same statements.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use sqlx::any::AnyPoolOptions;
use sqlx::{Any, AnyPool, Transaction};
use url::Url;

/// How long a statement of SQLite waits for another connection's write, in milliseconds.
const BUSY_TIMEOUT: &str = "PRAGMA busy_timeout = 15000";
/// Readers don't wait for the writer, and a commit is one append.
const WRITE_AHEAD: &str = "PRAGMA journal_mode = WAL";

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
}

/// A pool of connections to a database whose tables are up to date.
#[derive(Debug, Clone)]
pub struct Database {
    pool: AnyPool,
}

impl Database {
    /// Opens `sqlite:PATH` (made if absent, mode 0600) or `postgres://…` and brings its tables to
    /// this version.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn open(url: &str) -> Result<Self, DatabaseError> {
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
                    Box::pin(async move {
                        sqlx::raw_sql(BUSY_TIMEOUT).execute(&mut *connection).await?;
                        sqlx::raw_sql(WRITE_AHEAD).execute(connection).await.map(|_| ())
                    })
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

    /// Any connection of the pool, for a single statement.
    pub(crate) const fn pool(&self) -> &AnyPool {
        &self.pool
    }

    /// Starts a transaction. Its first statement must be a write to the row that concurrent
    /// transactions contend for: that takes the lock in both databases, and SQLite cannot fail
    /// halfway for having read too early.
    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Any>, sqlx::Error> {
        self.pool.begin().await
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// [`DatabaseError::Sql`].
    pub async fn ping(&self) -> Result<(), DatabaseError> {
        sqlx::query("SELECT 1").execute(&self.pool).await?;
        Ok(())
    }

    /// Closes all connections; open transactions are rolled back.
    pub async fn close(&self) {
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
