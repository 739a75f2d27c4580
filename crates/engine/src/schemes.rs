//! Who signs with what in which consensus epoch.

use crate::wiring::Scheme;
use commonware_consensus::types::Epoch;
use commonware_cryptography::{
    bls12381::primitives::variant::MinSig,
    certificate::{Provider, Scoped},
    ed25519::PublicKey,
};
use commonware_glue::dkg::{Registrar, types::SchemeInfo};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tracing::error;

/// What a node is in a consensus epoch.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Standing {
    /// It is of the committee, has a share of the network key, and votes.
    Signs,
    /// It is of the committee, but has no share: it waits until one is dealt to it, and does not vote.
    WithoutShare,
    /// It is not of the committee: it follows and serves without a vote.
    Follows,
}

/// The newest epoch as this node sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Newest {
    pub(crate) epoch: u64,
    pub(crate) standing: Standing,
    /// Validators of its committee.
    pub(crate) validators: usize,
}

/// The signing schemes of the newest two epochs; older ones, and the shares in them, are dropped.
///
/// Votes need the scheme of their epoch. Certificates do not: the network key checks them all.
#[derive(Clone)]
pub(crate) struct Schemes {
    namespace: Arc<[u8]>,
    epochs: Arc<Mutex<Epochs>>,
}

type Epochs = BTreeMap<Epoch, (Arc<Scheme>, Standing)>;

impl Schemes {
    pub(crate) fn new(namespace: &[u8]) -> Self {
        Self {
            namespace: namespace.into(),
            epochs: Arc::default(),
        }
    }

    /// The newest epoch; none until the first is told.
    pub(crate) fn newest(&self) -> Option<Newest> {
        let epochs = self.epochs();
        let (epoch, (scheme, standing)) = epochs.last_key_value()?;
        Some(Newest {
            epoch: epoch.get(),
            standing: *standing,
            validators: commonware_cryptography::certificate::Scheme::participants(&**scheme).len(),
        })
    }

    fn scheme_of(&self, info: SchemeInfo<MinSig, PublicKey>) -> (Scheme, Standing) {
        let namespace = &self.namespace;
        match info {
            SchemeInfo::Signer {
                participants,
                sharing,
                share,
            } => match Scheme::signer(namespace, participants.clone(), sharing.clone(), share) {
                Some(scheme) => (scheme, Standing::Signs),
                None => {
                    error!("the share does not fit the network's polynomial: this validator does not sign");
                    let scheme = Scheme::verifier(namespace, participants, sharing);
                    (scheme, Standing::WithoutShare)
                }
            },
            SchemeInfo::Member {
                participants,
                sharing,
                public_key,
            } => {
                let scheme = Scheme::member(namespace, participants.clone(), sharing.clone(), &public_key)
                    .unwrap_or_else(|| Scheme::verifier(namespace, participants, sharing));
                (scheme, Standing::WithoutShare)
            }
            SchemeInfo::Verifier {
                participants,
                sharing,
            } => {
                let scheme = Scheme::verifier(namespace, participants, sharing);
                (scheme, Standing::Follows)
            }
        }
    }

    /// The map stays consistent between statements, so a panic elsewhere does not spoil it.
    fn epochs(&self) -> MutexGuard<'_, Epochs> {
        self.epochs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Provider for Schemes {
    type Scope = Epoch;
    type Scheme = Scheme;

    fn scoped(&self, epoch: Epoch) -> Option<Scoped<Scheme>> {
        let epochs = self.epochs();
        let (scheme, _) = epochs.get(&epoch)?;
        Some(Scoped::scheme(scheme.clone()))
    }
}

impl Registrar for Schemes {
    type Variant = MinSig;
    type PublicKey = PublicKey;

    async fn register(&self, epoch: Epoch, info: SchemeInfo<MinSig, PublicKey>) {
        let (scheme, standing) = self.scheme_of(info);
        let mut epochs = self.epochs();
        epochs.insert(epoch, (Arc::new(scheme), standing));
        let oldest = epoch.previous().unwrap_or(epoch);
        epochs.retain(|kept, _| *kept >= oldest);
    }
}
