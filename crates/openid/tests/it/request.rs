use realdid_crypto::{KeyType, SecretKey};
use realdid_jose::jwe::DecryptionKey;
use realdid_jose::x5c::{Chain, X5cError};
use realdid_openid::authorization_request::{
    self, ClientMetadata, LoginRequest, RequestClaims, RequestContext, RequestError, Signer, TransactionData,
    TransactionError, UnverifiedRequest, VerifiedRequest, transaction,
};
use realdid_openid::dcql::{CredentialQuery, DcqlError, DcqlQuery};
use realdid_openid::jws::JwsError;
use realdid_openid::openid4vp_link::{LinkError, RequestMethod, WalletLink};
use realdid_openid::{AddressError, ClientId, ClientIdError, ClientIdPrefix, check_address};
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

/// Where the request is fetched from.
const REQUEST_URI: &str = "https://signin.example/request/1";

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
    refuses(|case| case.claims.exp = Some(NOW + 901), RequestError::Time);
    refuses(|case| case.claims.exp = None, RequestError::Time);
}

// test: VP-19
#[test]
fn a_verifier_that_does_not_read_the_format_is_refused() {
    refuses(
        |case| case.claims.client_metadata = ClientMetadata::default(),
        RequestError::Formats,
    );
}

#[test]
fn a_request_signed_by_somebody_else_is_refused() {
    refuses(
        |case| case.key = key(KeyType::Ed25519, 2),
        RequestError::Jws(JwsError::Signature),
    );
}

/// A request of somebody else's verifier for a credential.
fn asks_for_credentials(alter: impl FnOnce(&mut RequestClaims)) -> Result<VerifiedRequest, RequestError> {
    let mut case = case();
    let query = CredentialQuery::sd_jwt_vc("a", &["urn:a"], vec![]);
    case.claims.dcql_query.credentials = vec![query];
    (case.claims.iat, case.claims.exp) = (None, None);
    case.claims.nonce = "short".to_owned();
    alter(&mut case.claims);
    case.verdict()
}

fn refuses_asking(alter: impl FnOnce(&mut RequestClaims), expected: RequestError) {
    let accepted = asks_for_credentials(|_| ()).unwrap();
    assert_eq!(
        (accepted.login(), accepted.expires(), accepted.nonce()),
        (None, None, "short")
    );
    assert_eq!(accepted.query().query().credentials[0].id, "a");
    assert_eq!(asks_for_credentials(alter).err(), Some(expected));
}

// test: VP-29
#[test]
fn a_redirect_uri_beside_the_response_uri_is_refused() {
    refuses_asking(
        |claims| claims.redirect_uri = Some("https://signin.example/".to_owned()),
        RequestError::ResponseMode,
    );
}

// test: VP-31
#[test]
fn a_state_has_url_safe_characters() {
    refuses_asking(
        |claims| claims.state = Some("a b".to_owned()),
        RequestError::Nonce,
    );
    refuses_asking(|claims| claims.state = Some(String::new()), RequestError::Nonce);
}

// test: VP-32
#[test]
fn without_a_proof_of_the_key_a_state_is_needed() {
    let unbound = |claims: &mut RequestClaims| {
        claims.dcql_query.credentials[0].require_cryptographic_holder_binding = Some(false);
    };
    assert!(asks_for_credentials(unbound).is_ok());
    refuses_asking(
        |claims| (unbound(claims), claims.state = None).1,
        RequestError::Nonce,
    );
}

fn encrypted(claims: &mut RequestClaims) {
    let key = DecryptionKey::generate(&mut rand::rng());
    claims.response_mode = "direct_post.jwt".to_owned();
    claims.client_metadata = claims.client_metadata.clone().encrypted_to(&key.jwk());
}

// test: VP-30
#[test]
fn an_encrypted_answer_needs_a_key_with_a_name() {
    let accepted = asks_for_credentials(encrypted).unwrap();
    let (recipient, encryption) = accepted.encryption().unwrap();
    assert!(recipient.kid().is_some());
    assert_eq!(encryption.name(), "A256GCM");
    for at in ["kid", "alg", "crv"] {
        refuses_asking(
            |claims| {
                encrypted(claims);
                let key = &mut claims.client_metadata.jwks.as_mut().unwrap().keys[0];
                key.as_object_mut().unwrap().remove(at);
            },
            RequestError::Encryption,
        );
    }
    let default = asks_for_credentials(|claims| {
        encrypted(claims);
        claims.client_metadata.encrypted_response_enc_values_supported = None;
    });
    assert_eq!(default.unwrap().encryption().unwrap().1.name(), "A128GCM");
    refuses_asking(
        |claims| {
            encrypted(claims);
            claims.client_metadata.encrypted_response_enc_values_supported = Some(vec!["A192GCM".to_owned()]);
        },
        RequestError::Encryption,
    );
}

fn statement() -> serde_json::Value {
    json!({ "type": transaction::STATEMENT, "credential_ids": ["a"], "statement": "Rent a van" })
}

fn with_transaction(object: &serde_json::Value) -> Option<Vec<String>> {
    Some(vec![TransactionData::encode(object.as_object().unwrap())])
}

fn transaction(object: &serde_json::Value) -> Result<VerifiedRequest, RequestError> {
    let good =
        asks_for_credentials(|claims| claims.transaction_data = with_transaction(&statement())).unwrap();
    assert_eq!(good.transactions()[0].statement(), Ok("Rent a van"));
    asks_for_credentials(|claims| claims.transaction_data = with_transaction(object))
}

fn altered(name: &str, value: serde_json::Value) -> serde_json::Value {
    let mut object = statement();
    object[name] = value;
    object
}

// test: VP-20
#[test]
fn a_transaction_that_cannot_be_shown_is_refused() {
    let request = transaction(&altered("type", json!("payment"))).unwrap();
    assert_eq!(request.transactions()[0].statement(), Err(TransactionError::Type));
}

// test: VP-33
#[test]
fn transactions_are_few_and_short() {
    let long = statement();
    for data in [vec![], vec!["e30".to_owned(); 9], vec!["A".repeat(8193)]] {
        let refused = asks_for_credentials(|claims| claims.transaction_data = Some(data));
        assert_eq!(
            refused.err(),
            Some(RequestError::Transaction(TransactionError::Size))
        );
    }
    assert!(transaction(&long).is_ok());
}

// test: VP-34
#[test]
fn a_transaction_refers_to_credentials_that_are_asked_for() {
    for ids in [json!([]), json!(["b"]), json!(["a", "b"])] {
        let refused = transaction(&altered("credential_ids", ids));
        assert_eq!(
            refused.err(),
            Some(RequestError::Transaction(TransactionError::Credentials))
        );
    }
    for malformed in [
        json!({}),
        altered("type", json!(1)),
        altered("credential_ids", json!("a")),
    ] {
        let refused = transaction(&malformed);
        assert_eq!(
            refused.err(),
            Some(RequestError::Transaction(TransactionError::Form))
        );
    }
}

// test: VP-35
#[test]
fn a_transaction_is_hashed_with_sha_256() {
    let refused = transaction(&altered("transaction_data_hashes_alg", json!(["sha-512"])));
    assert_eq!(
        refused.err(),
        Some(RequestError::Transaction(TransactionError::Hash))
    );
    let named = transaction(&altered(
        "transaction_data_hashes_alg",
        json!(["sha-512", "sha-256"]),
    ));
    assert_eq!(named.unwrap().transactions()[0].hash_algorithm(), Some("sha-256"));
}

// test: VP-36
#[test]
fn a_statement_is_shown_whole_or_not_at_all() {
    for object in [
        altered("amount", json!(5)),
        altered("statement", json!("")),
        altered("statement", json!("a\u{202e}b")),
        altered("statement", json!("x".repeat(1025))),
        altered("statement", json!(1)),
    ] {
        let request = transaction(&object).unwrap();
        assert_eq!(
            request.transactions()[0].statement(),
            Err(TransactionError::Members),
            "{object}"
        );
    }
}

// test: VP-37
#[test]
fn each_transaction_is_authorised_and_no_other() {
    let request = transaction(&statement()).unwrap();
    let transactions = request.transactions();
    let bound = |id: &str, hashes: &[String]| vec![(id.to_owned(), hashes.to_vec())];
    let good = [transactions[0].hash()];
    assert_eq!(transaction::check_bound(transactions, &bound("a", &good)), Ok(()));
    for wrong in [
        vec![],
        bound("b", &good),
        bound("a", &[]),
        bound("a", &["other".to_owned()]),
        bound("a", &[good[0].clone(), "other".to_owned()]),
    ] {
        let refused = transaction::check_bound(transactions, &wrong);
        assert_eq!(refused, Err(TransactionError::NotBound), "{wrong:?}");
    }
}

/// A request by a certificate for `site.example`.
fn certified(prefix: ClientIdPrefix, alter: impl FnOnce(&mut RequestClaims)) -> Result<(), RequestError> {
    let mut params = rcgen::CertificateParams::default();
    params.subject_alt_names = vec![rcgen::SanType::DnsName("site.example".try_into().unwrap())];
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let chain = Chain::from_der(vec![params.self_signed(&key).unwrap().der().to_vec()]).unwrap();
    let pkcs8 = key.serialize_der();
    // The private key of a P-256 key in PKCS #8 stands at the same place each time.
    let seed: [u8; 32] = pkcs8[36..68].try_into().unwrap();
    let key = SecretKey::from_seed(KeyType::P256, &seed);
    assert_eq!(chain.leaf().key(), Ok(&key.public_key()));
    let mut case = case();
    case.claims.client_id = match prefix {
        ClientIdPrefix::X509Hash => ClientId::of_certificate(chain.leaf()),
        _ => ClientId::of_dns_name("site.example"),
    };
    case.claims.response_uri = "https://site.example/response".to_owned();
    alter(&mut case.claims);
    let text = authorization_request::sign_with_chain(&case.claims, &chain, &key).unwrap();
    let request = UnverifiedRequest::parse(&text, &case.claims.client_id)?;
    assert!(matches!(request.signer(), Signer::Certificates(_)));
    let context = RequestContext {
        client_id: &case.claims.client_id,
        request_uri: REQUEST_URI,
        wallet_nonce: Some("wallet"),
        now: NOW,
        sandbox: false,
    };
    request.verify(&key.public_key(), &context).map(|_| ())
}

// test: X5C-03
// test: X5C-04
#[test]
fn a_request_by_certificate_comes_from_whom_the_certificate_names() {
    for (prefix, other, error) in [
        (
            ClientIdPrefix::X509SanDns,
            "x509_san_dns:other.example".to_owned(),
            X5cError::HostName,
        ),
        (
            ClientIdPrefix::X509Hash,
            format!("x509_hash:{}", "A".repeat(43)),
            X5cError::Hash,
        ),
    ] {
        assert_eq!(certified(prefix, |_| ()), Ok(()));
        let other = ClientId::parse(&other).unwrap();
        let refused = certified(prefix, |claims| {
            claims.client_id = other;
            claims.response_uri = "https://other.example/response".to_owned();
        });
        assert_eq!(refused, Err(RequestError::Certificate(error)));
    }
}

// test: VP-28
#[test]
fn an_answer_to_a_dns_name_goes_to_its_host() {
    let elsewhere =
        |claims: &mut RequestClaims| claims.response_uri = "https://evil.example/response".to_owned();
    let refused = certified(ClientIdPrefix::X509SanDns, elsewhere);
    assert_eq!(refused, Err(RequestError::ResponseHost));
    assert_eq!(certified(ClientIdPrefix::X509SanDns, |_| ()), Ok(()));
    assert_eq!(certified(ClientIdPrefix::X509Hash, elsewhere), Ok(()));
}
