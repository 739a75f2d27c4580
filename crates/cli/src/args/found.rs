//! The command line of `realdid network found`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Found a network with others: the key is made together, nobody ever holds it.
///
/// Each founder: `keys`, and gives its public file to the others; somebody: `draft`; each founder: `sign`,
/// and all at the same time `run`. It leaves the charter, a transcript for `network check`, and a node.
#[derive(Debug, Subcommand)]
pub enum FoundCommand {
    /// Make this founder's keys and its public file.
    Keys(FoundKeys),
    /// Make the charter's draft out of everybody's public files.
    Draft(FoundDraft),
    /// Sign the draft, after having read it.
    Sign {
        /// This founder's directory.
        #[arg(long)]
        dir: PathBuf,
        /// The draft.
        #[arg(long)]
        draft: PathBuf,
        /// Sign without being asked.
        #[arg(long)]
        yes: bool,
    },
    /// Make the network key with all other founders, and sign the charter. It waits for everybody.
    Run(FoundRun),
}

/// Make this founder's keys and its public file.
#[derive(Debug, Args)]
pub struct FoundKeys {
    /// Directory to make; it must not exist.
    #[arg(long)]
    pub dir: PathBuf,
    /// Name of the organisation.
    #[arg(long)]
    pub name: String,
    /// Where the others reach this founder's node: `host:port`.
    #[arg(long)]
    pub address: String,
}

/// Make the charter's draft out of everybody's public files.
#[derive(Debug, Args)]
pub struct FoundDraft {
    /// The founders' public files, in the order of the charter.
    #[arg(required = true)]
    pub public: Vec<PathBuf>,
    /// Where the draft is written.
    #[arg(long)]
    pub out: PathBuf,
    /// Name of the network, part of every DID: 2 to 16 lower-case letters, digits and hyphens.
    #[arg(long)]
    pub network: String,
    /// How many members must sign a decision. Without it, more than half.
    #[arg(long)]
    pub threshold: Option<u16>,
    /// Blocks of a consensus epoch: at least 4 for each validator of the largest committee.
    #[arg(long, default_value_t = 17_280)]
    pub epoch_blocks: u64,
    /// Most validators a committee may have.
    #[arg(long, default_value_t = 10)]
    pub max_validators: u16,
    /// A place for a first service, `ROLE:KEY:NAME`: authority, signin, issuer or verifier, and its key as
    /// multibase. Several are possible.
    #[arg(long)]
    pub seat: Vec<String>,
    /// Loopback and short delays, for rehearsals.
    #[arg(long)]
    pub sandbox: bool,
}

/// Make the network key with all other founders.
#[derive(Debug, Args)]
pub struct FoundRun {
    /// This founder's directory, with its keys and the signed draft.
    #[arg(long)]
    pub dir: PathBuf,
    /// Where this founder listens for the others, now and as a node.
    #[arg(long, default_value = "0.0.0.0:7301")]
    pub p2p_listen: SocketAddr,
    /// Where the node's HTTP interface will listen.
    #[arg(long, default_value = "127.0.0.1:7300")]
    pub listen: SocketAddr,
    /// Under which address the world will know the node. Without it, the one it listens on.
    #[arg(long)]
    pub public_url: Option<String>,
}
