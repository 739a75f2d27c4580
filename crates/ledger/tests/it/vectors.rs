use realdid_ledger::check;
use serde_json::json;

use crate::checking::one_of_each;
use crate::frozen;
use crate::records;
use crate::world::World;

#[test]
fn ledger_operations_are_frozen() {
    let world = World::new();
    let names = [
        "publish, by token",
        "publish, by seat",
        "publish, sponsored",
        "update",
        "publish an epoch key",
        "advance the epoch",
        "anchor",
        "strike off a service",
        "revoke an epoch key",
        "accredit",
        "suspend",
        "reinstate",
        "grant a right to issue",
        "grant a right to ask, limited",
        "revoke a right",
    ];
    let operations = one_of_each(&world);
    assert_eq!(names.len(), operations.len());
    let cases: Vec<_> = names
        .iter()
        .zip(&operations)
        .map(|(name, bytes)| {
            let hash = check(&world.charter, &world.hash, bytes).unwrap().hash();
            json!({ "name": name, "bytes": hex::encode(bytes), "hash": hash })
        })
        .collect();
    let file = json!({
        "description": "Operations as a block holds them (01 on a DID, 02 of a service, 03 of the consortium) and \
                        their hashes, under the charter in `charter`.",
        "source": "crates/ledger/tests/it/vectors.rs; keys derived from names, the RSA keys of rsa_test_keys.json",
        "charter": serde_json::to_string(&world.charter).unwrap(),
        "charter_hash": world.hash,
        "cases": cases,
    });
    frozen::compare("ledger_operations.json", &file);
}

#[test]
fn records_are_frozen() {
    let cases: Vec<_> = records::one_of_each()
        .iter()
        .map(|record| {
            let value = hex::encode(record.encode());
            json!({ "tag": record.encode()[0], "value": value.trim_end_matches("00") })
        })
        .collect();
    let file = json!({
        "description": "Values of the state, one of each kind: a tag, fields, and zeros up to 384 bytes, which are \
                        left out here.",
        "source": "crates/ledger/tests/it/vectors.rs",
        "cases": cases,
    });
    frozen::compare("records.json", &file);
}
