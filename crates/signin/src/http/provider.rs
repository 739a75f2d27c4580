//! What a website's software reads first: metadata and signing keys.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use realdid_openid::jwk::Jwk;
use realdid_openid::oidc::ProviderMetadata;
use serde_json::json;

use super::App;

/// Both change only with a restart.
const CACHED: [(header::HeaderName, &str); 1] = [(header::CACHE_CONTROL, "public, max-age=300")];

/// `GET /.well-known/openid-configuration`
pub(super) async fn metadata(State(app): State<Arc<App>>) -> impl IntoResponse {
    (CACHED, Json(ProviderMetadata::of(app.issuer.as_str())))
}

/// `GET /jwks`
pub(super) async fn key_set(State(app): State<Arc<App>>) -> impl IntoResponse {
    (
        CACHED,
        Json(json!({ "keys": [Jwk::for_signatures(&app.signing_key.public_key())] })),
    )
}
