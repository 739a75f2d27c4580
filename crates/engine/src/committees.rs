//! Who gets shares of the network key in which epoch, and where they are reached.

use crate::directory::Directory;
use commonware_consensus::types::Epoch;
use commonware_cryptography::ed25519::PublicKey;
use commonware_glue::dkg::ParticipantsProvider;
use commonware_utils::ordered::Set;

/// The committees of a network: the charter's validators in every epoch.
#[derive(Clone)]
pub(crate) struct Committees {
    players: Set<PublicKey>,
    directory: Directory,
}

impl Committees {
    pub(crate) const fn new(players: Set<PublicKey>, directory: Directory) -> Self {
        Self { players, directory }
    }
}

impl ParticipantsProvider for Committees {
    type PublicKey = PublicKey;
    type Directory = Directory;

    async fn participants(&mut self, _: Epoch) -> Set<PublicKey> {
        self.players.clone()
    }

    async fn directory(&mut self, _: Epoch, _: Set<PublicKey>) -> Directory {
        self.directory.clone()
    }
}
