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

// test: OAU-33
#[tokio::test]
#[allow(clippy::too_many_lines, reason = "one story, told in its order")]
async fn a_licence_has_a_status_that_is_changed_and_published() {
    on_each(async |world| {
        let policy = realdid_authority::credential_issuer::Policy {
            status_seconds: 1,
            status_ttl: 1,
            ..Default::default()
        };
        let service = Service::start_with(world, Kind::Office, policy, 1).await;
        let wallet = Wallet::new(&service).await;
        let tokens = wallet
            .token(&licence(&service, "driving_licence").await, None)
            .await;
        let (licences, _) = wallet.take(&tokens, "driving_licence", 1).await;
        let key = credential_key(KeyType::P256);
        let held = claims(&licences[0], &key);
        assert_eq!(
            (&held["classes"], &held["age_over_21"]),
            (&json!(["B", "C"]), &json!(true))
        );
        let place = &held["status"]["status_list"];
        let (uri, index) = (
            place["uri"].as_str().unwrap().to_owned(),
            place["idx"].as_u64().unwrap(),
        );
        let status = async || {
            let answer = service.client.get(&uri).send().await.unwrap();
            assert_eq!(answer.headers()["content-type"], "application/statuslist+jwt");
            assert!(
                answer.headers()["cache-control"]
                    .to_str()
                    .unwrap()
                    .starts_with("public, max-age=")
            );
            let token = Unverified::parse_within(&answer.text().await.unwrap(), 1 << 22).unwrap();
            token.verify_foreign_signature(&key.public_key()).unwrap();
            let claims = token.stated_claims();
            assert_eq!(
                (token.typ(), &claims["sub"]),
                (Some("statuslist+jwt"), &json!(uri))
            );
            let list = realdid_credential::status::StatusList::from_lst(
                realdid_credential::status::Bits::Two,
                claims["status_list"]["lst"].as_str().unwrap(),
                1 << 20,
            );
            list.unwrap().get(index).unwrap().value()
        };
        assert_eq!(status().await, 0);
        for (change, value) in [("suspend", 2), ("reinstate", 0), ("revoke", 1)] {
            let order = json!({ "record": "D-1001", "change": change });
            let changed: Value = service.operate("change", &order).await.json().await.unwrap();
            assert_eq!(changed["credentials"], json!(1));
            wait_until(changed["published_at"].as_u64().unwrap()).await;
            assert_eq!(status().await, value, "{change}");
        }
        // Revoked is for good, and what was revoked is not renewed.
        let order = json!({ "record": "D-1001", "change": "reinstate" });
        assert_eq!(
            error(service.operate("change", &order).await).await.1,
            "unknown_record"
        );
        let body = wallet.wish("driving_licence", &[new_key(KeyType::P256)]).await;
        assert_eq!(
            error(wallet.ask(&tokens, &body).await).await,
            (401, "invalid_token".into())
        );
        // The log tells what happened, and to whom only those who know the number.
        let order = json!({ "record": "D-1001" });
        let log: Value = service.operate("audit", &order).await.json().await.unwrap();
        let actions: Vec<_> = log["events"]
            .as_array()
            .unwrap()
            .iter()
            .map(|line| line["action"].as_str().unwrap())
            .collect();
        for action in ["offered", "issued", "suspended", "reinstated", "revoked"] {
            assert!(actions.contains(&action), "{actions:?}");
        }
        assert!(!log.to_string().contains("D-1001"));
        let nobody: Value = service
            .operate("audit", &json!({ "record": "D-1002" }))
            .await
            .json()
            .await
            .unwrap();
        assert_eq!(nobody["events"], json!([]));
    })
    .await;
}

pub async fn wait_until(time: u64) {
    while realdid_service::now_seconds() < time {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
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
            let same_for_all = ["_sd", "_sd_alg", "cnf", "exp", "iat", "iss", "vct", "vct#integrity"];
            assert_eq!(open, same_for_all);
        }
    })
    .await;
}

// test: VCI-42
#[tokio::test]
#[allow(clippy::too_many_lines, reason = "one story, told in its order")]
async fn what_needs_a_look_is_put_off_until_somebody_has_looked() {
    on_each(async |world| {
        let service = Service::start(world, Kind::Office).await;
        let wallet = Wallet::new(&service).await;
        let url = wallet.metadata.deferred_credential_endpoint.clone().unwrap();
        for approve in [true, false] {
            let tokens = wallet
                .token(&licence(&service, "international_permit").await, None)
                .await;
            let body = wallet
                .wish("international_permit", &[new_key(KeyType::P256)])
                .await;
            let answer = wallet.ask(&tokens, &body).await;
            assert_eq!(answer.status(), 202);
            let put_off: Value = answer.json().await.unwrap();
            assert!(put_off["interval"].as_f64().unwrap() >= 1.0 && put_off.get("credentials").is_none());
            let again = json!({ "transaction_id": put_off["transaction_id"] });
            let answer = wallet
                .authorized(&url, &tokens)
                .json(&again)
                .send()
                .await
                .unwrap();
            assert_eq!(answer.status(), 202);
            assert_eq!(
                answer.json::<Value>().await.unwrap()["transaction_id"],
                put_off["transaction_id"]
            );
            let request = service.client.get(format!("{}/v1/issuer/waiting", service.url));
            let waiting: Value = request
                .bearer_auth(super::world::OPERATOR)
                .send()
                .await
                .unwrap()
                .json()
                .await
                .unwrap();
            let handle = waiting["waiting"][0]["id"].clone();
            let decided = service
                .operate("decide", &json!({ "id": handle, "approve": approve }))
                .await;
            assert_eq!(decided.status(), 200);
            let answer = wallet
                .authorized(&url, &tokens)
                .json(&again)
                .send()
                .await
                .unwrap();
            if approve {
                assert_eq!(answer.status(), 200);
                assert_eq!(credentials(&answer.json().await.unwrap()).len(), 1);
                let answer = wallet
                    .authorized(&url, &tokens)
                    .json(&again)
                    .send()
                    .await
                    .unwrap();
                assert_eq!(error(answer).await, (400, "invalid_transaction_id".into()));
            } else {
                assert_eq!(error(answer).await, (400, "credential_request_denied".into()));
            }
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

#[tokio::test]
#[allow(clippy::too_many_lines, reason = "one story, told in its order")]
async fn metadata_is_where_wallets_and_verifiers_look() {
    on_each(async |world| {
        let service = Service::start(world, Kind::Office).await;
        let answer = service.get("/.well-known/openid-credential-issuer").await;
        assert_eq!(answer.headers()["content-type"], "application/json");
        assert_eq!(answer.headers()["cache-control"], "public, max-age=60");
        let metadata: Value = answer.json().await.unwrap();
        assert_eq!(metadata["credential_issuer"], json!(service.url));
        assert!(
            metadata["batch_credential_issuance"]["batch_size"]
                .as_u64()
                .unwrap()
                >= 2
        );
        let licence = &metadata["credential_configurations_supported"]["driving_licence"];
        assert_eq!(
            (&licence["format"], &licence["scope"]),
            (&json!("dc+sd-jwt"), &json!("driving_licence"))
        );
        assert_eq!(licence["cryptographic_binding_methods_supported"][0], "jwk");
        assert_eq!(
            licence["proof_types_supported"]["jwt"]["proof_signing_alg_values_supported"][0],
            "ES256"
        );
        assert_eq!(
            licence["credential_metadata"]["display"][0]["name"],
            "Driving licence"
        );
        let server: Value = service
            .get("/.well-known/oauth-authorization-server")
            .await
            .json()
            .await
            .unwrap();
        assert_eq!(server["issuer"], json!(service.url));
        assert_eq!(server["dpop_signing_alg_values_supported"][0], "ES256");
        assert_eq!(server["pre-authorized_grant_anonymous_access_supported"], true);
        let kind: Value = service.get("/vct/driving_licence").await.json().await.unwrap();
        assert_eq!(kind["vct"], licence["vct"]);
        assert!(
            kind["claims"]
                .as_array()
                .unwrap()
                .iter()
                .any(|claim| claim["path"] == json!(["age_over_21"]))
        );
        // Browsers of any origin may read it, and send proofs.
        let request = service.client.request(
            reqwest::Method::OPTIONS,
            format!("{}/vci/credential", service.url),
        );
        let request = request.header("origin", "https://wallet.example");
        let request = request.header("access-control-request-method", "POST");
        let answer = request
            .header("access-control-request-headers", "authorization,dpop")
            .send()
            .await
            .unwrap();
        assert_eq!(answer.headers()["access-control-allow-origin"], "*");
        // Signed, for those who ask for that.
        let request = service
            .client
            .get(format!("{}/.well-known/openid-credential-issuer", service.url));
        let answer = request.header("accept", "application/jwt").send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], "application/jwt");
        let signed = Unverified::parse(&answer.text().await.unwrap()).unwrap();
        signed
            .verify_foreign_signature(&credential_key(KeyType::P256).public_key())
            .unwrap();
        assert_eq!(signed.typ(), Some("openidvci-issuer-metadata+jwt"));
        assert_eq!(signed.stated_claims()["sub"], json!(service.url));
    })
    .await;
}
