//! What a validator must keep to itself: its shares, the dealings it got, the seeds it deals by.
//!
//! One blob per secret, so that removing it takes it off the disk: `SHA-256(name ‖ secret)`, then
//! the secret. A blob that a crash tore counts as absent; it was not acknowledged to anybody. Copies
//! made here are wiped; buffers of the runtime are not. Nothing here is ever printed.
//!
//! A validator must not come back with these secrets and without its journal of votes, or with an
//! older one: it could sign twice. They lie in the engine's storage beside that journal, and are lost
//! with it. An old epoch's journal goes when its secrets do, which the engine leaves to us.

use commonware_codec::{Copying, DecodeExt as _, Encode, Read};
use commonware_consensus::types::Epoch;
use commonware_cryptography::{
    Hasher as _, PublicKey, Sha256,
    bls12381::{dkg::feldman_desmedt::DealerPrivMsg, primitives::group::Share},
    transcript::Summary,
};
use commonware_glue::dkg::SecretStore;
use commonware_runtime::{Blob as _, Error, ReadOptions, Storage, WriteOptions};
use zeroize::Zeroizing;

const CHECKSUM: usize = 32;

/// Length of an epoch's number at the start of a secret's name.
const EPOCH_BYTES: usize = 8;

/// The secrets in one partition of the engine's storage.
pub(crate) struct Secrets<E> {
    storage: E,
    partition: String,
    /// What the partition of an epoch's journal of votes starts with.
    journals: String,
}

/// What a secret is; part of its name.
#[derive(Clone, Copy)]
enum Kind {
    Share = 1,
    Seed = 2,
    Dealing = 3,
}

/// Name of a secret's blob: epoch (8), kind (1), and of a dealing the dealer's key.
fn name(epoch: Epoch, kind: Kind, dealer: &[u8]) -> Vec<u8> {
    [&epoch.get().to_be_bytes(), &[kind as u8][..], dealer].concat()
}

impl<E: Storage> Secrets<E> {
    pub(crate) fn new(storage: E, prefix: &str) -> Self {
        Self {
            storage,
            partition: format!("{prefix}-secrets"),
            journals: format!("{prefix}_consensus_"),
        }
    }

    /// Takes the share that this validator has at genesis, unless there are secrets already: from
    /// then on the shares are those that were dealt to it.
    pub(crate) async fn found(&mut self, share: Option<Share>) {
        if let Some(share) = share
            && self.names().await.is_empty()
        {
            self.put_share(Epoch::zero(), share).await;
        }
    }

    /// Removes a partition, or one blob of it; what is not there is removed already.
    async fn remove(&self, partition: &str, name: Option<&[u8]>) {
        match self.storage.remove(partition, name).await {
            Ok(()) | Err(Error::PartitionMissing(_) | Error::BlobMissing(..)) => {}
            Err(error) => failed(&error),
        }
    }

    async fn names(&self) -> Vec<Vec<u8>> {
        match self.storage.scan(&self.partition).await {
            Ok(names) => names,
            Err(Error::PartitionMissing(_)) => Vec::new(),
            Err(error) => failed(&error),
        }
    }

    async fn put(&self, name: &[u8], secret: &impl Encode) {
        let secret = Zeroizing::new(secret.encode().to_vec());
        if self.read(name).await.is_some_and(|kept| kept == secret) {
            return;
        }
        let bytes = [&checksum(name, &secret)[..], &secret].concat();
        let written = async {
            let (blob, _) = self.storage.open(&self.partition, name).await?;
            blob.resize(0).await?;
            blob.write_at(0, bytes, WriteOptions::default()).await?;
            blob.sync().await
        };
        written.await.unwrap_or_else(|error| failed(&error));
    }

    async fn get<T: Read<Cfg = ()>>(&self, name: &[u8]) -> Option<T> {
        let secret = self.read(name).await?;
        T::decode(Copying(&secret)).ok()
    }

    /// The bytes of a secret, if it is there whole.
    async fn read(&self, name: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        // Opening would make it.
        if !self.names().await.iter().any(|kept| kept == name) {
            return None;
        }
        let read = async {
            let (blob, len) = self.storage.open(&self.partition, name).await?;
            let len = usize::try_from(len).unwrap_or(usize::MAX);
            let bytes = blob.read_at(0, len, ReadOptions::default()).await?;
            Ok::<_, Error>(Zeroizing::new(bytes.coalesce().as_ref().to_vec()))
        };
        let bytes = read.await.unwrap_or_else(|error| failed(&error));
        let (sum, secret) = bytes.split_at_checked(CHECKSUM)?;
        (sum == checksum(name, secret)).then(|| Zeroizing::new(secret.to_vec()))
    }
}

fn checksum(name: &[u8], secret: &[u8]) -> [u8; CHECKSUM] {
    Sha256::hash(&[name, secret]).0
}

/// # Panics
///
/// Always: a validator that cannot keep its secrets must not go on.
fn failed<T>(error: &Error) -> T {
    panic!("the store of secrets failed: {error}")
}

impl<E: Storage> SecretStore for Secrets<E> {
    async fn put_share(&mut self, epoch: Epoch, share: Share) {
        self.put(&name(epoch, Kind::Share, &[]), &share).await;
    }

    async fn get_share(&mut self, epoch: Epoch) -> Option<Share> {
        self.get(&name(epoch, Kind::Share, &[])).await
    }

    async fn put_seed(&mut self, epoch: Epoch, seed: Summary) {
        self.put(&name(epoch, Kind::Seed, &[]), &seed).await;
    }

    async fn get_seed(&mut self, epoch: Epoch) -> Option<Summary> {
        self.get(&name(epoch, Kind::Seed, &[])).await
    }

    async fn put_dealing<P: PublicKey>(&mut self, epoch: Epoch, dealer: P, private: DealerPrivMsg) {
        self.put(&name(epoch, Kind::Dealing, dealer.as_ref()), &private)
            .await;
    }

    async fn get_dealing<P: PublicKey>(&mut self, epoch: Epoch, dealer: &P) -> Option<DealerPrivMsg> {
        self.get(&name(epoch, Kind::Dealing, dealer.as_ref())).await
    }

    /// Of each epoch before `min`: its share and dealings, then its journal of votes, which without a share
    /// signs nothing any more, then its seed, so that an epoch that a crash left half removed is known again.
    async fn prune(&mut self, min: Epoch) {
        let old = |name: &Vec<u8>| name[..] < min.get().to_be_bytes()[..];
        let mut names: Vec<_> = self.names().await.into_iter().filter(old).collect();
        names.sort_by_key(|name| name.get(EPOCH_BYTES) == Some(&(Kind::Seed as u8)));
        for name in names {
            if let Some((epoch, kind)) = name.split_first_chunk::<EPOCH_BYTES>()
                && kind == [Kind::Seed as u8]
            {
                let journal = format!("{}{}", self.journals, u64::from_be_bytes(*epoch));
                self.remove(&journal, None).await;
            }
            self.remove(&self.partition, Some(&name)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{deal, decode_share, link_public_key};
    use commonware_cryptography::transcript::{Transcript, Version};
    use commonware_runtime::{Runner as _, Supervisor as _, deterministic};
    use rand::{SeedableRng as _, rngs::StdRng};

    fn share(seed: u64) -> Share {
        let dealt = deal(&[link_public_key(&[1; 32])], &mut StdRng::seed_from_u64(seed)).expect("dealt");
        decode_share(&dealt.shares[0]).expect("a share")
    }

    #[test]
    fn secrets_stay_until_they_are_pruned() {
        deterministic::Runner::default().start(|context| async move {
            let mut secrets = Secrets::new(context.child("secrets"), "test");
            secrets.found(Some(share(1))).await;
            secrets.put_share(Epoch::new(2), share(2)).await;
            // A later start does not bring the founding's share again.
            secrets.prune(Epoch::new(1)).await;
            secrets.found(Some(share(1))).await;
            assert_eq!(secrets.get_share(Epoch::zero()).await, None);
            let mut again = Secrets::new(context.child("again"), "test");
            assert_eq!(again.get_share(Epoch::new(2)).await, Some(share(2)));
            again.prune(Epoch::new(3)).await;
            assert_eq!(secrets.names().await, Vec::<Vec<u8>>::new());
        });
    }

    #[test]
    fn an_old_journal_of_votes_goes_with_its_epoch() {
        deterministic::Runner::default().start(|context| async move {
            let mut secrets = Secrets::new(context.child("secrets"), "test");
            for epoch in 3..=5 {
                let journal = format!("test_consensus_{epoch}");
                context.open(&journal, b"votes").await.expect("opens");
                let seed = Transcript::new(b"seed", Version::V1).summarize();
                secrets.put_seed(Epoch::new(epoch), seed).await;
            }
            secrets.put_share(Epoch::new(3), share(1)).await;
            secrets.prune(Epoch::new(5)).await;
            assert_eq!(secrets.names().await, [name(Epoch::new(5), Kind::Seed, &[])]);
            for epoch in 3..=4 {
                let journal = context.scan(&format!("test_consensus_{epoch}")).await;
                assert!(matches!(journal, Err(Error::PartitionMissing(_))), "{epoch}");
            }
            assert_eq!(context.scan("test_consensus_5").await.expect("kept").len(), 1);
        });
    }

    #[test]
    fn a_torn_secret_is_none() {
        deterministic::Runner::default().start(|context| async move {
            let mut secrets = Secrets::new(context.child("secrets"), "test");
            secrets.put_share(Epoch::new(1), share(1)).await;
            let name = name(Epoch::new(1), Kind::Share, &[]);
            let (blob, len) = context.open(&secrets.partition, &name).await.expect("opens");
            blob.resize(len - 1).await.expect("shorter");
            blob.sync().await.expect("for good");
            drop(blob);
            assert_eq!(secrets.get_share(Epoch::new(1)).await, None);
            secrets.put_share(Epoch::new(1), share(2)).await;
            assert_eq!(secrets.get_share(Epoch::new(1)).await, Some(share(2)));
        });
    }
}
