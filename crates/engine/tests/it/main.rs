//! The engine from the outside: real sockets, real files.

#![allow(clippy::disallowed_methods, reason = "these tests own their clock")]

mod consortium;
mod kill;
mod proofs;
mod single;
#[allow(
    dead_code,
    reason = "shared with the crate's own tests, which need more of it"
)]
mod support;
