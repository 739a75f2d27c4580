//! `/par`: a website pushes its request here first (RFC 9126).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use realdid_openid::oidc::AuthorizationParameters;
use realdid_openid::oidc::authorization::check_redirect_uri;
use realdid_service::now_seconds;
use serde_json::{Value, json};

use super::App;
use super::authorize::check_request;
use super::client_auth::{CallFailure, authenticate};
use crate::pushed::PUSHED_LIFETIME;

/// `POST /par`
pub(super) async fn push(State(app): State<Arc<App>>, headers: HeaderMap, body: String) -> Response {
    match keep(&app, &headers, &body, now_seconds()).await {
        Ok(answer) => (StatusCode::CREATED, Json(answer)).into_response(),
        Err(failure) => failure.into_response(),
    }
}

async fn keep(app: &App, headers: &HeaderMap, body: &str, now: u64) -> Result<Value, CallFailure> {
    let parameters = AuthorizationParameters::parse(body)?;
    let client = authenticate(app, headers, &parameters).await?;
    let redirect_uri = check_redirect_uri(&parameters, &client.redirect_uris)?;
    check_request(&parameters, &client, redirect_uri)?;
    let kept = parameters.encode_without("client_secret");
    let request_uri = app.database.push_request(&client.client_id, &kept, now).await?;
    Ok(json!({ "request_uri": request_uri, "expires_in": PUSHED_LIFETIME }))
}
