use serde_json::{Value, json};

use super::presenter::{LICENCE, Presenter, Rest, answer, licence_query};
use super::support::{CALLBACK, World, on_each};
use crate::verifier_options::VerifierOptions;

fn ask() -> Value {
    json!({ "dcql_query": licence_query() })
}

#[tokio::test]
async fn a_website_asks_and_learns_what_it_asked_for_and_no_more() {
    on_each(async |world: World| {
        let presenter = Presenter::new();
        let site = world.verifier(presenter.options()).await;
        let rest = Rest {
            world: &world,
            site: &site,
        };
        let started = rest.start(&ask()).await;
        assert_eq!(started["status"], "waiting");
        let request = presenter.fetch(&world, started["link"].as_str().unwrap()).await;
        let credential = presenter.issue(|_| ());
        let names = ["age_over_21", "classes", "number"];
        let shown = presenter.show_altered(&request, &credential, &names, |_| ());
        let page = answer(&world, &request, &shown).await;
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
    })
    .await;
}

#[tokio::test]
async fn an_issuer_that_nobody_trusts_is_refused() {
    on_each(async |world: World| {
        let presenter = Presenter::new();
        let untrusting = VerifierOptions {
            trusted_roots: None,
            ..presenter.options()
        };
        let site = world.verifier(untrusting).await;
        let rest = Rest {
            world: &world,
            site: &site,
        };
        let started = rest.start(&ask()).await;
        let request = presenter.fetch(&world, started["link"].as_str().unwrap()).await;
        let page = answer(
            &world,
            &request,
            &presenter.show(&request, &presenter.issue(|_| ())),
        )
        .await;
        assert_eq!(
            (page.status, page.json()["code"].as_str()),
            (403, Some("issuer_not_accredited"))
        );
        let status = rest.status(&started["id"]).await;
        assert_eq!(status["status"], "waiting");
        assert_eq!(status["last_refusal"]["code"], "issuer_not_accredited");
        let _ = CALLBACK;
    })
    .await;
}
