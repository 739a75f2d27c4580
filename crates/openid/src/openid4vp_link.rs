//! The link (or QR code) that leads a wallet to a request: `openid4vp://?client_id=…&request_uri=…`
//! (OpenID4VP 1.0 §5.1, §5.10).

use std::fmt;

use realdid_checks::passes;
use serde_json::Value;
use url::{Url, form_urlencoded};

use crate::authorization_request::{RequestError, UnsignedRequest};
use crate::jws::{MAX_JWS, Unverified};
use crate::{AddressError, ClientId, ClientIdError, check_address};

/// Longest link that is parsed, in bytes.
pub const MAX_LINK: usize = 4096;
/// Longest link that carries its request itself, in bytes.
pub const MAX_LINK_WITH_REQUEST: usize = MAX_JWS + MAX_LINK;

/// The schemes of links to wallets: OpenID4VP 1.0 §13.1.2 and, with the same parameters, the High
/// Assurance Interoperability Profile (its drafts and its final form).
pub const SCHEMES: [&str; 3] = ["openid4vp", "haip", "haip-vp"];

/// Why a link cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// Not a link with one of the [`SCHEMES`], or longer than [`MAX_LINK`].
    #[error("this is not an openid4vp: link")]
    NotALink,
    /// A parameter is missing or stands there twice; it is named.
    #[error("the link must have exactly one `{0}`")]
    Parameter(&'static str),
    /// The request stands in the link itself; see [`Invocation`].
    #[error("the link carries its request itself; a signed one behind a request_uri is expected here")]
    Inline,
    /// The request that stands in the link itself.
    #[error("the request in the link cannot be used: {0}")]
    Request(#[from] RequestError),
    /// `request_uri_method` is neither `get` nor `post`.
    #[error("the link asks for an unknown request_uri_method")]
    Method,
    /// The client identifier.
    #[error(transparent)]
    ClientId(#[from] ClientIdError),
    /// The address of the request.
    #[error("the request_uri cannot be used: {0}")]
    Address(#[from] AddressError),
}

/// How the request is to be fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RequestMethod {
    /// GET.
    #[default]
    Get,
    /// POST, with a `wallet_nonce` that the request must repeat.
    Post,
}

/// A parsed link: who asks, and where the signed request is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WalletLink {
    /// Who asks. The request must say the same.
    pub client_id: ClientId,
    /// Where the signed request is.
    pub request_uri: Url,
    /// How to fetch it.
    pub method: RequestMethod,
}

impl WalletLink {
    /// Parses a link. Unknown parameters are ignored, as the specification asks.
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn parse(text: &str, sandbox: bool) -> Result<Self, LinkError> {
        let text = text.trim();
        if text.len() > MAX_LINK {
            return Err(LinkError::NotALink);
        }
        let query = query(text)?;
        if one(query, "request")?.is_some() || one(query, "dcql_query")?.is_some() {
            return Err(LinkError::Inline);
        }
        let method = match one(query, "request_uri_method")?.as_deref() {
            None | Some("get") => RequestMethod::Get,
            Some("post") => RequestMethod::Post,
            Some(_) => return Err(LinkError::Method),
        };
        let client_id = one(query, "client_id")?.ok_or(LinkError::Parameter("client_id"))?;
        let request_uri = one(query, "request_uri")?.ok_or(LinkError::Parameter("request_uri"))?;
        Ok(Self {
            client_id: ClientId::parse(&client_id)?,
            request_uri: check_address(&request_uri, sandbox)?,
            method,
        })
    }
}

/// What a link asks, wherever its request stands (§5.4).
#[derive(Debug, Clone, PartialEq)]
pub enum Invocation {
    /// A signed request behind an address.
    Reference(WalletLink),
    /// A signed request in the link itself (RFC 9101 §5.1). It comes from nowhere in particular:
    /// `request_uri` is where its answer is to go.
    Signed(WalletLink, String),
    /// An unsigned request in the link itself.
    Unsigned(Box<UnsignedRequest>),
}

impl Invocation {
    /// Parses a link.
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn parse(text: &str, sandbox: bool) -> Result<Self, LinkError> {
        let text = text.trim();
        if text.len() > MAX_LINK_WITH_REQUEST {
            return Err(LinkError::NotALink);
        }
        let query = query(text)?;
        if let Some(object) = one(query, "request")? {
            return Self::signed(query, object, sandbox);
        }
        if one(query, "request_uri")?.is_none() && one(query, "dcql_query")?.is_some() {
            let client_id = one(query, "client_id")?.ok_or(LinkError::Parameter("client_id"))?;
            if ClientId::parse_unsigned(&client_id).is_none() {
                // Whoever could sign has to.
                return Err(ClientId::parse(&client_id)
                    .err()
                    .map_or(LinkError::Inline, Into::into));
            }
            return Ok(Self::Unsigned(Box::new(UnsignedRequest::read(query)?)));
        }
        WalletLink::parse(text, sandbox).map(Self::Reference)
    }

    fn signed(query: &str, object: String, sandbox: bool) -> Result<Self, LinkError> {
        if !passes("VP-44", one(query, "request_uri")?.is_none()) {
            return Err(LinkError::Parameter("request"));
        }
        let client_id = one(query, "client_id")?.ok_or(LinkError::Parameter("client_id"))?;
        let stated = Unverified::parse(&object).map_err(RequestError::from)?;
        let response_uri = stated.stated_claims().get("response_uri").and_then(Value::as_str);
        let link = WalletLink {
            client_id: ClientId::parse(&client_id)?,
            request_uri: check_address(response_uri.unwrap_or_default(), sandbox)?,
            method: RequestMethod::Get,
        };
        Ok(Self::Signed(link, object))
    }

    /// Who asks, as the link says.
    #[must_use]
    pub fn client_id(&self) -> &ClientId {
        match self {
            Self::Reference(link) | Self::Signed(link, _) => &link.client_id,
            Self::Unsigned(request) => request.client_id(),
        }
    }
}

/// The query of a link with one of the [`SCHEMES`].
fn query(text: &str) -> Result<&str, LinkError> {
    let (scheme, rest) = text.split_once(':').ok_or(LinkError::NotALink)?;
    if !SCHEMES.contains(&scheme) {
        return Err(LinkError::NotALink);
    }
    let (_, query) = rest.split_once('?').ok_or(LinkError::NotALink)?;
    Ok(query.split('#').next().unwrap_or_default())
}

/// The value of a parameter that stands in the query at most once.
pub(crate) fn one(query: &str, name: &'static str) -> Result<Option<String>, LinkError> {
    let mut values = form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key == name);
    let value = values.next().map(|(_, value)| value.into_owned());
    if passes("VP-11", values.next().is_none()) {
        Ok(value)
    } else {
        Err(LinkError::Parameter(name))
    }
}

impl WalletLink {
    /// The link with another of the [`SCHEMES`].
    #[must_use]
    pub fn with_scheme(&self, scheme: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query
            .append_pair("client_id", self.client_id.as_str())
            .append_pair("request_uri", self.request_uri.as_str());
        if self.method == RequestMethod::Post {
            query.append_pair("request_uri_method", "post");
        }
        format!("{scheme}://?{}", query.finish())
    }
}

impl fmt::Display for WalletLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.with_scheme(SCHEMES[0]))
    }
}
