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

use super::browser::{BACK, VERIFIER, page, parameter, returned, send, with};
use super::deferred::put_off;
use super::flow::{licence, ordered};
use super::tokens::run;
use super::wallet::{Wallet, new_key, prove};
use super::world::{Kind, Service};
use crate::support::{World, on_each};

/// For many requests from one address, and small lists.
fn many() -> Policy {
    Policy {
        requests_per_minute: 100_000.0,
        status_places: 64,
        status_shards: 2,
        ..Policy::default()
    }
}

async fn two(world: World) -> Arc<Service> {
    Arc::new(Service::start_with(world, Kind::Office, many(), 2).await)
}

fn address(service: &Service, turn: usize) -> &str {
    if turn.is_multiple_of(2) {
        &service.url
    } else {
        &service.others[0]
    }
}

/// Sends as many requests at once, by turns to both processes; gives what each answered.
async fn at_once(
    service: &Arc<Service>,
    count: usize,
    path: &str,
    made: impl Fn(RequestBuilder) -> RequestBuilder,
) -> Vec<(StatusCode, String)> {
    let mut asking = JoinSet::new();
    for turn in 0..count {
        let request = made(service.client.post(at(service, turn, path)));
        asking.spawn(async move {
            let answer = request.send().await.unwrap();
            (answer.status(), answer.text().await.unwrap())
        });
    }
    asking.join_all().await
}

fn succeeded(outcomes: &[(StatusCode, String)]) -> usize {
    let good = outcomes.iter().filter(|(status, _)| *status == StatusCode::OK);
    good.count()
}

// test: VCI-38
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_offer_at_once_gives_one_token() {
    on_each(async |world| {
        let service = two(world).await;
        let wallet = Wallet::new(&service).await;
        let offer = wallet.offer(&licence(&service, "driving_licence").await).await;
        let code = offer.grants.pre_authorized_code.unwrap().pre_authorized_code;
        let fields = [
            ("grant_type", PRE_AUTHORIZED_GRANT),
            ("pre-authorized_code", code.as_str()),
        ];
        let outcomes = at_once(&service, 5, "/vci/token", |request| request.form(&fields)).await;
        assert_eq!(succeeded(&outcomes), 1, "{outcomes:?}");
    })
    .await;
}

// test: VCI-37
// test: VCI-48
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn guesses_at_once_are_no_more_than_one_after_the_other() {
    on_each(async |world| {
        let service = two(world).await;
        let wallet = Wallet::new(&service).await;
        let made = ordered(&service, &json!({ "record": "D-1001", "tx_code": true })).await;
        let offer = wallet.offer(made["link"].as_str().unwrap()).await;
        let code = offer.grants.pre_authorized_code.unwrap().pre_authorized_code;
        let fields = [
            ("grant_type", PRE_AUTHORIZED_GRANT),
            ("pre-authorized_code", code.as_str()),
            ("tx_code", "wrong"),
        ];
        let outcomes = at_once(&service, 12, "/vci/token", |request| request.form(&fields)).await;
        let wrong = outcomes
            .iter()
            .filter(|(_, text)| text.contains("transaction code is wrong"));
        assert_eq!(wrong.count(), 5, "{outcomes:?}");
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
        let outcomes = at_once(&service, 8, "/vci/credential", |request| {
            let proof = wallet.prove(&new_key(KeyType::P256), &nonce);
            let body =
                json!({ "credential_configuration_id": "driving_licence", "proofs": { "jwt": [proof] } });
            request.bearer_auth(&tokens.access_token).json(&body)
        });
        let outcomes = outcomes.await;
        assert_eq!(succeeded(&outcomes), 1, "{outcomes:?}");
    })
    .await;
}

// test: VCI-54
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_get_no_more_than_the_day_has() {
    on_each(async |world| {
        let policy = Policy {
            copies_per_day: 3,
            ..many()
        };
        let service = Arc::new(Service::start_with(world, Kind::Office, policy, 2).await);
        let wallet = Wallet::new(&service).await;
        let tokens = wallet
            .token(&licence(&service, "driving_licence").await, None)
            .await;
        let mut bodies = Vec::new();
        for _ in 0..8 {
            bodies.push(wallet.wish("driving_licence", &[new_key(KeyType::P256)]).await);
        }
        let bodies = std::sync::Mutex::new(bodies);
        let outcomes = at_once(&service, 8, "/vci/credential", |request| {
            let body = bodies.lock().unwrap().pop().unwrap();
            request.bearer_auth(&tokens.access_token).json(&body)
        });
        let outcomes = outcomes.await;
        assert_eq!(succeeded(&outcomes), 3, "{outcomes:?}");
        let given = service.world.number("SELECT count(*) FROM vci_issuances").await;
        assert_eq!(given, 3);
    })
    .await;
}

// test: OAU-14
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_refresh_token_at_once_gives_one_successor() {
    on_each(async |world| {
        let service = two(world).await;
        let wallet = Wallet::new(&service).await;
        let tokens = wallet
            .token(&licence(&service, "driving_licence").await, None)
            .await;
        let refresh = tokens.refresh_token.unwrap();
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh.as_str()),
        ];
        let outcomes = at_once(&service, 6, "/vci/token", |request| request.form(&fields)).await;
        assert_eq!(succeeded(&outcomes), 1, "{outcomes:?}");
    })
    .await;
}

// test: DPOP-09
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_dpop_proof_at_once_serves_once() {
    on_each(async |world| {
        let service = two(world).await;
        let wallet = Wallet::with_dpop(&service).await;
        let tokens = wallet
            .token(&licence(&service, "driving_licence").await, None)
            .await;
        let refresh = tokens.refresh_token.unwrap();
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh.as_str()),
        ];
        let url = wallet.server.token_endpoint.clone().unwrap();
        let proof = wallet.proof_for(&url, None, None).unwrap();
        let outcomes = at_once(&service, 6, "/vci/token", |request| {
            request.header("dpop", &proof).form(&fields)
        });
        let outcomes = outcomes.await;
        assert_eq!(succeeded(&outcomes), 1, "{outcomes:?}");
    })
    .await;
}

// test: OAU-10
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_authorization_code_at_once_gives_one_token() {
    on_each(async |world| {
        let service = two(world).await;
        let wallet = Wallet::new(&service).await;
        let offer = wallet.offer(&licence(&service, "driving_licence").await).await;
        let state = offer.grants.authorization_code.unwrap().issuer_state.unwrap();
        let mut asked = with("scope", "driving_licence");
        asked.push(("issuer_state", state));
        let opened = page(&service, &asked).await;
        let back = returned(&send(&service, &opened, &[("step", "offer")]).await);
        let code = parameter(&back, "code");
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("client_id", "a wallet"),
            ("redirect_uri", BACK),
            ("code_verifier", VERIFIER),
        ];
        let outcomes = at_once(&service, 6, "/vci/token", |request| request.form(&fields)).await;
        assert_eq!(succeeded(&outcomes), 1, "{outcomes:?}");
        // Somebody had the code who should not: what it gave is taken back.
        let revoked = "SELECT count(*) FROM vci_grants WHERE revoked = 1";
        assert_eq!(service.world.number(revoked).await, 1);
    })
    .await;
}

// test: VCI-42
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_deferred_transaction_at_once_gives_one_credential() {
    on_each(async |world| {
        let service = two(world).await;
        let wallet = Wallet::new(&service).await;
        let (tokens, again) = put_off(&service, &wallet).await;
        run(&service, "UPDATE vci_deferred SET state = 'approved'").await;
        let outcomes = at_once(&service, 6, "/vci/deferred", |request| {
            request.bearer_auth(&tokens.access_token).json(&again)
        });
        let outcomes = outcomes.await;
        assert_eq!(succeeded(&outcomes), 1, "{outcomes:?}");
        assert_eq!(
            service.world.number("SELECT count(*) FROM vci_issuances").await,
            1
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
