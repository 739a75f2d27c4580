//! The authority's secret: 32 random bytes in a file of mode 0600, and what is derived with them.

use std::fmt;
use std::io;
use std::path::Path;

use openssl::error::ErrorStack;
use openssl::symm::{Cipher, decrypt_aead, encrypt_aead};
use rand::CryptoRng;
use realdid_crypto::{Hash, base64url_decode, base64url_encode, derive_key};
use realdid_service::config::{read_secret_file, write_secret_file};
use zeroize::Zeroizing;

/// Bytes of a nonce and of a tag of AES-GCM.
const NONCE: usize = 12;
const TAG: usize = 16;
/// What sealed names are bound to.
const SEAL: &[u8] = b"realdid/issuer/subject/v1";

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
        Self::from_hex(load_or_make(path)?.trim())
    }

    /// From 32 uniformly random bytes.
    #[must_use]
    pub fn from_bytes(root: [u8; 32]) -> Self {
        Self {
            root: Zeroizing::new(root),
        }
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

    /// What stands for a record of this source, e.g. a licence number, in the issuer's tables.
    #[must_use]
    pub fn record(&self, name: &str) -> String {
        self.mac(&[b"realdid/issuer/record/v1\0", name.as_bytes()])
            .to_hex()
    }

    /// A code of an offer, of which only the offer's identifier and the code's hash are kept.
    #[must_use]
    pub(crate) fn derived(&self, purpose: &'static str, id: &str) -> String {
        let mac = self.mac(&[
            b"realdid/issuer/derived/v1\0",
            purpose.as_bytes(),
            b"\0",
            id.as_bytes(),
        ]);
        base64url_encode(mac.as_bytes())
    }

    /// The 32 bytes of a key that every process over one database shares.
    #[must_use]
    pub(crate) fn key(&self, purpose: &'static str) -> Zeroizing<[u8; 32]> {
        derive_key(
            self.root.as_ref(),
            &[b"realdid/issuer/key/v1\0", purpose.as_bytes()],
        )
    }

    /// Encrypts the name of a record for the database (AES-256-GCM, random nonce).
    ///
    /// # Errors
    /// [`ErrorStack`] if OpenSSL cannot.
    pub(crate) fn seal(&self, name: &str, rng: &mut impl CryptoRng) -> Result<String, ErrorStack> {
        let mut nonce = [0; NONCE];
        rng.fill_bytes(&mut nonce);
        let (cipher, mut tag) = (Cipher::aes_256_gcm(), [0; TAG]);
        let key = self.key("seal");
        let sealed = encrypt_aead(
            cipher,
            key.as_ref(),
            Some(&nonce),
            SEAL,
            name.as_bytes(),
            &mut tag,
        )?;
        Ok(base64url_encode([nonce.as_slice(), &tag, &sealed].concat()))
    }

    /// The inverse of [`seal`](Self::seal); nothing for what was not sealed under this secret.
    pub(crate) fn open(&self, sealed: &str) -> Option<Zeroizing<String>> {
        let bytes = base64url_decode(sealed).ok()?;
        let (nonce, rest) = bytes.split_at_checked(NONCE)?;
        let (tag, sealed) = rest.split_at_checked(TAG)?;
        let (cipher, key) = (Cipher::aes_256_gcm(), self.key("seal"));
        let name = decrypt_aead(cipher, key.as_ref(), Some(nonce), SEAL, sealed, tag).ok()?;
        String::from_utf8(name).ok().map(Zeroizing::new)
    }

    /// A number that nobody without the secret can make, over parts of fixed length.
    #[must_use]
    pub(crate) fn tag(&self, purpose: &'static str, parts: &[u8]) -> Hash {
        self.mac(&[b"realdid/issuer/tag/v1\0", purpose.as_bytes(), b"\0", parts])
    }

    /// HMAC-SHA-256 under a key extracted from the secret (HKDF's expansion to one block).
    fn mac(&self, message: &[&[u8]]) -> Hash {
        Hash(*derive_key(self.root.as_ref(), message))
    }
}

/// Reads a secret's file, or makes it with 32 random bytes in hexadecimal. Of several processes that
/// start at the same time one makes it, and all read that one.
///
/// # Errors
/// What the file system says.
pub(crate) fn load_or_make(path: &Path) -> io::Result<Zeroizing<String>> {
    match read_secret_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        read => return read.map(Zeroizing::new),
    }
    let secret = Zeroizing::new(hex::encode(Zeroizing::new(rand::random::<[u8; 32]>())));
    // Whole before it gets its name, and its name only if nobody has it.
    let beside = path.with_file_name(hex::encode(rand::random::<[u8; 16]>()));
    write_secret_file(&beside, &secret)?;
    let named = std::fs::hard_link(&beside, path);
    std::fs::remove_file(&beside)?;
    match named {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => read_secret_file(path).map(Zeroizing::new),
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_that_start_together_have_one_secret() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("issuer.secret");
        let persons: Vec<_> = std::thread::scope(|scope| {
            let start = || Secrets::load_or_create(&path).unwrap().person("a number");
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(start)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(persons.iter().all(|person| *person == persons[0]));
        let left: Vec<_> = std::fs::read_dir(directory.path()).unwrap().collect();
        assert_eq!(left.len(), 1);
        std::fs::write(&path, "").unwrap();
        assert!(
            Secrets::load_or_create(&path).is_err(),
            "an empty file is no secret"
        );
    }
}
