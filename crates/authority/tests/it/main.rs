//! The authority on a real database: each test on SQLite and on PostgreSQL.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test stops at what it did not expect"
)]

mod codes;
mod delivery;
mod http;
mod keys;
mod people;
mod quota;
mod requests;
mod support;
mod two_at_once;
mod vci;
