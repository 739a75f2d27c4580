//! What a login needs to know of the ledger, fetched so that no node learns who logs in where.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use realdid_client::{ClientError, NodeClient};
use realdid_crypto::Hash;
use realdid_did::DocumentData;
use realdid_ledger::{ProvenState, StateKey, state_key};
use realdid_presentation::{Evidence, LoginRefusal, ShownLogin};

/// Most authorities remembered by their keys; there are a handful of keys in force.
const MAX_REMEMBERED: usize = 1024;

/// Why a login could not be looked up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LookupError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    Refusal(#[from] LoginRefusal),
}

/// Everything fetched for one login.
#[derive(Debug)]
pub(crate) struct Fetched {
    did_state: ProvenState,
    key_state: ProvenState,
    document: Option<DocumentData>,
}

impl Fetched {
    pub(crate) fn evidence(&self) -> Evidence<'_> {
        Evidence {
            did_state: &self.did_state,
            key_state: &self.key_state,
            document: self.document.clone(),
        }
    }
}

/// The ledger, through a node that is not trusted.
#[derive(Debug)]
pub(crate) struct Ledger {
    client: NodeClient,
    /// Whose key a token's key is: a fact of the key's identifier, so it may be remembered.
    authorities: Mutex<HashMap<Hash, Hash>>,
}

impl Ledger {
    pub(crate) fn new(client: NodeClient) -> Self {
        Self {
            client,
            authorities: Mutex::default(),
        }
    }

    pub(crate) const fn client(&self) -> &NodeClient {
        &self.client
    }

    /// Fetches what judging a login takes, proven and at most `max_age` seconds old.
    pub(crate) async fn look_up(&self, shown: &ShownLogin, max_age: u64) -> Result<Fetched, LookupError> {
        let keys = self.key_questions(shown, max_age).await?;
        let key_state = self.client.state(&keys, max_age).await?;
        let did_state = self.client.state_by_prefix(&shown.did().hash, max_age).await?;
        let document = match shown.document_needed(&did_state)? {
            None => None,
            Some(hash) => Some(self.client.document(&hash).await?),
        };
        Ok(Fetched {
            did_state,
            key_state,
            document,
        })
    }

    /// The token's key, and its authority's accreditation once the authority is known.
    async fn key_questions(&self, shown: &ShownLogin, max_age: u64) -> Result<Vec<StateKey>, LookupError> {
        let id = shown.token_key_id();
        let mut keys = vec![shown.token_key()];
        let known = self
            .authorities
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&id)
            .copied();
        let authority = match known {
            Some(authority) => Some(authority),
            None => {
                let state = self.client.state(&keys, max_age).await?;
                let record = state.epoch_key(&id).map_err(LoginRefusal::from)?;
                record.map(|record| self.remember(id, record.key.authority))
            }
        };
        keys.extend(authority.as_ref().map(state_key::accreditation));
        Ok(keys)
    }

    fn remember(&self, id: Hash, authority: Hash) -> Hash {
        let mut authorities = self.authorities.lock().unwrap_or_else(PoisonError::into_inner);
        if authorities.len() >= MAX_REMEMBERED {
            authorities.clear();
        }
        authorities.insert(id, authority);
        authority
    }
}
