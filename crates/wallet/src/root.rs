//! The root secret, and every key and salt that is derived from it.
//!
//! ```text
//! secret(i, role, n) = HKDF-SHA-256(root, "realdid/wallet/v1" ‖ charter(32) ‖ i(8) ‖ role(1) ‖ n(4))
//! ```
//!
//! All fields have a fixed width, so no two derivations share their input. Because keys are derived
//! per DID, a backup made on the first day restores the keys of DIDs made later; and because the
//! charter is part of the input, one root gives nothing to compare on two networks.

use std::fmt;

use rand_core::CryptoRng;
use realdid_checks::passes;
use realdid_crypto::{Hash, KeyType, PublicKey, SecretKey, base64url_decode, base64url_encode, derive_key};
use realdid_did::{Commitment, DocumentData, Inception, KeysReveal, RecoveryReveal, VerificationKey};
use zeroize::Zeroizing;

/// First part of every derivation.
const LABEL: &[u8] = b"realdid/wallet/v1";
/// How many generations of keys are tried when the wallet looks for the one the ledger knows.
pub const GENERATION_SCAN: u32 = 64;

/// 32 secret bytes: stored as base64url, wiped when dropped, never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<[u8; 32]>);

impl Secret {
    /// Fresh random bytes.
    #[must_use]
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        rng.fill_bytes(bytes.as_mut());
        Self(bytes)
    }

    /// Takes the bytes, which must be uniformly random.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The Ed25519 key that has these bytes as its seed.
    #[must_use]
    pub fn signing_key(&self) -> SecretKey {
        self.key_of(KeyType::Ed25519)
    }

    /// The key of this type that has these bytes as its seed.
    #[must_use]
    pub fn key_of(&self, kind: KeyType) -> SecretKey {
        SecretKey::from_seed(kind, &self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl serde::Serialize for Secret {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&Zeroizing::new(base64url_encode(self.0.as_slice())))
    }
}

impl<'de> serde::Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wrong = || serde::de::Error::custom("expected 32 bytes in base64url");
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        let bytes = Zeroizing::new(base64url_decode(&text).map_err(|_| wrong())?);
        Ok(Self::new(bytes.as_slice().try_into().map_err(|_| wrong())?))
    }
}

/// Secret bytes of any length: stored as base64url, wiped when dropped, never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretBytes(Zeroizing<Vec<u8>>);

impl SecretBytes {
    /// Takes the bytes.
    #[must_use]
    pub const fn new(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBytes(…)")
    }
}

impl serde::Serialize for SecretBytes {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&Zeroizing::new(base64url_encode(self.0.as_slice())))
    }
}

impl<'de> serde::Deserialize<'de> for SecretBytes {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        let bytes = base64url_decode(&text).map_err(|_| serde::de::Error::custom("expected base64url"))?;
        Ok(Self(Zeroizing::new(bytes)))
    }
}

/// Number of a DID in its wallet: a series (each restored wallet begins a new one, so that it never
/// gives out a DID that the lost device has given out) and a number within the series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Index {
    /// 0 for the first device, one more after each restore.
    pub series: u32,
    /// Position within the series, from 0.
    pub number: u32,
}

/// What a derived secret is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Role {
    /// Authentication key of generation n; generation 0 is in the inception.
    Authentication = 1,
    /// Salt of the commitment to the authentication key of generation n.
    AuthenticationSalt = 2,
    /// Recovery key of generation n.
    Recovery = 3,
    /// Salt of the commitment to the recovery key of generation n.
    RecoverySalt = 4,
}

/// Everything that is derived for one DID.
#[derive(Debug, Clone, Copy)]
pub struct Keychain<'a> {
    root: &'a Secret,
    charter: &'a Hash,
    index: Index,
}

impl<'a> Keychain<'a> {
    /// The keys of the DID with this index, on the network with this charter.
    #[must_use]
    pub const fn new(root: &'a Secret, charter: &'a Hash, index: Index) -> Self {
        Self { root, charter, index }
    }

    /// 32 derived bytes. Every (charter, index, role, generation) gives others.
    #[must_use]
    pub fn derive(&self, role: Role, generation: u32) -> Zeroizing<[u8; 32]> {
        // Without this, networks would have keys in common.
        let charter: &[u8] = if passes("WAL-03", false) {
            &[]
        } else {
            self.charter.as_bytes()
        };
        let parts: [&[u8]; 6] = [
            LABEL,
            charter,
            &self.index.series.to_be_bytes(),
            &self.index.number.to_be_bytes(),
            &[role as u8],
            &generation.to_be_bytes(),
        ];
        derive_key(self.root.0.as_slice(), &parts)
    }

    /// The authentication key of a generation.
    #[must_use]
    pub fn authentication(&self, generation: u32) -> SecretKey {
        SecretKey::from_seed(KeyType::Ed25519, &self.derive(Role::Authentication, generation))
    }

    /// The document data of a generation: one key, for authentication, and no services.
    ///
    /// # Panics
    /// Never: one key is within the limits.
    #[must_use]
    pub fn document(&self, generation: u32) -> DocumentData {
        DocumentData::new(vec![self.verification_key(generation)], Vec::new())
            .expect("one key and no services are within the limits")
    }

    /// The authentication key of a generation, as revealed when it is rotated to.
    #[must_use]
    pub fn next(&self, generation: u32) -> KeysReveal {
        let salt = *self.derive(Role::AuthenticationSalt, generation);
        KeysReveal {
            keys: vec![self.verification_key(generation)],
            salt,
        }
    }

    /// The commitment to the authentication key of a generation.
    #[must_use]
    pub fn next_commitment(&self, generation: u32) -> Commitment {
        self.next(generation).commitment(self.charter)
    }

    /// The recovery key of a generation.
    #[must_use]
    pub fn recovery_key(&self, generation: u32) -> SecretKey {
        SecretKey::from_seed(KeyType::Ed25519, &self.derive(Role::Recovery, generation))
    }

    /// The recovery key of a generation, as revealed when it is used.
    #[must_use]
    pub fn recovery(&self, generation: u32) -> RecoveryReveal {
        let salt = *self.derive(Role::RecoverySalt, generation);
        RecoveryReveal {
            key: self.recovery_key(generation).public_key(),
            salt,
        }
    }

    /// The commitment to the recovery key of a generation.
    #[must_use]
    pub fn recovery_commitment(&self, generation: u32) -> Commitment {
        self.recovery(generation).commitment(self.charter)
    }

    /// What the DID is the hash of: a function of root, charter and index alone.
    #[must_use]
    pub fn inception(&self) -> Inception {
        Inception {
            charter: *self.charter,
            document: self.document(0),
            next: self.next_commitment(1),
            recovery: self.recovery_commitment(0),
        }
    }

    /// The generation whose document data has this hash, among the first [`GENERATION_SCAN`] after
    /// `from`.
    #[must_use]
    pub fn find_document(&self, hash: &Hash, from: u32) -> Option<u32> {
        scan(from).find(|generation| self.document(*generation).hash() == *hash)
    }

    /// The generation whose keys this commits to, among the first [`GENERATION_SCAN`] after `from`.
    #[must_use]
    pub fn find_next(&self, commitment: &Commitment, from: u32) -> Option<u32> {
        scan(from).find(|generation| self.next_commitment(*generation) == *commitment)
    }

    /// The generation whose recovery key this commits to, among the first [`GENERATION_SCAN`] after
    /// `from`.
    #[must_use]
    pub fn find_recovery(&self, commitment: &Commitment, from: u32) -> Option<u32> {
        scan(from).find(|generation| self.recovery_commitment(*generation) == *commitment)
    }

    fn verification_key(&self, generation: u32) -> VerificationKey {
        VerificationKey::authentication(self.public_key(generation))
    }

    fn public_key(&self, generation: u32) -> PublicKey {
        self.authentication(generation).public_key()
    }
}

/// The generations worth trying: from the one expected on, then the earlier ones.
fn scan(from: u32) -> impl Iterator<Item = u32> {
    (from..from.saturating_add(GENERATION_SCAN)).chain(0..from.min(GENERATION_SCAN))
}
