//! Integrity of documents that a credential refers to: W3C SRI's "integrity metadata", by the rules of
//! SD-JWT VC, Integrity of Referenced Documents.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use realdid_checks::passes;

use crate::HashAlg;

/// Longest integrity metadata that is read, in bytes.
const MAX_TEXT: usize = 1024;

/// Integrity metadata: hashes of a document, of which only those by the strongest function count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Integrity {
    text: String,
    /// In the order of the text.
    hashes: Vec<(HashAlg, Vec<u8>)>,
}

/// Integrity metadata is malformed, or a document does not match it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IntegrityError {
    /// No `sha256-…`, `sha384-…` or `sha512-…` with base64.
    #[error("the integrity metadata has no hash that is understood")]
    Form,
    /// The document is another one.
    #[error("the document is not the one that was referred to")]
    Mismatch,
}

impl IntegrityError {
    /// Stable name, for machines.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Form => "integrity_form",
            Self::Mismatch => "integrity_mismatch",
        }
    }

    /// What helps, in plain words.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Form => "Write sha256- and the base64 of the document's SHA-256 hash.",
            Self::Mismatch => {
                "The document was changed after the hash of it was signed; fetch the one meant."
            }
        }
    }
}

impl Integrity {
    /// Reads integrity metadata. Unknown functions are passed over, options after `?` too (SRI §3.1).
    ///
    /// # Errors
    /// [`IntegrityError::Form`] if no hash is understood.
    pub fn parse(text: &str) -> Result<Self, IntegrityError> {
        if text.len() > MAX_TEXT {
            return Err(IntegrityError::Form);
        }
        let hashes: Vec<_> = text.split_ascii_whitespace().filter_map(expression).collect();
        if hashes.is_empty() {
            return Err(IntegrityError::Form);
        }
        Ok(Self {
            text: text.to_owned(),
            hashes,
        })
    }

    /// The integrity metadata of a document, by SHA-256.
    #[must_use]
    pub fn of(document: &[u8]) -> Self {
        let hash = HashAlg::Sha256.hash(document);
        Self {
            text: format!("sha256-{}", STANDARD.encode(&hash)),
            hashes: vec![(HashAlg::Sha256, hash)],
        }
    }

    /// As it stands in a claim.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Checks the octets of a document, as they were fetched.
    ///
    /// # Errors
    /// [`IntegrityError::Mismatch`].
    pub fn check(&self, document: &[u8]) -> Result<(), IntegrityError> {
        let strongest = self.hashes.iter().map(|(hash, _)| strength(*hash)).max();
        let matches = self
            .hashes
            .iter()
            .filter(|(hash, _)| Some(strength(*hash)) == strongest)
            .any(|(hash, digest)| hash.hash(document) == *digest);
        if !passes("SVC-13", matches) {
            return Err(IntegrityError::Mismatch);
        }
        Ok(())
    }
}

/// `sha256-` and base64; the digest must have the function's length.
fn expression(text: &str) -> Option<(HashAlg, Vec<u8>)> {
    let (name, rest) = text.split_once('-')?;
    let hash = match name {
        "sha256" => HashAlg::Sha256,
        "sha384" => HashAlg::Sha384,
        "sha512" => HashAlg::Sha512,
        _ => return None,
    };
    let digest = STANDARD.decode(rest.split('?').next()?).ok()?;
    (digest.len() == strength(hash)).then_some((hash, digest))
}

/// The length of a hash, in bytes, which here orders the functions.
const fn strength(hash: HashAlg) -> usize {
    match hash {
        HashAlg::Sha256 | HashAlg::Sm3 => 32,
        HashAlg::Sha384 => 48,
        HashAlg::Sha512 => 64,
    }
}
