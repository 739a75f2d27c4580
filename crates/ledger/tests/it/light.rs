//! What a light client believes of a node's answer.

use realdid_crypto::{Hash, base64url_decode, base64url_encode};
use realdid_did::{Level, Status};
use realdid_ledger::{
    FinalityError, Freshness, GovernanceAction, LightError, MAX_AHEAD, Record, Right, StateAnswer,
    StateProofError, TrustAnchor, state_key,
};
use realdid_token::Purpose;

use crate::proofs::{answer, prefix_answer};
use crate::world::{Ledger, World, decision};

const HEIGHT: u64 = 50;

fn fresh(ledger: &Ledger<'_>) -> Freshness {
    Freshness {
        now: ledger.now + 5,
        max_age: 60,
        lowest_height: HEIGHT,
    }
}

fn anchor(ledger: &Ledger<'_>) -> TrustAnchor {
    TrustAnchor::of(&ledger.world.charter)
}

/// The outcome for a verifier with another clock, limit or memory.
fn outcome(ledger: &Ledger<'_>, change: impl Fn(&mut Freshness)) -> Result<u64, LightError> {
    let keys = [state_key::parameters()];
    let mut freshness = fresh(ledger);
    change(&mut freshness);
    answer(ledger, &keys, HEIGHT)
        .verify(&anchor(ledger), &keys, &freshness)
        .map(|state| state.height())
}

// test: LED-20
#[test]
fn a_header_from_the_future_is_refused() {
    let world = World::new();
    let ledger = Ledger::furnished(&world);
    let time = ledger.now;
    for ahead in [MAX_AHEAD + 1, MAX_AHEAD + 1000] {
        let refused = outcome(&ledger, |it| it.now = time - ahead);
        assert_eq!(refused, Err(LightError::FromFuture { ahead }));
        assert_eq!(refused.unwrap_err().code(), "state_from_future");
    }
    assert_eq!(outcome(&ledger, |it| it.now = time - MAX_AHEAD), Ok(HEIGHT));
}

// test: LED-21
#[test]
fn an_old_header_is_refused() {
    let world = World::new();
    let ledger = Ledger::furnished(&world);
    let time = ledger.now;
    let refused = outcome(&ledger, |it| it.now = time + 61);
    assert_eq!(refused, Err(LightError::Stale { age: 61, max_age: 60 }));
    assert_eq!(refused.unwrap_err().code(), "stale_state");
    assert_eq!(
        outcome(&ledger, |it| (it.now, it.max_age) = (time + 61, 300)),
        Ok(HEIGHT)
    );
    assert_eq!(outcome(&ledger, |it| it.now = time + 60), Ok(HEIGHT));
}

// test: LED-22
#[test]
fn a_header_below_one_already_seen_is_refused() {
    let world = World::new();
    let ledger = Ledger::furnished(&world);
    let refused = outcome(&ledger, |it| it.lowest_height = HEIGHT + 1);
    assert_eq!(
        refused,
        Err(LightError::BelowSeen {
            height: HEIGHT,
            seen: HEIGHT + 1
        })
    );
    assert_eq!(refused.unwrap_err().code(), "state_below_seen");
    assert_eq!(outcome(&ledger, |it| it.lowest_height = HEIGHT), Ok(HEIGHT));
}

// test: LED-23, STP-02
#[test]
fn there_is_one_proof_for_each_key() {
    let world = World::new();
    let ledger = Ledger::furnished(&world);
    let keys = [state_key::parameters(), state_key::did(&world.authority.did())];
    let good = answer(&ledger, &keys, HEIGHT);
    let verify = |answer: &StateAnswer, keys: &[_]| {
        answer
            .verify(&anchor(&ledger), keys, &fresh(&ledger))
            .map(|_| ())
            .map_err(|error| error.code())
    };
    assert_eq!(verify(&good, &keys[..1]), Err("malformed_answer"));
    let mut fewer = good.clone();
    fewer.proofs.pop();
    assert_eq!(verify(&fewer, &keys), Err("malformed_answer"));
    let mut swapped = good.clone();
    swapped.proofs.swap(0, 1);
    assert_eq!(verify(&swapped, &keys), Err("invalid_state_proof"));
    assert_eq!(verify(&good, &keys), Ok(()));
}

// test: LED-24
#[test]
fn an_answer_speaks_about_what_was_asked() {
    let world = World::new();
    let ledger = Ledger::furnished(&world);
    let (known, ghost) = (world.authority.did(), world.person("ghost").did());
    let keys = [state_key::did(&known), state_key::did(&ghost)];
    let state = answer(&ledger, &keys, HEIGHT)
        .verify(&anchor(&ledger), &keys, &fresh(&ledger))
        .unwrap();
    assert_eq!(state.did(&world.signin.did()), Err(LightError::NotProven));
    assert_eq!(state.accreditation(&known), Err(LightError::NotProven));
    assert_eq!(state.epoch_key(&known), Err(LightError::NotProven));
    assert_eq!(state.did(&known), Ok(ledger.entry(&world.authority)));
    assert_eq!(state.did(&ghost), Ok(None), "proven absent");
    let bits = 12;
    let mut prefix = known.0;
    prefix[1] &= 0xf0;
    prefix[2..].fill(0);
    let answer = prefix_answer(&ledger, &prefix, bits, HEIGHT);
    let state = answer
        .verify(&anchor(&ledger), &prefix, bits, &fresh(&ledger))
        .unwrap();
    assert_eq!(state.did(&known), Ok(ledger.entry(&world.authority)));
    let mut neighbour = known;
    neighbour.0[1] ^= 1;
    assert_eq!(
        state.did(&neighbour),
        Ok(None),
        "the first twelve bits are the same"
    );
    neighbour.0[1] ^= 0x10;
    assert_eq!(state.did(&neighbour), Err(LightError::NotProven));
    neighbour = known;
    neighbour.0[0] ^= 1;
    assert_eq!(state.did(&neighbour), Err(LightError::NotProven));
}

// test: LED-21, LED-22, STP-02
#[test]
fn a_recorded_old_absence_proof_is_refused() {
    let world = World::new();
    let mut ledger = Ledger::furnished(&world);
    let person = world.person("person");
    let keys = [state_key::did(&person.did())];
    let recorded = answer(&ledger, &keys, HEIGHT);
    assert_eq!(
        recorded
            .verify(&anchor(&ledger), &keys, &fresh(&ledger))
            .unwrap()
            .did(&person.did()),
        Ok(None)
    );
    ledger
        .did(&person.publish(world.token(0, 0, &person.did())))
        .unwrap();
    ledger
        .did(&person.deactivate_by_recovery(ledger.last(&person), 0))
        .unwrap();
    ledger.now += 120;
    let refused = recorded
        .verify(&anchor(&ledger), &keys, &fresh(&ledger))
        .unwrap_err();
    assert_eq!(refused.code(), "stale_state");
    let seen = Freshness {
        max_age: 300,
        lowest_height: HEIGHT + 10,
        ..fresh(&ledger)
    };
    let refused = recorded.verify(&anchor(&ledger), &keys, &seen).unwrap_err();
    assert_eq!(refused.code(), "state_below_seen");
    // The old proof under the new header does not hold either.
    let mut mixed = answer(&ledger, &keys, HEIGHT + 10);
    let honest = mixed
        .verify(&anchor(&ledger), &keys, &seen)
        .unwrap()
        .did(&person.did())
        .unwrap()
        .unwrap();
    assert_eq!(honest.status(ledger.now), Status::Deactivated);
    mixed.proofs = recorded.proofs;
    let refused = mixed.verify(&anchor(&ledger), &keys, &seen).unwrap_err();
    assert_eq!(refused, LightError::StateProof(StateProofError::Root));
}

// test: FIN-02
#[test]
fn answers_of_another_network_and_broken_ones_are_refused() {
    let (world, other) = (World::new(), World::of(|charter| charter.genesis_time += 1));
    let ledger = Ledger::furnished(&world);
    let keys = [state_key::parameters()];
    let good = answer(&ledger, &keys, HEIGHT);
    let pinned = TrustAnchor::of(&other.charter);
    let refused = good.verify(&pinned, &keys, &fresh(&ledger)).unwrap_err();
    assert_eq!(refused, LightError::Finality(FinalityError::Charter));
    let stranger = TrustAnchor {
        network_key: [0; 96],
        ..anchor(&ledger)
    };
    assert_eq!(
        good.verify(&stranger, &keys, &fresh(&ledger)).unwrap_err().code(),
        "invalid_certificate"
    );
    for (finality, proof, code) in [
        ("!", good.proofs[0].as_str(), "malformed_answer"),
        ("AA", &good.proofs[0], "invalid_certificate"),
        (&good.finality, "!", "malformed_answer"),
        (&good.finality, "AA", "invalid_state_proof"),
    ] {
        let broken = StateAnswer {
            finality: finality.to_owned(),
            proofs: vec![proof.to_owned()],
        };
        assert_eq!(
            broken
                .verify(&anchor(&ledger), &keys, &fresh(&ledger))
                .unwrap_err()
                .code(),
            code
        );
    }
    let mut bytes = base64url_decode(&good.finality).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    let forged = StateAnswer {
        finality: base64url_encode(bytes),
        ..good.clone()
    };
    assert_eq!(
        forged
            .verify(&anchor(&ledger), &keys, &fresh(&ledger))
            .unwrap_err()
            .code(),
        "invalid_certificate"
    );
    assert!(good.verify(&anchor(&ledger), &keys, &fresh(&ledger)).is_ok());
}

#[test]
fn records_of_each_kind_are_read() {
    let world = World::new();
    let ledger = Ledger::furnished(&world);
    let (authority, id) = (world.authority.did(), world.epoch_key(0, 0).id(&world.hash));
    let slot = state_key::epoch_slot(&authority, Purpose::RealName, Level::Substantial, 0);
    let empty = state_key::epoch_slot(&authority, Purpose::RealName, Level::High, 0);
    let keys = [
        state_key::epoch_key(&id),
        slot,
        empty,
        state_key::accreditation(&authority),
        state_key::did(&Hash(state_key::seat(0))),
    ];
    let state = answer(&ledger, &keys, HEIGHT)
        .verify(&anchor(&ledger), &keys, &fresh(&ledger))
        .unwrap();
    assert_eq!(
        (state.height(), state.time(), state.epoch()),
        (HEIGHT, ledger.now, 0)
    );
    assert_eq!(state.epoch_key(&id).unwrap().unwrap().key, world.epoch_key(0, 0));
    let slot = |level| state.epoch_slot(&authority, Purpose::RealName, level, 0);
    assert_eq!(
        (slot(Level::Substantial), slot(Level::High)),
        (Ok(Some(id)), Ok(None))
    );
    assert_eq!(
        state.accreditation(&authority).unwrap().unwrap().name,
        "Authority"
    );
    // A record of another kind under the key that was asked for.
    let seat = Hash(state_key::seat(0));
    assert_eq!(state.record(&seat.0), Ok(Some(Record::Seat(authority))));
    assert_eq!(state.did(&seat), Err(LightError::Record));
}

// test: LED-42, LED-24
#[test]
fn a_right_counts_while_both_it_and_the_accreditation_do() {
    let world = World::new();
    let mut ledger = Ledger::furnished(&world);
    let right = Right::to_ask(world.signin.did(), "https://example.org/licence");
    let stands = |ledger: &Ledger<'_>| {
        let keys = state_key::right(&right);
        let answer = answer(ledger, &keys, HEIGHT);
        let state = answer.verify(&anchor(ledger), &keys, &fresh(ledger)).unwrap();
        (
            state.grant(&right).unwrap().is_some(),
            state.right(&right).unwrap().is_some(),
        )
    };
    assert_eq!(stands(&ledger), (false, false));
    let grant = GovernanceAction::GrantRight {
        right,
        detail: Hash::ZERO,
    };
    let signin = world.signin.did();
    for (sequence, action, counts) in [
        (0, grant.clone(), true),
        (1, GovernanceAction::Suspend(signin), false),
        (2, GovernanceAction::Reinstate(signin), true),
        (3, GovernanceAction::RevokeRight(right), false),
        (4, grant, true),
        (5, GovernanceAction::RevokeAccreditation(signin), false),
    ] {
        ledger.apply(&decision(&world, sequence, action.clone())).unwrap();
        assert_eq!(stands(&ledger), (true, counts), "{action:?}");
    }
    let only = [state_key::grant(&right)];
    let state = answer(&ledger, &only, HEIGHT).verify(&anchor(&ledger), &only, &fresh(&ledger));
    assert_eq!(
        state.unwrap().right(&right),
        Err(LightError::NotProven),
        "without the accreditation nothing is said"
    );
}
