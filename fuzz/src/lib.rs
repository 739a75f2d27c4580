//! What each fuzz target does with its input. `cargo xtask fuzz` builds and runs them.
//!
//! Signatures cannot be guessed, so a parser behind one would never be reached. The runs turn the check
//! of JWS signatures off by its switch (`JWS-06`), and messages are put together around what the fuzzer
//! made up: its first line is the header, the rest the claims.
//!
//! A target must not panic, hang or grow. Where an encoding is canonical, what was decoded has to encode
//! to the same bytes again.

#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a panic is what a target reports"
)]

// Only for its feature: signatures can be switched off, so that what lies behind them is reached.
use realdid_checks as _;

pub mod credentials;
pub mod jose;
pub mod ledger;
pub mod messages;

use realdid_crypto::{KeyType, PublicKey, SecretKey, base64url_encode};

/// The time of all targets, in seconds since 1970.
pub const NOW: u64 = 1_800_000_000;

/// Too short for any key type, so that no time goes into checking it.
const SIGNATURE: &str = "AAAA";

/// A key whose signatures are not checked.
fn key() -> SecretKey {
    SecretKey::from_seed(KeyType::P256, &[1; 32])
}

/// Its public part, computed once.
fn public_key() -> PublicKey {
    use std::sync::OnceLock;
    static KEY: OnceLock<PublicKey> = OnceLock::new();
    *KEY.get_or_init(|| key().public_key())
}

/// First line and rest.
fn lines(data: &[u8]) -> (&[u8], &[u8]) {
    let end = data.iter().position(|&byte| byte == b'\n');
    end.map_or((data, &[]), |end| (&data[..end], &data[end + 1..]))
}

/// A message with this header and these claims.
fn token(header: &[u8], claims: &[u8]) -> String {
    format!(
        "{}.{}.{SIGNATURE}",
        base64url_encode(header),
        base64url_encode(claims)
    )
}

/// A message with a fixed header: `alg` is the one of [`key`].
fn typed(typ: &str, more: &str, claims: &[u8]) -> String {
    let header = format!(r#"{{"alg":"ES256","typ":"{typ}"{more}}}"#);
    token(header.as_bytes(), claims)
}

fn text(data: &[u8]) -> &str {
    std::str::from_utf8(data).unwrap_or_default()
}
