use realdid_crypto::{KeyType, SecretKey};
use realdid_openid::authorization_request::{
    self, LoginRequest, RequestClaims, RequestContext, RequestError, UnverifiedRequest, VerifiedRequest,
};
use realdid_openid::dcql::{DcqlError, DcqlQuery};
use realdid_openid::jws::JwsError;
use realdid_openid::openid4vp_link::{LinkError, RequestMethod, WalletLink};
use realdid_openid::{AddressError, ClientId, ClientIdError, check_address};
use serde_json::json;

use crate::key;

const NOW: u64 = 1_800_000_000;
const SITE: &str = "did:real:sandbox:zSite";

struct Case {
    claims: RequestClaims,
    kid: String,
    key: SecretKey,
    link: ClientId,
    wallet_nonce: Option<&'static str>,
    sandbox: bool,
}

fn case() -> Case {
    let request = LoginRequest {
        client_id: ClientId::of_did(SITE),
        response_uri: "https://signin.example/response/1".to_owned(),
        nonce: "0123456789012345678901".to_owned(),
        state: "state".to_owned(),
        level: "substantial".to_owned(),
        iat: NOW,
        exp: NOW + 600,
        wallet_nonce: Some("wallet".to_owned()),
        verifier_info: vec![],
    };
    Case {
        claims: request.into_claims(),
        kid: format!("{SITE}#key"),
        key: key(KeyType::Ed25519, 1),
        link: ClientId::of_did(SITE),
        wallet_nonce: Some("wallet"),
        sandbox: false,
    }
}

impl Case {
    fn verdict(&self) -> Result<VerifiedRequest, RequestError> {
        let text = authorization_request::sign(&self.claims, &self.kid, &self.key).unwrap();
        let request = UnverifiedRequest::parse(&text, &self.link)?;
        let context = RequestContext {
            client_id: &self.link,
            wallet_nonce: self.wallet_nonce,
            now: NOW,
            sandbox: self.sandbox,
        };
        request.verify(&key(KeyType::Ed25519, 1).public_key(), &context)
    }
}

fn refuses(alter: impl FnOnce(&mut Case), expected: RequestError) {
    let mut case = case();
    let accepted = case.verdict().unwrap();
    assert_eq!(accepted.nonce(), case.claims.nonce);
    assert_eq!(accepted.state(), Some("state"));
    assert_eq!(accepted.query().id, "realname");
    assert_eq!(accepted.query().level, "substantial");
    assert_eq!(accepted.client_id(), &case.link);
    assert_eq!(accepted.response_uri().as_str(), case.claims.response_uri);
    alter(&mut case);
    assert_eq!(case.verdict().err(), Some(expected));
}

// test: VP-01
#[test]
fn plain_http_is_for_loopback_in_a_sandbox() {
    let elsewhere =
        |case: &mut Case| case.claims.response_uri = "http://signin.example/response/1".to_owned();
    refuses(elsewhere, RequestError::ResponseUri(AddressError::Insecure));
    refuses(
        |case| (elsewhere(case), case.sandbox = true).1,
        RequestError::ResponseUri(AddressError::Insecure),
    );
    for loopback in [
        "http://127.0.0.1:7320/a",
        "http://localhost:1/",
        "http://[::1]:1/",
    ] {
        assert_eq!(check_address(loopback, false).err(), Some(AddressError::Insecure));
        assert!(check_address(loopback, true).is_ok());
    }
    for bad in [
        "ftp://a/",
        "https://",
        "https://user@a/",
        "https://a/#b",
        "a",
        "javascript:1",
    ] {
        assert_eq!(check_address(bad, true).err(), Some(AddressError::Form), "{bad}");
    }
}

// test: VP-02
#[test]
fn only_dids_are_clients() {
    for bad in [
        "",
        SITE,
        "x509_san_dns:a.example",
        "decentralized_identifier:a",
        "decentralized_identifier:did:a b",
    ] {
        assert_eq!(ClientId::parse(bad), Err(ClientIdError), "{bad}");
    }
    assert_eq!(
        ClientId::parse(&format!("decentralized_identifier:{SITE}"))
            .unwrap()
            .did(),
        SITE
    );
}

fn query(alter: impl FnOnce(&mut DcqlQuery)) -> Option<DcqlError> {
    let mut query = DcqlQuery::login("high");
    assert_eq!(query.as_login().unwrap().level, "high");
    alter(&mut query);
    query.as_login().err()
}

// test: VP-03
#[test]
fn exactly_one_presentation_is_answered() {
    assert_eq!(query(|query| query.credentials.clear()), Some(DcqlError::Count));
    let twice = |query: &mut DcqlQuery| query.credentials.push(query.credentials[0].clone());
    assert_eq!(query(twice), Some(DcqlError::Count));
    assert_eq!(
        query(|query| query.credential_sets = Some(json!([]))),
        Some(DcqlError::Count)
    );
    assert_eq!(
        query(|query| query.credentials[0].multiple = Some(true)),
        Some(DcqlError::Count)
    );
    assert_eq!(
        query(|query| query.credentials[0].id = "a b".to_owned()),
        Some(DcqlError::Id)
    );
}

// test: VP-04
#[test]
fn other_formats_are_refused_by_name() {
    let alter = |query: &mut DcqlQuery| query.credentials[0].format = "dc+sd-jwt".to_owned();
    assert_eq!(query(alter), Some(DcqlError::Format("dc+sd-jwt".to_owned())));
    refuses(
        |case| case.claims.dcql_query.credentials[0].format = "mso_mdoc".to_owned(),
        RequestError::Query(DcqlError::Format("mso_mdoc".to_owned())),
    );
}

// test: VP-05
#[test]
fn more_than_a_login_is_refused() {
    let claims = |query: &mut DcqlQuery| query.credentials[0].claims = Some(json!([{ "path": ["name"] }]));
    assert_eq!(query(claims), Some(DcqlError::Purpose));
    for meta in [
        json!({}),
        json!({ "purpose": "vote", "level": "low" }),
        json!({ "purpose": "login", "level": "x" }),
    ] {
        assert_eq!(
            query(|query| query.credentials[0].meta = meta),
            Some(DcqlError::Purpose)
        );
    }
}

// test: VP-11
#[test]
fn a_link_has_each_parameter_once() {
    let link = WalletLink {
        client_id: ClientId::of_did(SITE),
        request_uri: check_address("https://signin.example/request/1?a=b&c=d", false).unwrap(),
        method: RequestMethod::Post,
    };
    let text = link.to_string();
    assert_eq!(WalletLink::parse(&text, false), Ok(link));
    for (added, expected) in [
        ("&client_id=x", LinkError::Parameter("client_id")),
        (
            "&request_uri=https://evil.example",
            LinkError::Parameter("request_uri"),
        ),
        ("&request=a.b.c", LinkError::Inline),
        (
            "&request_uri_method=get",
            LinkError::Parameter("request_uri_method"),
        ),
    ] {
        assert_eq!(
            WalletLink::parse(&format!("{text}{added}"), false),
            Err(expected),
            "{added}"
        );
    }
    assert_eq!(
        WalletLink::parse("https://a.example/", false),
        Err(LinkError::NotALink)
    );
    assert_eq!(
        WalletLink::parse("openid4vp://?request_uri=https://a/", false),
        Err(LinkError::Parameter("client_id"))
    );
    let insecure = text.replace("https", "http");
    assert_eq!(
        WalletLink::parse(&insecure, true),
        Err(LinkError::Address(AddressError::Insecure))
    );
}

// test: VP-12
#[test]
fn a_request_of_another_client_than_the_link_named_is_refused() {
    refuses(
        |case| case.link = ClientId::of_did("did:real:sandbox:zOther"),
        RequestError::OtherClient,
    );
}

// test: VP-13
#[test]
fn a_key_of_another_did_is_refused() {
    refuses(
        |case| case.kid = "did:real:sandbox:zOther#key".to_owned(),
        RequestError::Key,
    );
    refuses(|case| case.kid = SITE.to_owned(), RequestError::Key);
}

// test: VP-14
#[test]
fn a_request_that_is_not_for_wallets_is_refused() {
    refuses(
        |case| case.claims.aud = "https://elsewhere.example".to_owned(),
        RequestError::Audience,
    );
}

// test: VP-15
#[test]
fn other_ways_of_answering_are_refused() {
    refuses(
        |case| case.claims.response_mode = "fragment".to_owned(),
        RequestError::ResponseMode,
    );
    refuses(
        |case| case.claims.response_type = "vp_token id_token".to_owned(),
        RequestError::ResponseMode,
    );
}

// test: VP-16
#[test]
fn a_nonce_that_is_too_short_or_strange_is_refused() {
    refuses(|case| case.claims.nonce.truncate(21), RequestError::Nonce);
    refuses(|case| case.claims.nonce = "x".repeat(129), RequestError::Nonce);
    refuses(|case| case.claims.nonce.push(' '), RequestError::Nonce);
}

// test: VP-17
#[test]
fn the_wallets_nonce_must_be_repeated() {
    refuses(|case| case.claims.wallet_nonce = None, RequestError::WalletNonce);
    refuses(
        |case| case.wallet_nonce = Some("another"),
        RequestError::WalletNonce,
    );
}

// test: VP-18
#[test]
fn a_request_out_of_its_time_is_refused() {
    refuses(|case| case.claims.exp = NOW, RequestError::Time);
    refuses(|case| case.claims.iat = NOW + 31, RequestError::Time);
    refuses(|case| case.claims.exp = NOW + 901, RequestError::Time);
}

// test: VP-19
#[test]
fn a_verifier_that_does_not_read_the_format_is_refused() {
    refuses(
        |case| case.claims.client_metadata = json!({}),
        RequestError::Formats,
    );
}

// test: VP-20
#[test]
fn transactions_are_refused() {
    refuses(
        |case| case.claims.transaction_data = Some(json!(["e30"])),
        RequestError::Transaction,
    );
}

#[test]
fn a_request_signed_by_somebody_else_is_refused() {
    refuses(
        |case| case.key = key(KeyType::Ed25519, 2),
        RequestError::Jws(JwsError::Signature),
    );
}
