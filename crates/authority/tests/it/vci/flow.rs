//! Whole issuances, as a wallet goes through them.

use realdid_crypto::KeyType;
use realdid_jose::jwe::{self, DecryptionKey, Encryption, Jwe, Parties, Recipient};
use realdid_jose::jws::Unverified;
use serde_json::{Value, json};

use super::wallet::{Wallet, claims, credentials, error, new_key};
use super::world::{Kind, Service, credential_key};
use crate::support::{Device, NOW, on_each, rng, somebody, with};

/// An offer for a person of the register by name and number, and the code that was sent.
async fn identified(service: &Service, index: u64, count: usize) -> (String, String) {
    let person = somebody(index);
    let body = json!({ "name": person.name, "number": person.number });
    let answer = service.post("/v1/credential-offers/identify", &body).await;
    assert_eq!(answer.status(), 201);
    let made: Value = answer.json().await.unwrap();
    (
        made["link"].as_str().unwrap().to_owned(),
        service.code(count).await,
    )
}

/// An offer by an operator.
pub async fn ordered(service: &Service, order: &Value) -> Value {
    let answer = service.operate("offers", order).await;
    assert_eq!(answer.status(), 200);
    answer.json().await.unwrap()
}

pub async fn licence(service: &Service, credential: &str) -> String {
    let made = ordered(
        service,
        &json!({ "record": "D-1001", "credentials": [credential] }),
    )
    .await;
    made["link"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_person_gets_one_time_copies_of_their_real_name() {
    on_each(async |world| {
        let service = Service::start(world, Kind::Authority).await;
        let (link, code) = identified(&service, 0, 1).await;
        let wallet = Wallet::with_dpop(&service).await;
        let tokens = wallet.token(&link, Some(&code)).await;
        assert!(tokens.is_dpop() && tokens.authorization_details.is_empty());
        let (copies, answer) = wallet.take(&tokens, "realname", 5).await;
        assert_eq!(copies.len(), 5);
        let key = credential_key(KeyType::P256);
        let person = somebody(0);
        for copy in &copies {
            let claims = claims(copy, &key);
            assert_eq!(claims["name"], json!(person.name));
            assert_eq!(claims["birthdate"], json!(person.birth_date));
            assert_eq!(
                (&claims["iss"], &claims["vct"]),
                (&json!(service.url), &json!("urn:realdid:realname:1"))
            );
            assert!(claims["age_over_14"].is_boolean() && claims.get("status").is_none());
            let (iat, exp) = (claims["iat"].as_u64().unwrap(), claims["exp"].as_u64().unwrap());
            assert!(iat % 86_400 == 0 && exp % 86_400 == 0 && exp - iat <= 14 * 86_400);
            assert!(!copy.contains(&person.number) && !claims.to_string().contains(&person.number));
            let header = Unverified::parse(copy.split('~').next().unwrap()).unwrap();
            assert_eq!(header.typ(), Some("dc+sd-jwt"));
            assert!(header.kid().unwrap().starts_with("did:real:"));
        }
        // The key is where verifiers look for it.
        let keys: Value = service
            .get("/.well-known/jwt-vc-issuer")
            .await
            .json()
            .await
            .unwrap();
        assert_eq!(keys["issuer"], json!(service.url));
        let header = Unverified::parse(copies[0].split('~').next().unwrap()).unwrap();
        assert_eq!(keys["jwks"]["keys"][0]["kid"].as_str(), header.kid());
        // What became of it is told once or often.
        let url = wallet.metadata.notification_endpoint.clone().unwrap();
        let body = json!({ "notification_id": answer["notification_id"], "event": "credential_accepted" });
        for _ in 0..2 {
            let told = wallet.authorized(&url, &tokens).json(&body).send().await.unwrap();
            assert_eq!(told.status(), 204);
        }
        // Fresh copies, without the person.
        let refresh = tokens.refresh_token.clone().unwrap();
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh.as_str()),
        ];
        let again = wallet.ask_token(&fields).await.json().await.unwrap();
        assert_eq!(wallet.take(&again, "realname", 2).await.0.len(), 2);
    })
    .await;
}

// test: QUO-05
// test: QUO-07
// test: JWS-06
#[tokio::test]
async fn an_enrolled_wallet_needs_no_code() {
    on_each(async |world| {
        let mut device = Device::new();
        world.enrol(&mut device, &somebody(1), NOW).await;
        let service = Service::start(world, Kind::Authority).await;
        let now = realdid_service::now_seconds();
        let claims = with(Device::stated(now), "account_id", json!(device.account));
        let ask = |jws: String| {
            service
                .client
                .post(format!("{}/v1/credential-offers", service.url))
                .body(jws)
                .send()
        };
        let jws = device.sign(realdid_authority::OFFER_TYPE, &claims);
        let answer = ask(jws.clone()).await.unwrap();
        assert_eq!(answer.status(), 201);
        let made: Value = answer.json().await.unwrap();
        let wallet = Wallet::new(&service).await;
        let tokens = wallet.token(made["link"].as_str().unwrap(), None).await;
        assert_eq!(tokens.token_type, "Bearer");
        let (copies, _) = wallet.take(&tokens, "realname", 1).await;
        let claims = super::wallet::claims(&copies[0], &credential_key(KeyType::P256));
        assert_eq!(claims["name"], json!(somebody(1).name));
        // The request works once, and only by the account's key.
        assert_eq!(
            error(ask(jws).await.unwrap()).await,
            (409, "replayed_request".into())
        );
        let other = Device::new().sign(
            realdid_authority::OFFER_TYPE,
            &with(Device::stated(now), "account_id", json!(device.account)),
        );
        assert_eq!(
            error(ask(other).await.unwrap()).await.1,
            "invalid_account_signature"
        );
    })
    .await;
}

// test: ENR-12
// test: OAU-33
// test: OAU-35
#[tokio::test]
async fn a_device_that_was_replaced_gets_no_more_copies() {
    on_each(async |world| {
        let (mut lost, mut found) = (Device::new(), Device::new());
        let now = realdid_service::now_seconds();
        world.enrol(&mut lost, &somebody(1), now).await;
        let service = Service::start(world, Kind::Authority).await;
        let claims = with(Device::stated(now), "account_id", json!(lost.account));
        let request = service
            .client
            .post(format!("{}/v1/credential-offers", service.url));
        let request = request.body(lost.sign(realdid_authority::OFFER_TYPE, &claims));
        let made: Value = request.send().await.unwrap().json().await.unwrap();
        let wallet = Wallet::with_dpop(&service).await;
        let tokens = wallet.token(made["link"].as_str().unwrap(), None).await;
        wallet.take(&tokens, "realname", 1).await;
        service.world.enrol(&mut found, &somebody(1), now).await;
        let body = wallet.wish("realname", &[new_key(KeyType::P256)]).await;
        assert_eq!(
            error(wallet.ask(&tokens, &body).await).await,
            (401, "invalid_token".into())
        );
        let refresh = tokens.refresh_token.unwrap();
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh.as_str()),
        ];
        let refused = wallet.ask_token(&fields).await;
        assert_eq!(error(refused).await, (400, "invalid_grant".into()));
    })
    .await;
}

#[tokio::test]
async fn copies_share_nothing_but_their_day() {
    on_each(async |world| {
        let service = Service::start(world, Kind::Office).await;
        let wallet = Wallet::new(&service).await;
        let tokens = wallet
            .token(&licence(&service, "driving_licence_copies").await, None)
            .await;
        let (copies, _) = wallet.take(&tokens, "driving_licence_copies", 4).await;
        let mut seen = std::collections::HashSet::new();
        for copy in &copies {
            let (jwt, disclosures) = copy.split_once('~').unwrap();
            let claims = Unverified::parse(jwt).unwrap().stated_claims().clone();
            let digests = claims["_sd"].as_array().unwrap().iter().map(ToString::to_string);
            for value in digests.chain(disclosures.split_terminator('~').map(str::to_owned)) {
                assert!(seen.insert(value), "two copies share a value");
            }
            assert!(seen.insert(claims["cnf"].to_string()));
            let open: Vec<_> = claims.keys().map(String::as_str).collect();
            let same_for_all = [
                "_sd",
                "_sd_alg",
                "cnf",
                "exp",
                "iat",
                "iss",
                "vct",
                "vct#integrity",
            ];
            assert_eq!(open, same_for_all);
        }
    })
    .await;
}

#[tokio::test]
async fn requests_and_answers_can_be_encrypted() {
    on_each(async |world| {
        let service = Service::start(world, Kind::Office).await;
        let wallet = Wallet::new(&service).await;
        let support = wallet.metadata.credential_request_encryption.clone().unwrap();
        let to = Recipient::from_jwk(&support.jwks.keys[0]).unwrap();
        let mine = DecryptionKey::generate(&mut rng());
        for encryption in Encryption::ALL {
            assert!(
                support
                    .enc_values_supported
                    .iter()
                    .any(|name| name == encryption.name())
            );
            let tokens = wallet
                .token(&licence(&service, "driving_licence").await, None)
                .await;
            let mut body = wallet.wish("driving_licence", &[new_key(KeyType::P256)]).await;
            body["credential_response_encryption"] = json!({ "jwk": mine.jwk(), "enc": encryption.name() });
            let jwe = jwe::encrypt(
                &to,
                encryption,
                body.to_string().as_bytes(),
                Parties::default(),
                &mut rng(),
            );
            let url = wallet.metadata.credential_endpoint.clone();
            let request = wallet
                .authorized(&url, &tokens)
                .header("content-type", "application/jwt");
            let answer = request.body(jwe.unwrap()).send().await.unwrap();
            assert_eq!(
                (answer.status().as_u16(), &answer.headers()["content-type"]),
                (200, &"application/jwt".parse().unwrap())
            );
            let opened = Jwe::parse(&answer.text().await.unwrap())
                .unwrap()
                .decrypt(&mine)
                .unwrap();
            let answer: Value = serde_json::from_slice(&opened).unwrap();
            claims(&credentials(&answer)[0], &credential_key(KeyType::P256));
        }
    })
    .await;
}

// test: VCI-13
#[tokio::test]
async fn sm2_signs_for_holders_with_sm2() {
    on_each(async |world| {
        let service = Service::start(world, Kind::Office).await;
        let wallet = Wallet::new(&service).await;
        let supported = &wallet.metadata.credential_configurations_supported["driving_licence_sm2"];
        assert_eq!(
            supported.credential_signing_alg_values_supported,
            [json!("SM2SM3")]
        );
        let tokens = wallet
            .token(&licence(&service, "driving_licence_sm2").await, None)
            .await;
        let body = wallet
            .wish("driving_licence_sm2", &[new_key(KeyType::P256)])
            .await;
        assert_eq!(
            error(wallet.ask(&tokens, &body).await).await,
            (400, "invalid_proof".into())
        );
        let body = wallet.wish("driving_licence_sm2", &[new_key(KeyType::Sm2)]).await;
        let answer: Value = wallet.ask(&tokens, &body).await.json().await.unwrap();
        let copy = &credentials(&answer)[0];
        let claims = claims(copy, &credential_key(KeyType::Sm2));
        assert_eq!(claims["licence_number"], json!("D-1001"));
        let header = Unverified::parse(copy.split('~').next().unwrap()).unwrap();
        assert_eq!(
            (header.algorithm(), &header.stated_claims()["_sd_alg"]),
            ("SM2SM3", &json!("sm3"))
        );
    })
    .await;
}
