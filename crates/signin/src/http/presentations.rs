//! `/v1/presentations`: websites with pages of their own ask for credentials, and learn the result.
//! Described in `/openapi.json`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use realdid_checks::passes;
use realdid_crypto::hash_labelled;
use realdid_jose::jwe::DecryptionKey;
use realdid_openid::authorization_request::{ResponseMode, TransactionData};
use realdid_openid::check_address;
use realdid_openid::dcql::DcqlQuery;
use realdid_openid::oidc::AuthorizationParameters;
use realdid_openid::openid4vp_link::{RequestMethod, WalletLink};
use realdid_service::{Problem, now_seconds};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::App;
use super::client_auth::authenticate;
use super::presentation_request::{address, verifier_id};
use crate::clients::Client;
use crate::presentations::{
    AskedPresentation, DEFAULT_LIFETIME, Inserted, LIFETIMES, Presentation, PresentationError,
    PresentationStoreError, Stage,
};
use crate::secret::{Secret, random_id};
use crate::verifier_options::{AskError, Profile};
use crate::webhooks::Notice;

/// Longest body, in bytes.
pub(super) const MAX_BODY: usize = 64 * 1024;
/// Longest `Idempotency-Key`, in characters.
const MAX_KEY: usize = 128;
/// The document of this interface.
const OPENAPI: &str = include_str!("../../openapi.json");

/// What a website sends.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ask {
    dcql_query: Option<DcqlQuery>,
    template: Option<String>,
    redirect_uri: Option<String>,
    webhook_url: Option<String>,
    client_id_prefix: Option<String>,
    response_mode: Option<String>,
    #[serde(default)]
    transaction_data: Vec<Map<String, Value>>,
    lifetime: Option<u64>,
}

/// `POST /v1/presentations`
pub(super) async fn start(State(app): State<Arc<App>>, headers: HeaderMap, body: String) -> Response {
    begin(&app, &headers, &body)
        .await
        .unwrap_or_else(IntoResponse::into_response)
}

/// `GET /v1/presentations/{id}`
pub(super) async fn status(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let found = own(&app, &headers, &id).await;
    found.map_or_else(IntoResponse::into_response, |(client, presentation)| {
        answer(&app, StatusCode::OK, &client, &presentation)
    })
}

/// `GET /v1/presentations/{id}/result`
pub(super) async fn result(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let parameters = AuthorizationParameters::parse(&query.unwrap_or_default()).unwrap_or_default();
    let found = own(&app, &headers, &id).await;
    let result = found.and_then(|(_, presentation)| {
        let may_see = presentation.may_see(parameters.get("response_code"));
        let told = outcome(&presentation, may_see.map_err(move_problem)?, now_seconds());
        Ok((NO_STORE, Json(told)).into_response())
    });
    result.unwrap_or_else(IntoResponse::into_response)
}

/// What the website learns, as far as it may see it.
fn outcome(presentation: &Presentation, may_see: bool, now: u64) -> Value {
    let mut told = match &presentation.stage {
        _ if !may_see => json!({ "status": "returning" }),
        Stage::Verified { result, .. } => result.clone(),
        Stage::Declined { error, .. } => json!({
            "status": "refused",
            "error": { "code": error, "message": "the holder's wallet did not show what was asked for" },
        }),
        Stage::Waiting => json!({ "status": presentation.status(now) }),
    };
    if told["status"] == "expired" {
        told["error"] = json!({ "code": "request_expired", "message": "no valid answer came in time" });
    }
    told["id"] = presentation.id.as_str().into();
    told["erased_at"] = presentation.erase_at.into();
    if let Some(refusal) = &presentation.last_refusal {
        told["last_refusal"] = json!(refusal);
    }
    told
}

/// `DELETE /v1/presentations/{id}`
pub(super) async fn erase(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let erased = async {
        let (_, presentation) = own(&app, &headers, &id).await?;
        let done = app.database.erase_presentation(&presentation.id).await;
        done.map_err(|error| Problem::internal(&error).into())
    };
    match erased.await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err::<(), Refused>(refused) => refused.into_response(),
    }
}

/// `GET /openapi.json`
pub(super) async fn openapi(State(app): State<Arc<App>>) -> Response {
    let document = OPENAPI.replace("{{issuer}}", app.issuer.as_str());
    ([(header::CONTENT_TYPE, "application/json")], document).into_response()
}

const NO_STORE: [(header::HeaderName, &str); 1] = [(header::CACHE_CONTROL, "no-store")];

/// A refusal, in the form of OAuth where credentials are wrong, else as a problem.
pub(super) struct Refused(Box<Response>);

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self(Box::new(problem.into_response()))
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        *self.0
    }
}

/// The website that calls, which has a secret.
async fn caller(app: &App, headers: &HeaderMap) -> Result<Client, Refused> {
    if !passes("VRF-13", headers.contains_key(header::AUTHORIZATION)) {
        let problem = Problem::new(
            StatusCode::UNAUTHORIZED,
            "credentials_missing",
            "the client's credentials are missing",
        )
        .with_hint("send client_id and client_secret as HTTP Basic credentials");
        let challenge = [(header::WWW_AUTHENTICATE, r#"Basic realm="realdid""#)];
        return Err(Refused(Box::new((challenge, problem).into_response())));
    }
    let client = authenticate(app, headers, &AuthorizationParameters::default()).await;
    client.map_err(|failure| Refused(Box::new(failure.into_response())))
}

async fn own(app: &App, headers: &HeaderMap, id: &str) -> Result<(Client, Presentation), Refused> {
    let client = caller(app, headers).await?;
    let found = app
        .database
        .presentation(id, &client.client_id, now_seconds())
        .await;
    Ok((client, found.map_err(store_problem)?))
}

async fn begin(app: &App, headers: &HeaderMap, body: &str) -> Result<Response, Refused> {
    let now = now_seconds();
    let client = caller(app, headers).await?;
    let key = idempotency_key(headers)?;
    let (asked, lifetime) = read(app, &client, body, now)?;
    let presentation = Presentation::begin(&client.client_id, asked, lifetime);
    let hash = |text: &str| hash_labelled("realdid/signin/request/v1", &[text.as_bytes()]).to_hex();
    let inserted = app
        .database
        .insert_presentation(&presentation, key.map(hash).as_deref(), &hash(body))
        .await
        .map_err(|error| Problem::internal(&error))?;
    metrics::counter!("signin_presentations_total", "outcome" => "begun").increment(1);
    match inserted {
        Inserted::New => Ok(answer(app, StatusCode::CREATED, &client, &presentation)),
        Inserted::Before(presentation) => Ok(answer(app, StatusCode::OK, &client, &presentation)),
        Inserted::Other => {
            let detail = "this Idempotency-Key was used for another request";
            Err(
                Problem::new(StatusCode::CONFLICT, "idempotency_key_reused", detail)
                    .with_hint("take a new key for a new request")
                    .into(),
            )
        }
    }
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, Refused> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let key = value.to_str().unwrap_or_default();
    if !passes("VRF-14", (1..=MAX_KEY).contains(&key.len())) {
        let detail = "the Idempotency-Key must have 1 to 128 visible characters";
        return Err(Problem::bad_request("idempotency_key_invalid", detail).into());
    }
    Ok(Some(key))
}

/// What is asked, and for how long.
fn read(app: &App, client: &Client, body: &str, now: u64) -> Result<(AskedPresentation, u64), Refused> {
    let object = realdid_openid::json::parse_object(body.as_bytes());
    let ask = object.and_then(|object| serde_json::from_value::<Ask>(object.into()).ok());
    let ask = ask.ok_or_else(|| {
        Problem::bad_request(
            "malformed_request",
            "the body is not the JSON object described in /openapi.json",
        )
    })?;
    let query = query(client, &ask)?;
    let lifetime = ask.lifetime.unwrap_or(DEFAULT_LIFETIME);
    if !passes("VRF-15", LIFETIMES.contains(&lifetime)) {
        return Err(
            Problem::bad_request("lifetime_invalid", "the lifetime must be 60 to 900 seconds").into(),
        );
    }
    check_addresses(app, client, &ask)?;
    let transaction_data: Vec<_> = ask.transaction_data.iter().map(TransactionData::encode).collect();
    if !transaction_data.is_empty() {
        let checked = query
            .clone()
            .check()
            .map_err(|error| ask_problem(AskError::Query(error)))?;
        TransactionData::read(&transaction_data, &checked)
            .map_err(|error| Problem::bad_request("transaction_data_invalid", error.to_string()))?;
    }
    let prefix = client.verifier.choose_prefix(ask.client_id_prefix.as_deref());
    let prefix = prefix.map_err(ask_problem)?;
    let response_mode = client.verifier.response_mode(ask.response_mode.as_deref());
    let response_mode = response_mode.map_err(ask_problem)?;
    let encrypted = response_mode == ResponseMode::DirectPostJwt;
    let key = encrypted.then(|| DecryptionKey::generate(&mut rand::rng()));
    let asked = AskedPresentation {
        query,
        client_id_prefix: prefix.as_str().to_owned(),
        response_mode,
        transaction_data,
        redirect_uri: ask.redirect_uri,
        webhook_url: ask.webhook_url,
        nonce: Secret::generate().as_str().to_owned(),
        state: random_id(),
        decryption_key: key.map(|key| key.to_private_jwk().to_string()),
        created_at: now,
    };
    Ok((asked, lifetime))
}

fn query(client: &Client, ask: &Ask) -> Result<DcqlQuery, Refused> {
    if !passes("VRF-16", ask.dcql_query.is_some() != ask.template.is_some()) {
        let detail = "exactly one of dcql_query and template is needed";
        return Err(Problem::bad_request("malformed_request", detail).into());
    }
    let named = || client.verifier.templates.get(ask.template.as_deref()?).cloned();
    let query = ask.dcql_query.clone().or_else(named).ok_or_else(|| {
        Problem::new(
            StatusCode::NOT_FOUND,
            "template_unknown",
            "the website has no template of this name",
        )
    })?;
    let checked = client.verifier.check_query(query).map_err(ask_problem)?;
    Ok(checked.query().clone())
}

fn ask_problem(error: AskError) -> Problem {
    let status = match error {
        AskError::OverAsked(_) => StatusCode::FORBIDDEN,
        AskError::Query(_) | AskError::Mode | AskError::Prefix | AskError::Profile(_) => {
            StatusCode::BAD_REQUEST
        }
    };
    let hint = match error {
        AskError::OverAsked(_) => "ask the operator of the sign-in server to register what the website needs",
        AskError::Query(_) => "see OpenID4VP 1.0 §6",
        AskError::Mode | AskError::Prefix => "see /openapi.json, and how the website is registered",
        AskError::Profile(_) => "see the OpenID4VC High Assurance Interoperability Profile",
    };
    Problem::new(status, error.code(), error.to_string()).with_hint(hint)
}

fn check_addresses(app: &App, client: &Client, ask: &Ask) -> Result<(), Refused> {
    let registered = ask
        .redirect_uri
        .as_ref()
        .is_none_or(|uri| client.redirect_uris.contains(uri));
    if !passes("VRF-17", registered) {
        let detail = "the redirect_uri is not one the website registered";
        return Err(Problem::bad_request("redirect_uri_invalid", detail).into());
    }
    let haip = client.verifier.profile == Profile::Haip;
    if !passes("VRF-18", !haip || ask.redirect_uri.is_some()) {
        return Err(ask_problem(AskError::Profile("a redirect_uri")).into());
    }
    let webhook = ask
        .webhook_url
        .as_ref()
        .is_none_or(|url| app.outside.check(url).is_ok());
    if !passes("VRF-19", webhook) {
        let detail = "the webhook_url must be https, at a public address";
        return Err(Problem::bad_request("webhook_url_invalid", detail).into());
    }
    Ok(())
}

/// What the website is told about a presentation: everything but its result.
fn answer(app: &App, status: StatusCode, client: &Client, presentation: &Presentation) -> Response {
    let link = link(app, client, presentation);
    let told = json!({
        "id": presentation.id,
        "status": presentation.status(now_seconds()),
        "link": link.as_ref().ok().map(|link| link.with_scheme(scheme(client))),
        "client_id": link.as_ref().ok().map(|link| link.client_id.to_string()),
        "request_uri": link.as_ref().ok().map(|link| link.request_uri.to_string()),
        "created_at": presentation.asked.created_at,
        "expires_at": presentation.expires_at,
        "erased_at": presentation.erase_at,
        "last_refusal": presentation.last_refusal,
        "wallet_error": match &presentation.stage {
            Stage::Declined { error, .. } => Some(error),
            _ => None,
        },
    });
    let told: Map<String, Value> = match told {
        Value::Object(members) => members
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .collect(),
        _ => Map::new(),
    };
    if let Err(problem) = link {
        return problem.into_response();
    }
    (status, NO_STORE, Json(told)).into_response()
}

const fn scheme(client: &Client) -> &'static str {
    match client.verifier.profile {
        Profile::Plain => "openid4vp",
        Profile::Haip => "haip-vp",
    }
}

fn link(app: &App, client: &Client, presentation: &Presentation) -> Result<WalletLink, Problem> {
    let prefix = presentation.asked.prefix();
    let path = format!("/presentation/{}", presentation.request_id);
    let request_uri = check_address(&address(app, client, prefix, &path), app.charter.sandbox);
    Ok(WalletLink {
        client_id: verifier_id(app, client, prefix)?,
        request_uri: request_uri.map_err(|error| Problem::internal(&error))?,
        method: RequestMethod::Post,
    })
}

pub(super) fn store_problem(error: PresentationStoreError) -> Problem {
    match error {
        PresentationStoreError::Database(error) => Problem::internal(&error),
        PresentationStoreError::Presentation(error) => move_problem(error),
    }
}

pub(super) fn move_problem(error: PresentationError) -> Problem {
    let (status, hint) = match error {
        PresentationError::Unknown => (StatusCode::NOT_FOUND, "start again: nothing is kept for long"),
        PresentationError::Expired => (StatusCode::GONE, "start again from the website"),
        PresentationError::AlreadyAnswered => (StatusCode::CONFLICT, "start again from the website"),
        PresentationError::ResponseCode => (
            StatusCode::FORBIDDEN,
            "send the response_code that came with the browser to the redirect_uri",
        ),
    };
    Problem::new(status, error.code(), error.to_string()).with_hint(hint)
}

/// The notice that a presentation has moved on.
pub(super) fn notice(presentation: &Presentation, stage: &Stage, now: u64) -> Option<Notice> {
    let event = match stage {
        Stage::Waiting => return None,
        Stage::Verified { .. } => "presentation.completed",
        Stage::Declined { .. } => "presentation.refused",
    };
    Notice::of(presentation, event, now)
}
