//! Proof Key for Code Exchange (RFC 7636), with the only method that protects: S256.

use realdid_checks::passes;
use realdid_crypto::{base64url_decode, base64url_encode, sha256};

/// Why a code challenge or verifier is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PkceError {
    /// The challenge is not 43 characters of base64url.
    #[error("the code_challenge is not the base64url form of a SHA-256 hash")]
    Challenge,
    /// The verifier is not 43 to 128 unreserved characters (RFC 7636 §4.1).
    #[error("the code_verifier is not 43 to 128 unreserved characters")]
    Verifier,
    /// The verifier is not the one the challenge was made of.
    #[error("the code_verifier does not belong to the code_challenge")]
    Mismatch,
}

/// An S256 code challenge.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct CodeChallenge(String);

impl CodeChallenge {
    /// Checks and takes a challenge.
    ///
    /// # Errors
    /// [`PkceError::Challenge`].
    pub fn parse(text: &str) -> Result<Self, PkceError> {
        if passes(
            "OIDC-01",
            base64url_decode(text).is_ok_and(|hash| hash.len() == 32),
        ) {
            Ok(Self(text.to_owned()))
        } else {
            Err(PkceError::Challenge)
        }
    }

    /// The challenge of a verifier.
    #[must_use]
    pub fn of(verifier: &str) -> Self {
        Self(base64url_encode(sha256(verifier.as_bytes()).0))
    }

    /// Checks a verifier against the challenge (RFC 7636 §4.6).
    ///
    /// # Errors
    /// [`PkceError::Verifier`], [`PkceError::Mismatch`].
    pub fn check(&self, verifier: &str) -> Result<(), PkceError> {
        let unreserved = verifier
            .bytes()
            .all(|c| c.is_ascii_alphanumeric() || b"-._~".contains(&c));
        if !passes("OIDC-02", unreserved && (43..=128).contains(&verifier.len())) {
            return Err(PkceError::Verifier);
        }
        if passes("OIDC-03", Self::of(verifier) == *self) {
            Ok(())
        } else {
            Err(PkceError::Mismatch)
        }
    }
}
