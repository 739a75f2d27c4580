//! Proven state.

use std::sync::atomic::Ordering;
use std::time::{SystemTime, UNIX_EPOCH};

use realdid_crypto::Hash;
use realdid_ledger::{Freshness, PrefixAnswer, ProvenState, StateAnswer, StateKey, state_key};

use crate::http;
use crate::{ClientError, NodeClient};

/// Longest prefix asked for, in bits; 2^32 prefixes are more than a ledger of all mankind has.
const MAX_PREFIX_BITS: u8 = 32;
/// Fewer entries than this in an answer: the next question's prefix is one bit shorter.
const FEW_ENTRIES: usize = 8;

impl NodeClient {
    /// The state under these keys (at most 16), proven, at most `max_age` seconds old and no lower
    /// than any seen before. The node learns the keys.
    ///
    /// # Errors
    /// [`ClientError::NotProven`] if the answer is stale or does not hold.
    pub async fn state(&self, keys: &[StateKey], max_age: u64) -> Result<ProvenState, ClientError> {
        self.of_any(|| self.keys_state(keys, max_age)).await
    }

    async fn keys_state(&self, keys: &[StateKey], max_age: u64) -> Result<ProvenState, ClientError> {
        let query = keys.iter().map(|key| ("key", hex::encode(key))).collect();
        let lowest_height = self.highest_seen();
        let answer: StateAnswer = http::json(self.http.get("/v1/proofs/keys").query(query)).await?;
        let state = answer.verify(&self.anchor, keys, &freshness(max_age, lowest_height))?;
        self.set_highest_seen(state.height());
        Ok(state)
    }

    /// Asks one node after the other for as long as none proves anything: one may have fallen behind,
    /// be broken, or lie.
    async fn of_any<T, F>(&self, ask: impl Fn() -> F) -> Result<T, ClientError>
    where
        F: Future<Output = Result<T, ClientError>>,
    {
        for _ in 1..self.http.nodes() {
            let turn = self.http.turn();
            match ask().await {
                Err(ClientError::NotProven(_) | ClientError::Malformed(_) | ClientError::TooLong(_)) => {
                    self.http.pass_on(turn);
                }
                answer => return answer,
            }
        }
        ask().await
    }

    /// The state under a DID's key and its neighbours', proven as in [`state`](Self::state). The
    /// node learns only a prefix that it gives several entries for, not which DID is meant; the
    /// prefix grows with the ledger.
    ///
    /// # Errors
    /// As [`state`](Self::state).
    pub async fn state_by_prefix(&self, did: &Hash, max_age: u64) -> Result<ProvenState, ClientError> {
        let key = state_key::did(did);
        let mut bits = self.prefix_bits.load(Ordering::Relaxed);
        loop {
            match self.of_any(|| self.prefix_state(&key, bits, max_age)).await {
                Err(error) if error.is_refusal("prefix_too_wide") && bits < MAX_PREFIX_BITS => bits += 1,
                Err(error) => return Err(error),
                Ok((state, entries)) => {
                    let next = if entries < FEW_ENTRIES {
                        bits.saturating_sub(1)
                    } else {
                        bits
                    };
                    self.prefix_bits.store(next, Ordering::Relaxed);
                    return Ok(state);
                }
            }
        }
    }

    /// The state under every key that shares the first `bits` bits, and how many entries it has.
    async fn prefix_state(
        &self,
        key: &StateKey,
        bits: u8,
        max_age: u64,
    ) -> Result<(ProvenState, usize), ClientError> {
        let prefix = prefix_of(key, bits);
        let path = format!("/v1/proofs/prefix/{}?bits={bits}", hex::encode(prefix));
        let lowest_height = self.highest_seen();
        let answer: PrefixAnswer = http::json(self.http.get(&path)).await?;
        let state = answer.verify(&self.anchor, &prefix, bits, &freshness(max_age, lowest_height))?;
        self.set_highest_seen(state.height());
        let entries = state.entries();
        Ok((state, entries))
    }
}

fn freshness(max_age: u64, lowest_height: u64) -> Freshness {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    Freshness {
        now,
        max_age,
        lowest_height,
    }
}

/// The first `bits` bits of a key, zeros behind.
fn prefix_of(key: &StateKey, bits: u8) -> StateKey {
    let mut prefix = [0; 32];
    for (index, byte) in prefix.iter_mut().enumerate() {
        let free = (8 * (index + 1)).saturating_sub(usize::from(bits)).min(8);
        let mask = u8::MAX.checked_shl(u32::try_from(free).unwrap_or(8)).unwrap_or(0);
        *byte = key[index] & mask;
    }
    prefix
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::tests::{answer, node};
    use realdid_ledger::TrustAnchor;

    #[tokio::test]
    async fn when_a_node_proves_nothing_another_one_is_asked() {
        let useless = node(answer("200 OK", "{}"), 1).await;
        let other = node(answer("409 Conflict", r#"{"code":"the_other_one"}"#), 2).await;
        let anchor = TrustAnchor {
            charter_hash: Hash::ZERO,
            network_key: [0; 96],
        };
        let client = NodeClient::new(&format!("{useless},{other}"), anchor).unwrap();
        let answered = client.state(&[[0; 32]], 60).await.unwrap_err();
        assert!(answered.is_refusal("the_other_one"), "{answered}");
        assert_eq!(client.base_url(), other);
    }

    #[test]
    fn a_prefix_keeps_its_bits_only() {
        let key = [0xff; 32];
        assert_eq!(prefix_of(&key, 0), [0; 32]);
        assert_eq!(prefix_of(&key, 3)[..2], [0b1110_0000, 0]);
        assert_eq!(prefix_of(&key, 8)[..2], [0xff, 0]);
        assert_eq!(prefix_of(&key, 12)[..3], [0xff, 0xf0, 0]);
    }
}
