//! `/userinfo`: what an access token tells about its subject.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use realdid_checks::passes;
use realdid_openid::oidc::UserInfo;
use realdid_service::{Problem, now_seconds};

use super::App;

/// `GET /userinfo`, `POST /userinfo`
pub(super) async fn userinfo(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let Some(token) = bearer(&headers) else {
        return refuse(r#"Bearer realm="realdid""#);
    };
    match app.database.access(token, now_seconds()).await {
        Ok(Some(grant)) => {
            let person = grant.person();
            Json(UserInfo {
                sub: grant.answer.sub,
                person,
            })
            .into_response()
        }
        Ok(None) if passes("OIDC-23", false) => StatusCode::NO_CONTENT.into_response(),
        Ok(None) => refuse(r#"Bearer realm="realdid", error="invalid_token""#),
        Err(error) => Problem::internal(&error).into_response(),
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn refuse(challenge: &'static str) -> Response {
    let detail = "the access token is missing, unknown, revoked or expired";
    let problem = Problem::new(StatusCode::UNAUTHORIZED, "invalid_token", detail);
    (
        StatusCode::UNAUTHORIZED,
        [(header::WWW_AUTHENTICATE, challenge)],
        problem,
    )
        .into_response()
}
