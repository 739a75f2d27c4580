//! Changes of a DID, in every order that matters, and with a crash at every step.

use realdid_crypto::Hash;
use realdid_did::{Commitment, FollowError, Status};

use super::{DELAY, Ledger, NOW, first_did, restarted, wallet};
use crate::history::Event;
use crate::operations::{Change, ChangeError, Stage};
use crate::{Wallet, WalletError};

/// Makes a change and sees it final.
fn make(wallet: &mut Wallet, ledger: &mut Ledger, change: Change) {
    let did = first_did(wallet);
    let pending = wallet.plan(&did, change, &ledger.seen(), ledger.time).unwrap();
    ledger.take(&pending);
    let settled = wallet.observe(&did, &ledger.seen(), ledger.time).unwrap();
    assert_eq!(settled, Some(pending), "{change:?}");
    ledger.time += 1;
}

fn stage(wallet: &Wallet) -> Option<Stage> {
    wallet.dids()[0].ledger.map(|ledger| ledger.stage)
}

#[test]
fn a_did_lives_through_everything() {
    let (mut wallet, mut ledger) = (wallet(1), Ledger::new());
    make(&mut wallet, &mut ledger, Change::Publish);
    assert_eq!(
        (stage(&wallet), wallet.dids()[0].generation),
        (Some(Stage::Active), 0)
    );
    make(&mut wallet, &mut ledger, Change::Rotate);
    make(&mut wallet, &mut ledger, Change::Rotate);
    assert_eq!(wallet.dids()[0].generation, 2);

    make(&mut wallet, &mut ledger, Change::Recover);
    assert!(matches!(stage(&wallet), Some(Stage::Recovering { .. })));
    assert_eq!(
        (wallet.dids()[0].generation, wallet.dids()[0].recovery_generation),
        (4, 1)
    );
    assert_eq!(
        ledger.entry.as_ref().unwrap().status(ledger.time),
        Status::Recovering
    );

    ledger.time += DELAY;
    make(&mut wallet, &mut ledger, Change::Rotate);
    assert_eq!(
        (stage(&wallet), wallet.dids()[0].generation),
        (Some(Stage::Active), 5)
    );
    make(&mut wallet, &mut ledger, Change::Deactivate);
    assert_eq!(stage(&wallet), Some(Stage::Deactivated));
    let changes = wallet
        .history()
        .iter()
        .filter(|entry| matches!(entry.event, Event::Changed { .. }));
    assert_eq!(changes.count(), 6);
}

#[test]
fn recovery_and_both_deactivations_may_come_first() {
    for change in [Change::Recover, Change::Deactivate, Change::DeactivateSlowly] {
        let (mut wallet, mut ledger) = (wallet(1), Ledger::new());
        make(&mut wallet, &mut ledger, change);
        assert!(ledger.entry.is_some(), "{change:?}");
    }
}

#[test]
fn a_thief_with_the_next_keys_is_beaten_by_recovery() {
    let (mut owner, mut ledger) = (wallet(1), Ledger::new());
    make(&mut owner, &mut ledger, Change::Publish);
    let mut thief = owner.clone();
    make(&mut thief, &mut ledger, Change::DeactivateSlowly);
    make(&mut owner, &mut ledger, Change::Recover);
    ledger.time += DELAY;
    make(&mut owner, &mut ledger, Change::Rotate);
    assert_eq!(stage(&owner), Some(Stage::Active));
}

#[test]
fn a_recovery_by_somebody_else_is_seen_and_cancelled() {
    let (mut owner, mut ledger) = (wallet(1), Ledger::new());
    make(&mut owner, &mut ledger, Change::Publish);
    let did = first_did(&owner);
    let mut stolen = owner.clone();
    make(&mut stolen, &mut ledger, Change::Recover);
    // To the owner the new keys look like anybody's.
    let pending = ledger.entry.as_mut().unwrap().pending.as_mut().unwrap();
    pending.document = Hash([7; 32]);
    owner.observe(&did, &ledger.seen(), ledger.time).unwrap();
    assert!(!owner.dids()[0].ledger.unwrap().ours);
    make(&mut owner, &mut ledger, Change::Veto);
    assert!(owner.dids()[0].ledger.unwrap().ours);
    assert_eq!(stage(&owner), Some(Stage::Active));
}

// test: WAL-04
#[test]
fn only_a_proof_settles_a_change() {
    let (mut wallet, mut ledger) = (wallet(1), Ledger::new());
    let did = first_did(&wallet);
    let pending = wallet.plan(&did, Change::Publish, &ledger.seen(), NOW).unwrap();
    assert_eq!(wallet.observe(&did, &ledger.seen(), NOW).unwrap(), None);
    assert_eq!(wallet.dids()[0].pending.as_ref(), Some(&pending));
    ledger.take(&pending);
    let mut other = ledger.clone();
    other.entry.as_mut().unwrap().last_operation = Hash([8; 32]);
    assert_eq!(wallet.observe(&did, &other.seen(), NOW).unwrap(), None);
    assert_eq!(wallet.observe(&did, &ledger.seen(), NOW).unwrap(), Some(pending));
    assert_eq!(wallet.dids()[0].pending, None);
}

// test: WAL-05
#[test]
fn keys_that_are_not_ours_cannot_be_rotated_but_recovered() {
    let (mut wallet, mut ledger) = (wallet(1), Ledger::new());
    make(&mut wallet, &mut ledger, Change::Publish);
    let did = first_did(&wallet);
    let untouched = ledger.clone();
    let entry = ledger.entry.as_mut().unwrap();
    (entry.next, entry.document) = (Commitment(Hash([7; 32])), Hash([8; 32]));
    let refused = wallet.plan(&did, Change::Rotate, &ledger.seen(), NOW);
    assert!(matches!(refused, Err(ChangeError::KeysUnknown)), "{refused:?}");
    assert!(!wallet.dids()[0].ledger.unwrap().ours);
    make(&mut wallet.clone(), &mut ledger, Change::Recover);
    let mut ledger = untouched;
    make(&mut wallet, &mut ledger, Change::Rotate);
}

// test: FOL-03, FOL-11
#[test]
fn a_crash_at_any_step_loses_nothing() {
    for change in [Change::Publish, Change::Recover, Change::Deactivate] {
        let (mut wallet, mut ledger) = (wallet(1), Ledger::new());
        let did = first_did(&wallet);
        // Built and stored, not sent.
        let pending = wallet.plan(&did, change, &ledger.seen(), NOW).unwrap();
        let mut wallet = restarted(&wallet);
        let again = wallet.plan(&did, change, &ledger.seen(), NOW).unwrap();
        assert_eq!(again.bytes(), pending.bytes(), "{change:?}");
        // Sent, the answer lost.
        ledger.take(&pending);
        let mut wallet = restarted(&wallet);
        assert_eq!(wallet.observe(&did, &ledger.seen(), NOW).unwrap(), Some(again));
        // Settled: sending it once more would be refused here already.
        let refused = wallet.plan(&did, change, &ledger.seen(), NOW);
        assert!(refused.is_err(), "{change:?}");
    }
}

// test: FOL-03, FOL-12
#[test]
fn what_the_ledger_would_refuse_is_not_sent() {
    let (mut wallet, mut ledger) = (wallet(1), Ledger::new());
    let did = first_did(&wallet);
    let code = |result: Result<_, ChangeError>| result.err().map(|error: ChangeError| error.code());
    assert_eq!(
        code(wallet.plan(&did, Change::Rotate, &ledger.seen(), NOW)),
        Some("not_published")
    );
    make(&mut wallet, &mut ledger, Change::Publish);
    assert_eq!(
        code(wallet.plan(&did, Change::Publish, &ledger.seen(), NOW)),
        Some("already_published")
    );
    assert_eq!(
        code(wallet.plan(&did, Change::Veto, &ledger.seen(), NOW)),
        Some("nothing_to_veto")
    );
    assert_eq!(
        code(wallet.plan(&did, Change::Renew, &ledger.seen(), NOW)),
        Some("token_not_newer")
    );
    make(&mut wallet, &mut ledger, Change::Deactivate);
    let refused = wallet.plan(&did, Change::Rotate, &ledger.seen(), NOW);
    assert!(
        matches!(refused, Err(ChangeError::Follow(FollowError::Deactivated))),
        "{refused:?}"
    );
    assert_eq!(wallet.dids()[0].pending, None, "nothing was kept");
}

#[test]
fn other_peoples_dids_are_not_held() {
    let (mut wallet, ledger) = (wallet(1), Ledger::new());
    let mut did = first_did(&wallet);
    did.hash = Hash([1; 32]);
    let refused = wallet.plan(&did, Change::Publish, &ledger.seen(), NOW);
    assert!(
        matches!(refused, Err(ChangeError::Wallet(WalletError::UnknownDid(_)))),
        "{refused:?}"
    );
}
