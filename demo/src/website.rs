//! The four pages: `/`, `/login`, `/callback`, `/logout`.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use serde::Deserialize;

use crate::provider::{Provider, ProviderError};
use crate::store::{Store, StoreError};
use crate::verifier::VerifierError;

const SESSION: &str = "session";
const PENDING: &str = "pending";

/// What the pages work with.
pub struct Website {
    /// The website's name.
    pub name: String,
    /// Whether visitors come over TLS.
    pub https: bool,
    /// Its database.
    pub store: Store,
    /// Its sign-in server.
    pub provider: Provider,
    /// Scopes that visitors may choose to sign in with, beside the usual ones.
    pub offers: Vec<String>,
}

/// The pages.
pub fn router(website: Arc<Website>) -> Router {
    Router::new()
        .route("/", get(front))
        .route("/login", get(login))
        .route("/callback", get(callback))
        .route("/logout", get(logout).post(logout))
        .with_state(website)
}

/// Why a page cannot be shown.
pub enum PageError {
    /// It did not work out; the visitor is told why.
    Visitor(StatusCode, String),
    /// The website failed.
    Internal(String),
}

impl From<StoreError> for PageError {
    fn from(error: StoreError) -> Self {
        Self::Internal(error.to_string())
    }
}

impl From<ProviderError> for PageError {
    fn from(error: ProviderError) -> Self {
        match error {
            ProviderError::Discovery(_) => Self::Visitor(StatusCode::BAD_GATEWAY, error.to_string()),
            error => Self::Visitor(StatusCode::FORBIDDEN, error.to_string()),
        }
    }
}

impl From<VerifierError> for PageError {
    fn from(error: VerifierError) -> Self {
        Self::Visitor(StatusCode::BAD_GATEWAY, error.to_string())
    }
}

#[derive(Template)]
#[template(path = "failure.html")]
struct Failure<'a> {
    reason: &'a str,
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let (status, reason) = match self {
            Self::Visitor(status, reason) => (status, reason),
            Self::Internal(cause) => {
                tracing::error!(cause, "internal error");
                (
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "this website has a problem; try again later".to_owned(),
                )
            }
        };
        let html = Failure { reason: &reason }.render().unwrap_or(reason);
        (status, Html(html)).into_response()
    }
}

/// Somebody who is signed in, as the front page shows it.
struct Known {
    sub: String,
    verified: bool,
    level: String,
    acr: String,
    amr: String,
    first_seen: i64,
    visits: i64,
    more: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "front.html")]
struct Front<'a> {
    name: &'a str,
    known: Option<Known>,
    offers: &'a [String],
}

async fn front(State(website): State<Arc<Website>>, headers: HeaderMap) -> Result<Response, PageError> {
    let known = match cookie(&headers, SESSION) {
        None => None,
        Some(session) => website
            .store
            .visitor(session)
            .await?
            .map(|(visitor, history)| Known {
                sub: visitor.sub,
                verified: visitor.realname_verified,
                level: visitor.level,
                acr: visitor.acr,
                amr: visitor.amr,
                first_seen: history.first_seen,
                visits: history.visits,
                more: visitor.more,
            }),
    };
    let page = Front {
        name: &website.name,
        known,
        offers: &website.offers,
    }
    .render();
    let html = page.map_err(|error| PageError::Internal(error.to_string()))?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Html(html)).into_response())
}

/// How the visitor wants to sign in.
#[derive(Deserialize)]
struct Choice {
    with: Option<String>,
}

async fn login(
    State(website): State<Arc<Website>>,
    Query(choice): Query<Choice>,
) -> Result<Response, PageError> {
    let more = choice.with.filter(|scope| website.offers.contains(scope));
    let (url, pending) = website.provider.begin(more).await?;
    let id = random_id();
    website.store.keep_pending(&id, &pending).await?;
    let mut response = Redirect::to(&url).into_response();
    set_cookie(&mut response, website.https, PENDING, &id, 900);
    Ok(response)
}

/// What the sign-in server sends back with the visitor.
#[derive(Deserialize)]
struct Callback {
    code: Option<String>,
    state: Option<String>,
    iss: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

async fn callback(
    State(website): State<Arc<Website>>,
    Query(answer): Query<Callback>,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    let refuse = |reason: &str| PageError::Visitor(StatusCode::BAD_REQUEST, reason.to_owned());
    let id = cookie(&headers, PENDING).ok_or_else(|| refuse("this browser did not begin to sign in here"))?;
    let pending = website
        .store
        .take_pending(id)
        .await?
        .ok_or_else(|| refuse("this sign-in has ended or expired"))?;
    if answer.state.as_deref() != Some(&pending.state) {
        return Err(refuse("this answer belongs to another sign-in"));
    }
    if let Some(error) = answer.error {
        let text = answer
            .error_description
            .unwrap_or_else(|| "the sign-in server refused".to_owned());
        return Err(PageError::Visitor(
            StatusCode::FORBIDDEN,
            format!("{text} ({error})"),
        ));
    }
    let code = answer.code.ok_or_else(|| refuse("the answer has no code"))?;
    let visitor = website
        .provider
        .finish(pending, code, answer.iss.as_deref().unwrap_or_default())
        .await?;
    let session = random_id();
    website.store.sign_in(&session, &visitor).await?;
    let mut response = Redirect::to("/").into_response();
    set_cookie(&mut response, website.https, SESSION, &session, 86_400);
    set_cookie(&mut response, website.https, PENDING, "", 0);
    Ok(response)
}

async fn logout(State(website): State<Arc<Website>>, headers: HeaderMap) -> Result<Response, PageError> {
    if let Some(session) = cookie(&headers, SESSION) {
        website.store.sign_out(session).await?;
    }
    let mut response = Redirect::to("/").into_response();
    set_cookie(&mut response, website.https, SESSION, "", 0);
    Ok(response)
}

/// A name that nobody guesses: 32 bytes in hexadecimal.
pub fn random_id() -> String {
    rand::random::<[u8; 32]>()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Sets a cookie for this site's pages alone, for so many seconds.
pub fn set_cookie(response: &mut Response, https: bool, name: &str, value: &str, max_age: u32) {
    let secure = if https { "; Secure" } else { "" };
    let cookie = format!("{name}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Lax{secure}");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

/// A cookie that came along.
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok());
    let mut pairs = lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}
