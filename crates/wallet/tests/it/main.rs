//! The wallet from outside: derivation and storage.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod credentials;
mod derivation;
#[path = "../../../../vectors/frozen.rs"]
mod frozen;
mod issuance;
mod issuance_rules;
mod issuer;
mod mock_issuer;
mod names;
mod storage;
mod type_metadata;
