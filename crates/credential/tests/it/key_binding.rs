//! RFC 9901 §7.3: each rule of a key binding, broken.

use realdid_credential::HashAlg;
use realdid_credential::sd_jwt::{
    BindingClaims, Expected, Frame, KeyBound, MAX_AHEAD, SdJwt, SdJwtError, issue,
};
use realdid_crypto::{KeyType, SecretKey, base64url_encode};
use realdid_jose::jwk::Jwk;
use realdid_jose::jws::JwsError;
use serde_json::{Map, Value, json};

use crate::support::{
    AUDIENCE, NONCE, NOW, binding, cnf, digest, disclosure, expected, forged, holder, issuer, map, paths,
    read, rng,
};

fn credential(cnf: &Value) -> String {
    let name = disclosure(&json!(["salt", "name", "Alice"]));
    forged(&json!({ "cnf": cnf, "_sd": [digest(&name)] }), &[name])
}

/// A key binding with any header and claims, by any key.
fn bound_with(text: &str, key: &SecretKey, header: &Value, claims: &Value) -> String {
    let input = format!(
        "{}.{}",
        base64url_encode(header.to_string()),
        base64url_encode(claims.to_string())
    );
    let signature = key.sign_raw(input.as_bytes());
    format!("{text}{input}.{}", base64url_encode(signature.0))
}

fn header() -> Value {
    json!({ "alg": "ES256", "typ": "kb+jwt" })
}

fn binding_for(text: &str) -> Value {
    json!({ "iat": NOW, "aud": AUDIENCE, "nonce": NONCE, "sd_hash": digest(text) })
}

fn check(text: &str) -> Result<KeyBound, SdJwtError> {
    read(text)?.key_binding(&expected())
}

/// The good key binding with one claim changed, or left out.
fn with_claim(name: &str, value: Option<Value>) -> Result<KeyBound, SdJwtError> {
    let text = credential(&cnf());
    let mut claims = map(binding_for(&text));
    match value {
        Some(value) => claims.insert(name.to_owned(), value),
        None => claims.remove(name),
    };
    check(&bound_with(&text, &holder(), &header(), &Value::Object(claims)))
}

fn passes() {
    let text = credential(&cnf());
    let bound = check(&bound_with(&text, &holder(), &header(), &binding_for(&text))).unwrap();
    assert_eq!((bound.key(), bound.issued_at()), (&holder().public_key(), NOW));
}

// test: SDJ-17
#[test]
fn a_required_key_binding_cannot_be_left_out() {
    let text = credential(&cnf());
    assert_eq!(check(&text).err(), Some(SdJwtError::Unbound));
    passes();
}

// test: SDJ-18
#[test]
fn the_holders_key_is_the_one_the_issuer_names() {
    let mut off_curve = cnf();
    off_curve["jwk"]["y"] = off_curve["jwk"]["x"].clone();
    for cnf in [
        json!({}),
        json!({ "jwk": "text" }),
        json!({ "kid": "somewhere" }),
        json!({ "jwk": { "kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA" } }),
        json!({ "jwk": { "kty": "oct", "k": "c2VjcmV0" } }),
        off_curve,
    ] {
        let text = credential(&cnf);
        let bound = bound_with(&text, &holder(), &header(), &binding_for(&text));
        assert_eq!(check(&bound).err(), Some(SdJwtError::HolderKey), "{cnf}");
    }
    passes();
}

// test: JWS-06
#[test]
fn nobody_but_the_holder_binds() {
    let text = credential(&cnf());
    let thief = SecretKey::from_seed(KeyType::P256, &[66; 32]);
    let invalid = Some(SdJwtError::Binding(JwsError::Signature));
    let stolen = bound_with(&text, &thief, &header(), &binding_for(&text));
    assert_eq!(check(&stolen).err(), invalid);
    let mut own_key = header();
    own_key["jwk"] = json!(Jwk::of(&thief.public_key()));
    let stolen = bound_with(&text, &thief, &own_key, &binding_for(&text));
    assert_eq!(check(&stolen).err(), invalid);
    passes();
}

// test: JWS-05
#[test]
fn the_holders_key_decides_the_algorithm() {
    let text = credential(&cnf());
    for algorithm in ["none", "HS256", "EdDSA", "ES384"] {
        let header = json!({ "alg": algorithm, "typ": "kb+jwt" });
        let bound = bound_with(&text, &holder(), &header, &binding_for(&text));
        assert_eq!(
            check(&bound).err(),
            Some(SdJwtError::Binding(JwsError::Algorithm)),
            "{algorithm}"
        );
    }
    passes();
}

// test: SDJ-19
#[test]
fn a_message_of_another_type_binds_nothing() {
    let text = credential(&cnf());
    for header in [
        json!({ "alg": "ES256" }),
        json!({ "alg": "ES256", "typ": "JWT" }),
        json!({ "alg": "ES256", "typ": "KB+JWT" }),
        json!({ "alg": "ES256", "typ": "openid4vci-proof+jwt" }),
    ] {
        let bound = bound_with(&text, &holder(), &header, &binding_for(&text));
        assert_eq!(check(&bound).err(), Some(SdJwtError::BindingType), "{header}");
    }
    passes();
}

// test: SDJ-20
#[test]
fn the_claims_of_a_key_binding_have_their_types() {
    for (name, values) in [
        ("iat", [json!(NOW.to_string()), json!(-1), json!(1e300)]),
        ("aud", [json!([AUDIENCE]), json!(5), json!(null)]),
        ("nonce", [json!([NONCE]), json!(5), json!(null)]),
        ("sd_hash", [json!([]), json!(5), json!(null)]),
        ("exp", [json!("1900000000"), json!(-1), json!(null)]),
        ("nbf", [json!("1"), json!([]), json!(null)]),
    ] {
        for value in values {
            assert_eq!(
                with_claim(name, Some(value.clone())).err(),
                Some(SdJwtError::BindingForm),
                "{name} {value}"
            );
        }
    }
    for name in ["iat", "aud", "nonce", "sd_hash"] {
        assert_eq!(
            with_claim(name, None).err(),
            Some(SdJwtError::BindingForm),
            "{name}"
        );
    }
    passes();
}

// test: SDJ-21
#[test]
fn a_presentation_for_somebody_else_is_refused() {
    for other in [
        "x509_san_dns:other.example",
        "",
        "X509_SAN_DNS:rental.example",
        "rental.example",
    ] {
        assert_eq!(
            with_claim("aud", Some(json!(other))).err(),
            Some(SdJwtError::Audience)
        );
    }
    passes();
}

// test: SDJ-22
#[test]
fn a_presentation_for_another_request_is_refused() {
    for other in ["another", "", "N-0S6_WzA2Mj"] {
        assert_eq!(
            with_claim("nonce", Some(json!(other))).err(),
            Some(SdJwtError::Nonce)
        );
    }
    passes();
}

// test: SDJ-23
#[test]
fn an_old_presentation_is_refused() {
    assert_eq!(
        with_claim("iat", Some(json!(NOW - 301))).err(),
        Some(SdJwtError::Stale)
    );
    assert_eq!(with_claim("iat", Some(json!(0))).err(), Some(SdJwtError::Stale));
    assert!(with_claim("iat", Some(json!(NOW - 300))).is_ok());
}

// test: SDJ-24
#[test]
fn a_presentation_from_the_future_is_refused() {
    let ahead = NOW + MAX_AHEAD;
    assert_eq!(
        with_claim("iat", Some(json!(ahead + 1))).err(),
        Some(SdJwtError::Early)
    );
    assert!(with_claim("iat", Some(json!(ahead))).is_ok());
    // parts of seconds, as some clocks give them
    assert!(with_claim("iat", Some(json!(1_799_999_999.75))).is_ok());
}

// test: SDJ-25
#[test]
fn a_key_bindings_own_times_hold() {
    assert_eq!(
        with_claim("exp", Some(json!(NOW))).err(),
        Some(SdJwtError::BindingTimes)
    );
    assert_eq!(
        with_claim("nbf", Some(json!(NOW + MAX_AHEAD + 1))).err(),
        Some(SdJwtError::BindingTimes)
    );
    assert!(with_claim("exp", Some(json!(NOW + 1))).is_ok());
    assert!(with_claim("nbf", Some(json!(NOW))).is_ok());
}

// test: SDJ-26
#[test]
fn a_key_binding_is_over_exactly_what_is_shown() {
    let text = credential(&cnf());
    let other = Some(SdJwtError::OtherDisclosures);
    assert_eq!(with_claim("sd_hash", Some(json!(digest("other")))).err(), other);
    let bound = bound_with(&text, &holder(), &header(), &binding_for(&text));
    // a disclosure taken out on the way
    let parts: Vec<&str> = bound.split('~').collect();
    let fewer = format!("{}~{}", parts[0], parts[2]);
    assert_eq!(check(&fewer).err(), other);
    // the hash is taken with the last tilde
    let without = digest(text.trim_end_matches('~'));
    assert_eq!(with_claim("sd_hash", Some(json!(without))).err(), other);
    passes();
}

#[test]
fn what_we_bind_we_accept_with_every_key_and_hash() {
    for kind in KeyType::ALL {
        for hash in HashAlg::ALL {
            let key = SecretKey::from_seed(kind, &[8; 32]);
            let claims = json!({ "name": "Alice", "cnf": { "jwk": Jwk::of(&key.public_key()) } });
            let frame = Frame {
                disclosable: paths(json!([["name"]])),
                decoys: 0,
                hash,
            };
            let text = issue(&issuer(), Map::new(), &map(claims), &frame, &mut rng()).unwrap();
            let disclosed = SdJwt::parse_issued(&text).unwrap().disclosed().unwrap();
            let presentation = disclosed.select(&paths(json!([["name"]]))).unwrap();
            let bound = presentation.bind(&key, &binding()).unwrap();
            assert_eq!(check(&bound).unwrap().key(), &key.public_key());

            let unsigned = presentation.prepare_binding(kind, &binding()).unwrap();
            let signature = key.sign_raw(unsigned.as_bytes());
            assert!(check(&unsigned.finish(&signature)).is_ok());
        }
    }
}

#[test]
fn further_claims_are_handed_out_and_replace_nothing() {
    let text = credential(&cnf());
    let disclosed = SdJwt::parse(&text).unwrap().disclosed().unwrap();
    let claims = BindingClaims {
        more: map(json!({
            "transaction_data_hashes": ["h1", "h2"],
            "transaction_data_hashes_alg": "sha-256",
            "nonce": "forged",
        })),
        ..binding()
    };
    let presentation = disclosed.select(&[]).unwrap();
    let bound = check(&presentation.bind(&holder(), &claims).unwrap()).unwrap();
    assert_eq!(
        bound.transaction_data_hashes(),
        Some((Some("sha-256"), vec!["h1", "h2"]))
    );
    assert_eq!(bound.claims()["nonce"], NONCE);
    assert!(
        with_claim("transaction_data_hashes", Some(json!("h")))
            .unwrap()
            .transaction_data_hashes()
            .is_none()
    );
}

#[test]
fn far_clocks_do_not_overflow() {
    let text = credential(&cnf());
    let bound = bound_with(&text, &holder(), &header(), &binding_for(&text));
    let expected = Expected {
        max_age: u64::MAX,
        now: u64::MAX,
        ..expected()
    };
    assert!(read(&bound).unwrap().key_binding(&expected).is_ok());
}
