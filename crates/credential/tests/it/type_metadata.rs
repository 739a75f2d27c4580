//! Type metadata: each rule of a document, of a chain of types, and of a credential by its type.

use realdid_credential::path::ClaimPath;
use realdid_credential::sd_jwt::{Disclosed, Frame, SdJwt, issue};
use realdid_credential::type_metadata::{
    Chain, Complete, MAX_CLAIMS, MAX_EXTENDS, SelectiveDisclosure, TypeMetadata, TypeMetadataError,
};
use realdid_credential::{Integrity, IntegrityError};
use serde_json::{Map, Value, json};

use crate::support::{issuer, map, path, paths, rng};

const VCT: &str = "urn:example:licence:1";

/// The metadata of the first of these documents, each of which is what the one before extends.
fn chain(documents: &[Value]) -> Result<TypeMetadata, TypeMetadataError> {
    let mut chain = Chain::new(documents[0]["vct"].as_str().unwrap_or(VCT), None);
    for document in documents {
        chain.add(document.to_string().as_bytes())?;
    }
    chain.finish()
}

fn claims_of(claims: Value) -> Result<TypeMetadata, TypeMetadataError> {
    chain(&[json!({ "vct": VCT, "claims": claims })])
}

fn passes() {
    let metadata = claims_of(json!([{ "path": ["name"], "sd": "always", "mandatory": true }])).unwrap();
    assert_eq!(metadata.vct(), VCT);
    assert_eq!(metadata.claims()[0].sd, Some(SelectiveDisclosure::Always));
}

// test: SVC-21
#[test]
fn metadata_of_another_type_are_not_used() {
    for document in [
        json!({ "vct": "urn:example:other" }),
        json!({}),
        json!({ "vct": null }),
        json!({ "vct": [VCT] }),
    ] {
        let added = Chain::new(VCT, None).add(document.to_string().as_bytes());
        assert_eq!(added, Err(TypeMetadataError::OtherType));
    }
    passes();
}

// test: SVC-22
#[test]
fn metadata_have_their_form() {
    let form = Err(TypeMetadataError::Form);
    for claims in [
        json!({}),
        json!([{}]),
        json!([{ "path": [] }]),
        json!([{ "path": "name" }]),
        json!([{ "path": [true] }]),
        json!([{ "path": [-1] }]),
        json!([{ "path": ["a"], "mandatory": "yes" }]),
        json!([{ "path": ["a"], "sd": "sometimes" }]),
        json!([{ "path": ["a"], "display": [{ "locale": "en" }] }]),
        json!([{ "path": ["a"], "display": [{ "label": "A" }] }]),
        json!(vec![json!({ "path": ["a"] }); MAX_CLAIMS + 1]),
    ] {
        assert_eq!(claims_of(claims), form);
    }
    for display in [
        json!({}),
        json!([{ "locale": "en" }]),
        json!([{ "name": "Licence" }]),
        json!("x"),
    ] {
        assert_eq!(chain(&[json!({ "vct": VCT, "display": display })]), form);
    }
    assert_eq!(chain(&[json!({ "vct": VCT, "extends": 5 })]), form);
    passes();
}

// test: JWS-01
#[test]
fn what_is_no_json_object_is_refused() {
    for document in [
        "",
        "[]",
        "{",
        r#"{"vct":"urn:example:licence:1","vct":"urn:example:licence:1"}"#,
    ] {
        let added = Chain::new(VCT, None).add(document.as_bytes());
        assert_eq!(added, Err(TypeMetadataError::Form), "{document}");
    }
    let long = json!({ "vct": VCT, "x": "x".repeat(256 * 1024) }).to_string();
    assert_eq!(
        Chain::new(VCT, None).add(long.as_bytes()),
        Err(TypeMetadataError::Form)
    );
    passes();
}

// test: SVC-23
#[test]
fn names_for_templates_are_unique_and_simple() {
    for ids in [["a", "a"], ["1a", "b"], ["a-b", "c"], ["", "b"], ["ä", "b"]] {
        let claims = ids.map(|id| json!({ "path": ["x"], "svg_id": id }));
        assert_eq!(claims_of(json!(claims)), Err(TypeMetadataError::SvgId), "{ids:?}");
    }
    assert!(
        claims_of(json!([{ "path": ["x"], "svg_id": "a_1" }, { "path": ["y"], "svg_id": "_1" }])).is_ok()
    );
}

// test: SVC-24
#[test]
fn no_type_extends_itself() {
    let circle = Err(TypeMetadataError::Circle);
    assert_eq!(chain(&[json!({ "vct": "a", "extends": "a" })]), circle);
    let three = [
        json!({ "vct": "a", "extends": "b" }),
        json!({ "vct": "b", "extends": "c" }),
        json!({ "vct": "c", "extends": "b" }),
    ];
    assert_eq!(chain(&three), circle);
    let metadata = chain(&[
        json!({ "vct": "a", "extends": "b" }),
        json!({ "vct": "b", "extends": "c" }),
        json!({ "vct": "c" }),
    ]);
    assert_eq!(metadata.unwrap().extends(), ["b", "c"]);
}

// test: SVC-25
#[test]
fn a_type_does_not_extend_without_end() {
    let documents = |count: usize| -> Vec<Value> {
        let extending = |n: usize| json!({ "vct": format!("t{n}"), "extends": format!("t{}", n + 1) });
        let last = json!({ "vct": format!("t{count}") });
        (0..count).map(extending).chain([last]).collect()
    };
    assert_eq!(
        chain(&documents(MAX_EXTENDS + 1)),
        Err(TypeMetadataError::TooDeep)
    );
    assert_eq!(
        chain(&documents(MAX_EXTENDS)).unwrap().extends().len(),
        MAX_EXTENDS
    );
}

// test: SVC-13
#[test]
fn documents_are_those_whose_hash_was_signed() {
    let mismatch = Err(TypeMetadataError::Integrity(IntegrityError::Mismatch));
    let document = json!({ "vct": VCT }).to_string();
    let integrity = Integrity::of(document.as_bytes());
    let altered = format!("{document} ");
    let mut chain = Chain::new(VCT, Some(integrity));
    assert_eq!(chain.add(altered.as_bytes()), mismatch);
    assert_eq!(chain.add(document.as_bytes()), Ok(()));

    let base = json!({ "vct": "base" }).to_string();
    let extending = json!({
        "vct": VCT,
        "extends": "base",
        "extends#integrity": Integrity::of(base.as_bytes()).as_str(),
    });
    let mut chain = Chain::new(VCT, None);
    chain.add(extending.to_string().as_bytes()).unwrap();
    assert_eq!(chain.add(format!("{base}\n").as_bytes()), mismatch);
    assert_eq!(chain.add(base.as_bytes()), Ok(()));
    assert!(chain.finish().is_ok());
}

// test: SVC-31
#[test]
fn a_type_is_used_with_all_that_it_extends_or_not_at_all() {
    let mut chain = Chain::new(VCT, None);
    assert_eq!(chain.clone().finish(), Err(TypeMetadataError::Incomplete));
    chain
        .add(json!({ "vct": VCT, "extends": "base" }).to_string().as_bytes())
        .unwrap();
    assert_eq!(chain.wanted().map(|wanted| wanted.vct.as_str()), Some("base"));
    assert_eq!(chain.clone().finish(), Err(TypeMetadataError::Incomplete));
    chain
        .add(json!({ "vct": "base" }).to_string().as_bytes())
        .unwrap();
    assert!(chain.wanted().is_none() && chain.finish().is_ok());
}

// test: SVC-13
#[test]
fn only_the_strongest_hash_counts() {
    // SRI 1.0: hashes of "alert('Hello, world.');"
    let document = b"alert('Hello, world.');";
    let sha256 = "sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng=";
    let sha384 = "sha384-H8BRh8j48O9oYatfu5AZzq6A9RINhZO5H16dQZngK7T62em8MUt1FLm52t+eX6xO";
    let wrong = format!("sha512-{}==", "A".repeat(86));
    let check = |text: &str| Integrity::parse(text).unwrap().check(document);
    assert_eq!(check(sha256), Ok(()));
    assert_eq!(check(sha384), Ok(()));
    assert_eq!(check(&format!("md5-AAAA {sha384}?ct=text {sha256}")), Ok(()));
    assert_eq!(check(&format!("{sha384} {sha256}")), Ok(()));
    assert_eq!(check(&format!("{sha256} {wrong}")), Err(IntegrityError::Mismatch));
    for malformed in [
        "",
        "sha256",
        "sha256-",
        "sha1-AAAA",
        "SHA256-AAAA",
        &"x".repeat(2000),
    ] {
        assert_eq!(Integrity::parse(malformed), Err(IntegrityError::Form));
    }
}

fn overriding(base: Value, own: Value) -> Result<TypeMetadata, TypeMetadataError> {
    chain(&[
        json!({ "vct": "own", "extends": "base", "claims": [own] }),
        json!({ "vct": "base", "claims": [base] }),
    ])
}

// test: SVC-26
#[test]
fn what_is_fixed_about_disclosure_stays_fixed() {
    for (base, own) in [
        ("always", "never"),
        ("never", "always"),
        ("always", "allowed"),
        ("never", "allowed"),
    ] {
        let result = overriding(
            json!({ "path": ["a"], "sd": base }),
            json!({ "path": ["a"], "sd": own }),
        );
        assert_eq!(
            result,
            Err(TypeMetadataError::DisclosureChanged(path(json!(["a"]))))
        );
    }
    for (base, own) in [("allowed", "always"), ("allowed", "never"), ("always", "always")] {
        let metadata = overriding(
            json!({ "path": ["a"], "sd": base }),
            json!({ "path": ["a"], "sd": own }),
        );
        let sd: SelectiveDisclosure = serde_json::from_value(json!(own)).unwrap();
        assert_eq!(metadata.unwrap().claims()[0].sd, Some(sd));
    }
}

// test: SVC-27
#[test]
fn what_is_mandatory_stays_mandatory() {
    let result = overriding(
        json!({ "path": ["a"], "mandatory": true }),
        json!({ "path": ["a"], "mandatory": false }),
    );
    assert_eq!(
        result,
        Err(TypeMetadataError::MandatoryChanged(path(json!(["a"]))))
    );
    for own in [
        json!({ "path": ["a"], "mandatory": true }),
        json!({ "path": ["a"] }),
    ] {
        let metadata = overriding(json!({ "path": ["a"], "mandatory": true }), own).unwrap();
        assert_eq!(metadata.claims()[0].mandatory, Some(true));
    }
}

/// SD-JWT VC, Example for Extending Type Metadata.
#[test]
fn a_type_inherits_and_overrides_as_in_the_standard() {
    let metadata = chain(&[
        json!({
            "vct": "https://example.com/custom-type-metadata",
            "extends": "https://example.com/base-type-metadata",
            "claims": [
                { "path": ["address", "city"], "display": [{ "label": "Town", "locale": "en" }] },
                { "path": ["nationalities"], "display": [{ "label": "Nationalities", "locale": "en" }] },
            ],
        }),
        json!({
            "vct": "https://example.com/base-type-metadata",
            "display": [{ "locale": "en", "name": "Base" }],
            "claims": [
                { "path": ["name"], "display": [{ "label": "Full Name", "locale": "en" }] },
                { "path": ["address", "city"], "display": [{ "label": "City", "locale": "en" }] },
            ],
        }),
    ])
    .unwrap();
    let label = |path| {
        metadata
            .claim_display(&path, &["en"])
            .map(|display| display.label.clone())
    };
    assert_eq!(metadata.claims().len(), 3);
    assert_eq!(label(path(json!(["name"]))).as_deref(), Some("Full Name"));
    assert_eq!(label(path(json!(["address", "city"]))).as_deref(), Some("Town"));
    assert_eq!(
        label(path(json!(["nationalities"]))).as_deref(),
        Some("Nationalities")
    );
    assert_eq!(
        metadata.display(&["de"]).map(|display| display.name.as_str()),
        Some("Base")
    );
}

#[test]
fn names_are_shown_in_the_language_preferred() {
    let metadata = chain(&[json!({
        "vct": VCT,
        "display": [
            { "locale": "en-US", "name": "License" },
            { "locale": "de-DE", "name": "Führerschein", "rendering": { "simple": {
                "logo": { "uri": "https://issuer.example/logo.png", "alt_text": "A car" },
                "background_color": "#12107c",
                "text_color": "red; } body {",
            }, "svg_templates": [{ "uri": "https://issuer.example/card.svg" }] } },
            { "locale": "zh-CN", "name": "驾驶证", "rendering": { "simple": { "logo": { "uri": "javascript:alert(1)" } } } },
        ],
        "claims": [{ "path": ["classes", null], "display": [{ "locale": "de", "label": "Klasse" }] }],
    })])
    .unwrap();
    let name = |languages: &[&str]| metadata.display(languages).unwrap().name.clone();
    assert_eq!(name(&["de-DE"]), "Führerschein");
    assert_eq!(name(&["fr", "DE-at"]), "Führerschein");
    assert_eq!(name(&["zh"]), "驾驶证");
    assert_eq!(name(&["fr"]), "License");
    let german = metadata.display(&["de"]).unwrap();
    assert_eq!(
        german.logo.as_ref().unwrap().uri,
        "https://issuer.example/logo.png"
    );
    assert_eq!(german.background_color.as_deref(), Some("#12107c"));
    assert_eq!(german.text_color, None, "no colour, so not passed on");
    assert_eq!(
        metadata.display(&["zh"]).unwrap().logo,
        None,
        "no address for an image"
    );
    let class = metadata.claim_display(&path(json!(["classes", 2])), &["de"]);
    assert_eq!(class.unwrap().label, "Klasse");
}

#[test]
fn documents_of_older_drafts_are_read_too() {
    let metadata = chain(&[json!({
        "vct": VCT,
        "display": [{ "lang": "en", "name": "Licence" }, { "lang": "de", "name": "Führerschein" }],
        "claims": [{ "path": ["name"], "display": [{ "lang": "de", "label": "Name" }] }],
    })])
    .unwrap();
    assert_eq!(metadata.display(&["de"]).unwrap().name, "Führerschein");
    let name = path(json!(["name"]));
    assert_eq!(metadata.claim_display(&name, &["de"]).unwrap().locale, "de");
}

#[test]
fn names_cannot_mislead_by_what_is_not_seen() {
    let long = "x".repeat(5000);
    let metadata = chain(&[json!({
        "vct": VCT,
        "display": [{ "locale": "en", "name": "Lic\u{202e}ence\u{0}\u{200b}\n", "description": long }],
    })])
    .unwrap();
    let display = metadata.display(&[]).unwrap();
    assert_eq!(display.name, "Licence");
    assert_eq!(display.description.as_ref().unwrap().len(), 256);
}

fn issued(claims: Value, disclosable: Value, decoys: usize) -> Disclosed {
    let frame = Frame {
        disclosable: paths(disclosable),
        decoys,
        ..Frame::default()
    };
    let text = issue(&issuer(), Map::new(), &map(claims), &frame, &mut rng()).unwrap();
    SdJwt::parse(&text).unwrap().disclosed().unwrap()
}

fn licence() -> Disclosed {
    issued(
        json!({ "name": "Alice", "classes": ["A", "B"], "address": { "city": "Leipzig" }, "number": 5 }),
        json!([["name"], ["classes", null], ["address"]]),
        0,
    )
}

fn check(claim: Value, credential: &Disclosed, complete: Complete) -> Result<(), TypeMetadataError> {
    claims_of(json!([claim])).unwrap().check(credential, complete)
}

/// What remains when nothing is chosen to be shown.
fn kept_back(disclosed: &Disclosed) -> Disclosed {
    let presentation = disclosed.select(&[]).unwrap();
    SdJwt::parse(presentation.text()).unwrap().disclosed().unwrap()
}

// test: SVC-28
#[test]
fn a_credential_has_the_shape_that_its_types_paths_have() {
    for wrong in [
        json!(["name", "first"]),
        json!(["name", 0]),
        json!(["number", null]),
        json!(["classes", "A"]),
        json!(["address", 0]),
    ] {
        assert_eq!(
            check(json!({ "path": wrong }), &licence(), Complete::Yes),
            Err(TypeMetadataError::Path(path(wrong)))
        );
    }
    for right in [
        json!(["address", "city"]),
        json!(["classes", 9]),
        json!(["x", "y"]),
    ] {
        assert_eq!(check(json!({ "path": right }), &licence(), Complete::Yes), Ok(()));
    }
}

// test: SVC-29
#[test]
fn mandatory_claims_are_there_if_they_could_not_be_kept_back() {
    let missing = |name: Value| Err(TypeMetadataError::Missing(path(name)));
    let mandatory = |path: Value| json!({ "path": path, "mandatory": true });
    assert_eq!(
        check(mandatory(json!(["vct2"])), &licence(), Complete::Yes),
        missing(json!(["vct2"]))
    );
    assert_eq!(
        check(mandatory(json!(["classes", 2])), &licence(), Complete::Yes),
        missing(json!(["classes", 2]))
    );
    let never = json!({ "path": ["vct2"], "mandatory": true, "sd": "never" });
    assert_eq!(check(never, &licence(), Complete::No), missing(json!(["vct2"])));

    for there in [json!(["name"]), json!(["classes", 1]), json!(["address", "city"])] {
        assert_eq!(check(mandatory(there.clone()), &licence(), Complete::Yes), Ok(()));
        assert_eq!(
            check(mandatory(there), &kept_back(&licence()), Complete::No),
            Ok(())
        );
    }
    assert_eq!(
        check(mandatory(json!(["vct2"])), &licence(), Complete::No),
        Ok(())
    );
}

// test: SVC-30
#[test]
fn claims_are_disclosable_as_their_type_says() {
    let rule = |path: &Value, sd: &str| json!({ "path": path, "sd": sd });
    let hidden = kept_back(&licence());
    for disclosable in [
        json!(["name"]),
        json!(["classes", null]),
        json!(["address"]),
        json!(["classes", 1]),
    ] {
        let refused = Err(TypeMetadataError::Disclosure(path(disclosable.clone())));
        assert_eq!(
            check(rule(&disclosable, "never"), &licence(), Complete::Yes),
            refused
        );
        assert_eq!(
            check(rule(&disclosable, "always"), &licence(), Complete::Yes),
            Ok(())
        );
        assert_eq!(check(rule(&disclosable, "always"), &hidden, Complete::No), Ok(()));
        assert_eq!(
            check(rule(&disclosable, "allowed"), &licence(), Complete::Yes),
            Ok(())
        );
    }
    // not shown, and yet known to be disclosable
    assert_eq!(
        check(rule(&json!(["classes", 1]), "never"), &hidden, Complete::No),
        Err(TypeMetadataError::Disclosure(path(json!(["classes", 1]))))
    );
    // a claim within a disclosable one is not disclosable by that alone
    for open in [json!(["number"]), json!(["classes"]), json!(["address", "city"])] {
        let refused = Err(TypeMetadataError::Disclosure(path(open.clone())));
        assert_eq!(check(rule(&open, "always"), &licence(), Complete::Yes), refused);
        assert_eq!(check(rule(&open, "never"), &licence(), Complete::Yes), Ok(()));
    }
}

#[test]
fn decoys_take_places_as_hidden_elements_do() {
    let credential = issued(json!({ "a": ["x", "y"] }), json!([["a", null]]), 4);
    let all = ClaimPath(path(json!(["a", null])).0);
    assert_eq!(credential.at(&all).len(), 2);
    let last = json!({ "path": ["a", 5], "mandatory": true, "sd": "always" });
    assert_eq!(check(last, &credential, Complete::Yes), Ok(()));
}
