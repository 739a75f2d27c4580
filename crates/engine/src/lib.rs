//! The consensus engine of a consortium member: orders operations, executes them, keeps blocks and
//! state, and proves both.
//!
//! A validator is made of commonware's actors: Simplex consensus with BLS12-381 threshold
//! certificates, marshal for the delivery of final blocks, and a QMDB that holds the state. They
//! run on a thread of their own; [`Engine`] is the handle. No type of theirs is in this crate's
//! interface and nothing public is generic, so that its users don't rebuild them.
//!
//! * `wiring` puts the actors together, the same for production and the simulator, and says when a
//!   block is durable.
//! * `epochs` hands the network key from committee to committee, in epochs of a fixed number of blocks;
//!   `record` is what a block holds of it, `secrets` what each validator keeps of it, `committees` who is
//!   next, as the ledger has it.
//! * `founding` makes the network key together with the other founders, before there is a network.
//! * `application` executes blocks by the rules of `realdid-ledger`.
//! * `pacing` decides when to propose and which clocks to believe.
//! * `pool` holds what was received and is not ordered yet; `gossip` shares it among validators.
//! * `service` answers the node.
//!
//! A validator whose disk is lost must not come back with the same share: without its journal of
//! votes it could sign twice.

mod actors;
mod application;
mod applied;
mod block;
mod committees;
mod config;
mod directory;
mod engine;
mod epochs;
mod error;
mod founding;
mod gossip;
mod keys;
mod pacing;
mod pool;
mod record;
mod schemes;
mod secrets;
mod service;
mod state;
mod wiring;

#[cfg(test)]
mod adversary;
#[cfg(test)]
extern crate self as realdid_engine;
#[cfg(test)]
mod resharing;
#[cfg(test)]
mod simulated;
#[cfg(test)]
mod state_tests;
#[cfg(test)]
#[allow(
    dead_code,
    reason = "shared with the tests from the outside, which need more of it"
)]
#[path = "../tests/it/support.rs"]
mod support;

pub use config::{EngineConfig, ValidatorKeys};
pub use engine::{Engine, EngineStopper, FinalizedBlock, MAX_KEYS, Proven, ProvenPrefix, Snapshot, Status};
pub use error::{EngineError, PoolRefusal};
pub use founding::{
    Conclude, Founded, Founder, FoundingConfig, FoundingNews, JudgeConclusion, JudgeHello, MAX_STATEMENT,
    MadeKey, Statements, Tell, check_logs, found, founding_namespace,
};
pub use keys::{DealtKey, MAX_VALIDATORS, deal, link_public_key, network_key};
pub use schemes::Standing;
