//! The genesis charter: who founds a network and by which numbers it runs.
//!
//! A charter is a JSON file. Its hash is the SHA-256 of its compact JSON with the fields in the
//! order of [`Charter`]; every signature of the network includes that hash.

use realdid_crypto::{DecodeError, Hash, PublicKey, Reader, sha256};
use realdid_did::{Delays, Did, Network};

use crate::record::RightKind;

/// Length of the network key (BLS12-381 G2, compressed), in bytes.
pub const NETWORK_KEY_LENGTH: usize = 96;
/// Format of the charter file.
pub const CHARTER_FORMAT: u32 = 2;
/// Most members or seats of a charter.
const MAX_LIST: usize = 256;
/// Most validators a committee may have.
pub const MAX_VALIDATORS: u16 = 32;
/// Longest address of a validator, in bytes. A record of the ceremony with the addresses of three
/// committees of [`MAX_VALIDATORS`] stays below the longest operation.
pub const MAX_ADDRESS: usize = 80;
/// Blocks of a consensus epoch that a committee needs per validator: in its second half each has to
/// lead a block, and may miss a turn.
pub const EPOCH_BLOCKS_PER_VALIDATOR: u64 = 4;
/// Fewest and most blocks of a consensus epoch.
const EPOCH_BLOCKS: std::ops::RangeInclusive<u64> = 16..=1 << 32;
/// Longest name in a charter, in bytes.
pub const MAX_NAME: usize = 64;

/// Why a charter cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CharterError {
    /// A charter of another format.
    #[error(
        "the charter has format {found}, this software reads {CHARTER_FORMAT}: found the network anew, or run the \
         software that made it"
    )]
    Format {
        /// The format it says.
        found: u32,
    },
    /// Not JSON of the expected shape.
    #[error("the charter is not valid JSON of the expected form: {0}")]
    Json(#[from] serde_json::Error),
    /// A field is out of range; it is named.
    #[error("the charter's field `{0}` is out of range")]
    Field(&'static str),
}

/// A consortium member: signs governance operations.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Name of the organisation.
    pub name: String,
    /// Its governance key.
    pub key: PublicKey,
}

/// A node that votes.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Validator {
    /// Name of the organisation that runs it.
    pub name: String,
    /// Ed25519 public key of its authenticated links, 32 bytes in hexadecimal.
    pub link_key: Hash,
    /// Where its peers reach it, `host:port`, as [`is_address`] accepts it.
    pub address: String,
}

/// Where the network key comes from.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyOrigin {
    /// Whether one process dealt the key, and so has known all of it: sandboxes only.
    pub dealt: bool,
    /// Public outcome of the ceremony that made the key, in the engine's encoding, hexadecimal: the
    /// polynomial and who has shares of it.
    pub outcome: String,
}

/// How the committee of validators works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Committees {
    /// Blocks of a consensus epoch, 16 to 2^32: in each, the shares of the network key are dealt
    /// anew. At least [`EPOCH_BLOCKS_PER_VALIDATOR`] per validator of the largest committee.
    pub epoch_blocks: u64,
    /// Most validators a committee may have, at most [`MAX_VALIDATORS`]. Nodes make room for so many.
    pub max_validators: u16,
}

/// What an accredited service may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Role {
    /// Proofs persons and gives real-name tokens.
    Authority = 1,
    /// Asks holders to log in, for websites it sponsors.
    Signin = 2,
    /// Issues credentials of the types that it was granted.
    Issuer = 3,
    /// Asks holders for credentials of the types that it was granted.
    Verifier = 4,
}

impl Role {
    /// Whether it answers for DIDs of others, so that they get on the ledger.
    #[must_use]
    pub const fn may_sponsor(self) -> bool {
        matches!(self, Self::Authority | Self::Signin)
    }

    /// Whether a right of this kind can be granted to it.
    #[must_use]
    pub const fn may_hold(self, kind: RightKind) -> bool {
        match kind {
            RightKind::Issue => matches!(self, Self::Authority | Self::Issuer),
            RightKind::Ask => matches!(self, Self::Signin | Self::Verifier),
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(match reader.u8()? {
            1 => Self::Authority,
            2 => Self::Signin,
            3 => Self::Issuer,
            4 => Self::Verifier,
            _ => return Err(DecodeError::Unknown("role")),
        })
    }
}

/// Whether a text can stand for an organisation before holders: 1 to [`MAX_NAME`] bytes, nothing
/// that is not seen or turns the direction, no white space at its ends.
#[must_use]
pub fn is_name(name: &str) -> bool {
    let unseen = |c: char| {
        c.is_control()
            || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
    };
    (1..=MAX_NAME).contains(&name.len()) && name.trim() == name && !name.chars().any(unseen)
}

/// Whether a text can be a validator's address: `host:port` of at most [`MAX_ADDRESS`] bytes, the
/// host an IP address (version 6 in brackets) or a DNS name (RFC 1123), the port not 0.
#[must_use]
pub fn is_address(address: &str) -> bool {
    if address.len() > MAX_ADDRESS {
        return false;
    }
    if let Ok(socket) = address.parse::<std::net::SocketAddr>() {
        return socket.port() != 0;
    }
    let Some((host, port)) = address.rsplit_once(':') else {
        return false;
    };
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    // Digits alone in the last label would be a malformed IP address.
    let named = host
        .rsplit('.')
        .next()
        .is_some_and(|last| last.bytes().any(|b| !b.is_ascii_digit()));
    let digits = port.bytes().all(|b| b.is_ascii_digit()) && !port.starts_with('0');
    named && host.split('.').all(label) && digits && port.parse::<u16>().is_ok()
}

/// A place the charter keeps for a service's DID.
///
/// A DID's hash covers the charter's hash, so the charter cannot hold the hash of the DID; it
/// names the key instead, and the DID that this key publishes takes the seat.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seat {
    /// Name of the organisation, shown to holders.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// First key of the DID's inception.
    pub key: PublicKey,
}

/// How many tokens a person gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quota {
    /// Tokens per period, new DIDs and renewals together.
    pub tokens: u32,
    /// Length of the period, in seconds.
    pub period_seconds: u64,
}

/// The genesis charter of a network.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Charter {
    /// Format of this file: [`CHARTER_FORMAT`].
    pub format: u32,
    /// Name of the network, part of every DID.
    pub network: Network,
    /// Whether this is a sandbox: loopback without TLS, an outbox page, epochs advanced by command.
    pub sandbox: bool,
    /// When epoch 0 begins, in Unix seconds.
    pub genesis_time: u64,
    /// The validators' threshold public key, 96 bytes in hexadecimal.
    pub network_key: String,
    /// How the network key came about.
    pub key_origin: KeyOrigin,
    /// The members.
    pub members: Vec<Member>,
    /// How many members must sign a governance operation.
    pub threshold: u16,
    /// The first committee: those who have shares of the network key at genesis.
    pub validators: Vec<Validator>,
    /// How committees work.
    pub committees: Committees,
    /// The first accredited services.
    pub seats: Vec<Seat>,
    /// Length of an epoch, in seconds (production: 90 days).
    pub epoch_seconds: u64,
    /// Tokens per person.
    pub quota: Quota,
    /// Delay of a recovery, in seconds (production: 72 h).
    pub recovery_delay: u64,
    /// Delay of a recovery after a vetoed one, in seconds (production: 30 days).
    pub vetoed_recovery_delay: u64,
    /// Wallets warn when fewer persons than this got tokens from the same key.
    pub minimum_anonymity_set: u64,
}

impl Charter {
    /// Parses and checks a charter file.
    ///
    /// # Errors
    /// [`CharterError`].
    pub fn from_json(json: &[u8]) -> Result<Self, CharterError> {
        #[derive(serde::Deserialize)]
        struct Format {
            format: u32,
        }
        // Looked at first: the fields of another format are others.
        let Format { format } = serde_json::from_slice(json)?;
        if format != CHARTER_FORMAT {
            return Err(CharterError::Format { found: format });
        }
        let charter: Self = serde_json::from_slice(json)?;
        charter.check()?;
        Ok(charter)
    }

    /// The charter as a file for people: indented JSON.
    ///
    /// # Errors
    /// [`CharterError`] if the charter could not be read back.
    pub fn to_json(&self) -> Result<String, CharterError> {
        self.check()?;
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// The charter's hash: SHA-256 of its compact JSON.
    ///
    /// # Panics
    /// Never: a charter always has a JSON form.
    #[must_use]
    pub fn hash(&self) -> Hash {
        sha256(&serde_json::to_vec(self).expect("a charter has a JSON form"))
    }

    /// The network key's bytes.
    #[must_use]
    pub fn network_key(&self) -> [u8; NETWORK_KEY_LENGTH] {
        let mut key = [0; NETWORK_KEY_LENGTH];
        // `check` has made sure of the length and the digits.
        let _ = hex::decode_to_slice(&self.network_key, &mut key);
        key
    }

    /// The bytes of [`KeyOrigin::outcome`].
    #[must_use]
    pub fn key_outcome(&self) -> Vec<u8> {
        // `check` has made sure of the digits.
        hex::decode(&self.key_origin.outcome).unwrap_or_default()
    }

    /// The delays that [`realdid_did::follow`] needs.
    #[must_use]
    pub const fn delays(&self) -> Delays {
        Delays {
            recovery: self.recovery_delay,
            vetoed_recovery: self.vetoed_recovery_delay,
        }
    }

    /// The DID with this identifier hash on this network.
    #[must_use]
    pub fn did(&self, hash: Hash) -> Did {
        Did {
            network: self.network.clone(),
            hash,
        }
    }

    /// The epoch at a time (Unix seconds), given how far the sandbox was advanced.
    #[must_use]
    pub const fn epoch_at(&self, now: u64, advanced: u64) -> u64 {
        (now.saturating_sub(self.genesis_time) / self.epoch_seconds).saturating_add(advanced)
    }

    fn check(&self) -> Result<(), CharterError> {
        let key = hex::decode(&self.network_key).is_ok_and(|bytes| bytes.len() == NETWORK_KEY_LENGTH);
        is(self.format == CHARTER_FORMAT, "format")?;
        is(key, "network_key")?;
        let outcome = hex::decode(&self.key_origin.outcome).is_ok_and(|bytes| !bytes.is_empty());
        is(outcome, "key_origin.outcome")?;
        is(self.sandbox || !self.key_origin.dealt, "key_origin.dealt")?;
        self.check_committees()?;
        is((1..=MAX_LIST).contains(&self.members.len()), "members")?;
        is(
            self.members.iter().all(|member| is_name(&member.name)),
            "members.name",
        )?;
        // Else one member could sign for several.
        let mut keys: Vec<_> = self.members.iter().map(|member| member.key).collect();
        keys.sort_unstable();
        keys.dedup();
        is(keys.len() == self.members.len(), "members.key")?;
        is(
            (1..=self.members.len()).contains(&usize::from(self.threshold)),
            "threshold",
        )?;
        is(self.seats.len() <= MAX_LIST, "seats")?;
        is(self.seats.iter().all(|seat| is_name(&seat.name)), "seats.name")?;
        is(self.epoch_seconds > 0, "epoch_seconds")?;
        is(self.quota.tokens > 0 && self.quota.period_seconds > 0, "quota")?;
        is(self.recovery_delay > 0, "recovery_delay")?;
        is(
            self.vetoed_recovery_delay >= self.recovery_delay,
            "vetoed_recovery_delay",
        )
    }

    /// That every committee which this charter allows can hand the key on, and the first is one.
    fn check_committees(&self) -> Result<(), CharterError> {
        let Committees {
            epoch_blocks,
            max_validators,
        } = self.committees;
        let largest = (1..=MAX_VALIDATORS).contains(&max_validators);
        is(largest, "committees.max_validators")?;
        let turns = u64::from(max_validators) * EPOCH_BLOCKS_PER_VALIDATOR;
        let length = EPOCH_BLOCKS.contains(&epoch_blocks) && turns <= epoch_blocks;
        is(length, "committees.epoch_blocks")?;
        let first = (1..=usize::from(max_validators)).contains(&self.validators.len());
        is(first, "validators")?;
        let addresses = self.validators.iter().all(|found| is_address(&found.address));
        is(addresses, "validators.address")
    }
}

fn is(holds: bool, field: &'static str) -> Result<(), CharterError> {
    if holds {
        Ok(())
    } else {
        Err(CharterError::Field(field))
    }
}
