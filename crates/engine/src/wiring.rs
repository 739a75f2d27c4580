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
    actors::{Links, MAILBOX, SYNC_BATCH, marshal, prune_config, sync_config},
    application::{BlockLimits, Ledger},
    applied::Applied,
    block::EngineBlock,
    committees::Committees,
    config::{EngineConfig, Identity},
    directory::{Directory, Followed, Followers},
    epochs::epoch_blocks,
    gossip,
    keys::RECORD_LIMITS,
    pacing::Paced,
    pool::Pool,
    record::EpochRecord,
    schemes::Schemes,
    service::Service,
    state::{self, Operation, StateSet},
};
use commonware_codec::FixedSize as _;
use commonware_consensus::{
    Reporters,
    marshal::{
        self as delivery,
        core::Mailbox as MarshalMailbox,
        standard::{Deferred, Standard},
    },
    simplex::scheme::bls12381_threshold::standard,
    types::FixedEpocher,
};
use commonware_cryptography::{
    Signer as _,
    bls12381::primitives::{group::Share, variant::MinSig},
    ed25519::{PrivateKey, PublicKey},
    sha256::Digest,
};
use commonware_glue::{
    dkg::{self, network::Manager, orchestrator, probe, reshare},
    stateful::{
        Config as StatefulConfig, Mailbox as StatefulMailbox, Stateful, SyncPlan,
        db::{DatabaseSet, p2p as state_sync},
    },
};
use commonware_p2p::{Blocker, Receiver, Sender, max_message_size};
use commonware_parallel::Sequential;
use commonware_runtime::{
    Clock, Handle, Metrics, Network, Spawner, Storage,
    buffer::paged::{CacheRef, page_size},
};
use commonware_storage::mmr;
use commonware_utils::NZUsize;
use rand_core::CryptoRng;
use realdid_ledger::Charter;
use std::{
    num::{NonZeroU64, NonZeroUsize},
    sync::Arc,
    time::Duration,
};
use tokio::sync::{mpsc, watch};

/// What the engine asks of a runtime.
pub(crate) trait Runtime: Spawner + Clock + CryptoRng + Storage + Metrics + Network {}
impl<T: Spawner + Clock + CryptoRng + Storage + Metrics + Network> Runtime for T {}

/// Threshold signatures: 48 bytes in G1, key of 96 bytes in G2.
pub(crate) type Scheme = standard::Scheme<PublicKey, MinSig>;

/// The delivery of final blocks.
pub(crate) type Marshal = MarshalMailbox<Scheme, Standard<EngineBlock>>;

/// The actor that owns the state.
pub(crate) type StateMailbox<E> = StatefulMailbox<E, Ledger>;

type Paths<S, R> = (S, R);

/// Tells who waits for it that the state can be read.
type Opened<E> = watch::Sender<Option<Service<E>>>;

/// Partitions of a node's stores start with this.
pub(crate) const PREFIX: &str = "ledger";

/// Pages the stores keep in memory, 16 MiB together, and those of the state, 64 MiB: so much and no
/// more, however large the state. The engine reads past the operating system's cache.
const CACHED_PAGES: NonZeroUsize = NZUsize!(4_096);
const CACHED_STATE_PAGES: NonZeroUsize = NZUsize!(16_384);

/// The channels between validators, one sender and receiver each.
pub(crate) struct Channels<S, R> {
    pub(crate) votes: Paths<S, R>,
    pub(crate) certificates: Paths<S, R>,
    pub(crate) resolver: Paths<S, R>,
    pub(crate) backfill: Paths<S, R>,
    pub(crate) broadcast: Paths<S, R>,
    pub(crate) state_sync: Paths<S, R>,
    pub(crate) operations: Paths<S, R>,
    pub(crate) dealings: Paths<S, R>,
    pub(crate) probe: Paths<S, R>,
}

impl<S, R> Channels<S, R> {
    /// The channels in the order of their numbers, 0 to 8.
    pub(crate) fn register(mut register: impl FnMut(u64) -> Paths<S, R>) -> Self {
        Self {
            votes: register(0),
            certificates: register(1),
            resolver: register(2),
            backfill: register(3),
            broadcast: register(4),
            state_sync: register(5),
            operations: register(6),
            dealings: register(7),
            probe: register(8),
        }
    }
}

/// Messages a second that a peer may send on each channel, at once too. Queues have room for so many
/// from every peer that may be known, and take memory for it. Above it, reading from the peer waits.
pub(crate) const RATES: [u32; 9] = {
    // A few votes and certificates for each block, of which there are some dozens a second; blocks
    // that were missed; operations, many in a message.
    let (voting, blocks, operations) = (256, 256, 256);
    let (fetching, dealings, probe) = (64, 64, 16);
    [
        voting, voting, fetching, blocks, fetching, fetching, operations, dealings, probe,
    ]
};

/// Length of the longest message validators send each other.
pub(crate) fn longest_message() -> u32 {
    let validators = RECORD_LIMITS.0.get();
    max_message_size(&[
        orchestrator::max_payload_size::<Scheme, Digest>(validators),
        delivery::max_payload_size::<Standard<EngineBlock>, Scheme>(validators, &()),
        dkg::max_payload_size::<MinSig, PublicKey>(RECORD_LIMITS.0),
        probe::max_payload_size::<Standard<EngineBlock>, Scheme>(validators, &()),
        state_sync::max_payload_size::<mmr::Family, Digest>(SYNC_BATCH, Operation::SIZE),
        gossip::MAX_MESSAGE,
    ])
}

/// What a validator brings to the wiring.
pub(crate) struct Setup {
    /// Partitions of all its stores start with this.
    pub(crate) prefix: String,
    pub(crate) charter: Charter,
    /// The consensus namespace.
    pub(crate) namespace: Vec<u8>,
    /// The record of epoch 0.
    pub(crate) genesis: EpochRecord,
    pub(crate) epoch_blocks: NonZeroU64,
    pub(crate) link_key: PrivateKey,
    /// This validator's share at genesis, if it is one of the first.
    pub(crate) share: Option<Share>,
    pub(crate) schemes: Schemes,
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
        identity: Identity,
        (pool, applied): (Arc<Pool>, Arc<Applied>),
        outbox: mpsc::Receiver<Vec<u8>>,
    ) -> Self {
        Self {
            prefix: PREFIX.to_owned(),
            charter: config.charter.clone(),
            schemes: Schemes::new(&identity.namespace),
            namespace: identity.namespace,
            genesis: identity.genesis,
            epoch_blocks: epoch_blocks(&config.charter),
            link_key: identity.link_key,
            share: identity.share,
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

    /// What checks the certificates of every epoch.
    pub(crate) fn verifier(&self) -> Scheme {
        Scheme::certificate_verifier(&self.namespace, *self.genesis.output.public().public())
    }
}

/// A running validator.
pub(crate) struct Running<E: Runtime> {
    #[allow(dead_code, reason = "simulations look at it")]
    pub(crate) marshal: Marshal,
    #[allow(dead_code, reason = "simulations look at it")]
    pub(crate) state: StateMailbox<E>,
    /// What reads blocks and state.
    pub(crate) service: Service<E>,
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
    P: Manager<PublicKey = PublicKey, Directory = Directory>,
    B: Blocker<PublicKey = PublicKey>,
    S: Sender<PublicKey = PublicKey>,
    R: Receiver<PublicKey = PublicKey>,
{
    let page_cache = CacheRef::new(const { page_size(4_096) }, CACHED_PAGES);
    let state_cache = CacheRef::new(const { page_size(4_096) }, CACHED_STATE_PAGES);
    let target = <StateSet<E> as DatabaseSet<E>>::initial_sync_targets();
    let genesis = EngineBlock::genesis(setup.charter.hash().0, &target, setup.genesis.clone());
    let plan = SyncPlan::init(context.child("plan"), format!("{}-sync", setup.prefix)).await;
    let (links, committees, opened) = links(context, &setup, peers, blocker);

    let resolver = links.backfill(context, channels.backfill);
    let (broadcast, buffer) = links.broadcast(context);
    let (marshal_actor, marshal, floor) = marshal(context, &setup, &genesis, &plan, &page_cache).await;
    let (serve_state, state_source) = links.state_sync(context);
    let (stateful, state) = Stateful::new(
        context.child("stateful"),
        StatefulConfig {
            application: ledger(&setup, &genesis),
            db_config: state::config(&setup.prefix, state_cache),
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
    let provided = (committees.clone(), page_cache.clone());
    let (ceremony, records, gate) = links.ceremony(context, &setup, &marshal, provided).await;
    let recorded = reshare::Application::new(state.clone(), records.clone(), setup.epoch_blocks);
    let paced = Paced::new(recorded, setup.pool.clone(), setup.heartbeat);
    let epocher = FixedEpocher::new(setup.epoch_blocks);
    let deferred = Deferred::new(context.child("deferred"), paced, marshal.clone(), epocher);
    let (orchestrator, epochs) = links.orchestrator(context, &setup, &marshal, deferred, (gate, page_cache));
    let (probe, answers) = links.probe(context, &setup);
    answers.attach(marshal.clone());
    let reporters = Reporters::from((state.clone(), Reporters::from((epochs, records))));
    let mut actors = vec![
        broadcast.start(channels.broadcast),
        marshal_actor.start(reporters, buffer, resolver),
        serve_state.start(channels.state_sync),
        stateful.start(),
        ceremony.start(channels.dealings),
        probe.start(channels.probe),
    ];
    let parts = (marshal.clone(), setup.applied.clone());
    let service = open(parts, &state, (committees, setup.epoch_blocks), &opened).await;
    actors.push(orchestrator.start(channels.votes, channels.certificates, channels.resolver));
    let shared = (setup.charter, setup.pool);
    actors.extend(operations(context, shared, setup.outbox, channels.operations));
    Running {
        marshal,
        state,
        service,
        actors,
    }
}

/// How the actors reach the others, and who those are: the committees read a state that is not open yet.
fn links<E: Runtime, P, B>(
    context: &E,
    setup: &Setup,
    peers: P,
    blocker: B,
) -> (Links<Followed<P>, B>, Committees<E>, Opened<E>) {
    let followers = Followers::default();
    let (opened, state) = watch::channel(None);
    let committees = Committees::new(
        context.child("committees"),
        &setup.charter,
        state,
        followers.clone(),
    );
    let links = Links {
        me: setup.link_key.public_key(),
        peers: Followed { peers, followers },
        blocker,
    };
    (links, committees, opened)
}

/// Opens the state for readers. Who may follow is known then, before the first peers are told.
async fn open<E: Runtime>(
    (marshal, applied): (Marshal, Arc<Applied>),
    state: &StateMailbox<E>,
    (mut committees, epoch_blocks): (Committees<E>, NonZeroU64),
    opened: &Opened<E>,
) -> Service<E> {
    let databases = state.subscribe_databases().await;
    let service = Service::open(marshal, databases, applied.clone()).await;
    opened.send_replace(Some(service.clone()));
    let height = applied.height();
    if height > 0 {
        committees.open(height / epoch_blocks).await;
    }
    service
}

/// Hands operations on and takes those of others.
fn operations<E, S, R>(
    context: &E,
    (charter, pool): (Charter, Arc<Pool>),
    outbox: mpsc::Receiver<Vec<u8>>,
    (sender, receiver): Paths<S, R>,
) -> [Handle<()>; 2]
where
    E: Runtime,
    S: Sender<PublicKey = PublicKey>,
    R: Receiver<PublicKey = PublicKey>,
{
    [
        gossip::send(context.child("operations_out"), outbox, sender),
        gossip::receive(context.child("operations_in"), charter, pool, receiver),
    ]
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
