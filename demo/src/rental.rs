//! A car rental: nobody signs in. To rent a van one must be over 21 and allowed to drive class C;
//! that is what it asks to be shown, and all that it learns.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::store::Store;
use crate::verifier::{Asked, Outcome, Verifier};
use crate::website::{PageError, cookie, random_id, set_cookie};

const RENTAL: &str = "rental";
/// How long a rental is remembered, in seconds.
const LIFETIME: u32 = 3600;
/// The type of credential that a driving licence is.
pub const LICENCE: &str = "urn:realdid:driving_licence:1";

/// What the pages work with.
pub struct Rental {
    /// The rental's name.
    pub name: String,
    /// Whether visitors come over TLS.
    pub https: bool,
    /// Under which address visitors know it.
    pub public_url: String,
    /// Its database.
    pub store: Store,
    /// Who checks credentials for it.
    pub verifier: Verifier,
}

/// The pages: `/`, `/rent`, `/return`.
pub fn router(rental: Arc<Rental>) -> Router {
    Router::new()
        .route("/", get(front))
        .route("/rent", post(rent).get(look))
        .route("/return", get(come_back))
        .with_state(rental)
}

/// Over 21, class C, and no more.
fn query() -> Value {
    json!({ "credentials": [{
        "id": "licence",
        "format": "dc+sd-jwt",
        "meta": { "vct_values": [LICENCE] },
        "claims": [
            { "path": ["age_over_21"], "values": [true] },
            { "path": ["classes", null], "values": ["C"] },
        ],
    }] })
}

#[derive(Template)]
#[template(path = "rental.html")]
struct Page<'a> {
    name: &'a str,
    step: Step<'a>,
}

/// What a visitor sees.
enum Step<'a> {
    Offer,
    Wait { link: &'a str },
    Rented { shown: Vec<Shown> },
    Refused { reason: &'a str },
}

/// One thing that was shown.
struct Shown {
    what: String,
    value: String,
}

impl Rental {
    fn page(&self, step: Step<'_>) -> Result<Response, PageError> {
        let name = &self.name;
        let html = Page { name, step }.render();
        let html = html.map_err(|error| PageError::Internal(error.to_string()))?;
        Ok(([(header::CACHE_CONTROL, "no-store")], Html(html)).into_response())
    }
}

async fn front(State(rental): State<Arc<Rental>>) -> Result<Response, PageError> {
    rental.page(Step::Offer)
}

async fn rent(State(rental): State<Arc<Rental>>) -> Result<Response, PageError> {
    let id = random_id();
    let back = format!("{}/return", rental.public_url);
    let asked = rental.verifier.ask(&id, &query(), &back).await?;
    rental.store.keep_rental(&id, &asked, LIFETIME).await?;
    let mut response = Redirect::to("/rent").into_response();
    set_cookie(&mut response, rental.https, RENTAL, &id, LIFETIME);
    Ok(response)
}

/// The rental of this browser.
async fn of_browser(rental: &Rental, headers: &HeaderMap) -> Result<(String, Asked, Outcome), PageError> {
    let unknown = || {
        PageError::Visitor(
            StatusCode::BAD_REQUEST,
            "this browser rents nothing here".to_owned(),
        )
    };
    let id = cookie(headers, RENTAL).ok_or_else(unknown)?;
    let (asked, outcome) = rental.store.rental(id).await?.ok_or_else(unknown)?;
    Ok((id.to_owned(), asked, outcome))
}

/// What the wallet sends the browser back with.
#[derive(Deserialize)]
struct Return {
    response_code: Option<String>,
}

async fn come_back(
    State(rental): State<Arc<Rental>>,
    Query(answer): Query<Return>,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    let (id, asked, _) = of_browser(&rental, &headers).await?;
    let code = answer.response_code.as_deref();
    let outcome = rental.verifier.outcome(&asked.id, code).await?;
    rental.store.note_outcome(&id, &outcome).await?;
    Ok(Redirect::to("/rent").into_response())
}

async fn look(State(rental): State<Arc<Rental>>, headers: HeaderMap) -> Result<Response, PageError> {
    let (id, asked, mut outcome) = of_browser(&rental, &headers).await?;
    if outcome == Outcome::Pending {
        outcome = rental.verifier.outcome(&asked.id, None).await?;
        rental.store.note_outcome(&id, &outcome).await?;
    }
    match outcome {
        Outcome::Pending => rental.page(Step::Wait { link: &asked.link }),
        Outcome::Shown(credentials) => rental.page(judge(&credentials)),
        Outcome::Refused(reason) => rental.page(Step::Refused { reason: &reason }),
    }
}

/// Whether what was shown is what a rental needs; everything that came is told.
fn judge(credentials: &Map<String, Value>) -> Step<'static> {
    let claims = &credentials.get("licence").unwrap_or(&Value::Null)[0]["claims"];
    let drives = claims["classes"]
        .as_array()
        .is_some_and(|all| all.contains(&json!("C")));
    if claims["age_over_21"] != true || !drives {
        return Step::Refused {
            reason: "that does not say that you are over 21 and may drive class C",
        };
    }
    let shown = claims
        .as_object()
        .into_iter()
        .flatten()
        .map(|(what, value)| Shown {
            what: what.clone(),
            value: value.to_string(),
        });
    Step::Rented {
        shown: shown.collect(),
    }
}
