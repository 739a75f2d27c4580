//! The credential endpoint's messages (OpenID4VCI 1.0 §8, §9), for both sides.

use realdid_checks::passes;
use realdid_jose::json::parse_object;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Longest request body, in bytes: a hundred proofs.
pub const MAX_REQUEST: usize = 256 * 1024;

/// The error codes of the credential, deferred and notification endpoints (§8.3.1.2, §9.3, §11.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialErrorCode {
    /// A parameter is missing, doubled or malformed.
    InvalidCredentialRequest,
    /// No such configuration.
    UnknownCredentialConfiguration,
    /// No such identifier.
    UnknownCredentialIdentifier,
    /// A proof is missing or wrong.
    InvalidProof,
    /// A proof's nonce is not one of the issuer's, used, or too old.
    InvalidNonce,
    /// Encryption is asked for in a way that is not supported, or not asked for though required.
    InvalidEncryptionParameters,
    /// The issuer does not issue this credential to this holder, now and later.
    CredentialRequestDenied,
    /// No such deferred transaction, or its credential has been fetched.
    InvalidTransactionId,
    /// No such notification.
    InvalidNotificationId,
    /// A notification that cannot be read.
    InvalidNotificationRequest,
}

impl CredentialErrorCode {
    /// The code's text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidCredentialRequest => "invalid_credential_request",
            Self::UnknownCredentialConfiguration => "unknown_credential_configuration",
            Self::UnknownCredentialIdentifier => "unknown_credential_identifier",
            Self::InvalidProof => "invalid_proof",
            Self::InvalidNonce => "invalid_nonce",
            Self::InvalidEncryptionParameters => "invalid_encryption_parameters",
            Self::CredentialRequestDenied => "credential_request_denied",
            Self::InvalidTransactionId => "invalid_transaction_id",
            Self::InvalidNotificationId => "invalid_notification_id",
            Self::InvalidNotificationRequest => "invalid_notification_request",
        }
    }
}

/// Why a credential request cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CredentialRequestError {
    /// Not a JSON object without doubled names.
    #[error("the request is not a JSON object in which each name occurs once")]
    Form,
    /// Neither or both of `credential_identifier` and `credential_configuration_id`.
    #[error("name either a credential_configuration_id or a credential_identifier")]
    Which,
    /// `proofs` is not an object with one known type and an array of texts.
    #[error("proofs must be an object with one member, jwt, a non-empty array of texts")]
    Proofs,
    /// `credential_response_encryption` is malformed.
    #[error("credential_response_encryption must have jwk and enc")]
    Encryption,
    /// A deferred request without its transaction.
    #[error("the request lacks transaction_id")]
    Transaction,
}

impl CredentialRequestError {
    /// The code on the wire.
    #[must_use]
    pub const fn code(self) -> CredentialErrorCode {
        match self {
            Self::Form | Self::Which | Self::Transaction => CredentialErrorCode::InvalidCredentialRequest,
            Self::Proofs => CredentialErrorCode::InvalidProof,
            Self::Encryption => CredentialErrorCode::InvalidEncryptionParameters,
        }
    }
}

/// Which credential is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// By configuration.
    Configuration(String),
    /// By an identifier of the token response.
    Identifier(String),
}

/// How the answer is to be encrypted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResponseEncryption {
    /// The public key to encrypt to, with its `alg`.
    pub jwk: Map<String, Value>,
    /// Content encryption algorithm.
    pub enc: String,
    /// Compression; absent: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zip: Option<String>,
}

/// A request for a credential. Unknown members are ignored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialRequest {
    /// Which credential.
    pub wanted: Wanted,
    /// Key proofs of type `jwt`; none if `proofs` is absent.
    pub proofs: Vec<String>,
    /// Whether the answer is to be encrypted.
    pub encryption: Option<ResponseEncryption>,
}

impl CredentialRequest {
    /// Reads a request body.
    ///
    /// # Errors
    /// [`CredentialRequestError`].
    pub fn parse(body: &[u8]) -> Result<Self, CredentialRequestError> {
        let request = object(body)?;
        let text = |name| match member(&request, name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(CredentialRequestError::Form),
        };
        let identifier = text("credential_identifier")?;
        let configuration = text("credential_configuration_id")?;
        let both = identifier.is_some() && configuration.is_some();
        if !passes("VCI-20", !both) {
            return Err(CredentialRequestError::Which);
        }
        let wanted = match (configuration, identifier) {
            (Some(configuration), _) => Wanted::Configuration(configuration),
            (None, Some(identifier)) => Wanted::Identifier(identifier),
            (None, None) => return Err(CredentialRequestError::Which),
        };
        Ok(Self {
            wanted,
            proofs: member(&request, "proofs").map_or(Ok(Vec::new()), read_proofs)?,
            encryption: read_encryption(&request)?,
        })
    }

    /// The body to send.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut body = match &self.wanted {
            Wanted::Configuration(id) => json!({ "credential_configuration_id": id }),
            Wanted::Identifier(id) => json!({ "credential_identifier": id }),
        };
        if !self.proofs.is_empty() {
            body["proofs"] = json!({ "jwt": self.proofs });
        }
        if let Some(encryption) = &self.encryption {
            body["credential_response_encryption"] = json!(encryption);
        }
        body
    }
}

fn object(body: &[u8]) -> Result<Map<String, Value>, CredentialRequestError> {
    if body.len() > MAX_REQUEST {
        return Err(CredentialRequestError::Form);
    }
    parse_object(body).ok_or(CredentialRequestError::Form)
}

/// A member, if it is there; software that writes `null` for what it does not have means the same.
fn member<'a>(request: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    request.get(name).filter(|value| !value.is_null())
}

fn read_proofs(proofs: &Value) -> Result<Vec<String>, CredentialRequestError> {
    let proofs = proofs.as_object().ok_or(CredentialRequestError::Proofs)?;
    if !passes("VCI-21", proofs.len() == 1) {
        return Err(CredentialRequestError::Proofs);
    }
    let jwts = proofs.get("jwt").and_then(Value::as_array);
    let jwts = jwts.ok_or(CredentialRequestError::Proofs)?;
    if !passes("VCI-22", !jwts.is_empty()) {
        return Err(CredentialRequestError::Proofs);
    }
    let text = |jwt: &Value| {
        jwt.as_str()
            .map(str::to_owned)
            .ok_or(CredentialRequestError::Proofs)
    };
    jwts.iter().map(text).collect()
}

fn read_encryption(
    request: &Map<String, Value>,
) -> Result<Option<ResponseEncryption>, CredentialRequestError> {
    let Some(value) = member(request, "credential_response_encryption") else {
        return Ok(None);
    };
    let read = serde_json::from_value(value.clone());
    read.map(Some).map_err(|_| CredentialRequestError::Encryption)
}

/// A request for a credential that was deferred.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeferredRequest {
    /// The transaction of the first answer.
    pub transaction_id: String,
    /// Whether this answer is to be encrypted, whatever the first request said.
    pub encryption: Option<ResponseEncryption>,
}

impl DeferredRequest {
    /// Reads a request body.
    ///
    /// # Errors
    /// [`CredentialRequestError`].
    pub fn parse(body: &[u8]) -> Result<Self, CredentialRequestError> {
        let request = object(body)?;
        let id = request.get("transaction_id").and_then(Value::as_str);
        Ok(Self {
            transaction_id: id.ok_or(CredentialRequestError::Transaction)?.to_owned(),
            encryption: read_encryption(&request)?,
        })
    }

    /// The body to send.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut body = json!({ "transaction_id": self.transaction_id });
        if let Some(encryption) = &self.encryption {
            body["credential_response_encryption"] = json!(encryption);
        }
        body
    }
}

/// One credential of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuedCredential {
    /// The credential: a text for SD-JWT VC; other formats may use objects.
    pub credential: Value,
}

/// The answer as it travels, at the credential and deferred endpoints.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CredentialResponse {
    /// The credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<Vec<IssuedCredential>>,
    /// What to ask for again, if there is none yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction_id: Option<String>,
    /// After how many seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<serde_json::Number>,
    /// What to name when telling what became of the credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notification_id: Option<String>,
}

/// What an answer means.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Credentials, and how to tell what became of them.
    Issued {
        /// At least one.
        credentials: Vec<IssuedCredential>,
        /// For the notification endpoint.
        notification_id: Option<String>,
    },
    /// Not yet.
    Deferred {
        /// For the deferred endpoint.
        transaction_id: String,
        /// Seconds to wait, at least 1.
        interval: u64,
    },
}

/// The answer is neither credentials nor a transaction, or both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the answer holds neither credentials nor a transaction, or both")]
pub struct ResponseError;

impl CredentialResponse {
    /// An answer with credentials.
    #[must_use]
    pub fn issued(credentials: Vec<String>, notification_id: Option<String>) -> Self {
        let wrap = |credential: String| IssuedCredential {
            credential: credential.into(),
        };
        Self {
            credentials: Some(credentials.into_iter().map(wrap).collect()),
            notification_id,
            ..Self::default()
        }
    }

    /// An answer that puts the wallet off.
    #[must_use]
    pub fn deferred(transaction_id: String, seconds: u32) -> Self {
        Self {
            transaction_id: Some(transaction_id),
            interval: Some(seconds.into()),
            ..Self::default()
        }
    }

    /// Reads an answer.
    ///
    /// # Errors
    /// [`ResponseError`].
    pub fn parse(body: &[u8]) -> Result<Outcome, ResponseError> {
        let object = parse_object(body).ok_or(ResponseError)?;
        let response: Self = serde_json::from_value(Value::Object(object)).map_err(|_| ResponseError)?;
        let deferred = response.transaction_id;
        match response.credentials {
            Some(credentials) if passes("VCI-23", !credentials.is_empty() && deferred.is_none()) => {
                Ok(Outcome::Issued {
                    credentials,
                    notification_id: response.notification_id,
                })
            }
            None => Ok(Outcome::Deferred {
                transaction_id: deferred.ok_or(ResponseError)?,
                interval: seconds(response.interval.and_then(|number| number.as_f64())),
            }),
            Some(_) => Err(ResponseError),
        }
    }
}

/// Whole seconds from 1 to a day, whatever number somebody sent.
fn seconds(interval: Option<f64>) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 1 and 86,400"
    )]
    let seconds = interval
        .filter(|n| n.is_finite())
        .unwrap_or(5.0)
        .clamp(1.0, 86_400.0)
        .ceil() as u64;
    seconds
}

/// The nonce endpoint's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NonceResponse {
    /// To be used in proofs.
    pub c_nonce: String,
}
