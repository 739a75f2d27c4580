//! The explorer: what is on the ledger, for people who look around. Pages without script, in the visitor's
//! language; every page has an address of its own, its tables are had as CSV and JSON, and what it shows of a
//! DID is what the newest final state proves.
//!
//! * `view`: what a page consists of, and how it is drawn.
//! * `blocks`: the overview, blocks and operations; `dids`: one DID.
//! * `consortium`: members and validators, organisations with their keys and rights, decisions.

mod blocks;
mod consortium;
mod dids;
mod operations;
mod view;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use realdid_crypto::Hash;
use realdid_service::Problem;

use crate::api::problems;
use crate::ledger_view::Node;
use view::Visit;

/// Longest text that is searched for, in bytes: a long form fits.
const MAX_SEARCH: usize = 2_048;

/// The pages' routes.
pub(crate) fn router(node: Node) -> Router {
    Router::new()
        .route("/", get(blocks::overview))
        .route("/blocks", get(blocks::list))
        .route("/blocks/{height}", get(blocks::block))
        .route("/operations/{hash}", get(operations::operation))
        .route("/dids/{did}", get(dids::did))
        .route("/members", get(consortium::members))
        .route("/organisations", get(consortium::organisations))
        .route("/governance", get(consortium::governance))
        .route("/search", get(search))
        .route("/explorer.css", get(style))
        .with_state(Arc::new(node))
}

async fn style() -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=3600"),
    ];
    (headers, include_str!("../../templates/explorer.css"))
}

#[derive(serde::Deserialize)]
struct Wanted {
    #[serde(default)]
    q: String,
}

/// Leads to the page of whatever has this identifier: a DID, a height, the hash of an operation or a document, the
/// name of an organisation.
async fn search(State(node): State<Arc<Node>>, visit: Visit, Query(wanted): Query<Wanted>) -> Response {
    match find(&node, wanted.q.trim()).await {
        Ok(path) => Redirect::to(&visit.href(&path)).into_response(),
        Err(problem) => visit.failed(&problem),
    }
}

async fn find(node: &Node, wanted: &str) -> Result<String, Problem> {
    let nothing = || {
        Problem::not_found(
            "nothing_found",
            "nothing on the ledger has this identifier or name",
        )
    };
    if wanted.is_empty() || wanted.len() > MAX_SEARCH {
        return Err(nothing());
    }
    if wanted.starts_with("did:") {
        let parsed = crate::api::dids::parse_did(node, wanted)?;
        return Ok(format!("/dids/{}", parsed.did));
    }
    if let Ok(height) = wanted.parse::<u64>() {
        return Ok(format!("/blocks/{height}"));
    }
    if let Some(hash) = Hash::from_hex(&wanted.to_ascii_lowercase()) {
        let failed = |error| problems::of_index(&error);
        if node.index.operation(&hash).await.map_err(failed)?.is_some() {
            return Ok(format!("/operations/{}", hash.to_hex()));
        }
        if node.prove_entry(&hash).await?.entry.is_some() {
            return Ok(format!("/dids/{}", node.charter.did(hash)));
        }
        if let Some(place) = node.index.document(&hash).await.map_err(failed)? {
            return Ok(format!("/blocks/{}", place.height));
        }
        return Err(nothing());
    }
    let found = consortium::find(node, wanted).await?;
    found.map(|did| format!("/dids/{did}")).ok_or_else(nothing)
}
