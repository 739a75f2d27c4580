//! What anybody may fetch: metadata, offers, types, status lists.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use realdid_credential::status::token::MEDIA_TYPE;
use realdid_crypto::KeyType;
use realdid_jose::jws;
use realdid_openid::vci::CredentialOffer;
use realdid_service::now_seconds;
use serde::Deserialize;
use serde_json::json;

use super::Shared;
use super::failure::{Failure, Place};
use crate::credential_issuer::IssueRefusal;

/// `typ` of signed metadata (OpenID4VCI 1.0 §12.2.3).
const SIGNED_METADATA: &str = "openidvci-issuer-metadata+jwt";
/// Metadata may be kept for a minute: a changed configuration is seen soon.
const KEEP: [(header::HeaderName, &str); 1] = [(header::CACHE_CONTROL, "public, max-age=60")];

/// `GET /.well-known/openid-credential-issuer`: JSON, or signed if only that is asked for.
pub(super) async fn issuer(State(app): Shared, headers: HeaderMap) -> Result<Response, Failure> {
    let failed = |refusal| Failure::new(&app, Place::Server, refusal);
    let metadata = app.issuer.issuer_metadata();
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    // A cache must not give one form to whoever asked for the other.
    let vary = [(header::VARY, "accept")];
    if !accept.contains("application/jwt") || accept.contains("application/json") {
        return Ok((KEEP, vary, Json(metadata)).into_response());
    }
    let mut claims = json!(metadata);
    claims["sub"] = app.issuer.identifier().into();
    claims["iat"] = now_seconds().into();
    let key = app.issuer.keys.of(KeyType::P256).map_err(failed)?;
    let signed = jws::sign_with_header(&key.key, key.header(SIGNED_METADATA), &claims);
    let signed = signed.map_err(|_| failed(IssueRefusal::Internal("metadata cannot be signed")))?;
    Ok((KEEP, vary, [(header::CONTENT_TYPE, "application/jwt")], signed).into_response())
}

/// `GET /.well-known/oauth-authorization-server`
pub(super) async fn server(State(app): Shared) -> Response {
    (KEEP, Json(app.issuer.server_metadata())).into_response()
}

/// `GET /.well-known/jwt-vc-issuer`
pub(super) async fn keys(State(app): Shared) -> Response {
    (KEEP, Json(app.issuer.key_metadata())).into_response()
}

/// `GET /vct/{id}`
pub(super) async fn type_metadata(State(app): Shared, Path(id): Path<String>) -> Result<Response, Failure> {
    let failed = |refusal| {
        let refusal = match refusal {
            IssueRefusal::UnknownConfiguration => IssueRefusal::UnknownType,
            other => other,
        };
        Failure::new(&app, Place::Server, refusal)
    };
    // To the letter: credentials are signed with its hash.
    let document = app.issuer.type_metadata(&id).await.map_err(failed)?;
    Ok((KEEP, [(header::CONTENT_TYPE, "application/json")], document).into_response())
}

/// `GET /offer/{id}`: whoever has the address may have the offer; it is not kept by caches.
pub(super) async fn offer(State(app): Shared, Path(id): Path<String>) -> Result<Response, Failure> {
    let failed = |refusal| Failure::new(&app, Place::Server, refusal);
    let offer: CredentialOffer = app
        .issuer
        .offer_by_reference(&id, now_seconds())
        .await
        .map_err(failed)?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(offer)).into_response())
}

/// The parameter of a question about the past (Token Status List §8.4).
#[derive(Deserialize)]
pub(super) struct Moment {
    time: Option<u64>,
}

/// `GET /status/{list}`
pub(super) async fn status_list(
    State(app): Shared,
    Path(list): Path<i64>,
    Query(moment): Query<Moment>,
) -> Result<Response, Failure> {
    let failed = |refusal| Failure::new(&app, Place::Server, refusal);
    let now = now_seconds();
    let token = app
        .issuer
        .status_list(list, moment.time, now)
        .await
        .map_err(failed)?;
    let period = app.issuer.policy.status_seconds.max(1);
    let left = (app.issuer.published_at(now) + period).saturating_sub(now).max(1);
    let keep = format!("public, max-age={left}");
    Ok((
        [
            (header::CONTENT_TYPE, MEDIA_TYPE.to_owned()),
            (header::CACHE_CONTROL, keep),
        ],
        token,
    )
        .into_response())
}
