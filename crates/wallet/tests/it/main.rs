//! The wallet from outside: derivation and storage.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod derivation;
mod storage;
