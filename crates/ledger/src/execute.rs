//! The state transition: what each operation reads, demands and writes.

use realdid_checks::passes;
use realdid_crypto::Hash;
use realdid_did::{
    Action, Assurance, Authorization, Backing, Entry, Level, Operation, Sponsorship, Status, TOKEN_LENGTH,
    VerifiedOperation, follow,
};
use realdid_token::{EpochKey, Token, epoch_accepted};

use crate::charter::{Charter, Role};
use crate::committee;
use crate::governance::{GovernanceAction, GovernanceOperation};
use crate::operation::{CheckedOperation, Kind, ServiceAction, ServiceOperation};
use crate::record::{Accreditation, Anchor, EpochKeyRecord, Grant, Record, Right, StateKey, state_key};
use crate::refusal::Refusal;
use crate::state::State;

/// What an operation may know of the block it stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockContext {
    /// Height of the block.
    pub height: u64,
    /// Time of the block, in Unix milliseconds.
    pub time_ms: u64,
}

impl BlockContext {
    const fn seconds(&self) -> u64 {
        self.time_ms / 1000
    }
}

/// Everything the rules look at beside the state.
struct Rules<'a> {
    charter: &'a Charter,
    charter_hash: &'a Hash,
    block: &'a BlockContext,
}

/// Executes one operation: changes `state` completely, or refuses and changes nothing.
///
/// The values under [`CheckedOperation::keys`] must have been loaded.
///
/// # Errors
/// [`Refusal`].
pub fn execute(
    charter: &Charter,
    charter_hash: &Hash,
    block: &BlockContext,
    operation: &CheckedOperation,
    state: &mut State,
) -> Result<(), Refusal> {
    let rules = Rules {
        charter,
        charter_hash,
        block,
    };
    match &operation.kind {
        Kind::Did(operation) => rules.did_operation(operation, state),
        Kind::Service(operation) => rules.service_operation(operation, state),
        Kind::Governance(operation) => rules.governance_operation(operation, state),
    }
}

impl Rules<'_> {
    fn did_operation(&self, verified: &VerifiedOperation, state: &mut State) -> Result<(), Refusal> {
        let operation = verified.operation();
        let key = state_key::did(&operation.did);
        let entry = did_entry(state, &operation.did)?;
        let assurance = match (&entry, &operation.action) {
            (None, _) => self.founding_assurance(operation, state)?,
            // protocol.md §3: a replay of the last operation is told as such, whatever became of its token.
            (Some(entry), Action::Renew { authority, token, .. })
                if entry.last_operation != verified.hash() =>
            {
                Some(self.token_assurance(&operation.did, authority, token, true, state)?)
            }
            (Some(_), _) => None,
        };
        let entry = follow(
            entry.as_ref(),
            verified,
            self.block.seconds(),
            &self.charter.delays(),
            assurance,
        )?;
        self.take_seat(operation, &entry, state)?;
        state.put(key, &Record::Did(Box::new(entry)));
        Ok(())
    }

    /// What backs a DID that is new to the ledger.
    fn founding_assurance(&self, operation: &Operation, state: &State) -> Result<Option<Assurance>, Refusal> {
        let Some(founding) = operation.founding() else {
            return Ok(None);
        };
        let none = |backing, by| Assurance {
            backing,
            by,
            epoch: 0,
            level: Level::Low,
        };
        match &founding.authorization {
            Authorization::Token { authority, token } => {
                // protocol.md §3: recovery and deactivation accept an expired token, so that nobody
                // is locked out of them; publishing does not.
                let fresh = matches!(operation.action, Action::Publish(_));
                self.token_assurance(&operation.did, authority, token, fresh, state)
                    .map(Some)
            }
            Authorization::Charter { seat } => {
                let seat = self
                    .charter
                    .seats
                    .get(usize::from(*seat))
                    .ok_or(Refusal::SeatUnknown)?;
                let key = &founding.inception.document.keys()[0].key;
                if !passes("LED-05", *key == seat.key) {
                    return Err(Refusal::SeatUnknown);
                }
                Ok(Some(none(Backing::Charter, Hash::ZERO)))
            }
            Authorization::Sponsored(sponsorship) => {
                self.check_sponsor(sponsorship, state)?;
                Ok(Some(none(Backing::Sponsor, sponsorship.sponsor)))
            }
        }
    }

    /// What a token says, if its key is on the ledger, in force, and of an accepted epoch.
    fn token_assurance(
        &self,
        did: &Hash,
        authority: &Hash,
        token: &[u8; TOKEN_LENGTH],
        fresh: bool,
        state: &State,
    ) -> Result<Assurance, Refusal> {
        let token = Token::from_bytes(token).map_err(|_| Refusal::TokenInvalid)?;
        let Some(Record::EpochKey(record)) = state.get(&state_key::epoch_key(&token.key_id()))? else {
            return Err(Refusal::TokenUnknownKey);
        };
        let key = &record.key;
        if !passes("LED-06", key.authority == *authority) {
            return Err(Refusal::TokenUnknownKey);
        }
        let accredited = accreditation(state, authority)?.is_some_and(|found| found.in_force());
        if !passes("LED-07", record.revoked_at == 0 && accredited) {
            return Err(Refusal::TokenRevokedKey);
        }
        let current = state.epoch(self.charter, self.block.time_ms)?;
        if !passes("LED-08", !fresh || epoch_accepted(key.epoch, current)) {
            return Err(Refusal::TokenExpired);
        }
        let verified = token.verify(key, self.charter_hash, did);
        if !passes("LED-09", verified.is_ok()) {
            return Err(Refusal::TokenInvalid);
        }
        Ok(Assurance {
            backing: Backing::Token,
            by: key.authority,
            epoch: key.epoch,
            level: key.level,
        })
    }

    /// A sponsor must be an active DID whose document data is the one it showed, accredited as one
    /// that may sponsor.
    fn check_sponsor(&self, sponsorship: &Sponsorship, state: &State) -> Result<(), Refusal> {
        self.check_signer(&sponsorship.sponsor, sponsorship.document.hash(), state)?;
        let accredited = accreditation(state, &sponsorship.sponsor)?;
        let may = accredited.is_some_and(|found| found.in_force() && found.role.may_sponsor());
        if !passes("LED-10", may) {
            return Err(Refusal::NotAccredited);
        }
        Ok(())
    }

    fn check_signer(&self, did: &Hash, document: Hash, state: &State) -> Result<(), Refusal> {
        let entry = did_entry(state, did)?
            .ok_or(Refusal::SignerState)?
            .at(self.block.seconds());
        let active = entry.status(self.block.seconds()) == Status::Active;
        if !passes("LED-11", active && entry.document == document) {
            return Err(Refusal::SignerState);
        }
        Ok(())
    }

    /// The DID published by a seat's key takes the seat and its accreditation.
    fn take_seat(&self, operation: &Operation, entry: &Entry, state: &mut State) -> Result<(), Refusal> {
        let founding = operation.founding().filter(|_| entry.version == 1);
        let Some(Authorization::Charter { seat }) = founding.map(|founding| &founding.authorization) else {
            return Ok(());
        };
        if !passes("LED-12", state.get(&state_key::seat(*seat))?.is_none()) {
            return Err(Refusal::SeatTaken);
        }
        let place = self
            .charter
            .seats
            .get(usize::from(*seat))
            .ok_or(Refusal::SeatUnknown)?;
        let accreditation = Accreditation {
            did: operation.did,
            role: place.role,
            name: place.name.clone(),
            revoked_at: 0,
            suspended_at: 0,
        };
        state.put(state_key::seat(*seat), &Record::Seat(operation.did));
        state.put(
            state_key::accreditation(&operation.did),
            &Record::Accreditation(accreditation),
        );
        Ok(())
    }

    fn service_operation(&self, operation: &ServiceOperation, state: &mut State) -> Result<(), Refusal> {
        self.check_signer(&operation.by, operation.document.hash(), state)?;
        let accredited = accreditation(state, &operation.by)?;
        match &operation.action {
            ServiceAction::PublishEpochKey(key) => {
                in_force(accredited.as_ref(), Some(Role::Authority))?;
                self.publish_epoch_key(&operation.by, key, state)
            }
            ServiceAction::AdvanceEpoch { from } => {
                in_force(accredited.as_ref(), Some(Role::Authority))?;
                self.advance_epoch(*from, state)
            }
            ServiceAction::Anchor { subject, root, count } => {
                in_force(accredited.as_ref(), None)?;
                let key = state_key::anchor(&operation.by, subject);
                if !passes("LED-13", state.get(&key)?.is_none()) {
                    return Err(Refusal::AnchorExists);
                }
                let time = self.block.seconds();
                let anchor = Anchor {
                    by: operation.by,
                    subject: *subject,
                    root: *root,
                    count: *count,
                    time,
                };
                state.put(key, &Record::Anchor(anchor));
                Ok(())
            }
        }
    }

    fn publish_epoch_key(&self, by: &Hash, key: &EpochKey, state: &mut State) -> Result<(), Refusal> {
        if !passes("LED-14", key.authority == *by) {
            return Err(Refusal::NotAccredited);
        }
        let current = state.epoch(self.charter, self.block.time_ms)?;
        let first = key.epoch == 0 && current == 0;
        if !passes("LED-15", key.epoch == current.saturating_add(1) || first) {
            return Err(Refusal::EpochKeyTime);
        }
        let id = key.id(self.charter_hash);
        let slot = state_key::epoch_slot(by, key.purpose, key.level, key.epoch);
        let modulus = state_key::modulus(key.modulus());
        if !passes("LED-16", state.get(&slot)?.is_none()) {
            return Err(Refusal::EpochKeyExists);
        }
        if !passes("LED-17", state.get(&modulus)?.is_none()) {
            return Err(Refusal::ModulusExists);
        }
        let record = EpochKeyRecord {
            key: key.clone(),
            published_at: self.block.seconds(),
            revoked_at: 0,
        };
        state.put(state_key::epoch_key(&id), &Record::EpochKey(Box::new(record)));
        state.put(slot, &Record::EpochSlot(id));
        state.put(modulus, &Record::Modulus(id));
        Ok(())
    }

    fn advance_epoch(&self, from: u64, state: &mut State) -> Result<(), Refusal> {
        let current = state.epoch(self.charter, self.block.time_ms)?;
        if !passes("LED-18", self.charter.sandbox && from == current) {
            return Err(Refusal::EpochAdvance);
        }
        let mut parameters = state.parameters()?;
        parameters.advanced_epochs = parameters.advanced_epochs.saturating_add(1);
        state.put(state_key::parameters(), &Record::Parameters(parameters));
        Ok(())
    }

    fn governance_operation(
        &self,
        operation: &GovernanceOperation,
        state: &mut State,
    ) -> Result<(), Refusal> {
        let mut parameters = state.parameters()?;
        if !passes("LED-19", operation.sequence == parameters.governance_sequence) {
            return Err(Refusal::Sequence);
        }
        for (key, record) in self.decided(&operation.action, state)? {
            state.put(key, &record);
        }
        parameters.governance_sequence = parameters.governance_sequence.saturating_add(1);
        state.put(state_key::parameters(), &Record::Parameters(parameters));
        Ok(())
    }

    /// The records that a decision leads to, and where they lie.
    fn decided(&self, action: &GovernanceAction, state: &State) -> Result<Vec<Decided>, Refusal> {
        let now = self.block.seconds();
        let accredited =
            |found: Accreditation| (state_key::accreditation(&found.did), Record::Accreditation(found));
        let one = match action {
            GovernanceAction::RevokeEpochKey(id) => {
                let key = state_key::epoch_key(id);
                let Some(Record::EpochKey(mut record)) = state.get(&key)? else {
                    return Err(Refusal::NothingToRevoke);
                };
                revoke(&mut record.revoked_at, now)?;
                Ok((key, Record::EpochKey(record)))
            }
            GovernanceAction::RevokeAccreditation(did) => {
                let mut found = accreditation(state, did)?.ok_or(Refusal::NothingToRevoke)?;
                revoke(&mut found.revoked_at, now)?;
                Ok(accredited(found))
            }
            GovernanceAction::Accredit { did, role, name } => {
                self.may_be_accredited(did, state)?;
                Ok(accredited(Accreditation {
                    did: *did,
                    role: *role,
                    name: name.clone(),
                    revoked_at: 0,
                    suspended_at: 0,
                }))
            }
            GovernanceAction::Suspend(did) => {
                let mut found = accreditation(state, did)?.ok_or(Refusal::NothingToSuspend)?;
                if !passes("LED-36", found.in_force()) {
                    return Err(Refusal::NothingToSuspend);
                }
                found.suspended_at = now;
                Ok(accredited(found))
            }
            GovernanceAction::Reinstate(did) => {
                let mut found = accreditation(state, did)?.ok_or(Refusal::NothingToReinstate)?;
                if !passes("LED-37", found.revoked_at == 0 && found.suspended_at != 0) {
                    return Err(Refusal::NothingToReinstate);
                }
                found.suspended_at = 0;
                Ok(accredited(found))
            }
            GovernanceAction::GrantRight { right, detail } => self.granted(right, *detail, state),
            GovernanceAction::RevokeRight(right) => {
                let mut found = grant(state, right)?.ok_or(Refusal::NothingToRevoke)?;
                revoke(&mut found.revoked_at, now)?;
                Ok((state_key::grant(right), Record::Grant(found)))
            }
            GovernanceAction::SetValidator { .. } | GovernanceAction::SetCommittee { .. } => {
                return committee::decided(self.charter, self.block.height, action, state);
            }
        };
        one.map(|one| vec![one])
    }

    /// An organisation is accredited once, so that no struck-off one comes back with its rights, and
    /// only while its DID can be looked up and acts.
    fn may_be_accredited(&self, did: &Hash, state: &State) -> Result<(), Refusal> {
        if !passes("LED-33", accreditation(state, did)?.is_none()) {
            return Err(Refusal::AlreadyAccredited);
        }
        let now = self.block.seconds();
        let entry = did_entry(state, did)?;
        let active = entry.is_some_and(|entry| entry.at(now).status(now) == Status::Active);
        if !passes("LED-34", active) {
            return Err(Refusal::DidNotActive);
        }
        Ok(())
    }

    fn granted(&self, right: &Right, detail: Hash, state: &State) -> Result<(StateKey, Record), Refusal> {
        let found = accreditation(state, &right.did)?.ok_or(Refusal::NotAccredited)?;
        if !passes("LED-38", found.in_force()) {
            return Err(Refusal::NotAccredited);
        }
        if !passes("LED-39", found.role.may_hold(right.kind)) {
            return Err(Refusal::RightNotForRole);
        }
        let same = grant(state, right)?.is_some_and(|old| old.revoked_at == 0 && old.detail == detail);
        if !passes("LED-40", !same) {
            return Err(Refusal::RightExists);
        }
        let grant = Grant {
            right: *right,
            detail,
            granted_at: self.block.seconds(),
            revoked_at: 0,
        };
        Ok((state_key::grant(right), Record::Grant(grant)))
    }
}

/// A record and where it lies.
pub(crate) type Decided = (StateKey, Record);

/// Notes the time of a revocation, once.
fn revoke(revoked_at: &mut u64, now: u64) -> Result<(), Refusal> {
    if !passes("LED-41", *revoked_at == 0) {
        return Err(Refusal::NothingToRevoke);
    }
    *revoked_at = now;
    Ok(())
}

/// That a service's accreditation is in force, for this role if one is named.
fn in_force(accreditation: Option<&Accreditation>, role: Option<Role>) -> Result<(), Refusal> {
    let acts =
        accreditation.is_some_and(|found| found.in_force() && role.is_none_or(|role| role == found.role));
    if !passes("LED-43", acts) {
        return Err(Refusal::NotAccredited);
    }
    Ok(())
}

fn did_entry(state: &State, did: &Hash) -> Result<Option<Entry>, Refusal> {
    match state.get(&state_key::did(did))? {
        Some(Record::Did(entry)) => Ok(Some(*entry)),
        None => Ok(None),
        Some(_) => Err(Refusal::NotLoaded),
    }
}

fn accreditation(state: &State, did: &Hash) -> Result<Option<Accreditation>, Refusal> {
    match state.get(&state_key::accreditation(did))? {
        Some(Record::Accreditation(accreditation)) => Ok(Some(accreditation)),
        _ => Ok(None),
    }
}

fn grant(state: &State, right: &Right) -> Result<Option<Grant>, Refusal> {
    match state.get(&state_key::grant(right))? {
        Some(Record::Grant(grant)) => Ok(Some(grant)),
        _ => Ok(None),
    }
}
