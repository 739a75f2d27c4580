//! Pages: plain HTML without script.

use askama::Template;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use realdid_service::Problem;

/// What a page may load: its own style sheet, and nothing else.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A page, or the internal error that kept it from being drawn.
pub(super) fn page(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => (status, [(header::CONTENT_SECURITY_POLICY, POLICY)], Html(html)).into_response(),
        Err(error) => Problem::internal(&error).into_response(),
    }
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    detail: &'a str,
    hint: &'a str,
    code: &'a str,
    request_id: &'a str,
}

/// A page that says what went wrong and what to do.
pub(super) fn error(status: StatusCode, code: &str, detail: &str, hint: &str) -> Response {
    let request_id = realdid_service::problem::request_id();
    page(
        status,
        &ErrorPage {
            detail,
            hint,
            code,
            request_id: &request_id,
        },
    )
}

#[derive(Template)]
#[template(path = "front.html")]
struct FrontPage;

/// `GET /`
pub(super) async fn front() -> Response {
    page(StatusCode::OK, &FrontPage)
}

/// `GET /style.css`
pub(super) async fn style() -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=3600"),
    ];
    (headers, include_str!("../../templates/style.css"))
}
