//! A wallet that speaks OpenID4VCI through the same types as an issuer, and nothing else of ours.

use realdid_credential::vc::{Times, UnverifiedVc};
use realdid_crypto::{KeyType, SecretKey};
use realdid_openid::oauth::dpop::{self, DpopExpectation};
use realdid_openid::oauth::{ServerMetadata, TokenResponse};
use realdid_openid::vci::{CredentialOffer, IssuerMetadata, OfferLink, proof};
use realdid_service::now_seconds;
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};

use super::world::Service;
use crate::support::rng;

/// A wallet in the middle of taking an offer.
pub struct Wallet<'a> {
    pub service: &'a Service,
    pub metadata: IssuerMetadata,
    pub server: ServerMetadata,
    /// The key that tokens are bound to, if the wallet uses DPoP.
    pub dpop: Option<SecretKey>,
}

impl<'a> Wallet<'a> {
    pub async fn new(service: &'a Service) -> Self {
        let body = service
            .get("/.well-known/openid-credential-issuer")
            .await
            .bytes()
            .await
            .unwrap();
        let metadata = IssuerMetadata::parse(&body, &service.url).unwrap();
        let body = service
            .get("/.well-known/oauth-authorization-server")
            .await
            .bytes()
            .await
            .unwrap();
        let server = ServerMetadata::parse(&body, &service.url).unwrap();
        Self {
            service,
            metadata,
            server,
            dpop: None,
        }
    }

    pub async fn with_dpop(service: &'a Service) -> Self {
        Self {
            dpop: Some(new_key(KeyType::P256)),
            ..Self::new(service).await
        }
    }

    /// Fetches the offer behind a link.
    pub async fn offer(&self, link: &str) -> CredentialOffer {
        match OfferLink::parse(link, true).unwrap() {
            OfferLink::Value(offer) => *offer,
            OfferLink::Reference(address) => {
                let answer = self.service.client.get(address).send().await.unwrap();
                assert_eq!(answer.headers()["content-type"], "application/json");
                CredentialOffer::parse(&answer.bytes().await.unwrap(), true).unwrap()
            }
        }
    }

    pub fn proof_for(&self, url: &str, access_token: Option<&str>, nonce: Option<&str>) -> Option<String> {
        let key = self.dpop.as_ref()?;
        let request = DpopExpectation {
            method: "POST",
            uri: url,
            access_token,
            now: now_seconds(),
        };
        let jti = hex::encode(rand::random::<[u8; 16]>());
        let input = dpop::signing_input(&key.public_key(), &request, &jti, nonce).unwrap();
        let signature = key.sign_raw(input.as_bytes());
        Some(input.finish(&signature))
    }

    pub async fn ask_token(&self, fields: &[(&str, &str)]) -> Response {
        let url = self.server.token_endpoint.clone().unwrap();
        let mut request = self.service.client.post(&url).form(fields);
        if let Some(proof) = self.proof_for(&url, None, None) {
            request = request.header("dpop", proof);
        }
        request.send().await.unwrap()
    }

    pub async fn redeem(&self, offer: &CredentialOffer, tx_code: Option<&str>) -> Response {
        let grant = offer.grants.pre_authorized_code.as_ref().unwrap();
        let code = grant.pre_authorized_code.as_str();
        let mut fields = vec![
            ("grant_type", realdid_openid::vci::PRE_AUTHORIZED_GRANT),
            ("pre-authorized_code", code),
        ];
        fields.extend(tx_code.map(|code| ("tx_code", code)));
        self.ask_token(&fields).await
    }

    pub async fn token(&self, link: &str, tx_code: Option<&str>) -> TokenResponse {
        let offer = self.offer(link).await;
        let answer = self.redeem(&offer, tx_code).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["cache-control"], "no-store");
        answer.json().await.unwrap()
    }

    pub async fn nonce(&self) -> String {
        let url = self.metadata.nonce_endpoint.clone().unwrap();
        let answer = self.service.client.post(url).send().await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["cache-control"]),
            (200, &"no-store".parse().unwrap())
        );
        answer.json::<Value>().await.unwrap()["c_nonce"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    pub fn prove(&self, key: &SecretKey, nonce: &str) -> String {
        prove(key, &self.metadata.credential_issuer, Some(nonce), now_seconds())
    }

    /// A request for copies by these keys.
    pub async fn wish(&self, configuration: &str, keys: &[SecretKey]) -> Value {
        let nonce = self.nonce().await;
        let proofs: Vec<_> = keys.iter().map(|key| self.prove(key, &nonce)).collect();
        json!({ "credential_configuration_id": configuration, "proofs": { "jwt": proofs } })
    }

    pub fn authorized(&self, url: &str, tokens: &TokenResponse) -> RequestBuilder {
        let token = tokens.access_token.as_str();
        let request = self.service.client.post(url);
        match self.proof_for(url, Some(token), None) {
            Some(proof) => request
                .header("authorization", format!("DPoP {token}"))
                .header("dpop", proof),
            None => request.bearer_auth(token),
        }
    }

    pub async fn ask(&self, tokens: &TokenResponse, body: &Value) -> Response {
        let url = self.metadata.credential_endpoint.clone();
        self.authorized(&url, tokens).json(body).send().await.unwrap()
    }

    /// Credentials of a configuration, bound to as many new keys; gives them with the whole answer.
    pub async fn take(
        &self,
        tokens: &TokenResponse,
        configuration: &str,
        count: usize,
    ) -> (Vec<String>, Value) {
        let keys: Vec<_> = (0..count).map(|_| new_key(KeyType::P256)).collect();
        let body = self.wish(configuration, &keys).await;
        let answer = self.ask(tokens, &body).await;
        assert_eq!(answer.status(), 200);
        let answer: Value = answer.json().await.unwrap();
        (credentials(&answer), answer)
    }
}

pub fn credentials(answer: &Value) -> Vec<String> {
    let list = answer["credentials"].as_array().unwrap();
    list.iter()
        .map(|one| one["credential"].as_str().unwrap().to_owned())
        .collect()
}

pub fn new_key(kind: KeyType) -> SecretKey {
    SecretKey::generate(kind, &mut rng())
}

pub fn prove(key: &SecretKey, issuer: &str, nonce: Option<&str>, now: u64) -> String {
    let input = proof::signing_input(&key.public_key(), issuer, None, nonce, now).unwrap();
    let signature = key.sign_raw(input.as_bytes());
    input.finish(&signature)
}

/// All claims of a credential, its signature checked with the issuer's key.
pub fn claims(credential: &str, key: &SecretKey) -> Value {
    let credential = UnverifiedVc::parse_issued(credential).unwrap();
    let times = Times {
        now: now_seconds(),
        leeway: 0,
    };
    let verified = credential.verify(&key.public_key(), &times).unwrap();
    Value::Object(verified.claims().clone())
}

/// The error of an answer, with its status.
pub async fn error(answer: Response) -> (u16, String) {
    let status = answer.status().as_u16();
    let body: Value = answer.json().await.unwrap();
    let text = body["error"]
        .as_str()
        .or(body["code"].as_str())
        .unwrap_or_default();
    (status, text.to_owned())
}
