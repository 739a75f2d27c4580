//! RFC 9901 §7.2: what a holder can show, and chooses to.

use realdid_credential::HashAlg;
use realdid_credential::path::ClaimPath;
use realdid_credential::sd_jwt::{Disclosed, Frame, SdJwt, SelectError, issue};
use serde_json::{Map, Value, json};

use crate::support::{claims, issuer, map, path, paths, rng};

fn licence() -> Value {
    json!({
        "vct": "urn:example:licence",
        "name": "Alice",
        "birthdate": "1990-01-01",
        "classes": ["A", "B", "C"],
        "address": { "city": "Leipzig", "country": "DE" },
        "vehicle": { "owner": { "name": "Bob" }, "seats": 5 },
    })
}

fn issued() -> Disclosed {
    let frame = Frame {
        disclosable: paths(json!([
            ["name"],
            ["birthdate"],
            ["classes"],
            ["classes", null],
            ["address", "city"],
            ["vehicle"],
            ["vehicle", "owner"],
            ["vehicle", "owner", "name"],
        ])),
        decoys: 2,
        hash: HashAlg::Sha256,
    };
    let text = issue(&issuer(), Map::new(), &map(licence()), &frame, &mut rng()).unwrap();
    let parsed = SdJwt::parse_issued(&text).unwrap();
    parsed.verify(&issuer().public_key()).unwrap().disclosed().clone()
}

fn shown(wanted: Value) -> Value {
    let presentation = issued().select(&paths(wanted)).unwrap();
    claims(presentation.text()).unwrap()
}

const OPEN: &str = r#"{"vct":"urn:example:licence","address":{"country":"DE"}}"#;

fn with(more: Value) -> Value {
    let mut whole: Map<String, Value> = serde_json::from_str(OPEN).unwrap();
    whole.extend(map(more));
    Value::Object(whole)
}

#[test]
fn nothing_but_what_is_chosen_is_shown() {
    assert_eq!(shown(json!([])), with(json!({})));
    assert_eq!(shown(json!([["name"]])), with(json!({ "name": "Alice" })));
    assert_eq!(shown(json!([["vct"], ["address", "country"]])), with(json!({})));
    assert_eq!(
        shown(json!([["address"]])),
        with(json!({ "address": { "city": "Leipzig", "country": "DE" } }))
    );
}

#[test]
fn what_a_claim_stands_in_comes_along_and_what_stands_beside_does_not() {
    assert_eq!(shown(json!([["classes", 2]])), with(json!({ "classes": ["C"] })));
    assert_eq!(
        shown(json!([["classes", 0], ["classes", 2]])),
        with(json!({ "classes": ["A", "C"] }))
    );
    assert_eq!(
        shown(json!([["vehicle", "owner", "name"]])),
        with(json!({ "vehicle": { "owner": { "name": "Bob" }, "seats": 5 } }))
    );
    assert_eq!(
        shown(json!([["vehicle", "seats"]])),
        with(json!({ "vehicle": { "seats": 5 } }))
    );
}

#[test]
fn a_whole_claim_is_shown_with_all_that_is_in_it() {
    for wanted in [json!([["classes"]]), json!([["classes", null]])] {
        assert_eq!(shown(wanted), with(json!({ "classes": ["A", "B", "C"] })));
    }
    let all: Vec<ClaimPath> = issued().disclosures().into_iter().map(|d| d.path).collect();
    let presentation = issued().select(&all).unwrap();
    assert_eq!(claims(presentation.text()), Ok(licence()));
}

// test: SDJ-16
#[test]
fn what_is_not_there_cannot_be_shown() {
    for wrong in [
        json!(["age"]),
        json!(["classes", 3]),
        json!(["classes", "A"]),
        json!(["name", null]),
        json!(["vehicle", "owner", "age"]),
    ] {
        let wrong = path(wrong);
        assert_eq!(
            issued().select(&[path(json!(["name"])), wrong.clone()]),
            Err(SelectError(wrong))
        );
    }
    assert!(issued().select(&[path(json!(["name"]))]).is_ok());
}

#[test]
fn disclosures_are_listed_with_what_they_stand_in() {
    let disclosed = issued();
    let list = disclosed.disclosures();
    assert_eq!(list.len(), 10);
    let find = |wanted: Value| {
        let wanted = path(wanted);
        list.iter().position(|d| d.path == wanted).unwrap()
    };
    assert_eq!(list[find(json!(["classes"]))].value, json!(["A", "B", "C"]));
    assert_eq!(
        list[find(json!(["classes", 1]))].parent,
        Some(find(json!(["classes"])))
    );
    assert_eq!(
        list[find(json!(["vehicle", "owner", "name"]))].parent,
        Some(find(json!(["vehicle", "owner"])))
    );
    assert_eq!(list[find(json!(["address", "city"]))].parent, None);
    assert!(
        list.iter()
            .enumerate()
            .all(|(place, d)| d.parent.is_none_or(|parent| parent < place))
    );
}

#[test]
fn values_are_found_by_their_path() {
    let disclosed = issued();
    assert_eq!(
        disclosed.at(&path(json!(["classes", null]))),
        [json!("A"), json!("B"), json!("C")]
    );
    assert_eq!(disclosed.at(&path(json!(["classes", 3]))), [] as [Value; 0]);
    assert_eq!(disclosed.at(&path(json!(["name", "x"]))), [] as [Value; 0]);
    assert!(disclosed.is_open(&path(json!(["address", "country"]))));
    assert!(!disclosed.is_open(&path(json!(["address", "city"]))));
    assert!(!disclosed.is_open(&path(json!(["vehicle", "seats"]))));
}

// test: SDJ-16
#[test]
fn what_was_shown_can_be_shown_on_but_not_more() {
    let first = issued()
        .select(&paths(json!([["name"], ["classes", 1]])))
        .unwrap();
    let disclosed = SdJwt::parse(first.text()).unwrap().disclosed().unwrap();
    let second = disclosed.select(&paths(json!([["classes", 0]]))).unwrap();
    assert_eq!(claims(second.text()), Ok(with(json!({ "classes": ["B"] }))));
    assert!(disclosed.select(&paths(json!([["birthdate"]]))).is_err());
}
