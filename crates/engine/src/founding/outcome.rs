//! What the dealers' logs of a founding lead to.

use crate::{
    error::EngineError,
    founding::MadeKey,
    keys::{Outcome, RECORD_LIMITS},
};
use commonware_codec::{Copying, Decode as _, DecodeExt as _, Encode as _};
use commonware_cryptography::{
    bls12381::{
        dkg::feldman_desmedt::{Info, Logs, Reveal, SignedDealerLog, observe},
        primitives::{sharing::Mode, variant::MinSig},
    },
    ed25519::PublicKey,
};
use commonware_parallel::Sequential;
use commonware_utils::{N3f1, ordered::Set};
use rand_core::CryptoRng;
use realdid_checks::passes;
use realdid_crypto::Hash;

/// The namespace of a founding with this draft.
#[must_use]
pub fn founding_namespace(draft: &Hash) -> Vec<u8> {
    [b"realdid/founding/v1".as_slice(), draft.as_bytes()].concat()
}

/// The founders' keys; each once.
pub(super) fn participants(link_keys: &[[u8; 32]]) -> Result<Set<PublicKey>, EngineError> {
    let keys = link_keys.iter().map(|key| PublicKey::decode(Copying(key)));
    let keys = keys.collect::<Result<Vec<_>, _>>();
    let keys = keys.map_err(|_| EngineError::Config("a founder's link key is malformed"))?;
    let set = Set::from_iter_dedup(keys);
    if set.is_empty() || set.len() != link_keys.len() || set.len() > RECORD_LIMITS.0.get() as usize {
        return Err(EngineError::Config("between 1 and 32 founders, each once"));
    }
    Ok(set)
}

/// The key to which the dealers' logs of a founding lead: each signed by its dealer, at most one of each
/// founder, and none that publishes somebody's share.
///
/// # Errors
///
/// [`EngineError::Founding`] says what is wrong with them; [`EngineError::Config`] for malformed founders.
pub fn check_logs(
    draft: &Hash,
    link_keys: &[[u8; 32]],
    logs: &[Vec<u8>],
    rng: &mut impl CryptoRng,
) -> Result<MadeKey, EngineError> {
    let founders = participants(link_keys)?;
    let info = Info::<MinSig, PublicKey>::new::<N3f1>(
        &founding_namespace(draft),
        0,
        None,
        Mode::NonZeroCounter,
        Reveal::V1,
        founders.clone(),
        founders.clone(),
    );
    let info = info.map_err(|_| EngineError::Config("the founders cannot make a key"))?;
    let mut found = Logs::<_, _, N3f1>::new(info.clone());
    for bytes in logs {
        let log =
            SignedDealerLog::<MinSig, PublicKey>::decode_cfg(Copying(bytes.as_slice()), &RECORD_LIMITS.0);
        let log = log.map_err(|_| EngineError::Founding("a dealer's log is malformed"))?;
        let unsigned = EngineError::Founding("a dealer's log is not signed by a founder for this draft");
        let Some((dealer, log)) = log.check(&info) else {
            return Err(unsigned);
        };
        if !passes("FND-09", founders.position(&dealer).is_some()) {
            return Err(unsigned);
        }
        if !passes("FND-07", !found.record(dealer, log)) {
            return Err(EngineError::Founding("a dealer has two logs"));
        }
    }
    let output = observe::<MinSig, PublicKey, N3f1>(rng, found, &Sequential);
    made(&output.map_err(|_| EngineError::Founding("the dealers' logs do not lead to a key"))?)
}

/// The key of an outcome in which no share was published.
pub(super) fn made(output: &Outcome) -> Result<MadeKey, EngineError> {
    if !passes("FND-08", output.revealed().is_empty()) {
        return Err(EngineError::Founding(
            "a founder's share was published: begin anew",
        ));
    }
    let mut network_key = [0; 96];
    network_key.copy_from_slice(&output.public().public().encode());
    Ok(MadeKey {
        outcome: output.encode().to_vec(),
        network_key,
    })
}
