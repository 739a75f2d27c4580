//! The way through a browser: pushed request, page, code, token.

use realdid_authority::credential_issuer::{Policy, authorization::Wallet as Registered};
use realdid_crypto::KeyType;
use realdid_openid::oauth::TokenResponse;
use url::Url;

use super::browser::{
    BACK, VERIFIER, authorized, exchange, open, parameter, parameters, push, pushed, returned, with,
};
use super::wallet::{Wallet, error, new_key};
use super::world::{Kind, Service};
use crate::support::on_each;

// test: OAU-10
// test: OAU-33
#[tokio::test]
async fn a_person_authorizes_a_wallet_with_the_code_that_was_sent() {
    on_each(async |world| {
        let service = Service::start(world, Kind::Authority).await;
        let wallet = Wallet::with_dpop(&service).await;
        let code = authorized(&service, &parameters(), 1).await;
        let tokens: TokenResponse = exchange(&wallet, &code, "a wallet", BACK, VERIFIER)
            .await
            .json()
            .await
            .unwrap();
        assert_eq!(
            (tokens.is_dpop(), tokens.scope.as_deref()),
            (true, Some("realname"))
        );
        assert_eq!(wallet.take(&tokens, "realname", 2).await.0.len(), 2);
        // A second use takes back what the first one gave.
        let again = exchange(&wallet, &code, "a wallet", BACK, VERIFIER).await;
        assert_eq!(error(again).await, (400, "invalid_grant".into()));
        let body = wallet.wish("realname", &[new_key(KeyType::P256)]).await;
        assert_eq!(
            error(wallet.ask(&tokens, &body).await).await,
            (401, "invalid_token".into())
        );
    })
    .await;
}

// test: OAU-11
// test: OAU-12
// test: OIDC-03
#[tokio::test]
async fn a_code_is_for_one_client_address_verifier_and_minute() {
    on_each(async |world| {
        let service = Service::start(world, Kind::Authority).await;
        let wallet = Wallet::new(&service).await;
        let code = authorized(&service, &parameters(), 1).await;
        let refused = (400, "invalid_grant".to_owned());
        let other_verifier = "another-verifier-of-more-than-forty-three-characters";
        for (client, back, verifier) in [
            ("another", BACK, VERIFIER),
            ("a wallet", "http://127.0.0.1:9/other", VERIFIER),
            ("a wallet", BACK, other_verifier),
        ] {
            assert_eq!(
                error(exchange(&wallet, &code, client, back, verifier).await).await,
                refused
            );
        }
        let pool = service.world.pool().await;
        sqlx::query("UPDATE vci_codes SET expires_at = 1")
            .execute(&pool)
            .await
            .unwrap();
        assert_eq!(
            error(exchange(&wallet, &code, "a wallet", BACK, VERIFIER).await).await,
            refused
        );
        sqlx::query("UPDATE vci_codes SET expires_at = 4000000000")
            .execute(&pool)
            .await
            .unwrap();
        pool.close().await;
        assert_eq!(
            exchange(&wallet, &code, "a wallet", BACK, VERIFIER)
                .await
                .status(),
            200
        );
    })
    .await;
}

// test: DPOP-13
// test: DPOP-16
#[tokio::test]
async fn a_code_can_be_bound_to_a_key_beforehand() {
    on_each(async |world| {
        let service = Service::start(world, Kind::Authority).await;
        let wallet = Wallet::with_dpop(&service).await;
        let key = wallet.dpop.as_ref().unwrap().public_key();
        let bound = with("dpop_jkt", &realdid_jose::jwk::thumbprint(&key));
        let url = wallet
            .server
            .pushed_authorization_request_endpoint
            .clone()
            .unwrap();
        let thief = Wallet::with_dpop(&service).await;
        let request = service.client.post(&url).form(&bound);
        let request = request.header("dpop", thief.proof_for(&url, None, None).unwrap());
        assert_eq!(
            error(request.send().await.unwrap()).await,
            (400, "invalid_grant".into())
        );
        let code = authorized(&service, &bound, 1).await;
        let stolen = exchange(&thief, &code, "a wallet", BACK, VERIFIER).await;
        assert_eq!(error(stolen).await, (400, "invalid_grant".into()));
        assert_eq!(
            exchange(&wallet, &code, "a wallet", BACK, VERIFIER)
                .await
                .status(),
            200
        );
    })
    .await;
}

// test: OAU-20
// test: OAU-21
#[tokio::test]
async fn a_pushed_request_holds_only_what_may_be_asked() {
    on_each(async |world| {
        let policy = Policy {
            wallets: vec![Registered {
                client_id: "known".into(),
                name: "A known wallet".into(),
                redirect_uris: vec!["https://wallet.example/back".into()],
            }],
            ..Policy::default()
        };
        let service = Service::start_with(world, Kind::Authority, policy, 1).await;
        let invalid = (400, "invalid_request".to_owned());
        for address in [
            "javascript:alert(1)",
            "http://wallet.example/",
            "data:text/html,x",
            "https://a@b.example/",
            "/x",
        ] {
            assert_eq!(
                error(push(&service, &with("redirect_uri", address)).await).await,
                invalid,
                "{address}"
            );
        }
        let nested = with("request_uri", "urn:ietf:params:oauth:request_uri:x");
        assert_eq!(error(push(&service, &nested).await).await, invalid);
        let mut known = with("client_id", "known");
        assert_eq!(error(push(&service, &known).await).await, invalid);
        known.retain(|(name, _)| *name != "redirect_uri");
        known.push(("redirect_uri", "https://wallet.example/back".into()));
        assert_eq!(push(&service, &known).await.status(), 201);
        for address in ["https://wallet.example/", "com.example.wallet:/back", BACK] {
            assert_eq!(
                push(&service, &with("redirect_uri", address)).await.status(),
                201,
                "{address}"
            );
        }
    })
    .await;
}

// test: OAU-22
// test: OAU-27
// test: OAU-28
#[tokio::test]
async fn a_pushed_request_works_once_soon_and_for_its_client() {
    on_each(async |world| {
        let service = Service::start(world, Kind::Authority).await;
        let uri = pushed(&service, &parameters()).await;
        let pool = service.world.pool().await;
        assert_eq!(open(&service, &uri, "another").await.status(), 400);
        let uri = pushed(&service, &parameters()).await;
        sqlx::query("UPDATE vci_pushed SET expires_at = 1")
            .execute(&pool)
            .await
            .unwrap();
        assert_eq!(open(&service, &uri, "a wallet").await.status(), 400);
        pool.close().await;
        let uri = pushed(&service, &parameters()).await;
        assert_eq!(open(&service, &uri, "a wallet").await.status(), 200);
        assert_eq!(open(&service, &uri, "a wallet").await.status(), 400);
    })
    .await;
}

// test: OAU-26
// test: OAU-06
// test: OAU-21
#[tokio::test]
async fn requests_are_pushed_unless_the_policy_lets_them_come_open() {
    on_each(async |world| {
        let service = Service::start_with(world, Kind::Authority, Policy::default(), 1).await;
        let mut url = Url::parse(&format!("{}/vci/authorize", service.url)).unwrap();
        url.query_pairs_mut().extend_pairs(parameters());
        assert_eq!(
            service.client.get(url.clone()).send().await.unwrap().status(),
            400
        );
        assert_eq!(
            open(&service, &pushed(&service, &parameters()).await, "a wallet")
                .await
                .status(),
            200
        );
    })
    .await;
    on_each(async |world| {
        let policy = Policy {
            require_pushed: false,
            ..Policy::default()
        };
        let service = Service::start_with(world, Kind::Authority, policy, 1).await;
        let mut url = Url::parse(&format!("{}/vci/authorize", service.url)).unwrap();
        url.query_pairs_mut().extend_pairs(parameters());
        assert_eq!(
            service.client.get(url.clone()).send().await.unwrap().status(),
            200
        );
        // Once the address is accepted, what is wrong besides is told there.
        url.query_pairs_mut()
            .clear()
            .extend_pairs(with("scope", "nothing"));
        let back = returned(&service.client.get(url.clone()).send().await.unwrap());
        assert_eq!(
            (parameter(&back, "error"), parameter(&back, "state")),
            ("invalid_scope".into(), "a state".into())
        );
        // Until then, nothing is redirected anywhere.
        url.query_pairs_mut()
            .clear()
            .extend_pairs(with("redirect_uri", "javascript:alert(1)"));
        assert_eq!(service.client.get(url).send().await.unwrap().status(), 400);
    })
    .await;
}
