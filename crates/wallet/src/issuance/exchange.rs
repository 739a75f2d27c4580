//! What is to be fetched, what came back, and the proofs of possession that go with it.

use std::fmt;

use rand_core::CryptoRng;
use realdid_crypto::KeyType;
use realdid_openid::check_address;
use realdid_openid::oauth::dpop::{self, DpopExpectation};
use realdid_openid::oauth::{ErrorBody, TokenResponse};
use serde_json::Value;
use url::Url;
use zeroize::Zeroizing;

use super::IssuanceError;
use crate::enrol::unique;
use crate::names::clean;
use crate::root::{Secret, SecretBytes};

/// Largest answer that is read, in bytes.
pub const MAX_ANSWER: usize = 1 << 20;
/// Longest description of an error that is shown, in characters.
const MAX_DESCRIPTION: usize = 200;

/// Which of the issuer's addresses is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// The offer, by reference.
    Offer,
    /// The issuer's metadata.
    IssuerMetadata,
    /// The authorization server's metadata.
    ServerMetadata,
    /// Where authorization requests are pushed.
    Push,
    /// Where browsers are sent.
    Authorization,
    /// Where codes become tokens.
    Token,
    /// Where nonces come from.
    Nonce,
    /// Where credentials are asked for.
    Credential,
    /// Where deferred credentials are asked for.
    Deferred,
    /// Where the wallet tells what became of them.
    Notification,
}

impl Endpoint {
    /// For messages: what follows "the issuer's".
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Offer => "offer",
            Self::IssuerMetadata => "description of itself",
            Self::ServerMetadata => "description of its authorization server",
            Self::Push | Self::Authorization => "authorization endpoint",
            Self::Token => "token endpoint",
            Self::Nonce => "nonce endpoint",
            Self::Credential => "credential endpoint",
            Self::Deferred => "endpoint for deferred credentials",
            Self::Notification => "notification endpoint",
        }
    }

    /// Whether nothing is lost if it cannot be reached.
    #[must_use]
    pub const fn is_optional(self) -> bool {
        matches!(self, Self::Notification)
    }
}

/// What is sent with a request.
#[derive(Clone, PartialEq, Eq)]
pub enum Body {
    /// Nothing, by GET.
    Get,
    /// Nothing, by POST.
    Empty,
    /// A form, by POST. It may hold codes and tokens.
    Form(Vec<(&'static str, String)>),
    /// JSON, by POST.
    Json(String),
    /// An encrypted message, by POST, as `application/jwt`.
    Jwt(String),
}

/// A request to make. Redirects are not followed.
#[derive(Clone, PartialEq, Eq)]
pub struct Fetch {
    /// What it is for.
    pub endpoint: Endpoint,
    /// Where to.
    pub url: Url,
    /// What to send.
    pub body: Body,
    /// Header fields besides the content type.
    pub headers: Vec<(&'static str, String)>,
}

/// Neither codes nor tokens are printed.
impl fmt::Debug for Fetch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fetch({:?}, …)", self.endpoint)
    }
}

/// What came back.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Fetched {
    /// HTTP status.
    pub status: u16,
    /// `Content-Type`, if there is one.
    pub content_type: Option<String>,
    /// `DPoP-Nonce`, if there is one (RFC 9449 §8).
    pub dpop_nonce: Option<String>,
    /// `WWW-Authenticate`, if there is one (RFC 6750 §3).
    pub challenge: Option<String>,
    /// The body, of at most [`MAX_ANSWER`] bytes.
    pub body: Vec<u8>,
}

impl fmt::Debug for Fetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fetched({}, …)", self.status)
    }
}

impl Fetched {
    /// Whether it is a success.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        self.status >= 200 && self.status < 300
    }

    /// The error code: of the body (RFC 6749 §5.2), else of the challenge (RFC 6750 §3.1), else made
    /// of the status.
    pub(super) fn error(&self) -> (String, Option<String>) {
        let body: Option<ErrorBody> = serde_json::from_slice(&self.body).ok();
        if let Some(body) = body {
            return (clean(&body.error, 64), body.error_description);
        }
        let challenge = self.challenge.as_deref().unwrap_or_default();
        let named = challenge
            .split_once("error=\"")
            .and_then(|(_, rest)| rest.split_once('"'));
        let code = named.map_or_else(|| format!("http_{}", self.status), |(code, _)| clean(code, 64));
        (code, None)
    }

    /// Whether it is a refusal with this code.
    pub(super) fn error_is(&self, code: &str) -> bool {
        !self.is_success() && self.error().0 == code
    }

    pub(super) fn refusal(&self, endpoint: Endpoint) -> IssuanceError {
        let (error, description) = self.error();
        IssuanceError::Refused {
            endpoint,
            error,
            description: description.map(|text| clean(&text, MAX_DESCRIPTION)),
        }
    }
}

/// The key that tokens are bound to, and the nonces that servers want to see in its proofs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DpopKey {
    secret: Secret,
    /// The last nonce of each origin.
    nonces: Vec<(String, String)>,
}

impl DpopKey {
    pub(super) const fn new(secret: Secret) -> Self {
        Self {
            secret,
            nonces: Vec::new(),
        }
    }

    pub(super) const fn secret(&self) -> &Secret {
        &self.secret
    }

    pub(super) fn thumbprint(&self) -> String {
        realdid_openid::jwk::thumbprint(&self.secret.key_of(KeyType::P256).public_key())
    }

    /// Remembers the nonce that a server sent.
    pub(super) fn saw_nonce(&mut self, url: &Url, nonce: Option<&str>) {
        let Some(nonce) = nonce else { return };
        let origin = url.origin().ascii_serialization();
        self.nonces.retain(|(known, _)| *known != origin);
        self.nonces.push((origin, nonce.to_owned()));
    }

    /// A proof for a POST to this address.
    pub(super) fn proof(
        &self,
        url: &Url,
        access_token: Option<&str>,
        now: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<String, IssuanceError> {
        let origin = url.origin().ascii_serialization();
        let nonce = self.nonces.iter().find(|(known, _)| *known == origin);
        let mut bare = url.clone();
        bare.set_query(None);
        let request = DpopExpectation {
            method: "POST",
            uri: bare.as_str(),
            access_token,
            now,
        };
        let key = self.secret.key_of(KeyType::P256);
        let nonce = nonce.map(|(_, nonce)| nonce.as_str());
        let input = dpop::signing_input(&key.public_key(), &request, &unique(rng), nonce)?;
        let signature = key.sign_raw(input.as_bytes());
        Ok(input.finish(&signature))
    }
}

/// What the wallet may do at the issuer: a token, and how it is shown.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Access {
    token: SecretBytes,
    /// Whether each use needs a proof by the key it is bound to.
    bound: bool,
    /// When it expires, in Unix seconds, if that was said.
    pub(super) expires_at: Option<u64>,
}

impl Access {
    /// Of a token response.
    pub(super) fn of(response: &TokenResponse, now: u64) -> Result<Self, IssuanceError> {
        let bearer = response.token_type.eq_ignore_ascii_case("Bearer");
        if !realdid_checks::passes("WVC-07", bearer || response.is_dpop()) {
            return Err(IssuanceError::TokenType(clean(&response.token_type, 32)));
        }
        Ok(Self {
            token: SecretBytes::new(Zeroizing::new(response.access_token.clone().into_bytes())),
            bound: response.is_dpop(),
            expires_at: response.expires_in.map(|seconds| now.saturating_add(seconds)),
        })
    }

    /// The header fields that show it.
    pub(super) fn headers(
        &self,
        url: &Url,
        key: Option<&DpopKey>,
        now: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<(&'static str, String)>, IssuanceError> {
        let token = String::from_utf8_lossy(self.token.expose()).into_owned();
        if !self.bound {
            return Ok(vec![("authorization", format!("Bearer {token}"))]);
        }
        let key = key.ok_or(IssuanceError::Damaged)?;
        let proof = key.proof(url, Some(&token), now, rng)?;
        Ok(vec![("authorization", format!("DPoP {token}")), ("dpop", proof)])
    }
}

/// An address out of metadata: absolute, https (or loopback in a sandbox).
pub(super) fn endpoint_url(endpoint: Endpoint, text: &str, sandbox: bool) -> Result<Url, IssuanceError> {
    check_address(text, sandbox).map_err(|source| IssuanceError::Address { endpoint, source })
}

/// JSON as it is sent.
pub(super) fn json_text(value: &Value) -> String {
    value.to_string()
}
