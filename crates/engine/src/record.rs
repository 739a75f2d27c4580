//! Records of the ceremony that hands the network key from committee to committee.
//!
//! A record is a block's **first** operation, of kind 4: `04`, then the engine's encoding. In the
//! second half of an epoch it is the log of the dealer that leads the block; in an epoch's last block
//! it says the next epoch: its public polynomial, who signs, who gets shares, and where they are
//! reached. Genesis holds the one of epoch 0, made from the charter. Which block has to hold which
//! record the engine decides ([`commonware_glue::dkg::reshare::Application`]); the form is decided
//! here.

use crate::{
    block::key_bytes,
    directory::Directory,
    error::EngineError,
    keys::{Outcome, RECORD_LIMITS, decode_outcome},
};
use commonware_codec::{Copying, Decode as _, DecodeExt as _, Encode as _};
use commonware_consensus::types::Epoch;
use commonware_cryptography::{bls12381::primitives::variant::MinSig, ed25519::PublicKey};
use commonware_glue::dkg::types::{EpochInfo, EpochOutcome, Payload};
use commonware_utils::{N3f1, ordered::Quorum as _};
use realdid_checks::passes;
use realdid_ledger::{CEREMONY_RECORD, Charter};

/// A record.
pub(crate) type Record = Payload<MinSig, PublicKey, Directory>;

/// The record that says an epoch.
pub(crate) type EpochRecord = EpochInfo<MinSig, PublicKey, Directory>;

/// The record as an operation.
pub(crate) fn encode(record: &Record) -> Vec<u8> {
    let mut operation = vec![CEREMONY_RECORD];
    operation.extend_from_slice(&record.encode());
    operation
}

/// The record of a block with these operations, if it has one that is well-formed.
pub(crate) fn of(operations: &[Vec<u8>]) -> Option<Record> {
    let bytes = operations.first()?.strip_prefix(&[CEREMONY_RECORD])?;
    Record::decode_cfg(Copying(bytes), &RECORD_LIMITS).ok()
}

/// The operations behind the record. `None` if a record is malformed, not canonical, or not first.
pub(crate) fn behind(operations: &[Vec<u8>]) -> Option<&[Vec<u8>]> {
    let is_record = |operation: &Vec<u8>| operation.first() == Some(&CEREMONY_RECORD);
    let (record, rest) = match operations.split_first() {
        Some((first, rest)) if is_record(first) => (Some(first), rest),
        _ => (None, operations),
    };
    let canonical = |first: &Vec<u8>| of(operations).is_some_and(|record| encode(&record) == *first);
    let alone = !rest.iter().any(is_record);
    passes("ENG-11", alone && record.is_none_or(canonical)).then_some(rest)
}

/// The record of epoch 0, from the charter: its validators have the shares.
///
/// # Errors
///
/// [`EngineError::Config`] if the charter's parts do not belong together.
pub(crate) fn genesis(charter: &Charter) -> Result<EpochRecord, EngineError> {
    let output = decode_outcome(&charter.key_outcome())?;
    let mut addresses = Vec::with_capacity(charter.validators.len());
    for validator in &charter.validators {
        let key = PublicKey::decode(Copying(&validator.link_key.0))
            .map_err(|_| EngineError::Config("a validator's link key is malformed"))?;
        debug_assert_eq!(key_bytes(&key), validator.link_key.0);
        addresses.push((key, validator.address.clone()));
    }
    let directory = Directory::new(addresses);
    let players = output.players().clone();
    let same = players.len() == charter.validators.len()
        && commonware_glue::dkg::network::Directory::matches(&directory, &players);
    if !same {
        return Err(EngineError::Config("the key's shares belong to other validators"));
    }
    if output.public().public().encode() != charter.network_key().as_slice() {
        return Err(EngineError::Config(
            "the ceremony's outcome is of another network key",
        ));
    }
    check_threshold(&output)?;
    Ok(EpochRecord {
        outcome: EpochOutcome::Success,
        epoch: Epoch::zero(),
        output,
        next_players: players.clone(),
        players,
        directory,
    })
}

/// That 2f + 1 of 3f + 1 shares sign, as everything here assumes.
fn check_threshold(output: &Outcome) -> Result<(), EngineError> {
    let (public, players) = (output.public(), output.players());
    let fits =
        public.total().get() as usize == players.len() && public.required() == players.quorum::<N3f1>();
    if fits {
        Ok(())
    } else {
        Err(EngineError::Config(
            "the ceremony's outcome has another threshold",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{keys::MAX_VALIDATORS, support::world};
    use realdid_ledger::MAX_OPERATION_BYTES;

    fn operation() -> Vec<u8> {
        encode(&Record::EpochInfo(
            genesis(&world(4, 95).charter).expect("a charter"),
        ))
    }

    // test: ENG-11
    #[test]
    fn a_record_is_first_alone_and_canonical() {
        let (record, other) = (operation(), vec![3, 1, 2]);
        let plain = [other.clone(), other.clone()];
        assert_eq!(behind(&plain), Some(&plain[..]));
        assert_eq!(behind(&[]), Some(&[][..]));
        let led = [record.clone(), other.clone()];
        assert_eq!(behind(&led), Some(&led[1..]));
        assert!(of(&led).is_some());
        let mut longer = record.clone();
        longer.push(0);
        let refused: [&[Vec<u8>]; 5] = [
            &[other.clone(), record.clone()],
            &[record.clone(), record.clone()],
            &[record[..record.len() - 1].to_vec()],
            &[longer],
            &[vec![CEREMONY_RECORD]],
        ];
        for operations in refused {
            assert_eq!(behind(operations), None);
        }
    }

    #[test]
    fn the_largest_record_is_an_operation() {
        let most = std::num::NonZeroU32::new(MAX_VALIDATORS).expect("more than none");
        assert!(Record::max_encode_size(most) < MAX_OPERATION_BYTES);
    }

    #[test]
    fn a_charter_of_foreign_parts_is_refused() {
        let (charter, other) = (world(4, 96).charter, world(4, 97).charter);
        assert!(genesis(&charter).is_ok());
        let changes: [fn(&mut Charter, &Charter); 4] = [
            |it, other| it.network_key.clone_from(&other.network_key),
            |it, other| it.key_origin.clone_from(&other.key_origin),
            |it, _| it.validators.truncate(3),
            |it, _| it.key_origin.outcome.truncate(100),
        ];
        for change in changes {
            let mut changed = charter.clone();
            change(&mut changed, &other);
            assert!(matches!(genesis(&changed), Err(EngineError::Config(_))));
        }
    }
}
