//! What was received here and is not final yet, and who waits for it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use realdid_crypto::Hash;
use tokio::sync::watch;

/// Most operations remembered; the pool holds fewer.
const MAX_PENDING: usize = 100_000;
/// After so long an operation that never became final is forgotten, if room is needed.
const FORGET_AFTER: Duration = Duration::from_secs(600);

#[derive(Debug)]
struct Waiting {
    since: Instant,
    height: watch::Sender<Option<u64>>,
}

/// Operations received and not final.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    operations: Mutex<HashMap<Hash, Waiting>>,
}

impl Pending {
    /// Notes that an operation was received.
    pub(crate) fn received(&self, hash: Hash) {
        let mut operations = self.operations();
        if operations.len() >= MAX_PENDING {
            operations.retain(|_, waiting| waiting.since.elapsed() < FORGET_AFTER);
        }
        if operations.len() < MAX_PENDING {
            let new = || Waiting {
                since: Instant::now(),
                height: watch::Sender::new(None),
            };
            operations.entry(hash).or_insert_with(new);
        }
    }

    /// Whether an operation was received and is not final.
    pub(crate) fn knows(&self, hash: &Hash) -> bool {
        self.operations().contains_key(hash)
    }

    /// Forgets an operation that the engine refused.
    pub(crate) fn refused(&self, hash: &Hash) {
        self.operations().remove(hash);
    }

    /// Tells those who wait that an operation is final and indexed; returns how long it took since
    /// it was received here.
    pub(crate) fn finalized(&self, hash: &Hash, height: u64) -> Option<Duration> {
        let waiting = self.operations().remove(hash)?;
        waiting.height.send_replace(Some(height));
        Some(waiting.since.elapsed())
    }

    /// Waits for an operation to become final and indexed, at most so long; its block's height. An
    /// operation that is not known here is not told about: then it waits in vain.
    pub(crate) async fn wait(&self, hash: &Hash, limit: Duration) -> Option<u64> {
        let height = self
            .operations()
            .get(hash)
            .map(|waiting| waiting.height.subscribe());
        let Some(mut height) = height else {
            tokio::time::sleep(limit).await;
            return None;
        };
        let reached = tokio::time::timeout(limit, height.wait_for(Option::is_some)).await;
        reached.ok()?.ok().and_then(|height| *height)
    }

    fn operations(&self) -> MutexGuard<'_, HashMap<Hash, Waiting>> {
        self.operations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn those_who_wait_are_told_once_it_is_final() {
        let pending = std::sync::Arc::new(Pending::default());
        let hash = Hash([1; 32]);
        assert_eq!(pending.wait(&hash, Duration::from_millis(1)).await, None);
        pending.received(hash);
        assert_eq!(pending.wait(&hash, Duration::from_millis(1)).await, None);
        let waiting = {
            let pending = pending.clone();
            tokio::spawn(async move { pending.wait(&hash, Duration::from_secs(9)).await })
        };
        tokio::task::yield_now().await;
        assert!(pending.finalized(&hash, 7).is_some());
        assert_eq!(waiting.await.unwrap(), Some(7));
        assert!(!pending.knows(&hash));
    }
}
