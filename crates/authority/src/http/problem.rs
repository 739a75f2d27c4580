//! Refusals as problem details (RFC 9457).

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use realdid_service::Problem;

use crate::error::Refusal;

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        if self.status() == 500 {
            return Problem::internal(&cause(&self)).into_response();
        }
        let status = StatusCode::from_u16(self.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let problem = Problem::new(status, self.code(), self.to_string()).with_hint(self.hint());
        match self.retry_after() {
            Some(seconds) => problem.with_retry_after(seconds).into_response(),
            None => problem.into_response(),
        }
    }
}

/// What the log is told: a database's code, never its words, which may quote what was stored.
pub(super) fn cause(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Database(sqlx::Error::Database(error)) => {
            format!(
                "the database refused with code {}",
                error.code().unwrap_or_default()
            )
        }
        Refusal::Database(error) => format!("the database failed: {error}"),
        other => other.to_string(),
    }
}
