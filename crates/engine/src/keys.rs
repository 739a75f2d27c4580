//! Keys of the consortium: link keys of validators and the shared threshold key.

use crate::error::EngineError;
use commonware_codec::{Copying, Decode as _, DecodeExt as _, Encode as _};
use commonware_cryptography::{
    Signer as _,
    bls12381::{
        dkg::feldman_desmedt::deal_anonymous,
        primitives::{
            group::Share,
            sharing::{Mode, ModeVersion, Sharing},
            variant::MinSig,
        },
    },
    ed25519,
};
use commonware_utils::{N3f1, NZU32};
use rand_core::CryptoRng;
use std::num::NonZeroU32;
use zeroize::Zeroizing;

/// Most validators a network may have.
pub const MAX_VALIDATORS: u32 = 256;

/// A threshold key dealt by one party: for sandboxes and tests.
///
/// A network with real members generates its key in a ceremony, so that nobody ever holds it.
pub struct DealtKey {
    /// The public polynomial: what every validator's configuration holds.
    pub public: Vec<u8>,
    /// One secret share per validator, in ascending order of the validators' link keys.
    pub shares: Vec<Zeroizing<Vec<u8>>>,
}

/// Deals a threshold key to `validators` validators; 2f + 1 of 3f + 1 shares sign.
///
/// # Errors
///
/// [`EngineError::Config`] for no validator or more than [`MAX_VALIDATORS`].
pub fn deal(validators: u32, rng: &mut impl CryptoRng) -> Result<DealtKey, EngineError> {
    let count = NonZeroU32::new(validators)
        .filter(|count| count.get() <= MAX_VALIDATORS)
        .ok_or(EngineError::Config("between 1 and 256 validators"))?;
    let (public, shares) = deal_anonymous::<MinSig, N3f1>(rng, Mode::NonZeroCounter, count);
    Ok(DealtKey {
        public: public.encode().to_vec(),
        shares: shares
            .iter()
            .map(|share| Zeroizing::new(share.encode().to_vec()))
            .collect(),
    })
}

/// The 96-byte network key of a public polynomial: what light clients pin.
///
/// # Errors
///
/// [`EngineError::Config`] if `public` is not a canonical public polynomial.
pub fn network_key(public: &[u8]) -> Result<[u8; 96], EngineError> {
    let mut key = [0; 96];
    key.copy_from_slice(&decode_public(public)?.public().encode());
    Ok(key)
}

/// The public link key of a validator's link-key seed.
#[must_use]
pub fn link_public_key(seed: &[u8; 32]) -> [u8; 32] {
    crate::block::key_bytes(&link_key(seed).public_key())
}

pub(crate) fn link_key(seed: &[u8; 32]) -> ed25519::PrivateKey {
    // Every 32-byte string is a seed.
    ed25519::PrivateKey::decode(Copying(seed)).expect("an Ed25519 seed is any 32 bytes")
}

pub(crate) fn decode_public(public: &[u8]) -> Result<Sharing<MinSig>, EngineError> {
    Sharing::decode_cfg(Copying(public), &(NZU32!(MAX_VALIDATORS), ModeVersion::v0()))
        .map_err(|_| EngineError::Config("the public polynomial is malformed"))
}

pub(crate) fn decode_share(share: &[u8]) -> Result<Share, EngineError> {
    Share::decode(Copying(share)).map_err(|_| EngineError::Config("the key share is malformed"))
}
