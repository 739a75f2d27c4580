//! Runs a founding: gate, ceremony, gate; then keeps the share and reads the logs.

use super::{
    Founded, FoundingConfig, FoundingNews, MadeKey, Statements, Tell, check_logs, founding_namespace,
    gate::{self, Gate},
    outcome::{made, participants},
};
use crate::{
    actors::{FETCH_RETRY, FETCH_TIMEOUT, MAILBOX, REPLAY_BUFFER, WRITE_BUFFER},
    directory::{Directory, Peers},
    engine::{STACK, handshake, make_private},
    error::EngineError,
    keys::{RECORD_LIMITS, link_key},
    secrets::Secrets,
    wiring::{RATES, Runtime},
};
use commonware_codec::{Copying, DecodeExt as _, Encode as _};
use commonware_consensus::types::Epoch;
use commonware_cryptography::{
    ChaCha20Poly1305, Signer as _,
    bls12381::{
        dkg::feldman_desmedt::Reveal,
        primitives::{group::Share, sharing::Mode, variant::MinSig},
    },
    ed25519::{PrivateKey, PublicKey},
    sha256::Digest,
};
use commonware_glue::dkg::{
    ReshareBlock as _, SecretStore as _, bootstrap,
    network::{Directory as _, Manager},
    types::Payload,
};
use commonware_p2p::{
    PeerSetSubscription, Provider, TrackedPeers,
    authenticated::lookup::{self, Network},
    max_message_size,
};
use commonware_parallel::Sequential;
use commonware_runtime::{
    Clock as _, Handle, Quota, Runner as _, Supervisor as _,
    buffer::paged::{CacheRef, page_size},
    tokio as runtime,
};
use commonware_storage::{
    archive::{Archive as _, Identifier, prunable},
    translator::TwoCap,
};
use commonware_stream::SakeCups;
use commonware_utils::{NZDuration, NZU64, NZUsize, ordered::Set};
use std::{
    num::{NonZeroU32, NonZeroU64},
    path::Path,
    sync::Arc,
    thread,
    time::Duration,
};

/// Partitions of the ceremony's data start with this.
const PREFIX: &str = "founding";
/// Items per section of the ceremony's archives.
const SECTION: NonZeroU64 = NZU64!(64);
/// How often the gates are looked at.
const LOOK: Duration = Duration::from_millis(100);
/// How long the last word is repeated.
const LAST_WORD: Duration = Duration::from_secs(1);

type Block = bootstrap::Block<MinSig, Directory>;

/// Makes the network key together with the other founders, and waits for all of them. The share goes to
/// the directory of the later engine. Started anew, it goes on where it was.
///
/// # Errors
///
/// [`EngineError::Config`], [`EngineError::Thread`], [`EngineError::Founding`] if the ceremony failed, or
/// [`EngineError::Stopped`] if one of its parts did; the log says why.
pub fn found(config: FoundingConfig, statements: Statements) -> Result<Founded, EngineError> {
    make_private(&config.storage_dir)?;
    make_private(&config.ledger_dir)?;
    let run = thread::Builder::new()
        .name("realdid-founding".to_owned())
        .stack_size(STACK)
        .spawn(move || {
            let shared = (config.clone(), statements);
            let (meeting, share) = on_runtime(&config.storage_dir, |context| meet(context, shared))?;
            let kept = share.clone();
            on_runtime(&config.ledger_dir, |context| keep(context, kept));
            let blocks = epoch_blocks(&config);
            let logs = on_runtime(&config.storage_dir, move |context| read_logs(context, blocks));
            conclude(&config, meeting, logs)
        })?;
    run.join().map_err(|_| EngineError::Stopped)?
}

/// What the founders said to each other.
struct Meeting {
    key: MadeKey,
    hellos: Vec<Vec<u8>>,
    conclusions: Vec<Vec<u8>>,
    unsure: Vec<usize>,
}

fn conclude(config: &FoundingConfig, meeting: Meeting, logs: Vec<Vec<u8>>) -> Result<Founded, EngineError> {
    let link_keys: Vec<_> = config.founders.iter().map(|founder| founder.link_key).collect();
    // Only the order of checks depends on it.
    let mut rng = commonware_utils::TestRng::new(0);
    if check_logs(&config.draft, &link_keys, &logs, &mut rng)? != meeting.key {
        return Err(EngineError::Founding("the dealers' logs lead to another key"));
    }
    Ok(Founded {
        key: meeting.key,
        logs,
        hellos: meeting.hellos,
        conclusions: meeting.conclusions,
        unsure: meeting.unsure,
    })
}

/// Runs something in the engine's runtime over a directory, which is free again afterwards.
fn on_runtime<F: Future>(dir: &Path, run: impl FnOnce(runtime::Context) -> F) -> F::Output {
    let settings = runtime::Config::new()
        .with_worker_threads(2)
        .with_thread_stack_size(STACK)
        .with_tcp_nodelay(Some(true))
        .with_storage_directory(dir);
    runtime::Runner::new(settings).start(run)
}

/// Blocks of the ceremony's chain: each dealer leads several in its second half.
fn epoch_blocks(config: &FoundingConfig) -> NonZeroU64 {
    let founders = u64::try_from(config.founders.len()).unwrap_or(u64::MAX);
    NZU64!(64).max(NonZeroU64::new(founders.saturating_mul(8)).unwrap_or(NonZeroU64::MIN))
}

/// From the first hello to the last word.
async fn meet(
    context: runtime::Context,
    (config, statements): (FoundingConfig, Statements),
) -> Result<(Meeting, Share), EngineError> {
    let link_keys: Vec<_> = config.founders.iter().map(|founder| founder.link_key).collect();
    let founders = participants(&link_keys)?;
    let keys: Vec<_> = link_keys
        .iter()
        .filter_map(|key| PublicKey::decode(Copying(&key[..])).ok())
        .collect();
    let me = link_key(&config.link_key).public_key();
    let own = keys.iter().position(|key| *key == me);
    let own = own.ok_or(EngineError::Config("the link key is none of the founders'"))?;
    let addresses = config.founders.iter().map(|founder| founder.address.clone());
    let directory = Directory::new(keys.iter().cloned().zip(addresses));
    let news = statements.news.clone();
    let gate = Gate::new(keys, own, statements);
    let (mut network, oracle) = network(&context, &config);
    let mut rates = RATES.iter().copied().filter_map(NonZeroU32::new);
    let mut channels = (0..7).map(|number| {
        let rate = rates.next().unwrap_or(NonZeroU32::MIN);
        network.register(number, Quota::per_second(rate))
    });
    let mut channel = || channels.next().ok_or(EngineError::Stopped);
    let ceremony = [
        channel()?,
        channel()?,
        channel()?,
        channel()?,
        channel()?,
        channel()?,
    ];
    let (sender, receiver) = channel()?;
    drop(channels);
    let mut peers = Later(Peers(oracle.clone()));
    let _ = peers.0.track(
        Epoch::zero(),
        TrackedPeers::new(founders.clone(), Set::default()),
        &directory,
    );
    let links = [
        network.start(),
        gate.speak(context.child("speak"), sender),
        gate.listen(context.child("listen"), receiver),
    ];
    let settings = settings(&context, &config, (founders, directory), (peers, oracle));
    tokio::select! {
        met = talk(&context, &config, (gate, news), settings, ceremony) => met,
        _ = Handle::select(links) => Err(EngineError::Stopped),
    }
}

type Link = (
    lookup::Sender<PublicKey, runtime::Context>,
    lookup::Receiver<PublicKey>,
);

/// What happens over the links.
async fn talk(
    context: &runtime::Context,
    config: &FoundingConfig,
    (gate, news): (Gate, Tell),
    settings: Settings<runtime::Context>,
    [votes, certificates, resolver, backfill, broadcast, dkg]: [Link; 6],
) -> Result<(Meeting, Share), EngineError> {
    wait(
        context,
        || gate.strangers(),
        |missing| news(FoundingNews::Missing(missing)),
    )
    .await;
    news(FoundingNews::Begun);
    let engine = bootstrap::Engine::new(context.child("ceremony"), settings);
    let (mut engine, completion) = engine.start(votes, certificates, resolver, backfill, broadcast, dkg);
    let rest = async {
        let info = completion.await.map_err(|_| EngineError::Stopped)?.info;
        let info = info.ok_or(EngineError::Founding("the ceremony gave no key: begin anew"))?;
        let key = made(&info.output)?;
        gate.conclude(&key);
        wait(
            context,
            || gate.undecided(),
            |missing| news(FoundingNews::Concluding(missing)),
        )
        .await;
        gate.complete();
        let begun = context.current();
        let waited = || context.current().duration_since(begun).unwrap_or_default();
        while !gate.incomplete().is_empty() && waited() < config.linger {
            context.sleep(LOOK).await;
        }
        // So that the others hear the last word, too.
        context.sleep(LAST_WORD).await;
        part(context, key, &gate).await
    };
    tokio::select! {
        met = rest => met,
        _ = &mut engine => Err(EngineError::Stopped),
    }
}

/// What this founder takes with it.
async fn part(
    context: &runtime::Context,
    key: MadeKey,
    gate: &Gate,
) -> Result<(Meeting, Share), EngineError> {
    let [hellos, conclusions] = gate.all().ok_or(EngineError::Stopped)?;
    let mut secrets = Secrets::new(context.child("share"), PREFIX);
    let share = secrets.get_share(Epoch::zero()).await;
    let share = share.ok_or(EngineError::Founding("this founder has got no share: begin anew"))?;
    let unsure = gate.incomplete();
    let meeting = Meeting {
        key,
        hellos,
        conclusions,
        unsure,
    };
    Ok((meeting, share))
}

/// Waits until nobody is missing, and tells whenever that changes.
async fn wait(context: &runtime::Context, missing: impl Fn() -> Vec<usize>, tell: impl Fn(Vec<usize>)) {
    let mut told = Vec::new();
    loop {
        let now = missing();
        if now.is_empty() {
            return;
        }
        if told != now {
            tell(now.clone());
            told = now;
        }
        context.sleep(LOOK).await;
    }
}

type Oracle = lookup::Oracle<PublicKey>;

fn network(
    context: &runtime::Context,
    config: &FoundingConfig,
) -> (
    Network<runtime::Context, SakeCups<PrivateKey, ChaCha20Poly1305>>,
    Oracle,
) {
    let namespace = [founding_namespace(&config.draft).as_slice(), b"_P2P"].concat();
    let handshake = handshake(link_key(&config.link_key));
    let limits = RECORD_LIMITS;
    let longest = max_message_size(&[
        bootstrap::max_payload_size::<MinSig, Directory>(limits.0, limits.1),
        gate::MAX_MESSAGE,
    ]);
    let (peers, queue) = (NZUsize!(33), NZUsize!(1_024));
    let mut settings = if config.local_network {
        lookup::Config::local(handshake, &namespace, config.listen, peers, longest, queue)
    } else {
        lookup::Config::recommended(handshake, &namespace, config.listen, peers, longest, queue)
    };
    settings.bypass_ip_check = true;
    Network::new(context.child("network"), settings)
}

type Settings<E> = bootstrap::Config<Later<Peers<Oracle>>, Oracle, Secrets<E>, Sequential, Directory>;

fn settings(
    context: &runtime::Context,
    config: &FoundingConfig,
    (participants, directory): (Set<PublicKey>, Directory),
    (manager, blocker): (Later<Peers<Oracle>>, Oracle),
) -> Settings<runtime::Context> {
    debug_assert!(directory.matches(&participants));
    bootstrap::Config {
        signer: link_key(&config.link_key),
        manager,
        blocker,
        secret_store: Secrets::new(context.child("secrets"), PREFIX),
        strategy: Sequential,
        // The engine wants it for ever; a process founds once.
        namespace: Box::leak(founding_namespace(&config.draft).into_boxed_slice()),
        sharing_mode: Mode::NonZeroCounter,
        reveal: Reveal::V1,
        max_supported_mode: RECORD_LIMITS.1,
        partition_prefix: PREFIX.to_owned(),
        page_cache: CacheRef::new(const { page_size(4_096) }, NZUsize!(256)),
        write_buffer: WRITE_BUFFER,
        replay_buffer: REPLAY_BUFFER,
        mailbox_size: MAILBOX,
        fetch_timeout: NZDuration!(FETCH_TIMEOUT),
        fetch_retry_delay: FETCH_RETRY,
        items_per_section: SECTION,
        participants,
        directory,
        blocks_per_epoch: epoch_blocks(config),
    }
}

/// Puts the share where the later engine looks for it.
async fn keep(context: runtime::Context, share: Share) {
    let mut secrets = Secrets::new(context.child("secrets"), crate::wiring::PREFIX);
    secrets.found(Some(share)).await;
}

/// The dealers' logs in the ceremony's chain, each dealer's first.
async fn read_logs<E: Runtime>(context: E, blocks: NonZeroU64) -> Vec<Vec<u8>> {
    let page_cache = CacheRef::new(const { page_size(4_096) }, NZUsize!(256));
    let config = prunable::Config {
        translator: TwoCap,
        metadata_partition: format!("{PREFIX}-blocks-metadata"),
        key_partition: format!("{PREFIX}-blocks-key"),
        key_page_cache: page_cache,
        value_partition: format!("{PREFIX}-blocks-value"),
        compression: None,
        codec_config: RECORD_LIMITS,
        items_per_section: SECTION,
        key_write_buffer: WRITE_BUFFER,
        value_write_buffer: WRITE_BUFFER,
        replay_buffer: REPLAY_BUFFER,
    };
    let archive = prunable::Archive::<TwoCap, E, Digest, Arc<Block>>::init(context, config).await;
    let archive = archive.expect("the archive of the ceremony opens");
    let mut dealers = Vec::new();
    let mut logs = Vec::new();
    for height in 1..blocks.get() {
        let block = archive.get(Identifier::Index(height)).await;
        let block = block.expect("the archive of the ceremony is read");
        if let Some(Payload::DealerLog(log)) = block.and_then(|block| block.payload()) {
            let bytes = log.encode().to_vec();
            // It begins with the dealer's key.
            let dealer = bytes[..32].to_vec();
            if !dealers.contains(&dealer) {
                dealers.push(dealer);
                logs.push(bytes);
            }
        }
    }
    logs
}

/// Tells the network of the peers under the next number: the gate has used the first.
#[derive(Clone, Debug)]
struct Later<P>(P);

impl<P: Provider> Provider for Later<P> {
    type PublicKey = P::PublicKey;

    async fn peer_set(&mut self, id: u64) -> Option<TrackedPeers<P::PublicKey>> {
        self.0.peer_set(id + 1).await
    }

    async fn subscribe(&mut self) -> PeerSetSubscription<P::PublicKey> {
        self.0.subscribe().await
    }
}

impl<P: Manager> Manager for Later<P> {
    type Directory = P::Directory;
    type Error = P::Error;

    fn track(
        &mut self,
        epoch: Epoch,
        peers: TrackedPeers<P::PublicKey>,
        directory: &P::Directory,
    ) -> Result<(), P::Error> {
        self.0.track(epoch.next(), peers, directory)
    }
}
