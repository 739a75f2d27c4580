//! What an authorization server says of itself (RFC 8414).

use realdid_checks::passes;
use realdid_jose::json::parse_object;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use crate::vci::PRE_AUTHORIZED_GRANT;

/// Last part of the path under `/.well-known/`.
pub const WELL_KNOWN: &str = "oauth-authorization-server";

/// The members that issuance needs. Unknown ones are ignored, absent ones have RFC 8414's defaults.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerMetadata {
    /// The server's identifier; equal to the letter to the one it was fetched for.
    pub issuer: String,
    /// Where browsers go to be authorized.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_endpoint: Option<String>,
    /// Where codes become tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_endpoint: Option<String>,
    /// Where requests are pushed to (RFC 9126).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pushed_authorization_request_endpoint: Option<String>,
    /// Whether requests must be pushed.
    #[serde(default)]
    pub require_pushed_authorization_requests: bool,
    /// Response types.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub response_types_supported: Vec<String>,
    /// Response modes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub response_modes_supported: Vec<String>,
    /// Grants; empty means authorization code (RFC 8414 §2).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grant_types_supported: Vec<String>,
    /// Scopes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes_supported: Vec<String>,
    /// How clients authenticate at the token endpoint.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub token_endpoint_auth_methods_supported: Vec<String>,
    /// PKCE methods.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub code_challenge_methods_supported: Vec<String>,
    /// Algorithms of DPoP proofs; empty if DPoP is not supported (RFC 9449 §5.1).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dpop_signing_alg_values_supported: Vec<String>,
    /// Types of authorization details (RFC 9396 §10).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authorization_details_types_supported: Vec<String>,
    /// Whether the authorization response carries `iss` (RFC 9207).
    #[serde(default)]
    pub authorization_response_iss_parameter_supported: bool,
    /// Whether the pre-authorized grant needs no `client_id` (OpenID4VCI 1.0 §12.3).
    #[serde(
        default,
        rename = "pre-authorized_grant_anonymous_access_supported",
        skip_serializing_if = "std::ops::Not::not"
    )]
    pub pre_authorized_grant_anonymous_access_supported: bool,
    /// Where the keys of the server are, if it has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
}

/// Why metadata is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// Not JSON of the required form.
    #[error("the metadata at {0} is not of the required form")]
    Form(String),
    /// The metadata is somebody else's.
    #[error("the metadata fetched for {0} names another issuer")]
    Issuer(String),
    /// The identifier is no web address with scheme, host, optional port and path only.
    #[error("the issuer identifier is not a web address without query and fragment")]
    Identifier,
}

impl ServerMetadata {
    /// Reads what was fetched for `issuer`.
    ///
    /// # Errors
    /// [`MetadataError`].
    pub fn parse(body: &[u8], issuer: &str) -> Result<Self, MetadataError> {
        let form = || MetadataError::Form(issuer.to_owned());
        let object = parse_object(body).ok_or_else(form)?;
        let metadata: Self = serde_json::from_value(Value::Object(object)).map_err(|_| form())?;
        if !passes("OAU-01", metadata.issuer == issuer) {
            return Err(MetadataError::Issuer(issuer.to_owned()));
        }
        Ok(metadata)
    }

    /// Whether a grant is among those supported.
    #[must_use]
    pub fn supports_grant(&self, grant: &str) -> bool {
        if self.grant_types_supported.is_empty() {
            grant == "authorization_code" || grant == PRE_AUTHORIZED_GRANT
        } else {
            self.grant_types_supported.iter().any(|known| known == grant)
        }
    }
}

/// The address of a well-known document: the name goes between host and path (RFC 8414 §3.1,
/// OpenID4VCI 1.0 §12.2.2).
///
/// # Errors
/// [`MetadataError::Identifier`].
pub fn well_known(issuer: &str, name: &str) -> Result<String, MetadataError> {
    let url = Url::parse(issuer).map_err(|_| MetadataError::Identifier)?;
    if !url.has_host() || url.query().is_some() || url.fragment().is_some() {
        return Err(MetadataError::Identifier);
    }
    let path = url.path().trim_end_matches('/');
    let origin = url.origin().ascii_serialization();
    Ok(format!("{origin}/.well-known/{name}{path}"))
}
