//! The hash functions under disclosures, key binding and referenced documents, by their names.

use realdid_crypto::{base64url_encode, sha256, sm3};
use sha2::Digest as _;

/// A hash function by which an issuer names disclosures (`_sd_alg`, RFC 9901 §4.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum HashAlg {
    /// SHA-256: the default, which everybody reads.
    #[default]
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
    /// SM3 (GB/T 32905), under a name that is private to RealDID: others refuse it as unknown.
    Sm3,
}

impl HashAlg {
    /// All that are understood. Truncated ones of the IANA registry are not (RFC 9901 §9.4).
    pub const ALL: [Self; 4] = [Self::Sha256, Self::Sha384, Self::Sha512, Self::Sm3];

    /// The name in `_sd_alg`: an IANA Hash Name String, or `sm3`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha-256",
            Self::Sha384 => "sha-384",
            Self::Sha512 => "sha-512",
            Self::Sm3 => "sm3",
        }
    }

    /// The function of this name, to the letter.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|hash| hash.name() == name)
    }

    /// The hash of `bytes`: 32, 48 or 64 bytes.
    #[must_use]
    pub fn hash(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => sha256(bytes).0.to_vec(),
            Self::Sha384 => sha2::Sha384::digest(bytes).to_vec(),
            Self::Sha512 => sha2::Sha512::digest(bytes).to_vec(),
            Self::Sm3 => sm3(bytes).0.to_vec(),
        }
    }

    /// The digest of a text as disclosures are named by it: base64url of the hash over its bytes.
    #[must_use]
    pub fn digest(self, text: &str) -> String {
        base64url_encode(self.hash(text.as_bytes()))
    }
}
