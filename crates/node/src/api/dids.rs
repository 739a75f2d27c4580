//! Proof files, the operations of a DID, and documents by their hash.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use realdid_crypto::{Hash, base64url_encode};
use realdid_did::{DocumentData, Entry, ParsedDid};
use realdid_ledger::{Evidence, MAX_PROOF_OPERATIONS, ProofFile, decode_did_operation};
use realdid_service::Problem;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{FRESH, IMMUTABLE, problems};
use crate::ledger_view::{MAX_HISTORY, Node, document_bytes};

/// A DID, short or long form.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DidBody {
    /// The DID.
    did: String,
}

/// One operation of a DID.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OperationOfDid {
    /// 1 for the first.
    version: u64,
    /// The operation's hash, hexadecimal.
    operation_hash: String,
    /// Height of its block.
    height: u64,
    /// Time of its block, in Unix seconds.
    time: u64,
    /// Its bytes as the block holds them, base64url.
    operation: String,
}

/// The operations of a DID.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OperationsOfDid {
    /// Oldest first; at most the newest 512.
    operations: Vec<OperationOfDid>,
}

/// A decision of the consortium.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Decision {
    /// Height of its block.
    height: u64,
    /// Its bytes as the block holds them, base64url.
    operation: String,
}

/// What the consortium decided about a DID.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DecisionsAboutDid {
    /// Oldest first; at most the newest 512.
    decisions: Vec<Decision>,
}

/// Document data.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DocumentAnswer {
    /// Canonical bytes of the data, base64url; their hash is the one asked for.
    document: String,
    /// The operation that brought it, as its block holds it, base64url.
    operation: String,
    /// Height of the operation's block.
    height: u64,
}

/// A proof file of a DID on the ledger, for `realdid verify`.
#[utoipa::path(get, path = "/v1/dids/{did}/proof", params(("did" = String, Path, description = "the DID, short form")),
    responses(
        (status = 200, description = "a proof file"),
        (status = 400, description = "not a DID"),
        (status = 404, description = "not on the ledger"),
    ))]
pub(crate) async fn proof(
    State(node): State<Arc<Node>>,
    Path(did): Path<String>,
) -> Result<Response, Problem> {
    proof_file(&node, &did).await
}

/// A proof file of a DID in either form; a long form proves a DID that is not on the ledger.
#[utoipa::path(post, path = "/v1/dids/proof", request_body = DidBody, responses(
    (status = 200, description = "a proof file"),
    (status = 400, description = "not a DID"),
    (status = 404, description = "a short form that is not on the ledger"),
))]
pub(crate) async fn proof_of_long_form(
    State(node): State<Arc<Node>>,
    Json(body): Json<DidBody>,
) -> Result<Response, Problem> {
    proof_file(&node, &body.did).await
}

/// The operations of a DID on the ledger.
#[utoipa::path(get, path = "/v1/dids/{did}/operations",
    params(("did" = String, Path, description = "the DID, short form")),
    responses((status = 200, body = OperationsOfDid), (status = 404, description = "not on the ledger")))]
pub(crate) async fn operations(
    State(node): State<Arc<Node>>,
    Path(did): Path<String>,
) -> Result<Response, Problem> {
    let did = parse_did(&node, &did)?.did;
    let versions = node.index.versions(&did.hash, u64::MAX, MAX_HISTORY).await;
    let versions = versions.map_err(|error| problems::of_index(&error))?;
    if versions.is_empty() {
        return Err(not_published());
    }
    let mut operations = Vec::with_capacity(versions.len());
    for version in versions.into_iter().rev() {
        operations.push(OperationOfDid {
            version: version.number,
            operation_hash: version.operation.to_hex(),
            height: version.place.height,
            time: version.time,
            operation: base64url_encode(node.operation_at(version.place).await?),
        });
    }
    Ok(([FRESH], Json(OperationsOfDid { operations })).into_response())
}

/// What the consortium decided about a DID. What is in force, the state proves.
#[utoipa::path(get, path = "/v1/dids/{did}/decisions",
    params(("did" = String, Path, description = "the DID, short form")),
    responses((status = 200, body = DecisionsAboutDid), (status = 400, description = "not a DID")))]
pub(crate) async fn decisions(
    State(node): State<Arc<Node>>,
    Path(did): Path<String>,
) -> Result<Response, Problem> {
    let did = parse_did(&node, &did)?.did;
    let places = node.index.decisions(&did.hash, MAX_HISTORY).await;
    let places = places.map_err(|error| problems::of_index(&error))?;
    let mut decisions = Vec::with_capacity(places.len());
    for place in places.into_iter().rev() {
        decisions.push(Decision {
            height: place.height,
            operation: base64url_encode(node.operation_at(place).await?),
        });
    }
    Ok(([FRESH], Json(DecisionsAboutDid { decisions })).into_response())
}

/// Document data by its hash, as state entries name it.
#[utoipa::path(get, path = "/v1/documents/{hash}",
    params(("hash" = String, Path, description = "64 hexadecimal digits")),
    responses((status = 200, body = DocumentAnswer), (status = 404, description = "not on the ledger")))]
pub(crate) async fn document(
    State(node): State<Arc<Node>>,
    Path(hash): Path<String>,
) -> Result<Response, Problem> {
    let hash = problems::parse_hash(&hash)?;
    let found = node.document(&hash).await?;
    let found =
        found.ok_or_else(|| Problem::not_found("document_not_found", "no final operation brought this"))?;
    let answer = DocumentAnswer {
        document: base64url_encode(document_bytes(&found.data)),
        operation: base64url_encode(found.operation),
        height: found.place.height,
    };
    Ok(([IMMUTABLE], Json(answer)).into_response())
}

async fn proof_file(node: &Node, did: &str) -> Result<Response, Problem> {
    let parsed = parse_did(node, did)?;
    let proven = node.prove_entry(&parsed.did.hash).await?;
    let (data, evidence) = match (&proven.entry, &parsed.inception) {
        (Some(entry), _) => operations_evidence(node, &parsed.did.hash, entry, proven.time).await?,
        (None, Some(inception)) => (
            inception.document.clone(),
            Evidence::Inception(base64url_encode(inception.encode())),
        ),
        (None, None) => return Err(not_published()),
    };
    let file = ProofFile::new(&parsed.did, &data, evidence, &proven.finality, &proven.proof);
    Ok((
        [FRESH, (header::CONTENT_TYPE, "application/json")],
        file.to_json(),
    )
        .into_response())
}

/// The operations from the one that set the current document to the entry's last one.
async fn operations_evidence(
    node: &Node,
    did: &Hash,
    entry: &Entry,
    time: u64,
) -> Result<(DocumentData, Evidence), Problem> {
    let current = entry.at(time).document;
    let newest = node
        .index
        .versions(did, entry.version.into(), MAX_PROOF_OPERATIONS)
        .await;
    let mut operations = Vec::new();
    for version in newest.map_err(|error| problems::of_index(&error))? {
        let bytes = node.operation_at(version.place).await?;
        let signed =
            decode_did_operation(&bytes).ok_or_else(|| Problem::internal(&"not an operation on a DID"))?;
        operations.push(base64url_encode(signed.encode()));
        let founding = signed
            .operation
            .founding()
            .map(|founding| founding.inception.document.clone());
        let mut brought = signed.operation.document().into_iter().chain(founding);
        if let Some(data) = brought.find(|data| data.hash() == current) {
            operations.reverse();
            return Ok((data, Evidence::Operations(operations)));
        }
    }
    Err(problems::history_too_long())
}

/// A DID of this network.
pub(crate) fn parse_did(node: &Node, text: &str) -> Result<ParsedDid, Problem> {
    let parsed =
        ParsedDid::parse(text).map_err(|error| Problem::bad_request("invalid_did", error.to_string()))?;
    let other_charter = parsed
        .inception
        .as_ref()
        .is_some_and(|inception| inception.charter != node.charter_hash);
    if parsed.did.network != node.charter.network || other_charter {
        return Err(Problem::not_found(
            "other_network",
            "the DID belongs to another network",
        ));
    }
    Ok(parsed)
}

pub(crate) fn not_published() -> Problem {
    Problem::not_found("not_published", "the DID is not on the ledger")
}
