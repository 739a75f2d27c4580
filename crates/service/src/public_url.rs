//! The address under which the world knows a service.

use std::fmt;

use url::{Host, Url};

/// Why an address cannot be a service's public URL.
#[derive(Debug, thiserror::Error)]
pub enum PublicUrlError {
    /// Not a URL.
    #[error("the public URL is not a URL: {0}")]
    Form(#[from] url::ParseError),
    /// Something beside scheme, host and port.
    #[error("the public URL must be scheme, host and port only, such as https://id.example")]
    Parts,
    /// Plain http outside the sandbox's loopback.
    #[error("the public URL must be https; only a sandbox on loopback may use http")]
    Insecure,
}

impl PublicUrlError {
    /// The failure's stable name.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Form(_) | Self::Parts => "public_url_malformed",
            Self::Insecure => "public_url_insecure",
        }
    }
}

/// Whether an address may be used: https, or plain http to loopback in a sandbox.
#[must_use]
pub fn is_secure(url: &Url, sandbox: bool) -> bool {
    url.scheme() == "https" || (sandbox && url.scheme() == "http" && is_loopback(url))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// A service's own address: scheme, host and port, without a trailing slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl(String);

impl PublicUrl {
    /// Takes an address if it may be used; `sandbox` allows http on loopback.
    ///
    /// # Errors
    /// [`PublicUrlError`].
    pub fn parse(text: &str, sandbox: bool) -> Result<Self, PublicUrlError> {
        let url = Url::parse(text)?;
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        if !bare || !url.username().is_empty() || url.password().is_some() || !url.has_host() {
            return Err(PublicUrlError::Parts);
        }
        if !is_secure(&url, sandbox) {
            return Err(PublicUrlError::Insecure);
        }
        Ok(Self(url.as_str().trim_end_matches('/').to_owned()))
    }

    /// The address without a trailing slash.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address of a path of the service; the path begins with a slash.
    #[must_use]
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    /// Whether the service is reached over TLS.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https:")
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_is_for_the_sandbox_on_loopback() {
        assert_eq!(
            PublicUrl::parse("https://id.example/", false).unwrap().as_str(),
            "https://id.example"
        );
        assert_eq!(
            PublicUrl::parse("http://127.0.0.1:7300", true)
                .unwrap()
                .join("/a"),
            "http://127.0.0.1:7300/a"
        );
        assert!(PublicUrl::parse("http://[::1]:7300", true).is_ok());
        for (text, sandbox) in [
            ("http://127.0.0.1", false),
            ("http://id.example", true),
            ("ftp://localhost", true),
        ] {
            assert!(
                matches!(PublicUrl::parse(text, sandbox), Err(PublicUrlError::Insecure)),
                "{text}"
            );
        }
        for text in [
            "https://id.example/path",
            "https://id.example/?q",
            "https://a@id.example",
            "https://id.example/#f",
        ] {
            assert!(
                matches!(PublicUrl::parse(text, true), Err(PublicUrlError::Parts)),
                "{text}"
            );
        }
    }
}
