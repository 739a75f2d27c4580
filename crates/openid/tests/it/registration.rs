//! What a verifier may ask for, and what of a request is beyond it.

use realdid_crypto::{Hash, sha256};
use realdid_openid::dcql::{CheckedQuery, ClaimPath, DcqlQuery, PathStep};
use realdid_openid::registration::{MayAsk, OverAsked, over_asked};
use realdid_openid::site_statement::VerifierInfo;
use serde_json::{Value, json};

const LICENCE: &str = "https://issuer.example/vct/licence";

fn path(steps: Value) -> ClaimPath {
    serde_json::from_value(steps).unwrap()
}

fn query(vcts: &[&str], paths: &[Value]) -> CheckedQuery {
    let claims: Vec<_> = paths.iter().map(|path| json!({ "path": path })).collect();
    let mut credential = json!({
        "id": "licence",
        "format": "dc+sd-jwt",
        "meta": { "vct_values": vcts },
    });
    if !claims.is_empty() {
        credential["claims"] = claims.into();
    }
    DcqlQuery::read(json!({ "credentials": [credential] })).unwrap()
}

fn only(paths: &[Value]) -> MayAsk {
    MayAsk::only(LICENCE, paths.iter().cloned().map(path).collect())
}

fn claim(steps: Value) -> OverAsked {
    OverAsked::Claim {
        vct: LICENCE.to_owned(),
        path: path(steps),
    }
}

// test: TRU-01
#[test]
fn a_list_counts_that_the_ledger_means() {
    let list = only(&[json!(["age_over_21"]), json!(["classes"])]);
    let shown = [MayAsk::any(LICENCE).to_verifier_info(), list.to_verifier_info()];
    assert_eq!(
        MayAsk::granted(LICENCE, &list.detail(), &shown),
        Some(list.clone())
    );
    assert_eq!(MayAsk::granted("other", &list.detail(), &shown), None);
    assert_eq!(MayAsk::granted(LICENCE, &list.detail(), &[]), None);
    let longer = only(&[json!(["age_over_21"]), json!(["classes"]), json!(["name"])]);
    let altered = [longer.to_verifier_info()];
    assert_eq!(MayAsk::granted(LICENCE, &list.detail(), &altered), None);
    let foreign = [VerifierInfo {
        format: "another".to_owned(),
        ..list.to_verifier_info()
    }];
    assert_eq!(MayAsk::granted(LICENCE, &list.detail(), &foreign), None);
    let unknown = [VerifierInfo {
        data: json!({ "vct": LICENCE, "claims": [["age_over_21"], ["classes"]], "more": 1 }),
        ..list.to_verifier_info()
    }];
    assert_eq!(MayAsk::granted(LICENCE, &list.detail(), &unknown), None);
    let any = MayAsk::granted(LICENCE, &Hash::ZERO, &[]);
    assert_eq!(any, Some(MayAsk::any(LICENCE)));
}

#[test]
fn the_detail_is_the_hash_of_one_text() {
    let text = r#"{"claims":[["age_over_21"],["classes",null]],"vct":"https://issuer.example/vct/licence"}"#;
    let lists = [
        only(&[json!(["classes", null]), json!(["age_over_21"])]),
        only(&[
            json!(["age_over_21"]),
            json!(["classes", null]),
            json!(["age_over_21"]),
        ]),
    ];
    for list in lists {
        assert_eq!(list.detail(), sha256(text.as_bytes()));
    }
    assert_eq!(MayAsk::any(LICENCE).detail(), Hash::ZERO);
    assert_ne!(only(&[]).detail(), Hash::ZERO, "no claim is not any claim");
}

// test: TRU-02
#[test]
fn a_type_is_registered() {
    let other = "urn:example:other";
    let over = |vct: &str| OverAsked::Type { vct: vct.to_owned() };
    assert_eq!(over_asked(&query(&[LICENCE], &[]), &[]), [over(LICENCE)]);
    let both = query(&[LICENCE, other], &[json!(["name"])]);
    assert_eq!(over_asked(&both, &[MayAsk::any(LICENCE)]), [over(other)]);
    let allowed = [MayAsk::any(LICENCE), MayAsk::any(other)];
    assert_eq!(over_asked(&both, &allowed), []);
}

// test: TRU-03
#[test]
fn a_claim_is_registered() {
    let asked = [
        json!(["age_over_21"]),
        json!(["classes", 0]),
        json!(["classes", null, "code"]),
        json!(["address"]),
        json!(["name"]),
        json!(["name"]),
    ];
    let allowed = [only(&[
        json!(["age_over_21"]),
        json!(["classes", null]),
        json!(["address", "country"]),
    ])];
    assert_eq!(
        over_asked(&query(&[LICENCE], &asked[..5]), &allowed),
        [claim(json!(["address"])), claim(json!(["name"]))]
    );
    let one_of = [only(&[json!(["classes", 0])])];
    let every = query(&[LICENCE], &[json!(["classes", null])]);
    assert_eq!(over_asked(&every, &one_of), [claim(json!(["classes", null]))]);
    let named = [only(&[json!(["classes"])])];
    assert_eq!(over_asked(&every, &named), []);
    assert_eq!(
        over_asked(&query(&[LICENCE], &[]), &[only(&[])]),
        [],
        "none is asked"
    );
}

#[test]
fn an_empty_path_allows_nothing() {
    let everything = MayAsk::only(LICENCE, vec![ClaimPath(Vec::new())]);
    assert!(!everything.covers(&ClaimPath(vec![PathStep::Key("name".to_owned())])));
}

#[test]
fn a_login_needs_no_registration() {
    let login = json!({ "credentials": [{
        "id": "login",
        "format": "realdid+jwt",
        "meta": { "minimum_level": "substantial" },
    }] });
    let Ok(login) = DcqlQuery::read(login) else {
        panic!("a login can be asked for");
    };
    assert_eq!(over_asked(&login, &[]), []);
}

#[test]
fn what_is_over_asked_is_said_in_words() {
    let over = [
        OverAsked::Type {
            vct: "urn:a".to_owned(),
        },
        claim(json!(["address", "street"])),
    ];
    let words: Vec<_> = over.iter().map(ToString::to_string).collect();
    assert_eq!(words[0], "credentials of the type urn:a");
    assert_eq!(
        words[1],
        "address.street of the type https://issuer.example/vct/licence"
    );
    assert_eq!(
        serde_json::to_value(&over[0]).unwrap(),
        json!({ "over_asked": "type", "vct": "urn:a" })
    );
}
