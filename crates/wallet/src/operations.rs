//! Changes of a DID on the ledger, safe against a crash at any point.
//!
//! The order is always the same: observe the ledger under proof, build the operation and store it,
//! only then send it, and move on only when its finality has been *proved* to this wallet. Building
//! is deterministic, so whoever begins again sends the same bytes, which the ledger takes once.

mod builder;

use realdid_checks::passes;
use realdid_crypto::{Hash, base64url_decode, base64url_encode};
use realdid_did::{Assurance, Backing, Did, Entry, FollowError, OperationError, PendingKind, follow};
use realdid_ledger::{LightError, ProvenState, Refusal, encode_did_operation};

use self::builder::Builder;
use crate::history::Event;
use crate::root::Keychain;
use crate::state::{HeldDid, HeldToken, Wallet, WalletError};

/// What a holder can do to a DID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Put it on the ledger.
    Publish,
    /// Replace the current keys by the ones committed to.
    Rotate,
    /// Replace all keys by the right of the recovery key, after the charter's delay.
    Recover,
    /// End it at once, by the recovery key.
    Deactivate,
    /// End it after the charter's delay, by the next keys.
    DeactivateSlowly,
    /// Attach the newest token.
    Renew,
    /// Cancel somebody's recovery, once.
    Veto,
}

impl Change {
    /// The word for it in texts and in the history.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Publish => "publish",
            Self::Rotate => "rotate",
            Self::Recover => "recover",
            Self::Deactivate => "deactivate",
            Self::DeactivateSlowly => "deactivate_slowly",
            Self::Renew => "renew",
            Self::Veto => "veto",
        }
    }
}

/// How a DID stands on the ledger, as this wallet last saw it proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OnLedger {
    /// Hash of its last operation.
    pub last_operation: Hash,
    /// What it means to a verifier.
    pub stage: Stage,
    /// Whether this wallet has the keys that the ledger names, now or once a recovery takes effect.
    pub ours: bool,
    /// Epoch of the token that the ledger holds.
    pub epoch: u64,
    /// Height at which it was seen.
    pub height: u64,
}

/// What a DID's state means, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum Stage {
    /// In use.
    Active,
    /// A recovery takes effect at `until` (Unix seconds); verifiers refuse the DID meanwhile.
    Recovering {
        /// When it takes effect.
        until: u64,
    },
    /// A deactivation takes effect at `until` (Unix seconds).
    Ending {
        /// When it takes effect.
        until: u64,
    },
    /// Ended for good.
    Deactivated,
}

/// An operation that was built, and perhaps sent, but not yet proved final.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PendingOperation {
    /// What it does.
    pub change: Change,
    /// Its hash.
    pub hash: Hash,
    /// The signed operation as the ledger takes it, base64url.
    operation: String,
}

impl PendingOperation {
    /// The signed operation's bytes, as they are sent.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        base64url_decode(&self.operation).unwrap_or_default()
    }
}

/// Why a change cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The wallet does not hold the DID.
    #[error(transparent)]
    Wallet(#[from] WalletError),
    /// The proof says nothing about this DID.
    #[error(transparent)]
    Light(#[from] LightError),
    /// The DID is on the ledger already.
    #[error("the DID is on the ledger already")]
    AlreadyPublished,
    /// The DID is not on the ledger.
    #[error("the DID is not on the ledger")]
    NotPublished,
    /// There is no token for it.
    #[error("the wallet has no token for this DID")]
    NoToken,
    /// The ledger names keys that this wallet cannot derive.
    #[error("the ledger names other keys for this DID than this wallet can derive")]
    KeysUnknown,
    /// The operation is not valid by itself: a defect of this software.
    #[error(transparent)]
    Operation(#[from] OperationError),
    /// The ledger's rules do not allow the change now.
    #[error(transparent)]
    Follow(#[from] FollowError),
}

impl ChangeError {
    /// The stable code, the same in every language and version; the ledger's own where it is the
    /// ledger's rule.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Wallet(error) => error.code(),
            Self::Light(error) => error.code(),
            Self::AlreadyPublished => "already_published",
            Self::NotPublished => "not_published",
            Self::NoToken => "no_token",
            Self::KeysUnknown => "keys_unknown",
            Self::Operation(_) => "operation_invalid",
            Self::Follow(error) => Refusal::Follow(*error).code(),
        }
    }
}

/// A DID's entry, or its absence, under proof. Made from proven state alone.
#[derive(Debug, Clone)]
pub struct Observation {
    pub(crate) entry: Option<Entry>,
    /// Time of the header, in Unix seconds.
    pub(crate) proven_at: u64,
    /// The time the state is read at: the wallet's clock, or the header's time if that is later.
    pub(crate) time: u64,
    pub(crate) height: u64,
}

impl Observation {
    /// What a proven state says about a DID, read at `now` (Unix seconds).
    ///
    /// # Errors
    /// [`LightError::NotProven`] if it says nothing.
    pub fn of(state: &ProvenState, did: &Did, now: u64) -> Result<Self, LightError> {
        let (proven_at, height) = (state.time(), state.height());
        Ok(Self {
            entry: state.did(&did.hash)?,
            proven_at,
            time: now.max(proven_at),
            height,
        })
    }

    /// Time of the header it was proved under, in Unix seconds.
    #[must_use]
    pub const fn proven_at(&self) -> u64 {
        self.proven_at
    }

    /// Whether the DID is on the ledger.
    #[must_use]
    pub const fn is_published(&self) -> bool {
        self.entry.is_some()
    }

    /// The entry as it stands, with what has taken effect by now.
    fn current(&self) -> Option<Entry> {
        self.entry.as_ref().map(|entry| entry.at(self.time))
    }
}

impl Wallet {
    /// Takes note of how a DID stands: finds the generations of keys that the ledger knows, and
    /// settles a pending operation that is proved final. Gives that operation.
    ///
    /// # Errors
    /// [`WalletError`] if the DID is not held.
    pub fn observe(
        &mut self,
        did: &Did,
        seen: &Observation,
        now: u64,
    ) -> Result<Option<PendingOperation>, WalletError> {
        self.saw_height(seen.height);
        let held = self.find(did)?.clone();
        let keys = self.keychain(held.index);
        let located = seen.current().map(|entry| Located::of(&keys, &held, &entry));
        let held = self.find_mut(did)?;
        if let (Some(located), Some(entry)) = (&located, seen.current()) {
            held.generation = located.generation;
            held.recovery_generation = located.recovery_generation;
            held.ledger = Some(OnLedger {
                last_operation: entry.last_operation,
                stage: stage(&entry),
                ours: located.ours,
                epoch: entry.assurance.epoch,
                height: seen.height,
            });
        }
        let last = seen.entry.as_ref().map(|entry| entry.last_operation);
        let settled = held
            .pending
            .take_if(|pending| passes("WAL-04", last == Some(pending.hash)));
        if let Some(pending) = &settled {
            let change = pending.change.name().to_owned();
            let event = Event::Changed {
                did: did.clone(),
                change,
                operation: pending.hash,
                height: seen.height,
            };
            self.record(now, event);
        }
        Ok(settled)
    }

    /// Builds a change and keeps it as pending, to be stored before it is sent. Asking again for a
    /// change that is pending gives the same bytes.
    ///
    /// The DID's rules are those of [`follow`], asked here first so that nothing is sent that the
    /// ledger would refuse. `now` in Unix seconds.
    ///
    /// # Errors
    /// [`ChangeError`]; nothing is kept then.
    pub fn plan(
        &mut self,
        did: &Did,
        change: Change,
        seen: &Observation,
        now: u64,
    ) -> Result<PendingOperation, ChangeError> {
        self.observe(did, seen, now)?;
        let held = self.find(did)?;
        let builder = Builder {
            keys: self.keychain(held.index),
            held,
            wallet: self,
            seen,
        };
        let signed = builder.build(change)?;
        let assurance = held.token.as_ref().map(assurance);
        let operation = base64url_encode(encode_did_operation(&signed));
        let verified = signed.verify(self.charter_hash())?;
        follow(
            seen.entry.as_ref(),
            &verified,
            seen.time,
            &self.charter().delays(),
            assurance,
        )?;
        let pending = PendingOperation {
            change,
            hash: verified.hash(),
            operation,
        };
        self.find_mut(did)?.pending = Some(pending.clone());
        Ok(pending)
    }

    /// Forgets a pending operation that the ledger refused for good.
    ///
    /// # Errors
    /// [`WalletError`] if the DID is not held.
    pub fn abandon(&mut self, did: &Did) -> Result<(), WalletError> {
        self.find_mut(did)?.pending = None;
        Ok(())
    }
}

const fn assurance(token: &HeldToken) -> Assurance {
    Assurance {
        backing: Backing::Token,
        by: token.authority,
        epoch: token.epoch,
        level: token.level,
    }
}

fn stage(entry: &Entry) -> Stage {
    match entry.pending {
        _ if entry.deactivated => Stage::Deactivated,
        None => Stage::Active,
        Some(pending) => match pending.kind {
            PendingKind::Recovery => Stage::Recovering {
                until: pending.effective_at,
            },
            PendingKind::Deactivation => Stage::Ending {
                until: pending.effective_at,
            },
        },
    }
}

/// Which of the wallet's generations an entry names.
struct Located {
    generation: u32,
    recovery_generation: u32,
    ours: bool,
}

impl Located {
    /// A recovery of our own that is under way counts as if it had taken effect: until then no
    /// verifier accepts the DID anyway, and afterwards its keys are the ones to sign with.
    fn of(keys: &Keychain<'_>, held: &HeldDid, entry: &Entry) -> Self {
        let find = |document: &Hash| keys.find_document(document, held.generation);
        let recovery = entry
            .pending
            .filter(|pending| pending.kind == PendingKind::Recovery);
        let after =
            recovery.and_then(|pending| find(&pending.document).map(|found| (found, pending.recovery)));
        let (generation, recovery) = match after {
            Some((generation, recovery)) => (Some(generation), recovery),
            None => (find(&entry.document), entry.recovery),
        };
        let recovery_generation = keys.find_recovery(&recovery, held.recovery_generation);
        let under_attack = entry
            .pending
            .is_some_and(|pending| pending.kind == PendingKind::Recovery)
            && after.is_none();
        Self {
            generation: generation.unwrap_or(held.generation),
            recovery_generation: recovery_generation.unwrap_or(held.recovery_generation),
            ours: generation.is_some() && !under_attack,
        }
    }
}
