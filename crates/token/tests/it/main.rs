//! Tests of real-name tokens: blinding, the authority's signature, verification.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod authority;
mod blinding;
#[path = "../../../../vectors/frozen.rs"]
mod frozen;
mod keys;
mod rfc9474;
mod tokens;
