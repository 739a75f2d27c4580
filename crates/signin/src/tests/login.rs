use realdid_did::Level;
use realdid_service::now_seconds;

use super::support::{Begun, CALLBACK, World, answer, on_each};
use crate::login::{Device, LOGIN_LIFETIME, LoginError, Return, Stage};
use crate::login_store::{StoreError, WalletRequest};

fn path(begun: &Begun, rest: &str) -> String {
    format!("/login/{}{rest}", begun.id)
}

/// A login that goes as it should.
async fn passes(world: &World) {
    world.code(&[]).await;
}

#[tokio::test]
async fn the_page_says_who_asks_and_needs_no_script() {
    on_each(async |world: World| {
        let begun = world.begin(&[]).await;
        let page = world.get(&path(&begun, ""), Some(&begun.cookie)).await;
        assert_eq!(page.status, 200);
        assert!(page.text.contains("<html lang=\"en\">") && page.text.contains("Site &#60;A&#62;"));
        assert!(page.text.contains("http://127.0.0.1:9") && !page.text.contains("<script"));
        assert!(page.text.contains("id=\"wallet-link\"") && page.text.contains("<svg"));
        assert!(page.text.contains("http-equiv=\"refresh\""));
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"));
        assert_eq!(page.headers["cache-control"], "no-store");
        let still = world.get(&path(&begun, "?still"), Some(&begun.cookie)).await;
        assert!(!still.text.contains("http-equiv=\"refresh\""));
    })
    .await;
}

#[tokio::test]
async fn the_cookie_belongs_to_one_login_alone() {
    on_each(async |world: World| {
        let page = world.authorize(&[]).await;
        let cookie = page.headers["set-cookie"].to_str().unwrap();
        let id = page.location.rsplit_once('/').unwrap().1;
        assert!(cookie.contains(&format!("; Path=/login/{id};")), "{cookie}");
        assert!(cookie.contains("; HttpOnly") && cookie.contains("; SameSite=Lax"));
        assert_ne!(world.begin(&[]).await.cookie, world.begin(&[]).await.cookie);
    })
    .await;
}

#[tokio::test]
async fn link_and_code_are_different_requests_and_codes_are_renewed() {
    on_each(async |world: World| {
        let begun = world.begin(&[]).await;
        let requests = async || {
            world.get(&path(&begun, ""), Some(&begun.cookie)).await;
            let latest = async |device| {
                world
                    .app
                    .database
                    .latest_request(&begun.id, device)
                    .await
                    .unwrap()
                    .unwrap()
            };
            (latest(Device::Same).await, latest(Device::Other).await)
        };
        let (same, other) = requests().await;
        assert_ne!(same.id, other.id);
        assert_ne!(same.nonce, other.nonce);
        assert_eq!(requests().await.1.id, other.id);
        let soon = i64::try_from(now_seconds() + 30).unwrap();
        sqlx::query("UPDATE requests SET expires_at = $1 WHERE id = $2")
            .bind(soon)
            .bind(&other.id)
            .execute(world.app.database.pool())
            .await
            .unwrap();
        let (still_same, renewed) = requests().await;
        assert_eq!(still_same.id, same.id);
        assert_ne!(renewed.id, other.id);
    })
    .await;
}

// test: SIG-04
#[tokio::test]
async fn at_high_assurance_no_other_device_may_answer() {
    on_each(async |world: World| {
        let begun = world.begin(&[("acr_values", "urn:realdid:acr:high")]).await;
        let page = world.get(&path(&begun, ""), Some(&begun.cookie)).await;
        assert!(page.text.contains("wallet-link") && !page.text.contains("<svg"));
        let login = world.login(&begun).await;
        let request = WalletRequest::of(&login, Device::Other, now_seconds());
        world.app.database.insert_request(&request).await.unwrap();
        let body = format!("state={}&vp_token=x", request.state);
        let refused = world
            .post(&format!("/response/{}", request.id), &body, None)
            .await;
        assert_eq!(
            (refused.status, refused.json()["code"].as_str()),
            (403, Some("cross_device_refused"))
        );
        assert_eq!(login.allows(Device::Same), Ok(()));
        passes(&world).await;
    })
    .await;
}

// test: SIG-05
#[tokio::test]
async fn an_answered_request_cannot_be_answered_again() {
    on_each(async |world: World| {
        let begun = world.begin(&[]).await;
        let request = world
            .app
            .database
            .latest_request(&begun.id, Device::Same)
            .await
            .unwrap()
            .unwrap();
        let at = format!("/response/{}", request.id);
        let body = format!("state={}&vp_token=x", request.state);
        let before = world.post(&at, &body, None).await;
        assert_eq!(before.json()["code"], "malformed_answer");
        world.answered(&begun, Device::Same).await;
        let after = world.post(&at, &body, None).await;
        assert_eq!(
            (after.status, after.json()["code"].as_str()),
            (409, Some("request_used"))
        );
        let fetched = world.get(&format!("/request/{}", request.id), None).await;
        assert_eq!(
            (fetched.status, fetched.json()["code"].as_str()),
            (409, Some("request_used"))
        );
        passes(&world).await;
    })
    .await;
}

// test: SIG-06
#[tokio::test]
async fn another_browser_gets_nothing() {
    on_each(async |world: World| {
        let begun = world.begin(&[]).await;
        let stranger = world.begin(&[]).await.cookie;
        let code = world.answered(&begun, Device::Same).await.unwrap();
        let complete = path(&begun, &format!("/complete?response_code={code}"));
        for cookie in [None, Some(stranger.as_str()), Some("")] {
            for at in [path(&begun, ""), path(&begun, "/status"), complete.clone()] {
                let page = world.get(&at, cookie).await;
                assert_eq!((page.status, page.location.as_str()), (403, ""), "{at}");
                assert!(page.text.contains("other_browser"));
            }
        }
        assert_eq!(world.get(&complete, Some(&begun.cookie)).await.status, 303);
    })
    .await;
}

// test: SIG-07
#[tokio::test]
async fn a_login_without_answer_is_not_completed() {
    on_each(async |world: World| {
        let begun = world.begin(&[]).await;
        let page = world
            .get(&path(&begun, "/complete?response_code=x"), Some(&begun.cookie))
            .await;
        assert_eq!(page.status, 409);
        assert!(page.text.contains("login_not_answered"));
        let code = world.answered(&begun, Device::Same).await.unwrap();
        let complete = path(&begun, &format!("/complete?response_code={code}"));
        let page = world.get(&complete, Some(&begun.cookie)).await;
        assert!(page.location.starts_with(CALLBACK));
        assert_eq!(page.parameter("state").as_deref(), Some("the state"));
        assert_eq!(page.parameter("iss").as_deref(), Some(world.base.as_str()));
    })
    .await;
}

// test: SIG-08
#[tokio::test]
async fn a_login_is_completed_once() {
    on_each(async |world: World| {
        let begun = world.begin(&[]).await;
        let code = world.answered(&begun, Device::Same).await.unwrap();
        let complete = path(&begun, &format!("/complete?response_code={code}"));
        assert_eq!(world.get(&complete, Some(&begun.cookie)).await.status, 303);
        let again = world.get(&complete, Some(&begun.cookie)).await;
        assert_eq!((again.status, again.location.as_str()), (409, ""));
        assert!(again.text.contains("login_completed"));
        assert_eq!(
            world.get(&path(&begun, ""), Some(&begun.cookie)).await.status,
            409
        );
        passes(&world).await;
    })
    .await;
}

// test: SIG-09
#[tokio::test]
async fn the_same_device_needs_the_response_code() {
    on_each(async |world: World| {
        let begun = world.begin(&[]).await;
        let code = world.answered(&begun, Device::Same).await.unwrap();
        for rest in [
            "/complete",
            "/complete?response_code=",
            "/complete?response_code=wrong",
        ] {
            let page = world.get(&path(&begun, rest), Some(&begun.cookie)).await;
            assert_eq!((page.status, page.location.as_str()), (403, ""), "{rest}");
        }
        // The waiting page does not go on by itself either.
        assert_eq!(
            world.get(&path(&begun, ""), Some(&begun.cookie)).await.status,
            200
        );
        let complete = path(&begun, &format!("/complete?response_code={code}"));
        assert_eq!(world.get(&complete, Some(&begun.cookie)).await.status, 303);
    })
    .await;
}

#[tokio::test]
async fn another_device_is_completed_by_the_waiting_page() {
    on_each(async |world: World| {
        let begun = world.begin(&[]).await;
        let status = async || {
            world
                .get(&path(&begun, "/status"), Some(&begun.cookie))
                .await
                .json()
        };
        assert_eq!(status().await["status"], "waiting");
        world.answered(&begun, Device::Other).await;
        assert_eq!(status().await["continue"], true);
        let page = world.get(&path(&begun, ""), Some(&begun.cookie)).await;
        assert_eq!(page.status, 303);
        let done = world.get(&page.location, Some(&begun.cookie)).await;
        assert!(done.parameter("code").is_some());
    })
    .await;
}

#[tokio::test]
async fn a_holder_may_decline() {
    on_each(async |world: World| {
        let begun = world.begin(&[]).await;
        let request = world
            .app
            .database
            .latest_request(&begun.id, Device::Same)
            .await
            .unwrap()
            .unwrap();
        let body = format!("state={}&error=access_denied", request.state);
        let answer = world
            .post(&format!("/response/{}", request.id), &body, None)
            .await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let next = answer.json()["redirect_uri"].as_str().unwrap().to_owned();
        let page = world.get(&next, Some(&begun.cookie)).await;
        assert_eq!(page.parameter("error").as_deref(), Some("access_denied"));
        assert_eq!(page.parameter("code"), None);
    })
    .await;
}

// test: SIG-10
#[tokio::test]
async fn an_unknown_or_expired_login_is_refused() {
    on_each(async |world: World| {
        let begun = world.begin(&[]).await;
        assert_eq!(world.get("/login/unknown", Some(&begun.cookie)).await.status, 404);
        let late = world
            .app
            .database
            .login(&begun.id, now_seconds() + LOGIN_LIFETIME + 1)
            .await;
        assert!(matches!(late, Err(StoreError::Login(LoginError::Unknown))));
        world
            .app
            .database
            .forget_expired(now_seconds() + LOGIN_LIFETIME + 1)
            .await
            .unwrap();
        assert_eq!(
            world.get(&path(&begun, ""), Some(&begun.cookie)).await.status,
            404
        );
        passes(&world).await;
    })
    .await;
}

// test: SIG-11
#[tokio::test]
async fn of_two_answers_at_once_one_counts() {
    on_each(async |world: World| {
        let begun = world.begin(&[]).await;
        let login = world.login(&begun).await;
        let stage = Stage::Answered {
            answer: answer(Device::Other),
            back: Return::WaitingPage,
        };
        let moves: Vec<_> = (0..8)
            .map(|_| {
                let (app, login, stage) = (world.app.clone(), login.clone(), stage.clone());
                tokio::spawn(async move { app.database.advance_login(&login, &stage).await })
            })
            .collect();
        let mut done = 0;
        for one in moves {
            match one.await.unwrap() {
                Ok(()) => done += 1,
                Err(StoreError::Login(error)) => assert_eq!(error, LoginError::AlreadyAnswered),
                Err(StoreError::Database(error)) => panic!("{error}"),
            }
        }
        assert_eq!(done, 1);
        passes(&world).await;
    })
    .await;
}

#[tokio::test]
async fn nothing_of_a_completed_login_tells_who_it_was() {
    on_each(async |world: World| {
        let begun = world.begin(&[]).await;
        let code = world.answered(&begun, Device::Same).await.unwrap();
        world
            .get(
                &path(&begun, &format!("/complete?response_code={code}")),
                Some(&begun.cookie),
            )
            .await;
        assert_eq!(world.login(&begun).await.stage, Stage::Completed);
        world
            .app
            .database
            .forget_expired(now_seconds() + 3600)
            .await
            .unwrap();
        for table in ["logins", "requests", "codes", "access_tokens"] {
            let statement = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
            let rows: i64 = sqlx::query_scalar(statement)
                .fetch_one(world.app.database.pool())
                .await
                .unwrap();
            assert_eq!(rows, 0, "{table}");
        }
        assert_eq!(
            world
                .another_site(Level::High)
                .await
                .client
                .max_age_at(Level::High),
            60
        );
    })
    .await;
}
