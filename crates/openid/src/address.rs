//! Which web addresses may be talked to: https, and plain http on loopback in a sandbox.

use realdid_checks::passes;
use url::{Host, Url};

/// Longest address that is accepted, in bytes.
pub const MAX_ADDRESS: usize = 2048;

/// Why an address is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not an absolute web address, or longer than 2,048 bytes, or with a user name or fragment.
    #[error("the address is not an absolute web address without user name and fragment")]
    Form,
    /// Not https, and not plain http on loopback in a sandbox.
    #[error("the address must start with https://; plain http is for loopback in a sandbox")]
    Insecure,
}

/// Parses a web address that may be contacted.
///
/// # Errors
/// [`AddressError`].
pub fn check_address(text: &str, sandbox: bool) -> Result<Url, AddressError> {
    if text.len() > MAX_ADDRESS {
        return Err(AddressError::Form);
    }
    let url = Url::parse(text).map_err(|_| AddressError::Form)?;
    if !url.has_host() || !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err(AddressError::Form);
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if passes("VP-01", sandbox && is_loopback(&url)) => Ok(url),
        "http" => Err(AddressError::Insecure),
        _ => Err(AddressError::Form),
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}
