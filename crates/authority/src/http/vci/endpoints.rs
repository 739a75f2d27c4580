//! The endpoints for wallets' programs.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use realdid_checks::passes;
use realdid_jose::jwe::{self, Encryption, Jwe, Parties, Recipient};
use realdid_jose::jwk::Jwk;
use realdid_openid::oauth::{TokenRequest, TokenRequestError, WalletRequestError};
use realdid_openid::oidc::AuthorizationParameters;
use realdid_openid::vci::credential::NonceResponse;
use realdid_openid::vci::{
    CredentialRequest, CredentialRequestError, CredentialResponse, DeferredRequest, NotificationRequest,
    ResponseEncryption,
};
use realdid_service::{ClientIp, now_seconds};
use serde_json::Value;

use super::access::{access, proof};
use super::failure::{Failure, Place, insert_nonce};
use super::{IssuerApp, Shared};
use crate::credential_issuer::grants::Access;
use crate::credential_issuer::{IssueRefusal, keys};

type Answer = Result<Response, Failure>;

/// Longest parameter of a form, in bytes: room for authorization details that list claims, and for
/// assertions that are ignored here.
pub(super) const MAX_PARAMETER: usize = 16 * 1024;

/// `POST /vci/par`
pub(super) async fn push(
    State(app): Shared,
    Extension(client): Extension<ClientIp>,
    headers: HeaderMap,
    body: String,
) -> Answer {
    let failed = |refusal| Failure::new(&app, Place::Server, refusal);
    let work = async {
        app.limit(client)?;
        require_form(&headers)?;
        let now = now_seconds();
        let parameters =
            AuthorizationParameters::parse_within(&body, MAX_PARAMETER).map_err(WalletRequestError::from)?;
        let proof = proof(&app, &headers, "/vci/par", now).await?;
        let jkt = proof.as_ref().map(|proof| proof.thumbprint.as_str());
        app.issuer
            .push(&parameters, jkt, now, &mut UnwrapErr(SysRng))
            .await
    };
    let pushed = work.await.map_err(failed)?;
    Ok((StatusCode::CREATED, Json(pushed)).into_response())
}

/// `POST /vci/token`
pub(super) async fn token(
    State(app): Shared,
    Extension(client): Extension<ClientIp>,
    headers: HeaderMap,
    body: String,
) -> Answer {
    let failed = |refusal| Failure::new(&app, Place::Server, refusal);
    let work = async {
        app.limit(client)?;
        require_form(&headers)?;
        let now = now_seconds();
        let parameters = AuthorizationParameters::parse_within(&body, MAX_PARAMETER)
            .map_err(|_| TokenRequestError::Form)?;
        let proof = proof(&app, &headers, "/vci/token", now).await?;
        let request = TokenRequest::read(&parameters)?;
        app.issuer
            .redeem(&request, proof.as_ref(), now, &mut UnwrapErr(SysRng))
            .await
    };
    let tokens = work.await;
    let outcome = tokens.as_ref().err().map_or("ok", IssueRefusal::code);
    metrics::counter!("realdid_issuer_tokens_total", "outcome" => outcome).increment(1);
    Ok((
        [(header::CACHE_CONTROL, "no-store")],
        Json(tokens.map_err(failed)?),
    )
        .into_response())
}

/// `POST /vci/nonce`
pub(super) async fn nonce(State(app): Shared) -> Response {
    let c_nonce = app.issuer.nonce(now_seconds(), &mut UnwrapErr(SysRng));
    let mut response = Json(NonceResponse { c_nonce }).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    insert_nonce(&app, headers);
    response
}

/// `POST /vci/credential`
pub(super) async fn credential(State(app): Shared, headers: HeaderMap, body: Bytes) -> Answer {
    let encryption = |request: &CredentialRequest| request.encryption.clone();
    let work = async {
        let asked = Asked::read(&app, &headers, "/vci/credential").await?;
        let (request, to) = asked.open(&body, CredentialRequest::parse, encryption)?;
        let rng = &mut UnwrapErr(SysRng);
        let answer = app.issuer.credential(&asked.access, &request, asked.now, rng);
        respond(&answer.await?, to)
    };
    work.await
        .map_err(|refusal| Failure::new(&app, Place::Resource, refusal))
}

/// `POST /vci/deferred`
pub(super) async fn deferred(State(app): Shared, headers: HeaderMap, body: Bytes) -> Answer {
    let encryption = |request: &DeferredRequest| request.encryption.clone();
    let work = async {
        let asked = Asked::read(&app, &headers, "/vci/deferred").await?;
        let (request, to) = asked.open(&body, DeferredRequest::parse, encryption)?;
        let rng = &mut UnwrapErr(SysRng);
        let answer = app.issuer.deferred(&asked.access, &request, asked.now, rng);
        respond(&answer.await?, to)
    };
    work.await
        .map_err(|refusal| Failure::new(&app, Place::Resource, refusal))
}

/// A request for credentials, its token checked.
struct Asked<'a> {
    app: &'a Arc<IssuerApp>,
    headers: &'a HeaderMap,
    access: Access,
    now: u64,
}

/// To whom an answer is encrypted, and how.
type To = Option<(Recipient, Encryption)>;

impl<'a> Asked<'a> {
    async fn read(app: &'a Arc<IssuerApp>, headers: &'a HeaderMap, path: &str) -> Result<Self, IssueRefusal> {
        let now = now_seconds();
        Ok(Self {
            app,
            headers,
            access: access(app, headers, path, now).await?,
            now,
        })
    }

    /// The request itself, and to whom the answer goes.
    fn open<R>(
        &self,
        body: &Bytes,
        parse: impl Fn(&[u8]) -> Result<R, CredentialRequestError>,
        encryption: impl Fn(&R) -> Option<ResponseEncryption>,
    ) -> Result<(R, To), IssueRefusal> {
        let (body, encrypted) = opened(self.app, self.headers, body)?;
        let request = parse(&body)?;
        let to = recipient(encryption(&request).as_ref(), encrypted)?;
        Ok((request, to))
    }
}

/// `POST /vci/notification`
pub(super) async fn notification(State(app): Shared, headers: HeaderMap, body: Bytes) -> Answer {
    let failed = |refusal| Failure::new(&app, Place::Resource, refusal);
    let work = async {
        let now = now_seconds();
        let access = access(&app, &headers, "/vci/notification", now).await?;
        let request = NotificationRequest::parse(&body)?;
        app.issuer.notify(&access, &request, now).await
    };
    work.await.map_err(failed)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// OAuth's requests are forms (RFC 6749 §3.2).
fn require_form(headers: &HeaderMap) -> Result<(), IssueRefusal> {
    if passes("OAU-30", is(headers, "application/x-www-form-urlencoded")) {
        Ok(())
    } else {
        Err(IssueRefusal::MediaType)
    }
}

fn is(headers: &HeaderMap, media_type: &str) -> bool {
    let value = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let named = value.map(|value| value.split(';').next().unwrap_or_default().trim());
    named.is_some_and(|named| named.eq_ignore_ascii_case(media_type))
}

/// The request itself, and whether it came encrypted (OpenID4VCI 1.0 §10).
fn opened(app: &Arc<IssuerApp>, headers: &HeaderMap, body: &Bytes) -> Result<(Vec<u8>, bool), IssueRefusal> {
    if is(headers, "application/jwt") {
        let text = std::str::from_utf8(body).map_err(|_| IssueRefusal::Encryption)?;
        let jwe = Jwe::parse(text.trim()).map_err(|_| IssueRefusal::Encryption)?;
        let key = keys::request_key(&app.issuer.secrets);
        let content = jwe.decrypt(&key).map_err(|_| IssueRefusal::Encryption)?;
        return Ok((content.to_vec(), true));
    }
    if passes("VCI-44", is(headers, "application/json")) {
        Ok((body.to_vec(), false))
    } else {
        Err(CredentialRequestError::Form.into())
    }
}

/// To whom the answer is encrypted. It is asked for in an encrypted request only, or somebody in
/// between could put their own key there (§8.2).
fn recipient(wanted: Option<&ResponseEncryption>, encrypted: bool) -> Result<To, IssueRefusal> {
    let Some(wanted) = wanted else { return Ok(None) };
    if !passes("VCI-45", encrypted) {
        return Err(IssueRefusal::Encryption);
    }
    if !passes("VCI-46", wanted.zip.is_none()) {
        return Err(IssueRefusal::Encryption);
    }
    let jwk: Jwk =
        serde_json::from_value(Value::Object(wanted.jwk.clone())).map_err(|_| IssueRefusal::Encryption)?;
    let to = Recipient::from_jwk(&jwk).map_err(|_| IssueRefusal::Encryption)?;
    let encryption = Encryption::from_name(&wanted.enc).ok_or(IssueRefusal::Encryption)?;
    Ok(Some((to, encryption)))
}

fn respond(answer: &CredentialResponse, to: To) -> Result<Response, IssueRefusal> {
    let status = if answer.transaction_id.is_some() {
        StatusCode::ACCEPTED
    } else {
        StatusCode::OK
    };
    let no_store = [(header::CACHE_CONTROL, "no-store")];
    let Some((to, encryption)) = to else {
        return Ok((status, no_store, Json(answer)).into_response());
    };
    let failed = IssueRefusal::Internal("an answer cannot be encrypted");
    let content =
        serde_json::to_vec(answer).map_err(|_| IssueRefusal::Internal("an answer has no JSON form"))?;
    let rng = &mut UnwrapErr(SysRng);
    let jwe = jwe::encrypt(&to, encryption, &content, Parties::default(), rng).map_err(|_| failed)?;
    Ok((status, no_store, [(header::CONTENT_TYPE, "application/jwt")], jwe).into_response())
}
