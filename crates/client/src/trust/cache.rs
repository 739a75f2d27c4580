//! Answers that are kept while they are fresh; many who ask for the same lead to one question.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Mutex as AsyncMutex;

use crate::ClientError;

/// For how long a failure is told to others who ask the same.
const FAILURE_KEPT: Duration = Duration::from_secs(1);

/// What is known under one key.
#[derive(Debug)]
enum Known<V> {
    Nothing,
    Answer(Arc<V>),
    Failure(ClientError, Instant),
}

#[derive(Debug)]
struct Slot<V> {
    known: Arc<AsyncMutex<Known<V>>>,
    used: u64,
}

#[derive(Debug)]
struct Slots<K, V> {
    slots: HashMap<K, Slot<V>>,
    uses: u64,
}

/// At most a fixed number of answers; the one not asked for the longest goes first.
#[derive(Debug)]
pub(super) struct Cache<K, V> {
    most: usize,
    slots: Mutex<Slots<K, V>>,
}

impl<K: Copy + Eq + Hash, V> Cache<K, V> {
    pub(super) fn new(most: usize) -> Self {
        let slots = Slots {
            slots: HashMap::new(),
            uses: 0,
        };
        Self {
            most,
            slots: Mutex::new(slots),
        }
    }

    /// What is kept under `key` if it is `fresh`, else what `ask` gives.
    pub(super) async fn get<F: Future<Output = Result<V, ClientError>>>(
        &self,
        key: K,
        fresh: impl Fn(&V) -> bool,
        ask: impl FnOnce() -> F,
    ) -> Result<Arc<V>, ClientError> {
        let slot = self.slot(key);
        // Held while asking: whoever asks the same meanwhile waits for this answer.
        let mut known = slot.lock().await;
        match &*known {
            Known::Answer(answer) if fresh(answer) => return Ok(answer.clone()),
            Known::Failure(error, since) if since.elapsed() < FAILURE_KEPT => return Err(error.clone()),
            _ => {}
        }
        match ask().await {
            Ok(answer) => {
                let answer = Arc::new(answer);
                *known = Known::Answer(answer.clone());
                Ok(answer)
            }
            Err(error) => {
                *known = Known::Failure(error.clone(), Instant::now());
                Err(error)
            }
        }
    }

    /// Keeps nothing any more; whoever waits for an answer still gets it.
    pub(super) fn forget(&self) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.slots.clear();
    }

    fn slot(&self, key: K) -> Arc<AsyncMutex<Known<V>>> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.uses += 1;
        let used = slots.uses;
        if !slots.slots.contains_key(&key) && slots.slots.len() >= self.most {
            let oldest = slots.slots.iter().min_by_key(|(_, slot)| slot.used);
            let oldest = oldest.map(|(key, _)| *key);
            oldest.map(|key| slots.slots.remove(&key));
        }
        let slot = slots.slots.entry(key).or_insert_with(|| Slot {
            known: Arc::new(AsyncMutex::new(Known::Nothing)),
            used,
        });
        slot.used = used;
        slot.known.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    async fn ask(cache: &Cache<u8, u64>, key: u8, asked: &AtomicUsize, at_least: u64) -> u64 {
        let found = cache.get(
            key,
            |value| *value >= at_least,
            || async {
                tokio::time::sleep(Duration::from_millis(5)).await;
                asked.fetch_add(1, Ordering::Relaxed);
                Ok(at_least)
            },
        );
        *found.await.unwrap()
    }

    #[tokio::test]
    async fn many_at_once_ask_once_and_an_old_answer_is_asked_anew() {
        let (cache, asked) = (Cache::new(8), AtomicUsize::new(0));
        let mut joined = tokio::task::JoinSet::new();
        let shared = Arc::new((cache, asked));
        for _ in 0..50 {
            let shared = shared.clone();
            joined.spawn(async move { ask(&shared.0, 1, &shared.1, 10).await });
        }
        while let Some(found) = joined.join_next().await {
            assert_eq!(found.unwrap(), 10);
        }
        let (cache, asked) = &*shared;
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        assert_eq!(ask(cache, 1, asked, 9).await, 10, "younger than needed");
        assert_eq!(ask(cache, 1, asked, 11).await, 11);
        assert_eq!(asked.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn no_more_is_kept_than_allowed_and_the_least_used_goes() {
        let (cache, asked) = (Cache::new(2), AtomicUsize::new(0));
        for key in [1, 2, 1, 3, 1] {
            ask(&cache, key, &asked, 10).await;
        }
        assert_eq!(asked.load(Ordering::Relaxed), 3, "1 was kept");
        assert_eq!(cache.slots.lock().unwrap().slots.len(), 2);
        ask(&cache, 2, &asked, 10).await;
        assert_eq!(asked.load(Ordering::Relaxed), 4, "2 was not");
    }

    #[tokio::test]
    async fn a_failure_is_told_for_a_moment() {
        let cache: Cache<u8, u64> = Cache::new(2);
        let unreachable = || async { Err(ClientError::Unreachable("no connection".into())) };
        assert!(cache.get(1, |_| true, unreachable).await.is_err());
        let again = cache.get(1, |_| true, || async { Ok(1) }).await;
        assert!(again.is_err(), "within the second nobody is asked");
        tokio::time::sleep(FAILURE_KEPT).await;
        assert_eq!(cache.get(1, |_| true, || async { Ok(1) }).await, Ok(Arc::new(1)));
    }

    /// Whoever gives up while asking leaves the place to others.
    #[tokio::test]
    async fn a_question_that_was_given_up_is_asked_by_the_next() {
        let cache: Cache<u8, u64> = Cache::new(2);
        let never = cache.get(1, |_| true, std::future::pending);
        assert!(
            tokio::time::timeout(Duration::from_millis(10), never)
                .await
                .is_err()
        );
        assert_eq!(cache.get(1, |_| true, || async { Ok(7) }).await, Ok(Arc::new(7)));
    }
}
