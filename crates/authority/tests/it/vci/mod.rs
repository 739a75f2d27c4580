//! The credential issuer as a wallet sees it: the real router over a real database.

mod authorizing;
mod bound;
mod described;
mod flow;
mod operators;
mod tokens;
mod two_processes;
pub mod wallet;
mod world;
