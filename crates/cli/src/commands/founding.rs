//! Founding a sandbox: keys first, then the charter that names them.

use realdid_client::ServiceIdentity;
use realdid_crypto::{Hash, KeyType, SecretKey};
use realdid_did::Network;
use realdid_ledger::{Charter, Committees, KeyOrigin, Member, Quota, Role, Seat, Validator};
use realdid_node::founding::{deal, link_public_key, network_key};
use zeroize::Zeroizing;

use crate::args::NetworkInit;
use crate::failure::{Failure, Outcome};

/// Most validators of a committee.
const MAX_VALIDATORS: u16 = 10;
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
    /// Highest offset that is used: the peers of the tenth node.
    const LAST: u16 = 57;

    /// From a base; all ports above it must exist.
    pub fn new(base: u16) -> Outcome<Self> {
        if base == 0 || base.checked_add(Self::LAST).is_none() {
            return Err(Failure::usage(
                "port_base_invalid",
                format!("{base} is not a port base between 1 and 65478"),
            ));
        }
        Ok(Self { base })
    }

    /// A node's HTTP interface, the first being 0.
    pub const fn node(self, index: u16) -> u16 {
        match index {
            0 => self.base,
            further => self.base + 38 + 2 * further,
        }
    }

    /// A node's link to its peers.
    pub const fn peers(self, index: u16) -> u16 {
        self.node(index) + 1
    }

    /// The authority.
    pub const fn authority(self) -> u16 {
        self.base + 10
    }

    /// The issuer of driving licences.
    pub const fn issuer(self) -> u16 {
        self.base + 11
    }

    /// The web wallet.
    pub const fn web_wallet(self) -> u16 {
        self.base + 30
    }

    /// A website of the sandbox, the first being 0.
    pub const fn site(self, index: u16) -> u16 {
        self.base + 31 + index
    }

    /// A sign-in server, the first being 0.
    pub const fn signin(self, index: u16) -> u16 {
        self.base + 20 + index
    }
}

/// What a validator keeps to itself.
pub struct ValidatorSecrets {
    /// Seed of its link key.
    pub link_key: Zeroizing<[u8; 32]>,
    /// Its share of the network key.
    pub share: Zeroizing<Vec<u8>>,
}

/// Everything that is secret at the founding.
pub struct Founding {
    /// The charter.
    pub charter: Charter,
    /// The member's governance key.
    pub member: SecretKey,
    /// The validators' secrets, in the order of the charter.
    pub validators: Vec<ValidatorSecrets>,
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
    pub fn sandbox(options: &NetworkInit, ports: Ports, now: u64) -> Outcome<Self> {
        let name = &options.name;
        let network = Network::new(name);
        let network =
            network.map_err(|error| Failure::usage("network_name_invalid", format!("`{name}`: {error}")))?;
        let mut rng = rand::rng();
        let member = SecretKey::generate(KeyType::Ed25519, &mut rng);
        let (validators, outcome) = deal_to(options.validators, &mut rng)?;
        let key = network_key(&outcome).map_err(|error| Failure::local("dealing", error.to_string()))?;
        let authority = ServiceIdentity::generate_issuer(&mut rng);
        let issuer = ServiceIdentity::generate_issuer(&mut rng);
        let signins: Vec<_> = (0..options.signins)
            .map(|_| ServiceIdentity::generate(&mut rng))
            .collect();
        let seats = seats(&authority, &issuer, &signins);
        let charter = Charter {
            format: 2,
            network,
            sandbox: true,
            genesis_time: now,
            network_key: hex::encode(key),
            key_origin: KeyOrigin {
                dealt: true,
                outcome: hex::encode(&outcome),
            },
            members: vec![Member {
                name: "Sandbox Member".to_owned(),
                key: member.public_key(),
            }],
            threshold: 1,
            validators: (0..)
                .zip(&validators)
                .map(|(index, secrets)| Validator {
                    name: numbered("Sandbox Member", index),
                    link_key: Hash(link_public_key(&secrets.link_key)),
                    address: format!("127.0.0.1:{}", ports.peers(index)),
                })
                .collect(),
            committees: Committees {
                epoch_blocks: options.epoch_blocks,
                max_validators: MAX_VALIDATORS,
            },
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
            validators,
            authority,
            issuer,
            signins,
        })
    }
}

/// Link keys and shares for so many validators, and the public outcome.
fn deal_to(validators: u16, rng: &mut impl rand::CryptoRng) -> Outcome<(Vec<ValidatorSecrets>, Vec<u8>)> {
    let link_keys = (0..validators).map(|_| Zeroizing::new(rand::random::<[u8; 32]>()));
    let link_keys: Vec<_> = link_keys.collect();
    let public: Vec<_> = link_keys.iter().map(|seed| link_public_key(seed)).collect();
    let dealt = deal(&public, rng).map_err(|error| Failure::local("dealing", error.to_string()))?;
    let secrets = link_keys.into_iter().zip(dealt.shares);
    let secrets = secrets.map(|(link_key, share)| ValidatorSecrets { link_key, share });
    Ok((secrets.collect(), dealt.outcome))
}

/// `name` for the first, `name 2` for the second.
fn numbered(name: &str, index: u16) -> String {
    match index {
        0 => name.to_owned(),
        further => format!("{name} {}", further + 1),
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
    let signins = (0..).zip(signins);
    seats.extend(
        signins.map(|(index, identity)| seat(numbered("Sandbox Sign-in", index), Role::Signin, identity)),
    );
    seats
}
