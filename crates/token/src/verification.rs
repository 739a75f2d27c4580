//! The verifier's side: an ordinary RSA-PSS verification, and which epochs are accepted.

use std::fmt;

use aws_lc_rs::signature::{RSA_PSS_2048_8192_SHA384, RsaPublicKeyComponents};
use realdid_checks::passes;
use realdid_crypto::{Hash, Reader};
use realdid_did::TOKEN_LENGTH;

use crate::key::{EpochKey, MODULUS_LENGTH};

/// 65537, big-endian.
pub(crate) const EXPONENT: [u8; 3] = [1, 0, 1];

/// Why a token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not [`TOKEN_LENGTH`] bytes.
    #[error("a token has {TOKEN_LENGTH} bytes")]
    Length,
    /// The token names another key than the one it is checked with.
    #[error("the token was made with another key")]
    OtherKey,
    /// The signature is not valid for this DID.
    #[error("the token's signature is not valid for this DID")]
    Signature,
}

/// A token as it travels; whether it is valid shows only [`Token::verify`].
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    pub(crate) key_id: Hash,
    pub(crate) prefix: [u8; 32],
    pub(crate) signature: Box<[u8; MODULUS_LENGTH]>,
}

/// A token whose signature has been checked: what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerifiedToken {
    /// Identifier hash of the DID it is about.
    pub did: Hash,
    /// Identifier hash of the authority's DID.
    pub authority: Hash,
    /// How thoroughly the person was verified.
    pub level: realdid_did::Level,
    /// The epoch in which quota was spent.
    pub epoch: u64,
}

impl Token {
    /// From [`TOKEN_LENGTH`] bytes: key identifier (32), prefix (32), signature (256).
    ///
    /// # Errors
    /// [`TokenError::Length`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TokenError> {
        let mut reader = Reader::new(bytes);
        let mut read = || {
            Ok(Self {
                key_id: Hash::read(&mut reader)?,
                prefix: reader.fixed()?,
                signature: Box::new(reader.fixed()?),
            })
        };
        let token = read().map_err(|_: realdid_crypto::DecodeError| TokenError::Length)?;
        if bytes.len() == TOKEN_LENGTH {
            Ok(token)
        } else {
            Err(TokenError::Length)
        }
    }

    /// The [`TOKEN_LENGTH`] bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Box<[u8; TOKEN_LENGTH]> {
        let mut bytes = Box::new([0; TOKEN_LENGTH]);
        bytes[..32].copy_from_slice(self.key_id.as_bytes());
        bytes[32..64].copy_from_slice(&self.prefix);
        bytes[64..].copy_from_slice(self.signature.as_slice());
        bytes
    }

    /// The identifier of the epoch key that made it.
    #[must_use]
    pub const fn key_id(&self) -> Hash {
        self.key_id
    }

    /// Checks the signature over the DID with this identifier hash (RFC 9474 §4.5).
    ///
    /// Whether the key is accredited, not revoked and of an accepted epoch is for the caller to
    /// ask the ledger; see [`epoch_accepted`].
    ///
    /// # Errors
    /// [`TokenError::OtherKey`], [`TokenError::Signature`].
    pub fn verify(&self, key: &EpochKey, charter: &Hash, did: &Hash) -> Result<VerifiedToken, TokenError> {
        if !passes("TOK-04", key.id(charter) == self.key_id) {
            return Err(TokenError::OtherKey);
        }
        let message = [self.prefix.as_slice(), &crate::message(&self.key_id, did)].concat();
        let signed = RsaPublicKeyComponents {
            n: key.modulus().as_slice(),
            e: EXPONENT.as_slice(),
        }
        .verify(&RSA_PSS_2048_8192_SHA384, &message, self.signature.as_slice());
        if !passes("TOK-05", signed.is_ok()) {
            return Err(TokenError::Signature);
        }
        Ok(VerifiedToken {
            did: *did,
            authority: key.authority,
            level: key.level,
            epoch: key.epoch,
        })
    }
}

/// A token's bytes are never used as an identifier, so they are not printed either.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// Whether verifiers accept a token of epoch `token` during epoch `current`: the current epoch and
/// the one before.
#[must_use]
pub fn epoch_accepted(token: u64, current: u64) -> bool {
    passes("TOK-06", token == current || token.saturating_add(1) == current)
}
