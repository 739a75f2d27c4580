//! SD-JWTs and key bindings that we did not make: the examples of RFC 9901 and SD-JWT VC, by the
//! reference implementation; and the texts of RFC 9901 itself.

use realdid_credential::HashAlg;
use realdid_credential::sd_jwt::{Expected, SdJwt};
use realdid_credential::vc::{Times, UnverifiedVc};
use realdid_crypto::PublicKey;
use realdid_jose::jwk::Jwk;
use serde_json::Value;

use crate::frozen;

struct Reference {
    issuer: PublicKey,
    cases: Vec<Value>,
}

fn reference() -> Reference {
    let file = frozen::read("sd_jwt_reference.json");
    let issuer: Jwk = serde_json::from_value(file["issuer_key"].clone()).unwrap();
    Reference {
        issuer: issuer.public_key().unwrap(),
        cases: file["cases"].as_array().unwrap().clone(),
    }
}

fn text<'a>(case: &'a Value, name: &str) -> &'a str {
    case[name].as_str().unwrap()
}

/// Every claim that the issuer began with is in what the holder reads.
fn contains(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => part
            .iter()
            .all(|(name, value)| whole.get(name).is_some_and(|found| contains(found, value))),
        _ => whole == part,
    }
}

#[test]
fn the_examples_are_read_as_the_reference_reads_them() {
    let reference = reference();
    assert_eq!(reference.cases.len(), 16);
    for case in &reference.cases {
        let issued = SdJwt::parse_issued(text(case, "issuance")).unwrap();
        let issued = issued.verify(&reference.issuer).unwrap();
        let whole = Value::Object(issued.claims().clone());
        assert!(contains(&whole, &case["user_claims"]), "{}", case["name"]);

        let shown = SdJwt::parse(text(case, "presentation")).unwrap();
        let shown = shown.verify(&reference.issuer).unwrap();
        assert_eq!(
            Value::Object(shown.claims().clone()),
            case["verified"],
            "{}",
            case["name"]
        );

        let binding = &case["key_binding"];
        assert_eq!(shown.has_key_binding(), binding.is_object());
        if binding.is_object() {
            let expected = Expected {
                audience: text(binding, "aud"),
                nonce: text(binding, "nonce"),
                now: binding["iat"].as_u64().unwrap() + 10,
                max_age: 60,
            };
            let bound = shown.key_binding(&expected).unwrap();
            assert_eq!(Value::Object(bound.claims().clone()), *binding);
        }
    }
}

#[test]
fn the_examples_are_shown_on_claim_by_claim() {
    let reference = reference();
    for case in &reference.cases {
        let issued = SdJwt::parse_issued(text(case, "issuance"))
            .unwrap()
            .disclosed()
            .unwrap();
        for disclosure in issued.disclosures() {
            let one = issued.select(std::slice::from_ref(&disclosure.path)).unwrap();
            let read = SdJwt::parse(one.text())
                .unwrap()
                .verify(&reference.issuer)
                .unwrap();
            let values: Vec<Value> = read
                .disclosed()
                .disclosures()
                .into_iter()
                .map(|d| d.value)
                .collect();
            assert!(values.contains(&disclosure.value), "{}", case["name"]);
        }
    }
}

#[test]
fn the_examples_of_sd_jwt_vc_are_credentials() {
    let reference = reference();
    let times = Times {
        now: 1_700_000_000,
        leeway: 60,
    };
    let credentials = reference
        .cases
        .iter()
        .filter(|case| text(case, "name").starts_with("SD-JWT VC"));
    let mut count = 0;
    for case in credentials {
        let vc = UnverifiedVc::parse(text(case, "presentation")).unwrap();
        let vc = vc.verify(&reference.issuer, &times).unwrap();
        assert_eq!(Value::from(vc.vct()), case["verified"]["vct"]);
        assert_eq!(vc.holder().is_some(), case["verified"].get("cnf").is_some());
        count += 1;
    }
    assert_eq!(count, 3);
}

/// RFC 9901 §4.2.1 to §4.2.3: the same claim in other spelling is another disclosure.
#[test]
fn digests_are_those_of_the_standard() {
    let digest = |text| HashAlg::Sha256.digest(text);
    assert_eq!(
        digest("WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0"),
        "X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0"
    );
    assert_eq!(
        digest("WyJsa2x4RjVqTVlsR1RQVW92TU5JdkNBIiwgIkZSIl0"),
        "w0I8EKcdCtUPkGCNUrfwVp2xEgNjtoIDlOxc9-PlOhs"
    );
}
