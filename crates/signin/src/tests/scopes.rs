use realdid_openid::authorization_request::{RequestContext, UnverifiedRequest};
use realdid_openid::dcql::ClaimPath;
use realdid_openid::jws::Unverified;
use realdid_openid::oidc::authorization::REALNAME_VCT;
use realdid_openid::openid4vp_link::WalletLink;
use realdid_openid::registration::MayAsk;
use realdid_openid::site_statement::UnverifiedStatement;
use realdid_service::now_seconds;
use serde_json::{Value, json};

use super::support::{CALLBACK, VERIFIER, World, answer, basic, charter_claim, on_each};
use crate::login::{Device, Return, Stage};
use crate::verifier_options::VerifierOptions;

const SCOPE: &str = "openid realname_verified age_over_18 profile";

/// A server whose first website may ask for some of the real-name credential.
async fn with_registered(claims: Option<&[&str]>, test: impl AsyncFn(World)) {
    on_each(async |mut world: World| {
        let claims = claims.map(|names| names.iter().map(|&name| ClaimPath::of(&[name])).collect());
        let may_ask = MayAsk {
            claims,
            vct: REALNAME_VCT.into(),
        };
        let options = VerifierOptions {
            may_ask: vec![may_ask],
            ..VerifierOptions::default()
        };
        world.site = world.verifier(options).await;
        test(world).await;
    })
    .await;
}

// test: OIDC-24
// test: VRF-03, TRU-03
#[tokio::test]
async fn a_scope_that_a_website_is_not_registered_for_is_refused() {
    on_each(async |world: World| {
        for scope in ["openid profile", "openid age_over_21"] {
            let page = world.authorize(&[("scope", scope)]).await;
            assert_eq!(
                page.parameter("error").as_deref(),
                Some("invalid_scope"),
                "{scope}"
            );
        }
        world
            .begin(&[("scope", "openid age_over_17 realname_verified")])
            .await;
    })
    .await;
    with_registered(Some(&["age_over_18"]), async |world: World| {
        for scope in ["openid profile", "openid age_over_18 age_over_21"] {
            let page = world.authorize(&[("scope", scope)]).await;
            assert_eq!(
                page.parameter("error").as_deref(),
                Some("invalid_scope"),
                "{scope}"
            );
        }
        world.begin(&[("scope", "openid age_over_18")]).await;
    })
    .await;
}

// test: DCQL-21
#[tokio::test]
async fn the_wallet_is_asked_for_the_real_name_credential_beside_the_login() {
    with_registered(None, async |world: World| {
        let begun = world.begin(&[("scope", SCOPE)]).await;
        let page = world
            .get(&format!("/login/{}", begun.id), Some(&begun.cookie))
            .await
            .text;
        // Values stand between marks that keep their direction from the text around them.
        let said = page.replace(['\u{2068}', '\u{2069}'], "");
        assert!(said.contains("whether you are 18 or older, your name and date of birth"));
        assert!(!page.contains("neither your name"));
        let start = page.find("openid4vp://").unwrap();
        let link = page[start..].split('"').next().unwrap().replace("&#38;", "&");
        let link = WalletLink::parse(&link, true).unwrap();
        let object = world.get(link.request_uri.path(), None).await.text;
        let request = UnverifiedRequest::parse(&object, &link.client_id).unwrap();
        let key = world
            .app
            .site_keys
            .load(&world.site.client.client_id)
            .unwrap()
            .public_key();
        let context = RequestContext {
            client_id: &link.client_id,
            request_uri: link.request_uri.as_str(),
            wallet_nonce: None,
            now: now_seconds(),
            sandbox: true,
        };
        let request = request.verify(&key, &context).unwrap();
        assert_eq!(request.login().unwrap().level, "substantial");
        assert!(request.only_login().is_err());
        assert_eq!(
            request.query().credential("person").unwrap().types(),
            Some(vec![REALNAME_VCT])
        );
        let statement = UnverifiedStatement::find(request.verifier_info())
            .unwrap()
            .unwrap();
        let app = &world.app;
        let (own, site) = (app.identity.public_key(), &world.site.client.site_did);
        let claims = statement
            .verify(&own, site, &charter_claim(app), now_seconds())
            .unwrap();
        assert_eq!(claims.claims().may_ask, [MayAsk::any(REALNAME_VCT)]);
        // A login alone does not do.
        let body = format!(
            "vp_token={{\"realname\":[\"a.b.c\"]}}&state={}",
            request.state().unwrap()
        );
        let refused = world.post(request.response_uri().path(), &body, None).await;
        assert_eq!(
            (refused.status, refused.json()["code"].as_str()),
            (400, Some("malformed_answer"))
        );
    })
    .await;
}

#[tokio::test]
async fn the_claims_arrive_in_id_token_and_userinfo() {
    with_registered(None, async |world: World| {
        let begun = world.begin(&[("scope", SCOPE)]).await;
        let login = world.login(&begun).await;
        let told = json!({ "age_over_18": true, "name": "Erika Mustermann", "birthdate": "1990-01-01" });
        let mut answer = answer(Device::Other);
        answer.claims = told.as_object().unwrap().clone();
        let stage = Stage::Answered {
            answer,
            back: Return::WaitingPage,
        };
        world.app.database.advance_login(&login, &stage).await.unwrap();
        let page = world
            .get(&format!("/login/{}/complete", begun.id), Some(&begun.cookie))
            .await;
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("grant_type", "authorization_code"),
                ("code", &page.parameter("code").unwrap()),
                ("redirect_uri", CALLBACK),
                ("code_verifier", VERIFIER),
            ])
            .finish();
        let authorization = basic(&world.site.client.client_id, &world.site.secret);
        let tokens = world.post("/token", &body, Some(&authorization)).await.json();
        assert_eq!(tokens["scope"], SCOPE);
        let id_token = Unverified::parse(tokens["id_token"].as_str().unwrap()).unwrap();
        let claims: Value = id_token.stated().unwrap();
        let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
        let userinfo = world.get_as("/userinfo", &bearer).await.json();
        for claims in [&claims, &userinfo] {
            for (name, value) in told.as_object().unwrap() {
                assert_eq!(&claims[name], value);
            }
            assert_eq!(claims["realname_verified"], true);
        }
    })
    .await;
}
