//! A node from the outside: real engine, real files, real HTTP on a free port.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::too_many_lines,
    reason = "a test fails by panicking, draws its own keys, and tells a story from start to end"
)]

mod admission;
mod api;
mod decisions;
mod explorer;
mod lifecycle;
mod proofs;
mod resolver;
mod support;
mod tokens;
