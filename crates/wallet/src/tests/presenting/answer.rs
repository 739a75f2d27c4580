//! What is sent: bound to this verifier and request, once.

use super::*;
use crate::history::Event;
use crate::tests::login::Scene;
use crate::tests::{restarted, wallet};
use realdid_crypto::{base64url_encode, sha256};
use realdid_jose::jwe::{DecryptionKey, Jwe};
use realdid_openid::realdid_jwt;
use realdid_openid::registration::MayAsk;

fn encrypting(key: &DecryptionKey) -> Asking {
    let mut asking = Asking::new(query(&["age_over_21"]));
    asking.claims["response_mode"] = "direct_post.jwt".into();
    asking.claims["client_metadata"]["jwks"] = json!({ "keys": [key.jwk()] });
    asking
}

#[test]
fn an_answer_is_posted_as_a_form_with_its_state() {
    let mut wallet = wallet_with(&Licence::default());
    let request = asked(query(&["age_over_21"]));
    let agreed = consent(&wallet, &request).unwrap();
    let answer = answer(&mut wallet, &request, &agreed);
    assert_eq!(answer.response_uri.as_str(), format!("{ORIGIN}/response/1"));
    assert_eq!(answer.form[1], ("state", "s1".to_owned()));
    verified(
        &shown(&answer, "licence"),
        &Licence::default(),
        &request.asker().client_id,
    );
    assert!(
        !format!("{answer:?}").contains('~'),
        "presentations stay out of logs"
    );
}

#[test]
fn an_answer_is_encrypted_to_the_key_of_the_request() {
    let mut wallet = wallet_with(&Licence::default());
    let reader = DecryptionKey::generate(&mut rng(5));
    for encryption in [None, Some("A256GCM"), Some("A128CBC-HS256")] {
        let mut asking = encrypting(&reader);
        if let Some(name) = encryption {
            asking.claims["client_metadata"]["encrypted_response_enc_values_supported"] = json!([name]);
        }
        let request = asking.judge().unwrap();
        let agreed = consent(&wallet, &request).unwrap();
        let answer = answer(&mut wallet, &request, &agreed);
        let [("response", jwe)] = answer.form.as_slice() else {
            panic!()
        };
        let jwe = Jwe::parse(jwe).unwrap();
        assert_eq!(jwe.encryption().name(), encryption.unwrap_or("A128GCM"));
        assert_eq!(jwe.kid(), Some(reader.kid()));
        let content: Value = serde_json::from_slice(&jwe.decrypt(&reader).unwrap()).unwrap();
        assert_eq!(content["state"], "s1");
        let presentation = content["vp_token"]["licence"][0].as_str().unwrap();
        verified(presentation, &Licence::default(), asking.client_id());
    }
}

// test: WVP-12, WVC-03
#[test]
fn a_one_time_copy_is_shown_once() {
    let mut wallet = wallet_with(&Licence::default());
    let request = asked(query(&["age_over_21"]));
    let agreed = consent(&wallet, &request).unwrap();
    let first = shown(&answer(&mut wallet, &request, &agreed), "licence");
    // A second answer to the same consent, after a crash or by a second hand.
    let mut stored = restarted(&wallet);
    let again = stored.answer(&request, &agreed, NOW, &mut rng(8));
    assert!(matches!(again, Err(AnswerError::CopyUsed)), "{again:?}");
    let agreed = consent(&stored, &request).unwrap();
    let second = shown(&answer(&mut stored, &request, &agreed), "licence");
    let issued = |text: &str| text.split('~').next().unwrap().to_owned();
    assert_ne!(issued(&first), issued(&second));
}

#[test]
fn one_copy_answers_several_queries_of_one_request() {
    let licence = Licence::default();
    let mut wallet = wallet_with(&licence);
    let mut two = query(&["age_over_21"]);
    let mut name = two["credentials"][0].clone();
    name["id"] = "name".into();
    name["claims"] = json!([{ "path": ["given_name"] }]);
    two["credentials"].as_array_mut().unwrap().push(name);
    let request = asked(two);
    let agreed = consent(&wallet, &request).unwrap();
    let answer = answer(&mut wallet, &request, &agreed);
    for (id, claim) in [("licence", "age_over_21"), ("name", "given_name")] {
        let read = verified(&shown(&answer, id), &licence, &request.asker().client_id);
        assert!(read.disclosed().claims().contains_key(claim), "{id}");
    }
    let copies = &wallet.credential(1).unwrap().copies;
    let uses: Vec<_> = copies.iter().map(|copy| copy.uses.len()).collect();
    assert_eq!(uses, [1, 0], "the other copy is kept for others");
}

// test: WVP-11
#[test]
fn an_expired_request_is_not_answered_however_long_the_holder_thought() {
    let mut wallet = wallet_with(&Licence::default());
    let request = asked(query(&["age_over_21"]));
    let agreed = consent(&wallet, &request).unwrap();
    let late = wallet.answer(&request, &agreed, NOW + 300, &mut rng(8));
    assert!(matches!(late, Err(AnswerError::Expired)), "{late:?}");
    assert!(wallet.answer(&request, &agreed, NOW + 299, &mut rng(8)).is_ok());
}

// test: WVP-14
#[test]
fn no_more_is_sent_than_was_agreed_to() {
    let mut wallet = wallet_with(&Licence::default());
    let request = asked(query(&["age_over_21"]));
    let more = consent(&wallet, &asked(query(&["age_over_21", "birthdate"]))).unwrap();
    let mut agreed = consent(&wallet, &request).unwrap();
    let honest = agreed.clone();
    agreed.credentials[0].pointers = more.credentials[0].pointers.clone();
    let refused = wallet.answer(&request, &agreed, NOW, &mut rng(8));
    assert!(matches!(refused, Err(AnswerError::NotAgreed)), "{refused:?}");
    answer(&mut wallet, &request, &honest);
}

#[test]
fn a_transaction_is_shown_and_bound_by_one_credential() {
    let mut wallet = wallet_with(&Licence::default());
    let mut asking = Asking::new(query(&["age_over_21"]));
    let transaction = json!({
        "type": "urn:realdid:transaction:statement", "credential_ids": ["licence"],
        "transaction_data_hashes_alg": ["sha-256"], "statement": "I rent the red van for 3 days.",
    });
    let encoded = base64url_encode(transaction.to_string());
    asking.claims["transaction_data"] = json!([encoded]);
    let request = asking.judge().unwrap();
    let agreed = consent(&wallet, &request).unwrap();
    assert_eq!(agreed.transactions, ["I rent the red van for 3 days."]);
    let presentation = shown(&answer(&mut wallet, &request, &agreed), "licence");
    verified(&presentation, &Licence::default(), asking.client_id());
    let binding = presentation.rsplit('~').next().unwrap();
    let binding = jws::Unverified::parse(binding).unwrap().stated_claims().clone();
    assert_eq!(
        binding["transaction_data_hashes"],
        json!([base64url_encode(sha256(encoded.as_bytes()).0)])
    );
    assert_eq!(binding["transaction_data_hashes_alg"], "sha-256");
}

#[test]
fn a_transaction_that_cannot_be_shown_is_refused_and_told() {
    let wallet = wallet_with(&Licence::default());
    let mut asking = Asking::new(query(&["age_over_21"]));
    let transaction = json!({ "type": "payment", "credential_ids": ["licence"], "amount": "1000" });
    asking.claims["transaction_data"] = json!([base64url_encode(transaction.to_string())]);
    let request = asking.judge().unwrap();
    let error = consent(&wallet, &request).unwrap_err();
    assert_eq!(
        (error.code(), error.response_code()),
        ("transaction_unsupported", "invalid_transaction_data")
    );
    let refusal = request.refusal(error.response_code());
    let expected = [
        ("error", "invalid_transaction_data".to_owned()),
        ("state", "s1".to_owned()),
    ];
    assert_eq!(refusal.form, expected);
}

/// What is told of a request that is refused, to whom.
fn told(asking: &Asking) -> Option<Answer> {
    let (fetched, link) = (asking.fetched().unwrap(), asking.link());
    let error = fetched
        .judge(&Facts::default(), &[], &context(&link))
        .unwrap_err();
    fetched.refusal(&error, &context(&link))
}

// test: WVP-13, VP-19
#[test]
fn errors_go_to_who_is_proved_to_ask_and_nowhere_else() {
    let mut asking = Asking::new(query(&["age_over_21"]));
    asking.claims["client_metadata"]["vp_formats_supported"] = json!({ "mso_mdoc": {} });
    assert_eq!(
        told(&asking).unwrap().form[0],
        ("error", "vp_formats_not_supported".to_owned())
    );
    asking.claims["response_uri"] = "https://elsewhere.example/".into();
    assert_eq!(told(&asking), None, "elsewhere");
}

// test: JWS-06, WVP-13
#[test]
fn whoever_forges_a_request_is_told_nothing() {
    let mut forged = Asking::new(query(&["age_over_21"]));
    forged.key = key(KeyType::P256, 0x23);
    assert_eq!(told(&forged), None, "a signature that does not hold");
}

// test: DCQL-21, DCQL-26
#[test]
fn a_credential_without_key_is_shown_where_no_proof_is_wanted() {
    let mut wallet = wallet_with(&Licence {
        bound: false,
        ..Licence::default()
    });
    let mut query = query(&["age_over_21"]);
    let refused = consent(&wallet, &asked(query.clone())).unwrap_err();
    assert_eq!(refused.code(), "credential_missing");
    query["credentials"][0]["require_cryptographic_holder_binding"] = false.into();
    let request = asked(query);
    let agreed = consent(&wallet, &request).unwrap();
    assert!(shown(&answer(&mut wallet, &request, &agreed), "licence").ends_with('~'));
}

#[test]
fn the_history_has_names_of_claims_and_no_values() {
    let mut wallet = wallet_with(&Licence::default());
    let request = asked(query(&["given_name"]));
    let agreed = consent(&wallet, &request).unwrap();
    // Whether it is taken makes no difference: who got it has read it.
    answer(&mut wallet, &request, &agreed);
    let last = &restarted(&wallet).history().last().unwrap().event.clone();
    let Event::Presented {
        credentials,
        registered: false,
        ..
    } = last
    else {
        panic!("{last:?}")
    };
    assert_eq!(credentials[0].claims, ["country", "given_name"]);
    assert!(!serde_json::to_string(last).unwrap().contains("Ada"));
}

#[test]
fn a_login_binds_the_credentials_that_go_with_it() {
    let mut wallet = wallet(1);
    let licence = Licence::default();
    licence.keep(&mut wallet);
    let mut scene = Scene::new(1);
    scene.also = Some(LICENCE);
    scene.may_ask = vec![MayAsk::any(LICENCE)];
    scene.granted = vec![LICENCE];
    let request = scene.judge().unwrap();
    assert!(request.over_asked().is_empty());
    let agreed = consent(&wallet, &request).unwrap();
    let answer = answer(&mut wallet, &request, &agreed);
    let credential = shown(&answer, "age");
    verified(&credential, &licence, &request.asker().client_id);
    let (_, login) = realdid_jwt::parse(&shown(&answer, "realname")).unwrap();
    assert_eq!(
        login.credentials,
        [base64url_encode(sha256(credential.as_bytes()).0)]
    );
    assert_eq!(
        agreed.warnings,
        [],
        "a site that is registered, a copy nobody has seen"
    );
}

#[test]
fn a_site_may_ask_for_what_its_sponsor_states_and_no_more_than_the_sponsor_may() {
    for (may_ask, granted) in [(vec![], vec![LICENCE]), (vec![MayAsk::any(LICENCE)], vec![])] {
        let mut scene = Scene::new(1);
        scene.also = Some(LICENCE);
        (scene.may_ask, scene.granted) = (may_ask, granted);
        assert_eq!(scene.judge().unwrap().over_asked().len(), 1);
    }
}
