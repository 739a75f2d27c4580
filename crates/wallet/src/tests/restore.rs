//! Restoring: which generation of keys is current, and which DIDs may be offered.

use proptest::prelude::{ProptestConfig, prop_assert, prop_assert_eq, proptest};

use super::{DELAY, Ledger, NOW, first_did, wallet};
use crate::history::Event;
use crate::operations::Change;
use crate::root::Index;
use crate::{Assignment, Wallet};

fn make(wallet: &mut Wallet, ledger: &mut Ledger, change: Change) {
    let did = first_did(wallet);
    let pending = wallet.plan(&did, change, &ledger.seen(), ledger.time).unwrap();
    ledger.take(&pending);
    ledger.time += DELAY;
    wallet.observe(&did, &ledger.seen(), ledger.time).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]
    #[test]
    fn an_old_backup_finds_the_current_keys(changes in proptest::collection::vec(proptest::bool::ANY, 0..12)) {
        let (mut phone, mut ledger) = (wallet(1), Ledger::new());
        let backup = phone.backup(NOW).unwrap();
        make(&mut phone, &mut ledger, Change::Publish);
        for recover in changes {
            make(&mut phone, &mut ledger, if recover { Change::Recover } else { Change::Rotate });
        }
        let mut tablet = Wallet::restore(&backup, NOW).unwrap();
        let index = Index { series: 0, number: 0 };
        prop_assert!(tablet.found(index, &ledger.seen(), ledger.time).unwrap());
        prop_assert_eq!(tablet.dids()[0].generation, phone.dids()[0].generation);
        prop_assert_eq!(tablet.dids()[0].recovery_generation, phone.dids()[0].recovery_generation);
        prop_assert!(tablet.dids()[0].ledger.unwrap().ours);
        make(&mut tablet, &mut ledger, Change::Rotate);
    }
}

#[test]
fn a_did_made_after_the_backup_is_found() {
    let mut phone = wallet(1);
    let backup = phone.backup(NOW).unwrap();
    let index = Index { series: 0, number: 7 };
    let mut tablet = Wallet::restore(&backup, NOW).unwrap();
    assert_eq!(tablet.candidate(index), phone.candidate(index));
    assert!(!tablet.found(index, &Ledger::new().seen(), NOW).unwrap());
    assert_eq!(tablet.dids().len(), 1, "what is nowhere is not kept");

    // Somebody with the same keys publishes it: any entry will do here.
    let mut ledger = Ledger::new();
    make(&mut wallet(1), &mut ledger, Change::Publish);
    assert!(tablet.found(index, &ledger.seen(), NOW).unwrap());
    assert_eq!(tablet.dids()[1].assignment, Assignment::Kept);
}

// test: WAL-22
#[test]
fn pooled_dids_of_a_backup_are_never_offered() {
    let mut phone = wallet(3);
    let backup = phone.backup(NOW).unwrap();
    assert!(
        phone
            .dids()
            .iter()
            .all(|held| held.assignment == Assignment::Pooled)
    );
    let tablet = Wallet::restore(&backup, NOW).unwrap();
    assert!(
        tablet
            .dids()
            .iter()
            .all(|held| held.assignment == Assignment::Kept)
    );
    assert_eq!(tablet.pooled(), 0);
    assert!(matches!(tablet.history().last().unwrap().event, Event::Restored));
}

// test: WAL-23
#[test]
fn a_restored_wallet_makes_no_did_that_another_may_have_made() {
    let mut phone = wallet(2);
    let backup = phone.backup(NOW).unwrap();
    let mut tablet = Wallet::restore(&backup, NOW).unwrap();
    assert_eq!(tablet.next_index(), Index { series: 1, number: 0 });
    // Another wallet restored from the same backup has worked in series 1 already.
    let mut ledger = Ledger::new();
    make(&mut wallet(1), &mut ledger, Change::Publish);
    assert!(
        tablet
            .found(Index { series: 1, number: 4 }, &ledger.seen(), NOW)
            .unwrap()
    );
    assert_eq!(tablet.next_index(), Index { series: 2, number: 0 });
    assert_eq!(tablet.series_to_search(), 0..=2);
}

#[test]
fn a_backup_leaves_out_what_is_under_way() {
    let (mut phone, ledger) = (wallet(1), Ledger::new());
    let did = first_did(&phone);
    phone.plan(&did, Change::Publish, &ledger.seen(), NOW).unwrap();
    phone.begin_enrolment(&mut super::rng(4));
    let tablet = Wallet::restore(&phone.backup(NOW).unwrap(), NOW).unwrap();
    assert_eq!(tablet.dids()[0].pending, None);
    assert!(!tablet.has_batch());
    assert!(tablet.account().is_some(), "the account goes along");
}
