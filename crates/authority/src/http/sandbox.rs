//! What only a sandbox has: the outbox with the codes that were sent, and epochs on command.

use askama::Template;
use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::header;
use axum::response::{Html, IntoResponse as _, Response};
use serde_json::{Value, json};

use super::Shared;
use crate::delivery::Delivered;
use crate::error::Refusal;

#[derive(Template)]
#[template(path = "outbox.html")]
struct Page {
    name: String,
    delivered: Vec<Delivered>,
}

/// An HTML page, the newest code first; with `?json`, JSON with the newest last.
pub(super) async fn outbox(State(app): Shared, RawQuery(query): RawQuery) -> Result<Response, Refusal> {
    let mut delivered = app.outbox.as_ref().ok_or(Refusal::NotSandbox)?.delivered();
    if query.is_some_and(|query| query == "json" || query.starts_with("json=")) {
        return Ok(Json(json!({ "messages": delivered })).into_response());
    }
    delivered.reverse();
    let page = Page {
        name: app.name.clone(),
        delivered,
    };
    let html = page.render().map_err(|_| Refusal::NotSandbox)?;
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
    Ok(([(header::CONTENT_SECURITY_POLICY, policy)], Html(html)).into_response())
}

pub(super) async fn advance_epoch(State(app): Shared) -> Result<Json<Value>, Refusal> {
    let keeper = app.keeper.as_ref().ok_or(Refusal::NotSandbox)?;
    let epoch = keeper
        .advance_epoch()
        .await
        .map_err(|error| Refusal::Ledger(error.to_string()))?;
    tracing::info!(epoch, "the sandbox's epoch was advanced");
    Ok(Json(json!({ "epoch": epoch })))
}
