//! The credential issuer as a wallet sees it: the real router over a real database.

mod authorizing;
mod bound;
mod browser;
mod deferred;
mod described;
mod documents;
mod flow;
mod limits;
mod operators;
mod pages;
mod status;
mod tokens;
mod two_processes;
pub mod wallet;
mod world;
