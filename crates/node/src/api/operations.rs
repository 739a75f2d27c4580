//! Submitting operations and asking what became of them.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Extension, Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::{Json, http::StatusCode};
use realdid_crypto::{Hash, base64url_decode};
use realdid_service::{ClientIp, Problem};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::problems;
use crate::admission::{Standing, status_of};
use crate::ledger_view::Node;

/// Longest time an answer is held back.
const MAX_WAIT: Duration = Duration::from_secs(30);

/// An operation as it travels.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Submission {
    /// The operation's canonical bytes, base64url without padding; at most 16 KiB of bytes.
    operation: String,
}

/// Whether the answer waits.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct SubmissionQuery {
    /// `finalized`: answer when the operation is final, or after 30 s with `received`.
    wait: Option<String>,
}

/// How long the answer waits.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct StatusQuery {
    /// Seconds to wait while the operation is not final; at most 30.
    wait: Option<u64>,
}

/// What is known about an operation.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OperationAnswer {
    /// `received` promises nothing; `finalized` is durable; `refused` was ordered out; `unknown`.
    status: &'static str,
    /// The operation's hash, hexadecimal.
    operation_hash: String,
    /// Height of its block, if final.
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<u64>,
    /// The ledger's code, if refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
}

/// Submit an operation. Submitting the same one again is harmless.
#[utoipa::path(post, path = "/v1/operations", params(SubmissionQuery), request_body = Submission, responses(
    (status = 200, description = "final, durable", body = OperationAnswer),
    (status = 202, description = "received; nothing is promised", body = OperationAnswer),
    (status = 400, description = "not the canonical encoding of an operation"),
    (status = 409, description = "may not follow the current state"),
    (status = 413, description = "too long"),
    (status = 422, description = "signature, network or token not valid"),
    (status = 429, description = "too many from this address"),
    (status = 503, description = "the pool is full (`pool_full`), or the node is not ready"),
))]
pub(crate) async fn submit(
    State(node): State<Arc<Node>>,
    Extension(client): Extension<ClientIp>,
    Query(query): Query<SubmissionQuery>,
    Json(submission): Json<Submission>,
) -> Result<Response, Problem> {
    let wait = wants_finality(query.wait.as_deref())?;
    let bytes = base64url_decode(&submission.operation).map_err(|_| {
        Problem::bad_request(
            "malformed_operation",
            "the operation is not base64url without padding",
        )
    })?;
    let (hash, mut standing) = node.admit(client.0, bytes).await?;
    if wait && standing == Standing::Received {
        standing = node.settled(&hash, MAX_WAIT).await?;
    }
    match standing {
        Standing::Refused(code) => Err(problems::of_engine_refusal(code)),
        standing => Ok((status_of(standing), answer(&hash, standing)).into_response()),
    }
}

/// What became of an operation.
#[utoipa::path(get, path = "/v1/operations/{hash}", params(
    ("hash" = String, Path, description = "the operation's hash, 64 hexadecimal digits"), StatusQuery,
), responses((status = 200, description = "what is known", body = OperationAnswer)))]
pub(crate) async fn status(
    State(node): State<Arc<Node>>,
    Path(hash): Path<String>,
    Query(query): Query<StatusQuery>,
) -> Result<Response, Problem> {
    let hash = problems::parse_hash(&hash)?;
    let limit = Duration::from_secs(query.wait.unwrap_or(0)).min(MAX_WAIT);
    let standing = node.settled(&hash, limit).await?;
    Ok((StatusCode::OK, answer(&hash, standing)).into_response())
}

fn wants_finality(wait: Option<&str>) -> Result<bool, Problem> {
    match wait {
        None => Ok(false),
        Some("finalized") => Ok(true),
        Some(_) => Err(Problem::bad_request(
            "malformed_query",
            "`wait` can be `finalized` only",
        )),
    }
}

fn answer(hash: &Hash, standing: Standing) -> Json<OperationAnswer> {
    let (status, height, code) = match standing {
        Standing::Finalized { height } => ("finalized", Some(height), None),
        Standing::Received => ("received", None, None),
        Standing::Refused(code) => ("refused", None, Some(code)),
        Standing::Unknown => ("unknown", None, None),
    };
    Json(OperationAnswer {
        status,
        operation_hash: hash.to_hex(),
        height,
        code,
    })
}
