use proptest::prelude::*;
use realdid_crypto::{
    DecodeError, EncodingError, Hash, Reader, Writer, base58_decode, base58_encode, base64url_decode,
    base64url_encode,
};

fn written(numbers: Numbers, fixed: [u8; 5], text: &[u8]) -> Vec<u8> {
    let mut writer = Writer::new();
    writer
        .u8(numbers.0)
        .u16(numbers.1)
        .u32(numbers.2)
        .u64(numbers.3)
        .fixed(&fixed)
        .bytes(text);
    writer.finish()
}

type Numbers = (u8, u16, u32, u64);

fn read(bytes: &[u8]) -> Result<(Numbers, [u8; 5], Vec<u8>), DecodeError> {
    let mut reader = Reader::new(bytes);
    let numbers = (reader.u8()?, reader.u16()?, reader.u32()?, reader.u64()?);
    let fixed = reader.fixed()?;
    let text = reader.bytes("text", 100)?.to_vec();
    reader.finish()?;
    Ok((numbers, fixed, text))
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        numbers in any::<Numbers>(),
        fixed in any::<[u8; 5]>(),
        text in prop::collection::vec(any::<u8>(), 0..=100),
    ) {
        let bytes = written(numbers, fixed, &text);
        prop_assert_eq!(read(&bytes), Ok((numbers, fixed, text)));
        for length in 0..bytes.len() {
            prop_assert_eq!(read(&bytes[..length]), Err(DecodeError::UnexpectedEnd));
        }
        let longer = [bytes.as_slice(), &[0, 0]].concat();
        prop_assert_eq!(read(&longer), Err(DecodeError::TrailingBytes(2)));
    }

    #[test]
    fn readers_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&bytes);
        let _ = realdid_crypto::PublicKey::read(&mut Reader::new(&bytes));
    }

    #[test]
    fn text_encodings_round_trip(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        prop_assert_eq!(base64url_decode(&base64url_encode(&bytes)), Ok(bytes.clone()));
        prop_assert_eq!(base58_decode(&base58_encode(&bytes)), Ok(bytes));
    }

    /// Each text decodes to bytes whose one encoding it is, or not at all.
    #[test]
    fn texts_are_canonical(text in "[A-Za-z0-9_=+/-]{0,40}") {
        if let Ok(bytes) = base64url_decode(&text) {
            prop_assert_eq!(base64url_encode(bytes), text.clone());
        }
        if let Ok(bytes) = base58_decode(&text) {
            prop_assert_eq!(base58_encode(&bytes), text);
        }
    }
}

#[test]
fn integers_are_big_endian() {
    let expected = hex::decode("0102030405060708090a0b0c0d0e0f11111111110003616263").unwrap();
    let numbers = (1, 0x0203, 0x0405_0607, 0x0809_0a0b_0c0d_0e0f);
    assert_eq!(written(numbers, [0x11; 5], b"abc"), expected);
}

#[test]
fn a_length_above_its_limit_is_refused_before_anything_is_taken() {
    let bytes = written((0, 0, 0, 0), [0; 5], &[1; 101]);
    assert_eq!(read(&bytes), Err(DecodeError::TooLong("text")));
    assert!(read(&written((0, 0, 0, 0), [0; 5], &[1; 100])).is_ok());
}

#[test]
fn unused_bits_and_padding_of_base64url_are_refused() {
    for (text, bytes) in [
        ("AA", &[0][..]),
        ("AAA", &[0, 0]),
        ("-_8", &[0xfb, 0xff]),
        ("", &[]),
    ] {
        assert_eq!(base64url_decode(text).as_deref(), Ok(bytes), "{text}");
    }
    for text in [
        "AB", "AP", "AAB", "A", "AA==", "AAA=", "+/8", "AA\n", " AA", "A A", "ÄA",
    ] {
        assert_eq!(base64url_decode(text), Err(EncodingError::Base64Url), "{text}");
    }
}

#[test]
fn base58_has_its_alphabet_and_its_limit() {
    // draft-msporny-base58-03, section 5: test vectors.
    assert_eq!(base58_decode("2NEpo7TZRRrLZSi2U").unwrap(), b"Hello World!");
    assert_eq!(base58_decode("11233QC4").unwrap(), [0, 0, 0x28, 0x7f, 0xb4, 0xcd]);
    for text in ["0", "O", "I", "l", " 2", "2\n"] {
        assert_eq!(base58_decode(text), Err(EncodingError::Base58), "{text}");
    }
    assert!(base58_decode(&"2".repeat(256)).is_ok());
    assert_eq!(base58_decode(&"2".repeat(257)), Err(EncodingError::Base58));
}

#[test]
fn hashes_have_one_text() {
    let hash = Hash([0xab; 32]);
    let text = "ab".repeat(32);
    assert_eq!((hash.to_hex(), Hash::from_hex(&text)), (text.clone(), Some(hash)));
    for wrong in [
        text.to_uppercase(),
        text[1..].to_owned(),
        format!("{text}a"),
        text.replace('a', "g"),
    ] {
        assert_eq!(Hash::from_hex(&wrong), None, "{wrong}");
    }
    let json = serde_json::to_string(&hash).unwrap();
    assert_eq!(serde_json::from_str::<Hash>(&json).unwrap(), hash);
    assert!(serde_json::from_str::<Hash>(&json.to_uppercase()).is_err());
}
