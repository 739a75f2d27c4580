//! Requests of anybody's verifiers: for credentials, with transactions, by certificates, with answers
//! to be encrypted.

use realdid_crypto::{KeyType, SecretKey};
use realdid_jose::jwe::DecryptionKey;
use realdid_jose::x5c::{Chain, X5cError};
use realdid_openid::authorization_request::{
    self, RequestClaims, RequestContext, RequestError, Signer, TransactionData, TransactionError,
    UnverifiedRequest, VerifiedRequest, transaction,
};
use realdid_openid::dcql::CredentialQuery;
use realdid_openid::{ClientId, ClientIdPrefix};
use serde_json::json;

use crate::request::{NOW, REQUEST_URI, case};
use crate::rng;

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
    let key = DecryptionKey::generate(&mut rng(1));
    claims.response_mode = "direct_post.jwt".to_owned();
    claims.client_metadata = claims.client_metadata.clone().encrypted_to(&key.jwk());
}

// test: VP-30, JWE-10
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
        altered("statement", json!("a\u{2028}b\u{61c}")),
        altered("statement", json!("pay 1\u{e0030}")),
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
