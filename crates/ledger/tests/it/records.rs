use proptest::prelude::*;
use realdid_crypto::{DecodeError, Hash};
use realdid_did::Authorization;
use realdid_ledger::{
    Accreditation, Anchor, CommitteeTurn, EpochKeyRecord, Grant, KnownValidator, Parameters, Record, Right,
    RightKind, Role, Schedule, StateValue, VALUE_LEN, state_key,
};

use crate::world::{Ledger, World};

fn hash(byte: u8) -> Hash {
    Hash([byte; 32])
}

/// One record of each kind.
pub fn one_of_each() -> Vec<Record> {
    let world = World::new();
    let ledger = Ledger::furnished(&world);
    let accreditation = |name: &str| Accreditation {
        did: hash(1),
        role: Role::Signin,
        name: name.to_owned(),
        revoked_at: 5,
        suspended_at: 0,
    };
    let mut records = vec![
        Record::Did(Box::new(ledger.entry(&world.authority).unwrap())),
        Record::EpochKey(Box::new(EpochKeyRecord {
            key: world.epoch_key(0, 3),
            published_at: 4,
            revoked_at: 5,
        })),
        Record::EpochSlot(hash(1)),
        Record::Modulus(hash(2)),
        Record::Accreditation(accreditation("Ministry of Examples 例部")),
        Record::Accreditation(accreditation(&"x".repeat(64))),
        Record::Seat(hash(3)),
        Record::Parameters(Parameters {
            advanced_epochs: 1,
            governance_sequence: 2,
        }),
        Record::Anchor(Anchor {
            by: hash(1),
            subject: hash(2),
            root: hash(3),
            count: 4,
            time: 5,
        }),
        Record::Accreditation(Accreditation {
            role: Role::Issuer,
            revoked_at: 0,
            suspended_at: 6,
            ..accreditation("Suspended")
        }),
        Record::Grant(Grant {
            right: Right {
                did: hash(1),
                kind: RightKind::Ask,
                type_id: hash(2),
            },
            detail: hash(3),
            granted_at: 4,
            revoked_at: 5,
        }),
    ];
    let last = records.len() - 1;
    records.splice(last..last, of_committees());
    records
}

fn of_committees() -> [Record; 3] {
    [
        Record::Validator(Box::new(KnownValidator {
            index: 7,
            link_key: hash(1),
            name: "n".repeat(64),
            address: "a".repeat(80),
            moves: Some((9, "b".repeat(80))),
        })),
        Record::ValidatorIndex(hash(1)),
        Record::Schedule(Schedule {
            known: 40,
            turns: (0..4)
                .map(|from| CommitteeTurn {
                    from,
                    members: (0..32).collect(),
                })
                .collect(),
        }),
    ]
}

// test: LED-01
#[test]
fn a_record_has_one_encoding() {
    for record in one_of_each() {
        let value = record.encode();
        let mut padded = value;
        padded[VALUE_LEN - 1] = 1;
        assert_eq!(
            Record::decode(&padded),
            Err(DecodeError::NotCanonical("record")),
            "{record:?}"
        );
        for at in 0..VALUE_LEN {
            for bit in 0..8 {
                let mut changed = value;
                changed[at] ^= 1 << bit;
                if let Ok(other) = Record::decode(&changed) {
                    assert_eq!(other.encode(), changed, "byte {at} of {record:?}");
                    assert_ne!(other, record);
                }
            }
        }
        assert_eq!(Record::decode(&value), Ok(record));
    }
}

#[test]
fn unknown_records_and_roles_are_refused() {
    let mut value: StateValue = [0; VALUE_LEN];
    for tag in [0, 13, 255] {
        value[0] = tag;
        assert_eq!(Record::decode(&value), Err(DecodeError::Unknown("record")));
    }
    let accreditation = one_of_each().swap_remove(4);
    for role in [0, 5] {
        let mut value = accreditation.encode();
        value[33] = role;
        assert_eq!(Record::decode(&value), Err(DecodeError::Unknown("role")));
    }
    let grant = one_of_each().pop().unwrap();
    for kind in [0, 3] {
        let mut value = grant.encode();
        value[33] = kind;
        assert_eq!(Record::decode(&value), Err(DecodeError::Unknown("right")));
    }
    let mut value = accreditation.encode();
    value[35] = 65;
    assert_eq!(Record::decode(&value), Err(DecodeError::TooLong("name")));
}

proptest! {
    // test: LED-01
    #[test]
    fn any_value_is_canonical_or_refused(tag in 0..11_u8, bytes in prop::collection::vec(any::<u8>(), 0..383)) {
        let mut value: StateValue = [0; VALUE_LEN];
        value[0] = tag;
        value[1..=bytes.len()].copy_from_slice(&bytes);
        if let Ok(record) = Record::decode(&value) {
            prop_assert_eq!(record.encode(), value);
        }
    }
}

/// Nothing that two records can be about shares a key.
#[test]
fn keys_of_the_state_are_apart() {
    use realdid_did::Level;
    use realdid_token::Purpose;
    let (one, two) = (hash(1), hash(2));
    let right = |did, kind, type_id| Right { did, kind, type_id };
    let slot = |by, level, epoch| state_key::epoch_slot(by, Purpose::RealName, level, epoch);
    let keys = [
        state_key::parameters(),
        state_key::did(&one),
        state_key::epoch_key(&one),
        state_key::modulus(one.as_bytes()),
        state_key::accreditation(&one),
        state_key::anchor(&one, &two),
        state_key::anchor(&two, &one),
        state_key::seat(0),
        state_key::seat(1),
        slot(&one, Level::Low, 0),
        slot(&one, Level::High, 0),
        slot(&one, Level::Low, 1),
        slot(&two, Level::Low, 0),
        state_key::grant(&right(one, RightKind::Issue, two)),
        state_key::grant(&right(one, RightKind::Ask, two)),
        state_key::grant(&right(two, RightKind::Ask, one)),
    ];
    let distinct: std::collections::BTreeSet<_> = keys.iter().collect();
    assert_eq!(distinct.len(), keys.len());
}

#[test]
fn the_authorization_of_a_seat_is_the_services() {
    let world = World::new();
    let mut ledger = Ledger::genesis(&world);
    ledger
        .did(&world.signin.publish(Authorization::Charter { seat: 1 }))
        .unwrap();
    assert_eq!(
        ledger.record(&state_key::seat(1)),
        Some(Record::Seat(world.signin.did()))
    );
    let expected = Accreditation {
        did: world.signin.did(),
        role: Role::Signin,
        name: "Sign-in".to_owned(),
        revoked_at: 0,
        suspended_at: 0,
    };
    let key = state_key::accreditation(&world.signin.did());
    assert_eq!(ledger.record(&key), Some(Record::Accreditation(expected)));
}
