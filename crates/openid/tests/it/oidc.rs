use realdid_crypto::{KeyType, base64url_encode};
use realdid_openid::jwk::thumbprint;
use realdid_openid::jws::Unverified;
use realdid_openid::oidc::authorization::{
    check_no_request_object, check_pkce, check_redirect_uri, check_response_type, redirect_with,
};
use realdid_openid::oidc::id_token::{PersonClaims, access_token_hash};
use realdid_openid::oidc::{
    AuthorizationError, AuthorizationParameters, ClientCredentials, CodeChallenge, IdTokenClaims, PkceError,
    Prompt, ProviderMetadata, Scopes, TokenError, TokenRequest,
};
use serde_json::{Value, json};

use crate::key;

/// RFC 7636 appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const CALLBACK: &str = "https://a.example/callback";

fn parameters(text: &str) -> AuthorizationParameters {
    AuthorizationParameters::parse(text).unwrap()
}

// test: OIDC-01
#[test]
fn a_challenge_is_a_hash() {
    assert!(CodeChallenge::parse(CHALLENGE).is_ok());
    for bad in [
        "",
        "plain",
        &CHALLENGE[1..],
        &format!("{CHALLENGE}A"),
        &format!("{CHALLENGE}="),
    ] {
        assert_eq!(CodeChallenge::parse(bad), Err(PkceError::Challenge), "{bad}");
    }
}

// test: OIDC-02
#[test]
fn a_verifier_has_43_to_128_unreserved_characters() {
    for bad in [&VERIFIER[1..], &"a".repeat(129), &format!("{VERIFIER}+")] {
        assert_eq!(
            CodeChallenge::of(bad).check(bad),
            Err(PkceError::Verifier),
            "{bad}"
        );
    }
    assert_eq!(CodeChallenge::parse(CHALLENGE).unwrap().check(VERIFIER), Ok(()));
}

// test: OIDC-03
#[test]
fn another_verifier_is_refused() {
    let challenge = CodeChallenge::parse(CHALLENGE).unwrap();
    assert_eq!(challenge.check(&format!("{VERIFIER}x")), Err(PkceError::Mismatch));
    assert_eq!(challenge.check(VERIFIER), Ok(()));
}

// test: OIDC-04
#[test]
fn a_parameter_that_stands_twice_is_refused() {
    assert_eq!(
        AuthorizationParameters::parse("a=1&b=2&a=1"),
        Err(AuthorizationError::Duplicate)
    );
    let long = format!("a={}", "x".repeat(2049));
    assert_eq!(
        AuthorizationParameters::parse(&long),
        Err(AuthorizationError::TooLong)
    );
    let good = parameters("a=1&b=&client_secret=s");
    assert_eq!(
        (good.get("a"), good.get("b"), good.get("c")),
        (Some("1"), None, None)
    );
    assert_eq!(good.require("b"), Err(AuthorizationError::Missing("b")));
    assert_eq!(good.encode_without("client_secret"), "a=1&b=");
}

// test: OIDC-05
#[test]
fn a_redirect_address_is_compared_to_the_letter() {
    let registered = [CALLBACK.to_owned()];
    let check = |uri: &str| {
        let encoded: String = url::form_urlencoded::byte_serialize(uri.as_bytes()).collect();
        check_redirect_uri(&parameters(&format!("redirect_uri={encoded}")), &registered).map(str::to_owned)
    };
    for bad in [
        "https://a.example/callback/",
        "https://A.example/callback",
        "https://a.example:443/callback",
        "https://a.example/callback?x",
        "http://a.example/callback",
        "https://a.example/",
        "https://evil.example",
    ] {
        assert_eq!(check(bad), Err(AuthorizationError::RedirectUri), "{bad}");
    }
    assert_eq!(check(CALLBACK).as_deref(), Ok(CALLBACK));
    assert_eq!(
        check_redirect_uri(&parameters(""), &registered),
        Err(AuthorizationError::Missing("redirect_uri"))
    );
}

// test: OIDC-06
#[test]
fn request_objects_are_refused() {
    assert_eq!(
        check_no_request_object(&parameters("request=a.b.c")),
        Err(AuthorizationError::RequestObject)
    );
    assert_eq!(
        check_no_request_object(&parameters("request_uri=https://a")),
        Err(AuthorizationError::RequestUri)
    );
    assert_eq!(check_no_request_object(&parameters("scope=openid")), Ok(()));
}

// test: OIDC-07
#[test]
fn only_the_code_flow_is_served() {
    for other in ["token", "id_token", "code%20id_token", "none"] {
        let check = check_response_type(&parameters(&format!("response_type={other}")));
        assert_eq!(check, Err(AuthorizationError::ResponseType), "{other}");
    }
    assert_eq!(check_response_type(&parameters("response_type=code")), Ok(()));
}

// test: OIDC-08
#[test]
fn only_the_query_carries_answers() {
    let mode =
        |mode: &str| check_response_type(&parameters(&format!("response_type=code&response_mode={mode}")));
    assert_eq!(mode("fragment"), Err(AuthorizationError::ResponseMode));
    assert_eq!(mode("form_post"), Err(AuthorizationError::ResponseMode));
    assert_eq!(mode("query"), Ok(()));
}

// test: OIDC-09
#[test]
fn the_scope_openid_is_needed() {
    assert_eq!(
        Scopes::check(&parameters("scope=profile")),
        Err(AuthorizationError::Scope)
    );
    assert_eq!(Scopes::check(&parameters("")), Err(AuthorizationError::Scope));
    assert_eq!(
        Scopes::check(&parameters("scope=openid%20email")),
        Ok(Scopes::default())
    );
    let both = Scopes::check(&parameters("scope=realname_verified%20openid")).unwrap();
    assert_eq!(both.names(), "openid realname_verified");
}

// test: OIDC-10, OIDC-01
#[test]
fn pkce_with_s256_is_needed() {
    let check = |text: &str| check_pkce(&parameters(text)).err();
    assert_eq!(check(""), Some(AuthorizationError::Pkce));
    assert_eq!(
        check(&format!("code_challenge={CHALLENGE}")),
        Some(AuthorizationError::Pkce)
    );
    let plain = format!("code_challenge={CHALLENGE}&code_challenge_method=plain");
    assert_eq!(check(&plain), Some(AuthorizationError::Pkce));
    assert_eq!(
        check("code_challenge=short&code_challenge_method=S256"),
        Some(AuthorizationError::Pkce)
    );
    assert_eq!(
        check(&format!("code_challenge={CHALLENGE}&code_challenge_method=S256")),
        None
    );
}

// test: OIDC-11
#[test]
fn nobody_is_signed_in_without_a_page() {
    let check = |prompt: &str| Prompt::check(&parameters(&format!("prompt={prompt}")));
    assert_eq!(check("none"), Err(AuthorizationError::LoginRequired));
    assert_eq!(check("none%20login"), Err(AuthorizationError::Prompt));
    assert_eq!(check("dance"), Err(AuthorizationError::Prompt));
    assert_eq!(check("login%20consent"), Ok(Prompt::Page));
    assert_eq!(Prompt::check(&parameters("")), Ok(Prompt::Page));
}

// test: OIDC-12
#[test]
fn a_client_names_itself_in_one_way() {
    let read = |basic: Option<&str>, body: &str| ClientCredentials::read(basic, &parameters(body));
    assert_eq!(read(None, ""), Err(TokenError::Credentials));
    assert_eq!(read(Some("a:b"), "client_secret=b"), Err(TokenError::Credentials));
    assert_eq!(read(Some("a:b"), "client_id=c"), Err(TokenError::Credentials));
    assert_eq!(read(Some("a"), ""), Err(TokenError::Credentials));
    let secret = |id: &str, secret: &str| ClientCredentials::Secret {
        client_id: id.into(),
        secret: secret.into(),
    };
    assert_eq!(read(Some("a:b"), "client_id=a"), Ok(secret("a", "b")));
    assert_eq!(read(Some("a%3Ab:c+d%26e="), ""), Ok(secret("a:b", "c d&e=")));
    assert_eq!(read(None, "client_id=a&client_secret=b"), Ok(secret("a", "b")));
    assert_eq!(
        read(None, "client_id=a"),
        Ok(ClientCredentials::Public {
            client_id: "a".into()
        })
    );
    assert!(!format!("{:?}", secret("a", "hidden")).contains("hidden"));
}

fn token_request(grant: &str) -> String {
    format!("grant_type={grant}&code=c&redirect_uri={CALLBACK}&code_verifier={VERIFIER}")
}

// test: OIDC-13
#[test]
fn only_codes_are_exchanged() {
    let read = |text: &str| TokenRequest::read(&parameters(text)).map(|request| request.code);
    assert_eq!(read(&token_request("refresh_token")), Err(TokenError::GrantType));
    assert_eq!(
        read("grant_type=authorization_code&code=c"),
        Err(TokenError::Request)
    );
    assert_eq!(read(&token_request("authorization_code")).as_deref(), Ok("c"));
}

// test: OIDC-14, OIDC-03
#[test]
fn a_code_is_exchanged_for_the_address_it_was_sent_to() {
    let request = TokenRequest::read(&parameters(&token_request("authorization_code"))).unwrap();
    let challenge = CodeChallenge::parse(CHALLENGE).unwrap();
    assert_eq!(
        request.check("https://b.example/", &challenge),
        Err(TokenError::RedirectUri)
    );
    let other = CodeChallenge::of("another");
    assert_eq!(
        request.check(CALLBACK, &other),
        Err(TokenError::Pkce(PkceError::Mismatch))
    );
    assert_eq!(request.check(CALLBACK, &challenge), Ok(()));
}

#[test]
fn an_answer_names_its_issuer() {
    let url = redirect_with(
        "https://a.example/cb?x=1",
        "https://s.example",
        Some("a b"),
        &[("code", "c")],
    )
    .unwrap();
    assert_eq!(
        url.as_str(),
        "https://a.example/cb?x=1&code=c&state=a+b&iss=https%3A%2F%2Fs.example"
    );
}

#[test]
fn an_id_token_says_what_was_asked_for() {
    let signer = key(KeyType::P256, 5);
    let claims = IdTokenClaims {
        iss: "https://s.example".to_owned(),
        sub: "did:real:sandbox:zA".to_owned(),
        aud: "client".to_owned(),
        exp: 2,
        iat: 1,
        auth_time: 1,
        nonce: Some("n".to_owned()),
        acr: "urn:realdid:acr:substantial".to_owned(),
        amr: vec!["pop".to_owned()],
        at_hash: access_token_hash("token"),
        person: PersonClaims {
            realname_verified: Some(true),
            assurance_level: Some("substantial".to_owned()),
            ..PersonClaims::default()
        },
    };
    let text = claims.sign(&signer).unwrap();
    let message = Unverified::parse(&text).unwrap();
    assert_eq!(message.kid(), Some(thumbprint(&signer.public_key()).as_str()));
    let value: Value = message.verify(&signer.public_key(), "JWT").unwrap().into_claims();
    assert_eq!(value["realname_verified"], true);
    assert_eq!(value["assurance_level"], "substantial");
    assert_eq!(
        value["at_hash"].as_str().map(str::len),
        Some(base64url_encode([0; 16]).len())
    );
}

/// OpenID Connect Discovery 1.0 §3, RFC 8414 §2: what must be there.
#[test]
fn the_metadata_has_all_required_fields() {
    let metadata = serde_json::to_value(ProviderMetadata::of("https://s.example")).unwrap();
    for required in [
        "issuer",
        "authorization_endpoint",
        "token_endpoint",
        "jwks_uri",
        "response_types_supported",
        "subject_types_supported",
        "id_token_signing_alg_values_supported",
        "code_challenge_methods_supported",
        "pushed_authorization_request_endpoint",
        "authorization_response_iss_parameter_supported",
    ] {
        assert!(!metadata[required].is_null(), "{required}");
    }
    assert_eq!(metadata["token_endpoint"], "https://s.example/token");
}

// test: DCQL-28, DCQL-29
#[test]
fn what_a_token_cannot_tell_takes_the_real_name_credential() {
    let scopes = |scope: &str| {
        let parameters = AuthorizationParameters::parse(&format!("scope={scope}")).unwrap();
        Scopes::check(&parameters).unwrap()
    };
    assert_eq!(
        scopes("openid+realname_verified+age_over_17").credential_query(),
        None
    );
    let both = scopes("openid+profile+age_over_65+age_over_18");
    assert_eq!(both.names(), "openid age_over_18 age_over_65 profile");
    let query = both.query("high").check().unwrap();
    assert_eq!(query.query().login_query().unwrap().unwrap().level, "high");
    let person = query.credential("person").unwrap();
    assert_eq!(person.types(), Some(vec!["urn:realdid:realname:1"]));
    let candidate = |claims: &serde_json::Value| {
        let shown = realdid_openid::dcql::Candidate {
            format: "dc+sd-jwt",
            types: &["urn:realdid:realname:1".to_owned()],
            claims,
            holder_bound: true,
            authorities: &[],
        };
        query.satisfied_by("person", &shown)
    };
    let ages = json!({ "age_over_18": true, "age_over_65": false, "name": "N", "birthdate": "B", "nationality": "X" });
    let told = json!({ "age_over_18": true, "age_over_65": false, "name": "N", "birthdate": "B" });
    assert_eq!(candidate(&ages), Ok(told));
    assert!(candidate(&json!({ "age_over_18": true, "name": "N", "birthdate": "B" })).is_err());
    let age = scopes("openid+age_over_21").credential_query().unwrap();
    assert_eq!((age.claims.unwrap().len(), age.claim_sets), (1, None));
}
