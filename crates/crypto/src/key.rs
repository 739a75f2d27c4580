//! Key types, public keys in their one canonical encoding, and secret keys that never print.

use std::fmt;

use curve25519_dalek::edwards::CompressedEdwardsY;
use ed25519_zebra::{SigningKey, VerificationKey};
use rand_core::CryptoRng;
use realdid_checks::passes;
use sm2::elliptic_curve::sec1::ToSec1Point as _;
use zeroize::Zeroizing;

use crate::{DecodeError, Reader, Writer, base58_decode, base58_encode, base64url_encode, derive_key};

/// SM2's signer identity, fixed by GM/T 0009-2012 for signatures without an agreed one.
pub(crate) const SM2_SIGNER_ID: &str = "1234567812345678";

/// A registered combination of curve, signature scheme and encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum KeyType {
    /// Ed25519 (RFC 8032), verified by the rules of ZIP 215; keys of small order are refused.
    Ed25519 = 1,
    /// ECDSA on P-256 with SHA-256; our own signatures have the low `s`.
    P256 = 2,
    /// SM2 with SM3 (GB/T 32918), signer identity `1234567812345678`.
    Sm2 = 3,
}

impl KeyType {
    /// All registered types, in the order of their codes.
    pub const ALL: [Self; 3] = [Self::Ed25519, Self::P256, Self::Sm2];

    /// The registered code, one byte.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// Length of a public key, in bytes: 32, or 33 for a compressed point (SEC 1 §2.3.3).
    #[must_use]
    pub const fn public_key_length(self) -> usize {
        match self {
            Self::Ed25519 => 32,
            Self::P256 | Self::Sm2 => 33,
        }
    }

    /// JOSE algorithm name (RFC 8037, RFC 7518); `SM2SM3` is private to RealDID.
    #[must_use]
    pub const fn jose_algorithm(self) -> &'static str {
        match self {
            Self::Ed25519 => "EdDSA",
            Self::P256 => "ES256",
            Self::Sm2 => "SM2SM3",
        }
    }

    /// Multicodec prefix of a public key as an unsigned varint. Ed25519 and P-256 are registered;
    /// SM2 has no entry in the table, so it takes `0x300002` of the private range.
    const fn multicodec(self) -> &'static [u8] {
        match self {
            Self::Ed25519 => &[0xed, 0x01],
            Self::P256 => &[0x80, 0x24],
            Self::Sm2 => &[0x82, 0x80, 0xc0, 0x01],
        }
    }

    /// The type with this code, if registered.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// Why bytes are not a public or secret key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The length does not fit the key type.
    #[error("the key has the wrong length for its type")]
    Length,
    /// The bytes do not decode to a point on the curve, or not canonically.
    #[error("the key is not a canonical point on its curve")]
    NotOnCurve,
    /// The point has small order, so signatures by it prove nothing.
    #[error("the key has small order")]
    SmallOrder,
    /// A multibase or multicodec prefix that is not registered here.
    #[error("the key's text form is not a known multikey")]
    Multikey,
}

/// A public key, checked to be valid: on its curve, canonical, not of small order.
///
/// Layout on the wire: type code (1 byte), then 32 bytes (Ed25519) or a compressed point of
/// 33 bytes (P-256, SM2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey {
    kind: KeyType,
    /// Right-padded with zero for Ed25519.
    bytes: [u8; 33],
}

impl PublicKey {
    /// Checks and takes a public key.
    ///
    /// # Errors
    /// [`KeyError::Length`], [`KeyError::NotOnCurve`], [`KeyError::SmallOrder`].
    pub fn from_bytes(kind: KeyType, bytes: &[u8]) -> Result<Self, KeyError> {
        if bytes.len() != kind.public_key_length() {
            return Err(KeyError::Length);
        }
        match kind {
            KeyType::Ed25519 => check_ed25519(bytes)?,
            KeyType::P256 | KeyType::Sm2 => {
                if !passes("CRY-03", is_compressed_point(kind, bytes)) {
                    return Err(KeyError::NotOnCurve);
                }
            }
        }
        let mut padded = [0; 33];
        padded[..bytes.len()].copy_from_slice(bytes);
        Ok(Self { kind, bytes: padded })
    }

    /// The key's type.
    #[must_use]
    pub const fn kind(&self) -> KeyType {
        self.kind
    }

    /// The key's bytes without the type code.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.kind.public_key_length()]
    }

    /// Appends type code and bytes.
    pub fn write(&self, writer: &mut Writer) {
        writer.u8(self.kind.code()).fixed(self.as_bytes());
    }

    /// Takes type code and bytes.
    ///
    /// # Errors
    /// [`DecodeError::Unknown`] for a code that is not registered, [`DecodeError::OutOfRange`]
    /// for an invalid key.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let kind = KeyType::from_code(reader.u8()?).ok_or(DecodeError::Unknown("key type"))?;
        let bytes = reader.slice(kind.public_key_length())?;
        Self::from_bytes(kind, bytes).map_err(|_| DecodeError::OutOfRange("public key"))
    }

    /// The multikey text: `z`, base58btc of the multicodec prefix and the key's bytes.
    #[must_use]
    pub fn to_multikey(&self) -> String {
        format!(
            "z{}",
            base58_encode(&[self.kind.multicodec(), self.as_bytes()].concat())
        )
    }

    /// From the multikey text.
    ///
    /// # Errors
    /// [`KeyError::Multikey`] or what [`Self::from_bytes`] refuses.
    pub fn from_multikey(text: &str) -> Result<Self, KeyError> {
        let digits = text.strip_prefix('z').ok_or(KeyError::Multikey)?;
        let bytes = base58_decode(digits).map_err(|_| KeyError::Multikey)?;
        let (kind, key) = KeyType::ALL
            .into_iter()
            .find_map(|kind| bytes.strip_prefix(kind.multicodec()).map(|key| (kind, key)))
            .ok_or(KeyError::Multikey)?;
        Self::from_bytes(kind, key)
    }

    /// The coordinates for a JSON Web Key: `(kty, crv, x, y)` with base64url values; `y` is absent
    /// for Ed25519 (RFC 8037 §2, RFC 7518 §6.2). `SM2` as a curve name is private to RealDID.
    #[must_use]
    pub fn jwk_parts(&self) -> (&'static str, &'static str, String, Option<String>) {
        match self.kind {
            KeyType::Ed25519 => ("OKP", "Ed25519", base64url_encode(self.as_bytes()), None),
            KeyType::P256 => {
                let (x, y) = coordinates(&self.uncompressed());
                ("EC", "P-256", x, Some(y))
            }
            KeyType::Sm2 => {
                let (x, y) = coordinates(&self.uncompressed());
                ("EC", "SM2", x, Some(y))
            }
        }
    }

    /// From the coordinates of a JSON Web Key, as in [`Self::jwk_parts`] but decoded.
    ///
    /// # Errors
    /// [`KeyError::Multikey`] for an unknown `kty` and `crv`, else what [`Self::from_bytes`] refuses.
    pub fn from_jwk_parts(kty: &str, crv: &str, x: &[u8], y: Option<&[u8]>) -> Result<Self, KeyError> {
        match (kty, crv, y) {
            ("OKP", "Ed25519", None) => Self::from_bytes(KeyType::Ed25519, x),
            ("EC", "P-256", Some(y)) => Self::from_coordinates(KeyType::P256, x, y),
            ("EC", "SM2", Some(y)) => Self::from_coordinates(KeyType::Sm2, x, y),
            _ => Err(KeyError::Multikey),
        }
    }

    fn from_coordinates(kind: KeyType, x: &[u8], y: &[u8]) -> Result<Self, KeyError> {
        if x.len() != 32 || y.len() != 32 {
            return Err(KeyError::Length);
        }
        let mut compressed = [0; 33];
        compressed[0] = 2 + (y[31] & 1);
        compressed[1..].copy_from_slice(x);
        let key = Self::from_bytes(kind, &compressed)?;
        // The sign bit alone does not prove that `y` belongs to `x`.
        if key.uncompressed()[33..] == *y {
            Ok(key)
        } else {
            Err(KeyError::NotOnCurve)
        }
    }

    /// `04 ‖ x ‖ y` of a P-256 or SM2 key.
    pub(crate) fn uncompressed(&self) -> [u8; 65] {
        let mut output = [0; 65];
        match self.kind {
            KeyType::Ed25519 => {}
            KeyType::P256 => {
                if let Ok(key) = p256::PublicKey::from_sec1_bytes(self.as_bytes()) {
                    output.copy_from_slice(key.to_sec1_point(false).as_bytes());
                }
            }
            KeyType::Sm2 => {
                if let Ok(key) = sm2::PublicKey::from_sec1_bytes(self.as_bytes()) {
                    output.copy_from_slice(key.to_sec1_point(false).as_bytes());
                }
            }
        }
        output
    }
}

fn coordinates(uncompressed: &[u8; 65]) -> (String, String) {
    (
        base64url_encode(&uncompressed[1..33]),
        base64url_encode(&uncompressed[33..]),
    )
}

/// Only the compressed form: the curves' libraries would take the compact one (05) too.
fn is_compressed_point(kind: KeyType, bytes: &[u8]) -> bool {
    matches!(bytes[0], 2 | 3)
        && match kind {
            KeyType::Ed25519 => false,
            KeyType::P256 => p256::PublicKey::from_sec1_bytes(bytes).is_ok(),
            KeyType::Sm2 => sm2::PublicKey::from_sec1_bytes(bytes).is_ok(),
        }
}

fn check_ed25519(bytes: &[u8]) -> Result<(), KeyError> {
    let compressed = CompressedEdwardsY::from_slice(bytes).map_err(|_| KeyError::Length)?;
    let point = compressed.decompress().ok_or(KeyError::NotOnCurve)?;
    if !passes("CRY-01", !point.is_small_order()) {
        return Err(KeyError::SmallOrder);
    }
    if !passes("CRY-02", point.compress() == compressed) {
        return Err(KeyError::NotOnCurve);
    }
    Ok(())
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_multikey())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

/// As its multikey text.
impl serde::Serialize for PublicKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for PublicKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::from_multikey(&text).map_err(serde::de::Error::custom)
    }
}

/// A secret key: a type and 32 secret bytes, wiped from memory when dropped and never printed.
#[derive(Clone)]
pub struct SecretKey {
    kind: KeyType,
    seed: Zeroizing<[u8; 32]>,
}

impl SecretKey {
    /// The key of this type that belongs to 32 uniformly random secret bytes.
    ///
    /// For P-256 and SM2 the seed is the scalar itself; the one seed in 2³² that is no valid
    /// scalar is replaced by a derived one.
    #[must_use]
    pub fn from_seed(kind: KeyType, seed: &[u8; 32]) -> Self {
        let mut seed = Zeroizing::new(*seed);
        while !is_scalar(kind, &seed) {
            seed = derive_key(seed.as_ref(), &[b"realdid/scalar/v1"]);
        }
        Self { kind, seed }
    }

    /// A new key.
    #[must_use]
    pub fn generate(kind: KeyType, rng: &mut impl CryptoRng) -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        rng.fill_bytes(seed.as_mut());
        Self::from_seed(kind, &seed)
    }

    /// The key's type.
    #[must_use]
    pub const fn kind(&self) -> KeyType {
        self.kind
    }

    /// The 32 secret bytes, for storing them encrypted.
    #[must_use]
    pub fn seed(&self) -> &[u8; 32] {
        &self.seed
    }

    /// The public key that belongs to this key.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        let mut bytes = [0; 33];
        match self.kind {
            KeyType::Ed25519 => {
                let key = VerificationKey::from(&self.ed25519());
                bytes[..32].copy_from_slice(key.as_ref());
            }
            KeyType::P256 => {
                bytes.copy_from_slice(self.p256().verifying_key().to_sec1_point(true).as_bytes())
            }
            KeyType::Sm2 => {
                bytes.copy_from_slice(self.sm2().verifying_key().to_sec1_point(true).as_bytes());
            }
        }
        PublicKey {
            kind: self.kind,
            bytes,
        }
    }

    pub(crate) fn ed25519(&self) -> SigningKey {
        SigningKey::from(*self.seed)
    }

    pub(crate) fn p256(&self) -> p256::ecdsa::SigningKey {
        p256::ecdsa::SigningKey::from_slice(self.seed.as_ref()).expect("from_seed keeps only valid scalars")
    }

    pub(crate) fn sm2(&self) -> sm2::dsa::SigningKey {
        sm2::dsa::SigningKey::from_slice(SM2_SIGNER_ID, self.seed.as_ref())
            .expect("from_seed keeps only valid scalars")
    }
}

fn is_scalar(kind: KeyType, seed: &[u8; 32]) -> bool {
    match kind {
        KeyType::Ed25519 => true,
        KeyType::P256 => p256::ecdsa::SigningKey::from_slice(seed).is_ok(),
        KeyType::Sm2 => sm2::dsa::SigningKey::from_slice(SM2_SIGNER_ID, seed).is_ok(),
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey({:?}, …)", self.kind)
    }
}
