//! The HTTP(S) binding of DID Resolution: resolving DIDs, dereferencing DID URLs.
//!
//! `request` says what is asked, `lookup` finds it, `answer` writes it down. Rule ids `RES-..` are
//! those of `docs/checks.md`; the sections cited are of W3C DID Resolution.

mod answer;
mod lookup;
mod request;

use std::sync::Arc;

use axum::extract::{Json, Path, RawQuery, State};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use realdid_checks::passes;
use serde_json::{Map, Value};

use crate::ledger_view::Node;
use answer::{ErrorType, Failure};
use request::{RESULT, Representation, Request, negotiate};

/// Resolve a DID or dereference a DID URL.
#[utoipa::path(get, path = "/1.0/identifiers/{did}", params(
    ("did" = String, Path, description = "a DID or DID URL, percent-encoded or not; long forms belong into a POST"),
    ("versionId" = Option<String>, Query, description = "a decimal version"),
    ("versionTime" = Option<String>, Query, description = "XML dateTime in UTC"),
    ("service" = Option<String>, Query, description = "id of a service: 303 to its endpoint"),
    ("relativeRef" = Option<String>, Query, description = "appended to the service's endpoint"),
), responses(
    (status = 200, description = "resolution result, dereferencing result or document, as `Accept` says"),
    (status = 303, description = "a service endpoint"),
    (status = 400, description = "INVALID_DID, INVALID_DID_URL, INVALID_OPTIONS"),
    (status = 404, description = "NOT_FOUND"),
    (status = 406, description = "REPRESENTATION_NOT_SUPPORTED"),
    (status = 410, description = "deactivated"),
    (status = 501, description = "METHOD_NOT_SUPPORTED, FEATURE_NOT_SUPPORTED"),
))]
pub(crate) async fn resolve(
    State(node): State<Arc<Node>>,
    Path(did): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    respond(&node, &headers, Request::from_url(&did, query.as_deref())).await
}

/// Resolve a DID, with the options in the body.
#[utoipa::path(post, path = "/1.0/identifiers/{did}",
    params(("did" = String, Path, description = "a DID or DID URL")),
    responses((status = 200, description = "as for GET")))]
pub(crate) async fn resolve_posted(
    State(node): State<Arc<Node>>,
    Path(did): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Option<Json<Map<String, Value>>>,
) -> Response {
    let options = body.map(|Json(options)| options).unwrap_or_default();
    let request =
        Request::from_url(&did, query.as_deref()).and_then(|request| request.with_options(&options));
    respond(&node, &headers, request).await
}

/// Resolve a DID given in the body, as long forms must be: a URL would get into logs on the way.
#[utoipa::path(post, path = "/1.0/identifiers", responses((status = 200, description = "as for GET")))]
pub(crate) async fn resolve_body(
    State(node): State<Arc<Node>>,
    headers: HeaderMap,
    Json(mut body): Json<Map<String, Value>>,
) -> Response {
    let did = body.remove("did");
    let request = match did.as_ref().and_then(Value::as_str) {
        Some(did) => Request::from_url(did, None).and_then(|request| request.with_options(&body)),
        None => Err(Failure::new(
            ErrorType::InvalidDid,
            "the body has no string member `did`",
        )),
    };
    respond(&node, &headers, request).await
}

async fn respond(node: &Node, headers: &HeaderMap, request: Result<Request, Failure>) -> Response {
    let accept = headers
        .get(header::ACCEPT)
        .map(|value| value.to_str().unwrap_or("?"));
    let representation = match negotiate(accept) {
        Some(representation) => representation,
        None if passes("RES-01", false) => Representation::Result(RESULT),
        None => return answer::not_acceptable(),
    };
    let found = match request {
        Ok(request) => lookup::find(node, request).await,
        Err(failure) => Err(failure),
    };
    match found {
        Ok(found) => answer::found(found, representation),
        Err(failure) => answer::failed(&failure, representation),
    }
}
