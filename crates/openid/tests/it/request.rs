use realdid_crypto::{KeyType, SecretKey};
use realdid_openid::authorization_request::{
    self, ClientMetadata, LoginRequest, RequestClaims, RequestContext, RequestError, UnverifiedRequest,
    VerifiedRequest,
};
use realdid_openid::dcql::{CredentialQuery, DcqlError, DcqlQuery};
use realdid_openid::jws::JwsError;
use realdid_openid::openid4vp_link::{LinkError, RequestMethod, WalletLink};
use realdid_openid::{AddressError, ClientId, ClientIdError, check_address};
use serde_json::json;

use crate::key;

pub const NOW: u64 = 1_800_000_000;
const SITE: &str = "did:real:sandbox:zSite";

pub struct Case {
    pub claims: RequestClaims,
    kid: String,
    key: SecretKey,
    link: ClientId,
    wallet_nonce: Option<&'static str>,
    sandbox: bool,
}

/// Where the request is fetched from.
pub const REQUEST_URI: &str = "https://signin.example/request/1";

pub fn case() -> Case {
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
    pub fn verdict(&self) -> Result<VerifiedRequest, RequestError> {
        let text = authorization_request::sign(&self.claims, &self.kid, &self.key).unwrap();
        let request = UnverifiedRequest::parse(&text, &self.link)?;
        let context = RequestContext {
            client_id: &self.link,
            request_uri: REQUEST_URI,
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
    let login = accepted.login().unwrap();
    assert_eq!(
        (login.id.as_str(), login.level.as_str()),
        ("realname", "substantial")
    );
    assert_eq!(accepted.only_login(), Ok(login));
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
fn a_client_identifier_is_what_its_prefix_says() {
    for bad in [
        "",
        "a.example",
        "decentralized_identifier:a",
        "decentralized_identifier:did:",
        "decentralized_identifier:did:a b",
        "x509_san_dns:",
        "x509_san_dns:a..b",
        "x509_san_dns:-a.example",
        "x509_san_dns:a.example/path",
        "x509_hash:short",
        "x509_hash:Uvo3HtuIxuhC92rShpgqcT3YXwrqRxWEviRiA0OZsz==",
    ] {
        assert_eq!(ClientId::parse(bad), Err(ClientIdError::Form), "{bad}");
    }
    let hash = "Uvo3HtuIxuhC92rShpgqcT3YXwrqRxWEviRiA0OZszk";
    for (prefix, identifier) in ["decentralized_identifier", "x509_san_dns", "x509_hash"]
        .into_iter()
        .zip([SITE, "client.example.org", hash])
    {
        let id = ClientId::parse(&format!("{prefix}:{identifier}")).unwrap();
        assert_eq!((id.prefix().as_str(), id.identifier()), (prefix, identifier));
        assert_eq!(id.did().is_some(), identifier == SITE);
    }
}

// test: VP-25
#[test]
fn other_prefixes_are_refused_by_name() {
    for name in [
        "redirect_uri",
        "openid_federation",
        "verifier_attestation",
        "origin",
        "did",
        "https",
    ] {
        assert_eq!(
            ClientId::parse(&format!("{name}:did:real:a")),
            Err(ClientIdError::Prefix(name.to_owned()))
        );
    }
    assert!(ClientId::parse("decentralized_identifier:did:real:a").is_ok());
    let steering = ClientId::parse("\u{1b}]0;title\u{7}\u{9b}2J\u{202e}evil:a");
    assert_eq!(steering, Err(ClientIdError::Prefix("]0;title2Jevil".to_owned())));
}

fn query(alter: impl FnOnce(&mut DcqlQuery)) -> Option<DcqlError> {
    let mut query = DcqlQuery::login("high");
    assert_eq!(query.login_query().unwrap().unwrap().level, "high");
    alter(&mut query);
    query.login_query().err()
}

// test: VP-03
#[test]
fn one_login_at_most_is_asked_for() {
    let twice = |query: &mut DcqlQuery| query.credentials.push(query.credentials[0].clone());
    assert_eq!(query(twice), Some(DcqlError::Count));
    let several = |query: &mut DcqlQuery| query.credentials[0].multiple = Some(true);
    assert_eq!(query(several), Some(DcqlError::Count));
}

// test: VP-05
#[test]
fn a_login_asks_for_a_login_and_nothing_of_it() {
    let claims = |query: &mut DcqlQuery| {
        query.credentials[0].claims = serde_json::from_value(json!([{ "path": ["name"] }])).unwrap();
    };
    assert_eq!(query(claims), Some(DcqlError::Purpose));
    for meta in [
        json!({}),
        json!({ "purpose": "vote", "level": "low" }),
        json!({ "purpose": "login", "level": "x" }),
    ] {
        let meta = meta.as_object().unwrap().clone();
        assert_eq!(
            query(|query| query.credentials[0].meta = meta),
            Some(DcqlError::Purpose)
        );
    }
}

#[test]
fn a_login_may_be_asked_for_alone_or_with_credentials() {
    let mut query = DcqlQuery::login("low");
    query
        .credentials
        .push(CredentialQuery::sd_jwt_vc("a", &["urn:a"], vec![]));
    assert_eq!(query.login_query().unwrap().unwrap().level, "low");
    assert_eq!(query.as_login(), Err(DcqlError::Purpose));
    query.credentials.remove(0);
    assert_eq!(query.login_query(), Ok(None));
}

// test: VP-11, VP-01
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

#[test]
fn a_request_may_be_addressed_to_where_it_is() {
    let mut case = case();
    REQUEST_URI.clone_into(&mut case.claims.aud);
    case.verdict().unwrap();
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
    refuses(|case| case.claims.exp = Some(NOW), RequestError::Time);
    refuses(|case| case.claims.iat = Some(NOW + 31), RequestError::Time);
    refuses(|case| case.claims.nbf = Some(NOW + 31), RequestError::Time);
    refuses(|case| case.claims.exp = Some(NOW + 901), RequestError::Time);
    refuses(|case| case.claims.exp = None, RequestError::Time);
}

/// Times with parts of seconds and audiences in a list are what JWT allows; other forms are not.
#[test]
fn a_request_may_write_times_and_audience_as_jwt_allows() {
    let read = |name: &str, value: serde_json::Value| {
        let mut claims = json!(case().claims);
        claims[name] = value;
        serde_json::from_value::<RequestClaims>(claims)
    };
    assert_eq!(read("exp", json!(1_800_000_000.75)).unwrap().exp, Some(NOW));
    assert_eq!(read("iat", json!(null)).unwrap().iat, None);
    assert_eq!(read("aud", json!(["a"])).unwrap().aud, "a");
    for (name, bad) in [
        ("exp", json!("1800000000")),
        ("iat", json!(-1)),
        ("nbf", json!(1e300)),
        ("aud", json!([])),
        ("aud", json!(["a", "b"])),
        ("aud", json!(5)),
    ] {
        assert!(read(name, bad.clone()).is_err(), "{name} {bad}");
    }
}

// test: VP-19
#[test]
fn a_verifier_that_does_not_read_the_format_is_refused() {
    refuses(
        |case| case.claims.client_metadata = ClientMetadata::default(),
        RequestError::Formats,
    );
}

// test: JWS-06
#[test]
fn a_request_signed_by_somebody_else_is_refused() {
    refuses(
        |case| case.key = key(KeyType::Ed25519, 2),
        RequestError::Jws(JwsError::Signature),
    );
}
