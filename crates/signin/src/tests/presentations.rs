use realdid_service::now_seconds;
use serde_json::{Map, Value, json};

use super::presenter::{LICENCE, Presenter, Rest, answer, licence_query, post};
use super::support::{CALLBACK, World, basic, on_each};

pub fn ask() -> Value {
    json!({ "dcql_query": licence_query() })
}

/// A website that asks for the licence, on each database.
pub async fn with_site<Test>(test: Test)
where
    Test: AsyncFn(&World, &Presenter, Rest<'_>),
{
    on_each(async |world: World| {
        let presenter = Presenter::new();
        let site = world.verifier(presenter.options()).await;
        test(
            &world,
            &presenter,
            Rest {
                world: &world,
                site: &site,
            },
        )
        .await;
    })
    .await;
}

/// A presentation from start to end.
pub async fn show(presenter: &Presenter, rest: &Rest<'_>, body: &Value) -> Value {
    let started = rest.start(body).await;
    let request = presenter
        .fetch(rest.world, started["link"].as_str().unwrap())
        .await;
    let shown = presenter.show(&request, &presenter.issue(|_| ()));
    let page = answer(rest.world, &request, &shown).await;
    assert_eq!(page.status, 200, "{}", page.text);
    started
}

#[tokio::test]
async fn a_website_asks_and_learns_what_it_asked_for_and_no_more() {
    with_site(async |world, presenter, rest| {
        let started = rest.start(&ask()).await;
        assert_eq!(started["status"], "waiting");
        assert_eq!(
            rest.result(&started["id"], None).await.json()["status"],
            "waiting"
        );
        let request = presenter.fetch(world, started["link"].as_str().unwrap()).await;
        let names = ["age_over_21", "classes", "number"];
        let shown = presenter.show_altered(&request, &presenter.issue(|_| ()), &names, |_| ());
        let page = answer(world, &request, &shown).await;
        assert_eq!((page.status, page.text.as_str()), (200, "{}"));
        assert_eq!(rest.status(&started["id"]).await["status"], "completed");
        let result = rest.result(&started["id"], None).await.json();
        let shown = &result["credentials"]["licence"][0];
        assert_eq!(shown["type"], LICENCE);
        assert_eq!(
            shown["claims"],
            json!({ "age_over_21": true, "classes": ["B", "C"] })
        );
        assert_eq!(shown["issuer"]["trust"], "pinned");
        assert_eq!(
            (&shown["holder_bound"], &shown["status"]),
            (&json!(true), &json!("short_lived"))
        );
        let path = format!("/v1/presentations/{}", started["id"].as_str().unwrap());
        let authorization = basic(&rest.site.client.client_id, &rest.site.secret);
        assert_eq!(world.delete(&path, &authorization).await.status, 204);
        assert_eq!(rest.get(&path).await.status, 404);
    })
    .await;
}

/// An answer is altered, its refusal expected; then the untouched answer is accepted.
async fn refuses(alter: impl AsyncFn(&World, &Presenter, &Rest<'_>) -> (Value, String), code: &str) {
    with_site(async |world, presenter, rest| {
        let (started, refused) = alter(world, presenter, &rest).await;
        assert_eq!(refused, code);
        let status = rest.status(&started["id"]).await;
        assert_eq!(
            (&status["status"], &status["last_refusal"]["code"]),
            (&json!("waiting"), &json!(code))
        );
        let request = presenter.fetch(world, started["link"].as_str().unwrap()).await;
        let good = presenter.show(&request, &presenter.issue(|_| ()));
        assert_eq!(answer(world, &request, &good).await.status, 200);
    })
    .await;
}

// test: CRD-10, X5C-02
#[tokio::test]
async fn an_issuer_that_nobody_trusts_is_refused() {
    let stranger = async |world: &World, presenter: &Presenter, rest: &Rest<'_>| {
        let started = rest.start(&ask()).await;
        let request = presenter.fetch(world, started["link"].as_str().unwrap()).await;
        let page = answer(
            world,
            &request,
            &presenter.show(&request, &Presenter::new().issue(|_| ())),
        )
        .await;
        (started, page.json()["code"].as_str().unwrap().to_owned())
    };
    refuses(stranger, "issuer_not_accredited").await;
}

// test: SDJ-22
#[tokio::test]
async fn an_answer_to_another_request_is_refused() {
    let replay = async |world: &World, presenter: &Presenter, rest: &Rest<'_>| {
        let (started, other) = (rest.start(&ask()).await, rest.start(&ask()).await);
        let request = presenter.fetch(world, started["link"].as_str().unwrap()).await;
        let other = presenter.fetch(world, other["link"].as_str().unwrap()).await;
        let page = answer(world, &request, &presenter.show(&other, &presenter.issue(|_| ()))).await;
        assert_eq!(page.status, 403);
        (started, page.json()["code"].as_str().unwrap().to_owned())
    };
    refuses(replay, "key_binding_nonce").await;
}

// test: SDJ-21
#[tokio::test]
async fn an_answer_made_for_another_website_is_refused() {
    let mixed_up = async |world: &World, presenter: &Presenter, rest: &Rest<'_>| {
        let started = rest.start(&ask()).await;
        let request = presenter.fetch(world, started["link"].as_str().unwrap()).await;
        let credential = presenter.issue(|_| ());
        let elsewhere = |claims: &mut realdid_credential::sd_jwt::BindingClaims| {
            claims.audience = "decentralized_identifier:did:real:sandbox:zOther".to_owned();
        };
        let shown = presenter.show_altered(&request, &credential, &["age_over_21", "classes"], elsewhere);
        let page = answer(world, &request, &shown).await;
        (started, page.json()["code"].as_str().unwrap().to_owned())
    };
    refuses(mixed_up, "key_binding_audience").await;
}

// test: DCQL-29, DCQL-18
#[tokio::test]
async fn less_than_was_asked_for_is_refused() {
    let less = async |world: &World, presenter: &Presenter, rest: &Rest<'_>| {
        let started = rest.start(&ask()).await;
        let request = presenter.fetch(world, started["link"].as_str().unwrap()).await;
        let shown = presenter.show_altered(&request, &presenter.issue(|_| ()), &["classes"], |_| ());
        let page = answer(world, &request, &shown).await;
        (started, page.json()["code"].as_str().unwrap().to_owned())
    };
    refuses(less, "claim_missing").await;
}

// test: DCQL-32, DCQL-33, VP-21, VP-22
#[tokio::test]
async fn malformed_answers_change_nothing() {
    with_site(async |world, presenter, rest| {
        let started = rest.start(&ask()).await;
        let request = presenter.fetch(world, started["link"].as_str().unwrap()).await;
        let good = presenter.show(&request, &presenter.issue(|_| ()));
        for vp_token in [
            json!([good]),
            json!({ "licence": good }),
            json!({ "licence": [] }),
            json!({ "other": [good] }),
            json!({ "licence": [good, good] }),
            json!({ "licence": ["~"] }),
            json!({ "licence": [{}] }),
            json!({ "licence": ["a.b.c~d~"] }),
            json!({ "licence": vec![&good; 17] }),
            json!(null),
            json!("x"),
        ] {
            let page = post(world, &request, &vp_token).await;
            assert!([400, 403].contains(&page.status), "{vp_token} {}", page.text);
        }
        let path = request.response_uri().path();
        let token = json!({ "licence": [good] }).to_string();
        for body in [
            format!("vp_token={token}&state=other"),
            format!("vp_token={token}"),
            format!("vp_token={token}&state={0}&state={0}", request.state().unwrap()),
            String::new(),
            "response=a.b.c.d.e".to_owned(),
        ] {
            assert_eq!(world.post(path, &body, None).await.status, 400, "{body}");
        }
        assert_eq!(answer(world, &request, &good).await.status, 200);
    })
    .await;
}

// test: VRF-05, VRF-11
#[tokio::test]
async fn a_request_is_answered_once_also_by_many_at_once() {
    with_site(async |world, presenter, rest| {
        let started = rest.start(&ask()).await;
        let request = presenter.fetch(world, started["link"].as_str().unwrap()).await;
        let shown = presenter.show(&request, &presenter.issue(|_| ()));
        let posts = (0..16).map(|_| answer(world, &request, &shown));
        let pages = futures::future::join_all(posts).await;
        assert_eq!(pages.iter().filter(|page| page.status == 200).count(), 1);
        assert!(pages.iter().all(|page| [200, 409].contains(&page.status)));
        let again = answer(world, &request, &shown).await;
        assert_eq!(
            (again.status, again.json()["code"].as_str()),
            (409, Some("request_used"))
        );
        assert_eq!(rest.status(&started["id"]).await["status"], "completed");
    })
    .await;
}

// test: VRF-11
#[tokio::test]
async fn of_two_moves_at_once_one_happens() {
    with_site(async |world, _, rest| {
        let started = rest.start(&ask()).await;
        let (id, now) = (started["id"].as_str().unwrap(), now_seconds());
        let database = &world.app.database;
        let found = database
            .presentation(id, &rest.site.client.client_id, now)
            .await
            .unwrap();
        let declined = crate::presentations::Stage::Declined {
            error: "access_denied".into(),
            back: None,
        };
        database
            .advance_presentation(&found, &declined, None, now)
            .await
            .unwrap();
        let late = database.advance_presentation(&found, &declined, None, now).await;
        assert_eq!(
            late.unwrap_err().to_string(),
            "this request has been answered already"
        );
    })
    .await;
}

// test: VRF-06
#[tokio::test]
async fn a_request_that_has_expired_is_not_answered() {
    with_site(async |world, presenter, rest| {
        let started = rest.start(&ask()).await;
        let request = presenter.fetch(world, started["link"].as_str().unwrap()).await;
        let shown = presenter.show(&request, &presenter.issue(|_| ()));
        let expire = |before: i64| {
            let at = now_seconds().cast_signed() - before;
            sqlx::query("UPDATE presentations SET expires_at = $1")
                .bind(at)
                .execute(world.app.database.pool())
        };
        expire(1).await.unwrap();
        let late = answer(world, &request, &shown).await;
        assert_eq!(
            (late.status, late.json()["code"].as_str()),
            (410, Some("request_expired"))
        );
        assert_eq!(rest.status(&started["id"]).await["status"], "expired");
        assert_eq!(
            rest.result(&started["id"], None).await.json()["error"]["code"],
            "request_expired"
        );
        expire(-60).await.unwrap();
        assert_eq!(answer(world, &request, &shown).await.status, 200);
    })
    .await;
}

// test: VRF-07
// test: VRF-08
#[tokio::test]
async fn the_result_waits_for_the_browser_that_brings_the_code() {
    with_site(async |world, presenter, rest| {
        let body = json!({ "dcql_query": licence_query(), "redirect_uri": CALLBACK });
        let started = rest.start(&body).await;
        let request = presenter.fetch(world, started["link"].as_str().unwrap()).await;
        let page = answer(
            world,
            &request,
            &presenter.show(&request, &presenter.issue(|_| ())),
        )
        .await;
        let back = url::Url::parse(page.json()["redirect_uri"].as_str().unwrap()).unwrap();
        assert!(back.as_str().starts_with(CALLBACK));
        let code = back
            .query_pairs()
            .find(|(name, _)| name == "response_code")
            .unwrap()
            .1
            .into_owned();
        let id = &started["id"];
        let waiting = rest.result(id, None).await.json();
        assert_eq!(
            (&waiting["status"], waiting.get("credentials")),
            (&json!("returning"), None)
        );
        let wrong = rest.result(id, Some("wrong")).await;
        assert_eq!(
            (wrong.status, wrong.json()["code"].as_str()),
            (403, Some("response_code_invalid"))
        );
        assert_eq!(rest.result(id, Some(&code)).await.json()["status"], "completed");
    })
    .await;
}

#[tokio::test]
async fn a_holder_may_refuse() {
    with_site(async |world, presenter, rest| {
        let started = rest.start(&ask()).await;
        let request = presenter.fetch(world, started["link"].as_str().unwrap()).await;
        let body = format!("error=access_denied&state={}", request.state().unwrap());
        assert_eq!(
            world
                .post(request.response_uri().path(), &body, None)
                .await
                .status,
            200
        );
        let result = rest.result(&started["id"], None).await.json();
        assert_eq!(
            (&result["status"], &result["error"]["code"]),
            (&json!("refused"), &json!("access_denied"))
        );
    })
    .await;
}

// test: VRF-09
// test: VRF-14
#[tokio::test]
async fn the_same_key_gives_the_same_presentation() {
    with_site(async |world, _, rest| {
        let body = ask().to_string();
        let start = async |key: &str, body: &str| {
            let authorization = basic(&rest.site.client.client_id, &rest.site.secret);
            let page = world
                .post_with(
                    "/v1/presentations",
                    body,
                    &authorization,
                    &[("idempotency-key", key)],
                )
                .await;
            (
                page.status,
                page.json()["id"].clone(),
                page.json()["code"].clone(),
            )
        };
        let (first, at_once) = tokio::join!(start("k", &body), start("k", &body));
        assert_eq!(first.1, at_once.1);
        let mut statuses = [first.0, at_once.0];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 201]);
        let other = json!({ "dcql_query": licence_query(), "lifetime": 61 }).to_string();
        let (status, _, code) = start("k", &other).await;
        assert_eq!((status, code), (409, json!("idempotency_key_reused")));
        let (status, _, code) = start(&"k".repeat(129), &body).await;
        assert_eq!((status, code), (400, json!("idempotency_key_invalid")));
        assert_ne!(start("another", &body).await.1, first.1);
    })
    .await;
}

// test: VRF-10
// test: VRF-13
// test: OIDC-15
#[tokio::test]
async fn only_the_website_that_asked_sees_it() {
    with_site(async |world, presenter, rest| {
        let started = show(presenter, &rest, &ask()).await;
        let stranger = world.verifier(presenter.options()).await;
        let path = format!("/v1/presentations/{}", started["id"].as_str().unwrap());
        let as_stranger = basic(&stranger.client.client_id, &stranger.secret);
        for path in [path.clone(), format!("{path}/result")] {
            assert_eq!(world.get_as(&path, &as_stranger).await.status, 404);
            let wrong = basic(&rest.site.client.client_id, "wrong");
            assert_eq!(world.get_as(&path, &wrong).await.status, 401);
            let nobody = world.get(&path, None).await;
            assert_eq!(
                (nobody.status, nobody.json()["code"].as_str()),
                (401, Some("credentials_missing"))
            );
            assert_eq!(rest.get(&path).await.status, 200);
        }
    })
    .await;
}

// test: VP-37
#[tokio::test]
async fn a_transaction_is_authorised_or_the_answer_refused() {
    let transaction = json!([{
        "type": "urn:realdid:transaction:statement", "credential_ids": ["licence"],
        "statement": "Rent a van for 3 days", "transaction_data_hashes_alg": ["sha-256"],
    }]);
    with_site(async |world, presenter, rest| {
        let started = rest.start(&with("transaction_data", transaction.clone())).await;
        let request = presenter.fetch(world, started["link"].as_str().unwrap()).await;
        assert_eq!(request.transactions()[0].statement(), Ok("Rent a van for 3 days"));
        let credential = presenter.issue(|_| ());
        let names = ["age_over_21", "classes"];
        let without =
            presenter.show_altered(&request, &credential, &names, |claims| claims.more = Map::new());
        let other = presenter.show_altered(&request, &credential, &names, |claims| {
            claims
                .more
                .insert("transaction_data_hashes".into(), json!(["AAAA"]));
        });
        for shown in [without, other] {
            let page = answer(world, &request, &shown).await;
            assert_eq!(
                (page.status, page.json()["code"].as_str()),
                (403, Some("transaction_not_authorised"))
            );
        }
        assert_eq!(
            answer(world, &request, &presenter.show(&request, &credential))
                .await
                .status,
            200
        );
    })
    .await;
}

/// The request with another member.
pub fn with(name: &str, value: impl Into<Value>) -> Value {
    let mut body = ask();
    body[name] = value.into();
    body
}
