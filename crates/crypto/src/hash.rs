//! SHA-256 as the hash of identifiers, operations and blocks; SM3 beside it; HKDF for derivation.

use std::fmt;

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::{DecodeError, Reader, Writer};

/// A 32-byte hash value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// All zero; stands for "none" where a fixed width is needed.
    pub const ZERO: Self = Self([0; 32]);

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Appends the 32 bytes.
    pub fn write(&self, writer: &mut Writer) {
        writer.fixed(&self.0);
    }

    /// Takes 32 bytes.
    ///
    /// # Errors
    /// [`DecodeError::UnexpectedEnd`].
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.fixed().map(Self)
    }

    /// Lower-case hexadecimal, 64 characters.
    #[must_use]
    pub fn to_hex(&self) -> String {
        self.to_string()
    }

    /// From 64 lower-case hexadecimal characters; `None` for anything else.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
        }
        Some(Self(bytes))
    }
}

const fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

/// As 64 hexadecimal characters.
impl serde::Serialize for Hash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Hash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::from_hex(&text)
            .ok_or_else(|| serde::de::Error::custom("expected 64 lower-case hexadecimal characters"))
    }
}

/// SHA-256 (FIPS 180-4).
#[must_use]
pub fn sha256(bytes: &[u8]) -> Hash {
    Hash(Sha256::digest(bytes).into())
}

/// SM3 (GB/T 32905-2016).
#[must_use]
pub fn sm3(bytes: &[u8]) -> Hash {
    Hash(sm3::Sm3::digest(bytes).into())
}

/// SHA-256 over `len(label) ‖ label ‖ parts`, so that hashes of different kinds never collide.
///
/// The parts are concatenated as they are: each but the last must have a fixed width.
///
/// # Panics
/// If the label is longer than 255 bytes; labels are constants of the protocol.
#[must_use]
pub fn hash_labelled(label: &str, parts: &[&[u8]]) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update([u8::try_from(label.len()).expect("labels are short constants")]);
    hasher.update(label.as_bytes());
    for part in parts {
        hasher.update(part);
    }
    Hash(hasher.finalize().into())
}

/// 32 bytes derived from a secret by HKDF-SHA-256 (RFC 5869), with `info` saying what for.
///
/// `secret` must be uniformly random and at least 32 bytes long; no salt is used.
#[must_use]
pub fn derive_key(secret: &[u8], info: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    let mut output = Zeroizing::new([0; 32]);
    hkdf::Hkdf::<Sha256>::new(None, secret)
        .expand_multi_info(info, output.as_mut())
        .expect("32 bytes are within the output limit of HKDF-SHA-256");
    output
}
