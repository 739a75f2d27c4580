//! An issuer's keys at its own address: each rule broken.

use realdid_credential::issuer_metadata::{
    IssuerKeys, IssuerMetadata, IssuerMetadataError, KeySet, well_known_url,
};
use realdid_crypto::{KeyType, PublicKey, SecretKey};
use realdid_jose::jwk::Jwk;
use serde_json::{Value, json};

const ISSUER: &str = "https://issuer.example/tenant";

fn key(kind: KeyType, seed: u8) -> PublicKey {
    SecretKey::from_seed(kind, &[seed; 32]).public_key()
}

fn jwk(kid: &str, key: &PublicKey) -> Value {
    json!(Jwk {
        kid: Some(kid.to_owned()),
        ..Jwk::of(key)
    })
}

fn jwks() -> Value {
    json!({ "keys": [
        jwk("one", &key(KeyType::P256, 1)),
        jwk("two", &key(KeyType::P256, 2)),
        jwk("three", &key(KeyType::Ed25519, 3)),
        { "kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "rsa" },
    ] })
}

fn parse(document: &Value) -> Result<IssuerMetadata, IssuerMetadataError> {
    IssuerMetadata::parse(document.to_string().as_bytes(), ISSUER)
}

fn keys() -> KeySet {
    match parse(&json!({ "issuer": ISSUER, "jwks": jwks() }))
        .unwrap()
        .keys()
    {
        IssuerKeys::Here(keys) => keys.clone(),
        IssuerKeys::At(address) => panic!("{address}"),
    }
}

// test: SVC-17
#[test]
fn metadata_lie_at_https_addresses_of_host_and_path() {
    for wrong in [
        "http://issuer.example",
        "issuer.example",
        "did:real:sandbox:a",
        "",
        "https://",
        "https://issuer.example?x=1",
        "https://issuer.example/#f",
        "https://user@issuer.example",
        "https://user:secret@issuer.example",
        "ftp://issuer.example",
        "file:///etc/passwd",
        "http://127.0.0.1:7310",
    ] {
        assert_eq!(
            well_known_url(wrong, false),
            Err(IssuerMetadataError::Issuer),
            "{wrong}"
        );
    }
    for wrong in [
        "http://127.0.0.1.example",
        "http://169.254.169.254",
        "http://localhost.example",
    ] {
        assert_eq!(
            well_known_url(wrong, true),
            Err(IssuerMetadataError::Issuer),
            "{wrong}"
        );
    }
    for (issuer, address) in [
        (
            "https://example.com",
            "https://example.com/.well-known/jwt-vc-issuer",
        ),
        (
            "https://example.com/",
            "https://example.com/.well-known/jwt-vc-issuer",
        ),
        (
            "https://example.com:8443/tenant/1234",
            "https://example.com:8443/.well-known/jwt-vc-issuer/tenant/1234",
        ),
        (
            "https://example.com/tenant/1234/",
            "https://example.com/.well-known/jwt-vc-issuer/tenant/1234",
        ),
    ] {
        assert_eq!(well_known_url(issuer, false).as_deref(), Ok(address));
    }
    assert_eq!(
        well_known_url("http://127.0.0.1:7310/x", true).as_deref(),
        Ok("http://127.0.0.1:7310/.well-known/jwt-vc-issuer/x")
    );
}

// test: SVC-18
#[test]
fn metadata_of_another_issuer_are_not_used() {
    for other in [
        json!("https://other.example"),
        json!("https://issuer.example/tenant/"),
        json!("https://ISSUER.example/tenant"),
        json!(null),
        json!([ISSUER]),
    ] {
        let document = json!({ "issuer": other, "jwks": jwks() });
        assert_eq!(parse(&document), Err(IssuerMetadataError::OtherIssuer));
    }
    assert_eq!(
        parse(&json!({ "jwks": jwks() })),
        Err(IssuerMetadataError::OtherIssuer)
    );
    assert!(parse(&json!({ "issuer": ISSUER, "jwks": jwks() })).is_ok());
}

// test: SVC-19
#[test]
fn keys_are_here_or_there_but_not_both() {
    let there = "https://issuer.example/jwks";
    for document in [
        json!({ "issuer": ISSUER }),
        json!({ "issuer": ISSUER, "jwks": jwks(), "jwks_uri": there }),
    ] {
        assert_eq!(parse(&document), Err(IssuerMetadataError::Keys));
    }
    let document = json!({ "issuer": ISSUER, "jwks_uri": there });
    assert_eq!(
        parse(&document).unwrap().keys(),
        &IssuerKeys::At(there.to_owned())
    );
}

// test: SVC-20
#[test]
fn a_key_is_chosen_by_name_or_by_being_the_only_one() {
    let keys = keys();
    assert_eq!(keys.select(Some("two"), "ES256"), Ok(key(KeyType::P256, 2)));
    assert_eq!(keys.select(None, "EdDSA"), Ok(key(KeyType::Ed25519, 3)));
    let none = Err(IssuerMetadataError::NoKey);
    assert_eq!(keys.select(Some("TWO"), "ES256"), none);
    assert_eq!(keys.select(Some("rsa"), "RS256"), none);
    assert_eq!(keys.select(None, "ES256"), none, "two would fit");
    assert_eq!(keys.select(None, "RS256"), none);
    let twice = json!({ "keys": [jwk("a", &key(KeyType::P256, 1)), jwk("a", &key(KeyType::P256, 2))] });
    let twice = KeySet::parse(twice.to_string().as_bytes()).unwrap();
    assert_eq!(twice.select(Some("a"), "ES256"), none);
}

#[test]
fn keys_for_other_uses_or_with_a_private_part_are_passed_over() {
    let mut encryption = jwk("enc", &key(KeyType::P256, 1));
    encryption["use"] = json!("enc");
    let mut private = jwk("private", &key(KeyType::P256, 2));
    private["d"] = json!("AAAA");
    let set = json!({ "keys": [encryption, private, "text", null] });
    let set = KeySet::parse(set.to_string().as_bytes()).unwrap();
    for kid in [Some("enc"), Some("private"), None] {
        assert!(set.select(kid, "ES256").is_err());
    }
}

// test: JWS-01
#[test]
fn what_is_no_such_document_is_refused() {
    for document in [
        "",
        "[]",
        "{",
        r#"{"issuer":"https://issuer.example/tenant","jwks":{"keys":[]},"jwks":{"keys":[]}}"#,
        r#"{"issuer":"https://issuer.example/tenant","jwks":{}}"#,
        r#"{"issuer":"https://issuer.example/tenant","jwks":"x"}"#,
        r#"{"issuer":"https://issuer.example/tenant","jwks_uri":5}"#,
    ] {
        let parsed = IssuerMetadata::parse(document.as_bytes(), ISSUER);
        assert_eq!(parsed, Err(IssuerMetadataError::Form), "{document}");
    }
    let many = json!({ "keys": vec![json!({}); 65] });
    assert!(KeySet::parse(many.to_string().as_bytes()).is_err());
    let long = format!(r#"{{"keys":[],"x":"{}"}}"#, "x".repeat(256 * 1024));
    assert!(KeySet::parse(long.as_bytes()).is_err());
    assert!(KeySet::parse(br#"{"keys":[]}"#).is_ok());
}
