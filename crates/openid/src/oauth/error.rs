//! The error codes of the token, authorization and credential endpoints' access control.

use serde::{Deserialize, Serialize};

/// An error code on the wire (RFC 6749 §4.1.2.1 and §5.2, RFC 6750 §3.1, RFC 9126 §2.3,
/// RFC 9396 §5, RFC 9449 §5 and §8). Which failure maps to which code is said once, at the failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorCode {
    /// A parameter is missing, doubled or malformed.
    InvalidRequest,
    /// The client must name itself, or is not known.
    InvalidClient,
    /// The code or refresh token is wrong, used or expired; or the transaction code is wrong.
    InvalidGrant,
    /// The client may not use this grant.
    UnauthorizedClient,
    /// Another grant than those of the metadata.
    UnsupportedGrantType,
    /// Another response type than `code`.
    UnsupportedResponseType,
    /// No scope that is known here.
    InvalidScope,
    /// Authorization details that are not understood or not offered (RFC 9396 §5).
    InvalidAuthorizationDetails,
    /// The person or the server refused.
    AccessDenied,
    /// Something failed here.
    ServerError,
    /// Try again later.
    TemporarilyUnavailable,
    /// The access token is missing, unknown or expired (RFC 6750 §3.1).
    InvalidToken,
    /// The access token does not reach this far (RFC 6750 §3.1).
    InsufficientScope,
    /// The DPoP proof is not valid (RFC 9449 §5).
    InvalidDpopProof,
    /// The DPoP proof must carry the nonce of the `DPoP-Nonce` header (RFC 9449 §8).
    UseDpopNonce,
}

impl ErrorCode {
    /// The code's text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidAuthorizationDetails => "invalid_authorization_details",
            Self::AccessDenied => "access_denied",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
            Self::InvalidDpopProof => "invalid_dpop_proof",
            Self::UseDpopNonce => "use_dpop_nonce",
        }
    }
}

/// An error as JSON (RFC 6749 §5.2), as a client reads it: any code, since servers have their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// The code.
    pub error: String,
    /// What went wrong, for a developer: ASCII without quotes and backslashes, no personal data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_description: Option<String>,
}

impl ErrorBody {
    /// An error with its text; characters that the specifications do not allow in it become spaces.
    #[must_use]
    pub fn new(error: &str, description: &str) -> Self {
        let allowed = |c: char| matches!(c, ' '..='!' | '#'..='[' | ']'..='~');
        let description: String = description
            .chars()
            .map(|c| if allowed(c) { c } else { ' ' })
            .collect();
        Self {
            error: error.to_owned(),
            error_description: Some(description),
        }
    }
}
