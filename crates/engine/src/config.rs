//! What an engine is started with.

use crate::{
    error::EngineError,
    keys::{decode_share, link_key},
    record::{self, EpochRecord},
};
use commonware_cryptography::{
    Signer as _,
    bls12381::primitives::{group::Share, variant::MinSig},
    ed25519,
};
use realdid_ledger::{
    Charter, MAX_BLOCK_BYTES, MAX_BLOCK_OPERATIONS, MAX_OPERATION_BYTES, consensus_namespace,
};
use std::{fmt, net::SocketAddr, path::PathBuf, time::Duration};
use zeroize::Zeroizing;

/// Configuration of one validator's engine.
#[derive(Clone)]
pub struct EngineConfig {
    /// Directory of this engine's data; created if missing, used by one process at a time.
    pub storage_dir: PathBuf,
    /// The network's genesis charter. Its hash is in every signature.
    pub charter: Charter,
    /// Seed of this validator's Ed25519 link key.
    pub link_key: Zeroizing<[u8; 32]>,
    /// This validator's share of the network key at genesis, as [`deal`](crate::deal) gives it;
    /// none if it is not of the first committee. The first start keeps it in `storage_dir`, later
    /// ones use the share that was dealt last.
    pub share: Option<Zeroizing<Vec<u8>>>,
    /// Where this engine listens for other validators.
    pub listen: SocketAddr,
    /// Whether private and loopback addresses of validators are reached, at a pace fit for one
    /// machine. For sandboxes.
    pub local_network: bool,
    /// Longest time between two blocks when nothing waits, 10 ms to 10 s. Default 5 s.
    pub heartbeat: Duration,
    /// How long a view's leader may take beyond the heartbeat before the view is given up.
    /// Default 2 s.
    pub leader_slack: Duration,
    /// Most operations in a block this validator proposes, 1 to [`MAX_BLOCK_OPERATIONS`].
    pub max_block_operations: usize,
    /// Most bytes of operations in a block this validator proposes, [`MAX_OPERATION_BYTES`] to
    /// [`MAX_BLOCK_BYTES`].
    pub max_block_bytes: usize,
    /// Most operations that wait in the pool.
    pub max_pool_operations: usize,
    /// Most bytes that wait in the pool.
    pub max_pool_bytes: usize,
}

impl EngineConfig {
    /// A validator's configuration with the usual limits.
    #[must_use]
    pub fn new(storage_dir: PathBuf, charter: Charter, keys: ValidatorKeys, listen: SocketAddr) -> Self {
        Self {
            storage_dir,
            charter,
            link_key: keys.link_key,
            share: keys.share,
            listen,
            local_network: false,
            heartbeat: Duration::from_secs(5),
            leader_slack: Duration::from_secs(2),
            max_block_operations: MAX_BLOCK_OPERATIONS,
            max_block_bytes: MAX_BLOCK_BYTES,
            max_pool_operations: 50_000,
            max_pool_bytes: 64 << 20,
        }
    }
}

/// The keys of one validator.
#[derive(Clone)]
pub struct ValidatorKeys {
    /// Seed of the Ed25519 link key.
    pub link_key: Zeroizing<[u8; 32]>,
    /// Share of the network key at genesis, if there is one.
    pub share: Option<Zeroizing<Vec<u8>>>,
}

impl fmt::Debug for ValidatorKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ValidatorKeys").finish_non_exhaustive()
    }
}

impl fmt::Debug for EngineConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EngineConfig")
            .field("storage_dir", &self.storage_dir)
            .field("listen", &self.listen)
            .field("heartbeat", &self.heartbeat)
            .finish_non_exhaustive()
    }
}

/// The configuration, checked and decoded.
#[derive(Clone)]
pub(crate) struct Identity {
    pub(crate) link_key: ed25519::PrivateKey,
    pub(crate) namespace: Vec<u8>,
    pub(crate) genesis: EpochRecord,
    pub(crate) share: Option<Share>,
}

impl EngineConfig {
    /// Checks the limits and that the keys belong together.
    pub(crate) fn identity(&self) -> Result<Identity, EngineError> {
        let heartbeat_fits = (10..=10_000).contains(&self.heartbeat.as_millis());
        if !heartbeat_fits || self.leader_slack.is_zero() {
            return Err(EngineError::Config("heartbeat or leader slack"));
        }
        // An operation that fits no block would make the proposer try again and again.
        if !(1..=MAX_BLOCK_OPERATIONS).contains(&self.max_block_operations)
            || !(MAX_OPERATION_BYTES..=MAX_BLOCK_BYTES).contains(&self.max_block_bytes)
        {
            return Err(EngineError::Config("block limits"));
        }
        let link_key = link_key(&self.link_key);
        let genesis = record::genesis(&self.charter)?;
        let share = self.share.as_ref().map(|share| decode_share(share)).transpose()?;
        if let Some(share) = &share {
            check_share(share, &genesis, &link_key.public_key())?;
        }
        Ok(Identity {
            link_key,
            namespace: consensus_namespace(self.charter.hash().as_bytes()),
            genesis,
            share,
        })
    }
}

/// That a share at genesis is the one of the validator with this link key.
fn check_share(share: &Share, genesis: &EpochRecord, me: &ed25519::PublicKey) -> Result<(), EngineError> {
    if genesis.players.position(me) != Some(share.index.get() as usize) {
        return Err(EngineError::Config("the key share belongs to another validator"));
    }
    let expected = genesis.output.public().partial_public(share.index);
    if expected.is_ok_and(|expected| expected == share.public::<MinSig>()) {
        Ok(())
    } else {
        Err(EngineError::Config(
            "the key share does not fit the ceremony's outcome",
        ))
    }
}
