//! The holder's side: blind a DID, and make a token of the authority's answer.

use std::fmt;

use blind_rsa_signatures::{
    BlindMessage, BlindSignature, BlindingResult, MessageRandomizer, PublicKeySha384PSSRandomized, Secret,
};
use rand_core::CryptoRng;
use realdid_checks::passes;
use realdid_crypto::Hash;
use zeroize::Zeroizing;

use crate::key::{EpochKey, MODULUS_LENGTH};
use crate::verification::{EXPONENT, Token};

/// Length of an encoded [`Blinding`], in bytes.
pub const BLINDING_LENGTH: usize = 32 + 2 * MODULUS_LENGTH;

/// Why blinding, or making a token of the answer, failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BlindingError {
    /// The epoch key's modulus cannot be used.
    #[error("the authority's key cannot be used")]
    Key,
    /// The authority's answer is not a signature over what was blinded.
    #[error("the authority's blind signature is not valid")]
    Signature,
}

/// What the holder keeps between blinding and the authority's answer. Whoever has it can link the
/// blinded value to the token: it is as secret as a key, and is wiped when dropped.
#[derive(Clone)]
pub struct Blinding {
    prefix: [u8; 32],
    blinded: Box<[u8; MODULUS_LENGTH]>,
    inverse: Zeroizing<[u8; MODULUS_LENGTH]>,
}

/// Blinds the DID with this identifier hash for the authority's key (RFC 9474 §4.2).
///
/// # Errors
/// [`BlindingError::Key`] if the modulus cannot be used.
pub fn blind(
    key: &EpochKey,
    charter: &Hash,
    did: &Hash,
    rng: &mut impl CryptoRng,
) -> Result<Blinding, BlindingError> {
    let message = crate::message(&key.id(charter), did);
    let result = public_key(key)?
        .blind(rng, message)
        .map_err(|_| BlindingError::Key)?;
    let secret = Zeroizing::new(result.secret.0);
    Ok(Blinding {
        prefix: result.msg_randomizer.ok_or(BlindingError::Key)?.0,
        blinded: boxed(&result.blind_message.0)?,
        inverse: Zeroizing::new(secret.as_slice().try_into().map_err(|_| BlindingError::Key)?),
    })
}

impl Blinding {
    /// The value to be signed, big-endian.
    #[must_use]
    pub fn blinded(&self) -> &[u8; MODULUS_LENGTH] {
        &self.blinded
    }

    /// Unblinds the authority's answer and checks the token it gives (RFC 9474 §4.4).
    ///
    /// # Errors
    /// [`BlindingError`].
    pub fn finalize(
        &self,
        key: &EpochKey,
        charter: &Hash,
        did: &Hash,
        blind_signature: &[u8; MODULUS_LENGTH],
    ) -> Result<Token, BlindingError> {
        let key_id = key.id(charter);
        let result = BlindingResult {
            blind_message: BlindMessage(self.blinded.to_vec()),
            secret: Secret(self.inverse.to_vec()),
            msg_randomizer: Some(MessageRandomizer(self.prefix)),
        };
        let answer = BlindSignature(blind_signature.to_vec());
        let finalized = public_key(key)?.finalize(&answer, &result, crate::message(&key_id, did));
        let signature = match finalized {
            Ok(signature) => boxed(&signature.0)?,
            Err(_) if passes("TOK-03", false) => Box::new(*blind_signature),
            Err(_) => return Err(BlindingError::Signature),
        };
        Ok(Token {
            key_id,
            prefix: self.prefix,
            signature,
        })
    }

    /// The secret bytes, for storing them encrypted: prefix (32), blinded value (256), inverse (256).
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(
            [
                self.prefix.as_slice(),
                self.blinded.as_slice(),
                self.inverse.as_slice(),
            ]
            .concat(),
        )
    }

    /// From what [`Self::to_bytes`] gave; `None` if the length is another.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (prefix, rest) = bytes.split_first_chunk::<32>()?;
        let (blinded, inverse) = rest.split_first_chunk::<MODULUS_LENGTH>()?;
        let inverse = Zeroizing::new(<[u8; MODULUS_LENGTH]>::try_from(inverse).ok()?);
        Some(Self {
            prefix: *prefix,
            blinded: Box::new(*blinded),
            inverse,
        })
    }
}

impl fmt::Debug for Blinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Blinding(…)")
    }
}

fn public_key(key: &EpochKey) -> Result<PublicKeySha384PSSRandomized, BlindingError> {
    let number = |bytes: &[u8]| {
        let bits = u32::try_from(bytes.len() * 8).map_err(|_| BlindingError::Key)?;
        rsa::BoxedUint::from_be_slice(bytes, bits).map_err(|_| BlindingError::Key)
    };
    let inner =
        rsa::RsaPublicKey::new(number(key.modulus())?, number(&EXPONENT)?).map_err(|_| BlindingError::Key)?;
    Ok(PublicKeySha384PSSRandomized::new(inner))
}

fn boxed(bytes: &[u8]) -> Result<Box<[u8; MODULUS_LENGTH]>, BlindingError> {
    bytes.try_into().map(Box::new).map_err(|_| BlindingError::Key)
}
