use realdid_openid::dcql::answer::{Answer, AnswerError};
use realdid_openid::dcql::select::Unsatisfied;
use realdid_openid::dcql::{
    Authority, Candidate, CheckedQuery, ClaimPath, DcqlError, DcqlQuery, Mismatch, PathError, Pointer,
    PointerStep,
};
use serde_json::{Value, json};

const LICENCE: &str = "urn:example:licence";

fn good() -> Value {
    json!({
        "credentials": [
            {
                "id": "licence", "format": "dc+sd-jwt",
                "meta": { "vct_values": [LICENCE, "urn:example:other"] },
                "trusted_authorities": [{ "type": "did", "values": ["did:real:sandbox:zIssuer"] }],
                "claims": [
                    { "id": "a", "path": ["age_over_21"], "values": [true] },
                    { "id": "b", "path": ["classes", null] },
                    { "id": "c", "path": ["address", "street"] },
                    { "id": "d", "path": ["birthdate"] },
                ],
                "claim_sets": [["a", "b", "c"], ["d"]],
            },
            { "id": "card", "format": "dc+sd-jwt", "meta": { "vct_values": ["urn:example:card"] } },
            { "id": "mdl", "format": "mso_mdoc", "meta": { "doctype_value": "org.iso.18013.5.1.mDL" } },
        ],
        "credential_sets": [
            { "options": [["mdl"], ["licence"]] },
            { "options": [["card"]], "required": false },
        ],
        "something": "unknown",
    })
}

fn read(query: Value) -> CheckedQuery {
    DcqlQuery::read(query).unwrap()
}

fn refuses(alter: impl FnOnce(&mut Value), expected: &DcqlError) {
    let mut query = good();
    assert!(DcqlQuery::read(query.clone()).is_ok());
    alter(&mut query);
    assert_eq!(
        DcqlQuery::read(query.clone()).err().as_ref(),
        Some(expected),
        "{query}"
    );
}

/// The same alteration, each time with another value.
fn refuses_each(at: &str, values: &[Value], expected: &DcqlError) {
    for value in values {
        refuses(|query| *query.pointer_mut(at).unwrap() = value.clone(), expected);
    }
}

#[test]
fn a_query_reads_as_it_is_written() {
    let checked = read(good());
    let mut written = serde_json::to_value(checked.query()).unwrap();
    written["something"] = "unknown".into();
    assert_eq!(written, good());
    for form in [
        json!({}),
        json!([]),
        json!({ "credentials": {} }),
        json!({ "credentials": [{}] }),
    ] {
        assert_eq!(DcqlQuery::read(form), Err(DcqlError::Form));
    }
    // The specification's own examples.
    for name in [
        "simple",
        "simple_mdoc",
        "multi_credentials",
        "claims_alternatives",
        "value_matching",
        "credentials_alternatives",
        "complex_mdoc",
    ] {
        let text = std::fs::read_to_string(format!("{}/tests/dcql/{name}.json", env!("CARGO_MANIFEST_DIR")));
        let query = serde_json::from_str(&text.unwrap()).unwrap();
        assert!(DcqlQuery::read(query).is_ok(), "{name}");
    }
}

// test: DCQL-01
#[test]
fn a_query_asks_for_something() {
    let nothing = |query: &mut Value| *query = json!({ "credentials": [] });
    refuses(nothing, &DcqlError::Empty("credentials"));
}

// test: DCQL-02
#[test]
fn identifiers_are_short_and_plain() {
    let lone = |id: &str| json!({ "credentials": [{ "id": id, "format": "x", "meta": {} }] });
    for id in ["", "a b", "a.b", "ä", &"x".repeat(129)] {
        assert_eq!(DcqlQuery::read(lone(id)), Err(DcqlError::Id), "{id}");
    }
    assert!(DcqlQuery::read(lone("a_B-9")).is_ok());
}

// test: DCQL-03
#[test]
fn identifiers_are_all_different() {
    refuses(
        |query| {
            let first = query["credentials"][0].clone();
            query["credentials"].as_array_mut().unwrap().push(first);
        },
        &DcqlError::DuplicateId,
    );
}

// test: DCQL-04
#[test]
fn types_are_named() {
    let metas = [
        json!({}),
        json!({ "vct_values": [] }),
        json!({ "vct_values": "a" }),
        json!({ "vct_values": [1] }),
    ];
    refuses_each("/credentials/0/meta", &metas, &DcqlError::Meta);
    refuses_each(
        "/credentials/2/meta",
        &[json!({}), json!({ "doctype_value": 1 })],
        &DcqlError::Meta,
    );
    // Formats of others are theirs.
    let mut query = good();
    query["credentials"][1] = json!({ "id": "card", "format": "ldp_vc", "meta": {} });
    assert!(DcqlQuery::read(query).is_ok());
}

// test: DCQL-05
#[test]
fn trusted_authorities_name_somebody() {
    let lists = [json!([]), json!([{ "type": "aki", "values": [] }])];
    refuses_each(
        "/credentials/0/trusted_authorities",
        &lists,
        &DcqlError::Empty("trusted_authorities"),
    );
}

// test: DCQL-06
#[test]
fn claims_are_not_an_empty_list() {
    let alter = |query: &mut Value| {
        query["credentials"][1]["claims"] = json!([]);
    };
    refuses(alter, &DcqlError::Empty("claims"));
}

// test: DCQL-07
#[test]
fn a_path_is_not_empty() {
    refuses_each(
        "/credentials/0/claims/0/path",
        &[json!([])],
        &DcqlError::Empty("path"),
    );
}

// test: DCQL-08
#[test]
fn identifiers_of_claims_are_plain_and_different() {
    let alter = |id: &'static str| {
        move |query: &mut Value| {
            query["credentials"][1]["claims"] =
                json!([{ "id": "a", "path": ["x"] }, { "id": id, "path": ["y"] }]);
        }
    };
    for id in ["", "a b", "a"] {
        refuses(alter(id), &DcqlError::DuplicateId);
    }
    let mut query = good();
    alter("b")(&mut query);
    assert!(DcqlQuery::read(query).is_ok());
}

// test: DCQL-09
#[test]
fn values_are_texts_integers_or_booleans() {
    let values = [
        json!([]),
        json!([null]),
        json!([1.5]),
        json!([{}]),
        json!(["a", []]),
    ];
    refuses_each("/credentials/0/claims/0/values", &values, &DcqlError::Values);
}

// test: DCQL-10
#[test]
fn claim_sets_stand_beside_claims() {
    let alter = |query: &mut Value| {
        query["credentials"][1]["claim_sets"] = json!([[]]);
    };
    refuses(alter, &DcqlError::ClaimSets);
}

// test: DCQL-11
#[test]
fn credential_sets_offer_something() {
    let sets = [
        json!([]),
        json!([{ "options": [] }]),
        json!([{ "options": [[]] }]),
    ];
    refuses_each("/credential_sets", &sets, &DcqlError::Empty("credential_sets"));
}

// test: DCQL-12
#[test]
fn a_query_is_of_bounded_size() {
    let too_large = DcqlError::TooLarge("at most 16 credentials and sets, 64 claims and values");
    let many = |item: Value, count: usize| Value::Array(vec![item; count]);
    let option = json!({ "options": [["card"]] });
    refuses_each(
        "/credentials",
        &[many(good()["credentials"][1].clone(), 17)],
        &too_large,
    );
    refuses_each("/credential_sets", &[many(option, 17)], &too_large);
    refuses_each(
        "/credential_sets/0/options",
        &[many(json!(["card"]), 17)],
        &too_large,
    );
    refuses_each(
        "/credential_sets/0/options/0",
        &[many(json!("card"), 17)],
        &too_large,
    );
    refuses_each(
        "/credentials/0/claims/0/path",
        &[many(Value::Null, 17)],
        &too_large,
    );
    refuses_each(
        "/credentials/0/claims/0/values",
        &[many(json!(1), 65)],
        &too_large,
    );
    refuses_each(
        "/credentials/0/claims",
        &[many(json!({ "path": ["a"] }), 65)],
        &too_large,
    );
    refuses_each("/credentials/0/claim_sets", &[many(json!(["a"]), 17)], &too_large);
    refuses_each(
        "/credentials/0/meta/vct_values",
        &[many(json!("a"), 65)],
        &too_large,
    );
}

// test: DCQL-13
#[test]
fn only_what_can_be_read_is_asked_for() {
    let query: DcqlQuery = serde_json::from_value(good()).unwrap();
    assert_eq!(
        query.check_asking(),
        Err(DcqlError::Format("mso_mdoc".to_owned()))
    );
    let mut readable = query;
    readable.credentials.truncate(2);
    assert_eq!(readable.check_asking(), Ok(()));
    assert_eq!(DcqlQuery::login("low").check_asking(), Ok(()));
}

// test: DCQL-14
#[test]
fn no_claim_is_asked_for_twice() {
    let mut query: DcqlQuery = serde_json::from_value(good()).unwrap();
    query.credentials.truncate(2);
    assert_eq!(query.check_asking(), Ok(()));
    let claims = query.credentials[0].claims.as_mut().unwrap();
    claims[1].path = claims[0].path.clone();
    assert_eq!(query.check_asking(), Err(DcqlError::DuplicateClaim));
}

// test: DCQL-15
#[test]
fn a_path_has_texts_nulls_and_places() {
    let paths = [
        json!([-1]),
        json!([1.5]),
        json!([true]),
        json!([{}]),
        json!([["a"]]),
    ];
    refuses_each("/credentials/0/claims/0/path", &paths, &DcqlError::Form);
    let path: ClaimPath = serde_json::from_value(json!(["a", 0, null, "b"])).unwrap();
    assert_eq!(path.to_string(), "a[0][*].b");
}

// test: DCQL-19
#[test]
fn claim_sets_name_claims_of_the_query() {
    refuses_each(
        "/credentials/0/claim_sets",
        &[json!([]), json!([["x"]])],
        &DcqlError::Reference,
    );
    let nameless = |query: &mut Value| {
        let claim = query["credentials"][0]["claims"][3].as_object_mut().unwrap();
        claim.remove("id");
        query["credentials"][0]["claim_sets"] = json!([["a"]]);
    };
    refuses(nameless, &DcqlError::Reference);
}

// test: DCQL-20
#[test]
fn credential_sets_name_credentials_of_the_query() {
    refuses_each(
        "/credential_sets/0/options/0",
        &[json!(["x"])],
        &DcqlError::Reference,
    );
}

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
    let after = read(query);
    assert_eq!(
        after.satisfied_by("licence", &credential.candidate()),
        Err(AnswerError::Mismatch("licence".to_owned(), expected))
    );
    let missing = ["licence", "card", "mdl"].map(str::to_owned).to_vec();
    assert_eq!(
        after.select(&[credential.candidate()]),
        Err(Unsatisfied { missing })
    );
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

// test: DCQL-27
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

// test: DCQL-28
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

// test: DCQL-29
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
    assert_eq!(query.select(&[held().candidate()]), Err(missing(&["card"])));
    assert!(Answer::read(r#"{"licence":["a"],"card":["b"]}"#, &query).is_ok());
}

// test: DCQL-22
#[test]
fn of_each_required_set_an_option_is_needed() {
    let missing = vec!["licence".to_owned(), "mdl".to_owned()];
    assert_eq!(
        answer(r#"{"card":["a"]}"#).err(),
        Some(AnswerError::Unsatisfied(Unsatisfied { missing }))
    );
    let mut card = held();
    card.types = vec!["urn:example:card".to_owned()];
    assert!(read(good()).select(&[card.candidate()]).is_err());
    let both = [held(), card];
    let selection = read(good())
        .select(&[both[0].candidate(), both[1].candidate()])
        .unwrap();
    assert_eq!(
        (selection.chosen, selection.optional),
        (vec!["licence".to_owned()], vec!["card".to_owned()])
    );
    good_answer();
}

// test: DCQL-30
#[test]
fn an_answer_has_few_presentations() {
    let many = json!({ "licence": ["a"], "card": vec!["b"; 16] }).to_string();
    assert_eq!(answer(&many), Err(AnswerError::TooMany));
    good_answer();
}

// test: DCQL-31
#[test]
fn what_was_not_asked_for_is_refused() {
    assert_eq!(
        answer(r#"{"licence":["a"],"passport":["b"]}"#),
        Err(AnswerError::Unasked)
    );
    good_answer();
}

// test: DCQL-32
#[test]
fn several_answers_are_refused_where_one_is_asked_for() {
    assert_eq!(answer(r#"{"licence":["a","b"]}"#), Err(AnswerError::Several));
    good_answer();
}

// test: DCQL-33
#[test]
fn an_answer_is_not_an_empty_list() {
    assert_eq!(answer(r#"{"licence":["a"],"card":[]}"#), Err(AnswerError::Empty));
    good_answer();
}
