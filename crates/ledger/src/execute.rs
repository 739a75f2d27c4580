//! The state transition: what each operation reads, demands and writes.

use realdid_crypto::Hash;
use realdid_did::{
    Action, Assurance, Authorization, Backing, Entry, Level, Operation, Sponsorship, Status, TOKEN_LENGTH,
    VerifiedOperation, follow,
};
use realdid_token::{EpochKey, Token, epoch_accepted};

use crate::charter::{Charter, Role};
use crate::operation::{
    CheckedOperation, GovernanceAction, GovernanceOperation, Kind, ServiceAction, ServiceOperation,
};
use crate::record::{Accreditation, Anchor, EpochKeyRecord, Record, state_key};
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
                // check: LED-05
                if founding.inception.document.keys()[0].key != seat.key {
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
        let record = match state.get(&state_key::epoch_key(&token.key_id()))? {
            Some(Record::EpochKey(record)) if record.key.authority == *authority => record,
            // check: LED-06
            _ => return Err(Refusal::TokenUnknownKey),
        };
        // check: LED-07
        if record.revoked_at != 0
            || accreditation(state, authority)?.is_none_or(|found| found.revoked_at != 0)
        {
            return Err(Refusal::TokenRevokedKey);
        }
        // check: LED-08
        if fresh && !epoch_accepted(record.key.epoch, state.epoch(self.charter, self.block.time_ms)?) {
            return Err(Refusal::TokenExpired);
        }
        // check: LED-09
        let said = token
            .verify(&record.key, self.charter_hash, did)
            .map_err(|_| Refusal::TokenInvalid)?;
        Ok(Assurance {
            backing: Backing::Token,
            by: said.authority,
            epoch: said.epoch,
            level: said.level,
        })
    }

    /// A sponsor must be an active, accredited DID whose document data is the one it showed.
    fn check_sponsor(&self, sponsorship: &Sponsorship, state: &State) -> Result<(), Refusal> {
        self.check_signer(&sponsorship.sponsor, sponsorship.document.hash(), state)?;
        // check: LED-10
        in_force(accreditation(state, &sponsorship.sponsor)?, None).map(|_| ())
    }

    fn check_signer(&self, did: &Hash, document: Hash, state: &State) -> Result<(), Refusal> {
        let entry = did_entry(state, did)?
            .ok_or(Refusal::SignerState)?
            .at(self.block.seconds());
        // check: LED-11
        if entry.status(self.block.seconds()) != Status::Active || entry.document != document {
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
        // check: LED-12
        if state.get(&state_key::seat(*seat))?.is_some() {
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
                in_force(accredited, Some(Role::Authority))?;
                self.publish_epoch_key(&operation.by, key, state)
            }
            ServiceAction::AdvanceEpoch { from } => {
                in_force(accredited, Some(Role::Authority))?;
                self.advance_epoch(*from, state)
            }
            ServiceAction::Anchor { subject, root, count } => {
                in_force(accredited, None)?;
                let key = state_key::anchor(&operation.by, subject);
                // check: LED-13
                if state.get(&key)?.is_some() {
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
        // check: LED-14
        if key.authority != *by {
            return Err(Refusal::NotAccredited);
        }
        let current = state.epoch(self.charter, self.block.time_ms)?;
        let first = key.epoch == 0 && current == 0;
        // check: LED-15
        if key.epoch != current.saturating_add(1) && !first {
            return Err(Refusal::EpochKeyTime);
        }
        let id = key.id(self.charter_hash);
        let slot = state_key::epoch_slot(by, key.purpose, key.level, key.epoch);
        let modulus = state_key::modulus(key.modulus());
        // check: LED-16
        if state.get(&slot)?.is_some() {
            return Err(Refusal::EpochKeyExists);
        }
        // check: LED-17
        if state.get(&modulus)?.is_some() {
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
        // check: LED-18
        if !self.charter.sandbox || from != state.epoch(self.charter, self.block.time_ms)? {
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
        // check: LED-19
        if operation.sequence != parameters.governance_sequence {
            return Err(Refusal::Sequence);
        }
        let now = self.block.seconds();
        let (key, record) = match &operation.action {
            GovernanceAction::RevokeEpochKey(id) => {
                let key = state_key::epoch_key(id);
                match state.get(&key)? {
                    Some(Record::EpochKey(mut record)) if record.revoked_at == 0 => {
                        record.revoked_at = now;
                        (key, Record::EpochKey(record))
                    }
                    _ => return Err(Refusal::NothingToRevoke),
                }
            }
            GovernanceAction::RevokeAccreditation(did) => {
                let mut accredited = accreditation(state, did)?.ok_or(Refusal::NothingToRevoke)?;
                if accredited.revoked_at != 0 {
                    return Err(Refusal::NothingToRevoke);
                }
                accredited.revoked_at = now;
                (state_key::accreditation(did), Record::Accreditation(accredited))
            }
        };
        parameters.governance_sequence += 1;
        state.put(key, &record);
        state.put(state_key::parameters(), &Record::Parameters(parameters));
        Ok(())
    }
}

/// An accreditation that has not been revoked, for this role if one is named.
fn in_force(accreditation: Option<Accreditation>, role: Option<Role>) -> Result<Accreditation, Refusal> {
    accreditation
        .filter(|found| found.revoked_at == 0 && role.is_none_or(|role| role == found.role))
        .ok_or(Refusal::NotAccredited)
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
