//! The actors that lead from one consensus epoch to the next: the ceremony that deals new shares, the
//! orchestrator that runs one Simplex engine per epoch, and what helps a node find the newest epoch.

use crate::{
    actors::{FETCH_RETRY, FETCH_TIMEOUT, Links, MAILBOX, REPLAY_BUFFER, VIEW_RETENTION, WRITE_BUFFER},
    block::EngineBlock,
    committees::Committees,
    directory::Directory,
    keys::RECORD_LIMITS,
    schemes::Schemes,
    secrets::Secrets,
    wiring::{Marshal, Runtime, Scheme, Setup},
};
use commonware_consensus::{
    Automaton, CertifiableAutomaton, Relay, Reporter,
    marshal::standard::Standard,
    simplex::{
        Plan, SkipBudget,
        config::{ForwardPolicy, SkipPolicy},
        elector::RoundRobin,
        types::{Activity, Context},
    },
};
use commonware_cryptography::{
    bls12381::{
        dkg::feldman_desmedt::Reveal,
        primitives::{sharing::Mode, variant::MinSig},
    },
    ed25519::{PrivateKey, PublicKey},
    sha256::{Digest, Sha256},
};
use commonware_glue::dkg::{
    fence::{Fence, Gate},
    network::Manager,
    orchestrator, probe, reshare, state_sync,
};
use commonware_p2p::Blocker;
use commonware_parallel::Sequential;
use commonware_runtime::buffer::paged::CacheRef;
use commonware_utils::NZDuration;
use std::{num::NonZeroU64, time::Duration};

/// How long a node that looks for the newest epoch waits for an answer.
const PROBE_RETRY: Duration = Duration::from_secs(1);

type Ceremony<E, P, B> = reshare::Actor<
    E,
    EngineBlock,
    MinSig,
    PrivateKey,
    P,
    B,
    Committees<E>,
    Secrets<E>,
    Sequential,
    Scheme,
    Standard<EngineBlock>,
    Schemes,
>;
pub(crate) type CeremonyMailbox = reshare::Mailbox<EngineBlock, MinSig, PrivateKey>;
type Orchestrator<E, P, B, A> =
    orchestrator::Actor<E, B, P, Schemes, Standard<EngineBlock>, MinSig, A, RoundRobin<Sha256>, Sequential>;
type Probe<E, P, B> = probe::Actor<E, P, Scheme, Standard<EngineBlock>, Sequential, B>;
type ProbeMailbox = probe::Mailbox<Scheme, Standard<EngineBlock>>;

/// What a node that synced the state would start from. This one goes block by block, always.
fn start_plan() -> state_sync::Plan<Scheme, Digest, MinSig, Directory> {
    state_sync::Plan::disabled()
}

impl<P, B> Links<P, B>
where
    P: Manager<PublicKey = PublicKey, Directory = Directory>,
    B: Blocker<PublicKey = PublicKey>,
{
    /// Deals the shares of the network key anew in each epoch. The gate opens for an epoch when its
    /// signing scheme is there.
    pub(crate) async fn ceremony<E: Runtime>(
        &self,
        context: &E,
        setup: &Setup,
        marshal: &Marshal,
        (committees, page_cache): (Committees<E>, CacheRef),
    ) -> (Ceremony<E, P, B>, CeremonyMailbox, Gate) {
        let mut secrets = Secrets::new(context.child("secrets"), &setup.prefix);
        secrets.found(setup.share.clone()).await;
        let (fence, gate) = Fence::new();
        let config = reshare::Config {
            signer: setup.link_key.clone(),
            manager: self.peers.clone(),
            blocker: self.blocker.clone(),
            participants_provider: committees,
            secret_store: secrets,
            strategy: Sequential,
            registrar: setup.schemes.clone(),
            marshal: marshal.clone(),
            state_sync: start_plan(),
            fence,
            namespace: ceremony_namespace(&setup.namespace),
            sharing_mode: Mode::NonZeroCounter,
            reveal: Reveal::V1,
            mailbox_size: MAILBOX,
            partition_prefix: format!("{}-ceremony", setup.prefix),
            page_cache,
            write_buffer: WRITE_BUFFER,
            replay_buffer: REPLAY_BUFFER,
            max_participants: RECORD_LIMITS.0,
            blocks_per_epoch: setup.epoch_blocks,
        };
        let (actor, mailbox) = reshare::Actor::new(context.child("ceremony"), config);
        (actor, mailbox, gate)
    }

    /// Runs one Simplex engine per epoch.
    pub(crate) fn orchestrator<E, A>(
        &self,
        context: &E,
        setup: &Setup,
        marshal: &Marshal,
        application: A,
        (gate, page_cache): (Gate, CacheRef),
    ) -> (Orchestrator<E, P, B, A>, orchestrator::Mailbox<EngineBlock>)
    where
        E: Runtime,
        A: CertifiableAutomaton<Context = Context<Digest, PublicKey>>
            + Automaton<Digest = Digest>
            + Relay<Digest = Digest, PublicKey = PublicKey, Plan = Plan<PublicKey>>
            + Reporter<Activity = Activity<Scheme, Digest>>,
    {
        let config = orchestrator::Config {
            oracle: self.blocker.clone(),
            manager: self.peers.clone(),
            provider: setup.schemes.clone(),
            marshal: marshal.clone(),
            application,
            strategy: Sequential,
            simplex: simplex_config(setup, page_cache),
            gate,
            state_sync: start_plan(),
            blocks_per_epoch: setup.epoch_blocks,
            mailbox_size: MAILBOX,
            partition_prefix: setup.prefix.clone(),
        };
        orchestrator::Actor::new(context.child("orchestrator"), config)
    }

    /// Tells nodes that look for it the newest epoch and its proof.
    pub(crate) fn probe<E: Runtime>(&self, context: &E, setup: &Setup) -> (Probe<E, P, B>, ProbeMailbox) {
        probe::Actor::new(probe::Config {
            context: context.child("probe"),
            manager: self.peers.clone(),
            bootstrap: probe::Bootstrap {
                epoch: setup.genesis.epoch,
                participants: setup.genesis.participants(),
                directory: setup.genesis.directory.clone(),
            },
            floor: None,
            verifier: setup.verifier(),
            genesis: setup.genesis.clone(),
            strategy: Sequential,
            blocker: self.blocker.clone(),
            blocks_per_epoch: setup.epoch_blocks,
            retry_timeout: NZDuration!(PROBE_RETRY),
            mailbox_size: MAILBOX,
            block_codec_config: (),
        })
    }
}

/// The namespace of dealings and their acknowledgements. The engine wants it for ever: a few dozen
/// bytes that each start of a validator leaves behind in its process.
fn ceremony_namespace(namespace: &[u8]) -> &'static [u8] {
    Box::leak([namespace, b"_CEREMONY"].concat().into_boxed_slice())
}

/// Consensus. A leader may use the whole heartbeat, so others wait that long and `leader_slack`. A
/// leader that nobody has heard of for longer than any view lasts is not waited for at all: so a
/// validator that is away costs one such wait, and not one for each of its turns.
fn simplex_config(setup: &Setup, page_cache: CacheRef) -> orchestrator::SimplexConfig<RoundRobin<Sha256>> {
    let leader_timeout = setup.heartbeat + setup.leader_slack;
    let certification_timeout = leader_timeout + setup.leader_slack;
    orchestrator::SimplexConfig {
        elector: RoundRobin::default(),
        mailbox_size: MAILBOX,
        replay_buffer: REPLAY_BUFFER,
        write_buffer: WRITE_BUFFER,
        page_cache,
        leader_timeout,
        certification_timeout,
        timeout_retry: setup.leader_slack,
        fetch_timeout: NZDuration!(FETCH_TIMEOUT),
        fetch_retry_delay: FETCH_RETRY,
        view_retention: VIEW_RETENTION,
        skip: SkipPolicy::Enabled {
            timeout: certification_timeout + setup.leader_slack,
            budget: SkipBudget::Participants,
        },
        track_historical_votes: false,
        forward: ForwardPolicy::SilentVoters,
    }
}

/// The length of an epoch.
pub(crate) fn epoch_blocks(charter: &realdid_ledger::Charter) -> NonZeroU64 {
    // The charter's own check has excluded 0.
    NonZeroU64::new(charter.committees.epoch_blocks).unwrap_or(NonZeroU64::MAX)
}
