//! The private operation: raw RSA by OpenSSL, which blinds it, so that its time tells nothing.

use std::fmt;

use openssl::pkey::Private;
use openssl::rsa::{Padding, Rsa};
use realdid_checks::passes;
use realdid_crypto::Hash;
use realdid_did::Level;
use realdid_token::{EpochKey, MODULUS_LENGTH, Purpose};
use zeroize::Zeroizing;

use crate::error::Refusal;
use crate::issuance::{Blinded, Debited};

/// What one signer is for: everything the key's identifier covers but the modulus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Hash of the genesis charter.
    pub charter: Hash,
    /// Identifier hash of the authority's DID.
    pub authority: Hash,
    /// The epoch in which it signs.
    pub epoch: u64,
}

/// An epoch key with its private part. Serves nothing but blind signatures.
pub struct EpochSigner {
    key: EpochKey,
    id: Hash,
    private: Rsa<Private>,
}

impl EpochSigner {
    /// A new key; takes some tenths of a second.
    ///
    /// # Errors
    /// [`Refusal::Signing`] if OpenSSL fails.
    pub fn generate(place: Place) -> Result<Self, Refusal> {
        Rsa::generate(8 * MODULUS_LENGTH as u32)
            .map_err(|_| Refusal::Signing)
            .and_then(|private| Self::new(place, private))
    }

    /// From PKCS#1 in PEM.
    ///
    /// # Errors
    /// [`Refusal::Signing`] unless it is a private key of 2048 bits.
    pub fn from_pem(place: Place, pem: &str) -> Result<Self, Refusal> {
        Rsa::private_key_from_pem(pem.as_bytes())
            .map_err(|_| Refusal::Signing)
            .and_then(|private| Self::new(place, private))
    }

    /// As PKCS#1 in PEM.
    ///
    /// # Errors
    /// [`Refusal::Signing`] if OpenSSL fails.
    pub fn to_pem(&self) -> Result<Zeroizing<String>, Refusal> {
        let pem = self.private.private_key_to_pem().map_err(|_| Refusal::Signing)?;
        String::from_utf8(pem)
            .map(Zeroizing::new)
            .map_err(|_| Refusal::Signing)
    }

    fn new(place: Place, private: Rsa<Private>) -> Result<Self, Refusal> {
        let modulus: Blinded = private.n().to_vec().try_into().map_err(|_| Refusal::Signing)?;
        let key = EpochKey::new(
            place.authority,
            Purpose::RealName,
            Level::Substantial,
            place.epoch,
            modulus,
        )
        .map_err(|_| Refusal::Signing)?;
        Ok(Self {
            id: key.id(&place.charter),
            key,
            private,
        })
    }

    /// The public part.
    #[must_use]
    pub const fn key(&self) -> &EpochKey {
        &self.key
    }

    /// The key's identifier.
    #[must_use]
    pub const fn id(&self) -> Hash {
        self.id
    }

    /// Signs what has been paid for, in order; the same value always gives the same bytes.
    ///
    /// # Errors
    /// [`Refusal::UnknownKey`] if it was paid for another key, [`Refusal::Signing`].
    pub fn sign(&self, debited: &Debited) -> Result<Vec<Blinded>, Refusal> {
        if !passes("QUO-10", debited.key_id() == self.id) {
            return Err(Refusal::UnknownKey);
        }
        debited
            .blinded()
            .iter()
            .map(|blinded| self.sign_one(blinded))
            .collect()
    }

    fn sign_one(&self, blinded: &Blinded) -> Result<Blinded, Refusal> {
        let failed = |_| Refusal::Signing;
        let (mut signature, mut check) = ([0; MODULUS_LENGTH], [0; MODULUS_LENGTH]);
        self.private
            .private_encrypt(blinded, &mut signature, Padding::NONE)
            .map_err(failed)?;
        self.private
            .public_decrypt(&signature, &mut check, Padding::NONE)
            .map_err(failed)?;
        // A fault in the private operation can give away the key: what does not verify is not sent
        // (RFC 9474 §4.3, step 4).
        if check == *blinded {
            Ok(signature)
        } else {
            Err(Refusal::Signing)
        }
    }
}

impl fmt::Debug for EpochSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EpochSigner({}, …)", self.id)
    }
}
