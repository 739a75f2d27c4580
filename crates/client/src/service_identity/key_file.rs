//! The key file of a service: JSON, mode 0600.

use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use realdid_crypto::{KeyType, SecretKey};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::{CredentialKey, IdentityError, ServiceIdentity};

/// Types of keys that sign credentials; each at most once in a file.
const CREDENTIAL_KEYS: [KeyType; 2] = [KeyType::P256, KeyType::Sm2];

/// Seeds and salts have 32 bytes, in hexadecimal.
#[derive(serde::Serialize, serde::Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    seed: String,
    next_seed: String,
    next_salt: String,
    recovery_seed: String,
    recovery_salt: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    credential_keys: Vec<CredentialKeySeeds>,
}

#[derive(serde::Serialize, serde::Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
struct CredentialKeySeeds {
    /// `ES256` or `SM2SM3`.
    alg: String,
    seed: String,
    next_seed: String,
}

impl CredentialKeySeeds {
    fn of(key: &CredentialKey) -> Self {
        Self {
            alg: key.current.kind().jose_algorithm().to_owned(),
            seed: hex::encode(key.current.seed()),
            next_seed: hex::encode(key.next.seed()),
        }
    }

    fn key(&self) -> Option<CredentialKey> {
        let kind = CREDENTIAL_KEYS
            .into_iter()
            .find(|kind| kind.jose_algorithm() == self.alg)?;
        Some(CredentialKey {
            current: SecretKey::from_seed(kind, &*bytes(&self.seed)?),
            next: SecretKey::from_seed(kind, &*bytes(&self.next_seed)?),
        })
    }
}

fn bytes(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let mut bytes = Zeroizing::new([0; 32]);
    hex::decode_to_slice(text, bytes.as_mut_slice()).ok()?;
    Some(bytes)
}

impl KeyFile {
    fn identity(&self) -> Option<ServiceIdentity> {
        let key = |text| bytes(text).map(|seed| SecretKey::from_seed(KeyType::Ed25519, &seed));
        let seeds = self.credential_keys.iter();
        let credential_keys = seeds.map(CredentialKeySeeds::key).collect::<Option<Vec<_>>>()?;
        let mut kinds: Vec<_> = credential_keys.iter().map(|key| key.current.kind()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        if kinds.len() != credential_keys.len() {
            return None;
        }
        Some(ServiceIdentity {
            current: key(&self.seed)?,
            next: key(&self.next_seed)?,
            recovery: key(&self.recovery_seed)?,
            next_salt: bytes(&self.next_salt)?,
            recovery_salt: bytes(&self.recovery_salt)?,
            credential_keys,
        })
    }
}

impl ServiceIdentity {
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
        let file: Option<KeyFile> = serde_json::from_slice(&text).ok();
        let identity = file.and_then(|file| file.identity());
        identity.ok_or_else(|| IdentityError::Malformed(name()))
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
            credential_keys: self.credential_keys.iter().map(CredentialKeySeeds::of).collect(),
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
}

#[cfg(test)]
mod tests {
    use realdid_crypto::Hash;
    use realdid_did::Purposes;

    use super::*;

    #[test]
    fn a_key_file_is_private_and_comes_back() {
        let directory = tempfile::tempdir().unwrap();
        let charter = Hash([7; 32]);
        let identities = [
            ServiceIdentity::generate(&mut rand::rng()),
            ServiceIdentity::generate_issuer(&mut rand::rng()),
        ];
        for (number, identity) in identities.iter().enumerate() {
            let path = directory.path().join(format!("{number}.key"));
            identity.save(&path).unwrap();
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
    }

    #[test]
    fn an_issuer_has_keys_that_others_read() {
        let identity = ServiceIdentity::generate_issuer(&mut rand::rng());
        let document = identity.document();
        let kinds: Vec<_> = document.keys().iter().map(|key| key.key.kind()).collect();
        assert_eq!(kinds, [KeyType::Ed25519, KeyType::P256, KeyType::Sm2]);
        assert_eq!(document.keys()[0].key, identity.public_key(), "the seat's key");
        for key in &document.keys()[1..] {
            assert_eq!(key.purposes, Purposes::ASSERTION, "nobody logs in with it");
        }
        let p256 = identity.credential_key().unwrap();
        assert_eq!(p256.public_key(), document.keys()[1].key);
        assert!(
            ServiceIdentity::generate(&mut rand::rng())
                .credential_key()
                .is_none()
        );
    }

    #[test]
    fn what_is_no_key_file_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let good = directory.path().join("good.key");
        ServiceIdentity::generate_issuer(&mut rand::rng())
            .save(&good)
            .unwrap();
        let good = std::fs::read_to_string(good).unwrap();
        for (number, bad) in [
            good.replace("ES256", "ES384"),
            good.replace("SM2SM3", "ES256"),
            good.replacen("\"seed\": \"", "\"seed\": \"z", 1),
            good.replacen("\"seed\"", "\"sead\"", 1),
            String::new(),
        ]
        .iter()
        .enumerate()
        {
            let path = directory.path().join(format!("{number}.key"));
            std::fs::write(&path, bad).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
            assert!(
                matches!(ServiceIdentity::load(&path), Err(IdentityError::Malformed(_))),
                "{number}"
            );
        }
    }
}
