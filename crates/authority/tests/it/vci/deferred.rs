//! Credentials that somebody looks at first.

use realdid_crypto::KeyType;
use realdid_openid::oauth::TokenResponse;
use reqwest::Response;
use serde_json::{Value, json};

use super::flow::licence;
use super::tokens::run;
use super::wallet::{Wallet, credentials, error, new_key};
use super::world::{Kind, OPERATOR, Service};
use crate::support::on_each;

const PERMIT: &str = "international_permit";

/// A request for the permit, put off: the token, and what to ask for again.
pub async fn put_off(service: &Service, wallet: &Wallet<'_>) -> (TokenResponse, Value) {
    let tokens = wallet.token(&licence(service, PERMIT).await, None).await;
    let body = wallet.wish(PERMIT, &[new_key(KeyType::P256)]).await;
    let answer = wallet.ask(&tokens, &body).await;
    assert_eq!(answer.status(), 202);
    let answer: Value = answer.json().await.unwrap();
    assert!(answer["interval"].as_f64().unwrap() >= 1.0 && answer.get("credentials").is_none());
    (tokens, json!({ "transaction_id": answer["transaction_id"] }))
}

async fn fetch(wallet: &Wallet<'_>, tokens: &TokenResponse, again: &Value) -> Response {
    let url = wallet.metadata.deferred_credential_endpoint.clone().unwrap();
    let request = wallet.authorized(&url, tokens).json(again);
    request.send().await.unwrap()
}

async fn decide(service: &Service, approve: bool) {
    let request = service.client.get(format!("{}/v1/issuer/waiting", service.url));
    let answer = request.bearer_auth(OPERATOR).send().await.unwrap();
    let waiting: Value = answer.json().await.unwrap();
    let order = json!({ "id": waiting["waiting"][0]["id"], "approve": approve });
    assert_eq!(service.operate("decide", &order).await.status(), 200);
}

// test: VCI-42
#[tokio::test]
async fn what_needs_a_look_is_put_off_until_somebody_has_looked() {
    on_each(async |world| {
        let service = Service::start(world, Kind::Office).await;
        let wallet = Wallet::new(&service).await;
        let (tokens, again) = put_off(&service, &wallet).await;
        let answer = fetch(&wallet, &tokens, &again).await;
        assert_eq!(answer.status(), 202);
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["transaction_id"], again["transaction_id"]);
        decide(&service, true).await;
        let answer = fetch(&wallet, &tokens, &again).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(credentials(&answer.json().await.unwrap()).len(), 1);
        let answer = fetch(&wallet, &tokens, &again).await;
        assert_eq!(error(answer).await, (400, "invalid_transaction_id".into()));
        let (tokens, again) = put_off(&service, &wallet).await;
        decide(&service, false).await;
        let answer = fetch(&wallet, &tokens, &again).await;
        assert_eq!(error(answer).await, (400, "credential_request_denied".into()));
    })
    .await;
}

#[tokio::test]
async fn what_fails_on_the_way_can_be_fetched_again() {
    on_each(async |world| {
        let service = Service::start(world, Kind::Office).await;
        let wallet = Wallet::new(&service).await;
        let (tokens, again) = put_off(&service, &wallet).await;
        decide(&service, true).await;
        run(&service, "ALTER TABLE vci_issuances RENAME TO elsewhere").await;
        let failed = fetch(&wallet, &tokens, &again).await;
        assert_eq!(failed.status(), 500);
        // What failed is for the log, not for strangers.
        let told: Value = failed.json().await.unwrap();
        assert_eq!(told["error_description"], "the issuer failed; try again later");
        run(&service, "ALTER TABLE elsewhere RENAME TO vci_issuances").await;
        assert_eq!(fetch(&wallet, &tokens, &again).await.status(), 200);
    })
    .await;
}
