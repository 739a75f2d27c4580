//! Each rule of a credential: one thing is altered, exactly its error is expected.

#![allow(clippy::unwrap_used, reason = "a test ends where something is missing")]

mod status;
