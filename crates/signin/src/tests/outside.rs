//! What goes out: webhooks to websites, and questions for status lists.

use realdid_credential::status::token::{Publication, issue as publish};
use realdid_credential::status::{Bits, Status, StatusList};
use realdid_crypto::SecretKey;
use realdid_openid::jws::Unverified;
use realdid_service::now_seconds;
use serde_json::{Map, Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::presentations::{ask, show, with, with_site};
use super::presenter::{Presenter, Rest, answer};
use super::support::World;
use crate::webhooks::tell_due;

/// Listens, answers each request with the next of the answers, hands out what came.
async fn listen(answers: Vec<(u16, &'static str, String)>) -> (String, tokio::task::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let heard = tokio::spawn(async move {
        let mut heard = Vec::new();
        for (status, media_type, body) in answers {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            let mut chunk = [0; 65536];
            loop {
                let read = socket.read(&mut chunk).await.unwrap();
                request.extend_from_slice(&chunk[..read]);
                let text = String::from_utf8_lossy(&request).into_owned();
                let length = text
                    .to_lowercase()
                    .split("content-length: ")
                    .nth(1)
                    .and_then(|rest| rest.split("\r\n").next()?.parse::<usize>().ok());
                if let Some((_, body)) = text.split_once("\r\n\r\n")
                    && body.len() >= length.unwrap_or(0)
                {
                    break;
                }
            }
            let answer = format!(
                "HTTP/1.1 {status} X\r\ncontent-type: {media_type}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            socket.write_all(answer.as_bytes()).await.unwrap();
            heard.push(String::from_utf8_lossy(&request).into_owned());
        }
        heard
    });
    (address, heard)
}

#[tokio::test]
async fn a_website_is_told_and_told_again_until_it_listens() {
    with_site(async |world, presenter, rest| {
        let no = |status| (status, "text/plain", String::new());
        let (address, heard) = listen(vec![no(500), no(302), no(204)]).await;
        let started = show(presenter, &rest, &with("webhook_url", format!("{address}/hook"))).await;
        let now = now_seconds();
        for at in [now, now + 1, now + 5, now + 6, now + 40, now + 4000] {
            tell_due(&world.app, at).await.unwrap();
        }
        let heard = heard.await.unwrap();
        assert_eq!(heard.len(), 3);
        let (head, body) = heard[2].split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("POST /hook") && head.contains("application/jwt"));
        let event = Unverified::parse(body).unwrap();
        let key = world.app.signing_key.public_key();
        let claims: Value = event.verify(&key, "realdid-event+jwt").unwrap().into_claims();
        assert_eq!(claims["event"], "presentation.completed");
        assert_eq!(claims["presentation"], started["id"]);
        assert_eq!(claims["aud"], json!(rest.site.client.client_id));
        assert_eq!(claims.as_object().unwrap().len(), 6, "nothing about the holder");
    })
    .await;
}

/// A status list in which one index has this status, signed by this key under this header.
fn list(key: &SecretKey, header: Map<String, Value>, uri: &str, status: Status) -> String {
    let list = StatusList::build(Bits::Two, 64, [(7, status)]).unwrap();
    let now = now_seconds();
    let publication = Publication {
        uri,
        issued_at: now,
        expires_at: now + 600,
        time_to_live: 300,
        aggregation_uri: None,
    };
    publish(key, header, &list, &publication).unwrap()
}

/// Serves a list; gives its address.
async fn serve(make: impl FnOnce(&str) -> String) -> (String, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://{}/list", listener.local_addr().unwrap());
    let text = make(&uri);
    let router = axum::Router::new().route("/list", axum::routing::get(async move || text.clone()));
    (
        uri,
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }),
    )
}

async fn with_status(
    world: &World,
    presenter: &Presenter,
    rest: &Rest<'_>,
    status: Option<Status>,
) -> (u16, Value) {
    let (uri, serving) = match status {
        Some(status) => serve(|uri| list(presenter.issuer_key(), Map::new(), uri, status)).await,
        None => ("http://127.0.0.1:9/list".to_owned(), tokio::spawn(async {})),
    };
    let started = rest.start(&ask()).await;
    let request = presenter.fetch(world, started["link"].as_str().unwrap()).await;
    let credential = presenter.with_status(&uri, 7);
    let page = answer(world, &request, &presenter.show(&request, &credential)).await;
    serving.abort();
    // What was kept serves though nobody listens any more.
    let again = rest.start(&ask()).await;
    let request = presenter.fetch(world, again["link"].as_str().unwrap()).await;
    let kept = answer(world, &request, &presenter.show(&request, &credential)).await;
    assert_eq!(kept.status, page.status);
    (page.status, page.json()["code"].clone())
}

// test: CRD-12
// test: CRD-13
// test: CRD-14
#[tokio::test]
async fn a_credential_that_is_revoked_suspended_or_of_unknown_status_is_refused() {
    with_site(async |world, presenter, rest| {
        for (status, expected) in [
            (None, (503, json!("status_unavailable"))),
            (Some(Status::Invalid), (403, json!("credential_revoked"))),
            (Some(Status::Suspended), (403, json!("credential_suspended"))),
            (Some(Status::Application(3)), (403, json!("credential_revoked"))),
            (Some(Status::Valid), (200, Value::Null)),
        ] {
            assert_eq!(with_status(world, presenter, &rest, status).await, expected);
        }
    })
    .await;
}

// test: CRD-12, JWS-06
#[tokio::test]
async fn a_status_list_is_signed_by_the_issuer_or_one_the_same_authority_certifies() {
    with_site(async |world, presenter, rest| {
        let another = presenter.certificate("status.example");
        let stranger = Presenter::new().certificate("status.example");
        for (signer, expected) in [(&stranger, 503), (&another, 200)] {
            let header = Map::from_iter([("x5c".to_owned(), signer.chain().to_x5c())]);
            let (uri, serving) = serve(|uri| list(signer.key(), header, uri, Status::Valid)).await;
            let started = rest.start(&ask()).await;
            let request = presenter.fetch(world, started["link"].as_str().unwrap()).await;
            let credential = presenter.with_status(&uri, 7);
            let page = answer(world, &request, &presenter.show(&request, &credential)).await;
            assert_eq!(page.status, expected, "{}", page.text);
            serving.abort();
        }
    })
    .await;
}

/// What is not known to be an issuer's is not followed, whatever stands beside it.
// test: CRD-10, X5C-02
#[tokio::test]
async fn no_address_is_asked_for_a_credential_that_nobody_trusts() {
    with_site(async |world, presenter, rest| {
        let list = |uri: &str| list(presenter.issuer_key(), Map::new(), uri, Status::Valid);
        let (good, serving) = serve(list).await;
        let trap = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let elsewhere = format!("http://{}/list", trap.local_addr().unwrap());
        let mut query = super::presenter::licence_query();
        let mut second = query["credentials"][0].clone();
        second["id"] = json!("other");
        query["credentials"].as_array_mut().unwrap().push(second);
        let started = rest.start(&json!({ "dcql_query": query })).await;
        let request = presenter.fetch(world, started["link"].as_str().unwrap()).await;
        let forged = Presenter::new().with_status(&elsewhere, 7);
        let shown = |credential: &str| presenter.show(&request, credential);
        let vp_token = json!({ "licence": [shown(&presenter.with_status(&good, 7))], "other": [shown(&forged)] });
        let page = super::presenter::post(world, &request, &vp_token).await;
        assert_eq!(
            (page.status, page.json()["code"].as_str()),
            (403, Some("issuer_not_accredited"))
        );
        let asked = tokio::time::timeout(std::time::Duration::from_millis(200), trap.accept()).await;
        assert!(asked.is_err(), "an address that a stranger set was asked");
        let both = json!({ "licence": [shown(&presenter.with_status(&good, 7))], "other": [shown(&presenter.with_status(&good, 7))] });
        let page = super::presenter::post(world, &request, &both).await;
        assert_eq!(page.status, 200, "{}", page.text);
        serving.abort();
    })
    .await;
}
