//! What is chosen, what the holder is told, and what may be kept back.

use super::*;
use crate::consent::Warning;

fn without(names: &[&str]) -> Wishes {
    Wishes {
        without: names.iter().map(|name| (*name).to_owned()).collect(),
        ..Wishes::default()
    }
}

fn claims(consent: &Consent) -> Vec<(&str, bool)> {
    let shown = consent.credentials[0].claims.iter();
    shown.map(|claim| (claim.claim.as_str(), claim.asked)).collect()
}

#[test]
fn the_holder_reads_everything_that_will_be_read() {
    let mut wallet = wallet_with(&Licence::default());
    let request = asked(query(&["age_over_21", "address.city"]));
    let agreed = consent(&wallet, &request).unwrap();
    // The street is not disclosable by itself: who reads the city reads the street.
    let expected = [
        ("address.city", true),
        ("address.street", false),
        ("age_over_21", true),
        ("country", false),
    ];
    assert_eq!(claims(&agreed), expected);
    assert_eq!(agreed.credentials[0].copies_left, Some(1));
    let presentation = shown(&answer(&mut wallet, &request, &agreed), "licence");
    let verified = verified(&presentation, &Licence::default(), &request.asker().client_id);
    assert_eq!(
        verified.claims()["address"],
        json!({ "city": "Turin", "street": "Via Po 1" })
    );
    assert_eq!(verified.claims()["age_over_21"], true);
    assert!(!verified.claims().contains_key("birthdate") && !verified.claims().contains_key("number"));
}

#[test]
fn elements_of_an_array_are_shown_one_by_one() {
    let mut wallet = wallet_with(&Licence::default());
    let mut query = query(&[]);
    query["credentials"][0]["claims"] = json!([{ "path": ["classes", null], "values": ["C"] }]);
    let request = asked(query);
    let agreed = consent(&wallet, &request).unwrap();
    let presentation = shown(&answer(&mut wallet, &request, &agreed), "licence");
    let verified = verified(&presentation, &Licence::default(), &request.asker().client_id);
    assert_eq!(verified.claims()["classes"], json!(["C"]));
}

// test: WVP-16, DCQL-21, DCQL-28, DCQL-29
#[test]
fn what_is_kept_back_is_not_shown_another_way_is_found_or_nothing_comes() {
    let wallet = wallet_with(&Licence::default());
    let mut query = query(&[]);
    query["credentials"][0]["claims"] = json!([
        { "id": "born", "path": ["birthdate"] }, { "id": "over", "path": ["age_over_21"] },
    ]);
    query["credentials"][0]["claim_sets"] = json!([["born"], ["over"]]);
    let request = asked(query);
    assert_eq!(
        claims(&consent(&wallet, &request).unwrap())[0],
        ("birthdate", true)
    );
    let kept_back = wallet.consent(&request, &without(&["birthdate"]), NOW).unwrap();
    assert_eq!(claims(&kept_back)[0], ("age_over_21", true));
    let nothing = wallet.consent(&request, &without(&["birthdate", "age_over_21"]), NOW);
    assert!(matches!(nothing, Err(AnswerError::Insists(_))), "{nothing:?}");
}

#[test]
fn what_is_kept_back_must_be_asked_for() {
    let wallet = wallet_with(&Licence::default());
    let request = asked(query(&["age_over_21"]));
    let error = wallet
        .consent(&request, &without(&["birthday"]), NOW)
        .unwrap_err();
    assert_eq!(error.code(), "claim_not_asked");
}

#[test]
fn optional_parts_are_told_and_can_be_left_out() {
    let wallet = wallet_with(&Licence::default());
    let mut query = query(&["age_over_21"]);
    query["credentials"].as_array_mut().unwrap().push(json!({
        "id": "name", "format": "dc+sd-jwt", "meta": { "vct_values": [LICENCE] },
        "claims": [{ "path": ["given_name"] }],
    }));
    query["credential_sets"] = json!([
        { "options": [["licence"]] }, { "options": [["name"]], "required": false },
    ]);
    let request = asked(query);
    let all = consent(&wallet, &request).unwrap();
    let optional: Vec<_> = all
        .credentials
        .iter()
        .map(|shown| (shown.query.as_str(), shown.optional))
        .collect();
    assert_eq!(optional, [("licence", false), ("name", true)]);
    let only_required = Wishes {
        only_required: true,
        ..Wishes::default()
    };
    for wishes in [without(&["name"]), only_required] {
        assert_eq!(
            wallet.consent(&request, &wishes, NOW).unwrap().credentials.len(),
            1
        );
    }
}

/// Half of what an optional part asks for would be shown for nothing.
#[test]
fn what_goes_together_is_left_out_together() {
    let wallet = wallet_with(&Licence::default());
    let mut query = query(&["age_over_21"]);
    for (id, claim) in [
        ("name", "given_name"),
        ("birth", "birthdate"),
        ("home", "address"),
    ] {
        query["credentials"].as_array_mut().unwrap().push(json!({
            "id": id, "format": "dc+sd-jwt", "meta": { "vct_values": [LICENCE] },
            "claims": [{ "path": [claim] }],
        }));
    }
    query["credential_sets"] = json!([
        { "options": [["licence"]] },
        { "options": [["name", "birth"]], "required": false },
        { "options": [["home"]], "required": false },
    ]);
    let request = asked(query);
    let shown = |wishes: &Wishes| -> Vec<String> {
        let agreed = wallet.consent(&request, wishes, NOW).unwrap().credentials;
        agreed.into_iter().map(|shown| shown.query).collect()
    };
    assert_eq!(shown(&Wishes::default()), ["licence", "birth", "home", "name"]);
    assert_eq!(shown(&without(&["birth"])), ["licence", "home"]);
    assert_eq!(shown(&without(&["home"])), ["licence", "birth", "name"]);
}

#[test]
fn the_credential_that_is_named_is_shown() {
    let mut wallet = wallet_with(&Licence::default());
    let second = Licence::default().keep(&mut wallet);
    let request = asked(query(&["age_over_21"]));
    for id in [1, second] {
        let wishes = Wishes {
            credentials: vec![id],
            ..Wishes::default()
        };
        assert_eq!(
            wallet.consent(&request, &wishes, NOW).unwrap().credentials[0].credential,
            id
        );
    }
}

#[test]
fn a_credential_that_is_named_is_never_replaced_by_another() {
    let mut wallet = wallet_with(&Licence::default());
    let second = Licence::default().keep(&mut wallet);
    let request = asked(query(&["age_over_21"]));
    let naming = |credentials: &[u32]| Wishes {
        credentials: credentials.to_vec(),
        ..Wishes::default()
    };
    let both = wallet.consent(&request, &naming(&[1, second]), NOW);
    assert_eq!(both.unwrap_err().code(), "credential_does_not_fit");
    let unknown = wallet.consent(&request, &naming(&[9]), NOW);
    assert_eq!(unknown.unwrap_err().code(), "credential_not_held");
    // Where several are welcome, several that are named are shown.
    let mut query = query(&["age_over_21"]);
    query["credentials"][0]["multiple"] = true.into();
    let request = asked(query);
    assert_eq!(consent(&wallet, &request).unwrap().credentials.len(), 1);
    let both = wallet.consent(&request, &naming(&[1, second]), NOW).unwrap();
    assert_eq!(both.credentials.len(), 2);
    let answer = answer(&mut wallet, &request, &both);
    let vp_token: Value = serde_json::from_str(&answer.form[0].1).unwrap();
    assert_eq!(vp_token["licence"].as_array().unwrap().len(), 2);
}

#[test]
fn a_format_that_is_not_held_is_told_as_such() {
    let mut asking = Asking::new(json!({ "credentials": [{
        "id": "mdl", "format": "mso_mdoc", "meta": { "doctype_value": "org.iso.18013.5.1.mDL" },
    }] }));
    asking.claims["client_metadata"]["vp_formats_supported"]["mso_mdoc"] = json!({});
    let error = consent(&wallet_with(&Licence::default()), &asking.judge().unwrap()).unwrap_err();
    assert_eq!(
        (error.code(), error.response_code()),
        ("credential_format_unknown", "vp_formats_not_supported")
    );
}

#[test]
fn a_credential_in_good_standing_comes_before_others() {
    let struck_off = Licence {
        standing: Standing::StruckOff,
        ..Licence::default()
    };
    let mut wallet = wallet_with(&struck_off);
    let request = asked(query(&["age_over_21"]));
    let alone = consent(&wallet, &request).unwrap();
    assert!(alone.warnings.contains(&Warning::IssuerNotInGoodStanding));
    let good = Licence::default().keep(&mut wallet);
    assert_eq!(
        consent(&wallet, &request).unwrap().credentials[0].credential,
        good
    );
}

// test: DCQL-21, DCQL-27
#[test]
fn a_wallet_without_what_is_asked_for_says_what_that_is() {
    let wallet = empty_wallet();
    let error = consent(&wallet, &asked(query(&["age_over_21"]))).unwrap_err();
    assert_eq!(
        (error.code(), error.response_code()),
        ("credential_missing", "access_denied")
    );
    assert!(error.to_string().contains(LICENCE));
    // The same towards the verifier as a value that does not match, and as a holder's no.
    let wallet = wallet_with(&Licence::default());
    let mut query = query(&[]);
    query["credentials"][0]["claims"] = json!([{ "path": ["country"], "values": ["FR"] }]);
    assert_eq!(
        consent(&wallet, &asked(query)).unwrap_err().response_code(),
        "access_denied"
    );
}

// test: WVP-15, DCQL-21
#[test]
fn sm2_is_shown_to_who_reads_it_and_to_nobody_else() {
    let licence = Licence {
        kind: KeyType::Sm2,
        hash: HashAlg::Sm3,
        ..Licence::default()
    };
    let mut wallet = wallet_with(&licence);
    let mut asking = Asking::new(query(&["age_over_21"]));
    let refused = consent(&wallet, &asking.judge().unwrap()).unwrap_err();
    assert_eq!(
        (refused.code(), refused.response_code()),
        ("verifier_cannot_read", "vp_formats_not_supported")
    );
    // Nor to who says nothing: others cannot be expected to.
    asking.claims["client_metadata"]["vp_formats_supported"]["dc+sd-jwt"] = json!({});
    assert_eq!(
        consent(&wallet, &asking.judge().unwrap()).unwrap_err().code(),
        "verifier_cannot_read"
    );
    asking.claims.as_object_mut().unwrap().remove("client_metadata");
    assert_eq!(
        consent(&wallet, &asking.judge().unwrap()).unwrap_err().code(),
        "verifier_cannot_read"
    );
    let es256 = wallet_with(&Licence::default());
    consent(&es256, &asking.judge().unwrap()).unwrap();
    let algorithms = json!({ "sd-jwt_alg_values": ["SM2SM3"], "kb-jwt_alg_values": ["SM2SM3"] });
    asking.claims["client_metadata"]["vp_formats_supported"]["dc+sd-jwt"] = algorithms;
    let request = asking.judge().unwrap();
    let agreed = consent(&wallet, &request).unwrap();
    let presentation = shown(&answer(&mut wallet, &request, &agreed), "licence");
    verified(&presentation, &licence, asking.client_id());
}

#[test]
fn the_holder_is_told_what_showing_gives_away() {
    let request = asked(query(&["age_over_21"]));
    let mut wallet = wallet_with(&Licence {
        copies: 1,
        ..Licence::default()
    });
    let agreed = consent(&wallet, &request).unwrap();
    assert_eq!(
        agreed.warnings,
        [Warning::UnregisteredVerifier, Warning::LastCopy]
    );
    answer(&mut wallet, &request, &agreed);
    let again = consent(&wallet, &request).unwrap();
    assert_eq!(
        again.warnings,
        [Warning::UnregisteredVerifier, Warning::ShownBefore]
    );
    let wallet = wallet_with(&Licence {
        copies: 1,
        long_lived: true,
        ..Licence::default()
    });
    let agreed = consent(&wallet, &request).unwrap();
    assert_eq!(
        agreed.warnings,
        [Warning::UnregisteredVerifier, Warning::Linkable]
    );
    assert_eq!(agreed.credentials[0].copies_left, None);
}

#[test]
fn names_and_values_of_strangers_cannot_mislead() {
    let mut licence = Licence::default().copy(50);
    licence.number = 1;
    let wallet = wallet_with(&Licence::default());
    let agreed = consent(&wallet, &asked(query(&["given_name"]))).unwrap();
    assert!(!format!("{agreed:?}").contains("Ada"), "values stay out of logs");
    let mut asking = Asking::new(query(&["given_name"]));
    asking.claims["client_metadata"]["client_name"] = "Your \u{202e}Bank <script>".into();
    let asker = asking.judge().unwrap().asker().clone();
    assert_eq!(
        asker.name, asking.did,
        "nobody is called what they call themselves"
    );
    assert!(!asker.registered);
}
