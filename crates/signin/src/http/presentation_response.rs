//! `/presentation/{id}/response`: a wallet's answer to a website's own presentation.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use realdid_did::Level;
use realdid_openid::authorization_request::TransactionData;
use realdid_openid::authorization_response::WalletAnswer;
use realdid_openid::dcql::answer::{Answer, AnswerError};
use realdid_openid::dcql::{CheckedQuery, LoginQuery};
use realdid_presentation::credentials::{
    CredentialExpectation, CredentialRefusal, ShownCredentials, VerifiedCredential, VerifiedIssuer,
};
use realdid_presentation::{Expectation, ShownLogin, VerifiedLogin, judge_login};
use realdid_service::{Problem, now_seconds};
use serde_json::{Value, json};
use url::Url;

use super::App;
use super::presentation_request::{decryption_key, open, verifier_id};
use super::presentations::{notice, store_problem};
use super::wallet_response::{refusal as login_refusal, unavailable};
use crate::clients::{Client, level_name};
use crate::presentations::{LastRefusal, Presentation, Stage};
use crate::secret::Secret;

/// Oldest status list that is accepted, in seconds: a day.
pub(super) const STATUS_MAX_AGE: u64 = 86_400;

/// `POST /presentation/{id}/response`
pub(super) async fn respond(State(app): State<Arc<App>>, Path(id): Path<String>, body: String) -> Response {
    match take(&app, &id, &body).await {
        Ok(answer) => ([(header::CACHE_CONTROL, "no-store")], Json(answer)).into_response(),
        Err(problem) => {
            metrics::counter!("signin_presentations_refused_total", "code" => problem.code).increment(1);
            problem.into_response()
        }
    }
}

async fn take(app: &App, id: &str, body: &str) -> Result<Value, Problem> {
    let now = now_seconds();
    let (presentation, client) = open(app, id, now).await?;
    let state = &presentation.asked.state;
    let answer = match decryption_key(&presentation)? {
        None => WalletAnswer::read(body, state),
        Some(key) => WalletAnswer::read_encrypted(body, state, &key),
    };
    let answer = answer.map_err(|error| Problem::bad_request("malformed_answer", error.to_string()))?;
    let back = presentation.way_back();
    let hash = back.as_ref().map(Secret::hash);
    let stage = match answer {
        WalletAnswer::Presentation(vp_token) => {
            let judged = judge(app, &presentation, &client, &vp_token, now).await;
            let result = match judged {
                Ok(result) => result,
                Err(problem) => return Err(remember(app, &presentation, problem, now).await),
            };
            Stage::Verified { result, back: hash }
        }
        WalletAnswer::Error(error) => Stage::Declined {
            error: error.chars().filter(char::is_ascii_graphic).take(64).collect(),
            back: hash,
        },
    };
    let notice = notice(&presentation, &stage, now);
    app.database
        .advance_presentation(&presentation, &stage, notice.as_ref(), now)
        .await
        .map_err(store_problem)?;
    metrics::counter!("signin_presentations_total", "outcome" => "answered").increment(1);
    way_back(&presentation, back.as_ref())
}

/// An answer that does not hold, or a wallet that cannot give one, changes nothing else: the request
/// stays open for a better one.
pub(super) async fn remember(app: &App, presentation: &Presentation, problem: Problem, now: u64) -> Problem {
    let refusal = LastRefusal {
        code: problem.code.to_owned(),
        at: now,
    };
    if let Err(error) = app.database.remember_refusal(&presentation.id, &refusal).await {
        tracing::error!(cause = %error, "a refusal cannot be remembered");
    }
    problem
}

/// Where the wallet sends its browser, with a code that nobody else knows.
fn way_back(presentation: &Presentation, code: Option<&Secret>) -> Result<Value, Problem> {
    let (Some(address), Some(code)) = (&presentation.asked.redirect_uri, code) else {
        return Ok(json!({}));
    };
    let mut url = Url::parse(address).map_err(|error| Problem::internal(&error))?;
    url.query_pairs_mut()
        .append_pair("presentation", &presentation.id)
        .append_pair("response_code", code.as_str());
    Ok(json!({ "redirect_uri": url.as_str() }))
}

/// Reads, looks up, judges; gives what the website learns.
async fn judge(
    app: &App,
    presentation: &Presentation,
    client: &Client,
    vp_token: &str,
    now: u64,
) -> Result<Value, Problem> {
    let internal = |error: &dyn std::fmt::Display| Problem::internal(error);
    let asked = &presentation.asked;
    let query = asked.query.clone().check().map_err(|error| internal(&error))?;
    let login = asked.query.login_query().map_err(|error| internal(&error))?;
    let transactions = if asked.transaction_data.is_empty() {
        Vec::new()
    } else {
        TransactionData::read(&asked.transaction_data, &query).map_err(|error| internal(&error))?
    };
    let expectation = CredentialExpectation {
        network: app.charter.network.clone(),
        query,
        transactions,
        client_id: verifier_id(app, client, asked.prefix())?,
        nonce: asked.nonce.clone(),
        max_age: client.max_age,
        status_max_age: STATUS_MAX_AGE,
    };
    let answer = read_answer(vp_token, &expectation.query)?;
    let mut shown = ShownCredentials::read(&answer, &expectation).map_err(refusal)?;
    let credentials = app
        .known
        .judge(&expectation, &mut shown, &client.verifier, now)
        .await
        .map_err(refusal)?;
    let mut result = json!({
        "status": "completed",
        "completed_at": now,
        "credentials": by_query(&credentials),
    });
    if let Some(login) = &login
        && let Some(text) = answer.first(&login.id)
    {
        let verified = judge_beside(app, client, &expectation, &shown, login, text, now).await?;
        let level = level_name(verified.level());
        result["login"] = json!({ "sub": verified.did().to_string(), "level": level });
    }
    Ok(result)
}

fn read_answer(vp_token: &str, query: &CheckedQuery) -> Result<Answer, Problem> {
    Answer::read(vp_token, query).map_err(|error| match error {
        AnswerError::Form => Problem::bad_request("malformed_answer", error.to_string()),
        error => refusal(error.into()),
    })
}

/// A login shown together with credentials, which it has to bind.
pub(super) async fn judge_beside(
    app: &App,
    client: &Client,
    expected: &CredentialExpectation,
    shown: &ShownCredentials,
    login: &LoginQuery,
    presentation: &str,
    now: u64,
) -> Result<VerifiedLogin, Problem> {
    let minimum_level = level(&login.level);
    let expectation = Expectation {
        network: app.charter.network.clone(),
        charter_hash: app.charter_hash,
        client_id: expected.client_id.clone(),
        nonce: expected.nonce.clone(),
        credentials: shown.hashes(),
        minimum_level,
        max_age: client.max_age_at(minimum_level),
    };
    let shown = ShownLogin::read(presentation, &expectation, now).map_err(login_refusal)?;
    let fetched = app
        .ledger
        .look_up(&shown, expectation.max_age)
        .await
        .map_err(unavailable)?;
    judge_login(&expectation, &shown, fetched.evidence(), now_seconds()).map_err(login_refusal)
}

fn level(name: &str) -> Level {
    let levels = [Level::Low, Level::Substantial];
    let known = levels.into_iter().find(|level| level_name(*level) == name);
    known.unwrap_or(Level::High)
}

/// What the website learns, under the identifiers of the queries.
fn by_query(credentials: &[VerifiedCredential]) -> Value {
    let mut answers: serde_json::Map<String, Value> = serde_json::Map::new();
    for credential in credentials {
        let list = answers.entry(credential.query_id()).or_insert_with(|| json!([]));
        if let Some(list) = list.as_array_mut() {
            list.push(told(credential));
        }
    }
    Value::Object(answers)
}

/// What the website learns of one credential.
fn told(credential: &VerifiedCredential) -> Value {
    let issuer = match credential.issuer() {
        VerifiedIssuer::Accredited { did, name, height } => {
            json!({ "trust": "accredited", "did": did.to_string(), "name": name, "height": height })
        }
        VerifiedIssuer::Certificate { hash } => json!({ "trust": "pinned", "certificate": hash }),
        VerifiedIssuer::Web { issuer } => json!({ "trust": "pinned", "issuer": issuer }),
    };
    json!({
        "type": credential.vct(),
        "issuer": issuer,
        "claims": credential.claims(),
        "holder_bound": credential.holder().is_some(),
        "status": if credential.status_checked() { "valid" } else { "short_lived" },
        "expires_at": credential.expires_at(),
    })
}

/// Credentials are refused, and the request stays open for better ones.
pub(super) fn refusal(refusal: CredentialRefusal) -> Problem {
    let status = if refusal.is_passing() {
        StatusCode::SERVICE_UNAVAILABLE
    } else {
        StatusCode::FORBIDDEN
    };
    let problem = Problem::new(status, refusal.code(), refusal.to_string()).with_hint(refusal.hint());
    if refusal.is_passing() {
        problem.with_retry_after(5)
    } else {
        problem
    }
}
