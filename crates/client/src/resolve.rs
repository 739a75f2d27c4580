//! Resolution without trusting the resolver: proven entry, document data by its hash, document
//! derived from it here.

use realdid_did::{Did, Entry, ParsedDid, Status, did_document};
use serde_json::Value;

use crate::{ClientError, NodeClient};
use realdid_ledger::state_key;

/// A DID as proven by the network.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolved {
    /// The DID, short form.
    pub did: Did,
    /// The document (DID Core).
    pub document: Value,
    /// The entry at the header's time; `None` if the DID is not on the ledger and stands at its
    /// inception.
    pub entry: Option<Entry>,
    /// How it stands at the header's time.
    pub status: Status,
    /// Height of the header.
    pub height: u64,
    /// Time of the header, in Unix seconds.
    pub time: u64,
}

impl NodeClient {
    /// Resolves a DID, short or long form, by proof no older than `max_age` seconds.
    ///
    /// # Errors
    /// [`ClientError::NotFound`] for a short form that is not on the ledger; otherwise as
    /// [`state`](Self::state) and [`document`](Self::document).
    pub async fn resolve(&self, did: &ParsedDid, max_age: u64) -> Result<Resolved, ClientError> {
        let state = self.state(&[state_key::did(&did.did.hash)], max_age).await?;
        let (height, time) = (state.height(), state.time());
        let entry = state.did(&did.did.hash)?.map(|entry| entry.at(time));
        let data = match (&entry, &did.inception) {
            (None, None) => return Err(ClientError::NotFound),
            (None, Some(inception)) => inception.document.clone(),
            (Some(entry), Some(inception)) if inception.document.hash() == entry.document => {
                inception.document.clone()
            }
            (Some(entry), _) => self.document(&entry.document).await?,
        };
        let status = entry.as_ref().map_or(Status::Active, |entry| entry.status(time));
        let document = did_document(&did.did, &data);
        Ok(Resolved {
            did: did.did.clone(),
            document,
            entry,
            status,
            height,
            time,
        })
    }
}
