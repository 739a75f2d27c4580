//! What is refused of credentials, and by which code: for software in other languages, which has to
//! refuse the same.

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

/// Claims that a credential has about itself: each value is wrong in some way, or at the limit of what is
/// right. The time is 1,800,000,000.
const CLAIMS: &str = r##"[
    ["vct", ["", 5, null, "a b", "a\u00a0b", "a\u0007", ["urn:x"]]],
    ["iss", [5, null, ["x"]]],
    ["iat", [1800000061, 1800000060, -1, "1", 1e300, 1.5, null]],
    ["nbf", [1800000061, 1800000060, 18446744073709551615, [1800000000], true]],
    ["exp", [1799999940, 1799999941, 0, 253402300800, -0.5]],
    ["aka_vcts", [["urn:example:document"], [], "x", [5], [""], null, ["urn:example:licence:1"],
        ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16", "17"]]],
    ["cnf", ["key", null, [{}], { "jwk": "key" }, { "jwk": { "d": "AAAA" } }, { "jkt": "x" }]],
    ["status", [{}, "revoked", null,
        { "status_list": { "idx": 7, "uri": "https://issuer.example/status/1" } },
        { "status_list": { "idx": "7", "uri": "https://issuer.example/status/1" } },
        { "status_list": { "idx": 7.0, "uri": "https://issuer.example/status/1" } },
        { "status_list": { "idx": -7, "uri": "https://issuer.example/status/1" } },
        { "status_list": { "idx": 18446744073709551615, "uri": "https://issuer.example/status/1" } },
        { "status_list": { "idx": 7, "uri": "ftp://issuer.example" } },
        { "status_list": { "idx": 7, "uri": "https://" } },
        { "status_list": { "idx": 7, "uri": "https://issuer.example/#a" } },
        { "status_list": { "idx": 7, "uri": "https://issuer.example/\u00e9" } }]],
    ["vct#integrity", ["", 5, "md5-AAAA", "sha256-AAAA", "sha256-!", null,
        "sha256-RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=",
        "md5-AA sha256-RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=?x"]],
    ["_sd_alg", ["sha-384", "sha-256-32", "SHA-256", 256, null]],
    ["_sd", [[], "x", {}, [5], ["x", "x"], null]],
    ["...", ["x"]],
    ["a", [{ "...": "x" }, [{ "...": "x" }], [{ "...": "x", "more": 1 }], [{ "...": 5 }], { "_sd_alg": "sha-256" },
        { "_sd": ["x", "x"] }, [{ "_sd": 5 }]]],
    ["__proto__", [{ "x": 1 }]]
]"##;

fn claims() -> Vec<(String, String)> {
    let mut claims: Vec<(String, Vec<Value>)> = serde_json::from_str(CLAIMS).unwrap();
    let nested = |levels: usize| (0..levels).fold(json!(1), |inner, _| json!([inner]));
    claims.push(("a".to_owned(), vec![nested(31), nested(32), nested(126)]));
    let texts = claims.into_iter().flat_map(|(name, values)| {
        let text = move |value: Value| (format!("{name} {value}"), forged(&with(&name, value), &[]));
        values.into_iter().map(text).collect::<Vec<_>>()
    });
    texts.collect()
}

/// What stands in disclosures of members.
const DISCLOSURES: &str = r#"[
    ["salt", "value"],
    ["salt", "name", "value", "more"],
    [5, "name", "value"],
    ["salt", 5, "value"],
    { "salt": "name" },
    ["salt", "_sd", ["x"]],
    ["salt", "...", "x"],
    ["salt", "_sd_alg", "sha-256"],
    ["salt", "a", { "_sd_alg": "sha-256" }],
    ["salt", "vct", "again"],
    ["salt", "exp", 1800000005],
    ["salt", "nbf", 1800000000],
    ["salt", "name", null],
    ["salt", "__proto__", { "x": 1 }]
]"#;

/// A payload with the digest of one disclosure, which is sent.
fn named(encoded: String) -> String {
    forged(&with("_sd", json!([digest(&encoded)])), &[encoded])
}

/// Disclosures that are wrong in themselves.
fn disclosures() -> Vec<(String, String)> {
    let contents: Vec<Value> = serde_json::from_str(DISCLOSURES).unwrap();
    let texts = contents.into_iter().map(|content| {
        let text = named(disclosure(&content));
        (format!("the disclosure {content}"), text)
    });
    let raw: [(&str, &[u8]); 3] = [
        ("a name twice within", br#"["salt","name",{"a":1,"a":2}]"#),
        ("no UTF-8", b"[\"salt\",\"\xff\",1]"),
        ("half a character", br#"["salt","\ud800",1]"#),
    ];
    let raw = raw.map(|(name, bytes)| (name.to_owned(), named(base64url_encode(bytes))));
    let text = ("no base64url".to_owned(), named("=x".to_owned()));
    texts.chain(raw).chain([text]).collect()
}

/// Disclosures that do not fit where they are named.
fn misplaced() -> Vec<(String, String)> {
    let name = disclosure(&json!(["salt", "name", "Möbius"]));
    let element = disclosure(&json!(["salt", "B"]));
    let jwk = disclosure(&json!(["salt", "jwk", cnf()["jwk"]]));
    let with_name = with("_sd", json!([digest(&name)]));
    let also = |member: &str, value: Value| {
        let mut payload = with_name.clone();
        payload[member] = value;
        payload
    };
    let list = with(
        "classes",
        json!([{ "...": digest(&element) }, { "...": digest("hidden") }]),
    );
    let for_element = with("a", json!([{ "...": digest(&name) }]));
    let in_cnf = with("cnf", json!({ "_sd": [digest(&jwk)] }));
    let texts = [
        ("a name", forged(&with_name, std::slice::from_ref(&name))),
        ("a name that is kept back", forged(&with_name, &[])),
        ("a name twice", forged(&with_name, &[name.clone(), name.clone()])),
        (
            "a disclosure that nobody named",
            forged(&payload(), std::slice::from_ref(&name)),
        ),
        ("an element", forged(&list, &[element])),
        (
            "a member for an element",
            forged(&for_element, std::slice::from_ref(&name)),
        ),
        (
            "a name that is there",
            forged(&also("name", json!("x")), std::slice::from_ref(&name)),
        ),
        ("a digest in two places", {
            forged(
                &also("b", json!({ "_sd": [digest(&name)] })),
                std::slice::from_ref(&name),
            )
        }),
        ("the holder's key behind a digest", forged(&in_cnf, &[jwk])),
    ];
    texts.map(|(name, text)| (name.to_owned(), text)).to_vec()
}

/// Headers of the issuer's part.
const HEADERS: &str = r#"[
    { "alg": "ES256", "typ": "vc+sd-jwt" },
    { "alg": "ES256" },
    { "alg": "ES256", "typ": 5 },
    { "alg": "EdDSA", "typ": "dc+sd-jwt" },
    { "typ": "dc+sd-jwt" },
    { "alg": "none", "typ": "dc+sd-jwt" },
    { "alg": "ES256", "typ": "dc+sd-jwt", "crit": ["x"] },
    { "alg": "ES256", "typ": "dc+sd-jwt", "kid": 5 },
    { "alg": "ES256", "typ": "dc+sd-jwt", "kid": "did:real:sandbox:a#key-1" },
    { "alg": "ES256", "typ": "dc+sd-jwt", "kid": "did:real:sandbox:a" },
    { "alg": "ES256", "typ": "dc+sd-jwt", "kid": "did:real:sandbox:b#key-1" },
    { "alg": "ES256", "typ": "dc+sd-jwt", "kid": "did:real:sandbox:ab#key-1" }
]"#;

/// Texts of claims, some of which are no JSON, or none that has one meaning.
const TEXTS: [&str; 10] = [
    r#"{"vct":"a","vct":"urn:x"}"#,
    "[]",
    "\u{feff}{\"vct\":\"urn:x\"}",
    r#"{"vct":"urn:x","a":"\udc00"}"#,
    "{\"vct\":\"urn:x\",\"a\":\"\u{1}\"}",
    r#"{"vct":"urn:x","a":1e999}"#,
    r#"{"vct":"urn:x","a":01}"#,
    r#"{"vct":"urn:x","a":1,}"#,
    " {\t\"vct\" :\r\n\"urn:x\" } ",
    r#"{"vct":"urn:x","a":[1.0,1e2,-0,-7,9007199254740993]}"#,
];

/// Messages that are no credentials of this issuer, whatever is in them.
fn messages() -> Vec<(String, String)> {
    let good = forged(&payload(), &[]);
    let other = SecretKey::from_seed(KeyType::P256, &[7; 32]);
    let input = good.rsplit_once('.').unwrap().0;
    let texts = [
        ("good", good.clone()),
        ("no tilde", good.trim_end_matches('~').to_owned()),
        ("an empty disclosure", format!("{good}~")),
        ("nothing", String::new()),
        ("a tilde", "~".to_owned()),
        ("two parts", "e30.e30~".to_owned()),
        ("four parts", format!("e30.{good}")),
        ("too many", format!("{good}{}", "A~".repeat(1025))),
        ("another's signature", {
            format!(
                "{input}.{}~",
                base64url_encode(other.sign_raw(input.as_bytes()).0)
            )
        }),
    ];
    let headers: Vec<Value> = serde_json::from_str(HEADERS).unwrap();
    let of_did = with("iss", json!("did:real:sandbox:a"));
    let headers = headers.into_iter().map(|header| {
        let text = forged_with(&header, &of_did, &[]);
        (format!("the header {header}"), text)
    });
    let claims = TEXTS.into_iter().map(|claims| {
        let head = base64url_encode(r#"{"alg":"ES256","typ":"dc+sd-jwt"}"#);
        let input = format!("{head}.{}", base64url_encode(claims));
        let signature = base64url_encode(issuer().sign_raw(input.as_bytes()).0);
        (format!("the claims {claims}"), format!("{input}.{signature}~"))
    });
    let texts = texts.map(|(name, text)| (name.to_owned(), text));
    texts.into_iter().chain(headers).chain(claims).collect()
}

/// Claims of a key binding, each value as in [`CLAIMS`].
const BINDING_CLAIMS: &str = r#"[
    ["iat", [1799999700, 1799999699, 1800000060, 1800000061, "1", 1799999999.75, null]],
    ["aud", ["other", ["x509_san_dns:rental.example"], null]],
    ["nonce", ["other", 5]],
    ["sd_hash", ["other", 5]],
    ["exp", [1800000000, 1800000001, "1", null]],
    ["nbf", [1800000060, 1800000061, []]]
]"#;

/// An SD-JWT with a key binding of any header and claims, by any key; `sd_hash` is the right one.
fn bound(text: &str, key: &SecretKey, header: &Value, changed: &Value) -> String {
    let mut claims = json!({ "iat": NOW, "aud": AUDIENCE, "nonce": NONCE, "sd_hash": digest(text) });
    for (name, value) in changed.as_object().unwrap() {
        claims[name] = value.clone();
    }
    let input = format!(
        "{}.{}",
        base64url_encode(header.to_string()),
        base64url_encode(claims.to_string())
    );
    format!(
        "{text}{input}.{}",
        base64url_encode(key.sign_raw(input.as_bytes()).0)
    )
}

/// Key bindings with one claim or header changed.
fn bindings() -> Vec<(String, String)> {
    let text = forged(&payload(), &[]);
    let header = json!({ "alg": "ES256", "typ": "kb+jwt" });
    let mut texts = vec![
        ("not bound".to_owned(), text.clone()),
        ("bound".to_owned(), bound(&text, &holder(), &header, &json!({}))),
        (
            "bound by a thief".to_owned(),
            bound(&text, &issuer(), &header, &json!({})),
        ),
        ("bound by nothing".to_owned(), format!("{text}x")),
    ];
    for header in [
        json!({ "alg": "ES256" }),
        json!({ "alg": "ES256", "typ": "JWT" }),
        json!({ "alg": "EdDSA", "typ": "kb+jwt" }),
        json!({ "typ": "kb+jwt" }),
    ] {
        texts.push((
            format!("bound with {header}"),
            bound(&text, &holder(), &header, &json!({})),
        ));
    }
    let claims: Vec<(String, Vec<Value>)> = serde_json::from_str(BINDING_CLAIMS).unwrap();
    for (name, values) in claims {
        for value in values {
            let changed = json!({ name.as_str(): value });
            texts.push((
                format!("bound with {changed}"),
                bound(&text, &holder(), &header, &changed),
            ));
        }
    }
    texts
}

/// Credentials that name no key that could bind them, or other verifiers.
fn unfit_to_bind() -> Vec<(String, String)> {
    let header = json!({ "alg": "ES256", "typ": "kb+jwt" });
    let mut off_curve = cnf();
    off_curve["jwk"]["y"] = off_curve["jwk"]["x"].clone();
    let holders = [
        json!({}),
        json!({ "jwk": {} }),
        json!({ "jwk": { "kty": "oct", "k": "AA" } }),
        off_curve,
    ];
    let audiences = [
        json!(AUDIENCE),
        json!(["x", AUDIENCE]),
        json!("x"),
        json!([]),
        json!(null),
    ];
    let changes = holders
        .map(|cnf| ("cnf", cnf))
        .into_iter()
        .chain(audiences.map(|aud| ("aud", aud)));
    let texts = changes.map(|(name, value)| {
        let text = forged(&with(name, value.clone()), &[]);
        (
            format!("{name} {value}"),
            bound(&text, &holder(), &header, &json!({})),
        )
    });
    texts.collect()
}

// test: JWS-01, JWS-03, JWS-05, JWS-06, SDJ-02, SDJ-03, SDJ-05, SDJ-06, SDJ-07, SDJ-08, SDJ-09
// test: SDJ-10, SDJ-11, SDJ-12, SDJ-13, SDJ-14, SDJ-15, SDJ-17, SDJ-18, SDJ-19, SDJ-20, SDJ-21
// test: SDJ-22, SDJ-23, SDJ-24, SDJ-25, SDJ-26, SDJ-32, STL-09, SVC-01, SVC-02, SVC-03, SVC-04
// test: SVC-05, SVC-06, SVC-07, SVC-08, SVC-09, SVC-10, SVC-11, SVC-12, SVC-32
#[test]
fn refused_credentials_are_frozen() {
    let unbound = [claims(), disclosures(), misplaced(), messages()].concat();
    let bound = [bindings(), unfit_to_bind()].concat();
    let mut cases = Vec::new();
    for (texts, bound) in [(unbound, false), (bound, true)] {
        for (name, text) in texts {
            let outcome = judge(&text, bound);
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
