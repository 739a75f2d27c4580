//! Two processes over one database, asked at once: whatever may happen once happens once.

use std::collections::HashSet;
use std::sync::Arc;

use realdid_authority::credential_issuer::Policy;
use realdid_crypto::KeyType;
use realdid_openid::oauth::TokenResponse;
use realdid_openid::vci::PRE_AUTHORIZED_GRANT;
use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::flow::licence;
use super::wallet::{Wallet, new_key, prove};
use super::world::{Kind, Service};
use crate::support::{World, on_each};

async fn two(world: World) -> Arc<Service> {
    let policy = Policy {
        requests_per_minute: 100_000.0,
        status_places: 64,
        status_shards: 2,
        ..Policy::default()
    };
    Arc::new(Service::start_with(world, Kind::Office, policy, 2).await)
}

fn address(service: &Service, turn: usize) -> &str {
    if turn.is_multiple_of(2) {
        &service.url
    } else {
        &service.others[0]
    }
}

// test: VCI-38
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_offer_at_once_gives_one_token() {
    on_each(async |world| {
        let service = two(world).await;
        let wallet = Wallet::new(&service).await;
        let offer = wallet.offer(&licence(&service, "driving_licence").await).await;
        let code = Arc::new(offer.grants.pre_authorized_code.unwrap().pre_authorized_code);
        let mut asking = JoinSet::new();
        for turn in 0..5 {
            let (service, code) = (Arc::clone(&service), Arc::clone(&code));
            asking.spawn(async move {
                let fields = [
                    ("grant_type", PRE_AUTHORIZED_GRANT),
                    ("pre-authorized_code", code.as_str()),
                ];
                let url = format!("{}/vci/token", address(&service, turn));
                service
                    .client
                    .post(url)
                    .form(&fields)
                    .send()
                    .await
                    .unwrap()
                    .status()
            });
        }
        let outcomes = asking.join_all().await;
        assert_eq!(
            outcomes
                .iter()
                .filter(|status| **status == StatusCode::OK)
                .count(),
            1,
            "{outcomes:?}"
        );
    })
    .await;
}

// test: VCI-31
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_nonce_at_once_gives_one_credential() {
    on_each(async |world| {
        let service = two(world).await;
        let wallet = Wallet::new(&service).await;
        let tokens = wallet
            .token(&licence(&service, "driving_licence").await, None)
            .await;
        let nonce = wallet.nonce().await;
        let mut asking = JoinSet::new();
        for turn in 0..8 {
            let (service, tokens) = (Arc::clone(&service), tokens.clone());
            let proof = wallet.prove(&new_key(KeyType::P256), &nonce);
            asking.spawn(async move {
                let body =
                    json!({ "credential_configuration_id": "driving_licence", "proofs": { "jwt": [proof] } });
                let url = format!("{}/vci/credential", address(&service, turn));
                let request = service.client.post(url).bearer_auth(&tokens.access_token);
                request.json(&body).send().await.unwrap().status()
            });
        }
        let outcomes = asking.join_all().await;
        assert_eq!(
            outcomes
                .iter()
                .filter(|status| **status == StatusCode::OK)
                .count(),
            1,
            "{outcomes:?}"
        );
    })
    .await;
}

/// From offer to credential, many at once, by both processes: each licence has a place of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_have_places_of_their_own() {
    on_each(async |world| {
        let service = two(world).await;
        let mut asking = JoinSet::new();
        for turn in 0..24 {
            let service = Arc::clone(&service);
            asking.spawn(async move { whole(&service, turn).await });
        }
        let places: Vec<_> = asking.join_all().await;
        assert_eq!(places.iter().collect::<HashSet<_>>().len(), 24);
        assert_eq!(service.world.number("SELECT count(*) FROM vci_status").await, 24);
        assert_eq!(
            service.world.number("SELECT count(*) FROM vci_issuances").await,
            24
        );
        // Both publish the same list.
        let path = format!("/status/{}", places[0].0.rsplit('/').next().unwrap());
        let mut tokens = HashSet::new();
        for turn in 0..2 {
            let url = format!("{}{path}", address(&service, turn));
            tokens.insert(
                service
                    .client
                    .get(url)
                    .send()
                    .await
                    .unwrap()
                    .text()
                    .await
                    .unwrap(),
            );
        }
        assert_eq!(tokens.len(), 1);
    })
    .await;
}

/// From an offer to a licence, each request to the other process than the one before; gives its place.
async fn whole(service: &Service, turn: usize) -> (String, u64) {
    let order = json!({ "record": "D-1001", "credentials": ["driving_licence"] });
    let request = service.client.post(at(service, turn, "/v1/issuer/offers"));
    let made: Value = answered(request.bearer_auth(super::world::OPERATOR).json(&order)).await;
    let grant = &made["credential_offer"]["grants"][PRE_AUTHORIZED_GRANT]["pre-authorized_code"];
    let fields = [
        ("grant_type", PRE_AUTHORIZED_GRANT),
        ("pre-authorized_code", grant.as_str().unwrap()),
    ];
    let request = service.client.post(at(service, turn + 1, "/vci/token"));
    let tokens: TokenResponse = answered(request.form(&fields)).await;
    let nonce: Value = answered(service.client.post(at(service, turn, "/vci/nonce"))).await;
    let (key, now) = (new_key(KeyType::P256), realdid_service::now_seconds());
    let proof = prove(&key, &service.url, nonce["c_nonce"].as_str(), now);
    let body = json!({ "credential_configuration_id": "driving_licence", "proofs": { "jwt": [proof] } });
    let request = service.client.post(at(service, turn + 1, "/vci/credential"));
    let answer: Value = answered(request.bearer_auth(&tokens.access_token).json(&body)).await;
    let credential = answer["credentials"][0]["credential"]
        .as_str()
        .unwrap_or_else(|| panic!("{answer}"));
    let claims = realdid_jose::jws::Unverified::parse(credential.split('~').next().unwrap()).unwrap();
    let place = &claims.stated_claims()["status"]["status_list"];
    (
        place["uri"].as_str().unwrap().to_owned(),
        place["idx"].as_u64().unwrap(),
    )
}

fn at(service: &Service, turn: usize, path: &str) -> String {
    format!("{}{path}", address(service, turn))
}

async fn answered<T: serde::de::DeserializeOwned>(request: RequestBuilder) -> T {
    request.send().await.unwrap().json().await.unwrap()
}
