//! The engine's actors one by one, with the numbers they run by.
//!
//! The numbers are chosen for a node that is idle most of the time: archives that keep nothing in
//! memory per block and preallocate about a megabyte, and few, small files per view.

use crate::{
    block::EngineBlock,
    directory::Directory,
    state::{Operation, StateDb},
    wiring::{Marshal, Runtime, Scheme, Setup},
};
use commonware_broadcast::buffered;
use commonware_consensus::{
    marshal::{
        self,
        core::{Actor as MarshalActor, Floor},
        resolver::{handler, p2p as backfill},
        standard::Standard,
    },
    simplex::types::Finalization,
    types::{Epoch, FixedEpocher, ViewDelta},
};
use commonware_cryptography::{
    Digested, Digestible as _, certificate::ConstantProvider, ed25519::PublicKey, sha256::Digest,
};
use commonware_glue::{
    dkg::network::Manager,
    stateful::{
        PruneConfig, SyncPlan,
        db::{SyncEngineConfig, p2p as state_sync},
    },
};
use commonware_p2p::{Blocker, Receiver, Sender};
use commonware_parallel::Sequential;
use commonware_runtime::buffer::paged::CacheRef;
use commonware_storage::{archive::immutable, mmr};
use commonware_utils::{NZDuration, NZU64, NZUsize};
use std::{
    num::{NonZeroU64, NonZeroUsize},
    sync::Arc,
    time::Duration,
};

/// Messages an actor queues.
pub(crate) const MAILBOX: NonZeroUsize = NZUsize!(1_024);

/// Writes of the state that one message of state sync carries.
pub(crate) const SYNC_BATCH: NonZeroU64 = NZU64!(256);

/// Views whose votes and candidates are kept behind the newest final one.
pub(crate) const VIEW_RETENTION: ViewDelta = ViewDelta::new(32);

pub(crate) const WRITE_BUFFER: NonZeroUsize = NZUsize!(64 << 10);
pub(crate) const REPLAY_BUFFER: NonZeroUsize = NZUsize!(1 << 20);
pub(crate) const FETCH_TIMEOUT: Duration = Duration::from_secs(2);
pub(crate) const FETCH_RETRY: Duration = Duration::from_millis(250);

/// Candidate blocks kept per peer.
const BROADCAST_DEQUE: usize = 16;

type Certificates<E> = immutable::Archive<E, Digest, Finalization<Scheme, Digest>>;
type Blocks<E> = immutable::Archive<E, Digest, Arc<EngineBlock>>;
/// The network key checks the certificates of all epochs.
type CertificateProvider = ConstantProvider<Scheme, Epoch>;
type Delivery<E> = MarshalActor<
    E,
    Standard<EngineBlock>,
    CertificateProvider,
    Certificates<E>,
    Blocks<E>,
    FixedEpocher,
    Sequential,
>;
type Broadcast<E, P> = buffered::Engine<E, PublicKey, EngineBlock, P, Sequential>;
type StateServer<E, P, B> = state_sync::Actor<E, PublicKey, P, B, mmr::Family, StateDb<E>>;
type StateSource<E> = state_sync::Mailbox<StateDb<E>, mmr::Family, Operation, Digest>;
type Plans<E> = SyncPlan<E, Scheme, Standard<EngineBlock>>;

/// How an actor reaches the other validators.
pub(crate) struct Links<P, B> {
    pub(crate) me: PublicKey,
    pub(crate) peers: P,
    pub(crate) blocker: B,
}

impl<P, B> Links<P, B>
where
    P: Manager<PublicKey = PublicKey, Directory = Directory>,
    B: Blocker<PublicKey = PublicKey>,
{
    /// Fetches blocks and certificates this node missed.
    pub(crate) fn backfill<E: Runtime>(
        &self,
        context: &E,
        channel: (
            impl Sender<PublicKey = PublicKey>,
            impl Receiver<PublicKey = PublicKey>,
        ),
    ) -> (handler::Receiver<Digest>, backfill::Mailbox<Digest, PublicKey>) {
        let config = backfill::Config {
            public_key: self.me.clone(),
            peer_provider: self.peers.clone(),
            blocker: self.blocker.clone(),
            mailbox_size: MAILBOX,
            fetch_timeout: NZDuration!(FETCH_TIMEOUT),
            fetch_retry_delay: FETCH_RETRY,
            priority_requests: false,
            priority_responses: false,
        };
        backfill::init(context.child("backfill"), config, channel)
    }

    /// Spreads candidate blocks.
    pub(crate) fn broadcast<E: Runtime>(
        &self,
        context: &E,
    ) -> (Broadcast<E, P>, buffered::Mailbox<PublicKey, EngineBlock>) {
        let config = buffered::Config {
            public_key: self.me.clone(),
            mailbox_size: MAILBOX,
            deque_size: BROADCAST_DEQUE,
            priority: false,
            codec_config: (),
            peer_provider: self.peers.clone(),
            strategy: Sequential,
        };
        buffered::Engine::new(context.child("broadcast"), config)
    }

    /// Serves the state's writes to nodes that sync.
    pub(crate) fn state_sync<E: Runtime>(&self, context: &E) -> (StateServer<E, P, B>, StateSource<E>) {
        let config = state_sync::Config {
            peer_provider: self.peers.clone(),
            blocker: self.blocker.clone(),
            database: None,
            mailbox_size: MAILBOX,
            me: Some(self.me.clone()),
            fetch_timeout: NZDuration!(FETCH_TIMEOUT),
            fetch_retry_delay: FETCH_RETRY,
            max_serve_ops: SYNC_BATCH,
            priority_requests: false,
            priority_responses: false,
        };
        state_sync::Actor::new(context.child("state_sync"), config)
    }
}

/// Orders final blocks and keeps them.
pub(crate) async fn marshal<E: Runtime>(
    context: &E,
    setup: &Setup,
    genesis: &EngineBlock,
    plan: &Plans<E>,
    page_cache: &CacheRef,
) -> (Delivery<E>, Marshal, Floor) {
    let certificates = Certificates::init(
        context.child("certificates"),
        archive_config(&setup.prefix, "certificates", 1 << 20, page_cache),
    );
    let certificates = certificates.await.expect("the archive of certificates opens");
    let blocks = Blocks::init(
        context.child("blocks"),
        archive_config(&setup.prefix, "blocks", 64 << 20, page_cache),
    );
    let blocks = blocks.await.expect("the archive of blocks opens");
    let genesis = Digested::precomputed(genesis.clone(), genesis.digest());
    let config = marshal::Config {
        provider: CertificateProvider::new(setup.verifier()),
        epocher: FixedEpocher::new(setup.epoch_blocks),
        start: plan.marshal_start(genesis),
        partition_prefix: setup.prefix.clone(),
        mailbox_size: MAILBOX,
        view_retention: VIEW_RETENTION,
        prunable_items_per_section: NZU64!(64),
        page_cache: page_cache.clone(),
        replay_buffer: REPLAY_BUFFER,
        key_write_buffer: WRITE_BUFFER,
        value_write_buffer: WRITE_BUFFER,
        block_codec_config: (),
        max_repair: NZUsize!(32),
        max_pending_acks: NZUsize!(16),
        strategy: Sequential,
    };
    MarshalActor::init(context.child("marshal"), certificates, blocks, config).await
}

/// An archive that grows without taking memory per entry. Its table starts with about 1 MB.
fn archive_config(
    prefix: &str,
    name: &str,
    section_bytes: u64,
    page_cache: &CacheRef,
) -> immutable::Config<()> {
    immutable::Config {
        metadata_partition: format!("{prefix}-{name}-metadata"),
        freezer_table_partition: format!("{prefix}-{name}-table"),
        freezer_table_initial_size: 16_384,
        freezer_table_resize_frequency: 4,
        freezer_table_resize_chunk_size: 16_384,
        freezer_key_partition: format!("{prefix}-{name}-keys"),
        freezer_key_page_cache: page_cache.clone(),
        freezer_value_partition: format!("{prefix}-{name}-values"),
        freezer_value_target_size: section_bytes,
        freezer_value_compression: None,
        ordinal_partition: format!("{prefix}-{name}-heights"),
        items_per_section: NZU64!(16_384),
        freezer_key_write_buffer: WRITE_BUFFER,
        freezer_value_write_buffer: WRITE_BUFFER,
        ordinal_write_buffer: WRITE_BUFFER,
        replay_buffer: REPLAY_BUFFER,
        codec_config: (),
    }
}

/// Blocks whose writes stay in the state's log, for nodes that sync from this one.
const RETAINED_STATES: usize = 1_024;

/// Pruning: the state's superseded writes go. Blocks and certificates stay, because their archives
/// do not prune; their number here bounds only what the engine keeps in memory.
pub(crate) const fn prune_config() -> PruneConfig {
    PruneConfig {
        maintenance_interval: NZUsize!(256),
        retained_marshal_blocks: RETAINED_STATES,
        retained_qmdb_blocks: RETAINED_STATES,
    }
}

/// How a node that syncs the state asks for it.
pub(crate) const fn sync_config() -> SyncEngineConfig {
    SyncEngineConfig {
        fetch_batch_size: SYNC_BATCH,
        apply_batch_size: NZU64!(4_096),
        max_outstanding_requests: NZUsize!(8),
    }
}
