//! Offers of the authority's own: for an enrolled wallet at once, for any other after the person gave
//! name and number, with the one-time code as transaction code.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Form, Json};
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use realdid_service::{ClientIp, Problem, now_seconds};
use serde::Deserialize;

use super::failure::{log, problem};
use super::pages::{IdentifyPage, OfferPage, Step, qr, render};
use super::{Identification, IssuerApp, Shared};
use crate::credential_issuer::MadeOffer;
use crate::credential_issuer::offers::ANYBODY;
use crate::delivery::Dispatch;
use crate::error::Refusal;
use crate::http::problem::cause;

/// Who somebody says they are.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Claimed {
    name: String,
    number: String,
    #[serde(default)]
    credentials: Vec<String>,
}

/// Why there is no offer.
enum NoOffer {
    Person(Refusal),
    Issuer(crate::credential_issuer::IssueRefusal),
}

impl NoOffer {
    /// A failure here, for the log.
    fn log(&self) {
        match self {
            Self::Person(refusal) => tracing::error!(cause = cause(refusal), "no offer could be made"),
            Self::Issuer(refusal) => log(refusal),
        }
    }
}

impl IntoResponse for NoOffer {
    fn into_response(self) -> Response {
        match self {
            Self::Person(refusal) => refusal.into_response(),
            Self::Issuer(refusal) => problem(&refusal).into_response(),
        }
    }
}

impl From<Refusal> for NoOffer {
    fn from(refusal: Refusal) -> Self {
        Self::Person(refusal)
    }
}

impl From<crate::credential_issuer::IssueRefusal> for NoOffer {
    fn from(refusal: crate::credential_issuer::IssueRefusal) -> Self {
        Self::Issuer(refusal)
    }
}

/// `POST /v1/credential-offers`: a JWS of type `realdid-credential-offer+jwt` by the account key.
/// The offer asks for no transaction code: the key has been tied to the person before.
pub(super) async fn for_account(
    State(app): Shared,
    Extension(client): Extension<ClientIp>,
    jws: String,
) -> Response {
    let Identification::Register { authority, .. } = &app.identification else {
        return Problem::of_status(StatusCode::NOT_FOUND).into_response();
    };
    let work = async {
        app.limit(client)?;
        let now = now_seconds();
        let (recipient, wanted) = authority.check_offer_request(jws.trim(), now).await?;
        let wanted = app.issuer.named_or_first(&wanted);
        let rng = &mut UnwrapErr(SysRng);
        let offer = app
            .issuer
            .offer(&wanted, &recipient, None, "wallet", now, rng)
            .await?;
        Ok::<_, NoOffer>((StatusCode::CREATED, Json(offer)))
    };
    work.await.into_response()
}

/// `POST /v1/credential-offers/identify`: JSON with `name` and `number`. The answer is the same if
/// there is no such person.
pub(super) async fn for_person(
    State(app): Shared,
    Extension(client): Extension<ClientIp>,
    Json(claimed): Json<Claimed>,
) -> Response {
    let made = make(&app, client, &claimed).await;
    made.map(|offer| (StatusCode::CREATED, Json(offer)))
        .into_response()
}

/// `GET /credential`
pub(super) async fn form(State(app): Shared) -> Response {
    ask(&app, "", StatusCode::OK)
}

/// `POST /credential`
pub(super) async fn page(
    State(app): Shared,
    Extension(client): Extension<ClientIp>,
    Form(claimed): Form<Claimed>,
) -> Response {
    match make(&app, client, &claimed).await {
        Ok(offer) => {
            let page = OfferPage {
                issuer: &app.issuer.name,
                qr: qr(&offer.link),
                link: offer.link,
                minutes: offer.expires_in / 60,
            };
            render(StatusCode::OK, &page)
        }
        Err(refused) => {
            let (status, text) = match &refused {
                NoOffer::Person(refusal) => (refusal.status(), refusal.to_string()),
                NoOffer::Issuer(refusal) => (refusal.status(), refusal.to_string()),
            };
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
            if status == StatusCode::INTERNAL_SERVER_ERROR {
                refused.log();
            }
            ask(&app, &text, status)
        }
    }
}

async fn make(app: &Arc<IssuerApp>, client: ClientIp, claimed: &Claimed) -> Result<MadeOffer, NoOffer> {
    let Identification::Register {
        authority,
        dispatcher,
    } = &app.identification
    else {
        return Err(Refusal::NotSandbox.into());
    };
    app.limit(client)?;
    let (now, rng) = (now_seconds(), &mut UnwrapErr(SysRng));
    let identified = authority
        .identify(&claimed.name, &claimed.number, now, rng)
        .await?;
    let (recipient, code) = (&identified.recipient, identified.code);
    let wanted = app.issuer.named_or_first(&claimed.credentials);
    let offer = app
        .issuer
        .offer(&wanted, recipient, Some(&code), ANYBODY, now, rng)
        .await?;
    dispatcher.send(Dispatch::new(identified.contact, code, now));
    Ok(offer)
}

fn ask(app: &IssuerApp, problem: &str, status: StatusCode) -> Response {
    let types = app.issuer.types.values();
    let page = IdentifyPage {
        issuer: &app.issuer.name,
        credentials: types.map(|(kind, _)| kind.config.name.clone()).collect(),
        wallet: String::new(),
        step: Step::Person,
        problem,
        action: "/credential",
        page: "",
    };
    render(status, &page)
}
