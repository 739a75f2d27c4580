//! A small network for the tests: a charter with seats, and operations that take them.

use rand::{SeedableRng as _, rngs::StdRng};
use realdid_crypto::{Hash, KeyType, SecretKey};
use realdid_did::{
    Action, Authorization, Commitment, DocumentData, Founding, Inception, Network, Operation, VerificationKey,
};
use realdid_engine::{
    Engine, EngineConfig, EngineStopper, FinalizedBlock, ValidatorKeys, deal, link_public_key, network_key,
};
use realdid_ledger::{
    Charter, CheckedOperation, Committees, GovernanceAction, GovernanceOperation, KeyOrigin, Member, Quota,
    Role, Seat, StateKey, Validator, check, encode_did_operation, state_key,
};
use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::Path,
    sync::Arc,
    time::Duration,
};
use zeroize::Zeroizing;

/// Seats of the charter: how many DIDs the tests can publish.
pub const SEATS: u16 = 64;

/// How long a test waits for what should take milliseconds.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A network before its validators start.
pub struct World {
    pub charter: Charter,
    pub network_key: [u8; 96],
    shares: Vec<Zeroizing<Vec<u8>>>,
    seeds: Vec<[u8; 32]>,
}

/// A network of `count` validators; the same for the same seed.
pub fn world(count: u8, seed: u8) -> World {
    World::of(count, seed, |number| {
        format!("127.0.0.1:{}", 7_301 + u16::from(number))
    })
}

/// A network of `count` validators on ports that nobody listens on.
pub fn reachable_world(count: u8, seed: u8) -> World {
    World::of(count, seed, |_| free_port().to_string())
}

fn charter(outcome: &[u8], network_key: &[u8; 96], validators: Vec<Validator>) -> Charter {
    let seat = |number| Seat {
        name: format!("Seat {number}"),
        role: Role::Signin,
        key: seat_key(number).public_key(),
    };
    Charter {
        format: 2,
        network: Network::new("sandbox").expect("name"),
        sandbox: true,
        genesis_time: 1_700_000_000,
        network_key: hex(network_key),
        key_origin: KeyOrigin {
            dealt: true,
            outcome: hex(outcome),
        },
        members: vec![Member {
            name: "Member".to_owned(),
            key: member_key().public_key(),
        }],
        threshold: 1,
        validators,
        committees: Committees {
            epoch_blocks: 32,
            max_validators: 7,
        },
        seats: (0..SEATS).map(seat).collect(),
        epoch_seconds: 3_600,
        quota: Quota {
            tokens: 64,
            period_seconds: 3_600,
        },
        recovery_delay: 10,
        vetoed_recovery_delay: 20,
        minimum_anonymity_set: 1,
    }
}

/// The key of the one member.
pub fn member_key() -> SecretKey {
    seat_key(9_999)
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn seat_key(number: u16) -> SecretKey {
    let mut seed = [7; 32];
    seed[..2].copy_from_slice(&number.to_be_bytes());
    SecretKey::from_seed(KeyType::Ed25519, &seed)
}

/// A loopback address that nobody listens on.
fn free_port() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("its address")
}

impl World {
    fn of(count: u8, seed: u8, address: impl Fn(u8) -> String) -> Self {
        let seeds: Vec<_> = (0..count).map(|number| [number.wrapping_add(seed); 32]).collect();
        let keys: Vec<_> = seeds.iter().map(link_public_key).collect();
        let dealt = deal(&keys, &mut StdRng::seed_from_u64(seed.into())).expect("deal");
        let validators = (0..count).zip(&keys).map(|(number, key)| Validator {
            name: format!("Validator {number}"),
            link_key: realdid_crypto::Hash(*key),
            address: address(number),
        });
        let network_key = network_key(&dealt.outcome).expect("network key");
        Self {
            charter: charter(&dealt.outcome, &network_key, validators.collect()),
            network_key,
            shares: dealt.shares,
            seeds,
        }
    }

    /// Adds a node that the charter does not name; gives its link key.
    pub fn newcomer(&mut self) -> Hash {
        let seed = [200 - self.seeds.len() as u8; 32];
        self.seeds.push(seed);
        Hash(link_public_key(&seed))
    }

    /// How many nodes there are, in the charter or not.
    pub const fn nodes(&self) -> usize {
        self.seeds.len()
    }

    /// Link key of a node.
    pub fn link_key(&self, index: usize) -> Hash {
        Hash(link_public_key(&self.seeds[index]))
    }

    /// A decision of the one member.
    pub fn decision(&self, sequence: u64, action: GovernanceAction) -> CheckedOperation {
        let charter = self.charter.hash();
        let bytes = GovernanceOperation { sequence, action }.sign(&charter, &[(0, &member_key())]);
        check(&self.charter, &charter, &bytes).expect("a well-formed decision")
    }

    /// The configuration of one node, with a short heartbeat.
    pub fn config(&self, index: usize, dir: &Path) -> EngineConfig {
        let keys = ValidatorKeys {
            link_key: Zeroizing::new(self.seeds[index]),
            share: self.shares.get(index).cloned(),
        };
        // Nobody dials a lone validator.
        let listen = match self.charter.validators.get(index) {
            Some(validator) if self.seeds.len() > 1 => validator.address.parse().expect("an address"),
            _ => free_port(),
        };
        let mut config = EngineConfig::new(dir.to_owned(), self.charter.clone(), keys, listen);
        config.local_network = true;
        config.heartbeat = Duration::from_millis(500);
        config.leader_slack = Duration::from_millis(500);
        config
    }

    pub async fn start(&self, index: usize, dir: &Path) -> (Engine, EngineStopper) {
        Engine::start(self.config(index, dir))
            .await
            .expect("engine starts")
    }

    /// An operation that publishes the DID of a seat, and the key of its entry.
    pub fn publish(&self, seat: u16) -> (CheckedOperation, StateKey) {
        let charter = self.charter.hash();
        let key = seat_key(seat);
        let keys = vec![VerificationKey::authentication(key.public_key())];
        let inception = Inception {
            charter,
            document: DocumentData::new(keys, Vec::new()).expect("document"),
            next: Commitment(realdid_crypto::Hash([1; 32])),
            recovery: Commitment(realdid_crypto::Hash([2; 32])),
        };
        let did = inception.hash();
        let authorization = Authorization::Charter { seat };
        let operation = Operation {
            charter,
            did,
            previous: realdid_crypto::Hash::ZERO,
            action: Action::Publish(Box::new(Founding {
                inception,
                authorization,
            })),
        };
        let bytes = encode_did_operation(&operation.sign(0, &key));
        let checked = check(&self.charter, &charter, &bytes).expect("a well-formed operation");
        (checked, state_key::did(&did))
    }
}

/// Waits until a final block holds the operation with these bytes, and checks its proof.
pub async fn wait_for(world: &World, engine: &Engine, from: u64, bytes: &[u8]) -> Arc<FinalizedBlock> {
    let mut blocks = engine.subscribe_finalized(from).await.expect("subscription");
    let mut expected = from.max(1);
    let search = async {
        while let Some(block) = blocks.recv().await {
            assert_eq!(block.header.height, expected, "blocks come in order");
            expected += 1;
            let charter = world.charter.hash();
            let proven = block
                .finality
                .verify(charter.as_bytes(), &world.network_key)
                .expect("final");
            assert_eq!(proven.header(), &block.header);
            if block.operations.iter().any(|operation| operation == bytes) {
                return block;
            }
        }
        panic!("the engine stopped");
    };
    tokio::time::timeout(PATIENCE, search)
        .await
        .expect("final in time")
}
