//! What a wallet says of itself: one thing is altered, then the request is not for it.

use realdid_jose::jwe::DecryptionKey;
use realdid_openid::authorization_request::{
    ClientMetadata, RequestClaims, ResponseMode, WalletMetadata, WalletMetadataError,
};
use realdid_openid::dcql::{CredentialQuery, CredentialSet};
use serde_json::{Value, json};

use crate::{request, rng};

/// A request for a licence, whose answer is encrypted.
fn asked() -> RequestClaims {
    let mut claims = request::case().claims;
    claims.response_mode = ResponseMode::DirectPostJwt.as_str().to_owned();
    claims.dcql_query.credentials = vec![CredentialQuery::sd_jwt_vc("licence", &["urn:a"], vec![])];
    let key = DecryptionKey::generate(&mut rng(1)).jwk();
    claims.client_metadata = ClientMetadata::reading(&["ES256", "EdDSA"]).encrypted_to(&key);
    claims
}

fn metadata() -> Value {
    json!({
        "vp_formats_supported": { "dc+sd-jwt": { "sd-jwt_alg_values": ["ES256"], "kb-jwt_alg_values": ["Ed25519"] } },
        "client_id_prefixes_supported": ["x509_hash", "decentralized_identifier"],
        "request_object_signing_alg_values_supported": ["ES384", "ES256"],
        "authorization_encryption_alg_values_supported": ["ECDH-ES"],
        "authorization_encryption_enc_values_supported": ["A256CBC-HS512", "A128GCM"],
        "something_else": { "a": 1 },
    })
}

fn check(metadata: &Value, asked: &RequestClaims) -> Result<(), WalletMetadataError> {
    WalletMetadata::read(&metadata.to_string())?.check(asked, "ES256")
}

/// With another value of one member it is refused; without the member it says nothing.
fn refuses(name: &str, value: Value, expected: WalletMetadataError) {
    let mut altered = metadata();
    assert_eq!(check(&altered, &asked()), Ok(()));
    altered[name] = value;
    assert_eq!(check(&altered, &asked()), Err(expected), "{altered}");
    for silent in [json!([]), json!({}), json!(null), json!(5)] {
        altered[name] = silent;
        assert_eq!(check(&altered, &asked()), Ok(()), "{altered}");
    }
}

// test: VP-39
#[test]
fn a_wallet_that_does_not_know_the_prefix_is_told() {
    let other = json!(["redirect_uri", "x509_san_dns"]);
    refuses("client_id_prefixes_supported", other, WalletMetadataError::Prefix);
}

// test: VP-40
#[test]
fn a_wallet_that_does_not_read_the_signature_is_told() {
    let name = "request_object_signing_alg_values_supported";
    refuses(name, json!(["RS256", "Ed25519"]), WalletMetadataError::Signature);
    let metadata = WalletMetadata::read(r#"{"request_object_signing_alg_values_supported":["Ed25519"]}"#);
    assert_eq!(
        metadata.unwrap().check(&asked(), "EdDSA"),
        Ok(()),
        "two names of one algorithm"
    );
}

// test: VP-41, DCQL-21
#[test]
fn a_wallet_without_the_formats_is_told() {
    let formats = [
        json!({ "mso_mdoc": {} }),
        json!({ "dc+sd-jwt": { "sd-jwt_alg_values": ["ES384"] } }),
        json!({ "dc+sd-jwt": { "kb-jwt_alg_values": ["ES384"] } }),
    ];
    for other in formats {
        refuses("vp_formats_supported", other, WalletMetadataError::Formats);
    }
    let mut both = asked();
    let mut mdoc = both.dcql_query.credentials[0].clone();
    (mdoc.id, mdoc.format) = ("mdl".to_owned(), "mso_mdoc".to_owned());
    mdoc.meta = json!({ "doctype_value": "a" }).as_object().unwrap().clone();
    both.dcql_query.credentials.push(mdoc);
    assert_eq!(
        check(&metadata(), &both),
        Err(WalletMetadataError::Formats),
        "both are asked for"
    );
    let options = vec![vec!["mdl".to_owned()], vec!["licence".to_owned()]];
    both.dcql_query.credential_sets = Some(vec![CredentialSet {
        options,
        required: None,
    }]);
    assert_eq!(check(&metadata(), &both), Ok(()), "one of them will do");
}

// test: VP-42
#[test]
fn a_wallet_that_encrypts_otherwise_is_told() {
    let agreement = "authorization_encryption_alg_values_supported";
    refuses(
        agreement,
        json!(["RSA-OAEP-256"]),
        WalletMetadataError::Encryption,
    );
    let content = "authorization_encryption_enc_values_supported";
    refuses(content, json!(["A256CBC-HS512"]), WalletMetadataError::Encryption);
    let mut plain = asked();
    plain.response_mode = ResponseMode::DirectPost.as_str().to_owned();
    let mut other = metadata();
    other[content] = json!(["A256CBC-HS512"]);
    assert_eq!(check(&other, &plain), Ok(()), "nothing is encrypted");
}

// test: JWS-01
#[test]
fn metadata_that_are_no_object_are_refused() {
    for bad in ["", "[]", "x", r#"{"a":1,"a":2}"#] {
        assert_eq!(WalletMetadata::read(bad), Err(WalletMetadataError::Form), "{bad}");
    }
}
