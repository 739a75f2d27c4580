//! Asking addresses that strangers set (metadata of issuers, status lists, webhooks): https to public
//! addresses alone, in a sandbox plain http on loopback too; no redirects, bounded time and size.

use std::sync::Arc;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use url::{Host, Url};

use crate::public_address::{PublicOnly, host_may_be_public};

/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(15);
/// Longest address, in bytes.
const MAX_ADDRESS: usize = 2048;

/// Why an address was not asked, or gave nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutsideError {
    /// Not https to a public host (in a sandbox: nor plain http on loopback).
    #[error("the address is not https, or not public")]
    Address,
    /// No connection, or no answer in time.
    #[error("the address does not answer")]
    Unreachable,
    /// Another status than 2xx; a redirect is one.
    #[error("the address answers with the status {0}")]
    Status(u16),
    /// More than the caller reads.
    #[error("the answer is too long")]
    TooLong,
}

impl OutsideError {
    /// The failure's stable name.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Address => "address_not_public",
            Self::Unreachable => "address_unreachable",
            Self::Status(_) => "address_refuses",
            Self::TooLong => "answer_too_long",
        }
    }
}

/// A client for strangers' addresses. Clones share its connections.
#[derive(Debug, Clone)]
pub struct Outside {
    public: Client,
    /// For plain http on loopback, in a sandbox.
    loopback: Option<Client>,
}

impl Outside {
    /// A client; `sandbox` allows plain http on loopback.
    ///
    /// # Errors
    /// [`OutsideError::Unreachable`] if TLS cannot be set up.
    pub fn new(sandbox: bool) -> Result<Self, OutsideError> {
        // No proxy: it would resolve names by itself, and lead anywhere.
        let base = || {
            Client::builder()
                .connect_timeout(CONNECT_TIMEOUT)
                .timeout(TIMEOUT)
                .redirect(Policy::none())
                .no_proxy()
        };
        let public = base().dns_resolver(Arc::new(PublicOnly)).https_only(true).build();
        let loopback = sandbox.then(|| base().build()).transpose();
        Ok(Self {
            public: public.map_err(|_| OutsideError::Unreachable)?,
            loopback: loopback.map_err(|_| OutsideError::Unreachable)?,
        })
    }

    /// Whether an address may be asked at all. A name's addresses are looked at when it is.
    ///
    /// # Errors
    /// [`OutsideError::Address`].
    pub fn check(&self, address: &str) -> Result<Url, OutsideError> {
        self.client_for(address).map(|(_, url)| url)
    }

    fn client_for(&self, address: &str) -> Result<(&Client, Url), OutsideError> {
        let url = Url::parse(address).ok().filter(|_| address.len() <= MAX_ADDRESS);
        let bare =
            |url: &Url| url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        let url = url.filter(bare).ok_or(OutsideError::Address)?;
        match (&self.loopback, url.scheme()) {
            (Some(client), "http") if is_loopback(&url) => Ok((client, url)),
            (_, "https") if host_may_be_public(&url) => Ok((&self.public, url)),
            _ => Err(OutsideError::Address),
        }
    }

    /// The bytes at an address, at most `limit`.
    ///
    /// # Errors
    /// [`OutsideError`].
    pub async fn get(&self, address: &str, accept: &str, limit: usize) -> Result<Vec<u8>, OutsideError> {
        let (client, url) = self.client_for(address)?;
        let sent = client.get(url).header("accept", accept).send().await;
        let mut response = answered(sent)?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|_| OutsideError::Unreachable)? {
            if body.len() + chunk.len() > limit {
                return Err(OutsideError::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// Posts a body; what is answered beside the status is not read.
    ///
    /// # Errors
    /// [`OutsideError`].
    pub async fn post(&self, address: &str, media_type: &str, body: String) -> Result<(), OutsideError> {
        let (client, url) = self.client_for(address)?;
        let request = client.post(url).header("content-type", media_type).body(body);
        answered(request.send().await).map(|_| ())
    }
}

fn answered(sent: reqwest::Result<Response>) -> Result<Response, OutsideError> {
    let response = sent.map_err(|_| OutsideError::Unreachable)?;
    if response.status().is_success() {
        Ok(response)
    } else {
        Err(OutsideError::Status(response.status().as_u16()))
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_asked_and_loopback_in_a_sandbox() {
        let (outside, sandbox) = (Outside::new(false).unwrap(), Outside::new(true).unwrap());
        for address in [
            "http://issuer.example/",
            "https://127.0.0.1/",
            "https://10.0.0.1/a",
            "https://[::1]/",
            "https://169.254.169.254/latest/meta-data",
            "https://localhost/",
            "https://user@issuer.example/",
            "https://issuer.example/#a",
            "ftp://issuer.example/",
            "file:///etc/passwd",
            "no address",
        ] {
            assert_eq!(outside.check(address), Err(OutsideError::Address), "{address}");
            assert_eq!(sandbox.check(address), Err(OutsideError::Address), "{address}");
        }
        assert!(outside.check("https://issuer.example/a?b").is_ok());
        assert!(sandbox.check("http://127.0.0.1:7310/status/1").is_ok());
        assert!(outside.check("http://127.0.0.1:7310/status/1").is_err());
    }
}
