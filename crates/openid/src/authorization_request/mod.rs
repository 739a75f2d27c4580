//! The signed request a wallet answers (OpenID4VP 1.0 §5, RFC 9101).
//!
//! * [`RequestClaims`]: what it says; [`NewRequest`] makes one, [`sign`] and [`sign_with_chain`] sign it.
//! * [`UnverifiedRequest`] → [`VerifiedRequest`]: all the checks a wallet makes before it shows
//!   anything. By what it must be signed tells [`UnverifiedRequest::signer`].
//! * [`UnsignedRequest`]: one that stands in a link, and proves nothing of who asks.
//! * [`ClientMetadata`]: which formats its verifier reads, and to which key the answer is encrypted.
//! * [`WalletMetadata`]: what a wallet says that it can answer.
//! * [`transaction`]: what the holder is asked to authorise with the presentation.

mod metadata;
pub mod transaction;
mod unsigned;
mod verify;
mod wallet_metadata;

use realdid_crypto::SecretKey;
use realdid_jose::x5c::Chain;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::ClientId;
use crate::dcql::DcqlQuery;
use crate::jws::{self, JwsError};
use crate::site_statement::VerifierInfo;

pub use metadata::{ClientMetadata, KeySet};
pub use transaction::{TransactionData, TransactionError};
pub use unsigned::UnsignedRequest;
pub use verify::{RequestContext, RequestError, Signer, UnverifiedRequest, VerifiedRequest};
pub use wallet_metadata::{WalletMetadata, WalletMetadataError};

/// The JWS type of request objects.
pub const TYP: &str = "oauth-authz-req+jwt";
/// Media type of a served request object.
pub const MEDIA_TYPE: &str = "application/oauth-authz-req+jwt";
/// The audience of requests to a wallet that was not discovered (OpenID4VP 1.0 §5.8).
pub const AUDIENCE: &str = "https://self-issued.me/v2";
/// Longest time from `iat` to `exp` of a request for a login, in seconds.
pub const MAX_LIFETIME: u64 = 900;

/// How the answer travels (OpenID4VP 1.0 §8.2, §8.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum ResponseMode {
    /// Posted to the `response_uri`.
    #[serde(rename = "direct_post")]
    DirectPost,
    /// Posted there, encrypted to a key of the request.
    #[serde(rename = "direct_post.jwt")]
    DirectPostJwt,
}

impl ResponseMode {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DirectPost => "direct_post",
            Self::DirectPostJwt => "direct_post.jwt",
        }
    }

    /// The mode of this name, if it is understood.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::DirectPost, Self::DirectPostJwt]
            .into_iter()
            .find(|mode| mode.as_str() == name)
    }
}

/// The claims of a request object. Unknown ones are ignored (OpenID4VP 1.0 §5).
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct RequestClaims {
    /// Who asks.
    pub client_id: ClientId,
    /// [`AUDIENCE`]; one in a list is as good (RFC 7519 §4.1.3).
    #[serde(deserialize_with = "audience")]
    pub aud: String,
    /// `vp_token`.
    pub response_type: String,
    /// A [`ResponseMode`].
    pub response_mode: String,
    /// Where the answer goes.
    pub response_uri: String,
    /// Must not be there beside a `response_uri` (§8.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect_uri: Option<String>,
    /// To be repeated in the presentation, fresh for each request.
    pub nonce: String,
    /// To be repeated beside the presentation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// What is asked for.
    pub dcql_query: DcqlQuery,
    /// What the verifier can read.
    #[serde(default)]
    pub client_metadata: ClientMetadata,
    /// When it was made, in Unix seconds.
    #[serde(default, deserialize_with = "time", skip_serializing_if = "Option::is_none")]
    pub iat: Option<u64>,
    /// From when on it may be answered, in Unix seconds.
    #[serde(default, deserialize_with = "time", skip_serializing_if = "Option::is_none")]
    pub nbf: Option<u64>,
    /// Until when it may be answered, in Unix seconds.
    #[serde(default, deserialize_with = "time", skip_serializing_if = "Option::is_none")]
    pub exp: Option<u64>,
    /// The wallet's nonce, if the wallet sent one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wallet_nonce: Option<String>,
    /// Statements of others about who asks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub verifier_info: Vec<VerifierInfo>,
    /// What the holder is asked to authorise, each a JSON object in base64url.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction_data: Option<Vec<String>>,
}

/// A time as JWT has it: a number of seconds that is not negative, of which parts are cut off
/// (RFC 7519 §2). Much of other software writes parts of seconds.
fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let Some(number) = Option::<serde_json::Number>::deserialize(deserializer)? else {
        return Ok(None);
    };
    let parts = || number.as_f64().filter(|time| (0.0..1e15).contains(time));
    let whole = number.as_u64().or_else(|| parts().map(|time| time as u64));
    whole
        .map(Some)
        .ok_or_else(|| D::Error::custom("a time is a number of seconds"))
}

fn audience<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Audience {
        Text(String),
        List([String; 1]),
    }
    Ok(match Audience::deserialize(deserializer)? {
        Audience::Text(text) | Audience::List([text]) => text,
    })
}

/// What a verifier decides about one request; the rest of the claims is constant.
#[derive(Debug, Clone)]
pub struct NewRequest {
    /// Who asks.
    pub client_id: ClientId,
    /// How the answer travels. For [`ResponseMode::DirectPostJwt`] the metadata must hold a key.
    pub response_mode: ResponseMode,
    /// Where the answer goes.
    pub response_uri: String,
    /// Fresh and random, 22 to 128 characters.
    pub nonce: String,
    /// Fresh and random; repeated beside the answer.
    pub state: String,
    /// What is asked for.
    pub dcql_query: DcqlQuery,
    /// What is read, and to which key an answer is encrypted.
    pub client_metadata: ClientMetadata,
    /// When it is made, in Unix seconds.
    pub iat: u64,
    /// Until when it may be answered, in Unix seconds.
    pub exp: u64,
    /// The wallet's nonce, if it sent one.
    pub wallet_nonce: Option<String>,
    /// Statements about who asks.
    pub verifier_info: Vec<VerifierInfo>,
    /// What the holder is asked to authorise; see [`TransactionData::encode`].
    pub transaction_data: Vec<String>,
}

impl NewRequest {
    /// The claims of the request object.
    #[must_use]
    pub fn into_claims(self) -> RequestClaims {
        RequestClaims {
            client_id: self.client_id,
            aud: AUDIENCE.to_owned(),
            response_type: "vp_token".to_owned(),
            response_mode: self.response_mode.as_str().to_owned(),
            response_uri: self.response_uri,
            redirect_uri: None,
            nonce: self.nonce,
            state: Some(self.state),
            dcql_query: self.dcql_query,
            client_metadata: self.client_metadata,
            iat: Some(self.iat),
            nbf: None,
            exp: Some(self.exp),
            wallet_nonce: self.wallet_nonce,
            verifier_info: self.verifier_info,
            transaction_data: (!self.transaction_data.is_empty()).then_some(self.transaction_data),
        }
    }
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
        NewRequest {
            client_id: self.client_id,
            response_mode: ResponseMode::DirectPost,
            response_uri: self.response_uri,
            nonce: self.nonce,
            state: self.state,
            dcql_query: DcqlQuery::login(&self.level),
            client_metadata: ClientMetadata::ours(),
            iat: self.iat,
            exp: self.exp,
            wallet_nonce: self.wallet_nonce,
            verifier_info: self.verifier_info,
            transaction_data: Vec::new(),
        }
        .into_claims()
    }
}

/// Signs a request object; `key_url` is `<DID of the client identifier>#<key>`.
///
/// # Errors
/// As [`jws::sign`].
pub fn sign(claims: &RequestClaims, key_url: &str, key: &SecretKey) -> Result<String, JwsError> {
    jws::sign(key, TYP, Some(key_url), claims)
}

/// Signs a request object with the key of a certificate, whose chain it carries.
///
/// # Errors
/// As [`jws::sign_with_header`].
pub fn sign_with_chain(claims: &RequestClaims, chain: &Chain, key: &SecretKey) -> Result<String, JwsError> {
    let header = [("typ", TYP.into()), ("x5c", chain.to_x5c())];
    let header = header.map(|(name, value)| (name.to_owned(), value));
    jws::sign_with_header(key, header.into_iter().collect(), claims)
}
