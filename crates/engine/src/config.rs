//! What an engine is started with.

use crate::{
    block::key_bytes,
    error::EngineError,
    keys::{decode_public, decode_share, link_key},
    wiring::Scheme,
};
use commonware_codec::{Copying, DecodeExt as _};
use commonware_cryptography::{Signer as _, ed25519};
use commonware_utils::{
    TryFromIterator as _,
    ordered::{Map, Set},
};
use realdid_ledger::{
    Charter, MAX_BLOCK_BYTES, MAX_BLOCK_OPERATIONS, MAX_OPERATION_BYTES, consensus_namespace,
};
use std::{fmt, net::SocketAddr, path::PathBuf, time::Duration};
use zeroize::Zeroizing;

/// A validator as others reach it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Validator {
    /// Its Ed25519 link key.
    pub link_key: [u8; 32],
    /// Where it listens for other validators.
    pub address: SocketAddr,
}

/// Configuration of one validator's engine.
#[derive(Clone)]
pub struct EngineConfig {
    /// Directory of this engine's data; created if missing, used by one process at a time.
    pub storage_dir: PathBuf,
    /// The network's genesis charter. Its hash is in every signature.
    pub charter: Charter,
    /// Seed of this validator's Ed25519 link key.
    pub link_key: Zeroizing<[u8; 32]>,
    /// This validator's share of the network key, as [`deal`](crate::deal) gives it.
    pub share: Zeroizing<Vec<u8>>,
    /// The network's public polynomial, as [`deal`](crate::deal) gives it.
    pub public: Vec<u8>,
    /// All validators, this one included.
    pub validators: Vec<Validator>,
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
    pub fn new(
        storage_dir: PathBuf,
        charter: Charter,
        keys: ValidatorKeys,
        validators: Vec<Validator>,
        listen: SocketAddr,
    ) -> Self {
        Self {
            storage_dir,
            charter,
            link_key: keys.link_key,
            share: keys.share,
            public: keys.public,
            validators,
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
    /// Share of the network key.
    pub share: Zeroizing<Vec<u8>>,
    /// The network's public polynomial.
    pub public: Vec<u8>,
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
            .field("validators", &self.validators)
            .field("listen", &self.listen)
            .field("heartbeat", &self.heartbeat)
            .finish_non_exhaustive()
    }
}

/// The configuration, checked and decoded.
#[derive(Clone)]
pub(crate) struct Identity {
    pub(crate) link_key: ed25519::PrivateKey,
    pub(crate) scheme: Scheme,
    pub(crate) namespace: Vec<u8>,
    pub(crate) addresses: Map<ed25519::PublicKey, SocketAddr>,
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
        let addresses = self.addresses()?;
        let participants: Set<_> = addresses.keys().clone();
        let public = decode_public(&self.public)?;
        if public.total().get() as usize != participants.len() {
            return Err(EngineError::Config(
                "the public polynomial is for another number of validators",
            ));
        }
        let share = decode_share(&self.share)?;
        let link_key = link_key(&self.link_key);
        let place = participants.position(&link_key.public_key());
        if place != Some(share.index.get() as usize) {
            return Err(EngineError::Config("the key share belongs to another validator"));
        }
        let namespace = consensus_namespace(self.charter.hash().as_bytes());
        let scheme = Scheme::signer(&namespace, participants, public, share).ok_or(EngineError::Config(
            "the key share does not fit the public polynomial",
        ))?;
        Ok(Identity {
            link_key,
            scheme,
            namespace,
            addresses,
        })
    }

    fn addresses(&self) -> Result<Map<ed25519::PublicKey, SocketAddr>, EngineError> {
        let mut pairs = Vec::with_capacity(self.validators.len());
        for validator in &self.validators {
            let key = ed25519::PublicKey::decode(Copying(&validator.link_key))
                .map_err(|_| EngineError::Config("a validator's link key is malformed"))?;
            debug_assert_eq!(key_bytes(&key), validator.link_key);
            pairs.push((key, validator.address));
        }
        Map::try_from_iter(pairs).map_err(|_| EngineError::Config("a validator is named twice"))
    }
}
