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

/// The signing schemes of the newest two epochs; older ones, and the shares in them, are dropped.
///
/// Votes need the scheme of their epoch. Certificates do not: the network key checks them all.
#[derive(Clone)]
pub(crate) struct Schemes {
    namespace: Arc<[u8]>,
    epochs: Arc<Mutex<BTreeMap<Epoch, Arc<Scheme>>>>,
}

impl Schemes {
    pub(crate) fn new(namespace: &[u8]) -> Self {
        Self {
            namespace: namespace.into(),
            epochs: Arc::default(),
        }
    }

    /// How many validators the newest epoch has.
    pub(crate) fn validators(&self) -> Option<usize> {
        let epochs = self.epochs();
        let (_, scheme) = epochs.last_key_value()?;
        Some(commonware_cryptography::certificate::Scheme::participants(&**scheme).len())
    }

    fn scheme_of(&self, info: SchemeInfo<MinSig, PublicKey>) -> Scheme {
        let namespace = &self.namespace;
        match info {
            SchemeInfo::Signer {
                participants,
                sharing,
                share,
            } => {
                Scheme::signer(namespace, participants.clone(), sharing.clone(), share).unwrap_or_else(|| {
                    error!("the share does not fit the network's polynomial: this validator does not sign");
                    Scheme::verifier(namespace, participants, sharing)
                })
            }
            SchemeInfo::Member {
                participants,
                sharing,
                public_key,
            } => Scheme::member(namespace, participants.clone(), sharing.clone(), &public_key)
                .unwrap_or_else(|| Scheme::verifier(namespace, participants, sharing)),
            SchemeInfo::Verifier {
                participants,
                sharing,
            } => Scheme::verifier(namespace, participants, sharing),
        }
    }

    /// The map stays consistent between statements, so a panic elsewhere does not spoil it.
    fn epochs(&self) -> MutexGuard<'_, BTreeMap<Epoch, Arc<Scheme>>> {
        self.epochs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Provider for Schemes {
    type Scope = Epoch;
    type Scheme = Scheme;

    fn scoped(&self, epoch: Epoch) -> Option<Scoped<Scheme>> {
        self.epochs().get(&epoch).cloned().map(Scoped::scheme)
    }
}

impl Registrar for Schemes {
    type Variant = MinSig;
    type PublicKey = PublicKey;

    async fn register(&self, epoch: Epoch, info: SchemeInfo<MinSig, PublicKey>) {
        let scheme = Arc::new(self.scheme_of(info));
        let mut epochs = self.epochs();
        epochs.insert(epoch, scheme);
        let oldest = epoch.previous().unwrap_or(epoch);
        epochs.retain(|kept, _| *kept >= oldest);
    }
}
