//! What nodes prove of two people and their authority in several states of the ledger: for judging logins,
//! here and in other languages.

use realdid_crypto::{Hash, base64url_encode, hash_labelled};
use realdid_did::{Authorization, Did, Level, Network};
use realdid_ledger::{
    Freshness, GovernanceAction, Right, Role, StateAnswer, StateKey, TrustAnchor, state_key,
};
use realdid_token::Purpose;
use serde_json::{Value, json};

use crate::frozen;
use crate::holder::Holder;
use crate::proofs::{finality, header, prove};
use crate::world::{EPOCH, Ledger, World, decision};

const TYPE: &str = "urn:example:licence:1";

/// What a node answers about `keys`, under a header of an epoch.
fn answer(ledger: &Ledger<'_>, keys: &[StateKey], epoch: u64) -> StateAnswer {
    let proven = prove(&ledger.values);
    let mut header = header(ledger.world, proven.root, 50, ledger.now * 1000);
    header.epoch = epoch;
    let proof = |key| base64url_encode(proven.of(key).encode());
    StateAnswer {
        finality: base64url_encode(finality(ledger.world, vec![header]).encode()),
        proofs: keys.iter().map(proof).collect(),
    }
}

/// What a holder has: the seed of its key of a generation, its DID, its token of epoch 0.
fn person(world: &World, holder: &Holder, generation: u8) -> Value {
    let Authorization::Token { token, .. } = world.token(0, 0, &holder.did()) else {
        unreachable!("a token")
    };
    let did = Did {
        network: Network::new("sandbox").unwrap(),
        hash: holder.did(),
    };
    json!({
        "seed": hash_labelled("key", &[&[generation], holder.name.as_bytes()]),
        "did": did.to_string(),
        "long_form": did.long_form(&holder.inception()),
        "token": base64url_encode(token.as_slice()),
    })
}

/// States of the ledger, each with the epoch of its header.
fn states<'w>(world: &'w World, published: &Holder) -> Vec<(&'static str, Ledger<'w>, u64)> {
    let mut now = Ledger::furnished(world);
    now.did(&published.publish(world.token(0, 0, &published.did())))
        .unwrap();
    now.did(&published.update(now.last(published), 1)).unwrap();
    let then = |change: &dyn Fn(&mut Ledger<'_>)| {
        let mut ledger = now.clone();
        change(&mut ledger);
        ledger
    };
    let decide =
        |action: GovernanceAction| then(&|it| it.apply(&decision(world, 0, action.clone())).unwrap());
    let key = world.epoch_key(0, 0).id(&world.hash);
    let recovering = then(&|it| {
        it.did(&published.recover(it.last(published), 0, 5)).unwrap();
    });
    let mut recovered = recovering.clone();
    recovered.now += world.charter.recovery_delay;
    vec![
        ("now", now.clone(), 0),
        ("an epoch later", now.clone(), 1),
        ("two epochs later", now.clone(), 2),
        ("recovering", recovering, 0),
        ("recovered", recovered, 0),
        (
            "deactivated",
            then(&|it| {
                it.did(&published.deactivate_by_recovery(it.last(published), 0))
                    .unwrap();
            }),
            0,
        ),
        (
            "the token's key revoked",
            decide(GovernanceAction::RevokeEpochKey(key)),
            0,
        ),
        (
            "the authority suspended",
            decide(GovernanceAction::Suspend(world.authority.did())),
            0,
        ),
        (
            "the authority struck off",
            decide(GovernanceAction::RevokeAccreditation(world.authority.did())),
            0,
        ),
        (
            "before there was a key",
            {
                let mut ledger = Ledger::genesis(world);
                ledger
                    .did(&world.authority.publish(Authorization::Charter { seat: 0 }))
                    .unwrap();
                ledger
            },
            0,
        ),
    ]
}

/// What is proven of a right, granted to a person who was accredited as an issuer, after these decisions.
fn right(world: &World, holder: &Holder, name: &str, later: &[GovernanceAction]) -> Value {
    let mut ledger = Ledger::furnished(world);
    ledger
        .did(&holder.publish(world.token(0, 0, &holder.did())))
        .unwrap();
    let right = Right::to_issue(holder.did(), TYPE);
    let decisions = [
        GovernanceAction::Accredit {
            did: holder.did(),
            role: Role::Issuer,
            name: "Issuer".to_owned(),
        },
        GovernanceAction::GrantRight {
            right,
            detail: Hash::ZERO,
        },
    ];
    for (sequence, action) in (0..).zip(decisions.iter().chain(later)) {
        ledger.apply(&decision(world, sequence, action.clone())).unwrap();
    }
    let keys = state_key::right(&right);
    let answer = answer(&ledger, &keys, 0);
    let freshness = Freshness {
        now: ledger.now,
        max_age: 60,
        lowest_height: 0,
    };
    let state = answer.verify(&TrustAnchor::of(&world.charter), &keys, &freshness);
    let counts = state.unwrap().right(&right).unwrap().is_some();
    json!({ "name": name, "keys": keys.map(Hash), "now": ledger.now, "answer": answer, "counts": counts })
}

fn rights(world: &World, holder: &Holder) -> Value {
    let did = holder.did();
    let right_of = |later: &[GovernanceAction], name| right(world, holder, name, later);
    json!({
        "did": did,
        "type": TYPE,
        "states": [
            right_of(&[], "granted"),
            right_of(&[GovernanceAction::RevokeRight(Right::to_issue(did, TYPE))], "revoked"),
            right_of(&[GovernanceAction::Suspend(did)], "suspended"),
            right_of(&[GovernanceAction::Suspend(did), GovernanceAction::Reinstate(did)], "reinstated"),
            right_of(&[GovernanceAction::RevokeAccreditation(did)], "struck off"),
        ],
    })
}

/// Where things lie in the state.
fn places(world: &World) -> Value {
    let by = world.authority.did();
    json!({
        "by": by,
        "parameters": Hash(state_key::parameters()),
        "epoch_slot": Hash(state_key::epoch_slot(&by, Purpose::RealName, Level::Substantial, 7)),
        "grant": Hash(state_key::grant(&Right::to_ask(by, TYPE))),
        "seat": Hash(state_key::seat(3)),
    })
}

// test: LED-42
#[test]
fn states_of_the_ledger_are_frozen() {
    let world = World::new();
    let (published, ghost) = (world.person("published"), world.person("unpublished"));
    let keys = [
        state_key::did(&published.did()),
        state_key::did(&ghost.did()),
        state_key::epoch_key(&world.epoch_key(0, 0).id(&world.hash)),
        state_key::accreditation(&world.authority.did()),
    ];
    assert!(EPOCH > world.charter.recovery_delay, "still the same epoch");
    let states: Vec<_> = states(&world, &published)
        .iter()
        .map(|(name, ledger, epoch)| {
            json!({ "name": name, "now": ledger.now, "answer": answer(ledger, &keys, *epoch) })
        })
        .collect();
    let file = json!({
        "description": "Answers of a node about the same keys in several states of the ledger: the entry of a person \
                        who has published and then updated to the key given here, that of one who has not published, \
                        an epoch key, its authority's accreditation. Each person has a token of that key. Then the \
                        same of a right to issue a type; and where some things lie: of `by`, the place of its key for \
                        real names, substantial, epoch 7; its right to ask for the type; seat 3.",
        "source": "crates/ledger/tests/it/states.rs",
        "charter": serde_json::to_string(&world.charter).unwrap(),
        "keys": keys.map(Hash),
        "published": person(&world, &published, 1),
        "unpublished": person(&world, &ghost, 0),
        "states": states,
        "rights": rights(&world, &ghost),
        "places": places(&world),
    });
    frozen::compare("ledger_states.json", &file);
}
