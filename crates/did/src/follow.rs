//! Which operation may follow which: one pure function of (entry, operation, time).

use realdid_checks::passes;
use realdid_crypto::Hash;

use crate::entry::{Assurance, Backing, Entry, Pending, PendingKind};
use crate::inception::{Commitment, DocumentData, Inception};
use crate::operation::{Action, Reveal, Rotation, VerifiedOperation};

/// The charter's delays, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delays {
    /// From a recovery, or a deactivation by the next keys, to its effect (production: 72 h).
    pub recovery: u64,
    /// From a recovery after a vetoed one to its effect (production: 30 days).
    pub vetoed_recovery: u64,
}

/// Why an operation may not follow the state it meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FollowError {
    /// The DID is not on the ledger, and this operation does not put it there.
    #[error("the DID is not on the ledger")]
    NotPublished,
    /// The very operation that was applied last: nothing to do.
    #[error("the operation has been applied already")]
    AlreadyApplied,
    /// The operation names another previous operation than the last one.
    #[error("the operation does not follow the DID's last operation")]
    StalePrevious,
    /// The DID has ended.
    #[error("the DID is deactivated")]
    Deactivated,
    /// A pending recovery or deactivation stops this operation.
    #[error("a pending recovery or deactivation stops this operation")]
    Pending,
    /// There is no pending recovery to veto.
    #[error("there is no pending recovery to veto")]
    NothingToVeto,
    /// A recovery was vetoed before; the one after it cannot be.
    #[error("this recovery can no longer be vetoed")]
    VetoUsed,
    /// The revealed keys are not the ones committed to.
    #[error("the revealed key is not the one committed to")]
    Commitment,
    /// The document data named is not the current one.
    #[error("the document data is not the current one")]
    Document,
    /// The token is not of a later epoch or level than the one on the ledger.
    #[error("the token is no newer than the one on the ledger")]
    NotNewer,
}

/// Applies an operation to a DID's state.
///
/// `entry` is the state at the block before, `now` the block's time in Unix seconds, `assurance`
/// what the operation's token, seat or sponsorship was found to say (required for a founding and a
/// renewal, and checked by the caller).
///
/// # Errors
/// [`FollowError`]; the state is then unchanged.
pub fn follow(
    entry: Option<&Entry>,
    operation: &VerifiedOperation,
    now: u64,
    delays: &Delays,
    assurance: Option<Assurance>,
) -> Result<Entry, FollowError> {
    let Some(entry) = entry else {
        let founding = operation
            .operation()
            .founding()
            .ok_or(FollowError::NotPublished)?;
        let assurance = assurance.ok_or(FollowError::NotPublished)?;
        let first = inception_entry(&founding.inception, now, assurance);
        return apply(first, operation, now, delays, None);
    };
    if !passes("FOL-01", entry.last_operation != operation.hash()) {
        return Err(FollowError::AlreadyApplied);
    }
    if !passes("FOL-02", entry.last_operation == operation.operation().previous) {
        return Err(FollowError::StalePrevious);
    }
    apply(entry.at(now), operation, now, delays, assurance)
}

fn apply(
    mut entry: Entry,
    verified: &VerifiedOperation,
    now: u64,
    delays: &Delays,
    assurance: Option<Assurance>,
) -> Result<Entry, FollowError> {
    let operation = verified.operation();
    let charter = &operation.charter;
    if !passes("FOL-03", !entry.deactivated) {
        return Err(FollowError::Deactivated);
    }
    let pending = entry.pending.map(|pending| pending.kind);
    if !passes("FOL-11", lets_through(pending, &operation.action)) {
        return Err(FollowError::Pending);
    }
    match &operation.action {
        // protocol.md §3: the inception as it stands; `entry` is it already.
        Action::Publish(_) => {}

        // §4: update needs the committed next keys and never changes the recovery commitment.
        Action::Update(rotation) => rotate(&mut entry, rotation, charter)?,

        // §2: a fresh token over the same DID under a later epoch's key.
        Action::Renew { document, .. } => renew(&mut entry, document, assurance)?,

        // §4: recovery waits for the charter's delay; it cancels a pending deactivation.
        Action::Recover { reveal, .. } => {
            committed(passes("FOL-06", reveal.commitment(charter) == entry.recovery))?;
            entry.pending = pending_recovery(verified, now, &entry, delays);
        }

        // §4: deactivation by the recovery key is immediate, whatever is pending.
        Action::Deactivate {
            reveal: Reveal::Recovery(reveal),
            ..
        } => {
            committed(passes("FOL-07", reveal.commitment(charter) == entry.recovery))?;
            entry.pending = None;
            entry.deactivated = true;
        }

        // §4: deactivation by the next keys takes the delay.
        Action::Deactivate {
            reveal: Reveal::Next(reveal),
            ..
        } => {
            committed(passes("FOL-08", reveal.commitment(charter) == entry.next))?;
            let effective_at = now.saturating_add(delays.recovery);
            entry.pending = Some(pending_deactivation(verified.hash(), effective_at));
        }

        // §4: the next keys may veto one recovery, and rotate by it.
        Action::Veto(rotation) if pending == Some(PendingKind::Recovery) => {
            veto(&mut entry, rotation, charter)?;
        }
        Action::Veto(_) => return Err(FollowError::NothingToVeto),
    }
    entry.version = entry.version.saturating_add(1);
    entry.last_operation = verified.hash();
    entry.updated = now;
    Ok(entry)
}

/// Whether what is pending does not stop this action (protocol.md §4). A veto is not stopped: whether
/// there is anything to veto is a question of its own.
const fn lets_through(pending: Option<PendingKind>, action: &Action) -> bool {
    match (pending, action) {
        (None, _)
        | (
            Some(_),
            Action::Veto(_)
            | Action::Deactivate {
                reveal: Reveal::Recovery(_),
                ..
            },
        )
        | (Some(PendingKind::Deactivation), Action::Recover { .. }) => true,
        (Some(_), _) => false,
    }
}

fn rotate(entry: &mut Entry, rotation: &Rotation, charter: &Hash) -> Result<(), FollowError> {
    committed(passes("FOL-04", rotation.commitment(charter) == entry.next))?;
    entry.document = rotation.document.hash();
    entry.next = rotation.next;
    Ok(())
}

fn veto(entry: &mut Entry, rotation: &Rotation, charter: &Hash) -> Result<(), FollowError> {
    if !passes("FOL-09", !entry.vetoed) {
        return Err(FollowError::VetoUsed);
    }
    rotate(entry, rotation, charter)?;
    entry.pending = None;
    entry.vetoed = true;
    Ok(())
}

fn renew(
    entry: &mut Entry,
    document: &DocumentData,
    assurance: Option<Assurance>,
) -> Result<(), FollowError> {
    if !passes("FOL-05", document.hash() == entry.document) {
        return Err(FollowError::Document);
    }
    entry.assurance = newer(entry.assurance, assurance)?;
    Ok(())
}

fn pending_recovery(
    verified: &VerifiedOperation,
    now: u64,
    entry: &Entry,
    delays: &Delays,
) -> Option<Pending> {
    let Action::Recover {
        document,
        next,
        recovery,
        ..
    } = &verified.operation().action
    else {
        return None;
    };
    let delay = if passes("FOL-10", !entry.vetoed) {
        delays.recovery
    } else {
        delays.vetoed_recovery
    };
    Some(Pending {
        kind: PendingKind::Recovery,
        operation: verified.hash(),
        effective_at: now.saturating_add(delay),
        document: document.hash(),
        next: *next,
        recovery: *recovery,
    })
}

/// The state a DID has before its first operation.
fn inception_entry(inception: &Inception, now: u64, assurance: Assurance) -> Entry {
    Entry {
        version: 0,
        document: inception.document.hash(),
        last_operation: Hash::ZERO,
        next: inception.next,
        recovery: inception.recovery,
        created: now,
        updated: now,
        assurance,
        deactivated: false,
        vetoed: false,
        pending: None,
    }
}

const fn pending_deactivation(operation: Hash, effective_at: u64) -> Pending {
    Pending {
        kind: PendingKind::Deactivation,
        operation,
        effective_at,
        document: Hash::ZERO,
        next: Commitment(Hash::ZERO),
        recovery: Commitment(Hash::ZERO),
    }
}

/// What is revealed has to be what was committed to.
fn committed(holds: bool) -> Result<(), FollowError> {
    holds.then_some(()).ok_or(FollowError::Commitment)
}

/// A renewal's token must say more than the one before it: a later epoch, or a higher level.
fn newer(old: Assurance, new: Option<Assurance>) -> Result<Assurance, FollowError> {
    let new = new
        .filter(|new| new.backing == Backing::Token)
        .ok_or(FollowError::NotNewer)?;
    let says_more = (new.epoch, new.level) > (old.epoch, old.level);
    if passes("FOL-12", says_more || old.backing != Backing::Token) {
        Ok(new)
    } else {
        Err(FollowError::NotNewer)
    }
}
