//! The messages of OpenID4VCI 1.0 and the OAuth beneath it, each rule broken once.

use realdid_crypto::{KeyType, SecretKey, base64url_encode};
use realdid_jose::jwk::Jwk;
use realdid_jose::jws::{JwsError, sign_with_header};
use realdid_openid::oauth::authorization::{AuthorizationDetail, is_wallet_address, read_details};
use realdid_openid::oauth::server_metadata::{MetadataError, well_known};
use realdid_openid::oauth::token::Grant;
use realdid_openid::oauth::{
    ErrorBody, ServerMetadata, TokenRequest, TokenRequestError, WalletRequest, WalletRequestError,
};
use realdid_openid::oidc::{AuthorizationError, AuthorizationParameters};
use realdid_openid::vci::offer::{OfferLink, link_to};
use realdid_openid::vci::proof::{self, UnverifiedProof};
use realdid_openid::vci::{
    CredentialOffer, CredentialRequest, CredentialRequestError, CredentialResponse, DeferredRequest,
    IssuerMetadata, KeyReference, NotificationError, NotificationRequest, OfferError, Outcome,
    PRE_AUTHORIZED_GRANT, ProofError, ProofExpectation, VerifiedProof, Wanted,
};
use serde_json::{Map, Value, json};

const NOW: u64 = 1_800_000_000;
const ISSUER: &str = "https://issuer.example";

fn offer() -> Value {
    json!({
        "credential_issuer": ISSUER,
        "credential_configuration_ids": ["licence"],
        "grants": { (PRE_AUTHORIZED_GRANT): { "pre-authorized_code": "code", "tx_code": { "length": 8, "description": "by mail" } } },
        "unknown": 1,
    })
}

fn read_offer(offer: &Value) -> Result<CredentialOffer, OfferError> {
    CredentialOffer::parse(offer.to_string().as_bytes(), false)
}

fn changed(mut value: Value, name: &str, to: Value) -> Value {
    value[name] = to;
    value
}

// test: VCI-01
// test: VCI-02
// test: VCI-03
// test: VP-01
#[test]
fn an_offer_names_an_issuer_and_credentials() {
    let query = changed(offer(), "credential_issuer", json!("https://issuer.example/?q"));
    assert_eq!(read_offer(&query), Err(OfferError::Issuer));
    for ids in [json!([]), json!(["a", "a"])] {
        assert_eq!(
            read_offer(&changed(offer(), "credential_configuration_ids", ids)),
            Err(OfferError::Configurations)
        );
    }
    let mut long = offer();
    long["grants"][PRE_AUTHORIZED_GRANT]["tx_code"]["description"] = json!("x".repeat(301));
    assert_eq!(read_offer(&long), Err(OfferError::Description));
    for address in ["http://issuer.example", "ftp://issuer.example", "issuer"] {
        let offer = changed(offer(), "credential_issuer", json!(address));
        assert!(matches!(read_offer(&offer), Err(OfferError::Address(_))));
    }
    assert_eq!(CredentialOffer::parse(b"[]", false), Err(OfferError::Form));
    let read = read_offer(&offer()).unwrap();
    assert_eq!(read.tx_code().unwrap().length, Some(8));
    assert!(
        !format!("{read:?}").contains("\"code\""),
        "the code is not printed"
    );
}

// test: VCI-04
// test: VP-01
#[test]
fn a_link_has_one_offer_or_its_address() {
    let by_value = read_offer(&offer()).unwrap().link();
    assert!(by_value.starts_with("openid-credential-offer://?credential_offer=%7B"));
    let by_reference = link_to("https://issuer.example/offer/1");
    let both = format!("{by_value}&credential_offer_uri=https%3A%2F%2Fissuer.example");
    for bad in [
        both.as_str(),
        &format!("{by_reference}&credential_offer_uri=https%3A%2F%2Fa.example"),
    ] {
        assert_eq!(OfferLink::parse(bad, false), Err(OfferError::OneOf));
    }
    assert_eq!(
        OfferLink::parse("openid-credential-offer://", false),
        Err(OfferError::OneOf)
    );
    assert_eq!(
        OfferLink::parse(&by_value, false).unwrap(),
        OfferLink::Value(Box::new(read_offer(&offer()).unwrap()))
    );
    for scheme in ["haip://", "https://wallet.example/open"] {
        let link = by_reference.replace("openid-credential-offer://", scheme);
        assert!(matches!(
            OfferLink::parse(&link, false),
            Ok(OfferLink::Reference(_))
        ));
    }
    assert!(matches!(
        OfferLink::parse(&link_to("http://10.0.0.1/offer"), true),
        Err(OfferError::Address(_))
    ));
}

fn metadata() -> Value {
    json!({
        "credential_issuer": ISSUER,
        "authorization_servers": ["https://as.example"],
        "credential_endpoint": "https://issuer.example/credential",
        "credential_configurations_supported": {
            "licence": { "format": "dc+sd-jwt", "vct": "urn:x", "credential_signing_alg_values_supported": ["ES256"] },
            "mdl": { "format": "mso_mdoc", "doctype": "org.iso.18013.5.1.mDL", "credential_signing_alg_values_supported": [-7] },
            "odd": "not an object",
        },
    })
}

// test: VCI-05
// test: VCI-06
// test: OAU-01
#[test]
fn metadata_is_of_the_one_it_was_fetched_for() {
    let read = |value: &Value, issuer| IssuerMetadata::parse(value.to_string().as_bytes(), issuer);
    let other = read(&metadata(), "https://issuer.example/");
    assert_eq!(
        other,
        Err(MetadataError::Issuer("https://issuer.example/".into()))
    );
    let metadata = read(&metadata(), ISSUER).unwrap();
    assert_eq!(
        metadata.credential_configurations_supported.len(),
        2,
        "what cannot be read is left out"
    );
    assert_eq!(metadata.authorization_server(Some("https://evil.example")), None);
    assert_eq!(
        metadata.authorization_server(Some("https://as.example")),
        Some("https://as.example")
    );
    assert_eq!(metadata.authorization_server(None), Some("https://as.example"));
    let server =
        json!({ "issuer": "https://as.example", "token_endpoint": "https://as.example/token" }).to_string();
    let read = |issuer| ServerMetadata::parse(server.as_bytes(), issuer);
    assert_eq!(
        read("https://as.example/x"),
        Err(MetadataError::Issuer("https://as.example/x".into()))
    );
    assert!(
        read("https://as.example")
            .unwrap()
            .supports_grant(PRE_AUTHORIZED_GRANT)
    );
    assert_eq!(
        well_known("https://a.example/tenant", "openid-credential-issuer").unwrap(),
        "https://a.example/.well-known/openid-credential-issuer/tenant"
    );
    assert_eq!(
        well_known("https://a.example/", "x").unwrap(),
        "https://a.example/.well-known/x"
    );
    assert_eq!(
        well_known("https://a.example/?q", "x"),
        Err(MetadataError::Identifier)
    );
}

fn key(kind: KeyType) -> SecretKey {
    SecretKey::from_seed(kind, &[5; 32])
}

fn expected() -> ProofExpectation<'static> {
    ProofExpectation {
        issuer: ISSUER,
        client_id: Some("wallet"),
        algorithms: &[KeyType::P256, KeyType::Ed25519],
        now: NOW,
    }
}

fn parts() -> (Map<String, Value>, Value) {
    let header = json!({ "typ": "openid4vci-proof+jwt", "jwk": Jwk::of(&key(KeyType::P256).public_key()) });
    let claims = json!({ "aud": ISSUER, "iat": NOW, "nonce": "nonce", "iss": "wallet" });
    (header.as_object().unwrap().clone(), claims)
}

fn judge(key: &SecretKey, header: Map<String, Value>, claims: &Value) -> Result<VerifiedProof, ProofError> {
    let proof = UnverifiedProof::parse(&sign_with_header(key, header, claims).unwrap())?;
    match proof.key()? {
        KeyReference::Key(key) => proof.verify(&key, &expected()),
        KeyReference::DidUrl(_) => Err(ProofError::Key),
    }
}

fn with_header(name: &str, value: Value) -> Result<VerifiedProof, ProofError> {
    let (mut header, claims) = parts();
    header.insert(name.to_owned(), value);
    judge(&key(KeyType::P256), header, &claims)
}

fn with_claim(name: &str, value: Value) -> Result<VerifiedProof, ProofError> {
    let (header, claims) = parts();
    judge(&key(KeyType::P256), header, &changed(claims, name, value))
}

fn without_claim(name: &str) -> Result<VerifiedProof, ProofError> {
    let (header, mut claims) = parts();
    claims.as_object_mut().unwrap().remove(name);
    judge(&key(KeyType::P256), header, &claims)
}

// test: VCI-10
// test: VCI-11
// test: VCI-12
#[test]
fn a_key_proof_is_of_its_type_and_names_one_public_key() {
    assert_eq!(with_header("typ", json!("JWT")), Err(ProofError::Type));
    for name in ["kid", "x5c"] {
        assert_eq!(with_header(name, json!("did:jwk:e30#0")), Err(ProofError::OneKey));
    }
    let mut private = json!(Jwk::of(&key(KeyType::P256).public_key()));
    private["d"] = json!("AAAA");
    assert_eq!(with_header("jwk", private), Err(ProofError::PrivateKey));
    assert_eq!(
        with_header("jwk", json!({ "kty": "oct", "x": "AA", "crv": "x" })),
        Err(ProofError::Key)
    );
    assert_eq!(with_header("unknown", json!(1)).unwrap().nonce, "nonce");
}

#[test]
fn a_key_may_be_named_by_a_did_that_holds_it() {
    for kind in [KeyType::P256, KeyType::Ed25519] {
        let key = key(kind);
        let jwk = base64url_encode(json!(Jwk::of(&key.public_key())).to_string());
        let multikey = key.public_key().to_multikey();
        for kid in [
            format!("did:jwk:{jwk}#0"),
            format!("did:key:{multikey}#{multikey}"),
        ] {
            let (mut header, claims) = parts();
            header.remove("jwk");
            header.insert("kid".into(), json!(kid));
            assert_eq!(judge(&key, header, &claims).unwrap().key, key.public_key());
        }
    }
    for kid in ["0", "did:real:sandbox:z6M#k", "did:key:x", "did:jwk:%"] {
        let (mut header, claims) = parts();
        header.remove("jwk");
        header.insert("kid".into(), json!(kid));
        assert_eq!(
            judge(&key(KeyType::P256), header, &claims),
            Err(ProofError::Key),
            "{kid}"
        );
    }
}

// test: VCI-13
#[test]
fn a_key_proof_is_by_a_supported_algorithm() {
    let sm2 = key(KeyType::Sm2);
    let (mut header, claims) = parts();
    header.insert("jwk".into(), json!(Jwk::of(&sm2.public_key())));
    assert_eq!(judge(&sm2, header, &claims), Err(ProofError::Algorithm));
    assert!(with_claim("nonce", json!("other")).is_ok());
}

// test: JWS-06
#[test]
fn a_key_proof_is_signed_by_the_key_it_names() {
    let other = SecretKey::from_seed(KeyType::P256, &[6; 32]);
    let (header, claims) = parts();
    assert_eq!(
        judge(&other, header, &claims),
        Err(ProofError::Jws(JwsError::Signature))
    );
    assert!(with_claim("nonce", json!("other")).is_ok());
}

// test: VCI-14
// test: VCI-15
// test: VCI-16
// test: VCI-17
#[test]
fn a_key_proof_is_for_this_issuer_client_and_time() {
    for aud in [json!("https://issuer.example/"), json!([ISSUER]), json!(null)] {
        assert_eq!(with_claim("aud", aud), Err(ProofError::Audience));
    }
    for iat in [NOW + 31, NOW - 331] {
        assert_eq!(with_claim("iat", json!(iat)), Err(ProofError::Stale));
    }
    for iat in [json!("1800000000"), json!(-1), json!(null)] {
        assert_eq!(with_claim("iat", iat), Err(ProofError::Claim("iat")));
    }
    // Some divide milliseconds by a thousand and leave it at that (RFC 7519 §2).
    assert!(with_claim("iat", json!(1_800_000_000.25)).is_ok());
    for iss in [json!("another"), json!(1)] {
        assert_eq!(with_claim("iss", iss), Err(ProofError::Issuer));
    }
    assert_eq!(with_claim("nonce", json!(7)), Err(ProofError::NoNonce));
    assert_eq!(without_claim("nonce"), Err(ProofError::NoNonce));
    assert!(without_claim("iss").is_ok());
    let key = key(KeyType::P256);
    let input = proof::signing_input(&key.public_key(), ISSUER, None, Some("n"), NOW).unwrap();
    let signature = key.sign_raw(input.as_bytes());
    let proof = UnverifiedProof::parse(&input.finish(&signature)).unwrap();
    assert_eq!(proof.verify(&key.public_key(), &expected()).unwrap().nonce, "n");
}

// test: VCI-20
// test: VCI-21
// test: VCI-22
// test: JWS-01
#[test]
fn a_credential_request_names_one_credential_and_proofs() {
    let read = |value: Value| CredentialRequest::parse(value.to_string().as_bytes());
    let both = json!({ "credential_configuration_id": "a", "credential_identifier": "b" });
    assert_eq!(read(both), Err(CredentialRequestError::Which));
    assert_eq!(read(json!({})), Err(CredentialRequestError::Which));
    let with = |proofs| read(json!({ "credential_configuration_id": "a", "proofs": proofs }));
    for proofs in [
        json!({ "jwt": ["x"], "di_vp": [] }),
        json!({ "jwt": [] }),
        json!({ "attestation": ["x"] }),
        json!([]),
        json!({ "jwt": [1] }),
    ] {
        assert_eq!(with(proofs), Err(CredentialRequestError::Proofs));
    }
    let encryption =
        json!({ "credential_configuration_id": "a", "credential_response_encryption": { "enc": "A128GCM" } });
    assert_eq!(read(encryption), Err(CredentialRequestError::Encryption));
    assert_eq!(
        CredentialRequest::parse(br#"{"credential_identifier":"a","credential_identifier":"b"}"#),
        Err(CredentialRequestError::Form)
    );
    // What some write out as null is not there.
    let nulls = json!({ "credential_configuration_id": "a", "credential_identifier": null, "proofs": null,
                        "credential_response_encryption": null });
    let sparse = read(nulls).unwrap();
    assert!(sparse.proofs.is_empty() && sparse.encryption.is_none());
    let good = with(json!({ "jwt": ["x", "y"] })).unwrap();
    assert_eq!(
        (good.wanted.clone(), good.proofs.len()),
        (Wanted::Configuration("a".into()), 2)
    );
    assert_eq!(read(good.to_json()).unwrap(), good);
    assert_eq!(
        DeferredRequest::parse(b"{}"),
        Err(CredentialRequestError::Transaction)
    );
    let deferred = DeferredRequest::parse(br#"{"transaction_id":"t"}"#).unwrap();
    assert_eq!(deferred.to_json(), json!({ "transaction_id": "t" }));
}

// test: VCI-23
#[test]
fn an_answer_holds_credentials_or_a_transaction() {
    let read = |value: Value| CredentialResponse::parse(value.to_string().as_bytes());
    let both = json!({ "credentials": [{ "credential": "c" }], "transaction_id": "t", "interval": 5 });
    assert!(read(both).is_err());
    assert!(read(json!({ "credentials": [] })).is_err());
    assert!(read(json!({})).is_err());
    let issued = read(json!(CredentialResponse::issued(
        vec!["c".into()],
        Some("n".into())
    )))
    .unwrap();
    assert!(matches!(issued, Outcome::Issued { credentials, .. } if credentials.len() == 1));
    let deferred = json!(CredentialResponse::deferred("t".into(), 60));
    assert_eq!(deferred, json!({ "transaction_id": "t", "interval": 60 }));
    for (interval, expected) in [
        (json!(7), 7),
        (json!(0.5), 1),
        (json!(-3), 1),
        (json!(1e300), 86_400),
    ] {
        let deferred = read(json!({ "transaction_id": "t", "interval": interval })).unwrap();
        assert_eq!(
            deferred,
            Outcome::Deferred {
                transaction_id: "t".into(),
                interval: expected
            }
        );
    }
}

// test: VCI-24
#[test]
fn a_notification_is_plain() {
    let read = |value: Value| NotificationRequest::parse(value.to_string().as_bytes());
    let good = json!({ "notification_id": "n", "event": "credential_accepted" });
    for text in ["a \"quote\"", "a \\", "not äscii", &"x".repeat(1001)] {
        assert_eq!(
            read(changed(good.clone(), "event_description", json!(text))),
            Err(NotificationError::Description)
        );
    }
    assert_eq!(
        read(changed(good.clone(), "event", json!("Credential_accepted"))),
        Err(NotificationError::Form)
    );
    assert!(read(good).is_ok());
}

fn form(text: &str) -> AuthorizationParameters {
    AuthorizationParameters::parse(text).unwrap()
}

// test: OAU-02
#[test]
fn token_requests_are_read_as_they_are_written() {
    let stray = form("grant_type=refresh_token&refresh_token=r&tx_code=1");
    assert_eq!(TokenRequest::read(&stray), Err(TokenRequestError::StrayTxCode));
    for (text, error) in [
        ("grant_type=password", TokenRequestError::GrantType),
        ("", TokenRequestError::Missing("grant_type")),
        (
            "grant_type=authorization_code&code=c&redirect_uri=r",
            TokenRequestError::Missing("code_verifier"),
        ),
        (
            "grant_type=refresh_token&refresh_token=r&authorization_details=[]",
            TokenRequestError::Details,
        ),
    ] {
        assert_eq!(TokenRequest::read(&form(text)), Err(error));
    }
    let requests = [
        Grant::PreAuthorized {
            code: "c".into(),
            tx_code: Some("1".into()),
        },
        Grant::AuthorizationCode {
            code: "c".into(),
            redirect_uri: "r".into(),
            code_verifier: "v".into(),
        },
        Grant::Refresh {
            refresh_token: "r".into(),
        },
    ];
    for grant in requests {
        let request = TokenRequest {
            grant,
            client_id: Some("wallet".into()),
            authorization_details: vec![AuthorizationDetail::request("licence")],
        };
        let text = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(request.to_form())
            .finish();
        assert_eq!(TokenRequest::read(&form(&text)).unwrap(), request);
        assert!(!format!("{request:?}").contains("\"c\""));
    }
}

// test: OAU-03
#[test]
fn authorization_details_are_of_the_one_type() {
    for text in [
        r#"[{"type":"payment","credential_configuration_id":"a"}]"#,
        r#"[{"credential_configuration_id":"a"}]"#,
    ] {
        assert_eq!(read_details(text), Err(WalletRequestError::Details));
    }
    for text in ["[]", "{}", "x", r#"[{"type":"openid_credential"}]"#] {
        assert_eq!(read_details(text), Err(WalletRequestError::Details));
    }
    let good = r#"[{"type":"openid_credential","credential_configuration_id":"a","claims":[]}]"#;
    assert_eq!(read_details(good).unwrap(), [AuthorizationDetail::request("a")]);
}

const REQUEST: &str = "response_type=code&client_id=w&redirect_uri=https://w.example&code_challenge_method=S256\
                       &code_challenge=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

// test: OAU-04
// test: OAU-05
// test: OAU-06
// test: OAU-07
// test: OIDC-01
#[test]
fn an_authorization_request_asks_for_something_known() {
    let mode = |mode: &str| WalletRequest::read(&form(&format!("{REQUEST}&response_mode={mode}")));
    for other in ["fragment", "form_post"] {
        let refused = WalletRequestError::Parameters(AuthorizationError::ResponseMode);
        assert_eq!(mode(other), Err(refused));
    }
    assert!(mode("query").is_ok());
    let other = REQUEST.replace("response_type=code", "response_type=token");
    assert_eq!(
        WalletRequest::read(&form(&other)),
        Err(WalletRequestError::Parameters(AuthorizationError::ResponseType))
    );
    let known = || [("licence", "driving"), ("permit", "driving")].into_iter();
    let asked = |more: &str| {
        WalletRequest::read(&form(&format!("{REQUEST}{more}")))
            .unwrap()
            .configurations(known())
    };
    let detail = |id: &str| {
        format!(
            r#"&authorization_details=[{{"type":"openid_credential","credential_configuration_id":"{id}"}}]"#
        )
    };
    assert_eq!(asked(&detail("another")), Err(WalletRequestError::Details));
    assert_eq!(asked("&scope=another"), Err(WalletRequestError::NothingKnown));
    assert_eq!(asked(&detail("permit")).unwrap(), ["permit"]);
    assert_eq!(asked("&scope=another driving").unwrap(), ["licence", "permit"]);
    let thumbprint = format!("{REQUEST}&dpop_jkt=short");
    assert_eq!(
        WalletRequest::read(&form(&thumbprint)),
        Err(WalletRequestError::Thumbprint)
    );
}

#[test]
fn browsers_are_sent_only_where_a_wallet_can_be() {
    for good in [
        "https://w.example/cb",
        "http://127.0.0.1:5000/cb",
        "http://[::1]/",
        "com.example.w:/cb",
    ] {
        assert!(is_wallet_address(good), "{good}");
    }
    for bad in [
        "javascript:alert(1)",
        "data:text/html,x",
        "http://w.example",
        "https://a@w.example",
        "https://w.example#f",
        "file:///x",
        "wallet:/cb",
        "",
    ] {
        assert!(!is_wallet_address(bad), "{bad}");
    }
    let body = ErrorBody::new("invalid_request", "a \"quoted\" ümlaut\\");
    assert_eq!(body.error_description.as_deref(), Some("a  quoted   mlaut "));
}
