//! RFC 9901 §4.2: what an issuer makes, and what it refuses to make.

use std::collections::BTreeSet;

use realdid_credential::HashAlg;
use realdid_credential::path::ClaimPath;
use realdid_credential::sd_jwt::{
    Frame, IssueError, MAX_DECOYS, MAX_DEPTH, MAX_DISCLOSURES, SdJwt, issue, prepare,
};
use realdid_crypto::{KeyType, SecretKey, base64url_decode};
use serde_json::{Map, Value, json};

use crate::support::{claims, holder, issuer, map, path, paths, rng};

fn subject() -> Value {
    json!({
        "iss": "https://issuer.example",
        "exp": 1_900_000_000,
        "family_name": "Möbius",
        "address": { "city": "Leipzig", "country": "DE" },
        "nationalities": ["DE", "FR"],
        "degrees": [{ "type": "BSc", "year": 1810 }, { "type": "MSc", "year": 1815 }],
    })
}

fn frame() -> Frame {
    Frame {
        disclosable: paths(json!([
            ["family_name"],
            ["address", "city"],
            ["nationalities", null],
            ["degrees"],
            ["degrees", null],
            ["degrees", null, "year"],
        ])),
        decoys: 3,
        hash: HashAlg::Sha256,
    }
}

fn header() -> Map<String, Value> {
    map(json!({ "typ": "example+sd-jwt", "kid": "k1" }))
}

fn made(claims: Value, frame: &Frame) -> Result<String, IssueError> {
    issue(&issuer(), header(), &map(claims), frame, &mut rng())
}

fn passes() {
    let text = made(subject(), &frame()).unwrap();
    assert_eq!(claims(&text), Ok(subject()));
}

/// The open part and the content of each disclosure.
fn parts(text: &str) -> (Map<String, Value>, Vec<Vec<Value>>) {
    let payload = SdJwt::parse(text).unwrap().jwt().stated_claims().clone();
    let disclosures = text.split('~').skip(1).filter(|part| !part.is_empty());
    let contents = disclosures
        .map(|part| serde_json::from_slice(&base64url_decode(part).unwrap()).unwrap())
        .collect();
    (payload, contents)
}

// test: SDJ-27
#[test]
fn reserved_names_are_not_issued_at_any_depth() {
    for claims in [
        json!({ "_sd": ["x"] }),
        json!({ "_sd_alg": "sha-256" }),
        json!({ "...": "x" }),
        json!({ "a": [{ "b": { "_sd": [] } }] }),
        json!({ "a": [{ "...": "x" }] }),
        json!({ "a": { "_sd_alg": "sha-256" } }),
    ] {
        assert_eq!(made(claims, &Frame::default()), Err(IssueError::ReservedName));
    }
    passes();
}

// test: SDJ-28
#[test]
fn a_path_that_leads_nowhere_is_refused() {
    for wrong in [
        json!(["familyname"]),
        json!(["address", "street"]),
        json!(["nationalities", 2]),
        json!(["nationalities", "0"]),
        json!(["family_name", null]),
        json!([]),
    ] {
        let mut frame = frame();
        frame.disclosable.push(path(wrong.clone()));
        assert_eq!(
            made(subject(), &frame),
            Err(IssueError::NothingThere(path(wrong)))
        );
    }
    passes();
}

// test: SDJ-29
#[test]
fn claims_on_which_validity_depends_stay_open() {
    let claims = json!({
        "iss": "i", "aud": ["a", "b"], "exp": 1, "nbf": 1, "cnf": { "jwk": {} }, "sub": "s", "iat": 1,
    });
    for path in paths(json!([
        ["iss"],
        ["aud"],
        ["exp"],
        ["nbf"],
        ["cnf"],
        ["cnf", "jwk"]
    ])) {
        let frame = Frame {
            disclosable: vec![path.clone()],
            ..Frame::default()
        };
        assert_eq!(
            made(claims.clone(), &frame),
            Err(IssueError::NeverDisclosable(path))
        );
    }
    let frame = Frame {
        disclosable: paths(json!([["aud", 1], ["sub"], ["iat"]])),
        ..Frame::default()
    };
    assert!(made(claims, &frame).is_ok());
}

// test: SDJ-30
#[test]
fn what_nobody_would_read_for_its_depth_is_not_issued() {
    let nested = |levels: usize| (0..levels).fold(json!(1), |inner, _| json!({ "a": inner }));
    assert_eq!(
        made(nested(MAX_DEPTH + 1), &Frame::default()),
        Err(IssueError::TooLarge)
    );
    assert_eq!(
        claims(&made(nested(MAX_DEPTH), &Frame::default()).unwrap()),
        Ok(nested(MAX_DEPTH))
    );
    let crowded = Frame {
        decoys: MAX_DECOYS + 1,
        ..frame()
    };
    assert_eq!(made(subject(), &crowded), Err(IssueError::TooLarge));
    passes();
}

// test: SDJ-31
#[test]
fn what_nobody_would_read_for_its_size_is_not_issued() {
    let list = |count: usize| json!({ "a": (0..count).collect::<Vec<_>>() });
    let each = Frame {
        // all in one disclosure, so that the issuer's part stays small
        disclosable: paths(json!([["a", null], ["a"]])),
        ..Frame::default()
    };
    assert_eq!(made(list(MAX_DISCLOSURES), &each), Err(IssueError::TooLarge));
    let most = list(MAX_DISCLOSURES - 1);
    assert_eq!(claims(&made(most.clone(), &each).unwrap()), Ok(most));
    let picture = Frame {
        disclosable: paths(json!([["a"]])),
        ..Frame::default()
    };
    let large = json!({ "a": "x".repeat(100 * 1024) });
    assert_eq!(made(large, &picture), Err(IssueError::TooLarge));
}

#[test]
fn what_is_disclosable_stands_nowhere_in_the_open_part() {
    let text = made(subject(), &frame()).unwrap();
    let (payload, disclosures) = parts(&text);
    let open = Value::Object(payload).to_string();
    for hidden in [
        "family_name",
        "Möbius",
        "Leipzig",
        "\"city\"",
        "FR",
        "degrees",
        "MSc",
        "1815",
    ] {
        assert!(!open.contains(hidden), "{hidden} in {open}");
    }
    // family name, city, two nationalities, degrees, two of them, two years
    assert_eq!(disclosures.len(), 9);
}

#[test]
fn every_salt_is_its_own_and_has_128_bits() {
    let (_, disclosures) = parts(&made(subject(), &frame()).unwrap());
    let salts: BTreeSet<&str> = disclosures
        .iter()
        .map(|parts| parts[0].as_str().unwrap())
        .collect();
    assert_eq!(salts.len(), disclosures.len());
    assert!(
        salts
            .iter()
            .all(|salt| base64url_decode(salt).unwrap().len() == 16)
    );
}

#[test]
fn digests_are_sorted_among_their_decoys() {
    let (payload, _) = parts(&made(subject(), &frame()).unwrap());
    let digests: Vec<&str> = payload["_sd"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| d.as_str().unwrap())
        .collect();
    assert_eq!(digests.len(), 2 + 3);
    assert!(digests.is_sorted());
    assert_eq!(payload["address"]["_sd"].as_array().unwrap().len(), 1 + 3);
    assert_eq!(payload["nationalities"].as_array().unwrap().len(), 2 + 3);
    assert_eq!(payload["_sd_alg"], "sha-256");
}

#[test]
fn without_disclosable_claims_there_is_no_digest_at_all() {
    let text = made(
        subject(),
        &Frame {
            decoys: 3,
            ..Frame::default()
        },
    )
    .unwrap();
    let (payload, disclosures) = parts(&text);
    assert!(!payload.contains_key("_sd") && disclosures.is_empty());
    assert_eq!(claims(&text), Ok(subject()));
}

#[test]
fn two_issues_of_the_same_have_nothing_hidden_in_common() {
    let mut rng = rng();
    let frame = frame();
    let subject = map(subject());
    let mut digests = BTreeSet::new();
    for _ in 0..2 {
        let text = issue(&issuer(), header(), &subject, &frame, &mut rng).unwrap();
        let (payload, _) = parts(&text);
        digests.extend(payload["_sd"].as_array().unwrap().iter().map(|d| d.to_string()));
    }
    assert_eq!(digests.len(), 2 * 5);
}

#[test]
fn every_hash_function_and_key_goes_round() {
    for hash in HashAlg::ALL {
        for kind in KeyType::ALL {
            let key = SecretKey::from_seed(kind, &[4; 32]);
            let frame = Frame { hash, ..frame() };
            let text = issue(&key, header(), &map(subject()), &frame, &mut rng()).unwrap();
            let parsed = SdJwt::parse_issued(&text).unwrap();
            let verified = parsed.verify(&key.public_key()).unwrap();
            assert_eq!(Value::Object(verified.claims().clone()), subject());
            assert_eq!(verified.disclosed().hash(), hash);
        }
    }
}

// test: JWS-06
#[test]
fn a_key_that_lies_elsewhere_signs() {
    let unsigned = prepare(KeyType::P256, header(), &map(subject()), &frame(), &mut rng()).unwrap();
    let signature = issuer().sign_raw(unsigned.as_bytes());
    assert_eq!(claims(&unsigned.finish(&signature)), Ok(subject()));
    let unsigned = prepare(KeyType::P256, header(), &map(subject()), &frame(), &mut rng()).unwrap();
    let wrong = holder().sign_raw(unsigned.as_bytes());
    assert!(claims(&unsigned.finish(&wrong)).is_err());
}

#[test]
fn paths_read_as_people_write_them() {
    assert_eq!(path(json!(["address", "city"])).to_string(), "address.city");
    assert_eq!(
        path(json!(["degrees", null, "type"])).to_string(),
        "degrees[].type"
    );
    assert_eq!(path(json!(["nationalities", 1])).to_string(), "nationalities[1]");
    for wrong in ["[true]", "[-1]", "[1.5]", "[[]]", "{}", "\"a\""] {
        assert!(serde_json::from_str::<ClaimPath>(wrong).is_err(), "{wrong}");
    }
}
