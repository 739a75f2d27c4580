//! Concurrency: whatever happens at once ends as if it had happened in some order.

use std::sync::Arc;

use tokio::task::JoinSet;

use crate::support::{Device, NOW, World, code, on_each, signer, somebody, values};

// test: ENR-12
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn enrolments_of_one_person_at_once_leave_one_account() {
    on_each(async |world| {
        let world = Arc::new(world);
        let mut confirmations = JoinSet::new();
        for _ in 0..8 {
            let wallet = Device::new();
            let (begun, sent) = world.begin(&wallet, &somebody(0), NOW).await.unwrap();
            let world = Arc::clone(&world);
            confirmations.spawn(async move {
                world
                    .confirm(&wallet, &begun, &sent, NOW)
                    .await
                    .unwrap()
                    .account_id
            });
        }
        let accounts = confirmations.join_all().await;
        assert_eq!(
            world
                .number("SELECT count(*) FROM accounts WHERE active = 1")
                .await,
            1
        );
        assert_eq!(world.number("SELECT count(*) FROM accounts").await, 8);
        assert_eq!(accounts.len(), 8);
        let mut wallet = Device::new();
        world.enrol(&mut wallet, &somebody(0), NOW).await;
        world.issue(&wallet.request(&values(1), NOW), NOW).await.unwrap();
    })
    .await;
}

// test: ENR-04
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_code_at_once_opens_one_account() {
    on_each(async |world| {
        let world = Arc::new(world);
        let wallet = Arc::new(Device::new());
        let (begun, sent) = world.begin(&wallet, &somebody(0), NOW).await.unwrap();
        let mut confirmations = JoinSet::new();
        for _ in 0..8 {
            let (world, wallet, begun, sent) = (
                Arc::clone(&world),
                Arc::clone(&wallet),
                begun.clone(),
                sent.clone(),
            );
            confirmations.spawn(async move { code(world.confirm(&wallet, &begun, &sent, NOW).await) });
        }
        let mut outcomes = confirmations.join_all().await;
        outcomes.sort_unstable();
        assert_eq!(outcomes, [["code_used"; 7].as_slice(), &["ok"]].concat());
        assert_eq!(world.number("SELECT count(*) FROM accounts").await, 1);
    })
    .await;
}

// test: ENR-01, ENR-06
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn wrong_codes_at_once_get_no_more_tries() {
    on_each(async |world| {
        let world = Arc::new(world);
        let wallet = Arc::new(Device::new());
        let (begun, _) = world.begin(&wallet, &somebody(0), NOW).await.unwrap();
        let mut confirmations = JoinSet::new();
        for _ in 0..12 {
            let (world, wallet, begun) = (Arc::clone(&world), Arc::clone(&wallet), begun.clone());
            confirmations.spawn(async move { code(world.confirm(&wallet, &begun, "wrong", NOW).await) });
        }
        let outcomes = confirmations.join_all().await;
        assert_eq!(
            outcomes
                .iter()
                .filter(|outcome| **outcome == "invalid_code")
                .count(),
            5
        );
        assert_eq!(
            outcomes
                .iter()
                .filter(|outcome| **outcome == "too_many_attempts")
                .count(),
            7
        );
    })
    .await;
}

async fn ready(world: World) -> (Arc<World>, Arc<Device>) {
    let mut wallet = Device::new();
    world.enrol(&mut wallet, &somebody(0), NOW).await;
    (Arc::new(world), Arc::new(wallet))
}

// test: QUO-08
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_value_at_once_is_debited_once() {
    on_each(async |world| {
        let (world, wallet) = ready(world).await;
        let wanted = Arc::new(values(4));
        let mut requests = JoinSet::new();
        for _ in 0..8 {
            let (world, wallet, wanted) = (Arc::clone(&world), Arc::clone(&wallet), Arc::clone(&wanted));
            requests.spawn(async move { world.issue(&wallet.request(&wanted, NOW), NOW).await.unwrap() });
        }
        let answers = requests.join_all().await;
        assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
        assert_eq!(world.number("SELECT used FROM quota").await, 4);
        assert_eq!(world.number("SELECT count(*) FROM blinded_values").await, 4);
    })
    .await;
}

// test: QUO-07
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_request_at_once_is_taken_once() {
    on_each(async |world| {
        let (world, wallet) = ready(world).await;
        let jws = Arc::new(wallet.request(&values(1), NOW));
        let mut requests = JoinSet::new();
        for _ in 0..8 {
            let (world, jws) = (Arc::clone(&world), Arc::clone(&jws));
            requests.spawn(async move { code(world.issue(&jws, NOW).await) });
        }
        let outcomes = requests.join_all().await;
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == "ok").count(), 1);
        assert_eq!(
            outcomes
                .iter()
                .filter(|outcome| **outcome == "replayed_request")
                .count(),
            7
        );
    })
    .await;
}

// test: QUO-01
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn different_values_at_once_cannot_overdraw() {
    on_each(async |world| {
        let (world, wallet) = ready(world).await;
        let mut requests = JoinSet::new();
        for _ in 0..10 {
            let (world, wallet) = (Arc::clone(&world), Arc::clone(&wallet));
            requests.spawn(async move {
                let request = wallet.request(&values(10), NOW);
                let request = world
                    .authority
                    .check_request(&request, signer().key(), NOW)
                    .await
                    .unwrap();
                code(world.authority.debit(request, NOW).await)
            });
        }
        let outcomes = requests.join_all().await;
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == "ok").count(), 6);
        assert_eq!(
            outcomes
                .iter()
                .filter(|outcome| **outcome == "quota_exhausted")
                .count(),
            4
        );
        assert_eq!(world.number("SELECT used FROM quota").await, 60);
        assert_eq!(world.number("SELECT count(*) FROM blinded_values").await, 60);
    })
    .await;
}
