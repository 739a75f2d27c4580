//! Drawing tokens: which keys are blinded for, and what a crash costs.

use realdid_crypto::Hash;
use realdid_token::BlindingError;

use super::{Authority, NOW, blinded_values, charter, empty_wallet, first_did, restarted, rng, wallet};
use crate::enrol::EnrolError;
use crate::tokens::{KeyCheckError, KeyFacts, MAX_BATCH, Wanted};

/// What is said about a key after one fact was changed; the facts unchanged must pass.
fn judged(change: impl Fn(&mut KeyFacts)) -> KeyCheckError {
    let authority = Authority::new(4);
    let hash = charter().hash();
    assert!(authority.facts().judge(authority.key.clone(), &hash).is_ok());
    let mut facts = authority.facts();
    change(&mut facts);
    facts.judge(authority.key.clone(), &hash).unwrap_err()
}

// test: WAL-06
#[test]
fn a_key_of_an_unaccredited_authority_is_refused() {
    assert_eq!(
        judged(|facts| facts.accredited = false),
        KeyCheckError::NotAccredited
    );
}

// test: WAL-07
#[test]
fn a_key_that_is_not_everybodys_is_refused() {
    let other = Authority::new(4).key;
    assert_eq!(judged(|facts| facts.place = None), KeyCheckError::OtherKey);
    assert_eq!(
        judged(|facts| facts.place = Some(Hash([1; 32]))),
        KeyCheckError::OtherKey
    );
    assert_eq!(judged(|facts| facts.published = None), KeyCheckError::OtherKey);
    assert_eq!(
        judged(|facts| facts.published = Some((other.clone(), 0))),
        KeyCheckError::OtherKey
    );
}

// test: WAL-08
#[test]
fn a_revoked_key_is_refused() {
    let revoke = |facts: &mut KeyFacts| facts.published.as_mut().unwrap().1 = NOW;
    assert_eq!(judged(revoke), KeyCheckError::Revoked);
}

// test: WAL-09
#[test]
fn a_key_of_another_epoch_is_refused() {
    for current in [3, 5] {
        let expected = KeyCheckError::Epoch { found: 4, current };
        assert_eq!(judged(|facts| facts.epoch = current), expected);
    }
}

// test: WAL-10
#[test]
fn a_request_under_way_is_not_replaced() {
    let (mut wallet, authority) = (empty_wallet(), Authority::new(0));
    authority.enrol(&mut wallet);
    wallet
        .prepare_tokens(&authority.checked(), &Wanted::New(2), &mut rng(1))
        .unwrap();
    let before = blinded_values(&wallet);
    let refused = wallet.prepare_tokens(&authority.checked(), &Wanted::New(2), &mut rng(2));
    assert!(matches!(refused, Err(EnrolError::BatchPending)), "{refused:?}");
    assert_eq!(blinded_values(&wallet), before);
    wallet.drop_batch();
    wallet
        .prepare_tokens(&authority.checked(), &Wanted::New(2), &mut rng(2))
        .unwrap();
}

#[test]
fn after_a_crash_the_same_values_are_sent_again() {
    let (mut wallet, authority) = (empty_wallet(), Authority::new(0));
    authority.enrol(&mut wallet);
    wallet
        .prepare_tokens(&authority.checked(), &Wanted::New(3), &mut rng(1))
        .unwrap();
    let mut wallet_again = restarted(&wallet);
    assert_eq!(blinded_values(&wallet_again), blinded_values(&wallet));
    let dids = wallet_again
        .finish_tokens(&authority.answer(&wallet), NOW)
        .unwrap();
    assert_eq!(dids.len(), 3);
    for held in wallet_again.dids() {
        let token = held.token.as_ref().unwrap().token().unwrap();
        token
            .verify(&authority.key, &charter().hash(), &held.hash)
            .unwrap();
    }
}

// test: WAL-11, TOK-03
#[test]
fn an_incomplete_or_wrong_answer_changes_nothing() {
    let (mut wallet, authority) = (empty_wallet(), Authority::new(0));
    authority.enrol(&mut wallet);
    wallet
        .prepare_tokens(&authority.checked(), &Wanted::New(2), &mut rng(1))
        .unwrap();
    let right = authority.answer(&wallet);
    let refused = wallet.finish_tokens(&right[..1], NOW);
    assert!(
        matches!(
            refused,
            Err(EnrolError::Count {
                expected: 2,
                found: 1
            })
        ),
        "{refused:?}"
    );
    let swapped = [right[1], right[0]];
    let refused = wallet.finish_tokens(&swapped, NOW);
    assert!(
        matches!(refused, Err(EnrolError::Blinding(BlindingError::Signature))),
        "{refused:?}"
    );
    assert!(wallet.dids().is_empty() && wallet.has_batch());
    assert_eq!(wallet.finish_tokens(&right, NOW).unwrap().len(), 2);
    assert!(!wallet.has_batch());
}

#[test]
fn a_renewal_is_a_new_token_for_the_same_did() {
    let mut wallet = wallet(2);
    let did = first_did(&wallet);
    let old = wallet.dids()[0].token.clone();
    let renewed = Authority::new(1).draw(&mut wallet, &Wanted::Renewal(vec![did.clone(), did.clone()]));
    assert_eq!(renewed, [did]);
    assert_ne!(wallet.dids()[0].token, old);
    assert_eq!(wallet.dids()[0].token.as_ref().unwrap().epoch, 1);
    assert_eq!(wallet.dids().len(), 2, "no DID was made");
}

#[test]
fn a_batch_has_its_limits() {
    let (mut wallet, authority) = (empty_wallet(), Authority::new(0));
    authority.enrol(&mut wallet);
    for wanted in [
        Wanted::New(0),
        Wanted::New(MAX_BATCH + 1),
        Wanted::New(u32::MAX),
        Wanted::Renewal(vec![]),
    ] {
        let refused = wallet.prepare_tokens(&authority.checked(), &wanted, &mut rng(1));
        assert!(matches!(refused, Err(EnrolError::BatchSize)), "{refused:?}");
    }
}

#[test]
fn without_an_account_nothing_is_asked() {
    let mut wallet = empty_wallet();
    let audience = "http://authority";
    assert!(matches!(
        wallet.confirmation(audience, NOW, &mut rng(1)),
        Err(EnrolError::NotBegun)
    ));
    assert!(matches!(
        wallet.token_request(audience, NOW, &mut rng(1)),
        Err(EnrolError::NotEnrolled)
    ));
    assert!(matches!(wallet.finish_tokens(&[], NOW), Err(EnrolError::NoBatch)));
}
