//! The pool: operations that were received and wait to be ordered.
//!
//! Bounded by count and bytes. An operation leaves the pool when a block with it is final, or when
//! a proposer finds that it cannot be executed. Being in the pool promises nothing.

use crate::{block::content_hash, error::PoolRefusal};
use realdid_ledger::CheckedOperation;
use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;

/// SHA-256 of an operation's bytes: how the pool names it.
pub(crate) type Content = [u8; 32];

/// Hashes of final operations that are remembered to refuse late copies.
const REMEMBERED_FINAL: usize = 65_536;

/// Refusals that are remembered to answer for.
const REMEMBERED_REFUSED: usize = 4_096;

/// Who brought an operation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Origin {
    /// This node's own admission, which checked it.
    Local,
    /// Another validator. Such operations may fill half of the pool.
    Peer,
}

/// One waiting operation.
struct Waiting {
    operation: Arc<CheckedOperation>,
    content: Content,
    origin: Origin,
    /// Height of the block it was put into, while that block is not final.
    proposed_at: Option<u64>,
}

#[derive(Default)]
struct State {
    waiting: BTreeMap<u64, Waiting>,
    by_content: HashMap<Content, u64>,
    next: u64,
    bytes: usize,
    from_peers: usize,
    finalized: Remembered<()>,
    refused: Remembered<&'static str>,
}

/// Operations waiting to be ordered.
pub(crate) struct Pool {
    state: Mutex<State>,
    changed: Notify,
    max_count: usize,
    max_bytes: usize,
}

impl Pool {
    pub(crate) fn new(max_count: usize, max_bytes: usize) -> Self {
        Self {
            state: Mutex::new(State {
                finalized: Remembered::new(REMEMBERED_FINAL),
                refused: Remembered::new(REMEMBERED_REFUSED),
                ..State::default()
            }),
            changed: Notify::new(),
            max_count,
            max_bytes,
        }
    }

    /// What [`insert`](Self::insert) would say to these bytes, if they held: asked before they are checked,
    /// which costs more.
    pub(crate) fn would_take(&self, operation: &[u8], origin: Origin) -> Result<(), PoolRefusal> {
        let content = content_hash(operation);
        self.admits(&self.state(), &content, operation.len(), origin)
    }

    fn admits(
        &self,
        state: &State,
        content: &Content,
        len: usize,
        origin: Origin,
    ) -> Result<(), PoolRefusal> {
        if state.by_content.contains_key(content) || state.finalized.get(content).is_some() {
            return Err(PoolRefusal::Duplicate);
        }
        let peers_full = origin == Origin::Peer && state.from_peers >= self.max_count / 2;
        if peers_full || state.waiting.len() >= self.max_count || state.bytes + len > self.max_bytes {
            return Err(PoolRefusal::Full);
        }
        Ok(())
    }

    /// Adds an operation.
    pub(crate) fn insert(&self, operation: CheckedOperation, origin: Origin) -> Result<(), PoolRefusal> {
        let content = content_hash(operation.bytes());
        let len = operation.bytes().len();
        let mut state = self.state();
        self.admits(&state, &content, len, origin)?;
        let place = state.next;
        state.next += 1;
        state.bytes += len;
        state.from_peers += usize::from(origin == Origin::Peer);
        state.by_content.insert(content, place);
        state.refused.remove(&operation.hash().0);
        state.waiting.insert(
            place,
            Waiting {
                operation: Arc::new(operation),
                content,
                origin,
                proposed_at: None,
            },
        );
        drop(state);
        self.changed.notify_waiters();
        Ok(())
    }

    /// The oldest operations that are not in `except`, within the limits of a block.
    pub(crate) fn oldest(
        &self,
        max_count: usize,
        max_bytes: usize,
        except: &HashSet<Content>,
    ) -> Vec<(Content, Arc<CheckedOperation>)> {
        let state = self.state();
        let mut total = 0;
        state
            .waiting
            .values()
            .filter(|waiting| !except.contains(&waiting.content))
            .take(max_count)
            .take_while(|waiting| {
                total += waiting.operation.bytes().len();
                total <= max_bytes
            })
            .map(|waiting| (waiting.content, waiting.operation.clone()))
            .collect()
    }

    /// A waiting operation: it was checked when it came in, so its block need not do it again.
    pub(crate) fn get(&self, content: &Content) -> Option<Arc<CheckedOperation>> {
        self.state()
            .find(content)
            .map(|waiting| waiting.operation.clone())
    }

    /// Notes that operations are in a block of this height that is not final yet.
    pub(crate) fn proposed(&self, height: u64, contents: impl IntoIterator<Item = Content>) {
        let mut state = self.state();
        for content in contents {
            if let Some(waiting) = state.find(&content) {
                waiting.proposed_at = Some(height);
            }
        }
    }

    /// Drops an operation that cannot be executed and remembers why.
    pub(crate) fn refuse(&self, content: &Content, code: &'static str) {
        let mut state = self.state();
        if let Some(waiting) = state.take(content) {
            state.refused.insert(waiting.operation.hash().0, code);
        }
    }

    /// Why the operation of this name was dropped, if that is still remembered.
    pub(crate) fn refusal(&self, name: &[u8; 32]) -> Option<&'static str> {
        self.state().refused.get(name).copied()
    }

    /// Notes that the block of this height is final: its operations leave, those of another block
    /// of that height wait again.
    pub(crate) fn finalized(&self, height: u64, contents: impl IntoIterator<Item = Content>) {
        let mut state = self.state();
        for content in contents {
            state.take(&content);
            state.finalized.insert(content, ());
        }
        let mut again = false;
        for waiting in state.waiting.values_mut() {
            if waiting.proposed_at.is_some_and(|at| at <= height) {
                waiting.proposed_at = None;
                again = true;
            }
        }
        drop(state);
        if again {
            self.changed.notify_waiters();
        }
    }

    /// Waits until an operation is there that is in no block yet. May be cancelled at any time.
    pub(crate) async fn ready(&self) {
        loop {
            // Registered before the check, so that no change between the two is missed.
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            if self.has_unproposed() {
                return;
            }
            changed.await;
        }
    }

    fn has_unproposed(&self) -> bool {
        let state = self.state();
        let mut waiting = state.waiting.values();
        waiting.any(|waiting| waiting.proposed_at.is_none())
    }

    /// Number of waiting operations and their bytes.
    pub(crate) fn size(&self) -> (usize, usize) {
        let state = self.state();
        (state.waiting.len(), state.bytes)
    }

    /// The state stays consistent between statements, so a panic elsewhere does not spoil it.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn find(&mut self, content: &Content) -> Option<&mut Waiting> {
        let place = self.by_content.get(content)?;
        self.waiting.get_mut(place)
    }

    fn take(&mut self, content: &Content) -> Option<Waiting> {
        let place = self.by_content.remove(content)?;
        let waiting = self.waiting.remove(&place)?;
        self.bytes -= waiting.operation.bytes().len();
        self.from_peers -= usize::from(waiting.origin == Origin::Peer);
        Some(waiting)
    }
}

/// A map that forgets its oldest entries.
struct Remembered<V> {
    entries: HashMap<[u8; 32], V>,
    order: VecDeque<[u8; 32]>,
    capacity: usize,
}

impl<V> Default for Remembered<V> {
    fn default() -> Self {
        Self::new(0)
    }
}

impl<V> Remembered<V> {
    fn new(capacity: usize) -> Self {
        Self {
            entries: HashMap::new(),
            order: VecDeque::new(),
            capacity,
        }
    }

    fn insert(&mut self, key: [u8; 32], value: V) {
        if self.entries.insert(key, value).is_none() {
            self.order.push_back(key);
        }
        while self.order.len() > self.capacity {
            if let Some(oldest) = self.order.pop_front() {
                self.entries.remove(&oldest);
            }
        }
    }

    fn get(&self, key: &[u8; 32]) -> Option<&V> {
        self.entries.get(key)
    }

    fn remove(&mut self, key: &[u8; 32]) {
        if self.entries.remove(key).is_some() {
            self.order.retain(|kept| kept != key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::world;

    fn operation(seat: u16) -> CheckedOperation {
        world(1, 70).publish(seat).0
    }

    fn content(seat: u16) -> Content {
        content_hash(operation(seat).bytes())
    }

    fn insert(pool: &Pool, seat: u16, origin: Origin) -> Result<(), PoolRefusal> {
        pool.insert(operation(seat), origin)
    }

    #[test]
    fn bounds_and_duplicates() {
        let pool = Pool::new(4, 1 << 20);
        let would_take = |seat| pool.would_take(operation(seat).bytes(), Origin::Peer);
        assert_eq!(would_take(1), Ok(()));
        assert_eq!(insert(&pool, 1, Origin::Local), Ok(()));
        assert_eq!(insert(&pool, 1, Origin::Local), Err(PoolRefusal::Duplicate));
        assert_eq!(would_take(1), Err(PoolRefusal::Duplicate));
        assert_eq!(insert(&pool, 2, Origin::Peer), Ok(()));
        assert_eq!(insert(&pool, 3, Origin::Peer), Ok(()));
        assert_eq!(insert(&pool, 4, Origin::Peer), Err(PoolRefusal::Full));
        assert_eq!(would_take(4), Err(PoolRefusal::Full));
        assert_eq!(insert(&pool, 4, Origin::Local), Ok(()));
        assert_eq!(insert(&pool, 5, Origin::Local), Err(PoolRefusal::Full));
        let (count, bytes) = pool.size();
        assert_eq!(count, 4);
        let small = Pool::new(4, bytes / 4);
        assert_eq!(insert(&small, 1, Origin::Local), Ok(()));
        assert_eq!(insert(&small, 2, Origin::Local), Err(PoolRefusal::Full));
        assert_eq!(small.oldest(4, 10, &HashSet::new()), Vec::new());
    }

    #[test]
    fn a_block_that_loses_gives_its_operations_back() {
        let pool = Pool::new(4, 1 << 20);
        insert(&pool, 1, Origin::Local).expect("room");
        insert(&pool, 2, Origin::Local).expect("room");
        pool.proposed(7, [content(1), content(2)]);
        assert!(!pool.has_unproposed());
        pool.finalized(7, [content(1)]);
        assert!(pool.has_unproposed());
        assert_eq!(insert(&pool, 1, Origin::Local), Err(PoolRefusal::Duplicate));
        let all = pool.oldest(10, 1 << 20, &HashSet::new());
        assert_eq!(all, vec![(content(2), Arc::new(operation(2)))]);
        assert!(pool.oldest(10, 1 << 20, &HashSet::from([content(2)])).is_empty());
    }

    #[test]
    fn a_refusal_is_remembered_until_the_operation_comes_again() {
        let pool = Pool::new(4, 1 << 20);
        insert(&pool, 1, Origin::Local).expect("room");
        pool.refuse(&content(1), "stale");
        let name = operation(1).hash();
        assert_eq!(pool.refusal(name.as_bytes()), Some("stale"));
        assert_eq!(pool.size(), (0, 0));
        insert(&pool, 1, Origin::Local).expect("room");
        assert_eq!(pool.refusal(name.as_bytes()), None);
    }
}
