//! A thief who has the next keys against the owner who has the recovery key, in every order of events.

use realdid_crypto::SecretKey;
use realdid_did::{
    Action, Commitment, Entry, FollowError, PendingKind, Reveal, Rotation, SignedOperation, Status,
};

use crate::follow::{CHARTER, DELAYS, START, holder, published, then};
use crate::holder::Holder;

const SOON: u64 = 10;

/// What may happen next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    ThiefUpdates,
    ThiefVetoes,
    ThiefDeactivates,
    OwnerRecovers,
    Waits(u64),
}

const EVENTS: [Event; 6] = [
    Event::ThiefUpdates,
    Event::ThiefVetoes,
    Event::ThiefDeactivates,
    Event::OwnerRecovers,
    Event::Waits(DELAYS.recovery),
    Event::Waits(DELAYS.vetoed_recovery),
];

fn thief() -> Holder {
    Holder::new("thief", CHARTER)
}

/// The keys behind a commitment that the thief holds: those stolen (the owner's of generation 1),
/// or any the thief has committed to.
fn stolen(next: Commitment) -> Option<(Holder, u8)> {
    let own = (0..16).map(|generation| (thief(), generation));
    [(holder(), 1)]
        .into_iter()
        .chain(own)
        .find(|(who, generation)| who.next(*generation) == next)
}

/// How often the owner has recovered: the generation of the recovery key that is committed to.
fn recoveries(entry: &Entry) -> Option<u8> {
    (0..16).find(|generation| holder().recovery(*generation) == entry.recovery)
}

/// The operation the thief would make of the keys behind the entry's next commitment.
fn thiefs(entry: &Entry, now: u64, make: impl Fn(Rotation) -> Action) -> Option<SignedOperation> {
    let (who, generation) = stolen(entry.at(now).next)?;
    let next = thief().next(u8::try_from(entry.version).unwrap());
    let rotation = Rotation {
        document: who.document(generation),
        salt: who.salt(generation),
        next,
    };
    let key: SecretKey = who.key(generation);
    Some(
        holder()
            .operation(entry.last_operation, make(rotation))
            .sign(0, &key),
    )
}

fn ending(rotation: Rotation) -> Action {
    let reveal = realdid_did::KeysReveal {
        keys: rotation.document.keys().to_vec(),
        salt: rotation.salt,
    };
    Action::Deactivate {
        founding: None,
        reveal: Reveal::Next(reveal),
    }
}

fn owner_recovers(entry: &Entry, now: u64) -> SignedOperation {
    let generation = recoveries(&entry.at(now)).expect("the recovery key stays the owner's");
    holder().recover(entry.last_operation, generation, 100 + 2 * generation)
}

/// The entry after an event, or why nothing happened.
fn after(entry: &Entry, event: Event, now: u64) -> Option<Result<Entry, FollowError>> {
    let operation = match event {
        Event::Waits(_) => return Some(Ok(entry.clone())),
        Event::ThiefUpdates => thiefs(entry, now, Action::Update)?,
        Event::ThiefVetoes => thiefs(entry, now, Action::Veto)?,
        Event::ThiefDeactivates => thiefs(entry, now, ending)?,
        Event::OwnerRecovers => owner_recovers(entry, now),
    };
    Some(then(entry, operation, now))
}

/// What must hold wherever a story has led.
fn check(entry: &Entry, now: u64, story: &[Event]) {
    let current = entry.at(now);
    let generation =
        recoveries(&current).unwrap_or_else(|| panic!("the thief set a recovery key: {story:?}"));
    if current.deactivated {
        let at = story.iter().rposition(|event| *event == Event::ThiefDeactivates);
        let after: &[Event] = at.map_or(&[], |at| &story[at + 1..]);
        assert!(
            !after.contains(&Event::OwnerRecovers) && !after.is_empty(),
            "ended without the owner: {story:?}"
        );
        return;
    }
    let end = holder().deactivate_by_recovery(entry.last_operation, generation);
    let ended = then(entry, end, now).unwrap_or_else(|error| panic!("{error}: {story:?}"));
    assert_eq!(
        ended.status(now),
        Status::Deactivated,
        "the owner ends it at once: {story:?}"
    );
    owner_gets_it_back(entry, now, story);
}

/// From any state the owner alone decides within the two delays, whatever the thief tries.
fn owner_gets_it_back(entry: &Entry, mut now: u64, story: &[Event]) {
    let mut entry = entry.clone();
    let recovering = |entry: &Entry| entry.pending.is_some_and(|it| it.kind == PendingKind::Recovery);
    for _ in 0..2 {
        if !recovering(&entry.at(now)) {
            entry = then(&entry, owner_recovers(&entry, now), now)
                .unwrap_or_else(|error| panic!("{error}: {story:?}"));
        }
        now += SOON;
        for event in [Event::ThiefUpdates, Event::ThiefDeactivates, Event::ThiefVetoes] {
            if let Some(Ok(changed)) = after(&entry, event, now) {
                assert_eq!(
                    event,
                    Event::ThiefVetoes,
                    "only a veto touches a recovery: {story:?}"
                );
                entry = changed;
            }
        }
    }
    let effect = entry.pending.expect("the second recovery stands").effective_at;
    assert!(effect <= now + DELAYS.vetoed_recovery);
    let back = entry.at(effect);
    assert!(
        (100..132).any(|generation| holder().document(generation).hash() == back.document),
        "{story:?}"
    );
    assert_eq!(stolen(back.next), None, "the thief is out: {story:?}");
    assert!(!back.deactivated && !back.vetoed, "{story:?}");
}

fn explore(entry: &Entry, now: u64, story: &mut Vec<Event>, depth: u32) -> usize {
    check(entry, now, story);
    if depth == 0 || entry.at(now).deactivated {
        return 1;
    }
    let mut seen = 1;
    for event in EVENTS {
        let Some(Ok(changed)) = after(entry, event, now) else {
            continue;
        };
        let waited = if let Event::Waits(seconds) = event {
            seconds
        } else {
            SOON
        };
        story.push(event);
        seen += explore(&changed, now + waited, story, depth - 1);
        story.pop();
    }
    seen
}

// test: FOL-09, FOL-11
#[test]
fn in_every_order_of_events_the_owner_prevails() {
    let seen = explore(&published(), START, &mut Vec::new(), 5);
    assert!(seen > 500, "{seen} states");
}

// test: FOL-04, FOL-09, FOL-10, FOL-11
#[test]
fn the_thief_has_the_next_keys_and_the_owner_recovers_twice() {
    let (owner, entry) = (holder(), published());
    let mut now = START + SOON;
    let entry = after(&entry, Event::ThiefUpdates, now).unwrap().unwrap();
    assert!(stolen(entry.next).is_some_and(|(who, _)| who == thief()));
    // The owner's own next keys are worth nothing now; the recovery key is.
    let late = owner.update(entry.last_operation, 1);
    assert_eq!(then(&entry, late, now), Err(FollowError::Commitment));
    let entry = after(&entry, Event::OwnerRecovers, now).unwrap().unwrap();
    assert_eq!(
        entry.status(now),
        Status::Recovering,
        "verifiers refuse the thief from here"
    );
    now += SOON;
    let entry = after(&entry, Event::ThiefVetoes, now).unwrap().unwrap();
    assert_eq!(entry.status(now), Status::Active);
    let entry = after(&entry, Event::OwnerRecovers, now).unwrap().unwrap();
    assert_eq!(
        after(&entry, Event::ThiefVetoes, now + SOON).unwrap(),
        Err(FollowError::VetoUsed)
    );
    assert_eq!(
        after(&entry, Event::ThiefUpdates, now + SOON).unwrap(),
        Err(FollowError::Pending)
    );
    assert_eq!(
        after(&entry, Event::ThiefDeactivates, now + SOON).unwrap(),
        Err(FollowError::Pending)
    );
    let effect = now + DELAYS.vetoed_recovery;
    assert_eq!(entry.status(effect - 1), Status::Recovering);
    assert_eq!(entry.at(effect).document, owner.document(100).hash());
    assert!(
        after(&entry, Event::ThiefUpdates, effect).is_none(),
        "the thief holds no key of it any more"
    );
}

// test: FOL-03
#[test]
fn the_thief_deactivates_and_the_owner_cancels_in_time() {
    let entry = after(&published(), Event::ThiefDeactivates, START + SOON)
        .unwrap()
        .unwrap();
    let last_moment = START + SOON + DELAYS.recovery - 1;
    let saved = after(&entry, Event::OwnerRecovers, last_moment).unwrap().unwrap();
    assert_eq!(
        saved.at(last_moment + DELAYS.recovery).document,
        holder().document(100).hash()
    );
    let too_late = after(&entry, Event::OwnerRecovers, last_moment + 1).unwrap();
    assert_eq!(too_late, Err(FollowError::Deactivated));
}

/// The mirror image: a thief who has the recovery key. The owner's next keys veto once; that the
/// recovery key can end the DID at once is the price of its power, so it is kept offline.
#[test]
fn the_thief_has_the_recovery_key_and_the_owner_vetoes() {
    let (owner, entry) = (holder(), published());
    let stolen = Action::Recover {
        founding: None,
        reveal: owner.recovery_reveal(0),
        document: thief().document(0),
        next: thief().next(1),
        recovery: thief().recovery(0),
    };
    let recover = owner
        .operation(entry.last_operation, stolen)
        .sign(0, &owner.recovery_key(0));
    let entry = then(&entry, recover, START + SOON).unwrap();
    let vetoed = then(&entry, owner.veto(entry.last_operation, 1), START + 2 * SOON).unwrap();
    assert_eq!(
        (vetoed.document, vetoed.recovery),
        (owner.document(1).hash(), owner.recovery(0))
    );
    assert_ne!(vetoed.at(u64::MAX).document, thief().document(0).hash());
}
