//! How much a person is given, and what is left of it when it is taken back.

use realdid_authority::credential_issuer::Policy;
use realdid_crypto::KeyType;
use realdid_openid::oauth::TokenResponse;
use realdid_openid::vci::CredentialRequest;
use realdid_service::now_seconds;
use serde_json::{Value, json};

use super::flow::{licence, ordered};
use super::tokens::{grant_error, office, run, token};
use super::wallet::{Wallet, error, new_key};
use super::world::{Kind, Service};
use crate::support::{on_each, rng, somebody};

// test: VCI-54
#[tokio::test]
async fn a_person_is_given_so_many_of_a_type_a_day() {
    on_each(async |world| {
        let policy = Policy {
            copies_per_day: 5,
            ..Policy::default()
        };
        let service = office(world, policy).await;
        let wallet = Wallet::new(&service).await;
        let copies = "driving_licence_copies";
        let tokens = wallet.token(&licence(&service, copies).await, None).await;
        wallet.take(&tokens, copies, 3).await;
        let keys: Vec<_> = (0..3).map(|_| new_key(KeyType::P256)).collect();
        let refused = wallet.ask(&tokens, &wallet.wish(copies, &keys).await).await;
        assert_eq!(refused.status(), 400);
        let refused: Value = refused.json().await.unwrap();
        assert_eq!(refused["error"], "credential_request_denied");
        let told = refused["error_description"].as_str().unwrap();
        assert!(
            told.contains("at most 5") && told.contains("2 are left today"),
            "{told}"
        );
        // What was refused was not counted; other forms of the same type are.
        wallet.take(&tokens, copies, 1).await;
        let long = token(&service, &wallet).await;
        wallet.take(&long, "driving_licence", 1).await;
        let body = wallet.wish("driving_licence", &keys[..1]).await;
        let denied = (400, "credential_request_denied".to_owned());
        assert_eq!(error(wallet.ask(&long, &body).await).await, denied);
        // Another person has a day of their own, and tomorrow is another day.
        let order = json!({ "record": "D-1002", "credentials": [copies] });
        let made = ordered(&service, &order).await;
        let others = wallet.token(made["link"].as_str().unwrap(), None).await;
        wallet.take(&others, copies, 5).await;
        run(&service, "UPDATE vci_given SET day = day - 1").await;
        wallet.take(&tokens, copies, 5).await;
    })
    .await;
}

// test: VCI-54
#[tokio::test]
async fn requests_that_wait_count_too() {
    on_each(async |world| {
        let policy = Policy {
            copies_per_day: 1,
            ..Policy::default()
        };
        let service = office(world, policy).await;
        let wallet = Wallet::new(&service).await;
        let permit = "international_permit";
        let tokens = wallet.token(&licence(&service, permit).await, None).await;
        let ask = async || {
            wallet
                .ask(&tokens, &wallet.wish(permit, &[new_key(KeyType::P256)]).await)
                .await
        };
        let put_off: Value = ask().await.json().await.unwrap();
        assert_eq!(
            error(ask().await).await,
            (400, "credential_request_denied".into())
        );
        // It was counted when it was asked for, and not again when it is fetched.
        run(&service, "UPDATE vci_deferred SET state = 'approved'").await;
        let url = wallet.metadata.deferred_credential_endpoint.clone().unwrap();
        let again = json!({ "transaction_id": put_off["transaction_id"] });
        let request = wallet.authorized(&url, &tokens).json(&again);
        assert_eq!(request.send().await.unwrap().status(), 200);
    })
    .await;
}

// test: VCI-55
#[tokio::test]
async fn nothing_is_issued_under_a_grant_that_was_revoked_meanwhile() {
    on_each(async |world| {
        let service = office(world, Policy::default()).await;
        let wallet = Wallet::new(&service).await;
        let tokens = token(&service, &wallet).await;
        wallet.take(&tokens, "driving_licence", 1).await;
        // The token is looked at, then an operator revokes, then the request goes on.
        let now = now_seconds();
        let access = service.issuer.access(&tokens.access_token, None, now).await;
        let access = access.unwrap();
        let wish = async || {
            let body = wallet.wish("driving_licence", &[new_key(KeyType::P256)]).await;
            CredentialRequest::parse(body.to_string().as_bytes()).unwrap()
        };
        let issue = async |request| {
            let mut rng = rng();
            let issued = service.issuer.credential(&access, &request, now, &mut rng);
            issued.await.map_err(|refusal| refusal.code())
        };
        let (first, second) = (wish().await, wish().await);
        assert!(issue(first).await.is_ok());
        let order = json!({ "record": "D-1001", "change": "revoke" });
        assert_eq!(service.operate("change", &order).await.status(), 200);
        assert_eq!(issue(second).await, Err("credential_request_denied"));
        let valid = "SELECT count(*) FROM vci_issuances WHERE state = 0";
        assert_eq!(service.world.number(valid).await, 0);
    })
    .await;
}

// test: VCI-38
#[tokio::test]
async fn what_was_offered_before_ends_with_what_is_revoked() {
    on_each(async |world| {
        let service = office(world, Policy::default()).await;
        let wallet = Wallet::new(&service).await;
        let revoke = json!({ "record": "D-1001", "credential": "driving_licence", "change": "revoke" });
        let unknown = (400, "unknown_record".to_owned());
        assert_eq!(error(service.operate("change", &revoke).await).await, unknown);
        // An offer nobody has taken yet.
        let offer = wallet.offer(&licence(&service, "driving_licence").await).await;
        let copies = wallet
            .offer(&licence(&service, "driving_licence_copies").await)
            .await;
        let changed: Value = service.operate("change", &revoke).await.json().await.unwrap();
        assert_eq!(changed["issuances"], json!([]));
        assert_eq!(error(wallet.redeem(&offer, None).await).await, grant_error());
        // Of another credential it goes on, and so does what is offered afterwards.
        assert_eq!(wallet.redeem(&copies, None).await.status(), 200);
        let offer = wallet.offer(&licence(&service, "driving_licence").await).await;
        assert_eq!(wallet.redeem(&offer, None).await.status(), 200);
    })
    .await;
}

// test: OAU-34
#[tokio::test]
async fn a_refresh_token_and_its_successors_end_with_the_grant() {
    on_each(async |world| {
        let service = office(world, Policy::default()).await;
        let wallet = Wallet::new(&service).await;
        let first = token(&service, &wallet).await;
        run(&service, "UPDATE vci_grants SET expires_at = 4000000000").await;
        let refresh = async |tokens: &TokenResponse| {
            let token = tokens.refresh_token.clone().unwrap();
            let fields = [("grant_type", "refresh_token"), ("refresh_token", token.as_str())];
            wallet.ask_token(&fields).await
        };
        let second: TokenResponse = refresh(&first).await.json().await.unwrap();
        let ends = "SELECT max(expires_at) FROM vci_tokens WHERE kind = 'refresh'";
        assert_eq!(service.world.number(ends).await, 4_000_000_000);
        run(&service, "UPDATE vci_grants SET expires_at = 1").await;
        assert_eq!(error(refresh(&second).await).await, grant_error());
        run(&service, "UPDATE vci_grants SET expires_at = 4000000000").await;
        assert_eq!(refresh(&second).await.status(), 200);
    })
    .await;
}

#[tokio::test]
async fn what_anybody_asks_for_is_not_in_the_log() {
    on_each(async |world| {
        let service = Service::start(world, Kind::Authority).await;
        let person = somebody(0);
        let lines = async || service.world.number("SELECT count(*) FROM vci_audit").await;
        let ask = async |number: &str| {
            let body = json!({ "name": person.name, "number": number });
            let answer = service.post("/v1/credential-offers/identify", &body).await;
            let made: Value = answer.json().await.unwrap();
            made["link"].as_str().unwrap().to_owned()
        };
        ask("nobody's").await;
        let link = ask(&person.number).await;
        assert_eq!(lines().await, 0);
        let wallet = Wallet::new(&service).await;
        let tokens = wallet.token(&link, Some(&service.code(1).await)).await;
        wallet.take(&tokens, "realname", 1).await;
        assert_eq!(lines().await, 1);
    })
    .await;
}

#[tokio::test]
async fn an_event_is_noted_once_however_often_it_is_told() {
    on_each(async |world| {
        let service = office(world, Policy::default()).await;
        let wallet = Wallet::new(&service).await;
        let tokens = token(&service, &wallet).await;
        let (_, issued) = wallet.take(&tokens, "driving_licence", 1).await;
        let url = wallet.metadata.notification_endpoint.clone().unwrap();
        for event in ["credential_accepted", "credential_deleted"].repeat(3) {
            let told = json!({ "notification_id": issued["notification_id"], "event": event });
            let answer = wallet.authorized(&url, &tokens).json(&told).send().await.unwrap();
            assert_eq!(answer.status(), 204);
        }
        let lines = "SELECT count(*) FROM vci_audit WHERE action LIKE 'credential%'";
        assert_eq!(service.world.number(lines).await, 2);
    })
    .await;
}

// test: OAU-33
#[tokio::test]
async fn operators_of_an_authority_name_people_by_their_number() {
    on_each(async |world| {
        let service = Service::start(world, Kind::Authority).await;
        let person = somebody(0);
        let body = json!({ "name": person.name, "number": person.number });
        let answer = service.post("/v1/credential-offers/identify", &body).await;
        let made: Value = answer.json().await.unwrap();
        let wallet = Wallet::new(&service).await;
        let link = made["link"].as_str().unwrap();
        let tokens = wallet.token(link, Some(&service.code(1).await)).await;
        wallet.take(&tokens, "realname", 2).await;
        let number = person.number.to_ascii_lowercase();
        let order = json!({ "record": number });
        let found: Value = service.operate("issuances", &order).await.json().await.unwrap();
        assert_eq!(found["issuances"][0]["copies"], json!(2));
        // Copies are not taken back, but no more are given.
        let order = json!({ "record": number, "change": "revoke" });
        let changed: Value = service.operate("change", &order).await.json().await.unwrap();
        assert_eq!(changed["issuances"].as_array().unwrap().len(), 1);
        let body = wallet.wish("realname", &[new_key(KeyType::P256)]).await;
        assert_eq!(
            error(wallet.ask(&tokens, &body).await).await,
            (401, "invalid_token".into())
        );
        // An offer by staff is for the same person.
        let made = ordered(&service, &json!({ "record": person.number })).await;
        let tokens = wallet.token(made["link"].as_str().unwrap(), None).await;
        wallet.take(&tokens, "realname", 1).await;
        let people = "SELECT count(DISTINCT person) FROM vci_issuances";
        assert_eq!(service.world.number(people).await, 1);
    })
    .await;
}

#[tokio::test]
async fn what_has_expired_is_forgotten_and_nothing_else() {
    on_each(async |world| {
        let service = office(world, Policy::default()).await;
        let wallet = Wallet::new(&service).await;
        let tokens = token(&service, &wallet).await;
        wallet.take(&tokens, "driving_licence", 1).await;
        let rows = async || {
            let pool = service.world.pool().await;
            let mut rows = Vec::new();
            for table in ["vci_offers", "vci_tokens", "vci_once", "vci_grants", "vci_given"] {
                let count = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
                let row = sqlx::query(count).fetch_one(&pool).await.unwrap();
                rows.push(sqlx::Row::get::<i64, _>(&row, 0));
            }
            pool.close().await;
            rows
        };
        let now = now_seconds();
        service.issuer.forget_expired(now).await.unwrap();
        assert_eq!(rows().await, [1, 2, 1, 1, 1]);
        // The refresh token and its grant outlive everything else.
        service.issuer.forget_expired(now + 2 * 86_400).await.unwrap();
        assert_eq!(rows().await, [0, 1, 0, 1, 0]);
        service.issuer.forget_expired(now + 91 * 86_400).await.unwrap();
        assert_eq!(rows().await, [0, 0, 0, 0, 0]);
    })
    .await;
}
