//! Health routes: `/health/live` says that the process answers, `/health/ready` that it can serve.

use std::pin::Pin;
use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use serde_json::Value;

use crate::Problem;

/// Why a service is not ready, in words without personal data.
pub type NotReady = String;

/// Path of the liveness answer.
pub const LIVE: &str = "/health/live";
/// Path of the readiness answer.
pub const READY: &str = "/health/ready";

type Answer = Pin<Box<dyn Future<Output = Result<Value, NotReady>> + Send>>;
type Check = Arc<dyn Fn() -> Answer + Send + Sync>;

/// The two health routes; `ready` is asked at each `/health/ready`. What it tells beside, as an object,
/// is in the answer.
pub fn routes<F, Fut, T>(ready: F) -> Router
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<T, NotReady>> + Send + 'static,
    T: Serialize,
{
    let check: Check = Arc::new(move || {
        let ready = ready();
        Box::pin(async move { Ok(serde_json::to_value(ready.await?).unwrap_or_default()) })
    });
    Router::new()
        .route(
            LIVE,
            get(|| async { Json(serde_json::json!({"status": "live"})) }),
        )
        .route(READY, get(move || answer(check.clone())))
}

async fn answer(check: Check) -> Response {
    match check().await {
        Ok(mut told) => {
            let mut answer = serde_json::json!({"status": "ready"});
            if let (Some(answer), Some(told)) = (answer.as_object_mut(), told.as_object_mut()) {
                answer.append(told);
            }
            Json(answer).into_response()
        }
        Err(reason) => Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", reason).into_response(),
    }
}
