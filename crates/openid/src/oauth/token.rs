//! The token endpoint's messages (RFC 6749 §4.1.3, §5, §6; OpenID4VCI 1.0 §6), for both sides.

use realdid_checks::passes;
use serde::{Deserialize, Serialize};

use crate::oauth::authorization::{AuthorizationDetail, read_details};
use crate::oauth::error::ErrorCode;
use crate::oidc::AuthorizationParameters;
use crate::vci::PRE_AUTHORIZED_GRANT;

/// Longest transaction code, in bytes.
pub const MAX_TX_CODE: usize = 128;

/// Why a token request cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenRequestError {
    /// A parameter is missing, doubled or too long.
    #[error("the token request is not valid: a parameter is doubled or too long")]
    Form,
    /// A required parameter is missing.
    #[error("the token request lacks {0}")]
    Missing(&'static str),
    /// Another grant type.
    #[error("the grant_type is not one of the metadata")]
    GrantType,
    /// A transaction code with a grant that has none.
    #[error("tx_code goes with the pre-authorized code only")]
    StrayTxCode,
    /// The authorization details are not an array of known objects.
    #[error("authorization_details is not an array of openid_credential objects")]
    Details,
}

impl TokenRequestError {
    /// The code on the wire.
    #[must_use]
    pub const fn code(self) -> ErrorCode {
        match self {
            Self::Form | Self::Missing(_) | Self::StrayTxCode => ErrorCode::InvalidRequest,
            Self::GrantType => ErrorCode::UnsupportedGrantType,
            Self::Details => ErrorCode::InvalidAuthorizationDetails,
        }
    }
}

/// What the client brings.
#[derive(Clone, PartialEq, Eq)]
pub enum Grant {
    /// A pre-authorized code out of an offer.
    PreAuthorized {
        /// The code.
        code: String,
        /// The transaction code, if the offer asked for one.
        tx_code: Option<String>,
    },
    /// An authorization code.
    AuthorizationCode {
        /// The code.
        code: String,
        /// The redirect address of the authorization request.
        redirect_uri: String,
        /// The PKCE verifier.
        code_verifier: String,
    },
    /// A refresh token.
    Refresh {
        /// The token.
        refresh_token: String,
    },
}

/// Secrets are not printed.
impl std::fmt::Debug for Grant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::PreAuthorized { .. } => "PreAuthorized(…)",
            Self::AuthorizationCode { .. } => "AuthorizationCode(…)",
            Self::Refresh { .. } => "Refresh(…)",
        })
    }
}

/// A token request of a public client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRequest {
    /// What the client brings.
    pub grant: Grant,
    /// The client's name, if it gives one.
    pub client_id: Option<String>,
    /// Which credentials it wants (RFC 9396); empty: whatever was granted.
    pub authorization_details: Vec<AuthorizationDetail>,
}

impl TokenRequest {
    /// Reads a form body. Unknown parameters are ignored.
    ///
    /// # Errors
    /// [`TokenRequestError`].
    pub fn read(parameters: &AuthorizationParameters) -> Result<Self, TokenRequestError> {
        let require = |name| {
            let value = parameters.get(name).map(str::to_owned);
            value.ok_or(TokenRequestError::Missing(name))
        };
        let tx_code = parameters.get("tx_code").map(str::to_owned);
        let grant = match require("grant_type")?.as_str() {
            PRE_AUTHORIZED_GRANT => Grant::PreAuthorized {
                code: require("pre-authorized_code")?,
                tx_code: tx_code.clone(),
            },
            "authorization_code" => Grant::AuthorizationCode {
                code: require("code")?,
                redirect_uri: require("redirect_uri")?,
                code_verifier: require("code_verifier")?,
            },
            "refresh_token" => Grant::Refresh {
                refresh_token: require("refresh_token")?,
            },
            _ => return Err(TokenRequestError::GrantType),
        };
        let may_have = matches!(grant, Grant::PreAuthorized { .. });
        if !passes("OAU-02", tx_code.is_none() || may_have) {
            return Err(TokenRequestError::StrayTxCode);
        }
        if tx_code.is_some_and(|code| code.len() > MAX_TX_CODE) {
            return Err(TokenRequestError::Form);
        }
        let details = parameters.get("authorization_details");
        Ok(Self {
            grant,
            client_id: parameters.get("client_id").map(str::to_owned),
            authorization_details: details
                .map_or(Ok(Vec::new()), read_details)
                .map_err(|_| TokenRequestError::Details)?,
        })
    }

    /// The form's fields, for a client to send.
    #[must_use]
    pub fn to_form(&self) -> Vec<(&'static str, String)> {
        let mut form = match self.grant.clone() {
            Grant::PreAuthorized { code, tx_code } => {
                let mut form = vec![
                    ("grant_type", PRE_AUTHORIZED_GRANT.to_owned()),
                    ("pre-authorized_code", code),
                ];
                form.extend(tx_code.map(|code| ("tx_code", code)));
                form
            }
            Grant::AuthorizationCode {
                code,
                redirect_uri,
                code_verifier,
            } => vec![
                ("grant_type", "authorization_code".to_owned()),
                ("code", code),
                ("redirect_uri", redirect_uri),
                ("code_verifier", code_verifier),
            ],
            Grant::Refresh { refresh_token } => vec![
                ("grant_type", "refresh_token".to_owned()),
                ("refresh_token", refresh_token),
            ],
        };
        form.extend(self.client_id.clone().map(|id| ("client_id", id)));
        if let (false, Ok(details)) = (
            self.authorization_details.is_empty(),
            serde_json::to_string(&self.authorization_details),
        ) {
            form.push(("authorization_details", details));
        }
        form
    }
}

/// A successful token response. It is never logged.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenResponse {
    /// The access token.
    pub access_token: String,
    /// `Bearer` or `DPoP`, in any case (RFC 6749 §5.1).
    pub token_type: String,
    /// Life of the access token, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<u64>,
    /// For later access tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// The scopes granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// What may be asked for, and by which identifiers; if it is there, they must be used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authorization_details: Vec<AuthorizationDetail>,
}

impl TokenResponse {
    /// Whether each use of the token needs a DPoP proof.
    #[must_use]
    pub fn is_dpop(&self) -> bool {
        self.token_type.eq_ignore_ascii_case("DPoP")
    }
}

impl std::fmt::Debug for TokenResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TokenResponse({}, …)", self.token_type)
    }
}
