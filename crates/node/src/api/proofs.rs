//! Proofs of presence and absence.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, RawQuery, State};
use axum::response::{IntoResponse, Response};
use realdid_crypto::base64url_encode;
use realdid_ledger::{PrefixAnswer, StateAnswer, StateKey};
use realdid_service::Problem;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{FRESH, problems};
use crate::ledger_view::Node;

/// Most keys in one question.
const MAX_KEYS: usize = 16;
/// Most entries in an answer about a prefix.
const MAX_PREFIX_ENTRIES: usize = 64;

/// Prove what the newest state holds under keys, or that it holds nothing.
#[utoipa::path(get, path = "/v1/proofs/keys", params(
    ("key" = Vec<String>, Query, description = "1 to 16 state keys, 64 hexadecimal digits each"),
), responses(
    (status = 200, description = "`{finality, proofs}`: a finality proof and one state proof per key, base64url"),
    (status = 503, description = "no certified state yet"),
))]
pub(crate) async fn keys(
    State(node): State<Arc<Node>>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let keys = parse_keys(query.as_deref().unwrap_or_default())?;
    let proven = node
        .engine
        .prove(keys)
        .await
        .map_err(|error| problems::of_engine(&error))?;
    let answer = StateAnswer {
        finality: base64url_encode(proven.finality.encode()),
        proofs: proven
            .proofs
            .iter()
            .map(|proof| base64url_encode(proof.encode()))
            .collect(),
    };
    Ok(([FRESH], Json(answer)).into_response())
}

/// How much of the prefix counts.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct PrefixQuery {
    /// Number of leading bits, 0 to 255; the bits behind must be zero.
    bits: u8,
}

/// Prove every entry whose key has a prefix, so that the node does not learn which one is meant.
#[utoipa::path(get, path = "/v1/proofs/prefix/{prefix}", params(
    ("prefix" = String, Path, description = "up to 64 hexadecimal digits; missing ones are zero"), PrefixQuery,
), responses(
    (status = 200, description = "`{finality, proof}`: a finality proof and a prefix proof, base64url"),
    (status = 409, description = "`prefix_too_wide`: more than 64 entries; ask with more bits"),
    (status = 503, description = "no certified state yet"),
))]
pub(crate) async fn prefix(
    State(node): State<Arc<Node>>,
    Path(prefix): Path<String>,
    Query(query): Query<PrefixQuery>,
) -> Result<Response, Problem> {
    let prefix = parse_prefix(&prefix)?;
    let proven = node
        .engine
        .prove_prefix(prefix, query.bits, MAX_PREFIX_ENTRIES)
        .await;
    let proven = proven.map_err(|error| problems::of_engine(&error))?;
    let answer = PrefixAnswer {
        finality: base64url_encode(proven.finality.encode()),
        proof: base64url_encode(proven.proof.encode()),
    };
    Ok(([FRESH], Json(answer)).into_response())
}

fn parse_keys(query: &str) -> Result<Vec<StateKey>, Problem> {
    let malformed = || {
        Problem::bad_request(
            "malformed_query",
            "give 1 to 16 `key`s of 64 hexadecimal digits each",
        )
    };
    let mut keys = Vec::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        if name != "key" || keys.len() == MAX_KEYS {
            return Err(malformed());
        }
        let mut key = [0; 32];
        hex::decode_to_slice(value.as_bytes(), &mut key).map_err(|_| malformed())?;
        keys.push(key);
    }
    if keys.is_empty() {
        Err(malformed())
    } else {
        Ok(keys)
    }
}

fn parse_prefix(text: &str) -> Result<StateKey, Problem> {
    let malformed = || Problem::bad_request("malformed_prefix", "a prefix has up to 64 hexadecimal digits");
    if text.len() > 64 || !text.is_ascii() {
        return Err(malformed());
    }
    let mut prefix = [0; 32];
    hex::decode_to_slice(format!("{text:0<64}"), &mut prefix).map_err(|_| malformed())?;
    Ok(prefix)
}
