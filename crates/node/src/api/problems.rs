//! Failures of ledger, engine and index as problems.

use axum::http::StatusCode;
use realdid_crypto::Hash;
use realdid_did::OperationError;
use realdid_engine::{EngineError, PoolRefusal};
use realdid_ledger::Refusal;
use realdid_service::Problem;

/// A refusal of the ledger, under the ledger's own code.
pub(crate) fn of_refusal(refusal: &Refusal) -> Problem {
    let status = match refusal {
        Refusal::Operation(OperationError::TooLong) => StatusCode::PAYLOAD_TOO_LARGE,
        Refusal::Operation(OperationError::Malformed(_)) => StatusCode::BAD_REQUEST,
        Refusal::Operation(_) | Refusal::Threshold => StatusCode::UNPROCESSABLE_ENTITY,
        Refusal::TokenUnknownKey
        | Refusal::TokenRevokedKey
        | Refusal::TokenExpired
        | Refusal::TokenInvalid => StatusCode::UNPROCESSABLE_ENTITY,
        Refusal::NotLoaded => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::CONFLICT,
    };
    let problem = Problem::new(status, refusal.code(), refusal.to_string());
    match hint(refusal.code()) {
        Some(hint) => problem.with_hint(hint),
        None => problem,
    }
}

/// What to do about a refusal, where there is something.
fn hint(code: &str) -> Option<&'static str> {
    match code {
        "stale_previous" => Some("fetch the DID's newest state and make the operation anew"),
        "token_expired" => Some("get a token of the current epoch from the authority"),
        "not_published" => Some("publish the DID first"),
        "operation_pending" => Some("wait until the pending operation takes effect, or veto it"),
        "other_network" => Some("compare the charter's hash with the one of /v1/status"),
        "operation_too_long" => Some("an operation has at most 16384 bytes"),
        _ => None,
    }
}

/// An operation that the engine ordered out after it was received.
pub(crate) fn of_engine_refusal(code: &'static str) -> Problem {
    let detail = "the operation could not be applied when it was its turn";
    let problem = Problem::new(StatusCode::CONFLICT, code, detail);
    match hint(code) {
        Some(hint) => problem.with_hint(hint),
        None => problem,
    }
}

/// The pool's refusal.
pub(crate) fn of_pool(refusal: PoolRefusal) -> Problem {
    let status = match refusal {
        PoolRefusal::Full | PoolRefusal::Stopped => StatusCode::SERVICE_UNAVAILABLE,
        PoolRefusal::Length => StatusCode::PAYLOAD_TOO_LARGE,
        PoolRefusal::Duplicate => StatusCode::CONFLICT,
    };
    Problem::new(status, refusal.code(), refusal.to_string()).with_retry_after(1)
}

/// A failure of the engine to answer.
pub(crate) fn of_engine(error: &EngineError) -> Problem {
    match error {
        EngineError::NotReady => not_ready("no certified state is available yet"),
        EngineError::Stopped => not_ready("the consensus engine has stopped"),
        EngineError::TooManyKeys | EngineError::Prefix => {
            Problem::bad_request(error.code(), error.to_string())
        }
        EngineError::PrefixTooWide { .. } => {
            let problem = Problem::new(StatusCode::CONFLICT, error.code(), error.to_string());
            problem.with_hint("ask with more bits")
        }
        _ => Problem::internal(error),
    }
}

/// A failure of the index.
pub(crate) fn of_index(error: &sqlx::Error) -> Problem {
    Problem::internal(error)
}

/// The node cannot answer yet.
pub(crate) fn not_ready(detail: &str) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", detail).with_retry_after(1)
}

/// A DID has had more operations than are replayed.
pub(crate) fn history_too_long() -> Problem {
    Problem::new(
        StatusCode::NOT_IMPLEMENTED,
        "history_too_long",
        "the DID has too many versions to look back",
    )
}

/// A hash of 64 hexadecimal digits.
pub(crate) fn parse_hash(text: &str) -> Result<Hash, Problem> {
    Hash::from_hex(text)
        .ok_or_else(|| Problem::bad_request("malformed_hash", "a hash has 64 hexadecimal digits"))
}
