//! `/response/{id}`: a wallet's answer. It is judged, and counts once.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use realdid_client::ClientError;
use realdid_openid::authorization_response::WalletAnswer;
use realdid_openid::realdid_jwt::VpToken;
use realdid_presentation::{Expectation, LoginRefusal, ShownLogin, VerifiedLogin, judge_login};
use realdid_service::{Problem, now_seconds};
use serde_json::{Value, json};

use super::App;
use super::wallet_request::{login_problem, open_request, problem};
use crate::clients::Client;
use crate::ledger::LookupError;
use crate::login::{Login, Stage};
use crate::login_store::WalletRequest;
use crate::secret::Secret;

/// Name of the login query in `dcql_query`.
const QUERY: &str = "realname";

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
            let verified = judge(app, &vp_token, &request, &login, &client, now).await?;
            login
                .answer(&verified, request.device, now_seconds())
                .map_err(login_problem)?
        }
        WalletAnswer::Error(_) => login.decline(request.device).map_err(login_problem)?,
    };
    finish(app, &login, &stage, code).await
}

/// Reads, fetches, judges.
async fn judge(
    app: &App,
    vp_token: &str,
    request: &WalletRequest,
    login: &Login,
    client: &Client,
    now: u64,
) -> Result<VerifiedLogin, Problem> {
    let presentation = VpToken::presentation(vp_token, QUERY);
    let presentation =
        presentation.map_err(|error| Problem::bad_request("malformed_answer", error.to_string()))?;
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
    judge_login(&expectation, &shown, fetched.evidence(), now_seconds()).map_err(refusal)
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
