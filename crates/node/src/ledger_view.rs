//! What the node knows and can prove, put together from the engine and the index.

use std::sync::Arc;
use std::time::Duration;

use realdid_crypto::{Hash, Writer};
use realdid_did::{
    Action, Assurance, Authorization, Backing, DocumentData, Entry, Level, TOKEN_LENGTH, follow,
};
use realdid_engine::Engine;
use realdid_ledger::{
    BlockContext, Charter, CheckedOperation, FinalityProof, Record, State, StateProof, check,
    decode_did_operation, state_key,
};
use realdid_service::{Problem, RateLimiter};

use crate::api::problems;
use crate::config::AdmissionLimits;
use crate::index::{Index, Place, Version};
use crate::pending::Pending;

/// Most operations of one DID that are replayed for an answer about its past.
pub(crate) const MAX_HISTORY: usize = 512;
/// How long an answer waits for the index to reach a height the engine has proven.
const INDEX_LAG: Duration = Duration::from_secs(5);

/// Everything the handlers share.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) charter: Arc<Charter>,
    pub(crate) charter_hash: Hash,
    pub(crate) engine: Engine,
    pub(crate) index: Index,
    pub(crate) pending: Arc<Pending>,
    /// What one address may submit, in units of one Ed25519 verification.
    pub(crate) submissions: Arc<RateLimiter>,
    /// First operations that recover or deactivate.
    pub(crate) late_foundings: Arc<RateLimiter>,
}

/// A DID's entry as the newest final state proves it.
pub(crate) struct ProvenEntry {
    /// The entry as stored; `None` if the DID is proven absent.
    pub(crate) entry: Option<Entry>,
    /// Height of the header.
    pub(crate) height: u64,
    /// Time of the header, in Unix seconds.
    pub(crate) time: u64,
    /// Proof of the header.
    pub(crate) finality: FinalityProof,
    /// Proof of the entry, or of its absence.
    pub(crate) proof: StateProof,
}

/// Document data and the operation that brought it.
pub(crate) struct FoundDocument {
    /// The data.
    pub(crate) data: DocumentData,
    /// The operation, as its block holds it.
    pub(crate) operation: Vec<u8>,
    /// Where it stands.
    pub(crate) place: Place,
}

impl Node {
    /// A node's view of its engine and index.
    pub(crate) fn new(
        charter: Charter,
        engine: Engine,
        index: Index,
        pending: Arc<Pending>,
        limits: &AdmissionLimits,
    ) -> Self {
        Self {
            charter_hash: charter.hash(),
            charter: Arc::new(charter),
            engine,
            index,
            pending,
            submissions: Arc::new(RateLimiter::new(limits.cost_per_second, limits.cost_burst)),
            late_foundings: Arc::new(RateLimiter::new(
                limits.late_foundings_per_second,
                limits.late_foundings_burst,
            )),
        }
    }

    /// The bytes of a final operation.
    pub(crate) async fn operation_at(&self, place: Place) -> Result<Vec<u8>, Problem> {
        let block = self
            .engine
            .block(place.height)
            .await
            .map_err(|error| problems::of_engine(&error))?;
        let mut operations = block.map(|block| block.operations).unwrap_or_default();
        if place.position < operations.len() {
            Ok(operations.swap_remove(place.position))
        } else {
            Err(Problem::internal(&"an indexed operation is not in its block"))
        }
    }

    /// Document data by its hash.
    pub(crate) async fn document(&self, hash: &Hash) -> Result<Option<FoundDocument>, Problem> {
        let place = self
            .index
            .document(hash)
            .await
            .map_err(|error| problems::of_index(&error))?;
        let Some(place) = place else { return Ok(None) };
        let operation = self.operation_at(place).await?;
        let data = decode_did_operation(&operation).and_then(|signed| {
            let founding = signed
                .operation
                .founding()
                .map(|founding| founding.inception.document.clone());
            founding
                .into_iter()
                .chain(signed.operation.document())
                .find(|data| data.hash() == *hash)
        });
        let data = data.ok_or_else(|| Problem::internal(&"an indexed document is not in its operation"))?;
        Ok(Some(FoundDocument {
            data,
            operation,
            place,
        }))
    }

    /// A DID's entry with its proof; the index has then reached the proof's height.
    pub(crate) async fn prove_entry(&self, did: &Hash) -> Result<ProvenEntry, Problem> {
        let key = state_key::did(did);
        let mut proven = self
            .engine
            .prove(vec![key])
            .await
            .map_err(|error| problems::of_engine(&error))?;
        let broken = |error: &dyn std::fmt::Display| Problem::internal(error);
        let header = proven
            .finality
            .headers
            .first()
            .cloned()
            .ok_or_else(|| broken(&"a proof without header"))?;
        let proof = proven.proofs.pop().ok_or_else(|| broken(&"a proof is missing"))?;
        let value = proof
            .verify_lookup(&key, &header.state_root)
            .map_err(|error| broken(&error))?;
        let entry = match value.map(|value| Record::decode(&value)).transpose() {
            Ok(None) => None,
            Ok(Some(Record::Did(entry))) => Some(*entry),
            _ => return Err(broken(&"a DID's record is of another kind")),
        };
        self.index_reached(header.height).await?;
        let (height, time) = (header.height, header.time_ms / 1000);
        Ok(ProvenEntry {
            entry,
            height,
            time,
            finality: proven.finality,
            proof,
        })
    }

    /// Waits until the index has reached a height of the engine's; it is behind by milliseconds.
    pub(crate) async fn index_reached(&self, height: u64) -> Result<(), Problem> {
        let reached = tokio::time::timeout(INDEX_LAG, self.index.reached(height)).await;
        reached.map_err(|_| problems::not_ready("the index is behind the ledger"))
    }

    /// The state that executing an operation needs, and the block it would stand in.
    pub(crate) async fn scratch_state(
        &self,
        operation: &CheckedOperation,
    ) -> Result<(State, BlockContext), Problem> {
        let keys = operation.keys();
        let snapshot = self
            .engine
            .read(keys.clone())
            .await
            .map_err(|error| problems::of_engine(&error))?;
        let mut state = State::new();
        for (key, value) in keys.into_iter().zip(snapshot.values) {
            state.load(key, value);
        }
        let time_ms = realdid_service::now_ms().max(snapshot.time_ms + 1);
        Ok((
            state,
            BlockContext {
                height: snapshot.height + 1,
                time_ms,
            },
        ))
    }

    /// A DID's entry right after one of its operations: its whole life up to it, replayed.
    pub(crate) async fn entry_after(&self, did: &Hash, version: u64) -> Result<Entry, Problem> {
        let versions = self.index.versions(did, version, MAX_HISTORY + 1).await;
        let mut versions: Vec<Version> = versions.map_err(|error| problems::of_index(&error))?;
        if versions.len() > MAX_HISTORY {
            return Err(problems::history_too_long());
        }
        versions.reverse();
        let mut entry = None;
        for version in versions {
            let bytes = self.operation_at(version.place).await?;
            entry = Some(self.replay(entry, &bytes, version.time).await?);
        }
        entry.ok_or_else(|| Problem::internal(&"a DID without operations"))
    }

    async fn replay(&self, entry: Option<Entry>, bytes: &[u8], time: u64) -> Result<Entry, Problem> {
        let broken = |error: &dyn std::fmt::Display| Problem::internal(error);
        let checked = check(&self.charter, &self.charter_hash, bytes).map_err(|error| broken(&error))?;
        let verified = checked
            .did_operation()
            .ok_or_else(|| broken(&"not an operation on a DID"))?;
        let operation = verified.operation();
        let assurance = match (&operation.action, operation.founding()) {
            (Action::Renew { authority, token, .. }, _) => {
                Some(self.token_assurance(authority, token).await?)
            }
            (_, Some(founding)) => Some(self.founding_assurance(&founding.authorization).await?),
            _ => None,
        };
        let delays = self.charter.delays();
        follow(entry.as_ref(), verified, time, &delays, assurance).map_err(|error| broken(&error))
    }

    async fn founding_assurance(&self, authorization: &Authorization) -> Result<Assurance, Problem> {
        let none = |backing, by| Assurance {
            backing,
            by,
            epoch: 0,
            level: Level::Low,
        };
        match authorization {
            Authorization::Token { authority, token } => self.token_assurance(authority, token).await,
            Authorization::Charter { .. } => Ok(none(Backing::Charter, Hash::ZERO)),
            Authorization::Sponsored(sponsorship) => Ok(none(Backing::Sponsor, sponsorship.sponsor)),
        }
    }

    /// What a token said that the ledger accepted: its key's epoch and level.
    async fn token_assurance(
        &self,
        authority: &Hash,
        token: &[u8; TOKEN_LENGTH],
    ) -> Result<Assurance, Problem> {
        let missing = || Problem::internal(&"an accepted token's key is not in the state");
        let id = token
            .first_chunk::<32>()
            .map(|id| Hash(*id))
            .ok_or_else(missing)?;
        let snapshot = self.engine.read(vec![state_key::epoch_key(&id)]).await;
        let snapshot = snapshot.map_err(|error| problems::of_engine(&error))?;
        let record = snapshot
            .values
            .into_iter()
            .flatten()
            .next()
            .and_then(|value| Record::decode(&value).ok());
        let Some(Record::EpochKey(record)) = record else {
            return Err(missing());
        };
        let (epoch, level) = (record.key.epoch, record.key.level);
        Ok(Assurance {
            backing: Backing::Token,
            by: *authority,
            epoch,
            level,
        })
    }
}

/// The canonical bytes of document data.
pub(crate) fn document_bytes(data: &DocumentData) -> Vec<u8> {
    let mut writer = Writer::new();
    data.write(&mut writer);
    writer.finish()
}
