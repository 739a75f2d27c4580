//! The token endpoint's messages (RFC 6749 §4.1.3, §5; OpenID Connect Core 1.0 §3.1.3).

use realdid_checks::passes;
use url::form_urlencoded;

use crate::oidc::authorization::AuthorizationParameters;
use crate::oidc::error::OAuthCode;
use crate::oidc::pkce::{CodeChallenge, PkceError};

/// Why a token request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// A parameter is missing, doubled or too long.
    #[error("the token request is not valid")]
    Request,
    /// Another grant type than `authorization_code`.
    #[error("only grant_type=authorization_code is supported")]
    GrantType,
    /// The client named itself in two ways, or not at all.
    #[error("the client must name itself in exactly one way")]
    Credentials,
    /// No such client, or another secret.
    #[error("the client is unknown or its secret is wrong")]
    Client,
    /// The code is unknown or was another client's.
    #[error("the code is not valid")]
    Code,
    /// The code has expired.
    #[error("the code has expired")]
    Expired,
    /// The code was used before; what it gave is revoked.
    #[error("the code was used before")]
    Used,
    /// The redirect address is not the one of the authorization request.
    #[error("the redirect_uri is not the one of the authorization request")]
    RedirectUri,
    /// The verifier does not fit.
    #[error(transparent)]
    Pkce(#[from] PkceError),
}

impl TokenError {
    /// The code on the wire.
    #[must_use]
    pub const fn code(self) -> OAuthCode {
        match self {
            Self::Request => OAuthCode::InvalidRequest,
            Self::GrantType => OAuthCode::UnsupportedGrantType,
            Self::Credentials | Self::Client => OAuthCode::InvalidClient,
            Self::Code | Self::Expired | Self::Used | Self::RedirectUri | Self::Pkce(_) => {
                OAuthCode::InvalidGrant
            }
        }
    }
}

/// How a client says who it is.
#[derive(Clone, PartialEq, Eq)]
pub enum ClientCredentials {
    /// A public client: only its name.
    Public {
        /// The client identifier.
        client_id: String,
    },
    /// A confidential client.
    Secret {
        /// The client identifier.
        client_id: String,
        /// The secret it shows.
        secret: String,
    },
}

impl ClientCredentials {
    /// From the `Authorization` header's Basic credentials (decoded: `id:secret`, both form-encoded,
    /// RFC 6749 §2.3.1) or the form body; never both.
    ///
    /// # Errors
    /// [`TokenError::Credentials`].
    pub fn read(basic: Option<&str>, parameters: &AuthorizationParameters) -> Result<Self, TokenError> {
        let (id, secret) = (parameters.get("client_id"), parameters.get("client_secret"));
        let Some(basic) = basic else {
            let client_id = id.ok_or(TokenError::Credentials)?.to_owned();
            return Ok(match secret {
                None => Self::Public { client_id },
                Some(secret) => Self::Secret {
                    client_id,
                    secret: secret.to_owned(),
                },
            });
        };
        let (client_id, basic_secret) = basic.split_once(':').ok_or(TokenError::Credentials)?;
        let (client_id, basic_secret) = (form_decoded(client_id), form_decoded(basic_secret));
        let once = secret.is_none() && id.is_none_or(|id| id == client_id);
        if !passes("OIDC-12", once) {
            return Err(TokenError::Credentials);
        }
        Ok(Self::Secret {
            client_id,
            secret: basic_secret,
        })
    }

    /// The client identifier.
    #[must_use]
    pub fn client_id(&self) -> &str {
        match self {
            Self::Public { client_id } | Self::Secret { client_id, .. } => client_id,
        }
    }
}

impl std::fmt::Debug for ClientCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ClientCredentials({}, …)", self.client_id())
    }
}

fn form_decoded(text: &str) -> String {
    // Without `=` and `&` the whole text is one name.
    let protected = text.replace('=', "%3D").replace('&', "%26");
    form_urlencoded::parse(protected.as_bytes())
        .next()
        .map(|(name, _)| name.into_owned())
        .unwrap_or_default()
}

/// A token request, without its client credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenRequest {
    /// The authorization code.
    pub code: String,
    /// The redirect address of the authorization request.
    pub redirect_uri: String,
    /// The PKCE verifier.
    pub code_verifier: String,
}

impl TokenRequest {
    /// Reads a form body.
    ///
    /// # Errors
    /// [`TokenError::Request`], [`TokenError::GrantType`].
    pub fn read(parameters: &AuthorizationParameters) -> Result<Self, TokenError> {
        let require = |name| parameters.get(name).map(str::to_owned).ok_or(TokenError::Request);
        if !passes("OIDC-13", require("grant_type")? == "authorization_code") {
            return Err(TokenError::GrantType);
        }
        Ok(Self {
            code: require("code")?,
            redirect_uri: require("redirect_uri")?,
            code_verifier: require("code_verifier")?,
        })
    }

    /// Checks the redirect address and the PKCE verifier against the authorization request.
    ///
    /// # Errors
    /// [`TokenError::RedirectUri`], [`TokenError::Pkce`].
    pub fn check(&self, redirect_uri: &str, challenge: &CodeChallenge) -> Result<(), TokenError> {
        if !passes("OIDC-14", self.redirect_uri == redirect_uri) {
            return Err(TokenError::RedirectUri);
        }
        Ok(challenge.check(&self.code_verifier)?)
    }
}

/// A successful token response. It is never logged.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
pub struct TokenResponse {
    /// Bearer token for the userinfo endpoint.
    pub access_token: String,
    /// `Bearer`.
    pub token_type: String,
    /// Life of the access token, in seconds.
    pub expires_in: u64,
    /// Signed claims about the visitor.
    pub id_token: String,
    /// The scopes granted.
    pub scope: String,
}
