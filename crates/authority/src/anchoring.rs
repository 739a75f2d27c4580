//! Closing an epoch: how many tokens a key signed, anchored on the ledger, then forgotten.

use realdid_crypto::{Hash, base64url_decode, hash_labelled};
use sqlx::Row as _;

use crate::database::number;
use crate::error::Refusal;
use crate::rules::Authority;

/// What is anchored about a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Issuance {
    /// The key's identifier.
    pub key_id: Hash,
    /// Merkle root over the blinded values, [`Hash::ZERO`] if there are none.
    pub root: Hash,
    /// How many blinded values were paid for.
    pub count: u64,
}

impl Authority {
    /// Notes that the ledger shows a key.
    ///
    /// # Errors
    /// [`Refusal::Database`].
    pub async fn note_epoch_key(&self, epoch: u64, key_id: &Hash) -> Result<(), Refusal> {
        sqlx::query("INSERT INTO epoch_keys (epoch, key_id, anchored) VALUES ($1, $2, 0) ON CONFLICT (epoch) DO NOTHING")
            .bind(number(epoch))
            .bind(key_id.to_hex())
            .execute(self.database.pool())
            .await?;
        Ok(())
    }

    /// What is still to be anchored about the keys of epochs before this one.
    ///
    /// # Errors
    /// [`Refusal::Database`].
    pub async fn ended_issuances(&self, before: u64) -> Result<Vec<Issuance>, Refusal> {
        let rows =
            sqlx::query("SELECT key_id FROM epoch_keys WHERE epoch < $1 AND anchored = 0 ORDER BY epoch")
                .bind(number(before))
                .fetch_all(self.database.pool())
                .await?;
        let mut issuances = Vec::with_capacity(rows.len());
        for row in rows {
            let key_id: String = row.try_get("key_id")?;
            let leaves = self.leaves(&key_id).await?;
            let key_id = Hash::from_hex(&key_id).unwrap_or_default();
            issuances.push(Issuance {
                key_id,
                count: leaves.len() as u64,
                root: merkle_root(leaves),
            });
        }
        Ok(issuances)
    }

    /// Notes that a key's issuance is anchored and forgets the blinded values: without the private
    /// key, which is destroyed, they serve nobody.
    ///
    /// # Errors
    /// [`Refusal::Database`].
    pub async fn forget_issuance(&self, key_id: &Hash) -> Result<(), Refusal> {
        let key_id = key_id.to_hex();
        let mut transaction = self.database.begin().await?;
        sqlx::query("UPDATE epoch_keys SET anchored = 1 WHERE key_id = $1")
            .bind(&key_id)
            .execute(&mut *transaction)
            .await?;
        sqlx::query("DELETE FROM blinded_values WHERE key_id = $1")
            .bind(&key_id)
            .execute(&mut *transaction)
            .await?;
        Ok(transaction.commit().await?)
    }

    /// The leaves in their own order, which says nothing about persons or times.
    async fn leaves(&self, key_id: &str) -> Result<Vec<Hash>, Refusal> {
        let rows = sqlx::query("SELECT blinded FROM blinded_values WHERE key_id = $1")
            .bind(key_id)
            .fetch_all(self.database.pool())
            .await?;
        let mut leaves = Vec::with_capacity(rows.len());
        for row in rows {
            let blinded = base64url_decode(row.try_get("blinded")?).unwrap_or_default();
            leaves.push(hash_labelled("realdid/issuance-leaf/v1", &[&blinded]));
        }
        leaves.sort_unstable();
        Ok(leaves)
    }
}

/// Pairs are hashed until one is left; one without a neighbour moves up as it is.
fn merkle_root(mut level: Vec<Hash>) -> Hash {
    while level.len() > 1 {
        let pair = |pair: &[Hash]| match pair {
            [left, right] => hash_labelled("realdid/issuance-node/v1", &[left.as_bytes(), right.as_bytes()]),
            _ => pair[0],
        };
        level = level.chunks(2).map(pair).collect();
    }
    level.first().copied().unwrap_or(Hash::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_depends_on_every_leaf() {
        let leaves: Vec<Hash> = (0..5).map(|leaf| Hash([leaf; 32])).collect();
        let root = merkle_root(leaves.clone());
        for changed in 0..5 {
            let mut other = leaves.clone();
            other[changed] = Hash([9; 32]);
            assert_ne!(merkle_root(other), root);
        }
        assert_eq!(merkle_root(vec![leaves[1]]), leaves[1]);
        assert_eq!(merkle_root(Vec::new()), Hash::ZERO);
    }
}
