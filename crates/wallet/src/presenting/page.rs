//! From the address of a page to the wallet link that stands there, or that it redirects to.
//!
//! The first address is the holder's, all others are set by whoever answers there: each is held to the
//! rule for strangers' addresses before anything is sent to it.

use realdid_checks::passes;
use realdid_openid::openid4vp_link::SCHEMES;
use realdid_openid::{AddressError, check_address};
use url::Url;

/// Most redirects that are followed.
pub const MAX_REDIRECTS: usize = 10;

/// Where a redirect leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redirect {
    /// On to another page.
    Page(Url),
    /// To a wallet: this is its link.
    Link(String),
}

/// Why a redirect is not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RedirectError {
    /// More than [`MAX_REDIRECTS`].
    #[error("the page leads on to others more than {MAX_REDIRECTS} times")]
    TooMany,
    /// Not a web address that may be contacted, nor a wallet link.
    #[error("the page leads to an address that is not visited: {0}")]
    Address(#[from] AddressError),
}

/// Where the page at `from` leads by the header field `location`, after `followed` redirects.
///
/// # Errors
/// [`RedirectError`].
pub fn follow(from: &Url, location: &str, followed: usize, sandbox: bool) -> Result<Redirect, RedirectError> {
    let is_link = |scheme: &&str| location.split(':').next() == Some(*scheme);
    if SCHEMES.iter().any(is_link) {
        return Ok(Redirect::Link(location.to_owned()));
    }
    if !passes("WVP-17", followed < MAX_REDIRECTS) {
        return Err(RedirectError::TooMany);
    }
    let mut next = from.join(location).map_err(|_| AddressError::Form)?;
    next.set_fragment(None);
    Ok(Redirect::Page(check_address(next.as_str(), sandbox)?))
}

/// The first wallet link of a page, with its character references resolved.
#[must_use]
pub fn link_in(page: &str) -> Option<String> {
    let starts = SCHEMES
        .iter()
        .filter_map(|scheme| page.find(&format!("{scheme}:")));
    let link = &page[starts.min()?..];
    let end = link.find(['"', '\'', '<', ' ', '\n', '\r']).unwrap_or(link.len());
    let link = ["&amp;", "&#38;", "&#x26;"]
        .iter()
        .fold(link[..end].to_owned(), |link, reference| {
            link.replace(reference, "&")
        });
    Some(link)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn led(location: &str, followed: usize, sandbox: bool) -> Result<Redirect, RedirectError> {
        follow(
            &Url::parse("https://site.example/a/b?c").unwrap(),
            location,
            followed,
            sandbox,
        )
    }

    fn page(url: &str) -> Result<Redirect, RedirectError> {
        Ok(Redirect::Page(url.parse().unwrap()))
    }

    // test: VP-01
    #[test]
    fn a_page_leads_to_pages_that_may_be_visited_or_to_a_wallet() {
        assert_eq!(led("../d#e", 0, false), page("https://site.example/d"));
        assert_eq!(led("//other.example/", 9, false), page("https://other.example/"));
        assert_eq!(led("http://127.0.0.1:7/", 0, true), page("http://127.0.0.1:7/"));
        let link = "haip-vp://?client_id=a&request_uri=b";
        assert_eq!(led(link, 99, false), Ok(Redirect::Link(link.to_owned())));
        let insecure = Err(RedirectError::Address(AddressError::Insecure));
        assert_eq!(led("http://127.0.0.1:7/", 0, false), insecure);
        assert_eq!(led("http://site.example/", 0, true), insecure);
        for strange in [
            "file:///etc/passwd",
            "javascript:1",
            "https://a@b.example/",
            "https://",
        ] {
            let refused = Err(RedirectError::Address(AddressError::Form));
            assert_eq!(led(strange, 0, true), refused, "{strange}");
        }
    }

    // test: WVP-17
    #[test]
    fn nobody_is_led_on_for_ever() {
        assert!(led("/next", MAX_REDIRECTS - 1, false).is_ok());
        assert_eq!(led("/next", MAX_REDIRECTS, false), Err(RedirectError::TooMany));
    }

    #[test]
    fn a_page_shows_its_link() {
        let shown = r#"<p><a id="wallet-link" href="openid4vp://?client_id=a&amp;request_uri=b">log in</a>"#;
        let link = "openid4vp://?client_id=a&request_uri=b";
        assert_eq!(link_in(shown).as_deref(), Some(link));
        assert_eq!(link_in(link).as_deref(), Some(link), "nothing but the link");
        assert_eq!(link_in("<p>nothing here</p>"), None);
    }
}
