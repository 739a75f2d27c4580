//! Links that carry their request themselves: signed, and not.

use realdid_crypto::KeyType;
use realdid_openid::authorization_request::{self, RequestContext, RequestError, UnverifiedRequest};
use realdid_openid::dcql::{CredentialQuery, DcqlQuery};
use realdid_openid::jws::JwsError;
use realdid_openid::openid4vp_link::{Invocation, LinkError};
use realdid_openid::{AddressError, ClientId, ClientIdError};
use serde_json::json;
use url::form_urlencoded::Serializer;

use crate::key;
use crate::request::{NOW, case};

const ADDRESS: &str = "https://verifier.example/response";

fn link(parameters: &[(&str, &str)]) -> String {
    let mut query = Serializer::new(String::new());
    format!("openid4vp://?{}", query.extend_pairs(parameters).finish())
}

// test: VP-12
#[test]
fn a_signed_request_in_a_link_is_held_to_the_same_rules() {
    let case = case();
    let client_id = case.claims.client_id.to_string();
    let kid = format!("{}#key", case.claims.client_id.did().unwrap());
    let signer = key(KeyType::Ed25519, 1);
    let object = authorization_request::sign(&case.claims, &kid, &signer).unwrap();
    let text = link(&[("client_id", &client_id), ("request", &object)]);
    let Ok(Invocation::Signed(by_value, object)) = Invocation::parse(&text, false) else {
        panic!("{text}")
    };
    assert_eq!(by_value.request_uri.as_str(), case.claims.response_uri);
    let request = UnverifiedRequest::parse(&object, &by_value.client_id).unwrap();
    let context = RequestContext {
        client_id: &by_value.client_id,
        request_uri: by_value.request_uri.as_str(),
        wallet_nonce: None,
        now: NOW,
        sandbox: false,
    };
    assert!(request.verify(&signer.public_key(), &context).is_ok());
    let other = ClientId::of_did("did:real:sandbox:zOther");
    assert_eq!(
        UnverifiedRequest::parse(&object, &other).err(),
        Some(RequestError::OtherClient)
    );
    let bad = link(&[("client_id", &client_id), ("request", "a.b.c")]);
    assert_eq!(
        Invocation::parse(&bad, false),
        Err(LinkError::Request(JwsError::Form.into()))
    );
}

// test: VP-44
#[test]
fn a_link_has_its_request_or_says_where_it_is() {
    let case = case();
    let (client_id, kid) = (case.claims.client_id.to_string(), "did:real:sandbox:zSite#key");
    let object = authorization_request::sign(&case.claims, kid, &key(KeyType::Ed25519, 1)).unwrap();
    let by_value = [("client_id", client_id.as_str()), ("request", &object)];
    let both = [
        &by_value[..],
        &[("request_uri", "https://signin.example/request/1")],
    ]
    .concat();
    assert_eq!(
        Invocation::parse(&link(&both), false),
        Err(LinkError::Parameter("request"))
    );
    assert!(matches!(
        Invocation::parse(&link(&by_value), false),
        Ok(Invocation::Signed(..))
    ));
    let by_reference = [both[0], both[2]];
    let parsed = Invocation::parse(&link(&by_reference), false);
    assert!(matches!(parsed, Ok(Invocation::Reference(_))), "{parsed:?}");
}

/// The parameters of an unsigned request, one altered or left out.
fn unsigned(name: &str, value: Option<&str>) -> String {
    let query = DcqlQuery {
        credentials: vec![CredentialQuery::sd_jwt_vc("licence", &["urn:a"], vec![])],
        credential_sets: None,
    };
    let client_id = format!("redirect_uri:{ADDRESS}");
    let query = json!(query).to_string();
    let metadata = json!({ "vp_formats_supported": { "dc+sd-jwt": {} } }).to_string();
    let good = [
        ("client_id", client_id.as_str()),
        ("response_type", "vp_token"),
        ("response_mode", "direct_post"),
        ("response_uri", ADDRESS),
        ("nonce", "a-nonce"),
        ("dcql_query", &query),
        ("client_metadata", &metadata),
        ("unknown", "ignored"),
    ];
    let mut parameters: Vec<_> = good.into_iter().filter(|(known, _)| *known != name).collect();
    parameters.extend(value.map(|value| (name, value)));
    link(&parameters)
}

fn verdict(text: &str) -> Result<(), LinkError> {
    match Invocation::parse(text, false)? {
        Invocation::Unsigned(request) => Ok(request.check(NOW, false).map(|_| ())?),
        other => panic!("{other:?}"),
    }
}

// test: VP-43
#[test]
fn an_unsigned_request_is_answered_to_the_address_that_it_names_itself_by() {
    let good = unsigned("", None);
    assert_eq!(verdict(&good), Ok(()));
    assert_eq!(
        Invocation::parse(&good, false).unwrap().client_id().identifier(),
        ADDRESS
    );
    assert_eq!(
        verdict(&unsigned("response_uri", None)),
        Ok(()),
        "it may be left out"
    );
    for other in [
        "https://verifier.example/other",
        "https://phisher.example/response",
    ] {
        let refused = Err(LinkError::Request(RequestError::ResponseHost));
        assert_eq!(
            verdict(&unsigned("response_uri", Some(other))),
            refused,
            "{other}"
        );
    }
}

// test: VP-11, VP-15, VP-16, VP-19, VP-01, VP-29, JWS-01
#[test]
fn an_unsigned_request_is_held_to_the_rules_of_signed_ones() {
    let request = |error: RequestError| Err(LinkError::Request(error));
    let form = || request(JwsError::Claims.into());
    for (name, value, expected) in [
        ("nonce", None, form()),
        ("nonce", Some("a b"), request(RequestError::Nonce)),
        ("response_type", Some("code"), request(RequestError::ResponseMode)),
        ("response_mode", None, form()),
        (
            "redirect_uri",
            Some("https://verifier.example/"),
            request(RequestError::ResponseMode),
        ),
        ("dcql_query", Some("{"), form()),
        ("dcql_query", Some(r#"{"credentials":[]},"x":1"#), form()),
        ("client_metadata", Some(r#"{"a":1,"a":2}"#), form()),
        (
            "client_metadata",
            Some(r#"{"vp_formats_supported":{"mso_mdoc":{}}}"#),
            request(RequestError::Formats),
        ),
        ("transaction_data", Some("5"), form()),
    ] {
        assert_eq!(verdict(&unsigned(name, value)), expected, "{name} {value:?}");
    }
    let twice = unsigned("", None) + "&nonce=again";
    assert_eq!(verdict(&twice), request(JwsError::Form.into()));
    let insecure = unsigned("", None).replace("https", "http");
    assert_eq!(verdict(&insecure), request(AddressError::Insecure.into()));
}

// test: VP-25, VP-45
#[test]
fn whoever_could_sign_has_to() {
    let as_client = |client_id: &str| Invocation::parse(&unsigned("client_id", Some(client_id)), false);
    for signing in [
        "decentralized_identifier:did:real:a",
        "x509_san_dns:verifier.example",
    ] {
        assert_eq!(as_client(signing), Err(LinkError::Inline), "{signing}");
    }
    let unknown = LinkError::ClientId(ClientIdError::Prefix("origin".to_owned()));
    assert_eq!(as_client("origin:https://verifier.example"), Err(unknown));
    let named = LinkError::ClientId(ClientIdError::Prefix("redirect_uri".to_owned()));
    assert_eq!(as_client("redirect_uri:"), Err(named.clone()));
    assert_eq!(as_client("redirect_uri:https://a.example/\u{202e}"), Err(named));
}
