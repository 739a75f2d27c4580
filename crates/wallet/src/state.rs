//! What a wallet holds: one value that is written, encrypted, before and after every step.

use realdid_checks::passes;
use realdid_crypto::{Hash, base64url_decode, base64url_encode};
use realdid_did::{Did, Inception, Level};
use realdid_ledger::{Charter, CharterError, TrustAnchor};
use realdid_token::Token;
use zeroize::Zeroizing;

use crate::credentials::HeldCredential;
use crate::enrol::{Account, Enrolling};
use crate::history::{Event, HistoryEntry, MAX_HISTORY};
use crate::issuance::PendingIssuance;
use crate::operations::{OnLedger, PendingOperation};
use crate::root::{Index, Keychain, Secret};
use crate::tokens::Batch;

/// The format of wallet files that is written. Format 1 had no credentials; it is read as a wallet that
/// holds none.
pub const WALLET_FORMAT: u32 = 2;
/// The oldest format that is read.
const OLDEST_FORMAT: u32 = 1;

/// Why a wallet cannot be opened, or does not hold what is asked for.
#[derive(Debug, thiserror::Error)]
pub enum WalletError {
    /// Not JSON of the expected shape.
    #[error("the wallet's content is not readable: {0}")]
    Json(#[from] serde_json::Error),
    /// Written by other software.
    #[error("the wallet has format {found}, this software reads formats up to {WALLET_FORMAT}")]
    Format {
        /// The format it names.
        found: u32,
    },
    /// The charter inside is not usable.
    #[error(transparent)]
    Charter(#[from] CharterError),
    /// The charter is not the one the wallet's keys were made for.
    #[error("the wallet's charter is not the one its keys were made for")]
    OtherCharter,
    /// The DID belongs to no key of this wallet.
    #[error("this wallet does not hold the DID {0}")]
    UnknownDid(Did),
    /// The DID is of another network.
    #[error("the DID {0} is of another network")]
    OtherNetwork(Did),
}

impl WalletError {
    /// The stable code, the same in every language and version.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Json(_) => "wallet_unreadable",
            Self::Format { .. } => "wallet_format_unknown",
            Self::Charter(_) => "charter_invalid",
            Self::OtherCharter => "wallet_other_charter",
            Self::UnknownDid(_) => "did_not_held",
            Self::OtherNetwork(_) => "did_other_network",
        }
    }
}

/// A token as the wallet keeps it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldToken {
    /// The token's bytes, base64url.
    token: String,
    /// Identifier hash of the authority's DID.
    pub authority: Hash,
    /// How thoroughly the person was verified.
    pub level: Level,
    /// The epoch in which quota was spent.
    pub epoch: u64,
}

impl HeldToken {
    /// A verified token.
    #[must_use]
    pub fn new(token: &Token, authority: Hash, level: Level, epoch: u64) -> Self {
        Self {
            token: base64url_encode(token.to_bytes().as_slice()),
            authority,
            level,
            epoch,
        }
    }

    /// The token, if the stored text still is one.
    #[must_use]
    pub fn token(&self) -> Option<Token> {
        Token::from_bytes(&base64url_decode(&self.token).ok()?).ok()
    }
}

/// A site that knows the holder by one DID.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// Its `client_id`: what the DID is pinned to.
    pub client_id: String,
    /// Its name, as its sponsor last stated it.
    pub name: String,
    /// First login, in Unix seconds.
    pub since: u64,
}

/// Who knows a DID.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Assignment {
    /// Nobody: the next new site gets it.
    Pooled,
    /// One site, and no other ever.
    Site(Site),
    /// Perhaps somebody: it comes from a backup, or was put aside by its holder. Never offered, only
    /// used when named.
    Kept,
}

/// A DID of the wallet.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldDid {
    /// Its number in the wallet.
    pub index: Index,
    /// Identifier hash.
    pub hash: Hash,
    /// Generation of the current authentication key.
    pub generation: u32,
    /// Generation of the current recovery key.
    pub recovery_generation: u32,
    /// The newest token.
    pub token: Option<HeldToken>,
    /// Who knows it.
    pub assignment: Assignment,
    /// How it stood on the ledger when last proved there.
    pub ledger: Option<OnLedger>,
    /// An operation that was built, and perhaps sent, but not yet proved final.
    pub pending: Option<PendingOperation>,
}

impl HeldDid {
    pub(crate) const fn new(index: Index, hash: Hash, assignment: Assignment) -> Self {
        Self {
            index,
            hash,
            generation: 0,
            recovery_generation: 0,
            token: None,
            assignment,
            ledger: None,
            pending: None,
        }
    }
}

/// A wallet's whole state.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wallet {
    format: u32,
    pub(crate) root: Secret,
    charter: Charter,
    charter_hash: Hash,
    node_url: String,
    authority_url: String,
    pub(crate) series: u32,
    pub(crate) next_number: u32,
    pub(crate) enrolling: Option<Enrolling>,
    pub(crate) account: Option<Account>,
    pub(crate) batch: Option<Batch>,
    pub(crate) dids: Vec<HeldDid>,
    #[serde(default)]
    pub(crate) credentials: Vec<HeldCredential>,
    #[serde(default = "first_credential")]
    pub(crate) next_credential: u32,
    #[serde(default)]
    pub(crate) issuances: Vec<PendingIssuance>,
    pub(crate) history: Vec<HistoryEntry>,
    highest_height: u64,
}

/// The number of a wallet's first credential.
const fn first_credential() -> u32 {
    1
}

/// What a new wallet is told.
#[derive(Debug, Clone)]
pub struct NewWallet {
    /// The charter of the network, from a source the holder trusts.
    pub charter: Charter,
    /// Where to ask about the ledger: the address of a node, or several, separated by commas.
    pub node_url: String,
    /// Where to be proofed.
    pub authority_url: String,
}

impl Wallet {
    /// A wallet with a root secret and nothing else.
    #[must_use]
    pub fn new(new: NewWallet, root: Secret, now: u64) -> Self {
        let mut wallet = Self {
            format: WALLET_FORMAT,
            root,
            charter_hash: new.charter.hash(),
            charter: new.charter,
            node_url: new.node_url,
            authority_url: new.authority_url,
            series: 0,
            next_number: 0,
            enrolling: None,
            account: None,
            batch: None,
            dids: Vec::new(),
            credentials: Vec::new(),
            next_credential: first_credential(),
            issuances: Vec::new(),
            history: Vec::new(),
            highest_height: 0,
        };
        wallet.record(now, Event::Created);
        wallet
    }

    /// From [`Self::to_json`].
    ///
    /// # Errors
    /// [`WalletError`].
    pub fn from_json(json: &[u8]) -> Result<Self, WalletError> {
        #[derive(serde::Deserialize)]
        struct Versioned {
            format: u32,
        }
        let Versioned { format } = serde_json::from_slice(json)?;
        if !passes("WAL-02", (OLDEST_FORMAT..=WALLET_FORMAT).contains(&format)) {
            return Err(WalletError::Format { found: format });
        }
        let mut wallet: Self = serde_json::from_slice(json)?;
        wallet.format = WALLET_FORMAT;
        // A charter that was altered would make other keys, and believe another network.
        if !passes("WAL-01", wallet.charter.hash() == wallet.charter_hash) {
            return Err(WalletError::OtherCharter);
        }
        Ok(wallet)
    }

    /// The whole state, to be stored encrypted.
    ///
    /// # Errors
    /// [`WalletError::Json`], which does not occur in practice.
    pub fn to_json(&self) -> Result<Zeroizing<Vec<u8>>, WalletError> {
        Ok(Zeroizing::new(serde_json::to_vec(self)?))
    }

    /// The pinned charter.
    #[must_use]
    pub const fn charter(&self) -> &Charter {
        &self.charter
    }

    /// Its hash.
    #[must_use]
    pub const fn charter_hash(&self) -> &Hash {
        &self.charter_hash
    }

    /// Which network the wallet believes.
    #[must_use]
    pub fn anchor(&self) -> TrustAnchor {
        TrustAnchor::of(&self.charter)
    }

    /// Where to ask about the ledger: the address of a node, or several, separated by commas.
    #[must_use]
    pub fn node_url(&self) -> &str {
        &self.node_url
    }

    /// Where to be proofed.
    #[must_use]
    pub fn authority_url(&self) -> &str {
        &self.authority_url
    }

    /// The account at the authority, once enrolled.
    #[must_use]
    pub const fn account(&self) -> Option<&Account> {
        self.account.as_ref()
    }

    /// All DIDs, oldest first.
    #[must_use]
    pub fn dids(&self) -> &[HeldDid] {
        &self.dids
    }

    /// How many DIDs wait for a new site.
    #[must_use]
    pub fn pooled(&self) -> usize {
        self.dids
            .iter()
            .filter(|held| held.assignment == Assignment::Pooled)
            .count()
    }

    /// What happened, oldest first.
    #[must_use]
    pub fn history(&self) -> &[HistoryEntry] {
        &self.history
    }

    /// Adds to the history.
    pub fn record(&mut self, at: u64, event: Event) {
        if self.history.len() >= MAX_HISTORY {
            self.history.remove(0);
        }
        self.history.push(HistoryEntry { at, event });
    }

    /// The highest ledger height seen; answers below it are not believed.
    #[must_use]
    pub const fn highest_height(&self) -> u64 {
        self.highest_height
    }

    /// Remembers the height of a proven state.
    pub fn saw_height(&mut self, height: u64) {
        self.highest_height = self.highest_height.max(height);
    }

    /// The DID of a held one.
    #[must_use]
    pub fn did(&self, held: &HeldDid) -> Did {
        self.charter.did(held.hash)
    }

    /// The held DID that is meant.
    ///
    /// # Errors
    /// [`WalletError::OtherNetwork`], [`WalletError::UnknownDid`].
    pub fn find(&self, did: &Did) -> Result<&HeldDid, WalletError> {
        self.position(did).map(|position| &self.dids[position])
    }

    pub(crate) fn find_mut(&mut self, did: &Did) -> Result<&mut HeldDid, WalletError> {
        self.position(did).map(|position| &mut self.dids[position])
    }

    fn position(&self, did: &Did) -> Result<usize, WalletError> {
        if did.network != self.charter.network {
            return Err(WalletError::OtherNetwork(did.clone()));
        }
        let position = self.dids.iter().position(|held| held.hash == did.hash);
        position.ok_or_else(|| WalletError::UnknownDid(did.clone()))
    }

    /// The keys of an index.
    #[must_use]
    pub const fn keychain(&self, index: Index) -> Keychain<'_> {
        Keychain::new(&self.root, &self.charter_hash, index)
    }

    /// What a held DID is the hash of.
    #[must_use]
    pub fn inception(&self, held: &HeldDid) -> Inception {
        self.keychain(held.index).inception()
    }

    /// Takes the next index of this wallet's series.
    pub(crate) fn next_index(&mut self) -> Index {
        let index = Index {
            series: self.series,
            number: self.next_number,
        };
        self.next_number = self.next_number.saturating_add(1);
        index
    }
}
