//! What a website may ask, and how: registration, addresses, the three ways of naming itself, the
//! high-assurance profile.

use realdid_openid::authorization_request::ResponseMode;
use realdid_openid::dcql::ClaimPath;
use realdid_openid::registration::MayAsk;
use serde_json::{Value, json};

use super::presentations::{ask, show, with};
use super::presenter::{LICENCE, Presenter, Rest, answer, licence_query};
use super::support::{CALLBACK, Site, World, on_each};
use crate::certificate::CertificateError;
use crate::clients::{ClientOptions, ClientOptionsError};
use crate::verifier_options::{AskError, Profile, VerifierOptions, VerifierOptionsError};

/// The body is altered, the refusal expected, then the untouched body accepted.
async fn refuses_body(site: impl FnOnce(&mut VerifierOptions), bodies: &[(Value, u16, &str)]) {
    let presenter = Presenter::new();
    let mut options = presenter.options();
    site(&mut options);
    on_each(async |world: World| {
        let site = world.verifier(options.clone()).await;
        let rest = Rest {
            world: &world,
            site: &site,
        };
        for (body, status, code) in bodies {
            let page = rest.ask(body).await;
            assert_eq!(
                (page.status, page.json()["code"].as_str()),
                (*status, Some(*code)),
                "{body}"
            );
        }
        rest.start(&ask()).await;
    })
    .await;
}

// test: VRF-16
// test: VRF-15
// test: VRF-17, DCQL-01, VP-34
#[tokio::test]
async fn a_request_that_is_not_well_formed_is_refused() {
    let cases = [
        (json!({}), 400, "malformed_request"),
        (with("template", "licence"), 400, "malformed_request"),
        (with("unknown", 1), 400, "malformed_request"),
        (json!([]), 400, "malformed_request"),
        (json!({ "template": "unknown" }), 404, "template_unknown"),
        (
            json!({ "dcql_query": { "credentials": [] } }),
            400,
            "query_invalid",
        ),
        (with("lifetime", 59), 400, "lifetime_invalid"),
        (with("lifetime", 901), 400, "lifetime_invalid"),
        (
            with("redirect_uri", "https://evil.example/"),
            400,
            "redirect_uri_invalid",
        ),
        (
            with("redirect_uri", format!("{CALLBACK}/x")),
            400,
            "redirect_uri_invalid",
        ),
        (with("response_mode", "fragment"), 400, "response_mode_invalid"),
        (
            with(
                "transaction_data",
                json!([{ "type": "x", "credential_ids": ["other"] }]),
            ),
            400,
            "transaction_data_invalid",
        ),
    ];
    refuses_body(|_| (), &cases).await;
}

// test: VRF-19
#[tokio::test]
async fn a_webhook_goes_to_public_addresses_only() {
    let cases = [
        "http://example.com/",
        "https://10.0.0.1/",
        "https://169.254.169.254/",
        "https://localhost/",
        "ftp://a/",
        "x",
    ]
    .map(|url| (with("webhook_url", url), 400, "webhook_url_invalid"));
    refuses_body(|_| (), &cases).await;
}

// test: VRF-22
#[tokio::test]
async fn a_website_names_itself_as_it_is_registered() {
    let cases = ["x509_hash", "x509_san_dns", "redirect_uri"]
        .map(|prefix| (with("client_id_prefix", prefix), 400, "client_id_prefix_invalid"));
    refuses_body(|_| (), &cases).await;
}

// test: VRF-03, TRU-03
#[tokio::test]
async fn no_more_is_asked_than_is_registered() {
    let mut passport = ask();
    passport["dcql_query"]["credentials"][0]["meta"]["vct_values"] = json!(["urn:example:passport"]);
    let mut number = ask();
    number["dcql_query"]["credentials"][0]["claims"][1] = json!({ "path": ["number"] });
    let only = |options: &mut VerifierOptions| {
        let claims = ["age_over_21", "classes"].map(|name| ClaimPath::of(&[name]));
        options.may_ask = vec![MayAsk::only(LICENCE, claims.to_vec())];
    };
    let code = "not_registered_to_ask";
    refuses_body(only, &[(passport, 403, code), (number, 403, code)]).await;
}

#[tokio::test]
async fn a_query_may_be_asked_by_name() {
    let presenter = Presenter::new();
    on_each(async |world: World| {
        let mut options = presenter.options();
        options
            .templates
            .insert("over 21".into(), serde_json::from_value(licence_query()).unwrap());
        let site = world.verifier(options).await;
        let rest = Rest {
            world: &world,
            site: &site,
        };
        let started = show(&presenter, &rest, &json!({ "template": "over 21" })).await;
        assert_eq!(rest.status(&started["id"]).await["status"], "completed");
    })
    .await;
}

/// A website with a certificate for this machine.
async fn certified(world: &World, presenter: &Presenter, alter: impl FnOnce(&mut VerifierOptions)) -> Site {
    let mut options = VerifierOptions {
        client_id_prefix: Some("x509_hash".into()),
        dns_name: Some("localhost".into()),
        ..presenter.options()
    };
    alter(&mut options);
    world
        .certified(options, &presenter.certificate("localhost"))
        .await
}

// test: VP-38
#[tokio::test]
async fn a_website_may_name_itself_in_three_ways_and_have_answers_encrypted() {
    on_each(async |world: World| {
        let presenter = Presenter::new();
        let site = certified(&world, &presenter, |_| ()).await;
        let rest = Rest {
            world: &world,
            site: &site,
        };
        for prefix in ["decentralized_identifier", "x509_san_dns", "x509_hash"] {
            for mode in ["direct_post", "direct_post.jwt"] {
                let mut body = with("client_id_prefix", prefix);
                body["response_mode"] = mode.into();
                let started = rest.start(&body).await;
                let request = presenter.fetch(&world, started["link"].as_str().unwrap()).await;
                assert_eq!(request.client_id().prefix().as_str(), prefix);
                assert_eq!(request.response_mode().as_str(), mode);
                let shown = presenter.show(&request, &presenter.issue(|_| ()));
                if request.response_mode() == ResponseMode::DirectPostJwt {
                    let plain = format!("vp_token={{}}&state={}", request.state().unwrap());
                    assert_eq!(
                        world
                            .post(request.response_uri().path(), &plain, None)
                            .await
                            .status,
                        400
                    );
                }
                let page = answer(&world, &request, &shown).await;
                assert_eq!(page.status, 200, "{prefix} {mode} {}", page.text);
            }
        }
    })
    .await;
}

// test: VP-39, VP-40, VP-41, VP-42, DCQL-21
#[tokio::test]
async fn a_wallet_that_could_not_answer_is_told_and_so_is_the_website() {
    on_each(async |world: World| {
        let presenter = Presenter::new();
        let site = certified(&world, &presenter, |options| options.encrypted = true).await;
        let rest = Rest {
            world: &world,
            site: &site,
        };
        let started = rest.start(&ask()).await;
        let uri = url::Url::parse(started["request_uri"].as_str().unwrap()).unwrap();
        let fetch = async |metadata: &Value| {
            let body = url::form_urlencoded::Serializer::new(String::new())
                .append_pair("wallet_metadata", &metadata.to_string())
                .append_pair("something_else", "ignored")
                .finish();
            world.post(uri.path(), &body, None).await
        };
        for (metadata, code) in [
            (json!([]), "wallet_metadata_invalid"),
            (
                json!({ "vp_formats_supported": { "mso_mdoc": {} } }),
                "wallet_formats",
            ),
            (
                json!({ "client_id_prefixes_supported": ["redirect_uri"] }),
                "wallet_client_id_prefix",
            ),
            (
                json!({ "request_object_signing_alg_values_supported": ["RS256"] }),
                "wallet_request_algorithm",
            ),
            (
                json!({ "authorization_encryption_enc_values_supported": ["A192GCM"] }),
                "wallet_encryption",
            ),
        ] {
            let page = fetch(&metadata).await;
            assert_eq!(
                (page.status, page.json()["code"].as_str()),
                (400, Some(code)),
                "{metadata}"
            );
            let told = &rest.status(&started["id"]).await["last_refusal"]["code"];
            assert_eq!(told == code, code != "wallet_metadata_invalid", "{told}");
        }
        let able = json!({
            "vp_formats_supported": { "dc+sd-jwt": { "sd-jwt_alg_values": ["ES256"] } },
            "client_id_prefixes_supported": ["x509_hash"],
            "request_object_signing_alg_values_supported": ["ES256"],
            "authorization_encryption_enc_values_supported": ["A128GCM"],
        });
        assert_eq!(fetch(&able).await.status, 200);
    })
    .await;
}

fn haip(options: &mut VerifierOptions) {
    options.profile = Profile::Haip;
    options.dns_name = None;
}

// test: VRF-04
// test: VRF-18
// test: VRF-20
// test: VRF-21, DCQL-13
#[tokio::test]
async fn what_the_high_assurance_profile_forbids_is_refused() {
    on_each(async |world: World| {
        let presenter = Presenter::new();
        let site = certified(&world, &presenter, haip).await;
        let rest = Rest {
            world: &world,
            site: &site,
        };
        let good = with("redirect_uri", CALLBACK);
        let mut unbound = good.clone();
        unbound["dcql_query"]["credentials"][0]["require_cryptographic_holder_binding"] = json!(false);
        let mut plain = good.clone();
        plain["response_mode"] = json!("direct_post");
        let mut by_did = good.clone();
        by_did["client_id_prefix"] = json!("decentralized_identifier");
        for body in [ask(), unbound, plain, by_did] {
            let page = rest.ask(&body).await;
            assert_eq!(
                (page.status, page.json()["code"].as_str()),
                (400, Some("profile_violated")),
                "{body}"
            );
        }
        let mut mdoc = good.clone();
        mdoc["dcql_query"]["credentials"][0]["format"] = json!("mso_mdoc");
        assert_eq!(rest.ask(&mdoc).await.json()["code"], "format_not_supported");
        rest.start(&good).await;
    })
    .await;
}

/// What the profile asks of a verifier's requests (HAIP §5 to §8), point by point.
#[tokio::test]
async fn the_high_assurance_profile_is_kept() {
    on_each(async |world: World| {
        let presenter = Presenter::new();
        let site = certified(&world, &presenter, haip).await;
        let rest = Rest {
            world: &world,
            site: &site,
        };
        let started = rest.start(&with("redirect_uri", CALLBACK)).await;
        let link = started["link"].as_str().unwrap();
        assert!(link.starts_with("haip-vp://?") && link.contains("request_uri="));
        let request = presenter.fetch(&world, link).await;
        assert_eq!(request.client_id().prefix().as_str(), "x509_hash");
        assert_eq!(request.response_mode(), ResponseMode::DirectPostJwt);
        let metadata = request.metadata();
        let formats = &metadata.vp_formats_supported["dc+sd-jwt"];
        assert_eq!(formats["sd-jwt_alg_values"], json!(["ES256"]));
        assert_eq!(formats["kb-jwt_alg_values"], json!(["ES256"]));
        let key = &metadata.jwks.as_ref().unwrap().keys[0];
        assert_eq!(
            (&key["crv"], &key["alg"], &key["use"]),
            (&json!("P-256"), &json!("ECDH-ES"), &json!("enc"))
        );
        let offered = metadata.encrypted_response_enc_values_supported.as_ref().unwrap();
        assert!(
            ["A128GCM", "A256GCM"]
                .iter()
                .all(|name| offered.iter().any(|own| own == name))
        );
        let shown = presenter.show(&request, &presenter.issue(|_| ()));
        let page = answer(&world, &request, &shown).await;
        assert_eq!(page.status, 200, "{}", page.text);
        assert!(
            page.json()["redirect_uri"]
                .as_str()
                .unwrap()
                .starts_with(CALLBACK)
        );
    })
    .await;
}

// test: VRF-01
// test: VRF-02
// test: VRF-03
// test: VRF-12, X5C-03
#[test]
fn a_website_is_registered_with_what_its_prefix_and_profile_need() {
    let presenter = Presenter::new();
    let check = |alter: &dyn Fn(&mut ClientOptions)| {
        let mut options = ClientOptions::new("Site", vec![CALLBACK.into()]);
        options.verifier = VerifierOptions {
            client_id_prefix: Some("x509_hash".into()),
            ..presenter.options()
        };
        options.certificate = Some(presenter.certificate("site.example"));
        assert_eq!(options.check(true), Ok(()));
        alter(&mut options);
        options.check(true)
    };
    let verifier = |error| Err(ClientOptionsError::Verifier(error));
    assert_eq!(
        check(&|options| options.certificate = None),
        verifier(VerifierOptionsError::Prefix)
    );
    let unknown =
        |options: &mut ClientOptions| options.verifier.client_id_prefix = Some("redirect_uri".into());
    assert_eq!(check(&unknown), verifier(VerifierOptionsError::Prefix));
    let haip_by_did = |options: &mut ClientOptions| {
        (options.verifier.profile, options.verifier.client_id_prefix) = (Profile::Haip, None);
    };
    assert_eq!(check(&haip_by_did), verifier(VerifierOptionsError::ProfilePrefix));
    let other_host = |options: &mut ClientOptions| options.verifier.dns_name = Some("other.example".into());
    assert!(matches!(
        check(&other_host),
        Err(ClientOptionsError::Certificate(CertificateError::Chain(_)))
    ));
    let template = |options: &mut ClientOptions| {
        let mut query = licence_query();
        query["credentials"][0]["meta"]["vct_values"] = json!(["urn:example:passport"]);
        options
            .verifier
            .templates
            .insert("t".into(), serde_json::from_value(query).unwrap());
    };
    let refused = check(&template);
    assert!(matches!(
        refused,
        Err(ClientOptionsError::Verifier(VerifierOptionsError::Template(
            _,
            AskError::OverAsked(_)
        )))
    ));
    assert_eq!(
        presenter.certificate_with_other_key().err(),
        Some(CertificateError::Key)
    );
}

#[test]
fn the_description_names_every_route() {
    let document: Value = serde_json::from_str(include_str!("../../openapi.json")).unwrap();
    let paths: Vec<_> = document["paths"].as_object().unwrap().keys().cloned().collect();
    let routes = [
        "/v1/presentations",
        "/v1/presentations/{id}",
        "/v1/presentations/{id}/result",
    ];
    assert_eq!(paths, routes);
}
