//! Hands operations to the other validators, so that the next leader has them.
//!
//! A message holds one or several operations, each after its length in two bytes, big-endian: as many as
//! wait, up to [`MAX_MESSAGE`] bytes. Under load that is many, and sealing a message costs as much as a
//! signature.

use crate::{
    pool::{Origin, Pool},
    wiring::Runtime,
};
use commonware_cryptography::ed25519::PublicKey;
use commonware_p2p::{Receiver, Recipients, Sender};
use commonware_runtime::{Handle, IoBuf, reschedule};
use realdid_ledger::{Charter, MAX_OPERATION_BYTES, check};
use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::sync::mpsc;

/// Operations that wait to be handed on. When full, they are left to this node's own blocks.
pub(crate) const OUTBOX: usize = 4_096;

const SECOND: Duration = Duration::from_secs(1);

/// Most bytes of a message.
pub(crate) const MAX_MESSAGE: usize = 64 << 10;

const _: () = assert!(MAX_OPERATION_BYTES <= u16::MAX as usize && MAX_OPERATION_BYTES + 2 <= MAX_MESSAGE);

/// Operations of a peer that are checked in a second, in the long run and at once. It is some times what the
/// network orders, and a part of what a processor checks.
const CHECKS_PER_SECOND: u32 = 4_096;

/// Peers whose budgets are kept: more than a network has validators, of two committees and those that follow.
const MAX_BUDGETS: usize = 256;

/// How many more operations of each peer are checked for now: a peer that hands on what anybody can find on the
/// ledger, again and again, is not to keep this node busy.
#[derive(Default)]
struct Budgets(HashMap<PublicKey, Budget>);

#[derive(Clone, Copy)]
struct Budget {
    left: u32,
    filled: SystemTime,
}

impl Budgets {
    /// Takes one operation off a peer's budget; `false` if none is left.
    fn allow(&mut self, peer: &PublicKey, now: SystemTime) -> bool {
        if self.0.len() >= MAX_BUDGETS && !self.0.contains_key(peer) {
            // Whoever is forgotten begins with a full budget.
            self.0.clear();
        }
        let full = Budget {
            left: CHECKS_PER_SECOND,
            filled: now,
        };
        let budget = self.0.entry(peer.clone()).or_insert(full);
        // A clock that was set back begins a new second.
        if !now
            .duration_since(budget.filled)
            .is_ok_and(|since| since < SECOND)
        {
            *budget = full;
        }
        let allowed = budget.left > 0;
        budget.left -= u32::from(allowed);
        allowed
    }
}

/// Adds an operation to a message.
fn append(message: &mut Vec<u8>, operation: &[u8]) {
    // No longer ones get here: see the assertion above.
    let length = u16::try_from(operation.len()).unwrap_or(0);
    message.extend_from_slice(&length.to_be_bytes());
    message.extend_from_slice(operation);
}

/// The operations of a message, up to the first that is cut short.
fn operations(mut message: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = message.split_first_chunk()?;
        let (operation, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
        message = rest;
        Some(operation)
    })
}

/// Sends every operation this node admitted to all peers, once.
pub(crate) fn send<E: Runtime>(
    context: E,
    mut outbox: mpsc::Receiver<Vec<u8>>,
    mut sender: impl Sender<PublicKey = PublicKey>,
) -> Handle<()> {
    context.spawn(move |_| async move {
        while let Some(operation) = outbox.recv().await {
            let mut message = Vec::new();
            append(&mut message, &operation);
            while message.len() + 2 + MAX_OPERATION_BYTES <= MAX_MESSAGE
                && let Ok(operation) = outbox.try_recv()
            {
                append(&mut message, &operation);
            }
            sender.send(Recipients::All, IoBuf::from(message), false);
        }
        // The engine's handles are gone; the other actors decide when to stop.
        std::future::pending::<()>().await;
    })
}

/// Takes operations from peers into the pool, checked as if a stranger had sent them.
pub(crate) fn receive<E: Runtime>(
    context: E,
    charter: Charter,
    pool: Arc<Pool>,
    mut receiver: impl Receiver<PublicKey = PublicKey>,
) -> Handle<()> {
    let charter_hash = charter.hash();
    context.spawn(move |context| async move {
        let mut budgets = Budgets::default();
        while let Ok((peer, message)) = receiver.recv().await {
            let message: Vec<u8> = message.into();
            for operation in operations(&message) {
                // Known already or no room: nothing is owed to a peer, not even a check.
                if pool.would_take(operation, Origin::Peer).is_err() {
                    continue;
                }
                // The peer keeps what it hands on, and proposes it itself.
                if !budgets.allow(&peer, context.current()) {
                    break;
                }
                // A peer hands on what it has checked itself: behind one that does not hold, nothing is
                // worth a look, and garbage costs no more than one check a message.
                let Ok(operation) = check(&charter, &charter_hash, operation) else {
                    break;
                };
                let _ = pool.insert(operation, Origin::Peer);
                // Many checks take long; the other actors must get their turn.
                reschedule().await;
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use commonware_cryptography::{Signer as _, ed25519::PrivateKey};

    #[test]
    fn a_peer_has_so_many_checks_a_second() {
        let peer = |seed| PrivateKey::from_seed(seed).public_key();
        let mut budgets = Budgets::default();
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(9);
        let allowed = (0..2 * CHECKS_PER_SECOND)
            .filter(|_| budgets.allow(&peer(1), now))
            .count();
        assert_eq!(allowed, CHECKS_PER_SECOND as usize);
        assert!(budgets.allow(&peer(2), now), "another peer has its own");
        assert!(!budgets.allow(&peer(1), now + SECOND / 2));
        assert!(budgets.allow(&peer(1), now + SECOND));
        assert!(
            budgets.allow(&peer(1), SystemTime::UNIX_EPOCH),
            "a clock that was set back"
        );
        for seed in 0..1_000 {
            budgets.allow(&peer(seed), now);
        }
        assert!(budgets.0.len() <= MAX_BUDGETS);
    }

    #[test]
    fn a_message_gives_back_its_operations_and_nothing_of_a_broken_one() {
        let mut message = Vec::new();
        let sent = [vec![1; 3], vec![2; MAX_OPERATION_BYTES], vec![3]];
        sent.iter().for_each(|operation| append(&mut message, operation));
        assert_eq!(operations(&message).collect::<Vec<_>>(), sent);
        assert_eq!(operations(&message[..message.len() - 1]).count(), 2);
        assert_eq!(operations(&[0]).count(), 0);
    }
}
