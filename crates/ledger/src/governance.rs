//! What the consortium decides: who is accredited as what, who may issue and who may ask for which
//! type of credential, what is revoked, and who validates. A decision is signed by as many members as the charter
//! asks for; they may sign on different machines.

use commonware_codec::{Copying, DecodeExt as _};
use commonware_cryptography::ed25519;
use realdid_checks::passes;
use realdid_crypto::{
    DecodeError, Domain, Hash, PublicKey, Reader, SecretKey, Signature, Writer, hash_labelled,
};
use realdid_did::OperationError;

use crate::charter::{Charter, MAX_NAME, MAX_VALIDATORS, Role, is_address, is_name};
use crate::committee::read_address;
use crate::record::{Right, RightKind, StateKey, state_key};
use crate::refusal::Refusal;

const LABEL: &str = "realdid/governance-operation/v1";

/// What the consortium decides. DIDs are named by their identifier hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GovernanceAction {
    /// 1: revokes an epoch key.
    RevokeEpochKey(Hash),
    /// 2: strikes off an accredited organisation, for good; its rights end with it.
    RevokeAccreditation(Hash),
    /// 3: accredits an organisation whose DID is active on the ledger.
    Accredit {
        /// Its DID.
        did: Hash,
        /// What it may do.
        role: Role,
        /// Its name, shown to holders: 1 to [`MAX_NAME`] bytes that [`is_name`] accepts.
        name: String,
    },
    /// 4: suspends an accreditation; its rights rest meanwhile.
    Suspend(Hash),
    /// 5: ends a suspension.
    Reinstate(Hash),
    /// 6: grants a right, or grants it anew with another detail.
    GrantRight {
        /// The right.
        right: Right,
        /// [`Hash::ZERO`], or for a right to ask the hash of the registration that limits it.
        detail: Hash,
    },
    /// 7: revokes a right.
    RevokeRight(Right),
    /// 8: makes a validator known, or says where a known one is reached from an epoch on.
    SetValidator {
        /// Ed25519 public key of its links.
        link_key: Hash,
        /// Its number: that of a known one, of a new one the next.
        index: u16,
        /// The first consensus epoch, at least [`COMMITTEE_NOTICE`](crate::COMMITTEE_NOTICE) ahead.
        from: u64,
        /// Name of the organisation that runs it, as [`is_name`] accepts it.
        name: String,
        /// Where its peers reach it, as [`is_address`] accepts it.
        address: String,
    },
    /// 9: sets the committee from an epoch on.
    SetCommittee {
        /// The first consensus epoch in which it gets shares, at least
        /// [`COMMITTEE_NOTICE`](crate::COMMITTEE_NOTICE) ahead.
        from: u64,
        /// Link keys of known validators, each once, in rising order; at most [`MAX_VALIDATORS`].
        members: Vec<Hash>,
    },
}

/// An operation of the consortium, signed by as many members as the charter asks for.
///
/// Layout: `03`, charter (32), sequence (8), action code (1), subject (32), the action's further
/// fields, count (1), then member index (1) and signature (64) each, in rising order of the index.
/// Everything before the count is the message that members sign. Further fields: of action 3 role
/// (1) and name, of action 6 kind (1), type (32) and detail (32), of action 7 kind (1) and type (32), of
/// action 8 index (2), epoch (8), name and address, of action 9, whose subject is zero, epoch (8), count (1) and link
/// keys (32 each).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GovernanceOperation {
    /// The next number; so nothing is applied twice.
    pub sequence: u64,
    /// What is decided.
    pub action: GovernanceAction,
}

impl GovernanceAction {
    /// Every key of the state that executing it may read or write, beside the parameters.
    pub(crate) fn keys(&self) -> Vec<StateKey> {
        match self {
            Self::RevokeEpochKey(id) => vec![state_key::epoch_key(id)],
            Self::RevokeAccreditation(did) | Self::Suspend(did) | Self::Reinstate(did) => {
                vec![state_key::accreditation(did)]
            }
            Self::Accredit { did, .. } => vec![state_key::did(did), state_key::accreditation(did)],
            Self::GrantRight { right, .. } => {
                vec![state_key::accreditation(&right.did), state_key::grant(right)]
            }
            Self::RevokeRight(right) => vec![state_key::grant(right)],
            Self::SetValidator { link_key, index, .. } => vec![
                state_key::schedule(),
                state_key::validator(link_key),
                state_key::validator_index(*index),
            ],
            Self::SetCommittee { members, .. } => {
                let members = members.iter().map(state_key::validator);
                [state_key::schedule()].into_iter().chain(members).collect()
            }
        }
    }

    fn write(&self, writer: &mut Writer) {
        let (code, subject) = match self {
            Self::RevokeEpochKey(id) => (1, id),
            Self::RevokeAccreditation(did) => (2, did),
            Self::Accredit { did, .. } => (3, did),
            Self::Suspend(did) => (4, did),
            Self::Reinstate(did) => (5, did),
            Self::GrantRight { right, .. } => (6, &right.did),
            Self::RevokeRight(right) => (7, &right.did),
            Self::SetValidator { link_key, .. } => (8, link_key),
            Self::SetCommittee { .. } => (9, &Hash::ZERO),
        };
        subject.write(writer.u8(code));
        match self {
            Self::Accredit { role, name, .. } => {
                writer.u8(*role as u8).bytes(name.as_bytes());
            }
            Self::GrantRight { right, detail } => {
                right.type_id.write(writer.u8(right.kind as u8));
                detail.write(writer);
            }
            Self::RevokeRight(right) => right.type_id.write(writer.u8(right.kind as u8)),
            Self::SetValidator {
                link_key: _,
                index,
                from,
                name,
                address,
            } => {
                writer.u16(*index).u64(*from);
                writer.bytes(name.as_bytes()).bytes(address.as_bytes());
            }
            Self::SetCommittee { from, members } => {
                writer.u64(*from).u8(members.len() as u8);
                members.iter().for_each(|member| member.write(writer));
            }
            _ => {}
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let (code, subject) = (reader.u8()?, Hash::read(reader)?);
        Ok(match code {
            1 => Self::RevokeEpochKey(subject),
            2 => Self::RevokeAccreditation(subject),
            3 => Self::Accredit {
                did: subject,
                role: Role::read(reader)?,
                name: read_name(reader)?,
            },
            4 => Self::Suspend(subject),
            5 => Self::Reinstate(subject),
            6 => {
                let right = Right::read_rest(subject, reader)?;
                let detail = Hash::read(reader)?;
                if right.kind == RightKind::Issue && detail != Hash::ZERO {
                    return Err(DecodeError::OutOfRange("detail"));
                }
                Self::GrantRight { right, detail }
            }
            7 => Self::RevokeRight(Right::read_rest(subject, reader)?),
            8 => Self::SetValidator {
                link_key: subject,
                index: reader.u16()?,
                from: reader.u64()?,
                name: read_name(reader)?,
                address: read_address(reader)?,
            },
            9 if subject == Hash::ZERO => Self::read_committee(reader)?,
            9 => return Err(DecodeError::OutOfRange("subject")),
            _ => return Err(DecodeError::Unknown("governance action")),
        })
    }

    fn read_committee(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let (from, count) = (reader.u64()?, reader.u8()?);
        if u16::from(count) > MAX_VALIDATORS {
            return Err(DecodeError::OutOfRange("committee"));
        }
        let members = (0..count).map(|_| Hash::read(reader)).collect::<Result<_, _>>()?;
        Ok(Self::SetCommittee { from, members })
    }

    /// What its fields must be, whatever the state.
    fn check(&self) -> Result<(), Refusal> {
        if let Self::Accredit { name, .. } | Self::SetValidator { name, .. } = self
            && !passes("LED-35", is_name(name))
        {
            return Err(Refusal::Name);
        }
        match self {
            Self::SetValidator { link_key, .. } if !passes("LED-44", is_link_key(link_key)) => {
                Err(Refusal::LinkKey)
            }
            Self::SetValidator { address, .. } if !passes("LED-45", is_address(address)) => {
                Err(Refusal::Address)
            }
            Self::SetCommittee { members, .. } if !passes("LED-46", members.is_sorted_by(|a, b| a < b)) => {
                Err(Refusal::CommitteeOrder)
            }
            _ => Ok(()),
        }
    }
}

/// Whether 32 bytes are a key that the engine's links take.
fn is_link_key(key: &Hash) -> bool {
    ed25519::PublicKey::decode(Copying(&key.0)).is_ok()
}

/// A name's bytes: UTF-8, at most [`MAX_NAME`].
pub(crate) fn read_name(reader: &mut Reader<'_>) -> Result<String, DecodeError> {
    let name = String::from_utf8(reader.bytes("name", MAX_NAME)?.to_vec());
    name.map_err(|_| DecodeError::OutOfRange("name"))
}

impl GovernanceOperation {
    /// The message that members of the network with this charter sign.
    #[must_use]
    pub fn message(&self, charter: &Hash) -> Vec<u8> {
        let mut writer = Writer::new();
        charter.write(writer.u8(3));
        self.action.write(writer.u64(self.sequence));
        writer.finish()
    }

    /// The operation that a message is about; nobody has signed it yet.
    ///
    /// # Errors
    /// [`Refusal::Operation`] if it is malformed or of another network, [`Refusal::Name`],
    /// [`Refusal::LinkKey`], [`Refusal::Address`], [`Refusal::CommitteeOrder`].
    pub fn from_message(charter: &Hash, message: &[u8]) -> Result<Self, Refusal> {
        let mut reader = Reader::new(message);
        let operation = Self::read(charter, &mut reader)?;
        reader.finish()?;
        Ok(operation)
    }

    /// The operation's hash, as in [`CheckedOperation::hash`](crate::CheckedOperation::hash).
    #[must_use]
    pub fn hash(&self, charter: &Hash) -> Hash {
        hash_labelled("realdid/operation-hash/v1", &[&self.message(charter)])
    }

    /// One member's signature.
    #[must_use]
    pub fn sign_alone(&self, charter: &Hash, key: &SecretKey) -> Signature {
        key.sign(&domain(charter), &self.message(charter))
    }

    /// Whether a signature is of the member with this key.
    #[must_use]
    pub fn is_signed_by(&self, charter: &Hash, key: &PublicKey, signature: &Signature) -> bool {
        key.verify(&domain(charter), &self.message(charter), signature)
            .is_ok()
    }

    /// The operation's bytes with signatures that members made, each with the member's index in the
    /// charter; in rising order of the index.
    #[must_use]
    pub fn with_signatures(&self, charter: &Hash, signatures: &[(u8, Signature)]) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.fixed(&self.message(charter)).u8(signatures.len() as u8);
        for (index, signature) in signatures {
            signature.write(writer.u8(*index));
        }
        writer.finish()
    }

    /// Signs the operation with members' keys, each with the member's index in the charter.
    #[must_use]
    pub fn sign(&self, charter: &Hash, members: &[(u8, &SecretKey)]) -> Vec<u8> {
        let signatures: Vec<_> = members
            .iter()
            .map(|(index, key)| (*index, self.sign_alone(charter, key)))
            .collect();
        self.with_signatures(charter, &signatures)
    }

    fn read(charter: &Hash, reader: &mut Reader<'_>) -> Result<Self, Refusal> {
        if reader.u8()? != 3 {
            return Err(DecodeError::Unknown("operation kind").into());
        }
        if Hash::read(reader)? != *charter {
            return Err(OperationError::OtherNetwork.into());
        }
        let sequence = reader.u64()?;
        let action = GovernanceAction::read(reader)?;
        action.check()?;
        Ok(Self { sequence, action })
    }

    pub(crate) fn check(
        charter: &Charter,
        charter_hash: &Hash,
        bytes: &[u8],
    ) -> Result<(Self, Hash), Refusal> {
        let mut reader = Reader::new(bytes);
        let operation = Self::read(charter_hash, &mut reader)?;
        let count = reader.u8()?;
        let mut last = None;
        for _ in 0..count {
            let index = reader.u8()?;
            if last.replace(index).is_some_and(|last| last >= index) {
                return Err(DecodeError::NotCanonical("signatures").into());
            }
            let member = charter.members.get(usize::from(index));
            let key = &member.ok_or(OperationError::Signer)?.key;
            let signature = Signature::read(&mut reader)?;
            if !passes("LED-03", operation.is_signed_by(charter_hash, key, &signature)) {
                return Err(OperationError::Signature.into());
            }
        }
        reader.finish()?;
        if !passes("LED-04", u16::from(count) >= charter.threshold) {
            return Err(Refusal::Threshold);
        }
        let hash = operation.hash(charter_hash);
        Ok((operation, hash))
    }
}

const fn domain(charter: &Hash) -> Domain<'_> {
    Domain {
        label: LABEL,
        charter,
    }
}
