//! What is refused of credentials, and by which code: for software in other languages, which has to
//! refuse the same.

use realdid_credential::Integrity;
use realdid_credential::vc::{Times, UnverifiedVc, VcError};
use realdid_crypto::{KeyType, SecretKey, base64url_encode};
use realdid_jose::jwk::Jwk;
use serde_json::{Value, json};

use crate::frozen;
use crate::support::{
    AUDIENCE, NONCE, NOW, binding, cnf, digest, disclosure, expected, forged, forged_with, holder, issuer,
};
use crate::tampering::{flips, outcome};

fn judge(text: &str, bound: bool) -> String {
    let verdict = UnverifiedVc::parse(text).and_then(|vc| {
        let vc = vc.verify(&issuer().public_key(), &Times { now: NOW, leeway: 60 })?;
        bound.then(|| vc.key_binding(&expected()).map(|_| ())).transpose()
    });
    outcome(verdict, VcError::code)
}

/// The claims of a credential that holds.
fn shown(text: &str) -> Value {
    let vc = UnverifiedVc::parse(text).unwrap();
    let times = Times { now: NOW, leeway: 60 };
    json!(vc.verify(&issuer().public_key(), &times).unwrap().claims())
}

fn payload() -> Value {
    json!({
        "vct": "urn:example:licence:1",
        "iss": "https://issuer.example",
        "iat": NOW - 10,
        "exp": NOW + 1000,
        "cnf": cnf(),
    })
}

/// The good payload with one claim changed.
fn with(name: &str, value: Value) -> Value {
    let mut payload = payload();
    payload[name] = value;
    payload
}

/// Claims that a credential has about itself, each wrong in some way or at the limit of what is right.
fn claims() -> Vec<(String, String)> {
    let long: Vec<String> = (0..17).map(|n| format!("urn:{n}")).collect();
    let mut private = cnf();
    private["jwk"]["d"] = json!("AAAA");
    let place = |idx: Value, uri: &str| json!({ "status_list": { "idx": idx, "uri": uri } });
    let list = "https://issuer.example/status/1";
    let claims = [
        (
            "vct",
            vec![
                json!(""),
                json!(5),
                json!(null),
                json!("a b"),
                json!("a\u{a0}b"),
                json!("a\u{7}"),
            ],
        ),
        ("iss", vec![json!(5), json!(null), json!(["x"])]),
        (
            "iat",
            vec![
                json!(NOW + 61),
                json!(NOW + 60),
                json!(-1),
                json!("1"),
                json!(1e300),
                json!(1.5),
                json!(null),
            ],
        ),
        (
            "nbf",
            vec![
                json!(NOW + 61),
                json!(NOW + 60),
                json!(u64::MAX),
                json!([NOW]),
                json!(true),
            ],
        ),
        (
            "exp",
            vec![
                json!(NOW - 60),
                json!(NOW - 59),
                json!(0),
                json!(253_402_300_800_u64),
                json!(-0.5),
            ],
        ),
        (
            "aka_vcts",
            vec![
                json!(["urn:example:document"]),
                json!([]),
                json!("x"),
                json!([5]),
                json!([""]),
                json!(null),
                json!(long),
                json!(["urn:example:licence:1"]),
            ],
        ),
        (
            "cnf",
            vec![
                json!("key"),
                json!(null),
                json!([cnf()]),
                json!({ "jwk": "key" }),
                private,
                json!({ "jkt": "x" }),
            ],
        ),
        (
            "status",
            vec![
                json!({}),
                json!("revoked"),
                json!(null),
                place(json!(7), list),
                place(json!("7"), list),
                place(json!(7.0), list),
                place(json!(-7), list),
                place(json!(7), "ftp://issuer.example"),
                place(json!(7), "https://"),
                place(json!(7), "https://issuer.example/#a"),
                place(json!(7), "https://issuer.example/\u{e9}"),
                place(json!(u64::MAX), list),
            ],
        ),
        (
            "vct#integrity",
            vec![
                json!(Integrity::of(b"{}").as_str()),
                json!(format!("md5-AA {}?x", Integrity::of(b"{}").as_str())),
                json!(""),
                json!(5),
                json!("md5-AAAA"),
                json!("sha256-AAAA"),
                json!("sha256-!"),
                json!(null),
            ],
        ),
        (
            "_sd_alg",
            vec![
                json!("sha-384"),
                json!("sha-256-32"),
                json!("SHA-256"),
                json!(256),
                json!(null),
            ],
        ),
        (
            "_sd",
            vec![
                json!([]),
                json!("x"),
                json!({}),
                json!([5]),
                json!(["x", "x"]),
                json!(null),
            ],
        ),
        ("...", vec![json!("x")]),
        (
            "a",
            vec![
                json!({ "...": "x" }),
                json!([{ "...": "x" }]),
                json!([{ "...": "x", "more": 1 }]),
                json!([{ "...": 5 }]),
                json!({ "_sd_alg": "sha-256" }),
                json!({ "_sd": ["x", "x"] }),
                json!([{ "_sd": 5 }]),
                (0..31).fold(json!(1), |inner, _| json!([inner])),
                (0..32).fold(json!(1), |inner, _| json!([inner])),
                (0..126).fold(json!(1), |inner, _| json!([inner])),
            ],
        ),
    ];
    let texts = claims.into_iter().flat_map(|(name, values)| {
        let text = move |value: Value| (format!("{name} {value}"), forged(&with(name, value), &[]));
        values.into_iter().map(text)
    });
    texts.collect()
}

/// Disclosures that are wrong, or do not fit where they are named.
fn disclosures() -> Vec<(String, String)> {
    let name = disclosure(&json!(["salt", "name", "Möbius"]));
    let member = |content: Value| disclosure(&content);
    let wrong = [
        json!(["salt", "value"]),
        json!(["salt", "name", "value", "more"]),
        json!([5, "name", "value"]),
        json!(["salt", 5, "value"]),
        json!({ "salt": "name" }),
        json!(["salt", "_sd", ["x"]]),
        json!(["salt", "...", "x"]),
        json!(["salt", "_sd_alg", "sha-256"]),
        json!(["salt", "a", { "_sd_alg": "sha-256" }]),
        json!(["salt", "vct", "again"]),
        json!(["salt", "exp", NOW + 5]),
        json!(["salt", "nbf", NOW]),
        json!(["salt", "name", null]),
        json!(["salt", "__proto__", { "x": 1 }]),
    ];
    let mut texts: Vec<_> = wrong
        .into_iter()
        .map(|content| {
            let text = forged(
                &with("_sd", json!([digest(&member(content.clone()))])),
                &[member(content.clone())],
            );
            (format!("the disclosure {content}"), text)
        })
        .collect();
    let element = disclosure(&json!(["salt", "B"]));
    let named = |payload: &Value, sent: &[&String]| {
        let sent: Vec<_> = sent.iter().map(|text| (*text).clone()).collect();
        forged(payload, &sent)
    };
    let with_name = with("_sd", json!([digest(&name)]));
    let list = with(
        "classes",
        json!([{ "...": digest(&element) }, { "...": digest("hidden") }]),
    );
    let twice = base64url_encode(r#"["salt","name",{"a":1,"a":2}]"#);
    let latin = base64url_encode(b"[\"salt\",\"\xff\",1]");
    let lone = base64url_encode(r#"["salt","\ud800",1]"#);
    let status = disclosure(&json!(["salt", "jwk", cnf()["jwk"]]));
    let more = [
        ("a name", named(&with_name, &[&name])),
        ("a name that is kept back", named(&with_name, &[])),
        ("a name twice", named(&with_name, &[&name, &name])),
        ("a disclosure that nobody named", named(&payload(), &[&name])),
        ("an element", named(&list, &[&element])),
        (
            "a member for an element",
            named(&with("a", json!([{ "...": digest(&name) }])), &[&name]),
        ),
        (
            "a name that is there",
            named(
                &{
                    let mut p = with_name.clone();
                    p["name"] = json!("x");
                    p
                },
                &[&name],
            ),
        ),
        (
            "a digest in two places",
            named(
                &{
                    let mut p = with_name.clone();
                    p["b"] = json!({ "_sd": [digest(&name)] });
                    p
                },
                &[&name],
            ),
        ),
        (
            "a name twice within",
            named(&with("_sd", json!([digest(&twice)])), &[&twice]),
        ),
        (
            "no UTF-8",
            named(&with("_sd", json!([digest(&latin)])), &[&latin]),
        ),
        (
            "half a character",
            named(&with("_sd", json!([digest(&lone)])), &[&lone]),
        ),
        (
            "the holder's key behind a digest",
            named(&with("cnf", json!({ "_sd": [digest(&status)] })), &[&status]),
        ),
        (
            "no base64url",
            named(
                &with("_sd", json!([digest(&"=x".to_owned())])),
                &[&"=x".to_owned()],
            ),
        ),
    ];
    texts.extend(more.map(|(name, text)| (name.to_owned(), text)));
    texts
}

/// Messages that are no credentials of this issuer, whatever is in them.
fn messages() -> Vec<(String, String)> {
    let good = forged(&payload(), &[]);
    let header = |header: Value| forged_with(&header, &payload(), &[]);
    let raw = |head: &str, claims: &str| {
        let input = format!("{}.{}", base64url_encode(head), base64url_encode(claims));
        format!(
            "{input}.{}~",
            base64url_encode(issuer().sign_raw(input.as_bytes()).0)
        )
    };
    let head = r#"{"alg":"ES256","typ":"dc+sd-jwt"}"#;
    let mut did = payload();
    did["iss"] = json!("did:real:sandbox:a");
    let of_did = |kid: &str| {
        forged_with(
            &json!({ "alg": "ES256", "typ": "dc+sd-jwt", "kid": kid }),
            &did,
            &[],
        )
    };
    let texts = [
        ("good", good.clone()),
        ("no tilde", good.trim_end_matches('~').to_owned()),
        ("an empty disclosure", format!("{good}~")),
        ("nothing", String::new()),
        ("a tilde", "~".to_owned()),
        ("two parts", "e30.e30~".to_owned()),
        ("four parts", format!("e30.{good}")),
        ("too long", format!("{good}{}~", "A".repeat(300 * 1024))),
        ("too many", format!("{good}{}", "A~".repeat(1025))),
        (
            "another type",
            header(json!({ "alg": "ES256", "typ": "vc+sd-jwt" })),
        ),
        ("no type", header(json!({ "alg": "ES256" }))),
        (
            "a type that is no text",
            header(json!({ "alg": "ES256", "typ": 5 })),
        ),
        (
            "another algorithm",
            header(json!({ "alg": "EdDSA", "typ": "dc+sd-jwt" })),
        ),
        ("no algorithm", header(json!({ "typ": "dc+sd-jwt" }))),
        ("none", header(json!({ "alg": "none", "typ": "dc+sd-jwt" }))),
        (
            "critical",
            header(json!({ "alg": "ES256", "typ": "dc+sd-jwt", "crit": ["x"] })),
        ),
        ("a claim twice", raw(head, r#"{"vct":"a","vct":"urn:x"}"#)),
        ("claims that are a list", raw(head, "[]")),
        (
            "claims with a byte order mark",
            raw(head, "\u{feff}{\"vct\":\"urn:x\"}"),
        ),
        (
            "claims with half a character",
            raw(head, r#"{"vct":"urn:x","a":"\udc00"}"#),
        ),
        (
            "claims with a control character",
            raw(head, "{\"vct\":\"urn:x\",\"a\":\"\u{1}\"}"),
        ),
        (
            "claims with a number too large",
            raw(head, r#"{"vct":"urn:x","a":1e999}"#),
        ),
        (
            "claims with a number that begins with 0",
            raw(head, r#"{"vct":"urn:x","a":01}"#),
        ),
        ("claims with a comma more", raw(head, r#"{"vct":"urn:x","a":1,}"#)),
        (
            "claims with white space",
            raw(head, " {\t\"vct\" :\r\n\"urn:x\" } "),
        ),
        ("another's signature", {
            let other = SecretKey::from_seed(KeyType::P256, &[7; 32]);
            let input = good.rsplit_once('.').unwrap().0;
            format!(
                "{input}.{}~",
                base64url_encode(other.sign_raw(input.as_bytes()).0)
            )
        }),
        ("the DID of the key", of_did("did:real:sandbox:a#key-1")),
        ("the DID without its key", of_did("did:real:sandbox:a")),
        ("another DID", of_did("did:real:sandbox:b#key-1")),
        ("a DID that begins alike", of_did("did:real:sandbox:ab#key-1")),
    ];
    texts.map(|(name, text)| (name.to_owned(), text)).to_vec()
}

/// Key bindings with one claim or header changed.
fn bindings() -> Vec<(String, String)> {
    let text = forged(&payload(), &[]);
    let bound = |text: &str, key: &SecretKey, header: &Value, claims: &Value| {
        let input = format!(
            "{}.{}",
            base64url_encode(header.to_string()),
            base64url_encode(claims.to_string())
        );
        format!(
            "{text}{input}.{}",
            base64url_encode(key.sign_raw(input.as_bytes()).0)
        )
    };
    let header = json!({ "alg": "ES256", "typ": "kb+jwt" });
    let claims = json!({ "iat": NOW, "aud": AUDIENCE, "nonce": NONCE, "sd_hash": digest(&text) });
    let mut texts = vec![
        ("not bound".to_owned(), text.clone()),
        ("bound".to_owned(), bound(&text, &holder(), &header, &claims)),
        (
            "bound by a thief".to_owned(),
            bound(&text, &issuer(), &header, &claims),
        ),
        ("bound by nothing".to_owned(), format!("{text}x")),
    ];
    for changed in [
        json!({ "alg": "ES256" }),
        json!({ "alg": "ES256", "typ": "JWT" }),
        json!({ "alg": "EdDSA", "typ": "kb+jwt" }),
        json!({ "typ": "kb+jwt" }),
    ] {
        texts.push((
            format!("bound with {changed}"),
            bound(&text, &holder(), &changed, &claims),
        ));
    }
    for (name, values) in [
        (
            "iat",
            vec![
                json!(NOW - 300),
                json!(NOW - 301),
                json!(NOW + 60),
                json!(NOW + 61),
                json!("1"),
                json!(NOW as f64 - 0.25),
            ],
        ),
        ("aud", vec![json!("other"), json!([AUDIENCE]), json!(null)]),
        ("nonce", vec![json!("other"), json!(5)]),
        ("sd_hash", vec![json!(digest("other")), json!(5)]),
        ("exp", vec![json!(NOW), json!(NOW + 1), json!("1"), json!(null)]),
        ("nbf", vec![json!(NOW + 60), json!(NOW + 61), json!([])]),
    ] {
        for value in values {
            let mut claims = claims.clone();
            claims[name] = value.clone();
            texts.push((
                format!("bound with {name} {value}"),
                bound(&text, &holder(), &header, &claims),
            ));
        }
    }
    let mut off_curve = cnf();
    off_curve["jwk"]["y"] = off_curve["jwk"]["x"].clone();
    for cnf in [
        json!({}),
        json!({ "jwk": {} }),
        json!({ "jwk": { "kty": "oct", "k": "AA" } }),
        off_curve,
    ] {
        let text = forged(&with("cnf", cnf.clone()), &[]);
        let mut claims = claims.clone();
        claims["sd_hash"] = json!(digest(&text));
        texts.push((
            format!("bound to {cnf}"),
            bound(&text, &holder(), &header, &claims),
        ));
    }
    for audience in [
        json!(AUDIENCE),
        json!(["x", AUDIENCE]),
        json!("x"),
        json!([]),
        json!(null),
    ] {
        let text = forged(&with("aud", audience.clone()), &[]);
        let mut claims = claims.clone();
        claims["sd_hash"] = json!(digest(&text));
        texts.push((
            format!("meant for {audience}"),
            bound(&text, &holder(), &header, &claims),
        ));
    }
    texts
}

// test: JWS-01, JWS-03, JWS-05, JWS-06, SDJ-02, SDJ-03, SDJ-05, SDJ-06, SDJ-07, SDJ-08, SDJ-09
// test: SDJ-10, SDJ-11, SDJ-12, SDJ-13, SDJ-14, SDJ-15, SDJ-17, SDJ-18, SDJ-19, SDJ-20, SDJ-21
// test: SDJ-22, SDJ-23, SDJ-24, SDJ-25, SDJ-26, SDJ-32, STL-09, SVC-01, SVC-02, SVC-03, SVC-04
// test: SVC-05, SVC-06, SVC-07, SVC-08, SVC-09, SVC-10, SVC-11, SVC-12, SVC-32
#[test]
fn refused_credentials_are_frozen() {
    let unbound = [claims(), disclosures(), messages()].concat();
    let mut cases = Vec::new();
    for (texts, bound) in [(unbound, false), (bindings(), true)] {
        for (name, text) in texts {
            let outcome = judge(&text, bound);
            // what is long says nothing more by its length
            if text.len() > 100_000 {
                continue;
            }
            let claims = (outcome == "ok").then(|| shown(&text));
            cases.push(
                json!({ "name": name, "text": text, "bound": bound, "outcome": outcome, "claims": claims }),
            );
        }
    }
    let name = disclosure(&json!(["salt", "name", "Möbius"]));
    let vc = forged(&with("_sd", json!([digest(&name)])), &[name]);
    let vc = UnverifiedVc::parse(&vc).unwrap();
    let vc = vc
        .verify(&issuer().public_key(), &Times { now: NOW, leeway: 60 })
        .unwrap();
    let path = crate::support::path(json!(["name"]));
    let presented = vc
        .disclosed()
        .select(&[path])
        .unwrap()
        .bind(&holder(), &binding())
        .unwrap();
    assert_eq!(judge(&presented, true), "ok");
    let flips = flips(presented.as_bytes(), |changed| {
        judge(std::str::from_utf8(changed).unwrap(), true)
    });
    let file = json!({
        "description": "Credentials with outcomes (and the claims that are shown), their key binding checked where `bound` says so; and a presentation \
                        with what becomes of it when the lowest bit of one character is changed, for each in turn, \
                        as runs of outcome and count.",
        "source": "crates/credential/tests/it/refusals.rs; codes of realdid_credential::vc::VcError",
        "issuer_key": Jwk::of(&issuer().public_key()),
        "audience": AUDIENCE,
        "nonce": NONCE,
        "now": NOW,
        "cases": cases,
        "presented": presented,
        "flips": flips,
    });
    frozen::compare("refused_credentials.json", &file);
}
