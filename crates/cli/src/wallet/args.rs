//! The wallet's part of the command line.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// The command-line wallet.
#[derive(Debug, Args)]
pub struct WalletCommand {
    /// Directory of the wallet [default: realdid/wallet in the user's data directory].
    #[arg(long, env = "REALDID_WALLET", global = true)]
    pub wallet: Option<PathBuf>,
    /// File whose first line is the passphrase [default: $REALDID_WALLET_PASSPHRASE, or a prompt].
    #[arg(long, global = true)]
    pub passphrase_file: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub action: Action,
}

/// What to do with the wallet.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Make a wallet for a network.
    Init(Init),
    /// Be proofed by the authority and draw the first real-name tokens.
    Enrol(Enrol),
    /// The DIDs of the wallet.
    #[command(subcommand)]
    Did(DidAction),
    /// Take a credential that an issuer offers.
    Offer(Offer),
    /// The credentials of the wallet.
    #[command(subcommand)]
    Credential(CredentialAction),
    /// Log in at a website.
    Login(Login),
    /// Show credentials to who asks for them.
    Present(Present),
    /// What the wallet did.
    History,
    /// What is left of the quota at the authority.
    Quota,
    /// Write an encrypted backup.
    Backup(Backup),
    /// Make a wallet from a backup.
    Restore(Restore),
}

/// Make a wallet for a network.
#[derive(Debug, Args)]
pub struct Init {
    /// The network's charter, from a source you trust.
    #[arg(long)]
    pub charter: PathBuf,
    /// The node to ask about the ledger; of several, separated by commas, the next one if one is down.
    #[arg(long, default_value = "http://127.0.0.1:7300")]
    pub node: String,
    /// The authority to be proofed by.
    #[arg(long, default_value = "http://127.0.0.1:7310")]
    pub authority: String,
}

/// Be proofed by the authority and draw the first real-name tokens.
#[derive(Debug, Args)]
pub struct Enrol {
    /// Your name, as registered.
    #[arg(long, required_unless_present = "enrolment")]
    pub name: Option<String>,
    /// Your identity number.
    #[arg(long, required_unless_present = "enrolment")]
    pub number: Option<String>,
    /// Only have the code sent; go on later with --enrolment and --code.
    #[arg(long, conflicts_with_all = ["code", "code_from", "enrolment"])]
    pub start: bool,
    /// Go on with this enrolment.
    #[arg(long, requires = "code", conflicts_with_all = ["name", "number"], allow_hyphen_values = true)]
    pub enrolment: Option<String>,
    /// The one-time code that was sent to you [default: asked for].
    #[arg(long, conflicts_with = "code_from")]
    pub code: Option<String>,
    /// A shell command that prints the code.
    #[arg(long)]
    pub code_from: Option<String>,
    /// Do not fetch the real-name credential, only tokens.
    #[arg(long)]
    pub no_credential: bool,
    /// How many DIDs to prepare.
    #[arg(long, default_value_t = realdid_wallet::tokens::DEFAULT_POOL)]
    pub pool: u32,
}

/// Take a credential that an issuer offers.
#[derive(Debug, Args)]
pub struct Offer {
    /// The `openid-credential-offer:` link, or the address that shows it.
    pub url: String,
    /// The transaction code that the issuer sent you [default: asked for].
    #[arg(long, allow_hyphen_values = true)]
    pub tx_code: Option<String>,
    /// Agree without being asked, also to an issuer that is not accredited on this network.
    #[arg(long)]
    pub yes: bool,
    /// The name under which the issuer knows this wallet, if it wants to know it.
    #[arg(long)]
    pub client_id: Option<String>,
    /// How many one-time copies to ask for, at most.
    #[arg(long, default_value_t = realdid_wallet::issuance::DEFAULT_COPIES)]
    pub copies: usize,
    /// Where the browser is to come back to; the address it comes back with is then asked for
    /// [default: a port of this machine, which the wallet listens to].
    #[arg(long)]
    pub redirect_uri: Option<String>,
    /// Do not wait for an issuer that needs time; go on later with `credential refresh`.
    #[arg(long)]
    pub no_wait: bool,
}

/// The credentials of the wallet.
#[derive(Debug, Subcommand)]
pub enum CredentialAction {
    /// List them: type, issuer, copies left, expiry, status.
    List {
        /// Ask status lists and the ledger first.
        #[arg(long)]
        check: bool,
    },
    /// Show one, with its claims.
    Show {
        /// Its number, from `credential list`.
        id: u32,
        /// Ask its status list and the ledger first.
        #[arg(long)]
        check: bool,
    },
    /// Fetch fresh copies, and what issuers had put off; without a number, ask all status lists, too.
    Refresh(Refresh),
    /// Remove one with its keys, for good.
    Remove {
        /// Its number, from `credential list`.
        id: u32,
        /// Agree without being asked.
        #[arg(long)]
        yes: bool,
    },
}

/// Fetch fresh copies.
#[derive(Debug, Args)]
pub struct Refresh {
    /// Its number, from `credential list` [default: every one that is used up or expires soon].
    pub id: Option<u32>,
    /// Agree without being asked, should the issuer no longer be accredited.
    #[arg(long)]
    pub yes: bool,
    /// How many one-time copies to ask for, at most.
    #[arg(long, default_value_t = realdid_wallet::issuance::DEFAULT_COPIES)]
    pub copies: usize,
}

/// The DIDs of the wallet.
#[derive(Debug, Subcommand)]
pub enum DidAction {
    /// List them: who knows each, how it stands, when its token lapses.
    List {
        /// Ask the ledger about the published ones first.
        #[arg(long)]
        refresh: bool,
    },
    /// Prepare more DIDs for new websites; uses quota.
    Create {
        /// How many.
        #[arg(long, default_value_t = 1)]
        count: u32,
    },
    /// Put a DID on the ledger, so that its keys can be changed.
    Publish(Change),
    /// Replace the keys of a published DID; the old ones are worth nothing afterwards.
    Rotate(Change),
    /// Replace all keys by the recovery key, after the network's delay.
    Recover(Recover),
    /// End a DID for good.
    Deactivate(Deactivate),
    /// Draw a fresh token for a DID; uses quota.
    Renew(Renew),
    /// Cancel somebody's recovery of your DID, once.
    Veto(Change),
}

/// A change of one DID.
#[derive(Debug, Args)]
pub struct Change {
    /// The DID.
    pub did: String,
}

/// Recover a DID.
#[derive(Debug, Args)]
pub struct Recover {
    /// The DID.
    pub did: String,
    /// Stay until the recovery has taken effect.
    #[arg(long)]
    pub wait: bool,
}

/// End a DID.
#[derive(Debug, Args)]
pub struct Deactivate {
    /// The DID.
    pub did: String,
    /// Use the next keys instead of the recovery key: takes the delay, and a recovery cancels it.
    #[arg(long)]
    pub slow: bool,
}

/// Renew a DID.
#[derive(Debug, Args)]
pub struct Renew {
    /// The DID; several are possible.
    #[arg(required_unless_present = "all")]
    pub did: Vec<String>,
    /// Every DID whose token is not of the current epoch.
    #[arg(long, conflicts_with = "did")]
    pub all: bool,
    /// Attach the token on the ledger, too (published DIDs only).
    #[arg(long)]
    pub on_ledger: bool,
}

/// What is disclosed to who asks.
#[derive(Debug, Args)]
pub struct Disclosure {
    /// Agree without being asked.
    #[arg(long)]
    pub yes: bool,
    /// Keep this claim back, such as `birthdate` or `address.city`, or leave out this optional part of
    /// the request; several are possible.
    #[arg(long, value_name = "CLAIM")]
    pub without: Vec<String>,
    /// Show this credential and no other in its place, by its number; several are possible.
    #[arg(long, value_name = "ID")]
    pub credential: Vec<u32>,
    /// Leave out everything that is optional.
    #[arg(long)]
    pub only_required: bool,
    /// Answer even if who asks is not registered to ask for all of it.
    #[arg(long)]
    pub despite_over_asking: bool,
    /// Answer even if nothing proves who asks: the request is not signed.
    #[arg(long)]
    pub despite_no_proof: bool,
}

/// Log in.
#[derive(Debug, Args)]
pub struct Login {
    /// The `openid4vp:` link, or the address of the page that shows it.
    pub url: String,
    /// What is disclosed.
    #[command(flatten)]
    pub disclosure: Disclosure,
    /// Use this DID instead of the one the wallet chooses.
    #[arg(long)]
    pub did: Option<String>,
}

/// Show credentials.
#[derive(Debug, Args)]
pub struct Present {
    /// The `openid4vp:` link (or `haip-vp:`, or a wallet's web address with the same parameters), or the
    /// address of the page that shows it.
    pub url: String,
    /// What is disclosed.
    #[command(flatten)]
    pub disclosure: Disclosure,
    /// If a login is asked for, too: use this DID.
    #[arg(long)]
    pub did: Option<String>,
}

/// Write a backup.
#[derive(Debug, Args)]
pub struct Backup {
    /// File to write; it must not exist.
    pub file: PathBuf,
    /// File whose first line is another passphrase for the backup [default: the wallet's].
    #[arg(long)]
    pub backup_passphrase_file: Option<PathBuf>,
}

/// Make a wallet from a backup.
#[derive(Debug, Args)]
pub struct Restore {
    /// The backup.
    pub file: PathBuf,
    /// File whose first line is the backup's passphrase [default: the wallet's].
    #[arg(long)]
    pub backup_passphrase_file: Option<PathBuf>,
}
