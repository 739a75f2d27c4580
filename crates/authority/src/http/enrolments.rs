//! `POST /v1/enrolments` and `…/{id}/confirm`.

use axum::Extension;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use realdid_checks::passes;
use realdid_service::{ClientIp, now_seconds};

use super::{App, Shared};
use crate::enrolment::{Begun, Confirmation, Confirmed, EnrolmentRequest};
use crate::error::Refusal;

pub(super) async fn begin(
    State(app): Shared,
    Extension(client): Extension<ClientIp>,
    Json(request): Json<EnrolmentRequest>,
) -> Result<(StatusCode, Json<Begun>), Refusal> {
    limit(&app, client)?;
    let begun = app
        .authority
        .begin_enrolment(&request, now_seconds(), &mut UnwrapErr(SysRng))
        .await;
    count("begin", begun.as_ref().err());
    let (begun, dispatch) = begun?;
    app.dispatcher.send(dispatch);
    Ok((StatusCode::ACCEPTED, Json(begun)))
}

pub(super) async fn confirm(
    State(app): Shared,
    Extension(client): Extension<ClientIp>,
    Path(id): Path<String>,
    Json(confirmation): Json<Confirmation>,
) -> Result<Json<Confirmed>, Refusal> {
    limit(&app, client)?;
    let confirmed = app
        .authority
        .confirm_enrolment(&id, &confirmation, now_seconds(), &mut UnwrapErr(SysRng))
        .await;
    count("confirm", confirmed.as_ref().err());
    confirmed.map(Json)
}

fn limit(app: &App, client: ClientIp) -> Result<(), Refusal> {
    let taken = app.limiter.take(client.0, 1.0);
    if passes("ENR-13", taken.is_ok()) {
        return Ok(());
    }
    Err(Refusal::RateLimited {
        retry_after: taken.err().unwrap_or(1),
    })
}

/// Counts outcomes; none of them tells whether a person exists.
fn count(step: &'static str, refusal: Option<&Refusal>) {
    let outcome = refusal.map_or("ok", Refusal::code);
    metrics::counter!("realdid_authority_enrolments_total", "step" => step, "outcome" => outcome)
        .increment(1);
}
