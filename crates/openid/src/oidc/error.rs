//! The error codes of OAuth and OpenID Connect, and the JSON they travel in.

/// An error code on the wire. Which failure maps to which code is said once, at the failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OAuthCode {
    /// RFC 6749 §4.1.2.1, §5.2.
    InvalidRequest,
    /// RFC 6749 §5.2: unknown client or wrong secret.
    InvalidClient,
    /// RFC 6749 §5.2: the code is unknown, used, expired, or another client's.
    InvalidGrant,
    /// RFC 6749 §5.2.
    UnsupportedGrantType,
    /// RFC 6749 §4.1.2.1.
    UnsupportedResponseType,
    /// RFC 6749 §4.1.2.1.
    InvalidScope,
    /// RFC 6749 §4.1.2.1: the person or the sign-in server refused.
    AccessDenied,
    /// RFC 6749 §4.1.2.1.
    ServerError,
    /// RFC 6749 §4.1.2.1.
    TemporarilyUnavailable,
    /// OpenID Connect Core 1.0 §3.1.2.6: `prompt=none`, and there is no session to take up.
    LoginRequired,
    /// OpenID Connect Core 1.0 §3.1.2.6.
    RequestNotSupported,
    /// OpenID Connect Core 1.0 §3.1.2.6.
    RequestUriNotSupported,
    /// RFC 9101 §6.2: a pushed request that is unknown, used or expired.
    InvalidRequestUri,
    /// RFC 6750 §3.1.
    InvalidToken,
}

impl OAuthCode {
    /// The code's text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::InvalidScope => "invalid_scope",
            Self::AccessDenied => "access_denied",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::LoginRequired => "login_required",
            Self::RequestNotSupported => "request_not_supported",
            Self::RequestUriNotSupported => "request_uri_not_supported",
            Self::InvalidRequestUri => "invalid_request_uri",
            Self::InvalidToken => "invalid_token",
        }
    }
}

/// An error as JSON (RFC 6749 §5.2). The description holds no personal data.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct OAuthErrorBody {
    /// The code.
    pub error: OAuthCode,
    /// What went wrong, for a developer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_description: Option<String>,
}
