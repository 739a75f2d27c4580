//! The HTTP interface: one handler per route, each a visible list of steps.

mod blocks;
pub(crate) mod dids;
mod operations;
pub(crate) mod problems;
mod proofs;

use std::sync::Arc;

use axum::http::{HeaderName, Method, header};
use axum::routing::{get, post};
use axum::{Json, Router};
use tower_http::cors::{Any, CorsLayer};
use utoipa::OpenApi;

use crate::ledger_view::Node;
use crate::resolver;

/// For answers that never change.
pub(crate) const IMMUTABLE: (HeaderName, &str) =
    (header::CACHE_CONTROL, "public, max-age=31536000, immutable");
/// For answers about the newest state (protocol.md §5).
pub(crate) const FRESH: (HeaderName, &str) = (header::CACHE_CONTROL, "public, max-age=5");

#[derive(OpenApi)]
#[openapi(
    info(
        title = "RealDID node",
        description = "Submits operations, proves state and resolves DIDs. Errors are problem details (RFC 9457) \
                       with a stable `code`."
    ),
    paths(
        operations::submit,
        operations::status,
        proofs::keys,
        proofs::prefix,
        dids::proof,
        dids::proof_of_long_form,
        dids::operations,
        dids::decisions,
        dids::document,
        blocks::latest_header,
        blocks::header,
        blocks::block,
        blocks::status,
        blocks::charter,
        resolver::resolve,
        resolver::resolve_posted,
        resolver::resolve_body,
    )
)]
struct ApiDescription;

/// All routes but health and metrics.
pub(crate) fn router(node: Node) -> Router {
    Router::new()
        .route("/v1/operations", post(operations::submit))
        .route("/v1/operations/{hash}", get(operations::status))
        .route("/v1/proofs/keys", get(proofs::keys))
        .route("/v1/proofs/prefix/{prefix}", get(proofs::prefix))
        .route("/v1/dids/proof", post(dids::proof_of_long_form))
        .route("/v1/dids/{did}/proof", get(dids::proof))
        .route("/v1/dids/{did}/operations", get(dids::operations))
        .route("/v1/dids/{did}/decisions", get(dids::decisions))
        .route("/v1/documents/{hash}", get(dids::document))
        .route("/v1/headers/latest", get(blocks::latest_header))
        .route("/v1/headers/{height}", get(blocks::header))
        .route("/v1/blocks/{height}", get(blocks::block))
        .route("/v1/status", get(blocks::status))
        .route("/v1/charter", get(blocks::charter))
        .route("/1.0/identifiers", post(resolver::resolve_body))
        .route("/1.0/identifiers/", post(resolver::resolve_body))
        .route(
            "/1.0/identifiers/{*did}",
            get(resolver::resolve).post(resolver::resolve_posted),
        )
        .route("/openapi.json", get(|| async { Json(ApiDescription::openapi()) }))
        .layer(cors())
        .with_state(Arc::new(node))
}

/// Everything here is public: any page may ask.
fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([header::ACCEPT, header::CONTENT_TYPE])
        .expose_headers([HeaderName::from_static("x-request-id"), header::RETRY_AFTER])
}
