//! What staff can do, and who is staff.

use realdid_crypto::KeyType;
use serde_json::{Value, json};

use super::flow::{licence, ordered};
use super::wallet::{Wallet, error};
use super::world::{Kind, Service, credential_key};
use crate::support::on_each;

// test: VCI-53
#[tokio::test]
async fn only_operators_operate() {
    on_each(async |world| {
        let service = Service::start(world, Kind::Office).await;
        let order = json!({ "record": "D-1001" });
        let unknown = (401, "operator_unknown".to_owned());
        assert_eq!(
            error(service.post("/v1/issuer/offers", &order).await).await,
            unknown
        );
        for secret in ["", "another", "an operator's secret "] {
            let request = service.client.post(format!("{}/v1/issuer/offers", service.url));
            let answer = request
                .header("authorization", format!("Bearer {secret}x"))
                .json(&order)
                .send()
                .await;
            assert_eq!(error(answer.unwrap()).await, unknown);
        }
        assert_eq!(service.operate("offers", &order).await.status(), 200);
    })
    .await;
}

#[tokio::test]
async fn an_offer_needs_a_record_that_fits() {
    on_each(async |world| {
        let service = Service::start(world, Kind::Office).await;
        for record in ["D-9999", "", &"x".repeat(300)] {
            let answer = service.operate("offers", &json!({ "record": record })).await;
            assert_eq!(error(answer).await, (400, "unknown_record".into()));
        }
        let order = json!({ "record": "D-1001", "credentials": ["another"] });
        assert_eq!(
            error(service.operate("offers", &order).await).await.1,
            "unknown_credential"
        );
        let made = ordered(&service, &json!({ "record": "D-1001" })).await;
        assert!(!made.to_string().contains("D-1001"));
    })
    .await;
}

#[tokio::test]
async fn a_licence_is_reissued() {
    on_each(async |world| {
        let service = Service::start(world, Kind::Office).await;
        let wallet = Wallet::new(&service).await;
        let first = wallet
            .token(&licence(&service, "driving_licence").await, None)
            .await;
        wallet.take(&first, "driving_licence", 1).await;
        let answer = service.operate("reissue", &json!({ "record": "D-1001" })).await;
        let made: Value = answer.json().await.unwrap();
        assert_eq!(made["revoked"].as_array().unwrap().len(), 1);
        let second = wallet.token(made["link"].as_str().unwrap(), None).await;
        let (licences, _) = wallet.take(&second, "driving_licence", 1).await;
        super::wallet::claims(&licences[0], &credential_key(KeyType::P256));
        let order = json!({ "record": "D-1001" });
        let listed: Value = service.operate("issuances", &order).await.json().await.unwrap();
        let states: Vec<_> = listed["issuances"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["state"].clone())
            .collect();
        assert_eq!(states.len(), 2);
        assert!(states.contains(&json!("revoked")) && states.contains(&json!("valid")));
        // By its own name, one issuance alone.
        let valid = listed["issuances"]
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["state"] == "valid")
            .unwrap();
        let order = json!({ "issuance": valid["id"], "change": "suspend" });
        let changed: Value = service.operate("change", &order).await.json().await.unwrap();
        assert_eq!(changed["issuances"], json!([valid["id"]]));
    })
    .await;
}

#[tokio::test]
async fn nothing_kept_names_a_record() {
    on_each(async |world| {
        let service = Service::start(world, Kind::Office).await;
        let wallet = Wallet::with_dpop(&service).await;
        let link = licence(&service, "driving_licence").await;
        let tokens = wallet.token(&link, None).await;
        let (licences, _) = wallet.take(&tokens, "driving_licence", 1).await;
        let signature = licences[0]
            .split('~')
            .next()
            .unwrap()
            .rsplit('.')
            .next()
            .unwrap()
            .to_owned();
        let pool = service.world.pool().await;
        let tables = [
            "vci_offers",
            "vci_grants",
            "vci_tokens",
            "vci_once",
            "vci_issuances",
            "vci_notifications",
            "vci_status",
            "vci_audit",
        ];
        let holder = wallet.dpop.as_ref().unwrap().public_key().to_multikey();
        for table in tables {
            let rows = sqlx::query(sqlx::AssertSqlSafe(format!("SELECT * FROM {table}")));
            let rows = rows.fetch_all(&pool).await.unwrap();
            assert!(!rows.is_empty() || table == "vci_status", "{table}");
            for row in rows {
                for place in 0..sqlx::Row::len(&row) {
                    let text: String = sqlx::Row::try_get(&row, place).unwrap_or_default();
                    let secret = [tokens.access_token.as_str(), "D-1001", &signature, &holder];
                    assert!(secret.iter().all(|secret| !text.contains(secret)), "{table}");
                    assert!(!link.contains(&text) || text.len() < 12, "{table}");
                }
            }
        }
        pool.close().await;
    })
    .await;
}
