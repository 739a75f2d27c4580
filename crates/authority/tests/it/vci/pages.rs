//! What people see and send on the way: the authorization page, and the page with an offer.

use serde_json::{Value, json};

use super::browser::{
    BACK, Opened, VERIFIER, exchange, identify, open, page, page_of, parameter, parameters, pushed, reload,
    returned, send, with,
};
use super::flow::ordered;
use super::wallet::Wallet;
use super::world::{Kind, Service};
use crate::support::{on_each, somebody};

// test: OAU-23
// test: OAU-25
// test: OAU-29
// test: OAU-36
#[tokio::test]
async fn a_page_takes_the_right_code_once_in_time_and_not_by_guessing() {
    on_each(async |world| {
        let service = Service::start(world, Kind::Authority).await;
        let guess =
            async |page: &Opened, code: &str| send(&service, page, &[("step", "code"), ("code", code)]).await;
        let opened = page(&service, &parameters()).await;
        let code = identify(&service, &opened, 0, 1).await;
        assert_eq!(guess(&opened, "00000000").await.status(), 403);
        let pool = service.world.pool().await;
        sqlx::query("UPDATE vci_authorizations SET expires_at = 1")
            .execute(&pool)
            .await
            .unwrap();
        assert_eq!(guess(&opened, &code).await.status(), 400);
        sqlx::query("UPDATE vci_authorizations SET expires_at = 4000000000")
            .execute(&pool)
            .await
            .unwrap();
        pool.close().await;
        returned(&guess(&opened, &code).await);
        assert_eq!(guess(&opened, &code).await.status(), 410);
        // Five tries, then it is over even with the right one.
        let opened = page(&service, &parameters()).await;
        let code = identify(&service, &opened, 1, 2).await;
        for _ in 0..5 {
            assert_eq!(guess(&opened, "00000000").await.status(), 403);
        }
        assert_eq!(guess(&opened, &code).await.status(), 410);
        // Without the browser's cookie there is no page.
        let cookie = "issuer-page=another".to_owned();
        assert_eq!(guess(&Opened { cookie, ..opened }, &code).await.status(), 400);
    })
    .await;
}

// test: ENR-11
#[tokio::test]
async fn a_page_does_not_tell_whether_a_person_exists() {
    on_each(async |world| {
        let service = Service::start(world, Kind::Authority).await;
        let person = somebody(0);
        let mut pages = Vec::new();
        for (name, number) in [
            (person.name.as_str(), person.number.as_str()),
            ("Nobody", person.number.as_str()),
            ("Nobody", "000000000000000000"),
        ] {
            let opened = page(&service, &parameters()).await;
            let fields = [("step", "person"), ("name", name), ("number", number)];
            let answer = send(&service, &opened, &fields).await;
            let status = answer.status();
            pages.push((status, answer.text().await.unwrap().replace(&opened.form, "")));
        }
        assert!(pages[0] == pages[1] && pages[1] == pages[2]);
        // One of them was sent a code.
        service.code(1).await;
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        assert_eq!(service.outbox.delivered().len(), 1);
        // The same for offers.
        let offer = async |name: &str| {
            let body = json!({ "name": name, "number": person.number });
            let answer = service.post("/v1/credential-offers/identify", &body).await;
            let (status, made) = (answer.status(), answer.json::<Value>().await.unwrap());
            (
                status,
                made["link"].as_str().unwrap().len(),
                made["expires_in"].clone(),
            )
        };
        assert_eq!(offer(&person.name).await, offer("Nobody").await);
    })
    .await;
}

// test: OAU-24
// test: OAU-37
#[tokio::test]
async fn an_offer_leads_through_the_page_too() {
    on_each(async |world| {
        let service = Service::start(world, Kind::Office).await;
        let wallet = Wallet::new(&service).await;
        let made = ordered(&service, &json!({ "record": "D-1001", "tx_code": true })).await;
        let offer = wallet.offer(made["link"].as_str().unwrap()).await;
        let state = offer.grants.authorization_code.unwrap().issuer_state.unwrap();
        let mut asked = with("scope", "driving_licence");
        asked.push(("issuer_state", state));
        let (one, other) = (page(&service, &asked).await, page(&service, &asked).await);
        let guess = async |page: &Opened, code: &str| {
            send(&service, page, &[("step", "offer"), ("code", code)]).await
        };
        assert_eq!(guess(&one, "0").await.status(), 403);
        let code = made["tx_code"].as_str().unwrap();
        let back = returned(&guess(&one, code).await);
        assert_eq!(guess(&other, code).await.status(), 410);
        let tokens = exchange(&wallet, &parameter(&back, "code"), "a wallet", BACK, VERIFIER).await;
        wallet
            .take(&tokens.json().await.unwrap(), "driving_licence", 1)
            .await;
        // Without an offer, the office's page leads nowhere.
        let opened = page(&service, &with("scope", "driving_licence")).await;
        assert!(opened.form.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_page_for_people_gives_the_offer_as_link_and_qr() {
    on_each(async |world| {
        let service = Service::start(world, Kind::Authority).await;
        assert!(
            service
                .get("/credential")
                .await
                .text()
                .await
                .unwrap()
                .contains("<form")
        );
        let person = somebody(0);
        let answer = service
            .form(
                "/credential",
                &[("name", &person.name), ("number", &person.number)],
            )
            .await;
        assert_eq!(answer.status(), 200);
        let html = answer.text().await.unwrap();
        assert!(html.contains("<svg") && !html.contains(&person.number) && !html.contains("<script"));
        let link = html
            .split("href=\"")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap()
            .replace("&#38;", "&");
        let wallet = Wallet::new(&service).await;
        let tokens = wallet.token(&link, Some(&service.code(1).await)).await;
        wallet.take(&tokens, "realname", 1).await;
    })
    .await;
}

// test: OAU-22
#[tokio::test]
async fn a_browser_may_load_its_page_again_and_no_other_may() {
    on_each(async |world| {
        let service = Service::start(world, Kind::Authority).await;
        let request_uri = pushed(&service, &parameters()).await;
        let opened = page_of(&service, &request_uri).await;
        let again = reload(&service, &request_uri, &opened).await;
        assert!(again.text().await.unwrap().contains("name=\"number\""));
        let code = identify(&service, &opened, 0, 1).await;
        // The person has looked up the code, and the phone loads the page anew.
        let again = reload(&service, &request_uri, &opened).await;
        assert_eq!(again.status(), 200);
        assert!(!again.headers().contains_key("set-cookie"));
        let html = again.text().await.unwrap();
        assert!(html.contains("name=\"code\"") && html.contains(&opened.form));
        // Without the cookie, with another page's, or for another request, it is used.
        let other = page(&service, &parameters()).await;
        let used = pushed(&service, &parameters()).await;
        page_of(&service, &used).await;
        assert_eq!(open(&service, &request_uri, "a wallet").await.status(), 400);
        assert_eq!(reload(&service, &request_uri, &other).await.status(), 400);
        assert_eq!(reload(&service, &used, &opened).await.status(), 400);
        let confirm = [("step", "code"), ("code", code.as_str())];
        returned(&send(&service, &opened, &confirm).await);
        assert_eq!(reload(&service, &request_uri, &opened).await.status(), 400);
    })
    .await;
}

// test: OAU-40
// test: OAU-25
#[tokio::test]
async fn what_is_typed_on_one_page_is_not_taken_for_another() {
    on_each(async |world| {
        let service = Service::start(world, Kind::Authority).await;
        // Another site has had the browser open a second page, for a wallet of its own.
        let (mine, theirs) = (
            page(&service, &parameters()).await,
            page(&service, &parameters()).await,
        );
        let person = somebody(0);
        let fields = [
            ("step", "person"),
            ("name", &person.name),
            ("number", &person.number),
        ];
        let mixed = Opened {
            cookie: theirs.cookie.clone(),
            form: mine.form.clone(),
        };
        let answer = send(&service, &mixed, &fields).await;
        assert_eq!(answer.status(), 400);
        assert!(
            answer
                .text()
                .await
                .unwrap()
                .contains("another request has been opened")
        );
        assert_eq!(send(&service, &mine, &fields).await.status(), 200);
        let code = service.code(1).await;
        let confirm = [("step", "code"), ("code", code.as_str())];
        // The person may say no, and is not asked again.
        let back = returned(&send(&service, &mine, &[("step", "cancel")]).await);
        assert_eq!(parameter(&back, "error"), "access_denied");
        assert_eq!(send(&service, &mine, &confirm).await.status(), 410);
    })
    .await;
}

// test: OAU-38
// test: OAU-39
#[tokio::test]
async fn a_page_leads_to_an_offer_by_its_state_alone_and_gives_what_was_offered() {
    on_each(async |world| {
        let service = Service::start(world, Kind::Office).await;
        let wallet = Wallet::new(&service).await;
        let made = ordered(&service, &json!({ "record": "D-1001" })).await;
        let offer = wallet.offer(made["link"].as_str().unwrap()).await;
        let state = offer
            .grants
            .authorization_code
            .clone()
            .unwrap()
            .issuer_state
            .unwrap();
        // Neither does it fetch the offer, nor is what is kept of the offer enough.
        assert_eq!(service.get(&format!("/offer/{state}")).await.status(), 404);
        let kept = state.split('.').next().unwrap();
        let consent = [("step", "offer")];
        let asking = |scope: &str, state: &str| {
            let mut asked = with("scope", scope);
            asked.push(("issuer_state", state.to_owned()));
            asked
        };
        for state in [kept.to_owned(), format!("{kept}.x"), "x".to_owned()] {
            let opened = page(&service, &asking("driving_licence", &state)).await;
            assert!(opened.form.is_empty(), "{state} leads nowhere");
        }
        // Something else than was offered is not given, and leaves the offer as it was.
        let opened = page(&service, &asking("driving_licence_copies", &state)).await;
        let back = returned(&send(&service, &opened, &consent).await);
        assert_eq!(parameter(&back, "error"), "invalid_scope");
        let opened = page(&service, &asking("driving_licence", &state)).await;
        let back = returned(&send(&service, &opened, &consent).await);
        assert!(!parameter(&back, "code").is_empty());
    })
    .await;
}
