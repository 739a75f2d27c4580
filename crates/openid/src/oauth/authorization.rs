//! A wallet's request to be authorized for credentials (RFC 6749 §4.1.1 with PKCE, pushed by
//! RFC 9126), by scope or by authorization details (RFC 9396, OpenID4VCI 1.0 §5.1).

use realdid_checks::passes;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::{Host, Url};

use crate::oauth::error::ErrorCode;
use crate::oidc::authorization::check_pkce;
use crate::oidc::{AuthorizationError, AuthorizationParameters, CodeChallenge};

/// The one type of authorization details there is here.
pub const DETAIL_TYPE: &str = "openid_credential";
/// Most authorization details in one request.
const MAX_DETAILS: usize = 16;

/// An authorization detail of type `openid_credential`; unknown members are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationDetail {
    /// Always [`DETAIL_TYPE`].
    #[serde(rename = "type")]
    pub kind: String,
    /// Which credential configuration.
    pub credential_configuration_id: String,
    /// In a token response: what each credential request must name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credential_identifiers: Vec<String>,
    /// Identifiers of credential issuers, where there is more than one server.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub locations: Vec<String>,
}

impl AuthorizationDetail {
    /// A request for a configuration.
    #[must_use]
    pub fn request(configuration: &str) -> Self {
        Self {
            kind: DETAIL_TYPE.to_owned(),
            credential_configuration_id: configuration.to_owned(),
            credential_identifiers: Vec::new(),
            locations: Vec::new(),
        }
    }
}

/// Why a wallet's request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WalletRequestError {
    /// A parameter is missing, doubled, too long or not supported, or there is no PKCE.
    #[error(transparent)]
    Parameters(#[from] AuthorizationError),
    /// The redirect address is none of the wallet's, or none that may be redirected to.
    #[error("the redirect_uri is not one that this wallet may use")]
    RedirectUri,
    /// Authorization details that cannot be read.
    #[error("authorization_details is not an array of openid_credential objects")]
    Details,
    /// `dpop_jkt` is not a thumbprint.
    #[error("dpop_jkt is not a SHA-256 thumbprint")]
    Thumbprint,
    /// Neither scope nor details name a credential that is offered here.
    #[error("neither scope nor authorization_details name a credential that is issued here")]
    NothingKnown,
}

impl WalletRequestError {
    /// The code on the wire.
    #[must_use]
    pub const fn code(self) -> ErrorCode {
        match self {
            Self::Parameters(AuthorizationError::ResponseType) => ErrorCode::UnsupportedResponseType,
            Self::Parameters(AuthorizationError::UnknownClient) => ErrorCode::InvalidClient,
            Self::Parameters(_) | Self::RedirectUri | Self::Thumbprint => ErrorCode::InvalidRequest,
            Self::Details => ErrorCode::InvalidAuthorizationDetails,
            Self::NothingKnown => ErrorCode::InvalidScope,
        }
    }
}

/// Reads the `authorization_details` parameter. Each must be of a type that is known here.
///
/// # Errors
/// [`WalletRequestError::Details`].
pub fn read_details(text: &str) -> Result<Vec<AuthorizationDetail>, WalletRequestError> {
    let details: Vec<Map<String, Value>> =
        serde_json::from_str(text).map_err(|_| WalletRequestError::Details)?;
    if details.is_empty() || details.len() > MAX_DETAILS {
        return Err(WalletRequestError::Details);
    }
    let read = |detail: Map<String, Value>| {
        let known = detail.get("type").and_then(Value::as_str) == Some(DETAIL_TYPE);
        if !passes("OAU-03", known) {
            return Err(WalletRequestError::Details);
        }
        let mut detail = detail;
        detail.entry("type").or_insert_with(|| DETAIL_TYPE.into());
        serde_json::from_value(Value::Object(detail)).map_err(|_| WalletRequestError::Details)
    };
    details.into_iter().map(read).collect()
}

/// A wallet's request, each parameter checked as far as that goes without a register of wallets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WalletRequest {
    /// The wallet's name.
    pub client_id: String,
    /// Where the browser goes back to.
    pub redirect_uri: String,
    /// The wallet's own value.
    pub state: Option<String>,
    /// PKCE.
    pub challenge: CodeChallenge,
    /// Words of the scope.
    pub scopes: Vec<String>,
    /// Authorization details.
    pub details: Vec<AuthorizationDetail>,
    /// Out of an offer. It may have been injected: it names a context, and proves nothing.
    pub issuer_state: Option<String>,
    /// The key that the token will be bound to (RFC 9449 §10).
    pub dpop_jkt: Option<String>,
}

impl WalletRequest {
    /// Reads a query string or form body whose redirect address has been checked.
    ///
    /// # Errors
    /// [`WalletRequestError`].
    pub fn read(parameters: &AuthorizationParameters) -> Result<Self, WalletRequestError> {
        let text = |name| parameters.get(name).map(str::to_owned);
        if !passes("OAU-04", parameters.require("response_type")? == "code") {
            return Err(AuthorizationError::ResponseType.into());
        }
        let mode = parameters.get("response_mode");
        if !passes("OAU-07", mode.is_none_or(|mode| mode == "query")) {
            return Err(AuthorizationError::ResponseMode.into());
        }
        let challenge = check_pkce(parameters)?;
        let details = parameters.get("authorization_details");
        let thumbprint = text("dpop_jkt");
        if thumbprint
            .as_ref()
            .is_some_and(|jkt| CodeChallenge::parse(jkt).is_err())
        {
            return Err(WalletRequestError::Thumbprint);
        }
        let scope = parameters.get("scope").unwrap_or_default();
        Ok(Self {
            client_id: parameters.require("client_id")?.to_owned(),
            redirect_uri: parameters.require("redirect_uri")?.to_owned(),
            state: text("state"),
            challenge,
            scopes: scope
                .split(' ')
                .filter(|word| !word.is_empty())
                .map(str::to_owned)
                .collect(),
            details: details.map_or(Ok(Vec::new()), read_details)?,
            issuer_state: text("issuer_state"),
            dpop_jkt: thumbprint,
        })
    }

    /// The configurations asked for among those known: of details as they are named, of scopes by
    /// their scope (OpenID4VCI 1.0 §5.1.2). Unknown scopes are ignored.
    ///
    /// # Errors
    /// [`WalletRequestError::Details`] for a detail that names an unknown configuration,
    /// [`WalletRequestError::NothingKnown`].
    pub fn configurations<'a>(
        &self,
        known: impl Iterator<Item = (&'a str, &'a str)> + Clone,
    ) -> Result<Vec<String>, WalletRequestError> {
        let mut wanted: Vec<String> = Vec::new();
        for detail in &self.details {
            let id = &detail.credential_configuration_id;
            if !passes(
                "OAU-05",
                known.clone().any(|(configuration, _)| configuration == id),
            ) {
                return Err(WalletRequestError::Details);
            }
            wanted.push(id.clone());
        }
        for (id, scope) in known {
            if self.scopes.iter().any(|word| word == scope) {
                wanted.push(id.to_owned());
            }
        }
        wanted.sort_unstable();
        wanted.dedup();
        if passes("OAU-06", !wanted.is_empty()) {
            Ok(wanted)
        } else {
            Err(WalletRequestError::NothingKnown)
        }
    }
}

/// Whether a browser may be sent to a wallet that nobody registered: an https address, loopback
/// (RFC 8252 §7.3), or a scheme of the wallet's own that contains a period (§7.1). Never an address
/// with a fragment, user name, or a scheme that browsers run or read.
#[must_use]
pub fn is_wallet_address(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else { return false };
    let bare = url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    let scheme = match url.scheme() {
        "https" => url.has_host(),
        "http" => match url.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        },
        scheme => scheme.contains('.'),
    };
    bare && scheme && text.len() <= crate::address::MAX_ADDRESS
}

/// The answer to a pushed request (RFC 9126 §2.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushedResponse {
    /// What the browser brings instead of the parameters.
    pub request_uri: String,
    /// How long it may be used, in seconds.
    pub expires_in: u64,
}
