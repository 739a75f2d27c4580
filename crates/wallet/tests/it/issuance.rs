//! Issuances from the offer to the stored credential, and everything that ends one early.

use realdid_crypto::KeyType;
use realdid_openid::vci::OfferError;
use realdid_wallet::issuance::{Authorization, Body, Endpoint, Issuance, IssuanceError, PendingIssuance};
use serde_json::{Value, json};
use url::Url;

use crate::mock_issuer::{
    ISSUER, MockIssuer, NOW, VCT, begin, coded, encrypting, fails, offer, options, passes, query, reply, rng,
    run, visit,
};

// test: WVC-32
#[test]
fn an_offer_with_a_code_becomes_a_batch_of_copies_each_with_its_own_key() {
    let mut issuer = MockIssuer::new();
    let run = passes(run(begin(coded()), &mut issuer));
    let preview = &run.previews[0];
    assert_eq!(
        preview.issuer_name, "Pass bOffice/b",
        "no direction marks, no mark-up"
    );
    assert_eq!(preview.credentials[0].name, "A Pass");
    assert!(
        matches!(&preview.authorization, Authorization::PreAuthorized { tx_code: Some(prompt) }
        if prompt.numeric && prompt.length == Some(4))
    );
    let credential = &run.received[0].credential;
    assert_eq!((credential.vct.as_str(), credential.copies.len()), (VCT, 3));
    let keys: Vec<_> = credential
        .copies
        .iter()
        .map(|copy| copy.key.as_ref().unwrap().public_key())
        .collect();
    assert!(keys.iter().all(|key| key.kind() == KeyType::P256));
    assert!(keys[0] != keys[1] && keys[1] != keys[2] && keys[0] != keys[2]);
    assert_eq!(credential.copies[0].expires_at, Some(NOW + 86_400));
    let Body::Form(form) = &issuer.requests(Endpoint::Token)[0].body else {
        panic!("a form")
    };
    assert!(form.contains(&("tx_code", "1234".to_owned())));
    assert!(
        form.iter().all(|(name, _)| *name != "client_id"),
        "anonymous where that is allowed"
    );
    let Body::Json(told) = &issuer.requests(Endpoint::Notification)[0].body else {
        panic!("JSON")
    };
    let told: Value = serde_json::from_str(told).unwrap();
    assert_eq!(
        told,
        json!({ "notification_id": "notification-1", "event": "credential_accepted" })
    );
}

// test: VCI-04
#[test]
fn an_offer_by_reference_or_from_a_strangers_wallet_address_is_the_same_offer() {
    let by_value = offer(coded()).replace("openid-credential-offer://", "https://wallet.example/open");
    assert!(Issuance::begin(&by_value, options()).is_ok());
    let reference = "haip://?credential_offer_uri=http%3A%2F%2F127.0.0.1%3A7399%2Foffer%2F1";
    let mut issuance = Issuance::begin(reference, options()).unwrap();
    let realdid_wallet::issuance::Step::Fetch(fetch) = issuance.step(NOW, &mut rng(1)).unwrap() else {
        panic!("the offer is fetched")
    };
    assert_eq!(fetch.url.as_str(), "http://127.0.0.1:7399/offer/1");
    let link = Url::parse(&offer(coded())).unwrap();
    let offer: Value = serde_json::from_str(&query(&link, "credential_offer").unwrap()).unwrap();
    issuance.received(&reply(200, &offer), NOW, &mut rng(1)).unwrap();
    passes(run(issuance, &mut MockIssuer::new()));
    let both = format!("{reference}&credential_offer=x");
    assert_eq!(
        Issuance::begin(&both, options()).unwrap_err(),
        IssuanceError::Offer(OfferError::OneOf)
    );
}

#[test]
fn a_browser_brings_the_code_where_the_offer_has_none() {
    let mut issuer = MockIssuer::new();
    passes(visit(&mut issuer, &|url| {
        let url = Url::parse(url).unwrap();
        assert_eq!(query(&url, "request_uri").as_deref(), Some("urn:request:1"));
        None
    }));
    let Body::Form(pushed) = &issuer.requests(Endpoint::Push)[0].body else {
        panic!("a form")
    };
    let has = |name: &str, value: &str| pushed.iter().any(|(n, v)| *n == name && v == value);
    assert!(
        has("scope", "pass")
            && has("issuer_state", "state-of-issuer")
            && has("code_challenge_method", "S256")
    );
    assert!(pushed.iter().any(|(name, _)| *name == "dpop_jkt"));
    let Body::Form(form) = &issuer.requests(Endpoint::Token)[0].body else {
        panic!("a form")
    };
    assert!(form.contains(&("code", "code-2".to_owned())));
}

#[test]
fn without_pushed_requests_the_browser_carries_everything_and_details_go_where_they_are_understood() {
    let mut issuer = MockIssuer::new();
    issuer.server["pushed_authorization_request_endpoint"] = Value::Null;
    issuer.server["authorization_details_types_supported"] = json!(["openid_credential"]);
    passes(visit(&mut issuer, &|url| {
        let details = query(&Url::parse(url).unwrap(), "authorization_details").unwrap();
        let details: Value = serde_json::from_str(&details).unwrap();
        assert_eq!(details[0]["credential_configuration_id"], "pass");
        None
    }));
}

#[test]
fn a_bearer_token_is_used_as_one_where_proofs_are_not_supported() {
    let mut issuer = MockIssuer::new();
    issuer.server["dpop_signing_alg_values_supported"] = json!([]);
    issuer.token["token_type"] = "bearer".into();
    issuer.bearer = true;
    passes(run(begin(coded()), &mut issuer));
}

#[test]
fn a_server_that_wants_its_nonce_in_proofs_gets_it_and_one_that_is_never_content_does_not_loop() {
    let mut issuer = MockIssuer::new();
    issuer.dpop_nonce = Some("dpop-nonce-1".to_owned());
    passes(run(begin(coded()), &mut issuer));
    assert_eq!(issuer.requests(Endpoint::Token).len(), 2);
    let mut never = MockIssuer::new().tampered(|endpoint, answer| {
        if endpoint == Endpoint::Token {
            *answer = reply(400, &json!({ "error": "use_dpop_nonce" }));
            answer.dpop_nonce = Some("another".to_owned());
        }
    });
    assert_eq!(fails(&mut never).code(), "dpop_refused");
}

#[test]
fn a_nonce_that_grew_old_is_replaced_once() {
    let mut refused = 0;
    let mut issuer = MockIssuer::new().tampered(move |endpoint, answer| {
        if endpoint == Endpoint::Credential && refused == 0 {
            refused += 1;
            *answer = reply(400, &json!({ "error": "invalid_nonce" }));
        }
    });
    passes(run(begin(coded()), &mut issuer));
    let mut always = MockIssuer::new().tampered(|endpoint, answer| {
        if endpoint == Endpoint::Credential {
            *answer = reply(400, &json!({ "error": "invalid_nonce" }));
        }
    });
    assert_eq!(fails(&mut always).code(), "holder_proof_refused");
}

// test: WVC-32
#[test]
fn refusals_of_the_specification_have_codes_of_their_own() {
    for (endpoint, status, error, code) in [
        (Endpoint::Token, 400, "invalid_grant", "offer_code_refused"),
        (Endpoint::Token, 401, "invalid_client", "wallet_unknown_to_issuer"),
        (Endpoint::Credential, 401, "invalid_token", "access_expired"),
        (Endpoint::Credential, 400, "invalid_proof", "holder_proof_refused"),
        (
            Endpoint::Credential,
            400,
            "credential_request_denied",
            "credential_denied",
        ),
        (
            Endpoint::Credential,
            400,
            "unknown_credential_configuration",
            "credential_unknown_to_issuer",
        ),
        (
            Endpoint::Credential,
            400,
            "invalid_encryption_parameters",
            "encryption_refused",
        ),
        (Endpoint::Credential, 400, "something_new", "issuer_refused"),
        (Endpoint::Credential, 503, "server_error", "issuer_unavailable"),
    ] {
        let mut issuer = MockIssuer::new().tampered(move |at, answer| {
            if at == endpoint {
                *answer = reply(
                    status,
                    &json!({ "error": error, "error_description": "why <b>\u{202e}not" }),
                );
            }
        });
        let failure = fails(&mut issuer);
        assert_eq!(failure.code(), code, "{error}");
        assert!(failure.to_string().ends_with("(why bnot)"), "{failure}");
    }
    let mut gone = MockIssuer::new().tampered(|at, answer| {
        if at == Endpoint::IssuerMetadata {
            *answer = reply(404, &Value::Null);
        }
    });
    assert_eq!(fails(&mut gone).code(), "not_an_issuer");
}

#[test]
fn metadata_of_an_openid_provider_will_do_for_the_server() {
    let mut issuer = MockIssuer::new().tampered(|_, _| {});
    let mut asked = 0;
    issuer.tamper = Box::new(move |at, answer| {
        if at == Endpoint::ServerMetadata && asked == 0 {
            asked += 1;
            *answer = reply(404, &Value::Null);
        }
    });
    passes(run(begin(coded()), &mut issuer));
    let second = issuer.requests(Endpoint::ServerMetadata)[1].url.clone();
    assert_eq!(second.path(), "/.well-known/openid-configuration");
}

#[test]
fn an_issuer_that_takes_its_time_is_asked_again_also_by_another_run() {
    let mut issuer = MockIssuer::new();
    issuer.deferrals = 2;
    let run_once = passes(run(begin(coded()), &mut issuer));
    assert_eq!(run_once.waits, 2);

    let mut issuer = MockIssuer::new();
    issuer.deferrals = 9;
    let left = run(begin(coded()), &mut issuer).unwrap();
    assert!(left.received.is_empty());
    let stored = serde_json::to_string(&left.saved.unwrap()).unwrap();
    let pending: PendingIssuance = serde_json::from_str(&stored).unwrap();
    assert_eq!(pending.names().collect::<Vec<_>>(), ["A Pass"]);
    issuer.deferrals = 0;
    let later = passes(run(Issuance::resume(pending, options()), &mut issuer));
    assert_eq!(later.received[0].credential.copies.len(), 3);
}

#[test]
fn a_token_that_has_expired_meanwhile_is_renewed() {
    let mut issuer = MockIssuer::new();
    issuer.deferrals = 9;
    let left = run(begin(coded()), &mut issuer).unwrap();
    let mut stored = serde_json::to_value(left.saved.unwrap()).unwrap();
    stored["access"]["expires_at"] = (NOW - 1).into();
    issuer.deferrals = 0;
    let pending = serde_json::from_value(stored).unwrap();
    passes(run(Issuance::resume(pending, options()), &mut issuer));
    let Body::Form(form) = &issuer.requests(Endpoint::Token)[1].body else {
        panic!("a form")
    };
    assert!(form.contains(&("refresh_token", "refresh-1".to_owned())));
}

#[test]
fn an_issuer_that_requires_encryption_gets_and_sends_it() {
    let mut issuer = encrypting();
    passes(run(begin(coded()), &mut issuer));
    assert!(matches!(
        issuer.requests(Endpoint::Credential)[0].body,
        Body::Jwt(_)
    ));
}

#[test]
fn a_visit_that_is_refused_or_brings_nothing_says_so() {
    let back = |_: &str| Url::parse("http://127.0.0.1:5555/callback?error=access_denied").ok();
    assert_eq!(
        visit(&mut MockIssuer::new(), &back).unwrap_err().code(),
        "authorization_denied"
    );
    let back = |_: &str| Url::parse("http://127.0.0.1:5555/callback").ok();
    assert_eq!(
        visit(&mut MockIssuer::new(), &back).unwrap_err(),
        IssuanceError::NoCode
    );
}

#[test]
fn fresh_copies_come_by_the_refresh_token_for_the_credential_that_is_held() {
    let mut issuer = MockIssuer::new();
    let first = passes(run(begin(coded()), &mut issuer)).received.remove(0);
    let mut wallet = crate::storage::wallet();
    let id = wallet.keep_credential(first.credential, NOW).unwrap();
    let held = wallet.credential(id).unwrap().clone();
    issuer.token["refresh_token"] = "refresh-2".into();
    let mut rotating = wallet.clone();
    let mut twin = passes(run(begin(coded()), &mut MockIssuer::new()))
        .received
        .remove(0)
        .credential;
    twin.copies.iter_mut().for_each(|copy| copy.key = None);
    let twin = rotating.keep_credential(twin, NOW).unwrap();
    let rotated = passes(run(Issuance::refresh(&held, options()).unwrap(), &mut issuer));
    rotating.keep_issuance(rotated.saved.unwrap());
    let token = rotating
        .credential(twin)
        .unwrap()
        .renewal
        .refresh_token
        .clone()
        .unwrap();
    assert_eq!(
        token.expose(),
        b"refresh-2",
        "a token shared by two credentials is replaced in both"
    );
    issuer.token["refresh_token"] = Value::Null;
    let refreshed = passes(run(Issuance::refresh(&held, options()).unwrap(), &mut issuer));
    assert!(refreshed.previews.is_empty(), "nothing to agree to");
    let received = &refreshed.received[0];
    assert_eq!(received.replaces, Some(id));
    assert!(
        received.credential.renewal.refresh_token.is_some(),
        "the old one stays good"
    );
    let Body::Form(form) = &issuer.requests(Endpoint::Token)[1].body else {
        panic!("a form")
    };
    assert!(form.contains(&("refresh_token", "refresh-1".to_owned())));
    let keys = |copies: &[realdid_wallet::credentials::HeldCopy]| {
        copies.iter().map(|copy| copy.key.clone()).collect::<Vec<_>>()
    };
    let (old, fresh) = (keys(&held.copies), keys(&received.credential.copies));
    assert!(fresh.iter().all(|key| !old.contains(key)));
    let mut without = held;
    without.renewal.refresh_token = None;
    assert_eq!(
        Issuance::refresh(&without, options()).unwrap_err(),
        IssuanceError::NoRefresh
    );
}

// test: SVC-08
#[test]
fn a_credential_that_is_over_is_not_stored() {
    let mut issuer = MockIssuer::new();
    issuer.shape = Box::new(|_, new| new.expires_at = Some(NOW - 3600));
    assert_eq!(fails(&mut issuer).code(), "issued_expired");
}

// test: JWS-06
#[test]
fn a_credential_signed_by_another_key_is_not_stored() {
    let mut issuer = MockIssuer::new().tampered(|endpoint, answer| {
        if endpoint == Endpoint::Credential {
            let text = String::from_utf8(answer.body.clone()).unwrap();
            let place = text.find('~').unwrap() - 5;
            let mut text = text.into_bytes();
            text[place] = if text[place] == b'A' { b'B' } else { b'A' };
            answer.body = text;
        }
    });
    assert_eq!(fails(&mut issuer).code(), "issued_invalid");
}

#[test]
fn what_begins_later_is_stored_now() {
    let mut issuer = MockIssuer::new();
    issuer.shape = Box::new(|_, new| new.not_before = Some(NOW + 3600));
    let run = passes(run(begin(coded()), &mut issuer));
    let copy = &run.received[0].credential.copies[0];
    assert!(!copy.is_valid_at(NOW) && copy.is_valid_at(NOW + 3600));
}

// test: VP-01
#[test]
fn what_cannot_be_held_is_said_before_anything_is_fetched() {
    let mut issuer = MockIssuer::new();
    issuer.configuration()["format"] = "mso_mdoc".into();
    assert_eq!(fails(&mut issuer), IssuanceError::Format("mso_mdoc".to_owned()));
    let mut issuer = MockIssuer::new();
    issuer.metadata["credential_configurations_supported"] = json!({});
    assert_eq!(fails(&mut issuer), IssuanceError::NotDescribed("pass".to_owned()));
    let mut issuer = MockIssuer::new();
    issuer.metadata["credential_issuer"] = format!("{ISSUER}/other").into();
    assert_eq!(fails(&mut issuer).code(), "issuer_metadata_invalid");
    let mut issuer = MockIssuer::new();
    issuer.metadata["credential_endpoint"] = "http://192.168.0.1/credential".into();
    assert_eq!(fails(&mut issuer).code(), "issuer_address_refused");
}
