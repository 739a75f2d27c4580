//! Headers, blocks, and what the node is.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderName;
use axum::response::{IntoResponse, Response};
use realdid_crypto::{Hash, base64url_encode};
use realdid_engine::FinalizedBlock;
use realdid_ledger::Header;
use realdid_service::Problem;
use serde::Serialize;
use utoipa::ToSchema;

use super::{FRESH, IMMUTABLE, problems};
use crate::ledger_view::Node;
use crate::part::Part;

/// A final header.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HeaderAnswer {
    /// Position in the chain.
    height: u64,
    /// Hash of the header, hexadecimal.
    hash: String,
    /// Hash of the header before it, hexadecimal.
    parent: String,
    /// Time in Unix milliseconds.
    time_ms: u64,
    /// Epoch of real-name tokens.
    epoch: u64,
    /// Root of the state, hexadecimal.
    state_root: String,
    /// Commitment to the operations, hexadecimal.
    operations_root: String,
    /// Proof that the header is final, base64url; it holds the canonical header.
    finality: String,
}

/// A final block.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BlockAnswer {
    /// Its header.
    header: HeaderAnswer,
    /// Its operations in the order they took effect, base64url.
    operations: Vec<String>,
}

/// What the node is and how it is doing.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StatusAnswer {
    /// Name of the network, part of its DIDs.
    network: String,
    /// Hash of the genesis charter, hexadecimal.
    charter_hash: String,
    /// Whether this is a sandbox.
    sandbox: bool,
    /// Height of the newest final block.
    height: u64,
    /// Its time, in Unix milliseconds.
    time_ms: u64,
    /// The height up to which operations can be looked up.
    indexed_height: u64,
    /// Operations that wait.
    pool_operations: usize,
    /// Validators of the newest committee.
    validators: usize,
    /// What part this node has in it.
    #[serde(flatten)]
    part: Part,
    /// Version of the software.
    version: &'static str,
}

/// The newest final header.
#[utoipa::path(get, path = "/v1/headers/latest", responses((status = 200, body = HeaderAnswer)))]
pub(crate) async fn latest_header(State(node): State<Arc<Node>>) -> Result<Response, Problem> {
    let proven = node
        .engine
        .prove(Vec::new())
        .await
        .map_err(|error| problems::of_engine(&error))?;
    let header = proven
        .finality
        .headers
        .first()
        .ok_or_else(|| problems::not_ready("no final header yet"))?;
    let answer = describe(header, &proven.finality.encode());
    Ok(([FRESH], Json(answer)).into_response())
}

/// A final header by its height.
#[utoipa::path(get, path = "/v1/headers/{height}", params(("height" = u64, Path, description = "1 or more")),
    responses((status = 200, body = HeaderAnswer), (status = 404, description = "not final yet")))]
pub(crate) async fn header(
    State(node): State<Arc<Node>>,
    Path(height): Path<u64>,
) -> Result<Response, Problem> {
    let block = final_block(&node, height).await?;
    Ok((
        [IMMUTABLE],
        Json(describe(&block.header, &block.finality.encode())),
    )
        .into_response())
}

/// A final block by its height.
#[utoipa::path(get, path = "/v1/blocks/{height}", params(("height" = u64, Path, description = "1 or more")),
    responses((status = 200, body = BlockAnswer), (status = 404, description = "not final yet")))]
pub(crate) async fn block(
    State(node): State<Arc<Node>>,
    Path(height): Path<u64>,
) -> Result<Response, Problem> {
    let block = final_block(&node, height).await?;
    let answer = BlockAnswer {
        header: describe(&block.header, &block.finality.encode()),
        operations: block.operations.iter().map(base64url_encode).collect(),
    };
    Ok(([IMMUTABLE], Json(answer)).into_response())
}

/// What the node is and how it is doing.
#[utoipa::path(get, path = "/v1/status", responses((status = 200, body = StatusAnswer)))]
pub(crate) async fn status(State(node): State<Arc<Node>>) -> Json<StatusAnswer> {
    let status = node.engine.status();
    Json(StatusAnswer {
        network: node.charter.network.as_str().to_owned(),
        charter_hash: node.charter_hash.to_hex(),
        sandbox: node.charter.sandbox,
        height: status.height,
        time_ms: status.time_ms,
        indexed_height: node.index.height(),
        pool_operations: status.pool_operations,
        validators: status.validators,
        part: Part::of(&status),
        version: env!("CARGO_PKG_VERSION"),
    })
}

/// The genesis charter. A client pins its hash from a source it trusts, not from here.
#[utoipa::path(get, path = "/v1/charter", responses((status = 200, description = "the charter")))]
pub(crate) async fn charter(State(node): State<Arc<Node>>) -> ([(HeaderName, &'static str); 1], Response) {
    ([FRESH], Json(node.charter.as_ref()).into_response())
}

async fn final_block(node: &Node, height: u64) -> Result<FinalizedBlock, Problem> {
    let block = node
        .engine
        .finalized(height)
        .await
        .map_err(|error| problems::of_engine(&error))?;
    block.ok_or_else(|| Problem::not_found("block_not_found", "there is no final block of this height"))
}

fn describe(header: &Header, finality: &[u8]) -> HeaderAnswer {
    HeaderAnswer {
        height: header.height,
        hash: Hash(header.hash()).to_hex(),
        parent: Hash(header.parent).to_hex(),
        time_ms: header.time_ms,
        epoch: header.epoch,
        state_root: Hash(header.state_root).to_hex(),
        operations_root: Hash(header.operations_root).to_hex(),
        finality: base64url_encode(finality),
    }
}
