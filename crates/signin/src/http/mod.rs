//! The routes. Each handler lists its steps; what they decide lies in the modules they call.

mod authorize;
mod client_auth;
mod complete;
mod cookie;
mod login_page;
mod page;
mod par;
mod presentation_request;
mod presentation_response;
mod presentations;
mod provider;
mod token;
mod userinfo;
mod wallet_request;
mod wallet_response;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{Method, header};
use axum::routing::{get, post};
use realdid_client::ServiceIdentity;
use realdid_client::outside::Outside;
use realdid_crypto::{Hash, SecretKey};
use realdid_ledger::Charter;
use realdid_openid::authorization_response::MAX_BODY;
use realdid_openid::registration::MayAsk;
use realdid_service::{PublicUrl, health, telemetry};
use tower_http::cors::{Any, CorsLayer};

use crate::database::Database;
use crate::evidence::Known;
use crate::ledger::Ledger;
use crate::site::SiteKeys;

/// Longest form body of the provider's endpoints, in bytes.
const MAX_FORM: usize = 16 * 1024;

/// What every handler works with.
pub(crate) struct App {
    pub(crate) issuer: PublicUrl,
    /// A web wallet that the login page leads to.
    pub(crate) wallet: Option<PublicUrl>,
    pub(crate) charter: Charter,
    pub(crate) charter_hash: Hash,
    pub(crate) database: Database,
    pub(crate) ledger: Ledger,
    pub(crate) known: Known,
    /// Asks addresses that others set.
    pub(crate) outside: Outside,
    /// What this server itself is registered to ask for, as wallets are shown it.
    pub(crate) registrations: Vec<MayAsk>,
    pub(crate) identity: ServiceIdentity,
    pub(crate) site_keys: SiteKeys,
    pub(crate) signing_key: SecretKey,
    /// Whether the server's own DID is on the ledger: before, no wallet would believe it.
    pub(crate) published: AtomicBool,
}

impl App {
    async fn ready(&self) -> Result<(), String> {
        if !self.published.load(Ordering::Relaxed) {
            return Err("the sign-in server's DID is not on the ledger yet".to_owned());
        }
        if !self.site_keys.directory().is_dir() {
            return Err("the directory of the websites' keys is missing".to_owned());
        }
        self.database
            .ping()
            .await
            .map_err(|_| "the database does not answer".to_owned())
    }
}

/// All routes.
pub(crate) fn router(app: Arc<App>) -> Router {
    let ready = Arc::clone(&app);
    let provider = Router::new()
        .route("/.well-known/openid-configuration", get(provider::metadata))
        .route("/.well-known/oauth-authorization-server", get(provider::metadata))
        .route("/jwks", get(provider::key_set))
        .route("/par", post(par::push))
        .route(
            "/authorize",
            get(authorize::by_get)
                .post(authorize::by_post)
                .head(authorize::by_head),
        )
        .route("/token", post(token::token))
        .route("/userinfo", get(userinfo::userinfo).post(userinfo::userinfo))
        .layer(DefaultBodyLimit::max(MAX_FORM));
    let pages = Router::new()
        .route("/", get(page::front))
        .route("/style.css", get(page::style))
        .route("/login/{id}", get(login_page::show))
        .route("/login/{id}/status", get(login_page::status))
        .route("/login/{id}/complete", get(complete::complete));
    let wallet = Router::new()
        .route(
            "/request/{id}",
            get(wallet_request::by_get).post(wallet_request::by_post),
        )
        .route("/response/{id}", post(wallet_response::respond))
        .route(
            "/presentation/{id}",
            get(presentation_request::by_get).post(presentation_request::by_post),
        )
        .route(
            "/presentation/{id}/response",
            post(presentation_response::respond),
        )
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(cors());
    let websites = Router::new()
        .route("/openapi.json", get(presentations::openapi))
        .route("/v1/presentations", post(presentations::start))
        .route(
            "/v1/presentations/{id}",
            get(presentations::status).delete(presentations::erase),
        )
        .route("/v1/presentations/{id}/result", get(presentations::result))
        .layer(DefaultBodyLimit::max(presentations::MAX_BODY));
    provider
        .merge(pages)
        .merge(websites)
        .merge(wallet)
        .with_state(app)
        .merge(health::routes(move || {
            let app = Arc::clone(&ready);
            async move { app.ready().await }
        }))
        .merge(telemetry::routes())
}

/// Wallets in browsers come from any origin and bring no cookies.
fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([header::ACCEPT, header::CONTENT_TYPE])
        .expose_headers([header::RETRY_AFTER])
}
