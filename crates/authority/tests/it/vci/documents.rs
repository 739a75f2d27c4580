//! What anybody may read of an issuer.

use realdid_crypto::KeyType;
use realdid_jose::jws::Unverified;
use reqwest::Method;
use serde_json::{Value, json};

use super::world::{Kind, Service, credential_key};
use crate::support::on_each;

const METADATA: &str = "/.well-known/openid-credential-issuer";

#[tokio::test]
async fn metadata_is_where_wallets_and_verifiers_look() {
    on_each(async |world| {
        let service = Service::start(world, Kind::Office).await;
        let answer = service.get(METADATA).await;
        assert_eq!(answer.headers()["content-type"], "application/json");
        assert_eq!(answer.headers()["cache-control"], "public, max-age=60");
        let metadata: Value = answer.json().await.unwrap();
        assert_eq!(metadata["credential_issuer"], json!(service.url));
        let batch = &metadata["batch_credential_issuance"]["batch_size"];
        assert!(batch.as_u64().unwrap() >= 2);
        let licence = &metadata["credential_configurations_supported"]["driving_licence"];
        assert_eq!(
            (&licence["format"], &licence["scope"]),
            (&json!("dc+sd-jwt"), &json!("driving_licence"))
        );
        assert_eq!(licence["cryptographic_binding_methods_supported"][0], "jwk");
        let proofs = &licence["proof_types_supported"]["jwt"];
        assert_eq!(proofs["proof_signing_alg_values_supported"][0], "ES256");
        let shown = &licence["credential_metadata"]["display"][0];
        assert_eq!(shown["name"], "Driving licence");
        let answer = service.get("/.well-known/oauth-authorization-server").await;
        let server: Value = answer.json().await.unwrap();
        assert_eq!(server["issuer"], json!(service.url));
        assert_eq!(server["dpop_signing_alg_values_supported"][0], "ES256");
        assert_eq!(server["pre-authorized_grant_anonymous_access_supported"], true);
        let kind: Value = service.get("/vct/driving_licence").await.json().await.unwrap();
        assert_eq!(kind["vct"], licence["vct"]);
        let claims = kind["claims"].as_array().unwrap();
        assert!(claims.iter().any(|claim| claim["path"] == json!(["age_over_21"])));
        let unknown = service.get("/vct/another").await;
        assert_eq!(super::wallet::error(unknown).await, (404, "unknown_type".into()));
    })
    .await;
}

#[tokio::test]
async fn wallets_in_browsers_of_any_origin_may_ask_with_headers_of_their_own() {
    on_each(async |world| {
        let service = Service::start(world, Kind::Office).await;
        let url = format!("{}/vci/credential", service.url);
        let request = service.client.request(Method::OPTIONS, url);
        let request = request.header("origin", "https://wallet.example");
        let request = request.header("access-control-request-method", "POST");
        let wanted = "authorization,dpop,oauth-client-attestation";
        let request = request.header("access-control-request-headers", wanted);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.headers()["access-control-allow-origin"], "*");
        assert_eq!(answer.headers()["access-control-allow-headers"], wanted);
    })
    .await;
}

#[tokio::test]
async fn metadata_is_signed_for_those_who_ask_for_that() {
    on_each(async |world| {
        let service = Service::start(world, Kind::Office).await;
        for (accept, form) in [
            ("application/jwt", "application/jwt"),
            ("application/jwt, application/json", "application/json"),
            ("*/*", "application/json"),
        ] {
            let request = service.client.get(format!("{}{METADATA}", service.url));
            let answer = request.header("accept", accept).send().await.unwrap();
            assert_eq!(answer.headers()["content-type"], form);
            // A cache keeps the two forms apart.
            let vary: Vec<_> = answer.headers().get_all("vary").iter().collect();
            assert!(vary.iter().any(|vary| vary.to_str().unwrap().contains("accept")));
            if form == "application/jwt" {
                let signed = Unverified::parse(&answer.text().await.unwrap()).unwrap();
                let key = credential_key(KeyType::P256).public_key();
                signed.verify_foreign_signature(&key).unwrap();
                assert_eq!(signed.typ(), Some("openidvci-issuer-metadata+jwt"));
                assert_eq!(signed.stated_claims()["sub"], json!(service.url));
            }
        }
    })
    .await;
}
