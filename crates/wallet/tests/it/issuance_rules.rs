//! Every rule of an issuance, broken alone; then the untouched one passes.

use realdid_crypto::{KeyType, SecretKey};
use realdid_wallet::credentials::Standing;
use realdid_wallet::issuance::{Body, Endpoint, IssuanceError, JudgeError};
use serde_json::{Value, json};
use url::Url;

use crate::mock_issuer::{
    MockIssuer, Run, begin, coded, did_jwk, encrypting, fails, passes, reply, run, run_with, visit,
};

fn untouched() -> Run {
    passes(run(begin(coded()), &mut MockIssuer::new()))
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
