//! The DID of an accredited service: its keys and document. [`key_file`] keeps them, [`publishing`]
//! brings the DID on the ledger.

mod key_file;
mod publishing;

use rand_core::CryptoRng;
use realdid_crypto::{Hash, KeyType, PublicKey, SecretKey};
use realdid_did::{Did, DocumentData, Inception, KeysReveal, Purposes, RecoveryReveal, VerificationKey};
use realdid_ledger::Charter;
use zeroize::Zeroizing;

use crate::ClientError;

pub use publishing::{SponsorshipError, SponsorshipFile};

/// Why a service's identity cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The key file cannot be read or written.
    #[error("the key file {0}: {1}")]
    File(String, std::io::Error),
    /// The key file may be read by others.
    #[error("the key file {0} may be read by others; run: chmod 600 {0}")]
    Exposed(String),
    /// The key file does not hold an identity.
    #[error("the key file {0} is not an identity file")]
    Malformed(String),
    /// The DID is not on the ledger, and the charter keeps no seat for its key.
    #[error("the DID is not on the ledger, and the charter keeps no seat for its key")]
    NoSeat,
    /// The node could not be asked, or refused.
    #[error(transparent)]
    Node(#[from] ClientError),
}

impl IdentityError {
    /// The failure's stable name.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::File(..) => "key_file_unreadable",
            Self::Exposed(_) => "key_file_exposed",
            Self::Malformed(_) => "key_file_malformed",
            Self::NoSeat => "seat_unknown",
            Self::Node(error) => error.code(),
        }
    }
}

/// A key that signs credentials, and the one after it.
struct CredentialKey {
    current: SecretKey,
    next: SecretKey,
}

/// A service's keys: the current ones, and those that its inception commits to. Key 0 is Ed25519
/// and the one a charter's seat names; a service that issues credentials has further ones, since
/// others' software speaks ES256. The recovery key is here so that a sandbox is one file per
/// service; a real network keeps it offline.
pub struct ServiceIdentity {
    current: SecretKey,
    next: SecretKey,
    recovery: SecretKey,
    next_salt: Zeroizing<[u8; 32]>,
    recovery_salt: Zeroizing<[u8; 32]>,
    credential_keys: Vec<CredentialKey>,
}

impl std::fmt::Debug for ServiceIdentity {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ServiceIdentity")
            .field("public_key", &self.public_key())
            .finish_non_exhaustive()
    }
}

impl ServiceIdentity {
    /// Draws a new identity that issues no credentials.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut salts = [Zeroizing::new([0; 32]), Zeroizing::new([0; 32])];
        salts
            .iter_mut()
            .for_each(|salt| rng.fill_bytes(salt.as_mut_slice()));
        let [next_salt, recovery_salt] = salts;
        let mut key = || SecretKey::generate(KeyType::Ed25519, rng);
        Self {
            current: key(),
            next: key(),
            recovery: key(),
            next_salt,
            recovery_salt,
            credential_keys: Vec::new(),
        }
    }

    /// Draws a new identity with keys for credentials: P-256, which everybody reads, and SM2.
    pub fn generate_issuer(rng: &mut impl CryptoRng) -> Self {
        let mut identity = Self::generate(rng);
        identity.credential_keys = [KeyType::P256, KeyType::Sm2]
            .map(|kind| CredentialKey {
                current: SecretKey::generate(kind, rng),
                next: SecretKey::generate(kind, rng),
            })
            .into();
        identity
    }

    /// The key that the charter names for the service's seat.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        self.current.public_key()
    }

    /// The key that signs for the service: assertions, sponsorships, service operations. It is
    /// number 0 of [`document`](Self::document).
    #[must_use]
    pub const fn assertion_key(&self) -> &SecretKey {
        &self.current
    }

    /// The P-256 key that signs credentials, if the service issues any. Everybody's software reads
    /// its signatures (ES256).
    #[must_use]
    pub fn credential_key(&self) -> Option<&SecretKey> {
        self.credential_key_of(KeyType::P256)
    }

    /// The key of a type that signs credentials. SM2 is read by our own parts only.
    #[must_use]
    pub fn credential_key_of(&self, kind: KeyType) -> Option<&SecretKey> {
        let keys = self.credential_keys.iter().map(|key| &key.current);
        keys.into_iter().find(|key| key.kind() == kind)
    }

    /// The document data: key 0 for authentication and assertion, then the keys that sign
    /// credentials, for assertion alone.
    ///
    /// # Panics
    /// Never: three different keys and no service are always allowed.
    #[must_use]
    pub fn document(&self) -> DocumentData {
        let keys = verification_keys(&self.current, self.credential_keys.iter().map(|key| &key.current));
        DocumentData::new(keys, Vec::new()).expect("a few keys are allowed")
    }

    /// The DID's inception on the network with this charter.
    #[must_use]
    pub fn inception(&self, charter: &Hash) -> Inception {
        let next = KeysReveal {
            keys: verification_keys(&self.next, self.credential_keys.iter().map(|key| &key.next)),
            salt: *self.next_salt,
        };
        let recovery = RecoveryReveal {
            key: self.recovery.public_key(),
            salt: *self.recovery_salt,
        };
        Inception {
            charter: *charter,
            document: self.document(),
            next: next.commitment(charter),
            recovery: recovery.commitment(charter),
        }
    }

    /// The DID on the network with this charter.
    #[must_use]
    pub fn did(&self, charter: &Charter) -> Did {
        self.inception(&charter.hash()).did(&charter.network)
    }
}

fn verification_keys<'k>(
    first: &SecretKey,
    for_credentials: impl Iterator<Item = &'k SecretKey>,
) -> Vec<VerificationKey> {
    let first = VerificationKey {
        purposes: Purposes::AUTHENTICATION.with(Purposes::ASSERTION),
        key: first.public_key(),
    };
    let further = for_credentials.map(|key| VerificationKey {
        purposes: Purposes::ASSERTION,
        key: key.public_key(),
    });
    std::iter::once(first).chain(further).collect()
}
