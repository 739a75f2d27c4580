//! What a person may take, and what a retry costs.

use realdid_authority::Refusal;
use realdid_crypto::Hash;
use serde_json::json;

use crate::support::{Device, NOW, blinding, charter_hash, code, on_each, signer, somebody, values, with};

// test: QUO-01
#[tokio::test]
async fn a_person_gets_so_many_tokens_in_a_period() {
    on_each(async |world| {
        let mut wallet = Device::new();
        world.enrol(&mut wallet, &somebody(0), NOW).await;
        world.issue(&wallet.request(&values(60), NOW), NOW).await.unwrap();
        let greedy = values(5);
        let refusal = world.issue(&wallet.request(&greedy, NOW), NOW).await.unwrap_err();
        assert!(
            matches!(
                refusal,
                Refusal::QuotaExhausted {
                    remaining: 4,
                    resets_in: 1..=3600
                }
            ),
            "{refusal:?}"
        );
        // All or nothing: none of the five was recorded or debited.
        assert_eq!(world.number("SELECT count(*) FROM blinded_values").await, 60);
        assert_eq!(world.number("SELECT used FROM quota").await, 60);
        world
            .issue(&wallet.request(&greedy[..4], NOW), NOW)
            .await
            .unwrap();
        assert_eq!(
            code(world.issue(&wallet.request(&greedy, NOW), NOW).await),
            "quota_exhausted"
        );
        // The next period brings a new quota.
        let later = NOW + 3600;
        world.issue(&wallet.request(&greedy, later), later).await.unwrap();
    })
    .await;
}

// test: QUO-08
#[tokio::test]
async fn the_same_value_again_costs_nothing_and_gives_the_same_bytes() {
    on_each(async |world| {
        let mut wallet = Device::new();
        world.enrol(&mut wallet, &somebody(0), NOW).await;
        let wanted = values(3);
        let first = world.issue(&wallet.request(&wanted, NOW), NOW).await.unwrap();
        let again = world
            .issue(&wallet.request(&wanted, NOW + 5), NOW + 5)
            .await
            .unwrap();
        assert_eq!(first, again);
        assert_eq!(world.number("SELECT used FROM quota").await, 3);
        // One value twice in a request is one value.
        let twice = world
            .issue(&wallet.request(&[wanted[0], wanted[0]], NOW), NOW)
            .await
            .unwrap();
        assert_eq!(twice, [first[0], first[0]]);
        assert_eq!(world.number("SELECT used FROM quota").await, 3);
        // A new value beside old ones is one debit.
        world
            .issue(&wallet.request(&[wanted[0], values(1)[0]], NOW), NOW)
            .await
            .unwrap();
        assert_eq!(world.number("SELECT used FROM quota").await, 4);
        // In a later period, old values are still paid for.
        let later = NOW + 3600;
        world.issue(&wallet.request(&wanted, later), later).await.unwrap();
        assert_eq!(world.number("SELECT count(*) FROM quota").await, 1);
    })
    .await;
}

// test: QUO-08
#[tokio::test]
async fn a_crash_between_debit_and_signature_costs_nothing() {
    on_each(async |world| {
        let mut wallet = Device::new();
        world.enrol(&mut wallet, &somebody(0), NOW).await;
        let did = Hash([8; 32]);
        let blinding = blinding(&did);
        let request = wallet.request(&[*blinding.blinded()], NOW);
        let request = world
            .authority
            .check_request(&request, signer().key(), NOW)
            .await
            .unwrap();
        let debited = world.authority.debit(request, NOW).await.unwrap();
        assert_eq!(debited.standing().remaining, 63);
        drop(debited);

        let world = world.restart().await;
        let request = wallet.request(&[*blinding.blinded()], NOW + 10);
        let request = world
            .authority
            .check_request(&request, signer().key(), NOW + 10)
            .await
            .unwrap();
        let debited = world.authority.debit(request, NOW + 10).await.unwrap();
        assert_eq!(debited.standing().remaining, 63);
        let signatures = signer().sign(&debited).unwrap();
        let token = blinding
            .finalize(signer().key(), &charter_hash(), &did, &signatures[0])
            .unwrap();
        token.verify(signer().key(), &charter_hash(), &did).unwrap();
        assert_eq!(world.number("SELECT used FROM quota").await, 1);
    })
    .await;
}

// test: QUO-02, QUO-01, ENR-12
#[tokio::test]
async fn enrolling_again_replaces_the_account_and_keeps_the_quota() {
    on_each(async |world| {
        let (mut old, mut new) = (Device::new(), Device::new());
        world.enrol(&mut old, &somebody(0), NOW).await;
        world.issue(&old.request(&values(10), NOW), NOW).await.unwrap();
        let confirmed = world.enrol(&mut new, &somebody(0), NOW).await;
        assert_eq!(confirmed.quota.remaining, 54);
        assert_eq!(
            code(world.issue(&old.request(&values(1), NOW), NOW).await),
            "account_replaced"
        );
        let question = with(Device::stated(NOW), "account_id", json!(old.account));
        let question = old.sign(realdid_authority::ACCOUNT_TYPE, &question);
        assert_eq!(
            code(world.authority.account_standing(&question, NOW).await),
            "account_replaced"
        );
        world.issue(&new.request(&values(54), NOW), NOW).await.unwrap();
        assert_eq!(
            code(world.issue(&new.request(&values(1), NOW), NOW).await),
            "quota_exhausted"
        );
        // Somebody else's quota is their own.
        let mut other = Device::new();
        world.enrol(&mut other, &somebody(1), NOW).await;
        world.issue(&other.request(&values(1), NOW), NOW).await.unwrap();
    })
    .await;
}

// test: QUO-09, ENR-12
#[tokio::test]
async fn a_replacement_between_check_and_debit_is_seen() {
    on_each(async |world| {
        let (mut old, mut new) = (Device::new(), Device::new());
        world.enrol(&mut old, &somebody(0), NOW).await;
        let request = old.request(&values(1), NOW);
        let request = world
            .authority
            .check_request(&request, signer().key(), NOW)
            .await
            .unwrap();
        world.enrol(&mut new, &somebody(0), NOW).await;
        assert_eq!(
            code(world.authority.debit(request, NOW).await),
            "account_replaced"
        );
        assert_eq!(world.number("SELECT count(*) FROM blinded_values").await, 0);
        world.issue(&new.request(&values(1), NOW), NOW).await.unwrap();
    })
    .await;
}

// test: JWS-04, JWS-06, QUO-05
#[tokio::test]
async fn an_account_can_ask_where_it_stands() {
    on_each(async |world| {
        let mut wallet = Device::new();
        world.enrol(&mut wallet, &somebody(0), NOW).await;
        world.issue(&wallet.request(&values(7), NOW), NOW).await.unwrap();
        let question = with(Device::stated(NOW), "account_id", json!(wallet.account));
        let jws = wallet.sign(realdid_authority::ACCOUNT_TYPE, &question);
        let standing = world.authority.account_standing(&jws, NOW).await.unwrap();
        assert_eq!(
            (standing.tokens, standing.remaining, standing.period_seconds),
            (64, 57, 3600)
        );
        assert!(standing.resets_at > NOW && standing.resets_at <= NOW + 3600);
        let stranger = Device::new().sign(realdid_authority::ACCOUNT_TYPE, &question);
        assert_eq!(
            code(world.authority.account_standing(&stranger, NOW).await),
            "invalid_account_signature"
        );
        let other_type = wallet.sign(realdid_authority::TOKENS_TYPE, &question);
        assert_eq!(
            code(world.authority.account_standing(&other_type, NOW).await),
            "invalid_account_signature"
        );
    })
    .await;
}
