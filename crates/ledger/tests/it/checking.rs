//! What is checked of an operation before any state is looked at.

use proptest::prelude::*;
use realdid_crypto::{DecodeError, Hash};
use realdid_did::{Authorization, FollowError, MAX_OPERATION, OperationError};
use realdid_ledger::{
    BlockContext, CheckedOperation, GovernanceAction, GovernanceOperation, Refusal, Right, Role,
    ServiceAction, ServiceOperation, State, check, decode_did_operation, encode_did_operation, execute,
};

use crate::world::{Ledger, World, decision, member};

/// One operation of each kind and action.
pub fn one_of_each(world: &World) -> Vec<Vec<u8>> {
    let person = world.person("person");
    let token = world.token(0, 0, &person.did());
    let mut operations = vec![
        encode_did_operation(&person.publish(token)),
        encode_did_operation(&person.publish(Authorization::Charter { seat: 0 })),
        encode_did_operation(&person.publish(world.signin.sponsor(&person.did(), 0))),
        encode_did_operation(&person.update(Hash([1; 32]), 1)),
        world.publish_key(0, 1),
        world.service(&world.authority, ServiceAction::AdvanceEpoch { from: 0 }),
        world.service(
            &world.signin,
            ServiceAction::Anchor {
                subject: Hash([1; 32]),
                root: Hash([2; 32]),
                count: 3,
            },
        ),
    ];
    let decided = decisions(&person.did()).into_iter();
    operations.extend(decided.map(|action| decision(world, 3, action)));
    operations
}

/// One decision of each kind about a DID.
fn decisions(did: &Hash) -> Vec<GovernanceAction> {
    let ask = Right::to_ask(*did, "https://example.org/licence");
    vec![
        GovernanceAction::RevokeAccreditation(*did),
        GovernanceAction::RevokeEpochKey(Hash([9; 32])),
        GovernanceAction::Accredit {
            did: *did,
            role: Role::Issuer,
            name: "Traffic Police 交管".to_owned(),
        },
        GovernanceAction::Suspend(*did),
        GovernanceAction::Reinstate(*did),
        GovernanceAction::GrantRight {
            right: Right::to_issue(*did, "https://example.org/licence"),
            detail: Hash::ZERO,
        },
        GovernanceAction::GrantRight {
            right: ask,
            detail: Hash([7; 32]),
        },
        GovernanceAction::RevokeRight(ask),
    ]
}

fn checked(world: &World, bytes: &[u8]) -> Result<CheckedOperation, Refusal> {
    check(&world.charter, &world.hash, bytes)
}

// test: LED-02
#[test]
fn a_services_assertion_key_signs() {
    let world = World::new();
    let good = world.publish_key(0, 1);
    let mut forged = good.clone();
    *forged.last_mut().unwrap() ^= 1;
    assert_eq!(checked(&world, &forged), Err(OperationError::Signature.into()));
    let action = ServiceAction::AdvanceEpoch { from: 0 };
    let by = world.authority;
    let operation = ServiceOperation {
        by: by.did(),
        document: by.document(0),
        action,
    };
    let foreign = operation.sign(&world.hash, 0, &world.signin.key(0));
    assert_eq!(checked(&world, &foreign), Err(OperationError::Signature.into()));
    let second = operation.sign(&world.hash, 1, &by.key(0));
    assert_eq!(checked(&world, &second), Err(OperationError::Signer.into()));
    let keys = vec![realdid_did::VerificationKey::authentication(
        by.key(0).public_key(),
    )];
    let document = realdid_did::DocumentData::new(keys, Vec::new()).unwrap();
    let login = ServiceOperation {
        document,
        ..operation
    }
    .sign(&world.hash, 0, &by.key(0));
    assert_eq!(
        checked(&world, &login),
        Err(OperationError::Signer.into()),
        "an authentication key"
    );
    assert!(checked(&world, &good).is_ok());
}

// test: OP-01
#[test]
fn an_operation_is_for_one_network() {
    let (world, other) = (World::new(), World::of(|charter| charter.genesis_time += 1));
    for bytes in one_of_each(&world) {
        assert_eq!(checked(&other, &bytes), Err(OperationError::OtherNetwork.into()));
        assert!(checked(&world, &bytes).is_ok());
    }
}

// test: LED-02, LED-03, DID-06, OP-05
#[test]
fn every_truncation_every_longer_form_and_every_flipped_bit_is_refused() {
    let world = World::new();
    for bytes in one_of_each(&world) {
        assert_eq!(checked(&world, &bytes).unwrap().bytes(), bytes);
        for length in 0..bytes.len() {
            let refused = checked(&world, &bytes[..length]).unwrap_err();
            assert!(
                matches!(refused, Refusal::Operation(OperationError::Malformed(_))),
                "{length} bytes: {refused}"
            );
        }
        for tail in [&[0][..], &[1, 2]] {
            let longer = [bytes.as_slice(), tail].concat();
            assert!(checked(&world, &longer).is_err());
        }
        for bit in (0..bytes.len() * 8).step_by(5) {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(checked(&world, &flipped).is_err(), "bit {bit}");
        }
    }
}

#[test]
fn unknown_kinds_and_lengths_are_refused() {
    let world = World::new();
    assert_eq!(checked(&world, &[]), Err(DecodeError::UnexpectedEnd.into()));
    for kind in [0, 4, 255] {
        assert_eq!(
            checked(&world, &[kind, 1]),
            Err(DecodeError::Unknown("operation kind").into())
        );
    }
    assert_eq!(
        checked(&world, &vec![1; MAX_OPERATION + 1]),
        Err(OperationError::TooLong.into())
    );
    let mut unknown = world.service(&world.authority, ServiceAction::AdvanceEpoch { from: 0 });
    let at = unknown.len() - 64 - 1 - 8 - 1;
    for code in [0, 4] {
        unknown[at] = code;
        assert_eq!(
            checked(&world, &unknown),
            Err(DecodeError::Unknown("service action").into())
        );
    }
}

proptest! {
    #[test]
    fn nothing_panics(bytes in prop::collection::vec(any::<u8>(), 0..400), kind in 0..5_u8) {
        let world = World::new();
        let _ = checked(&world, &bytes);
        let _ = checked(&world, &[&[kind], world.hash.as_bytes().as_slice(), &bytes].concat());
        let _ = checked(&world, &[&[1, 1], world.hash.as_bytes().as_slice(), &bytes].concat());
        let _ = decode_did_operation(&bytes);
    }
}

#[test]
fn operations_have_different_hashes_that_signatures_do_not_change() {
    let world = World::new();
    let hashes: Vec<_> = one_of_each(&world)
        .iter()
        .map(|it| checked(&world, it).unwrap().hash())
        .collect();
    let distinct: std::collections::BTreeSet<_> = hashes.iter().collect();
    assert_eq!(distinct.len(), hashes.len());
    let action = GovernanceAction::RevokeAccreditation(world.person("person").did());
    let operation = GovernanceOperation { sequence: 3, action };
    let others = operation.sign(&world.hash, &[(1, &member(1)), (2, &member(2))]);
    assert_eq!(checked(&world, &others).unwrap().hash(), hashes[7]);
}

#[test]
fn the_operation_on_a_did_can_be_read_back() {
    let world = World::new();
    let person = world.person("person");
    let signed = person.update(Hash([1; 32]), 1);
    let bytes = encode_did_operation(&signed);
    assert_eq!(decode_did_operation(&bytes), Some(signed.clone()));
    assert_eq!(
        checked(&world, &bytes)
            .unwrap()
            .did_operation()
            .unwrap()
            .operation(),
        &signed.operation
    );
    let service = world.publish_key(0, 1);
    assert_eq!(decode_did_operation(&service), None);
    let service = checked(&world, &service).unwrap();
    assert!(service.did_operation().is_none());
    assert_eq!(service.service_operation().unwrap().by, world.authority.did());
}

/// A value that was not loaded is the caller's mistake: refused, never guessed.
#[test]
fn what_was_not_loaded_is_not_guessed() {
    let world = World::new();
    let block = BlockContext {
        height: 1,
        time_ms: Ledger::genesis(&world).now * 1000,
    };
    for bytes in one_of_each(&world) {
        let operation = checked(&world, &bytes).unwrap();
        let mut state = State::new();
        let outcome = execute(&world.charter, &world.hash, &block, &operation, &mut state);
        assert_eq!(outcome, Err(Refusal::NotLoaded));
        assert_eq!(state.writes().count(), 0);
        assert!(operation.keys().iter().all(|key| !state.knows(key)));
    }
}

/// Operations of one block see each other's writes, and a refused one leaves them as they were.
// test: FOL-01
#[test]
fn a_block_is_executed_in_order_and_refusals_change_nothing() {
    let world = World::new();
    let ledger = Ledger::furnished(&world);
    let person = world.person("person");
    let publish = person.publish(world.token(0, 0, &person.did()));
    let update = person.update(publish.operation.hash(), 1);
    let block = BlockContext {
        height: 1,
        time_ms: ledger.now * 1000,
    };
    let [publish, update] = [publish, update].map(|it| checked(&world, &encode_did_operation(&it)).unwrap());
    let mut state = State::new();
    for key in publish.keys().into_iter().chain(update.keys()) {
        state.load(key, ledger.values.get(&key).copied());
    }
    let mut run = |operation: &CheckedOperation| {
        let before: Vec<_> = state.writes().map(|(key, value)| (*key, *value)).collect();
        let outcome = execute(&world.charter, &world.hash, &block, operation, &mut state);
        let after: Vec<_> = state.writes().map(|(key, value)| (*key, *value)).collect();
        assert_eq!(outcome.is_err(), before == after);
        outcome
    };
    assert_eq!(run(&update), Err(FollowError::NotPublished.into()));
    assert_eq!(run(&publish), Ok(()));
    assert_eq!(run(&publish), Err(FollowError::AlreadyApplied.into()));
    assert_eq!(run(&update), Ok(()));
    assert_eq!(run(&update), Err(FollowError::AlreadyApplied.into()));
}

#[test]
fn every_refusal_has_a_code_of_its_own() {
    let plain = [
        Refusal::TokenUnknownKey,
        Refusal::TokenRevokedKey,
        Refusal::TokenExpired,
        Refusal::TokenInvalid,
        Refusal::SeatUnknown,
        Refusal::SeatTaken,
        Refusal::NotAccredited,
        Refusal::SignerState,
        Refusal::EpochKeyTime,
        Refusal::EpochKeyExists,
        Refusal::ModulusExists,
        Refusal::AnchorExists,
        Refusal::EpochAdvance,
        Refusal::Threshold,
        Refusal::Sequence,
        Refusal::NothingToRevoke,
        Refusal::AlreadyAccredited,
        Refusal::DidNotActive,
        Refusal::Name,
        Refusal::NothingToSuspend,
        Refusal::NothingToReinstate,
        Refusal::RightNotForRole,
        Refusal::RightExists,
        Refusal::NotLoaded,
    ];
    let operation = [
        OperationError::Malformed(DecodeError::UnexpectedEnd),
        OperationError::TooLong,
        OperationError::OtherNetwork,
        OperationError::OtherInception,
        OperationError::Previous,
        OperationError::Signer,
        OperationError::Signature,
    ];
    let follow = [
        FollowError::NotPublished,
        FollowError::AlreadyApplied,
        FollowError::StalePrevious,
        FollowError::Deactivated,
        FollowError::Pending,
        FollowError::NothingToVeto,
        FollowError::VetoUsed,
        FollowError::Commitment,
        FollowError::Document,
        FollowError::NotNewer,
    ];
    let all = plain
        .into_iter()
        .chain(operation.map(Refusal::from))
        .chain(follow.map(Refusal::from));
    let codes: Vec<_> = all.map(|refusal| refusal.code()).collect();
    let distinct: std::collections::BTreeSet<_> = codes.iter().collect();
    assert_eq!(distinct.len(), codes.len());
    assert!(
        codes
            .iter()
            .all(|code| code.bytes().all(|c| c.is_ascii_lowercase() || c == b'_'))
    );
}
