//! Each rule of the token and credential endpoints, broken once; then the untouched request passes.

use realdid_authority::credential_issuer::{Policy, Rights};
use realdid_crypto::{KeyType, base64url_encode};
use realdid_openid::oauth::TokenResponse;
use realdid_service::now_seconds;
use serde_json::{Value, json};

use super::flow::{licence, ordered};
use super::wallet::{Wallet, error, new_key, prove};
use super::world::{Kind, Service, rights};
use crate::support::{World, on_each, rng};

pub async fn office(world: World, policy: Policy) -> Service {
    Service::start_with(world, Kind::Office, policy, 1).await
}

pub async fn run(service: &Service, statement: &'static str) {
    let pool = service.world.pool().await;
    sqlx::query(statement).execute(&pool).await.unwrap();
    pool.close().await;
}

pub fn grant_error() -> (u16, String) {
    (400, "invalid_grant".into())
}

/// A token for the long-lived licence.
pub async fn token(service: &Service, wallet: &Wallet<'_>) -> TokenResponse {
    wallet
        .token(&licence(service, "driving_licence").await, None)
        .await
}

// test: VCI-38
#[tokio::test]
async fn an_offer_works_once() {
    on_each(async |world| {
        let service = office(world, Policy::default()).await;
        let wallet = Wallet::new(&service).await;
        let offer = wallet.offer(&licence(&service, "driving_licence").await).await;
        let grant = offer.grants.pre_authorized_code.clone().unwrap();
        // What is not known here is ignored, however long it is.
        let assertion = "a".repeat(5000);
        let fields = [
            ("grant_type", realdid_openid::vci::PRE_AUTHORIZED_GRANT),
            ("pre-authorized_code", &grant.pre_authorized_code),
            ("client_assertion", &assertion),
        ];
        assert_eq!(wallet.ask_token(&fields).await.status(), 200);
        assert_eq!(error(wallet.redeem(&offer, None).await).await, grant_error());
    })
    .await;
}

// test: VCI-47
#[tokio::test]
async fn an_offer_expires() {
    on_each(async |world| {
        let service = office(world, Policy::default()).await;
        let wallet = Wallet::new(&service).await;
        let old = wallet.offer(&licence(&service, "driving_licence").await).await;
        run(&service, "UPDATE vci_offers SET expires_at = 1").await;
        assert_eq!(error(wallet.redeem(&old, None).await).await, grant_error());
        let new = wallet.offer(&licence(&service, "driving_licence").await).await;
        assert_eq!(wallet.redeem(&new, None).await.status(), 200);
    })
    .await;
}

// test: VCI-35
// test: VCI-37
#[tokio::test]
async fn a_transaction_code_must_be_the_right_one() {
    on_each(async |world| {
        let service = office(world, Policy::default()).await;
        let wallet = Wallet::new(&service).await;
        let made = ordered(&service, &json!({ "record": "D-1001", "tx_code": true })).await;
        let offer = wallet.offer(made["link"].as_str().unwrap()).await;
        assert_eq!(offer.tx_code().unwrap().length, Some(8));
        assert_eq!(
            error(wallet.redeem(&offer, None).await).await,
            (400, "invalid_request".into())
        );
        assert_eq!(
            error(wallet.redeem(&offer, Some("00000000")).await).await,
            grant_error()
        );
        let code = made["tx_code"].as_str().unwrap();
        assert_eq!(wallet.redeem(&offer, Some(code)).await.status(), 200);
    })
    .await;
}

// test: VCI-36
#[tokio::test]
async fn a_transaction_code_nobody_asked_for_is_refused() {
    on_each(async |world| {
        let service = office(world, Policy::default()).await;
        let wallet = Wallet::new(&service).await;
        let offer = wallet.offer(&licence(&service, "driving_licence").await).await;
        assert_eq!(
            error(wallet.redeem(&offer, Some("1")).await).await,
            (400, "invalid_request".into())
        );
        assert_eq!(wallet.redeem(&offer, None).await.status(), 200);
    })
    .await;
}

// test: VCI-48
// test: VCI-37
#[tokio::test]
async fn tries_of_a_transaction_code_are_limited() {
    on_each(async |world| {
        let service = office(world, Policy::default()).await;
        let wallet = Wallet::new(&service).await;
        let order = json!({ "record": "D-1001", "tx_code": true });
        let made = ordered(&service, &order).await;
        let code = made["tx_code"].as_str().unwrap();
        let offer = wallet.offer(made["link"].as_str().unwrap()).await;
        for _ in 0..5 {
            assert_eq!(error(wallet.redeem(&offer, Some("0")).await).await, grant_error());
        }
        assert_eq!(
            error(wallet.redeem(&offer, Some(code)).await).await,
            grant_error()
        );
        let made = ordered(&service, &order).await;
        let offer = wallet.offer(made["link"].as_str().unwrap()).await;
        let code = made["tx_code"].as_str().unwrap();
        for _ in 0..4 {
            assert_eq!(error(wallet.redeem(&offer, Some("0")).await).await, grant_error());
        }
        assert_eq!(wallet.redeem(&offer, Some(code)).await.status(), 200);
    })
    .await;
}

// test: VCI-30
// test: VCI-31
#[tokio::test]
async fn a_nonce_is_the_issuers_and_works_once() {
    on_each(async |world| {
        let service = office(world, Policy::default()).await;
        let wallet = Wallet::new(&service).await;
        let tokens = token(&service, &wallet).await;
        let ask = async |nonce: &str| {
            let proof = wallet.prove(&new_key(KeyType::P256), nonce);
            let body =
                json!({ "credential_configuration_id": "driving_licence", "proofs": { "jwt": [proof] } });
            wallet.ask(&tokens, &body).await
        };
        let good = wallet.nonce().await;
        let mut forged = realdid_crypto::base64url_decode(&good).unwrap();
        forged[39] ^= 1;
        let invalid = (400, "invalid_nonce".to_owned());
        for bad in [
            base64url_encode(forged),
            base64url_encode([9; 40]),
            "nonce".into(),
        ] {
            assert_eq!(error(ask(&bad).await).await, invalid);
        }
        assert_eq!(ask(&good).await.status(), 200);
        assert_eq!(error(ask(&good).await).await, invalid);
        assert_eq!(ask(&wallet.nonce().await).await.status(), 200);
    })
    .await;
}

// test: VCI-33
#[tokio::test]
async fn a_token_reaches_what_was_offered_and_no_further() {
    on_each(async |world| {
        let service = office(world, Policy::default()).await;
        let wallet = Wallet::new(&service).await;
        let tokens = token(&service, &wallet).await;
        let keys = [new_key(KeyType::P256)];
        let body = wallet.wish("driving_licence_copies", &keys).await;
        let answer = wallet.ask(&tokens, &body).await;
        let challenge = answer.headers()["www-authenticate"].to_str().unwrap();
        assert_eq!(challenge, "Bearer error=\"insufficient_scope\"");
        assert_eq!(error(answer).await, (403, "insufficient_scope".into()));
        let body = wallet.wish("another", &keys).await;
        let answer = wallet.ask(&tokens, &body).await;
        assert_eq!(
            error(answer).await,
            (400, "unknown_credential_configuration".into())
        );
        let body = wallet.wish("driving_licence", &keys).await;
        assert_eq!(wallet.ask(&tokens, &body).await.status(), 200);
    })
    .await;
}

// test: VCI-32
// test: OAU-15
#[tokio::test]
async fn identifiers_that_were_given_must_be_named() {
    on_each(async |world| {
        let service = office(world, Policy::default()).await;
        let wallet = Wallet::new(&service).await;
        let offer = wallet.offer(&licence(&service, "driving_licence").await).await;
        let code = &offer
            .grants
            .pre_authorized_code
            .as_ref()
            .unwrap()
            .pre_authorized_code;
        let ask = async |configuration: &str| {
            let details =
                json!([{ "type": "openid_credential", "credential_configuration_id": configuration }])
                    .to_string();
            let grant = ("grant_type", realdid_openid::vci::PRE_AUTHORIZED_GRANT);
            wallet
                .ask_token(&[
                    grant,
                    ("pre-authorized_code", code),
                    ("authorization_details", &details),
                ])
                .await
        };
        let refused = ask("driving_licence_copies").await;
        assert_eq!(
            error(refused).await,
            (400, "invalid_authorization_details".into())
        );
        let tokens: TokenResponse = ask("driving_licence").await.json().await.unwrap();
        let identifier = &tokens.authorization_details[0].credential_identifiers[0];
        let keys = [new_key(KeyType::P256)];
        let body = wallet.wish("driving_licence", &keys).await;
        let answer = wallet.ask(&tokens, &body).await;
        assert_eq!(error(answer).await, (400, "invalid_credential_request".into()));
        for (name, expected) in [("nobody's", 400), (identifier, 200)] {
            let mut body = wallet.wish("", &keys).await;
            body.as_object_mut()
                .unwrap()
                .remove("credential_configuration_id");
            body["credential_identifier"] = json!(name);
            assert_eq!(wallet.ask(&tokens, &body).await.status(), expected);
        }
    })
    .await;
}

// test: VCI-34
// test: VCI-39
// test: VCI-40
#[tokio::test]
async fn proofs_are_there_of_different_keys_and_not_too_many() {
    on_each(async |world| {
        let service = office(world, Policy::default()).await;
        let wallet = Wallet::new(&service).await;
        let tokens = wallet
            .token(&licence(&service, "driving_licence_copies").await, None)
            .await;
        let id = "driving_licence_copies";
        let invalid = (400, "invalid_proof".to_owned());
        let none = json!({ "credential_configuration_id": id });
        assert_eq!(error(wallet.ask(&tokens, &none).await).await, invalid);
        let key = new_key(KeyType::P256);
        let body = wallet.wish(id, &[key.clone(), key]).await;
        assert_eq!(error(wallet.ask(&tokens, &body).await).await, invalid);
        let most = usize::try_from(wallet.metadata.batch_credential_issuance.unwrap().batch_size).unwrap();
        let keys: Vec<_> = (0..=most).map(|_| new_key(KeyType::P256)).collect();
        let body = wallet.wish(id, &keys).await;
        assert_eq!(error(wallet.ask(&tokens, &body).await).await, invalid);
        let body = wallet.wish(id, &keys[1..]).await;
        assert_eq!(wallet.ask(&tokens, &body).await.status(), 200);
    })
    .await;
}

// test: VCI-13
// test: VCI-14
// test: VCI-15
// test: VCI-17
#[tokio::test]
async fn proofs_for_others_are_refused_and_cost_no_nonce() {
    on_each(async |world| {
        let service = office(world, Policy::default()).await;
        let wallet = Wallet::new(&service).await;
        let tokens = token(&service, &wallet).await;
        let (nonce, key, now) = (wallet.nonce().await, new_key(KeyType::P256), now_seconds());
        let issuer = service.url.as_str();
        let bad = [
            prove(&key, "https://other.example", Some(&nonce), now),
            prove(&key, issuer, None, now),
            prove(&key, issuer, Some(&nonce), now - 1000),
            prove(&new_key(KeyType::Sm2), issuer, Some(&nonce), now),
        ];
        let body = |proof: String| json!({ "credential_configuration_id": "driving_licence", "proofs": { "jwt": [proof] } });
        for proof in bad {
            assert_eq!(error(wallet.ask(&tokens, &body(proof)).await).await, (400, "invalid_proof".into()));
        }
        assert_eq!(wallet.ask(&tokens, &body(prove(&key, issuer, Some(&nonce), now))).await.status(), 200);
    })
    .await;
}

// test: VCI-44
// test: VCI-45
// test: VCI-46
#[tokio::test]
async fn answers_are_encrypted_only_for_those_who_encrypt() {
    on_each(async |world| {
        use realdid_jose::jwe::{DecryptionKey, Encryption, Parties, Recipient, encrypt};
        let service = office(world, Policy::default()).await;
        let wallet = Wallet::new(&service).await;
        let tokens = token(&service, &wallet).await;
        let mine = DecryptionKey::generate(&mut rng());
        let support = wallet.metadata.credential_request_encryption.clone().unwrap();
        let to = Recipient::from_jwk(&support.jwks.keys[0]).unwrap();
        let url = wallet.metadata.credential_endpoint.clone();
        let wish = async |zip: bool| {
            let mut body = wallet.wish("driving_licence", &[new_key(KeyType::P256)]).await;
            body["credential_response_encryption"] = json!({ "jwk": mine.jwk(), "enc": "A128GCM" });
            if zip {
                body["credential_response_encryption"]["zip"] = json!("DEF");
            }
            body
        };
        let invalid = (400, "invalid_encryption_parameters".to_owned());
        let open = wallet.ask(&tokens, &wish(false).await).await;
        assert_eq!(error(open).await, invalid);
        let send = async |body: Value| {
            let jwe = encrypt(
                &to,
                Encryption::A128Gcm,
                body.to_string().as_bytes(),
                Parties::default(),
                &mut rng(),
            );
            let request = wallet
                .authorized(&url, &tokens)
                .header("content-type", "application/jwt");
            request.body(jwe.unwrap()).send().await.unwrap()
        };
        assert_eq!(error(send(wish(true).await).await).await, invalid);
        assert_eq!(send(wish(false).await).await.status(), 200);
        let plain = wallet
            .wish("driving_licence", &[new_key(KeyType::P256)])
            .await
            .to_string();
        let request = wallet
            .authorized(&url, &tokens)
            .header("content-type", "text/plain");
        let answer = request.body(plain.clone()).send().await.unwrap();
        assert_eq!(error(answer).await, (400, "invalid_credential_request".into()));
        let request = wallet
            .authorized(&url, &tokens)
            .header("content-type", "application/json; charset=utf-8");
        assert_eq!(request.body(plain).send().await.unwrap().status(), 200);
    })
    .await;
}

// test: VCI-41
// test: VCI-42
// test: VCI-43
#[tokio::test]
async fn transactions_and_notifications_belong_to_one_grant() {
    on_each(async |world| {
        let service = office(world, Policy::default()).await;
        let wallet = Wallet::new(&service).await;
        let mine = wallet
            .token(&licence(&service, "international_permit").await, None)
            .await;
        let others = wallet
            .token(&licence(&service, "international_permit").await, None)
            .await;
        let body = wallet
            .wish("international_permit", &[new_key(KeyType::P256)])
            .await;
        let put_off: Value = wallet.ask(&mine, &body).await.json().await.unwrap();
        run(&service, "UPDATE vci_deferred SET state = 'approved'").await;
        let url = wallet.metadata.deferred_credential_endpoint.clone().unwrap();
        let again = json!({ "transaction_id": put_off["transaction_id"] });
        let fetch = async |tokens| wallet.authorized(&url, tokens).json(&again).send().await.unwrap();
        let invalid = (400, "invalid_transaction_id".to_owned());
        assert_eq!(error(fetch(&others).await).await, invalid);
        let issued: Value = fetch(&mine).await.json().await.unwrap();
        assert!(issued["credentials"].is_array() && issued.get("notification_id").is_none());
        assert_eq!(error(fetch(&mine).await).await, invalid);
        let mine = token(&service, &wallet).await;
        let (_, issued) = wallet.take(&mine, "driving_licence", 1).await;
        let url = wallet.metadata.notification_endpoint.clone().unwrap();
        let told = json!({ "notification_id": issued["notification_id"], "event": "credential_accepted" });
        let tell = async |tokens| wallet.authorized(&url, tokens).json(&told).send().await.unwrap();
        assert_eq!(
            error(tell(&others).await).await,
            (400, "invalid_notification_id".into())
        );
        assert_eq!(tell(&mine).await.status(), 204);
    })
    .await;
}

// test: VCI-50
// test: VCI-51
#[tokio::test]
async fn what_the_ledger_does_not_grant_is_not_issued() {
    on_each(async |world| {
        let service = office(world, Policy::default()).await;
        let wallet = Wallet::new(&service).await;
        let tokens = token(&service, &wallet).await;
        let body = async || wallet.wish("driving_licence", &[new_key(KeyType::P256)]).await;
        let revoked = Rights {
            types: vec!["urn:realdid:realname:1".into()],
            ..rights()
        };
        service.rights.send_replace(Some(revoked));
        let answer = wallet.ask(&tokens, &body().await).await;
        assert_eq!(error(answer).await, (400, "credential_request_denied".into()));
        let answer = service.operate("offers", &json!({ "record": "D-1001" })).await;
        assert_eq!(error(answer).await, (400, "right_missing".into()));
        let old = Rights {
            proven_at: now_seconds() - 301,
            ..rights()
        };
        service.rights.send_replace(Some(old));
        let answer = wallet.ask(&tokens, &body().await).await;
        assert_eq!(error(answer).await, (503, "temporarily_unavailable".into()));
        service.rights.send_replace(None);
        assert_eq!(wallet.ask(&tokens, &body().await).await.status(), 503);
        service.rights.send_replace(Some(rights()));
        assert_eq!(wallet.ask(&tokens, &body().await).await.status(), 200);
    })
    .await;
}

// test: VCI-52
#[tokio::test]
async fn guessing_from_one_address_is_slowed_down() {
    on_each(async |world| {
        let service = office(
            world,
            Policy {
                requests_per_minute: 3.0,
                ..Policy::default()
            },
        )
        .await;
        let ask = async || {
            service
                .form(
                    "/vci/token",
                    &[("grant_type", "refresh_token"), ("refresh_token", "x")],
                )
                .await
        };
        for _ in 0..3 {
            assert_eq!(error(ask().await).await, grant_error());
        }
        let answer = ask().await;
        assert!(answer.headers().contains_key("retry-after"));
        assert_eq!(error(answer).await, (429, "temporarily_unavailable".into()));
    })
    .await;
}
