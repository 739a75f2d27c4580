//! Puts the engine's actors together. One function for every runtime and network, so that the
//! simulator runs what production runs.
//!
//! # When a block is durable
//!
//! Simplex finalizes a proposal; marshal then buffers block and certificate into its two archives
//! and starts one sync of both. Only when that sync has completed does it hand the block to the
//! state's actor (`Update::Block`, gated by marshal's `DispatchGate`; `Update::Tip` comes earlier
//! and promises nothing). The state's actor applies the block and calls
//! [`Ledger::finalized`](crate::application::Ledger), which is where this engine first reports it.
//! So whatever is reported survives `kill -9`: the block is in the archive, and the state, synced a
//! moment later, is replayed from it if need be.
//!
//! The certificate of that very height may be missing after a crash between the two archives'
//! syncs, or because the block was finalized through a descendant. Then
//! [`finality proofs`](crate::service) go through the descendant's certificate, and wait until
//! there is one.

use crate::{
    actors::{EPOCH_LENGTH, Links, MAILBOX, SYNC_BATCH, marshal, prune_config, simplex_config, sync_config},
    application::{BlockLimits, Ledger},
    applied::Applied,
    block::EngineBlock,
    config::EngineConfig,
    gossip,
    pacing::Paced,
    pool::Pool,
    state::{self, Operation, StateSet},
};
use commonware_codec::FixedSize as _;
use commonware_consensus::{
    marshal::{
        self as delivery,
        core::Mailbox as MarshalMailbox,
        standard::{Deferred, Standard},
    },
    simplex::{self, scheme::bls12381_threshold::standard},
    types::FixedEpocher,
};
use commonware_cryptography::{
    Digestible as _, bls12381::primitives::variant::MinSig, ed25519::PublicKey, sha256::Digest,
};
use commonware_glue::stateful::{
    Config as StatefulConfig, Mailbox as StatefulMailbox, Stateful, SyncPlan,
    db::{DatabaseSet, p2p as state_sync},
};
use commonware_p2p::{Blocker, Provider, Receiver, Sender, max_message_size};
use commonware_parallel::Sequential;
use commonware_runtime::{
    Clock, Handle, Metrics, Spawner, Storage,
    buffer::paged::{CacheRef, page_size},
};
use commonware_storage::mmr;
use commonware_utils::NZUsize;
use rand_core::CryptoRng;
use realdid_ledger::Charter;
use std::{num::NonZeroUsize, sync::Arc, time::Duration};
use tokio::sync::mpsc;

/// What the engine asks of a runtime.
pub(crate) trait Runtime: Spawner + Clock + CryptoRng + Storage + Metrics {}
impl<T: Spawner + Clock + CryptoRng + Storage + Metrics> Runtime for T {}

/// Threshold signatures: 48 bytes in G1, key of 96 bytes in G2.
pub(crate) type Scheme = standard::Scheme<PublicKey, MinSig>;

/// The delivery of final blocks.
pub(crate) type Marshal = MarshalMailbox<Scheme, Standard<EngineBlock>>;

/// The actor that owns the state.
pub(crate) type StateMailbox<E> = StatefulMailbox<E, Ledger>;

type Paths<S, R> = (S, R);

/// Bytes of a page of the stores on disk.
pub(crate) const PAGE_BYTES: usize = 4_096;

/// Pages the stores keep in memory, 16 MiB together.
const CACHED_PAGES: NonZeroUsize = NZUsize!(4_096);

/// The channels between validators, one sender and receiver each.
pub(crate) struct Channels<S, R> {
    pub(crate) votes: Paths<S, R>,
    pub(crate) certificates: Paths<S, R>,
    pub(crate) resolver: Paths<S, R>,
    pub(crate) backfill: Paths<S, R>,
    pub(crate) broadcast: Paths<S, R>,
    pub(crate) state_sync: Paths<S, R>,
    pub(crate) operations: Paths<S, R>,
}

impl<S, R> Channels<S, R> {
    /// The channels in the order of their numbers, 0 to 6.
    pub(crate) fn register(mut register: impl FnMut(u64) -> Paths<S, R>) -> Self {
        Self {
            votes: register(0),
            certificates: register(1),
            resolver: register(2),
            backfill: register(3),
            broadcast: register(4),
            state_sync: register(5),
            operations: register(6),
        }
    }
}

/// Length of the longest message validators send each other.
pub(crate) fn longest_message(validators: u32) -> u32 {
    max_message_size(&[
        simplex::max_payload_size::<Scheme, Digest>(validators),
        delivery::max_payload_size::<Standard<EngineBlock>, Scheme>(validators, &()),
        state_sync::max_payload_size::<mmr::Family, Digest>(SYNC_BATCH, Operation::SIZE),
        gossip::MAX_MESSAGE,
    ])
}

/// What a validator brings to the wiring.
pub(crate) struct Setup {
    /// Partitions of all its stores start with this.
    pub(crate) prefix: String,
    pub(crate) charter: Charter,
    pub(crate) scheme: Scheme,
    pub(crate) public_key: PublicKey,
    pub(crate) heartbeat: Duration,
    pub(crate) leader_slack: Duration,
    pub(crate) limits: BlockLimits,
    pub(crate) pool: Arc<Pool>,
    pub(crate) applied: Arc<Applied>,
    pub(crate) outbox: mpsc::Receiver<Vec<u8>>,
}

impl Setup {
    pub(crate) fn new(
        config: &EngineConfig,
        scheme: Scheme,
        public_key: PublicKey,
        (pool, applied): (Arc<Pool>, Arc<Applied>),
        outbox: mpsc::Receiver<Vec<u8>>,
    ) -> Self {
        Self {
            prefix: "ledger".to_owned(),
            charter: config.charter.clone(),
            scheme,
            public_key,
            heartbeat: config.heartbeat,
            leader_slack: config.leader_slack,
            limits: BlockLimits {
                operations: config.max_block_operations,
                bytes: config.max_block_bytes,
            },
            pool,
            applied,
            outbox,
        }
    }
}

/// A running validator.
pub(crate) struct Running<E: Runtime> {
    pub(crate) marshal: Marshal,
    pub(crate) state: StateMailbox<E>,
    /// The actors. When one ends, the validator has failed.
    pub(crate) actors: Vec<Handle<()>>,
}

/// Starts a validator's actors.
pub(crate) async fn start<E, P, B, S, R>(
    context: &E,
    setup: Setup,
    peers: P,
    blocker: B,
    channels: Channels<S, R>,
) -> Running<E>
where
    E: Runtime,
    P: Provider<PublicKey = PublicKey>,
    B: Blocker<PublicKey = PublicKey>,
    S: Sender<PublicKey = PublicKey>,
    R: Receiver<PublicKey = PublicKey>,
{
    let page_cache = CacheRef::new(const { page_size(4_096) }, CACHED_PAGES);
    let target = <StateSet<E> as DatabaseSet<E>>::initial_sync_targets();
    let genesis = EngineBlock::genesis(setup.charter.hash().0, &target);
    let plan = SyncPlan::init(context.child("plan"), format!("{}-sync", setup.prefix)).await;
    let links = Links {
        me: setup.public_key.clone(),
        peers,
        blocker,
    };

    let resolver = links.backfill(context, channels.backfill);
    let (broadcast, buffer) = links.broadcast(context);
    let (marshal_actor, marshal, floor) = marshal(context, &setup, &genesis, &plan, &page_cache).await;
    let (serve_state, state_source) = links.state_sync(context);
    let (stateful, state) = Stateful::new(
        context.child("stateful"),
        StatefulConfig {
            application: ledger(&setup, &genesis),
            db_config: state::config(&setup.prefix, page_cache.clone()),
            provider: (),
            marshal: (marshal.clone(), floor),
            mailbox_size: MAILBOX,
            plan,
            resolvers: state_source,
            sync_config: sync_config(),
            prune_config: Some(prune_config()),
            strategy: Sequential,
        },
    );
    let paced = Paced::new(state.clone(), setup.pool.clone(), setup.heartbeat);
    let epocher = FixedEpocher::new(EPOCH_LENGTH);
    let deferred = Deferred::new(context.child("deferred"), paced, marshal.clone(), epocher);
    let simplex = simplex::Engine::new(
        context.child("simplex"),
        simplex_config(&setup, deferred, links.blocker, genesis.digest(), page_cache),
    );
    let actors = vec![
        broadcast.start(channels.broadcast),
        marshal_actor.start(state.clone(), buffer, resolver),
        serve_state.start(channels.state_sync),
        stateful.start(),
        simplex.start(channels.votes, channels.certificates, channels.resolver),
        gossip::send(
            context.child("operations_out"),
            setup.outbox,
            channels.operations.0,
        ),
        gossip::receive(
            context.child("operations_in"),
            setup.charter,
            setup.pool,
            channels.operations.1,
        ),
    ];
    Running {
        marshal,
        state,
        actors,
    }
}

fn ledger(setup: &Setup, genesis: &EngineBlock) -> Ledger {
    let (pool, applied) = (setup.pool.clone(), setup.applied.clone());
    Ledger::new(
        setup.charter.clone(),
        genesis.clone(),
        pool,
        applied,
        setup.limits,
    )
}
