//! Tests of identifiers, inceptions, operations, entries and of what may follow what.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod arbitrary;
mod document;
mod encodings;
mod entry;
mod follow;
#[path = "../../../../vectors/frozen.rs"]
mod frozen;
mod holder;
mod identifier;
mod inception;
mod operation;
mod theft;
mod vectors;
