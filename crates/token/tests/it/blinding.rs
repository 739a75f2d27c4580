use realdid_crypto::Hash;
use realdid_did::{Level, TOKEN_LENGTH};
use realdid_token::{BLINDING_LENGTH, Blinding, BlindingError, EpochKey, blind};

use crate::authority::{Signer, changed, repeatable};

const CHARTER: Hash = Hash([0xc4; 32]);
const DID: Hash = Hash([0xd1; 32]);

fn signer() -> (Signer, EpochKey) {
    let signer = Signer::published(0);
    let key = signer.epoch_key(Hash([0xa0; 32]), Level::Substantial, 5);
    (signer, key)
}

fn blinding(seed: u64) -> Blinding {
    blind(&signer().1, &CHARTER, &DID, &mut repeatable(seed)).unwrap()
}

// test: TOK-03
#[test]
fn an_answer_must_be_the_signature_of_what_was_blinded() {
    let ((signer, key), blinding) = (signer(), blinding(1));
    let answer = signer.answer(&blinding);
    let finalized = |answer: &[u8; 256]| blinding.finalize(&key, &CHARTER, &DID, answer).map(|_| ());
    for bit in (0..2048).step_by(37) {
        let mut flipped = answer;
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(finalized(&flipped), Err(BlindingError::Signature), "bit {bit}");
    }
    let other = Signer::published(1).sign(&{
        let mut smaller = *blinding.blinded();
        smaller[0] &= 0x7f;
        smaller
    });
    for wrong in [
        other.try_into().unwrap(),
        [0; 256],
        [0xff; 256],
        *blinding.blinded(),
    ] {
        assert_eq!(finalized(&wrong), Err(BlindingError::Signature));
    }
    let someone = signer.answer(&blind(&key, &CHARTER, &Hash([0xd2; 32]), &mut repeatable(2)).unwrap());
    assert_eq!(
        finalized(&someone),
        Err(BlindingError::Signature),
        "the answer to another request"
    );
    assert_eq!(finalized(&answer), Ok(()));
}

// test: TOK-03
#[test]
fn what_was_blinded_for_one_did_makes_no_token_for_another() {
    let ((signer, key), blinding) = (signer(), blinding(1));
    let answer = signer.answer(&blinding);
    let wrong = [
        blinding.finalize(&key, &CHARTER, &Hash([0xd2; 32]), &answer),
        blinding.finalize(&key, &Hash([0xc5; 32]), &DID, &answer),
        blinding.finalize(&changed(&key, |key| key.epoch = 6), &CHARTER, &DID, &answer),
        blinding.finalize(
            &changed(&key, |key| key.level = Level::High),
            &CHARTER,
            &DID,
            &answer,
        ),
    ];
    for wrong in wrong {
        assert_eq!(wrong.map(|_| ()), Err(BlindingError::Signature));
    }
    assert!(blinding.finalize(&key, &CHARTER, &DID, &answer).is_ok());
}

/// Whether two byte strings have 8 bytes in a row in common.
fn share_a_value(a: &[u8], b: &[u8]) -> bool {
    let values: std::collections::BTreeSet<_> = a.windows(8).collect();
    b.windows(8).any(|value| values.contains(value))
}

#[test]
fn the_authority_sees_nothing_of_the_token() {
    let (signer, key) = signer();
    let [one, two] = [blinding(1), blinding(2)];
    assert_ne!(one.blinded(), two.blinded(), "one DID, blinded twice");
    assert!(!share_a_value(one.blinded(), two.blinded()));
    let answers = [signer.answer(&one), signer.answer(&two)];
    let seen: Vec<&[u8]> = vec![one.blinded(), two.blinded(), &answers[0], &answers[1]];
    let tokens = [(&one, &answers[0]), (&two, &answers[1])].map(|(blinding, answer)| {
        blinding
            .finalize(&key, &CHARTER, &DID, answer)
            .unwrap()
            .to_bytes()
    });
    for seen in seen {
        assert_eq!(key.check_blinded(seen.try_into().unwrap()), Ok(()));
        assert!(!share_a_value(seen, DID.as_bytes()));
        for token in &tokens {
            assert!(!share_a_value(seen, token.as_slice()));
        }
    }
    // The identifier of the key is all that two tokens of one DID have in common.
    assert_eq!(tokens[0][..32], tokens[1][..32]);
    assert!(!share_a_value(&tokens[0][32..], &tokens[1][32..]));
}

#[test]
fn a_retry_gets_the_same_bytes() {
    let ((signer, key), blinding) = (signer(), blinding(1));
    assert_eq!(signer.answer(&blinding), signer.answer(&blinding));
    let stored = Blinding::from_bytes(&blinding.to_bytes()).unwrap();
    assert_eq!(stored.blinded(), blinding.blinded());
    let token = |blinding: &Blinding| {
        let answer = signer.answer(blinding);
        blinding
            .finalize(&key, &CHARTER, &DID, &answer)
            .unwrap()
            .to_bytes()
    };
    assert_eq!(token(&stored), token(&blinding), "after a restart of the wallet");
    assert_eq!(token(&blinding).len(), TOKEN_LENGTH);
}

#[test]
fn a_stored_blinding_has_one_length_and_prints_nothing() {
    let blinding = blinding(1);
    let bytes = blinding.to_bytes();
    assert_eq!(bytes.len(), BLINDING_LENGTH);
    for wrong in [&bytes[1..], &[bytes.as_slice(), &[0]].concat(), &[]] {
        assert!(Blinding::from_bytes(wrong).is_none());
    }
    assert_eq!(format!("{blinding:?}"), "Blinding(…)");
}
