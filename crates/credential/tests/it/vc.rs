//! SD-JWT VC: each rule of a credential's claims about itself, broken.

use realdid_credential::path::ClaimPath;
use realdid_credential::sd_jwt::{Frame, IssueError, SdJwtError};
use realdid_credential::vc::{
    IssuerHeader, NewVc, StatusReference, Times, UnverifiedVc, VcError, VerifiedVc, day, issue,
};
use realdid_credential::{Format, Integrity};
use realdid_crypto::{KeyType, SecretKey};
use realdid_jose::jwk::Jwk;
use realdid_jose::jws::JwsError;
use serde_json::{Value, json};

use crate::support::{
    AUDIENCE, NOW, binding, cnf, digest, disclosure, expected, forged, forged_with, holder, issuer, map,
    paths, rng,
};

const VCT: &str = "urn:example:licence:1";
const TIMES: Times = Times { now: NOW, leeway: 60 };

fn read(text: &str) -> Result<VerifiedVc, VcError> {
    UnverifiedVc::parse(text)?.verify(&issuer().public_key(), &TIMES)
}

fn payload() -> Value {
    json!({
        "vct": VCT,
        "iss": "https://issuer.example",
        "iat": NOW - 10,
        "nbf": NOW - 10,
        "exp": NOW + 1000,
        "cnf": cnf(),
        "status": { "status_list": { "idx": 7, "uri": "https://issuer.example/status/1" } },
        "name": "Alice",
    })
}

/// The good payload with one claim changed.
fn with(name: &str, value: Value) -> Value {
    let mut payload = payload();
    payload[name] = value;
    payload
}

fn refused(payload: &Value, error: &VcError) {
    assert_eq!(
        read(&forged(payload, &[])).err().as_ref(),
        Some(error),
        "{payload}"
    );
}

fn passes() {
    let vc = read(&forged(&payload(), &[])).unwrap();
    assert_eq!(vc.vct(), VCT);
    assert_eq!(vc.issuer(), Some("https://issuer.example"));
    assert_eq!(vc.issued_at(), Some(NOW - 10));
    assert_eq!(vc.not_before(), Some(NOW - 10));
    assert_eq!(vc.expires_at(), Some(NOW + 1000));
    assert_eq!(vc.holder(), Some(&holder().public_key()));
    assert_eq!(vc.status().map(|status| status.index), Some(7));
    assert_eq!(vc.claims()["name"], "Alice");
}

// test: SVC-01
#[test]
fn a_message_of_another_type_is_no_credential() {
    for header in [
        json!({ "alg": "ES256" }),
        json!({ "alg": "ES256", "typ": "vc+sd-jwt" }),
        json!({ "alg": "ES256", "typ": "JWT" }),
        json!({ "alg": "ES256", "typ": "application/dc+sd-jwt" }),
    ] {
        let text = forged_with(&header, &payload(), &[]);
        assert_eq!(read(&text).err(), Some(VcError::Type), "{header}");
    }
    passes();
}

// test: SVC-02
#[test]
fn a_credential_names_its_type() {
    for wrong in [
        json!(""),
        json!(5),
        json!(null),
        json!([VCT]),
        json!("a b"),
        json!("a\u{7}"),
        json!("x".repeat(1025)),
    ] {
        refused(&with("vct", wrong), &VcError::Vct);
    }
    let mut without = payload();
    without.as_object_mut().unwrap().remove("vct");
    refused(&without, &VcError::Vct);
    // hidden from whom it is not shown to
    let vct = disclosure(&json!(["salt", "vct", VCT]));
    without["_sd"] = json!([digest(&vct)]);
    assert_eq!(read(&forged(&without, &[vct])).err(), Some(VcError::Vct));
    passes();
}

// test: SVC-03
#[test]
fn a_credential_names_one_issuer() {
    for wrong in [json!(5), json!(null), json!(["https://issuer.example"])] {
        refused(&with("iss", wrong), &VcError::IssuerMismatch);
    }
    let read_with = |iss: &str, kid: &str| {
        let header = json!({ "alg": "ES256", "typ": "dc+sd-jwt", "kid": kid });
        read(&forged_with(&header, &with("iss", json!(iss)), &[])).map(|_| ())
    };
    let mismatch = Err(VcError::IssuerMismatch);
    assert_eq!(
        read_with("did:real:sandbox:a", "did:real:sandbox:b#key-1"),
        mismatch
    );
    assert_eq!(read_with("did:real:sandbox:a", "did:real:sandbox:a"), mismatch);
    assert_eq!(
        read_with("did:real:sandbox:a", "did:real:sandbox:ab#key-1"),
        mismatch
    );
    for kid in ["did:real:sandbox:a#key-1", "#key-1", "key-1"] {
        assert_eq!(read_with("did:real:sandbox:a", kid), Ok(()));
    }
    passes();
}

// test: SVC-04
#[test]
fn claims_about_the_credential_itself_are_never_disclosable() {
    for (name, value) in [
        ("iss", json!("https://issuer.example")),
        ("nbf", json!(NOW)),
        ("exp", json!(NOW + 5)),
        ("cnf", cnf()),
        ("vct#integrity", json!(Integrity::of(b"x").as_str())),
        ("aka_vcts", json!(["urn:example:document"])),
        ("status", payload()["status"].clone()),
    ] {
        let hidden = disclosure(&json!(["salt", name, value]));
        let mut payload = payload();
        payload.as_object_mut().unwrap().remove(name);
        payload["_sd"] = json!([digest(&hidden)]);
        assert_eq!(
            read(&forged(&payload, &[hidden])).err(),
            Some(VcError::Disclosable(name))
        );
    }
    // not even in part
    let jwk = disclosure(&json!(["salt", "jwk", cnf()["jwk"]]));
    let payload = with("cnf", json!({ "_sd": [digest(&jwk)] }));
    assert_eq!(
        read(&forged(&payload, &[jwk])).err(),
        Some(VcError::Disclosable("cnf"))
    );
    let iat = disclosure(&json!(["salt", "sub", "user"]));
    assert!(read(&forged(&with("_sd", json!([digest(&iat)])), &[iat])).is_ok());
    passes();
}

// test: SVC-05
#[test]
fn times_are_numbers() {
    for name in ["iat", "nbf", "exp"] {
        for wrong in [
            json!(NOW.to_string()),
            json!(-1),
            json!(-0.5),
            json!(1e300),
            json!(253_402_300_800_u64),
            json!(u64::MAX),
            json!(null),
            json!([NOW]),
            json!(true),
        ] {
            refused(&with(name, wrong), &VcError::Time(name));
        }
    }
    passes();
}

// test: SVC-06
#[test]
fn a_credential_of_the_future_is_refused() {
    refused(&with("iat", json!(NOW + 61)), &VcError::IssuedInFuture);
    assert!(read(&forged(&with("iat", json!(NOW + 60)), &[])).is_ok());
}

// test: SVC-07
#[test]
fn a_credential_is_not_used_before_its_time() {
    refused(&with("nbf", json!(NOW + 61)), &VcError::NotYetValid);
    assert!(read(&forged(&with("nbf", json!(NOW + 60)), &[])).is_ok());
}

// test: SVC-08
#[test]
fn a_credential_is_not_used_after_its_time() {
    refused(&with("exp", json!(NOW - 60)), &VcError::Expired);
    refused(&with("exp", json!(0)), &VcError::Expired);
    assert!(read(&forged(&with("exp", json!(NOW - 59)), &[])).is_ok());
}

// test: SVC-09
#[test]
fn further_types_are_others() {
    let many: Vec<String> = (0..17).map(|n| format!("urn:{n}")).collect();
    for wrong in [
        json!([]),
        json!("urn:example:document"),
        json!([VCT]),
        json!([5]),
        json!([""]),
        json!(null),
        json!(many),
    ] {
        refused(&with("aka_vcts", wrong), &VcError::AlsoTypes);
    }
    let vc = read(&forged(&with("aka_vcts", json!(["urn:example:document"])), &[])).unwrap();
    assert_eq!(vc.also_types(), ["urn:example:document"]);
    passes();
}

// test: SVC-10
#[test]
fn a_holders_key_is_a_public_one() {
    let mut private = cnf();
    private["jwk"]["d"] = json!("AAAA");
    for wrong in [
        json!("key"),
        json!(null),
        json!([cnf()]),
        json!({ "jwk": "key" }),
        private,
    ] {
        refused(&with("cnf", wrong), &VcError::Confirmation);
    }
    // another way to name a key is no error before somebody wants a binding
    let vc = read(&forged(&with("cnf", json!({ "jkt": "thumbprint" })), &[])).unwrap();
    assert_eq!(vc.holder(), None);
    passes();
}

// test: SVC-11, STL-09
#[test]
fn a_status_that_cannot_be_read_is_not_passed_over() {
    for wrong in [
        json!({}),
        json!({ "other_list": { "idx": 7, "uri": "https://issuer.example/status/1" } }),
        json!("revoked"),
        json!(null),
        json!({ "status_list": { "idx": "7", "uri": "https://issuer.example/status/1" } }),
    ] {
        refused(&with("status", wrong), &VcError::Status);
    }
    passes();
}

// test: SVC-12
#[test]
fn integrity_metadata_are_read_or_refused() {
    for wrong in [
        json!(""),
        json!(5),
        json!("md5-AAAA"),
        json!("sha256-AAAA"),
        json!("sha256-!"),
        json!(null),
    ] {
        refused(&with("vct#integrity", wrong), &VcError::Integrity);
    }
    let integrity = Integrity::of(b"{}");
    let vc = read(&forged(&with("vct#integrity", json!(integrity.as_str())), &[])).unwrap();
    assert_eq!(vc.vct_integrity(), Some(&integrity));
    passes();
}

// test: SDJ-04
#[test]
fn an_issuer_hands_out_no_bound_credential() {
    let vc = read(&forged(&payload(), &[])).unwrap();
    let bound = vc
        .disclosed()
        .select(&[])
        .unwrap()
        .bind(&holder(), &binding())
        .unwrap();
    assert_eq!(
        UnverifiedVc::parse_issued(&bound).err(),
        Some(VcError::SdJwt(SdJwtError::Bound))
    );
    assert!(UnverifiedVc::parse(&bound).is_ok());
}

// test: SVC-32
#[test]
fn a_credential_for_other_verifiers_is_refused() {
    let bound = |audience: Value| {
        let vc = read(&forged(&with("aud", audience), &[])).unwrap();
        let presentation = vc.disclosed().select(&[]).unwrap();
        let shown = read(&presentation.bind(&holder(), &binding()).unwrap()).unwrap();
        shown.key_binding(&expected()).map(|_| ())
    };
    for other in [
        json!("other"),
        json!(["other"]),
        json!([]),
        json!(null),
        json!([[AUDIENCE]]),
        json!({}),
    ] {
        assert_eq!(bound(other), Err(VcError::Audience));
    }
    assert_eq!(bound(json!(AUDIENCE)), Ok(()));
    assert_eq!(bound(json!(["other", AUDIENCE])), Ok(()));
    let vc = read(&forged(&payload(), &[])).unwrap();
    assert_eq!(vc.check_audience("anybody"), Ok(()));
}

fn new_vc() -> NewVc {
    NewVc {
        vct: VCT.to_owned(),
        also_types: vec!["urn:example:document".to_owned()],
        issuer: Some("https://issuer.example".to_owned()),
        issued_at: Some(day(NOW)),
        not_before: Some(day(NOW)),
        expires_at: Some(day(NOW) + 14 * 86_400),
        holder: Some(holder().public_key()),
        status: Some(StatusReference {
            uri: "https://issuer.example/status/1".to_owned(),
            index: 12,
        }),
        vct_integrity: Some(Integrity::of(b"{}").as_str().to_owned()),
        claims: map(json!({ "name": "Alice", "age_over_21": true })),
        frame: Frame {
            disclosable: paths(json!([["name"], ["age_over_21"]])),
            decoys: 2,
            ..Frame::default()
        },
    }
}

fn made(new: &NewVc) -> Result<String, VcError> {
    let header = IssuerHeader {
        kid: Some("did:real:sandbox:a#key-1".to_owned()),
        x5c: Some(vec!["MIIB".to_owned()]),
    };
    issue(&issuer(), &header, new, &mut rng())
}

fn makes() {
    let text = made(&new_vc()).unwrap();
    let parsed = UnverifiedVc::parse_issued(&text).unwrap();
    assert_eq!(parsed.issuer().kid, Some("did:real:sandbox:a#key-1"));
    assert_eq!(parsed.issuer().iss, Some("https://issuer.example"));
    assert_eq!(parsed.issuer().x5c, Some(&json!(["MIIB"])));
    let vc = parsed.verify(&issuer().public_key(), &TIMES).unwrap();
    assert_eq!(
        Value::Object(vc.claims().clone()),
        Value::Object(new_vc().payload().unwrap())
    );
    assert_eq!(vc.expires_at(), new_vc().expires_at);
    assert_eq!(vc.also_types(), new_vc().also_types);
    assert_eq!(vc.status(), new_vc().status.as_ref());
    assert_eq!(vc.holder(), new_vc().holder.as_ref());
}

// test: SVC-14
#[test]
fn nothing_is_issued_without_a_type() {
    for wrong in ["", "a b"] {
        let new = NewVc {
            vct: wrong.to_owned(),
            ..new_vc()
        };
        assert_eq!(made(&new), Err(VcError::Vct));
    }
    makes();
}

// test: SVC-15
#[test]
fn a_subjects_data_say_nothing_about_the_credential_itself() {
    for name in [
        "vct",
        "iss",
        "exp",
        "nbf",
        "iat",
        "cnf",
        "status",
        "aka_vcts",
        "vct#integrity",
    ] {
        let mut new = new_vc();
        new.claims.insert(name.to_owned(), json!("forged"));
        assert_eq!(made(&new), Err(VcError::ReservedClaim(name)));
    }
    makes();
}

// test: SVC-16
#[test]
fn a_credentials_type_and_status_are_issued_open() {
    for name in ["vct", "vct#integrity", "aka_vcts", "status"] {
        let mut new = new_vc();
        let path = ClaimPath::names([name]);
        new.frame.disclosable.push(path.clone());
        assert_eq!(
            made(&new),
            Err(VcError::Issue(IssueError::NeverDisclosable(path)))
        );
    }
    makes();
}

// test: SDJ-29
#[test]
fn a_credentials_issuer_times_and_key_are_issued_open() {
    for name in ["iss", "exp", "nbf", "cnf"] {
        let mut new = new_vc();
        let path = ClaimPath::names([name]);
        new.frame.disclosable.push(path.clone());
        assert_eq!(
            made(&new),
            Err(VcError::Issue(IssueError::NeverDisclosable(path)))
        );
    }
    makes();
}

#[test]
fn copies_of_one_day_have_the_same_times() {
    assert_eq!(day(NOW), day(NOW + 86_399 - NOW % 86_400));
    assert_eq!(day(NOW) % 86_400, 0);
    assert_eq!(day(0), 0);
}

#[test]
fn a_credential_is_shown_in_part_and_bound() {
    let text = made(&new_vc()).unwrap();
    let vc = read(&text).unwrap();
    let presentation = vc.disclosed().select(&paths(json!([["age_over_21"]]))).unwrap();
    let shown = read(&presentation.bind(&holder(), &binding()).unwrap()).unwrap();
    assert_eq!(shown.claims().get("age_over_21"), Some(&json!(true)));
    assert!(!shown.claims().contains_key("name"));
    assert_eq!(
        shown.key_binding(&expected()).unwrap().key(),
        &holder().public_key()
    );
}

/// Between our own parts SM2 with SM3 works; others do not know either name.
// test: JWS-05
#[test]
fn sm2_and_sm3_work_between_our_own_parts() {
    use realdid_credential::HashAlg;
    let key = SecretKey::from_seed(KeyType::Sm2, &[3; 32]);
    let holder = SecretKey::from_seed(KeyType::Sm2, &[4; 32]);
    let mut new = NewVc {
        holder: Some(holder.public_key()),
        ..new_vc()
    };
    new.frame.hash = HashAlg::Sm3;
    let text = issue(&key, &IssuerHeader::default(), &new, &mut rng()).unwrap();
    let vc = UnverifiedVc::parse(&text).unwrap();
    assert_eq!(vc.sd_jwt().stated("_sd_alg"), Some(&json!("sm3")));
    assert_eq!(vc.sd_jwt().jwt().algorithm(), "SM2SM3");
    assert_eq!(
        vc.sd_jwt().stated("cnf"),
        Some(&json!({ "jwk": Jwk::of(&holder.public_key()) }))
    );
    let other = vc.verify(&issuer().public_key(), &TIMES).err();
    assert_eq!(
        other,
        Some(VcError::SdJwt(SdJwtError::Issuer(JwsError::Algorithm)))
    );
    let verified = vc.verify(&key.public_key(), &TIMES).unwrap();
    let presentation = verified.disclosed().select(&paths(json!([["name"]]))).unwrap();
    let bound = presentation.bind(&holder, &binding()).unwrap();
    let shown = UnverifiedVc::parse(&bound)
        .unwrap()
        .verify(&key.public_key(), &TIMES)
        .unwrap();
    assert!(shown.key_binding(&expected()).is_ok());
}

#[test]
fn there_is_one_format_and_room_for_more() {
    assert_eq!(Format::from_name("dc+sd-jwt"), Some(Format::SdJwtVc));
    assert_eq!(Format::SdJwtVc.as_str(), "dc+sd-jwt");
    assert_eq!(Format::from_name("mso_mdoc"), None);
}

#[test]
fn every_error_has_a_code_and_a_hint() {
    let errors = [
        VcError::Type,
        VcError::Time("exp"),
        VcError::SdJwt(SdJwtError::Unbound),
        VcError::Issue(IssueError::ReservedName),
        VcError::ReservedClaim("vct"),
    ];
    for error in errors {
        assert!(!error.code().is_empty() && error.hint().ends_with('.'), "{error}");
    }
}
