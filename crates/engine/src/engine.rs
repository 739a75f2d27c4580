//! The engine as the node sees it: a handle, and a thread that runs the validator.

use crate::{
    applied::Applied,
    config::{EngineConfig, Identity},
    error::{EngineError, PoolRefusal},
    gossip::OUTBOX,
    pool::{Origin, Pool},
    service::{Request, Service},
    wiring::{self, Channels, Setup, longest_message},
};
use commonware_cryptography::{ChaCha20Poly1305, Signer as _, ed25519::PrivateKey};
use commonware_p2p::{
    AddressableManager as _,
    authenticated::lookup::{self, Network},
};
use commonware_runtime::{Handle, Quota, Runner as _, Supervisor as _, tokio as runtime};
use commonware_stream::{
    SakeCups,
    cups::{self, Cups},
    sake::{self, Sake},
};
use commonware_utils::{NZU32, NZUsize};
use realdid_ledger::{
    Block, CheckedOperation, FinalityProof, Header, MAX_OPERATION_BYTES, PrefixProof, StateKey, StateProof,
    StateValue,
};
use std::{sync::Arc, thread, time::Duration};
use tokio::sync::{mpsc, oneshot};
use tracing::{error, info};

/// Most keys of one request.
pub const MAX_KEYS: usize = 1_024;

/// Final blocks a subscriber may be behind before the engine waits for it.
const SUBSCRIPTION: usize = 64;

/// Questions that wait for the engine.
const REQUESTS: usize = 1_024;

/// Messages per second a peer may send on one channel, several views' worth. The network keeps room for a
/// second's messages of all peers, on every channel, from the start.
const MESSAGES_PER_SECOND: u32 = 512;

/// Stack of the engine's threads. The actors' futures are nested deeply, and large without
/// optimisation; unused stack costs no memory.
const STACK: usize = 64 << 20;

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
    /// Validators of the network, this one included.
    pub validators: usize,
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
    validators: usize,
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
        let pool = Arc::new(Pool::new(config.max_pool_operations, config.max_pool_bytes));
        let applied = Arc::new(Applied::new());
        let (requests, request_queue) = mpsc::channel(REQUESTS);
        let (outbox, outbox_queue) = mpsc::channel(OUTBOX);
        let (stop, stopping) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        let (opened, open) = oneshot::channel();
        let engine = Self {
            pool: pool.clone(),
            applied: applied.clone(),
            requests,
            outbox,
            validators: config.validators.len(),
        };
        let setup = Setup::new(
            &config,
            identity.scheme.clone(),
            identity.link_key.public_key(),
            (pool, applied),
            outbox_queue,
        );
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
                .start(|context| validate(context, config, identity, setup, request_queue, opened, stopping));
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
        let tip = self.applied.tip();
        let (pool_operations, pool_bytes) = self.pool.size();
        Status {
            height: tip.height,
            time_ms: tip.time_ms,
            pool_operations,
            pool_bytes,
            validators: self.validators,
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

/// The validator's main task. Returns when it is told to stop or an actor ends.
async fn validate(
    context: runtime::Context,
    config: EngineConfig,
    identity: Identity,
    setup: Setup,
    requests: mpsc::Receiver<Request>,
    opened: oneshot::Sender<()>,
    stopping: oneshot::Receiver<()>,
) {
    let applied = setup.applied.clone();
    let (network, oracle, channels) = connect(&context, &config, identity);
    let running = wiring::start(&context, setup, oracle.clone(), oracle, channels).await;
    let state = running.state.subscribe_databases().await;
    let service = Service::open(running.marshal, state, applied.clone()).await;
    let service = service.run(context.child("service"), requests);
    let mut actors = running.actors;
    actors.extend([network, service]);
    info!(height = applied.height(), "engine started");
    let _ = opened.send(());
    tokio::select! {
        _ = stopping => info!(height = applied.height(), "engine stopping"),
        ended = Handle::select(actors) => error!(?ended, "an actor of the engine ended"),
    }
}

type Peers = lookup::Oracle<commonware_cryptography::ed25519::PublicKey>;
type Senders = lookup::Sender<commonware_cryptography::ed25519::PublicKey, runtime::Context>;
type Receivers = lookup::Receiver<commonware_cryptography::ed25519::PublicKey>;

/// Opens the network of the validators.
fn connect(
    context: &runtime::Context,
    config: &EngineConfig,
    identity: Identity,
) -> (Handle<()>, Peers, Channels<Senders, Receivers>) {
    let validators = identity.addresses.len();
    let namespace = [&identity.namespace, b"_P2P".as_slice()].concat();
    let longest = longest_message(u32::try_from(validators).unwrap_or(u32::MAX));
    let handshake = handshake(identity.link_key);
    // This validator and, in case of a network of one, room for the set not to be empty.
    let peers = NZUsize!(validators.max(1));
    let queue = NZUsize!(1_024);
    let settings = if config.local_network {
        lookup::Config::local(handshake, &namespace, config.listen, peers, longest, queue)
    } else {
        lookup::Config::recommended(handshake, &namespace, config.listen, peers, longest, queue)
    };
    let (mut network, mut oracle) = Network::new(context.child("network"), settings);
    let addresses: Vec<_> = identity
        .addresses
        .into_iter()
        .map(|(key, address)| (key, address.into()))
        .collect();
    let addresses = commonware_utils::ordered::Map::from_iter_dedup(addresses);
    let _ = oracle.track(0, addresses);
    let rate = Quota::per_second(NZU32!(MESSAGES_PER_SECOND));
    let channels = Channels::register(|number| network.register(number, rate));
    (network.start(), oracle, channels)
}

fn handshake(link_key: PrivateKey) -> SakeCups<PrivateKey, ChaCha20Poly1305> {
    let sake = Sake {
        signer: link_key,
        synchrony_bound: Duration::from_secs(10),
        max_handshake_age: Duration::from_secs(20),
        version: sake::Version::V1,
    };
    Cups::new(sake, cups::Version::V1)
}
