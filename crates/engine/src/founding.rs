//! Founding: those who will validate make the network key together, so that nobody ever holds it.
//!
//! The engine's one-shot ceremony ([`commonware_glue::dkg::bootstrap`]) begins with a quorum, and who is
//! late then has its share published. So there is a gate before it: everybody says hello over the
//! authenticated links, and it begins when all have. Each hello carries a statement, which the caller
//! judges (a signature under the charter's draft). After it everybody states the outcome (a signature
//! under the charter), and nobody leaves before everybody has said that it has all of it.

mod ceremony;
mod gate;
mod outcome;

pub use ceremony::found;
pub use outcome::{check_logs, founding_namespace};

use realdid_crypto::Hash;
use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};
use zeroize::Zeroizing;

/// Longest statement, in bytes.
pub const MAX_STATEMENT: usize = 1_024;

/// Somebody who founds.
#[derive(Clone, Debug)]
pub struct Founder {
    /// Public link key, 32 bytes.
    pub link_key: [u8; 32],
    /// Where it is reached: `host:port`.
    pub address: String,
}

/// What a founder's ceremony is started with.
#[derive(Clone)]
pub struct FoundingConfig {
    /// Directory of the ceremony's own data: to be removed when the founding is over.
    pub storage_dir: PathBuf,
    /// Directory of the later engine's data ([`EngineConfig::storage_dir`](crate::EngineConfig::storage_dir)):
    /// the share is kept there, and nowhere else.
    pub ledger_dir: PathBuf,
    /// Seed of this founder's link key.
    pub link_key: Zeroizing<[u8; 32]>,
    /// Where this founder listens for the others.
    pub listen: SocketAddr,
    /// Whether private and loopback addresses are reached. For sandboxes.
    pub local_network: bool,
    /// What the ceremony is bound to: another draft, another ceremony.
    pub draft: Hash,
    /// All founders, in the order of the charter.
    pub founders: Vec<Founder>,
    /// How long to wait for the others in the end, when this founder itself has everything.
    pub linger: Duration,
}

/// What the founders made together.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MadeKey {
    /// The public outcome: for the charter.
    pub outcome: Vec<u8>,
    /// The 96-byte network key.
    pub network_key: [u8; 96],
}

/// What is reported while it runs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum FoundingNews {
    /// These founders, by number, have not said hello yet.
    Missing(Vec<usize>),
    /// All are there; the key is being made.
    Begun,
    /// The key is made; these founders' statements about it are missing.
    Concluding(Vec<usize>),
}

/// Whether a founder's hello holds.
pub type JudgeHello = Arc<dyn Fn(usize, &[u8]) -> bool + Send + Sync>;
/// A founder's statement about the key.
pub type Conclude = Arc<dyn Fn(&MadeKey) -> Vec<u8> + Send + Sync>;
/// Whether a founder's statement about the key holds.
pub type JudgeConclusion = Arc<dyn Fn(&MadeKey, usize, &[u8]) -> bool + Send + Sync>;
/// Takes news.
pub type Tell = Arc<dyn Fn(FoundingNews) + Send + Sync>;

/// What the founders say to each other, as the caller sees it. Founders are named by their number.
#[derive(Clone)]
pub struct Statements {
    /// This founder's statement before it begins, at most [`MAX_STATEMENT`] bytes.
    pub hello: Vec<u8>,
    /// Whether a founder's hello holds.
    pub hello_holds: JudgeHello,
    /// This founder's statement about the key.
    pub conclude: Conclude,
    /// Whether a founder's statement about the key holds.
    pub conclusion_holds: JudgeConclusion,
    /// Takes news.
    pub news: Tell,
}

/// What a founding led to.
#[derive(Clone, Debug)]
pub struct Founded {
    /// The key.
    pub key: MadeKey,
    /// The dealers' logs, which lead to it.
    pub logs: Vec<Vec<u8>>,
    /// The founders' hellos, in their order.
    pub hellos: Vec<Vec<u8>>,
    /// The founders' statements about the key, in their order.
    pub conclusions: Vec<Vec<u8>>,
    /// Founders who have not said that they have everything.
    pub unsure: Vec<usize>,
}
