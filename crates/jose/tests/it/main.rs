//! Each check of an envelope: one thing is altered, exactly its error is expected, and then the
//! untouched message passes.

#![allow(clippy::unwrap_used, reason = "a test ends where something is missing")]

#[path = "../../../../vectors/frozen.rs"]
#[allow(dead_code, reason = "made once elsewhere, never rewritten here")]
mod frozen;
mod jwe;
mod jws;
mod x5c;

use realdid_crypto::{KeyType, SecretKey};

/// A key for signing, by a seed byte.
fn key(kind: KeyType, seed: u8) -> SecretKey {
    SecretKey::from_seed(kind, &[seed; 32])
}
