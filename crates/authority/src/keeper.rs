//! The authority's hand on the ledger: its DID, its epoch keys an epoch ahead, its anchors.

use std::sync::Arc;
use std::time::Duration;

use realdid_client::{ClientError, IdentityError, NodeClient, ServiceIdentity};
use realdid_crypto::Hash;
use realdid_did::{Did, Level};
use realdid_ledger::{
    Charter, LightError, ProvenState, Refusal as LedgerRefusal, ServiceAction, ServiceOperation, state_key,
};
use realdid_service::Shutdown;
use realdid_token::{EpochKey, Purpose};
use tokio::sync::{Mutex, watch};

use crate::epoch_signer::EpochSigner;
use crate::error::Refusal;
use crate::key_ring::{KeyRing, KeyRingError};
use crate::rules::Authority;

/// Time between two looks at the ledger.
const PERIOD: Duration = Duration::from_secs(3);
/// Oldest state the authority goes by, in seconds.
const MAX_AGE: u64 = 300;
/// Longest wait for an operation to be final.
const FINAL: Duration = Duration::from_secs(30);

/// Why the ledger is not as it should be.
#[derive(Debug, thiserror::Error)]
pub enum KeeperError {
    /// The node does not answer, refuses, or is not believed.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// What the node proved is not about what was asked.
    #[error(transparent)]
    Light(#[from] LightError),
    /// The DID cannot be published.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The key files.
    #[error(transparent)]
    Keys(#[from] KeyRingError),
    /// The database, or an operation that cannot be right.
    #[error(transparent)]
    Refusal(#[from] Refusal),
    /// An operation of ours that the ledger cannot accept.
    #[error("the operation is not valid: {0}")]
    Operation(#[from] LedgerRefusal),
    /// The ledger shows another key than the one on disk.
    #[error("the ledger has another key for epoch {0}; was the data directory restored?")]
    OtherKey(u64),
    /// The ledger does not show the next epoch's key, so that epoch cannot begin.
    #[error("the ledger has no key for epoch {0} yet")]
    NoNextKey(u64),
    /// A task was stopped.
    #[error("the service is stopping")]
    Stopping,
}

/// What the authority knows of the current epoch.
#[derive(Debug, Clone)]
pub struct Epochs {
    /// The current epoch.
    pub current: u64,
    /// Time of the header that proves it, in Unix seconds.
    pub proven_at: u64,
    /// The signer of the current epoch, if the ledger shows its key, not revoked.
    pub signer: Option<Arc<EpochSigner>>,
    /// The key of the next epoch, once the ledger shows it.
    pub next: Option<EpochKey>,
}

/// Keeps the ledger and the key files in step with the epochs.
pub struct Keeper {
    client: NodeClient,
    charter: Charter,
    charter_hash: Hash,
    identity: ServiceIdentity,
    did: Did,
    ring: Arc<KeyRing>,
    authority: Authority,
    epochs: watch::Sender<Option<Epochs>>,
    /// One look at a time: the loop's and the ones of the sandbox's command.
    turn: Mutex<()>,
}

/// A key's place on the ledger and what the ledger says about it.
struct Shown {
    signer: Arc<EpochSigner>,
    in_force: bool,
}

impl Keeper {
    /// A keeper for the identity on the charter's network.
    #[must_use]
    pub fn new(
        client: NodeClient,
        charter: Charter,
        identity: ServiceIdentity,
        ring: Arc<KeyRing>,
        authority: Authority,
    ) -> Self {
        let (charter_hash, did) = (charter.hash(), identity.did(&charter));
        let (epochs, turn) = (watch::Sender::new(None), Mutex::default());
        Self {
            client,
            charter,
            charter_hash,
            identity,
            did,
            ring,
            authority,
            epochs,
            turn,
        }
    }

    /// What is known of the epochs, from now on.
    #[must_use]
    pub fn epochs(&self) -> watch::Receiver<Option<Epochs>> {
        self.epochs.subscribe()
    }

    /// Publishes the DID, then keeps step until told to stop.
    pub async fn run(&self, shutdown: Shutdown) {
        tokio::select! {
            () = shutdown.triggered() => {}
            () = self.keep() => {}
        }
    }

    async fn keep(&self) {
        while let Err(error) = self.identity.publish_if_absent(&self.client, &self.charter).await {
            tracing::warn!(code = error.code(), %error, "the authority's DID is not on the ledger yet");
            tokio::time::sleep(PERIOD).await;
        }
        tracing::info!(did = %self.did, "the authority's DID is on the ledger");
        loop {
            if let Err(error) = self.step().await {
                tracing::warn!(%error, "out of step with the ledger");
            }
            let forgotten = self
                .authority
                .forget_expired(realdid_service::now_seconds())
                .await;
            if let Err(error) = forgotten {
                tracing::warn!(%error, "expired rows were not removed");
            }
            tokio::time::sleep(PERIOD).await;
        }
    }

    /// One look at the ledger and everything that follows from it.
    ///
    /// # Errors
    /// [`KeeperError`]; the next look tries again.
    pub async fn step(&self) -> Result<Epochs, KeeperError> {
        let _turn = self.turn.lock().await;
        self.look().await
    }

    /// Advances the sandbox's epoch by one, after seeing to it that the next key is there.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn advance_epoch(&self) -> Result<u64, KeeperError> {
        let _turn = self.turn.lock().await;
        let before = self.look().await?;
        if before.next.is_none() {
            return Err(KeeperError::NoNextKey(before.current + 1));
        }
        self.submit(ServiceAction::AdvanceEpoch { from: before.current })
            .await?;
        Ok(self.look().await?.current)
    }

    async fn look(&self) -> Result<Epochs, KeeperError> {
        let before = self.epochs.borrow().as_ref().map(|epochs| epochs.current);
        let mut state = match before {
            Some(epoch) => self.state(epoch).await?,
            None => self.client.state(&[state_key::parameters()], MAX_AGE).await?,
        };
        let current = state.epoch();
        if before != Some(current) {
            state = self.state(current).await?;
        }
        let shown = match self.shown(&state, current).await? {
            None if current == 0 => Some(self.publish(current).await?),
            shown => shown,
        };
        let mut epochs = Epochs {
            current,
            proven_at: state.time(),
            signer: shown.filter(|shown| shown.in_force).map(|shown| shown.signer),
            next: None,
        };
        // Who asks for tokens need not wait for the next epoch's key, nor suffer if it fails.
        if before != Some(current) {
            self.epochs.send_replace(Some(epochs.clone()));
        }
        epochs.next = self.next_key(&state, current + 1).await.unwrap_or_else(|error| {
            tracing::warn!(%error, epoch = current + 1, "the next epoch's key is not on the ledger");
            None
        });
        self.epochs.send_replace(Some(epochs.clone()));
        self.end_epochs_before(current, before.unwrap_or(0)).await?;
        Ok(epochs)
    }

    async fn next_key(&self, state: &ProvenState, epoch: u64) -> Result<Option<EpochKey>, KeeperError> {
        let next = match self.shown(state, epoch).await? {
            Some(next) => next,
            None => self.publish(epoch).await?,
        };
        Ok(next.in_force.then(|| next.signer.key().clone()))
    }

    /// Proven state about the keys of an epoch and the one after it.
    async fn state(&self, epoch: u64) -> Result<ProvenState, KeeperError> {
        let mut keys = Vec::new();
        for epoch in [epoch, epoch + 1] {
            let signer = self.signer(epoch).await?;
            keys.extend([self.slot(epoch), state_key::epoch_key(&signer.id())]);
        }
        Ok(self.client.state(&keys, MAX_AGE).await?)
    }

    fn slot(&self, epoch: u64) -> realdid_ledger::StateKey {
        state_key::epoch_slot(&self.did.hash, Purpose::RealName, Level::Substantial, epoch)
    }

    /// Making a key takes tenths of a second, so another thread does it.
    async fn signer(&self, epoch: u64) -> Result<Arc<EpochSigner>, KeeperError> {
        let ring = Arc::clone(&self.ring);
        let made = tokio::task::spawn_blocking(move || ring.ensure(epoch)).await;
        Ok(made.map_err(|_| KeeperError::Stopping)??)
    }

    /// The signer of an epoch, if the ledger shows its key.
    async fn shown(&self, state: &ProvenState, epoch: u64) -> Result<Option<Shown>, KeeperError> {
        let signer = self.signer(epoch).await?;
        let slot = state.epoch_slot(&self.did.hash, Purpose::RealName, Level::Substantial, epoch)?;
        match slot {
            None => Ok(None),
            Some(id) if id == signer.id() => {
                self.authority.note_epoch_key(epoch, &id).await?;
                let record = state.epoch_key(&id)?;
                Ok(Some(Shown {
                    signer,
                    in_force: record.is_some_and(|record| record.revoked_at == 0),
                }))
            }
            Some(_) => Err(KeeperError::OtherKey(epoch)),
        }
    }

    async fn publish(&self, epoch: u64) -> Result<Shown, KeeperError> {
        let signer = self.signer(epoch).await?;
        self.submit(ServiceAction::PublishEpochKey(Box::new(signer.key().clone())))
            .await?;
        self.authority.note_epoch_key(epoch, &signer.id()).await?;
        tracing::info!(epoch, key_id = %signer.id(), "an epoch key is on the ledger");
        Ok(Shown {
            signer,
            in_force: true,
        })
    }

    /// Destroys the keys of ended epochs at once; anchors what they signed one look later, when
    /// requests under way have ended.
    async fn end_epochs_before(&self, current: u64, anchored: u64) -> Result<(), KeeperError> {
        self.ring.destroy_before(current)?;
        for issuance in self.authority.ended_issuances(anchored).await? {
            let action = ServiceAction::Anchor {
                subject: issuance.key_id,
                root: issuance.root,
                count: issuance.count,
            };
            match self.submit(action).await {
                Ok(()) => {}
                Err(KeeperError::Client(error)) if error.is_refusal(LedgerRefusal::AnchorExists.code()) => {}
                Err(error) => return Err(error),
            }
            self.authority.forget_issuance(&issuance.key_id).await?;
            tracing::info!(key_id = %issuance.key_id, count = issuance.count, "an epoch's issuance is anchored");
        }
        Ok(())
    }

    async fn submit(&self, action: ServiceAction) -> Result<(), KeeperError> {
        let operation = ServiceOperation {
            by: self.did.hash,
            document: self.identity.document(),
            action,
        };
        let bytes = operation.sign(&self.charter_hash, 0, self.identity.assertion_key());
        let hash = realdid_ledger::check(&self.charter, &self.charter_hash, &bytes)?.hash();
        self.client.submit_and_wait(&bytes, &hash, FINAL).await?;
        Ok(())
    }
}
