//! Which website calls, at the endpoints that websites call themselves; and how they are refused.

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use realdid_checks::passes;
use realdid_openid::oidc::error::OAuthErrorBody;
use realdid_openid::oidc::{
    AuthorizationError, AuthorizationParameters, ClientCredentials, OAuthCode, TokenError,
};
use realdid_service::Problem;

use super::App;
use crate::clients::Client;
use crate::database::DatabaseError;

/// Why a website's own call is refused.
#[derive(Debug)]
pub(super) enum CallFailure {
    Token(TokenError),
    Authorization(AuthorizationError),
    Internal(DatabaseError),
}

impl From<TokenError> for CallFailure {
    fn from(error: TokenError) -> Self {
        Self::Token(error)
    }
}

impl From<AuthorizationError> for CallFailure {
    fn from(error: AuthorizationError) -> Self {
        Self::Authorization(error)
    }
}

impl From<DatabaseError> for CallFailure {
    fn from(error: DatabaseError) -> Self {
        Self::Internal(error)
    }
}

/// The website that calls, if its credentials are right.
pub(super) async fn authenticate(
    app: &App,
    headers: &HeaderMap,
    parameters: &AuthorizationParameters,
) -> Result<Client, CallFailure> {
    let basic = headers
        .get(header::AUTHORIZATION)
        .map(basic_credentials)
        .transpose()?;
    let credentials = ClientCredentials::read(basic.as_deref(), parameters)?;
    let client = app
        .database
        .client(credentials.client_id())
        .await?
        .ok_or(TokenError::Client)?;
    client.authenticate(&credentials)?;
    Ok(client)
}

fn basic_credentials(value: &HeaderValue) -> Result<String, TokenError> {
    let text = value.to_str().map_err(|_| TokenError::Credentials)?;
    let (scheme, encoded) = text.split_once(' ').ok_or(TokenError::Credentials)?;
    if !passes("OIDC-21", scheme.eq_ignore_ascii_case("basic")) {
        return Err(TokenError::Credentials);
    }
    let bytes = STANDARD
        .decode(encoded.trim())
        .map_err(|_| TokenError::Credentials)?;
    String::from_utf8(bytes).map_err(|_| TokenError::Credentials)
}

impl IntoResponse for CallFailure {
    fn into_response(self) -> Response {
        let (code, description) = match self {
            Self::Token(error) => (error.code(), error.to_string()),
            Self::Authorization(error) => (error.code(), error.to_string()),
            Self::Internal(error) => return Problem::internal(&error).into_response(),
        };
        metrics::counter!("signin_calls_refused_total", "error" => code.as_str()).increment(1);
        let body = Json(OAuthErrorBody {
            error: code,
            error_description: Some(description),
        });
        if code == OAuthCode::InvalidClient {
            let challenge = [(header::WWW_AUTHENTICATE, r#"Basic realm="realdid""#)];
            return (StatusCode::UNAUTHORIZED, challenge, body).into_response();
        }
        (StatusCode::BAD_REQUEST, body).into_response()
    }
}
