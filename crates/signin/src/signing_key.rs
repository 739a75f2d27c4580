//! The key that signs ID tokens: P-256, in a file of mode 0600, made at first start.

use std::io::{Error, ErrorKind};
use std::path::Path;

use realdid_crypto::{Hash, KeyType, SecretKey};
use realdid_service::config::{read_secret_file, write_secret_file};

/// Loads the key, or makes it if there is none.
pub(crate) fn load_or_create(path: &Path) -> std::io::Result<SecretKey> {
    match read_secret_file(path) {
        Ok(text) => {
            let malformed = || Error::new(ErrorKind::InvalidData, "not a key of 64 hexadecimal characters");
            let seed = Hash::from_hex(text.trim()).ok_or_else(malformed)?;
            Ok(SecretKey::from_seed(KeyType::P256, &seed.0))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let key = SecretKey::generate(KeyType::P256, &mut rand::rng());
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent)?;
            }
            write_secret_file(path, &format!("{}\n", Hash(*key.seed())))?;
            Ok(key)
        }
        Err(error) => Err(error),
    }
}
