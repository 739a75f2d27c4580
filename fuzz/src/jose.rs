//! JSON, keys, signed and encrypted messages, certificates.

use std::sync::OnceLock;

use realdid_jose::json::parse_object;
use realdid_jose::jwe::{DecryptionKey, Jwe, Recipient};
use realdid_jose::jwk::{Jwk, thumbprint};
use realdid_jose::jws::Unverified;
use realdid_jose::x5c::Chain;
use serde_json::Value;

use crate::{NOW, lines, public_key, text, token};

/// JSON without duplicate names: what is read survives being written.
pub fn strict_json(data: &[u8]) {
    if let Some(object) = parse_object(data) {
        let written = serde_json::to_vec(&object).unwrap();
        assert!(parse_object(&written).is_some());
    }
}

/// Compact JWS, as text and around a header and claims.
pub fn jws(data: &[u8]) {
    let _ = Unverified::parse(text(data));
    let (header, claims) = lines(data);
    if let Ok(message) = Unverified::parse(&token(header, claims)) {
        let _ = message.verify_foreign::<Value>(&public_key(), "JWT");
    }
}

/// Public and private JWK.
pub fn jwk(data: &[u8]) {
    if let Ok(jwk) = serde_json::from_slice::<Jwk>(data) {
        if let Ok(key) = jwk.public_key() {
            assert_eq!(Jwk::of(&key).public_key(), Ok(key));
            let _ = thumbprint(&key);
        }
        let _ = Recipient::from_jwk(&jwk);
    }
    let _ = DecryptionKey::from_private_jwk(text(data));
}

/// Compact JWE, as text and around a header and a ciphertext.
pub fn jwe(data: &[u8]) {
    static KEY: OnceLock<DecryptionKey> = OnceLock::new();
    let key = KEY.get_or_init(|| {
        let jwk = serde_json::json!(Jwk {
            kid: Some("k".to_owned()),
            ..Jwk::of(&crate::key().public_key())
        });
        let mut jwk = jwk;
        jwk["d"] = realdid_crypto::base64url_encode(crate::key().seed()).into();
        DecryptionKey::from_private_jwk(&jwk.to_string()).unwrap()
    });
    let _ = Jwe::parse(text(data));
    let (header, ciphertext) = lines(data);
    let (header, ciphertext) = (
        realdid_crypto::base64url_encode(header),
        realdid_crypto::base64url_encode(ciphertext),
    );
    if let Ok(jwe) = Jwe::parse(&format!(
        "{header}..AAAAAAAAAAAAAAAA.{ciphertext}.AAAAAAAAAAAAAAAAAAAAAA"
    )) {
        assert!(jwe.decrypt(key).is_err(), "a guessed tag");
    }
}

/// Certificate chains: one certificate in DER, or the JSON of a header's member.
pub fn x5c(data: &[u8]) {
    let chain = match serde_json::from_slice(data) {
        Ok(value) => Chain::parse(&value),
        Err(_) => Chain::from_der(vec![data.to_vec()]),
    };
    if let Ok(chain) = chain {
        let _ = chain.holds_together(NOW);
        let _ = chain.check_high_assurance();
        let _ = (
            chain.leaf().key(),
            chain.leaf().did(),
            chain.leaf().expect_host("a.example"),
        );
        assert_eq!(Chain::parse(&chain.to_x5c()).unwrap().leaf(), chain.leaf());
    }
}
