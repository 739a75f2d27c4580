//! Key agreement and content encryption of a JWE: ECDH, the Concat KDF, AES-GCM, AES-CBC with HMAC.

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree as ecdh};
use aws_lc_rs::cipher::{
    AES_128, DecryptionContext, EncryptionContext, PaddedBlockDecryptingKey, PaddedBlockEncryptingKey,
    UnboundCipherKey,
};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;
use realdid_crypto::{PublicKey, SecretKey, sha256};
use zeroize::Zeroizing;

use super::Parties;

/// Length of a tag, in bytes, of all three content encryptions.
const TAG: usize = 16;
/// Length of the initialisation vector of AES-CBC, in bytes.
const BLOCK: usize = 16;

/// A content encryption (`enc`, RFC 7518 §5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// AES-GCM with a key of 128 bits: the default of OpenID4VP.
    A128Gcm,
    /// AES-GCM with a key of 256 bits.
    A256Gcm,
    /// AES-128-CBC and HMAC-SHA-256, encrypted first, then authenticated.
    A128CbcHs256,
}

impl Encryption {
    /// All that are understood, the preferred one first.
    pub const ALL: [Self; 3] = [Self::A256Gcm, Self::A128Gcm, Self::A128CbcHs256];

    /// The registered name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::A128Gcm => "A128GCM",
            Self::A256Gcm => "A256GCM",
            Self::A128CbcHs256 => "A128CBC-HS256",
        }
    }

    /// The one of that name, if it is understood.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }

    /// Length of the key, in bytes.
    const fn key_length(self) -> usize {
        match self {
            Self::A128Gcm => 16,
            Self::A256Gcm | Self::A128CbcHs256 => 32,
        }
    }

    /// Length of the initialisation vector, in bytes.
    pub(super) const fn iv_length(self) -> usize {
        match self {
            Self::A128Gcm | Self::A256Gcm => 12,
            Self::A128CbcHs256 => BLOCK,
        }
    }

    const fn gcm(self) -> Option<&'static aws_lc_rs::aead::Algorithm> {
        match self {
            Self::A128Gcm => Some(&AES_128_GCM),
            Self::A256Gcm => Some(&AES_256_GCM),
            Self::A128CbcHs256 => None,
        }
    }
}

/// The content's key, which both sides compute (RFC 7518 §4.6). `None` if either key is not on P-256.
pub(super) fn agree(
    own: &SecretKey,
    other: &PublicKey,
    encryption: Encryption,
    parties: Parties<'_>,
) -> Option<Zeroizing<Vec<u8>>> {
    let own = PrivateKey::from_private_key(&ECDH_P256, own.seed()).ok()?;
    let other = UnparsedPublicKey::new(&ECDH_P256, other.as_bytes());
    ecdh(&own, other, (), |shared| Ok(derive(shared, encryption, parties))).ok()
}

/// The Concat KDF (NIST SP 800-56A §5.8.1 as in RFC 7518 §4.6.2): one round gives 256 bits.
fn derive(shared: &[u8], encryption: Encryption, parties: Parties<'_>) -> Zeroizing<Vec<u8>> {
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes();
    let name = encryption.name().as_bytes();
    let bits = (encryption.key_length() * 8) as u32;
    let parts: [&[u8]; 9] = [
        &1u32.to_be_bytes(),
        shared,
        &length(name),
        name,
        &length(parties.producer),
        parties.producer,
        &length(parties.recipient),
        parties.recipient,
        &bits.to_be_bytes(),
    ];
    // One allocation of the final size: none is left behind with a part of the secret.
    let mut input = Zeroizing::new(Vec::with_capacity(parts.iter().map(|part| part.len()).sum()));
    for part in parts {
        input.extend_from_slice(part);
    }
    let key = Zeroizing::new(sha256(&input).0);
    Zeroizing::new(key[..encryption.key_length()].to_vec())
}

/// Ciphertext and tag. `None` if key or initialisation vector have the wrong length.
pub(super) fn seal(
    encryption: Encryption,
    key: &[u8],
    iv: &[u8],
    header: &[u8],
    content: &[u8],
) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut text = content.to_vec();
    let tag = match encryption.gcm() {
        Some(algorithm) => {
            let key = LessSafeKey::new(UnboundKey::new(algorithm, key).ok()?);
            let nonce = Nonce::try_assume_unique_for_key(iv).ok()?;
            let tag = key.seal_in_place_separate_tag(nonce, Aad::from(header), &mut text);
            tag.ok()?.as_ref().to_vec()
        }
        None => {
            let (mac, cipher) = key.split_at_checked(16)?;
            let context = EncryptionContext::Iv128(FixedLength::from(<[u8; BLOCK]>::try_from(iv).ok()?));
            let cipher = UnboundCipherKey::new(&AES_128, cipher).ok()?;
            let cipher = PaddedBlockEncryptingKey::cbc_pkcs7(cipher).ok()?;
            cipher.less_safe_encrypt(&mut text, context).ok()?;
            tag(mac, header, iv, &text).as_ref()[..TAG].to_vec()
        }
    };
    Some((text, tag))
}

/// The content, if the tag holds; it is compared in constant time, before anything is decrypted.
pub(super) fn open(
    encryption: Encryption,
    key: &[u8],
    iv: &[u8],
    header: &[u8],
    ciphertext: &[u8],
    stated: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    if iv.len() != encryption.iv_length() || stated.len() != TAG {
        return None;
    }
    if let Some(algorithm) = encryption.gcm() {
        let key = LessSafeKey::new(UnboundKey::new(algorithm, key).ok()?);
        let nonce = Nonce::try_assume_unique_for_key(iv).ok()?;
        let mut text = Zeroizing::new(vec![0; ciphertext.len()]);
        let opened = key.open_separate_gather(nonce, Aad::from(header), ciphertext, stated, &mut text);
        return opened.ok().map(|()| text);
    }
    let (mac, cipher) = key.split_at_checked(16)?;
    verify_slices_are_equal(&tag(mac, header, iv, ciphertext).as_ref()[..TAG], stated).ok()?;
    let context = DecryptionContext::Iv128(FixedLength::from(<[u8; BLOCK]>::try_from(iv).ok()?));
    let cipher = PaddedBlockDecryptingKey::cbc_pkcs7(UnboundCipherKey::new(&AES_128, cipher).ok()?).ok()?;
    let mut text = Zeroizing::new(ciphertext.to_vec());
    let length = cipher.decrypt(&mut text, context).ok()?.len();
    text.truncate(length);
    Some(text)
}

/// HMAC-SHA-256 over header, initialisation vector, ciphertext and the header's length in bits
/// (RFC 7518 §5.2.2.1); its first half is the tag.
fn tag(key: &[u8], header: &[u8], iv: &[u8], ciphertext: &[u8]) -> hmac::Tag {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
    context.update(header);
    context.update(iv);
    context.update(ciphertext);
    context.update(&(header.len() as u64 * 8).to_be_bytes());
    context.sign()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<char> = text.chars().filter(|c| c.is_ascii_hexdigit()).collect();
        let byte = |pair: &[char]| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap();
        digits.chunks(2).map(byte).collect()
    }

    /// RFC 7518, Appendix B.1.
    #[test]
    fn the_standards_vector_of_a128cbc_hs256() {
        let key: Vec<u8> = (0..32).collect();
        let iv = hex("1a f3 8c 2d c2 b9 6f fd d8 66 94 09 23 41 bc 04");
        let header = b"The second principle of Auguste Kerckhoffs";
        let content = b"A cipher system must not be required to be secret, and it must be able to fall into \
                        the hands of the enemy without inconvenience";
        let (ciphertext, tag) = seal(Encryption::A128CbcHs256, &key, &iv, header, content).unwrap();
        let expected = "c8 0e df a3 2d df 39 d5 ef 00 c0 b4 68 83 42 79 a2 e4 6a 1b 80 49 f7 92 f7 6b fe 54 \
                        b9 03 a9 c9 a9 4a c9 b4 7a d2 65 5c 5f 10 f9 ae f7 14 27 e2 fc 6f 9b 3f 39 9a 22 14 \
                        89 f1 63 62 c7 03 23 36 09 d4 5a c6 98 64 e3 32 1c f8 29 35 ac 40 96 c8 6e 13 33 14 \
                        c5 40 19 e8 ca 79 80 df a4 b9 cf 1b 38 4c 48 6f 3a 54 c5 10 78 15 8e e5 d7 9d e5 9f \
                        bd 34 d8 48 b3 d6 95 50 a6 76 46 34 44 27 ad e5 4b 88 51 ff b5 98 f7 f8 00 74 b9 47 \
                        3c 82 e2 db";
        assert_eq!(ciphertext, hex(expected));
        assert_eq!(tag, hex("65 2c 3f a3 6b 0a 7c 5b 32 19 fa b3 a3 0b c1 c4"));
    }

    /// RFC 7518, Appendix C: the agreed secret of Alice and Bob, and the key derived from it.
    #[test]
    fn the_standards_vector_of_the_key_derivation() {
        let shared = [
            158, 86, 217, 29, 129, 113, 53, 211, 114, 131, 66, 131, 191, 132, 38, 156, 251, 49, 110, 163,
            218, 128, 106, 72, 246, 218, 167, 121, 140, 254, 144, 196,
        ];
        let parties = Parties {
            producer: b"Alice",
            recipient: b"Bob",
        };
        let key = derive(&shared, Encryption::A128Gcm, parties);
        assert_eq!(realdid_crypto::base64url_encode(&*key), "VqqN6vgjbSBcIijNcacQGg");
    }
}
