//! What the ledger's state holds: records of one fixed size under 32-byte keys.

use realdid_checks::passes;
use realdid_crypto::{DecodeError, Hash, Reader, Writer, hash_labelled, sha256};
use realdid_did::{Entry, Level};
use realdid_token::{EpochKey, Purpose};

use crate::charter::Role;
use crate::committee::{KnownValidator, Schedule};
use crate::governance::read_name;

/// Length of every value of the state, in bytes.
pub const VALUE_LEN: usize = 384;
/// A key of the state.
pub type StateKey = [u8; 32];
/// A value of the state.
pub type StateValue = [u8; VALUE_LEN];

/// A service that may act on the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accreditation {
    /// Identifier hash of its DID.
    pub did: Hash,
    /// What it may do.
    pub role: Role,
    /// Name of the organisation.
    pub name: String,
    /// Time of the block since which it is struck off, in Unix seconds; 0 unless it is. For good.
    pub revoked_at: u64,
    /// Time of the block since which it is suspended, in Unix seconds; 0 unless it is.
    pub suspended_at: u64,
}

impl Accreditation {
    /// Whether it counts: neither struck off nor suspended.
    #[must_use]
    pub const fn in_force(&self) -> bool {
        self.revoked_at == 0 && self.suspended_at == 0
    }

    /// Whether it counts, and is for this role.
    #[must_use]
    pub fn in_force_as(&self, role: Role) -> bool {
        self.in_force() && self.role == role
    }
}

/// What an accredited organisation may do with a type of credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum RightKind {
    /// Issue credentials of the type.
    Issue = 1,
    /// Ask holders for credentials of the type.
    Ask = 2,
}

/// A right: who may do what with which type of credential. Whether it is granted, the state says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Right {
    /// Identifier hash of the organisation's DID.
    pub did: Hash,
    /// What it may do.
    pub kind: RightKind,
    /// Which type: [`type_id`] of its name.
    pub type_id: Hash,
}

impl Right {
    /// The right of a DID to issue credentials of the type with this name (`vct`).
    #[must_use]
    pub fn to_issue(did: Hash, type_name: &str) -> Self {
        Self {
            did,
            kind: RightKind::Issue,
            type_id: type_id(type_name),
        }
    }

    /// The right of a DID to ask for credentials of the type with this name (`vct`).
    #[must_use]
    pub fn to_ask(did: Hash, type_name: &str) -> Self {
        Self {
            did,
            kind: RightKind::Ask,
            type_id: type_id(type_name),
        }
    }

    /// The fields behind the DID.
    pub(crate) fn read_rest(did: Hash, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let kind = match reader.u8()? {
            1 => RightKind::Issue,
            2 => RightKind::Ask,
            _ => return Err(DecodeError::Unknown("right")),
        };
        let type_id = Hash::read(reader)?;
        Ok(Self { did, kind, type_id })
    }
}

/// How the ledger names a type of credential: the SHA-256 of its `vct` (or document type), as text.
#[must_use]
pub fn type_id(type_name: &str) -> Hash {
    sha256(type_name.as_bytes())
}

/// A right that was granted. It counts only while the accreditation of its DID is in force, too:
/// [`ProvenState::right`](crate::ProvenState::right) looks at both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// The right.
    pub right: Right,
    /// [`Hash::ZERO`] if it has no limits; for a right to ask else the SHA-256 of the registration
    /// that lists the claims.
    pub detail: Hash,
    /// Time of its block, in Unix seconds.
    pub granted_at: u64,
    /// Time of the block since which it is revoked, in Unix seconds; 0 unless it is.
    pub revoked_at: u64,
}

/// An epoch key on the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EpochKeyRecord {
    /// The key.
    pub key: EpochKey,
    /// Time of its block, in Unix seconds.
    pub published_at: u64,
    /// Time of the block since which it is revoked, in Unix seconds; 0 while in force.
    pub revoked_at: u64,
}

/// A Merkle root of somebody's records, at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// Identifier hash of the DID that anchored it.
    pub by: Hash,
    /// What the records are, said by its owner as a hash.
    pub subject: Hash,
    /// The root.
    pub root: Hash,
    /// How many records it covers.
    pub count: u64,
    /// Time of its block, in Unix seconds.
    pub time: u64,
}

/// A record of the state. On the ledger: tag (1), fields, zeros up to [`VALUE_LEN`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// 1: a DID's entry, under its identifier hash.
    Did(Box<Entry>),
    /// 2: an epoch key, under its identifier.
    EpochKey(Box<EpochKeyRecord>),
    /// 3: which key holds a place (authority, purpose, level, epoch): its identifier.
    EpochSlot(Hash),
    /// 4: which key has a modulus: its identifier.
    Modulus(Hash),
    /// 5: an accreditation, under the DID's identifier hash.
    Accreditation(Accreditation),
    /// 6: which DID took a seat of the charter.
    Seat(Hash),
    /// 7: numbers that change: how far the sandbox's epoch was advanced, next governance sequence.
    Parameters(Parameters),
    /// 8: an anchored root.
    Anchor(Anchor),
    /// 9: a right that was granted, under DID, kind and type.
    Grant(Grant),
    /// 10: a validator, under its link key.
    Validator(Box<KnownValidator>),
    /// 11: which validator has an index: its link key.
    ValidatorIndex(Hash),
    /// 12: the committees.
    Schedule(Schedule),
}

/// The numbers of the network that change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Parameters {
    /// By how many epochs the sandbox was advanced.
    pub advanced_epochs: u64,
    /// Sequence number of the next governance operation.
    pub governance_sequence: u64,
}

/// Keys of the state: a DID's entry lies under its identifier hash, all others under a labelled hash.
pub mod state_key {
    use super::{Hash, Level, Purpose, Right, StateKey, hash_labelled};

    /// Where the numbers that change lie.
    #[must_use]
    pub fn parameters() -> StateKey {
        hash_labelled("realdid/state/parameters/v1", &[]).0
    }

    /// Where a DID's entry lies.
    #[must_use]
    pub const fn did(did: &Hash) -> StateKey {
        did.0
    }

    /// Where an epoch key lies.
    #[must_use]
    pub fn epoch_key(id: &Hash) -> StateKey {
        hash_labelled("realdid/state/epoch-key/v1", &[id.as_bytes()]).0
    }

    /// Where the one key of an authority for a purpose, level and epoch is named.
    #[must_use]
    pub fn epoch_slot(authority: &Hash, purpose: Purpose, level: Level, epoch: u64) -> StateKey {
        let parts: [&[u8]; 3] = [
            authority.as_bytes(),
            &[purpose.code(), level.code()],
            &epoch.to_be_bytes(),
        ];
        hash_labelled("realdid/state/epoch-slot/v1", &parts).0
    }

    /// Where it is noted that a modulus is taken.
    #[must_use]
    pub fn modulus(modulus: &[u8]) -> StateKey {
        hash_labelled("realdid/state/modulus/v1", &[modulus]).0
    }

    /// Where a DID's accreditation lies.
    #[must_use]
    pub fn accreditation(did: &Hash) -> StateKey {
        hash_labelled("realdid/state/accreditation/v1", &[did.as_bytes()]).0
    }

    /// Where a right lies that was granted.
    #[must_use]
    pub fn grant(right: &Right) -> StateKey {
        let parts: [&[u8]; 3] = [
            right.did.as_bytes(),
            &[right.kind as u8],
            right.type_id.as_bytes(),
        ];
        hash_labelled("realdid/state/grant/v1", &parts).0
    }

    /// Everything that [`ProvenState::right`](crate::ProvenState::right) looks at.
    #[must_use]
    pub fn right(right: &Right) -> [StateKey; 2] {
        [accreditation(&right.did), grant(right)]
    }

    /// Where it is noted who took a seat of the charter.
    #[must_use]
    pub fn seat(index: u16) -> StateKey {
        hash_labelled("realdid/state/seat/v1", &[&index.to_be_bytes()]).0
    }

    /// Where the committees lie.
    #[must_use]
    pub fn schedule() -> StateKey {
        hash_labelled("realdid/state/schedule/v1", &[]).0
    }

    /// Where a validator lies, by its link key.
    #[must_use]
    pub fn validator(link_key: &Hash) -> StateKey {
        hash_labelled("realdid/state/validator/v1", &[link_key.as_bytes()]).0
    }

    /// Where it is noted which validator has an index.
    #[must_use]
    pub fn validator_index(index: u16) -> StateKey {
        hash_labelled("realdid/state/validator-index/v1", &[&index.to_be_bytes()]).0
    }

    /// Where a root lies that a DID anchored for a subject.
    #[must_use]
    pub fn anchor(by: &Hash, subject: &Hash) -> StateKey {
        hash_labelled("realdid/state/anchor/v1", &[by.as_bytes(), subject.as_bytes()]).0
    }
}

impl Record {
    /// The [`VALUE_LEN`] bytes.
    #[must_use]
    pub fn encode(&self) -> StateValue {
        let mut writer = Writer::new();
        match self {
            Self::Did(entry) => entry.write(writer.u8(1)),
            Self::EpochKey(record) => {
                record.key.write(writer.u8(2));
                writer.u64(record.published_at).u64(record.revoked_at);
            }
            Self::EpochSlot(id) => id.write(writer.u8(3)),
            Self::Modulus(id) => id.write(writer.u8(4)),
            Self::Accreditation(accreditation) => {
                accreditation.did.write(writer.u8(5));
                writer
                    .u8(accreditation.role as u8)
                    .bytes(accreditation.name.as_bytes());
                writer
                    .u64(accreditation.revoked_at)
                    .u64(accreditation.suspended_at);
            }
            Self::Seat(did) => did.write(writer.u8(6)),
            Self::Parameters(parameters) => {
                writer
                    .u8(7)
                    .u64(parameters.advanced_epochs)
                    .u64(parameters.governance_sequence);
            }
            Self::Anchor(anchor) => {
                writer.u8(8);
                [anchor.by, anchor.subject, anchor.root]
                    .iter()
                    .for_each(|hash| hash.write(&mut writer));
                writer.u64(anchor.count).u64(anchor.time);
            }
            Self::Grant(grant) => {
                grant.right.did.write(writer.u8(9));
                grant.right.type_id.write(writer.u8(grant.right.kind as u8));
                grant.detail.write(&mut writer);
                writer.u64(grant.granted_at).u64(grant.revoked_at);
            }
            Self::Validator(validator) => validator.write(writer.u8(10)),
            Self::ValidatorIndex(link_key) => link_key.write(writer.u8(11)),
            Self::Schedule(schedule) => schedule.write(writer.u8(12)),
        }
        let bytes = writer.finish();
        let mut value = [0; VALUE_LEN];
        value[..bytes.len()].copy_from_slice(&bytes);
        value
    }

    /// Decodes a value; refuses every encoding [`Self::encode`] would not give.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn decode(value: &StateValue) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(value);
        let record = match reader.u8()? {
            1 => Self::Did(Box::new(Entry::read(&mut reader)?)),
            2 => Self::EpochKey(Box::new(EpochKeyRecord {
                key: EpochKey::read(&mut reader)?,
                published_at: reader.u64()?,
                revoked_at: reader.u64()?,
            })),
            3 => Self::EpochSlot(Hash::read(&mut reader)?),
            4 => Self::Modulus(Hash::read(&mut reader)?),
            5 => Self::Accreditation(read_accreditation(&mut reader)?),
            6 => Self::Seat(Hash::read(&mut reader)?),
            7 => Self::Parameters(Parameters {
                advanced_epochs: reader.u64()?,
                governance_sequence: reader.u64()?,
            }),
            8 => Self::Anchor(Anchor {
                by: Hash::read(&mut reader)?,
                subject: Hash::read(&mut reader)?,
                root: Hash::read(&mut reader)?,
                count: reader.u64()?,
                time: reader.u64()?,
            }),
            9 => {
                let did = Hash::read(&mut reader)?;
                Self::Grant(Grant {
                    right: Right::read_rest(did, &mut reader)?,
                    detail: Hash::read(&mut reader)?,
                    granted_at: reader.u64()?,
                    revoked_at: reader.u64()?,
                })
            }
            10 => Self::Validator(Box::new(KnownValidator::read(&mut reader)?)),
            11 => Self::ValidatorIndex(Hash::read(&mut reader)?),
            12 => Self::Schedule(Schedule::read(&mut reader)?),
            _ => return Err(DecodeError::Unknown("record")),
        };
        if !passes("LED-01", record.encode() == *value) {
            return Err(DecodeError::NotCanonical("record"));
        }
        Ok(record)
    }
}

fn read_accreditation(reader: &mut Reader<'_>) -> Result<Accreditation, DecodeError> {
    Ok(Accreditation {
        did: Hash::read(reader)?,
        role: Role::read(reader)?,
        name: read_name(reader)?,
        revoked_at: reader.u64()?,
        suspended_at: reader.u64()?,
    })
}
