//! The HTTP interface: each handler is the list of its steps.

mod account;
mod enrolments;
mod problem;
mod sandbox;
mod tokens;
mod vci;

use std::sync::Arc;

use axum::extract::State;
use axum::http::{Method, header};
use axum::routing::{get, post};
use axum::{Json, Router};
use realdid_crypto::base64url_encode;
use realdid_ledger::Charter;
use realdid_service::{RateLimiter, health, telemetry};
use realdid_token::EpochKey;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::watch;
use tower_http::cors::{Any, CorsLayer};

use crate::delivery::{Dispatcher, Outbox};
use crate::epoch_signer::EpochSigner;
use crate::error::Refusal;
use crate::keeper::{Epochs, Keeper};
use crate::rules::Authority;

/// Oldest proof of the current epoch that tokens are given by, in seconds.
const MAX_EPOCH_AGE: u64 = 300;

/// What the handlers share.
pub struct App {
    /// The rules.
    pub authority: Authority,
    /// The network.
    pub charter: Charter,
    /// The authority's DID, short form.
    pub did: String,
    /// The authority's name, from its seat in the charter.
    pub name: String,
    /// Where codes are handed on.
    pub dispatcher: Dispatcher,
    /// The sandbox's outbox.
    pub outbox: Option<Arc<Outbox>>,
    /// Enrolments and confirmations from one address.
    pub limiter: RateLimiter,
    /// The current epoch.
    pub epochs: watch::Receiver<Option<Epochs>>,
    /// For the sandbox's command; without it, the command is refused.
    pub keeper: Option<Arc<Keeper>>,
}

pub use vci::{Identification, IssuerApp, routes as issuer_routes};

type Shared = State<Arc<App>>;

impl App {
    /// What is known of the epochs, if it is young enough.
    fn epochs(&self, now: u64) -> Result<Epochs, Refusal> {
        let epochs = self.epochs.borrow().clone();
        epochs
            .filter(|epochs| now.saturating_sub(epochs.proven_at) <= MAX_EPOCH_AGE)
            .ok_or(Refusal::KeyUnavailable)
    }

    fn signer(&self, now: u64) -> Result<Arc<EpochSigner>, Refusal> {
        self.epochs(now)?.signer.ok_or(Refusal::KeyUnavailable)
    }

    async fn ready(&self) -> Result<(), String> {
        self.authority
            .database()
            .ping()
            .await
            .map_err(|_| "the database does not answer")?;
        self.signer(realdid_service::now_seconds())
            .map_err(|refusal| refusal.to_string())?;
        Ok(())
    }
}

/// The router, still to be hardened.
pub fn router(app: Arc<App>) -> Router {
    let mut routes = Router::new()
        .route("/v1/authority", get(describe))
        .route("/v1/enrolments", post(enrolments::begin))
        .route("/v1/enrolments/{id}/confirm", post(enrolments::confirm))
        .route("/v1/tokens", post(tokens::issue))
        .route("/v1/account", get(account::standing))
        .layer(cors());
    if app.charter.sandbox {
        routes = routes
            .route("/sandbox/outbox", get(sandbox::outbox))
            .route("/sandbox/advance-epoch", post(sandbox::advance_epoch));
    }
    let ready = Arc::clone(&app);
    routes
        .with_state(app)
        .merge(health::routes(move || {
            let app = Arc::clone(&ready);
            async move { app.ready().await }
        }))
        .merge(telemetry::routes())
}

/// Wallets in browsers come from any origin and bring no cookies: what they may do, a signature by the
/// account key says.
fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([header::ACCEPT, header::AUTHORIZATION, header::CONTENT_TYPE])
        .expose_headers([header::RETRY_AFTER])
}

/// An epoch key as wallets fetch it; they believe it only if the ledger shows the same.
#[derive(Serialize)]
struct OfferedKey {
    key_id: String,
    purpose: realdid_token::Purpose,
    level: &'static str,
    epoch: u64,
    modulus: String,
    not_before: u64,
    not_after: u64,
}

async fn describe(State(app): Shared) -> Json<Value> {
    let now = realdid_service::now_seconds();
    let epochs = app.epochs(now).ok();
    let keys: Vec<_> = epochs.as_ref().map_or_else(Vec::new, |epochs| {
        let current = epochs.signer.as_ref().map(|signer| signer.key());
        current
            .into_iter()
            .chain(&epochs.next)
            .map(|key| offered(&app, epochs, key))
            .collect()
    });
    let terms = app.authority.terms();
    Json(json!({
        "did": app.did,
        "name": app.name,
        "charter_hash": terms.charter_hash,
        "quota": terms.quota,
        "epoch": epochs.map(|epochs| epochs.current),
        "keys": keys,
        "proofing_methods": ["register_and_code"],
    }))
}

fn offered(app: &App, epochs: &Epochs, key: &EpochKey) -> OfferedKey {
    let charter = &app.charter;
    let advanced = epochs
        .current
        .saturating_sub(charter.epoch_at(epochs.proven_at, 0));
    let begin = |epoch: u64| {
        let full = epoch
            .saturating_sub(advanced)
            .saturating_mul(charter.epoch_seconds);
        charter.genesis_time.saturating_add(full)
    };
    OfferedKey {
        key_id: key.id(&app.authority.terms().charter_hash).to_hex(),
        purpose: key.purpose,
        level: "substantial",
        epoch: key.epoch,
        modulus: base64url_encode(key.modulus()),
        not_before: begin(key.epoch),
        not_after: begin(key.epoch + 1),
    }
}
