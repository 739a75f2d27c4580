//! `/response/{id}`: a wallet's answer. It is judged, and counts once.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use realdid_client::ClientError;
use realdid_openid::authorization_response::WalletAnswer;
use realdid_openid::dcql::answer::Answer;
use realdid_openid::dcql::login::LOGIN_ID;
use realdid_openid::oidc::authorization::PERSON_ID;
use realdid_openid::realdid_jwt::VpToken;
use realdid_presentation::credentials::{CredentialExpectation, ShownCredentials};
use realdid_presentation::{Expectation, LoginRefusal, ShownLogin, VerifiedLogin, judge_login};
use realdid_service::{Problem, now_seconds};
use serde_json::{Map, Value, json};

use super::App;
use super::presentation_response::{self, STATUS_MAX_AGE, judge_beside};
use super::wallet_request::{login_problem, open_request, problem};
use crate::clients::{Client, level_name};
use crate::ledger::LookupError;
use crate::login::{Login, Stage};
use crate::login_store::WalletRequest;
use crate::secret::Secret;

/// `POST /response/{id}`
pub(super) async fn respond(State(app): State<Arc<App>>, Path(id): Path<String>, body: String) -> Response {
    match take(&app, &id, &body).await {
        Ok(answer) => Json(answer).into_response(),
        Err(problem) => {
            metrics::counter!("signin_answers_refused_total", "code" => problem.code).increment(1);
            problem.into_response()
        }
    }
}

async fn take(app: &App, id: &str, body: &str) -> Result<Value, Problem> {
    let now = now_seconds();
    let (request, login, client) = open_request(app, id, now).await?;
    login.allows(request.device).map_err(login_problem)?;
    let answer = WalletAnswer::read(body, &request.state);
    let answer = answer.map_err(|error| Problem::bad_request("malformed_answer", error.to_string()))?;
    let (stage, code) = match answer {
        WalletAnswer::Presentation(vp_token) => {
            let (verified, claims) = judge(app, &vp_token, &request, &login, &client, now).await?;
            login
                .answer(&verified, claims, request.device, now_seconds())
                .map_err(login_problem)?
        }
        WalletAnswer::Error(_) => login.decline(request.device).map_err(login_problem)?,
    };
    finish(app, &login, &stage, code).await
}

/// What a login's answer proves: who, and the claims that the scopes ask for.
type Proven = (VerifiedLogin, Map<String, Value>);

/// Reads, fetches, judges.
async fn judge(
    app: &App,
    vp_token: &str,
    request: &WalletRequest,
    login: &Login,
    client: &Client,
    now: u64,
) -> Result<Proven, Problem> {
    let malformed =
        |error: &dyn std::fmt::Display| Problem::bad_request("malformed_answer", error.to_string());
    if login.asked.scopes.credential_query().is_some() {
        return judge_with_credential(app, vp_token, request, login, client, now).await;
    }
    let presentation = VpToken::presentation(vp_token, LOGIN_ID).map_err(|error| malformed(&error))?;
    let expectation = Expectation {
        network: app.charter.network.clone(),
        charter_hash: app.charter_hash,
        client_id: client.verifier_id(),
        nonce: request.nonce.clone(),
        credentials: Vec::new(),
        minimum_level: login.asked.level,
        max_age: client.max_age_at(login.asked.level),
    };
    let shown = ShownLogin::read(&presentation, &expectation, now).map_err(refusal)?;
    let fetched = app
        .ledger
        .look_up(&shown, expectation.max_age)
        .await
        .map_err(unavailable)?;
    let verified = judge_login(&expectation, &shown, fetched.evidence(), now_seconds()).map_err(refusal)?;
    Ok((verified, Map::new()))
}

/// A login with the real-name credential beside it, which it binds.
async fn judge_with_credential(
    app: &App,
    vp_token: &str,
    request: &WalletRequest,
    login: &Login,
    client: &Client,
    now: u64,
) -> Result<Proven, Problem> {
    let malformed =
        |error: &dyn std::fmt::Display| Problem::bad_request("malformed_answer", error.to_string());
    let query = login.asked.scopes.query(level_name(login.asked.level));
    let asked = query.login_query().map_err(|error| Problem::internal(&error))?;
    let asked = asked.ok_or_else(|| Problem::internal(&"a login asks for no login"))?;
    let expectation = CredentialExpectation {
        network: app.charter.network.clone(),
        query: query.check().map_err(|error| Problem::internal(&error))?,
        transactions: Vec::new(),
        client_id: client.verifier_id(),
        nonce: request.nonce.clone(),
        max_age: client.max_age_at(login.asked.level),
        status_max_age: STATUS_MAX_AGE,
    };
    let answer = Answer::read(vp_token, &expectation.query).map_err(|error| malformed(&error))?;
    let presentation = answer.first(&asked.id).unwrap_or_default();
    let mut shown = ShownCredentials::read(&answer, &expectation).map_err(presentation_response::refusal)?;
    // The login first: whoever does not get in learns nothing about the rest.
    let verified = judge_beside(app, client, &expectation, &shown, &asked, presentation, now).await?;
    let credentials = app
        .known
        .judge(&expectation, &mut shown, &client.verifier, now)
        .await;
    let credentials = credentials.map_err(presentation_response::refusal)?;
    let claims = credentials
        .into_iter()
        .find(|found| found.query_id() == PERSON_ID);
    let claims = claims.and_then(|found| found.claims().as_object().cloned());
    Ok((verified, claims.unwrap_or_default()))
}

/// Stores the outcome, unless another answer was quicker, and tells where the browser goes on.
async fn finish(app: &App, login: &Login, stage: &Stage, code: Option<Secret>) -> Result<Value, Problem> {
    app.database.advance_login(login, stage).await.map_err(problem)?;
    Ok(match code {
        None => json!({}),
        Some(code) => {
            let path = format!("/login/{}/complete?response_code={}", login.id, code.as_str());
            json!({ "redirect_uri": app.issuer.join(&path) })
        }
    })
}

/// The login is refused, and stays open for a better answer.
pub(super) fn refusal(refusal: LoginRefusal) -> Problem {
    let status = match refusal {
        LoginRefusal::State(_) | LoginRefusal::Document => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::FORBIDDEN,
    };
    Problem::new(status, refusal.code(), refusal.to_string()).with_hint(refusal.hint())
}

/// The ledger cannot be asked, or its answer not believed; the login stays as it was.
pub(super) fn unavailable(error: LookupError) -> Problem {
    let code = match error {
        LookupError::Refusal(error) => return refusal(error),
        LookupError::Client(ClientError::NotProven(error)) => {
            tracing::warn!(code = error.code(), "the node's answer is not believed");
            error.code()
        }
        LookupError::Client(error) => {
            tracing::warn!(code = error.code(), "the node has no answer");
            "ledger_unavailable"
        }
    };
    let detail = "the state of the ledger is not to be had at the moment";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, code, detail)
        .with_hint("answer again in a few seconds; the login stays open")
        .with_retry_after(5)
}
