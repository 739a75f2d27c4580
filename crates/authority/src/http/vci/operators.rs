//! What an organisation's own programs and staff ask for, with the operators' secret as bearer token.
//! Records are named in bodies, never in addresses: addresses are logged by others.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use realdid_checks::passes;
use realdid_service::{Problem, now_seconds};
use serde::Deserialize;
use serde_json::json;

use super::failure::problem;
use super::{IssuerApp, Shared};
use crate::credential_issuer::operator::{Change, Changed, OfferOrder};
use crate::credential_issuer::{IssueRefusal, same};

pub(super) fn routes() -> Router<Arc<IssuerApp>> {
    Router::new()
        .route("/v1/issuer/offers", post(offer))
        .route("/v1/issuer/reissue", post(reissue))
        .route("/v1/issuer/change", post(change))
        .route("/v1/issuer/issuances", post(issuances))
        .route("/v1/issuer/audit", post(audit))
        .route("/v1/issuer/waiting", get(waiting))
        .route("/v1/issuer/decide", post(decide))
}

/// Whether a request carries the operators' secret.
fn authorize(app: &IssuerApp, headers: &HeaderMap) -> Result<(), Problem> {
    let value = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let shown = value
        .and_then(|value| value.strip_prefix("Bearer "))
        .unwrap_or_default();
    let right = app
        .operator_secret
        .as_ref()
        .is_some_and(|secret| !secret.is_empty() && same(secret, shown));
    if passes("VCI-53", right) {
        return Ok(());
    }
    let text = "the operators' secret is missing or wrong";
    Err(Problem::new(StatusCode::UNAUTHORIZED, "operator_unknown", text)
        .with_hint("send the content of the configured secret file as a bearer token"))
}

/// A name of a record, or none for all.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Named {
    record: Option<String>,
}

async fn offer(State(app): Shared, headers: HeaderMap, Json(order): Json<OfferOrder>) -> Response {
    let work = async || {
        let rng = &mut UnwrapErr(SysRng);
        app.issuer.order_offer(&order, now_seconds(), rng).await
    };
    run(&app, &headers, work).await
}

/// Takes back what a record has of a credential, and offers it anew.
async fn reissue(State(app): Shared, headers: HeaderMap, Json(order): Json<OfferOrder>) -> Response {
    let work = async || {
        let rng = &mut UnwrapErr(SysRng);
        let (offer, revoked) = app.issuer.reissue(&order, now_seconds(), rng).await?;
        let mut answer = json!(offer);
        answer["revoked"] = json!(revoked);
        Ok(answer)
    };
    run(&app, &headers, work).await
}

/// What to change: an issuance, or everything that was issued for a record.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangeOrder {
    #[serde(default)]
    issuance: Option<String>,
    #[serde(default)]
    record: Option<String>,
    #[serde(default)]
    credential: Option<String>,
    change: Change,
}

async fn change(State(app): Shared, headers: HeaderMap, Json(order): Json<ChangeOrder>) -> Response {
    let work = async || -> Result<Changed, IssueRefusal> {
        let person = order.record.as_deref().map(|record| app.issuer.person(record));
        let (issuance, credential) = (order.issuance.as_deref(), order.credential.as_deref());
        app.issuer
            .change(
                issuance,
                person.as_deref(),
                credential,
                order.change,
                now_seconds(),
            )
            .await
    };
    run(&app, &headers, work).await
}

async fn issuances(State(app): Shared, headers: HeaderMap, Json(named): Json<Named>) -> Response {
    let work = async || {
        let found = app.issuer.issuances(named.record.as_deref()).await?;
        Ok(json!({ "issuances": found }))
    };
    run(&app, &headers, work).await
}

async fn audit(State(app): Shared, headers: HeaderMap, Json(named): Json<Named>) -> Response {
    let work = async || {
        let lines = app.issuer.audit(named.record.as_deref()).await?;
        Ok(json!({ "events": lines }))
    };
    run(&app, &headers, work).await
}

async fn waiting(State(app): Shared, headers: HeaderMap) -> Response {
    let work = async || {
        let found = app.issuer.waiting().await?;
        Ok(json!({ "waiting": found }))
    };
    run(&app, &headers, work).await
}

/// A decision about a request that waits.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Decision {
    id: String,
    approve: bool,
}

async fn decide(State(app): Shared, headers: HeaderMap, Json(decision): Json<Decision>) -> Response {
    let work = async || {
        app.issuer
            .decide(&decision.id, decision.approve, now_seconds())
            .await?;
        Ok(json!({ "id": decision.id, "approved": decision.approve }))
    };
    run(&app, &headers, work).await
}

/// Asks for the secret, does the work, answers.
async fn run<T: serde::Serialize>(
    app: &IssuerApp,
    headers: &HeaderMap,
    work: impl AsyncFnOnce() -> Result<T, IssueRefusal>,
) -> Response {
    if let Err(problem) = authorize(app, headers) {
        return problem.into_response();
    }
    match work().await {
        Ok(answer) => Json(answer).into_response(),
        Err(refusal) => problem(&refusal).into_response(),
    }
}
