//! What a wallet says of itself when it fetches a request by POST (OpenID4VP 1.0 §5.10, §10), and
//! whether it could answer that request.

use realdid_checks::passes;
use realdid_jose::jwe::ALGORITHM;
use serde_json::{Map, Value};

use super::{RequestClaims, ResponseMode};
use crate::dcql::SD_JWT_VC;

/// Why a wallet is not given a request: it says that it could do nothing with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WalletMetadataError {
    /// Not a JSON object, or one in which a name occurs twice.
    #[error("the wallet_metadata is not a JSON object")]
    Form,
    /// Without formats and algorithms that are read here nothing that is required could be shown.
    #[error(
        "the wallet does not hold the formats that are asked for, or not in algorithms that are read here"
    )]
    Formats,
    /// The verifier's client identifier has another prefix.
    #[error("the wallet does not know the client-id prefix that the verifier names itself by")]
    Prefix,
    /// The request is signed with another algorithm.
    #[error("the wallet does not read the algorithm that the request is signed with")]
    Signature,
    /// The answer would be encrypted in another way.
    #[error("the wallet cannot encrypt its answer in a way that is read here")]
    Encryption,
}

impl WalletMetadataError {
    /// The failure's stable name in interfaces.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Form => "wallet_metadata_invalid",
            Self::Formats => "wallet_formats",
            Self::Prefix => "wallet_client_id_prefix",
            Self::Signature => "wallet_request_algorithm",
            Self::Encryption => "wallet_encryption",
        }
    }
}

/// A wallet's metadata, as far as a verifier heeds it. What is absent, empty or of another type than
/// prescribed says nothing; other members are ignored (§10.1).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WalletMetadata(Map<String, Value>);

impl WalletMetadata {
    /// Reads the parameter `wallet_metadata`.
    ///
    /// # Errors
    /// [`WalletMetadataError::Form`].
    pub fn read(text: &str) -> Result<Self, WalletMetadataError> {
        let object = crate::json::parse_object(text.as_bytes());
        object.map(Self).ok_or(WalletMetadataError::Form)
    }

    fn list(&self, name: &str) -> Vec<&str> {
        texts(self.0.get(name))
    }

    /// Checks that the wallet could read and answer a request that is signed with this JOSE algorithm.
    ///
    /// # Errors
    /// [`WalletMetadataError`].
    pub fn check(&self, request: &RequestClaims, algorithm: &str) -> Result<(), WalletMetadataError> {
        let prefixes = self.list("client_id_prefixes_supported");
        let prefix = request.client_id.prefix().as_str();
        if !passes("VP-39", prefixes.is_empty() || prefixes.contains(&prefix)) {
            return Err(WalletMetadataError::Prefix);
        }
        let signatures = self.list("request_object_signing_alg_values_supported");
        if !passes("VP-40", signatures.is_empty() || has(&signatures, algorithm)) {
            return Err(WalletMetadataError::Signature);
        }
        if !passes("VP-41", self.holds_enough(request)) {
            return Err(WalletMetadataError::Formats);
        }
        let encrypted = request.response_mode == ResponseMode::DirectPostJwt.as_str();
        if !passes("VP-42", !encrypted || self.can_encrypt(request)) {
            return Err(WalletMetadataError::Encryption);
        }
        Ok(())
    }

    /// Whether what is required could be answered in the formats that the wallet names.
    fn holds_enough(&self, request: &RequestClaims) -> bool {
        let named = self.0.get("vp_formats_supported").and_then(Value::as_object);
        let Some(named) = named.filter(|named| !named.is_empty()) else {
            return true;
        };
        let Ok(query) = request.dcql_query.clone().check() else {
            return false;
        };
        let read = &request.client_metadata.vp_formats_supported;
        let held = |id: &str| {
            let format = query.credential(id).map_or("", |asked| asked.format.as_str());
            let own = named.get(format);
            own.is_some_and(|own| format != SD_JWT_VC || agree(own, read.get(format)))
        };
        query.choose(&held).is_ok()
    }

    fn can_encrypt(&self, request: &RequestClaims) -> bool {
        let agreements = self.list("authorization_encryption_alg_values_supported");
        let own = self.list("authorization_encryption_enc_values_supported");
        let offered = request
            .client_metadata
            .encrypted_response_enc_values_supported
            .as_deref();
        let mut offered = offered.unwrap_or_default().iter();
        let common = offered.any(|name| own.contains(&name.as_str()));
        (agreements.is_empty() || has(&agreements, ALGORITHM)) && (own.is_empty() || common)
    }
}

/// Whether both sides have an algorithm in common for each signature of an SD-JWT VC.
fn agree(own: &Value, read: Option<&Value>) -> bool {
    ["sd-jwt_alg_values", "kb-jwt_alg_values"].iter().all(|list| {
        let (own, read) = (texts(own.get(list)), texts(read.and_then(|read| read.get(list))));
        own.is_empty() || read.is_empty() || read.iter().any(|name| has(&own, name))
    })
}

fn texts(list: Option<&Value>) -> Vec<&str> {
    let values = list.and_then(Value::as_array).into_iter().flatten();
    values.filter_map(Value::as_str).collect()
}

/// Whether a list has an algorithm, of which one has two names (RFC 8037, RFC 9864).
fn has(list: &[&str], algorithm: &str) -> bool {
    let one = |name| if name == "Ed25519" { "EdDSA" } else { name };
    list.iter().any(|name| one(name) == one(algorithm))
}
