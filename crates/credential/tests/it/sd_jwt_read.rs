//! RFC 9901 §7.1: each rule of digests and disclosures, broken by an issuer or on the way.

use realdid_credential::sd_jwt::{MAX_DEPTH, MAX_DISCLOSURES, MAX_SD_JWT, SdJwt, SdJwtError};
use realdid_crypto::{KeyType, SecretKey, base64url_encode};
use realdid_jose::jws::JwsError;
use serde_json::{Value, json};

use crate::support::{claims, digest, disclosure, forged, forged_with, issuer, read};

/// A member, an element, an element within a member (recursive), a decoy, and what stays hidden.
struct Sample {
    family: String,
    country: String,
    degree: String,
    degrees: String,
}

impl Sample {
    fn new() -> Self {
        let degree = disclosure(&json!(["salt-3", "MSc"]));
        Self {
            family: disclosure(&json!(["salt-1", "family_name", "Möbius"])),
            country: disclosure(&json!(["salt-2", "FR"])),
            degrees: disclosure(&json!(["salt-4", "degrees", [{ "...": digest(&degree) }]])),
            degree,
        }
    }

    fn payload(&self) -> Value {
        json!({
            "iss": "https://issuer.example",
            "_sd_alg": "sha-256",
            "_sd": [digest(&self.family), digest("a decoy"), digest(&self.degrees)],
            "nationalities": ["DE", { "...": digest(&self.country) }, { "...": digest("hidden") }],
            "address": { "_sd": [digest("not shown")] },
        })
    }

    fn all(&self) -> Vec<String> {
        [&self.family, &self.country, &self.degree, &self.degrees]
            .map(Clone::clone)
            .to_vec()
    }
}

fn passes() {
    let sample = Sample::new();
    let whole = json!({
        "iss": "https://issuer.example",
        "family_name": "Möbius",
        "nationalities": ["DE", "FR"],
        "degrees": ["MSc"],
        "address": {},
    });
    assert_eq!(claims(&forged(&sample.payload(), &sample.all())), Ok(whole));
    let nothing = json!({ "iss": "https://issuer.example", "nationalities": ["DE"], "address": {} });
    assert_eq!(claims(&forged(&sample.payload(), &[])), Ok(nothing));
}

fn refused(payload: &Value, disclosures: &[String], error: SdJwtError) {
    assert_eq!(claims(&forged(payload, disclosures)), Err(error), "{payload}");
}

// test: SDJ-01
#[test]
fn an_oversized_message_is_refused() {
    let long = disclosure(&json!(["s", "x", "x".repeat(MAX_SD_JWT)]));
    refused(
        &json!({ "_sd": [digest(&long)] }),
        std::slice::from_ref(&long),
        SdJwtError::TooLong,
    );
    passes();
}

// test: SDJ-02
#[test]
fn every_part_ends_with_a_tilde_and_is_not_empty() {
    let text = forged(&json!({ "a": 1 }), &[]);
    assert_eq!(claims(text.trim_end_matches('~')), Err(SdJwtError::Form));
    assert_eq!(claims(&format!("{text}~")), Err(SdJwtError::Form));
    assert_eq!(claims(&text), Ok(json!({ "a": 1 })));
}

// test: SDJ-03
#[test]
fn too_many_disclosures_are_refused() {
    let make = |count: usize| {
        let disclosures: Vec<String> = (0..count)
            .map(|n| disclosure(&json!([n.to_string(), n])))
            .collect();
        // one digest names all but a few: they stand in a list that is disclosed itself
        let list: Vec<Value> = disclosures.iter().map(|d| json!({ "...": digest(d) })).collect();
        let whole = disclosure(&json!(["salt", "list", list]));
        let payload = json!({ "_sd": [digest(&whole)] });
        forged(&payload, &[disclosures, vec![whole]].concat())
    };
    assert_eq!(claims(&make(MAX_DISCLOSURES)), Err(SdJwtError::TooMany));
    let most = claims(&make(MAX_DISCLOSURES - 1)).unwrap();
    assert_eq!(most["list"].as_array().map(Vec::len), Some(MAX_DISCLOSURES - 1));
}

// test: SDJ-05
#[test]
fn a_hash_function_that_is_not_understood_is_refused() {
    for name in [
        json!("sha-256-32"),
        json!("SHA-256"),
        json!("md5"),
        json!(""),
        json!(256),
        json!(["sha-256"]),
        Value::Null,
    ] {
        refused(&json!({ "_sd_alg": name, "a": 1 }), &[], SdJwtError::UnknownHash);
    }
    for name in ["sha-256", "sha-384", "sha-512", "sm3"] {
        let text = forged(&json!({ "_sd_alg": name, "a": 1 }), &[]);
        assert_eq!(claims(&text), Ok(json!({ "a": 1 })));
    }
    passes();
}

// test: SDJ-06
#[test]
fn the_same_disclosure_twice_is_refused() {
    let sample = Sample::new();
    let twice = [sample.all(), vec![sample.family.clone()]].concat();
    refused(&sample.payload(), &twice, SdJwtError::DisclosureTwice);
    passes();
}

// test: SDJ-07
#[test]
fn a_disclosure_that_no_digest_names_is_refused() {
    let sample = Sample::new();
    let foreign = disclosure(&json!(["salt", "age_over_21", true]));
    let with_foreign = [sample.all(), vec![foreign]].concat();
    refused(&sample.payload(), &with_foreign, SdJwtError::Unreferenced);
    // its parent is kept back
    refused(
        &sample.payload(),
        std::slice::from_ref(&sample.degree),
        SdJwtError::Unreferenced,
    );
    // a changed value has another digest
    let changed = disclosure(&json!(["salt-1", "family_name", "Gauss"]));
    refused(&sample.payload(), &[changed], SdJwtError::Unreferenced);
    passes();
}

// test: SDJ-08
#[test]
fn claims_nested_too_deep_are_refused_disclosed_ones_too() {
    let nested = |levels: usize| (0..levels).fold(json!(1), |inner, _| json!([inner]));
    refused(&json!({ "a": nested(MAX_DEPTH) }), &[], SdJwtError::TooDeep);
    let deepest = json!({ "a": nested(MAX_DEPTH - 1) });
    assert_eq!(claims(&forged(&deepest, &[])), Ok(deepest));

    // each disclosure is shallow, and holds the digest of the next
    let mut disclosures = vec![disclosure(&json!(["s", "last", 1]))];
    for number in 0..MAX_DEPTH {
        let inner = digest(&disclosures[number]);
        disclosures.push(disclosure(
            &json!([number.to_string(), "next", { "_sd": [inner] }]),
        ));
    }
    let outermost = digest(disclosures.last().unwrap());
    refused(&json!({ "_sd": [outermost] }), &disclosures, SdJwtError::TooDeep);
    disclosures.pop();
    let outermost = digest(disclosures.last().unwrap());
    assert!(claims(&forged(&json!({ "_sd": [outermost] }), &disclosures)).is_ok());
    passes();
}

// test: SDJ-09
#[test]
fn three_dots_stand_for_an_elements_digest_and_nothing_else() {
    for payload in [
        json!({ "...": digest("x") }),
        json!({ "a": { "...": digest("x") } }),
        json!({ "a": [{ "...": digest("x"), "more": 1 }] }),
        json!({ "a": [{ "...": 5 }] }),
        json!({ "a": [{ "...": [digest("x")] }] }),
    ] {
        refused(&payload, &[], SdJwtError::Dots);
    }
    let hidden = disclosure(&json!(["s", "a", { "...": "x" }]));
    refused(
        &json!({ "_sd": [digest(&hidden)] }),
        std::slice::from_ref(&hidden),
        SdJwtError::Dots,
    );
    passes();
}

// test: SDJ-10
#[test]
fn a_digest_that_occurs_twice_is_refused() {
    let sample = Sample::new();
    let family = digest(&sample.family);
    let decoy = digest("a decoy");
    for payload in [
        json!({ "_sd": [family], "b": { "_sd": [family] } }),
        json!({ "a": { "_sd": [decoy, decoy] } }),
        json!({ "a": [{ "...": decoy }], "_sd": [decoy] }),
    ] {
        refused(&payload, &[], SdJwtError::DigestTwice);
    }
    // once open, once within a disclosure
    let second = disclosure(&json!(["s", "b", { "_sd": [digest(&sample.family)] }]));
    let payload = json!({ "_sd": [digest(&second)], "c": { "_sd": [digest(&sample.family)] } });
    refused(&payload, &[second, sample.family], SdJwtError::DigestTwice);
    passes();
}

// test: SDJ-11
// test: JWS-01
#[test]
fn the_disclosure_of_a_member_has_salt_name_and_value() {
    for content in [
        json!(["salt", "value"]),
        json!(["salt", "name", "value", "more"]),
        json!([]),
        json!({ "salt": "name" }),
        json!("text"),
        json!(["salt", 5, "value"]),
        json!([5, "name", "value"]),
        json!([null, "name", "value"]),
    ] {
        let wrong = disclosure(&content);
        refused(
            &json!({ "_sd": [digest(&wrong)] }),
            &[wrong],
            SdJwtError::MemberDisclosure,
        );
    }
    for text in [
        base64url_encode(r#"["salt","name",{"a":1,"a":2}]"#),
        base64url_encode(r#"["salt","name",1"#),
        base64url_encode(b"[\"salt\",\"\xff\",1]"),
        base64url_encode(r#"["salt","name",1] ["more"]"#),
        "=not base64=".to_owned(),
    ] {
        refused(
            &json!({ "_sd": [digest(&text)] }),
            &[text],
            SdJwtError::MemberDisclosure,
        );
    }
    passes();
}

// test: SDJ-12
#[test]
fn a_disclosure_does_not_take_a_reserved_name() {
    for name in ["_sd", "..."] {
        let wrong = disclosure(&json!(["salt", name, ["x"]]));
        refused(
            &json!({ "_sd": [digest(&wrong)] }),
            &[wrong],
            SdJwtError::ReservedName,
        );
    }
    passes();
}

// test: SDJ-13
#[test]
fn a_disclosure_does_not_take_a_name_that_is_there() {
    let one = disclosure(&json!(["salt-1", "given_name", "Alice"]));
    let two = disclosure(&json!(["salt-2", "given_name", "Bob"]));
    let open = json!({ "given_name": "Carol", "_sd": [digest(&one)] });
    refused(&open, std::slice::from_ref(&one), SdJwtError::NameTwice);
    let both = json!({ "_sd": [digest(&one), digest(&two)] });
    refused(&both, &[one.clone(), two], SdJwtError::NameTwice);
    assert_eq!(
        claims(&forged(&both, &[one])),
        Ok(json!({ "given_name": "Alice" }))
    );
}

// test: SDJ-14
#[test]
fn the_disclosure_of_an_element_has_salt_and_value() {
    for content in [
        json!(["salt", "name", "value"]),
        json!(["salt"]),
        json!([5, "value"]),
        json!({ "a": "b" }),
        json!(null),
    ] {
        let wrong = disclosure(&content);
        let payload = json!({ "a": [{ "...": digest(&wrong) }] });
        refused(&payload, &[wrong], SdJwtError::ElementDisclosure);
    }
    passes();
}

// test: SDJ-15
#[test]
fn digests_are_an_array_of_texts() {
    for wrong in [
        json!("x"),
        json!({}),
        json!(null),
        json!([5]),
        json!(["x", null]),
        json!([["x"]]),
    ] {
        refused(&json!({ "_sd": wrong }), &[], SdJwtError::DigestForm);
        refused(&json!({ "a": [{ "_sd": wrong }] }), &[], SdJwtError::DigestForm);
    }
    passes();
}

// test: SDJ-04
#[test]
fn an_issuer_hands_out_no_key_binding() {
    let text = forged(&json!({ "a": 1 }), &[]);
    let bound = format!("{text}{}", text.trim_end_matches('~'));
    assert_eq!(SdJwt::parse_issued(&bound).err(), Some(SdJwtError::Bound));
    assert!(SdJwt::parse_issued(&text).is_ok());
    assert!(SdJwt::parse(&bound).unwrap().has_key_binding());
}

// test: JWS-05
#[test]
fn the_issuers_key_decides_the_algorithm() {
    for algorithm in ["none", "HS256", "RS256", "ES384", "EdDSA", "es256"] {
        let text = forged_with(&json!({ "alg": algorithm }), &json!({ "a": 1 }), &[]);
        assert_eq!(
            claims(&text),
            Err(SdJwtError::Issuer(JwsError::Algorithm)),
            "{algorithm}"
        );
    }
    let unsigned = format!(
        "{}.{}.~",
        base64url_encode(r#"{"alg":"none"}"#),
        base64url_encode("{}")
    );
    assert_eq!(claims(&unsigned), Err(SdJwtError::Issuer(JwsError::Algorithm)));
    passes();
}

// test: JWS-06
#[test]
fn the_issuers_signature_holds_under_its_key_alone() {
    let text = forged(&json!({ "a": 1 }), &[]);
    let other = SecretKey::from_seed(KeyType::P256, &[7; 32]).public_key();
    let parsed = SdJwt::parse(&text).unwrap();
    let invalid = Some(SdJwtError::Issuer(JwsError::Signature));
    assert_eq!(parsed.verify(&other).err(), invalid);
    let header = json!({
        "alg": "ES256",
        "jwk": realdid_jose::jwk::Jwk::of(&issuer().public_key()),
    });
    let with_key = forged_with(&header, &json!({ "a": 1 }), &[]);
    assert_eq!(SdJwt::parse(&with_key).unwrap().verify(&other).err(), invalid);
    assert!(parsed.verify(&issuer().public_key()).is_ok());
}

// test: JWS-01, JWS-03
#[test]
fn the_issuers_part_is_read_as_strictly_as_any_jws() {
    let critical = json!({ "alg": "ES256", "crit": ["exp"], "exp": 1 });
    let text = forged_with(&critical, &json!({ "a": 1 }), &[]);
    assert_eq!(claims(&text), Err(SdJwtError::Issuer(JwsError::Critical)));
    let input = format!(
        "{}.{}",
        base64url_encode(r#"{"alg":"ES256"}"#),
        base64url_encode(r#"{"a":1,"a":2}"#)
    );
    let signature = issuer().sign_raw(input.as_bytes());
    let twice = format!("{input}.{}~", base64url_encode(signature.0));
    assert_eq!(claims(&twice), Err(SdJwtError::Issuer(JwsError::Form)));
    passes();
}

// test: SDJ-32
#[test]
fn the_hash_function_is_named_at_the_top_and_nowhere_else() {
    for payload in [
        json!({ "a": { "_sd_alg": "sha-256" } }),
        json!({ "a": [{ "_sd_alg": "sm3" }] }),
    ] {
        refused(&payload, &[], SdJwtError::HashName);
    }
    let name = disclosure(&json!(["salt", "_sd_alg", "sha-256"]));
    let within = disclosure(&json!(["salt", "a", { "_sd_alg": "sha-256" }]));
    for hidden in [name, within] {
        refused(
            &json!({ "_sd": [digest(&hidden)] }),
            &[hidden],
            SdJwtError::HashName,
        );
    }
    passes();
}

#[test]
fn an_object_of_which_nothing_is_shown_stays_empty() {
    let payload = json!({ "_sd_alg": "sha-256", "_sd": [], "a": { "_sd": [digest("x")] } });
    assert_eq!(claims(&forged(&payload, &[])), Ok(json!({ "a": {} })));
}

#[test]
fn nothing_of_a_subject_is_printed() {
    let sample = Sample::new();
    let verified = read(&forged(&sample.payload(), &sample.all())).unwrap();
    let printed = format!("{verified:?} {:?}", verified.disclosed());
    assert!(
        !printed.contains("Möbius") && !printed.contains("family"),
        "{printed}"
    );
}
