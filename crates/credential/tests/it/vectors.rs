//! Credentials of ours, frozen: for each type of key and each hash function that goes with it.

use realdid_credential::HashAlg;
use realdid_credential::sd_jwt::Frame;
use realdid_credential::vc::{IssuerHeader, NewVc, StatusReference, Times, UnverifiedVc, day, issue};
use realdid_crypto::{KeyType, SecretKey};
use realdid_jose::jwk::Jwk;
use serde_json::{Value, json};

use crate::frozen;
use crate::support::{NOW, binding, expected, map, paths, rng};

fn case(kind: KeyType, hash: HashAlg) -> Value {
    let issuer = SecretKey::from_seed(kind, &[21; 32]);
    let holder = SecretKey::from_seed(kind, &[22; 32]);
    let new = NewVc {
        vct: "urn:example:licence:1".to_owned(),
        issuer: Some("https://issuer.example".to_owned()),
        issued_at: Some(day(NOW)),
        expires_at: Some(day(NOW) + 14 * 86_400),
        holder: Some(holder.public_key()),
        status: Some(StatusReference {
            uri: "https://issuer.example/status/1".to_owned(),
            index: 4711,
        }),
        claims: map(json!({
            "name": "Möbius",
            "classes": ["B", "C"],
            "address": { "city": "Leipzig", "country": "DE" },
        })),
        frame: Frame {
            disclosable: paths(json!([
                ["name"],
                ["classes"],
                ["classes", null],
                ["address", "city"]
            ])),
            decoys: 1,
            hash,
        },
        ..NewVc::default()
    };
    let header = IssuerHeader {
        kid: Some("key-1".to_owned()),
        x5c: None,
    };
    let issued = issue(&issuer, &header, &new, &mut rng()).unwrap();
    let verified = UnverifiedVc::parse_issued(&issued)
        .unwrap()
        .verify(&issuer.public_key(), &Times { now: NOW, leeway: 60 })
        .unwrap();
    let presentation = verified
        .disclosed()
        .select(&paths(json!([["classes", 1], ["address", "city"]])))
        .unwrap();
    let presented = presentation.bind(&holder, &binding()).unwrap();
    let shown = UnverifiedVc::parse(&presented)
        .unwrap()
        .verify(&issuer.public_key(), &Times { now: NOW, leeway: 60 })
        .unwrap();
    shown.key_binding(&expected()).unwrap();
    json!({
        "algorithm": kind.jose_algorithm(),
        "hash": hash.name(),
        "issuer_key": Jwk::of(&issuer.public_key()),
        "issued": issued,
        "claims": verified.claims(),
        "presented": presented,
        "shown": shown.claims(),
    })
}

#[test]
fn credentials_are_frozen() {
    let cases = [
        case(KeyType::P256, HashAlg::Sha256),
        case(KeyType::Ed25519, HashAlg::Sha512),
        case(KeyType::Sm2, HashAlg::Sm3),
    ];
    let file = json!({
        "description": "A credential for each type of key: as issued with its claims, and as shown in part \
            (class C and the city), bound to the holder's key for audience and nonce given here.",
        "source": "crates/credential/tests/it/vectors.rs; salts and decoys by rand's StdRng seeded with 9901",
        "audience": crate::support::AUDIENCE,
        "nonce": crate::support::NONCE,
        "time": NOW,
        "cases": cases,
    });
    frozen::compare("credential.json", &file);
}

/// The core for browsers chose what to show, and bound it.
#[test]
fn presentations_made_by_the_typescript_core_hold() {
    let file = frozen::read("typescript.json");
    let presentations = file["presentations"].as_array().unwrap();
    assert_eq!(presentations.len(), 6);
    for case in presentations {
        let issuer: Jwk = serde_json::from_value(case["issuer_key"].clone()).unwrap();
        let vc = UnverifiedVc::parse(case["presented"].as_str().unwrap())
            .unwrap()
            .verify(&issuer.public_key().unwrap(), &Times { now: NOW, leeway: 60 })
            .unwrap();
        let bound = vc.key_binding(&expected()).unwrap();
        assert_eq!(bound.transaction_data_hashes(), Some((None, vec!["AA"])));
        let shown = vc.disclosed().disclosures().len();
        // the list and its two elements, the city
        let expected = [(json!([]), 0), (json!([["name"]]), 1)];
        let count = expected.iter().find(|(paths, _)| *paths == case["paths"]);
        assert_eq!(shown, count.map_or(4, |(_, count)| *count), "{}", case["paths"]);
    }
}
