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
    Engine, EngineConfig, EngineStopper, ValidatorKeys, deal, link_public_key, network_key,
};
use realdid_ledger::{CEREMONY_RECORD, Charter, Committees, KeyOrigin, Member, Quota, Validator, check};
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
            let submitted = |bytes: &&Vec<u8>| bytes.first() != Some(&CEREMONY_RECORD);
            missing -= block.operations.iter().filter(submitted).count();
        }
        begun.elapsed()
    }
}

/// A network of so many validators with their data in a directory.
fn configure(count: u8, dir: &Path) -> (Vec<EngineConfig>, TestAuthority) {
    let seeds: Vec<_> = (1..=count).map(|number| [number; 32]).collect();
    let keys: Vec<_> = seeds.iter().map(link_public_key).collect();
    let dealt = deal(&keys, &mut StdRng::seed_from_u64(3)).expect("a key for the validators");
    let addresses: Vec<_> = keys.iter().map(|_| free_port()).collect();
    let charter = charter(&dealt.outcome, &keys, &addresses);
    let authority = TestAuthority::new(&charter, &AUTHORITY);
    let shares = seeds.into_iter().zip(dealt.shares).zip(addresses).enumerate();
    let configs = shares.map(|(index, ((link_key, share), address))| {
        let keys = ValidatorKeys {
            link_key: Zeroizing::new(link_key),
            share: Some(share),
        };
        let dir = dir.join(index.to_string());
        let mut config = EngineConfig::new(dir, charter.clone(), keys, address);
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

fn charter(outcome: &[u8], link_keys: &[[u8; 32]], addresses: &[SocketAddr]) -> Charter {
    let network_key = network_key(outcome).expect("a network key");
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let seat = TestAuthority::seat(&AUTHORITY);
    let validator = |(link_key, address): (&[u8; 32], &SocketAddr)| Validator {
        name: "Validator".to_owned(),
        link_key: Hash(*link_key),
        address: address.to_string(),
    };
    Charter {
        format: 2,
        network: Network::new("bench").expect("a name"),
        sandbox: true,
        genesis_time: 1_700_000_000,
        network_key: hex(&network_key),
        key_origin: KeyOrigin {
            dealt: true,
            outcome: hex(outcome),
        },
        members: vec![Member {
            name: "Member".to_owned(),
            key: seat.key,
        }],
        threshold: 1,
        validators: link_keys.iter().zip(addresses).map(validator).collect(),
        committees: Committees {
            epoch_blocks: 17_280,
            max_validators: 10,
        },
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
