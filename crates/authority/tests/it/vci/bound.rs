//! Access and refresh tokens, and the keys they are bound to: each rule broken once.

use realdid_authority::credential_issuer::Policy;
use realdid_crypto::KeyType;
use realdid_openid::oauth::TokenResponse;
use serde_json::json;

use super::flow::licence;
use super::tokens::{grant_error, office, run, token};
use super::wallet::{Wallet, error, new_key};
use crate::support::on_each;

// test: OAU-30
// test: OAU-31
// test: OAU-32
// test: OAU-33
#[tokio::test]
async fn access_tokens_are_shown_once_fresh_and_not_revoked() {
    on_each(async |world| {
        let service = office(world, Policy::default()).await;
        let wallet = Wallet::new(&service).await;
        let tokens = token(&service, &wallet).await;
        let url = wallet.metadata.credential_endpoint.clone();
        let bare = service.client.post(&url).json(&json!({})).send().await.unwrap();
        let challenges: Vec<_> = bare.headers().get_all("www-authenticate").iter().collect();
        assert_eq!((bare.status().as_u16(), challenges.len()), (401, 2));
        let body = async || wallet.wish("driving_licence", &[new_key(KeyType::P256)]).await;
        let invalid = (401, "invalid_token".to_owned());
        let twice = wallet
            .authorized(&url, &tokens)
            .header("authorization", "Bearer another")
            .json(&body().await);
        assert_eq!(error(twice.send().await.unwrap()).await, invalid);
        assert_eq!(wallet.ask(&tokens, &body().await).await.status(), 200);
        run(&service, "UPDATE vci_tokens SET expires_at = 1").await;
        assert_eq!(error(wallet.ask(&tokens, &body().await).await).await, invalid);
        run(&service, "UPDATE vci_tokens SET expires_at = 4000000000").await;
        run(&service, "UPDATE vci_grants SET revoked = 1").await;
        assert_eq!(error(wallet.ask(&tokens, &body().await).await).await, invalid);
        run(&service, "UPDATE vci_grants SET revoked = 0").await;
        assert_eq!(wallet.ask(&tokens, &body().await).await.status(), 200);
        let json = service
            .post("/vci/token", &json!({ "grant_type": "refresh_token" }))
            .await;
        assert_eq!(error(json).await, (415, "invalid_request".into()));
    })
    .await;
}

// test: OAU-13
// test: OAU-14
// test: OAU-34
// test: OAU-35
// test: OAU-33
#[tokio::test]
async fn refresh_tokens_without_a_key_work_once() {
    on_each(async |world| {
        let service = office(world, Policy::default()).await;
        let wallet = Wallet::new(&service).await;
        let first = token(&service, &wallet).await;
        let refresh = async |token: &str, client: &str| {
            let mut fields = vec![("grant_type", "refresh_token"), ("refresh_token", token)];
            if !client.is_empty() {
                fields.push(("client_id", client));
            }
            wallet.ask_token(&fields).await
        };
        let old = first.refresh_token.clone().unwrap();
        assert_eq!(error(refresh(&old, "another").await).await, grant_error());
        run(
            &service,
            "UPDATE vci_tokens SET expires_at = 1, used = 0 WHERE kind = 'refresh'",
        )
        .await;
        assert_eq!(error(refresh(&old, "").await).await, grant_error());
        run(&service, "UPDATE vci_tokens SET expires_at = 4000000000").await;
        run(&service, "UPDATE vci_grants SET revoked = 1").await;
        assert_eq!(error(refresh(&old, "").await).await, grant_error());
        run(&service, "UPDATE vci_grants SET revoked = 0").await;
        let second: TokenResponse = refresh(&old, "").await.json().await.unwrap();
        wallet.take(&second, "driving_licence", 1).await;
        // A second use means that somebody stole it: everything it gave is taken back.
        assert_eq!(error(refresh(&old, "").await).await, grant_error());
        assert_eq!(
            error(refresh(second.refresh_token.as_deref().unwrap(), "").await).await,
            grant_error()
        );
        let body = wallet.wish("driving_licence", &[new_key(KeyType::P256)]).await;
        assert_eq!(
            error(wallet.ask(&second, &body).await).await,
            (401, "invalid_token".into())
        );
    })
    .await;
}

// test: DPOP-08
// test: DPOP-09
// test: DPOP-10
// test: VCI-38
#[tokio::test]
async fn a_dpop_proof_works_once_alone_and_with_a_nonce_of_the_servers() {
    on_each(async |world| {
        let service = office(
            world,
            Policy {
                require_dpop_nonce: true,
                ..Policy::default()
            },
        )
        .await;
        let wallet = Wallet::with_dpop(&service).await;
        let offer = wallet.offer(&licence(&service, "driving_licence").await).await;
        let url = wallet.server.token_endpoint.clone().unwrap();
        let code = &offer
            .grants
            .pre_authorized_code
            .as_ref()
            .unwrap()
            .pre_authorized_code;
        let send = async |proofs: &[&str]| {
            let grant = ("grant_type", realdid_openid::vci::PRE_AUTHORIZED_GRANT);
            let mut request = service
                .client
                .post(&url)
                .form(&[grant, ("pre-authorized_code", code)]);
            for proof in proofs {
                request = request.header("dpop", *proof);
            }
            request.send().await.unwrap()
        };
        let without = wallet.proof_for(&url, None, None).unwrap();
        let answer = send(&[&without]).await;
        let nonce = answer.headers()["dpop-nonce"].to_str().unwrap().to_owned();
        assert_eq!(error(answer).await, (400, "use_dpop_nonce".into()));
        let foreign = wallet.proof_for(&url, None, Some("foreign")).unwrap();
        assert_eq!(
            error(send(&[&foreign]).await).await,
            (400, "use_dpop_nonce".into())
        );
        let proof = wallet.proof_for(&url, None, Some(&nonce)).unwrap();
        let other = wallet.proof_for(&url, None, Some(&nonce)).unwrap();
        assert_eq!(
            error(send(&[&proof, &other]).await).await,
            (400, "invalid_request".into())
        );
        assert_eq!(send(&[&proof]).await.status(), 200);
        assert_eq!(
            error(send(&[&proof]).await).await,
            (400, "invalid_dpop_proof".into())
        );
        // With another proof only the offer is used up.
        assert_eq!(error(send(&[&other]).await).await, grant_error());
    })
    .await;
}

// test: DPOP-12
// test: DPOP-14
// test: DPOP-15
#[tokio::test]
async fn a_token_bound_to_a_key_is_of_no_use_without_it() {
    on_each(async |world| {
        let service = office(
            world,
            Policy {
                require_dpop: true,
                ..Policy::default()
            },
        )
        .await;
        let offer = licence(&service, "driving_licence").await;
        let bearer = Wallet::new(&service).await;
        let refused = bearer.redeem(&bearer.offer(&offer).await, None).await;
        assert_eq!(error(refused).await, (400, "invalid_dpop_proof".into()));
        let wallet = Wallet::with_dpop(&service).await;
        let tokens = wallet.token(&offer, None).await;
        let thief = Wallet::with_dpop(&service).await;
        let body = async || wallet.wish("driving_licence", &[new_key(KeyType::P256)]).await;
        let invalid = (401, "invalid_token".to_owned());
        let shown = bearer.ask(&tokens, &body().await).await;
        let challenges: Vec<_> = shown.headers().get_all("www-authenticate").iter().collect();
        assert_eq!(
            challenges.len(),
            1,
            "where DPoP is required, nothing else is asked for"
        );
        assert!(challenges[0].to_str().unwrap().starts_with("DPoP error="));
        assert_eq!(error(shown).await, invalid);
        assert_eq!(error(thief.ask(&tokens, &body().await).await).await, invalid);
        assert_eq!(wallet.ask(&tokens, &body().await).await.status(), 200);
        let refresh = tokens.refresh_token.clone().unwrap();
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh.as_str()),
        ];
        assert_eq!(error(thief.ask_token(&fields).await).await, grant_error());
        // Bound to a key, it may be used again.
        for _ in 0..2 {
            assert_eq!(wallet.ask_token(&fields).await.status(), 200);
        }
    })
    .await;
}

// test: OAU-15
#[tokio::test]
async fn a_refresh_by_details_is_answered_by_identifiers() {
    on_each(async |world| {
        let service = office(world, Policy::default()).await;
        let wallet = Wallet::with_dpop(&service).await;
        let first = token(&service, &wallet).await;
        let refresh = first.refresh_token.clone().unwrap();
        let ask = async |configuration: &str| {
            let detail =
                json!([{ "type": "openid_credential", "credential_configuration_id": configuration }]);
            let details = detail.to_string();
            let fields = [
                ("grant_type", "refresh_token"),
                ("refresh_token", refresh.as_str()),
                ("authorization_details", &details),
            ];
            wallet.ask_token(&fields).await
        };
        assert_eq!(
            error(ask("driving_licence_copies").await).await,
            (400, "invalid_authorization_details".into())
        );
        let second: TokenResponse = ask("driving_licence").await.json().await.unwrap();
        let identifier = &second.authorization_details[0].credential_identifiers[0];
        let mut body = wallet.wish("", &[new_key(KeyType::P256)]).await;
        body.as_object_mut()
            .unwrap()
            .remove("credential_configuration_id");
        body["credential_identifier"] = json!(identifier);
        assert_eq!(wallet.ask(&second, &body).await.status(), 200);
    })
    .await;
}

// test: DPOP-06
#[tokio::test]
async fn what_is_wrong_with_a_proof_is_told_as_a_challenge_of_dpop() {
    on_each(async |world| {
        let service = office(world, Policy::default()).await;
        let wallet = Wallet::with_dpop(&service).await;
        let tokens = token(&service, &wallet).await;
        let url = wallet.metadata.credential_endpoint.clone();
        let kept = "SELECT count(*) FROM vci_once WHERE kind = 'dpop'";
        let before = service.world.number(kept).await;
        // A proof for another token, and one with a token that nobody gave.
        for (token, proven, code) in [
            (tokens.access_token.as_str(), "another", "invalid_dpop_proof"),
            ("nobody's", "nobody's", "invalid_token"),
        ] {
            let proof = wallet.proof_for(&url, Some(proven), None).unwrap();
            let request = service.client.post(&url).header("dpop", proof);
            let request = request.header("authorization", format!("DPoP {token}"));
            let answer = request.json(&json!({})).send().await.unwrap();
            let challenges: Vec<_> = answer.headers().get_all("www-authenticate").iter().collect();
            let told = challenges.last().unwrap().to_str().unwrap().to_owned();
            assert!(told.starts_with(&format!("DPoP error=\"{code}\"")), "{told}");
            assert_eq!(error(answer).await, (401, code.into()));
        }
        // Nothing is remembered of those who have no token.
        assert_eq!(service.world.number(kept).await, before);
        let body = wallet.wish("driving_licence", &[new_key(KeyType::P256)]).await;
        assert_eq!(wallet.ask(&tokens, &body).await.status(), 200);
    })
    .await;
}
