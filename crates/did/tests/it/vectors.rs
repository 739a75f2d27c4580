use realdid_crypto::{Hash, KeyType};
use realdid_did::{Did, Network, SignedOperation, did_document};
use serde_json::{Value, json};

use crate::encodings::one_of_each;
use crate::frozen;
use crate::holder::Holder;

fn holders() -> impl Iterator<Item = Holder> {
    KeyType::ALL.into_iter().map(|kind| Holder {
        kind,
        ..Holder::new("frozen", Hash([0xc4; 32]))
    })
}

#[test]
fn identifiers_are_frozen() {
    let network = Network::new("sandbox").unwrap();
    let case = |holder: Holder| -> Value {
        let inception = holder.inception();
        let did = inception.did(&network);
        json!({
            "key_type": holder.kind.jose_algorithm(),
            "charter": holder.charter,
            "inception": hex::encode(inception.encode()),
            "hash": inception.hash(),
            "did": did.to_string(),
            "long_form": did.long_form(&inception),
            "document_hash": inception.document.hash(),
            "document": did_document(&did, &inception.document),
        })
    };
    let file = json!({
        "description": "Inceptions, the identifiers they hash to (SHA-256), both text forms and the documents.",
        "source": "crates/did/tests/it/vectors.rs; keys derived from names",
        "cases": holders().map(case).collect::<Vec<_>>(),
    });
    frozen::compare("identifiers.json", &file);
}

#[test]
fn commitments_are_frozen() {
    let case = |holder: Holder| -> Value {
        let (next, recovery) = (holder.keys_reveal(1), holder.recovery_reveal(0));
        json!({
            "charter": holder.charter,
            "next_key": next.keys[0].key.to_multikey(),
            "next_purposes": 3,
            "next_salt": hex::encode(next.salt),
            "next_commitment": next.commitment(&holder.charter).0,
            "recovery_key": recovery.key.to_multikey(),
            "recovery_salt": hex::encode(recovery.salt),
            "recovery_commitment": recovery.commitment(&holder.charter).0,
        })
    };
    let file = json!({
        "description": "Commitments: SHA-256 of the length of the label, label, charter (32), keys and salt (32). \
                        Next keys are a count, then purposes, type and bytes of each, under realdid/commit/next/v1; \
                        a recovery key is type and bytes, under realdid/commit/recovery/v1.",
        "source": "crates/did/tests/it/vectors.rs; keys derived from names",
        "cases": holders().map(case).collect::<Vec<_>>(),
    });
    frozen::compare("commitments.json", &file);
}

#[test]
fn operations_are_frozen() {
    let names = [
        "publish, by token",
        "publish, by seat",
        "publish, sponsored",
        "update",
        "renew",
        "recover",
        "recover as first operation",
        "deactivate by the next keys",
        "deactivate by the recovery key",
        "deactivate as first operation",
        "veto",
    ];
    let operations = one_of_each();
    assert_eq!(names.len(), operations.len());
    let case = |(name, signed): (_, realdid_did::SignedOperation)| -> Value {
        json!({
            "name": name,
            "charter": signed.operation.charter,
            "did_hash": signed.operation.did,
            "previous": signed.operation.previous,
            "bytes": hex::encode(signed.encode()),
            "hash": signed.operation.hash(),
        })
    };
    let file = json!({
        "description": "Signed operations on a DID (the kind byte of a block, 01, is not part of them) and their \
                        hashes, which leave out signer and signature. Tokens in them are made up.",
        "source": "crates/did/tests/it/vectors.rs; keys derived from names",
        "cases": names.into_iter().zip(operations).map(case).collect::<Vec<_>>(),
    });
    frozen::compare("operations.json", &file);
}

/// The core for browsers made them.
#[test]
fn operations_made_by_the_typescript_core_are_ours() {
    let file = frozen::read("typescript.json");
    let charter = Hash::from_hex(file["charter"].as_str().unwrap()).unwrap();
    let operations = file["operations"].as_array().unwrap();
    assert_eq!(operations.len(), 20);
    for case in operations {
        let bytes = hex::decode(case["bytes"].as_str().unwrap()).unwrap();
        let signed = SignedOperation::decode(&bytes).unwrap();
        assert_eq!(signed.encode(), bytes, "{}", case["name"]);
        let verified = signed.verify(&charter).unwrap();
        assert_eq!(json!(verified.hash()), case["hash"], "{}", case["name"]);
        let did: Did = case["did"].as_str().unwrap().parse().unwrap();
        assert_eq!(verified.operation().did, did.hash);
    }
}
