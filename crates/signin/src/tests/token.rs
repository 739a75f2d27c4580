use realdid_did::Level;
use realdid_openid::jwk::Jwk;
use realdid_openid::jws::Unverified;
use realdid_openid::oidc::id_token::access_token_hash;
use realdid_openid::oidc::{IdTokenClaims, TokenError};
use realdid_service::now_seconds;

use super::support::{CALLBACK, Page, VERIFIER, World, basic, on_each};
use crate::grants::CODE_LIFETIME;

fn body(code: &str, verifier: &str) -> String {
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", verifier),
    ];
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish()
}

async fn exchange(world: &World, code: &str) -> Page {
    let authorization = basic(&world.site.client.client_id, &world.site.secret);
    world
        .post("/token", &body(code, VERIFIER), Some(&authorization))
        .await
}

fn refused(page: &Page, status: u16, error: &str) {
    assert_eq!(
        (page.status, page.json()["error"].as_str()),
        (status, Some(error)),
        "{}",
        page.text
    );
}

#[tokio::test]
async fn a_code_gives_what_was_asked_for() {
    on_each(async |world: World| {
        let page = exchange(&world, &world.code(&[]).await).await;
        assert_eq!(page.status, 200, "{}", page.text);
        assert_eq!(page.headers["cache-control"], "no-store");
        let answer = page.json();
        assert_eq!(
            (answer["token_type"].as_str(), answer["scope"].as_str()),
            (Some("Bearer"), Some("openid realname_verified"))
        );
        let keys = world.get("/jwks", None).await.json();
        let jwk: Jwk = serde_json::from_value(keys["keys"][0].clone()).unwrap();
        assert_eq!(jwk.alg.as_deref(), Some("ES256"));
        let id_token = Unverified::parse(answer["id_token"].as_str().unwrap()).unwrap();
        assert_eq!(id_token.kid(), jwk.kid.as_deref());
        let claims: IdTokenClaims = id_token
            .verify(&jwk.public_key().unwrap(), "JWT")
            .unwrap()
            .into_claims();
        assert_eq!(
            (claims.iss.as_str(), claims.aud.as_str()),
            (world.base.as_str(), world.site.client.client_id.as_str())
        );
        assert_eq!(
            (claims.sub.as_str(), claims.nonce.as_deref()),
            ("did:real:sandbox:zVisitor", Some("the nonce"))
        );
        assert_eq!(
            (claims.acr.as_str(), claims.amr.join(" ").as_str()),
            ("urn:realdid:acr:substantial", "pop")
        );
        let access_token = answer["access_token"].as_str().unwrap();
        assert_eq!(claims.at_hash, access_token_hash(access_token));
        assert_eq!(claims.person.realname_verified, Some(true));
        let info = world
            .get_as("/userinfo", &format!("Bearer {access_token}"))
            .await
            .json();
        assert_eq!(
            (info["sub"].as_str(), info["assurance_level"].as_str()),
            (Some(claims.sub.as_str()), Some("substantial"))
        );
    })
    .await;
}

#[tokio::test]
async fn nothing_is_told_that_was_not_asked_for() {
    on_each(async |world: World| {
        let answer = exchange(&world, &world.code(&[("scope", "openid")]).await)
            .await
            .json();
        let claims: serde_json::Value = Unverified::parse(answer["id_token"].as_str().unwrap())
            .unwrap()
            .stated()
            .unwrap();
        assert!(claims.get("realname_verified").is_none() && claims.get("assurance_level").is_none());
    })
    .await;
}

// test: OIDC-15
#[tokio::test]
async fn a_client_needs_its_own_secret() {
    on_each(async |world: World| {
        let (id, secret) = (world.site.client.client_id.as_str(), world.site.secret.as_str());
        let other = world.another_site(Level::Substantial).await;
        let code = world.code(&[]).await;
        let form = body(&code, VERIFIER);
        for authorization in [
            basic(id, "wrong"),
            basic(id, &other.secret),
            basic("unknown", secret),
        ] {
            let page = world.post("/token", &form, Some(&authorization)).await;
            refused(&page, 401, "invalid_client");
            assert!(page.headers.contains_key("www-authenticate"));
        }
        refused(
            &world
                .post("/token", &format!("{form}&client_id={id}"), None)
                .await,
            401,
            "invalid_client",
        );
        let page = world
            .post(
                "/token",
                &format!("{form}&client_id={id}&client_secret={secret}"),
                None,
            )
            .await;
        assert_eq!(page.status, 200, "{}", page.text);
    })
    .await;
}

// test: OIDC-17
#[tokio::test]
async fn a_code_of_another_client_is_refused() {
    on_each(async |world: World| {
        let other = world.another_site(Level::Substantial).await;
        let code = world.code(&[]).await;
        let authorization = basic(&other.client.client_id, &other.secret);
        let page = world
            .post("/token", &body(&code, VERIFIER), Some(&authorization))
            .await;
        refused(&page, 400, "invalid_grant");
        assert_eq!(exchange(&world, &code).await.status, 200);
    })
    .await;
}

// test: OIDC-18
#[tokio::test]
async fn a_code_expires_after_a_minute() {
    on_each(async |world: World| {
        let code = world.code(&[]).await;
        let stored = world.app.database.code(&code).await.unwrap().unwrap();
        let id = &world.site.client.client_id;
        assert_eq!(
            stored.check(id, now_seconds() + CODE_LIFETIME + 1),
            Err(TokenError::Expired)
        );
        assert_eq!(stored.check(id, now_seconds()), Ok(()));
        assert_eq!(exchange(&world, &code).await.status, 200);
    })
    .await;
}

// test: OIDC-19
// test: OIDC-23
#[tokio::test]
async fn a_code_works_once_and_a_second_use_revokes() {
    on_each(async |world: World| {
        let code = world.code(&[]).await;
        let first = exchange(&world, &code).await;
        let bearer = format!("Bearer {}", first.json()["access_token"].as_str().unwrap());
        assert_eq!(world.get_as("/userinfo", &bearer).await.status, 200);
        refused(&exchange(&world, &code).await, 400, "invalid_grant");
        assert_eq!(world.get_as("/userinfo", &bearer).await.status, 401);
        let code = world.code(&[]).await;
        let mut answers = Vec::new();
        for page in futures_of(&world, &code).await {
            answers.push(page.status);
        }
        answers.sort_unstable();
        assert_eq!(answers, [200, 400, 400, 400]);
    })
    .await;
}

/// Four exchanges at once.
async fn futures_of(world: &World, code: &str) -> [Page; 4] {
    let (a, b, c, d) = tokio::join!(
        exchange(world, code),
        exchange(world, code),
        exchange(world, code),
        exchange(world, code)
    );
    [a, b, c, d]
}

// test: OIDC-21
#[tokio::test]
async fn only_basic_credentials_are_read() {
    on_each(async |world: World| {
        let code = world.code(&[]).await;
        let good = basic(&world.site.client.client_id, &world.site.secret);
        let otherwise = good.replacen("Basic", "Bearer", 1);
        for authorization in [otherwise.as_str(), "Bearer x", "Basic", "Basic !", "x"] {
            let page = world
                .post("/token", &body(&code, VERIFIER), Some(authorization))
                .await;
            refused(&page, 401, "invalid_client");
        }
        assert_eq!(exchange(&world, &code).await.status, 200);
    })
    .await;
}

// test: OIDC-22, OIDC-13
#[tokio::test]
async fn an_unknown_code_is_refused() {
    on_each(async |world: World| {
        refused(&exchange(&world, "unknown").await, 400, "invalid_grant");
        let authorization = basic(&world.site.client.client_id, &world.site.secret);
        refused(
            &world
                .post("/token", "grant_type=password", Some(&authorization))
                .await,
            400,
            "unsupported_grant_type",
        );
        refused(
            &world.post("/token", "a=1&a=2", Some(&authorization)).await,
            400,
            "invalid_request",
        );
        assert_eq!(exchange(&world, &world.code(&[]).await).await.status, 200);
    })
    .await;
}

// test: OIDC-03, OIDC-14
#[tokio::test]
async fn a_code_needs_its_verifier_and_survives_a_wrong_one() {
    on_each(async |world: World| {
        let code = world.code(&[]).await;
        let authorization = basic(&world.site.client.client_id, &world.site.secret);
        let wrong = VERIFIER.replace('d', "e");
        refused(
            &world
                .post("/token", &body(&code, &wrong), Some(&authorization))
                .await,
            400,
            "invalid_grant",
        );
        let elsewhere = body(&code, VERIFIER).replace("callback", "elsewhere");
        refused(
            &world.post("/token", &elsewhere, Some(&authorization)).await,
            400,
            "invalid_grant",
        );
        assert_eq!(exchange(&world, &code).await.status, 200);
    })
    .await;
}

// test: OIDC-23
#[tokio::test]
async fn userinfo_needs_a_valid_token() {
    on_each(async |world: World| {
        for authorization in ["Bearer x", "Basic x", ""] {
            let page = world.get_as("/userinfo", authorization).await;
            assert_eq!(page.status, 401);
            assert!(
                page.headers["www-authenticate"]
                    .to_str()
                    .unwrap()
                    .starts_with("Bearer")
            );
        }
        let code = world.code(&[]).await;
        let stored = world.app.database.code(&code).await.unwrap().unwrap();
        let token = world
            .app
            .database
            .redeem(&stored, now_seconds())
            .await
            .unwrap()
            .unwrap();
        let later = now_seconds() + 3600;
        assert!(
            world
                .app
                .database
                .access(token.as_str(), later)
                .await
                .unwrap()
                .is_none()
        );
        assert_eq!(
            world
                .get_as("/userinfo", &format!("Bearer {}", token.as_str()))
                .await
                .status,
            200
        );
    })
    .await;
}
