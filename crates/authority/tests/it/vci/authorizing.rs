//! The way through a browser: pushed request, page, code, token.

use realdid_authority::credential_issuer::{Policy, authorization::Wallet as Registered};
use realdid_crypto::KeyType;
use realdid_openid::oauth::TokenResponse;
use realdid_openid::oidc::CodeChallenge;
use reqwest::Response;
use serde_json::{Value, json};
use url::Url;

use super::flow::ordered;
use super::wallet::{Wallet, error, new_key};
use super::world::{Kind, Service};
use crate::support::{on_each, somebody};

const VERIFIER: &str = "a-verifier-of-more-than-forty-three-characters";
const BACK: &str = "http://127.0.0.1:9/wallet";

/// The parameters of a good request.
fn parameters() -> Vec<(&'static str, String)> {
    let challenge = serde_json::to_value(CodeChallenge::of(VERIFIER)).unwrap();
    vec![
        ("response_type", "code".into()),
        ("client_id", "a wallet".into()),
        ("redirect_uri", BACK.into()),
        ("scope", "realname unknown".into()),
        ("state", "a state".into()),
        ("code_challenge", challenge.as_str().unwrap().into()),
        ("code_challenge_method", "S256".into()),
    ]
}

fn with(name: &'static str, value: &str) -> Vec<(&'static str, String)> {
    let mut all = parameters();
    all.retain(|(known, _)| *known != name);
    all.push((name, value.to_owned()));
    all
}

async fn push(service: &Service, parameters: &[(&str, String)]) -> Response {
    service
        .client
        .post(format!("{}/vci/par", service.url))
        .form(parameters)
        .send()
        .await
        .unwrap()
}

async fn pushed(service: &Service, parameters: &[(&str, String)]) -> String {
    let answer = push(service, parameters).await;
    assert_eq!(answer.status(), 201);
    answer.json::<Value>().await.unwrap()["request_uri"]
        .as_str()
        .unwrap()
        .to_owned()
}

async fn open(service: &Service, request_uri: &str, client: &str) -> Response {
    let mut url = Url::parse(&format!("{}/vci/authorize", service.url)).unwrap();
    url.query_pairs_mut()
        .append_pair("client_id", client)
        .append_pair("request_uri", request_uri);
    service.client.get(url).send().await.unwrap()
}

/// A page that has been opened: its cookie.
async fn page(service: &Service, parameters: &[(&str, String)]) -> String {
    let answer = open(service, &pushed(service, parameters).await, "a wallet").await;
    assert_eq!(answer.status(), 200);
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"));
    assert!(
        answer.headers()["content-security-policy"]
            .to_str()
            .unwrap()
            .contains("frame-ancestors 'none'")
    );
    assert!(
        answer.text().await.unwrap().contains(BACK),
        "the page tells where it goes"
    );
    cookie.split(';').next().unwrap().to_owned()
}

async fn send(service: &Service, cookie: &str, fields: &[(&str, &str)]) -> Response {
    let request = service.client.post(format!("{}/vci/authorize", service.url));
    request
        .header("cookie", cookie)
        .form(fields)
        .send()
        .await
        .unwrap()
}

async fn identify(service: &Service, cookie: &str, index: u64, count: usize) -> String {
    let person = somebody(index);
    let fields = [
        ("step", "person"),
        ("name", &person.name),
        ("number", &person.number),
    ];
    assert_eq!(send(service, cookie, &fields).await.status(), 200);
    service.code(count).await
}

fn returned(answer: &Response) -> Url {
    assert_eq!(answer.status(), 303);
    Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap()
}

fn parameter(url: &Url, name: &str) -> String {
    let found = url.query_pairs().find(|(known, _)| known == name);
    found.map(|(_, value)| value.into_owned()).unwrap_or_default()
}

/// A code for a person.
async fn authorized(service: &Service, parameters: &[(&str, String)], count: usize) -> String {
    let cookie = page(service, parameters).await;
    let code = identify(service, &cookie, 0, count).await;
    let back = returned(&send(service, &cookie, &[("step", "code"), ("code", &code)]).await);
    assert!(back.as_str().starts_with(BACK));
    assert_eq!(
        (parameter(&back, "state"), parameter(&back, "iss")),
        ("a state".into(), service.url.clone())
    );
    parameter(&back, "code")
}

async fn exchange(wallet: &Wallet<'_>, code: &str, client: &str, back: &str, verifier: &str) -> Response {
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("client_id", client),
        ("redirect_uri", back),
        ("code_verifier", verifier),
    ];
    wallet.ask_token(&fields).await
}

// test: OAU-10
// test: OAU-33
#[tokio::test]
async fn a_person_authorizes_a_wallet_with_the_code_that_was_sent() {
    on_each(async |world| {
        let service = Service::start(world, Kind::Authority).await;
        let wallet = Wallet::with_dpop(&service).await;
        let code = authorized(&service, &parameters(), 1).await;
        let tokens: TokenResponse = exchange(&wallet, &code, "a wallet", BACK, VERIFIER)
            .await
            .json()
            .await
            .unwrap();
        assert_eq!(
            (tokens.is_dpop(), tokens.scope.as_deref()),
            (true, Some("realname"))
        );
        assert_eq!(wallet.take(&tokens, "realname", 2).await.0.len(), 2);
        // A second use takes back what the first one gave.
        let again = exchange(&wallet, &code, "a wallet", BACK, VERIFIER).await;
        assert_eq!(error(again).await, (400, "invalid_grant".into()));
        let body = wallet.wish("realname", &[new_key(KeyType::P256)]).await;
        assert_eq!(
            error(wallet.ask(&tokens, &body).await).await,
            (401, "invalid_token".into())
        );
    })
    .await;
}

// test: OAU-11
// test: OAU-12
// test: OIDC-03
#[tokio::test]
async fn a_code_is_for_one_client_address_verifier_and_minute() {
    on_each(async |world| {
        let service = Service::start(world, Kind::Authority).await;
        let wallet = Wallet::new(&service).await;
        let code = authorized(&service, &parameters(), 1).await;
        let refused = (400, "invalid_grant".to_owned());
        let other_verifier = "another-verifier-of-more-than-forty-three-characters";
        for (client, back, verifier) in [
            ("another", BACK, VERIFIER),
            ("a wallet", "http://127.0.0.1:9/other", VERIFIER),
            ("a wallet", BACK, other_verifier),
        ] {
            assert_eq!(
                error(exchange(&wallet, &code, client, back, verifier).await).await,
                refused
            );
        }
        let pool = service.world.pool().await;
        sqlx::query("UPDATE vci_codes SET expires_at = 1")
            .execute(&pool)
            .await
            .unwrap();
        assert_eq!(
            error(exchange(&wallet, &code, "a wallet", BACK, VERIFIER).await).await,
            refused
        );
        sqlx::query("UPDATE vci_codes SET expires_at = 4000000000")
            .execute(&pool)
            .await
            .unwrap();
        pool.close().await;
        assert_eq!(
            exchange(&wallet, &code, "a wallet", BACK, VERIFIER)
                .await
                .status(),
            200
        );
    })
    .await;
}

// test: DPOP-13
// test: DPOP-16
#[tokio::test]
async fn a_code_can_be_bound_to_a_key_beforehand() {
    on_each(async |world| {
        let service = Service::start(world, Kind::Authority).await;
        let wallet = Wallet::with_dpop(&service).await;
        let key = wallet.dpop.as_ref().unwrap().public_key();
        let bound = with("dpop_jkt", &realdid_jose::jwk::thumbprint(&key));
        let url = wallet
            .server
            .pushed_authorization_request_endpoint
            .clone()
            .unwrap();
        let thief = Wallet::with_dpop(&service).await;
        let request = service.client.post(&url).form(&bound);
        let request = request.header("dpop", thief.proof_for(&url, None, None).unwrap());
        assert_eq!(
            error(request.send().await.unwrap()).await,
            (400, "invalid_grant".into())
        );
        let code = authorized(&service, &bound, 1).await;
        let stolen = exchange(&thief, &code, "a wallet", BACK, VERIFIER).await;
        assert_eq!(error(stolen).await, (400, "invalid_grant".into()));
        assert_eq!(
            exchange(&wallet, &code, "a wallet", BACK, VERIFIER)
                .await
                .status(),
            200
        );
    })
    .await;
}

// test: OAU-20
// test: OAU-21
#[tokio::test]
async fn a_pushed_request_holds_only_what_may_be_asked() {
    on_each(async |world| {
        let policy = Policy {
            wallets: vec![Registered {
                client_id: "known".into(),
                name: "A known wallet".into(),
                redirect_uris: vec!["https://wallet.example/back".into()],
            }],
            ..Policy::default()
        };
        let service = Service::start_with(world, Kind::Authority, policy, 1).await;
        let invalid = (400, "invalid_request".to_owned());
        for address in [
            "javascript:alert(1)",
            "http://wallet.example/",
            "data:text/html,x",
            "https://a@b.example/",
            "/x",
        ] {
            assert_eq!(
                error(push(&service, &with("redirect_uri", address)).await).await,
                invalid,
                "{address}"
            );
        }
        let nested = with("request_uri", "urn:ietf:params:oauth:request_uri:x");
        assert_eq!(error(push(&service, &nested).await).await, invalid);
        let mut known = with("client_id", "known");
        assert_eq!(error(push(&service, &known).await).await, invalid);
        known.retain(|(name, _)| *name != "redirect_uri");
        known.push(("redirect_uri", "https://wallet.example/back".into()));
        assert_eq!(push(&service, &known).await.status(), 201);
        for address in ["https://wallet.example/", "com.example.wallet:/back", BACK] {
            assert_eq!(
                push(&service, &with("redirect_uri", address)).await.status(),
                201,
                "{address}"
            );
        }
    })
    .await;
}

// test: OAU-22
// test: OAU-27
// test: OAU-28
#[tokio::test]
async fn a_pushed_request_works_once_soon_and_for_its_client() {
    on_each(async |world| {
        let service = Service::start(world, Kind::Authority).await;
        let uri = pushed(&service, &parameters()).await;
        let pool = service.world.pool().await;
        assert_eq!(open(&service, &uri, "another").await.status(), 400);
        let uri = pushed(&service, &parameters()).await;
        sqlx::query("UPDATE vci_pushed SET expires_at = 1")
            .execute(&pool)
            .await
            .unwrap();
        assert_eq!(open(&service, &uri, "a wallet").await.status(), 400);
        pool.close().await;
        let uri = pushed(&service, &parameters()).await;
        assert_eq!(open(&service, &uri, "a wallet").await.status(), 200);
        assert_eq!(open(&service, &uri, "a wallet").await.status(), 400);
    })
    .await;
}

// test: OAU-26
// test: OAU-06
// test: OAU-21
#[tokio::test]
async fn requests_are_pushed_unless_the_policy_lets_them_come_open() {
    on_each(async |world| {
        let service = Service::start_with(world, Kind::Authority, Policy::default(), 1).await;
        let mut url = Url::parse(&format!("{}/vci/authorize", service.url)).unwrap();
        url.query_pairs_mut().extend_pairs(parameters());
        assert_eq!(
            service.client.get(url.clone()).send().await.unwrap().status(),
            400
        );
        assert_eq!(
            open(&service, &pushed(&service, &parameters()).await, "a wallet")
                .await
                .status(),
            200
        );
    })
    .await;
    on_each(async |world| {
        let policy = Policy {
            require_pushed: false,
            ..Policy::default()
        };
        let service = Service::start_with(world, Kind::Authority, policy, 1).await;
        let mut url = Url::parse(&format!("{}/vci/authorize", service.url)).unwrap();
        url.query_pairs_mut().extend_pairs(parameters());
        assert_eq!(
            service.client.get(url.clone()).send().await.unwrap().status(),
            200
        );
        // Once the address is accepted, what is wrong besides is told there.
        url.query_pairs_mut()
            .clear()
            .extend_pairs(with("scope", "nothing"));
        let back = returned(&service.client.get(url.clone()).send().await.unwrap());
        assert_eq!(
            (parameter(&back, "error"), parameter(&back, "state")),
            ("invalid_scope".into(), "a state".into())
        );
        // Until then, nothing is redirected anywhere.
        url.query_pairs_mut()
            .clear()
            .extend_pairs(with("redirect_uri", "javascript:alert(1)"));
        assert_eq!(service.client.get(url).send().await.unwrap().status(), 400);
    })
    .await;
}

// test: OAU-23
// test: OAU-25
// test: OAU-29
// test: OAU-36
#[tokio::test]
async fn a_page_takes_the_right_code_once_in_time_and_not_by_guessing() {
    on_each(async |world| {
        let service = Service::start(world, Kind::Authority).await;
        let guess = async |cookie: &str, code: &str| {
            send(&service, cookie, &[("step", "code"), ("code", code)]).await
        };
        let cookie = page(&service, &parameters()).await;
        let code = identify(&service, &cookie, 0, 1).await;
        assert_eq!(guess(&cookie, "00000000").await.status(), 403);
        let pool = service.world.pool().await;
        sqlx::query("UPDATE vci_authorizations SET expires_at = 1")
            .execute(&pool)
            .await
            .unwrap();
        assert_eq!(guess(&cookie, &code).await.status(), 400);
        sqlx::query("UPDATE vci_authorizations SET expires_at = 4000000000")
            .execute(&pool)
            .await
            .unwrap();
        pool.close().await;
        returned(&guess(&cookie, &code).await);
        assert_eq!(guess(&cookie, &code).await.status(), 410);
        // Five tries, then it is over even with the right one.
        let cookie = page(&service, &parameters()).await;
        let code = identify(&service, &cookie, 1, 2).await;
        for _ in 0..5 {
            assert_eq!(guess(&cookie, "00000000").await.status(), 403);
        }
        assert_eq!(guess(&cookie, &code).await.status(), 410);
        // Without the browser's cookie there is no page.
        assert_eq!(guess("issuer-page=another", &code).await.status(), 400);
    })
    .await;
}

// test: ENR-11
#[tokio::test]
async fn a_page_does_not_tell_whether_a_person_exists() {
    on_each(async |world| {
        let service = Service::start(world, Kind::Authority).await;
        let person = somebody(0);
        let mut pages = Vec::new();
        for (name, number) in [
            (person.name.as_str(), person.number.as_str()),
            ("Nobody", person.number.as_str()),
            ("Nobody", "000000000000000000"),
        ] {
            let cookie = page(&service, &parameters()).await;
            let answer = send(
                &service,
                &cookie,
                &[("step", "person"), ("name", name), ("number", number)],
            )
            .await;
            pages.push((answer.status(), answer.text().await.unwrap()));
        }
        assert!(pages[0] == pages[1] && pages[1] == pages[2]);
        // One of them was sent a code.
        service.code(1).await;
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        assert_eq!(service.outbox.delivered().len(), 1);
        // The same for offers.
        let offer = async |name: &str| {
            let body = json!({ "name": name, "number": person.number });
            let answer = service.post("/v1/credential-offers/identify", &body).await;
            let (status, made) = (answer.status(), answer.json::<Value>().await.unwrap());
            (
                status,
                made["link"].as_str().unwrap().len(),
                made["expires_in"].clone(),
            )
        };
        assert_eq!(offer(&person.name).await, offer("Nobody").await);
        // The person may say no.
        let cookie = page(&service, &parameters()).await;
        let back = returned(&send(&service, &cookie, &[("step", "cancel")]).await);
        assert_eq!(parameter(&back, "error"), "access_denied");
    })
    .await;
}

// test: OAU-24
// test: OAU-37
#[tokio::test]
async fn an_offer_leads_through_the_page_too() {
    on_each(async |world| {
        let service = Service::start(world, Kind::Office).await;
        let wallet = Wallet::new(&service).await;
        let made = ordered(&service, &json!({ "record": "D-1001", "tx_code": true })).await;
        let offer = wallet.offer(made["link"].as_str().unwrap()).await;
        let state = offer.grants.authorization_code.unwrap().issuer_state.unwrap();
        let mut asked = with("scope", "driving_licence");
        asked.push(("issuer_state", state));
        let (one, other) = (page(&service, &asked).await, page(&service, &asked).await);
        let guess = async |cookie: &str, code: &str| {
            send(&service, cookie, &[("step", "offer"), ("code", code)]).await
        };
        assert_eq!(guess(&one, "0").await.status(), 403);
        let code = made["tx_code"].as_str().unwrap();
        let back = returned(&guess(&one, code).await);
        assert_eq!(guess(&other, code).await.status(), 410);
        let tokens = exchange(&wallet, &parameter(&back, "code"), "a wallet", BACK, VERIFIER).await;
        wallet
            .take(&tokens.json().await.unwrap(), "driving_licence", 1)
            .await;
        // Without an offer, the office's page leads nowhere.
        let cookie = page(&service, &with("scope", "driving_licence")).await;
        assert_eq!(
            send(
                &service,
                &cookie,
                &[("step", "person"), ("name", "n"), ("number", "1")]
            )
            .await
            .status(),
            400
        );
    })
    .await;
}

#[tokio::test]
async fn a_page_for_people_gives_the_offer_as_link_and_qr() {
    on_each(async |world| {
        let service = Service::start(world, Kind::Authority).await;
        assert!(
            service
                .get("/credential")
                .await
                .text()
                .await
                .unwrap()
                .contains("<form")
        );
        let person = somebody(0);
        let answer = service
            .form(
                "/credential",
                &[("name", &person.name), ("number", &person.number)],
            )
            .await;
        assert_eq!(answer.status(), 200);
        let html = answer.text().await.unwrap();
        assert!(html.contains("<svg") && !html.contains(&person.number) && !html.contains("<script"));
        let link = html
            .split("href=\"")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap()
            .replace("&#38;", "&");
        let wallet = Wallet::new(&service).await;
        let tokens = wallet.token(&link, Some(&service.code(1).await)).await;
        wallet.take(&tokens, "realname", 1).await;
    })
    .await;
}
