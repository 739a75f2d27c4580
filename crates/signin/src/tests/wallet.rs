use std::sync::Arc;

use realdid_crypto::{KeyType, SecretKey, base64url_encode};
use realdid_did::{Commitment, DocumentData, Inception, TOKEN_LENGTH, VerificationKey};
use realdid_openid::authorization_request::{RequestContext, UnverifiedRequest, VerifiedRequest};
use realdid_openid::openid4vp_link::WalletLink;
use realdid_openid::realdid_jwt::{self, LoginClaims, VpToken};
use realdid_openid::site_statement::UnverifiedStatement;
use realdid_service::now_seconds;

use super::support::{Begun, Page, World, charter_claim, on_each};
use crate::login::{CROSS_DEVICE_LIFETIME, Device, LoginError, Stage};
use crate::login_store::StoreError;

/// The link on the page, as a browser reads it.
async fn link(world: &World, begun: &Begun) -> WalletLink {
    let page = world
        .get(&format!("/login/{}", begun.id), Some(&begun.cookie))
        .await
        .text;
    let start = page.find("openid4vp://").unwrap();
    let text = page[start..].split('"').next().unwrap().replace("&#38;", "&");
    WalletLink::parse(&text, true).unwrap()
}

/// The request behind it, checked as a wallet does.
async fn fetch(world: &World, link: &WalletLink, wallet_nonce: Option<&str>) -> VerifiedRequest {
    let path = link.request_uri.path();
    let page = match wallet_nonce {
        None => world.get(path, None).await,
        Some(nonce) => world.post(path, &format!("wallet_nonce={nonce}"), None).await,
    };
    assert_eq!(page.status, 200, "{}", page.text);
    assert_eq!(page.headers["content-type"], "application/oauth-authz-req+jwt");
    let request = UnverifiedRequest::parse(&page.text, &link.client_id).unwrap();
    let keys = world.app.site_keys.load(&world.site.client.client_id).unwrap();
    assert_eq!(request.key_fragment(), keys.public_key().to_multikey());
    let context = RequestContext {
        client_id: &link.client_id,
        request_uri: link.request_uri.as_str(),
        wallet_nonce,
        now: now_seconds(),
        sandbox: true,
    };
    request.verify(&keys.public_key(), &context).unwrap()
}

/// A presentation that only the ledger could tell from a valid one.
fn presentation(world: &World, request: &VerifiedRequest, alter: impl FnOnce(&mut LoginClaims)) -> String {
    let key = SecretKey::from_seed(KeyType::Ed25519, &[7; 32]);
    let app = &world.app;
    let inception = Inception {
        charter: app.charter_hash,
        document: DocumentData::new(vec![VerificationKey::authentication(key.public_key())], vec![]).unwrap(),
        next: Commitment(app.charter_hash),
        recovery: Commitment(app.charter_hash),
    };
    let did = inception.did(&app.charter.network);
    let mut claims = LoginClaims {
        iss: did.to_string(),
        did: did.long_form(&inception),
        aud: request.client_id().to_string(),
        nonce: request.nonce().to_owned(),
        iat: now_seconds(),
        exp: now_seconds() + 60,
        charter: charter_claim(app),
        token: base64url_encode([1; TOKEN_LENGTH]),
        credentials: vec![],
    };
    alter(&mut claims);
    realdid_jwt::sign(&claims, &did.key_url(&key.public_key()), &key).unwrap()
}

async fn answer(world: &World, request: &VerifiedRequest, presentation: String) -> Page {
    let token = serde_json::to_string(&VpToken::single("realname", presentation)).unwrap();
    let fields = [("vp_token", token.as_str()), ("state", request.state().unwrap())];
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    world.post(request.response_uri().path(), &body, None).await
}

#[tokio::test]
async fn the_request_is_signed_by_the_site_and_names_it() {
    on_each(async |world: World| {
        let begun = world.begin(&[]).await;
        let link = link(&world, &begun).await;
        assert_eq!(link.client_id, world.site.client.verifier_id());
        let request = fetch(&world, &link, None).await;
        assert_eq!(request.login().unwrap().level, "substantial");
        let statement = UnverifiedStatement::find(request.verifier_info())
            .unwrap()
            .unwrap();
        let app = &world.app;
        assert_eq!(statement.issuer(), app.identity.did(&app.charter).to_string());
        let (key, site) = (app.identity.public_key(), &world.site.client.site_did);
        let claims = statement
            .verify(&key, site, &charter_claim(app), now_seconds())
            .unwrap()
            .into_claims();
        assert_eq!(claims.name, "Site <A>");
        // Fetching twice is no harm: it is the same question.
        assert_eq!(fetch(&world, &link, None).await.nonce(), request.nonce());
    })
    .await;
}

// test: VP-24
#[tokio::test]
async fn a_wallets_nonce_is_repeated_if_it_is_not_too_long() {
    on_each(async |world: World| {
        let link = link(&world, &world.begin(&[]).await).await;
        let long = format!("wallet_nonce={}", "x".repeat(129));
        assert_eq!(world.post(link.request_uri.path(), &long, None).await.status, 400);
        fetch(&world, &link, Some("a-nonce-of-the-wallet")).await;
    })
    .await;
}

// test: SIG-12
#[tokio::test]
async fn an_unknown_or_expired_request_is_refused() {
    on_each(async |world: World| {
        let unknown = world.get("/request/unknown", None).await;
        assert_eq!(
            (unknown.status, unknown.json()["code"].as_str()),
            (404, Some("login_unknown"))
        );
        assert_eq!(
            world
                .post("/response/unknown", "vp_token=x&state=y", None)
                .await
                .status,
            404
        );
        let begun = world.begin(&[]).await;
        let link = link(&world, &begun).await;
        let scanned = world
            .app
            .database
            .latest_request(&begun.id, Device::Other)
            .await
            .unwrap()
            .unwrap();
        let late = world
            .app
            .database
            .request(&scanned.id, now_seconds() + CROSS_DEVICE_LIFETIME + 1)
            .await;
        assert!(matches!(late, Err(StoreError::Login(LoginError::Unknown))));
        fetch(&world, &link, None).await;
    })
    .await;
}

// test: LOG-01, LOG-02, LOG-03, LOG-04, LOG-10
#[tokio::test]
async fn a_presentation_made_for_something_else_is_refused_and_the_login_stays_open() {
    on_each(async |world: World| {
        let begun = world.begin(&[]).await;
        let request = fetch(&world, &link(&world, &begun).await, None).await;
        type Alter = fn(&mut LoginClaims);
        let cases: [(Alter, &str); 5] = [
            (|claims| claims.nonce.push('x'), "wrong_nonce"),
            (|claims| claims.aud.push('x'), "wrong_audience"),
            (|claims| claims.exp = claims.iat, "presentation_expired"),
            (
                |claims| claims.charter = base64url_encode([0; 32]),
                "other_network",
            ),
            (|claims| claims.token.truncate(8), "malformed_token"),
        ];
        for (alter, code) in cases {
            let page = answer(&world, &request, presentation(&world, &request, alter)).await;
            assert_eq!((page.status, page.json()["code"].as_str()), (403, Some(code)));
            assert_eq!(page.headers["content-type"], "application/problem+json");
            assert!(
                page.json()["request_id"]
                    .as_str()
                    .is_some_and(|id| !id.is_empty())
            );
        }
        assert_eq!(world.login(&begun).await.stage, Stage::Waiting);
        fetch(&world, &link(&world, &begun).await, None).await;
    })
    .await;
}

#[tokio::test]
async fn with_the_node_down_the_login_stays_open() {
    on_each(async |world: World| {
        let begun = world.begin(&[]).await;
        let request = fetch(&world, &link(&world, &begun).await, None).await;
        for _ in 0..2 {
            let page = answer(&world, &request, presentation(&world, &request, |_| ())).await;
            assert_eq!(
                (page.status, page.json()["code"].as_str()),
                (503, Some("ledger_unavailable"))
            );
            assert_eq!(page.headers["retry-after"], "5");
            assert!(!page.text.contains("did:real"), "no identifier in an error");
        }
        assert_eq!(world.login(&begun).await.stage, Stage::Waiting);
        assert_eq!(world.get("/health/live", None).await.status, 200);
        assert_eq!(world.get("/health/ready", None).await.status, 503);
    })
    .await;
}

// test: VP-23
#[tokio::test]
async fn oversized_and_malformed_answers_are_refused() {
    on_each(async |world: World| {
        let begun = world.begin(&[]).await;
        let request = fetch(&world, &link(&world, &begun).await, None).await;
        let at = request.response_uri().path().to_owned();
        let state = request.state().unwrap();
        for body in [
            "",
            "vp_token=x",
            &format!("state={state}"),
            &format!("state={state}&vp_token=a&vp_token=b"),
        ] {
            let page = world.post(&at, body, None).await;
            assert_eq!(
                (page.status, page.json()["code"].as_str()),
                (400, Some("malformed_answer")),
                "{body}"
            );
        }
        let huge = format!("state={state}&vp_token={}", "x".repeat(300_000));
        let refused = world.post(&at, &huge, None).await;
        assert_eq!(
            (refused.status, refused.json()["code"].as_str()),
            (413, Some("body_too_large"))
        );
        assert_eq!(world.login(&begun).await.stage, Stage::Waiting);
    })
    .await;
}

#[tokio::test]
async fn the_signing_key_stays_over_a_restart() {
    on_each(async |world: World| {
        let app = Arc::clone(&world.app);
        let directory = app.site_keys.directory().parent().unwrap().to_owned();
        let again = crate::signing_key::load_or_create(&directory.join("id-token.key")).unwrap();
        assert_eq!(again.public_key(), app.signing_key.public_key());
        app.database.remember_seen(9).await.unwrap();
        app.database.remember_seen(7).await.unwrap();
        assert_eq!(app.database.highest_seen().await.unwrap(), 9);
    })
    .await;
}
