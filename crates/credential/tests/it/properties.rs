//! Whatever is issued is read back, whatever is chosen is shown and nothing else, and nothing that
//! arrives makes a reader panic.

use proptest::prelude::*;
use realdid_credential::path::{ClaimPath, PathElement};
use realdid_credential::sd_jwt::{Frame, SdJwt, issue};
use realdid_credential::type_metadata::Chain;
use realdid_credential::vc::UnverifiedVc;
use realdid_credential::{HashAlg, Integrity};
use serde_json::{Map, Value};

use crate::support::{forged, issuer, read, rng};

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        // eighths: what JSON software reads and writes without rounding
        any::<i32>().prop_map(|n| Value::from(f64::from(n) / 8.0)),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map("[a-d]{1,2}", inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn any_claims() -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::btree_map("[a-e]{1,3}", any_value(), 0..6)
        .prop_map(|claims| claims.into_iter().collect())
}

/// All paths beneath a value.
fn every_path(value: &Value, path: &ClaimPath, into: &mut Vec<ClaimPath>) {
    let children: Vec<(PathElement, &Value)> = match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (PathElement::Name(name.clone()), value))
            .collect(),
        Value::Array(elements) => elements
            .iter()
            .enumerate()
            .map(|(index, value)| (PathElement::Index(index), value))
            .collect(),
        _ => Vec::new(),
    };
    for (step, child) in children {
        let path = path.then(step);
        into.push(path.clone());
        every_path(child, &path, into);
    }
}

fn some_of(paths: &[ClaimPath], choice: &[bool]) -> Vec<ClaimPath> {
    let chosen = paths.iter().zip(choice.iter().cycle());
    chosen
        .filter(|(_, chosen)| **chosen)
        .map(|(path, _)| path.clone())
        .collect()
}

fn issued(claims: &Map<String, Value>, disclosable: &[ClaimPath], decoys: usize, hash: HashAlg) -> String {
    let frame = Frame {
        disclosable: disclosable.to_vec(),
        decoys,
        hash,
    };
    issue(&issuer(), Map::new(), claims, &frame, &mut rng()).unwrap()
}

/// The value with only what must be visible: everything open, and what is chosen with what it stands
/// in and what stands in it. Written anew here, to hold the crate's own choice against it.
fn expected(
    value: &Value,
    path: &ClaimPath,
    disclosable: &[ClaimPath],
    chosen: &[ClaimPath],
) -> Option<Value> {
    let touches = |one: &ClaimPath| one.0.starts_with(&path.0) || path.0.starts_with(&one.0);
    if disclosable.contains(path) && !chosen.iter().any(touches) {
        return None;
    }
    let below = |step, child| expected(child, &path.then(step), disclosable, chosen);
    Some(match value {
        Value::Object(members) => members
            .iter()
            .filter_map(|(name, child)| Some((name.clone(), below(PathElement::Name(name.clone()), child)?)))
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(elements) => elements
            .iter()
            .enumerate()
            .filter_map(|(index, child)| below(PathElement::Index(index), child))
            .collect(),
        leaf => leaf.clone(),
    })
}

proptest! {
    // a run with a check turned off fails on purpose, and leaves nothing behind
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_issued_is_read_and_what_is_chosen_is_shown(
        claims in any_claims(),
        disclosable in prop::collection::vec(any::<bool>(), 1..12),
        chosen in prop::collection::vec(any::<bool>(), 1..12),
        decoys in 0usize..3,
        hash in prop::sample::select(HashAlg::ALL.to_vec()),
    ) {
        let whole = Value::Object(claims.clone());
        let mut paths = Vec::new();
        every_path(&whole, &ClaimPath::default(), &mut paths);
        let disclosable = some_of(&paths, &disclosable);
        let text = issued(&claims, &disclosable, decoys, hash);
        let verified = read(&text).unwrap();
        prop_assert_eq!(verified.claims(), &claims);
        let mut listed: Vec<ClaimPath> =
            verified.disclosed().disclosures().into_iter().map(|disclosure| disclosure.path).collect();
        let mut all = disclosable.clone();
        listed.sort();
        all.sort();
        prop_assert_eq!(listed, all);

        let chosen = some_of(&paths, &chosen);
        let presentation = verified.disclosed().select(&chosen).unwrap();
        let shown = read(presentation.text()).unwrap();
        let expected = expected(&whole, &ClaimPath::default(), &disclosable, &chosen).unwrap();
        prop_assert_eq!(Value::Object(shown.claims().clone()), expected);
    }

    #[test]
    fn hidden_values_leave_no_trace(secret in "[a-zA-Z]{12,20}") {
        let claims: Map<String, Value> = [("name".to_owned(), Value::from(secret.as_str()))].into_iter().collect();
        let text = issued(&claims, &[ClaimPath::names(["name"])], 1, HashAlg::Sha256);
        let presentation = read(&text).unwrap().disclosed().select(&[]).unwrap();
        let shown = SdJwt::parse(presentation.text()).unwrap();
        let payload = Value::Object(shown.jwt().stated_claims().clone()).to_string();
        prop_assert!(!payload.contains(&secret) && !payload.contains("name"));
    }

    #[test]
    fn no_reader_panics_at_any_text(text in ".{0,200}") {
        let _ = SdJwt::parse(&text);
        let _ = UnverifiedVc::parse(&text);
        let _ = Integrity::parse(&text);
        let _ = Chain::new(&text, None).add(text.as_bytes());
    }

    #[test]
    fn no_reader_panics_at_any_signed_payload(payload in any_claims(), parts in prop::collection::vec("[A-Za-z0-9_~-]{0,20}", 0..4)) {
        let _ = read(&forged(&Value::Object(payload), &parts));
    }

    // test: JWS-06
    #[test]
    fn one_changed_character_never_changes_a_claim(place in any::<prop::sample::Index>(), with in "[A-Za-z0-9~._-]") {
        let claims: Map<String, Value> = serde_json::from_str(r#"{"a":"x","b":[1,2],"c":{"d":true}}"#).unwrap();
        let mut paths = Vec::new();
        every_path(&Value::Object(claims.clone()), &ClaimPath::default(), &mut paths);
        let text = issued(&claims, &paths, 1, HashAlg::Sha256);
        let place = place.index(text.len());
        let mut altered = text.clone();
        altered.replace_range(place..=place, &with);
        let outcome = read(&altered);
        // what stands before the first tilde the issuer has signed
        prop_assert!(outcome.is_err() || altered == text || Some(place) > text.find('~'));
        if let Ok(verified) = outcome {
            // a tilde that takes a disclosure away is a choice, not a forgery
            prop_assert!(verified.claims().iter().all(|(name, value)| value == &claims[name] || !value.is_string()));
        }
    }
}
