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
use std::sync::Arc;
use tokio::sync::mpsc;

/// Operations that wait to be handed on. When full, they are left to this node's own blocks.
pub(crate) const OUTBOX: usize = 4_096;

/// Most bytes of a message.
pub(crate) const MAX_MESSAGE: usize = 64 << 10;

const _: () = assert!(MAX_OPERATION_BYTES <= u16::MAX as usize && MAX_OPERATION_BYTES + 2 <= MAX_MESSAGE);

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
    context.spawn(move |_| async move {
        while let Ok((_, message)) = receiver.recv().await {
            let message: Vec<u8> = message.into();
            for operation in operations(&message) {
                // A peer hands on what it has checked itself: behind one that does not hold, nothing is
                // worth a look, and garbage costs no more than one check a message.
                let Ok(operation) = check(&charter, &charter_hash, operation) else {
                    break;
                };
                // Known already or no room: nothing is owed to a peer.
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
