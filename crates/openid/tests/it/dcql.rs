use realdid_openid::dcql::{CheckedQuery, ClaimPath, DcqlError, DcqlQuery};
use serde_json::{Value, json};

pub const LICENCE: &str = "urn:example:licence";

pub fn good() -> Value {
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

pub fn read(query: Value) -> CheckedQuery {
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
