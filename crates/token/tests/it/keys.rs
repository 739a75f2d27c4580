use proptest::prelude::*;
use realdid_crypto::{DecodeError, Hash, Reader, Writer};
use realdid_did::Level;
use realdid_token::{BlindedError, EpochKey, KeyError, MODULUS_LENGTH, Purpose};

use crate::authority::{Signer, changed};

const CHARTER: Hash = Hash([0xc4; 32]);
const AUTHORITY: Hash = Hash([0xa0; 32]);

fn key() -> EpochKey {
    Signer::published(0).epoch_key(AUTHORITY, Level::Substantial, 5)
}

fn encoded(key: &EpochKey) -> Vec<u8> {
    let mut writer = Writer::new();
    key.write(&mut writer);
    writer.finish()
}

// test: TOK-01
#[test]
fn a_modulus_is_odd_and_has_2048_bits() {
    let new = |modulus| EpochKey::new(AUTHORITY, Purpose::RealName, Level::Low, 0, modulus);
    let good = Signer::published(0).modulus();
    let mut short = good;
    short[0] &= 0x7f;
    let mut even = good;
    even[MODULUS_LENGTH - 1] &= 0xfe;
    for wrong in [short, even, [0; MODULUS_LENGTH]] {
        assert_eq!(new(wrong), Err(KeyError));
    }
    assert_eq!(new(good).unwrap().modulus(), &good);
}

/// `number + difference`, big-endian.
fn near(number: &[u8; MODULUS_LENGTH], difference: i16) -> [u8; MODULUS_LENGTH] {
    let mut result = *number;
    let mut carry = difference;
    for digit in result.iter_mut().rev() {
        let sum = i16::from(*digit) + carry;
        *digit = u8::try_from(sum.rem_euclid(256)).unwrap();
        carry = sum.div_euclid(256);
    }
    result
}

// test: TOK-02
#[test]
fn blinded_values_that_tell_something_are_not_signed() {
    let key = key();
    let (zero, n) = ([0; MODULUS_LENGTH], *key.modulus());
    let refused = [
        ("0", zero),
        ("1", near(&zero, 1)),
        ("n − 1", near(&n, -1)),
        ("n", n),
        ("n + 1", near(&n, 1)),
        ("2^2048 − 1", [0xff; MODULUS_LENGTH]),
    ];
    for (name, value) in refused {
        assert_eq!(key.check_blinded(&value), Err(BlindedError), "{name}");
    }
    for value in [near(&zero, 2), near(&n, -2), near(&n, -300)] {
        assert_eq!(key.check_blinded(&value), Ok(()));
    }
}

#[test]
fn every_part_of_a_key_is_in_its_identifier() {
    let key = key();
    let modulus = Signer::published(1).modulus();
    let others = [
        changed(&key, |key| key.authority = Hash([0xa1; 32])),
        changed(&key, |key| key.level = Level::High),
        changed(&key, |key| key.epoch = 6),
        EpochKey::new(AUTHORITY, Purpose::RealName, Level::Substantial, 5, modulus).unwrap(),
    ];
    for other in others {
        assert_ne!(other.id(&CHARTER), key.id(&CHARTER));
    }
    assert_ne!(key.id(&Hash([0xc5; 32])), key.id(&CHARTER));
}

// test: TOK-01
#[test]
fn keys_are_decoded_strictly() {
    let key = key();
    let bytes = encoded(&key);
    let read = |bytes: &[u8]| EpochKey::read(&mut Reader::new(bytes));
    assert_eq!(read(&bytes), Ok(key));
    let change = |at: usize, value: u8| {
        let mut changed = bytes.clone();
        changed[at] = value;
        read(&changed)
    };
    assert_eq!(change(32, 0), Err(DecodeError::Unknown("purpose")));
    assert_eq!(change(32, 2), Err(DecodeError::Unknown("purpose")));
    assert_eq!(change(33, 0), Err(DecodeError::OutOfRange("level")));
    assert_eq!(change(33, 4), Err(DecodeError::OutOfRange("level")));
    assert_eq!(change(42, 0x7f), Err(DecodeError::OutOfRange("modulus")));
    assert_eq!(read(&bytes[..bytes.len() - 1]), Err(DecodeError::UnexpectedEnd));
}

proptest! {
    #[test]
    fn what_is_read_is_what_was_written(bytes in prop::collection::vec(any::<u8>(), 298), code in 0..3_u8) {
        let mut bytes = bytes;
        (bytes[32], bytes[33]) = (code, code);
        if let Ok(key) = EpochKey::read(&mut Reader::new(&bytes)) {
            prop_assert_eq!(encoded(&key), bytes);
        }
    }
}
