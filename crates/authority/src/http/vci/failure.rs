//! Refusals as wallets read them: OAuth's JSON, with the challenge of a protected resource.

use std::sync::Arc;

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use realdid_openid::oauth::{ErrorBody, dpop};
use realdid_service::{Problem, now_seconds};

use super::IssuerApp;
use crate::credential_issuer::IssueRefusal;

/// Where something was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The authorization server's endpoints (RFC 6749 §5.2).
    Server,
    /// The endpoints that take an access token (RFC 6750 §3, RFC 9449 §7.1).
    Resource,
}

/// A refusal and where it was made.
pub(super) struct Failure {
    refusal: IssueRefusal,
    place: Place,
    app: Arc<IssuerApp>,
}

impl Failure {
    pub(super) fn new(app: &Arc<IssuerApp>, place: Place, refusal: IssueRefusal) -> Self {
        Self {
            refusal,
            place,
            app: Arc::clone(app),
        }
    }

    const fn is_about_dpop(&self) -> bool {
        matches!(
            self.refusal,
            IssueRefusal::Dpop(_)
                | IssueRefusal::DpopReplayed
                | IssueRefusal::DpopNonce
                | IssueRefusal::DpopHeaders
        )
    }

    fn status(&self) -> StatusCode {
        if self.is_about_dpop() && self.place == Place::Resource {
            return StatusCode::UNAUTHORIZED;
        }
        StatusCode::from_u16(self.refusal.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The challenges of a 401 or 403: one for each way a token may be shown, or of DPoP alone if its
    /// proof is what is wrong (RFC 6750 §3, RFC 9449 §7.1).
    fn challenges(&self) -> Vec<String> {
        let algorithms = dpop::algorithms().join(" ");
        let code = self.refusal.code();
        if self.is_about_dpop() {
            return vec![format!("DPoP error=\"{code}\", algs=\"{algorithms}\"")];
        }
        let (bearer, dpop) = match self.refusal {
            IssueRefusal::NoToken => ("Bearer".to_owned(), "DPoP".to_owned()),
            _ => (
                format!("Bearer error=\"{code}\""),
                format!("DPoP error=\"{code}\","),
            ),
        };
        let dpop = format!("{dpop} algs=\"{algorithms}\"");
        if self.app.issuer.policy.require_dpop {
            vec![dpop]
        } else {
            vec![bearer, dpop]
        }
    }

    /// What a developer is told; of failures here, nothing: their causes name files and columns.
    fn description(&self, status: StatusCode) -> String {
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            return "the issuer failed; try again later".to_owned();
        }
        self.refusal.to_string()
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = self.status();
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            log(&self.refusal);
        }
        let body = ErrorBody::new(self.refusal.code(), &self.description(status));
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&status) {
            for challenge in self.challenges() {
                if let Ok(value) = HeaderValue::from_str(&challenge) {
                    headers.append(header::WWW_AUTHENTICATE, value);
                }
            }
        }
        if matches!(self.refusal, IssueRefusal::DpopNonce) {
            insert_nonce(&self.app, headers);
        }
        match self.refusal {
            IssueRefusal::RateLimited { retry_after } => {
                headers.insert(header::RETRY_AFTER, retry_after.into())
            }
            IssueRefusal::RightsUnknown => headers.insert(header::RETRY_AFTER, 5.into()),
            _ => None,
        };
        response
    }
}

/// Gives a fresh nonce for DPoP proofs.
pub(super) fn insert_nonce(app: &IssuerApp, headers: &mut axum::http::HeaderMap) {
    let nonce = app.issuer.dpop_nonce(now_seconds(), &mut UnwrapErr(SysRng));
    if let Ok(value) = HeaderValue::from_str(&nonce) {
        headers.insert(HeaderName::from_static("dpop-nonce"), value);
    }
}

/// What the log is told: a database's code, never its words, which may quote what was stored.
pub(super) fn log(refusal: &IssueRefusal) {
    match refusal {
        IssueRefusal::Database(sqlx::Error::Database(error)) => {
            let code = error.code().unwrap_or_default();
            tracing::error!(%code, "the database refused");
        }
        other => tracing::error!(error = %other, "the issuer failed"),
    }
}

/// The same refusal for people's pages and operators: a problem with its code.
pub(super) fn problem(refusal: &IssueRefusal) -> Problem {
    let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if status == StatusCode::INTERNAL_SERVER_ERROR && !matches!(refusal, IssueRefusal::Source(_)) {
        log(refusal);
        return Problem::internal(&"the issuer failed");
    }
    let code = match refusal {
        IssueRefusal::NotAccredited { .. } => "right_missing",
        IssueRefusal::NoRecord => "unknown_record",
        IssueRefusal::RightsUnknown => "rights_unknown",
        IssueRefusal::Source(_) => "data_unusable",
        IssueRefusal::UnknownConfiguration => "unknown_credential",
        IssueRefusal::Transaction => "unknown_request",
        other => other.code(),
    };
    let problem = Problem::new(status, code, refusal.to_string());
    match refusal {
        IssueRefusal::NotAccredited { .. } => problem.with_hint(
            "have the consortium grant it: realdid governance grant DID issue TYPE; or remove the type from the configuration",
        ),
        IssueRefusal::RightsUnknown => problem.with_hint("start the node, then try again").with_retry_after(5),
        IssueRefusal::RateLimited { retry_after } => problem.with_retry_after(*retry_after),
        _ => problem,
    }
}
