use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use proptest::prelude::*;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use realdid_crypto::{KeyType, base64url_decode, base64url_encode};
use realdid_jose::jwe::{DecryptionKey, Encryption, Jwe, JweError, MAX_JWE, Parties, Recipient, encrypt};
use realdid_jose::jwk::Jwk;
use serde_json::{Value, json};

use crate::{frozen, key};

const CONTENT: &[u8] = br#"{"vp_token":{"a":["b"]}}"#;

fn rng() -> StdRng {
    StdRng::seed_from_u64(7)
}

fn reader() -> DecryptionKey {
    DecryptionKey::generate(&mut rng())
}

fn recipient() -> Recipient {
    Recipient::from_jwk(&reader().jwk()).unwrap()
}

fn good() -> String {
    let parties = Parties::default();
    encrypt(&recipient(), Encryption::A128Gcm, CONTENT, parties, &mut rng()).unwrap()
}

fn open(text: &str) -> Result<Vec<u8>, JweError> {
    Jwe::parse(text)?
        .decrypt(&reader())
        .map(|content| content.to_vec())
}

fn passes() {
    assert_eq!(open(&good()).as_deref(), Ok(CONTENT));
}

/// The good message with one part replaced.
fn with_part(index: usize, part: &str) -> String {
    let good = good();
    let mut parts: Vec<&str> = good.split('.').collect();
    parts[index] = part;
    parts.join(".")
}

/// The good message with another header; its tag no longer fits.
fn with_header(change: impl FnOnce(&mut Value)) -> String {
    let good = good();
    let (header, _) = good.split_once('.').unwrap();
    let mut header: Value = serde_json::from_slice(&base64url_decode(header).unwrap()).unwrap();
    change(&mut header);
    with_part(0, &base64url_encode(header.to_string()))
}

#[test]
fn every_content_encryption_opens_again() {
    let parties = Parties {
        producer: b"wallet",
        recipient: b"verifier",
    };
    for encryption in Encryption::ALL {
        for content in [b"".as_slice(), b"x", &[7; 16], CONTENT, &[0; 5000]] {
            let text = encrypt(&recipient(), encryption, content, parties, &mut rng()).unwrap();
            let parsed = Jwe::parse(&text).unwrap();
            assert_eq!(parsed.encryption(), encryption);
            assert_eq!(parsed.kid(), Some(reader().kid()));
            assert_eq!(parsed.parties().producer, b"wallet");
            assert_eq!(parsed.decrypt(&reader()).unwrap().as_slice(), content);
        }
    }
}

/// RFC 7518, Appendix C: the key that Alice and Bob agree on opens what we are sent.
#[test]
fn the_standards_vector() {
    let epk = json!({
        "kty": "EC", "crv": "P-256",
        "x": "gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0",
        "y": "SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps",
    });
    let header = json!({ "alg": "ECDH-ES", "enc": "A128GCM", "apu": "QWxpY2U", "apv": "Qm9i", "epk": epk, "kid": "bob" });
    let bob = json!({
        "kty": "EC", "crv": "P-256", "kid": "bob",
        "x": "weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ",
        "y": "e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck",
        "d": "VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw",
    });
    let header = base64url_encode(header.to_string());
    let agreed = base64url_decode("VqqN6vgjbSBcIijNcacQGg").unwrap();
    let agreed = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &agreed).unwrap());
    let mut text = CONTENT.to_vec();
    let nonce = Nonce::assume_unique_for_key([3; 12]);
    let tag = agreed
        .seal_in_place_separate_tag(nonce, Aad::from(header.as_bytes()), &mut text)
        .unwrap();
    let parts = [
        base64url_encode([3; 12]),
        base64url_encode(text),
        base64url_encode(tag),
    ];
    let jwe = format!("{header}..{}", parts.join("."));
    let bob = DecryptionKey::from_private_jwk(&bob.to_string()).unwrap();
    assert_eq!(
        Jwe::parse(&jwe).unwrap().decrypt(&bob).unwrap().as_slice(),
        CONTENT
    );
}

#[test]
fn what_another_library_encrypts_is_read() {
    let vectors = frozen::read("jwe.json");
    let key = DecryptionKey::from_private_jwk(&vectors["private_jwk"].to_string()).unwrap();
    let messages = vectors["messages"].as_array().unwrap();
    assert_eq!(messages.len(), 2 * Encryption::ALL.len());
    for message in messages {
        let jwe = Jwe::parse(message["jwe"].as_str().unwrap()).unwrap();
        let content = jwe.decrypt(&key).unwrap();
        assert_eq!(
            content.as_slice(),
            vectors["content"].as_str().unwrap().as_bytes()
        );
    }
}

#[test]
fn a_stored_private_key_comes_back_and_is_not_printed() {
    let stored = reader().to_private_jwk();
    let back = DecryptionKey::from_private_jwk(&stored).unwrap();
    assert_eq!(back.jwk(), reader().jwk());
    assert!(!format!("{back:?}").contains(&stored.split("\"d\":\"").nth(1).unwrap()[..43]));
    // A public half that belongs to another key is not believed.
    let mut mixed: Value = serde_json::from_str(&stored).unwrap();
    mixed["d"] = base64url_encode([1; 32]).into();
    assert_eq!(
        DecryptionKey::from_private_jwk(&mixed.to_string()).err(),
        Some(JweError::Recipient)
    );
}

// test: JWE-01
#[test]
fn an_oversized_message_is_refused() {
    let long = with_part(3, &"A".repeat(MAX_JWE));
    assert_eq!(open(&long), Err(JweError::TooLong));
    let content = vec![0; MAX_JWE];
    let sealed = encrypt(
        &recipient(),
        Encryption::A128Gcm,
        &content,
        Parties::default(),
        &mut rng(),
    );
    assert_eq!(sealed, Err(JweError::TooLong));
    passes();
}

#[test]
fn what_is_not_five_parts_of_base64url_is_refused() {
    for text in ["", "a", "a.b.c", "....", "a.b.c.d.e.f", "{}.a.b.c.d"] {
        assert_eq!(open(text), Err(JweError::Form), "{text}");
    }
    for index in [0, 2, 3, 4] {
        assert_eq!(open(&with_part(index, "+/+/")), Err(JweError::Form), "{index}");
    }
    assert_eq!(
        open(&with_header(|header| header["kid"] = 1.into())),
        Err(JweError::Form)
    );
    passes();
}

// test: JWS-01
#[test]
fn a_header_name_that_occurs_twice_is_refused() {
    let twice = with_part(
        0,
        &base64url_encode(r#"{"alg":"RSA-OAEP","enc":"A128GCM","alg":"ECDH-ES"}"#),
    );
    assert_eq!(open(&twice), Err(JweError::Form));
    passes();
}

// test: JWE-02
#[test]
fn critical_extensions_are_refused() {
    let text = with_header(|header| header["crit"] = json!(["exp"]));
    assert_eq!(open(&text), Err(JweError::Critical));
    passes();
}

// test: JWE-03
#[test]
fn every_other_key_agreement_is_refused() {
    for algorithm in [
        "dir",
        "ECDH-ES+A128KW",
        "RSA1_5",
        "RSA-OAEP",
        "PBES2-HS256+A128KW",
        "none",
        "ecdh-es",
    ] {
        let text = with_header(|header| header["alg"] = algorithm.into());
        assert_eq!(open(&text), Err(JweError::Algorithm), "{algorithm}");
    }
    for absent in [json!(null), json!(["ECDH-ES"])] {
        let text = with_header(|header| header["alg"] = absent);
        assert_eq!(open(&text), Err(JweError::Algorithm));
    }
    passes();
}

// test: JWE-04
#[test]
fn every_other_content_encryption_is_refused() {
    for encryption in ["A192GCM", "A256CBC-HS512", "none", "a128gcm", ""] {
        let text = with_header(|header| header["enc"] = encryption.into());
        assert_eq!(open(&text), Err(JweError::Encryption), "{encryption}");
    }
    passes();
}

// test: JWE-05
#[test]
fn compressed_content_is_refused() {
    let text = with_header(|header| header["zip"] = "DEF".into());
    assert_eq!(open(&text), Err(JweError::Compressed));
    passes();
}

// test: JWE-06
#[test]
fn an_encrypted_key_beside_the_agreed_one_is_refused() {
    assert_eq!(open(&with_part(1, "AAAA")), Err(JweError::EncryptedKey));
    passes();
}

// test: JWE-07
#[test]
fn ephemeral_keys_of_foreign_curves_and_off_the_curve_are_refused() {
    let of = |kind| json!(Jwk::of(&key(kind, 5).public_key()));
    let mut off = of(KeyType::P256);
    off["y"] = off["x"].clone();
    let mut p384 = of(KeyType::P256);
    p384["crv"] = "P-384".into();
    for epk in [
        of(KeyType::Ed25519),
        of(KeyType::Sm2),
        off,
        p384,
        json!({}),
        json!(null),
        json!("x"),
    ] {
        let text = with_header(|header| header["epk"] = epk.clone());
        assert_eq!(open(&text), Err(JweError::EphemeralKey), "{epk}");
    }
    passes();
}

// test: JWE-08
#[test]
fn a_message_to_another_key_is_refused() {
    let text = with_header(|header| header["kid"] = "other".into());
    assert_eq!(open(&text), Err(JweError::OtherKey));
    let text = with_header(|header| drop(header.as_object_mut().unwrap().remove("kid")));
    assert_eq!(open(&text), Err(JweError::OtherKey));
    passes();
}

// test: JWE-09
#[test]
fn an_altered_message_is_refused() {
    let other = json!(Jwk::of(&key(KeyType::P256, 5).public_key()));
    for text in [
        with_header(|header| header["apu"] = "AAAA".into()),
        with_header(|header| header["enc"] = "A256GCM".into()),
        with_header(|header| header["enc"] = "A128CBC-HS256".into()),
        with_header(|header| header["epk"] = other),
        with_part(2, &base64url_encode([0; 12])),
        with_part(2, ""),
        with_part(3, &base64url_encode(b"x")),
        with_part(4, &base64url_encode([0; 16])),
        with_part(4, &base64url_encode([0; 4])),
        with_part(4, ""),
    ] {
        assert_eq!(open(&text), Err(JweError::Tag), "{text}");
    }
    passes();
}

// test: JWE-09
#[test]
fn no_bit_of_a_cbc_message_can_be_turned() {
    let parties = Parties::default();
    let good = encrypt(
        &recipient(),
        Encryption::A128CbcHs256,
        CONTENT,
        parties,
        &mut rng(),
    )
    .unwrap();
    let parts: Vec<&str> = good.split('.').collect();
    for index in 2..5 {
        let bytes = base64url_decode(parts[index]).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut turned = bytes.clone();
            turned[bit / 8] ^= 1 << (bit % 8);
            let turned = base64url_encode(turned);
            let mut parts = parts.clone();
            parts[index] = &turned;
            assert_eq!(
                open(&parts.join(".")),
                Err(JweError::Tag),
                "part {index} bit {bit}"
            );
        }
    }
    assert_eq!(open(&good).as_deref(), Ok(CONTENT));
}

// test: JWE-10
#[test]
fn keys_for_other_uses_are_not_encrypted_to() {
    let good = reader().jwk();
    let other = |change: fn(&mut Jwk)| {
        let mut jwk = good.clone();
        change(&mut jwk);
        Recipient::from_jwk(&jwk)
    };
    let refused = Err(JweError::Recipient);
    assert_eq!(other(|jwk| jwk.usage = Some("sig".to_owned())), refused);
    assert_eq!(other(|jwk| jwk.alg = Some("ES256".to_owned())), refused);
    assert_eq!(other(|jwk| jwk.alg = None), refused);
    let sm2 = Jwk {
        alg: Some("ECDH-ES".to_owned()),
        ..Jwk::of(&key(KeyType::Sm2, 1).public_key())
    };
    assert_eq!(Recipient::from_jwk(&sm2), refused);
    assert_eq!(other(|_| ()), Ok(recipient()));
    // In a set, the first that fits is taken.
    let rsa = json!({ "kty": "RSA", "n": "AQAB", "e": "AQAB", "alg": "RSA-OAEP" });
    let set = [rsa.clone(), json!(sm2), json!(good)];
    assert_eq!(Recipient::choose(&set), Ok(recipient()));
    assert_eq!(Recipient::choose(&[rsa]), refused);
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in r"[A-Za-z0-9_.\-]{0,300}", header in r#"[{}\[\]":,a-z0-9]{0,60}"#) {
        let _ = open(&text);
        let _ = open(&format!("{}..AA.AA.AA", base64url_encode(header)));
    }
}
