//! The signed request a wallet answers (OpenID4VP 1.0 §5, RFC 9101): building it, and all the
//! checks a wallet makes before it shows anything.

use realdid_crypto::{PublicKey, SecretKey};
use serde_json::{Value, json};
use url::Url;

use crate::dcql::{DcqlError, DcqlQuery, LoginQuery};
use crate::jws::{self, JwsError, Unverified, Verified};
use crate::site_statement::VerifierInfo;
use crate::{AddressError, CLOCK_SKEW, ClientId, check_address, realdid_jwt};

/// The JWS type of request objects.
pub const TYP: &str = "oauth-authz-req+jwt";
/// Media type of a served request object.
pub const MEDIA_TYPE: &str = "application/oauth-authz-req+jwt";
/// The audience of requests to a wallet that was not discovered (OpenID4VP 1.0 §5.8).
pub const AUDIENCE: &str = "https://self-issued.me/v2";
/// Longest time from `iat` to `exp` of a request, in seconds.
pub const MAX_LIFETIME: u64 = 900;
/// Shortest and longest nonce, in characters.
const NONCE_LENGTH: std::ops::RangeInclusive<usize> = 22..=128;

/// The claims of a request object. Unknown ones are ignored (RFC 9101 §4).
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct RequestClaims {
    /// Who asks.
    pub client_id: ClientId,
    /// [`AUDIENCE`].
    pub aud: String,
    /// `vp_token`.
    pub response_type: String,
    /// `direct_post`.
    pub response_mode: String,
    /// Where the answer goes.
    pub response_uri: String,
    /// To be repeated in the presentation: 22 to 128 characters, fresh for each request.
    pub nonce: String,
    /// To be repeated beside the presentation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// What is asked for.
    pub dcql_query: DcqlQuery,
    /// What the verifier can read: `vp_formats_supported`.
    pub client_metadata: Value,
    /// When it was made, in Unix seconds.
    pub iat: u64,
    /// Until when it may be answered, in Unix seconds.
    pub exp: u64,
    /// The wallet's nonce, if the wallet sent one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wallet_nonce: Option<String>,
    /// Statements of others about who asks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub verifier_info: Vec<VerifierInfo>,
    /// Transactions to be authorised; none is understood, so a request with any is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction_data: Option<Value>,
}

/// What a verifier decides about one login request; the rest of the claims is constant.
#[derive(Debug, Clone)]
pub struct LoginRequest {
    /// Who asks.
    pub client_id: ClientId,
    /// Where the answer goes.
    pub response_uri: String,
    /// Fresh and random, 22 to 128 characters.
    pub nonce: String,
    /// Repeated beside the answer.
    pub state: String,
    /// The lowest assurance level that will do.
    pub level: String,
    /// When it is made, in Unix seconds.
    pub iat: u64,
    /// Until when it may be answered, in Unix seconds.
    pub exp: u64,
    /// The wallet's nonce, if it sent one.
    pub wallet_nonce: Option<String>,
    /// Statements about who asks.
    pub verifier_info: Vec<VerifierInfo>,
}

impl LoginRequest {
    /// The claims of the request object.
    #[must_use]
    pub fn into_claims(self) -> RequestClaims {
        let formats = json!({ realdid_jwt::FORMAT: { "alg_values": ["EdDSA", "ES256", "SM2SM3"] } });
        RequestClaims {
            client_id: self.client_id,
            aud: AUDIENCE.to_owned(),
            response_type: "vp_token".to_owned(),
            response_mode: "direct_post".to_owned(),
            response_uri: self.response_uri,
            nonce: self.nonce,
            state: Some(self.state),
            dcql_query: DcqlQuery::login(&self.level),
            client_metadata: json!({ "vp_formats_supported": formats }),
            iat: self.iat,
            exp: self.exp,
            wallet_nonce: self.wallet_nonce,
            verifier_info: self.verifier_info,
            transaction_data: None,
        }
    }
}

/// Signs a request object; `key_url` is `<DID of the client identifier>#<key>`.
///
/// # Errors
/// As [`jws::sign`].
pub fn sign(claims: &RequestClaims, key_url: &str, key: &SecretKey) -> Result<String, JwsError> {
    jws::sign(key, TYP, Some(key_url), claims)
}

/// Why a wallet does not answer a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The envelope.
    #[error(transparent)]
    Jws(#[from] JwsError),
    /// The request comes from another client than the link said.
    #[error("the request comes from another client than the link said")]
    OtherClient,
    /// The key that signed is not named as one of the client's DID.
    #[error("the request is not signed by a key of the client's DID")]
    Key,
    /// The audience is not a wallet.
    #[error("the request is not addressed to a wallet")]
    Audience,
    /// Another response type or mode than `vp_token` by `direct_post`.
    #[error("the request asks to be answered in a way that is not supported")]
    ResponseMode,
    /// The address the answer would go to.
    #[error("the response_uri cannot be used: {0}")]
    ResponseUri(#[from] AddressError),
    /// The nonce is too short, too long, or not made of URL-safe characters.
    #[error("the request's nonce is not valid")]
    Nonce,
    /// The wallet's nonce is not repeated.
    #[error("the request does not repeat the wallet's nonce")]
    WalletNonce,
    /// The request has expired, is from the future, or lives longer than [`MAX_LIFETIME`].
    #[error("the request is not valid now")]
    Time,
    /// The verifier does not say that it reads `realdid+jwt`.
    #[error("the verifier does not read realdid+jwt")]
    Formats,
    /// It comes with transaction data, which no format here covers.
    #[error("the request comes with a transaction to authorise, which is not supported")]
    Transaction,
    /// What it asks for.
    #[error(transparent)]
    Query(#[from] DcqlError),
}

/// What a wallet knows when it looks at a request.
#[derive(Debug, Clone)]
pub struct RequestContext<'a> {
    /// The client identifier of the link that led here.
    pub client_id: &'a ClientId,
    /// The nonce the wallet sent, if it fetched the request by POST.
    pub wallet_nonce: Option<&'a str>,
    /// The time in Unix seconds.
    pub now: u64,
    /// Whether plain http on loopback will do.
    pub sandbox: bool,
}

/// A request object whose signature has not been checked.
#[derive(Debug, Clone)]
pub struct UnverifiedRequest {
    message: Unverified,
    client: ClientId,
}

impl UnverifiedRequest {
    /// Parses a request object and checks that it comes from the client the link named.
    ///
    /// # Errors
    /// [`RequestError::Jws`], [`RequestError::OtherClient`], [`RequestError::Key`].
    pub fn parse(text: &str, client_id: &ClientId) -> Result<Self, RequestError> {
        let message = Unverified::parse(text.trim())?;
        message.expect_type(TYP)?;
        let claims: RequestClaims = message.stated()?;
        // check: VP-12
        if claims.client_id != *client_id {
            return Err(RequestError::OtherClient);
        }
        let kid = message.kid().ok_or(RequestError::Key)?;
        // check: VP-13
        if kid
            .split_once('#')
            .is_none_or(|(did, _)| did != claims.client_id.did())
        {
            return Err(RequestError::Key);
        }
        Ok(Self {
            message,
            client: claims.client_id,
        })
    }

    /// The DID whose key must have signed: to be resolved.
    #[must_use]
    pub fn client_did(&self) -> &str {
        self.client.did()
    }

    /// The fragment that names the key in the DID's document.
    #[must_use]
    pub fn key_fragment(&self) -> &str {
        self.message
            .kid()
            .and_then(|kid| kid.split_once('#'))
            .map_or("", |(_, fragment)| fragment)
    }

    /// Checks everything about the request, with an authentication key of the client's DID.
    ///
    /// # Errors
    /// [`RequestError`].
    pub fn verify(
        &self,
        key: &PublicKey,
        context: &RequestContext<'_>,
    ) -> Result<VerifiedRequest, RequestError> {
        let claims = self
            .message
            .verify::<RequestClaims>(key, TYP)
            .map(Verified::into_claims)?;
        check_client(&claims, context)?;
        check_audience(&claims)?;
        check_response_mode(&claims)?;
        check_nonce(&claims)?;
        check_wallet_nonce(&claims, context)?;
        check_time(&claims, context.now)?;
        check_formats(&claims)?;
        check_transaction(&claims)?;
        let response_uri = check_address(&claims.response_uri, context.sandbox)?;
        let query = claims.dcql_query.as_login()?;
        Ok(VerifiedRequest {
            claims,
            response_uri,
            query,
        })
    }
}

fn check_client(claims: &RequestClaims, context: &RequestContext<'_>) -> Result<(), RequestError> {
    if claims.client_id == *context.client_id {
        Ok(())
    } else {
        Err(RequestError::OtherClient)
    }
}

fn check_audience(claims: &RequestClaims) -> Result<(), RequestError> {
    // check: VP-14
    if claims.aud == AUDIENCE {
        Ok(())
    } else {
        Err(RequestError::Audience)
    }
}

fn check_response_mode(claims: &RequestClaims) -> Result<(), RequestError> {
    // check: VP-15
    let supported = claims.response_type == "vp_token" && claims.response_mode == "direct_post";
    if supported {
        Ok(())
    } else {
        Err(RequestError::ResponseMode)
    }
}

fn check_nonce(claims: &RequestClaims) -> Result<(), RequestError> {
    let characters = claims
        .nonce
        .bytes()
        .all(|c| c.is_ascii_alphanumeric() || b"-._~".contains(&c));
    // check: VP-16
    if characters && NONCE_LENGTH.contains(&claims.nonce.len()) {
        Ok(())
    } else {
        Err(RequestError::Nonce)
    }
}

fn check_wallet_nonce(claims: &RequestClaims, context: &RequestContext<'_>) -> Result<(), RequestError> {
    // check: VP-17
    match context.wallet_nonce {
        Some(sent) if claims.wallet_nonce.as_deref() != Some(sent) => Err(RequestError::WalletNonce),
        _ => Ok(()),
    }
}

fn check_time(claims: &RequestClaims, now: u64) -> Result<(), RequestError> {
    let begun = claims.iat <= now.saturating_add(CLOCK_SKEW);
    let short = claims.exp.saturating_sub(claims.iat) <= MAX_LIFETIME;
    // check: VP-18
    if begun && short && now < claims.exp {
        Ok(())
    } else {
        Err(RequestError::Time)
    }
}

fn check_formats(claims: &RequestClaims) -> Result<(), RequestError> {
    let formats = &claims.client_metadata["vp_formats_supported"];
    // check: VP-19
    if formats[realdid_jwt::FORMAT].is_object() {
        Ok(())
    } else {
        Err(RequestError::Formats)
    }
}

fn check_transaction(claims: &RequestClaims) -> Result<(), RequestError> {
    // check: VP-20
    if claims.transaction_data.is_none() {
        Ok(())
    } else {
        Err(RequestError::Transaction)
    }
}

/// A request that was checked: what a wallet may show and answer.
#[derive(Debug, Clone)]
pub struct VerifiedRequest {
    claims: RequestClaims,
    response_uri: Url,
    query: LoginQuery,
}

impl VerifiedRequest {
    /// Who asks: the audience of the answer.
    #[must_use]
    pub const fn client_id(&self) -> &ClientId {
        &self.claims.client_id
    }

    /// To be repeated in the answer.
    #[must_use]
    pub fn nonce(&self) -> &str {
        &self.claims.nonce
    }

    /// To be sent beside the answer.
    #[must_use]
    pub fn state(&self) -> Option<&str> {
        self.claims.state.as_deref()
    }

    /// Where the answer goes.
    #[must_use]
    pub const fn response_uri(&self) -> &Url {
        &self.response_uri
    }

    /// What is asked for.
    #[must_use]
    pub const fn query(&self) -> &LoginQuery {
        &self.query
    }

    /// Statements about who asks, still to be checked.
    #[must_use]
    pub fn verifier_info(&self) -> &[VerifierInfo] {
        &self.claims.verifier_info
    }

    /// Until when it may be answered, in Unix seconds.
    #[must_use]
    pub const fn expires(&self) -> u64 {
        self.claims.exp
    }
}
