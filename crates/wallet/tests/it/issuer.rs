//! Whose key signed a credential: by DID, by certificate, by published keys.

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, SanType};
use realdid_crypto::{KeyType, PublicKey, SecretKey};
use realdid_did::Network;
use realdid_jose::jwk::Jwk;
use realdid_jose::x5c::{Chain, X5cError};
use realdid_wallet::credentials::Standing;
use realdid_wallet::issuance::IssuerReference;
use realdid_wallet::issuance::issuer::{KeysSearch, Search, SearchError};
use serde_json::{Value, json};

use crate::mock_issuer::{NOW, VCT, did_jwk};

const HTTPS: &str = "https://issuer.example";
const DID: &str = "did:real:test:zQmR6bSvQhcXqva3xshy7j8X6NYD19dQS6sxXRbDjqsAFZP";

fn search(reference: &IssuerReference) -> Result<Search, SearchError> {
    Search::begin(reference, VCT, &Network::new("test").unwrap(), false, NOW)
}

fn key_of(search: Result<Search, SearchError>) -> PublicKey {
    match search.unwrap() {
        Search::Known(found) => {
            assert_eq!((found.did, found.standing), (None, Standing::NotAccredited));
            found.key
        }
        other => panic!("expected a key, not {other:?}"),
    }
}

fn by_did(did: &str) -> IssuerReference {
    IssuerReference::Did {
        did: did.to_owned(),
        key: Some(format!("{did}#0")),
    }
}

#[test]
fn a_did_that_is_a_key_gives_the_key_and_no_standing() {
    let secret = SecretKey::from_seed(KeyType::P256, &[1; 32]);
    assert_eq!(key_of(search(&by_did(&did_jwk(&secret)))), secret.public_key());
    let multikey = format!("did:key:{}", secret.public_key().to_multikey());
    assert_eq!(key_of(search(&by_did(&multikey))), secret.public_key());
    let web = search(&by_did("did:web:issuer.example"));
    assert_eq!(web.unwrap_err(), SearchError::Method("web".to_owned()));
    assert_eq!(search(&by_did("did:jwk:e30")).unwrap_err(), SearchError::Key);
}

// test: WVC-21
#[test]
fn a_did_of_this_network_is_looked_up_on_its_ledger_and_of_another_is_not() {
    let other = DID.replace(":test:", ":elsewhere:");
    assert_eq!(search(&by_did(&other)).unwrap_err(), SearchError::OtherNetwork);
    assert!(matches!(search(&by_did(DID)).unwrap(), Search::Ledger(_)));
}

/// A leaf under a root, and another root.
fn chain(change: impl FnOnce(&mut CertificateParams)) -> (Vec<String>, Vec<String>) {
    let root = || {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.not_after = rcgen::date_time_ymd(2040, 1, 1);
        let key = KeyPair::generate().unwrap();
        let der = params.self_signed(&key).unwrap().der().to_vec();
        (Issuer::new(params, key), der)
    };
    let ((issuer, own), (_, foreign)) = (root(), root());
    let mut leaf = CertificateParams::new(vec!["issuer.example".to_owned()]).unwrap();
    leaf.not_before = rcgen::date_time_ymd(2026, 1, 1);
    leaf.not_after = rcgen::date_time_ymd(2040, 1, 1);
    change(&mut leaf);
    let key = KeyPair::generate().unwrap();
    let leaf = leaf.signed_by(&key, &issuer).unwrap().der().to_vec();
    let texts = |second: Vec<u8>| {
        let x5c = Chain::from_der(vec![leaf.clone(), second]).unwrap().to_x5c();
        serde_json::from_value::<Vec<String>>(x5c).unwrap()
    };
    (texts(own), texts(foreign))
}

fn by_certificates(chain: Vec<String>, iss: Option<&str>) -> IssuerReference {
    IssuerReference::Certificates {
        chain,
        iss: iss.map(str::to_owned),
    }
}

// test: WVC-25
#[test]
fn a_certificate_counts_within_its_time_only() {
    let (over, _) = chain(|leaf| leaf.not_after = rcgen::date_time_ymd(2026, 2, 1));
    assert_eq!(
        search(&by_certificates(over[..1].to_vec(), None)).unwrap_err(),
        SearchError::CertificateTime
    );
    let (good, _) = chain(|_| {});
    key_of(search(&by_certificates(good[..1].to_vec(), None)));
}

// test: WVC-26
#[test]
fn certificates_hold_together() {
    let (good, foreign) = chain(|_| {});
    let apart = search(&by_certificates(foreign, Some(HTTPS)));
    assert_eq!(apart.unwrap_err(), SearchError::Certificate(X5cError::Untrusted));
    key_of(search(&by_certificates(good, Some(HTTPS))));
}

// test: WVC-27, X5C-03
#[test]
fn a_certificate_names_the_issuer_that_the_credential_names() {
    let (good, _) = chain(|_| {});
    let other = search(&by_certificates(good.clone(), Some("https://other.example")));
    assert_eq!(other.unwrap_err(), SearchError::CertificateName);
    key_of(search(&by_certificates(good, Some(HTTPS))));
    let (by_uri, _) = chain(|leaf| {
        leaf.subject_alt_names = vec![SanType::URI("https://other.example".try_into().unwrap())];
    });
    key_of(search(&by_certificates(by_uri, Some("https://other.example"))));
}

#[test]
fn a_certificate_that_names_a_did_of_this_network_leads_to_the_ledger() {
    let (chain, _) = chain(|leaf| {
        leaf.subject_alt_names.push(SanType::URI(DID.try_into().unwrap()));
    });
    assert!(matches!(
        search(&by_certificates(chain, None)).unwrap(),
        Search::Ledger(_)
    ));
}

fn published(issuer: &str, kid: Option<&str>) -> KeysSearch {
    let reference = IssuerReference::Metadata {
        issuer: issuer.to_owned(),
        kid: kid.map(str::to_owned),
        algorithm: "ES256".to_owned(),
    };
    match search(&reference).unwrap() {
        Search::Fetch(question) => question,
        other => panic!("expected a fetch, not {other:?}"),
    }
}

// test: SVC-18, VP-01
#[test]
fn published_keys_are_fetched_from_between_host_and_path_here_or_one_step_further() {
    let secret = SecretKey::from_seed(KeyType::P256, &[1; 32]);
    let keys = json!({ "keys": [Jwk { kid: Some("k1".to_owned()), ..Jwk::of(&secret.public_key()) }] });
    let found = |question: &KeysSearch, body: &Value| question.found(body.to_string().as_bytes());

    let question = published("https://issuer.example/tenant", Some("k1"));
    assert_eq!(
        question.url.as_str(),
        "https://issuer.example/.well-known/jwt-vc-issuer/tenant"
    );
    let here = json!({ "issuer": "https://issuer.example/tenant", "jwks": keys });
    assert_eq!(key_of(found(&question, &here)), secret.public_key());
    let other = json!({ "issuer": "https://issuer.example", "jwks": keys });
    assert_eq!(found(&question, &other).unwrap_err(), SearchError::NotPublished);

    let question = published(HTTPS, Some("k1"));
    let there = json!({ "issuer": HTTPS, "jwks_uri": "https://keys.example/set" });
    let Search::Fetch(second) = found(&question, &there).unwrap() else {
        panic!("a second fetch")
    };
    assert_eq!(second.url.as_str(), "https://keys.example/set");
    assert_eq!(key_of(found(&second, &keys)), secret.public_key());
    let inside = json!({ "issuer": HTTPS, "jwks_uri": "http://127.0.0.1/set" });
    assert_eq!(found(&question, &inside).unwrap_err(), SearchError::Address);
    assert_eq!(
        found(
            &published(HTTPS, Some("k2")),
            &json!({ "issuer": HTTPS, "jwks": keys })
        )
        .unwrap_err(),
        SearchError::NotPublished
    );

    let kid = format!("{DID}#{}", secret.public_key().to_multikey());
    let named = json!({ "keys": [Jwk { kid: Some(kid.clone()), ..Jwk::of(&secret.public_key()) }] });
    let question = published(HTTPS, Some(&kid));
    let found = found(&question, &json!({ "issuer": HTTPS, "jwks": named }));
    assert!(
        matches!(found.unwrap(), Search::Ledger(_)),
        "a key named by a DID of this network is its DID's"
    );
}
