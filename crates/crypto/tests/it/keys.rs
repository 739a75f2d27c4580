use curve25519_dalek::constants::EIGHT_TORSION;
use curve25519_dalek::edwards::CompressedEdwardsY;
use proptest::prelude::*;
use realdid_crypto::{
    DecodeError, KeyError, KeyType, PublicKey, Reader, SecretKey, Writer, base58_encode, base64url_decode,
};

use crate::keys as one_of_each;

fn kinds() -> impl Strategy<Value = KeyType> {
    prop::sample::select(&KeyType::ALL[..])
}

proptest! {
    // a run with a check turned off fails on purpose, and leaves nothing behind
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

    #[test]
    fn every_form_of_a_key_leads_back(kind in kinds(), seed in any::<[u8; 32]>()) {
        let key = SecretKey::from_seed(kind, &seed).public_key();
        prop_assert_eq!(PublicKey::from_bytes(kind, key.as_bytes()), Ok(key));
        prop_assert_eq!(PublicKey::from_multikey(&key.to_multikey()), Ok(key));
        let json = serde_json::to_string(&key).unwrap();
        prop_assert_eq!(serde_json::from_str::<PublicKey>(&json).unwrap(), key);
        let mut writer = Writer::new();
        key.write(&mut writer);
        prop_assert_eq!(PublicKey::read(&mut Reader::new(&writer.finish())), Ok(key));
        let (kty, crv, x, y) = key.jwk_parts();
        let x = base64url_decode(&x).unwrap();
        let y = y.map(|y| base64url_decode(&y).unwrap());
        prop_assert_eq!(PublicKey::from_jwk_parts(kty, crv, &x, y.as_deref()), Ok(key));
    }

    /// Whatever is accepted as a key is that key's one encoding.
    // test: CRY-03
    #[test]
    fn bytes_are_canonical_or_refused(kind in kinds(), bytes in prop::collection::vec(any::<u8>(), 32..=33)) {
        if let Ok(key) = PublicKey::from_bytes(kind, &bytes) {
            prop_assert_eq!(key.as_bytes(), &bytes[..]);
            let (kty, crv, x, y) = key.jwk_parts();
            let x = base64url_decode(&x).unwrap();
            let y = y.map(|y| base64url_decode(&y).unwrap());
            prop_assert_eq!(PublicKey::from_jwk_parts(kty, crv, &x, y.as_deref()), Ok(key));
        }
    }

    #[test]
    fn texts_never_panic(text in "z?.{0,80}") {
        let _ = PublicKey::from_multikey(&text);
    }
}

// test: CRY-01
#[test]
fn ed25519_keys_of_small_order_are_refused() {
    for point in EIGHT_TORSION {
        let bytes = point.compress().to_bytes();
        assert_eq!(
            PublicKey::from_bytes(KeyType::Ed25519, &bytes),
            Err(KeyError::SmallOrder)
        );
    }
    // The other encodings of the same points: y + p, or x = 0 with its sign bit set.
    let p_plus = |y: u8, sign: u8| {
        let mut bytes = [0xff; 32];
        bytes[0] = 0xed + y;
        bytes[31] = 0x7f | sign;
        bytes
    };
    let mut minus_zero = [0; 32];
    (minus_zero[0], minus_zero[31]) = (1, 0x80);
    let mut minus_one = p_plus(0, 0x80);
    minus_one[0] = 0xec;
    for bytes in [
        p_plus(0, 0),
        p_plus(0, 0x80),
        p_plus(1, 0),
        p_plus(1, 0x80),
        minus_zero,
        minus_one,
    ] {
        assert_eq!(
            PublicKey::from_bytes(KeyType::Ed25519, &bytes),
            Err(KeyError::SmallOrder)
        );
    }
    let [key, ..] = one_of_each();
    assert!(PublicKey::from_bytes(KeyType::Ed25519, key.public_key().as_bytes()).is_ok());
}

// test: CRY-02
#[test]
fn other_encodings_of_ed25519_keys_are_refused() {
    let mut found = 0;
    for (y, sign) in (2..19).flat_map(|y| [(y, 0), (y, 0x80)]) {
        let mut canonical = [0; 32];
        (canonical[0], canonical[31]) = (y, sign);
        let mut other = [0xff; 32];
        (other[0], other[31]) = (0xed + y, 0x7f | sign);
        assert_eq!(
            CompressedEdwardsY(canonical).decompress(),
            CompressedEdwardsY(other).decompress(),
            "both encode the same y, if any"
        );
        if CompressedEdwardsY(canonical).decompress().is_some() {
            assert_eq!(
                PublicKey::from_bytes(KeyType::Ed25519, &other),
                Err(KeyError::NotOnCurve)
            );
            assert!(PublicKey::from_bytes(KeyType::Ed25519, &canonical).is_ok());
            found += 1;
        }
    }
    assert!(found > 0, "some of the small y are on the curve");
}

// test: CRY-03
#[test]
fn points_off_the_curve_and_other_encodings_of_points_are_refused() {
    for key in &one_of_each()[1..] {
        let public = key.public_key();
        let mut seen = 0;
        for last in 0..=u8::MAX {
            let mut bytes = public.as_bytes().to_vec();
            bytes[32] = last;
            match PublicKey::from_bytes(key.kind(), &bytes) {
                Ok(_) => {}
                Err(error) => {
                    assert_eq!(error, KeyError::NotOnCurve);
                    seen += 1;
                }
            }
        }
        assert!((64..192).contains(&seen), "about half of all x are on the curve");
        // 05 is the compact form, 00 the point at infinity, 04, 06 and 07 the forms with both coordinates.
        for tag in [0, 1, 4, 5, 6, 7, 0xff] {
            let mut bytes = public.as_bytes().to_vec();
            bytes[0] = tag;
            assert_eq!(
                PublicKey::from_bytes(key.kind(), &bytes),
                Err(KeyError::NotOnCurve),
                "tag {tag}"
            );
        }
        let beyond = [&[2][..], &[0xff; 32]].concat();
        assert_eq!(
            PublicKey::from_bytes(key.kind(), &beyond),
            Err(KeyError::NotOnCurve)
        );
        assert_eq!(PublicKey::from_bytes(key.kind(), public.as_bytes()), Ok(public));
    }
}

#[test]
fn lengths_and_types_are_checked() {
    for key in one_of_each() {
        let public = key.public_key();
        let bytes = public.as_bytes();
        for wrong in [&bytes[1..], &[bytes, &[0]].concat(), &[]] {
            assert_eq!(PublicKey::from_bytes(key.kind(), wrong), Err(KeyError::Length));
        }
        let mut writer = Writer::new();
        public.write(&mut writer);
        let mut encoded = writer.finish();
        encoded[0] = 4;
        let unknown = PublicKey::read(&mut Reader::new(&encoded));
        assert_eq!(unknown, Err(DecodeError::Unknown("key type")));
    }
    assert_eq!(KeyType::from_code(0), None);
    assert_eq!(KeyType::ALL.map(KeyType::code), [1, 2, 3]);
}

#[test]
fn multikeys_of_other_kinds_are_refused() {
    let secp256k1 = format!("z{}", base58_encode(&[&[0xe7, 0x01][..], &[2; 33]].concat()));
    let key = one_of_each()[0].public_key();
    let multikey = key.to_multikey();
    for text in [
        &secp256k1,
        "",
        "z",
        &multikey[1..],
        &multikey.replacen('z', "u", 1),
        &format!("{multikey} "),
    ] {
        assert_eq!(PublicKey::from_multikey(text), Err(KeyError::Multikey), "{text}");
    }
    let too_long = format!(
        "z{}",
        base58_encode(&[&[0xed, 0x01][..], key.as_bytes(), &[0]].concat())
    );
    assert_eq!(PublicKey::from_multikey(&too_long), Err(KeyError::Length));
    assert_eq!(PublicKey::from_multikey(&multikey), Ok(key));
}

#[test]
fn json_web_keys_must_fit_together() {
    let [ed25519, p256, sm2] = one_of_each().map(|key| key.public_key());
    let parts = |key: &PublicKey| {
        let (_, _, x, y) = key.jwk_parts();
        (
            base64url_decode(&x).unwrap(),
            y.map(|y| base64url_decode(&y).unwrap()).unwrap_or_default(),
        )
    };
    let (x, mut y) = parts(&p256);
    let from = |kty, crv, x: &[u8], y: Option<&[u8]>| PublicKey::from_jwk_parts(kty, crv, x, y);
    assert_eq!(from("EC", "P-256", &x, Some(&y)), Ok(p256));
    assert_eq!(from("EC", "P-256", &x, None), Err(KeyError::Multikey));
    assert_eq!(from("OKP", "P-256", &x, Some(&y)), Err(KeyError::Multikey));
    assert_eq!(from("EC", "P-384", &x, Some(&y)), Err(KeyError::Multikey));
    assert_eq!(from("EC", "P-256", &x[1..], Some(&y)), Err(KeyError::Length));
    assert_eq!(
        from("EC", "P-256", &x, Some(&[&[0][..], &y].concat())),
        Err(KeyError::Length)
    );
    y[0] ^= 1;
    assert_eq!(
        from("EC", "P-256", &x, Some(&y)),
        Err(KeyError::NotOnCurve),
        "the sign bit alone fits"
    );
    let (x, y) = parts(&sm2);
    assert_eq!(from("EC", "SM2", &x, Some(&y)), Ok(sm2));
    let (x, _) = parts(&ed25519);
    assert_eq!(from("OKP", "Ed25519", &x, None), Ok(ed25519));
    assert_eq!(from("OKP", "Ed25519", &x, Some(&y)), Err(KeyError::Multikey));
}

#[test]
fn secret_keys_print_nothing() {
    for key in one_of_each() {
        let printed = format!("{key:?}");
        assert!(
            !printed.contains(&hex::encode(key.seed())) && !printed.contains("7, 7"),
            "{printed}"
        );
        assert_eq!(
            SecretKey::from_seed(key.kind(), key.seed()).public_key(),
            key.public_key()
        );
    }
}

/// Seeds that are no scalars (0, and the order of the group or more) give a derived key.
#[test]
fn seeds_that_are_no_scalars_still_give_keys() {
    for kind in KeyType::ALL {
        for seed in [[0; 32], [0xff; 32]] {
            let key = SecretKey::from_seed(kind, &seed);
            let signature = key.sign_raw(b"message");
            assert_eq!(key.public_key().verify_raw(b"message", &signature), Ok(()));
        }
    }
    let mut rng = crate::rng(1);
    let keys = [(); 2].map(|()| SecretKey::generate(KeyType::P256, &mut rng).public_key());
    assert_ne!(keys[0], keys[1]);
}
