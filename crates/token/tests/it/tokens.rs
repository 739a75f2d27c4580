use proptest::prelude::*;
use realdid_crypto::{Hash, Writer};
use realdid_did::{Level, TOKEN_LENGTH};
use realdid_token::{EpochKey, Token, TokenError, VerifiedToken, blind, epoch_accepted};
use serde_json::json;

use crate::authority::{Signer, changed, repeatable};
use crate::frozen;

const CHARTER: Hash = Hash([0xc4; 32]);
const AUTHORITY: Hash = Hash([0xa0; 32]);
const DID: Hash = Hash([0xd1; 32]);

fn signer() -> (Signer, EpochKey) {
    let signer = Signer::published(0);
    let key = signer.epoch_key(AUTHORITY, Level::Substantial, 5);
    (signer, key)
}

fn token() -> Token {
    let (signer, key) = signer();
    signer.token(&key, &CHARTER, &DID, 1)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_token_says_what_the_key_says(did in any::<[u8; 32]>(), charter in any::<[u8; 32]>(), seed in any::<u64>()) {
        let ((signer, key), did, charter) = (signer(), Hash(did), Hash(charter));
        let blinding = blind(&key, &charter, &did, &mut repeatable(seed)).unwrap();
        prop_assert_eq!(key.check_blinded(blinding.blinded()), Ok(()));
        let token = blinding.finalize(&key, &charter, &did, &signer.answer(&blinding)).unwrap();
        let said = VerifiedToken { did, authority: AUTHORITY, level: Level::Substantial, epoch: 5 };
        prop_assert_eq!(token.verify(&key, &charter, &did), Ok(said));
        let travelled = Token::from_bytes(token.to_bytes().as_slice()).unwrap();
        prop_assert_eq!(travelled.verify(&key, &charter, &did), Ok(said));
    }
}

// test: TOK-04
#[test]
fn a_token_is_checked_with_the_key_it_names() {
    let ((_, key), token) = (signer(), token());
    let other = Signer::published(1).epoch_key(AUTHORITY, Level::Substantial, 5);
    let keys = [
        other,
        changed(&key, |key| key.epoch = 6),
        changed(&key, |key| key.level = Level::High),
        changed(&key, |key| key.authority = Hash([0xa1; 32])),
    ];
    for other in keys {
        assert_eq!(token.verify(&other, &CHARTER, &DID), Err(TokenError::OtherKey));
    }
    assert_eq!(
        token.verify(&key, &Hash([0xc5; 32]), &DID),
        Err(TokenError::OtherKey),
        "another network"
    );
    assert!(token.verify(&key, &CHARTER, &DID).is_ok());
}

// test: TOK-05, TOK-04
#[test]
fn a_token_holds_for_its_did_alone() {
    let ((_, key), token) = (signer(), token());
    for bit in [0, 7, 100, 255] {
        let mut other = DID;
        other.0[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(token.verify(&key, &CHARTER, &other), Err(TokenError::Signature));
    }
    // Every third bit of prefix and signature; a flipped key identifier names another key.
    for bit in (0..TOKEN_LENGTH * 8).step_by(3) {
        let mut bytes = token.to_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let refused = Token::from_bytes(bytes.as_slice())
            .unwrap()
            .verify(&key, &CHARTER, &DID);
        let expected = if bit < 256 {
            TokenError::OtherKey
        } else {
            TokenError::Signature
        };
        assert_eq!(refused, Err(expected), "bit {bit}");
    }
    assert!(token.verify(&key, &CHARTER, &DID).is_ok());
}

/// A key that claims to be another: the identifier fits, the signature does not.
// test: TOK-05
#[test]
fn a_signature_by_another_modulus_is_refused() {
    let (_, key) = signer();
    let stranger = Signer::published(1);
    let other = stranger.epoch_key(AUTHORITY, Level::Substantial, 5);
    let mut bytes = stranger.token(&other, &CHARTER, &DID, 1).to_bytes();
    bytes[..32].copy_from_slice(key.id(&CHARTER).as_bytes());
    let forged = Token::from_bytes(bytes.as_slice()).unwrap();
    assert_eq!(forged.verify(&key, &CHARTER, &DID), Err(TokenError::Signature));
}

// test: TOK-06
#[test]
fn the_current_and_the_previous_epoch_are_accepted() {
    let accepted = |current: u64| {
        (0..10)
            .filter(|token| epoch_accepted(*token, current))
            .collect::<Vec<_>>()
    };
    assert_eq!(accepted(0), [0]);
    assert_eq!(accepted(1), [0, 1]);
    assert_eq!(accepted(5), [4, 5]);
    assert!(!epoch_accepted(u64::MAX, 0) && !epoch_accepted(0, u64::MAX));
    assert!(epoch_accepted(u64::MAX, u64::MAX) && epoch_accepted(u64::MAX - 1, u64::MAX));
}

#[test]
fn a_token_has_one_length_and_is_not_printed() {
    let bytes = token().to_bytes();
    for wrong in [&bytes[1..], &[bytes.as_slice(), &[0]].concat(), &[]] {
        assert_eq!(Token::from_bytes(wrong).unwrap_err(), TokenError::Length);
    }
    assert_eq!(Token::from_bytes(bytes.as_slice()).unwrap(), token());
    assert_eq!(token().key_id(), signer().1.id(&CHARTER));
    assert_eq!(format!("{:?}", token()), "Token(…)");
}

#[test]
fn a_token_is_frozen() {
    let (signer, key) = signer();
    let blinding = blind(&key, &CHARTER, &DID, &mut repeatable(1)).unwrap();
    let answer = signer.answer(&blinding);
    let token = blinding.finalize(&key, &CHARTER, &DID, &answer).unwrap();
    let mut writer = Writer::new();
    key.write(&mut writer);
    let case = json!({
        "charter": CHARTER,
        "authority": AUTHORITY,
        "purpose": key.purpose.code(),
        "level": key.level.code(),
        "epoch": key.epoch,
        "modulus": hex::encode(key.modulus()),
        "epoch_key": hex::encode(writer.finish()),
        "key_id": key.id(&CHARTER),
        "did_hash": DID,
        "blinded": hex::encode(blinding.blinded()),
        "blind_signature": hex::encode(answer),
        "token": hex::encode(token.to_bytes().as_slice()),
    });
    let file = json!({
        "description": "An epoch key, its identifier, and a token made with it: key identifier (32), prefix (32), \
                        RSA-PSS signature (256, SHA-384, salt 48, e = 65537) over prefix, 'realdid/token/v1', key \
                        identifier, hash of the DID.",
        "source": "crates/token/tests/it/tokens.rs; the first key of rsa_test_keys.json",
        "cases": [case],
    });
    frozen::compare("token.json", &file);
}
