//! A browser on the authorization page, and the wallet that sent it there.

use realdid_openid::oidc::CodeChallenge;
use reqwest::Response;
use serde_json::Value;
use url::Url;

use super::wallet::Wallet;
use super::world::Service;
use crate::support::somebody;

pub const VERIFIER: &str = "a-verifier-of-more-than-forty-three-characters";
pub const BACK: &str = "http://127.0.0.1:9/wallet";

/// The parameters of a good request.
pub fn parameters() -> Vec<(&'static str, String)> {
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

pub fn with(name: &'static str, value: &str) -> Vec<(&'static str, String)> {
    let mut all = parameters();
    all.retain(|(known, _)| *known != name);
    all.push((name, value.to_owned()));
    all
}

pub async fn push(service: &Service, parameters: &[(&str, String)]) -> Response {
    service
        .client
        .post(format!("{}/vci/par", service.url))
        .form(parameters)
        .send()
        .await
        .unwrap()
}

pub async fn pushed(service: &Service, parameters: &[(&str, String)]) -> String {
    let answer = push(service, parameters).await;
    assert_eq!(answer.status(), 201);
    answer.json::<Value>().await.unwrap()["request_uri"]
        .as_str()
        .unwrap()
        .to_owned()
}

pub async fn open(service: &Service, request_uri: &str, client: &str) -> Response {
    let mut url = Url::parse(&format!("{}/vci/authorize", service.url)).unwrap();
    url.query_pairs_mut()
        .append_pair("client_id", client)
        .append_pair("request_uri", request_uri);
    service.client.get(url).send().await.unwrap()
}

/// A page that a browser has opened: its cookie, and what its forms carry; empty if it has none.
pub struct Opened {
    pub cookie: String,
    pub form: String,
}

/// The same request once more, by the browser that has the page open.
pub async fn reload(service: &Service, request_uri: &str, page: &Opened) -> Response {
    let fields = [("client_id", "a wallet"), ("request_uri", request_uri)];
    let request = service.client.get(format!("{}/vci/authorize", service.url));
    let request = request.query(&fields).header("cookie", &page.cookie);
    request.send().await.unwrap()
}

pub async fn page(service: &Service, parameters: &[(&str, String)]) -> Opened {
    page_of(service, &pushed(service, parameters).await).await
}

pub async fn page_of(service: &Service, request_uri: &str) -> Opened {
    let answer = open(service, request_uri, "a wallet").await;
    assert_eq!(answer.status(), 200);
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"));
    assert!(
        answer.headers()["content-security-policy"]
            .to_str()
            .unwrap()
            .contains("frame-ancestors 'none'")
    );
    let html = answer.text().await.unwrap();
    assert!(html.contains(BACK), "the page tells where it goes");
    let form = html.split("name=\"page\" value=\"").nth(1).unwrap_or_default();
    Opened {
        cookie: cookie.split(';').next().unwrap().to_owned(),
        form: form.split('"').next().unwrap_or_default().to_owned(),
    }
}

/// Sends a form of a page.
pub async fn send(service: &Service, page: &Opened, fields: &[(&str, &str)]) -> Response {
    let mut fields = fields.to_vec();
    fields.push(("page", &page.form));
    let request = service.client.post(format!("{}/vci/authorize", service.url));
    let request = request.header("cookie", &page.cookie);
    request.form(&fields).send().await.unwrap()
}

pub async fn identify(service: &Service, page: &Opened, index: u64, count: usize) -> String {
    let person = somebody(index);
    let fields = [
        ("step", "person"),
        ("name", &person.name),
        ("number", &person.number),
    ];
    assert_eq!(send(service, page, &fields).await.status(), 200);
    service.code(count).await
}

pub fn returned(answer: &Response) -> Url {
    assert_eq!(answer.status(), 303);
    Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap()
}

pub fn parameter(url: &Url, name: &str) -> String {
    let found = url.query_pairs().find(|(known, _)| known == name);
    found.map(|(_, value)| value.into_owned()).unwrap_or_default()
}

/// A code for a person.
pub async fn authorized(service: &Service, parameters: &[(&str, String)], count: usize) -> String {
    let opened = page(service, parameters).await;
    let code = identify(service, &opened, 0, count).await;
    let back = returned(&send(service, &opened, &[("step", "code"), ("code", &code)]).await);
    assert!(back.as_str().starts_with(BACK));
    assert_eq!(
        (parameter(&back, "state"), parameter(&back, "iss")),
        ("a state".into(), service.url.clone())
    );
    parameter(&back, "code")
}

pub async fn exchange(wallet: &Wallet<'_>, code: &str, client: &str, back: &str, verifier: &str) -> Response {
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("client_id", client),
        ("redirect_uri", back),
        ("code_verifier", verifier),
    ];
    wallet.ask_token(&fields).await
}
