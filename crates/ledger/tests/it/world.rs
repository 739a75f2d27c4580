//! A whole network in memory: its charter, its people and services, and its state as a map.

use std::collections::BTreeMap;

use commonware_codec::Encode as _;
use commonware_cryptography::bls12381::primitives::{group::Private, ops::keypair, variant::MinSig};
use realdid_crypto::{Hash, KeyType, SecretKey};
use realdid_did::{Authorization, Entry, Level, Network, SignedOperation};
use realdid_ledger::{
    BlockContext, Charter, Committees, GovernanceAction, GovernanceOperation, KeyOrigin, Member, Quota,
    Record, Refusal, Role, Seat, ServiceAction, ServiceOperation, State, StateKey, StateValue, Validator,
    check, encode_did_operation, execute, genesis_state, state_key,
};
use realdid_token::EpochKey;

use crate::authority::{Signer, repeatable};
use crate::holder::Holder;

/// When epoch 0 begins.
pub const GENESIS: u64 = 1_000_000;
/// Length of an epoch.
pub const EPOCH: u64 = 3_600;

/// A network's fixed things.
pub struct World {
    pub charter: Charter,
    pub hash: Hash,
    pub network: Private,
    pub authority: Holder,
    pub signin: Holder,
}

/// The key of a consortium member.
pub fn member(index: u8) -> SecretKey {
    SecretKey::from_seed(KeyType::Ed25519, &[0x40 + index; 32])
}

/// A charter with three members, two of whom decide, and a seat for each role.
pub fn charter(network_key: &[u8]) -> Charter {
    let nobody = Holder::new("", Hash::ZERO);
    let seat = |name: &'static str, role| Seat {
        name: name.to_owned(),
        role,
        key: Holder { name, ..nobody }.key(0).public_key(),
    };
    let member = |index| Member {
        name: format!("Member {index}"),
        key: member(index).public_key(),
    };
    Charter {
        format: 2,
        network: Network::new("sandbox").unwrap(),
        sandbox: true,
        genesis_time: GENESIS,
        network_key: hex::encode(network_key),
        key_origin: KeyOrigin {
            dealt: true,
            outcome: "00".to_owned(),
        },
        members: (0..3).map(member).collect(),
        threshold: 2,
        validators: vec![Validator {
            name: "Member 0".to_owned(),
            link_key: Hash([0x77; 32]),
            address: "127.0.0.1:7301".to_owned(),
        }],
        committees: Committees {
            epoch_blocks: 17_280,
            max_validators: 7,
        },
        seats: vec![seat("Authority", Role::Authority), seat("Sign-in", Role::Signin)],
        epoch_seconds: EPOCH,
        quota: Quota {
            tokens: 64,
            period_seconds: EPOCH,
        },
        recovery_delay: 1_000,
        vetoed_recovery_delay: 10_000,
        minimum_anonymity_set: 1,
    }
}

impl World {
    pub fn new() -> Self {
        Self::of(|_| {})
    }

    /// With a charter that differs.
    pub fn of(change: impl Fn(&mut Charter)) -> Self {
        let (network, public) = keypair::<_, MinSig>(&mut repeatable(7));
        let mut charter = charter(&public.encode());
        change(&mut charter);
        let hash = charter.hash();
        let [authority, signin] = ["Authority", "Sign-in"].map(|name| Holder::new(name, hash));
        Self {
            charter,
            hash,
            network,
            authority,
            signin,
        }
    }

    pub fn person(&self, name: &'static str) -> Holder {
        Holder::new(name, self.hash)
    }

    /// The authority's key for an epoch, with one of the published moduli.
    pub fn epoch_key(&self, index: usize, epoch: u64) -> EpochKey {
        Signer::published(index).epoch_key(self.authority.did(), Level::Substantial, epoch)
    }

    /// A token for a holder.
    pub fn token(&self, index: usize, epoch: u64, did: &Hash) -> Authorization {
        let token = Signer::published(index).token(&self.epoch_key(index, epoch), &self.hash, did, 1);
        Authorization::Token {
            authority: self.authority.did(),
            token: token.to_bytes(),
        }
    }

    pub fn service(&self, by: &Holder, action: ServiceAction) -> Vec<u8> {
        let operation = ServiceOperation {
            by: by.did(),
            document: by.document(0),
            action,
        };
        operation.sign(&self.hash, 0, &by.key(0))
    }

    pub fn publish_key(&self, index: usize, epoch: u64) -> Vec<u8> {
        let action = ServiceAction::PublishEpochKey(Box::new(self.epoch_key(index, epoch)));
        self.service(&self.authority, action)
    }
}

/// A decision of the first two members.
pub fn decision(world: &World, sequence: u64, action: GovernanceAction) -> Vec<u8> {
    let operation = GovernanceOperation { sequence, action };
    operation.sign(&world.hash, &[(0, &member(0)), (1, &member(1))])
}

/// A ledger's state, and the time of its next block.
#[derive(Clone)]
pub struct Ledger<'w> {
    pub world: &'w World,
    pub values: BTreeMap<StateKey, StateValue>,
    pub now: u64,
    /// Height of its next block.
    pub height: u64,
}

impl<'w> Ledger<'w> {
    /// At genesis.
    pub fn genesis(world: &'w World) -> Self {
        Self {
            world,
            values: genesis_state(&world.charter).into_iter().collect(),
            now: GENESIS + 10,
            height: 1,
        }
    }

    /// With both services published, and the authority's keys of epochs 0 and 1.
    pub fn furnished(world: &'w World) -> Self {
        let mut ledger = Self::genesis(world);
        ledger
            .did(&world.authority.publish(Authorization::Charter { seat: 0 }))
            .unwrap();
        ledger
            .did(&world.signin.publish(Authorization::Charter { seat: 1 }))
            .unwrap();
        ledger.apply(&world.publish_key(0, 0)).unwrap();
        ledger.apply(&world.publish_key(1, 1)).unwrap();
        ledger
    }

    /// Executes one operation in a block of its own. A refusal changes nothing.
    pub fn apply(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        let World { charter, hash, .. } = self.world;
        let operation = check(charter, hash, bytes)?;
        let mut state = State::new();
        for key in operation.keys() {
            state.load(key, self.values.get(&key).copied());
        }
        let block = BlockContext {
            height: self.height,
            time_ms: self.now * 1000 + 999,
        };
        let outcome = execute(charter, hash, &block, &operation, &mut state);
        let writes: Vec<_> = state.writes().map(|(key, value)| (*key, *value)).collect();
        assert_eq!(
            outcome.is_ok(),
            !writes.is_empty(),
            "a refusal writes nothing, anything else does"
        );
        assert!(
            writes.iter().all(|(key, _)| operation.keys().contains(key)),
            "writes are announced"
        );
        self.values.extend(writes);
        outcome
    }

    pub fn did(&mut self, operation: &SignedOperation) -> Result<(), Refusal> {
        self.apply(&encode_did_operation(operation))
    }

    pub fn record(&self, key: &StateKey) -> Option<Record> {
        self.values.get(key).map(|value| Record::decode(value).unwrap())
    }

    pub fn entry(&self, holder: &Holder) -> Option<Entry> {
        match self.record(&state_key::did(&holder.did()))? {
            Record::Did(entry) => Some(*entry),
            other => panic!("{other:?} is no entry"),
        }
    }

    /// What the holder's next operation names as the one before it.
    pub fn last(&self, holder: &Holder) -> Hash {
        self.entry(holder)
            .map_or(Hash::ZERO, |entry| entry.last_operation)
    }

    /// Puts a record where it lies, as if operations had led to it.
    pub fn put(&mut self, key: StateKey, record: &Record) {
        self.values.insert(key, record.encode());
    }
}
