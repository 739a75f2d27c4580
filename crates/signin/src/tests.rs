//! The sign-in server over HTTP, on SQLite and PostgreSQL, without a node: every way to be refused,
//! and that the next good request works. Whole logins against a running ledger are in `realdid`'s
//! own tests.

mod asking;
mod authorize;
mod login;
mod outside;
mod presentations;
mod presenter;
mod scopes;
mod support;
mod token;
mod two_processes;
mod wallet;
