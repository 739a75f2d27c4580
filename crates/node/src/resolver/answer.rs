//! How resolution results and errors are written.

use std::borrow::Cow;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use realdid_crypto::base64url_encode;
use realdid_did::{PendingKind, Status};
use realdid_ledger::PROOF_FORMAT;
use serde_json::{Map, Value, json};

use super::lookup::{Found, Part};
use super::request::{DEREFERENCING, DOCUMENT, RESULT, Representation};
use crate::api::{FRESH, IMMUTABLE};
use crate::timestamp;

/// The error types of DID Resolution, §10.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ErrorType {
    /// Not a DID of this method.
    InvalidDid,
    /// The DID may be right, the URL around it is not.
    InvalidDidUrl,
    /// An option has an impossible value.
    InvalidOptions,
    /// The DID, version, service or object is not there.
    NotFound,
    /// Another DID method.
    MethodNotSupported,
    /// More than this resolver does.
    FeatureNotSupported,
    /// The resolver failed.
    InternalError,
    /// The resolver cannot answer yet.
    NotReady,
}

impl ErrorType {
    const fn name(self) -> &'static str {
        match self {
            Self::InvalidDid => "INVALID_DID",
            Self::InvalidDidUrl => "INVALID_DID_URL",
            Self::InvalidOptions => "INVALID_OPTIONS",
            Self::NotFound => "NOT_FOUND",
            Self::MethodNotSupported => "METHOD_NOT_SUPPORTED",
            Self::FeatureNotSupported => "FEATURE_NOT_SUPPORTED",
            Self::InternalError | Self::NotReady => "INTERNAL_ERROR",
        }
    }

    const fn status(self) -> StatusCode {
        match self {
            Self::InvalidDid | Self::InvalidDidUrl | Self::InvalidOptions => StatusCode::BAD_REQUEST,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotSupported | Self::FeatureNotSupported => StatusCode::NOT_IMPLEMENTED,
            Self::InternalError => StatusCode::INTERNAL_SERVER_ERROR,
            Self::NotReady => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// A resolution that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    error: ErrorType,
    detail: Cow<'static, str>,
}

impl Failure {
    /// A failure of a type, in words without personal data.
    pub(super) fn new(error: ErrorType, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            error,
            detail: detail.into(),
        }
    }
}

/// 406: nothing that the client accepts can be given.
pub(super) fn not_acceptable() -> Response {
    let detail = "ask for application/did-resolution or application/did";
    let error = error_object("REPRESENTATION_NOT_SUPPORTED", detail);
    respond(
        StatusCode::NOT_ACCEPTABLE,
        RESULT,
        &result(Value::Null, json!({"error": error}), json!({})),
    )
}

/// A failure. Its body is a result whatever representation was asked for.
pub(super) fn failed(failure: &Failure, representation: Representation) -> Response {
    let error = error_object(failure.error.name(), &failure.detail);
    let status = failure.error.status();
    match representation {
        Representation::Dereferencing => {
            let body =
                json!({"dereferencingMetadata": {"error": error}, "content": null, "contentMetadata": {}});
            respond(status, DEREFERENCING, &body)
        }
        Representation::Result(media_type) => respond(
            status,
            media_type,
            &result(Value::Null, json!({"error": error}), json!({})),
        ),
        Representation::Document(_) => respond(
            status,
            RESULT,
            &result(Value::Null, json!({"error": error}), json!({})),
        ),
    }
}

/// What was found, as the client wants it.
pub(super) fn found(found: Found, representation: Representation) -> Response {
    let cache = if found.next.is_some() { IMMUTABLE } else { FRESH };
    let response = write(found, representation);
    ([cache], response).into_response()
}

fn write(mut found: Found, representation: Representation) -> Response {
    let metadata = document_metadata(&found);
    let Some(document) = found.document.take() else {
        // Deactivated: no document, and 410 (§12.1).
        let body = match representation {
            Representation::Dereferencing => dereferenced(Value::Null, json!({}), metadata),
            _ => result(Value::Null, json!({}), metadata),
        };
        let media_type = match representation {
            Representation::Dereferencing => DEREFERENCING,
            Representation::Result(media_type) => media_type,
            Representation::Document(_) => RESULT,
        };
        return respond(StatusCode::GONE, media_type, &body);
    };
    match (found.part, representation) {
        (Part::Service(url), Representation::Dereferencing) => {
            let body = dereferenced(json!(url), json!({"contentType": "text/uri-list"}), json!({}));
            respond(StatusCode::OK, DEREFERENCING, &body)
        }
        (Part::Service(url), _) => see_other(&url),
        (Part::Object(object), Representation::Document(media_type)) => {
            respond(StatusCode::OK, media_type, &object)
        }
        (Part::Object(object), _) => {
            let body = dereferenced(object, json!({"contentType": DOCUMENT}), json!({}));
            respond(StatusCode::OK, DEREFERENCING, &body)
        }
        (Part::Document, Representation::Dereferencing) => {
            let body = dereferenced(document, json!({"contentType": DOCUMENT}), metadata);
            respond(StatusCode::OK, DEREFERENCING, &body)
        }
        (Part::Document, Representation::Document(media_type)) => {
            respond(StatusCode::OK, media_type, &document)
        }
        (Part::Document, Representation::Result(media_type)) => {
            let body = result(document, json!({"contentType": DOCUMENT}), metadata);
            respond(StatusCode::OK, media_type, &body)
        }
    }
}

/// Metadata of the document (§7.3), and our proof.
fn document_metadata(found: &Found) -> Value {
    let mut metadata = Map::new();
    let mut set = |name: &str, value: Value| {
        metadata.insert(name.to_owned(), value);
    };
    set("published", json!(found.entry.is_some()));
    set("deactivated", json!(found.status == Status::Deactivated));
    if found.long_form {
        set("canonicalId", json!(found.did.to_string()));
        set("equivalentId", json!([found.did.to_string()]));
    }
    if let Some(entry) = &found.entry {
        set("versionId", json!(entry.version.to_string()));
        set("created", json!(timestamp::format(entry.created)));
        if entry.version > 1 {
            set("updated", json!(timestamp::format(entry.updated)));
        }
        if let Some(pending) = &entry.pending {
            let kind = match pending.kind {
                PendingKind::Recovery => "recovery",
                PendingKind::Deactivation => "deactivation",
            };
            set(
                "pending",
                json!({"kind": kind, "effective": timestamp::format(pending.effective_at)}),
            );
        }
    }
    match &found.next {
        Some(next) => {
            set("nextVersionId", json!(next.number.to_string()));
            set("nextUpdate", json!(timestamp::format(next.time)));
        }
        None => set("proof", proof(found)),
    }
    Value::Object(metadata)
}

/// What proves the newest state to anybody who pins the network key.
fn proof(found: &Found) -> Value {
    json!({
        "type": "RealDidStateProof",
        "proofFormat": PROOF_FORMAT,
        "height": found.proof.height,
        "time": timestamp::format(found.proof.time),
        "finality": base64url_encode(found.proof.finality.encode()),
        "state": base64url_encode(found.proof.proof.encode()),
    })
}

fn result(document: Value, resolution: Value, metadata: Value) -> Value {
    json!({"didResolutionMetadata": resolution, "didDocument": document, "didDocumentMetadata": metadata})
}

fn dereferenced(content: Value, dereferencing: Value, metadata: Value) -> Value {
    json!({"dereferencingMetadata": dereferencing, "content": content, "contentMetadata": metadata})
}

fn error_object(name: &str, detail: &str) -> Value {
    let title = name.to_ascii_lowercase().replace('_', " ");
    json!({"type": format!("https://www.w3.org/ns/did#{name}"), "title": title, "detail": detail})
}

fn respond(status: StatusCode, media_type: &'static str, body: &Value) -> Response {
    let media_type = HeaderValue::from_static(media_type);
    (status, [(header::CONTENT_TYPE, media_type)], body.to_string()).into_response()
}

fn see_other(url: &str) -> Response {
    match HeaderValue::from_str(url) {
        Ok(location) => (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response(),
        Err(_) => failed(
            &Failure::new(
                ErrorType::InvalidDidUrl,
                "the endpoint is not a URL that a header can hold",
            ),
            Representation::Result(RESULT),
        ),
    }
}
