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
/// founder, and none that publishes somebody's share. Logs of others count for nothing.
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
    let info = round(draft, &founders)?;
    let mut found = Logs::<_, _, N3f1>::new(info.clone());
    for bytes in logs {
        let log =
            SignedDealerLog::<MinSig, PublicKey>::decode_cfg(Copying(bytes.as_slice()), &RECORD_LIMITS.0);
        let log = log.map_err(|_| EngineError::Founding("a dealer's log is malformed"))?;
        let Some((dealer, log)) = log.check(&info) else {
            return Err(EngineError::Founding(
                "a dealer's log is not signed for this draft",
            ));
        };
        if !passes("FND-07", !found.record(dealer, log)) {
            return Err(EngineError::Founding("a dealer has two logs"));
        }
    }
    let output = observe::<MinSig, PublicKey, N3f1>(rng, found, &Sequential);
    made(&output.map_err(|_| EngineError::Founding("the dealers' logs do not lead to a key"))?)
}

/// The one round of a founding: each founder deals to all.
fn round(draft: &Hash, founders: &Set<PublicKey>) -> Result<Info<MinSig, PublicKey>, EngineError> {
    let info = Info::new::<N3f1>(
        &founding_namespace(draft),
        0,
        None,
        Mode::NonZeroCounter,
        Reveal::V1,
        founders.clone(),
        founders.clone(),
    );
    info.map_err(|_| EngineError::Config("the founders cannot make a key"))
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

#[cfg(test)]
mod tests {
    use super::*;
    use commonware_cryptography::{
        Signer as _,
        bls12381::dkg::feldman_desmedt::{Dealer, Player},
        ed25519::PrivateKey,
    };
    use rand::{SeedableRng as _, rngs::StdRng};

    const DRAFT: Hash = Hash([7; 32]);

    fn keys() -> (Vec<PrivateKey>, Vec<[u8; 32]>) {
        let keys: Vec<_> = (0..4).map(PrivateKey::from_seed).collect();
        let public = keys.iter().map(|key| crate::block::key_bytes(&key.public_key()));
        (keys.clone(), public.collect())
    }

    /// The logs of a ceremony; this founder, if any, is away while it is dealt to.
    fn logs(draft: &Hash, away: Option<usize>) -> Vec<Vec<u8>> {
        let (keys, public) = keys();
        let info = round(draft, &participants(&public).expect("founders")).expect("a round");
        let mut rng = StdRng::seed_from_u64(5);
        let player =
            |key: &PrivateKey| Player::<MinSig, _>::new(info.clone(), key.clone()).expect("a player");
        let mut players: Vec<_> = keys.iter().map(player).collect();
        let mut logs = Vec::new();
        for key in &keys {
            let started = Dealer::start::<N3f1>(&mut rng, info.clone(), key.clone(), None);
            let (mut dealer, message, private) = started.expect("a dealer");
            for (to, private) in private {
                let number = keys
                    .iter()
                    .position(|key| key.public_key() == to)
                    .expect("a founder");
                if Some(number) == away {
                    continue;
                }
                let player = &mut players[number];
                let ack = player.dealer_message::<N3f1>(key.public_key(), message.clone(), private);
                let ack = ack.expect("a dealing").expect("its first");
                dealer.receive_player_ack(to, ack).expect("an acknowledgement");
            }
            logs.push(dealer.finalize::<N3f1>().encode().to_vec());
        }
        logs
    }

    fn check(logs: &[Vec<u8>]) -> Result<MadeKey, EngineError> {
        check_logs(&DRAFT, &keys().1, logs, &mut StdRng::seed_from_u64(6))
    }

    fn refused(logs: &[Vec<u8>]) -> &'static str {
        match check(logs) {
            Err(EngineError::Founding(what)) => what,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn logs_lead_to_one_key_and_only_for_their_draft() {
        let logs = logs(&DRAFT, None);
        let key = check(&logs).expect("a key");
        assert_eq!(check(&logs).expect("a key"), key);
        assert_ne!(check(&logs[..3]).expect("three are enough").network_key, [0; 96]);
        assert_eq!(refused(&logs[..2]), "the dealers' logs do not lead to a key");
        assert_eq!(refused(&[vec![0]]), "a dealer's log is malformed");
        let other = super::tests::logs(&Hash([8; 32]), None);
        assert_eq!(refused(&other), "a dealer's log is not signed for this draft");
        let mut altered = logs;
        let last = altered[0].len() - 1;
        altered[0][last] ^= 1;
        assert!(check(&altered).is_err());
    }

    // test: FND-07
    #[test]
    fn a_dealer_has_one_log() {
        let mut logs = logs(&DRAFT, None);
        check(&logs).expect("a key");
        logs.push(logs[0].clone());
        assert_eq!(refused(&logs), "a dealer has two logs");
    }

    // test: FND-08
    #[test]
    fn a_published_share_spoils_the_founding() {
        assert_eq!(
            refused(&logs(&DRAFT, Some(2))),
            "a founder's share was published: begin anew"
        );
        check(&logs(&DRAFT, None)).expect("a key");
    }
}
