//! Finality and state proofs with one byte changed, and by which code they are refused: for software in
//! other languages.

use realdid_crypto::Hash;
use realdid_ledger::{FinalityError, FinalityProof, Header, PrefixProof, StateProof, StateProofError};
use serde_json::{Value, json};

use crate::finality::chain;
use crate::frozen;
use crate::proofs::finality;
use crate::tampering::{flips, outcome};
use crate::world::World;

/// So many bytes of a prefix proof are changed: its first two spans.
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

// test: FIN-01, FIN-02, FIN-03, FIN-04, FIN-05, HDR-02, HDR-03, STP-01, STP-02, STP-04
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
