//! The command line.

pub mod found;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::commands::governance::args::GovernanceCommand;
use crate::commands::organisation::OrganisationCommand;
use crate::wallet::args::WalletCommand;

/// Proofed once, pseudonymous everywhere: every role of a RealDID network in one program.
///
/// Exit codes: 0 well, 1 refused or a failed check, 2 wrong usage, 3 somebody cannot be reached,
/// 4 a problem of this machine (wallet, configuration, file).
#[derive(Debug, Parser)]
#[command(name = "realdid", version, propagate_version = true)]
pub struct Arguments {
    /// Print results as JSON on standard output, failures as JSON on standard error.
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Found a network.
    #[command(subcommand)]
    Network(NetworkCommand),
    /// What the consortium decides: who is accredited, and who may issue or ask for what.
    #[command(subcommand)]
    Governance(GovernanceCommand),
    /// An organisation's DID, before the consortium accredits it.
    #[command(subcommand)]
    Organisation(OrganisationCommand),
    /// A member's node: orders operations, proves state, resolves DIDs.
    #[command(subcommand)]
    Node(NodeCommand),
    /// A proofing authority: knows people, gives tokens that do not say who.
    #[command(subcommand)]
    Authority(AuthorityCommand),
    /// An issuer of credentials: any accredited organisation, from a configuration file.
    #[command(subcommand)]
    Issuer(IssuerCommand),
    /// A sign-in server: an OpenID Connect provider for websites.
    #[command(subcommand)]
    Signin(SigninCommand),
    /// Ask holders for credentials, as a website that is registered at a sign-in server.
    #[command(subcommand)]
    Verifier(crate::commands::verifier::VerifierCommand),
    /// The web wallet: a page that keeps its keys in the browser.
    #[command(subcommand)]
    WebWallet(WebWalletCommand),
    /// The command-line wallet.
    Wallet(WalletCommand),
    /// Show the document of a DID.
    Resolve(ResolveCommand),
    /// Check a saved proof, offline.
    Verify(VerifyCommand),
    /// Ask a node how it and the ledger are.
    Status(StatusCommand),
    /// Say what a code means and what to do about it.
    Explain(ExplainCommand),
    /// Print a completion script for a shell.
    Completions(CompletionsCommand),
}

/// The web wallet.
#[derive(Debug, Subcommand)]
pub enum WebWalletCommand {
    /// Run until SIGINT or SIGTERM.
    Run(RunOptions),
}

/// Found a network.
#[derive(Debug, Subcommand)]
pub enum NetworkCommand {
    /// Rehearse on one machine: make a charter, all keys and all configurations. A sandbox.
    Init(NetworkInit),
    /// Found a network with others: the key is made together, nobody ever holds it.
    #[command(subcommand)]
    Found(found::FoundCommand),
    /// Check the transcript of a founding: draft, keys, dealers' logs, outcome, signatures.
    Check {
        /// The transcript.
        transcript: PathBuf,
        /// The charter that the transcript must lead to.
        #[arg(long)]
        charter: Option<PathBuf>,
    },
}

/// Make a charter, all keys and all configurations for one machine.
#[derive(Debug, Args)]
pub struct NetworkInit {
    /// Directory to make; it must not exist.
    #[arg(long)]
    pub dir: PathBuf,
    /// Accepted for clarity: a sandbox is the only kind of network that one person can found.
    #[arg(long)]
    pub sandbox: bool,
    /// Name of the network, part of every DID: 2 to 16 lower-case letters, digits and hyphens.
    #[arg(long, default_value = "sandbox")]
    pub name: String,
    /// First port: node here, its peers at +1, authority at +10, licence issuer at +11, sign-in at +20 and
    /// on, the web wallet at +30, sites from +31, further nodes and their peers from +40.
    #[arg(long, default_value_t = 7300)]
    pub port_base: u16,
    /// How many sign-in servers, 1 to 10.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=10))]
    pub signins: u16,
    /// How many nodes vote: 1, 4, 7 or 10, of which 0, 1, 2 or 3 may fail. This machine deals all shares
    /// of the network key.
    #[arg(long, default_value_t = 1, value_parser = validators)]
    pub validators: u16,
    /// Blocks of a consensus epoch: in each the shares of the network key are dealt anew, and a new
    /// committee needs three. Without it, 17280: a day when idle. At least 40; short ones are for tests.
    #[arg(long, default_value_t = 17_280, value_parser = clap::value_parser!(u64).range(40..=1 << 32))]
    pub epoch_blocks: u64,
    /// How many people the register will have; only noted in the configuration's comment.
    #[arg(long, default_value_t = 1000)]
    pub people: u64,
}

/// 3f + 1 validators, of which f may fail; the ports leave room for ten.
fn validators(text: &str) -> Result<u16, &'static str> {
    match text.parse() {
        Ok(count @ (1 | 4 | 7 | 10)) => Ok(count),
        _ => Err("choose 1, 4, 7 or 10"),
    }
}

/// How a service runs.
#[derive(Debug, Args)]
pub struct RunOptions {
    /// The configuration file.
    #[arg(long)]
    pub config: PathBuf,
    /// Stop when standard input ends: for supervisors.
    #[arg(long)]
    pub exit_with_parent: bool,
}

/// A member's node.
#[derive(Debug, Subcommand)]
pub enum NodeCommand {
    /// Make keys and configuration for a node of a network that runs: it follows, until it is admitted.
    Init(NodeInit),
    /// Run until SIGINT or SIGTERM.
    Run(RunOptions),
}

/// Make keys and configuration for a node of a network that runs.
#[derive(Debug, Args)]
pub struct NodeInit {
    /// Directory to make; it must not exist.
    #[arg(long)]
    pub dir: PathBuf,
    /// The network's charter, from a source you trust.
    #[arg(long, env = "REALDID_CHARTER")]
    pub charter: PathBuf,
    /// Where the HTTP interface listens.
    #[arg(long, default_value = "127.0.0.1:7300")]
    pub listen: std::net::SocketAddr,
    /// Under which address the world knows the node: https, or http on a sandbox's loopback. Without it,
    /// the one it listens on.
    #[arg(long)]
    pub public_url: Option<String>,
    /// Where the node listens for validators.
    #[arg(long, default_value = "0.0.0.0:7301")]
    pub p2p_listen: std::net::SocketAddr,
}

/// A proofing authority.
#[derive(Debug, Subcommand)]
pub enum AuthorityCommand {
    /// Run until SIGINT or SIGTERM.
    Run(RunOptions),
    /// Fill the register with synthetic people, the same ones for the same seed.
    Generate {
        /// The configuration file.
        #[arg(long)]
        config: PathBuf,
        /// How many people.
        #[arg(long)]
        people: u64,
        /// Which people.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Show somebody of the register.
    Person {
        /// The configuration file.
        #[arg(long)]
        config: PathBuf,
        /// Anybody.
        #[arg(long, required = true)]
        random: bool,
    },
    /// Begin the next epoch now (sandbox only; the authority must run).
    AdvanceEpoch {
        /// The configuration file.
        #[arg(long)]
        config: PathBuf,
    },
}

/// An issuer of credentials. All commands but `run` ask the running issuer, by the operators' secret
/// beside its configuration.
#[derive(Debug, Subcommand)]
pub enum IssuerCommand {
    /// Run until SIGINT or SIGTERM.
    Run(RunOptions),
    /// Offer a record's holder credentials: prints a link for wallets.
    Offer(IssuerOffer),
    /// Take back what was issued for a record and offer it anew.
    Reissue(IssuerOffer),
    /// Take credentials back, for good.
    Revoke(IssuerTarget),
    /// Put credentials out of force until they are reinstated.
    Suspend(IssuerTarget),
    /// Put suspended credentials in force again.
    Reinstate(IssuerTarget),
    /// List what was issued.
    List(IssuerQuestion),
    /// Show what was done, by whom and when.
    Audit(IssuerQuestion),
    /// List requests that wait for approval.
    Waiting {
        /// The configuration file.
        #[arg(long)]
        config: PathBuf,
    },
    /// Approve a request that waits.
    Approve(IssuerDecision),
    /// Deny a request that waits.
    Deny(IssuerDecision),
}

/// What to offer, to whom.
#[derive(Debug, Args)]
pub struct IssuerOffer {
    /// The configuration file.
    #[arg(long)]
    pub config: PathBuf,
    /// Name of the record in the issuer's data, e.g. a licence number.
    #[arg(long, visible_alias = "subject")]
    pub record: String,
    /// Which credential of the configuration; several are possible, the first one if none is named.
    #[arg(long, visible_alias = "type")]
    pub credential: Vec<String>,
    /// Ask for a code besides, which is printed: give it to the holder by another way than the link.
    #[arg(long)]
    pub tx_code: bool,
    /// Print the link as a QR code, too.
    #[arg(long)]
    pub qr: bool,
}

/// What to change.
#[derive(Debug, Args)]
pub struct IssuerTarget {
    /// The configuration file.
    #[arg(long)]
    pub config: PathBuf,
    /// Everything issued for this record.
    #[arg(long, visible_alias = "subject", required_unless_present = "issuance")]
    pub record: Option<String>,
    /// Only this credential of the configuration.
    #[arg(long, visible_alias = "type")]
    pub credential: Option<String>,
    /// One issuance, as listed.
    #[arg(long, conflicts_with = "record", allow_hyphen_values = true)]
    pub issuance: Option<String>,
}

/// What to show.
#[derive(Debug, Args)]
pub struct IssuerQuestion {
    /// The configuration file.
    #[arg(long)]
    pub config: PathBuf,
    /// Only what concerns this record.
    #[arg(long, visible_alias = "subject")]
    pub record: Option<String>,
}

/// Which request.
#[derive(Debug, Args)]
pub struct IssuerDecision {
    /// The configuration file.
    #[arg(long)]
    pub config: PathBuf,
    /// The request, as listed by `waiting`.
    #[arg(allow_hyphen_values = true)]
    pub id: String,
}

/// A sign-in server.
#[derive(Debug, Subcommand)]
pub enum SigninCommand {
    /// Run until SIGINT or SIGTERM.
    Run(RunOptions),
    /// The websites it serves.
    #[command(subcommand)]
    Client(ClientCommand),
}

/// The websites a sign-in server serves.
#[derive(Debug, Subcommand)]
pub enum ClientCommand {
    /// Register a website; prints its credentials once.
    Add(Box<crate::commands::signin::ClientAdd>),
    /// List the websites.
    List {
        /// The configuration file.
        #[arg(long)]
        config: PathBuf,
    },
}

/// Show the document of a DID.
#[derive(Debug, Args)]
pub struct ResolveCommand {
    /// The DID, short or long form.
    pub did: String,
    /// The node to ask; of several, separated by commas, the next one if one is down.
    #[arg(long, env = "REALDID_NODE", default_value = "http://127.0.0.1:7300")]
    pub node: String,
    /// The network's charter: the answer is then proved, not believed.
    #[arg(long)]
    pub charter: Option<PathBuf>,
    /// Save a proof file for `realdid verify`.
    #[arg(long)]
    pub save_proof: Option<PathBuf>,
}

/// Check a saved proof, offline.
#[derive(Debug, Args)]
pub struct VerifyCommand {
    /// The proof file.
    pub file: PathBuf,
    /// The charter of the network that is believed.
    #[arg(long, required_unless_present = "network_key")]
    pub charter: Option<PathBuf>,
    /// The network key that is believed, 192 hexadecimal digits.
    #[arg(long, conflicts_with = "charter")]
    pub network_key: Option<String>,
}

/// Ask a node how it and the ledger are.
#[derive(Debug, Args)]
pub struct StatusCommand {
    /// The node to ask; of several, separated by commas, the next one if one is down.
    #[arg(long, env = "REALDID_NODE", default_value = "http://127.0.0.1:7300")]
    pub node: String,
}

/// Say what a code means and what to do about it.
#[derive(Debug, Args)]
pub struct ExplainCommand {
    /// The code; without it, all are listed.
    pub code: Option<String>,
}

/// Print a completion script for a shell.
#[derive(Debug, Args)]
pub struct CompletionsCommand {
    /// Which shell.
    pub shell: clap_complete::Shell,
}
