//! A long-lived credential: its status as verifiers see it, and what an operator does to it.

use realdid_authority::credential_issuer::Policy;
use realdid_credential::status::{Bits, StatusList};
use realdid_crypto::KeyType;
use realdid_jose::jws::Unverified;
use reqwest::Response;
use serde_json::{Value, json};

use super::flow::licence;
use super::wallet::{Wallet, claims, error, new_key};
use super::world::{Kind, Service, credential_key};
use crate::support::{World, on_each};

/// An office whose lists are published every second.
async fn office(world: World) -> Service {
    let policy = Policy {
        status_seconds: 1,
        status_ttl: 1,
        ..Policy::default()
    };
    Service::start_with(world, Kind::Office, policy, 1).await
}

async fn wait_until(time: u64) {
    while realdid_service::now_seconds() < time {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

/// A place in a list.
struct Place {
    uri: String,
    index: u64,
}

impl Place {
    fn of(held: &Value) -> Self {
        let place = &held["status"]["status_list"];
        Self {
            uri: place["uri"].as_str().unwrap().to_owned(),
            index: place["idx"].as_u64().unwrap(),
        }
    }

    /// What the published list says of it.
    async fn value(&self, service: &Service) -> u8 {
        let answer = service.client.get(&self.uri).send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], "application/statuslist+jwt");
        let keep = answer.headers()["cache-control"].to_str().unwrap();
        assert!(keep.starts_with("public, max-age="));
        let token = Unverified::parse_within(&answer.text().await.unwrap(), 1 << 22).unwrap();
        let key = credential_key(KeyType::P256).public_key();
        token.verify_foreign_signature(&key).unwrap();
        let claims = token.stated_claims();
        assert_eq!(
            (token.typ(), &claims["sub"]),
            (Some("statuslist+jwt"), &json!(self.uri))
        );
        let list = claims["status_list"]["lst"].as_str().unwrap();
        let list = StatusList::from_lst(Bits::Two, list, 1 << 20).unwrap();
        list.get(self.index).unwrap().value()
    }
}

// test: OAU-33
#[tokio::test]
async fn a_licence_has_a_status_that_is_changed_and_published() {
    on_each(async |world| {
        let service = office(world).await;
        let wallet = Wallet::new(&service).await;
        let link = licence(&service, "driving_licence").await;
        let tokens = wallet.token(&link, None).await;
        let (licences, _) = wallet.take(&tokens, "driving_licence", 1).await;
        let held = claims(&licences[0], &credential_key(KeyType::P256));
        assert_eq!(
            (&held["classes"], &held["age_over_21"]),
            (&json!(["B", "C"]), &json!(true))
        );
        let place = Place::of(&held);
        assert_eq!(place.value(&service).await, 0);
        for (change, value) in [("suspend", 2), ("reinstate", 0), ("revoke", 1)] {
            let order = json!({ "record": "D-1001", "change": change });
            let changed: Value = service.operate("change", &order).await.json().await.unwrap();
            assert_eq!(changed["credentials"], json!(1));
            wait_until(changed["published_at"].as_u64().unwrap()).await;
            assert_eq!(place.value(&service).await, value, "{change}");
        }
        // Revoked is for good, and what was revoked is not renewed.
        let order = json!({ "record": "D-1001", "change": "reinstate" });
        assert_eq!(
            error(service.operate("change", &order).await).await.1,
            "unknown_record"
        );
        let body = wallet.wish("driving_licence", &[new_key(KeyType::P256)]).await;
        assert_eq!(
            error(wallet.ask(&tokens, &body).await).await,
            (401, "invalid_token".into())
        );
        the_log_names_nobody(&service).await;
    })
    .await;
}

/// The log tells what happened, and to whom only those who know the number.
async fn the_log_names_nobody(service: &Service) {
    let log = async |record: &str| -> Value {
        let answer = service.operate("audit", &json!({ "record": record })).await;
        answer.json().await.unwrap()
    };
    let own = log("D-1001").await;
    let lines = own["events"].as_array().unwrap();
    let actions: Vec<_> = lines
        .iter()
        .map(|line| line["action"].as_str().unwrap())
        .collect();
    for action in ["offered", "issued", "suspended", "reinstated", "revoked"] {
        assert!(actions.contains(&action), "{actions:?}");
    }
    assert!(!own.to_string().contains("D-1001"));
    assert_eq!(log("D-1002").await["events"], json!([]));
}

#[tokio::test]
async fn what_a_list_said_is_kept_for_a_while() {
    on_each(async |world| {
        let service = office(world).await;
        let wallet = Wallet::new(&service).await;
        let link = licence(&service, "driving_licence").await;
        let tokens = wallet.token(&link, None).await;
        let (licences, _) = wallet.take(&tokens, "driving_licence", 1).await;
        let place = Place::of(&claims(&licences[0], &credential_key(KeyType::P256)));
        place.value(&service).await;
        let ask = async |address: String| -> Response { service.client.get(address).send().await.unwrap() };
        // Of a time before the list, nothing is kept; other lists there are none.
        let before = ask(format!("{}?time=1", place.uri)).await;
        assert_eq!(error(before).await, (406, "not_published".into()));
        let other = ask(format!("{}/status/1", service.url)).await;
        assert_eq!(error(other).await, (404, "unknown_list".into()));
        let now = realdid_service::now_seconds();
        let today = ask(format!("{}?time={}", place.uri, now + 60)).await;
        assert_eq!(today.status(), 200);
    })
    .await;
}

#[tokio::test]
async fn a_list_keeps_its_size_when_the_policy_changes() {
    on_each(async |world| {
        let service = office(world).await;
        let held = async |service: &Service| {
            let wallet = Wallet::new(service).await;
            let link = licence(service, "driving_licence").await;
            let tokens = wallet.token(&link, None).await;
            let (licences, _) = wallet.take(&tokens, "driving_licence", 1).await;
            Place::of(&claims(&licences[0], &credential_key(KeyType::P256)))
        };
        let place = held(&service).await;
        let smaller = Policy {
            status_places: 64,
            ..Policy::default()
        };
        let service = Service::start_with(service.world, Kind::Office, smaller, 1).await;
        let (_, path) = place.uri.split_once("/status/").unwrap();
        let old = Place {
            uri: format!("{}/status/{path}", service.url),
            ..place
        };
        // Its place lies behind the end of a list of 64, all but certainly.
        assert_eq!(old.value(&service).await, 0);
        let new = held(&service).await;
        assert!(new.index < 64 && new.uri != old.uri);
        assert_eq!(new.value(&service).await, 0);
    })
    .await;
}
