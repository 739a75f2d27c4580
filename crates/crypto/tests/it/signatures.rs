use proptest::prelude::*;
use realdid_crypto::{
    BatchItem, Domain, Hash, KeyType, PublicKey, SecretKey, Signature, SignatureError, verify_batch,
};
use serde_json::{Value, json};

use crate::{CHARTER, OTHER_CHARTER, domain, frozen, keys, rng};

/// The order of P-256's group (SEC 2 §2.4.2).
const P256_ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

/// The other valid `s` of an ECDSA signature: the order minus `s`.
pub fn other_s(signature: &Signature) -> Signature {
    let order = hex::decode(P256_ORDER).unwrap();
    let mut other = *signature;
    let mut borrow = 0;
    for index in (0..32).rev() {
        let difference = i16::from(order[index]) - i16::from(signature.0[32 + index]) - borrow;
        borrow = i16::from(difference < 0);
        other.0[32 + index] = u8::try_from(difference.rem_euclid(256)).unwrap();
    }
    other
}

fn seeds() -> impl Strategy<Value = (KeyType, [u8; 32])> {
    (prop::sample::select(&KeyType::ALL[..]), any::<[u8; 32]>())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_signature_holds_for_its_key_domain_and_message_alone(
        (kind, seed) in seeds(),
        message in prop::collection::vec(any::<u8>(), 0..200),
        other in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let key = SecretKey::from_seed(kind, &seed);
        let public = key.public_key();
        let signature = key.sign(&domain(&CHARTER), &message);
        prop_assert_eq!(public.verify(&domain(&CHARTER), &message, &signature), Ok(()));
        prop_assert_eq!(key.sign(&domain(&CHARTER), &message), signature, "signing is deterministic");
        prop_assert_eq!(public.verify(&domain(&OTHER_CHARTER), &message, &signature), Err(SignatureError));
        let label = Domain { label: "realdid/test/v2", charter: &CHARTER };
        prop_assert_eq!(public.verify(&label, &message, &signature), Err(SignatureError));
        prop_assert_eq!(public.verify_raw(&message, &signature), Err(SignatureError));
        prop_assume!(message != other);
        prop_assert_eq!(public.verify(&domain(&CHARTER), &other, &signature), Err(SignatureError));
        let stranger = SecretKey::from_seed(kind, &[0x55; 32]).public_key();
        prop_assert_eq!(stranger.verify(&domain(&CHARTER), &message, &signature), Err(SignatureError));
    }

    #[test]
    fn every_flipped_bit_is_refused((kind, seed) in seeds(), bit in 0_usize..512, message in any::<[u8; 8]>()) {
        let key = SecretKey::from_seed(kind, &seed);
        let mut signature = key.sign(&domain(&CHARTER), &message);
        signature.0[bit / 8] ^= 1 << (bit % 8);
        let refused = key.public_key().verify(&domain(&CHARTER), &message, &signature);
        prop_assert_eq!(refused, Err(SignatureError));
        let foreign = key.public_key().verify_foreign(&message, &signature);
        prop_assert_eq!(foreign, Err(SignatureError));
    }

    #[test]
    fn a_batch_says_what_its_members_say(
        members in prop::collection::vec((seeds(), 0_u8..8, 0_usize..512), 0..8),
        seed in any::<u64>(),
    ) {
        let charter = CHARTER;
        let made: Vec<(PublicKey, [u8; 3], Signature)> = members
            .iter()
            .map(|((kind, seed), break_it, bit)| {
                let key = SecretKey::from_seed(*kind, seed);
                let message = [*break_it, 2, 3];
                let mut signature = key.sign(&domain(&charter), &message);
                if *break_it == 0 {
                    signature.0[bit / 8] ^= 1 << (bit % 8);
                }
                (key.public_key(), message, signature)
            })
            .collect();
        let items: Vec<_> = made
            .iter()
            .map(|(key, message, signature)| BatchItem { key, domain: domain(&charter), message, signature })
            .collect();
        let alone = items.iter().all(|item| item.key.verify(&item.domain, item.message, item.signature).is_ok());
        prop_assert_eq!(verify_batch(&items, &mut rng(seed)).is_ok(), alone);
    }

    #[test]
    fn arbitrary_bytes_are_no_signature((kind, seed) in seeds(), halves in any::<[[u8; 32]; 2]>()) {
        let public = SecretKey::from_seed(kind, &seed).public_key();
        let signature = Signature(halves.concat().try_into().unwrap());
        prop_assert_eq!(public.verify_foreign(b"message", &signature), Err(SignatureError));
    }
}

#[test]
fn an_empty_batch_is_valid() {
    assert_eq!(verify_batch(&[], &mut rng(1)), Ok(()));
}

// test: CRY-04
#[test]
fn p256_signatures_of_ours_have_the_low_s() {
    let key = SecretKey::from_seed(KeyType::P256, &[3; 32]);
    for message in (0..32_u8).map(|n| [n]) {
        let low = key.sign(&domain(&CHARTER), &message);
        let high = other_s(&low);
        assert_eq!(
            key.public_key().verify(&domain(&CHARTER), &message, &high),
            Err(SignatureError)
        );
        assert_eq!(key.public_key().verify(&domain(&CHARTER), &message, &low), Ok(()));
        let raw = key.sign_raw(&message);
        assert_eq!(
            key.public_key().verify_raw(&message, &other_s(&raw)),
            Err(SignatureError)
        );
        assert_eq!(key.public_key().verify_foreign(&message, &other_s(&raw)), Ok(()));
    }
}

#[test]
fn zero_and_the_order_are_no_parts_of_a_signature() {
    for key in &keys()[1..] {
        let good = key.sign_raw(b"message");
        let order = match key.kind() {
            KeyType::P256 => P256_ORDER,
            _ => "fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123",
        };
        for value in [[0; 32].to_vec(), hex::decode(order).unwrap(), [0xff; 32].to_vec()] {
            for at in [0, 32] {
                let mut bad = good;
                bad.0[at..at + 32].copy_from_slice(&value);
                assert_eq!(
                    key.public_key().verify_foreign(b"message", &bad),
                    Err(SignatureError)
                );
            }
        }
        assert_eq!(key.public_key().verify_raw(b"message", &good), Ok(()));
    }
}

/// A JWS signing input is ASCII, a domain-separated message begins with zero: neither passes as the other.
#[test]
fn domains_and_jws_inputs_cannot_meet() {
    for key in keys() {
        let message = [&[0, 15][..], b"realdid/test/v1", CHARTER.as_bytes(), b"payload"].concat();
        let signature = key.sign_raw(&message);
        let public = key.public_key();
        assert_eq!(
            public.verify(&domain(&CHARTER), b"payload", &signature),
            Ok(()),
            "this is the layout"
        );
        let jws = key.sign_raw(&message[1..]);
        assert_eq!(
            public.verify(&domain(&CHARTER), b"payload", &jws),
            Err(SignatureError)
        );
    }
}

#[test]
fn signatures_are_frozen() {
    let case = |key: &SecretKey, label: &'static str, charter: &Hash, message: &[u8]| -> Value {
        let signature = key.sign(&Domain { label, charter }, message);
        json!({
            "key_type": key.kind().jose_algorithm(),
            "seed": hex::encode(key.seed()),
            "public_key": key.public_key().to_multikey(),
            "label": label,
            "charter": charter,
            "message": hex::encode(message),
            "signature": hex::encode(signature.0),
        })
    };
    let mut cases = Vec::new();
    for key in keys() {
        cases.push(case(&key, "realdid/operation/v1", &CHARTER, b""));
        cases.push(case(&key, "realdid/operation/v1", &OTHER_CHARTER, b""));
        cases.push(case(&key, "realdid/sponsorship/v1", &CHARTER, b"message"));
    }
    let file = json!({
        "description": "Signatures over 00, length of the label, label, charter (32), message. \
                        Seeds are hexadecimal; for ES256 and SM2SM3 the seed is the scalar.",
        "source": "crates/crypto/tests/it/signatures.rs; deterministic by RFC 8032 and RFC 6979",
        "cases": cases,
    });
    frozen::compare("signatures.json", &file);
}
