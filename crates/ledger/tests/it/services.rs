//! What accredited services do: epoch keys, the sandbox's epoch, anchors.

use realdid_crypto::Hash;
use realdid_did::Level;
use realdid_ledger::{Anchor, EpochKeyRecord, Record, Refusal, Role, ServiceAction, state_key};
use realdid_token::{EpochKey, Purpose};

use crate::authority::changed;
use crate::world::{EPOCH, Ledger, World};

fn seated(world: &World) -> Ledger<'_> {
    let mut ledger = Ledger::genesis(world);
    for (seat, holder) in [(0, world.authority), (1, world.signin)] {
        ledger
            .did(&holder.publish(realdid_did::Authorization::Charter { seat }))
            .unwrap();
    }
    ledger
}

fn publish(world: &World, key: EpochKey) -> Vec<u8> {
    world.service(&world.authority, ServiceAction::PublishEpochKey(Box::new(key)))
}

#[test]
fn an_epoch_key_takes_its_three_places() {
    let world = World::new();
    let mut ledger = seated(&world);
    let key = world.epoch_key(0, 1);
    let id = key.id(&world.hash);
    ledger.apply(&publish(&world, key.clone())).unwrap();
    let record = EpochKeyRecord {
        key: key.clone(),
        published_at: ledger.now,
        revoked_at: 0,
    };
    assert_eq!(
        ledger.record(&state_key::epoch_key(&id)),
        Some(Record::EpochKey(Box::new(record)))
    );
    let slot = state_key::epoch_slot(&world.authority.did(), Purpose::RealName, Level::Substantial, 1);
    assert_eq!(ledger.record(&slot), Some(Record::EpochSlot(id)));
    assert_eq!(
        ledger.record(&state_key::modulus(key.modulus())),
        Some(Record::Modulus(id))
    );
}

// test: LED-14
#[test]
fn an_authority_publishes_its_own_keys() {
    let world = World::new();
    let mut ledger = seated(&world);
    let others = changed(&world.epoch_key(0, 1), |key| key.authority = world.signin.did());
    assert_eq!(
        ledger.apply(&publish(&world, others)),
        Err(Refusal::NotAccredited)
    );
    ledger.apply(&world.publish_key(0, 1)).unwrap();
}

// test: LED-43
#[test]
fn only_an_accredited_authority_publishes_keys_and_advances() {
    let world = World::new();
    let mut ledger = Ledger::furnished(&world);
    let person = world.person("person");
    ledger
        .did(&person.publish(world.token(0, 0, &person.did())))
        .unwrap();
    for by in [world.signin, person] {
        let key = changed(&world.epoch_key(0, 1), |key| key.authority = by.did());
        let publish = world.service(&by, ServiceAction::PublishEpochKey(Box::new(key)));
        assert_eq!(ledger.apply(&publish), Err(Refusal::NotAccredited));
        let advance = world.service(&by, ServiceAction::AdvanceEpoch { from: 0 });
        assert_eq!(ledger.apply(&advance), Err(Refusal::NotAccredited));
    }
    let key = state_key::accreditation(&world.authority.did());
    let Some(Record::Accreditation(mut accreditation)) = ledger.record(&key) else {
        panic!("accredited")
    };
    assert_eq!(accreditation.role, Role::Authority);
    accreditation.revoked_at = 1;
    let mut struck_off = ledger.clone();
    struck_off.put(key, &Record::Accreditation(accreditation));
    let advance = world.service(&world.authority, ServiceAction::AdvanceEpoch { from: 0 });
    assert_eq!(struck_off.apply(&advance), Err(Refusal::NotAccredited));
    ledger.apply(&advance).unwrap();
}

// test: LED-11
#[test]
fn a_service_acts_with_its_current_keys_while_it_is_active() {
    let world = World::new();
    let mut ledger = seated(&world);
    let publish = world.publish_key(0, 1);
    let ghost = world.service(&world.person("ghost"), ServiceAction::AdvanceEpoch { from: 0 });
    assert_eq!(ledger.apply(&ghost), Err(Refusal::SignerState));
    let mut rotated = ledger.clone();
    rotated
        .did(&world.authority.update(rotated.last(&world.authority), 1))
        .unwrap();
    assert_eq!(
        rotated.apply(&publish),
        Err(Refusal::SignerState),
        "signed with the old keys"
    );
    let mut ended = ledger.clone();
    ended
        .did(
            &world
                .authority
                .deactivate_by_recovery(ended.last(&world.authority), 0),
        )
        .unwrap();
    assert_eq!(ended.apply(&publish), Err(Refusal::SignerState));
    ledger.apply(&publish).unwrap();
}

// test: LED-15
#[test]
fn an_epoch_key_is_published_one_epoch_ahead() {
    let world = World::new();
    for current in 0..3_u64 {
        let mut ledger = seated(&world);
        ledger.now += current * EPOCH;
        for epoch in [0, 1, 2, 3, 4, u64::MAX] {
            let allowed = epoch == current + 1 || (epoch == 0 && current == 0);
            let expected = if allowed {
                Ok(())
            } else {
                Err(Refusal::EpochKeyTime)
            };
            let outcome = ledger.clone().apply(&publish(&world, world.epoch_key(0, epoch)));
            assert_eq!(outcome, expected, "key of {epoch} in {current}");
        }
    }
}

// test: LED-16
#[test]
fn there_is_one_key_for_a_purpose_level_and_epoch() {
    let world = World::new();
    let mut ledger = seated(&world);
    ledger.apply(&publish(&world, world.epoch_key(0, 1))).unwrap();
    assert_eq!(
        ledger.apply(&publish(&world, world.epoch_key(1, 1))),
        Err(Refusal::EpochKeyExists)
    );
    assert_eq!(
        ledger.apply(&publish(&world, world.epoch_key(0, 1))),
        Err(Refusal::EpochKeyExists),
        "the same again"
    );
    let higher = changed(&world.epoch_key(1, 1), |key| key.level = Level::High);
    ledger.apply(&publish(&world, higher)).unwrap();
}

// test: LED-17
#[test]
fn a_modulus_serves_one_key() {
    let world = World::new();
    let mut ledger = seated(&world);
    ledger.apply(&publish(&world, world.epoch_key(0, 0))).unwrap();
    assert_eq!(
        ledger.apply(&publish(&world, world.epoch_key(0, 1))),
        Err(Refusal::ModulusExists),
        "another epoch"
    );
    let higher = changed(&world.epoch_key(0, 0), |key| key.level = Level::High);
    assert_eq!(
        ledger.apply(&publish(&world, higher)),
        Err(Refusal::ModulusExists),
        "another level"
    );
    ledger.apply(&publish(&world, world.epoch_key(1, 1))).unwrap();
}

// test: LED-18
#[test]
fn only_a_sandbox_advances_and_only_from_the_current_epoch() {
    let world = World::new();
    let mut ledger = seated(&world);
    let advance = |world: &World, from| world.service(&world.authority, ServiceAction::AdvanceEpoch { from });
    assert_eq!(ledger.apply(&advance(&world, 1)), Err(Refusal::EpochAdvance));
    ledger.apply(&advance(&world, 0)).unwrap();
    assert_eq!(
        ledger.apply(&advance(&world, 0)),
        Err(Refusal::EpochAdvance),
        "replayed"
    );
    ledger.now += EPOCH;
    assert_eq!(
        ledger.apply(&advance(&world, 1)),
        Err(Refusal::EpochAdvance),
        "time went on as well"
    );
    ledger.apply(&advance(&world, 2)).unwrap();
    let Some(Record::Parameters(parameters)) = ledger.record(&state_key::parameters()) else {
        panic!("numbers")
    };
    assert_eq!(parameters.advanced_epochs, 2);
    let real = World::of(|charter| charter.sandbox = false);
    assert_eq!(
        seated(&real).apply(&advance(&real, 0)),
        Err(Refusal::EpochAdvance),
        "no sandbox"
    );
}

// test: LED-13
#[test]
fn a_subject_is_anchored_once() {
    let world = World::new();
    let mut ledger = seated(&world);
    let (subject, root) = (Hash([1; 32]), Hash([2; 32]));
    let anchor = |by, subject, root| {
        world.service(
            by,
            ServiceAction::Anchor {
                subject,
                root,
                count: 3,
            },
        )
    };
    ledger.apply(&anchor(&world.authority, subject, root)).unwrap();
    for other in [root, Hash([3; 32])] {
        let again = anchor(&world.authority, subject, other);
        assert_eq!(ledger.apply(&again), Err(Refusal::AnchorExists));
    }
    let expected = Anchor {
        by: world.authority.did(),
        subject,
        root,
        count: 3,
        time: ledger.now,
    };
    let key = state_key::anchor(&world.authority.did(), &subject);
    assert_eq!(ledger.record(&key), Some(Record::Anchor(expected)));
    ledger.apply(&anchor(&world.signin, subject, root)).unwrap();
    ledger.apply(&anchor(&world.authority, root, root)).unwrap();
    let ghost = world.person("ghost");
    assert_eq!(
        ledger.apply(&anchor(&ghost, subject, root)),
        Err(Refusal::SignerState)
    );
}
