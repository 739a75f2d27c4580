//! What a credential's type says of itself: looked for once, checked, kept.

use realdid_credential::type_metadata::TypeMetadataError;
use realdid_credential::{Integrity, IntegrityError};
use realdid_wallet::credentials::HeldCredential;
use realdid_wallet::issuance::{Issuance, IssuanceError, JudgeError};
use serde_json::{Value, json};

use crate::mock_issuer::{ISSUER, MockIssuer, NOW, Shape, VCT, begin, coded, fails, options, passes, run};

const BASE: &str = "https://types.example/base";

fn document() -> Value {
    json!({
        "vct": VCT,
        "display": [{ "locale": "en-GB", "name": "Pass" }, { "locale": "zh", "name": "通行证" }],
        "claims": [{
            "path": ["given_name"], "sd": "always", "mandatory": true,
            "display": [{ "locale": "en", "label": "First <i>name" }, { "locale": "zh-CN", "label": "名字" }],
        }],
    })
}

/// Says in each credential which document its type has.
fn signing(integrity: &str) -> Shape {
    let integrity = integrity.to_owned();
    Box::new(move |_, new| new.vct_integrity = Some(integrity.clone()))
}

fn integrity(document: &Value) -> String {
    Integrity::of(document.to_string().as_bytes()).as_str().to_owned()
}

/// An issuer whose type has this document, and credentials that say so.
fn described(document: &Value) -> MockIssuer {
    let mut issuer = MockIssuer::new();
    issuer.shape = signing(&integrity(document));
    issuer.documents.insert(VCT.to_owned(), document.to_string());
    issuer
}

fn refused(issuer: &mut MockIssuer, error: TypeMetadataError) {
    assert_eq!(
        fails(issuer),
        IssuanceError::Judge(JudgeError::Description(error))
    );
}

fn held(issuer: &mut MockIssuer) -> HeldCredential {
    let received = passes(run(begin(coded()), issuer)).received.remove(0);
    let mut wallet = crate::storage::wallet();
    let id = wallet.keep_credential(received.credential, NOW).unwrap();
    // As it is after the next start.
    let wallet = realdid_wallet::Wallet::from_json(&wallet.to_json().unwrap()).unwrap();
    wallet.credential(id).unwrap().clone()
}

fn languages(tags: &[&str]) -> Vec<String> {
    tags.iter().map(|tag| (*tag).to_owned()).collect()
}

// test: WVC-32
#[test]
fn names_are_those_of_the_type_in_the_holders_language() {
    let mut issuer = described(&document());
    let held = held(&mut issuer);
    assert_eq!(issuer.looked_for, [VCT]);
    let (chinese, english) = (languages(&["zh-TW", "en"]), languages(&["en"]));
    let labels = held.labels(&chinese);
    assert_eq!(labels.title(), "通行证 (A Pass)");
    assert_eq!(labels.claim("given_name").as_deref(), Some("名字"));
    let labels = held.labels(&english);
    assert_eq!(
        (labels.title(), labels.type_name()),
        ("A Pass".into(), Some("Pass".into()))
    );
    assert_eq!(labels.claim("given_name").as_deref(), Some("First iname"));
    assert_eq!(labels.claim("birthdate"), None);
}

#[test]
fn without_a_document_names_are_the_issuers_and_without_those_their_own() {
    let mut issuer = MockIssuer::new();
    issuer.configuration()["credential_metadata"] = json!({
        "display": [{ "name": "A Pass", "locale": "en" }, { "name": "通行证", "locale": "zh" }],
        "claims": [{ "path": ["given_name"], "display": [{ "name": "名字", "locale": "zh" }, { "name": "First name" }] }],
    });
    let held = held(&mut issuer);
    assert!(held.naming.documents.is_empty());
    let (chinese, german) = (languages(&["zh-CN", "en"]), languages(&["de"]));
    assert_eq!(held.labels(&chinese).title(), "通行证");
    assert_eq!(held.labels(&chinese).claim("given_name").as_deref(), Some("名字"));
    assert_eq!(
        held.labels(&german).claim("given_name").as_deref(),
        Some("First name")
    );
    assert_eq!(held.labels(&german).claim("expiry"), None);
}

// test: SVC-13
#[test]
fn another_document_than_the_credential_was_signed_with_is_refused() {
    let mut issuer = described(&document());
    let mut other = document();
    other["claims"][0]["display"][0]["label"] = "Favourite colour".into();
    issuer.documents.insert(VCT.to_owned(), other.to_string());
    refused(&mut issuer, IntegrityError::Mismatch.into());
    issuer.documents.insert(VCT.to_owned(), "<html>".to_owned());
    refused(&mut issuer, IntegrityError::Mismatch.into());
    passes(run(begin(coded()), &mut described(&document())));
}

#[test]
fn where_nothing_is_found_the_credential_is_kept_without() {
    for integrity in [None, Some(integrity(&document()))] {
        let mut issuer = MockIssuer::new();
        issuer.shape = integrity.map_or_else(|| MockIssuer::new().shape, |text| signing(&text));
        assert!(held(&mut issuer).naming.documents.is_empty());
        assert_eq!(issuer.looked_for, [VCT]);
    }
    let about_another = json!({ "vct": BASE }).to_string();
    for page in ["<!doctype html><p>Passes", "[1]", about_another.as_str()] {
        let mut issuer = MockIssuer::new();
        issuer.documents.insert(VCT.to_owned(), page.to_owned());
        assert!(held(&mut issuer).naming.documents.is_empty());
    }
    // What a type extends is part of it: not used in part.
    let mut extending = document();
    extending["extends"] = BASE.into();
    assert!(held(&mut described(&extending)).naming.documents.is_empty());
    extending["extends"] = "urn:example:base".into();
    assert!(held(&mut described(&extending)).naming.documents.is_empty());
}

/// The issuer's credential is of this type, which it offers.
fn of_type(issuer: &mut MockIssuer, vct: &'static str, integrity: Option<String>) {
    issuer.configuration()["vct"] = vct.into();
    issuer.shape = Box::new(move |_, new| {
        vct.clone_into(&mut new.vct);
        new.vct_integrity.clone_from(&integrity);
    });
}

// test: VP-01
#[test]
fn only_addresses_that_may_be_asked_are_asked() {
    for vct in [
        "http://types.example/pass",
        "urn:example:pass",
        "file:///etc/passwd",
    ] {
        let mut issuer = MockIssuer::new();
        of_type(&mut issuer, vct, None);
        assert!(held(&mut issuer).naming.documents.is_empty());
        assert!(issuer.looked_for.is_empty(), "{vct}");
    }
}

// test: SVC-13
#[test]
fn a_type_without_an_address_is_looked_for_at_its_issuer_if_it_is_signed_what_to_find() {
    let mut issuer = MockIssuer::new();
    let at = format!("{ISSUER}/vct/pass");
    let mut urn = document();
    urn["vct"] = "urn:example:pass".into();
    of_type(&mut issuer, "urn:example:pass", Some(integrity(&urn)));
    // A page for people is no document of ours.
    issuer.documents.insert(at.clone(), "<html>".to_owned());
    assert!(held(&mut issuer).naming.documents.is_empty());
    issuer.documents.insert(at.clone(), urn.to_string());
    assert_eq!(held(&mut issuer).naming.documents.len(), 1);
    assert_eq!(issuer.looked_for, [at.as_str(), at.as_str()]);
    issuer.documents.insert(at, format!("{urn} "));
    refused(&mut issuer, IntegrityError::Mismatch.into());
}

// test: SVC-24
#[test]
fn what_a_type_extends_is_fetched_too_and_a_circle_is_refused() {
    let mut own = document();
    own["extends"] = BASE.into();
    let mut issuer = described(&own);
    let base = json!({ "vct": BASE, "claims": [{ "path": ["photo"], "display": [{ "locale": "en", "label": "Photo" }] }] });
    issuer.documents.insert(BASE.to_owned(), base.to_string());
    let held = held(&mut issuer);
    assert_eq!(issuer.looked_for, [VCT, BASE]);
    assert_eq!(held.naming.documents.len(), 2);
    assert_eq!(
        held.labels(&languages(&["en"])).claim("photo").as_deref(),
        Some("Photo")
    );
    let circle = json!({ "vct": BASE, "extends": VCT });
    issuer.documents.insert(BASE.to_owned(), circle.to_string());
    refused(&mut issuer, TypeMetadataError::Circle);
}

// test: SVC-22
#[test]
fn a_malformed_document_is_refused() {
    let mut malformed = document();
    malformed["claims"] = json!([{ "path": [], "sd": "always" }]);
    let mut issuer = MockIssuer::new();
    issuer.documents.insert(VCT.to_owned(), malformed.to_string());
    refused(&mut issuer, TypeMetadataError::Form);
}

// test: SVC-29
#[test]
fn a_credential_without_what_its_type_demands_is_refused() {
    let mut demanding = document();
    demanding["claims"][0]["path"] = json!(["family_name"]);
    let mut issuer = described(&demanding);
    assert!(matches!(
        fails(&mut issuer),
        IssuanceError::Judge(JudgeError::Description(TypeMetadataError::Missing(_)))
    ));
}

// test: SVC-30
#[test]
fn a_credential_that_hides_what_its_type_shows_is_refused() {
    let mut open = document();
    open["claims"][0]["sd"] = "never".into();
    let mut issuer = described(&open);
    assert!(matches!(
        fails(&mut issuer),
        IssuanceError::Judge(JudgeError::Description(TypeMetadataError::Disclosure(_)))
    ));
}

// test: WVC-33
#[test]
fn copies_with_different_descriptions_are_refused() {
    let mut issuer = described(&document());
    let text = integrity(&document());
    issuer.shape = Box::new(move |place, new| {
        let stated = [Some(text.clone()), Some(format!("{text} ")), None];
        new.vct_integrity.clone_from(&stated[place]);
    });
    assert_eq!(
        fails(&mut issuer),
        IssuanceError::Judge(JudgeError::TypeIntegrity)
    );
}

// test: SVC-13
#[test]
fn a_document_that_is_held_is_not_fetched_for_fresh_copies_unless_another_is_signed() {
    let mut issuer = described(&document());
    let held = held(&mut issuer);
    let refresh = |issuer: &mut MockIssuer| {
        let run = passes(run(Issuance::refresh(&held, options()).unwrap(), issuer));
        run.received[0].credential.naming.documents.clone()
    };
    issuer.documents.clear();
    assert_eq!(refresh(&mut issuer), held.naming.documents);
    assert_eq!(issuer.looked_for.len(), 1, "the first time");
    let mut other = described(&json!({ "vct": VCT, "display": [] }));
    assert_ne!(refresh(&mut other), held.naming.documents);
    assert_eq!(other.looked_for, [VCT]);
}
