//! What types say of themselves: served to the letter, and signed for.

use realdid_credential::Integrity;
use realdid_crypto::KeyType;
use serde_json::json;

use super::flow::licence;
use super::wallet::{Wallet, claims, credentials, new_key};
use super::world::{Kind, Service, credential_key};
use crate::support::on_each;

#[tokio::test]
async fn each_credential_is_signed_with_the_hash_of_what_is_served_about_its_type() {
    on_each(async |world| {
        let service = Service::start(world, Kind::Office).await;
        let wallet = Wallet::with_dpop(&service).await;
        let mut signed = Vec::new();
        for (name, key) in [
            ("driving_licence", KeyType::P256),
            ("driving_licence_copies", KeyType::P256),
            ("driving_licence_sm2", KeyType::Sm2),
        ] {
            let tokens = wallet.token(&licence(&service, name).await, None).await;
            let body = wallet.wish(name, &[new_key(key)]).await;
            let answer = wallet.ask(&tokens, &body).await.json().await.unwrap();
            let claims = claims(&credentials(&answer)[0], &credential_key(key));
            let served = service.get(&format!("/vct/{name}")).await;
            assert_eq!(served.headers()["content-type"], "application/json");
            assert_eq!(served.headers()["x-content-type-options"], "nosniff");
            let document = served.bytes().await.unwrap();
            let integrity = Integrity::of(&document);
            assert_eq!(claims["vct#integrity"], json!(integrity.as_str()));
            signed.push(integrity);
        }
        assert!(
            signed.iter().all(|one| *one == signed[0]),
            "one type, one document"
        );
        assert_eq!(service.get("/vct/nothing").await.status(), 404);
    })
    .await;
}
