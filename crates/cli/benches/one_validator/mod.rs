//! A ledger of one validator in this process, with an authority on it.

#[path = "../../tests/it/people.rs"]
pub mod people;

use std::net::{Ipv4Addr, TcpListener};
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
const LINK_KEY: [u8; 32] = [0x17; 32];

/// The processor's cores, or rather threads.
pub fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

/// A running ledger.
pub struct Ledger {
    pub engine: Engine,
    pub charter: Charter,
    pub hash: Hash,
    pub authority: TestAuthority,
    stopper: EngineStopper,
    _dir: TempDir,
}

impl Ledger {
    /// Starts a new ledger in a temporary directory and puts the authority on it.
    pub async fn start() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let (config, authority) = configure(dir.path());
        let charter = config.charter.clone();
        let (engine, stopper) = Engine::start(config).await.expect("the engine starts");
        let ledger = Self {
            engine,
            hash: charter.hash(),
            charter,
            authority,
            stopper,
            _dir: dir,
        };
        for operation in ledger.authority.operations() {
            ledger.full_path(&[operation]).await;
        }
        ledger
    }

    /// Stops the validator.
    pub async fn stop(self) {
        self.stopper.stop().await.expect("the engine stops");
    }

    /// Checks the operations, gives them to the validator all at once, and waits until every one is
    /// final; how long that took.
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
                    for bytes in part {
                        let operation = check(&self.charter, &self.hash, bytes).expect("a good operation");
                        self.engine.submit(operation).expect("room in the pool");
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

/// A network of one validator with its data in a directory.
fn configure(dir: &Path) -> (EngineConfig, TestAuthority) {
    let dealt = deal(1, &mut StdRng::seed_from_u64(3)).expect("a key for one validator");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let listen = listener.local_addr().expect("its address");
    let network_key = network_key(&dealt.public).expect("a network key");
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let link_key = link_public_key(&LINK_KEY);
    let seat = TestAuthority::seat(&AUTHORITY);
    let charter = Charter {
        format: 1,
        network: Network::new("bench").expect("a name"),
        sandbox: true,
        genesis_time: 1_700_000_000,
        network_key: hex(&network_key),
        polynomial: hex(&dealt.public),
        members: vec![Member {
            name: "Member".to_owned(),
            key: seat.key,
        }],
        threshold: 1,
        validators: vec![realdid_ledger::Validator {
            name: "Validator".to_owned(),
            link_key: Hash(link_key),
            address: listen.to_string(),
        }],
        seats: vec![seat],
        epoch_seconds: u64::MAX,
        quota: Quota {
            tokens: 1,
            period_seconds: 1,
        },
        recovery_delay: 1,
        vetoed_recovery_delay: 1,
        minimum_anonymity_set: 1,
    };
    let authority = TestAuthority::new(&charter, &AUTHORITY);
    let share = dealt.shares.into_iter().next().expect("one share");
    let keys = ValidatorKeys {
        link_key: Zeroizing::new(LINK_KEY),
        share,
        public: dealt.public,
    };
    let validators = vec![Validator {
        link_key,
        address: listen,
    }];
    let mut config = EngineConfig::new(dir.to_owned(), charter, keys, validators, listen);
    config.local_network = true;
    (config, authority)
}
