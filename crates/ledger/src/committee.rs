//! Which validators get shares of the network key in which consensus epoch, as the consortium decides it.
//!
//! Whoever asks for an epoch's committee gets the same answer for ever: a decision sets the epochs from
//! [`COMMITTEE_NOTICE`] ahead on, and an epoch is asked for once its notice has passed.

use realdid_checks::passes;
use realdid_crypto::{DecodeError, Hash, Reader, Writer};

use crate::charter::{Charter, MAX_VALIDATORS};
use crate::execute::Decided;
use crate::governance::{GovernanceAction, read_name};
use crate::record::{Record, state_key};
use crate::refusal::Refusal;
use crate::state::State;

/// Consensus epochs between a decision about committees and the first that it can be about. Who gets
/// shares in an epoch stands in the last block of the second epoch before.
pub const COMMITTEE_NOTICE: u64 = 3;
/// Fewest validators of a committee, so that one may be lost; a sandbox may have fewer.
pub const MIN_COMMITTEE: usize = 4;
/// Committees that are kept at a time: the one of the current epoch, of the next two, and a later one.
const MAX_TURNS: usize = 4;

/// The consensus epoch that the block of this height is in.
#[must_use]
pub const fn consensus_epoch(charter: &Charter, height: u64) -> u64 {
    // The charter's own check has excluded 0.
    match height.checked_div(charter.committees.epoch_blocks) {
        Some(epoch) => epoch,
        None => 0,
    }
}

/// A validator that the consortium knows, in a committee or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownValidator {
    /// Its number: validators are counted as they become known.
    pub index: u16,
    /// Ed25519 public key of its links, 32 bytes.
    pub link_key: Hash,
    /// Name of the organisation that runs it.
    pub name: String,
    /// Where its peers reach it, `host:port`.
    pub address: String,
    /// From which consensus epoch on it is reached elsewhere, and where.
    pub moves: Option<(u64, String)>,
}

impl KnownValidator {
    /// Where it is reached in a consensus epoch, which is no older than the current one.
    #[must_use]
    pub fn address_in(&self, epoch: u64) -> &str {
        match &self.moves {
            Some((from, address)) if *from <= epoch => address,
            _ => &self.address,
        }
    }

    /// Notes another address from an epoch on.
    ///
    /// # Errors
    /// [`Refusal::ValidatorMoves`] if it moves already within the notice.
    pub(crate) fn move_to(&mut self, current: u64, from: u64, address: &str) -> Result<(), Refusal> {
        if let Some((moved, there)) = self.moves.take() {
            if moved <= current {
                self.address = there;
            } else if !passes("LED-50", moved >= earliest(current)) {
                return Err(Refusal::ValidatorMoves);
            }
        }
        self.moves = Some((from, address.to_owned()));
        Ok(())
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        self.link_key.write(writer.u16(self.index));
        writer.bytes(self.name.as_bytes()).bytes(self.address.as_bytes());
        let (from, address) = self
            .moves
            .as_ref()
            .map_or((0, ""), |(from, address)| (*from, address));
        writer.u64(from).bytes(address.as_bytes());
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            index: reader.u16()?,
            link_key: Hash::read(reader)?,
            name: read_name(reader)?,
            address: read_address(reader)?,
            moves: Some((reader.u64()?, read_address(reader)?)).filter(|(_, address)| !address.is_empty()),
        })
    }
}

/// An address's bytes: UTF-8. Whether it is one, and short enough, [`is_address`](crate::is_address) says.
pub(crate) fn read_address(reader: &mut Reader<'_>) -> Result<String, DecodeError> {
    let address = String::from_utf8(reader.bytes("address", usize::from(u8::MAX))?.to_vec());
    address.map_err(|_| DecodeError::OutOfRange("address"))
}

/// A committee, from an epoch on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitteeTurn {
    /// The first consensus epoch in which it gets shares; it signs from the next on.
    pub from: u64,
    /// The validators, by [`KnownValidator::index`], in rising order.
    pub members: Vec<u16>,
}

/// The committees of the current consensus epoch and later ones.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Schedule {
    /// How many validators are known: their indices are those below.
    pub known: u16,
    /// At most four, in rising order of their first epochs.
    pub turns: Vec<CommitteeTurn>,
}

impl Schedule {
    /// The committee that gets shares in an epoch, which is no older than the state's own: indices of
    /// validators.
    #[must_use]
    pub fn members_in(&self, epoch: u64) -> &[u16] {
        let turn = self.turns.iter().rfind(|turn| turn.from <= epoch);
        turn.map_or(&[], |turn| &turn.members)
    }

    /// With this committee from its epoch on, instead of any other that is not within the notice.
    fn with(mut self, current: u64, turn: CommitteeTurn) -> Decided {
        self.turns.retain(|kept| kept.from < earliest(current));
        let over = self
            .turns
            .iter()
            .skip(1)
            .filter(|next| next.from <= current)
            .count();
        self.turns.drain(..over);
        self.turns.push(turn);
        (state_key::schedule(), Record::Schedule(self))
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.u16(self.known).u8(self.turns.len() as u8);
        for turn in &self.turns {
            writer.u64(turn.from).u8(turn.members.len() as u8);
            for member in &turn.members {
                writer.u16(*member);
            }
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let known = reader.u16()?;
        let count = usize::from(reader.u8()?);
        if count > MAX_TURNS {
            return Err(DecodeError::OutOfRange("committees"));
        }
        let mut turns = Vec::with_capacity(count);
        for _ in 0..count {
            let (from, members) = (reader.u64()?, reader.u8()?);
            if u16::from(members) > MAX_VALIDATORS {
                return Err(DecodeError::OutOfRange("committee"));
            }
            let members = (0..members).map(|_| reader.u16()).collect::<Result<_, _>>()?;
            turns.push(CommitteeTurn { from, members });
        }
        Ok(Self { known, turns })
    }
}

/// The first epoch that a decision in the current one can be about.
pub(crate) const fn earliest(current: u64) -> u64 {
    current.saturating_add(COMMITTEE_NOTICE)
}

/// What a decision about committees or addresses leads to.
///
/// # Errors
/// [`Refusal`].
pub(crate) fn decided(
    charter: &Charter,
    height: u64,
    action: &GovernanceAction,
    state: &State,
) -> Result<Vec<Decided>, Refusal> {
    let (GovernanceAction::SetValidator { from, .. } | GovernanceAction::SetCommittee { from, .. }) = action
    else {
        return Ok(Vec::new());
    };
    let current = consensus_epoch(charter, height);
    if !passes("LED-47", *from >= earliest(current)) {
        return Err(Refusal::EpochTooSoon);
    }
    let Some(Record::Schedule(schedule)) = state.get(&state_key::schedule())? else {
        return Err(Refusal::NotLoaded);
    };
    match action {
        GovernanceAction::SetCommittee { from, members } => {
            let turn = turn(charter, *from, members, state)?;
            Ok(vec![schedule.with(current, turn)])
        }
        _ => validator_set(current, action, schedule, state),
    }
}

/// The committee that a decision names, which must have a size that can work.
fn turn(charter: &Charter, from: u64, members: &[Hash], state: &State) -> Result<CommitteeTurn, Refusal> {
    if !passes(
        "LED-48",
        members.len() <= usize::from(charter.committees.max_validators),
    ) {
        return Err(Refusal::CommitteeTooLarge);
    }
    let fewest = if charter.sandbox { 1 } else { MIN_COMMITTEE };
    if !passes("LED-49", members.len() >= fewest) {
        return Err(Refusal::CommitteeTooSmall);
    }
    let mut indices = Vec::with_capacity(members.len());
    for member in members {
        match validator(state, member)? {
            Some(known) => indices.push(known.index),
            None if passes("LED-51", false) => {}
            None => return Err(Refusal::ValidatorUnknown),
        }
    }
    indices.sort_unstable();
    Ok(CommitteeTurn {
        from,
        members: indices,
    })
}

/// Makes a validator known, or notes where a known one moves.
fn validator_set(
    current: u64,
    action: &GovernanceAction,
    mut schedule: Schedule,
    state: &State,
) -> Result<Vec<Decided>, Refusal> {
    let GovernanceAction::SetValidator {
        link_key,
        index,
        from,
        name,
        address,
    } = action
    else {
        return Ok(Vec::new());
    };
    let found = validator(state, link_key)?;
    let expected = found.as_ref().map_or(schedule.known, |found| found.index);
    if !passes("LED-52", *index == expected && *index < u16::MAX) {
        return Err(Refusal::ValidatorIndex);
    }
    let place = state_key::validator(link_key);
    if let Some(mut known) = found {
        known.move_to(current, *from, address)?;
        known.name.clone_from(name);
        return Ok(vec![(place, Record::Validator(Box::new(known)))]);
    }
    schedule.known = index.saturating_add(1);
    let known = KnownValidator {
        index: *index,
        link_key: *link_key,
        name: name.clone(),
        address: address.clone(),
        moves: None,
    };
    Ok(vec![
        (place, Record::Validator(Box::new(known))),
        (
            state_key::validator_index(*index),
            Record::ValidatorIndex(*link_key),
        ),
        (state_key::schedule(), Record::Schedule(schedule)),
    ])
}

fn validator(state: &State, link_key: &Hash) -> Result<Option<KnownValidator>, Refusal> {
    match state.get(&state_key::validator(link_key))? {
        Some(Record::Validator(found)) => Ok(Some(*found)),
        None => Ok(None),
        Some(_) => Err(Refusal::NotLoaded),
    }
}
