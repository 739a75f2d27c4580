//! What the index lists and counts, for people who look around.

use realdid_crypto::Hash;

use super::{Index, Place, place, signed, unsigned};

impl Index {
    /// Decisions of the consortium before a height, newest first.
    pub(crate) async fn governance(&self, before: u64, limit: u32) -> Result<Vec<Place>, sqlx::Error> {
        let query = sqlx::query_as(
            "SELECT height, position FROM governance WHERE height < ? ORDER BY height DESC, position DESC LIMIT ?",
        );
        let rows: Vec<(i64, i64)> = query
            .bind(signed(before))
            .bind(limit)
            .fetch_all(&self.pool)
            .await?;
        Ok(rows.into_iter().map(place).collect())
    }

    /// Identifier hashes of all DIDs that the consortium decided about, in the order of the first decision.
    pub(crate) async fn decided_about(&self, limit: u32) -> Result<Vec<Hash>, sqlx::Error> {
        let query =
            sqlx::query_as("SELECT subject FROM decisions GROUP BY subject ORDER BY MIN(height) LIMIT ?");
        let rows: Vec<(Vec<u8>,)> = query.bind(limit).fetch_all(&self.pool).await?;
        Ok(rows.into_iter().map(|(hash,)| hash_of(hash)).collect())
    }

    /// An authority's epoch keys, the newest epoch first: epoch, identifier, height.
    pub(crate) async fn epoch_keys(
        &self,
        authority: &Hash,
        limit: u32,
    ) -> Result<Vec<(u64, Hash, u64)>, sqlx::Error> {
        let query = sqlx::query_as(
            "SELECT epoch, id, height FROM epoch_keys WHERE authority = ? ORDER BY epoch DESC, id LIMIT ?",
        );
        let rows: Vec<(i64, Vec<u8>, i64)> = query
            .bind(authority.0.as_slice())
            .bind(limit)
            .fetch_all(&self.pool)
            .await?;
        let row = |(epoch, id, height)| (unsigned(epoch), hash_of(id), unsigned(height));
        Ok(rows.into_iter().map(row).collect())
    }

    /// How many operations of each kind there have been.
    pub(crate) async fn counts(&self) -> Result<Vec<(String, u64)>, sqlx::Error> {
        let query = sqlx::query_as("SELECT kind, operations FROM counts ORDER BY kind");
        let rows: Vec<(String, i64)> = query.fetch_all(&self.pool).await?;
        Ok(rows
            .into_iter()
            .map(|(kind, count)| (kind, unsigned(count)))
            .collect())
    }

    /// How many operations each hour had (Unix time / 3600), from one on; hours without any are left out.
    pub(crate) async fn hours(&self, from: u64) -> Result<Vec<(u64, u64)>, sqlx::Error> {
        let query = sqlx::query_as("SELECT hour, operations FROM hours WHERE hour >= ? ORDER BY hour");
        let rows: Vec<(i64, i64)> = query.bind(signed(from)).fetch_all(&self.pool).await?;
        let row = |(hour, count)| (unsigned(hour), unsigned(count));
        Ok(rows.into_iter().map(row).collect())
    }
}

fn hash_of(bytes: Vec<u8>) -> Hash {
    Hash(bytes.try_into().unwrap_or_default())
}
