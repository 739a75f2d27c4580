//! Where validators are reached: texts in the records of the ceremony, addresses only when dialled.

use commonware_codec::{Buf, EncodeSize, Error as CodecError, Read, ReadExt as _, Write, util};
use commonware_consensus::types::Epoch;
use commonware_cryptography::ed25519::PublicKey;
use commonware_glue::dkg::network::{self, Manager};
use commonware_p2p::{
    Address, AddressableManager, AddressableTrackedPeers, Ingress, PeerSetSubscription, Provider,
    TrackedPeers,
};
use commonware_runtime::BufMut;
use commonware_utils::{
    Hostname,
    ordered::{Map, Set},
};
use realdid_ledger::{MAX_ADDRESS, is_address};
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
};
use thiserror::Error;

/// The addresses of an epoch's validators as texts: those who sign in it, those who get shares in
/// it and those who get shares in the next.
///
/// Encoding: for each validator in ascending order of the keys, which the record says, the length
/// of the address (1) and the address.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Directory(Map<PublicKey, String>);

impl Directory {
    /// The addresses; of a key that is named twice, the first.
    pub(crate) fn new(addresses: impl IntoIterator<Item = (PublicKey, String)>) -> Self {
        Self(Map::from_iter_dedup(addresses))
    }

    /// With more addresses; of a key that is in it, its own.
    fn with(&self, more: &[(PublicKey, String)]) -> Self {
        let own = self
            .0
            .iter_pairs()
            .map(|(key, address)| (key.clone(), address.clone()));
        Self::new(own.chain(more.iter().cloned()))
    }

    pub(crate) fn address(&self, key: &PublicKey) -> Option<&String> {
        self.0.get_value(key)
    }
}

impl Write for Directory {
    fn write(&self, buf: &mut impl BufMut) {
        for address in self.0.values() {
            // `is_address` has bounded it.
            buf.put_u8(u8::try_from(address.len()).unwrap_or(u8::MAX));
            buf.put_slice(address.as_bytes());
        }
    }
}

impl EncodeSize for Directory {
    fn encode_size(&self) -> usize {
        self.0.values().iter().map(|address| 1 + address.len()).sum()
    }
}

impl Read for Directory {
    type Cfg = Set<PublicKey>;

    fn read_cfg(buf: &mut impl Buf, keys: &Set<PublicKey>) -> Result<Self, CodecError> {
        let mut addresses = Vec::with_capacity(keys.len());
        for _ in 0..keys.len() {
            let len = usize::from(u8::read(buf)?);
            if len > MAX_ADDRESS {
                return Err(CodecError::InvalidLength(len));
            }
            util::at_least(buf, len)?;
            let mut bytes = vec![0; len];
            buf.copy_to_slice(&mut bytes);
            let address = String::from_utf8(bytes).ok().filter(|text| is_address(text));
            addresses.push(address.ok_or(CodecError::Invalid("directory", "address"))?);
        }
        let map = Map::from_parts(keys.clone(), addresses);
        map.map(Self).ok_or(CodecError::Invalid("directory", "keys"))
    }
}

impl network::Directory<PublicKey> for Directory {
    fn codec_config(peers: &Set<PublicKey>) -> Set<PublicKey> {
        peers.clone()
    }

    fn max_encode_size(peers: usize) -> usize {
        peers * (1 + MAX_ADDRESS)
    }

    fn matches(&self, peers: &Set<PublicKey>) -> bool {
        self.0.keys() == peers
    }
}

/// The peers of an epoch could not be told to the network.
#[derive(Debug, Error)]
#[error("the record has no usable address of a validator")]
pub(crate) struct NoAddress;

/// Tells the network whom to keep links to, epoch by epoch.
#[derive(Clone, Debug)]
pub(crate) struct Peers<M>(pub(crate) M);

impl<M: Provider> Provider for Peers<M> {
    type PublicKey = M::PublicKey;

    async fn peer_set(&mut self, id: u64) -> Option<TrackedPeers<M::PublicKey>> {
        self.0.peer_set(id).await
    }

    async fn subscribe(&mut self) -> PeerSetSubscription<M::PublicKey> {
        self.0.subscribe().await
    }
}

impl<M: AddressableManager<PublicKey = PublicKey>> Manager for Peers<M> {
    type Directory = Directory;
    type Error = NoAddress;

    fn track(
        &mut self,
        epoch: Epoch,
        peers: TrackedPeers<PublicKey>,
        directory: &Directory,
    ) -> Result<(), NoAddress> {
        let resolve = |keys: &Set<PublicKey>| -> Result<Map<PublicKey, Address>, NoAddress> {
            let pairs = keys.iter().map(|key| {
                let address = directory.address(key).and_then(|text| dialled(text));
                address.map(|address| (key.clone(), address)).ok_or(NoAddress)
            });
            Ok(Map::from_iter_dedup(pairs.collect::<Result<Vec<_>, _>>()?))
        };
        let peers = AddressableTrackedPeers::new(resolve(&peers.primary)?, resolve(&peers.secondary)?);
        // The network is gone only if the engine stops.
        let _ = self.0.track(epoch.get(), peers);
        Ok(())
    }
}

/// Validators that the consortium knows and that are in no committee now: not yet, or no longer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Followers(Arc<Mutex<Vec<(PublicKey, String)>>>);

impl Followers {
    pub(crate) fn set(&self, followers: Vec<(PublicKey, String)>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = followers;
    }

    fn get(&self) -> Vec<(PublicKey, String)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Adds the followers to the peers of every epoch. They are each node's own affair: what an epoch's
/// record says does not depend on them. Followers dial, nobody dials them.
#[derive(Clone, Debug)]
pub(crate) struct Followed<P> {
    pub(crate) peers: P,
    pub(crate) followers: Followers,
}

impl<P: Provider> Provider for Followed<P> {
    type PublicKey = P::PublicKey;

    async fn peer_set(&mut self, id: u64) -> Option<TrackedPeers<P::PublicKey>> {
        self.peers.peer_set(id).await
    }

    async fn subscribe(&mut self) -> PeerSetSubscription<P::PublicKey> {
        self.peers.subscribe().await
    }
}

impl<P: Manager<PublicKey = PublicKey, Directory = Directory>> Manager for Followed<P> {
    type Directory = Directory;
    type Error = P::Error;

    fn track(
        &mut self,
        epoch: Epoch,
        peers: TrackedPeers<PublicKey>,
        directory: &Directory,
    ) -> Result<(), P::Error> {
        let followers = self.followers.get();
        let keys = followers.iter().map(|(key, _)| key);
        let secondary = Set::from_iter_dedup(peers.secondary.iter().chain(keys).cloned());
        let peers = TrackedPeers::new(peers.primary, secondary);
        self.peers.track(epoch, peers, &directory.with(&followers))
    }
}

/// What the network dials for an address of the ledger. A name is looked up at every attempt, and
/// nothing is said about where its links come from: that is not checked (see `engine::connect`).
fn dialled(address: &str) -> Option<Address> {
    if let Ok(socket) = address.parse() {
        return Some(Address::Symmetric(socket));
    }
    let (host, port) = address.rsplit_once(':')?;
    Some(Address::Asymmetric {
        ingress: Ingress::Dns {
            host: Hostname::new(host).ok()?,
            port: port.parse().ok()?,
        },
        egress: SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use commonware_codec::{Copying, Decode as _, Encode as _};
    use commonware_cryptography::{Signer as _, ed25519::PrivateKey};

    fn key(seed: u64) -> PublicKey {
        PrivateKey::from_seed(seed).public_key()
    }

    #[test]
    fn every_address_of_the_ledger_can_be_dialled() {
        for address in ["127.0.0.1:7301", "[::1]:1", "node.example:7301", "a:65535"] {
            assert!(is_address(address) && dialled(address).is_some(), "{address}");
        }
    }

    #[test]
    fn a_directory_round_trips_for_its_keys_alone() {
        let addresses = [
            (key(1), "a.example:1".to_owned()),
            (key(2), "127.0.0.1:2".to_owned()),
        ];
        let directory = Directory::new(addresses);
        let bytes = directory.encode();
        assert_eq!(bytes.len(), directory.encode_size());
        let keys = Set::from_iter_dedup([key(1), key(2)]);
        let decoded = Directory::decode_cfg(Copying(&bytes), &keys);
        assert_eq!(decoded.expect("the same keys"), directory);
        for keys in [vec![key(1)], vec![key(1), key(2), key(3)]] {
            let keys = Set::from_iter_dedup(keys);
            assert!(Directory::decode_cfg(Copying(&bytes), &keys).is_err());
        }
        let port_zero = Directory::new([(key(1), "a.example:0".to_owned())]).encode();
        let keys = Set::from_iter_dedup([key(1)]);
        assert!(Directory::decode_cfg(Copying(&port_zero), &keys).is_err());
    }
}
