//! The command line of `realdid governance`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use realdid_crypto::Hash;
use realdid_did::Did;
use realdid_ledger::{RightKind, Role};

/// What the consortium decides, by as many members as the charter asks for.
///
/// With enough `--member-key`s a command decides at once. Else `--save` keeps the proposal in a file
/// that goes from member to member: `governance sign`, and in the end `governance submit`.
#[derive(Debug, Subcommand)]
pub enum GovernanceCommand {
    /// Accredit an organisation whose DID is on the ledger.
    Accredit {
        /// Its DID.
        did: Did,
        /// What it may do.
        #[arg(long)]
        role: RoleName,
        /// Its name, shown to holders.
        #[arg(long)]
        name: String,
        #[command(flatten)]
        by: DecideOptions,
    },
    /// Suspend an accreditation; its rights rest until it is reinstated.
    Suspend(Subject),
    /// End a suspension.
    Reinstate(Subject),
    /// Strike off an organisation, for good; its rights end from that height on.
    StrikeOff(Subject),
    /// Grant an accredited organisation the right to issue or to ask for a type of credential.
    Grant {
        #[command(flatten)]
        right: RightOptions,
        /// For a right to ask: a claim that may be asked for, as a name or as a path in JSON such as
        /// `["address","country"]`. Several are possible; without it, any claim.
        #[arg(long)]
        claim: Vec<String>,
        #[command(flatten)]
        by: DecideOptions,
    },
    /// Revoke a right.
    RevokeGrant {
        #[command(flatten)]
        right: RightOptions,
        #[command(flatten)]
        by: DecideOptions,
    },
    /// Revoke an authority's epoch key.
    RevokeEpochKey {
        /// The key's identifier, 64 hexadecimal digits.
        #[arg(value_parser = hash)]
        id: Hash,
        #[command(flatten)]
        by: DecideOptions,
    },
    /// Who validates: show it, make a validator known, set the committee.
    #[command(subcommand)]
    Committee(CommitteeCommand),
    /// Show how an organisation stands, by proof.
    Show {
        /// Its DID.
        did: Did,
        /// Name of a type of credential, which is shown by its hash else; several are possible.
        #[arg(long = "type")]
        types: Vec<String>,
        #[command(flatten)]
        at: NetworkOptions,
    },
    /// Sign a saved proposal.
    Sign {
        /// The proposal's file; the signature is added to it.
        proposal: PathBuf,
        /// The network's charter, from a source you trust.
        #[arg(long, env = "REALDID_CHARTER")]
        charter: PathBuf,
        /// A member's key file; several are possible.
        #[arg(long, required = true)]
        member_key: Vec<PathBuf>,
        /// Sign without being asked.
        #[arg(long)]
        yes: bool,
    },
    /// Submit a saved proposal that enough members signed.
    Submit {
        /// The proposal's file.
        proposal: PathBuf,
        #[command(flatten)]
        at: NetworkOptions,
    },
}

/// Who validates, by consensus epochs: a fixed number of blocks each. A committee gets shares of the network
/// key in the first epoch it is set for, and signs from the next on.
#[derive(Debug, Subcommand)]
pub enum CommitteeCommand {
    /// Show who validates now and later, by proof.
    Show {
        #[command(flatten)]
        at: NetworkOptions,
    },
    /// Make a validator known, so that it may follow and be admitted; or move a known one.
    Validator {
        /// Public key of its links, as `realdid node init` prints it: 64 hexadecimal digits.
        #[arg(value_parser = hash)]
        link_key: Hash,
        /// Name of the organisation that runs it.
        #[arg(long)]
        name: String,
        /// Where its peers reach it: `host:port`.
        #[arg(long)]
        address: String,
        /// From which consensus epoch on it is reached there: 3 ahead or more; 4 ahead if left out.
        #[arg(long)]
        from: Option<u64>,
        #[command(flatten)]
        by: DecideOptions,
    },
    /// Set the committee from a consensus epoch on: the newest one, with changes.
    Set(CommitteeOptions),
}

/// How the newest committee changes.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("change").required(true).multiple(true).args(["admit", "remove"]))]
pub struct CommitteeOptions {
    /// Link key of a known validator to admit; several are possible.
    #[arg(long, value_parser = hash)]
    pub admit: Vec<Hash>,
    /// Link key of a validator to remove; several are possible.
    #[arg(long, value_parser = hash)]
    pub remove: Vec<Hash>,
    /// From which consensus epoch on: 3 ahead or more; 4 ahead if left out.
    #[arg(long)]
    pub from: Option<u64>,
    #[command(flatten)]
    pub by: DecideOptions,
}

/// Whose accreditation it is.
#[derive(Debug, Args)]
pub struct Subject {
    /// The organisation's DID.
    pub did: Did,
    #[command(flatten)]
    pub by: DecideOptions,
}

/// Which right.
#[derive(Debug, Args)]
pub struct RightOptions {
    /// The organisation's DID.
    pub did: Did,
    /// What it may do.
    pub kind: RightName,
    /// The type of credential: its `vct`.
    pub vct: String,
}

/// Which network, and whom to ask.
#[derive(Debug, Args)]
pub struct NetworkOptions {
    /// The network's charter, from a source you trust.
    #[arg(long, env = "REALDID_CHARTER")]
    pub charter: PathBuf,
    /// The node to ask; of several, separated by commas, the next one if one is down.
    #[arg(long, env = "REALDID_NODE", default_value = "http://127.0.0.1:7300")]
    pub node: String,
}

/// Who decides.
#[derive(Debug, Args)]
pub struct DecideOptions {
    #[command(flatten)]
    pub at: NetworkOptions,
    /// A member's key file; several are possible.
    #[arg(long, required_unless_present = "save")]
    pub member_key: Vec<PathBuf>,
    /// Keep the proposal in this file for other members to sign, and submit nothing.
    #[arg(long)]
    pub save: Option<PathBuf>,
}

/// What an organisation is accredited as.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum RoleName {
    /// Proofs persons and gives real-name tokens.
    Authority,
    /// Asks holders to log in, for websites it sponsors.
    Signin,
    /// Issues credentials of the types it is granted.
    Issuer,
    /// Asks for credentials of the types it is granted.
    Verifier,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Authority => Self::Authority,
            RoleName::Signin => Self::Signin,
            RoleName::Issuer => Self::Issuer,
            RoleName::Verifier => Self::Verifier,
        }
    }
}

/// What a right is to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RightName {
    /// Issue credentials of the type (authorities, issuers).
    Issue,
    /// Ask holders for credentials of the type (sign-in servers, verifiers).
    Ask,
}

impl From<RightName> for RightKind {
    fn from(name: RightName) -> Self {
        match name {
            RightName::Issue => Self::Issue,
            RightName::Ask => Self::Ask,
        }
    }
}

fn hash(text: &str) -> Result<Hash, String> {
    Hash::from_hex(text).ok_or_else(|| "not 64 hexadecimal digits".to_owned())
}
