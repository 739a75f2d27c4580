use realdid_crypto::{Hash, derive_key, hash_labelled, sha256, sm3};

fn hash(text: &str) -> Hash {
    Hash::from_hex(text).unwrap()
}

#[test]
fn sha256_is_fips_180_4() {
    let abc = hash("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_eq!(sha256(b"abc"), abc);
    let empty = hash("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_eq!(sha256(b""), empty);
}

/// GB/T 32905-2016, annex A.
#[test]
fn sm3_is_gb_t_32905() {
    let abc = hash("66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0");
    assert_eq!(sm3(b"abc"), abc);
    let block = hash("debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732");
    assert_eq!(sm3(&b"abcd".repeat(16)), block);
}

/// RFC 5869, appendix A.3: no salt, no info; 32 of its 42 bytes.
#[test]
fn derivation_is_rfc_5869() {
    let expected = "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d";
    assert_eq!(hex::encode(*derive_key(&[0x0b; 22], &[])), expected);
    assert_eq!(
        derive_key(&[1; 32], &[b"ab", b"c"]),
        derive_key(&[1; 32], &[b"abc"])
    );
    assert_ne!(derive_key(&[1; 32], &[b"a"]), derive_key(&[1; 32], &[b"b"]));
    assert_ne!(derive_key(&[1; 32], &[b"a"]), derive_key(&[2; 32], &[b"a"]));
}

#[test]
fn labels_keep_hashes_apart() {
    assert_eq!(hash_labelled("ab", &[b"c", b"d"]), sha256(b"\x02abcd"));
    assert_ne!(hash_labelled("ab", &[b"c"]), hash_labelled("a", &[b"bc"]));
}
