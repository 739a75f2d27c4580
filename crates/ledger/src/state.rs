//! The part of the state that a block's operations touch: loaded before, read and written during.

use std::collections::BTreeMap;

use crate::charter::Charter;
use crate::committee::{CommitteeTurn, KnownValidator, Schedule};
use crate::record::{Parameters, Record, StateKey, StateValue, state_key};
use crate::refusal::Refusal;

/// The state at genesis: what is in it before the first block.
#[must_use]
pub fn genesis_state(charter: &Charter) -> Vec<(StateKey, StateValue)> {
    let mut records = vec![(state_key::parameters(), Record::Parameters(Parameters::default()))];
    let mut members = Vec::with_capacity(charter.validators.len());
    for (index, validator) in (0..).zip(&charter.validators) {
        let known = KnownValidator {
            index,
            link_key: validator.link_key,
            name: validator.name.clone(),
            address: validator.address.clone(),
            moves: None,
        };
        members.push(index);
        records.extend([
            (
                state_key::validator_index(index),
                Record::ValidatorIndex(known.link_key),
            ),
            (
                state_key::validator(&known.link_key),
                Record::Validator(Box::new(known)),
            ),
        ]);
    }
    let schedule = Schedule {
        known: members.len() as u16,
        turns: vec![CommitteeTurn { from: 0, members }],
    };
    records.push((state_key::schedule(), Record::Schedule(schedule)));
    let records = records.into_iter();
    records.map(|(key, record)| (key, record.encode())).collect()
}

/// Values loaded from the state, and what has been written over them.
#[derive(Debug, Clone, Default)]
pub struct State {
    loaded: BTreeMap<StateKey, Option<StateValue>>,
    written: BTreeMap<StateKey, StateValue>,
}

impl State {
    /// Nothing loaded yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Tells what the state holds under a key; `None` if nothing.
    pub fn load(&mut self, key: StateKey, value: Option<StateValue>) {
        self.loaded.insert(key, value);
    }

    /// Whether the key's value is known here.
    #[must_use]
    pub fn knows(&self, key: &StateKey) -> bool {
        self.loaded.contains_key(key) || self.written.contains_key(key)
    }

    /// What has been written, in the order of the keys.
    pub fn writes(&self) -> impl Iterator<Item = (&StateKey, &StateValue)> {
        self.written.iter()
    }

    /// The epoch at a block's time (milliseconds), from the numbers that change.
    ///
    /// # Errors
    /// [`Refusal::NotLoaded`] unless [`state_key::parameters`] was loaded.
    pub fn epoch(&self, charter: &Charter, time_ms: u64) -> Result<u64, Refusal> {
        Ok(charter.epoch_at(time_ms / 1000, self.parameters()?.advanced_epochs))
    }

    pub(crate) fn parameters(&self) -> Result<Parameters, Refusal> {
        match self.get(&state_key::parameters())? {
            Some(Record::Parameters(parameters)) => Ok(parameters),
            _ => Err(Refusal::NotLoaded),
        }
    }

    pub(crate) fn get(&self, key: &StateKey) -> Result<Option<Record>, Refusal> {
        let value = match self.written.get(key) {
            Some(value) => Some(*value),
            None => *self.loaded.get(key).ok_or(Refusal::NotLoaded)?,
        };
        value
            .map(|value| Record::decode(&value).map_err(|_| Refusal::NotLoaded))
            .transpose()
    }

    pub(crate) fn put(&mut self, key: StateKey, record: &Record) {
        self.written.insert(key, record.encode());
    }
}
