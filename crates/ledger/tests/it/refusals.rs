//! What is refused, and by which code: for software in other languages, which has to refuse the same.

use std::collections::BTreeMap;

use realdid_crypto::{Hash, KeyType, Writer, base64url_encode};
use realdid_did::{
    Assurance, Authorization, Backing, Delays, Entry, Inception, Level, Network, ParsedDid, SignedOperation,
    follow,
};
use realdid_ledger::{Refusal, check, encode_did_operation};
use serde_json::{Value, json};

use crate::frozen;
use crate::holder::Holder;
use crate::tampering::{flips, outcome, variant};
use crate::world::World;

const DELAYS: Delays = Delays {
    recovery: 1_000,
    vetoed_recovery: 10_000,
};
const START: u64 = 1_000_000;
const AUTHORITY: Hash = Hash([0xa0; 32]);
const SEAT: Authorization = Authorization::Charter { seat: 0 };

fn checked(world: &World, bytes: &[u8]) -> String {
    outcome(check(&world.charter, &world.hash, bytes), Refusal::code)
}

/// One operation of every kind and form, by keys of both types.
fn operations(world: &World) -> Vec<(&'static str, SignedOperation)> {
    let person = world.person("person");
    let other = Holder {
        kind: KeyType::P256,
        ..person
    };
    let (last, authority) = (Hash([1; 32]), world.authority.did());
    vec![
        (
            "publish, by token",
            person.publish(world.token(0, 0, &person.did())),
        ),
        ("publish, by seat", other.publish(SEAT)),
        (
            "publish, sponsored",
            person.publish(world.signin.sponsor(&person.did(), 0)),
        ),
        ("update", person.update(last, 1)),
        ("renew", person.renew(last, 0, authority, Box::new([7; 320]))),
        ("recover", other.recover(last, 0, 2)),
        (
            "recover, as the first",
            person.recover_with(Hash::ZERO, Some(SEAT), 0, 2),
        ),
        ("deactivate by the next keys", person.deactivate_by_next(last, 1)),
        (
            "deactivate by the recovery key",
            person.deactivate_by_recovery(last, 0),
        ),
        ("veto", other.veto(last, 1)),
    ]
}

/// Operations that are wrong as a whole, though each part is well-formed.
fn wrong(world: &World) -> Vec<(&'static str, Vec<u8>)> {
    let (person, stranger) = (world.person("person"), world.person("stranger"));
    let elsewhere = Holder::new("person", Hash([9; 32]));
    let publish = person.publish(SEAT);
    let signed_by = |signer, key: &realdid_crypto::SecretKey| publish.operation.clone().sign(signer, key);
    let mut inherited = publish.operation.clone();
    inherited.did = stranger.did();
    let mut late = publish.operation.clone();
    late.previous = Hash([1; 32]);
    let did = encode_did_operation;
    vec![
        ("of another network", did(&elsewhere.publish(SEAT))),
        (
            "with the inception of another DID",
            did(&inherited.sign(0, &person.key(0))),
        ),
        ("a first one after another", did(&late.sign(0, &person.key(0)))),
        ("a later one without another", did(&person.update(Hash::ZERO, 1))),
        (
            "by a key that it does not have",
            did(&signed_by(1, &person.key(0))),
        ),
        ("by a second recovery key", {
            let recover = person.recover(Hash([1; 32]), 0, 2);
            did(&recover.operation.sign(1, &person.recovery_key(0)))
        }),
        ("by a stranger", did(&signed_by(0, &stranger.key(0)))),
        ("sponsored for another DID", {
            did(&person.publish(world.signin.sponsor(&stranger.did(), 0)))
        }),
        ("too long", [did(&publish), vec![0; 16 * 1024]].concat()),
        ("with a byte more", [did(&publish), vec![0]].concat()),
        ("of an unknown kind", vec![9]),
        ("nothing", Vec::new()),
    ]
}

/// Texts that are DIDs and texts that are none.
fn identifiers(inception: &Inception) -> Vec<Value> {
    let did = inception.did(&Network::new("sandbox").unwrap());
    let (short, long) = (did.to_string(), did.long_form(inception));
    let other = Holder::new("other", inception.charter).inception();
    let texts = [
        short.clone(),
        long.clone(),
        format!("{long}:"),
        format!("{short}:"),
        format!("{short}#key"),
        format!("{short}:{}", base64url_encode(other.encode())),
        format!("{long}A"),
        format!("{short}:{}", "A".repeat(4096)),
        format!("{short}\u{e9}"),
        short.to_uppercase(),
        short.replace("real", "key"),
        short.replace("real", "Real"),
        short.replace("real", ""),
        short.replace("sandbox", "s"),
        short.replace("sandbox", "Sandbox"),
        short.replace("sandbox", "1sandbox"),
        short.replace("sandbox", "sandbox-sandbox-x"),
        short.replace("zQm", "Qm"),
        short.replace("zQm", "zQn"),
        short.replace("zQm", "z0m"),
        short.replace("zQm", "z1Qm"),
        short[..short.len() - 1].to_owned(),
        format!("{short}1"),
        "did:real:sandbox".to_owned(),
        "did:real".to_owned(),
        "did:".to_owned(),
        String::new(),
        " did:real:sandbox:z".to_owned(),
    ];
    let judged = texts.into_iter().map(|text| {
        let outcome = ParsedDid::parse(&text).map_or_else(|error| variant(&error), |_| "ok".to_owned());
        json!({ "text": text, "outcome": outcome })
    });
    judged.collect()
}

// test: CRY-03, DID-01, DID-02, DID-03, DID-06, OP-01, OP-02, OP-03, OP-04, OP-05, OP-06
#[test]
fn refused_operations_are_frozen() {
    let world = World::new();
    let operations: Vec<_> = operations(&world)
        .into_iter()
        .map(|(name, operation)| {
            let bytes = encode_did_operation(&operation);
            assert_eq!(checked(&world, &bytes), "ok", "{name}");
            json!({
                "name": name,
                "bytes": hex::encode(&bytes),
                "flips": flips(&bytes, |changed| checked(&world, changed)),
            })
        })
        .collect();
    let wrong: Vec<_> = wrong(&world)
        .into_iter()
        .map(|(name, bytes)| {
            // nothing depends on what the many zeros are
            let zeros = if name == "too long" { 16 * 1024 } else { 0 };
            let start = hex::encode(&bytes[..bytes.len() - zeros]);
            json!({ "name": name, "bytes": start, "zeros": zeros, "outcome": checked(&world, &bytes) })
        })
        .collect();
    let file = json!({
        "description": "Operations on a DID as a block holds them (01, operation): good ones with what becomes of \
                        them when the lowest bit of one byte is changed, for each byte in turn, as runs of outcome \
                        and count; wrong ones (bytes, then zeros) with their outcomes. And texts that are DIDs or none.",
        "source": "crates/ledger/tests/it/refusals.rs; codes of realdid_ledger::Refusal, variants of DidError",
        "charter_hash": world.hash,
        "operations": operations,
        "wrong": wrong,
        "identifiers": identifiers(&world.person("person").inception()),
    });
    frozen::compare("refused_operations.json", &file);
}

/// States that a DID can be in, with the time at which it is looked at.
struct States {
    holder: Holder,
    entries: BTreeMap<&'static str, (Option<Entry>, u64)>,
}

const fn token(epoch: u64, level: Level) -> Assurance {
    Assurance {
        backing: Backing::Token,
        by: AUTHORITY,
        epoch,
        level,
    }
}

impl States {
    fn new() -> Self {
        let holder = Holder::new("owner", Hash([0xc4; 32]));
        let then = |entry: &Entry, operation, now| {
            follow(Some(entry), &holder.verified(operation), now, &DELAYS, None).unwrap()
        };
        let publish = holder.verified(holder.publish(SEAT));
        let founded = follow(None, &publish, START, &DELAYS, Some(token(5, Level::Substantial))).unwrap();
        let updated = then(&founded, holder.update(founded.last_operation, 1), START + 1);
        let recovering = then(&founded, holder.recover(founded.last_operation, 0, 5), START + 1);
        let vetoed = then(&recovering, holder.veto(recovering.last_operation, 1), START + 2);
        let again = then(&vetoed, holder.recover(vetoed.last_operation, 0, 5), START + 3);
        let ending = then(
            &founded,
            holder.deactivate_by_next(founded.last_operation, 1),
            START + 1,
        );
        let ended = then(
            &founded,
            holder.deactivate_by_recovery(founded.last_operation, 0),
            START + 1,
        );
        let entries = BTreeMap::from([
            ("not on the ledger", (None, START)),
            ("published", (Some(founded), START + 9)),
            ("updated", (Some(updated), START + 9)),
            ("recovering", (Some(recovering.clone()), START + 9)),
            ("recovered", (Some(recovering), START + 1_001)),
            ("vetoed", (Some(vetoed), START + 9)),
            ("recovering again", (Some(again.clone()), START + 9)),
            ("recovered at last", (Some(again), START + 10_003)),
            ("ending", (Some(ending.clone()), START + 1_000)),
            ("ended by time", (Some(ending), START + 1_001)),
            ("ended", (Some(ended), u64::MAX)),
        ]);
        Self { holder, entries }
    }

    /// Operations that name `previous`, each with what its token was found to say.
    fn next(&self, previous: Hash) -> Vec<(&'static str, SignedOperation, Option<Assurance>)> {
        let holder = &self.holder;
        let renew = |generation| holder.renew(previous, generation, AUTHORITY, Box::new([0; 320]));
        let seat = Assurance {
            backing: Backing::Charter,
            ..token(9, Level::High)
        };
        vec![
            ("update to 1", holder.update(previous, 1), None),
            ("update to 2", holder.update(previous, 2), None),
            ("renew", renew(0), Some(token(6, Level::Low))),
            ("renew at a higher level", renew(0), Some(token(5, Level::High))),
            (
                "renew with the same",
                renew(0),
                Some(token(5, Level::Substantial)),
            ),
            ("renew with an older token", renew(0), Some(token(4, Level::High))),
            ("renew with a seat", renew(0), Some(seat)),
            ("renew with nothing", renew(0), None),
            ("renew another document", renew(1), Some(token(6, Level::High))),
            ("recover", holder.recover(previous, 0, 2), None),
            ("recover by the key after", holder.recover(previous, 1, 2), None),
            (
                "deactivate by the next keys",
                holder.deactivate_by_next(previous, 1),
                None,
            ),
            (
                "deactivate by keys promised for later",
                holder.deactivate_by_next(previous, 6),
                None,
            ),
            (
                "deactivate by the recovery key",
                holder.deactivate_by_recovery(previous, 0),
                None,
            ),
            (
                "deactivate by the recovery key after",
                holder.deactivate_by_recovery(previous, 1),
                None,
            ),
            ("veto", holder.veto(previous, 1), None),
            ("veto by keys promised for later", holder.veto(previous, 2), None),
        ]
    }

    fn cases(&self) -> Vec<Value> {
        let mut cases = Vec::new();
        for (state, (entry, now)) in &self.entries {
            let last = entry.as_ref().map_or(Hash([1; 32]), |entry| entry.last_operation);
            let mut operations = self.next(last);
            let stale = self.holder.update(Hash([3; 32]), 1);
            operations.push(("update of another last operation", stale, None));
            let founded = self.holder.publish(SEAT);
            operations.push(("publish", founded.clone(), Some(token(5, Level::High))));
            operations.push(("publish, and nobody answers for it", founded, None));
            for (name, operation, assurance) in operations {
                let verified = self.holder.verified(operation.clone());
                let next = follow(entry.as_ref(), &verified, *now, &DELAYS, assurance);
                cases.push(json!({
                    "state": state,
                    "operation": name,
                    "bytes": hex::encode(operation.encode()),
                    "assurance": assurance.map(said),
                    "outcome": outcome(next.clone(), |error| Refusal::from(*error).code()),
                    "entry": next.ok().as_ref().map(stored),
                }));
            }
        }
        cases
    }
}

fn said(assurance: Assurance) -> Value {
    json!({
        "backing": if assurance.backing == Backing::Token { "token" } else { "charter" },
        "by": assurance.by,
        "epoch": assurance.epoch,
        "level": assurance.level,
    })
}

fn stored(entry: &Entry) -> String {
    let mut writer = Writer::new();
    entry.write(&mut writer);
    hex::encode(writer.finish()).trim_end_matches("00").to_owned()
}

// test: FOL-01, FOL-02, FOL-03, FOL-04, FOL-05, FOL-06, FOL-07, FOL-08, FOL-09, FOL-10, FOL-11, FOL-12
#[test]
fn what_may_follow_is_frozen() {
    let states = States::new();
    let entries: BTreeMap<_, _> = states
        .entries
        .iter()
        .map(|(name, (entry, now))| {
            let entry = entry.as_ref().map(stored);
            (name, json!({ "entry": entry, "now": now.to_string() }))
        })
        .collect();
    let file = json!({
        "description": "States of a DID (333 bytes; zeros at their end are left out), each with the time of the next \
                        block, and operations: whether they may follow, and the state then.",
        "source": "crates/ledger/tests/it/refusals.rs; codes of realdid_ledger::Refusal",
        "charter": states.holder.charter,
        "delays": { "recovery": DELAYS.recovery, "vetoed_recovery": DELAYS.vetoed_recovery },
        "states": entries,
        "cases": states.cases(),
    });
    frozen::compare("follow.json", &file);
}
