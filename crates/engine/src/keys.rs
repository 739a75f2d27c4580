//! Keys of the consortium: link keys of validators and the shared threshold key.

use crate::error::EngineError;
use commonware_codec::{Copying, Decode as _, DecodeExt as _, Encode as _};
use commonware_cryptography::{
    Signer as _,
    bls12381::{
        dkg::feldman_desmedt::{self, Output},
        primitives::{
            group::Share,
            sharing::{Mode, ModeVersion},
            variant::MinSig,
        },
    },
    ed25519,
};
use commonware_utils::{N3f1, NZU32, ordered::Set};
use rand_core::CryptoRng;
use std::num::NonZeroU32;
use zeroize::Zeroizing;

/// Most validators a network may have.
pub const MAX_VALIDATORS: u32 = realdid_ledger::MAX_VALIDATORS as u32;

/// What records of the ceremony are decoded with: most validators of a committee, newest form of a
/// polynomial.
pub(crate) const RECORD_LIMITS: (NonZeroU32, ModeVersion) = (NZU32!(MAX_VALIDATORS), ModeVersion::v0());

/// Public outcome of a ceremony: the polynomial behind the network key and who has shares.
pub(crate) type Outcome = Output<MinSig, ed25519::PublicKey>;

/// A threshold key dealt by one party: for sandboxes and tests.
///
/// A network with real members generates its key in a ceremony, so that nobody ever holds it.
pub struct DealtKey {
    /// The public outcome, as a ceremony gives it: for the charter.
    pub outcome: Vec<u8>,
    /// One secret share per validator, in the order of the link keys that were given.
    pub shares: Vec<Zeroizing<Vec<u8>>>,
}

/// Deals a threshold key to the validators with these link keys; 2f + 1 of 3f + 1 shares sign.
///
/// # Errors
///
/// [`EngineError::Config`] for no validator, more than [`MAX_VALIDATORS`], a malformed link key or
/// one that is named twice.
pub fn deal(link_keys: &[[u8; 32]], rng: &mut impl CryptoRng) -> Result<DealtKey, EngineError> {
    let keys = link_keys
        .iter()
        .map(|key| ed25519::PublicKey::decode(Copying(key)));
    let keys: Vec<_> = keys
        .collect::<Result<_, _>>()
        .map_err(|_| EngineError::Config("a validator's link key is malformed"))?;
    let players = Set::from_iter_dedup(keys.iter().cloned());
    if players.len() != keys.len() {
        return Err(EngineError::Config("a validator is named twice"));
    }
    if !(1..=MAX_VALIDATORS as usize).contains(&players.len()) {
        return Err(EngineError::Config("between 1 and 32 validators"));
    }
    let dealt = feldman_desmedt::deal::<MinSig, _, N3f1>(rng, Mode::NonZeroCounter, players);
    let (outcome, shares) = dealt.map_err(|_| EngineError::Config("the key could not be dealt"))?;
    let share = |key| {
        let share = shares.get_value(key)?;
        Some(Zeroizing::new(share.encode().to_vec()))
    };
    Ok(DealtKey {
        outcome: outcome.encode().to_vec(),
        shares: keys.iter().filter_map(share).collect(),
    })
}

/// The 96-byte network key of a ceremony's outcome: what light clients pin.
///
/// # Errors
///
/// [`EngineError::Config`] if `outcome` is not canonical.
pub fn network_key(outcome: &[u8]) -> Result<[u8; 96], EngineError> {
    let mut key = [0; 96];
    key.copy_from_slice(&decode_outcome(outcome)?.public().public().encode());
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

pub(crate) fn decode_outcome(outcome: &[u8]) -> Result<Outcome, EngineError> {
    Outcome::decode_cfg(Copying(outcome), &RECORD_LIMITS)
        .map_err(|_| EngineError::Config("the ceremony's outcome is malformed"))
}

pub(crate) fn decode_share(share: &[u8]) -> Result<Share, EngineError> {
    Share::decode(Copying(share)).map_err(|_| EngineError::Config("the key share is malformed"))
}
