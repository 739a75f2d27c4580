use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, SanType, SignatureAlgorithm,
};
use realdid_crypto::{KeyType, base64url_encode, sha256};
use realdid_jose::x5c::{Chain, MAX_CERTIFICATE, MAX_CERTIFICATES, Roots, X5cError};
use serde_json::{Value, json};

/// Within every certificate of [`Authority`], in seconds since 1970.
const NOW: u64 = 1_800_000_000;
const DID: &str = "did:real:sandbox:zAbc";

/// A root that certifies leaves.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    der: Vec<u8>,
}

fn key(algorithm: &'static SignatureAlgorithm) -> KeyPair {
    KeyPair::generate_for(algorithm).unwrap()
}

fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = rcgen::date_time_ymd(2026, 1, 1);
    params.not_after = rcgen::date_time_ymd(2030, 1, 1);
    params.use_authority_key_identifier_extension = true;
    params
}

fn authority_params(name: &str) -> CertificateParams {
    let mut params = named(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params
}

impl Authority {
    fn new(name: &str) -> Self {
        let (params, key) = (authority_params(name), key(&PKCS_ECDSA_P256_SHA256));
        let der = params.self_signed(&key).unwrap().der().to_vec();
        let issuer = Issuer::new(params, key);
        Self { issuer, der }
    }

    fn below(&self, name: &str) -> Self {
        let (params, key) = (authority_params(name), key(&PKCS_ECDSA_P256_SHA256));
        let der = params.signed_by(&key, &self.issuer).unwrap().der().to_vec();
        let issuer = Issuer::new(params, key);
        Self { issuer, der }
    }

    fn leaf(
        &self,
        algorithm: &'static SignatureAlgorithm,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Vec<u8> {
        let mut params = named("leaf");
        params.subject_alt_names = vec![
            SanType::DnsName("Rental.example".try_into().unwrap()),
            SanType::DnsName("*.wild.example".try_into().unwrap()),
            SanType::URI(DID.try_into().unwrap()),
        ];
        change(&mut params);
        params
            .signed_by(&key(algorithm), &self.issuer)
            .unwrap()
            .der()
            .to_vec()
    }

    fn good(&self) -> Vec<u8> {
        self.leaf(&PKCS_ECDSA_P256_SHA256, |_| ())
    }

    fn roots(&self) -> Roots {
        let mut roots = Roots::default();
        roots.add_der(&self.der).unwrap();
        roots
    }
}

fn chain(certificates: &[&[u8]]) -> Chain {
    let texts: Vec<Value> = certificates
        .iter()
        .map(|der| STANDARD.encode(der).into())
        .collect();
    Chain::parse(&Value::Array(texts)).unwrap()
}

fn passes() {
    let root = Authority::new("root");
    let leaf = root.good();
    let chain = chain(&[&leaf]);
    let verified = chain.verify(&root.roots(), NOW).unwrap();
    assert_eq!(verified.key().unwrap().kind(), KeyType::P256);
    assert_eq!(verified.expect_host("rental.example"), Ok(()));
    assert_eq!(verified.expect_hash(&base64url_encode(sha256(&leaf).0)), Ok(()));
    assert_eq!(verified.did(), Some(DID));
    assert_eq!(chain.check_high_assurance(), Ok(()));
}

#[test]
fn a_chain_with_intermediates_leads_to_its_root() {
    let root = Authority::new("root");
    let (first, leaf) = {
        let first = root.below("first");
        let leaf = first.good();
        (first, leaf)
    };
    let stated = chain(&[&leaf, &first.der]);
    assert!(stated.verify(&root.roots(), NOW).is_ok());
    assert_eq!(
        stated.verify(&first.roots(), NOW).map(|_| ()),
        Ok(()),
        "pinned in the middle"
    );
    assert_eq!(stated.authority_keys().len(), 2);
    let again = Chain::parse(&stated.to_x5c()).unwrap();
    assert_eq!(again.leaf(), stated.leaf());
    assert_eq!(stated.leaf().validity(), (1_767_225_600, 1_893_456_000));
}

#[test]
fn roots_come_from_pem() {
    let root = Authority::new("root");
    let text = STANDARD.encode(&root.der);
    let pem = format!("a comment\n-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n");
    let roots = Roots::from_pem(&pem).unwrap();
    assert!(chain(&[&root.good()]).verify(&roots, NOW).is_ok());
    assert_eq!(Roots::from_pem("").err(), Some(X5cError::Form));
    assert!(Roots::default().is_empty() && !roots.is_empty());
}

#[test]
fn what_is_no_list_of_certificates_is_refused() {
    let good = STANDARD.encode(Authority::new("root").good());
    for x5c in [
        json!(null),
        json!("x"),
        json!([1]),
        json!(["%%"]),
        json!(["AAAA"]),
        json!([good.clone(), "AAAA"]),
        json!([good.replace('+', "-").replace('/', "_").replace('=', "") + "-_"]),
    ] {
        assert_eq!(Chain::parse(&x5c).err(), Some(X5cError::Form), "{x5c}");
    }
    passes();
}

// test: X5C-01
#[test]
fn too_many_and_too_long_certificates_are_refused() {
    let good = STANDARD.encode(Authority::new("root").good());
    for x5c in [
        json!([]),
        json!(vec![good.clone(); MAX_CERTIFICATES + 1]),
        json!([good.clone(), "A".repeat(MAX_CERTIFICATE * 2)]),
    ] {
        assert_eq!(Chain::parse(&x5c).err(), Some(X5cError::Size));
    }
    assert!(Chain::parse(&json!(vec![good; MAX_CERTIFICATES])).is_ok());
    passes();
}

// test: X5C-02
#[test]
fn a_chain_to_no_pinned_root_is_refused() {
    let (root, other) = (Authority::new("root"), Authority::new("root"));
    let refused = |certificates: &[&[u8]], roots: &Roots, now: u64| {
        let stated = chain(certificates);
        assert_eq!(stated.verify(roots, now).err(), Some(X5cError::Untrusted));
    };
    let leaf = root.good();
    refused(&[&leaf], &Roots::default(), NOW);
    // The same name, another key.
    refused(&[&leaf], &other.roots(), NOW);
    // The stranger's root does not become trusted by being sent along.
    refused(&[&leaf, &root.der], &other.roots(), NOW);
    // A missing link.
    let below = root.below("below");
    refused(&[&below.good()], &root.roots(), NOW);
    // Not yet, and no longer.
    refused(&[&leaf], &root.roots(), 1_700_000_000);
    refused(&[&leaf], &root.roots(), 1_900_000_000);
    // A leaf that is an authority itself.
    let authority = root.leaf(&PKCS_ECDSA_P256_SHA256, |params| {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    });
    refused(&[&authority], &root.roots(), NOW);
    // A leaf that certifies another: it is no authority.
    let (params, pair) = (named("not an authority"), key(&PKCS_ECDSA_P256_SHA256));
    let end = params.signed_by(&pair, &root.issuer).unwrap().der().to_vec();
    let end = Authority {
        issuer: Issuer::new(params, pair),
        der: end,
    };
    refused(&[&end.good(), &end.der], &root.roots(), NOW);
    passes();
}

// test: X5C-02
#[test]
fn an_altered_certificate_is_refused() {
    let root = Authority::new("root");
    let good = root.good();
    let mut refused = 0;
    for index in (0..good.len()).step_by(7) {
        let mut altered = good.clone();
        altered[index] ^= 1;
        // Some no longer parse; none of the others may be believed.
        if let Ok(stated) = Chain::from_der(vec![altered]) {
            assert_eq!(
                stated.verify(&root.roots(), NOW).err(),
                Some(X5cError::Untrusted),
                "{index}"
            );
            refused += 1;
        }
    }
    assert!(refused > 10, "{refused}");
    passes();
}

#[test]
fn keys_that_nothing_here_signs_with_are_told() {
    let root = Authority::new("root");
    let p384 = chain(&[&root.leaf(&PKCS_ECDSA_P384_SHA384, |_| ())]);
    let leaf = p384.verify(&root.roots(), NOW).unwrap();
    assert_eq!(leaf.key(), Err(X5cError::KeyType));
    let ed25519 = chain(&[&root.leaf(&PKCS_ED25519, |_| ())]);
    let leaf = ed25519.verify(&root.roots(), NOW).unwrap();
    assert_eq!(leaf.key().unwrap().kind(), KeyType::Ed25519);
}

// test: X5C-03
#[test]
fn another_host_is_refused() {
    let root = Authority::new("root");
    let stated = chain(&[&root.good()]);
    let leaf = stated.verify(&root.roots(), NOW).unwrap();
    for host in [
        "example",
        "rental.example.",
        "www.rental.example",
        "a.wild.example",
        "*.wild.example",
        "",
        "leaf",
    ] {
        assert_eq!(leaf.expect_host(host), Err(X5cError::HostName), "{host}");
    }
    assert_eq!(leaf.expect_host("RENTAL.example"), Ok(()));
    passes();
}

// test: X5C-04
#[test]
fn another_hash_is_refused() {
    let root = Authority::new("root");
    let stated = chain(&[&root.good()]);
    for hash in [
        base64url_encode(sha256(&root.der).0),
        String::new(),
        format!("{}=", stated.leaf().hash()),
    ] {
        assert_eq!(stated.leaf().expect_hash(&hash), Err(X5cError::Hash));
    }
    passes();
}

// test: X5C-05
#[test]
fn a_certificate_for_two_dids_is_for_none() {
    let root = Authority::new("root");
    let two = root.leaf(&PKCS_ECDSA_P256_SHA256, |params| {
        params
            .subject_alt_names
            .push(SanType::URI("did:web:example.org".try_into().unwrap()));
    });
    assert_eq!(chain(&[&two]).leaf().did(), None);
    let none = root.leaf(&PKCS_ECDSA_P256_SHA256, |params| params.subject_alt_names.clear());
    assert_eq!(chain(&[&none]).leaf().did(), None);
    passes();
}

// test: X5C-06
#[test]
fn at_high_assurance_no_leaf_vouches_for_itself() {
    let pair = key(&PKCS_ECDSA_P256_SHA256);
    let alone = named("alone").self_signed(&pair).unwrap().der().to_vec();
    assert_eq!(chain(&[&alone]).check_high_assurance(), Err(X5cError::SelfSigned));
    // Elsewhere it may be pinned, by itself.
    let mut roots = Roots::default();
    roots.add_der(&alone).unwrap();
    assert!(chain(&[&alone]).verify(&roots, NOW).is_ok());
    passes();
}

// test: X5C-07
#[test]
fn at_high_assurance_the_root_is_not_sent_along() {
    let root = Authority::new("root");
    let stated = chain(&[&root.good(), &root.der]);
    assert_eq!(stated.check_high_assurance(), Err(X5cError::Root));
    passes();
}

proptest! {
    #[test]
    fn no_bytes_make_the_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Chain::from_der(vec![bytes]);
    }
}
