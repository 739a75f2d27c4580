use proptest::prelude::*;
use realdid_openid::dcql::answer::{Answer, AnswerError, keep};
use realdid_openid::dcql::select::Unsatisfied;
use realdid_openid::dcql::{
    Authority, Candidate, ClaimPath, DcqlQuery, Mismatch, PathError, PathStep, Pointer, PointerStep,
};
use serde_json::{Value, json};

use crate::dcql::{LICENCE, good, read};

fn person() -> Value {
    json!({
        "name": "Arthur Dent",
        "address": { "street": "42 Market Street", "locality": "Milliways" },
        "degrees": [{ "type": "Bachelor", "at": "A" }, { "type": "Master" }, { "at": "B" }],
        "nationalities": ["British", "Betelgeusian"],
    })
}

fn select(path: Value) -> Result<Vec<Value>, PathError> {
    let path: ClaimPath = serde_json::from_value(path).unwrap();
    let person = person();
    Ok(path
        .select(&person)?
        .into_iter()
        .map(|(_, value)| value.clone())
        .collect())
}

#[test]
fn paths_select_as_the_specification_shows() {
    assert_eq!(select(json!(["name"])), Ok(vec![json!("Arthur Dent")]));
    assert_eq!(select(json!(["address"])), Ok(vec![person()["address"].clone()]));
    assert_eq!(
        select(json!(["address", "street"])),
        Ok(vec![json!("42 Market Street")])
    );
    assert_eq!(
        select(json!(["degrees", null, "type"])),
        Ok(vec![json!("Bachelor"), json!("Master")])
    );
    assert_eq!(
        select(json!(["nationalities", 1])),
        Ok(vec![json!("Betelgeusian")])
    );
    let path: ClaimPath = serde_json::from_value(json!(["degrees", null, "at"])).unwrap();
    let person = person();
    let at = |place| -> Pointer {
        let key = |name: &str| PointerStep::Key(name.to_owned());
        vec![key("degrees"), PointerStep::Index(place), key("at")]
    };
    let places: Vec<_> = path
        .select(&person)
        .unwrap()
        .into_iter()
        .map(|(place, _)| place)
        .collect();
    assert_eq!(places, [at(0), at(2)]);
}

// test: DCQL-16
#[test]
fn a_name_asked_of_no_object_leads_astray() {
    for path in [
        json!(["name", "first"]),
        json!(["nationalities", "first"]),
        json!(["nationalities", null, "a"]),
    ] {
        assert_eq!(select(path), Err(PathError::NoObject));
    }
    assert!(select(json!(["address", "street"])).is_ok());
}

// test: DCQL-17
#[test]
fn a_place_asked_of_no_array_leads_astray() {
    for path in [
        json!(["name", 0]),
        json!(["address", null]),
        json!(["degrees", null, 0]),
    ] {
        assert_eq!(select(path), Err(PathError::NoArray));
    }
    assert!(select(json!(["nationalities", 0])).is_ok());
}

// test: DCQL-18
#[test]
fn a_path_to_nothing_leads_astray() {
    for path in [
        json!(["surname"]),
        json!(["nationalities", 2]),
        json!(["degrees", null, "year"]),
    ] {
        assert_eq!(select(path), Err(PathError::Nothing));
    }
    assert!(select(json!(["name"])).is_ok());
}

fn licence() -> Value {
    json!({ "age_over_21": true, "classes": ["B", "C"], "address": { "street": "S", "city": "T" }, "birthdate": "2000-01-01" })
}

struct Held {
    format: &'static str,
    types: Vec<String>,
    claims: Value,
    holder_bound: bool,
    authorities: Vec<Authority>,
}

fn held() -> Held {
    Held {
        format: "dc+sd-jwt",
        types: vec!["urn:example:national-licence".to_owned(), LICENCE.to_owned()],
        claims: licence(),
        holder_bound: true,
        authorities: vec![
            Authority {
                kind: "aki".to_owned(),
                value: "s9tIpPmhxdiuNkHMEWNpYim8S8Y".to_owned(),
            },
            Authority {
                kind: "did".to_owned(),
                value: "did:real:sandbox:zIssuer".to_owned(),
            },
        ],
    }
}

impl Held {
    fn candidate(&self) -> Candidate<'_> {
        Candidate {
            format: self.format,
            types: &self.types,
            claims: &self.claims,
            holder_bound: self.holder_bound,
            authorities: &self.authorities,
        }
    }
}

/// Verifier and wallet agree that the altered credential does not answer.
fn misfits(alter: impl FnOnce(&mut Held, &mut Value), expected: Mismatch) {
    let (mut credential, mut query) = (held(), good());
    let before = read(query.clone());
    let asked = before.satisfied_by("licence", &credential.candidate()).unwrap();
    assert_eq!(
        asked,
        json!({ "age_over_21": true, "classes": ["B", "C"], "address": { "street": "S" } })
    );
    assert_eq!(
        before.select(&[credential.candidate()]).unwrap().chosen,
        ["licence"]
    );
    alter(&mut credential, &mut query);
    // Nothing is required, so that only this credential query decides what the wallet would show.
    for set in query["credential_sets"].as_array_mut().unwrap() {
        set["required"] = json!(false);
    }
    let after = read(query);
    assert_eq!(
        after.satisfied_by("licence", &credential.candidate()),
        Err(AnswerError::Mismatch("licence".to_owned(), expected))
    );
    let selection = after.select(&[credential.candidate()]).unwrap();
    assert_eq!(selection.of("licence"), []);
}

// test: DCQL-23
#[test]
fn another_format_does_not_answer() {
    misfits(|held, _| held.format = "mso_mdoc", Mismatch::Format);
}

// test: DCQL-24
#[test]
fn another_type_does_not_answer() {
    misfits(|held, _| held.types.truncate(1), Mismatch::Type);
    let mut card = held();
    card.types = vec!["urn:example:card".to_owned()];
    let both = [held(), card];
    let selection = read(good())
        .select(&[both[0].candidate(), both[1].candidate()])
        .unwrap();
    let of = |id| -> Vec<usize> { selection.of(id).iter().map(|found| found.candidate).collect() };
    assert_eq!((of("licence"), of("card")), (vec![0], vec![1]));
}

// test: DCQL-25
#[test]
fn an_issuer_that_nobody_asked_for_does_not_answer() {
    misfits(|held, _| held.authorities.clear(), Mismatch::Authority);
    for kind in ["etsi_tl", "openid_federation", "unknown", "aki"] {
        let authorities = json!([{ "type": kind, "values": ["did:real:sandbox:zIssuer"] }]);
        misfits(
            |_, query| query["credentials"][0]["trusted_authorities"] = authorities,
            Mismatch::Authority,
        );
    }
    let mut query = good();
    query["credentials"][0]["trusted_authorities"] = json!([{ "type": "x", "values": ["y"] }, { "type": "aki", "values": ["s9tIpPmhxdiuNkHMEWNpYim8S8Y"] }]);
    assert!(read(query).satisfied_by("licence", &held().candidate()).is_ok());
}

// test: DCQL-26
#[test]
fn a_proof_of_the_key_is_needed_unless_not_asked_for() {
    misfits(|held, _| held.holder_bound = false, Mismatch::HolderBinding);
    let mut query = good();
    query["credentials"][0]["require_cryptographic_holder_binding"] = json!(false);
    let mut unbound = held();
    unbound.holder_bound = false;
    assert!(read(query).satisfied_by("licence", &unbound.candidate()).is_ok());
}

// test: DCQL-27, DCQL-28
#[test]
fn values_are_compared_with_their_types() {
    let only = |query: &mut Value| query["credentials"][0]["claim_sets"] = json!([["a"]]);
    for value in [json!(false), json!("true"), json!(1)] {
        misfits(
            |held, query| {
                only(query);
                held.claims["age_over_21"] = value;
            },
            Mismatch::Value,
        );
    }
    // Of a list, those elements are shown that were asked for.
    let mut query = good();
    query["credentials"][0]["claims"][1]["values"] = json!(["C"]);
    let shown = read(query).satisfied_by("licence", &held().candidate()).unwrap();
    assert_eq!(shown["classes"], json!(["C"]));
}

// test: DCQL-28, DCQL-18, DCQL-27, DCQL-29
#[test]
fn one_of_the_claim_sets_is_needed_whole() {
    misfits(
        |held, _| {
            let claims = held.claims.as_object_mut().unwrap();
            claims.remove("birthdate");
            claims.remove("address");
        },
        Mismatch::Claim,
    );
    // The first that is there counts.
    let mut second = held();
    second.claims["age_over_21"] = json!(false);
    let shown = read(good()).satisfied_by("licence", &second.candidate()).unwrap();
    assert_eq!(shown, json!({ "birthdate": "2000-01-01" }));
}

// test: DCQL-29, DCQL-18
#[test]
fn each_claim_that_is_asked_for_is_needed() {
    misfits(
        |held, query| {
            query["credentials"][0]
                .as_object_mut()
                .unwrap()
                .remove("claim_sets");
            held.claims.as_object_mut().unwrap().remove("birthdate");
        },
        Mismatch::Claim,
    );
}

fn answer(vp_token: &str) -> Result<Answer, AnswerError> {
    let mut query = good();
    query["credentials"][1]["multiple"] = json!(true);
    Answer::read(vp_token, &read(query))
}

fn good_answer() {
    let answer = answer(r#"{"licence":["a"],"card":["b","c"]}"#).unwrap();
    let presentations: Vec<_> = answer.presentations().collect();
    assert_eq!(presentations, [("card", "b"), ("card", "c"), ("licence", "a")]);
    assert_eq!(answer.first("licence"), Some("a"));
    for text in [
        "",
        "[]",
        r#"{"licence":"a"}"#,
        r#"{"licence":[{}]}"#,
        r#"{"licence":["a"],"licence":["b"]}"#,
    ] {
        assert_eq!(Answer::read(text, &read(good())), Err(AnswerError::Form));
    }
}

// test: DCQL-21
#[test]
fn without_sets_everything_is_needed() {
    let mut query = good();
    query.as_object_mut().unwrap().remove("credential_sets");
    query["credentials"].as_array_mut().unwrap().truncate(2);
    let query = read(query);
    let missing = |names: &[&str]| Unsatisfied {
        missing: names.iter().map(|&name| name.to_owned()).collect(),
    };
    assert_eq!(
        Answer::read(r#"{"licence":["a"]}"#, &query).err(),
        Some(AnswerError::Unsatisfied(missing(&["card"])))
    );
    assert_eq!(query.choose(&|id| id == "licence"), Err(missing(&["card"])));
    assert_eq!(query.select(&[]), Err(missing(&["licence", "card"])));
    assert!(Answer::read(r#"{"licence":["a"],"card":["b"]}"#, &query).is_ok());
}

// test: DCQL-22, JWS-01
#[test]
fn of_each_required_set_an_option_is_needed() {
    let missing = vec!["licence".to_owned(), "mdl".to_owned()];
    assert_eq!(
        answer(r#"{"card":["a"]}"#).err(),
        Some(AnswerError::Unsatisfied(Unsatisfied { missing }))
    );
    assert!(read(good()).choose(&|id| id == "card").is_err());
    assert_eq!(
        read(good()).choose(&|id| id != "mdl"),
        Ok((vec!["licence".to_owned()], vec!["card".to_owned()]))
    );
    good_answer();
}

// test: DCQL-30, JWS-01
#[test]
fn an_answer_has_few_presentations() {
    let many = json!({ "licence": ["a"], "card": vec!["b"; 16] }).to_string();
    assert_eq!(answer(&many), Err(AnswerError::TooMany));
    good_answer();
}

// test: DCQL-31, JWS-01
#[test]
fn what_was_not_asked_for_is_refused() {
    assert_eq!(
        answer(r#"{"licence":["a"],"passport":["b"]}"#),
        Err(AnswerError::Unasked)
    );
    good_answer();
}

// test: DCQL-32, JWS-01
#[test]
fn several_answers_are_refused_where_one_is_asked_for() {
    assert_eq!(answer(r#"{"licence":["a","b"]}"#), Err(AnswerError::Several));
    good_answer();
}

// test: DCQL-33, JWS-01
#[test]
fn an_answer_is_not_an_empty_list() {
    assert_eq!(answer(r#"{"licence":["a"],"card":[]}"#), Err(AnswerError::Empty));
    good_answer();
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-c]{0,2}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-c]", inner, 0..4).prop_map(|members| json!(members)),
        ]
    })
}

fn any_path() -> impl Strategy<Value = ClaimPath> {
    let step = prop_oneof![
        "[a-c]".prop_map(PathStep::Key),
        (0_usize..4).prop_map(PathStep::Index),
        Just(PathStep::Every),
    ];
    prop::collection::vec(step, 1..5).prop_map(ClaimPath)
}

proptest! {
    /// What a path selects stands where it says, and is what is kept.
    #[test]
    fn what_is_selected_is_kept_and_nothing_else(value in any_value(), path in any_path()) {
        let Ok(selected) = path.select(&value) else { return Ok(()) };
        let kept = keep(&value, selected.iter().map(|(pointer, _)| pointer));
        prop_assert!(kept.to_string().len() <= value.to_string().len());
        for (pointer, found) in &selected {
            let there = pointer.iter().try_fold(&value, |at, step| match step {
                PointerStep::Key(name) => at.get(name.as_str()),
                PointerStep::Index(place) => at.get(*place),
            });
            prop_assert_eq!(there, Some(*found));
        }
    }

    /// No JSON makes the reader of queries fail otherwise than by an error.
    #[test]
    fn any_json_is_read_or_refused(value in any_value()) {
        let _ = DcqlQuery::read(value.clone());
        let _ = DcqlQuery::read(json!({ "credentials": value }));
    }
}
