//! Crafted Ed25519 signatures on which libraries disagree, with our verdicts frozen.
//!
//! The cases follow the conditions of Chalkias, Garillot and Nikolaenko, "Taming the many EdDSAs"
//! (SSR 2020), table 6: which points have small or mixed order, which encodings are not canonical,
//! and whether the equation is checked with or without the cofactor. They are constructed here.

use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT as B, EIGHT_TORSION};
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use realdid_crypto::{BatchItem, KeyType, PublicKey, SecretKey, Signature, verify_batch};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha512};

use crate::{CHARTER, domain, frozen, rng};

/// The order of the base point, little-endian (RFC 8032 §5.1).
const ORDER: &str = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";

struct Case {
    name: &'static str,
    key: [u8; 32],
    message: Vec<u8>,
    signature: [u8; 64],
}

/// What is hashed and signed in our domain.
fn signed(message: &[u8]) -> Vec<u8> {
    [&[0, 15][..], b"realdid/test/v1", CHARTER.as_bytes(), message].concat()
}

fn challenge(r: &[u8; 32], key: &[u8; 32], message: &[u8]) -> Scalar {
    let hash = Sha512::new()
        .chain_update(r)
        .chain_update(key)
        .chain_update(signed(message))
        .finalize();
    Scalar::from_bytes_mod_order_wide(&hash.into())
}

/// The secret scalar behind the keys of the cases, and the nonce behind their R.
fn secrets() -> (Scalar, Scalar) {
    (
        Scalar::from_bytes_mod_order([0x11; 32]),
        Scalar::from_bytes_mod_order([0x22; 32]),
    )
}

/// A case whose R and key are given as they are encoded; `s = nonce + k · secret`.
fn case(
    name: &'static str,
    key: [u8; 32],
    r: [u8; 32],
    (secret, nonce): (Scalar, Scalar),
    message: &[u8],
) -> Case {
    let s = nonce + challenge(&r, &key, message) * secret;
    let signature = [r, s.to_bytes()].concat().try_into().unwrap();
    Case {
        name,
        key,
        message: message.to_vec(),
        signature,
    }
}

fn encoded(point: EdwardsPoint) -> [u8; 32] {
    point.compress().to_bytes()
}

/// The same signature with `s` raised by multiples of the order.
fn raised(name: &'static str, honest: &Case, times: u8) -> Case {
    let order = hex::decode(ORDER).unwrap();
    let mut signature = honest.signature;
    for _ in 0..times {
        let mut carry = 0;
        for (digit, add) in signature[32..].iter_mut().zip(&order) {
            let sum = u16::from(*digit) + u16::from(*add) + carry;
            *digit = u8::try_from(sum & 0xff).unwrap();
            carry = sum >> 8;
        }
    }
    Case {
        name,
        key: honest.key,
        message: honest.message.clone(),
        signature,
    }
}

/// Messages until `holds`, so that a challenge has the remainder by 8 that a case needs.
fn message_where(holds: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    (0..=u8::MAX)
        .map(|n| vec![n])
        .find(|message| holds(message))
        .unwrap()
}

fn low_bits(scalar: Scalar) -> u8 {
    scalar.to_bytes()[0] & 7
}

fn cases() -> Vec<Case> {
    [forms_of_s(), forms_of_the_key(), torsion(), forms_of_r()]
        .into_iter()
        .flatten()
        .collect()
}

const NONE: (Scalar, Scalar) = (Scalar::ZERO, Scalar::ZERO);

fn forms_of_s() -> Vec<Case> {
    let (key, r) = (encoded(secrets().0 * B), encoded(secrets().1 * B));
    let honest = case("an honest signature", key, r, secrets(), b"honest");
    let signature = honest.signature;
    vec![
        raised("s raised by the order: malleable without its check", &honest, 1),
        raised(
            "s raised by eight times the order: its highest bits are set",
            &honest,
            8,
        ),
        Case {
            name: "another message",
            key,
            message: b"dishonest".to_vec(),
            signature,
        },
        honest,
    ]
}

fn forms_of_the_key() -> Vec<Case> {
    let nonce = secrets().1;
    let (r, small, identity) = (nonce * B, encoded(EIGHT_TORSION[1]), encoded(EIGHT_TORSION[0]));
    let unsigned = (Scalar::ZERO, nonce);
    let both_small = message_where(|message| low_bits(challenge(&small, &small, message)) == 7);
    let large = beyond(large_order_y());
    vec![
        case(
            "key and R of small order, s = 0: both hold",
            small,
            small,
            NONE,
            &both_small,
        ),
        case("key of small order, R honest", small, encoded(r), unsigned, b"b"),
        case(
            "key of small order, R of mixed order",
            small,
            encoded(r + EIGHT_TORSION[1]),
            unsigned,
            b"c",
        ),
        case(
            "the identity as key: one signature for all messages",
            identity,
            encoded(r),
            unsigned,
            b"d",
        ),
        case(
            "the identity as key, not canonical",
            beyond(1),
            encoded(r),
            unsigned,
            b"e",
        ),
        case(
            "key of order 4, not canonical",
            beyond(0),
            encoded(r),
            unsigned,
            b"f",
        ),
        case(
            "key of large order, not canonical",
            large,
            encoded(r),
            unsigned,
            b"g",
        ),
    ]
}

/// R and a message such that R lacks k·T for a key with T added: the torsion cancels, so both equations hold.
fn balanced(r: EdwardsPoint, mixed_key: &[u8; 32]) -> ([u8; 32], Vec<u8>) {
    (1..8_u8)
        .flat_map(|j| (0..=u8::MAX).map(move |n| (EIGHT_TORSION[usize::from(j)], j, vec![n])))
        .find_map(|(point, j, message)| {
            let candidate = encoded(r + point);
            let k = low_bits(challenge(&candidate, mixed_key, &message));
            (k + j).is_multiple_of(8).then_some((candidate, message))
        })
        .unwrap()
}

fn torsion() -> Vec<Case> {
    let secrets @ (secret, nonce) = secrets();
    let (a, r, torsion) = (secret * B, nonce * B, EIGHT_TORSION[1]);
    let (key, mixed_key) = (encoded(a), encoded(a + torsion));
    let divisible = |message: &[u8]| low_bits(challenge(&encoded(r), &mixed_key, message)) == 0;
    let (cancels, remains) = (
        message_where(divisible),
        message_where(|message| !divisible(message)),
    );
    let (balanced_r, balanced) = balanced(r, &mixed_key);
    let small = encoded(torsion);
    let apart = encoded(r + EIGHT_TORSION[4]);
    vec![
        case(
            "R of order 8: only the equation with cofactor holds",
            key,
            small,
            (secret, Scalar::ZERO),
            b"i",
        ),
        case(
            "R of mixed order: only the equation with cofactor holds",
            key,
            encoded(r + torsion),
            secrets,
            b"j",
        ),
        case(
            "key of mixed order: only the equation with cofactor holds",
            mixed_key,
            encoded(r),
            secrets,
            &remains,
        ),
        case(
            "key of mixed order, challenge divisible by 8: both hold",
            mixed_key,
            encoded(r),
            secrets,
            &cancels,
        ),
        case(
            "key and R of mixed order that cancel: both hold",
            mixed_key,
            balanced_r,
            secrets,
            &balanced,
        ),
        case(
            "key and R of mixed order that do not cancel",
            mixed_key,
            apart,
            secrets,
            b"k",
        ),
        case("R small, s = 0", key, small, NONE, b"p"),
    ]
}

fn forms_of_r() -> Vec<Case> {
    let (secret, _) = secrets();
    let key = encoded(secret * B);
    let bare = (secret, Scalar::ZERO);
    let minus_zero = [&[1][..], &[0; 30], &[0x80]].concat().try_into().unwrap();
    vec![
        case("R = identity", key, encoded(EIGHT_TORSION[0]), bare, b"h"),
        case("R = identity, not canonical", key, beyond(1), bare, b"l"),
        case(
            "R = identity with the sign of x = 0 set",
            key,
            minus_zero,
            bare,
            b"m",
        ),
        case("R not canonical, of small order", key, beyond(0), bare, b"n"),
        case("R not on the curve", key, off_curve(), secrets(), b"o"),
    ]
}

/// The encoding of `y` as `y + p`; `y` is less than 19.
fn beyond(y: u8) -> [u8; 32] {
    let mut bytes = [0xff; 32];
    (bytes[0], bytes[31]) = (0xed + y, 0x7f);
    bytes
}

/// The smallest y above 1 that is on the curve.
fn large_order_y() -> u8 {
    (2..19)
        .find(|y| CompressedEdwardsY(beyond(*y)).decompress().is_some())
        .unwrap()
}

fn off_curve() -> [u8; 32] {
    (2..=u8::MAX)
        .map(|y| [&[y][..], &[0; 31]].concat().try_into().unwrap())
        .find(|bytes| CompressedEdwardsY(*bytes).decompress().is_none())
        .unwrap()
}

/// Whether s·B = R + k·A, without the cofactor: what many libraries check instead.
fn cofactorless(case: &Case) -> bool {
    let (r, s) = case.signature.split_at(32);
    let r: [u8; 32] = r.try_into().unwrap();
    let s = Scalar::from_canonical_bytes(s.try_into().unwrap()).into_option();
    let points = CompressedEdwardsY(r)
        .decompress()
        .zip(CompressedEdwardsY(case.key).decompress());
    s.zip(points)
        .is_some_and(|(s, (r_point, key))| s * B == r_point + challenge(&r, &case.key, &case.message) * key)
}

fn verdict(case: &Case) -> Value {
    let signature = Signature(case.signature);
    let key = PublicKey::from_bytes(KeyType::Ed25519, &case.key);
    let accepted = key.is_ok_and(|key| key.verify(&domain(&CHARTER), &case.message, &signature).is_ok());
    json!({
        "name": case.name,
        "public_key": hex::encode(case.key),
        "message": hex::encode(&case.message),
        "signature": hex::encode(case.signature),
        "key": match key {
            Ok(_) => "accepted".to_owned(),
            Err(error) => error.to_string(),
        },
        "signature_accepted": accepted,
        "holds_without_cofactor": cofactorless(case),
    })
}

// test: CRY-01, CRY-02
#[test]
fn verdicts_are_frozen() {
    let cases: Vec<_> = cases().iter().map(verdict).collect();
    let file = json!({
        "description": "Ed25519 signatures on which libraries disagree, with our verdicts: ZIP 215, keys of small \
                        order or in another encoding refused. Signed is 00 0f 'realdid/test/v1' charter (32 bytes c4) \
                        message.",
        "source": "constructed by crates/crypto/tests/it/ed25519_edge.rs after the conditions of 'Taming the many \
                   EdDSAs' (Chalkias, Garillot, Nikolaenko, SSR 2020), table 6, and ZIP 215",
        "cases": cases,
    });
    frozen::compare("ed25519_edge.json", &file);
}

/// What the frozen verdicts must be, whatever a library does: ZIP 215's rules, said once more.
// test: CRY-01
#[test]
fn verdicts_are_those_of_zip_215() {
    for case in cases() {
        let verdict = verdict(&case);
        let expected = ![
            "s raised",
            "key of small order",
            "key and R of small order",
            "the identity as key",
            "key of order 4",
            "key of large order",
            "R not on the curve",
            "R small, s = 0",
            "another message",
        ]
        .iter()
        .any(|refused| case.name.starts_with(refused));
        assert_eq!(verdict["signature_accepted"], expected, "{}", case.name);
        if case.name.contains("only the equation with cofactor holds") {
            assert_eq!(verdict["holds_without_cofactor"], false, "{}", case.name);
        }
        if case.name.contains("both hold") {
            assert_eq!(verdict["holds_without_cofactor"], true, "{}", case.name);
        }
    }
}

/// Validators that verify alone and in batches must never part ways.
#[test]
fn batches_agree_with_single_verification_on_every_case() {
    let made: Vec<_> = cases()
        .into_iter()
        .filter_map(|case| Some((PublicKey::from_bytes(KeyType::Ed25519, &case.key).ok()?, case)))
        .map(|(key, case)| (key, case.message, Signature(case.signature)))
        .collect();
    let item = |(key, message, signature)| BatchItem {
        key,
        domain: domain(&CHARTER),
        message,
        signature,
    };
    let items: Vec<_> = made
        .iter()
        .map(|(key, message, signature)| item((key, message.as_slice(), signature)))
        .collect();
    let valid = |item: &BatchItem<'_>| {
        item.key
            .verify(&item.domain, item.message, item.signature)
            .is_ok()
    };
    let (good, bad): (Vec<_>, Vec<_>) = items.iter().copied().partition(valid);
    assert!(
        good.len() >= 10 && bad.len() >= 5,
        "{} good, {} bad",
        good.len(),
        bad.len()
    );
    let honest = SecretKey::from_seed(KeyType::Ed25519, &[9; 32]);
    let (honest_key, signature) = (honest.public_key(), honest.sign(&domain(&CHARTER), b"x"));
    let beside = item((&honest_key, b"x".as_slice(), &signature));
    for seed in 0..16 {
        let mut rng = rng(seed);
        for item in &items {
            assert_eq!(verify_batch(&[*item], &mut rng).is_ok(), valid(item));
            assert_eq!(
                verify_batch(&[beside, *item, beside], &mut rng).is_ok(),
                valid(item)
            );
            assert_eq!(verify_batch(&[*item, *item], &mut rng).is_ok(), valid(item));
        }
        assert!(verify_batch(&good, &mut rng).is_ok());
        for item in &bad {
            assert!(verify_batch(&[good.as_slice(), &[*item]].concat(), &mut rng).is_err());
        }
    }
}
