//! Finality and state proofs with one byte changed, and by which code they are refused: for software in
//! other languages.

use std::collections::BTreeMap;

use realdid_crypto::{Hash, hash_labelled};
use realdid_ledger::{
    FinalityError, FinalityProof, Header, PrefixProof, StateProof, StateProofError, VALUE_LEN,
};
use serde_json::{Value, json};

use crate::finality::chain;
use crate::frozen;
use crate::proofs::{finality, prove};
use crate::tampering::{flips, outcome};
use crate::world::World;

/// So many bytes of a prefix proof are changed: the path and the first entries.
const PREFIX_HEAD: usize = 1_600;

fn hash(value: &Value) -> [u8; 32] {
    Hash::from_hex(value.as_str().unwrap()).unwrap().0
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

/// Chains of headers that are wrong as a whole.
fn wrong_chains(world: &World) -> Vec<(&'static str, FinalityProof)> {
    let changed = |change: &dyn Fn(&mut Vec<Header>)| {
        let mut headers = chain(world, 3);
        change(&mut headers);
        finality(world, headers)
    };
    let mut first_alone = finality(world, chain(world, 2));
    first_alone.headers.truncate(1);
    vec![
        ("three headers", changed(&|_| ())),
        ("64 headers", finality(world, chain(world, 64))),
        ("65 headers", finality(world, chain(world, 65))),
        (
            "a header left out",
            changed(&|it| it.retain(|header| header.height != 8)),
        ),
        ("headers in another order", changed(&|it| it.swap(1, 2))),
        ("another parent", changed(&|it| it[1].parent[0] ^= 1)),
        ("another height", changed(&|it| it[2].height += 1)),
        (
            "the highest height in between",
            changed(&|it| it[1].height = u64::MAX),
        ),
        (
            "a header of another network",
            changed(&|it| it[1].charter = [9; 32]),
        ),
        ("another block below", changed(&|it| it[0].state_root[0] ^= 1)),
        ("a certificate of another block", first_alone),
    ]
}

// test: FIN-01, FIN-02, FIN-03, FIN-04, FIN-05, HDR-02, HDR-03, STP-02, STP-04
#[test]
fn tampered_proofs_are_frozen() {
    let light = frozen::read("light_client.json");
    let root = hash(&light["header"]["state_root"]);
    let lookup = |name: &str| {
        let (key, proof) = (hash(&light[name]["key"]), bytes(&light[name]["proof"]));
        flips(&proof, |changed| {
            let verified = StateProof::decode(changed).and_then(|it| it.verify_lookup(&key, &root));
            outcome(verified, StateProofError::code)
        })
    };
    let prefix = bytes(&light["prefix"]["proof"]);
    let (head, tail) = prefix.split_at(PREFIX_HEAD);
    let prefix = flips(head, |head| {
        let verified = PrefixProof::decode(&[head, tail].concat())
            .and_then(|it| it.verify(&hash(&light["prefix"]["prefix"]), 2, &root));
        outcome(verified, StateProofError::code)
    });
    let world = World::new();
    let judge = |bytes: &[u8]| {
        let key = world.charter.network_key();
        let verified = FinalityProof::decode(bytes).and_then(|it| it.verify(&world.hash.0, &key));
        outcome(verified, FinalityError::code)
    };
    let two = finality(&world, chain(&world, 2)).encode();
    let chains: Vec<_> = wrong_chains(&world)
        .into_iter()
        .map(|(name, proof)| {
            let bytes = proof.encode();
            json!({ "name": name, "proof": hex::encode(&bytes), "outcome": judge(&bytes) })
        })
        .collect();
    let file = json!({
        "description": "What becomes of the proofs of finality.json and light_client.json (of the prefix proof: its \
                        first 1600 bytes) when the lowest bit of one byte is changed, for each byte in turn, as runs of \
                        outcome and count; and finality proofs that are wrong as a whole, with outcomes.",
        "source": "crates/ledger/tests/it/proofs_tampered.rs; codes of FinalityError and StateProofError",
        "finality": flips(&two, judge),
        "present": lookup("present"),
        "absent": lookup("absent"),
        "prefix": prefix,
        "chains": chains,
    });
    frozen::compare("tampered_proofs.json", &file);
}

/// Paths of every length and end: 300 keys that are spread, and some that have up to 255 bits in
/// common with one of them.
// test: STP-01, STP-02
#[test]
fn proofs_of_a_large_state_are_frozen() {
    let key = |number: u32| hash_labelled("large state", &[&number.to_be_bytes()]).0;
    let near = |bit: usize| {
        let mut near = key(7);
        near[bit / 8] ^= 0x80 >> (bit % 8);
        near
    };
    let mut values: BTreeMap<_, _> = (0..300)
        .map(|number| (key(number), [number as u8; VALUE_LEN]))
        .collect();
    values.extend([17, 64, 191, 255].map(|bit| (near(bit), [bit as u8; VALUE_LEN])));
    let asked = (0..300).step_by(25).chain(300..304).map(key);
    let asked: Vec<_> = asked
        .chain([near(255), near(191), near(254), near(30), near(2)])
        .collect();
    let proven = prove(&values);
    let cases: Vec<_> = asked
        .iter()
        .map(|key| {
            let proof = proven.of(key);
            let value = proof.verify_lookup(key, &proven.root).unwrap();
            let bytes = proof.encode();
            let flips = flips(&bytes, |changed| {
                let verified = StateProof::decode(changed).and_then(|it| it.verify_lookup(key, &proven.root));
                outcome(verified, StateProofError::code)
            });
            json!({
                "key": Hash(*key),
                "present": value.is_some(),
                "proof": hex::encode(bytes),
                "flips": flips,
            })
        })
        .collect();
    let file = json!({
        "description": "Proofs of presence and absence in a state of 304 keys, some of which have many bits in common, and \
                        what becomes of them when the lowest bit of one byte is changed, for each in turn, as runs of \
                        outcome and count.",
        "source": "crates/ledger/tests/it/proofs_tampered.rs",
        "root": Hash(proven.root),
        "cases": cases,
    });
    frozen::compare("large_state.json", &file);
}
