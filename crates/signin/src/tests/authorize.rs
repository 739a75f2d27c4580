use realdid_did::Level;
use realdid_service::now_seconds;

use super::support::{CALLBACK, World, basic, on_each};
use crate::clients::{ClientOptions, ClientOptionsError};
use crate::pushed::PUSHED_LIFETIME;

/// The untouched request leads to a login page.
async fn passes(world: &World) {
    let page = world.authorize(&[]).await;
    assert_eq!(page.status, 303);
    assert!(page.location.starts_with(&format!("{}/login/", world.base)));
}

// test: OIDC-20
#[tokio::test]
async fn an_unknown_client_is_refused_on_a_page() {
    on_each(async |world: World| {
        let page = world.authorize(&[("client_id", "unknown")]).await;
        assert_eq!((page.status, page.location.as_str()), (400, ""));
        assert!(page.text.contains("invalid_client") && page.text.contains("<html"));
        passes(&world).await;
    })
    .await;
}

// test: OIDC-05
#[tokio::test]
async fn a_visitor_is_never_sent_to_an_unregistered_address() {
    on_each(async |world: World| {
        for uri in ["https://evil.example/", &format!("{CALLBACK}/"), ""] {
            let page = world.authorize(&[("redirect_uri", uri)]).await;
            assert_eq!((page.status, page.location.as_str()), (400, ""), "{uri}");
        }
        passes(&world).await;
    })
    .await;
}

// test: OIDC-06, OIDC-07, OIDC-10, OIDC-11
#[tokio::test]
async fn a_website_is_told_its_mistakes_at_its_own_address() {
    on_each(async |world: World| {
        for (name, value, error) in [
            ("code_challenge", "", "invalid_request"),
            ("code_challenge_method", "plain", "invalid_request"),
            ("response_type", "token", "unsupported_response_type"),
            ("scope", "profile", "invalid_scope"),
            ("prompt", "none", "login_required"),
            ("request", "a.b.c", "request_not_supported"),
        ] {
            let page = world.authorize(&[(name, value)]).await;
            assert_eq!(page.status, 303, "{name}");
            assert!(page.location.starts_with(CALLBACK), "{name}");
            assert_eq!(page.parameter("error").as_deref(), Some(error), "{name}");
            assert_eq!(page.parameter("state").as_deref(), Some("the state"));
            assert_eq!(page.parameter("iss").as_deref(), Some(world.base.as_str()));
        }
        passes(&world).await;
    })
    .await;
}

#[tokio::test]
async fn a_higher_level_can_be_asked_for_and_a_lower_one_not() {
    on_each(async |world: World| {
        for (asked, expected) in [
            ("high", Level::High),
            ("low", Level::Substantial),
            ("other", Level::Substantial),
        ] {
            let class = format!("urn:realdid:acr:{asked}");
            let begun = world.begin(&[("acr_values", &class)]).await;
            assert_eq!(world.login(&begun).await.asked.level, expected, "{asked}");
        }
    })
    .await;
}

// test: OIDC-16
#[tokio::test]
async fn a_pushed_request_is_used_once_by_its_own_client() {
    on_each(async |world: World| {
        let other = world.another_site(Level::Substantial).await;
        let id = world.site.client.client_id.clone();
        let authorization = basic(&id, &world.site.secret);
        let push = async || {
            let page = world
                .post("/par", &world.request(&[]), Some(&authorization))
                .await;
            assert_eq!(page.status, 201, "{}", page.text);
            page.json()["request_uri"].as_str().unwrap().to_owned()
        };
        let at = |client: &str, uri: &str| {
            let query = [("client_id", client), ("request_uri", uri)];
            let query = url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs(query)
                .finish();
            format!("/authorize?{query}")
        };
        let uri = push().await;
        assert_eq!(
            world.get(&at(&other.client.client_id, &uri), None).await.status,
            400
        );
        assert_eq!(world.get(&at(&id, &format!("{uri}x")), None).await.status, 400);
        // Who only looks ahead uses nothing up.
        let ahead = world.browser.head(format!("{}{}", world.base, at(&id, &uri)));
        assert_eq!(ahead.send().await.unwrap().status(), 405);
        assert_eq!(world.get(&at(&id, &uri), None).await.status, 303);
        let again = world.get(&at(&id, &uri), None).await;
        assert_eq!(again.status, 400);
        assert!(again.text.contains("invalid_request_uri"));
        let late = push().await;
        let taken = world
            .app
            .database
            .take_pushed(&late, &id, now_seconds() + PUSHED_LIFETIME + 1)
            .await
            .unwrap();
        assert!(taken.is_err());
        assert_eq!(world.get(&at(&id, &push().await), None).await.status, 303);
    })
    .await;
}

// test: OIDC-15
#[tokio::test]
async fn a_pushed_request_is_checked_and_keeps_no_secret() {
    on_each(async |world: World| {
        let id = &world.site.client.client_id;
        let wrong = world
            .post("/par", &world.request(&[]), Some(&basic(id, "wrong")))
            .await;
        assert_eq!(
            (wrong.status, wrong.json()["error"].as_str()),
            (401, Some("invalid_client"))
        );
        let authorization = basic(id, &world.site.secret);
        let bad = world
            .post(
                "/par",
                &world.request(&[("code_challenge", "")]),
                Some(&authorization),
            )
            .await;
        assert_eq!(
            (bad.status, bad.json()["error"].as_str()),
            (400, Some("invalid_request"))
        );
        let body = world.request(&[("client_secret", &world.site.secret)]);
        assert_eq!(world.post("/par", &body, None).await.status, 201);
        let kept: String = sqlx::query_scalar("SELECT parameters FROM pushed_requests")
            .fetch_one(world.app.database.pool())
            .await
            .unwrap();
        assert!(!kept.contains(&world.site.secret));
    })
    .await;
}

fn options(alter: impl FnOnce(&mut ClientOptions)) -> Option<ClientOptionsError> {
    let mut options = ClientOptions::new("Site A", vec!["https://a.example/callback".into()]);
    assert_eq!(options.check(false), Ok(()));
    alter(&mut options);
    options.check(false).err()
}

// test: SIG-01
#[test]
fn a_website_has_a_name_that_can_be_shown() {
    assert_eq!(
        options(|options| options.name = " Site".into()),
        Some(ClientOptionsError::Name)
    );
}

// test: SIG-02, VP-01
#[test]
fn a_website_has_redirect_addresses_over_https() {
    assert_eq!(
        options(|options| options.redirect_uris.clear()),
        Some(ClientOptionsError::RedirectUri)
    );
    let many = |options: &mut ClientOptions| options.redirect_uris = vec!["https://a.example/".into(); 9];
    assert_eq!(options(many), Some(ClientOptionsError::RedirectUri));
    let plain = |options: &mut ClientOptions| options.redirect_uris = vec![CALLBACK.into()];
    assert_eq!(options(plain), Some(ClientOptionsError::RedirectUri));
    assert_eq!(
        ClientOptions::new("Site A", vec![CALLBACK.into()]).check(true),
        Ok(())
    );
}

// test: SIG-03
#[test]
fn at_high_assurance_the_ledgers_state_is_a_minute_old_at_most() {
    assert_eq!(
        options(|options| options.max_age = 86_401),
        Some(ClientOptionsError::MaxAge(86_400))
    );
    assert_eq!(
        options(|options| options.minimum_level = Level::High),
        Some(ClientOptionsError::MaxAge(60))
    );
    assert_eq!(
        options(|options| (options.minimum_level, options.max_age) = (Level::High, 60)),
        None
    );
}
