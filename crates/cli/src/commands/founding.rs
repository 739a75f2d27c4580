//! Founding a sandbox: keys first, then the charter that names them.

use realdid_client::ServiceIdentity;
use realdid_crypto::{Hash, KeyType, SecretKey};
use realdid_did::Network;
use realdid_ledger::{Charter, Member, Quota, Role, Seat, Validator};
use realdid_node::founding::{deal, link_public_key, network_key};
use zeroize::Zeroizing;

use crate::failure::{Failure, Outcome};

/// Seconds of an epoch: 90 days.
const EPOCH_SECONDS: u64 = 90 * 24 * 3600;
/// Tokens per person and period.
const QUOTA: Quota = Quota {
    tokens: 64,
    period_seconds: 3600,
};
/// Seconds until a recovery takes effect.
const RECOVERY_DELAY: u64 = 3;
/// Seconds until a recovery after a vetoed one takes effect.
const VETOED_RECOVERY_DELAY: u64 = 30;
/// Persons below which wallets warn.
const MINIMUM_ANONYMITY_SET: u64 = 2;

/// Which ports everything has.
#[derive(Debug, Clone, Copy)]
pub struct Ports {
    base: u16,
}

impl Ports {
    /// Highest offset that is used.
    const LAST: u16 = 40;

    /// From a base; all ports above it must exist.
    pub fn new(base: u16) -> Outcome<Self> {
        if base == 0 || base.checked_add(Self::LAST).is_none() {
            return Err(Failure::usage(
                "port_base_invalid",
                format!("{base} is not a port base between 1 and 65495"),
            ));
        }
        Ok(Self { base })
    }

    /// The node's HTTP interface.
    pub const fn node(self) -> u16 {
        self.base
    }

    /// The node's link to its peers.
    pub const fn peers(self) -> u16 {
        self.base + 1
    }

    /// The authority.
    pub const fn authority(self) -> u16 {
        self.base + 10
    }

    /// The issuer of driving licences.
    pub const fn issuer(self) -> u16 {
        self.base + 11
    }

    /// A sign-in server, the first being 0.
    pub const fn signin(self, index: u16) -> u16 {
        self.base + 20 + index
    }
}

/// Everything that is secret at the founding.
pub struct Founding {
    /// The charter.
    pub charter: Charter,
    /// The member's governance key.
    pub member: SecretKey,
    /// Seed of the validator's link key.
    pub link_key: Zeroizing<[u8; 32]>,
    /// The validator's share of the network key.
    pub share: Zeroizing<Vec<u8>>,
    /// The authority's identity.
    pub authority: ServiceIdentity,
    /// The licence issuer's identity.
    pub issuer: ServiceIdentity,
    /// The sign-in servers' identities.
    pub signins: Vec<ServiceIdentity>,
}

impl Founding {
    /// Makes all keys, and the charter that names their public parts. One process deals the network
    /// key, so it has known all of it: good for a sandbox only.
    pub fn sandbox(name: &str, ports: Ports, signins: u16, now: u64) -> Outcome<Self> {
        let network = Network::new(name);
        let network =
            network.map_err(|error| Failure::usage("network_name_invalid", format!("`{name}`: {error}")))?;
        let mut rng = rand::rng();
        let member = SecretKey::generate(KeyType::Ed25519, &mut rng);
        let link_key = Zeroizing::new(rand::random::<[u8; 32]>());
        let dealt = deal(1, &mut rng).map_err(|error| Failure::local("dealing", error.to_string()))?;
        let key = network_key(&dealt.public).map_err(|error| Failure::local("dealing", error.to_string()))?;
        let share = dealt.shares.into_iter().next();
        let share = share.ok_or_else(|| Failure::local("dealing", "the dealt key has no share"))?;
        let authority = ServiceIdentity::generate_issuer(&mut rng);
        let issuer = ServiceIdentity::generate_issuer(&mut rng);
        let signins: Vec<_> = (0..signins)
            .map(|_| ServiceIdentity::generate(&mut rng))
            .collect();
        let seats = seats(&authority, &issuer, &signins);
        let charter = Charter {
            format: 1,
            network,
            sandbox: true,
            genesis_time: now,
            network_key: hex::encode(key),
            polynomial: hex::encode(&dealt.public),
            members: vec![Member {
                name: "Sandbox Member".to_owned(),
                key: member.public_key(),
            }],
            threshold: 1,
            validators: vec![Validator {
                name: "Sandbox Member".to_owned(),
                link_key: Hash(link_public_key(&link_key)),
                address: format!("127.0.0.1:{}", ports.peers()),
            }],
            seats,
            epoch_seconds: EPOCH_SECONDS,
            quota: QUOTA,
            recovery_delay: RECOVERY_DELAY,
            vetoed_recovery_delay: VETOED_RECOVERY_DELAY,
            minimum_anonymity_set: MINIMUM_ANONYMITY_SET,
        };
        Ok(Self {
            charter,
            member,
            link_key,
            share,
            authority,
            issuer,
            signins,
        })
    }
}

/// The charter's places for the first services, by their keys.
fn seats(authority: &ServiceIdentity, issuer: &ServiceIdentity, signins: &[ServiceIdentity]) -> Vec<Seat> {
    let seat = |name: String, role, identity: &ServiceIdentity| Seat {
        name,
        role,
        key: identity.public_key(),
    };
    let mut seats = vec![
        seat("Sandbox Authority".to_owned(), Role::Authority, authority),
        seat("Sandbox Licence Office".to_owned(), Role::Issuer, issuer),
    ];
    seats.extend(signins.iter().enumerate().map(|(index, identity)| {
        let name = if index == 0 {
            "Sandbox Sign-in".to_owned()
        } else {
            format!("Sandbox Sign-in {}", index + 1)
        };
        seat(name, Role::Signin, identity)
    }));
    seats
}
