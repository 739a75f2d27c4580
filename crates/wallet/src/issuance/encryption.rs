//! Encryption of credential requests and responses on top of TLS (OpenID4VCI 1.0 §10), where the
//! issuer requires it.

use rand_core::CryptoRng;
use realdid_checks::passes;
use realdid_jose::jwe::{self, DecryptionKey, Encryption, Jwe, Parties, Recipient};
use realdid_openid::vci::{IssuerMetadata, ResponseEncryption};
use serde_json::Value;

use super::exchange::{Body, Fetched, json_text};
use super::{Endpoint, IssuanceError};

/// What has to be encrypted, and how.
#[derive(Debug, Clone)]
pub(super) struct Encrypting {
    request: Option<(Recipient, Encryption)>,
    response: Option<(DecryptionKey, Encryption)>,
}

impl Encrypting {
    /// As the metadata requires.
    pub(super) fn required(
        metadata: &IssuerMetadata,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, IssuanceError> {
        let response = metadata.credential_response_encryption.as_ref();
        let response = response.filter(|support| support.encryption_required);
        let response = match response {
            None => None,
            Some(support) => {
                let agreed = support
                    .alg_values_supported
                    .iter()
                    .any(|alg| alg == jwe::ALGORITHM);
                let encryption = choose(&support.enc_values_supported).filter(|_| agreed);
                let encryption = encryption.ok_or(IssuanceError::Encryption)?;
                Some((DecryptionKey::generate(rng), encryption))
            }
        };
        let offered = metadata.credential_request_encryption.as_ref();
        // Whoever could replace the key for the response in the request could read the response.
        if !passes("WVC-10", response.is_none() || offered.is_some()) {
            return Err(IssuanceError::Encryption);
        }
        let needed = response.is_some() || offered.is_some_and(|support| support.encryption_required);
        let request = match offered.filter(|_| needed) {
            None => None,
            Some(support) => {
                let keys = &support.jwks.keys;
                let recipient = keys.iter().find_map(|key| Recipient::from_jwk(key).ok());
                let encryption = choose(&support.enc_values_supported);
                Some(recipient.zip(encryption).ok_or(IssuanceError::Encryption)?)
            }
        };
        Ok(Self { request, response })
    }

    /// What the request says about the response.
    pub(super) fn parameters(&self) -> Option<ResponseEncryption> {
        let (key, encryption) = self.response.as_ref()?;
        let Ok(Value::Object(jwk)) = serde_json::to_value(key.jwk()) else {
            return None;
        };
        Some(ResponseEncryption {
            jwk,
            enc: encryption.name().to_owned(),
            zip: None,
        })
    }

    /// The request's body.
    pub(super) fn seal(&self, body: &Value, rng: &mut impl CryptoRng) -> Result<Body, IssuanceError> {
        let text = json_text(body);
        match &self.request {
            None => Ok(Body::Json(text)),
            Some((to, encryption)) => {
                let sealed = jwe::encrypt(to, *encryption, text.as_bytes(), Parties::default(), rng);
                Ok(Body::Jwt(sealed.map_err(|_| IssuanceError::Encryption)?))
            }
        }
    }

    /// The JSON of a successful answer.
    pub(super) fn open(&self, answer: &Fetched, endpoint: Endpoint) -> Result<Vec<u8>, IssuanceError> {
        let Some((key, _)) = &self.response else {
            return Ok(answer.body.clone());
        };
        let text = std::str::from_utf8(&answer.body).unwrap_or_default();
        let sealed = Jwe::parse(text.trim()).ok();
        if !passes("WVC-11", sealed.is_some()) {
            return Err(IssuanceError::NotEncrypted);
        }
        let Some(sealed) = sealed else {
            return Ok(answer.body.clone());
        };
        let content = sealed.decrypt(key).map_err(|_| IssuanceError::NotEncrypted)?;
        if content.is_empty() {
            return Err(IssuanceError::Answer(endpoint));
        }
        Ok(content.to_vec())
    }
}

fn choose(supported: &[String]) -> Option<Encryption> {
    supported.iter().find_map(|name| Encryption::from_name(name))
}
