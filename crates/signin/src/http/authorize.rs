//! `/authorize`: a website sends its visitor. The checks stand in [`check_request`] in their order.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use realdid_checks::passes;
use realdid_did::Level;
use realdid_openid::oidc::authorization::{
    check_no_request_object, check_pkce, check_redirect_uri, check_response_type, redirect_with,
};
use realdid_openid::oidc::discovery::ACR_PREFIX;
use realdid_openid::oidc::{AuthorizationError, AuthorizationParameters, Prompt, Scopes};
use realdid_service::{Problem, language, now_seconds};

use super::page::Words;
use super::{App, cookie, page};
use crate::clients::{Client, level_name};
use crate::database::DatabaseError;
use crate::login::{Asked, Device, Login};
use crate::login_store::WalletRequest;
use crate::secret::Secret;

/// Why a request does not become a login, and who is told.
#[derive(Debug)]
pub(super) enum Failure {
    /// The visitor: it is not certain where the request comes from.
    Visitor(AuthorizationError),
    /// The website, at its registered address.
    Website {
        redirect_uri: String,
        state: Option<String>,
        error: AuthorizationError,
    },
    /// Nobody learns more than that it failed.
    Internal(DatabaseError),
}

impl From<AuthorizationError> for Failure {
    fn from(error: AuthorizationError) -> Self {
        Self::Visitor(error)
    }
}

impl From<DatabaseError> for Failure {
    fn from(error: DatabaseError) -> Self {
        Self::Internal(error)
    }
}

/// `GET /authorize`
pub(super) async fn by_get(
    State(app): State<Arc<App>>,
    language: language::Asked,
    RawQuery(query): RawQuery,
) -> Response {
    authorize(&app, language, &query.unwrap_or_default()).await
}

/// `HEAD /authorize`: whoever only looks ahead, as link previews do, must not use up a pushed request.
pub(super) async fn by_head() -> Response {
    (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, POST")]).into_response()
}

/// `POST /authorize`
pub(super) async fn by_post(
    State(app): State<Arc<App>>,
    language: language::Asked,
    body: String,
) -> Response {
    authorize(&app, language, &body).await
}

async fn authorize(app: &App, language: language::Asked, encoded: &str) -> Response {
    let now = now_seconds();
    match ask(app, encoded, now).await {
        Ok(asked) => begin(app, asked, now)
            .await
            .unwrap_or_else(|error| answer_failure(app, language, Failure::Internal(error))),
        Err(failure) => answer_failure(app, language, failure),
    }
}

/// From the encoded request to what a known website validly asks.
async fn ask(app: &App, encoded: &str, now: u64) -> Result<Asked, Failure> {
    let parameters = AuthorizationParameters::parse(encoded)?;
    let client = known_client(app, &parameters).await?;
    let parameters = unpack_pushed(app, parameters, &client, now).await?;
    let redirect_uri = check_redirect_uri(&parameters, &client.redirect_uris)?;
    check_request(&parameters, &client, redirect_uri).map_err(|error| Failure::Website {
        redirect_uri: redirect_uri.to_owned(),
        state: parameters.get("state").map(str::to_owned),
        error,
    })
}

async fn known_client(app: &App, parameters: &AuthorizationParameters) -> Result<Client, Failure> {
    let client_id = parameters.require("client_id")?;
    let client = app.database.client(client_id).await?;
    if !passes("OIDC-20", client.is_some()) {
        return Err(AuthorizationError::UnknownClient.into());
    }
    client.ok_or(Failure::Visitor(AuthorizationError::RedirectUri))
}

/// The parameters that were pushed, if the request names some (RFC 9126 §4); else those at hand.
async fn unpack_pushed(
    app: &App,
    parameters: AuthorizationParameters,
    client: &Client,
    now: u64,
) -> Result<AuthorizationParameters, Failure> {
    let Some(request_uri) = parameters.get("request_uri") else {
        return Ok(parameters);
    };
    let pushed = app
        .database
        .take_pushed(request_uri, &client.client_id, now)
        .await??;
    Ok(AuthorizationParameters::parse(&pushed)?)
}

/// All that is checked once it is certain which website asks. Shared with `/par`.
pub(super) fn check_request(
    parameters: &AuthorizationParameters,
    client: &Client,
    redirect_uri: &str,
) -> Result<Asked, AuthorizationError> {
    check_no_request_object(parameters)?;
    check_response_type(parameters)?;
    let scopes = Scopes::check(parameters)?;
    check_registered(&scopes, client)?;
    let challenge = check_pkce(parameters)?;
    let Prompt::Page = Prompt::check(parameters)?;
    let owned = |name| parameters.get(name).map(str::to_owned);
    Ok(Asked {
        client_id: client.client_id.clone(),
        redirect_uri: redirect_uri.to_owned(),
        scopes,
        state: owned("state"),
        nonce: owned("nonce"),
        challenge,
        level: asked_level(parameters).map_or(client.minimum_level, |level| level.max(client.minimum_level)),
    })
}

/// A website asks only for what it is registered for, by scopes too.
fn check_registered(scopes: &Scopes, client: &Client) -> Result<(), AuthorizationError> {
    let asked = scopes.query(level_name(client.minimum_level));
    let checked = client.verifier.check_query(asked);
    if passes("OIDC-24", scopes.credential_query().is_none() || checked.is_ok()) {
        Ok(())
    } else {
        Err(AuthorizationError::NotRegistered)
    }
}

/// The lowest level among the authentication classes asked for, if any is known.
fn asked_level(parameters: &AuthorizationParameters) -> Option<Level> {
    let classes = parameters
        .get("acr_values")?
        .split(' ')
        .filter_map(|class| class.strip_prefix(ACR_PREFIX));
    let levels = [Level::Low, Level::Substantial, Level::High];
    classes
        .filter_map(|name| levels.into_iter().find(|level| level_name(*level) == name))
        .min()
}

/// Makes the login and sends the browser to its page, with the cookie that makes it this browser's.
async fn begin(app: &App, asked: Asked, now: u64) -> Result<Response, DatabaseError> {
    let secret = Secret::generate();
    let login = Login::begin(asked, &secret, now);
    app.database.insert_login(&login).await?;
    app.database
        .insert_request(&WalletRequest::of(&login, Device::Same, now))
        .await?;
    metrics::counter!("signin_logins_total", "outcome" => "begun").increment(1);
    let mut response = Redirect::to(&app.issuer.join(&format!("/login/{}", login.id))).into_response();
    if let Some(cookie) = cookie::set(&login.id, &secret, app.issuer.is_https()) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

fn answer_failure(app: &App, language: language::Asked, failure: Failure) -> Response {
    match failure {
        Failure::Visitor(error) => {
            let detail = Words(language).with("failed-website", "detail", &error.to_string());
            let code = error.code().as_str();
            page::error(language, StatusCode::BAD_REQUEST, code, &detail, "hint-website")
        }
        Failure::Website {
            redirect_uri,
            state,
            error,
        } => {
            let description = error.to_string();
            let answer = [
                ("error", error.code().as_str()),
                ("error_description", description.as_str()),
            ];
            match redirect_with(&redirect_uri, app.issuer.as_str(), state.as_deref(), &answer) {
                Ok(url) => Redirect::to(url.as_str()).into_response(),
                Err(error) => Problem::internal(&error).into_response(),
            }
        }
        Failure::Internal(error) => Problem::internal(&error).into_response(),
    }
}
