//! Each check of a message: one thing is altered, exactly its error is expected, and then the
//! untouched message passes.

#![allow(clippy::unwrap_used, reason = "a test ends where something is missing")]

mod asking;
mod dcql;
mod dcql_answers;
mod dpop;
mod invocation;
mod issuance;
mod oidc;
mod registration;
mod request;
mod response;
mod statement;
mod wallet_metadata;

use realdid_crypto::{KeyType, SecretKey};

/// A key for signing, by a seed byte.
fn key(kind: KeyType, seed: u8) -> SecretKey {
    SecretKey::from_seed(kind, &[seed; 32])
}

/// Randomness that repeats.
fn rng(seed: u64) -> rand::rngs::StdRng {
    rand::SeedableRng::seed_from_u64(seed)
}
