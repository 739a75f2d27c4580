//! Health routes: `/health/live` says that the process answers, `/health/ready` that it can serve.

use std::pin::Pin;
use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};

use crate::Problem;

/// Why a service is not ready, in words without personal data.
pub type NotReady = String;

/// Path of the liveness answer.
pub const LIVE: &str = "/health/live";
/// Path of the readiness answer.
pub const READY: &str = "/health/ready";

type Check = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Result<(), NotReady>> + Send>> + Send + Sync>;

/// The two health routes; `ready` is asked at each `/health/ready`.
pub fn routes<F, Fut>(ready: F) -> Router
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), NotReady>> + Send + 'static,
{
    let check: Check = Arc::new(move || Box::pin(ready()));
    Router::new()
        .route(
            LIVE,
            get(|| async { Json(serde_json::json!({"status": "live"})) }),
        )
        .route(READY, get(move || answer(check.clone())))
}

async fn answer(check: Check) -> Response {
    match check().await {
        Ok(()) => Json(serde_json::json!({"status": "ready"})).into_response(),
        Err(reason) => Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", reason).into_response(),
    }
}
