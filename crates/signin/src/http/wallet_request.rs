//! `/request/{id}`: the signed request a wallet fetches.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use realdid_checks::passes;
use realdid_crypto::SecretKey;
use realdid_openid::authorization_request::{
    self, ClientMetadata, MAX_LIFETIME, MEDIA_TYPE, NewRequest, RequestClaims, ResponseMode, WalletMetadata,
    WalletMetadataError,
};
use realdid_openid::oidc::AuthorizationParameters;
use realdid_openid::registration::MayAsk;
use realdid_service::{Problem, now_seconds};

use super::App;
use crate::clients::{Client, level_name};
use crate::login::{Login, LoginError};
use crate::login_store::{StoreError, WalletRequest};
use crate::site;

/// Longest nonce a wallet may send, in characters.
const MAX_WALLET_NONCE: usize = 128;
/// Longest parameter of a wallet's POST, in bytes: its metadata may be long.
const MAX_WALLET_METADATA: usize = 16 * 1024;

/// `GET /request/{id}`
pub(super) async fn by_get(State(app): State<Arc<App>>, Path(id): Path<String>) -> Response {
    serve(&app, &id, FromWallet::default())
        .await
        .unwrap_or_else(IntoResponse::into_response)
}

/// `POST /request/{id}`
pub(super) async fn by_post(State(app): State<Arc<App>>, Path(id): Path<String>, body: String) -> Response {
    let served = async { serve(&app, &id, FromWallet::read(&body)?).await };
    served.await.unwrap_or_else(IntoResponse::into_response)
}

/// What a wallet sends with its POST; with its GET, nothing.
#[derive(Default)]
pub(super) struct FromWallet {
    pub(super) nonce: Option<String>,
    metadata: WalletMetadata,
}

impl FromWallet {
    pub(super) fn read(body: &str) -> Result<Self, Problem> {
        let parameters = AuthorizationParameters::parse_within(body, MAX_WALLET_METADATA)
            .map_err(|error| Problem::bad_request("malformed_request", error.to_string()))?;
        let nonce = parameters.get("wallet_nonce");
        if !passes("VP-24", nonce.is_none_or(|nonce| nonce.len() <= MAX_WALLET_NONCE)) {
            return Err(Problem::bad_request(
                "malformed_request",
                "the wallet_nonce is too long",
            ));
        }
        let metadata = parameters.get("wallet_metadata").map(WalletMetadata::read);
        Ok(Self {
            nonce: nonce.map(str::to_owned),
            metadata: metadata.transpose().map_err(unfit)?.unwrap_or_default(),
        })
    }

    /// Checks that the wallet could do something with a request that this key signs.
    pub(super) fn check(&self, claims: &RequestClaims, key: &SecretKey) -> Result<(), Problem> {
        let algorithm = key.kind().jose_algorithm();
        self.metadata.check(claims, algorithm).map_err(unfit)
    }
}

fn unfit(error: WalletMetadataError) -> Problem {
    Problem::bad_request(error.code(), error.to_string())
        .with_hint("take another wallet, or ask the website which ones it is made for")
}

async fn serve(app: &App, id: &str, wallet: FromWallet) -> Result<Response, Problem> {
    let now = now_seconds();
    let (request, login, client) = open_request(app, id, now).await?;
    let object = sign(app, &request, &login, &client, wallet, now)?;
    Ok(([(header::CONTENT_TYPE, MEDIA_TYPE)], object).into_response())
}

/// A request that may still be answered, with its login and website.
pub(super) async fn open_request(
    app: &App,
    id: &str,
    now: u64,
) -> Result<(WalletRequest, Login, Client), Problem> {
    let request = app.database.request(id, now).await.map_err(problem)?;
    let login = app
        .database
        .login(&request.login_id, now)
        .await
        .map_err(problem)?;
    login.check_waiting().map_err(login_problem)?;
    let client = app.database.client(&login.asked.client_id).await;
    let client = client.map_err(|error| Problem::internal(&error))?;
    Ok((
        request,
        login,
        client.ok_or_else(|| login_problem(LoginError::Unknown))?,
    ))
}

fn sign(
    app: &App,
    request: &WalletRequest,
    login: &Login,
    client: &Client,
    wallet: FromWallet,
    now: u64,
) -> Result<String, Problem> {
    let internal = |error: &dyn std::fmt::Display| Problem::internal(error);
    let keys = app
        .site_keys
        .load(&client.client_id)
        .map_err(|error| internal(&error))?;
    let exp = request.expires_at.min(now + MAX_LIFETIME);
    let statement = site::statement(client, &app.identity, &app.charter, now, exp);
    let registrations = app.registrations.iter().map(MayAsk::to_verifier_info);
    let statement = statement.map_err(|error| internal(&error))?;
    let dcql_query = login.asked.scopes.query(level_name(login.asked.level));
    let claims = NewRequest {
        client_id: client.verifier_id(),
        response_mode: ResponseMode::DirectPost,
        response_uri: app.issuer.join(&format!("/response/{}", request.id)),
        nonce: request.nonce.clone(),
        state: request.state.clone(),
        client_metadata: ClientMetadata::ours().for_query(&dcql_query),
        dcql_query,
        iat: now,
        exp,
        wallet_nonce: wallet.nonce.clone(),
        verifier_info: std::iter::once(statement).chain(registrations).collect(),
        transaction_data: Vec::new(),
    };
    let claims = claims.into_claims();
    wallet.check(&claims, keys.assertion_key())?;
    let key_url = keys.did(&app.charter).key_url(&keys.public_key());
    authorization_request::sign(&claims, &key_url, keys.assertion_key()).map_err(|error| internal(&error))
}

pub(super) fn problem(error: StoreError) -> Problem {
    match error {
        StoreError::Database(error) => Problem::internal(&error),
        StoreError::Login(error) => login_problem(error),
    }
}

pub(super) fn login_problem(error: LoginError) -> Problem {
    let status = match error {
        LoginError::Unknown => StatusCode::NOT_FOUND,
        LoginError::CrossDevice => StatusCode::FORBIDDEN,
        _ => StatusCode::CONFLICT,
    };
    Problem::new(status, error.code(), error.to_string()).with_hint("start the login again from the website")
}
