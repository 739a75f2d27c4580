//! `/vci/authorize`: the person behind a wallet's request, in a browser.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Extension, Form};
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use realdid_checks::passes;
use realdid_openid::oauth::{WalletRequest, WalletRequestError};
use realdid_openid::oidc::AuthorizationParameters;
use realdid_service::{ClientIp, now_seconds};
use serde::Deserialize;

use super::endpoints::MAX_PARAMETER;
use super::failure::log;
use super::pages::{IdentifyPage, Step, plain, render};
use super::{Identification, IssuerApp, Shared};
use crate::credential_issuer::authorization::{PAGE_LIFE, Page};
use crate::credential_issuer::{IssueRefusal, same};
use crate::delivery::Dispatch;

/// Ties a page to the browser that opened it.
const COOKIE: &str = "issuer-page";

/// `GET /vci/authorize`
pub(super) async fn begin(
    State(app): Shared,
    Extension(client): Extension<ClientIp>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let now = now_seconds();
    if let Err(refusal) = app.limit(client) {
        return end(&app, &refusal);
    }
    let query = query.unwrap_or_default();
    let parameters = match AuthorizationParameters::parse_within(&query, MAX_PARAMETER) {
        Ok(parameters) => parameters,
        Err(error) => return end(&app, &WalletRequestError::from(error).into()),
    };
    if let Some(page) = reloaded(&app, &headers, &parameters, now).await {
        let step = step_of(&app, &page, now).await;
        return show(&app, &page, step, "", StatusCode::OK);
    }
    let request = match requested(&app, &parameters, now).await {
        Ok(request) => request,
        Err(answer) => return *answer,
    };
    let (request_uri, rng) = (parameters.get("request_uri"), &mut UnwrapErr(SysRng));
    match app.issuer.open_page(&request, request_uri, now, rng).await {
        Ok((secret, page)) => {
            let step = step_of(&app, &page, now).await;
            let mut response = show(&app, &page, step, "", StatusCode::OK);
            if let Some(cookie) = cookie(&secret, app.https) {
                response.headers_mut().insert(header::SET_COOKIE, cookie);
            }
            response
        }
        Err(refusal) => back(&app, &request, &refusal),
    }
}

/// The page that this browser has open for the pushed request it brings once more.
async fn reloaded(
    app: &IssuerApp,
    headers: &HeaderMap,
    parameters: &AuthorizationParameters,
    now: u64,
) -> Option<Page> {
    let (request_uri, client) = (parameters.get("request_uri")?, parameters.get("client_id")?);
    let page = app.issuer.page(read_cookie(headers)?, now).await.ok()?;
    page.is_of(request_uri, client).then_some(page)
}

/// The wallet's request, pushed before or, if that is allowed, in the query. As long as client and
/// redirect address have not been accepted, the browser stays here.
async fn requested(
    app: &Arc<IssuerApp>,
    parameters: &AuthorizationParameters,
    now: u64,
) -> Result<WalletRequest, Box<Response>> {
    let stay = |refusal: IssueRefusal| Box::new(end(app, &refusal));
    let client = parameters
        .require("client_id")
        .map_err(|error| stay(WalletRequestError::from(error).into()))?;
    if let Some(request_uri) = parameters.get("request_uri") {
        return app
            .issuer
            .take_pushed(request_uri, client, now)
            .await
            .map_err(stay);
    }
    app.issuer.check_redirect(parameters).map_err(stay)?;
    if !passes("OAU-26", !app.issuer.policy.require_pushed) {
        return Err(stay(IssueRefusal::MustPush));
    }
    app.issuer.check_request(parameters).map_err(|refusal| {
        let wallet = WalletRequest {
            client_id: client.to_owned(),
            redirect_uri: parameters.get("redirect_uri").unwrap_or_default().to_owned(),
            state: parameters.get("state").map(str::to_owned),
            challenge: realdid_openid::oidc::CodeChallenge::of(""),
            scopes: Vec::new(),
            details: Vec::new(),
            issuer_state: None,
            dpop_jkt: None,
        };
        Box::new(back(app, &wallet, &refusal))
    })
}

/// What a person sends from the page.
#[derive(Deserialize)]
pub(super) struct Sent {
    #[serde(default)]
    name: String,
    #[serde(default)]
    number: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    page: String,
    step: String,
}

/// `POST /vci/authorize`
pub(super) async fn answer(
    State(app): Shared,
    Extension(client): Extension<ClientIp>,
    headers: HeaderMap,
    Form(sent): Form<Sent>,
) -> Response {
    let now = now_seconds();
    if let Err(refusal) = app.limit(client) {
        return end(&app, &refusal);
    }
    let secret = read_cookie(&headers).unwrap_or_default();
    let page = match app.issuer.page(secret, now).await {
        Ok(page) => page,
        Err(refusal) => return end(&app, &refusal),
    };
    if !passes("OAU-40", same(&sent.page, page.form())) {
        return end(&app, &IssueRefusal::OtherPage);
    }
    let outcome = match sent.step.as_str() {
        "cancel" => return cancel(&app, &page).await,
        "person" => return person(&app, &page, &sent, now).await,
        "code" => {
            app.issuer
                .confirm(&page, sent.code.trim(), now, &mut UnwrapErr(SysRng))
                .await
        }
        _ => {
            let code = Some(sent.code.trim()).filter(|code| !code.is_empty());
            app.issuer
                .confirm_offer(&page, code, now, &mut UnwrapErr(SysRng))
                .await
        }
    };
    match outcome {
        Ok(address) => Redirect::to(address.as_str()).into_response(),
        Err(IssueRefusal::TxCode) => {
            let step = if sent.step == "code" {
                Step::Code
            } else {
                Step::OfferCode
            };
            show(&app, &page, step, "That code is wrong.", StatusCode::FORBIDDEN)
        }
        Err(IssueRefusal::Grant) => {
            let text = "There were too many attempts, or the time is over. Start again in your wallet.";
            show(&app, &page, Step::End, text, StatusCode::GONE)
        }
        Err(refusal) => back(&app, &page.request, &refusal),
    }
}

/// Tells the wallet that the person does not want to.
async fn cancel(app: &Arc<IssuerApp>, page: &Page) -> Response {
    match app.issuer.close(page).await {
        Ok(()) => leave(app, &page.request, &[("error", "access_denied")]),
        Err(refusal) => back(app, &page.request, &refusal),
    }
}

/// Sends a code to whoever is meant; the page looks the same if there is nobody.
async fn person(app: &Arc<IssuerApp>, page: &Page, sent: &Sent, now: u64) -> Response {
    let Identification::Register {
        authority,
        dispatcher,
    } = &app.identification
    else {
        return show(app, page, Step::End, NO_OFFER, StatusCode::BAD_REQUEST);
    };
    match authority
        .identify(&sent.name, &sent.number, now, &mut UnwrapErr(SysRng))
        .await
    {
        Ok(identified) => {
            if let Err(refusal) = app
                .issuer
                .identify(page, &identified.recipient, &identified.code)
                .await
            {
                return back(app, &page.request, &refusal);
            }
            dispatcher.send(Dispatch::new(identified.contact, identified.code, now));
            show(app, page, Step::Code, "", StatusCode::OK)
        }
        Err(refusal) => {
            let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::BAD_REQUEST);
            show(app, page, Step::Person, &refusal.to_string(), status)
        }
    }
}

/// Told where nothing but an offer helps.
const NO_OFFER: &str =
    "This credential is given on an offer. Ask the organisation for one, and open its link in your wallet.";

async fn step_of(app: &IssuerApp, page: &Page, now: u64) -> Step {
    if page.identified {
        return Step::Code;
    }
    match app.issuer.page_offer(page, now).await {
        Ok(Some(true)) => Step::OfferCode,
        Ok(Some(false)) => Step::Consent,
        _ if matches!(app.identification, Identification::Register { .. }) => Step::Person,
        _ => Step::End,
    }
}

fn show(app: &IssuerApp, page: &Page, step: Step, problem: &str, status: StatusCode) -> Response {
    let registered = app.issuer.policy.wallets.iter();
    let registered = registered
        .clone()
        .find(|wallet| wallet.client_id == page.request.client_id);
    let wallet = registered.map_or(&page.request.redirect_uri, |wallet| &wallet.name);
    let name = |id: &String| {
        app.issuer
            .kind(id)
            .map_or(id.clone(), |kind| kind.config.name.clone())
    };
    let problem = if step == Step::End && problem.is_empty() {
        NO_OFFER
    } else {
        problem
    };
    let shown = IdentifyPage {
        issuer: &app.issuer.name,
        credentials: page.configurations.iter().map(name).collect(),
        wallet: plain(wallet),
        step,
        problem,
        action: "/vci/authorize",
        page: page.form(),
    };
    render(status, &shown)
}

/// A page that leads nowhere: nothing is known to go back to.
fn end(app: &IssuerApp, refusal: &IssueRefusal) -> Response {
    if refusal.status() == 500 {
        log(refusal);
    }
    let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::BAD_REQUEST);
    let page = IdentifyPage {
        issuer: &app.issuer.name,
        credentials: Vec::new(),
        wallet: String::new(),
        step: Step::End,
        problem: &refusal.to_string(),
        action: "/vci/authorize",
        page: "",
    };
    render(status, &page)
}

/// Takes a refusal back to the wallet (RFC 6749 §4.1.2.1).
fn back(app: &IssuerApp, request: &WalletRequest, refusal: &IssueRefusal) -> Response {
    if refusal.status() == 500 {
        log(refusal);
    }
    let code = match refusal {
        IssueRefusal::NotAccredited { .. } | IssueRefusal::NoRecord => "access_denied",
        other => other.code(),
    };
    leave(app, request, &[("error", code)])
}

fn leave(app: &IssuerApp, request: &WalletRequest, answer: &[(&str, &str)]) -> Response {
    match app.issuer.answer(request, answer) {
        Ok(address) => Redirect::to(address.as_str()).into_response(),
        Err(refusal) => end(app, &refusal),
    }
}

fn cookie(secret: &str, https: bool) -> Option<HeaderValue> {
    let secure = if https { "; Secure" } else { "" };
    let text = format!(
        "{COOKIE}={secret}; Path=/vci/authorize; Max-Age={PAGE_LIFE}; HttpOnly; SameSite=Lax{secure}"
    );
    HeaderValue::from_str(&text).ok()
}

fn read_cookie(headers: &HeaderMap) -> Option<&str> {
    let lines = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok());
    let mut pairs = lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| value)
}
