//! What the wallet remembers of its own deeds: for its holder, never for anybody else.
//!
//! Entries name sites, DIDs and operations, but no attribute of the holder.

use realdid_crypto::Hash;
use realdid_did::Did;

/// Most entries that are kept; the oldest go first.
pub const MAX_HISTORY: usize = 10_000;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct HistoryEntry {
    /// When, in Unix seconds.
    pub at: u64,
    /// What.
    #[serde(flatten)]
    pub event: Event,
}

/// What was shown of a credential: names, no values.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PresentedCredential {
    /// Its number.
    pub credential: u32,
    /// Its type.
    pub vct: String,
    /// The claims that were shown.
    pub claims: Vec<String>,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The wallet was made.
    Created,
    /// The authority took the account key.
    Enrolled {
        /// DID of the authority.
        authority: Did,
    },
    /// The authority signed DIDs it did not see.
    TokensDrawn {
        /// How many.
        count: usize,
        /// The epoch.
        epoch: u64,
    },
    /// A site got a login.
    LoggedIn {
        /// The site's name, as its sponsor states it.
        name: String,
        /// The site's `client_id`.
        client_id: String,
        /// The DID it knows the holder by.
        did: Did,
        /// What was given away.
        gave: String,
    },
    /// A login was not given, or not taken.
    LoginRefused {
        /// The site's `client_id`, as it says of itself.
        client_id: String,
        /// Who refused: `wallet`, `holder` or `site`.
        by: String,
        /// The reason's code.
        code: String,
    },
    /// Credentials were shown. Noted before they are sent: what was sent may have been read, whatever
    /// is answered to it.
    Presented {
        /// Who they were shown to: its name, as it was proved, or its own word.
        name: String,
        /// Its `client_id`.
        client_id: String,
        /// Whether the network knew it.
        registered: bool,
        /// What was shown.
        credentials: Vec<PresentedCredential>,
    },
    /// A request for credentials was not answered, or the answer not taken.
    PresentationRefused {
        /// The `client_id` of who asked, as it says of itself.
        client_id: String,
        /// Who refused: `wallet`, `holder` or `verifier`.
        by: String,
        /// The reason's code.
        code: String,
    },
    /// A change of a DID was proved final.
    Changed {
        /// The DID.
        did: Did,
        /// What was done, such as `rotate`.
        change: String,
        /// Hash of the operation.
        operation: Hash,
        /// Height at which it was seen final.
        height: u64,
    },
    /// A token for a later epoch was drawn.
    Renewed {
        /// The DID.
        did: Did,
        /// The token's epoch.
        epoch: u64,
    },
    /// A credential was received.
    CredentialReceived {
        /// Its number.
        credential: u32,
        /// Its type.
        vct: String,
        /// The issuer's identifier.
        issuer: String,
        /// How many copies came.
        copies: usize,
    },
    /// Fresh copies of a credential were received.
    CredentialRefreshed {
        /// Its number.
        credential: u32,
        /// How many copies came.
        copies: usize,
    },
    /// A credential was removed by its holder.
    CredentialRemoved {
        /// Its number.
        credential: u32,
        /// Its type.
        vct: String,
    },
    /// An offer of a credential was not taken.
    OfferRefused {
        /// The issuer's identifier.
        issuer: String,
        /// Who refused: `wallet`, `holder` or `issuer`.
        by: String,
        /// The reason's code.
        code: String,
    },
    /// A backup was written.
    BackedUp,
    /// The wallet was restored from a backup.
    Restored,
}
