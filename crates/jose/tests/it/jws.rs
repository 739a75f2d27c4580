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
    #[test]
    fn parsing_never_panics(text in ".{0,300}") {
        let _ = Unverified::parse(&text);
    }

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
