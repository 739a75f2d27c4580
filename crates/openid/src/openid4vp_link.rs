//! The link (or QR code) that leads a wallet to a request: `openid4vp://?client_id=…&request_uri=…`
//! (OpenID4VP 1.0 §5.1, §5.10).

use std::fmt;

use realdid_checks::passes;
use url::{Url, form_urlencoded};

use crate::{AddressError, ClientId, ClientIdError, check_address};

/// Longest link that is parsed, in bytes.
pub const MAX_LINK: usize = 4096;

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
    /// The request stands in the link itself, unsigned; only signed requests are answered.
    #[error("the link carries its request itself; only a signed request behind a request_uri is answered")]
    Inline,
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
        let (scheme, rest) = text.split_once(':').ok_or(LinkError::NotALink)?;
        if !SCHEMES.contains(&scheme) {
            return Err(LinkError::NotALink);
        }
        let (_, query) = rest.split_once('?').ok_or(LinkError::NotALink)?;
        let query = query.split('#').next().unwrap_or_default();
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

/// The value of a parameter that stands in the query at most once.
fn one(query: &str, name: &'static str) -> Result<Option<String>, LinkError> {
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
