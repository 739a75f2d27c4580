//! What every server of RealDID shares: configuration files, telemetry, problem details, limits,
//! health, shutdown and the clock. It knows nothing of identities.
//!
//! A server is built in one visible list of steps:
//! load its file ([`config::load`]), [`telemetry::init`], make its router, [`layers::harden`] it,
//! and [`serve::serve`] until [`shutdown::Shutdown`] fires.
//!
//! What never happens here: a request's own path, query, body or address reaching a log or a
//! metric; only the route's pattern does.

#![allow(clippy::disallowed_methods, reason = "a shell owns its clock and randomness")]

pub mod clock;
pub mod config;
pub mod health;
pub mod language;
pub mod layers;
pub mod network;
pub mod problem;
pub mod public_url;
pub mod rate_limit;
pub mod serve;
pub mod shutdown;
pub mod telemetry;

pub use clock::{now_ms, now_seconds};
pub use layers::{ClientIp, Hardening, Limits, harden};
pub use problem::Problem;
pub use public_url::{PublicUrl, PublicUrlError};
pub use rate_limit::RateLimiter;
pub use serve::serve;
pub use shutdown::Shutdown;
