//! What a verifier says about itself in a request (`client_metadata`, OpenID4VP 1.0 §5.1, §11).

use realdid_checks::passes;
use realdid_jose::jwe::{Encryption, Recipient};
use realdid_jose::jwk::Jwk;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::RequestError;
use crate::dcql::{DcqlQuery, SD_JWT_VC};
use crate::realdid_jwt::FORMAT;

/// The JOSE algorithms of credentials and presentations that our own verifiers read.
const ALGORITHMS: [&str; 4] = ["ES256", "Ed25519", "EdDSA", "SM2SM3"];
/// Content encryption where the metadata names none (§5.1).
const DEFAULT_ENCRYPTION: &str = "A128GCM";
/// Most keys of a request that are looked at.
const MAX_KEYS: usize = 16;

/// A JWK set (RFC 7517 §5). Keys of other kinds than ours stay as they are.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct KeySet {
    /// The keys.
    pub keys: Vec<Value>,
}

/// A verifier's metadata; other members are ignored (§5.1).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ClientMetadata {
    /// Formats that are read, with their algorithms.
    #[serde(default)]
    pub vp_formats_supported: Map<String, Value>,
    /// Keys to encrypt the answer to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks: Option<KeySet>,
    /// Content encryptions of the answer; `A128GCM` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encrypted_response_enc_values_supported: Option<Vec<String>>,
}

impl ClientMetadata {
    /// The metadata of our own verifiers: `realdid+jwt` and SD-JWT VC are read, nothing is encrypted.
    #[must_use]
    pub fn ours() -> Self {
        Self::reading(&ALGORITHMS)
    }

    /// The metadata of a verifier that reads our formats with these JOSE algorithms.
    #[must_use]
    pub fn reading(algorithms: &[&str]) -> Self {
        let sd_jwt = json!({ "sd-jwt_alg_values": algorithms, "kb-jwt_alg_values": algorithms });
        let formats = [(FORMAT, json!({ "alg_values": algorithms })), (SD_JWT_VC, sd_jwt)];
        Self {
            vp_formats_supported: formats
                .map(|(name, value)| (name.to_owned(), value))
                .into_iter()
                .collect(),
            jwks: None,
            encrypted_response_enc_values_supported: None,
        }
    }

    /// The same, with no formats but those that a query asks for: what others do not know need not be
    /// understood by them.
    #[must_use]
    pub fn for_query(mut self, query: &DcqlQuery) -> Self {
        let asked = |format: &str| {
            query
                .credentials
                .iter()
                .any(|credential| credential.format == format)
        };
        self.vp_formats_supported.retain(|format, _| asked(format));
        self
    }

    /// The same, with a key to encrypt the answer to and all content encryptions that are read.
    #[must_use]
    pub fn encrypted_to(mut self, key: &Jwk) -> Self {
        self.jwks = Some(KeySet {
            keys: vec![json!(key)],
        });
        let names = Encryption::ALL.map(|encryption| encryption.name().to_owned());
        self.encrypted_response_enc_values_supported = Some(names.to_vec());
        self
    }

    /// Key and content encryption for an answer, chosen among what is offered (§8.3).
    ///
    /// # Errors
    /// [`RequestError::Encryption`].
    pub fn choose_encryption(&self) -> Result<(Recipient, Encryption), RequestError> {
        let keys = self.jwks.as_ref().map_or(&[][..], |set| &set.keys);
        let named: Vec<Value> = keys
            .iter()
            .take(MAX_KEYS)
            .filter(|key| passes("VP-30", key["kid"].is_string()))
            .cloned()
            .collect();
        let recipient = Recipient::choose(&named).map_err(|_| RequestError::Encryption)?;
        let encryption = match &self.encrypted_response_enc_values_supported {
            None => Encryption::from_name(DEFAULT_ENCRYPTION),
            Some(names) => Encryption::ALL
                .into_iter()
                .find(|own| names.iter().any(|name| name == own.name())),
        };
        Ok((recipient, encryption.ok_or(RequestError::Encryption)?))
    }
}
