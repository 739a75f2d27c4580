//! The engine as the node sees it: a handle, and a thread that runs the validator.

use crate::{
    applied::Applied,
    config::EngineConfig,
    directory::Peers,
    error::{EngineError, PoolRefusal},
    gossip::OUTBOX,
    pool::{Origin, Pool},
    schemes::{Schemes, Standing},
    service::Request,
    wiring::{self, Channels, RATES, Setup, longest_message},
};
use commonware_cryptography::{ChaCha20Poly1305, ed25519::PrivateKey};
use commonware_p2p::authenticated::lookup::{self, Network};
use commonware_runtime::{Handle, Quota, Runner as _, Supervisor as _, tokio as runtime};
use commonware_stream::{
    SakeCups,
    cups::{self, Cups},
    sake::{self, Sake},
};
use commonware_utils::NZUsize;
use realdid_ledger::{
    Block, CheckedOperation, FinalityProof, Header, MAX_OPERATION_BYTES, PrefixProof, StateKey, StateProof,
    StateValue,
};
use std::{
    num::{NonZeroU32, NonZeroUsize},
    path::Path,
    sync::Arc,
    thread,
    time::Duration,
};
use tokio::sync::{mpsc, oneshot};
use tracing::{error, info};

/// Most keys of one request.
pub const MAX_KEYS: usize = 1_024;

/// Final blocks a subscriber may be behind before the engine waits for it.
const SUBSCRIPTION: usize = 64;

/// Questions that wait for the engine.
const REQUESTS: usize = 1_024;

/// Consensus epochs whose peers this node keeps links to: the one it is in and the one before.
const TRACKED_EPOCHS: NonZeroUsize = NZUsize!(2);

/// Stack of the engine's threads. The actors' futures are nested deeply, and large without
/// optimisation; unused stack costs no memory.
pub(crate) const STACK: usize = 64 << 20;

/// A block that is final and durable: it survives the loss of power from now on.
#[derive(Clone, Debug)]
pub struct FinalizedBlock {
    /// Its header.
    pub header: Header,
    /// Its operations in the order they took effect.
    pub operations: Vec<Vec<u8>>,
    /// What proves that it is final.
    pub finality: FinalityProof,
}

/// Proofs about keys, under one state.
#[derive(Clone, Debug)]
pub struct Proven {
    /// Proof of the header whose state root the proofs lead to: the newest one.
    pub finality: FinalityProof,
    /// One proof per key, in the order asked for.
    pub proofs: Vec<StateProof>,
}

/// Proof about every key of a prefix.
#[derive(Clone, Debug)]
pub struct ProvenPrefix {
    /// Proof of the header whose state root the proof leads to: the newest one.
    pub finality: FinalityProof,
    /// The proof.
    pub proof: PrefixProof,
}

/// Values of the newest final state, without proof: for the node's own decisions.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Height of the block the values are of.
    pub height: u64,
    /// Its time, in Unix milliseconds.
    pub time_ms: u64,
    /// One value per key, in the order asked for.
    pub values: Vec<Option<StateValue>>,
}

/// How the engine is doing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Status {
    /// Height of the newest final block; 0 before the first.
    pub height: u64,
    /// Its time, in Unix milliseconds.
    pub time_ms: u64,
    /// Operations that wait.
    pub pool_operations: usize,
    /// Their bytes.
    pub pool_bytes: usize,
    /// Validators of the newest committee.
    pub validators: usize,
    /// The newest consensus epoch that this node knows.
    pub epoch: u64,
    /// What this node is in it; none while it starts.
    pub standing: Option<Standing>,
    /// Whether the engine's thread has ended.
    pub stopped: bool,
}

/// A handle to a running engine. Clones share it; it may be used from any thread and runtime.
#[derive(Clone)]
pub struct Engine {
    pool: Arc<Pool>,
    applied: Arc<Applied>,
    requests: mpsc::Sender<Request>,
    outbox: mpsc::Sender<Vec<u8>>,
    schemes: Schemes,
    founders: usize,
}

/// Ends the engine. Dropping it does so too, without waiting.
pub struct EngineStopper {
    stop: Option<oneshot::Sender<()>>,
    ended: oneshot::Receiver<()>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Engine {
    /// Starts a validator on a thread of its own and waits until its stores are open.
    ///
    /// # Errors
    ///
    /// [`EngineError::Config`], [`EngineError::Thread`], or [`EngineError::Stopped`] if the
    /// validator failed while it started; the log says why.
    pub async fn start(config: EngineConfig) -> Result<(Self, EngineStopper), EngineError> {
        let identity = config.identity()?;
        make_private(&config.storage_dir)?;
        let pool = Arc::new(Pool::new(config.max_pool_operations, config.max_pool_bytes));
        let applied = Arc::new(Applied::new());
        let (requests, request_queue) = mpsc::channel(REQUESTS);
        let (outbox, outbox_queue) = mpsc::channel(OUTBOX);
        let (stop, stopping) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        let (opened, open) = oneshot::channel();
        let setup = Setup::new(&config, identity, (pool.clone(), applied.clone()), outbox_queue);
        let engine = Self {
            pool,
            applied,
            requests,
            outbox,
            schemes: setup.schemes.clone(),
            founders: config.charter.validators.len(),
        };
        let run = move || {
            // Dropped at the end or by a panic; either way the stopper learns that it is over.
            let _end = end;
            let settings = runtime::Config::new()
                .with_worker_threads(2)
                .with_max_blocking_threads(64)
                .with_thread_stack_size(STACK)
                .with_tcp_nodelay(Some(true))
                .with_storage_directory(&config.storage_dir);
            runtime::Runner::new(settings)
                .start(|context| validate(context, config, setup, request_queue, opened, stopping));
        };
        let thread = thread::Builder::new()
            .name("realdid-engine".to_owned())
            .stack_size(STACK)
            .spawn(run)?;
        open.await.map_err(|_| EngineError::Stopped)?;
        let stopper = EngineStopper {
            stop: Some(stop),
            ended,
            thread: Some(thread),
        };
        Ok((engine, stopper))
    }

    /// Puts an operation into the pool and offers it to the other validators.
    ///
    /// # Errors
    ///
    /// [`PoolRefusal`]. Without an error, nothing is promised but that it waits.
    pub fn submit(&self, operation: CheckedOperation) -> Result<(), PoolRefusal> {
        let len = operation.bytes().len();
        if len == 0 || len > MAX_OPERATION_BYTES {
            return Err(PoolRefusal::Length);
        }
        if self.requests.is_closed() {
            return Err(PoolRefusal::Stopped);
        }
        let bytes = operation.bytes().to_vec();
        self.pool.insert(operation, Origin::Local)?;
        // If the outbox is full, this validator proposes the operation itself.
        let _ = self.outbox.try_send(bytes);
        Ok(())
    }

    /// The ledger's code for dropping an operation that was in the pool, by
    /// [`CheckedOperation::hash`], if a proposer found that it cannot be executed. Remembered for
    /// the newest few thousand.
    #[must_use]
    pub fn refusal(&self, operation_hash: &[u8; 32]) -> Option<&'static str> {
        self.pool.refusal(operation_hash)
    }

    /// Every final block from a height on (at least 1), in order and without gaps: stored ones
    /// first, then each as it becomes final. Ends when the engine does.
    ///
    /// # Errors
    ///
    /// [`EngineError::Stopped`].
    pub async fn subscribe_finalized(
        &self,
        from_height: u64,
    ) -> Result<mpsc::Receiver<Arc<FinalizedBlock>>, EngineError> {
        let (blocks, receiver) = mpsc::channel(SUBSCRIPTION);
        let request = Request::Subscribe(from_height, blocks);
        self.requests
            .send(request)
            .await
            .map_err(|_| EngineError::Stopped)?;
        Ok(receiver)
    }

    /// How the engine is doing. Never waits.
    #[must_use]
    pub fn status(&self) -> Status {
        let (tip, newest) = (self.applied.tip(), self.schemes.newest());
        let (pool_operations, pool_bytes) = self.pool.size();
        Status {
            height: tip.height,
            time_ms: tip.time_ms,
            pool_operations,
            pool_bytes,
            validators: newest.map_or(self.founders, |newest| newest.validators),
            epoch: newest.map_or(0, |newest| newest.epoch),
            standing: newest.map(|newest| newest.standing),
            stopped: self.requests.is_closed(),
        }
    }

    /// The block of a height, genesis included; `None` if it is not there.
    ///
    /// # Errors
    ///
    /// [`EngineError::Stopped`].
    pub async fn block(&self, height: u64) -> Result<Option<Block>, EngineError> {
        self.ask(|reply| Request::Block(height, reply)).await
    }

    /// The final block of a height with its proof; `None` if it is not there or not certified yet.
    ///
    /// # Errors
    ///
    /// [`EngineError::Stopped`].
    pub async fn finalized(&self, height: u64) -> Result<Option<FinalizedBlock>, EngineError> {
        self.ask(|reply| Request::Finalized(height, reply)).await
    }

    /// Proofs of presence or absence of up to [`MAX_KEYS`] keys in the newest final state.
    ///
    /// # Errors
    ///
    /// [`EngineError::TooManyKeys`], [`EngineError::NotReady`] before the first final block, or
    /// [`EngineError::Stopped`].
    pub async fn prove(&self, keys: Vec<StateKey>) -> Result<Proven, EngineError> {
        check_keys(&keys)?;
        self.ask(|reply| Request::Prove(keys, reply)).await
    }

    /// Proof of every key that starts with the first `bits` bits of `prefix`, if there are at most
    /// `max_entries`, in the newest final state.
    ///
    /// # Errors
    ///
    /// [`EngineError::Prefix`], [`EngineError::PrefixTooWide`], [`EngineError::NotReady`] or
    /// [`EngineError::Stopped`].
    pub async fn prove_prefix(
        &self,
        prefix: StateKey,
        bits: u8,
        max_entries: usize,
    ) -> Result<ProvenPrefix, EngineError> {
        let max = max_entries.min(realdid_ledger::MAX_PREFIX_ENTRIES);
        self.ask(|reply| Request::ProvePrefix(prefix, bits, max, reply))
            .await
    }

    /// Values of up to [`MAX_KEYS`] keys in the newest final state, without proof.
    ///
    /// # Errors
    ///
    /// As for [`prove`](Self::prove).
    pub async fn read(&self, keys: Vec<StateKey>) -> Result<Snapshot, EngineError> {
        check_keys(&keys)?;
        self.ask(|reply| Request::Read(keys, reply)).await
    }

    /// The engine's metrics in Prometheus' text format.
    ///
    /// # Errors
    ///
    /// [`EngineError::Stopped`].
    pub async fn metrics(&self) -> Result<String, EngineError> {
        self.ask(Request::Metrics).await
    }

    async fn ask<T>(
        &self,
        request: impl FnOnce(oneshot::Sender<Result<T, EngineError>>) -> Request,
    ) -> Result<T, EngineError> {
        let (reply, answer) = oneshot::channel();
        self.requests
            .send(request(reply))
            .await
            .map_err(|_| EngineError::Stopped)?;
        answer.await.map_err(|_| EngineError::Stopped)?
    }
}

impl EngineStopper {
    /// Waits until the engine's thread has ended by itself, which is a failure.
    pub async fn ended(&mut self) {
        // An error means that the other half was dropped: that is the signal.
        let _ = (&mut self.ended).await;
    }

    /// Stops the validator and waits until its thread has ended and its stores are closed.
    ///
    /// # Errors
    ///
    /// [`EngineError::Stopped`] if the validator had failed before.
    pub async fn stop(mut self) -> Result<(), EngineError> {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        self.ended().await;
        // The thread has nothing left to do, so this does not block.
        let thread = self.thread.take().map_or(Ok(()), thread::JoinHandle::join);
        thread.map_err(|_| EngineError::Stopped)
    }
}

fn check_keys(keys: &[StateKey]) -> Result<(), EngineError> {
    if keys.len() > MAX_KEYS {
        Err(EngineError::TooManyKeys)
    } else {
        Ok(())
    }
}

/// Makes the directory if it is missing, and keeps others out: there are secrets in it.
pub(crate) fn make_private(dir: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(dir)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// The validator's main task. Returns when it is told to stop or an actor ends.
async fn validate(
    context: runtime::Context,
    config: EngineConfig,
    setup: Setup,
    requests: mpsc::Receiver<Request>,
    opened: oneshot::Sender<()>,
    stopping: oneshot::Receiver<()>,
) {
    let applied = setup.applied.clone();
    let (network, oracle, channels) = connect(&context, &config, &setup);
    let peers = Peers(oracle.clone());
    let running = wiring::start(&context, setup, peers, oracle, channels).await;
    let service = running.service.run(context.child("service"), requests);
    let mut actors = running.actors;
    actors.extend([network, service]);
    info!(height = applied.height(), "engine started");
    let _ = opened.send(());
    tokio::select! {
        _ = stopping => info!(height = applied.height(), "engine stopping"),
        ended = Handle::select(actors) => error!(?ended, "an actor of the engine ended"),
    }
}

type Oracle = lookup::Oracle<commonware_cryptography::ed25519::PublicKey>;
type Senders = lookup::Sender<commonware_cryptography::ed25519::PublicKey, runtime::Context>;
type Receivers = lookup::Receiver<commonware_cryptography::ed25519::PublicKey>;

/// Opens the network of the validators. Who is known in it the records of the ceremony say.
fn connect(
    context: &runtime::Context,
    config: &EngineConfig,
    setup: &Setup,
) -> (Handle<()>, Oracle, Channels<Senders, Receivers>) {
    let namespace = [&setup.namespace, b"_P2P".as_slice()].concat();
    let handshake = handshake(setup.link_key.clone());
    let (longest, queue) = (longest_message(), NZUsize!(1_024));
    // Those who sign, who get shares and who get the next ones; those who follow; and this node.
    let committee = usize::from(config.charter.committees.max_validators);
    let peers = NZUsize!(4 * committee + 1);
    let mut settings = if config.local_network {
        lookup::Config::local(handshake, &namespace, config.listen, peers, longest, queue)
    } else {
        lookup::Config::recommended(handshake, &namespace, config.listen, peers, longest, queue)
    };
    settings.tracked_peer_sets = TRACKED_EPOCHS;
    // Addresses are names, too, and a validator may dial from another one than it is dialled at. Its
    // key says who it is; attempts per address stay limited.
    settings.bypass_ip_check = true;
    let (mut network, oracle) = Network::new(context.child("network"), settings);
    let mut rates = RATES.iter().copied().filter_map(NonZeroU32::new);
    let channels = Channels::register(|number| {
        let rate = rates.next().unwrap_or(NonZeroU32::MIN);
        network.register(number, Quota::per_second(rate))
    });
    (network.start(), oracle, channels)
}

pub(crate) fn handshake(link_key: PrivateKey) -> SakeCups<PrivateKey, ChaCha20Poly1305> {
    let sake = Sake {
        signer: link_key,
        synchrony_bound: Duration::from_secs(10),
        max_handshake_age: Duration::from_secs(20),
        version: sake::Version::V1,
    };
    Cups::new(sake, cups::Version::V1)
}
