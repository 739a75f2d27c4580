//! `POST /v1/tokens`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use realdid_crypto::base64url_encode;
use realdid_service::now_seconds;
use serde::Serialize;

use super::Shared;
use crate::epoch_signer::EpochSigner;
use crate::error::Refusal;
use crate::issuance::{Blinded, Debited};

/// The answer: signatures in the order of the blinded values.
#[derive(Serialize)]
pub(super) struct Issued {
    key_id: String,
    signatures: Vec<String>,
    quota_remaining: u64,
}

pub(super) async fn issue(State(app): Shared, jws: String) -> Result<Json<Issued>, Refusal> {
    let now = now_seconds();
    let signer = app.signer(now)?;
    let request = app.authority.check_request(jws.trim(), signer.key(), now).await?;
    let debited = app.authority.debit(request, now).await?;
    let (key_id, quota_remaining) = (signer.id().to_hex(), debited.standing().remaining);
    let signatures = sign(signer, debited).await?;
    metrics::counter!("realdid_authority_signatures_total").increment(signatures.len() as u64);
    let signatures = signatures.iter().map(base64url_encode).collect::<Vec<_>>();
    Ok(Json(Issued {
        key_id,
        signatures,
        quota_remaining,
    }))
}

/// A full batch takes a core for some hundredths of a second: not one that serves requests.
async fn sign(signer: Arc<EpochSigner>, debited: Debited) -> Result<Vec<Blinded>, Refusal> {
    tokio::task::spawn_blocking(move || signer.sign(&debited))
        .await
        .map_err(|_| Refusal::Signing)?
}
