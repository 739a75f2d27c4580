//! One operation for each change, from the keys that the ledger is proved to expect.

use realdid_checks::passes;
use realdid_crypto::{Hash, SecretKey};
use realdid_did::{Action, Authorization, Entry, Founding, Operation, Reveal, Rotation, SignedOperation};

use super::{Change, ChangeError, Observation};
use crate::root::Keychain;
use crate::state::{HeldDid, Wallet};

/// Builds and signs one operation.
pub(super) struct Builder<'a> {
    pub(super) wallet: &'a Wallet,
    pub(super) keys: Keychain<'a>,
    pub(super) held: &'a HeldDid,
    pub(super) seen: &'a Observation,
}

impl Builder<'_> {
    pub(super) fn build(&self, change: Change) -> Result<SignedOperation, ChangeError> {
        let entry = self.seen.current();
        let (action, key) = match change {
            Change::Publish => {
                if entry.is_some() {
                    return Err(ChangeError::AlreadyPublished);
                }
                (
                    Action::Publish(Box::new(self.founding()?)),
                    self.keys.authentication(0),
                )
            }
            Change::Rotate | Change::Veto => {
                let generation = self.next_generation(&entry.ok_or(ChangeError::NotPublished)?)?;
                let rotation = self.rotation(generation);
                let action = if change == Change::Veto {
                    Action::Veto(rotation)
                } else {
                    Action::Update(rotation)
                };
                (action, self.keys.authentication(generation))
            }
            Change::Renew => {
                entry.ok_or(ChangeError::NotPublished)?;
                let held = self.held.token.as_ref().ok_or(ChangeError::NoToken)?;
                let token = held.token().ok_or(ChangeError::NoToken)?.to_bytes();
                let document = self.keys.document(self.held.generation);
                let action = Action::Renew {
                    document,
                    authority: held.authority,
                    token,
                };
                (action, self.keys.authentication(self.held.generation))
            }
            Change::Recover => self.recovery(entry.as_ref())?,
            Change::Deactivate | Change::DeactivateSlowly => self.deactivation(change, entry.as_ref())?,
        };
        let previous = self
            .seen
            .entry
            .as_ref()
            .map_or(Hash::ZERO, |entry| entry.last_operation);
        let charter = *self.wallet.charter_hash();
        Ok(Operation {
            charter,
            did: self.held.hash,
            previous,
            action,
        }
        .sign(0, &key))
    }

    /// The recovery key ends the DID at once, the next keys after the delay.
    fn deactivation(
        &self,
        change: Change,
        entry: Option<&Entry>,
    ) -> Result<(Action, SecretKey), ChangeError> {
        let (reveal, key) = if change == Change::Deactivate {
            let generation = self.recovery_generation(entry)?;
            (
                Reveal::Recovery(self.keys.recovery(generation)),
                self.keys.recovery_key(generation),
            )
        } else {
            let generation = entry.map_or(Ok(1), |entry| self.next_generation(entry))?;
            (
                Reveal::Next(self.keys.next(generation)),
                self.keys.authentication(generation),
            )
        };
        let founding = self.first_founding()?;
        Ok((Action::Deactivate { founding, reveal }, key))
    }

    /// New keys of a generation that was never used nor committed to.
    fn recovery(&self, entry: Option<&Entry>) -> Result<(Action, SecretKey), ChangeError> {
        let recovery_generation = self.recovery_generation(entry)?;
        let committed = entry.map_or(Some(1), |entry| {
            self.keys.find_next(&entry.next, self.held.generation)
        });
        let generation = committed
            .unwrap_or(self.held.generation + 1)
            .max(self.held.generation)
            + 1;
        let action = Action::Recover {
            founding: self.first_founding()?,
            reveal: self.keys.recovery(recovery_generation),
            document: self.keys.document(generation),
            next: self.keys.next_commitment(generation + 1),
            recovery: self.keys.recovery_commitment(recovery_generation + 1),
        };
        Ok((action, self.keys.recovery_key(recovery_generation)))
    }

    fn rotation(&self, generation: u32) -> Rotation {
        Rotation {
            document: self.keys.document(generation),
            salt: self.keys.next(generation).salt,
            next: self.keys.next_commitment(generation + 1),
        }
    }

    fn next_generation(&self, entry: &Entry) -> Result<u32, ChangeError> {
        let generation = self.keys.find_next(&entry.next, self.held.generation);
        if !passes("WAL-05", generation.is_some()) {
            return Err(ChangeError::KeysUnknown);
        }
        Ok(generation.unwrap_or_default())
    }

    fn recovery_generation(&self, entry: Option<&Entry>) -> Result<u32, ChangeError> {
        let Some(entry) = entry else { return Ok(0) };
        let generation = self
            .keys
            .find_recovery(&entry.recovery, self.held.recovery_generation);
        generation.ok_or(ChangeError::KeysUnknown)
    }

    /// The founding, if this is the DID's first operation.
    fn first_founding(&self) -> Result<Option<Box<Founding>>, ChangeError> {
        if self.seen.is_published() {
            Ok(None)
        } else {
            self.founding().map(Box::new).map(Some)
        }
    }

    fn founding(&self) -> Result<Founding, ChangeError> {
        let held = self.held.token.as_ref().ok_or(ChangeError::NoToken)?;
        let token = held.token().ok_or(ChangeError::NoToken)?.to_bytes();
        let authorization = Authorization::Token {
            authority: held.authority,
            token,
        };
        Ok(Founding {
            inception: self.keys.inception(),
            authorization,
        })
    }
}
