use realdid_credential::status::token::{Publication, issue as publish};
use realdid_credential::status::{Bits, Status, StatusList};
use realdid_openid::authorization_request::ResponseMode;
use realdid_openid::dcql::ClaimPath;
use realdid_openid::jws::Unverified;
use realdid_openid::registration::MayAsk;
use realdid_service::now_seconds;
use serde_json::{Map, Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::presenter::{LICENCE, Presenter, Rest, answer, licence_query, post};
use super::support::{CALLBACK, Site, World, basic, on_each};
use crate::certificate::CertificateError;
use crate::clients::{ClientOptions, ClientOptionsError};
use crate::verifier_options::{AskError, Profile, VerifierOptions, VerifierOptionsError};
use crate::webhooks::tell_due;

fn ask() -> Value {
    json!({ "dcql_query": licence_query() })
}

/// A website that asks for the licence, on each database.
async fn with_site<Test>(test: Test)
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
async fn show(presenter: &Presenter, rest: &Rest<'_>, body: &Value) -> Value {
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

// test: CRD-10
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

// test: DCQL-29
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

// test: VRF-05
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

/// The body is altered, the refusal expected, then the untouched body accepted.
async fn refuses_body(site: impl FnOnce(&mut VerifierOptions), bodies: &[(Value, u16, &str)]) {
    let presenter = Presenter::new();
    let mut options = presenter.options();
    site(&mut options);
    on_each(async |world: World| {
        let site = world.verifier(options.clone()).await;
        let rest = Rest {
            world: &world,
            site: &site,
        };
        for (body, status, code) in bodies {
            let page = rest.ask(body).await;
            assert_eq!(
                (page.status, page.json()["code"].as_str()),
                (*status, Some(*code)),
                "{body}"
            );
        }
        rest.start(&ask()).await;
    })
    .await;
}

fn with(name: &str, value: impl Into<Value>) -> Value {
    let mut body = ask();
    body[name] = value.into();
    body
}

// test: VRF-16
// test: VRF-15
// test: VRF-17
#[tokio::test]
async fn a_request_that_is_not_well_formed_is_refused() {
    let cases = [
        (json!({}), 400, "malformed_request"),
        (with("template", "licence"), 400, "malformed_request"),
        (with("unknown", 1), 400, "malformed_request"),
        (json!([]), 400, "malformed_request"),
        (json!({ "template": "unknown" }), 404, "template_unknown"),
        (
            json!({ "dcql_query": { "credentials": [] } }),
            400,
            "query_invalid",
        ),
        (with("lifetime", 59), 400, "lifetime_invalid"),
        (with("lifetime", 901), 400, "lifetime_invalid"),
        (
            with("redirect_uri", "https://evil.example/"),
            400,
            "redirect_uri_invalid",
        ),
        (
            with("redirect_uri", format!("{CALLBACK}/x")),
            400,
            "redirect_uri_invalid",
        ),
        (with("response_mode", "fragment"), 400, "response_mode_invalid"),
        (
            with(
                "transaction_data",
                json!([{ "type": "x", "credential_ids": ["other"] }]),
            ),
            400,
            "transaction_data_invalid",
        ),
    ];
    refuses_body(|_| (), &cases).await;
}

// test: VRF-19
#[tokio::test]
async fn a_webhook_goes_to_public_addresses_only() {
    let cases = [
        "http://example.com/",
        "https://10.0.0.1/",
        "https://169.254.169.254/",
        "https://localhost/",
        "ftp://a/",
        "x",
    ]
    .map(|url| (with("webhook_url", url), 400, "webhook_url_invalid"));
    refuses_body(|_| (), &cases).await;
}

// test: VRF-22
#[tokio::test]
async fn a_website_names_itself_as_it_is_registered() {
    let cases = ["x509_hash", "x509_san_dns", "redirect_uri"]
        .map(|prefix| (with("client_id_prefix", prefix), 400, "client_id_prefix_invalid"));
    refuses_body(|_| (), &cases).await;
}

// test: VRF-03
#[tokio::test]
async fn no_more_is_asked_than_is_registered() {
    let mut passport = ask();
    passport["dcql_query"]["credentials"][0]["meta"]["vct_values"] = json!(["urn:example:passport"]);
    let mut number = ask();
    number["dcql_query"]["credentials"][0]["claims"][1] = json!({ "path": ["number"] });
    let only = |options: &mut VerifierOptions| {
        let claims = ["age_over_21", "classes"].map(|name| ClaimPath::of(&[name]));
        options.may_ask = vec![MayAsk::only(LICENCE, claims.to_vec())];
    };
    let code = "not_registered_to_ask";
    refuses_body(only, &[(passport, 403, code), (number, 403, code)]).await;
}

#[tokio::test]
async fn a_query_may_be_asked_by_name() {
    let presenter = Presenter::new();
    on_each(async |world: World| {
        let mut options = presenter.options();
        options
            .templates
            .insert("over 21".into(), serde_json::from_value(licence_query()).unwrap());
        let site = world.verifier(options).await;
        let rest = Rest {
            world: &world,
            site: &site,
        };
        let started = show(&presenter, &rest, &json!({ "template": "over 21" })).await;
        assert_eq!(rest.status(&started["id"]).await["status"], "completed");
    })
    .await;
}

/// A website with a certificate for this machine.
async fn certified(world: &World, presenter: &Presenter, alter: impl FnOnce(&mut VerifierOptions)) -> Site {
    let mut options = VerifierOptions {
        client_id_prefix: Some("x509_hash".into()),
        dns_name: Some("localhost".into()),
        ..presenter.options()
    };
    alter(&mut options);
    world
        .certified(options, &presenter.certificate("localhost"))
        .await
}

#[tokio::test]
async fn a_website_may_name_itself_in_three_ways_and_have_answers_encrypted() {
    on_each(async |world: World| {
        let presenter = Presenter::new();
        let site = certified(&world, &presenter, |_| ()).await;
        let rest = Rest {
            world: &world,
            site: &site,
        };
        for prefix in ["decentralized_identifier", "x509_san_dns", "x509_hash"] {
            for mode in ["direct_post", "direct_post.jwt"] {
                let mut body = with("client_id_prefix", prefix);
                body["response_mode"] = mode.into();
                let started = rest.start(&body).await;
                let request = presenter.fetch(&world, started["link"].as_str().unwrap()).await;
                assert_eq!(request.client_id().prefix().as_str(), prefix);
                assert_eq!(request.response_mode().as_str(), mode);
                let shown = presenter.show(&request, &presenter.issue(|_| ()));
                if request.response_mode() == ResponseMode::DirectPostJwt {
                    let plain = format!("vp_token={{}}&state={}", request.state().unwrap());
                    assert_eq!(
                        world
                            .post(request.response_uri().path(), &plain, None)
                            .await
                            .status,
                        400
                    );
                }
                let page = answer(&world, &request, &shown).await;
                assert_eq!(page.status, 200, "{prefix} {mode} {}", page.text);
            }
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

/// A status list of our issuer in which this index has this status.
fn list(presenter: &Presenter, uri: &str, status: Status) -> String {
    let list = StatusList::build(Bits::Two, 64, [(7, status)]).unwrap();
    let now = now_seconds();
    let publication = Publication {
        uri,
        issued_at: now,
        expires_at: now + 600,
        time_to_live: 300,
        aggregation_uri: None,
    };
    publish(presenter.issuer_key(), Map::new(), &list, &publication).unwrap()
}

async fn with_status(
    world: &World,
    presenter: &Presenter,
    rest: &Rest<'_>,
    status: Option<Status>,
) -> (u16, Value) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://{}/list", listener.local_addr().unwrap());
    drop(listener);
    let serving = status.map(|status| {
        let text = list(presenter, &uri, status);
        let router = axum::Router::new().route("/list", axum::routing::get(async move || text.clone()));
        let address = uri
            .trim_start_matches("http://")
            .trim_end_matches("/list")
            .to_owned();
        tokio::spawn(async move {
            let listener = TcpListener::bind(address).await.unwrap();
            axum::serve(listener, router).await.unwrap();
        })
    });
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    let started = rest.start(&ask()).await;
    let request = presenter.fetch(world, started["link"].as_str().unwrap()).await;
    let credential = presenter.with_status(&uri, 7);
    let page = answer(world, &request, &presenter.show(&request, &credential)).await;
    if let Some(serving) = serving {
        serving.abort();
    }
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

fn haip(options: &mut VerifierOptions) {
    options.profile = Profile::Haip;
    options.dns_name = None;
}

/// The list of the High Assurance Interoperability Profile for verifiers (§5, §6, §7, §8), one by one.
// test: VRF-04
// test: VRF-18
// test: VRF-20
// test: VRF-21
#[tokio::test]
async fn the_high_assurance_profile_is_kept() {
    on_each(async |world: World| {
        let presenter = Presenter::new();
        let site = certified(&world, &presenter, haip).await;
        let rest = Rest {
            world: &world,
            site: &site,
        };
        let good = with("redirect_uri", CALLBACK);
        let altered = |name: &str, value: Value| {
            let mut body = good.clone();
            *body.pointer_mut(name).map_or_else(|| panic!("{name}"), |at| at) = value;
            body
        };
        let mut unbound = good.clone();
        unbound["dcql_query"]["credentials"][0]["require_cryptographic_holder_binding"] = json!(false);
        let mut plain = good.clone();
        plain["response_mode"] = json!("direct_post");
        let mut by_did = good.clone();
        by_did["client_id_prefix"] = json!("decentralized_identifier");
        for body in [ask(), unbound, plain, by_did] {
            let page = rest.ask(&body).await;
            assert_eq!(
                (page.status, page.json()["code"].as_str()),
                (400, Some("profile_violated")),
                "{body}"
            );
        }
        let mdoc = altered("/dcql_query/credentials/0/format", json!("mso_mdoc"));
        assert_eq!(rest.ask(&mdoc).await.json()["code"], "format_not_supported");
        let started = rest.start(&good).await;
        let link = started["link"].as_str().unwrap();
        assert!(link.starts_with("haip://?") && link.contains("request_uri="));
        let request = presenter.fetch(&world, link).await;
        assert_eq!(request.client_id().prefix().as_str(), "x509_hash");
        assert_eq!(request.response_mode(), ResponseMode::DirectPostJwt);
        let formats = &request.metadata().vp_formats_supported["dc+sd-jwt"];
        assert_eq!(formats["sd-jwt_alg_values"], json!(["ES256"]));
        assert_eq!(formats["kb-jwt_alg_values"], json!(["ES256"]));
        let key = &request.metadata().jwks.as_ref().unwrap().keys[0];
        assert_eq!(
            (&key["crv"], &key["alg"], &key["use"]),
            (&json!("P-256"), &json!("ECDH-ES"), &json!("enc"))
        );
        let offered = request
            .metadata()
            .encrypted_response_enc_values_supported
            .as_ref()
            .unwrap();
        assert!(offered.iter().any(|name| name == "A128GCM") && offered.iter().any(|name| name == "A256GCM"));
        let page = answer(
            &world,
            &request,
            &presenter.show(&request, &presenter.issue(|_| ())),
        )
        .await;
        assert_eq!(page.status, 200, "{}", page.text);
        assert!(
            page.json()["redirect_uri"]
                .as_str()
                .unwrap()
                .starts_with(CALLBACK)
        );
    })
    .await;
}

// test: VRF-01
// test: VRF-02
// test: VRF-12
#[test]
fn a_website_is_registered_with_what_its_prefix_and_profile_need() {
    let presenter = Presenter::new();
    let check = |alter: &dyn Fn(&mut ClientOptions)| {
        let mut options = ClientOptions::new("Site", vec![CALLBACK.into()]);
        options.verifier = VerifierOptions {
            client_id_prefix: Some("x509_hash".into()),
            ..presenter.options()
        };
        options.certificate = Some(presenter.certificate("site.example"));
        assert_eq!(options.check(true), Ok(()));
        alter(&mut options);
        options.check(true)
    };
    let verifier = |error| Err(ClientOptionsError::Verifier(error));
    assert_eq!(
        check(&|options| options.certificate = None),
        verifier(VerifierOptionsError::Prefix)
    );
    let unknown =
        |options: &mut ClientOptions| options.verifier.client_id_prefix = Some("redirect_uri".into());
    assert_eq!(check(&unknown), verifier(VerifierOptionsError::Prefix));
    let haip_by_did = |options: &mut ClientOptions| {
        (options.verifier.profile, options.verifier.client_id_prefix) = (Profile::Haip, None);
    };
    assert_eq!(check(&haip_by_did), verifier(VerifierOptionsError::ProfilePrefix));
    let other_host = |options: &mut ClientOptions| options.verifier.dns_name = Some("other.example".into());
    assert!(matches!(
        check(&other_host),
        Err(ClientOptionsError::Certificate(CertificateError::Chain(_)))
    ));
    let template = |options: &mut ClientOptions| {
        let mut query = licence_query();
        query["credentials"][0]["meta"]["vct_values"] = json!(["urn:example:passport"]);
        options
            .verifier
            .templates
            .insert("t".into(), serde_json::from_value(query).unwrap());
    };
    let refused = check(&template);
    assert!(matches!(
        refused,
        Err(ClientOptionsError::Verifier(VerifierOptionsError::Template(
            _,
            AskError::OverAsked(_)
        )))
    ));
    assert_eq!(
        presenter.certificate_with_other_key().err(),
        Some(CertificateError::Key)
    );
}

#[test]
fn the_description_names_every_route() {
    let document: Value = serde_json::from_str(include_str!("../../openapi.json")).unwrap();
    let paths: Vec<_> = document["paths"].as_object().unwrap().keys().cloned().collect();
    let routes = [
        "/v1/presentations",
        "/v1/presentations/{id}",
        "/v1/presentations/{id}/result",
    ];
    assert_eq!(paths, routes);
}
