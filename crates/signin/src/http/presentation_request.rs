//! `/presentation/{id}`: the signed request that a wallet fetches for a website's own presentation.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use realdid_client::ServiceIdentity;
use realdid_crypto::SecretKey;
use realdid_jose::jwe::DecryptionKey;
use realdid_openid::authorization_request::{self, ClientMetadata, MEDIA_TYPE, NewRequest, RequestClaims};
use realdid_openid::{ClientId, ClientIdPrefix};
use realdid_service::{Problem, now_seconds};

use super::App;
use super::presentation_response::remember;
use super::presentations::{move_problem, store_problem};
use super::wallet_request::FromWallet;
use crate::certificate::Certificate;
use crate::clients::Client;
use crate::presentations::{Presentation, PresentationError};
use crate::site;

/// `GET /presentation/{id}`
pub(super) async fn by_get(State(app): State<Arc<App>>, Path(id): Path<String>) -> Response {
    serve(&app, &id, FromWallet::default())
        .await
        .unwrap_or_else(IntoResponse::into_response)
}

/// `POST /presentation/{id}`
pub(super) async fn by_post(State(app): State<Arc<App>>, Path(id): Path<String>, body: String) -> Response {
    let served = async { serve(&app, &id, FromWallet::read(&body)?).await };
    served.await.unwrap_or_else(IntoResponse::into_response)
}

async fn serve(app: &App, id: &str, wallet: FromWallet) -> Result<Response, Problem> {
    let now = now_seconds();
    let (presentation, client) = open(app, id, now).await?;
    let claims = claims(app, &presentation, &client, wallet.nonce.clone(), now)?;
    let signer = Signer::of(app, &client, presentation.asked.prefix())?;
    if let Err(problem) = wallet.check(&claims, signer.key()) {
        return Err(remember(app, &presentation, problem, now).await);
    }
    let headers = [
        (header::CONTENT_TYPE, MEDIA_TYPE),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, signer.sign(app, &claims)?).into_response())
}

/// A presentation that a wallet may still answer, with its website.
pub(super) async fn open(app: &App, id: &str, now: u64) -> Result<(Presentation, Client), Problem> {
    let presentation = app
        .database
        .presentation_asked(id, now)
        .await
        .map_err(store_problem)?;
    presentation.check_waiting(now).map_err(move_problem)?;
    let client = app.database.client(&presentation.client_id).await;
    let client = client.map_err(|error| Problem::internal(&error))?;
    Ok((
        presentation,
        client.ok_or_else(|| move_problem(PresentationError::Unknown))?,
    ))
}

fn claims(
    app: &App,
    presentation: &Presentation,
    client: &Client,
    wallet_nonce: Option<String>,
    now: u64,
) -> Result<RequestClaims, Problem> {
    let asked = &presentation.asked;
    let mut client_metadata = ClientMetadata::reading(client.verifier.algorithms()).for_query(&asked.query);
    if let Some(key) = decryption_key(presentation)? {
        client_metadata = client_metadata.encrypted_to(&key.jwk());
    }
    let statement = site::statement(client, &app.identity, &app.charter, now, presentation.expires_at);
    let statement = statement.map_err(|error| Problem::internal(&error))?;
    let registrations = app
        .registrations
        .iter()
        .map(realdid_openid::registration::MayAsk::to_verifier_info);
    let request = NewRequest {
        client_id: verifier_id(app, client, asked.prefix())?,
        response_mode: asked.response_mode,
        response_uri: address(
            app,
            client,
            asked.prefix(),
            &format!("/presentation/{}/response", presentation.request_id),
        ),
        nonce: asked.nonce.clone(),
        state: asked.state.clone(),
        dcql_query: asked.query.clone(),
        client_metadata,
        iat: now,
        exp: presentation.expires_at,
        wallet_nonce,
        verifier_info: std::iter::once(statement).chain(registrations).collect(),
        transaction_data: asked.transaction_data.clone(),
    };
    Ok(request.into_claims())
}

/// The key that the answer is encrypted to, if it is to be.
pub(super) fn decryption_key(presentation: &Presentation) -> Result<Option<DecryptionKey>, Problem> {
    let key = presentation
        .asked
        .decryption_key
        .as_deref()
        .map(DecryptionKey::from_private_jwk);
    key.transpose().map_err(|error| Problem::internal(&error))
}

fn certificate(app: &App, client: &Client) -> Result<Certificate, Problem> {
    Certificate::load(app.site_keys.directory(), &client.client_id).map_err(|error| Problem::internal(&error))
}

/// How a website names itself to wallets, as it is registered.
pub(super) fn verifier_id(app: &App, client: &Client, prefix: ClientIdPrefix) -> Result<ClientId, Problem> {
    match prefix {
        ClientIdPrefix::DecentralizedIdentifier => Ok(client.verifier_id()),
        _ => Ok(certificate(app, client)?.client_id(prefix, &client.verifier)),
    }
}

/// An address of this server that wallets are sent to: under the website's DNS name, where that is
/// what it is known by.
pub(super) fn address(app: &App, client: &Client, prefix: ClientIdPrefix, path: &str) -> String {
    let address = app.issuer.join(path);
    let name = client.verifier.dns_name.as_deref();
    let Some(name) = name.filter(|_| prefix == ClientIdPrefix::X509SanDns) else {
        return address;
    };
    let mut url = url::Url::parse(&address).ok();
    let moved = url.as_mut().is_some_and(|url| url.set_host(Some(name)).is_ok());
    url.filter(|_| moved).map_or(address, |url| url.to_string())
}

/// By what a website's requests are signed.
enum Signer {
    Site(ServiceIdentity),
    Certificate(Certificate),
}

impl Signer {
    fn of(app: &App, client: &Client, prefix: ClientIdPrefix) -> Result<Self, Problem> {
        if prefix != ClientIdPrefix::DecentralizedIdentifier {
            return certificate(app, client).map(Self::Certificate);
        }
        let keys = app.site_keys.load(&client.client_id);
        keys.map(Self::Site).map_err(|error| Problem::internal(&error))
    }

    const fn key(&self) -> &SecretKey {
        match self {
            Self::Site(keys) => keys.assertion_key(),
            Self::Certificate(certificate) => certificate.key(),
        }
    }

    fn sign(&self, app: &App, claims: &RequestClaims) -> Result<String, Problem> {
        let signed = match self {
            Self::Site(keys) => {
                let key_url = keys.did(&app.charter).key_url(&keys.public_key());
                authorization_request::sign(claims, &key_url, self.key())
            }
            Self::Certificate(certificate) => {
                authorization_request::sign_with_chain(claims, certificate.chain(), self.key())
            }
        };
        signed.map_err(|error| Problem::internal(&error))
    }
}
