//! A holder key: drawn for one copy of one credential, and for nothing else.

use rand_core::CryptoRng;
use realdid_crypto::{KeyType, PublicKey, SecretKey};

use crate::root::Secret;

/// The stored algorithm is none that the wallet knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the holder key has an unknown algorithm")]
pub struct HolderKeyError;

/// A holder key. Stored as its JOSE algorithm and 32 secret bytes.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct HolderKey {
    kind: KeyType,
    seed: Secret,
}

#[derive(Clone, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    alg: String,
    seed: Secret,
}

impl TryFrom<Stored> for HolderKey {
    type Error = HolderKeyError;

    fn try_from(stored: Stored) -> Result<Self, HolderKeyError> {
        let kind = kind_of(&stored.alg).ok_or(HolderKeyError)?;
        Ok(Self {
            kind,
            seed: stored.seed,
        })
    }
}

impl From<HolderKey> for Stored {
    fn from(key: HolderKey) -> Self {
        Self {
            alg: key.kind.jose_algorithm().to_owned(),
            seed: key.seed,
        }
    }
}

impl HolderKey {
    /// A fresh key.
    #[must_use]
    pub fn generate(kind: KeyType, rng: &mut impl CryptoRng) -> Self {
        Self {
            kind,
            seed: Secret::generate(rng),
        }
    }

    /// The key, to sign with.
    #[must_use]
    pub fn secret_key(&self) -> SecretKey {
        self.seed.key_of(self.kind)
    }

    /// Its public half, which is in the credential's `cnf`.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        self.secret_key().public_key()
    }
}

/// The key type with this JOSE algorithm.
pub(crate) fn kind_of(algorithm: &str) -> Option<KeyType> {
    KeyType::ALL
        .into_iter()
        .find(|kind| kind.jose_algorithm() == algorithm)
}
