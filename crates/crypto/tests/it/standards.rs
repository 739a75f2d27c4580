//! Examples printed in standards: keys, signatures and their text forms.

use realdid_crypto::{
    KeyType, PublicKey, SecretKey, Signature, SignatureError, base58_decode, base64url_decode,
};

use crate::signatures::other_s;

fn bytes<const N: usize>(text: &str) -> [u8; N] {
    hex::decode(text).unwrap().try_into().unwrap()
}

fn base64<const N: usize>(text: &str) -> [u8; N] {
    base64url_decode(text).unwrap().try_into().unwrap()
}

/// GM/T 0003.5-2012 (GB/T 32918.5-2017), annex A.2: the recommended curve, signer 1234567812345678.
mod sm2 {
    pub const SECRET: &str = "3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8";
    pub const X: &str = "09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020";
    pub const Y: &str = "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13";
    pub const R: &str = "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3";
    pub const S: &str = "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa";
    pub const MESSAGE: &[u8] = b"message digest";
}

#[test]
fn the_sm2_example_of_gb_t_32918_holds() {
    let key =
        PublicKey::from_jwk_parts("EC", "SM2", &bytes::<32>(sm2::X), Some(&bytes::<32>(sm2::Y))).unwrap();
    let secret = SecretKey::from_seed(KeyType::Sm2, &bytes(sm2::SECRET));
    assert_eq!(secret.public_key(), key);
    let signature = Signature(bytes(&[sm2::R, sm2::S].concat()));
    assert_eq!(key.verify_raw(sm2::MESSAGE, &signature), Ok(()));
    assert_eq!(key.verify_raw(b"message digesT", &signature), Err(SignatureError));
    for bit in 0..512 {
        let mut flipped = signature;
        flipped.0[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(
            key.verify_raw(sm2::MESSAGE, &flipped),
            Err(SignatureError),
            "bit {bit}"
        );
    }
    let ours = secret.sign_raw(sm2::MESSAGE);
    assert_ne!(
        ours, signature,
        "the example draws k at random, ours is deterministic"
    );
    assert_eq!(key.verify_raw(sm2::MESSAGE, &ours), Ok(()));
}

/// RFC 8032, section 7.1, tests 1 to 3.
#[test]
fn the_ed25519_examples_of_rfc_8032_hold() {
    let cases = [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b\
             d25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c\
             387b2eaeb4302aeeb00d291612bb0c00",
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659\
             4a7c15e9716ed28dc027beceea1ec40a",
        ),
    ];
    for (secret, public, message, signature) in cases {
        let key = SecretKey::from_seed(KeyType::Ed25519, &bytes(secret));
        assert_eq!(key.public_key().as_bytes(), bytes::<32>(public));
        let message = hex::decode(message).unwrap();
        let expected = Signature(bytes(signature));
        assert_eq!(key.sign_raw(&message), expected);
        assert_eq!(key.public_key().verify_raw(&message, &expected), Ok(()));
    }
}

/// RFC 6979, appendix A.2.5: its signature has the high s, so ours is the other one.
// test: CRY-04
#[test]
fn the_p256_example_of_rfc_6979_holds() {
    let secret = bytes("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721");
    let r = "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716";
    let s = "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8";
    let printed = Signature(bytes(&[r, s].concat()));
    let key = SecretKey::from_seed(KeyType::P256, &secret);
    assert_eq!(key.sign_raw(b"sample"), other_s(&printed));
    assert_eq!(key.public_key().verify_foreign(b"sample", &printed), Ok(()));
    assert_eq!(
        key.public_key().verify_raw(b"sample", &printed),
        Err(SignatureError)
    );
}

/// RFC 8037, appendices A.1 to A.5.
#[test]
fn the_ed25519_key_and_jws_of_rfc_8037_hold() {
    let key = SecretKey::from_seed(
        KeyType::Ed25519,
        &base64("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"),
    );
    let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    assert_eq!(
        key.public_key().jwk_parts(),
        ("OKP", "Ed25519", x.to_owned(), None)
    );
    let input = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    let signature = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    assert_eq!(key.sign_raw(input), Signature(base64(signature)));
}

/// RFC 7515, appendix A.3; its signature has the high s, as other people's JWTs may.
// test: CRY-04
#[test]
fn the_p256_key_and_jws_of_rfc_7515_hold() {
    let x = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
    let y = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
    let secret = SecretKey::from_seed(
        KeyType::P256,
        &base64("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"),
    );
    let key = PublicKey::from_jwk_parts("EC", "P-256", &base64::<32>(x), Some(&base64::<32>(y))).unwrap();
    assert_eq!(secret.public_key(), key);
    assert_eq!(key.jwk_parts(), ("EC", "P-256", x.to_owned(), Some(y.to_owned())));
    let input =
        b"eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9p\
                  c19yb290Ijp0cnVlfQ";
    let signature = Signature(base64(
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
    ));
    assert_eq!(key.verify_foreign(input, &signature), Ok(()));
    assert_eq!(key.verify_raw(input, &signature), Err(SignatureError));
}

/// Data Integrity EdDSA Cryptosuites 1.0, appendix B.1, and ECDSA Cryptosuites 1.0, appendix A.1:
/// the secret's multikey (prefix 8026 or 8626) beside the public one.
#[test]
fn the_multikeys_of_the_w3c_hold() {
    let cases = [
        (
            KeyType::Ed25519,
            "z3u2en7t5LR2WtQH5PfFqMqwVHBeXouLzo6haApm8XHqvjxq",
            "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2",
        ),
        (
            KeyType::P256,
            "z42twTcNeSYcnqg1FLuSFs2bsGH3ZqbRHFmvS9XMsYhjxvHN",
            "zDnaepBuvsQ8cpsWrVKw8fbpGpvPeNSjVPTWoq6cRqaYzBKVP",
        ),
    ];
    for (kind, secret, public) in cases {
        let secret = base58_decode(&secret[1..]).unwrap();
        let key = SecretKey::from_seed(kind, &secret[2..].try_into().unwrap());
        assert_eq!(key.public_key().to_multikey(), public);
        assert_eq!(PublicKey::from_multikey(public), Ok(key.public_key()));
    }
}
