//! Who asks: each rule broken alone, and the untouched request passes.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, PKCS_ED25519, SanType};
use realdid_crypto::{Hash, PublicKey, Signature, base64url_encode, sha256};
use realdid_did::{
    Assurance, Backing, Commitment, Did, DocumentData, Entry, Level, Purposes, VerificationKey,
};
use realdid_jose::jws::{MAX_JWS, SigningInput};
use realdid_jose::x5c::Chain;
use realdid_ledger::{Accreditation, Grant, Right, Role};
use realdid_openid::openid4vp_link::Invocation;
use url::Url;

use super::*;
use crate::consent::Warning;

/// An organisation of the network, as the ledger has it.
struct Organisation {
    did: Did,
    facts: Facts,
    document: DocumentData,
}

fn organisation(key: &PublicKey) -> Organisation {
    let keys = vec![VerificationKey {
        purposes: Purposes::AUTHENTICATION,
        key: *key,
    }];
    let document = DocumentData::new(keys, Vec::new()).unwrap();
    let did = charter().did(Hash([0x77; 32]));
    let entry = Entry {
        version: 1,
        document: document.hash(),
        last_operation: Hash([1; 32]),
        next: Commitment(Hash([2; 32])),
        recovery: Commitment(Hash([3; 32])),
        created: NOW,
        updated: NOW,
        assurance: Assurance {
            backing: Backing::Charter,
            by: Hash::ZERO,
            epoch: 0,
            level: Level::Low,
        },
        deactivated: false,
        vetoed: false,
        pending: None,
    };
    let grant = Grant {
        right: Right::to_ask(did.hash, LICENCE),
        detail: Hash::ZERO,
        granted_at: NOW,
        revoked_at: 0,
    };
    let facts = Facts {
        asker: Some(entry.clone()),
        sponsor: Some(entry),
        accreditation: Some(Accreditation {
            did: did.hash,
            role: Role::Verifier,
            name: "Rental".to_owned(),
            revoked_at: 0,
            suspended_at: 0,
        }),
        grants: vec![(LICENCE.to_owned(), grant)],
        epoch: 3,
    };
    Organisation { did, facts, document }
}

/// An organisation that asks under its own DID.
fn by_did() -> (Asking, Organisation) {
    let mut asking = Asking::new(query(&["age_over_21"]));
    let organisation = organisation(&asking.key.public_key());
    asking.did = organisation.did.to_string();
    asking.claims["client_id"] = format!("decentralized_identifier:{}", organisation.did).into();
    (asking, organisation)
}

fn judge(asking: &Asking, organisation: &Organisation) -> Result<PresentationRequest, AskError> {
    let documents = std::slice::from_ref(&organisation.document);
    asking
        .fetched()?
        .judge(&organisation.facts, documents, &context(&asking.link()))
}

fn refused(spoil: impl FnOnce(&mut Asking, &mut Organisation)) -> AskError {
    let (mut asking, mut organisation) = by_did();
    judge(&asking, &organisation).unwrap();
    spoil(&mut asking, &mut organisation);
    judge(&asking, &organisation).unwrap_err()
}

#[test]
fn an_organisation_of_the_network_has_the_name_that_the_network_gave_it() {
    let (asking, mut organisation) = by_did();
    let request = judge(&asking, &organisation).unwrap();
    let asker = request.asker();
    assert_eq!(
        (asker.name.as_str(), asker.registered, request.epoch()),
        ("Rental", true, 3)
    );
    assert!(request.over_asked().is_empty());
    organisation.facts.accreditation = None;
    let request = judge(&asking, &organisation).unwrap();
    assert_eq!(
        (request.asker().name.as_str(), request.asker().registered),
        (asking.did.as_str(), false)
    );
    assert_eq!(
        asking.fetched().unwrap().questions().len(),
        3,
        "DID, accreditation, one right"
    );
}

// test: WVP-04
#[test]
fn who_was_suspended_or_struck_off_is_not_listened_to() {
    let suspended = refused(|_, organisation| {
        organisation.facts.accreditation.as_mut().unwrap().suspended_at = NOW;
    });
    assert_eq!(suspended, AskError::AskerStruckOff("Rental".to_owned()));
    let struck_off = refused(|_, organisation| {
        organisation.facts.accreditation.as_mut().unwrap().revoked_at = NOW;
    });
    assert_eq!(struck_off.code(), "verifier_struck_off");
}

// test: WVP-05
#[test]
fn a_did_that_ended_asks_nothing() {
    let ended = refused(|_, organisation| organisation.facts.asker.as_mut().unwrap().deactivated = true);
    assert_eq!(ended, AskError::AskerInactive);
    assert_eq!(
        refused(|_, organisation| organisation.facts.asker = None),
        AskError::AskerInactive
    );
}

// test: WVP-08
#[test]
fn a_document_that_the_ledger_does_not_name_is_refused() {
    let other = refused(|_, organisation| {
        organisation.facts.asker.as_mut().unwrap().document = Hash([9; 32]);
    });
    assert_eq!(other, AskError::Document);
}

// test: WAL-17
#[test]
fn an_organisations_answer_goes_where_its_request_came_from() {
    let elsewhere = refused(|asking, _| asking.claims["response_uri"] = "https://phisher.example/".into());
    assert!(
        matches!(elsewhere, AskError::ResponseElsewhere { .. }),
        "{elsewhere:?}"
    );
}

// test: WVP-10
#[test]
fn over_asking_is_refused_or_told() {
    let wallet = wallet_with(&Licence::default());
    let (asking, mut organisation) = by_did();
    assert!(consent(&wallet, &judge(&asking, &organisation).unwrap()).is_ok());
    organisation.facts.grants.clear();
    let request = judge(&asking, &organisation).unwrap();
    let error = consent(&wallet, &request).unwrap_err();
    assert_eq!(error.code(), "over_asking");
    assert!(error.to_string().contains(LICENCE));
    let wishes = Wishes {
        despite_over_asking: true,
        ..Wishes::default()
    };
    let told = wallet.consent(&request, &wishes, NOW).unwrap();
    assert_eq!(told.over_asked.len(), 1);
    assert!(told.warnings.contains(&crate::consent::Warning::OverAsking));
}

// test: WVP-06
#[test]
fn only_a_site_may_ask_for_a_login() {
    let mut login = query(&["age_over_21"]);
    login["credentials"].as_array_mut().unwrap().push(json!({
        "id": "realname", "format": "realdid+jwt", "meta": { "purpose": "login", "level": "low" },
    }));
    let mut asking = Asking::new(query(&["age_over_21"]));
    asking.judge().unwrap();
    asking.claims["dcql_query"] = login;
    asking.claims["client_metadata"]["vp_formats_supported"]["realdid+jwt"] = json!({});
    assert_eq!(asking.judge().unwrap_err(), AskError::NoStatement);
}

#[test]
fn dids_of_other_methods_and_networks_are_refused_in_plain_words() {
    let mut asking = Asking::new(query(&["age_over_21"]));
    asking.did = "did:web:verifier.example".to_owned();
    asking.claims["client_id"] = "decentralized_identifier:did:web:verifier.example".into();
    let error = asking.judge().unwrap_err();
    assert_eq!(error, AskError::DidMethod("web".to_owned()));
    let other = "did:real:elsewhere:zQmbWqxBEKC3P8tqsKc98xmWNzrzDtRLMiMPL8wBuTGsMnR";
    asking.did = other.to_owned();
    asking.claims["client_id"] = format!("decentralized_identifier:{other}").into();
    assert_eq!(asking.judge().unwrap_err(), AskError::OtherNetwork);
}

// test: WVP-01
#[test]
fn a_did_that_is_a_key_has_that_key_alone() {
    let mut asking = Asking::new(query(&["age_over_21"]));
    let jwk = json!(Jwk::of(&asking.key.public_key())).to_string();
    asking.did = format!("did:jwk:{}", base64url_encode(jwk));
    asking.claims["client_id"] = format!("decentralized_identifier:{}", asking.did).into();
    asking.fragment = "0".to_owned();
    assert!(!asking.judge().unwrap().asker().registered);
    asking.fragment = "1".to_owned();
    assert_eq!(asking.judge().unwrap_err(), AskError::Key);
}

// test: JWS-06
#[test]
fn keys_that_a_request_brings_along_verify_nothing() {
    let mut forged = Asking::new(query(&["age_over_21"]));
    let kid = format!("{}#{}", forged.did, forged.fragment);
    forged.key = key(KeyType::P256, 0x24);
    forged.claims["client_metadata"]["jwks"] = json!({ "keys": [Jwk::of(&forged.key.public_key())] });
    let header = json!({
        "typ": "oauth-authz-req+jwt", "kid": kid, "jwk": Jwk::of(&forged.key.public_key()),
        "jku": "https://verifier.example/jwks", "x5u": "https://verifier.example/x5c",
    });
    let object =
        jws::sign_with_header(&forged.key, header.as_object().unwrap().clone(), &forged.claims).unwrap();
    let link = forged.link();
    let fetched = FetchedRequest::parse(&object, &link, &charter().network).unwrap();
    let error = fetched
        .judge(&Facts::default(), &[], &context(&link))
        .unwrap_err();
    assert!(matches!(error, AskError::Request(_)), "{error:?}");
}

/// A verifier with a certificate; the second of its chain, if there is one, is a root nobody knows.
struct Certified {
    key: KeyPair,
    chain: Chain,
    asking: Asking,
}

fn public_key(key: &KeyPair) -> PublicKey {
    PublicKey::from_bytes(KeyType::Ed25519, key.public_key_raw()).unwrap()
}

fn certified(change: impl FnOnce(&mut CertificateParams), forged: bool) -> Certified {
    let root_key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
    let mut root = CertificateParams::default();
    root.distinguished_name.push(DnType::CommonName, "Root");
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root_der = root.self_signed(&root_key).unwrap().der().to_vec();
    let signing = if forged {
        KeyPair::generate_for(&PKCS_ED25519).unwrap()
    } else {
        root_key
    };
    let issuer = Issuer::new(root, signing);
    let key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
    let mut leaf = CertificateParams::new(vec!["verifier.example".to_owned()]).unwrap();
    change(&mut leaf);
    let der = leaf.signed_by(&key, &issuer).unwrap().der().to_vec();
    let mut asking = Asking::new(query(&["age_over_21"]));
    asking.claims["client_id"] = format!("x509_hash:{}", base64url_encode(sha256(&der).0)).into();
    let chain = Chain::from_der(vec![der, root_der]).unwrap();
    Certified { key, chain, asking }
}

impl Certified {
    fn judge(&self, organisation: Option<&Organisation>) -> Result<PresentationRequest, AskError> {
        let header = json!({ "typ": "oauth-authz-req+jwt", "x5c": self.chain.to_x5c() });
        let header = header.as_object().unwrap().clone();
        let input =
            SigningInput::with_header(KeyType::Ed25519, header, &self.asking.claims, MAX_JWS).unwrap();
        let signature = rcgen::SigningKey::sign(&self.key, input.as_bytes()).unwrap();
        let object = input.finish(&Signature(signature.try_into().unwrap()));
        let link = self.asking.link();
        let fetched = FetchedRequest::parse(&object, &link, &charter().network)?;
        match organisation {
            None => fetched.judge(&Facts::default(), &[], &context(&link)),
            Some(known) => fetched.judge(
                &known.facts,
                std::slice::from_ref(&known.document),
                &context(&link),
            ),
        }
    }
}

#[test]
fn somebody_with_a_certificate_is_unregistered_whatever_it_says() {
    let mut certified = certified(|_| (), false);
    for client_id in [None, Some("x509_san_dns:verifier.example")] {
        if let Some(client_id) = client_id {
            certified.asking.claims["client_id"] = client_id.into();
        }
        let request = certified.judge(None).unwrap();
        assert_eq!(
            (request.asker().name.as_str(), request.asker().registered),
            ("verifier.example", false)
        );
        assert_eq!(
            request.asker().client_id,
            certified.asking.client_id(),
            "with its prefix"
        );
    }
}

// test: WVP-02
#[test]
fn a_certificate_that_is_over_is_refused() {
    let over = certified(|leaf| leaf.not_after = rcgen::date_time_ymd(2026, 11, 1), false);
    assert_eq!(over.judge(None).unwrap_err(), AskError::CertificateTime);
    certified(|_| (), false).judge(None).unwrap();
}

// test: WVP-03
#[test]
fn certificates_that_do_not_hold_together_are_refused() {
    let error = certified(|_| (), true).judge(None).unwrap_err();
    assert!(matches!(error, AskError::Certificate(_)), "{error:?}");
    certified(|_| (), false).judge(None).unwrap();
}

// test: WVP-07
#[test]
fn a_certificate_leads_to_a_did_only_if_the_did_holds_its_key() {
    let did = charter().did(Hash([0x77; 32])).to_string();
    let named = certified(
        |leaf| {
            leaf.subject_alt_names
                .push(SanType::URI(did.clone().try_into().unwrap()));
        },
        false,
    );
    let known = organisation(&public_key(&named.key));
    let request = named.judge(Some(&known)).unwrap();
    assert_eq!(
        (request.asker().name.as_str(), request.asker().registered),
        ("Rental", true)
    );
    let stolen = organisation(&key(KeyType::Ed25519, 0x66).public_key());
    assert_eq!(named.judge(Some(&stolen)).unwrap_err(), AskError::Key);
}

// test: WVP-09, VP-01
#[test]
fn the_browser_is_sent_to_web_addresses_alone() {
    let request = asked(query(&["age_over_21"]));
    let may = |address: &str, sandbox| request.may_return_to(&Url::parse(address).unwrap(), sandbox);
    assert!(may("https://www.verifier.example/done#response_code=1", false));
    assert!(may("http://127.0.0.1:9/done", true) && !may("http://127.0.0.1:9/done", false));
    for trick in [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "data:text/html,x",
        "http://verifier.example/",
    ] {
        assert!(!may(trick, false) && !may(trick, true), "{trick}");
    }
}

// test: VP-01, VP-28
#[test]
fn an_answer_to_another_host_is_told_or_refused() {
    let mut asking = Asking::new(query(&["age_over_21"]));
    asking.claims["response_uri"] = "https://answers.example/1".into();
    assert!(asking.judge().unwrap().answers_elsewhere());
    let mut certified = certified(|_| (), false);
    certified.asking.claims["client_id"] = "x509_san_dns:verifier.example".into();
    certified.asking.claims["response_uri"] = "https://answers.example/1".into();
    assert_eq!(
        certified.judge(None).unwrap_err().code(),
        "response_uri_elsewhere"
    );
    asking.claims["response_uri"] = "http://verifier.example/1".into();
    assert_eq!(asking.judge().unwrap_err().code(), "response_uri_invalid");
}

/// A request that nobody signed, for these claims.
fn unsigned(query: &Value) -> PresentationRequest {
    let address = "https://verifier.example/response";
    let client_id = format!("redirect_uri:{address}");
    let query = query.to_string();
    let parameters = [
        ("client_id", client_id.as_str()),
        ("response_type", "vp_token"),
        ("response_mode", "direct_post"),
        ("nonce", "a-nonce"),
        ("dcql_query", &query),
    ];
    let mut link = Url::parse("openid4vp://").unwrap();
    link.query_pairs_mut().extend_pairs(parameters);
    let Ok(Invocation::Unsigned(request)) = Invocation::parse(link.as_str(), false) else {
        panic!("{link}")
    };
    PresentationRequest::unsigned(&request, false, NOW).unwrap()
}

// test: WVP-18
#[test]
fn who_proves_nothing_of_itself_is_answered_only_if_its_holder_says_so() {
    let mut wallet = wallet_with(&Licence::default());
    let request = unsigned(&query(&["age_over_21"]));
    let asker = request.asker();
    assert!(!asker.registered && !asker.proved && asker.did.is_none());
    assert_eq!(asker.answer_to, "https://verifier.example");
    let refused = consent(&wallet, &request).unwrap_err();
    assert_eq!(refused.code(), "verifier_unproved");
    let wishes = Wishes {
        despite_no_proof: true,
        ..Wishes::default()
    };
    let agreed = wallet.consent(&request, &wishes, NOW).unwrap();
    let told = [Warning::UnregisteredVerifier, Warning::UnprovedVerifier];
    assert!(told.iter().all(|warning| agreed.warnings.contains(warning)));
    let answer = answer(&mut wallet, &request, &agreed);
    let shown = shown(&answer, "licence");
    let binding = jws::Unverified::parse(shown.rsplit('~').next().unwrap()).unwrap();
    assert_eq!(
        binding.stated_claims()["aud"],
        "redirect_uri:https://verifier.example/response"
    );
}
