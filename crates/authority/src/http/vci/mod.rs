//! The credential issuer over HTTP: OpenID4VCI 1.0 for wallets, a page for people, an interface for
//! operators.

mod access;
mod authorize;
mod documents;
mod endpoints;
mod failure;
mod offers;
mod operators;
mod pages;

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderName, Method, header};
use axum::routing::{get, post};
use realdid_service::{ClientIp, RateLimiter};
use tower_http::cors::{AllowHeaders, Any, CorsLayer};

use crate::credential_issuer::{CredentialIssuer, IssueRefusal};
use crate::delivery::Dispatcher;
use crate::rules::Authority;

/// How the person behind an authorization request is found.
pub enum Identification {
    /// By name, number and a one-time code to the contact on record.
    Register {
        /// The rules of enrolment.
        authority: Box<Authority>,
        /// Where codes are handed on.
        dispatcher: Dispatcher,
    },
    /// Only by an offer that staff made for them.
    Offers,
}

/// What the issuer's handlers share.
pub struct IssuerApp {
    /// The issuer.
    pub issuer: CredentialIssuer,
    /// How people are found.
    pub identification: Identification,
    /// The operators' secret; without it there is no interface for them.
    pub operator_secret: Option<String>,
    /// Requests from one address at the endpoints that guesses could be made at.
    pub limiter: RateLimiter,
    /// Whether the public address is https: cookies are marked so.
    pub https: bool,
}

type Shared = axum::extract::State<Arc<IssuerApp>>;

impl IssuerApp {
    pub(super) fn limit(&self, client: ClientIp) -> Result<(), IssueRefusal> {
        let taken = self.limiter.take(client.0, 1.0);
        if realdid_checks::passes("VCI-52", taken.is_ok()) {
            return Ok(());
        }
        Err(IssueRefusal::RateLimited {
            retry_after: taken.err().unwrap_or(1),
        })
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.issuer.identifier())
    }
}

/// All routes of an issuer, still to be hardened.
pub fn routes(app: Arc<IssuerApp>) -> Router {
    let for_wallets = Router::new()
        .route("/.well-known/openid-credential-issuer", get(documents::issuer))
        .route("/.well-known/oauth-authorization-server", get(documents::server))
        .route("/.well-known/jwt-vc-issuer", get(documents::keys))
        .route("/vct/{id}", get(documents::type_metadata))
        .route("/status/{list}", get(documents::status_list))
        .route("/offer/{id}", get(documents::offer))
        .route("/vci/par", post(endpoints::push))
        .route("/vci/token", post(endpoints::token))
        .route("/vci/nonce", post(endpoints::nonce))
        .route("/vci/credential", post(endpoints::credential))
        .route("/vci/deferred", post(endpoints::deferred))
        .route("/vci/notification", post(endpoints::notification))
        .layer(cors());
    let mut for_people = Router::new().route("/vci/authorize", get(authorize::begin).post(authorize::answer));
    if matches!(app.identification, Identification::Register { .. }) {
        for_people = for_people
            .route("/credential", get(offers::form).post(offers::page))
            .route("/v1/credential-offers", post(offers::for_account).layer(cors()))
            .route("/v1/credential-offers/identify", post(offers::for_person));
    }
    if app.operator_secret.is_some() {
        for_people = for_people.merge(operators::routes());
    }
    for_wallets.merge(for_people).with_state(app)
}

/// Wallets in browsers come from any origin and bring no cookies.
fn cors() -> CorsLayer {
    let nonce = HeaderName::from_static("dpop-nonce");
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::POST])
        // Wallets have headers of their own, such as attestations, which are ignored here.
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([nonce, header::WWW_AUTHENTICATE, header::RETRY_AFTER])
}
