//! The verdict about credentials: one thing is altered, exactly its refusal is expected, and then the
//! untouched credential passes. Real keys, certificates, credentials and status lists throughout. And
//! logins with their verdicts, for others to compare.

#![allow(clippy::unwrap_used, reason = "a test ends where something is missing")]

mod credentials;
#[path = "../../../../vectors/frozen.rs"]
mod frozen;
mod logins;
#[path = "../../../../vectors/refusals.rs"]
mod tampering;
