//! Messages of OpenID4VP, OpenID4VCI, OpenID Connect and the OAuth beneath them.

use std::sync::OnceLock;

use realdid_crypto::KeyType;
use realdid_jose::jws::Unverified;
use realdid_openid::authorization_request::{RequestContext, UnverifiedRequest, WalletMetadata};
use realdid_openid::authorization_response::WalletAnswer;
use realdid_openid::client_id::ClientId;
use realdid_openid::dcql::answer::Answer;
use realdid_openid::dcql::{CheckedQuery, DcqlQuery};
use realdid_openid::oauth::authorization::read_details;
use realdid_openid::oauth::dpop::{self, DpopExpectation};
use realdid_openid::oauth::{ServerMetadata, TokenRequest, WalletRequest};
use realdid_openid::oidc::{self, AuthorizationParameters};
use realdid_openid::openid4vp_link::Invocation;
use realdid_openid::site_statement::{UnverifiedStatement, VerifierInfo};
use realdid_openid::vci::credential::{CredentialRequest, CredentialResponse, DeferredRequest};
use realdid_openid::vci::proof::{ProofExpectation, UnverifiedProof};
use realdid_openid::vci::{CredentialOffer, IssuerMetadata, NotificationRequest, OfferLink};
use realdid_openid::{jwk::Jwk, realdid_jwt};

use crate::{NOW, public_key, text, token, typed};

/// DCQL: the query, and in a second line an answer to it.
pub fn dcql(data: &[u8]) {
    let (query, answer) = crate::lines(data);
    let Ok(value) = serde_json::from_slice(query) else {
        return;
    };
    if let Ok(query) = DcqlQuery::read(value) {
        let _: &CheckedQuery = &query;
        let _ = Answer::read(text(answer), &query);
    }
}

/// Authorization request: the claims of the request object.
pub fn authorization_request(data: &[u8]) {
    static CLIENT: OnceLock<ClientId> = OnceLock::new();
    let client =
        CLIENT.get_or_init(|| ClientId::parse("decentralized_identifier:did:web:v.example").unwrap());
    let text = typed("oauth-authz-req+jwt", r#","kid":"did:web:v.example#k""#, data);
    let context = RequestContext {
        client_id: client,
        request_uri: "https://v.example/r",
        wallet_nonce: None,
        now: NOW,
        sandbox: true,
    };
    if let Ok(request) = UnverifiedRequest::parse(&text, client) {
        let _ = request.stated_verifier_info();
        let _ = request.verify(&public_key(), &context);
    }
}

/// The wallet's answer: a form.
pub fn authorization_response(data: &[u8]) {
    let _ = WalletAnswer::read(text(data), "s");
}

/// Client identifier.
pub fn client_id(data: &[u8]) {
    if let Ok(client) = ClientId::parse(text(data)) {
        assert_eq!(ClientId::parse(&client.to_string()), Ok(client));
    }
}

/// Links that call a wallet, with what stands in them; and what a wallet says of itself.
pub fn wallet_link(data: &[u8]) {
    if let Ok(Invocation::Unsigned(request)) = Invocation::parse(text(data), true) {
        let _ = request.check(NOW, true);
    }
    let _ = WalletMetadata::read(text(data));
    let _ = OfferLink::parse(text(data), true);
}

/// Credential offer.
pub fn credential_offer(data: &[u8]) {
    let _ = CredentialOffer::parse(data, true);
}

/// Metadata of an issuer and of its authorization server.
pub fn issuer_metadata(data: &[u8]) {
    let _ = IssuerMetadata::parse(data, "https://i.example");
    let _ = ServerMetadata::parse(data, "https://i.example");
}

/// Token requests, pushed requests and authorization requests: a form.
pub fn oauth_forms(data: &[u8]) {
    if let Ok(parameters) = AuthorizationParameters::parse(text(data)) {
        let _ = TokenRequest::read(&parameters);
        let _ = WalletRequest::read(&parameters);
        let _ = oidc::TokenRequest::read(&parameters);
        if let Some(details) = parameters.get("authorization_details") {
            let _ = read_details(details);
        }
    }
}

/// Requests to the credential, deferred and notification endpoints, and their answers.
pub fn credential_request(data: &[u8]) {
    let _ = CredentialRequest::parse(data);
    let _ = DeferredRequest::parse(data);
    let _ = NotificationRequest::parse(data);
    let _ = CredentialResponse::parse(data);
}

/// Key proof: header and claims in two lines.
pub fn key_proof(data: &[u8]) {
    let (header, claims) = crate::lines(data);
    let expected = ProofExpectation {
        issuer: "https://i.example",
        client_id: None,
        algorithms: &KeyType::ALL,
        now: NOW,
    };
    if let Ok(proof) = UnverifiedProof::parse(&token(header, claims)) {
        let _ = proof.key();
        let _ = proof.verify(&public_key(), &expected);
    }
}

/// DPoP proof: its claims, or header and claims in two lines.
pub fn dpop_proof(data: &[u8]) {
    static MORE: OnceLock<String> = OnceLock::new();
    let more = MORE.get_or_init(|| format!(r#","jwk":{}"#, serde_json::json!(Jwk::of(&public_key()))));
    let proof = match data.iter().position(|&byte| byte == b'\n') {
        None => typed("dpop+jwt", more, data),
        Some(end) => token(&data[..end], &data[end + 1..]),
    };
    let expected = DpopExpectation {
        method: "POST",
        uri: "https://i.example/t",
        access_token: None,
        now: NOW,
    };
    let _ = dpop::check(&proof, &expected);
}

/// Site statement: its claims.
pub fn site_statement(data: &[u8]) {
    let info = VerifierInfo {
        format: realdid_openid::site_statement::FORMAT.to_owned(),
        data: typed(
            realdid_openid::site_statement::FORMAT,
            r#","kid":"did:web:s.example#k""#,
            data,
        )
        .into(),
    };
    if let Ok(Some(statement)) = UnverifiedStatement::find(&[info]) {
        let _ = statement.verify(&public_key(), "did:web:v.example", "c", NOW);
    }
}

/// Login presentation.
pub fn login(data: &[u8]) {
    let _ = realdid_jwt::parse(text(data));
    let (header, claims) = crate::lines(data);
    let _ = realdid_jwt::parse(&token(header, claims)).map(|(message, _): (Unverified, _)| message);
}
