//! What the consortium decides, by as many members as the charter asks for.

use realdid_crypto::{DecodeError, SecretKey};
use realdid_did::OperationError;
use realdid_ledger::{GovernanceAction, GovernanceOperation, Record, Refusal, state_key};

use crate::world::{Ledger, World, member};

fn revoke_key(world: &World, sequence: u64) -> GovernanceOperation {
    let id = world.epoch_key(0, 0).id(&world.hash);
    GovernanceOperation {
        sequence,
        action: GovernanceAction::RevokeEpochKey(id),
    }
}

fn signed(world: &World, operation: &GovernanceOperation, by: &[u8]) -> Vec<u8> {
    let keys: Vec<SecretKey> = by.iter().map(|index| member(*index)).collect();
    let members: Vec<_> = by.iter().copied().zip(&keys).collect();
    operation.sign(&world.hash, &members)
}

/// Where the signatures begin: kind, charter, sequence, action code, subject, then their count.
const COUNT: usize = 1 + 32 + 8 + 1 + 32;

// test: LED-03
#[test]
fn each_signature_is_its_members() {
    let world = World::new();
    let mut ledger = Ledger::furnished(&world);
    let operation = revoke_key(&world, 0);
    let good = signed(&world, &operation, &[0, 2]);
    let impostor = operation.sign(&world.hash, &[(0, &member(0)), (1, &member(2))]);
    assert_eq!(ledger.apply(&impostor), Err(OperationError::Signature.into()));
    for at in [COUNT + 2, COUNT + 60, good.len() - 1, COUNT - 1, 33 + 7] {
        let mut changed = good.clone();
        changed[at] ^= 1;
        assert_eq!(
            ledger.apply(&changed),
            Err(OperationError::Signature.into()),
            "byte {at}"
        );
    }
    let elsewhere = World::of(|charter| charter.genesis_time += 1);
    let mut replayed = signed(&elsewhere, &operation, &[0, 2]);
    assert_eq!(ledger.apply(&replayed), Err(OperationError::OtherNetwork.into()));
    replayed[1..33].copy_from_slice(world.hash.as_bytes());
    assert_eq!(ledger.apply(&replayed), Err(OperationError::Signature.into()));
    ledger.apply(&good).unwrap();
}

// test: LED-04
#[test]
fn as_many_members_sign_as_the_charter_asks_for() {
    let world = World::new();
    let operation = revoke_key(&world, 0);
    for by in [&[][..], &[0], &[2]] {
        let outcome = Ledger::furnished(&world).apply(&signed(&world, &operation, by));
        assert_eq!(outcome, Err(Refusal::Threshold));
    }
    for by in [&[0, 1][..], &[1, 2], &[0, 1, 2]] {
        Ledger::furnished(&world)
            .apply(&signed(&world, &operation, by))
            .unwrap();
    }
}

#[test]
fn members_sign_once_and_in_order() {
    let world = World::new();
    let mut ledger = Ledger::furnished(&world);
    let operation = revoke_key(&world, 0);
    for by in [&[0, 0][..], &[1, 0], &[0, 1, 1]] {
        let expected: Refusal = DecodeError::NotCanonical("signatures").into();
        assert_eq!(
            ledger.apply(&signed(&world, &operation, by)),
            Err(expected),
            "{by:?}"
        );
    }
    let stranger = operation.sign(&world.hash, &[(0, &member(0)), (3, &member(3))]);
    assert_eq!(ledger.apply(&stranger), Err(OperationError::Signer.into()));
    let mut trailing = signed(&world, &operation, &[0, 1]);
    trailing.push(0);
    assert_eq!(ledger.apply(&trailing), Err(DecodeError::TrailingBytes(1).into()));
    trailing.pop();
    let mut unknown = trailing.clone();
    unknown[41] = 10;
    assert_eq!(
        ledger.apply(&unknown),
        Err(DecodeError::Unknown("governance action").into())
    );
    ledger.apply(&trailing).unwrap();
}

// test: LED-19
#[test]
fn decisions_are_numbered() {
    let world = World::new();
    let mut ledger = Ledger::furnished(&world);
    for sequence in [1, 2, u64::MAX] {
        let early = signed(&world, &revoke_key(&world, sequence), &[0, 1]);
        assert_eq!(ledger.apply(&early), Err(Refusal::Sequence));
    }
    let first = signed(&world, &revoke_key(&world, 0), &[0, 1]);
    ledger.apply(&first).unwrap();
    assert_eq!(ledger.apply(&first), Err(Refusal::Sequence), "replayed");
    let action = GovernanceAction::RevokeAccreditation(world.signin.did());
    let second = GovernanceOperation { sequence: 1, action };
    ledger.apply(&signed(&world, &second, &[1, 2])).unwrap();
    let Some(Record::Parameters(parameters)) = ledger.record(&state_key::parameters()) else {
        panic!("numbers")
    };
    assert_eq!(parameters.governance_sequence, 2);
}

// test: LED-41, LED-07
#[test]
fn a_revocation_takes_effect_at_its_block_and_once() {
    let world = World::new();
    let mut ledger = Ledger::furnished(&world);
    let (before, after) = (world.person("before"), world.person("after"));
    ledger
        .did(&before.publish(world.token(0, 0, &before.did())))
        .unwrap();
    ledger
        .apply(&signed(&world, &revoke_key(&world, 0), &[0, 1]))
        .unwrap();
    let revoked_at = ledger.now;
    let id = world.epoch_key(0, 0).id(&world.hash);
    let Some(Record::EpochKey(record)) = ledger.record(&state_key::epoch_key(&id)) else {
        panic!("a key")
    };
    assert_eq!(record.revoked_at, revoked_at);
    let publish = after.publish(world.token(0, 0, &after.did()));
    assert_eq!(ledger.did(&publish), Err(Refusal::TokenRevokedKey));
    let update = before.update(ledger.last(&before), 1);
    ledger.did(&update).unwrap();
    let again = signed(&world, &revoke_key(&world, 1), &[0, 1]);
    assert_eq!(
        ledger.apply(&again),
        Err(Refusal::NothingToRevoke),
        "it is revoked"
    );
}

// test: LED-41, LED-07
#[test]
fn there_must_be_something_to_revoke() {
    let world = World::new();
    let mut ledger = Ledger::furnished(&world);
    let nobody = world.person("nobody").did();
    for action in [
        GovernanceAction::RevokeEpochKey(nobody),
        GovernanceAction::RevokeAccreditation(nobody),
    ] {
        let operation = GovernanceOperation { sequence: 0, action };
        assert_eq!(
            ledger.apply(&signed(&world, &operation, &[0, 1])),
            Err(Refusal::NothingToRevoke)
        );
    }
    let strike = |sequence| GovernanceOperation {
        sequence,
        action: GovernanceAction::RevokeAccreditation(world.authority.did()),
    };
    ledger.apply(&signed(&world, &strike(0), &[0, 1])).unwrap();
    assert_eq!(
        ledger.apply(&signed(&world, &strike(1), &[0, 1])),
        Err(Refusal::NothingToRevoke)
    );
    let person = world.person("person");
    let publish = person.publish(world.token(0, 0, &person.did()));
    assert_eq!(
        ledger.did(&publish),
        Err(Refusal::TokenRevokedKey),
        "its tokens are refused from here"
    );
}
