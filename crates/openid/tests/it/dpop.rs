//! DPoP proofs (RFC 9449 §4.3), each rule broken once.

use realdid_crypto::{KeyType, SecretKey};
use realdid_jose::jwk::Jwk;
use realdid_jose::jws::{JwsError, sign_with_header};
use realdid_openid::oauth::dpop::{self, DpopError, DpopExpectation, check};
use serde_json::{Map, Value, json};

const NOW: u64 = 1_800_000_000;
const URI: &str = "https://issuer.example/vci/token";
const TOKEN: &str = "an access token";

fn key(kind: KeyType) -> SecretKey {
    SecretKey::from_seed(kind, &[3; 32])
}

fn expected() -> DpopExpectation<'static> {
    DpopExpectation {
        method: "POST",
        uri: URI,
        access_token: Some(TOKEN),
        now: NOW,
    }
}

/// Header and claims of a good proof.
fn parts(key: &SecretKey) -> (Map<String, Value>, Value) {
    let header = json!({ "typ": "dpop+jwt", "jwk": Jwk::of(&key.public_key()) });
    let claims = json!({
        "jti": "one", "htm": "POST", "htu": URI, "iat": NOW, "ath": dpop::access_token_hash(TOKEN),
    });
    (header.as_object().unwrap().clone(), claims)
}

fn with_claim(name: &str, value: Value) -> Result<dpop::DpopProof, DpopError> {
    let key = key(KeyType::P256);
    let (header, mut claims) = parts(&key);
    claims[name] = value;
    check(&sign_with_header(&key, header, &claims).unwrap(), &expected())
}

fn with_header(name: &str, value: Value) -> Result<dpop::DpopProof, DpopError> {
    let key = key(KeyType::P256);
    let (mut header, claims) = parts(&key);
    header.insert(name.to_owned(), value);
    check(&sign_with_header(&key, header, &claims).unwrap(), &expected())
}

#[test]
fn a_proof_by_each_kind_of_key_is_taken() {
    for kind in KeyType::ALL {
        let key = key(kind);
        let input = dpop::signing_input(&key.public_key(), &expected(), "one", Some("nonce")).unwrap();
        let signature = key.sign_raw(input.as_bytes());
        let proof = check(&input.finish(&signature), &expected()).unwrap();
        assert_eq!(proof.thumbprint, realdid_jose::jwk::thumbprint(&key.public_key()));
        assert_eq!(
            (proof.jti.as_str(), proof.nonce.as_deref()),
            ("one", Some("nonce"))
        );
    }
    assert_eq!(dpop::algorithms(), ["ES256", "EdDSA", "SM2SM3"]);
}

// test: DPOP-01
#[test]
fn a_proof_is_of_its_type() {
    assert_eq!(with_header("typ", json!("JWT")), Err(DpopError::Type));
    assert!(with_header("typ", json!("dpop+jwt")).is_ok());
}

// test: DPOP-02
#[test]
fn a_proof_carries_no_private_key() {
    let mut jwk = json!(Jwk::of(&key(KeyType::P256).public_key()));
    jwk["d"] = json!("AAAA");
    assert_eq!(with_header("jwk", jwk), Err(DpopError::PrivateKey));
    for jwk in [
        json!(null),
        json!("text"),
        json!({ "kty": "oct" }),
        json!({ "kty": "RSA", "n": "AQAB", "e": "AQAB" }),
    ] {
        assert_eq!(with_header("jwk", jwk), Err(DpopError::Key));
    }
    assert!(with_claim("jti", json!("two")).is_ok());
}

// test: JWS-05
// test: JWS-06
#[test]
fn a_proof_is_signed_by_the_key_in_it() {
    let other = SecretKey::from_seed(KeyType::P256, &[4; 32]);
    let (header, claims) = parts(&key(KeyType::P256));
    let forged = sign_with_header(&other, header.clone(), &claims).unwrap();
    assert_eq!(
        check(&forged, &expected()),
        Err(DpopError::Jws(JwsError::Signature))
    );
    let edwards = sign_with_header(&key(KeyType::Ed25519), header, &claims).unwrap();
    assert_eq!(
        check(&edwards, &expected()),
        Err(DpopError::Jws(JwsError::Algorithm))
    );
    assert!(with_claim("jti", json!("two")).is_ok());
}

// test: DPOP-03
#[test]
fn a_proof_is_for_one_method() {
    for method in ["GET", "post", ""] {
        assert_eq!(with_claim("htm", json!(method)), Err(DpopError::Method));
    }
    assert_eq!(with_claim("htm", json!(1)), Err(DpopError::Claim("htm")));
    assert!(with_claim("htm", json!("POST")).is_ok());
}

// test: DPOP-04
#[test]
fn a_proof_is_for_one_address() {
    for address in [
        "https://issuer.example/vci/credential",
        "http://issuer.example/vci/token",
        "https://issuer.example/vci/token/",
    ] {
        assert_eq!(with_claim("htu", json!(address)), Err(DpopError::Address));
    }
    assert_eq!(with_claim("htu", json!("no address")), Err(DpopError::Address));
    // Query, fragment, the case of the host and the default port make no difference.
    for address in [
        "https://issuer.example/vci/token?q#f",
        "https://ISSUER.example:443/vci/token",
    ] {
        assert!(with_claim("htu", json!(address)).is_ok());
    }
}

// test: DPOP-05
#[test]
fn a_proof_is_recent() {
    for iat in [NOW + 31, NOW - 151, 0, u64::MAX] {
        assert_eq!(with_claim("iat", json!(iat)), Err(DpopError::Stale));
    }
    for iat in [
        json!("1800000000"),
        json!(-1),
        json!(-1.5),
        json!(1e300),
        json!(null),
    ] {
        assert_eq!(with_claim("iat", iat), Err(DpopError::Claim("iat")));
    }
    for iat in [json!(NOW + 30), json!(NOW - 150), json!(1_800_000_000.25)] {
        assert!(with_claim("iat", iat).is_ok());
    }
}

// test: DPOP-06
#[test]
fn a_proof_is_for_one_access_token() {
    for hash in [json!(dpop::access_token_hash("another")), json!(null), json!("")] {
        assert_eq!(with_claim("ath", hash), Err(DpopError::AccessToken));
    }
    assert!(with_claim("ath", json!(dpop::access_token_hash(TOKEN))).is_ok());
}

// test: DPOP-07
#[test]
fn a_proof_has_an_identifier_of_bounded_length() {
    for jti in ["", &"j".repeat(129)] {
        assert_eq!(with_claim("jti", json!(jti)), Err(DpopError::Claim("jti")));
    }
    assert!(with_claim("jti", json!("j".repeat(128))).is_ok());
}
