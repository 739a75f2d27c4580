//! Each rule of [`follow`] broken alone.

use realdid_crypto::Hash;
use realdid_did::{
    Assurance, Authorization, Backing, Delays, Entry, FollowError, Level, PendingKind, SignedOperation,
    Status, follow,
};

use crate::holder::Holder;

pub const CHARTER: Hash = Hash([0xc4; 32]);
pub const DELAYS: Delays = Delays {
    recovery: 1_000,
    vetoed_recovery: 10_000,
};
pub const START: u64 = 1_000_000;
pub const SEAT: Authorization = Authorization::Charter { seat: 0 };
pub const AUTHORITY: Hash = Hash([0xa0; 32]);

pub const fn token(epoch: u64, level: Level) -> Assurance {
    Assurance {
        backing: Backing::Token,
        by: AUTHORITY,
        epoch,
        level,
    }
}

pub const TOKEN: Assurance = token(5, Level::Substantial);

pub fn holder() -> Holder {
    Holder::new("owner", CHARTER)
}

/// Applies an operation that needs no assurance.
pub fn then(entry: &Entry, operation: SignedOperation, now: u64) -> Result<Entry, FollowError> {
    follow(Some(entry), &holder().verified(operation), now, &DELAYS, None)
}

pub fn first(operation: SignedOperation, now: u64) -> Result<Entry, FollowError> {
    follow(None, &holder().verified(operation), now, &DELAYS, Some(TOKEN))
}

/// The holder's DID, just published.
pub fn published() -> Entry {
    first(holder().publish(SEAT), START).unwrap()
}

fn renewed(entry: &Entry, generation: u8, assurance: Option<Assurance>) -> Result<Entry, FollowError> {
    let renew = holder().renew(entry.last_operation, generation, AUTHORITY, Box::new([0; 320]));
    follow(
        Some(entry),
        &holder().verified(renew),
        START + 5,
        &DELAYS,
        assurance,
    )
}

/// Every kind of later operation, made to follow `previous` rightly.
fn later(previous: Hash) -> [SignedOperation; 6] {
    let holder = holder();
    [
        holder.update(previous, 1),
        holder.renew(previous, 0, AUTHORITY, Box::new([0; 320])),
        holder.recover(previous, 0, 2),
        holder.deactivate_by_next(previous, 1),
        holder.deactivate_by_recovery(previous, 0),
        holder.veto(previous, 1),
    ]
}

#[test]
fn publishing_gives_the_state_of_the_inception() {
    let (holder, entry) = (holder(), published());
    assert_eq!((entry.version, entry.created, entry.updated), (1, START, START));
    assert_eq!(entry.document, holder.document(0).hash());
    assert_eq!((entry.next, entry.recovery), (holder.next(1), holder.recovery(0)));
    assert_eq!(entry.last_operation, holder.publish(SEAT).operation.hash());
    assert_eq!(
        (entry.assurance, entry.deactivated, entry.vetoed, entry.pending),
        (TOKEN, false, false, None)
    );
    assert_eq!(entry.status(START), Status::Active);
}

#[test]
fn only_a_founding_puts_a_did_on_the_ledger() {
    for operation in later(Hash([1; 32])) {
        assert_eq!(first(operation, START), Err(FollowError::NotPublished));
    }
    let publish = holder().verified(holder().publish(SEAT));
    assert_eq!(
        follow(None, &publish, START, &DELAYS, None),
        Err(FollowError::NotPublished),
        "nobody answers for it"
    );
    assert!(follow(None, &publish, START, &DELAYS, Some(TOKEN)).is_ok());
}

// test: FOL-01
#[test]
fn the_operation_applied_last_is_not_applied_again() {
    let holder = holder();
    let publish = holder.publish(SEAT);
    let entry = first(publish.clone(), START).unwrap();
    assert_eq!(then(&entry, publish, START + 1), Err(FollowError::AlreadyApplied));
    let update = holder.update(entry.last_operation, 1);
    let entry = then(&entry, update.clone(), START + 1).unwrap();
    assert_eq!(then(&entry, update, START + 2), Err(FollowError::AlreadyApplied));
    let deactivate = holder.deactivate_by_recovery(entry.last_operation, 0);
    let entry = then(&entry, deactivate.clone(), START + 2).unwrap();
    assert_eq!(
        then(&entry, deactivate, START + 3),
        Err(FollowError::AlreadyApplied),
        "also once it has ended"
    );
}

// test: FOL-02
#[test]
fn an_operation_follows_the_last_one() {
    let (holder, entry) = (holder(), published());
    for operation in later(Hash([1; 32])) {
        assert_eq!(
            then(&entry, operation, START + 1),
            Err(FollowError::StalePrevious)
        );
    }
    let updated = then(&entry, holder.update(entry.last_operation, 1), START + 1).unwrap();
    for operation in later(entry.last_operation).into_iter().skip(1) {
        assert_eq!(
            then(&updated, operation, START + 2),
            Err(FollowError::StalePrevious)
        );
    }
    assert_eq!(
        then(&updated, holder.publish(SEAT), START + 2),
        Err(FollowError::StalePrevious),
        "published before"
    );
    let another = holder.publish(Authorization::Charter { seat: 1 });
    assert_eq!(
        then(&updated, another, START + 2),
        Err(FollowError::StalePrevious)
    );
    assert!(then(&updated, holder.update(updated.last_operation, 2), START + 2).is_ok());
}

// test: FOL-03
#[test]
fn nothing_follows_the_end() {
    let (holder, entry) = (holder(), published());
    let at_once = then(
        &entry,
        holder.deactivate_by_recovery(entry.last_operation, 0),
        START + 1,
    )
    .unwrap();
    let delayed = then(
        &entry,
        holder.deactivate_by_next(entry.last_operation, 1),
        START + 1,
    )
    .unwrap();
    let end = START + 1 + DELAYS.recovery;
    for operation in later(at_once.last_operation) {
        assert_eq!(
            then(&at_once, operation, START + 2),
            Err(FollowError::Deactivated)
        );
    }
    for operation in later(delayed.last_operation) {
        assert_eq!(
            then(&delayed, operation, end),
            Err(FollowError::Deactivated),
            "by time alone"
        );
    }
    assert!(
        then(&delayed, holder.recover(delayed.last_operation, 0, 2), end - 1).is_ok(),
        "a second before"
    );
}

// test: FOL-04
#[test]
fn an_update_reveals_the_committed_keys() {
    let (holder, entry) = (holder(), published());
    let previous = entry.last_operation;
    assert_eq!(
        then(&entry, holder.update(previous, 2), START + 1),
        Err(FollowError::Commitment)
    );
    assert_eq!(
        then(&entry, holder.update(previous, 0), START + 1),
        Err(FollowError::Commitment),
        "the current keys"
    );
    let mut rotation = holder.rotation(1);
    rotation.salt[0] ^= 1;
    let salted = holder
        .operation(previous, realdid_did::Action::Update(rotation))
        .sign(0, &holder.key(1));
    assert_eq!(then(&entry, salted, START + 1), Err(FollowError::Commitment));
    let updated = then(&entry, holder.update(previous, 1), START + 1).unwrap();
    assert_eq!(
        (updated.document, updated.next),
        (holder.document(1).hash(), holder.next(2))
    );
    assert_eq!(
        (updated.recovery, updated.created, updated.updated),
        (entry.recovery, START, START + 1)
    );
    assert_eq!((updated.version, updated.assurance), (2, entry.assurance));
}

// test: FOL-05
#[test]
fn a_renewal_names_the_current_document() {
    let entry = published();
    let newer = Some(token(6, Level::Substantial));
    assert_eq!(renewed(&entry, 1, newer), Err(FollowError::Document));
    let renewed = renewed(&entry, 0, newer).unwrap();
    assert_eq!(renewed.assurance, token(6, Level::Substantial));
    assert_eq!(
        (renewed.document, renewed.next, renewed.version),
        (entry.document, entry.next, 2)
    );
}

// test: FOL-06
#[test]
fn a_recovery_reveals_the_committed_key_and_waits() {
    let (holder, entry) = (holder(), published());
    let previous = entry.last_operation;
    assert_eq!(
        then(&entry, holder.recover(previous, 1, 2), START + 1),
        Err(FollowError::Commitment)
    );
    let recovering = then(&entry, holder.recover(previous, 0, 2), START + 1).unwrap();
    let effect = START + 1 + DELAYS.recovery;
    assert_eq!(recovering.status(effect - 1), Status::Recovering);
    assert_eq!(recovering.document, entry.document, "nothing has changed yet");
    let recovered = recovering.at(effect);
    assert_eq!(recovered.status(effect), Status::Active);
    assert_eq!(
        (recovered.document, recovered.next),
        (holder.document(2).hash(), holder.next(3))
    );
    assert_eq!(recovered.recovery, holder.recovery(1));
    let spent = then(
        &recovering,
        holder.recover(recovering.last_operation, 0, 4),
        effect,
    );
    assert_eq!(
        spent,
        Err(FollowError::Commitment),
        "the recovery key has changed as well"
    );
    assert!(
        then(
            &recovering,
            holder.recover(recovering.last_operation, 1, 4),
            effect
        )
        .is_ok()
    );
}

// test: FOL-07
#[test]
fn the_recovery_key_ends_a_did_at_once() {
    let (holder, entry) = (holder(), published());
    let previous = entry.last_operation;
    let wrong = holder.deactivate_by_recovery(previous, 1);
    assert_eq!(then(&entry, wrong, START + 1), Err(FollowError::Commitment));
    let ended = then(&entry, holder.deactivate_by_recovery(previous, 0), START + 1).unwrap();
    assert_eq!(ended.status(START + 1), Status::Deactivated);
    // Also while a recovery or a deactivation waits; the recovery key is still the committed one.
    for waiting in [
        holder.recover(previous, 0, 2),
        holder.deactivate_by_next(previous, 1),
    ] {
        let waiting = then(&entry, waiting, START + 1).unwrap();
        let ended = then(
            &waiting,
            holder.deactivate_by_recovery(waiting.last_operation, 0),
            START + 2,
        )
        .unwrap();
        assert_eq!(
            (ended.status(START + 2), ended.pending),
            (Status::Deactivated, None)
        );
    }
}

// test: FOL-08
#[test]
fn the_next_keys_end_a_did_after_the_delay() {
    let (holder, entry) = (holder(), published());
    let wrong = holder.deactivate_by_next(entry.last_operation, 2);
    assert_eq!(then(&entry, wrong, START + 1), Err(FollowError::Commitment));
    let waiting = then(
        &entry,
        holder.deactivate_by_next(entry.last_operation, 1),
        START + 1,
    )
    .unwrap();
    assert_eq!(waiting.status(START + DELAYS.recovery), Status::Active);
    assert_eq!(waiting.status(START + 1 + DELAYS.recovery), Status::Deactivated);
    let cancelled = then(&waiting, holder.recover(waiting.last_operation, 0, 2), START + 2).unwrap();
    assert_eq!(
        cancelled.pending.unwrap().kind,
        PendingKind::Recovery,
        "recovery cancels it"
    );
    assert_eq!(cancelled.status(START + 2 + DELAYS.recovery), Status::Active);
}

// test: FOL-09
#[test]
fn a_recovery_is_vetoed_once() {
    let (holder, entry) = (holder(), published());
    let recovering = then(&entry, holder.recover(entry.last_operation, 0, 2), START + 1).unwrap();
    let vetoed = then(&recovering, holder.veto(recovering.last_operation, 1), START + 2).unwrap();
    assert!(vetoed.vetoed && vetoed.pending.is_none());
    assert_eq!(
        (vetoed.document, vetoed.next),
        (holder.document(1).hash(), holder.next(2))
    );
    let again = then(&vetoed, holder.recover(vetoed.last_operation, 0, 5), START + 3).unwrap();
    let second = holder.veto(again.last_operation, 2);
    assert_eq!(then(&again, second, START + 4), Err(FollowError::VetoUsed));
}

// test: FOL-10
#[test]
fn a_recovery_after_a_vetoed_one_waits_longer() {
    let (holder, entry) = (holder(), published());
    let recovering = then(&entry, holder.recover(entry.last_operation, 0, 2), START + 1).unwrap();
    assert_eq!(
        recovering.pending.unwrap().effective_at,
        START + 1 + DELAYS.recovery
    );
    let vetoed = then(&recovering, holder.veto(recovering.last_operation, 1), START + 2).unwrap();
    let again = then(&vetoed, holder.recover(vetoed.last_operation, 0, 5), START + 3).unwrap();
    let effect = START + 3 + DELAYS.vetoed_recovery;
    assert_eq!(again.pending.unwrap().effective_at, effect);
    assert_eq!(again.status(effect - 1), Status::Recovering);
    let recovered = again.at(effect);
    assert_eq!(
        (recovered.document, recovered.vetoed),
        (holder.document(5).hash(), false)
    );
    // Once a recovery has succeeded, the next one has the short delay and may be vetoed again.
    let later = then(&again, holder.recover(again.last_operation, 1, 7), effect).unwrap();
    assert_eq!(later.pending.unwrap().effective_at, effect + DELAYS.recovery);
    assert!(then(&later, holder.veto(later.last_operation, 6), effect + 1).is_ok());
}

// test: FOL-04
#[test]
fn a_veto_reveals_the_committed_keys() {
    let (holder, entry) = (holder(), published());
    let recovering = then(&entry, holder.recover(entry.last_operation, 0, 2), START + 1).unwrap();
    let previous = recovering.last_operation;
    assert_eq!(
        then(&recovering, holder.veto(previous, 0), START + 2),
        Err(FollowError::Commitment)
    );
    assert_eq!(
        then(&recovering, holder.veto(previous, 3), START + 2),
        Err(FollowError::Commitment)
    );
    assert!(then(&recovering, holder.veto(previous, 1), START + 2).is_ok());
}

#[test]
fn there_must_be_something_to_veto() {
    let (holder, entry) = (holder(), published());
    let veto = |entry: &Entry, now| then(entry, holder.veto(entry.last_operation, 1), now);
    assert_eq!(veto(&entry, START + 1), Err(FollowError::NothingToVeto));
    let ending = then(
        &entry,
        holder.deactivate_by_next(entry.last_operation, 1),
        START + 1,
    )
    .unwrap();
    assert_eq!(veto(&ending, START + 2), Err(FollowError::NothingToVeto));
    let recovering = then(&entry, holder.recover(entry.last_operation, 0, 2), START + 1).unwrap();
    let effect = START + 1 + DELAYS.recovery;
    assert_eq!(
        veto(&recovering, effect),
        Err(FollowError::NothingToVeto),
        "too late"
    );
    assert!(veto(&recovering, effect - 1).is_ok());
}

// test: FOL-11
#[test]
fn what_is_pending_stops_the_rest() {
    let (holder, entry) = (holder(), published());
    let recovering = then(&entry, holder.recover(entry.last_operation, 0, 2), START + 1).unwrap();
    let previous = recovering.last_operation;
    for stopped in [
        holder.update(previous, 1),
        holder.renew(previous, 0, AUTHORITY, Box::new([0; 320])),
        holder.recover(previous, 0, 3),
        holder.deactivate_by_next(previous, 1),
    ] {
        assert_eq!(then(&recovering, stopped, START + 2), Err(FollowError::Pending));
    }
    let ending = then(
        &entry,
        holder.deactivate_by_next(entry.last_operation, 1),
        START + 1,
    )
    .unwrap();
    let previous = ending.last_operation;
    for stopped in [
        holder.update(previous, 1),
        holder.renew(previous, 0, AUTHORITY, Box::new([0; 320])),
        holder.deactivate_by_next(previous, 1),
    ] {
        assert_eq!(then(&ending, stopped, START + 2), Err(FollowError::Pending));
    }
    let effect = START + 1 + DELAYS.recovery;
    assert!(then(&recovering, holder.update(recovering.last_operation, 3), effect).is_ok());
}

// test: FOL-12
#[test]
fn a_renewal_says_more_than_before() {
    let entry = published();
    let seat = Assurance {
        backing: Backing::Charter,
        by: Hash::ZERO,
        epoch: 0,
        level: Level::Low,
    };
    for older in [TOKEN, token(4, Level::High), token(5, Level::Low), seat] {
        assert_eq!(
            renewed(&entry, 0, Some(older)),
            Err(FollowError::NotNewer),
            "{older:?}"
        );
    }
    assert_eq!(renewed(&entry, 0, None), Err(FollowError::NotNewer));
    for newer in [
        token(6, Level::Substantial),
        token(6, Level::Low),
        token(5, Level::High),
    ] {
        assert_eq!(renewed(&entry, 0, Some(newer)).unwrap().assurance, newer);
    }
    // What a charter seat or a sponsor backed may be backed by a token later, whatever its epoch.
    let seated = Entry {
        assurance: seat,
        ..entry
    };
    assert_eq!(
        renewed(&seated, 0, Some(token(0, Level::Low))).unwrap().assurance,
        token(0, Level::Low)
    );
}

// test: FOL-02, FOL-06
#[test]
fn recovery_and_deactivation_may_come_first() {
    let holder = holder();
    let recovering = first(holder.recover_with(Hash::ZERO, Some(SEAT), 0, 2), START).unwrap();
    assert_eq!(
        (recovering.version, recovering.status(START)),
        (1, Status::Recovering)
    );
    let recovered = recovering.at(START + DELAYS.recovery);
    assert_eq!(recovered.document, holder.document(2).hash());
    let vetoed = then(&recovering, holder.veto(recovering.last_operation, 1), START + 1).unwrap();
    assert_eq!((vetoed.version, vetoed.document), (2, holder.document(1).hash()));
    let ended = first(holder.deactivate_with(Hash::ZERO, Some(SEAT), 0), START).unwrap();
    assert_eq!((ended.version, ended.status(START)), (1, Status::Deactivated));
    assert_eq!(
        then(&ended, holder.publish(SEAT), START + 1),
        Err(FollowError::StalePrevious)
    );
    let wrong = holder.recover_with(Hash::ZERO, Some(SEAT), 1, 2);
    assert_eq!(first(wrong, START), Err(FollowError::Commitment));
}
