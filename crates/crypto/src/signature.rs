//! Signatures with a domain in front of the message, verified alone or in batches.

use std::fmt;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use ed25519_zebra::{VerificationKey, VerificationKeyBytes, batch};
use rand_core::CryptoRng;
use realdid_checks::passes;

use crate::key::SM2_SIGNER_ID;
use crate::{DecodeError, Hash, KeyType, PublicKey, Reader, SecretKey, Writer};

/// What a signature is for: a label of the protocol and the hash of the genesis charter.
///
/// The signed bytes are `00 ‖ len(label) ‖ label ‖ charter(32) ‖ message`. The leading zero keeps
/// them apart from JOSE signing inputs, which are ASCII, though the same key may sign both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Domain<'a> {
    /// A constant such as `realdid/operation/v1`, at most 255 bytes.
    pub label: &'static str,
    /// Hash of the genesis charter of the network.
    pub charter: &'a Hash,
}

impl Domain<'_> {
    fn message(&self, message: &[u8]) -> Vec<u8> {
        let label = self.label.as_bytes();
        let length = u8::try_from(label.len()).expect("labels are short constants");
        [&[0, length], label, self.charter.as_bytes().as_slice(), message].concat()
    }
}

/// A signature of 64 bytes: `R ‖ s` (Ed25519) or `r ‖ s`, big-endian (P-256, SM2).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature(pub [u8; 64]);

impl Signature {
    /// Appends the 64 bytes.
    pub fn write(&self, writer: &mut Writer) {
        writer.fixed(&self.0);
    }

    /// Takes 64 bytes.
    ///
    /// # Errors
    /// [`DecodeError::UnexpectedEnd`].
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.fixed().map(Self)
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({:02x}{:02x}…)", self.0[0], self.0[1])
    }
}

/// The signature does not verify under the key, domain and message. Deliberately says no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature is not valid")]
pub struct SignatureError;

impl SecretKey {
    /// Signs `message` in `domain`. Deterministic for every key type (RFC 8032, RFC 6979).
    #[must_use]
    pub fn sign(&self, domain: &Domain<'_>, message: &[u8]) -> Signature {
        self.sign_raw(&domain.message(message))
    }

    /// Signs bytes that carry their own domain, such as a JWS signing input (RFC 7515 §5.1).
    #[must_use]
    pub fn sign_raw(&self, message: &[u8]) -> Signature {
        match self.kind() {
            KeyType::Ed25519 => Signature(self.ed25519().sign(message).to_bytes()),
            KeyType::P256 => {
                use p256::ecdsa::signature::Signer as _;
                let signature: p256::ecdsa::Signature = self.p256().sign(message);
                Signature(signature.normalize_s().to_bytes().into())
            }
            KeyType::Sm2 => {
                use sm2::dsa::signature::Signer as _;
                Signature(self.sm2().sign(message).to_bytes().into())
            }
        }
    }
}

impl PublicKey {
    /// Verifies a signature of ours over `message` in `domain`: canonical forms only.
    ///
    /// # Errors
    /// [`SignatureError`].
    pub fn verify(
        &self,
        domain: &Domain<'_>,
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), SignatureError> {
        self.verify_raw(&domain.message(message), signature)
    }

    /// Verifies a signature of ours over bytes that carry their own domain: canonical forms only.
    ///
    /// # Errors
    /// [`SignatureError`].
    pub fn verify_raw(&self, message: &[u8], signature: &Signature) -> Result<(), SignatureError> {
        if self.kind() == KeyType::P256 && !passes("CRY-04", has_low_s(signature)) {
            return Err(SignatureError);
        }
        self.verify_foreign(message, signature)
    }

    /// Verifies a signature made by somebody else's software, where ECDSA's high `s` is as good.
    ///
    /// # Errors
    /// [`SignatureError`].
    pub fn verify_foreign(&self, message: &[u8], signature: &Signature) -> Result<(), SignatureError> {
        match self.kind() {
            KeyType::Ed25519 => VerificationKey::try_from(self.as_bytes())
                .and_then(|key| key.verify(&signature.0.into(), message))
                .map_err(|_| SignatureError),
            KeyType::P256 => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, self.uncompressed())
                .verify(message, &signature.0)
                .map_err(|_| SignatureError),
            KeyType::Sm2 => verify_sm2(self, message, signature),
        }
    }
}

fn verify_sm2(key: &PublicKey, message: &[u8], signature: &Signature) -> Result<(), SignatureError> {
    use sm2::dsa::signature::Verifier as _;
    let key =
        sm2::dsa::VerifyingKey::from_sec1_bytes(SM2_SIGNER_ID, key.as_bytes()).map_err(|_| SignatureError)?;
    let signature = sm2::dsa::Signature::from_slice(&signature.0).map_err(|_| SignatureError)?;
    key.verify(message, &signature).map_err(|_| SignatureError)
}

fn has_low_s(signature: &Signature) -> bool {
    p256::ecdsa::Signature::from_slice(&signature.0)
        .is_ok_and(|signature| signature.normalize_s() == signature)
}

/// One signature to check together with others.
#[derive(Debug, Clone, Copy)]
pub struct BatchItem<'a> {
    /// The signer.
    pub key: &'a PublicKey,
    /// What the signature is for.
    pub domain: Domain<'a>,
    /// The message.
    pub message: &'a [u8],
    /// The signature.
    pub signature: &'a Signature,
}

/// Verifies many signatures at once; Ed25519 ones together, which costs less than half as much.
///
/// Agrees with [`PublicKey::verify`] on every input: `Ok` exactly if each signature alone is valid.
/// `rng` only blinds the batch equation.
///
/// # Errors
/// [`SignatureError`] if at least one is not valid; check one by one to learn which.
pub fn verify_batch(items: &[BatchItem<'_>], rng: &mut impl CryptoRng) -> Result<(), SignatureError> {
    let mut verifier = batch::Verifier::new();
    for item in items {
        if item.key.kind() == KeyType::Ed25519 {
            let key = VerificationKeyBytes::try_from(item.key.as_bytes()).map_err(|_| SignatureError)?;
            verifier.queue((key, item.signature.0.into(), &item.domain.message(item.message)));
        } else {
            item.key.verify(&item.domain, item.message, item.signature)?;
        }
    }
    verifier.verify(rng).map_err(|_| SignatureError)
}
