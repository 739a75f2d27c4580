//! `/login/{id}/complete`: the browser that began the login goes back to the website.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use realdid_openid::oidc::AuthorizationParameters;
use realdid_openid::oidc::authorization::redirect_with;
use realdid_service::language::Asked;
use realdid_service::now_seconds;

use super::login_page::PageFailure;
use super::{App, cookie};
use crate::grants::Grant;
use crate::login::{Ending, Login, Stage};

/// `GET /login/{id}/complete`
pub(super) async fn complete(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    asked: Asked,
    headers: HeaderMap,
) -> Response {
    let ended = end(&app, &id, &query.unwrap_or_default(), cookie::read(&headers)).await;
    ended.unwrap_or_else(|failure| failure.page(asked))
}

async fn end(app: &App, id: &str, query: &str, cookie: Option<&str>) -> Result<Response, PageFailure> {
    let now = now_seconds();
    let parameters = AuthorizationParameters::parse(query).unwrap_or_default();
    let login = app.database.login(id, now).await?;
    let ending = login.complete(cookie, parameters.get("response_code"))?;
    app.database.advance_login(&login, &Stage::Completed).await?;
    let mut response = send_back(app, &login, ending, now).await?;
    if let Some(cookie) = cookie::clear(id, app.issuer.is_https()) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

async fn send_back(app: &App, login: &Login, ending: Ending, now: u64) -> Result<Response, PageFailure> {
    let asked = &login.asked;
    let code;
    let (outcome, answer) = match ending {
        Ending::Answered(answer) => {
            code = app
                .database
                .issue_code(
                    &Grant {
                        asked: asked.clone(),
                        answer,
                    },
                    now,
                )
                .await?;
            ("completed", ("code", code.as_str()))
        }
        Ending::Declined => ("declined", ("error", "access_denied")),
    };
    metrics::counter!("signin_logins_total", "outcome" => outcome).increment(1);
    let url = redirect_with(
        &asked.redirect_uri,
        app.issuer.as_str(),
        asked.state.as_deref(),
        &[answer],
    );
    let url = url.map_err(|error| PageFailure::Internal(error.to_string()))?;
    Ok(Redirect::to(url.as_str()).into_response())
}
