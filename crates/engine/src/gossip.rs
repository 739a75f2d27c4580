//! Hands operations to the other validators, so that the next leader has them.

use crate::{
    pool::{Origin, Pool},
    wiring::Runtime,
};
use commonware_cryptography::ed25519::PublicKey;
use commonware_p2p::{Receiver, Recipients, Sender};
use commonware_runtime::{Handle, IoBuf};
use realdid_ledger::{Charter, check};
use std::sync::Arc;
use tokio::sync::mpsc;

/// Operations that wait to be handed on. When full, they are left to this node's own blocks.
pub(crate) const OUTBOX: usize = 4_096;

/// Sends every operation this node admitted to all peers, once.
pub(crate) fn send<E: Runtime>(
    context: E,
    mut outbox: mpsc::Receiver<Vec<u8>>,
    mut sender: impl Sender<PublicKey = PublicKey>,
) -> Handle<()> {
    context.spawn(move |_| async move {
        while let Some(operation) = outbox.recv().await {
            sender.send(Recipients::All, IoBuf::from(operation), false);
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
            let operation: Vec<u8> = message.into();
            if let Ok(operation) = check(&charter, &charter_hash, &operation) {
                // Known already or no room: nothing is owed to a peer.
                let _ = pool.insert(operation, Origin::Peer);
            }
        }
    })
}
