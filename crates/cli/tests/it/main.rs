//! Tests of the whole system through the `realdid` program: real processes, real network.

#![allow(clippy::disallowed_methods, reason = "tests read the clock and draw seeds")]
#![allow(clippy::unwrap_used, reason = "a test ends where something is missing")]

mod bad_days;
mod browser;
mod commands;
mod committees;
mod country;
mod exchanged;
mod founding;
mod governance;
mod history;
mod holder;
mod kill;
mod kill_several;
mod monitoring;
mod people;
mod presenting;
mod proof_file;
mod several;
mod shared_values;
mod support;
mod unlinkability;
mod witness;
