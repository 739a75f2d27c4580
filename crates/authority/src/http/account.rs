//! `GET /v1/account`: the question is a JWS by the account key, as a bearer token (RFC 6750 §2.1).

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use realdid_service::now_seconds;

use super::Shared;
use crate::error::Refusal;
use crate::quota::Standing;

pub(super) async fn standing(State(app): Shared, headers: HeaderMap) -> Result<Json<Standing>, Refusal> {
    let value = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let jws = value
        .and_then(|value| value.strip_prefix("Bearer "))
        .ok_or(Refusal::InvalidAccountSignature)?;
    app.authority.account_standing(jws, now_seconds()).await.map(Json)
}
