//! Signed operations on a DID, and what can be checked about one without knowing any state.

use realdid_checks::passes;
use realdid_crypto::{DecodeError, Domain, Hash, PublicKey, Reader, Signature, Writer, hash_labelled};

use crate::inception::{
    Commitment, DocumentData, Inception, KeysReveal, Purposes, RecoveryReveal, Salt, VerificationKey,
};

/// Length of a real-name token, in bytes; what is in it only `realdid-token` knows.
pub const TOKEN_LENGTH: usize = 320;
/// Most bytes of a signed operation.
pub const MAX_OPERATION: usize = 16 * 1024;
/// The one format version of operations there is.
const FORMAT: u8 = 1;
/// Domain label of operation signatures.
const LABEL: &str = "realdid/operation/v1";

/// Why an operation is refused without looking at any state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OperationError {
    /// Not the canonical encoding of an operation.
    #[error("the operation is malformed: {0}")]
    Malformed(#[from] DecodeError),
    /// Longer than [`MAX_OPERATION`].
    #[error("the operation is longer than {MAX_OPERATION} bytes")]
    TooLong,
    /// Made for a network with another charter.
    #[error("the operation was made for another network")]
    OtherNetwork,
    /// The inception it carries does not hash to the DID it names.
    #[error("the inception does not belong to the DID")]
    OtherInception,
    /// A first operation that names a previous one, or a later one that does not.
    #[error("whether an operation comes before it does not fit its kind")]
    Previous,
    /// The signer's index names no key of the operation that may sign it.
    #[error("the signer is not a key that may sign this operation")]
    Signer,
    /// The signature is not valid.
    #[error("the operation's signature is not valid")]
    Signature,
}

/// Why a DID that is new to the ledger may be put on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authorization {
    /// A real-name token over this DID, and the authority that gave it.
    Token {
        /// Identifier hash of the authority's DID.
        authority: Hash,
        /// The token's bytes.
        token: Box<[u8; TOKEN_LENGTH]>,
    },
    /// A seat of the genesis charter, taken by the key the charter names for it.
    Charter {
        /// Index of the seat in the charter.
        seat: u16,
    },
    /// An accredited organisation answers for this DID.
    Sponsored(Box<Sponsorship>),
}

/// An accredited organisation's statement that it answers for a DID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sponsorship {
    /// Identifier hash of the sponsor's DID.
    pub sponsor: Hash,
    /// The sponsor's current document data, compared with its state entry.
    pub document: DocumentData,
    /// Index of the sponsor's assertion key in it.
    pub signer: u8,
    /// Signature over the sponsored DID's identifier hash, label `realdid/sponsorship/v1`.
    pub signature: Signature,
}

impl Sponsorship {
    /// What a sponsor signs, for the DID with this identifier hash.
    #[must_use]
    pub const fn domain(charter: &Hash) -> Domain<'_> {
        Domain {
            label: "realdid/sponsorship/v1",
            charter,
        }
    }

    fn key(&self) -> Result<&PublicKey, OperationError> {
        let key = self
            .document
            .keys()
            .get(usize::from(self.signer))
            .ok_or(OperationError::Signer)?;
        if key.purposes.contains(Purposes::ASSERTION) {
            Ok(&key.key)
        } else {
            Err(OperationError::Signer)
        }
    }
}

/// What puts a DID on the ledger: its inception and why it may be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Founding {
    /// The DID's inception.
    pub inception: Inception,
    /// Why it may be on the ledger.
    pub authorization: Authorization,
}

/// By which right a DID is deactivated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reveal {
    /// By the next keys: takes effect after the delay, and recovery cancels it.
    Next(KeysReveal),
    /// By the recovery key: takes effect at once.
    Recovery(RecoveryReveal),
}

/// The next keys, opened, become the current ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    /// The new document data; its keys are the ones that were committed to.
    pub document: DocumentData,
    /// The salt of the commitment.
    pub salt: Salt,
    /// Commitment to the keys after these.
    pub next: Commitment,
}

impl Rotation {
    /// The commitment that this opens on the network with this charter.
    #[must_use]
    pub fn commitment(&self, charter: &Hash) -> Commitment {
        KeysReveal {
            keys: self.document.keys().to_vec(),
            salt: self.salt,
        }
        .commitment(charter)
    }
}

/// What an operation does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Puts a DID on the ledger as its inception says. Signed by an authentication key of the
    /// inception, so that nobody publishes another's DID.
    Publish(Box<Founding>),
    /// Rotates to the committed next keys. Signed by one of them.
    Update(Rotation),
    /// Attaches a token of a later epoch. Signed by a current authentication key.
    Renew {
        /// The current document data, compared with the entry.
        document: DocumentData,
        /// Identifier hash of the authority that gave the token.
        authority: Hash,
        /// The token's bytes.
        token: Box<[u8; TOKEN_LENGTH]>,
    },
    /// Replaces keys and commitments after the charter's delay. Signed by the recovery key. May be
    /// a DID's first operation, and then carries its founding.
    Recover {
        /// Present exactly if this is the first operation.
        founding: Option<Box<Founding>>,
        /// The recovery key, opened.
        reveal: RecoveryReveal,
        /// The new keys and services.
        document: DocumentData,
        /// Commitment to the keys after these.
        next: Commitment,
        /// Commitment to the next recovery key.
        recovery: Commitment,
    },
    /// Ends the DID for good. May be a DID's first operation.
    Deactivate {
        /// Present exactly if this is the first operation.
        founding: Option<Box<Founding>>,
        /// By which right.
        reveal: Reveal,
    },
    /// Cancels a pending recovery, once, and rotates to the next keys. Signed by one of them.
    Veto(Rotation),
}

/// An operation on one DID. See [`SignedOperation`] for the layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Hash of the genesis charter of the network.
    pub charter: Hash,
    /// Identifier hash of the DID.
    pub did: Hash,
    /// Hash of the operation before this one; [`Hash::ZERO`] for the first.
    pub previous: Hash,
    /// What it does.
    pub action: Action,
}

impl Operation {
    /// The operation's hash, without signatures: what the next operation names as its previous.
    #[must_use]
    pub fn hash(&self) -> Hash {
        hash_labelled("realdid/operation-hash/v1", &[&self.encode()])
    }

    /// The document data this operation sets, if it sets any.
    #[must_use]
    pub fn document(&self) -> Option<DocumentData> {
        match &self.action {
            Action::Publish(founding) => Some(founding.inception.document.clone()),
            Action::Update(rotation) | Action::Veto(rotation) => Some(rotation.document.clone()),
            Action::Recover { document, .. } => Some(document.clone()),
            Action::Renew { .. } | Action::Deactivate { .. } => None,
        }
    }

    /// The founding it carries, if it is a first operation.
    #[must_use]
    pub fn founding(&self) -> Option<&Founding> {
        match &self.action {
            Action::Publish(founding) => Some(founding),
            Action::Recover { founding, .. } | Action::Deactivate { founding, .. } => founding.as_deref(),
            Action::Update(_) | Action::Renew { .. } | Action::Veto(_) => None,
        }
    }

    /// Signs the operation with the key at index `signer` of the keys that may sign it.
    #[must_use]
    pub fn sign(self, signer: u8, key: &realdid_crypto::SecretKey) -> SignedOperation {
        let message = message(&self.encode(), signer);
        let signature = key.sign(
            &Domain {
                label: LABEL,
                charter: &self.charter,
            },
            &message,
        );
        SignedOperation {
            operation: self,
            signer,
            signature,
        }
    }

    fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.u8(FORMAT);
        self.charter.write(&mut writer);
        self.did.write(&mut writer);
        self.previous.write(&mut writer);
        self.action.write(&mut writer);
        writer.finish()
    }

    /// The key that must have signed: the one at `signer` among those that may.
    fn signing_key<'a>(&'a self, signer: u8) -> Result<&'a PublicKey, OperationError> {
        let index = usize::from(signer);
        let among = |keys: &'a [VerificationKey]| {
            let key = keys.get(index)?;
            Some((&key.key, key.purposes.contains(Purposes::AUTHENTICATION)))
        };
        let named = match &self.action {
            Action::Publish(founding) => among(founding.inception.document.keys()),
            Action::Renew { document, .. } => among(document.keys()),
            Action::Update(rotation) | Action::Veto(rotation) => among(rotation.document.keys()),
            Action::Deactivate {
                reveal: Reveal::Next(reveal),
                ..
            } => among(&reveal.keys),
            // There is one recovery key.
            Action::Recover { reveal, .. }
            | Action::Deactivate {
                reveal: Reveal::Recovery(reveal),
                ..
            } => Some((&reveal.key, index == 0)),
        };
        let (key, may_sign) = named.ok_or(OperationError::Signer)?;
        if passes("OP-03", may_sign) {
            Ok(key)
        } else {
            Err(OperationError::Signer)
        }
    }
}

fn message(operation: &[u8], signer: u8) -> Vec<u8> {
    [operation, &[signer]].concat()
}

/// An operation with its signature, as it travels; nothing about it has been checked yet.
///
/// Layout: format `01`, charter (32), identifier hash (32), previous (32), action code
/// (1 publish, 2 update, 3 renew, 4 recover, 5 deactivate, 6 veto) and its fields in the order of
/// [`Action`], signer index (1), signature (64) over all before it, label `realdid/operation/v1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedOperation {
    /// What is signed.
    pub operation: Operation,
    /// Index of the signing key among those that may sign.
    pub signer: u8,
    /// The signature.
    pub signature: Signature,
}

impl SignedOperation {
    /// The canonical bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = message(&self.operation.encode(), self.signer);
        bytes.extend_from_slice(&self.signature.0);
        bytes
    }

    /// Decodes canonical bytes.
    ///
    /// # Errors
    /// [`OperationError::TooLong`], [`OperationError::Malformed`].
    pub fn decode(bytes: &[u8]) -> Result<Self, OperationError> {
        if bytes.len() > MAX_OPERATION {
            return Err(OperationError::TooLong);
        }
        let mut reader = Reader::new(bytes);
        if reader.u8()? != FORMAT {
            return Err(DecodeError::Unknown("operation format").into());
        }
        let operation = Operation {
            charter: Hash::read(&mut reader)?,
            did: Hash::read(&mut reader)?,
            previous: Hash::read(&mut reader)?,
            action: Action::read(&mut reader)?,
        };
        let signed = Self {
            operation,
            signer: reader.u8()?,
            signature: Signature::read(&mut reader)?,
        };
        reader.finish()?;
        Ok(signed)
    }

    /// Checks everything that needs no state: the network, the inception, the signature.
    ///
    /// # Errors
    /// [`OperationError`].
    pub fn verify(self, charter: &Hash) -> Result<VerifiedOperation, OperationError> {
        let operation = &self.operation;
        let of_this_network = |named: &Hash| {
            if passes("OP-01", named == charter) {
                Ok(())
            } else {
                Err(OperationError::OtherNetwork)
            }
        };
        of_this_network(&operation.charter)?;
        if let Some(founding) = operation.founding() {
            if !passes("OP-02", founding.inception.hash() == operation.did) {
                return Err(OperationError::OtherInception);
            }
            of_this_network(&founding.inception.charter)?;
            if let Authorization::Sponsored(sponsorship) = &founding.authorization {
                let (domain, did) = (Sponsorship::domain(charter), operation.did.as_bytes());
                let signed = sponsorship.key()?.verify(&domain, did, &sponsorship.signature);
                if !passes("OP-06", signed.is_ok()) {
                    return Err(OperationError::Signature);
                }
            }
        }
        let is_first = operation.previous == Hash::ZERO;
        if !passes("OP-04", operation.founding().is_some() == is_first) {
            return Err(OperationError::Previous);
        }
        let bytes = message(&operation.encode(), self.signer);
        let domain = Domain {
            label: LABEL,
            charter,
        };
        let key = operation.signing_key(self.signer)?;
        if !passes("OP-05", key.verify(&domain, &bytes, &self.signature).is_ok()) {
            return Err(OperationError::Signature);
        }
        let hash = operation.hash();
        Ok(VerifiedOperation {
            operation: self.operation,
            hash,
        })
    }
}

/// An operation whose network, inception and signature have been checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedOperation {
    operation: Operation,
    hash: Hash,
}

impl VerifiedOperation {
    /// The operation.
    #[must_use]
    pub const fn operation(&self) -> &Operation {
        &self.operation
    }

    /// Its hash.
    #[must_use]
    pub const fn hash(&self) -> Hash {
        self.hash
    }
}
