//! A ledger of one validator or several in this process, with an authority on it.

#[path = "../../tests/it/people.rs"]
pub mod people;
pub mod signatures;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::num::NonZero;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use realdid_crypto::Hash;
use realdid_did::Network;
use realdid_engine::{
    Engine, EngineConfig, EngineStopper, Validator, ValidatorKeys, deal, link_public_key, network_key,
};
use realdid_ledger::{Charter, Member, Quota, check};
use tempfile::TempDir;
use zeroize::Zeroizing;

use people::TestAuthority;

const AUTHORITY: [u8; 32] = [0xa7; 32];
/// The pace that several validators have in the sandbox.
const PACE_OF_SEVERAL: [Duration; 2] = [Duration::from_millis(2_000), Duration::from_millis(500)];

/// The processor's cores, or rather threads.
pub fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

/// The one in the middle.
pub fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// A running ledger.
pub struct Ledger {
    /// Of the first validator.
    pub engine: Engine,
    pub charter: Charter,
    pub hash: Hash,
    pub authority: TestAuthority,
    engines: Vec<Engine>,
    stoppers: Vec<EngineStopper>,
    _dir: TempDir,
}

impl Ledger {
    /// Starts a new ledger of one validator in a temporary directory and puts the authority on it.
    pub async fn start() -> Self {
        Self::of(1).await
    }

    /// The same with so many validators.
    pub async fn of(validators: u8) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let (configs, authority) = configure(validators, dir.path());
        let charter = configs[0].charter.clone();
        let (mut engines, mut stoppers) = (Vec::new(), Vec::new());
        for config in configs {
            let (engine, stopper) = Engine::start(config).await.expect("the engine starts");
            engines.push(engine);
            stoppers.push(stopper);
        }
        let ledger = Self {
            engine: engines[0].clone(),
            hash: charter.hash(),
            charter,
            authority,
            engines,
            stoppers,
            _dir: dir,
        };
        for operation in ledger.authority.operations() {
            ledger.full_path(&[operation]).await;
        }
        ledger
    }

    /// Stops the last validator that runs; the others go on.
    pub async fn lose_one(&mut self) {
        self.engines.pop();
        let stopper = self.stoppers.pop().expect("a validator");
        stopper.stop().await.expect("the engine stops");
    }

    /// Stops all validators.
    pub async fn stop(self) {
        for stopper in self.stoppers {
            stopper.stop().await.expect("the engine stops");
        }
    }

    /// Checks the operations, gives them to the validators in turn, all at once, and waits until every
    /// one is final; how long that took.
    pub async fn full_path(&self, operations: &[Vec<u8>]) -> Duration {
        let from = self.engine.status().height + 1;
        let mut blocks = self
            .engine
            .subscribe_finalized(from)
            .await
            .expect("the engine runs");
        let begun = Instant::now();
        thread::scope(|scope| {
            for part in operations.chunks(operations.len().div_ceil(cores())) {
                scope.spawn(move || {
                    for (bytes, engine) in part.iter().zip(self.engines.iter().cycle()) {
                        let operation = check(&self.charter, &self.hash, bytes).expect("a good operation");
                        engine.submit(operation).expect("room in the pool");
                    }
                });
            }
        });
        let mut missing = operations.len();
        while missing > 0 {
            let block = blocks.recv().await.expect("the engine runs");
            missing -= block.operations.len();
        }
        begun.elapsed()
    }
}

/// A network of so many validators with their data in a directory.
fn configure(count: u8, dir: &Path) -> (Vec<EngineConfig>, TestAuthority) {
    let dealt = deal(count.into(), &mut StdRng::seed_from_u64(3)).expect("a key for the validators");
    let mut seeds: Vec<_> = (1..=count).map(|number| [number; 32]).collect();
    // Shares are dealt in the order of the link keys.
    seeds.sort_by_key(link_public_key);
    let validators: Vec<_> = seeds
        .iter()
        .map(|seed| Validator {
            link_key: link_public_key(seed),
            address: free_port(),
        })
        .collect();
    let charter = charter(&dealt.public, &validators);
    let authority = TestAuthority::new(&charter, &AUTHORITY);
    let shares = seeds.into_iter().zip(dealt.shares).zip(&validators).enumerate();
    let configs = shares.map(|(index, ((link_key, share), own))| {
        let keys = ValidatorKeys {
            link_key: Zeroizing::new(link_key),
            share,
            public: dealt.public.clone(),
        };
        let dir = dir.join(index.to_string());
        let mut config = EngineConfig::new(dir, charter.clone(), keys, validators.clone(), own.address);
        config.local_network = true;
        if count > 1 {
            [config.heartbeat, config.leader_slack] = PACE_OF_SEVERAL;
        }
        config
    });
    (configs.collect(), authority)
}

/// A loopback address that nobody listens on.
fn free_port() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("its address")
}

fn charter(polynomial: &[u8], validators: &[Validator]) -> Charter {
    let network_key = network_key(polynomial).expect("a network key");
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let seat = TestAuthority::seat(&AUTHORITY);
    let validator = |found: &Validator| realdid_ledger::Validator {
        name: "Validator".to_owned(),
        link_key: Hash(found.link_key),
        address: found.address.to_string(),
    };
    Charter {
        format: 1,
        network: Network::new("bench").expect("a name"),
        sandbox: true,
        genesis_time: 1_700_000_000,
        network_key: hex(&network_key),
        polynomial: hex(polynomial),
        members: vec![Member {
            name: "Member".to_owned(),
            key: seat.key,
        }],
        threshold: 1,
        validators: validators.iter().map(validator).collect(),
        seats: vec![seat],
        epoch_seconds: u64::MAX,
        quota: Quota {
            tokens: 1,
            period_seconds: 1,
        },
        recovery_delay: 1,
        vetoed_recovery_delay: 1,
        minimum_anonymity_set: 1,
    }
}
