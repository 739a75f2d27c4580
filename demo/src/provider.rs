//! The sign-in server, through the stock `openidconnect` crate.

use std::pin::Pin;
use std::sync::OnceLock;

use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreErrorResponseType, CoreGenderClaim,
    CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreProviderMetadata,
    CoreRevocableToken, CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AccessTokenHash, AdditionalClaims, AuthorizationCode, Client, ClientId, ClientSecret, CsrfToken,
    EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse,
    IdTokenFields, IssuerUrl, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, Scope, StandardErrorResponse, StandardTokenResponse, TokenResponse as _,
};
use serde::{Deserialize, Serialize};

/// The claims that this sign-in server adds.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct RealNameClaims {
    realname_verified: Option<bool>,
    assurance_level: Option<String>,
    age_over_18: Option<bool>,
    age_over_21: Option<bool>,
}

impl AdditionalClaims for RealNameClaims {}

type Fields = IdTokenFields<
    RealNameClaims,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;

type OidcClient = Client<
    RealNameClaims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    StandardTokenResponse<Fields, CoreTokenType>,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// Why a visitor could not be signed in.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// A setting is not an address.
    #[error("a setting is not an address: {0}")]
    Address(#[from] openidconnect::url::ParseError),
    /// The HTTP client.
    #[error("the HTTP client cannot be made: {0}")]
    Http(#[from] reqwest::Error),
    /// The sign-in server's metadata cannot be fetched.
    #[error("the sign-in server cannot be reached: {0}")]
    Discovery(String),
    /// The code was not exchanged.
    #[error("the sign-in server gave no token: {0}")]
    Exchange(String),
    /// The ID token is missing or wrong.
    #[error("the ID token is not valid: {0}")]
    IdToken(String),
    /// The answer comes from another sign-in server (RFC 9207).
    #[error("the answer comes from another sign-in server")]
    Issuer,
}

/// What the website keeps while a visitor is away signing in.
#[derive(Debug, Serialize, Deserialize)]
pub struct Pending {
    /// Must come back with the answer.
    pub state: String,
    nonce: String,
    verifier: String,
}

/// What the website learns about a visitor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visitor {
    /// The visitor's identifier here, and nowhere else.
    pub sub: String,
    /// Whether a verified person stands behind it.
    pub realname_verified: bool,
    /// How thoroughly verified.
    pub level: String,
    /// How the visitor signed in this time: class.
    pub acr: String,
    /// How the visitor signed in this time: methods.
    pub amr: String,
    /// What else was asked for, and shown: what it is, and its value.
    #[serde(default)]
    pub more: Vec<(String, String)>,
}

/// The sign-in server as this website uses it.
pub struct Provider {
    issuer: IssuerUrl,
    client_id: ClientId,
    client_secret: Option<ClientSecret>,
    redirect_url: RedirectUrl,
    http: reqwest::Client,
    client: OnceLock<OidcClient>,
}

impl Provider {
    /// A provider that is asked for its metadata when it is first needed.
    pub fn new(
        issuer: &str,
        client_id: String,
        client_secret: Option<String>,
        redirect_url: &str,
    ) -> Result<Self, ProviderError> {
        let issuer = issuer.trim_end_matches('/');
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        let http = if is_loopback(issuer) {
            http.no_proxy()
        } else {
            http
        };
        Ok(Self {
            issuer: IssuerUrl::new(issuer.to_owned())?,
            client_id: ClientId::new(client_id),
            client_secret: client_secret.map(ClientSecret::new),
            redirect_url: RedirectUrl::new(redirect_url.to_owned())?,
            http: http.build()?,
            client: OnceLock::new(),
        })
    }

    /// The client, after the sign-in server's metadata has been fetched once.
    async fn client(&self) -> Result<&OidcClient, ProviderError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let ask = http_client(self.http.clone());
        let metadata = CoreProviderMetadata::discover_async(self.issuer.clone(), &ask)
            .await
            .map_err(|error| ProviderError::Discovery(error.to_string()))?;
        let client =
            OidcClient::from_provider_metadata(metadata, self.client_id.clone(), self.client_secret.clone());
        Ok(self
            .client
            .get_or_init(|| client.set_redirect_uri(self.redirect_url.clone())))
    }

    /// Where to send the visitor, and what to keep meanwhile. `more` is another scope to ask for.
    pub async fn begin(&self, more: Option<String>) -> Result<(String, Pending), ProviderError> {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let (url, state, nonce) = self
            .client()
            .await?
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                CsrfToken::new_random,
                Nonce::new_random,
            )
            .add_scope(Scope::new("realname_verified".to_owned()))
            .add_scopes(more.map(Scope::new))
            .set_pkce_challenge(challenge)
            .url();
        let pending = Pending {
            state: state.secret().clone(),
            nonce: nonce.secret().clone(),
            verifier: verifier.secret().clone(),
        };
        Ok((url.into(), pending))
    }

    /// Turns the code that the visitor brought back into what the website may know.
    pub async fn finish(
        &self,
        pending: Pending,
        code: String,
        issuer: &str,
    ) -> Result<Visitor, ProviderError> {
        if issuer != self.issuer.as_str() {
            return Err(ProviderError::Issuer);
        }
        let client = self.client().await?;
        let ask = http_client(self.http.clone());
        let refused = |error: &dyn std::fmt::Display| ProviderError::Exchange(error.to_string());
        let tokens = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|error| refused(&error))?
            .set_pkce_verifier(PkceCodeVerifier::new(pending.verifier))
            .request_async(&ask)
            .await
            .map_err(|error| refused(&error))?;
        let wrong = |error: &dyn std::fmt::Display| ProviderError::IdToken(error.to_string());
        let id_token = tokens.id_token().ok_or_else(|| wrong(&"there is none"))?;
        let verifier = client.id_token_verifier();
        let claims = id_token
            .claims(&verifier, &Nonce::new(pending.nonce))
            .map_err(|error| wrong(&error))?;
        if let Some(expected) = claims.access_token_hash() {
            let algorithm = id_token.signing_alg().map_err(|error| wrong(&error))?;
            let key = id_token.signing_key(&verifier).map_err(|error| wrong(&error))?;
            let found = AccessTokenHash::from_token(tokens.access_token(), algorithm, key);
            if found.map_err(|error| wrong(&error))? != *expected {
                return Err(wrong(&"it belongs to another access token"));
            }
        }
        let person = claims.additional_claims();
        let shown = [
            ("18 or older", person.age_over_18.map(|is| is.to_string())),
            ("21 or older", person.age_over_21.map(|is| is.to_string())),
            (
                "Name",
                claims
                    .name()
                    .and_then(|name| name.get(None))
                    .map(|name| name.to_string()),
            ),
        ];
        let more = shown
            .into_iter()
            .filter_map(|(what, value)| Some((what.to_owned(), value?)));
        let methods = claims
            .auth_method_refs()
            .into_iter()
            .flatten()
            .map(|method| method.as_str());
        Ok(Visitor {
            sub: claims.subject().as_str().to_owned(),
            realname_verified: person.realname_verified == Some(true),
            level: person.assurance_level.clone().unwrap_or_default(),
            acr: claims
                .auth_context_ref()
                .map(|acr| acr.as_str().to_owned())
                .unwrap_or_default(),
            amr: methods.collect::<Vec<_>>().join(" "),
            more: more.collect(),
        })
    }
}

fn is_loopback(issuer: &str) -> bool {
    ["http://127.0.0.1", "http://localhost", "http://[::1]"]
        .iter()
        .any(|start| issuer.starts_with(start))
}

type Exchange = Pin<Box<dyn Future<Output = Result<HttpResponse, reqwest::Error>> + Send>>;

/// Exchanges over HTTP, as the `openidconnect` crate wants them.
fn http_client(client: reqwest::Client) -> impl Fn(HttpRequest) -> Exchange {
    move |request| Box::pin(exchange(client.clone(), request))
}

async fn exchange(client: reqwest::Client, request: HttpRequest) -> Result<HttpResponse, reqwest::Error> {
    let mut answer = client.execute(request.try_into()?).await?;
    let (status, headers) = (answer.status(), std::mem::take(answer.headers_mut()));
    let mut response = HttpResponse::new(answer.bytes().await?.to_vec());
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}
