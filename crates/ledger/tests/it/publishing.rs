//! Putting DIDs on the ledger: by a seat, under a sponsor; and what follows.

use realdid_crypto::Hash;
use realdid_did::{
    Action, Authorization, Backing, FollowError, Founding, Inception, OperationError, SignedOperation, Status,
};
use realdid_ledger::{Accreditation, Record, Refusal, Role, state_key};

use crate::holder::Holder;
use crate::world::{Ledger, World};

const fn seat(seat: u16) -> Authorization {
    Authorization::Charter { seat }
}

// test: LED-05
#[test]
fn a_seat_is_for_the_key_that_the_charter_names() {
    let world = World::new();
    let mut ledger = Ledger::genesis(&world);
    let stranger = world.person("stranger");
    for index in [0, 1] {
        assert_eq!(
            ledger.did(&stranger.publish(seat(index))),
            Err(Refusal::SeatUnknown)
        );
    }
    assert_eq!(
        ledger.did(&world.authority.publish(seat(1))),
        Err(Refusal::SeatUnknown),
        "another's seat"
    );
    assert_eq!(
        ledger.did(&world.authority.publish(seat(2))),
        Err(Refusal::SeatUnknown),
        "no seat"
    );
    ledger.did(&world.authority.publish(seat(0))).unwrap();
    let entry = ledger.entry(&world.authority).unwrap();
    assert_eq!(
        (entry.assurance.backing, entry.assurance.by),
        (Backing::Charter, Hash::ZERO)
    );
}

/// Another DID of the same first key, so with a claim to the same seat.
fn twin(holder: &Holder) -> (Inception, SignedOperation) {
    let inception = Inception {
        next: holder.next(9),
        ..holder.inception()
    };
    let action = Action::Publish(Box::new(Founding {
        inception: inception.clone(),
        authorization: seat(0),
    }));
    let mut operation = holder.operation(Hash::ZERO, action);
    operation.did = inception.hash();
    (inception, operation.sign(0, &holder.key(0)))
}

// test: LED-12
#[test]
fn a_seat_is_taken_once() {
    let world = World::new();
    let mut ledger = Ledger::genesis(&world);
    let (inception, second) = twin(&world.authority);
    let mut other = ledger.clone();
    other.did(&second).unwrap();
    ledger.did(&world.authority.publish(seat(0))).unwrap();
    assert_eq!(ledger.did(&second), Err(Refusal::SeatTaken));
    assert!(ledger.record(&state_key::did(&inception.hash())).is_none());
    assert_eq!(
        ledger.record(&state_key::seat(0)),
        Some(Record::Seat(world.authority.did()))
    );
}

/// A seat's DID can be recovered as its first operation, and has its seat then.
// test: LED-11
#[test]
fn a_seat_is_also_taken_by_a_first_recovery() {
    let world = World::new();
    let mut ledger = Ledger::genesis(&world);
    ledger
        .did(&world.authority.recover_with(Hash::ZERO, Some(seat(0)), 0, 2))
        .unwrap();
    assert_eq!(
        ledger.record(&state_key::seat(0)),
        Some(Record::Seat(world.authority.did()))
    );
    assert_eq!(
        ledger.entry(&world.authority).unwrap().status(ledger.now),
        Status::Recovering
    );
    assert_eq!(
        ledger.apply(&world.publish_key(0, 0)),
        Err(Refusal::SignerState),
        "not while it recovers"
    );
}

// test: LED-10
#[test]
fn a_sponsor_is_accredited() {
    let world = World::new();
    let (site, person) = (world.person("site"), world.person("person"));
    let mut ledger = Ledger::furnished(&world);
    ledger
        .did(&person.publish(world.token(0, 0, &person.did())))
        .unwrap();
    let by_person = site.publish(person.sponsor(&site.did(), 0));
    assert_eq!(
        ledger.did(&by_person),
        Err(Refusal::NotAccredited),
        "a person is not"
    );
    let by_service = site.publish(world.signin.sponsor(&site.did(), 0));
    for (role, revoked_at, suspended_at, why) in [
        (Role::Signin, 1, 0, "struck off"),
        (Role::Signin, 0, 1, "suspended"),
        (Role::Issuer, 0, 0, "an issuer answers for nobody"),
        (Role::Verifier, 0, 0, "a verifier answers for nobody"),
    ] {
        let accreditation = Accreditation {
            did: world.signin.did(),
            role,
            name: "Sign-in".to_owned(),
            revoked_at,
            suspended_at,
        };
        let key = state_key::accreditation(&world.signin.did());
        let mut changed = ledger.clone();
        changed.put(key, &Record::Accreditation(accreditation));
        assert_eq!(changed.did(&by_service), Err(Refusal::NotAccredited), "{why}");
    }
    ledger.did(&by_service).unwrap();
    let entry = ledger.entry(&site).unwrap();
    assert_eq!(
        (entry.assurance.backing, entry.assurance.by),
        (Backing::Sponsor, world.signin.did())
    );
}

// test: LED-11
#[test]
fn a_sponsor_is_active_and_shows_its_current_document() {
    let world = World::new();
    let (site, signin) = (world.person("site"), world.signin);
    let before = Ledger::furnished(&world);
    let sponsored = |generation| site.publish(signin.sponsor(&site.did(), generation));
    let ghost = site.publish(world.person("ghost").sponsor(&site.did(), 0));
    assert_eq!(
        before.clone().did(&ghost),
        Err(Refusal::SignerState),
        "not on the ledger"
    );
    assert_eq!(
        before.clone().did(&sponsored(1)),
        Err(Refusal::SignerState),
        "the next keys, not yet current"
    );
    let mut rotated = before.clone();
    rotated.did(&signin.update(rotated.last(&signin), 1)).unwrap();
    assert_eq!(
        rotated.did(&sponsored(0)),
        Err(Refusal::SignerState),
        "the old keys"
    );
    rotated.did(&sponsored(1)).unwrap();
    let mut ended = before.clone();
    ended
        .did(&signin.deactivate_by_recovery(ended.last(&signin), 0))
        .unwrap();
    assert_eq!(ended.did(&sponsored(0)), Err(Refusal::SignerState), "deactivated");
    let mut recovering = before.clone();
    recovering
        .did(&signin.recover(recovering.last(&signin), 0, 3))
        .unwrap();
    assert_eq!(
        recovering.did(&sponsored(0)),
        Err(Refusal::SignerState),
        "recovering"
    );
    recovering.now += world.charter.recovery_delay;
    assert_eq!(
        recovering.did(&sponsored(0)),
        Err(Refusal::SignerState),
        "recovered: other keys"
    );
    recovering.did(&sponsored(3)).unwrap();
}

// test: FOL-01, FOL-02, FOL-03, FOL-09, FOL-11
#[test]
fn a_did_lives_its_life_on_the_ledger() {
    let world = World::new();
    let person = world.person("person");
    let mut ledger = Ledger::furnished(&world);
    assert_eq!(
        ledger.did(&person.update(Hash([1; 32]), 1)),
        Err(FollowError::NotPublished.into())
    );
    let publish = person.publish(world.token(0, 0, &person.did()));
    ledger.did(&publish).unwrap();
    assert_eq!(
        ledger.did(&publish),
        Err(FollowError::AlreadyApplied.into()),
        "replayed"
    );
    let update = person.update(ledger.last(&person), 1);
    ledger.now += 5;
    ledger.did(&update).unwrap();
    assert_eq!(ledger.did(&publish), Err(FollowError::StalePrevious.into()));
    let entry = ledger.entry(&person).unwrap();
    assert_eq!(
        (entry.version, entry.created, entry.updated),
        (2, ledger.now - 5, ledger.now)
    );
    ledger.did(&person.recover(ledger.last(&person), 0, 5)).unwrap();
    assert_eq!(
        ledger.did(&person.update(ledger.last(&person), 2)),
        Err(FollowError::Pending.into())
    );
    ledger.did(&person.veto(ledger.last(&person), 2)).unwrap();
    ledger.did(&person.recover(ledger.last(&person), 0, 7)).unwrap();
    assert_eq!(
        ledger.did(&person.veto(ledger.last(&person), 3)),
        Err(FollowError::VetoUsed.into())
    );
    ledger.now += world.charter.vetoed_recovery_delay;
    ledger.did(&person.update(ledger.last(&person), 8)).unwrap();
    ledger
        .did(&person.deactivate_by_next(ledger.last(&person), 9))
        .unwrap();
    ledger.now += world.charter.recovery_delay;
    let late = person.recover(ledger.last(&person), 1, 11);
    assert_eq!(ledger.did(&late), Err(FollowError::Deactivated.into()));
    assert_eq!(ledger.entry(&person).unwrap().version, 7);
}

// test: OP-02, OP-05
#[test]
fn somebody_else_cannot_publish_my_long_form() {
    let world = World::new();
    let (mine, thief) = (world.person("me"), world.person("thief"));
    let mut ledger = Ledger::furnished(&world);
    let publish = mine.publish(world.token(0, 0, &mine.did()));
    let stolen = publish.operation.clone().sign(0, &thief.key(0));
    assert_eq!(ledger.did(&stolen), Err(OperationError::Signature.into()));
    let renamed = thief
        .operation(Hash::ZERO, publish.operation.action.clone())
        .sign(0, &mine.key(0));
    assert_eq!(ledger.did(&renamed), Err(OperationError::OtherInception.into()));
    ledger.did(&publish).unwrap();
}
