//! The DID of an accredited service: its key file, and how it gets on the ledger.

use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::time::Duration;

use rand_core::CryptoRng;
use realdid_crypto::{Hash, KeyType, PublicKey, SecretKey};
use realdid_did::{
    Action, Authorization, Did, DocumentData, Founding, Inception, KeysReveal, Operation, Purposes,
    RecoveryReveal, SignedOperation, VerificationKey,
};
use realdid_ledger::{Charter, encode_did_operation, state_key};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{ClientError, NodeClient};

/// How long publishing may take before the service gives up, including a node that still starts.
const PUBLISH_LIMIT: Duration = Duration::from_secs(60);
/// Oldest state a service believes about itself, in seconds.
const MAX_AGE: u64 = 300;

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
    /// The charter keeps no seat for this key.
    #[error("the charter keeps no seat for this service's key")]
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

/// The key file: JSON, each field 32 bytes in hexadecimal, mode 0600.
#[derive(serde::Serialize, serde::Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    seed: String,
    next_seed: String,
    next_salt: String,
    recovery_seed: String,
    recovery_salt: String,
}

/// A service's Ed25519 keys: the current one, and the two that its inception commits to. The
/// recovery key is here so that a sandbox is one file per service; a real network keeps it offline.
pub struct ServiceIdentity {
    current: SecretKey,
    next: SecretKey,
    recovery: SecretKey,
    next_salt: Zeroizing<[u8; 32]>,
    recovery_salt: Zeroizing<[u8; 32]>,
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
    /// Draws a new identity.
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
        }
    }

    /// Reads a key file; its mode must be 0600.
    ///
    /// # Errors
    /// [`IdentityError::File`], [`IdentityError::Exposed`], [`IdentityError::Malformed`].
    pub fn load(path: &Path) -> Result<Self, IdentityError> {
        let name = || path.display().to_string();
        let unreadable = |error| IdentityError::File(name(), error);
        if std::fs::metadata(path).map_err(unreadable)?.permissions().mode() & 0o077 != 0 {
            return Err(IdentityError::Exposed(name()));
        }
        let text = Zeroizing::new(std::fs::read(path).map_err(unreadable)?);
        let malformed = || IdentityError::Malformed(name());
        let file: KeyFile = serde_json::from_slice(&text).map_err(|_| malformed())?;
        let seed = |text: &str| {
            let mut seed = Zeroizing::new([0; 32]);
            hex::decode_to_slice(text, seed.as_mut_slice())
                .map_err(|_| malformed())
                .map(|()| seed)
        };
        let key = |text: &str| seed(text).map(|seed| SecretKey::from_seed(KeyType::Ed25519, &seed));
        Ok(Self {
            current: key(&file.seed)?,
            next: key(&file.next_seed)?,
            recovery: key(&file.recovery_seed)?,
            next_salt: seed(&file.next_salt)?,
            recovery_salt: seed(&file.recovery_salt)?,
        })
    }

    /// Writes a new key file with mode 0600; an existing one is never overwritten.
    ///
    /// # Errors
    /// [`IdentityError::File`].
    pub fn save(&self, path: &Path) -> Result<(), IdentityError> {
        let failed = |error| IdentityError::File(path.display().to_string(), error);
        let file = KeyFile {
            seed: hex::encode(self.current.seed()),
            next_seed: hex::encode(self.next.seed()),
            next_salt: hex::encode(self.next_salt.as_slice()),
            recovery_seed: hex::encode(self.recovery.seed()),
            recovery_salt: hex::encode(self.recovery_salt.as_slice()),
        };
        let json = serde_json::to_string_pretty(&file).map_err(|error| failed(error.into()))?;
        let json = Zeroizing::new(json + "\n");
        let mut options = std::fs::OpenOptions::new();
        let mut out = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map_err(failed)?;
        out.write_all(json.as_bytes())
            .and_then(|()| out.sync_all())
            .map_err(failed)
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

    /// The document data: one key, for authentication and assertion.
    ///
    /// # Panics
    /// Never: one key and no service are always allowed.
    #[must_use]
    pub fn document(&self) -> DocumentData {
        DocumentData::new(vec![self.verification_key(&self.current)], Vec::new()).expect("one key is allowed")
    }

    /// The DID's inception on the network with this charter.
    #[must_use]
    pub fn inception(&self, charter: &Hash) -> Inception {
        let next = KeysReveal {
            keys: vec![self.verification_key(&self.next)],
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

    /// The operation that publishes the DID on a seat of the charter.
    #[must_use]
    pub fn publication(&self, charter: &Hash, seat: u16) -> SignedOperation {
        let inception = self.inception(charter);
        let founding = Founding {
            inception,
            authorization: Authorization::Charter { seat },
        };
        let operation = Operation {
            charter: *charter,
            did: founding.inception.hash(),
            previous: Hash::ZERO,
            action: Action::Publish(Box::new(founding)),
        };
        operation.sign(0, &self.current)
    }

    /// Publishes the DID on its seat unless it is on the ledger, and returns when that is proven.
    /// Waits up to a minute for a node that still starts.
    ///
    /// # Errors
    /// [`IdentityError::NoSeat`], [`IdentityError::Node`].
    pub async fn publish_if_absent(
        &self,
        client: &NodeClient,
        charter: &Charter,
    ) -> Result<Did, IdentityError> {
        let seat = charter
            .seats
            .iter()
            .position(|seat| seat.key == self.public_key());
        let seat = seat
            .and_then(|seat| u16::try_from(seat).ok())
            .ok_or(IdentityError::NoSeat)?;
        let did = self.did(charter);
        client.wait_ready(PUBLISH_LIMIT).await?;
        if !self.is_published(client, &did).await? {
            let signed = self.publication(&charter.hash(), seat);
            let hash = signed.operation.hash();
            client
                .submit_and_wait(&encode_did_operation(&signed), &hash, PUBLISH_LIMIT)
                .await?;
            if !self.is_published(client, &did).await? {
                return Err(ClientError::NotFinalized(hash).into());
            }
        }
        Ok(did)
    }

    async fn is_published(&self, client: &NodeClient, did: &Did) -> Result<bool, ClientError> {
        let state = client.state(&[state_key::did(&did.hash)], MAX_AGE).await?;
        Ok(state.did(&did.hash)?.is_some())
    }

    fn verification_key(&self, key: &SecretKey) -> VerificationKey {
        VerificationKey {
            purposes: Purposes::AUTHENTICATION.with(Purposes::ASSERTION),
            key: key.public_key(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_is_private_and_comes_back() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("authority.key");
        let identity = ServiceIdentity::generate(&mut rand::rng());
        identity.save(&path).unwrap();
        let charter = Hash([7; 32]);
        assert_eq!(
            ServiceIdentity::load(&path).unwrap().inception(&charter),
            identity.inception(&charter)
        );
        assert!(matches!(identity.save(&path), Err(IdentityError::File(..))));
        assert!(!format!("{identity:?}").contains(&hex::encode(identity.current.seed())));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(
            ServiceIdentity::load(&path),
            Err(IdentityError::Exposed(_))
        ));
    }

    #[test]
    fn the_publication_holds_by_itself() {
        let identity = ServiceIdentity::generate(&mut rand::rng());
        let charter = Hash([7; 32]);
        let verified = identity.publication(&charter, 0).verify(&charter).unwrap();
        assert_eq!(verified.operation().did, identity.inception(&charter).hash());
    }
}
