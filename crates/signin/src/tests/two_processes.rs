//! Two sign-in servers over one database, as behind a load balancer: what works once works once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::future::join_all;
use realdid_service::now_seconds;
use serde_json::json;

use super::presenter::{Presenter, Rest, answer, licence_query};
use super::support::{CALLBACK, VERIFIER, World, basic, on_each};
use crate::webhooks::tell_due;

/// How many of each at once.
const LOAD: usize = 24;

fn token_request(code: &str) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ])
        .finish()
}

// test: OIDC-19
#[tokio::test]
async fn a_code_is_used_at_one_of_two_servers() {
    on_each(async |world: World| {
        let other = world.beside().await;
        let authorization = basic(&world.site.client.client_id, &world.site.secret);
        let codes = join_all((0..LOAD).map(|_| world.code(&[]))).await;
        let uses = codes.iter().flat_map(|code| {
            [&world, &other].map(|server| {
                let (body, authorization) = (token_request(code), &authorization);
                async move { server.post("/token", &body, Some(authorization)).await.status }
            })
        });
        let statuses = join_all(uses).await;
        for pair in statuses.chunks(2) {
            assert_eq!(
                pair.iter().filter(|status| **status == 200).count(),
                1,
                "{pair:?}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn a_pushed_request_is_used_at_one_of_two_servers() {
    on_each(async |world: World| {
        let other = world.beside().await;
        let authorization = basic(&world.site.client.client_id, &world.site.secret);
        let pushed = world
            .post("/par", &world.request(&[("client_id", "")]), Some(&authorization))
            .await;
        assert_eq!(pushed.status, 201, "{}", pushed.text);
        let uri = pushed.json()["request_uri"].as_str().unwrap().to_owned();
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("client_id", world.site.client.client_id.as_str()),
                ("request_uri", &uri),
            ])
            .finish();
        let path = format!("/authorize?{query}");
        let uses = (0..LOAD).map(|place| {
            let (server, path) = ([&world, &other][place % 2], &path);
            async move { server.get(path, None).await.status }
        });
        let statuses = join_all(uses).await;
        assert_eq!(
            statuses.iter().filter(|status| **status == 303).count(),
            1,
            "{statuses:?}"
        );
    })
    .await;
}

// test: VRF-05, VRF-11
#[tokio::test]
async fn an_answer_counts_at_one_of_two_servers_and_is_told_once() {
    on_each(async |world: World| {
        let other = world.beside().await;
        let presenter = Presenter::new();
        let site = world.verifier(presenter.options()).await;
        let rest = Rest {
            world: &world,
            site: &site,
        };
        let told = Arc::new(AtomicUsize::new(0));
        let counting = Arc::clone(&told);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let hook = format!("http://{}/hook", listener.local_addr().unwrap());
        let router = axum::Router::new().route(
            "/hook",
            axum::routing::post(async move || {
                counting.fetch_add(1, Ordering::Relaxed);
            }),
        );
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let body = json!({ "dcql_query": licence_query(), "webhook_url": hook });
        for _ in 0..4 {
            let started = rest.start(&body).await;
            let request = presenter.fetch(&other, started["link"].as_str().unwrap()).await;
            let shown = presenter.show(&request, &presenter.issue(|_| ()));
            let uses = (0..LOAD / 2).map(|place| answer([&world, &other][place % 2], &request, &shown));
            let statuses: Vec<_> = join_all(uses).await.iter().map(|page| page.status).collect();
            assert_eq!(
                statuses.iter().filter(|status| **status == 200).count(),
                1,
                "{statuses:?}"
            );
        }
        let now = now_seconds();
        let telling = (0..6).map(|place| tell_due([&world.app, &other.app][place % 2], now));
        assert!(join_all(telling).await.iter().all(Result::is_ok));
        assert_eq!(told.load(Ordering::Relaxed), 4);
        serving.abort();
    })
    .await;
}

// test: VRF-09
#[tokio::test]
async fn one_key_makes_one_presentation_at_two_servers() {
    on_each(async |world: World| {
        let other = world.beside().await;
        let presenter = Presenter::new();
        let site = world.verifier(presenter.options()).await;
        let authorization = basic(&site.client.client_id, &site.secret);
        let body = json!({ "dcql_query": licence_query() }).to_string();
        let starts = (0..LOAD).map(|place| {
            let server = [&world, &other][place % 2];
            let headers = [("idempotency-key", "one")];
            let (body, authorization) = (&body, &authorization);
            async move {
                let page = server
                    .post_with("/v1/presentations", body, authorization, &headers)
                    .await;
                (page.status, page.json()["id"].as_str().unwrap().to_owned())
            }
        });
        let started = join_all(starts).await;
        assert_eq!(started.iter().filter(|(status, _)| *status == 201).count(), 1);
        assert!(started.iter().all(|(_, id)| *id == started[0].1));
        let changed = json!({ "dcql_query": licence_query(), "lifetime": 61 }).to_string();
        let headers = [("idempotency-key", "one")];
        let page = other
            .post_with("/v1/presentations", &changed, &authorization, &headers)
            .await;
        assert_eq!(page.status, 409);
    })
    .await;
}
