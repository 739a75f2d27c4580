//! Who validates: what the ledger has, by proof, and decisions about it.

use std::collections::BTreeMap;

use realdid_client::NodeClient;
use realdid_crypto::Hash;
use realdid_ledger::{
    COMMITTEE_NOTICE, Charter, GovernanceAction, KnownValidator, ProvenState, Schedule, StateKey,
    consensus_epoch, state_key,
};
use serde_json::{Value, json};

use super::args::{CommitteeCommand, CommitteeOptions};
use super::proposal::Meant;
use super::{MAX_AGE, client, decide};
use crate::block_on;
use crate::failure::{Failure, Outcome};
use crate::output::Output;
use crate::wallet::read_charter;

/// Keys of the state that are asked about at once.
const AT_ONCE: usize = 14;

/// Epochs that a decision is ahead unless it says so: one more than needed, so that there is time to sign.
const AHEAD: u64 = COMMITTEE_NOTICE + 1;

/// The committees as they are proven.
struct Found {
    /// The consensus epoch of the state.
    epoch: u64,
    height: u64,
    schedule: Schedule,
    validators: BTreeMap<u16, KnownValidator>,
}

/// Runs a command about committees.
pub fn run(command: CommitteeCommand, output: Output) -> Outcome<()> {
    match command {
        CommitteeCommand::Show { at } => {
            let charter = read_charter(&at.charter)?;
            let node = client(&at, &charter)?;
            let found = block_on(look_up(&node, &charter))??;
            output.result(found.text(), &found.json());
            Ok(())
        }
        CommitteeCommand::Validator {
            link_key,
            name,
            address,
            from,
            by,
        } => {
            let charter = read_charter(&by.at.charter)?;
            let node = client(&by.at, &charter)?;
            let (epoch, index) = block_on(place(&node, &charter, &link_key))??;
            let action = GovernanceAction::SetValidator {
                link_key,
                index,
                from: from.unwrap_or(epoch + AHEAD),
                name,
                address,
            };
            decide(&charter, action, Meant::default(), &by, output)
        }
        CommitteeCommand::Set(options) => {
            let charter = read_charter(&options.by.at.charter)?;
            let node = client(&options.by.at, &charter)?;
            let found = block_on(look_up(&node, &charter))??;
            let action = GovernanceAction::SetCommittee {
                from: options.from.unwrap_or(found.epoch + AHEAD),
                members: found.changed(&options)?,
            };
            decide(&charter, action, Meant::default(), &options.by, output)
        }
    }
}

/// The current epoch, and a validator's number: its own, or the next if it is new.
async fn place(node: &NodeClient, charter: &Charter, link_key: &Hash) -> Outcome<(u64, u16)> {
    let keys = [state_key::schedule(), state_key::validator(link_key)];
    let state = node.state(&keys, MAX_AGE).await?;
    let next = state.schedule()?.known;
    let index = state.validator(link_key)?.map_or(next, |known| known.index);
    Ok((consensus_epoch(charter, state.height()), index))
}

async fn look_up(node: &NodeClient, charter: &Charter) -> Outcome<Found> {
    let state = node.state(&[state_key::schedule()], MAX_AGE).await?;
    let schedule = state.schedule()?;
    let indices: Vec<u16> = (0..schedule.known).collect();
    let mut link_keys = Vec::with_capacity(indices.len());
    each(
        node,
        &indices,
        |index| state_key::validator_index(*index),
        |state, index| {
            link_keys.extend(state.validator_key(*index)?);
            Ok(())
        },
    )
    .await?;
    let mut validators = BTreeMap::new();
    each(node, &link_keys, state_key::validator, |state, key| {
        validators.extend(state.validator(key)?.map(|known| (known.index, known)));
        Ok(())
    })
    .await?;
    Ok(Found {
        epoch: consensus_epoch(charter, state.height()),
        height: state.height(),
        schedule,
        validators,
    })
}

/// Asks about many places of the state, a few at a time.
async fn each<T>(
    node: &NodeClient,
    things: &[T],
    place: impl Fn(&T) -> StateKey,
    mut take: impl FnMut(&ProvenState, &T) -> Outcome<()>,
) -> Outcome<()> {
    for chunk in things.chunks(AT_ONCE) {
        let keys: Vec<_> = chunk.iter().map(&place).collect();
        let state = node.state(&keys, MAX_AGE).await?;
        for thing in chunk {
            take(&state, thing)?;
        }
    }
    Ok(())
}

impl Found {
    /// The newest committee with the changes that were asked for: link keys in rising order.
    fn changed(&self, options: &CommitteeOptions) -> Outcome<Vec<Hash>> {
        let newest = self.schedule.turns.last().map(|turn| turn.members.as_slice());
        let indices = newest.unwrap_or_default().iter();
        let mut members: Vec<Hash> = indices
            .filter_map(|index| self.validators.get(index))
            .map(|known| known.link_key)
            .collect();
        for key in &options.remove {
            let Some(at) = members.iter().position(|member| member == key) else {
                let what = format!("the validator {key} is not in the newest committee");
                return Err(Failure::refused("validator_not_in_committee", what));
            };
            members.remove(at);
        }
        for key in &options.admit {
            if members.contains(key) {
                let what = format!("the validator {key} is in the newest committee");
                return Err(Failure::refused("validator_in_committee", what));
            }
            members.push(*key);
        }
        members.sort_unstable();
        Ok(members)
    }

    fn text(&self) -> String {
        let mut text = format!("consensus epoch {}", self.epoch);
        for turn in &self.schedule.turns {
            let since = if turn.from <= self.epoch { "since" } else { "from" };
            text.push_str(&format!("\n{since} epoch {}:", turn.from));
            for known in turn.members.iter().filter_map(|index| self.validators.get(index)) {
                let address = known.address_in(turn.from.max(self.epoch));
                text.push_str(&format!("\n  {} `{}` at {address}", known.link_key, known.name));
            }
        }
        let last = self.schedule.turns.last();
        let others = self.validators.values();
        let others = others.filter(|known| last.is_none_or(|turn| !turn.members.contains(&known.index)));
        for (place, known) in others.enumerate() {
            if place == 0 {
                text.push_str("\nknown, and not in the newest:");
            }
            text.push_str(&format!("\n  {} `{}`", known.link_key, known.name));
        }
        text.push_str(&format!("\nproven at height {}", self.height));
        text
    }

    fn json(&self) -> Value {
        let turns = self.schedule.turns.iter().map(|turn| {
            let members = turn.members.iter().filter_map(|index| self.validators.get(index));
            let link_keys: Vec<_> = members.map(|known| known.link_key).collect();
            json!({ "from": turn.from, "members": link_keys })
        });
        let validators = self.validators.values().map(|known| {
            json!({
                "link_key": known.link_key,
                "name": known.name,
                "address": known.address_in(self.epoch),
                "moves_from": known.moves.as_ref().map(|(from, _)| from),
                "moves_to": known.moves.as_ref().map(|(_, address)| address),
            })
        });
        json!({
            "consensus_epoch": self.epoch,
            "earliest": self.epoch + COMMITTEE_NOTICE,
            "height": self.height,
            "committees": turns.collect::<Vec<_>>(),
            "validators": validators.collect::<Vec<_>>(),
        })
    }
}
