//! `/token`: a website turns its code into an ID token.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use realdid_checks::passes;
use realdid_openid::oidc::id_token::access_token_hash;
use realdid_openid::oidc::{AuthorizationParameters, IdTokenClaims, TokenError, TokenRequest, TokenResponse};
use realdid_service::{Problem, now_seconds};

use super::App;
use super::client_auth::{CallFailure, authenticate};
use crate::grants::{Grant, TOKEN_LIFETIME};
use crate::secret::Secret;

/// How long an ID token may be accepted, in seconds.
const ID_TOKEN_LIFETIME: u64 = 300;

/// `POST /token`
pub(super) async fn token(State(app): State<Arc<App>>, headers: HeaderMap, body: String) -> Response {
    let now = now_seconds();
    match exchange(&app, &headers, &body, now).await {
        Ok((grant, access_token)) => answer(&app, &grant, &access_token, now),
        Err(failure) => failure.into_response(),
    }
}

async fn exchange(
    app: &App,
    headers: &HeaderMap,
    body: &str,
    now: u64,
) -> Result<(Grant, Secret), CallFailure> {
    let parameters = AuthorizationParameters::parse(body).map_err(|_| TokenError::Request)?;
    let client = authenticate(app, headers, &parameters).await?;
    let request = TokenRequest::read(&parameters)?;
    let code = app.database.code(&request.code).await?;
    if !passes("OIDC-22", code.is_some()) {
        return Err(TokenError::Code.into());
    }
    let code = code.ok_or(TokenError::Request)?;
    code.check(&client.client_id, now)?;
    request.check(&code.grant.asked.redirect_uri, &code.grant.asked.challenge)?;
    let access_token = app.database.redeem(&code, now).await??;
    Ok((code.grant, access_token))
}

fn answer(app: &App, grant: &Grant, access_token: &Secret, now: u64) -> Response {
    let claims = IdTokenClaims {
        iss: app.issuer.as_str().to_owned(),
        sub: grant.answer.sub.clone(),
        aud: grant.asked.client_id.clone(),
        exp: now + ID_TOKEN_LIFETIME,
        iat: now,
        auth_time: grant.answer.auth_time,
        nonce: grant.asked.nonce.clone(),
        acr: grant.answer.acr(),
        amr: grant.answer.amr(),
        at_hash: access_token_hash(access_token.as_str()),
        person: grant.person(),
    };
    match claims.sign(&app.signing_key) {
        Ok(id_token) => Json(TokenResponse {
            access_token: access_token.as_str().to_owned(),
            token_type: "Bearer".to_owned(),
            expires_in: TOKEN_LIFETIME,
            id_token,
            scope: grant.scopes().names(),
        })
        .into_response(),
        Err(error) => Problem::internal(&error).into_response(),
    }
}
