//! Error answers: Problem Details for HTTP APIs (RFC 9457).

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

tokio::task_local! {
    /// The request being answered, so that a problem can name it.
    pub(crate) static REQUEST_ID: String;
}

/// The code of a problem, for the log line of its request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ProblemCode(pub(crate) &'static str);

/// The id of the request being answered; empty outside a hardened router.
#[must_use]
pub fn request_id() -> String {
    REQUEST_ID.try_with(Clone::clone).unwrap_or_default()
}

/// An error answer. Its `code` is stable and is what programs decide by; `detail` and `hint` are for
/// people and hold no personal data. Sent as `application/problem+json` with
/// `type: urn:realdid:problem:<code>` and the id under which the logs know the request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {detail}")]
pub struct Problem {
    /// The HTTP status.
    pub status: StatusCode,
    /// Stable name of the failure, `snake_case`.
    pub code: &'static str,
    /// What went wrong, for a person.
    pub detail: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// After how many seconds to try again.
    pub retry_after: Option<u64>,
}

impl Problem {
    /// A problem without hint.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            hint: None,
            retry_after: None,
        }
    }

    /// 400 with this code.
    pub fn bad_request(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// 404 with this code.
    pub fn not_found(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, detail)
    }

    /// 500: says nothing about the cause, which goes to the log only.
    pub fn internal(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(cause = %cause, "internal error");
        let detail = "the service failed; the request id leads to the cause in its log";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", detail)
    }

    /// 429: too many requests, with the seconds to wait.
    #[must_use]
    pub fn too_many_requests(retry_after: u64) -> Self {
        let status = StatusCode::TOO_MANY_REQUESTS;
        let mut problem = Self::new(status, "rate_limited", "too many requests from this address");
        problem.retry_after = Some(retry_after);
        problem.with_hint(format!("try again in {retry_after} s"))
    }

    /// The same with a hint.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with a time to wait, in seconds.
    #[must_use]
    pub const fn with_retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The problem that stands for a bare error status, such as the ones extractors answer.
    #[must_use]
    pub fn of_status(status: StatusCode) -> Self {
        let (code, detail) = match status {
            StatusCode::BAD_REQUEST => ("malformed_request", "the request does not have the expected form"),
            StatusCode::NOT_FOUND => ("no_such_route", "there is nothing at this path"),
            StatusCode::METHOD_NOT_ALLOWED => ("method_not_allowed", "this path does not take this method"),
            StatusCode::PAYLOAD_TOO_LARGE => ("body_too_large", "the request body is too large"),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => {
                ("unsupported_media_type", "the body has an unexpected media type")
            }
            StatusCode::UNPROCESSABLE_ENTITY => {
                ("unprocessable", "the body does not have the expected members")
            }
            status if status.is_server_error() => ("internal_error", "the service failed"),
            _ => ("refused", "the request was refused"),
        };
        Self::new(status, code, detail)
    }

    fn title(&self) -> String {
        let mut title = self.code.replace('_', " ");
        if let Some(first) = title.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        title
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = json!({
            "type": format!("urn:realdid:problem:{}", self.code),
            "title": self.title(),
            "status": self.status.as_u16(),
            "detail": self.detail,
            "code": self.code,
            "request_id": request_id(),
        });
        if let Some(hint) = &self.hint {
            body["hint"] = json!(hint);
        }
        let media_type = HeaderValue::from_static("application/problem+json");
        let mut response = (
            self.status,
            [(header::CONTENT_TYPE, media_type)],
            body.to_string(),
        )
            .into_response();
        response.extensions_mut().insert(ProblemCode(self.code));
        if let Some(seconds) = self.retry_after {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
