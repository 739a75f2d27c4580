//! Each rule of a credential: one thing is altered, exactly its error is expected.

#![allow(clippy::unwrap_used, reason = "a test ends where something is missing")]

#[allow(dead_code, reason = "shared by several crates' tests")]
#[path = "../../../../vectors/frozen.rs"]
mod frozen;
mod issuer_metadata;
mod key_binding;
mod properties;
mod reference;
mod refusals;
mod sd_jwt_issue;
mod sd_jwt_present;
mod sd_jwt_read;
mod status;
mod support;
#[path = "../../../../vectors/refusals.rs"]
mod tampering;
mod type_metadata;
mod vc;
mod vectors;
