//! The one cookie there is: it ties a login to the browser that began it, and lives as long.

use axum::http::{HeaderMap, HeaderValue, header};

use crate::login::LOGIN_LIFETIME;
use crate::secret::Secret;

const NAME: &str = "signin-login";

/// The cookie's header for a login: only sent back to that login's own pages, so that no value is
/// common to two logins.
pub(super) fn set(login_id: &str, secret: &Secret, https: bool) -> Option<HeaderValue> {
    header(login_id, secret.as_str(), LOGIN_LIFETIME, https)
}

/// Takes the cookie back.
pub(super) fn clear(login_id: &str, https: bool) -> Option<HeaderValue> {
    header(login_id, "", 0, https)
}

fn header(login_id: &str, value: &str, max_age: u64, https: bool) -> Option<HeaderValue> {
    let secure = if https { "; Secure" } else { "" };
    let cookie =
        format!("{NAME}={value}; Path=/login/{login_id}; Max-Age={max_age}; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::from_str(&cookie).ok()
}

/// The cookie a browser sent.
pub(super) fn read(headers: &HeaderMap) -> Option<&str> {
    let lines = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok());
    let mut pairs = lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == NAME).map(|(_, value)| value)
}
