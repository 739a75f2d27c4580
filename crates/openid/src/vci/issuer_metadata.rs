//! What a credential issuer issues, and where (OpenID4VCI 1.0 §12.2).

use std::collections::BTreeMap;

use realdid_checks::passes;
use realdid_jose::json::parse_object;
use realdid_jose::jwk::Jwk;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::oauth::server_metadata::MetadataError;

/// Last part of the path under `/.well-known/`.
pub const WELL_KNOWN: &str = "openid-credential-issuer";

/// An issuer's metadata. Unknown members are ignored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IssuerMetadata {
    /// The issuer's identifier; equal to the letter to the one it was fetched for.
    pub credential_issuer: String,
    /// Identifiers of its authorization servers; empty: itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authorization_servers: Vec<String>,
    /// Where credentials are asked for.
    pub credential_endpoint: String,
    /// Where nonces for proofs come from; absent: none is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce_endpoint: Option<String>,
    /// Where deferred credentials are asked for again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deferred_credential_endpoint: Option<String>,
    /// Where to tell what became of credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notification_endpoint: Option<String>,
    /// Whether and how requests may be encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_request_encryption: Option<RequestEncryptionSupport>,
    /// Whether and how responses may be encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_response_encryption: Option<ResponseEncryptionSupport>,
    /// Whether several proofs may be sent at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_credential_issuance: Option<BatchSupport>,
    /// The issuer's name in several languages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub display: Vec<Display>,
    /// What it issues. A reader leaves out entries it cannot read, e.g. of other formats.
    #[serde(deserialize_with = "readable_configurations")]
    pub credential_configurations_supported: BTreeMap<String, CredentialConfiguration>,
}

/// How requests may be encrypted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RequestEncryptionSupport {
    /// Keys to encrypt to, each with `kid` and `alg`.
    pub jwks: KeySet,
    /// Content encryption algorithms.
    pub enc_values_supported: Vec<String>,
    /// Compression algorithms; empty: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub zip_values_supported: Vec<String>,
    /// Whether requests must be encrypted.
    pub encryption_required: bool,
}

/// A set of public keys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeySet {
    /// The keys. A reader leaves out those of other kinds, e.g. RSA.
    #[serde(deserialize_with = "readable_keys")]
    pub keys: Vec<Jwk>,
}

/// How responses may be encrypted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResponseEncryptionSupport {
    /// Key management algorithms.
    pub alg_values_supported: Vec<String>,
    /// Content encryption algorithms.
    pub enc_values_supported: Vec<String>,
    /// Compression algorithms; empty: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub zip_values_supported: Vec<String>,
    /// Whether responses must be encrypted.
    pub encryption_required: bool,
}

/// How many proofs may be sent at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchSupport {
    /// At least 2.
    pub batch_size: u64,
}

/// A name in one language, and how it looks. Other people's texts: show nothing of it unescaped.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Display {
    /// The name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Language tag (BCP 47).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// In a few words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// A picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logo: Option<Logo>,
    /// CSS colour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub background_color: Option<String>,
    /// CSS colour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text_color: Option<String>,
}

/// Where a picture is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logo {
    /// Its address, `https:` or `data:`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// What it shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alt_text: Option<String>,
}

/// One kind of credential.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CredentialConfiguration {
    /// `dc+sd-jwt`, or another format.
    pub format: String,
    /// Type, for `dc+sd-jwt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vct: Option<String>,
    /// Type, for `mso_mdoc`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doctype: Option<String>,
    /// Scope by which it is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Signature algorithms of the issuer: names, or numbers for `mso_mdoc`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credential_signing_alg_values_supported: Vec<Value>,
    /// `jwk`, `did:…`: in which form a holder's key is named; empty: no key is bound.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cryptographic_binding_methods_supported: Vec<String>,
    /// Types of proofs; empty: none is needed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub proof_types_supported: BTreeMap<String, ProofType>,
    /// How it looks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_metadata: Option<CredentialMetadata>,
}

/// One type of proof.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProofType {
    /// Algorithms of the holder's keys.
    pub proof_signing_alg_values_supported: Vec<String>,
    /// What an attestation of the keys must say; absent: none is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_attestations_required: Option<Value>,
}

/// How a credential and its claims are shown.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CredentialMetadata {
    /// Its name in several languages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub display: Vec<Display>,
    /// Its claims, in the order to show them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<ClaimDescription>,
}

/// One claim (OpenID4VCI 1.0 appendix B.2).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClaimDescription {
    /// Claims path pointer: names, numbers, or null.
    pub path: Vec<Value>,
    /// Whether it is always there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mandatory: bool,
    /// Its name in several languages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub display: Vec<Display>,
}

fn readable_keys<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Jwk>, D::Error> {
    let all = Vec::<Value>::deserialize(deserializer)?;
    Ok(all
        .into_iter()
        .filter_map(|key| serde_json::from_value(key).ok())
        .collect())
}

fn readable_configurations<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, CredentialConfiguration>, D::Error> {
    let all = BTreeMap::<String, Value>::deserialize(deserializer)?;
    let read = |(id, value)| serde_json::from_value(value).ok().map(|read| (id, read));
    Ok(all.into_iter().filter_map(read).collect())
}

impl IssuerMetadata {
    /// Reads what was fetched for `issuer`.
    ///
    /// # Errors
    /// [`MetadataError`].
    pub fn parse(body: &[u8], issuer: &str) -> Result<Self, MetadataError> {
        let form = || MetadataError::Form(issuer.to_owned());
        let object = parse_object(body).ok_or_else(form)?;
        let metadata: Self = serde_json::from_value(Value::Object(object)).map_err(|_| form())?;
        if !passes("VCI-05", metadata.credential_issuer == issuer) {
            return Err(MetadataError::Issuer(issuer.to_owned()));
        }
        Ok(metadata)
    }

    /// The authorization server to use: the one that the offer names if it is among the issuer's
    /// (a name that is none of them ends the flow), the only one, or the issuer itself.
    #[must_use]
    pub fn authorization_server(&self, named: Option<&str>) -> Option<&str> {
        match (named, self.authorization_servers.as_slice()) {
            (None, []) => Some(&self.credential_issuer),
            (None, [first, ..]) => Some(first),
            (Some(named), servers) => {
                let known = servers.iter().find(|server| *server == named);
                if passes("VCI-06", known.is_some()) {
                    known.or(servers.first()).map(String::as_str)
                } else {
                    None
                }
            }
        }
    }
}
