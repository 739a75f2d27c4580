//! Everything that can stand in a block: operations on DIDs, of services, and of the consortium.

use realdid_checks::passes;
use realdid_crypto::{DecodeError, Domain, Hash, Reader, SecretKey, Signature, Writer, hash_labelled};
use realdid_did::{
    Authorization, DocumentData, MAX_OPERATION, OperationError, Purposes, SignedOperation, VerifiedOperation,
};
use realdid_token::EpochKey;

use crate::charter::Charter;
use crate::governance::GovernanceOperation;
use crate::record::{StateKey, state_key};
use crate::refusal::Refusal;

const SERVICE_LABEL: &str = "realdid/service-operation/v1";

/// First byte of a record of the ceremony that hands the network key on. Consensus puts it first
/// into a block, nobody submits it: [`check`] refuses it.
pub const CEREMONY_RECORD: u8 = 4;

/// What an accredited service does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServiceAction {
    /// An authority publishes its key for the next epoch. `key.authority` must be the signer.
    PublishEpochKey(Box<EpochKey>),
    /// An authority advances the sandbox's epoch by one, from this one.
    AdvanceEpoch {
        /// The current epoch.
        from: u64,
    },
    /// A service anchors a Merkle root of records.
    Anchor {
        /// What the records are, as a hash of the owner's choice; once per subject.
        subject: Hash,
        /// The root.
        root: Hash,
        /// How many records it covers.
        count: u64,
    },
}

/// An operation of an accredited service, signed by an assertion key of its DID.
///
/// Layout: `02`, charter (32), identifier hash (32), current document data, action code and
/// fields, signer index (1), signature (64) over all before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceOperation {
    /// Identifier hash of the service's DID.
    pub by: Hash,
    /// Its current document data, compared with its state entry.
    pub document: DocumentData,
    /// What it does.
    pub action: ServiceAction,
}

/// An operation whose form and signatures have been checked; state has not been looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedOperation {
    pub(crate) kind: Kind,
    bytes: Vec<u8>,
    hash: Hash,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    Did(Box<VerifiedOperation>),
    Service(Box<ServiceOperation>),
    Governance(GovernanceOperation),
}

/// The bytes of an operation on a DID as a block holds them: `01` and the signed operation.
#[must_use]
pub fn encode_did_operation(operation: &SignedOperation) -> Vec<u8> {
    [&[1], operation.encode().as_slice()].concat()
}

/// The signed operation on a DID in a block's bytes, if it is one; nothing is checked.
#[must_use]
pub fn decode_did_operation(bytes: &[u8]) -> Option<SignedOperation> {
    SignedOperation::decode(bytes.strip_prefix(&[1])?).ok()
}

/// Checks everything about an operation that needs no state: form, network, signatures.
///
/// # Errors
/// [`Refusal::Operation`], [`Refusal::Threshold`], [`Refusal::Name`].
pub fn check(charter: &Charter, charter_hash: &Hash, bytes: &[u8]) -> Result<CheckedOperation, Refusal> {
    if bytes.len() > MAX_OPERATION {
        return Err(OperationError::TooLong.into());
    }
    let (kind, hash) = match bytes.split_first() {
        Some((1, rest)) => {
            let verified = SignedOperation::decode(rest)?.verify(charter_hash)?;
            let hash = verified.hash();
            (Kind::Did(Box::new(verified)), hash)
        }
        Some((2, _)) => {
            let (operation, hash) = ServiceOperation::check(charter_hash, bytes)?;
            (Kind::Service(Box::new(operation)), hash)
        }
        Some((3, _)) => {
            let (operation, hash) = GovernanceOperation::check(charter, charter_hash, bytes)?;
            (Kind::Governance(operation), hash)
        }
        Some(_) => return Err(DecodeError::Unknown("operation kind").into()),
        None => return Err(DecodeError::UnexpectedEnd.into()),
    };
    Ok(CheckedOperation {
        kind,
        bytes: bytes.to_vec(),
        hash,
    })
}

impl CheckedOperation {
    /// The operation's bytes as a block holds them.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The operation's hash, without signatures.
    #[must_use]
    pub const fn hash(&self) -> Hash {
        self.hash
    }

    /// The operation on a DID, if it is one.
    #[must_use]
    pub fn did_operation(&self) -> Option<&VerifiedOperation> {
        match &self.kind {
            Kind::Did(operation) => Some(operation),
            Kind::Service(_) | Kind::Governance(_) => None,
        }
    }

    /// The operation of a service, if it is one.
    #[must_use]
    pub fn service_operation(&self) -> Option<&ServiceOperation> {
        match &self.kind {
            Kind::Service(operation) => Some(operation),
            Kind::Did(_) | Kind::Governance(_) => None,
        }
    }

    /// The decision of the consortium, if it is one.
    #[must_use]
    pub fn governance_operation(&self) -> Option<&GovernanceOperation> {
        match &self.kind {
            Kind::Governance(operation) => Some(operation),
            Kind::Did(_) | Kind::Service(_) => None,
        }
    }

    /// Every key of the state that executing it may read or write.
    #[must_use]
    pub fn keys(&self) -> Vec<StateKey> {
        let mut keys = vec![state_key::parameters()];
        match &self.kind {
            Kind::Did(verified) => did_keys(verified, &mut keys),
            Kind::Service(operation) => {
                keys.extend([
                    state_key::did(&operation.by),
                    state_key::accreditation(&operation.by),
                ]);
                match &operation.action {
                    ServiceAction::PublishEpochKey(key) => keys.extend(self.epoch_key_keys(key)),
                    ServiceAction::Anchor { subject, .. } => {
                        keys.push(state_key::anchor(&operation.by, subject))
                    }
                    ServiceAction::AdvanceEpoch { .. } => {}
                }
            }
            Kind::Governance(operation) => keys.extend(operation.action.keys()),
        }
        keys
    }

    fn epoch_key_keys(&self, key: &EpochKey) -> [StateKey; 3] {
        // The charter's hash is at a fixed place of the bytes, behind the kind; `check` has compared it.
        let charter = self
            .bytes
            .get(1..33)
            .and_then(|bytes| bytes.try_into().ok())
            .map_or(Hash::ZERO, Hash);
        [
            state_key::epoch_key(&key.id(&charter)),
            state_key::epoch_slot(&key.authority, key.purpose, key.level, key.epoch),
            state_key::modulus(key.modulus()),
        ]
    }
}

fn did_keys(verified: &VerifiedOperation, keys: &mut Vec<StateKey>) {
    let operation = verified.operation();
    keys.push(state_key::did(&operation.did));
    let mut token_keys = |authority: &Hash, token: &[u8]| {
        let id = token.first_chunk::<32>().map_or(Hash::ZERO, |id| Hash(*id));
        keys.extend([state_key::epoch_key(&id), state_key::accreditation(authority)]);
    };
    if let realdid_did::Action::Renew { authority, token, .. } = &operation.action {
        token_keys(authority, token.as_slice());
    }
    match operation.founding().map(|founding| &founding.authorization) {
        None => {}
        Some(Authorization::Token { authority, token }) => token_keys(authority, token.as_slice()),
        Some(Authorization::Charter { seat }) => {
            keys.extend([state_key::seat(*seat), state_key::accreditation(&operation.did)]);
        }
        Some(Authorization::Sponsored(by)) => {
            keys.extend([state_key::did(&by.sponsor), state_key::accreditation(&by.sponsor)]);
        }
    }
}

impl ServiceOperation {
    /// Signs the operation with the key at index `signer` of its document data.
    #[must_use]
    pub fn sign(&self, charter: &Hash, signer: u8, key: &SecretKey) -> Vec<u8> {
        let mut writer = Writer::new();
        charter.write(writer.u8(2));
        self.by.write(&mut writer);
        self.document.write(&mut writer);
        match &self.action {
            ServiceAction::PublishEpochKey(key) => key.write(writer.u8(1)),
            ServiceAction::AdvanceEpoch { from } => {
                writer.u8(2).u64(*from);
            }
            ServiceAction::Anchor { subject, root, count } => {
                subject.write(writer.u8(3));
                root.write(&mut writer);
                writer.u64(*count);
            }
        }
        let mut bytes = writer.u8(signer).clone().finish();
        let signature = key.sign(
            &Domain {
                label: SERVICE_LABEL,
                charter,
            },
            &bytes,
        );
        bytes.extend_from_slice(&signature.0);
        bytes
    }

    fn check(charter: &Hash, bytes: &[u8]) -> Result<(Self, Hash), Refusal> {
        let mut reader = Reader::new(bytes);
        reader.u8()?;
        if Hash::read(&mut reader)? != *charter {
            return Err(OperationError::OtherNetwork.into());
        }
        let by = Hash::read(&mut reader)?;
        let document = DocumentData::read(&mut reader)?;
        let action = match reader.u8()? {
            1 => ServiceAction::PublishEpochKey(Box::new(EpochKey::read(&mut reader)?)),
            2 => ServiceAction::AdvanceEpoch { from: reader.u64()? },
            3 => ServiceAction::Anchor {
                subject: Hash::read(&mut reader)?,
                root: Hash::read(&mut reader)?,
                count: reader.u64()?,
            },
            _ => return Err(DecodeError::Unknown("service action").into()),
        };
        let signer = usize::from(reader.u8()?);
        let signature = Signature::read(&mut reader)?;
        reader.finish()?;
        let key = document
            .keys()
            .get(signer)
            .filter(|key| key.purposes.contains(Purposes::ASSERTION));
        let key = &key.ok_or(OperationError::Signer)?.key;
        let signed = &bytes[..bytes.len() - signature.0.len()];
        let domain = Domain {
            label: SERVICE_LABEL,
            charter,
        };
        if !passes("LED-02", key.verify(&domain, signed, &signature).is_ok()) {
            return Err(OperationError::Signature.into());
        }
        let hash = hash_labelled("realdid/operation-hash/v1", &[&signed[..signed.len() - 1]]);
        Ok((Self { by, document, action }, hash))
    }
}
