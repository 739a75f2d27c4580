//! `/login/{id}`: the page that shows a link and a QR code, and waits. It works without script.

use std::sync::Arc;

use askama::Template;
use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use qrcode::QrCode;
use qrcode::render::svg;
use realdid_openid::oidc::Scopes;
use realdid_openid::openid4vp_link::{RequestMethod, WalletLink};
use realdid_openid::{ClientId, check_address};
use realdid_service::language::Asked;
use realdid_service::{Problem, now_seconds};
use serde_json::json;

use super::page::Words;
use super::{App, cookie, page};
use crate::clients::{Client, level_name};
use crate::database::DatabaseError;
use crate::login::{CROSS_DEVICE_LIFETIME, Device, Login, LoginError, Stage};
use crate::login_store::{StoreError, WalletRequest};

/// Seconds after which the page looks again by itself.
const REFRESH: u64 = 5;

/// Why a page cannot be shown.
#[derive(Debug)]
pub(super) enum PageFailure {
    Login(LoginError),
    Internal(String),
}

impl From<StoreError> for PageFailure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Login(error) => Self::Login(error),
            StoreError::Database(error) => Self::Internal(error.to_string()),
        }
    }
}

impl From<DatabaseError> for PageFailure {
    fn from(error: DatabaseError) -> Self {
        Self::Internal(error.to_string())
    }
}

impl From<LoginError> for PageFailure {
    fn from(error: LoginError) -> Self {
        Self::Login(error)
    }
}

impl PageFailure {
    /// The page that tells it.
    pub(super) fn page(self, asked: Asked) -> Response {
        let error = match self {
            Self::Login(error) => error,
            Self::Internal(cause) => return Problem::internal(&cause).into_response(),
        };
        let status = match error {
            LoginError::Unknown => StatusCode::NOT_FOUND,
            LoginError::AlreadyAnswered | LoginError::NotAnswered | LoginError::Completed => {
                StatusCode::CONFLICT
            }
            LoginError::OtherBrowser | LoginError::ResponseCode | LoginError::CrossDevice => {
                StatusCode::FORBIDDEN
            }
        };
        let hint = match error {
            LoginError::OtherBrowser => "hint-other-browser",
            LoginError::NotAnswered => "hint-answer-first",
            _ => "hint-start-again",
        };
        let detail = Words(asked).t(&format!("failed-{}", error.code()));
        page::error(asked, status, error.code(), &detail, hint)
    }
}

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage<'a> {
    words: Words,
    name: &'a str,
    website: &'a str,
    level: &'a str,
    realname: bool,
    /// What is asked about the person beside, for people; empty if nothing.
    person: &'a str,
    answered: bool,
    link: &'a str,
    /// The same request at the web wallet; empty if there is none.
    web_link: &'a str,
    /// An SVG image; empty if no other device may answer.
    qr: &'a str,
    /// Seconds until the page looks again; 0: only when asked.
    refresh: u64,
    /// The same for people.
    seconds: &'a str,
}

/// `GET /login/{id}`; with `?still` the page does not renew itself.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    asked: Asked,
    headers: HeaderMap,
) -> Response {
    let query = query.unwrap_or_default();
    let still = query.split('&').any(|parameter| parameter == "still");
    draw(&app, &id, cookie::read(&headers), (asked, still))
        .await
        .unwrap_or_else(|failure| failure.page(asked))
}

async fn draw(
    app: &App,
    id: &str,
    cookie: Option<&str>,
    (asked, still): (Asked, bool),
) -> Result<Response, PageFailure> {
    let now = now_seconds();
    let login = app.database.login(id, now).await?;
    login.check_browser(cookie)?;
    if login.stage == Stage::Completed {
        return Err(LoginError::Completed.into());
    }
    if login.ends_by_itself() {
        return Ok(Redirect::to(&app.issuer.join(&format!("/login/{id}/complete"))).into_response());
    }
    let client = app
        .database
        .client(&login.asked.client_id)
        .await?
        .ok_or(LoginError::Unknown)?;
    let link = same_device_link(app, &login, &client, now).await?;
    let qr = other_device_qr(app, &login, &client, now).await?;
    let website = origin(&login.asked.redirect_uri);
    Ok(page::page(
        StatusCode::OK,
        &LoginPage {
            words: Words(asked),
            name: &client.name,
            website: &website,
            level: level_name(login.asked.level),
            realname: login.asked.scopes.realname_verified,
            person: &person(Words(asked), &login.asked.scopes),
            answered: login.stage != Stage::Waiting,
            link: &link,
            web_link: &web_link(app, &link),
            qr: &qr,
            refresh: if still { 0 } else { REFRESH },
            seconds: &REFRESH.to_string(),
        },
    ))
}

/// What the scopes ask about the person, in words.
fn person(words: Words, scopes: &Scopes) -> String {
    let ages = scopes
        .age_over
        .iter()
        .map(|years| words.with("asks-age", "years", &years.to_string()));
    let profile = scopes.profile.then(|| words.t("asks-profile"));
    ages.chain(profile).collect::<Vec<_>>().join(&words.t("asks-and"))
}

async fn same_device_link(
    app: &App,
    login: &Login,
    client: &Client,
    now: u64,
) -> Result<String, PageFailure> {
    let request = current_request(app, login, Device::Same, now, 0).await?;
    wallet_link(app, &client.verifier_id(), &request)
}

/// The QR code is a request of its own, and a fresh one every minute: a photograph of it does not
/// serve for long, and what comes back by it is marked.
async fn other_device_qr(app: &App, login: &Login, client: &Client, now: u64) -> Result<String, PageFailure> {
    if login.allows(Device::Other).is_err() || login.stage != Stage::Waiting {
        return Ok(String::new());
    }
    let request = current_request(app, login, Device::Other, now, CROSS_DEVICE_LIFETIME / 2).await?;
    let link = wallet_link(app, &client.verifier_id(), &request)?;
    let code = QrCode::new(link.as_bytes()).map_err(|error| PageFailure::Internal(error.to_string()))?;
    let image = code.render::<svg::Color<'_>>().min_dimensions(240, 240).build();
    // Inside of a page the XML declaration has no place.
    Ok(image
        .find("<svg")
        .map(|start| image[start..].to_owned())
        .unwrap_or_default())
}

/// The request that the page shows: the newest, unless fewer than `reserve` seconds are left.
async fn current_request(
    app: &App,
    login: &Login,
    device: Device,
    now: u64,
    reserve: u64,
) -> Result<WalletRequest, PageFailure> {
    let latest = app.database.latest_request(&login.id, device).await?;
    if let Some(request) = latest.filter(|request| request.expires_at > now + reserve) {
        return Ok(request);
    }
    let request = WalletRequest::of(login, device, now);
    app.database.insert_request(&request).await?;
    Ok(request)
}

fn wallet_link(app: &App, client_id: &ClientId, request: &WalletRequest) -> Result<String, PageFailure> {
    let address = app.issuer.join(&format!("/request/{}", request.id));
    let request_uri = check_address(&address, app.charter.sandbox);
    let request_uri = request_uri.map_err(|error| PageFailure::Internal(error.to_string()))?;
    Ok(WalletLink {
        client_id: client_id.clone(),
        request_uri,
        method: RequestMethod::Get,
    }
    .to_string())
}

/// The request's link at the web wallet, where the parameters alone count.
fn web_link(app: &App, link: &str) -> String {
    match (&app.wallet, link.split_once('?')) {
        (Some(wallet), Some((_, query))) => wallet.join(&format!("/open?{query}")),
        _ => String::new(),
    }
}

fn origin(uri: &str) -> String {
    url::Url::parse(uri)
        .map(|url| url.origin().ascii_serialization())
        .unwrap_or_default()
}

/// `GET /login/{id}/status`
pub(super) async fn status(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    asked: Asked,
    headers: HeaderMap,
) -> Response {
    let stage = stage(&app, &id, cookie::read(&headers)).await;
    stage.unwrap_or_else(|failure| failure.page(asked))
}

async fn stage(app: &App, id: &str, cookie: Option<&str>) -> Result<Response, PageFailure> {
    let login = app.database.login(id, now_seconds()).await?;
    login.check_browser(cookie)?;
    let status = match login.stage {
        Stage::Waiting => "waiting",
        Stage::Answered { .. } => "answered",
        Stage::Declined { .. } => "declined",
        Stage::Completed => "completed",
    };
    Ok(Json(json!({ "status": status, "continue": login.ends_by_itself() })).into_response())
}
