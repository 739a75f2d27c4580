//! An issuer, a holder, and SD-JWTs made by hand as no honest issuer makes them.

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use realdid_credential::HashAlg;
use realdid_credential::path::ClaimPath;
use realdid_credential::sd_jwt::{BindingClaims, Expected, SdJwt, SdJwtError, VerifiedSdJwt};
use realdid_crypto::{KeyType, SecretKey, base64url_encode};
use realdid_jose::jwk::Jwk;
use serde_json::{Map, Value, json};

/// The clock of all tests here.
pub const NOW: u64 = 1_800_000_000;
pub const AUDIENCE: &str = "x509_san_dns:rental.example";
pub const NONCE: &str = "n-0S6_WzA2Mj";

pub fn issuer() -> SecretKey {
    SecretKey::from_seed(KeyType::P256, &[1; 32])
}

pub fn holder() -> SecretKey {
    SecretKey::from_seed(KeyType::P256, &[2; 32])
}

pub fn rng() -> StdRng {
    StdRng::seed_from_u64(9901)
}

pub fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("{other} is no object"),
    }
}

/// A path from JSON: `["a", 0, null]`.
pub fn path(value: Value) -> ClaimPath {
    serde_json::from_value(value).unwrap()
}

pub fn paths(values: Value) -> Vec<ClaimPath> {
    serde_json::from_value(values).unwrap()
}

/// A disclosure with any content.
pub fn disclosure(content: &Value) -> String {
    base64url_encode(content.to_string())
}

pub fn digest(disclosure: &str) -> String {
    HashAlg::Sha256.digest(disclosure)
}

/// Signs any header and payload as the issuer, and lets any parts follow.
pub fn forged_with(header: &Value, payload: &Value, disclosures: &[String]) -> String {
    let input = format!(
        "{}.{}",
        base64url_encode(header.to_string()),
        base64url_encode(payload.to_string())
    );
    let signature = issuer().sign_raw(input.as_bytes());
    let mut text = format!("{input}.{}~", base64url_encode(signature.0));
    for disclosure in disclosures {
        text.push_str(disclosure);
        text.push('~');
    }
    text
}

pub fn forged(payload: &Value, disclosures: &[String]) -> String {
    let header = json!({ "alg": "ES256", "typ": "dc+sd-jwt" });
    forged_with(&header, payload, disclosures)
}

/// Parses and verifies with the issuer's key.
pub fn read(text: &str) -> Result<VerifiedSdJwt, SdJwtError> {
    SdJwt::parse(text)?.verify(&issuer().public_key())
}

pub fn claims(text: &str) -> Result<Value, SdJwtError> {
    read(text).map(|verified| Value::Object(verified.claims().clone()))
}

/// `cnf` with the holder's key.
pub fn cnf() -> Value {
    json!({ "jwk": Jwk::of(&holder().public_key()) })
}

pub fn binding() -> BindingClaims {
    BindingClaims {
        audience: AUDIENCE.to_owned(),
        nonce: NONCE.to_owned(),
        issued_at: NOW,
        more: Map::new(),
    }
}

pub fn expected() -> Expected<'static> {
    Expected {
        audience: AUDIENCE,
        nonce: NONCE,
        now: NOW,
        max_age: 300,
    }
}
