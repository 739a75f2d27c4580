//! Who an organisation is to the network, and what it may do with a type of credential: asked of a
//! node once, proven, and kept for as long as the verifier accepts its age.
//!
//! No presentation makes a verifier ask a node while a fresh enough answer is here; many at once
//! lead to one question. What is kept is bounded, and so is what strangers can make it ask: each
//! answer, good or bad, is kept.

mod cache;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use realdid_crypto::PublicKey;
use realdid_did::{Did, DocumentData, Entry, Purposes, Status};
use realdid_ledger::{Accreditation, Grant, Right, state_key};

use crate::{ClientError, NodeClient};
use cache::Cache;

/// How many answers are kept.
const MAX_KEPT: usize = 4096;

/// How an organisation stands, by proof of one height.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Its DID.
    pub did: Did,
    /// Its entry at the header's time; `None` if the DID is not on the ledger.
    pub entry: Option<Entry>,
    /// Its accreditation, in force or not.
    pub accreditation: Option<Accreditation>,
    /// What was asked about.
    pub right: Right,
    /// The right as it was granted, revoked or not.
    pub grant: Option<Grant>,
    /// Its current document data, with the hash that the entry names; `None` if it is not active.
    pub document: Option<DocumentData>,
    /// Height of the header.
    pub height: u64,
    /// Time of the header, in Unix seconds.
    pub time: u64,
}

impl Standing {
    /// Whether the DID is active and its accreditation in force.
    #[must_use]
    pub fn in_force(&self) -> bool {
        let active = |entry: &Entry| entry.status(self.time) == Status::Active;
        let accredited = self.accreditation.as_ref();
        self.entry.as_ref().is_some_and(active) && accredited.is_some_and(Accreditation::in_force)
    }

    /// The right, if it counts: the organisation is in force and the right granted and not revoked.
    #[must_use]
    pub fn granted(&self) -> Option<&Grant> {
        let grant = self.grant.as_ref().filter(|grant| grant.revoked_at == 0);
        grant.filter(|_| self.in_force())
    }

    /// The name it is accredited under, whether in force or not.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        let accredited = self.accreditation.as_ref();
        accredited.map(|accreditation| accreditation.name.as_str())
    }

    /// The keys it makes assertions with: credentials, statements. None unless it is active.
    pub fn assertion_keys(&self) -> impl Iterator<Item = &PublicKey> {
        let keys = self.document.iter().flat_map(DocumentData::keys);
        keys.filter(|key| key.purposes.contains(Purposes::ASSERTION))
            .map(|key| &key.key)
    }

    /// The assertion key that a DID URL names.
    #[must_use]
    pub fn assertion_key(&self, key_url: &str) -> Option<&PublicKey> {
        self.assertion_keys().find(|key| self.did.key_url(key) == key_url)
    }
}

/// Answers questions about organisations, from memory if they are fresh enough. Clones share it.
#[derive(Debug, Clone)]
pub struct TrustLookup {
    client: NodeClient,
    kept: Arc<Cache<Right, Standing>>,
    /// How many decisions the consortium had made when that was last looked at.
    decisions: Arc<AtomicU64>,
}

impl TrustLookup {
    /// A lookup that asks this node.
    #[must_use]
    pub fn new(client: NodeClient) -> Self {
        Self {
            client,
            kept: Arc::new(Cache::new(MAX_KEPT)),
            decisions: Arc::default(),
        }
    }

    /// Forgets what is kept if the consortium has decided anything since this was last called. Who
    /// calls it every few seconds refuses somebody struck off as soon, whatever age it accepts, and
    /// still asks nobody when something is presented.
    ///
    /// # Errors
    /// [`ClientError`]; what is kept stays.
    pub async fn heed_decisions(&self, max_age: u64) -> Result<(), ClientError> {
        let state = self.client.state(&[state_key::parameters()], max_age).await?;
        let made = state.parameters()?.governance_sequence;
        if self.decisions.swap(made, Ordering::Relaxed) != made {
            self.kept.forget();
        }
        Ok(())
    }

    /// How the organisation of a right stands, proven, at most `max_age` seconds old. `did` is the
    /// organisation's; its hash must be the right's.
    ///
    /// # Errors
    /// [`ClientError`]; a failure is told to everybody who asks within a second.
    pub async fn standing(
        &self,
        did: &Did,
        right: Right,
        max_age: u64,
    ) -> Result<Arc<Standing>, ClientError> {
        let right = Right {
            did: did.hash,
            ..right
        };
        let fresh = |standing: &Standing| standing.time.saturating_add(max_age) >= now();
        self.kept
            .get(right, fresh, || self.ask(did, right, max_age))
            .await
    }

    async fn ask(&self, did: &Did, right: Right, max_age: u64) -> Result<Standing, ClientError> {
        let [accreditation, grant] = state_key::right(&right);
        let keys = [state_key::did(&did.hash), accreditation, grant];
        let state = self.client.state(&keys, max_age).await?;
        let (height, time) = (state.height(), state.time());
        let entry = state.did(&did.hash)?.map(|entry| entry.at(time));
        let document = match &entry {
            Some(entry) if entry.status(time) == Status::Active => {
                Some(self.client.document(&entry.document).await?)
            }
            _ => None,
        };
        Ok(Standing {
            did: did.clone(),
            entry,
            accreditation: state.accreditation(&did.hash)?,
            right,
            grant: state.grant(&right)?,
            document,
            height,
            time,
        })
    }
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}
