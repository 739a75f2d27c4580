//! Who gets shares of the network key in which epoch, and where they are reached: as the ledger has it.
//!
//! All nodes must give the same answer about an epoch, at whatever height they are asked, or they do
//! not agree on the block that says it. So the answer is taken from a final state that no further
//! decision can be about: the one after the last block in which the epoch could be decided
//! ([`COMMITTEE_NOTICE`]) or any later one. A node that is asked before it has that state waits for it;
//! the blocks up to it are final by then.

use crate::{
    directory::{Directory, Followers},
    error::EngineError,
    service::Service,
    wiring::Runtime,
};
use commonware_codec::{Copying, DecodeExt as _};
use commonware_consensus::types::Epoch;
use commonware_cryptography::ed25519::PublicKey;
use commonware_glue::dkg::ParticipantsProvider;
use commonware_utils::ordered::Set;
use realdid_ledger::{COMMITTEE_NOTICE, Charter, KnownValidator, Record, Schedule, StateKey, state_key};
use std::{sync::Arc, time::Duration};
use tokio::sync::watch;
use tracing::warn;

/// How often a state that is not far enough is looked at again.
const AGAIN: Duration = Duration::from_millis(20);

/// The committees of a network.
pub(crate) struct Committees<E: Runtime> {
    context: Arc<E>,
    epoch_blocks: u64,
    /// Most validators of a committee, and most followers.
    largest: usize,
    /// What reads the state, once it is open.
    state: watch::Receiver<Option<Service<E>>>,
    followers: Followers,
}

impl<E: Runtime> Clone for Committees<E> {
    fn clone(&self) -> Self {
        Self {
            context: self.context.clone(),
            epoch_blocks: self.epoch_blocks,
            largest: self.largest,
            state: self.state.clone(),
            followers: self.followers.clone(),
        }
    }
}

impl<E: Runtime> Committees<E> {
    pub(crate) fn new(
        context: E,
        charter: &Charter,
        state: watch::Receiver<Option<Service<E>>>,
        followers: Followers,
    ) -> Self {
        Self {
            context: Arc::new(context),
            epoch_blocks: charter.committees.epoch_blocks,
            largest: usize::from(charter.committees.max_validators),
            state,
            followers,
        }
    }

    /// The lowest height from whose state on the answer about an epoch is certain: the last block of
    /// the last epoch in which it could be decided. Block 1 brings the charter's own committee.
    fn settled(&self, epoch: u64) -> u64 {
        let decided = epoch.saturating_sub(COMMITTEE_NOTICE - 1);
        let first_after = decided.saturating_mul(self.epoch_blocks);
        first_after.saturating_sub(1).max(1)
    }

    /// Records of a final state that is certain about an epoch.
    ///
    /// # Panics
    ///
    /// If the store failed: a validator that cannot read its state must not judge blocks.
    async fn read(&mut self, epoch: u64, keys: &[StateKey]) -> Vec<Option<Record>> {
        // The sender is kept as long as the actors run.
        let Ok(service) = self
            .state
            .wait_for(Option::is_some)
            .await
            .map(|found| found.clone())
        else {
            return std::future::pending().await;
        };
        let Some(service) = service else {
            return std::future::pending().await;
        };
        loop {
            match service.read(&self.context, keys).await {
                Ok(found) if found.height >= self.settled(epoch) => {
                    let records = found
                        .values
                        .iter()
                        .map(|value| Record::decode(value.as_ref()?).ok());
                    return records.collect();
                }
                Ok(_) | Err(EngineError::NotReady) => self.context.sleep(AGAIN).await,
                Err(error) => panic!("the state's store failed: {error}"),
            }
        }
    }

    async fn schedule(&mut self, epoch: u64) -> Schedule {
        match self.read(epoch, &[state_key::schedule()]).await.pop() {
            Some(Some(Record::Schedule(schedule))) => schedule,
            _ => unreachable!("the state has the committees from block 1 on"),
        }
    }

    /// The validators with these indices.
    async fn known(&mut self, epoch: u64, indices: &[u16]) -> Vec<(PublicKey, KnownValidator)> {
        let keys: Vec<_> = indices
            .iter()
            .map(|index| state_key::validator_index(*index))
            .collect();
        let link_keys = self
            .read(epoch, &keys)
            .await
            .into_iter()
            .filter_map(|record| match record {
                Some(Record::ValidatorIndex(key)) => Some(state_key::validator(&key)),
                _ => None,
            });
        let places: Vec<_> = link_keys.collect();
        let found = self.read(epoch, &places).await.into_iter();
        found.filter_map(|record| by_key(record?)).collect()
    }

    /// Notes who may follow: the validators that became known last and are in no committee of an epoch.
    async fn note_followers(&mut self, epoch: u64, participants: &Set<PublicKey>) {
        let known = self.schedule(epoch).await.known;
        let newest: Vec<u16> = (0..known).rev().take(4 * self.largest).collect();
        let found = self.known(epoch, &newest).await.into_iter();
        let followers = found
            .filter(|(key, _)| participants.position(key).is_none())
            .map(|(key, known)| (key, known.address_in(epoch).to_owned()));
        self.followers.set(followers.take(self.largest).collect());
    }

    /// Notes who may follow at the start, when no block asks for the next epoch.
    pub(crate) async fn open(&mut self, epoch: u64) {
        self.note_followers(epoch, &Set::default()).await;
    }
}

/// A validator by its key. The ledger takes none whose key is malformed; the charter's own are checked
/// at the start.
fn by_key(record: Record) -> Option<(PublicKey, KnownValidator)> {
    let Record::Validator(known) = record else {
        return None;
    };
    let key = PublicKey::decode(Copying(&known.link_key.0)).ok()?;
    Some((key, *known))
}

impl<E: Runtime> ParticipantsProvider for Committees<E> {
    type PublicKey = PublicKey;
    type Directory = Directory;

    async fn participants(&mut self, epoch: Epoch) -> Set<PublicKey> {
        let epoch = epoch.get();
        let members = self.schedule(epoch).await.members_in(epoch).to_vec();
        let known = self.known(epoch, &members).await;
        Set::from_iter_dedup(known.into_iter().map(|(key, _)| key))
    }

    async fn directory(&mut self, epoch: Epoch, peers: Set<PublicKey>) -> Directory {
        let epoch = epoch.get();
        let places: Vec<_> = peers
            .iter()
            .map(|key| state_key::validator(&link_key(key)))
            .collect();
        let found = self.read(epoch, &places).await.into_iter();
        let known: Vec<_> = found.filter_map(|record| by_key(record?)).collect();
        if known.len() != peers.len() {
            warn!(epoch, "a validator of this epoch is not in the ledger");
        }
        self.note_followers(epoch, &peers).await;
        Directory::new(known.into_iter().map(|(key, known)| {
            let address = known.address_in(epoch).to_owned();
            (key, address)
        }))
    }
}

fn link_key(key: &PublicKey) -> realdid_crypto::Hash {
    realdid_crypto::Hash(crate::block::key_bytes(key))
}
