//! An open wallet with a way to the ledger.

use realdid_client::NodeClient;
use realdid_did::Did;
use realdid_ledger::{ProvenState, StateKey, state_key};
use realdid_wallet::Wallet;
use realdid_wallet::operations::Observation;
use url::Url;

use super::Place;
use crate::failure::{Failure, Outcome};
use crate::now;
use crate::output::Output;
use crate::vault::Vault;
use crate::web::{self, Web};

/// Oldest state the wallet believes, in seconds (protocol.md §3).
pub const MAX_AGE: u64 = 300;

/// An open wallet with a way to the ledger.
pub struct Session {
    vault: Vault,
    node: NodeClient,
    /// Where results go.
    pub output: Output,
}

impl Session {
    /// Opens the wallet.
    pub fn open(place: &Place, output: Output) -> Outcome<Self> {
        Self::of(Vault::open(&place.directory, &place.passphrase)?, output)
    }

    /// Takes an open wallet.
    pub fn of(vault: Vault, output: Output) -> Outcome<Self> {
        let node = NodeClient::new(vault.wallet.node_url(), vault.wallet.anchor())?;
        node.set_highest_seen(vault.wallet.highest_height());
        Ok(Self { vault, node, output })
    }

    /// The wallet.
    pub const fn wallet(&self) -> &Wallet {
        &self.vault.wallet
    }

    /// The wallet, to be changed; [`Self::save`] makes it last.
    pub const fn wallet_mut(&mut self) -> &mut Wallet {
        &mut self.vault.wallet
    }

    /// Whether the network is a sandbox, where plain http on this machine is allowed.
    pub const fn is_sandbox(&self) -> bool {
        self.vault.wallet.charter().sandbox
    }

    /// The way to the ledger.
    pub const fn node(&self) -> &NodeClient {
        &self.node
    }

    /// Makes all changes last.
    pub fn save(&mut self) -> Outcome<()> {
        self.vault.wallet.saw_height(self.node.highest_seen());
        self.vault.save()
    }

    /// The state under these keys, proven.
    pub async fn state(&self, keys: &[StateKey]) -> Outcome<ProvenState> {
        Ok(self.node.state(keys, MAX_AGE).await?)
    }

    /// The epoch now, by proof.
    pub async fn epoch(&self) -> Outcome<u64> {
        Ok(self.state(&[state_key::parameters()]).await?.epoch())
    }

    /// How a DID of the wallet stands, asked by a prefix of its hash.
    pub async fn observe(&self, did: &Did) -> Outcome<Observation> {
        let state = self.node.state_by_prefix(&did.hash, MAX_AGE).await?;
        Ok(Observation::of(&state, did, now())?)
    }

    /// The authority: its address without a trailing slash, which is what signed requests are for,
    /// and a way to it.
    pub fn authority(&self) -> Outcome<(String, Web)> {
        let url = self.address(self.wallet().authority_url())?;
        let web = Web::new("the authority", &url)?;
        Ok((url.as_str().trim_end_matches('/').to_owned(), web))
    }

    /// An address that this network allows to talk to.
    pub fn address(&self, text: &str) -> Outcome<Url> {
        web::address(text, self.wallet().charter().sandbox)
    }

    /// A DID from the command line.
    pub fn parse_did(&self, text: &str) -> Outcome<Did> {
        let parsed = realdid_did::ParsedDid::parse(text);
        let parsed = parsed.map_err(|error| Failure::usage("did_invalid", format!("`{text}`: {error}")))?;
        Ok(parsed.did)
    }
}
