//! Issuances from the offer to the stored credential, and everything that ends one early.

use realdid_crypto::{KeyType, SecretKey};
use realdid_jose::jwe::DecryptionKey;
use realdid_openid::vci::OfferError;
use realdid_wallet::credentials::Standing;
use realdid_wallet::issuance::{
    Authorization, Body, Endpoint, Issuance, IssuanceError, JudgeError, PendingIssuance,
};
use serde_json::{Value, json};
use url::Url;

use crate::mock_issuer::{
    ISSUER, MockIssuer, NOW, Run, VCT, browsed, coded, did_jwk, offer, options, query, reply, rng, run,
    run_with,
};

fn begin(grants: Value) -> Issuance {
    Issuance::begin(&offer(grants), options()).unwrap()
}

fn fails(issuer: &mut MockIssuer) -> IssuanceError {
    run(begin(coded()), issuer).unwrap_err()
}

/// The untouched issuer, which every test ends with.
fn passes(run: Result<Run, IssuanceError>) -> Run {
    let run = run.unwrap();
    assert_eq!(run.received.len(), 1);
    run
}

fn untouched() -> Run {
    passes(run(begin(coded()), &mut MockIssuer::new()))
}

fn visit(issuer: &mut MockIssuer, browser: &dyn Fn(&str) -> Option<Url>) -> Result<Run, IssuanceError> {
    run_with(begin(browsed()), issuer, None, browser)
}

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

fn encrypting() -> MockIssuer {
    let mut issuer = MockIssuer::new();
    let key = DecryptionKey::generate(&mut rng(8));
    let rsa = json!({ "kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "r", "alg": "RSA-OAEP-256" });
    issuer.metadata["credential_request_encryption"] = json!({
        "jwks": { "keys": [rsa, key.jwk()] }, "enc_values_supported": ["A128GCM"], "encryption_required": true,
    });
    issuer.metadata["credential_response_encryption"] = json!({
        "alg_values_supported": ["ECDH-ES"], "enc_values_supported": ["A256GCM"], "encryption_required": true,
    });
    issuer.encryption = key;
    issuer
}

// test: WVC-02
#[test]
fn a_transaction_code_that_is_asked_for_has_to_be_given() {
    let without = run_with(begin(coded()), &mut MockIssuer::new(), None, &|_| None);
    assert_eq!(without.unwrap_err(), IssuanceError::TxCodeMissing);
    untouched();
}

// test: WVC-04
#[test]
fn no_attempt_is_spent_on_a_transaction_code_of_another_form() {
    for code in ["123", "12345", "12a4", ""] {
        let mut issuer = MockIssuer::new();
        let wrong = run_with(begin(coded()), &mut issuer, Some(code), &|_| None);
        assert_eq!(wrong.unwrap_err(), IssuanceError::TxCodeForm, "{code}");
        assert!(issuer.requests(Endpoint::Token).is_empty());
    }
    untouched();
}

// test: WVC-05
#[test]
fn keys_are_not_sent_to_who_wants_them_attested() {
    let mut issuer = MockIssuer::new();
    issuer.configuration()["proof_types_supported"]["jwt"]["key_attestations_required"] = json!({});
    assert_eq!(fails(&mut issuer), IssuanceError::KeyAttestation);
    untouched();
}

// test: WVC-06
#[test]
fn a_key_is_of_a_kind_that_the_issuer_reads() {
    let algorithms = |issuer: &mut MockIssuer, names: Value| {
        issuer.configuration()["proof_types_supported"]["jwt"]["proof_signing_alg_values_supported"] = names;
    };
    let mut issuer = MockIssuer::new();
    algorithms(&mut issuer, json!(["ES384"]));
    assert_eq!(fails(&mut issuer), IssuanceError::ProofType);
    for (name, kind) in [("EdDSA", KeyType::Ed25519), ("SM2SM3", KeyType::Sm2)] {
        let mut issuer = MockIssuer::new();
        algorithms(&mut issuer, json!([name]));
        let run = passes(run(begin(coded()), &mut issuer));
        let key = run.received[0].credential.copies[0].key.clone().unwrap();
        assert_eq!(key.public_key().kind(), kind);
    }
    untouched();
}

// test: WVC-07
#[test]
fn a_token_of_an_unknown_type_is_not_used() {
    let mut issuer = MockIssuer::new();
    issuer.token["token_type"] = "mac".into();
    issuer.bearer = true;
    assert_eq!(fails(&mut issuer), IssuanceError::TokenType("mac".to_owned()));
    untouched();
}

// test: WVC-08
#[test]
fn no_browser_is_sent_where_codes_are_not_protected() {
    let mut issuer = MockIssuer::new();
    issuer.server["code_challenge_methods_supported"] = json!(["plain"]);
    assert_eq!(visit(&mut issuer, &|_| None).unwrap_err(), IssuanceError::Pkce);
    passes(visit(&mut MockIssuer::new(), &|_| None));
}

// test: WVC-09
#[test]
fn identifiers_of_the_token_are_used_and_those_of_other_credentials_are_not() {
    let details = |configuration: &str| {
        json!([{ "type": "openid_credential", "credential_configuration_id": configuration,
            "credential_identifiers": ["pass-of-ada"] }])
    };
    let mut issuer = MockIssuer::new();
    issuer.token["authorization_details"] = details("other");
    assert_eq!(fails(&mut issuer), IssuanceError::NotAuthorized);
    let mut issuer = MockIssuer::new();
    issuer.token["authorization_details"] = details("pass");
    passes(run(begin(coded()), &mut issuer));
    let Body::Json(body) = &issuer.requests(Endpoint::Credential)[0].body else {
        panic!("JSON")
    };
    assert!(
        body.contains(r#""credential_identifier":"pass-of-ada""#),
        "{body}"
    );
    assert!(!body.contains("credential_configuration_id"));
}

// test: WVC-10
#[test]
fn a_key_for_the_response_is_not_sent_in_the_clear() {
    let mut issuer = encrypting();
    issuer.metadata["credential_request_encryption"] = Value::Null;
    assert_eq!(fails(&mut issuer), IssuanceError::Encryption);
    passes(run(begin(coded()), &mut encrypting()));
}

// test: WVC-11
#[test]
fn an_answer_in_the_clear_is_refused_where_encryption_was_asked_for() {
    let key = SecretKey::from_seed(KeyType::P256, &[7; 32]);
    let clear = json!({ "credentials": [{ "credential": "x" }], "kid": did_jwk(&key) });
    let mut issuer = encrypting().tampered(move |endpoint, answer| {
        if endpoint == Endpoint::Credential {
            *answer = reply(200, &clear);
        }
    });
    assert_eq!(fails(&mut issuer), IssuanceError::NotEncrypted);
    passes(run(begin(coded()), &mut encrypting()));
}

// test: WVC-12
#[test]
fn an_answer_to_another_request_is_not_taken() {
    let back = |_: &str| Url::parse("http://127.0.0.1:5555/callback?code=c&state=other").ok();
    assert_eq!(
        visit(&mut MockIssuer::new(), &back).unwrap_err(),
        IssuanceError::State
    );
    passes(visit(&mut MockIssuer::new(), &|_| None));
}

// test: WVC-13
#[test]
fn an_answer_of_another_server_is_not_taken() {
    let back =
        |_: &str| Url::parse("http://127.0.0.1:5555/callback?code=c&iss=https%3A%2F%2Fevil.example").ok();
    assert_eq!(
        visit(&mut MockIssuer::new(), &back).unwrap_err(),
        IssuanceError::MixUp
    );
    passes(visit(&mut MockIssuer::new(), &|_| None));
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

// test: WVC-14
#[test]
fn a_deferred_answer_belongs_to_the_transaction_that_was_asked_for() {
    let mut issuer = MockIssuer::new().tampered(|endpoint, answer| {
        if endpoint == Endpoint::Deferred {
            *answer = reply(202, &json!({ "transaction_id": "another", "interval": 5 }));
        }
    });
    issuer.deferrals = 1;
    assert_eq!(fails(&mut issuer), IssuanceError::OtherTransaction);
    let mut issuer = MockIssuer::new();
    issuer.deferrals = 1;
    passes(run(begin(coded()), &mut issuer));
}

// test: WVC-15
#[test]
fn no_more_copies_come_than_keys_were_sent() {
    let mut issuer = MockIssuer::new();
    issuer.extra = 1;
    assert_eq!(fails(&mut issuer), IssuanceError::Answer(Endpoint::Credential));
    untouched();
}

// test: WVC-16
#[test]
fn the_copies_of_one_answer_are_by_one_issuer() {
    let mut issuer = MockIssuer::new();
    issuer.signer = Box::new(|place| SecretKey::from_seed(KeyType::P256, &[7 + u8::from(place == 1); 32]));
    assert_eq!(fails(&mut issuer), JudgeError::DifferentIssuers.into());
    untouched();
}

// test: WVC-17
#[test]
fn no_two_copies_are_bound_to_one_key() {
    let mut issuer = MockIssuer::new();
    let first = std::cell::RefCell::new(None);
    issuer.shape = Box::new(move |place, new| {
        let holder = new.holder;
        new.holder = if place == 0 { holder } else { *first.borrow() };
        *first.borrow_mut() = new.holder;
    });
    assert_eq!(fails(&mut issuer), JudgeError::KeyTwice.into());
    untouched();
}

// test: WVC-18
#[test]
fn what_comes_is_of_the_type_that_was_offered() {
    let mut issuer = MockIssuer::new();
    issuer.shape = Box::new(|_, new| new.vct = "https://issuer.example/other".to_owned());
    assert_eq!(fails(&mut issuer), JudgeError::Type.into());
    untouched();
}

// test: WVC-19
#[test]
fn what_comes_is_bound_to_a_key_of_this_wallet() {
    let other = SecretKey::from_seed(KeyType::P256, &[99; 32]).public_key();
    for holder in [None, Some(other)] {
        let mut issuer = MockIssuer::new();
        issuer.shape = Box::new(move |_, new| new.holder = holder);
        assert_eq!(fails(&mut issuer), JudgeError::OtherKey.into());
    }
    untouched();
}

// test: WVC-20
#[test]
fn without_a_proof_nothing_comes_that_is_bound_to_somebodys_key() {
    let unbound = || {
        let mut issuer = MockIssuer::new();
        let configuration = issuer.configuration().as_object_mut().unwrap();
        configuration.remove("proof_types_supported").unwrap();
        configuration
            .remove("cryptographic_binding_methods_supported")
            .unwrap();
        issuer
    };
    let other = SecretKey::from_seed(KeyType::P256, &[99; 32]).public_key();
    let mut issuer = unbound();
    issuer.shape = Box::new(move |_, new| new.holder = Some(other));
    assert_eq!(fails(&mut issuer), JudgeError::ForeignKey.into());
    let run = passes(run(begin(coded()), &mut unbound()));
    assert_eq!(run.received[0].credential.copies[0].key, None);
}

// test: WVC-28
#[test]
fn nothing_is_stored_of_an_issuer_that_was_struck_off() {
    let mut issuer = MockIssuer::new();
    issuer.standing = Standing::StruckOff;
    assert_eq!(fails(&mut issuer), JudgeError::StruckOff.into());
    untouched();
}

// test: WVC-29
#[test]
fn nothing_is_stored_of_an_issuer_that_is_suspended() {
    let mut issuer = MockIssuer::new();
    issuer.standing = Standing::Suspended;
    assert_eq!(fails(&mut issuer), JudgeError::Suspended.into());
    untouched();
}

#[test]
fn fresh_copies_come_by_the_refresh_token_for_the_credential_that_is_held() {
    let mut issuer = MockIssuer::new();
    let first = passes(run(begin(coded()), &mut issuer)).received.remove(0);
    let mut wallet = crate::storage::wallet();
    let id = wallet.keep_credential(first.credential, NOW).unwrap();
    let held = wallet.credential(id).unwrap().clone();
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

#[test]
fn a_credential_that_is_over_or_signed_by_another_key_is_not_stored() {
    let mut issuer = MockIssuer::new();
    issuer.shape = Box::new(|_, new| new.expires_at = Some(NOW - 3600));
    assert_eq!(fails(&mut issuer).code(), "issued_expired");
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
