//! The index: where operations and documents stand in the chain, in SQLite.
//!
//! It holds places, not contents; contents come from blocks. It keeps its own progress, is written
//! by one task alone ([`follow`]), and is rebuilt from the blocks if it is lost or found ahead of
//! them.

mod follow;
mod lists;
mod write;

use std::path::Path;

use realdid_crypto::Hash;
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use tokio::sync::watch;

pub(crate) use follow::follow;
pub(crate) use write::kind_of;

use crate::NodeError;

/// What is rebuilt from the blocks.
const TABLES: [&str; 7] = [
    "operations",
    "documents",
    "decisions",
    "governance",
    "epoch_keys",
    "counts",
    "hours",
];

/// Where an operation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// Height of its block.
    pub(crate) height: u64,
    /// Its position in the block.
    pub(crate) position: usize,
}

/// One operation in the life of a DID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Version {
    /// 1 for the first.
    pub(crate) number: u64,
    /// The operation's hash.
    pub(crate) operation: Hash,
    /// Time of its block, in Unix seconds.
    pub(crate) time: u64,
    /// Where it stands.
    pub(crate) place: Place,
}

/// The index. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Index {
    pool: SqlitePool,
    /// The height up to which everything is indexed.
    progress: watch::Sender<u64>,
}

type OperationRow = (Vec<u8>, i64, i64, i64, i64);

impl Index {
    /// Opens the index of a network, or makes it.
    pub(crate) async fn open(path: &Path, charter: &Hash) -> Result<Self, NodeError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // What a power cut takes back is indexed again from the blocks, which are durable.
            .synchronous(SqliteSynchronous::Normal);
        let pool = SqlitePoolOptions::new()
            .max_connections(4)
            .connect_with(options)
            .await?;
        sqlx::migrate!("./migrations").run(&pool).await?;
        sqlx::query("INSERT OR IGNORE INTO meta (id, charter, height) VALUES (1, ?, 0)")
            .bind(charter.0.as_slice())
            .execute(&pool)
            .await?;
        let (found, height): (Vec<u8>, i64) = sqlx::query_as("SELECT charter, height FROM meta")
            .fetch_one(&pool)
            .await?;
        if found != charter.0 {
            return Err(NodeError::OtherNetwork);
        }
        Ok(Self {
            pool,
            progress: watch::Sender::new(unsigned(height)),
        })
    }

    /// Forgets everything, to be rebuilt.
    async fn clear(&self) -> Result<(), sqlx::Error> {
        let mut transaction = self.pool.begin().await?;
        for table in TABLES {
            // The names are this module's own.
            let statement = sqlx::AssertSqlSafe(format!("DELETE FROM {table}"));
            sqlx::query(statement).execute(&mut *transaction).await?;
        }
        sqlx::query("UPDATE meta SET height = 0")
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        self.progress.send_replace(0);
        Ok(())
    }

    /// The height up to which everything is indexed.
    pub(crate) fn height(&self) -> u64 {
        *self.progress.borrow()
    }

    /// Waits until a height is indexed.
    pub(crate) async fn reached(&self, height: u64) {
        // The sender lives as long as `self`, so waiting cannot fail.
        let _ = self
            .progress
            .subscribe()
            .wait_for(|reached| *reached >= height)
            .await;
    }

    /// Where a final operation stands. The only source of the word `finalized`.
    pub(crate) async fn operation(&self, hash: &Hash) -> Result<Option<Place>, sqlx::Error> {
        let query = sqlx::query_as("SELECT height, position FROM operations WHERE hash = ?");
        let row: Option<(i64, i64)> = query.bind(hash.0.as_slice()).fetch_optional(&self.pool).await?;
        Ok(row.map(place))
    }

    /// Where the operation stands that brought document data with this hash first.
    pub(crate) async fn document(&self, hash: &Hash) -> Result<Option<Place>, sqlx::Error> {
        let query = sqlx::query_as("SELECT height, position FROM documents WHERE hash = ?");
        let row: Option<(i64, i64)> = query.bind(hash.0.as_slice()).fetch_optional(&self.pool).await?;
        Ok(row.map(place))
    }

    /// Where the newest `limit` decisions about a DID stand, newest first.
    pub(crate) async fn decisions(&self, did: &Hash, limit: usize) -> Result<Vec<Place>, sqlx::Error> {
        let query = sqlx::query_as(
            "SELECT height, position FROM decisions WHERE subject = ? \
             ORDER BY height DESC, position DESC LIMIT ?",
        );
        let rows: Vec<(i64, i64)> = query
            .bind(did.0.as_slice())
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(&self.pool)
            .await?;
        Ok(rows.into_iter().map(place).collect())
    }

    /// The newest `limit` operations of a DID up to `last` (a version), newest first.
    pub(crate) async fn versions(
        &self,
        did: &Hash,
        last: u64,
        limit: usize,
    ) -> Result<Vec<Version>, sqlx::Error> {
        let query = sqlx::query_as(
            "SELECT hash, height, position, time, version FROM operations \
             WHERE did = ? AND version <= ? ORDER BY version DESC LIMIT ?",
        );
        let rows: Vec<OperationRow> = query
            .bind(did.0.as_slice())
            .bind(signed(last))
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(&self.pool)
            .await?;
        Ok(rows.into_iter().map(version).collect())
    }

    /// The operation of a DID that a time (Unix seconds) falls under: the last one not after it.
    pub(crate) async fn version_at(&self, did: &Hash, time: u64) -> Result<Option<Version>, sqlx::Error> {
        let query = sqlx::query_as(
            "SELECT hash, height, position, time, version FROM operations \
             WHERE did = ? AND time <= ? ORDER BY version DESC LIMIT 1",
        );
        let row: Option<OperationRow> = query
            .bind(did.0.as_slice())
            .bind(signed(time))
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.map(version))
    }

    /// One operation of a DID, by its version.
    pub(crate) async fn version(&self, did: &Hash, number: u64) -> Result<Option<Version>, sqlx::Error> {
        let newest = self.versions(did, number, 1).await?;
        Ok(newest.into_iter().find(|version| version.number == number))
    }
}

fn place((height, position): (i64, i64)) -> Place {
    Place {
        height: unsigned(height),
        position: usize::try_from(position).unwrap_or(usize::MAX),
    }
}

fn version((hash, height, position, time, number): OperationRow) -> Version {
    let operation = Hash(hash.try_into().unwrap_or_default());
    Version {
        number: unsigned(number),
        operation,
        time: unsigned(time),
        place: place((height, position)),
    }
}

/// SQLite's integers are signed; heights, times and versions are far below 2^63.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
