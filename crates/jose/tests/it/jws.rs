use proptest::prelude::*;
use realdid_crypto::{KeyType, PublicKey, SecretKey, Signature, base64url_decode, base64url_encode};
use realdid_jose::jwk::{Jwk, thumbprint};
use realdid_jose::jws::{self, JwsError, MAX_JWS, SigningInput, Unverified};
use serde_json::{Value, json};

use crate::key;

const TYP: &str = "test+jwt";

/// Signs any header and claims, as texts.
fn signed(key: &SecretKey, header: &str, claims: &str) -> String {
    let input = format!("{}.{}", base64url_encode(header), base64url_encode(claims));
    let signature = key.sign_raw(input.as_bytes());
    format!("{input}.{}", base64url_encode(signature.0))
}

fn verify(text: &str, key: &SecretKey) -> Result<Value, JwsError> {
    Unverified::parse(text)?
        .verify(&key.public_key(), TYP)
        .map(jws::Verified::into_claims)
}

const GOOD: &str = r#"{"alg":"EdDSA","typ":"test+jwt","kid":"k"}"#;

fn good() -> String {
    signed(&key(KeyType::Ed25519, 1), GOOD, r#"{"a":{"b":1}}"#)
}

fn passes() {
    assert_eq!(
        verify(&good(), &key(KeyType::Ed25519, 1)),
        Ok(json!({ "a": { "b": 1 } }))
    );
}

// test: JWS-01
#[test]
fn a_name_that_occurs_twice_is_refused_at_any_depth() {
    let signer = key(KeyType::Ed25519, 1);
    for (header, claims) in [
        (GOOD, r#"{"a":1,"a":2}"#),
        (GOOD, r#"{"x":[{"a":1,"a":1}]}"#),
        (r#"{"alg":"EdDSA","typ":"test+jwt","alg":"ES256"}"#, "{}"),
    ] {
        assert_eq!(
            verify(&signed(&signer, header, claims), &signer),
            Err(JwsError::Form),
            "{header} {claims}"
        );
    }
    passes();
}

// test: JWS-02
#[test]
fn an_oversized_message_is_refused() {
    let signer = key(KeyType::Ed25519, 1);
    let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(MAX_JWS));
    assert_eq!(
        verify(&signed(&signer, GOOD, &long), &signer),
        Err(JwsError::TooLong)
    );
    let input = SigningInput::new(KeyType::Ed25519, TYP, None, &json!({ "a": "x".repeat(MAX_JWS) }));
    assert_eq!(input.err(), Some(JwsError::TooLong));
    passes();
}

// test: JWS-03
#[test]
fn critical_extensions_are_refused() {
    let signer = key(KeyType::Ed25519, 1);
    let header = r#"{"alg":"EdDSA","typ":"test+jwt","crit":["b64"],"b64":false}"#;
    assert_eq!(
        verify(&signed(&signer, header, "{}"), &signer),
        Err(JwsError::Critical)
    );
    passes();
}

// test: JWS-04
#[test]
fn a_message_of_another_type_is_refused() {
    let signer = key(KeyType::Ed25519, 1);
    for header in [r#"{"alg":"EdDSA","typ":"JWT"}"#, r#"{"alg":"EdDSA"}"#] {
        assert_eq!(
            verify(&signed(&signer, header, "{}"), &signer),
            Err(JwsError::Type)
        );
    }
    passes();
}

// test: JWS-05
#[test]
fn the_key_decides_the_algorithm() {
    let signer = key(KeyType::Ed25519, 1);
    for algorithm in ["none", "HS256", "ES256", "eddsa", ""] {
        let header = format!(r#"{{"alg":"{algorithm}","typ":"test+jwt"}}"#);
        assert_eq!(
            verify(&signed(&signer, &header, "{}"), &signer),
            Err(JwsError::Algorithm),
            "{algorithm}"
        );
    }
    passes();
}

// test: JWS-06
#[test]
fn a_wrong_signature_is_refused_for_every_kind_of_key() {
    for kind in KeyType::ALL {
        let signer = key(kind, 1);
        let text = jws::sign(&signer, TYP, Some("k"), &json!({ "a": 1 })).unwrap();
        assert_eq!(verify(&text, &key(kind, 2)), Err(JwsError::Signature));
        let (input, signature) = text.rsplit_once('.').unwrap();
        let mut bytes = base64url_decode(signature).unwrap();
        bytes[40] ^= 1;
        let altered = format!("{input}.{}", base64url_encode(bytes));
        assert_eq!(verify(&altered, &signer), Err(JwsError::Signature));
        assert_eq!(verify(&text, &signer), Ok(json!({ "a": 1 })));
    }
}

// test: JWS-06
#[test]
fn a_signature_of_another_length_is_an_invalid_one() {
    let signer = key(KeyType::P256, 1);
    let text = jws::sign(&signer, TYP, None, &json!({ "a": 1 })).unwrap();
    let (input, signature) = text.rsplit_once('.').unwrap();
    let bytes = base64url_decode(signature).unwrap();
    for wrong in [
        vec![],
        bytes[..63].to_vec(),
        [bytes.clone(), vec![0]].concat(),
        vec![7; 256],
    ] {
        let altered = format!("{input}.{}", base64url_encode(wrong));
        assert_eq!(verify(&altered, &signer), Err(JwsError::Signature));
    }
    assert_eq!(verify(&text, &signer), Ok(json!({ "a": 1 })));
}

/// The order of P-256's group (SEC 2 §2.4.2), to make the other signature of a pair.
const P256_ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc,
    0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

// test: JWS-04
// test: JWS-06, CRY-04
#[test]
fn the_other_signature_of_a_pair_is_good_from_others_only() {
    let signer = key(KeyType::P256, 1);
    let text = jws::sign(&signer, TYP, None, &json!({ "a": 1 })).unwrap();
    let (input, signature) = text.rsplit_once('.').unwrap();
    let mut bytes = base64url_decode(signature).unwrap();
    let mut borrow = 0;
    for index in (0..32).rev() {
        let difference = i16::from(P256_ORDER[index]) - i16::from(bytes[32 + index]) - borrow;
        borrow = i16::from(difference < 0);
        bytes[32 + index] = u8::try_from(difference.rem_euclid(256)).unwrap();
    }
    let other = format!("{input}.{}", base64url_encode(bytes));
    assert_eq!(verify(&other, &signer), Err(JwsError::Signature));
    let foreign = Unverified::parse(&other).unwrap();
    let verified = foreign.verify_foreign::<Value>(&signer.public_key(), TYP);
    assert_eq!(verified.map(jws::Verified::into_claims), Ok(json!({ "a": 1 })));
    let wrong_type = foreign.verify_foreign::<Value>(&signer.public_key(), "JWT");
    assert_eq!(wrong_type.err(), Some(JwsError::Type));
}

#[test]
fn any_header_can_be_signed_and_is_read_back_whole() {
    let signer = key(KeyType::P256, 1);
    let header = json!({ "typ": TYP, "alg": "none", "x5c": ["MIIB"], "jwk": { "kty": "EC" } });
    let text =
        jws::sign_with_header(&signer, header.as_object().unwrap().clone(), &json!({ "a": 1 })).unwrap();
    let parsed = Unverified::parse(&text).unwrap();
    assert_eq!(parsed.algorithm(), "ES256", "the key decides");
    assert_eq!(parsed.header()["x5c"], json!(["MIIB"]));
    assert_eq!(parsed.header()["jwk"], json!({ "kty": "EC" }));
    assert_eq!(verify(&text, &signer), Ok(json!({ "a": 1 })));
}

/// RFC 9864 §2.2: `Ed25519` is `EdDSA` with the curve said.
// test: JWS-05
#[test]
fn both_names_of_edwards_signatures_are_known() {
    let signer = key(KeyType::Ed25519, 1);
    let text = signed(&signer, r#"{"alg":"Ed25519","typ":"test+jwt"}"#, r#"{"a":1}"#);
    assert_eq!(verify(&text, &signer), Ok(json!({ "a": 1 })));
    let other = signed(
        &key(KeyType::P256, 1),
        r#"{"alg":"Ed25519","typ":"test+jwt"}"#,
        r#"{"a":1}"#,
    );
    assert_eq!(verify(&other, &key(KeyType::P256, 1)), Err(JwsError::Algorithm));
}

#[test]
fn what_is_not_a_compact_jws_is_refused() {
    let text = good();
    for bad in [
        "",
        ".",
        "..",
        "a.b.c",
        &text[1..],
        &format!("{text}="),
        &format!("{text}.x"),
        &text.replace('.', ""),
    ] {
        assert!(Unverified::parse(bad).is_err(), "{bad}");
    }
    passes();
}

#[test]
fn a_key_that_lies_elsewhere_can_sign() {
    let signer = key(KeyType::P256, 3);
    let input = SigningInput::new(KeyType::P256, TYP, Some("k"), &json!({ "a": 1 })).unwrap();
    let signature: Signature = signer.sign_raw(input.as_bytes());
    assert_eq!(verify(&input.finish(&signature), &signer), Ok(json!({ "a": 1 })));
}

#[test]
fn keys_come_back_from_their_jwk() {
    for kind in KeyType::ALL {
        let public = key(kind, 4).public_key();
        let jwk = Jwk::for_signatures(&public);
        assert_eq!(jwk.public_key(), Ok(public));
        assert_eq!(jwk.kid.as_deref(), Some(thumbprint(&public).as_str()));
        let other = Jwk {
            y: Some(jwk.x.clone()),
            ..jwk
        };
        assert!(other.public_key().is_err());
    }
}

/// RFC 8037 appendix A.3.
#[test]
fn the_thumbprint_is_the_one_of_the_standard() {
    let x = base64url_decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").unwrap();
    let public = PublicKey::from_bytes(KeyType::Ed25519, &x).unwrap();
    assert_eq!(thumbprint(&public), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

proptest! {
    // a run with a check turned off fails on purpose, and leaves nothing behind
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn parsing_never_panics(text in ".{0,300}") {
        let _ = Unverified::parse(&text);
    }

    // test: JWS-06
    #[test]
    fn one_changed_character_never_passes(index in 0usize..160, replacement in "[A-Za-z0-9_.-]") {
        let text = good();
        let index = index % text.len();
        let mut altered = text.clone();
        altered.replace_range(index..=index, &replacement);
        prop_assume!(altered != text);
        prop_assert!(verify(&altered, &key(KeyType::Ed25519, 1)).is_err());
    }
}
