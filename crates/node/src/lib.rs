//! A consortium member's node: it admits operations, runs the consensus engine, indexes final
//! blocks, proves state and resolves DIDs.
//!
//! * [`config`]: what a node is told, and the files it reads.
//! * `admission`: what happens to an operation before it may wait for its turn.
//! * `index`: where an operation or a document stands, rebuilt from blocks whenever it is lost.
//! * `pending`: what was received and is not final, and who waits for it.
//! * `disk`: what a node says when there is no space left.
//! * `part`: what part the node has in consensus.
//! * `explorer`: pages for people who look around;
//! * `api`: the HTTP interface; `resolver`: the DID Resolution binding.
//!
//! `received` promises nothing. `finalized` is said of an operation only after it was seen in a
//! final, durable block and indexed. The two are never confused: there is one function that says
//! `finalized`, and it asks the index.
//!
//! What is never here: personal data, or anything made from it.

#![allow(clippy::disallowed_methods, reason = "a shell owns its clock and randomness")]

mod admission;
mod api;
pub mod config;
mod disk;
mod error;
mod explorer;
mod index;
mod ledger_view;
mod measure;
mod node;
mod part;
mod pending;
mod resolver;
mod timestamp;

pub use config::NodeConfig;
pub use error::NodeError;
pub use node::{RunningNode, start};

/// What founding takes: the ceremony among founders, for a sandbox the dealt network key; and public
/// parts, as bytes.
pub mod founding {
    pub use realdid_engine::{
        DealtKey, EngineError, Founded, Founder, FoundingConfig, FoundingNews, MadeKey, Statements,
        check_logs, deal, found, link_public_key, network_key,
    };
}
