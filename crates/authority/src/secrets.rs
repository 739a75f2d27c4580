//! The authority's secret: 32 random bytes in a file of mode 0600, and what is derived with them.

use std::fmt;
use std::io;
use std::path::Path;

use rand::Rng as _;
use realdid_crypto::{Hash, derive_key};
use realdid_service::config::{read_secret_file, write_secret_file};
use zeroize::Zeroizing;

/// Keys the functions that stand for persons and one-time codes in the database. Without it the
/// database neither shows who is enrolled nor lets anybody test a guess.
#[derive(Clone)]
pub struct Secrets {
    root: Zeroizing<[u8; 32]>,
}

impl Secrets {
    /// Reads the file, or makes it with new random bytes.
    ///
    /// # Errors
    /// What the file system says; [`io::ErrorKind::InvalidData`] unless the file holds 64
    /// hexadecimal digits; [`io::ErrorKind::PermissionDenied`] if others may read it.
    pub fn load_or_create(path: &Path) -> io::Result<Self> {
        match read_secret_file(path) {
            Ok(text) => Self::from_hex(Zeroizing::new(text).trim()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::create(path),
            Err(error) => Err(error),
        }
    }

    /// From 32 uniformly random bytes.
    #[must_use]
    pub fn from_bytes(root: [u8; 32]) -> Self {
        Self {
            root: Zeroizing::new(root),
        }
    }

    fn create(path: &Path) -> io::Result<Self> {
        let mut root = [0; 32];
        rand::rng().fill_bytes(&mut root);
        let secrets = Self::from_bytes(root);
        write_secret_file(path, &Zeroizing::new(hex::encode(root)))?;
        Ok(secrets)
    }

    fn from_hex(text: &str) -> io::Result<Self> {
        let mut root = [0; 32];
        hex::decode_to_slice(text, &mut root).map_err(|_| {
            io::Error::new(
                io::ErrorKind::InvalidData,
                "the secret is not 64 hexadecimal digits",
            )
        })?;
        Ok(Self::from_bytes(root))
    }

    /// What stands for the person with this identity number in every table but the register.
    #[must_use]
    pub fn person(&self, number: &str) -> String {
        self.mac(&[b"realdid/authority/person/v1\0", number.as_bytes()])
            .to_hex()
    }

    /// What is kept of an enrolment's one-time code.
    #[must_use]
    pub fn code(&self, enrolment: &str, code: &str) -> Hash {
        self.mac(&[
            b"realdid/authority/code/v1\0",
            enrolment.as_bytes(),
            b"\0",
            code.as_bytes(),
        ])
    }

    /// HMAC-SHA-256 under a key extracted from the secret (HKDF's expansion to one block).
    fn mac(&self, message: &[&[u8]]) -> Hash {
        Hash(*derive_key(self.root.as_ref(), message))
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(…)")
    }
}
