//! A holder with derived keys, who makes every kind of operation; other crates' tests use it too.

use realdid_crypto::{Hash, KeyType, SecretKey, hash_labelled};
use realdid_did::{
    Action, Authorization, Commitment, DocumentData, Founding, Inception, KeysReveal, Operation, Purposes,
    RecoveryReveal, Reveal, Rotation, Salt, SignedOperation, Sponsorship, TOKEN_LENGTH, VerificationKey,
    VerifiedOperation,
};

/// A DID's owner. Keys of generation 0 stand in the inception; those of 1 are committed to in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    pub name: &'static str,
    pub kind: KeyType,
    pub charter: Hash,
}

#[allow(dead_code, reason = "each crate's tests use their part of it")]
impl Holder {
    pub const fn new(name: &'static str, charter: Hash) -> Self {
        Self {
            name,
            kind: KeyType::Ed25519,
            charter,
        }
    }

    fn derived(&self, purpose: &str, generation: u8) -> [u8; 32] {
        hash_labelled(purpose, &[&[generation], self.name.as_bytes()]).0
    }

    pub fn key(&self, generation: u8) -> SecretKey {
        SecretKey::from_seed(self.kind, &self.derived("key", generation))
    }

    pub fn recovery_key(&self, generation: u8) -> SecretKey {
        SecretKey::from_seed(self.kind, &self.derived("recovery key", generation))
    }

    pub fn salt(&self, generation: u8) -> Salt {
        self.derived("salt", generation)
    }

    pub fn document(&self, generation: u8) -> DocumentData {
        let purposes = Purposes::AUTHENTICATION.with(Purposes::ASSERTION);
        let key = self.key(generation).public_key();
        DocumentData::new(vec![VerificationKey { purposes, key }], Vec::new()).unwrap()
    }

    pub fn keys_reveal(&self, generation: u8) -> KeysReveal {
        KeysReveal {
            keys: self.document(generation).keys().to_vec(),
            salt: self.salt(generation),
        }
    }

    pub fn next(&self, generation: u8) -> Commitment {
        self.keys_reveal(generation).commitment(&self.charter)
    }

    pub fn recovery_reveal(&self, generation: u8) -> RecoveryReveal {
        let key = self.recovery_key(generation).public_key();
        RecoveryReveal {
            key,
            salt: self.derived("recovery salt", generation),
        }
    }

    pub fn recovery(&self, generation: u8) -> Commitment {
        self.recovery_reveal(generation).commitment(&self.charter)
    }

    pub fn inception(&self) -> Inception {
        Inception {
            charter: self.charter,
            document: self.document(0),
            next: self.next(1),
            recovery: self.recovery(0),
        }
    }

    pub fn did(&self) -> Hash {
        self.inception().hash()
    }

    pub fn founding(&self, authorization: Authorization) -> Box<Founding> {
        Box::new(Founding {
            inception: self.inception(),
            authorization,
        })
    }

    pub fn operation(&self, previous: Hash, action: Action) -> Operation {
        Operation {
            charter: self.charter,
            did: self.did(),
            previous,
            action,
        }
    }

    pub fn publish(&self, authorization: Authorization) -> SignedOperation {
        let action = Action::Publish(self.founding(authorization));
        self.operation(Hash::ZERO, action).sign(0, &self.key(0))
    }

    pub fn rotation(&self, to: u8) -> Rotation {
        Rotation {
            document: self.document(to),
            salt: self.salt(to),
            next: self.next(to + 1),
        }
    }

    pub fn update(&self, previous: Hash, to: u8) -> SignedOperation {
        self.operation(previous, Action::Update(self.rotation(to)))
            .sign(0, &self.key(to))
    }

    pub fn veto(&self, previous: Hash, to: u8) -> SignedOperation {
        self.operation(previous, Action::Veto(self.rotation(to)))
            .sign(0, &self.key(to))
    }

    /// Recovers with the recovery key of a generation to the keys of a generation.
    pub fn recover(&self, previous: Hash, recovery: u8, to: u8) -> SignedOperation {
        self.recover_with(previous, None, recovery, to)
    }

    pub fn recover_with(
        &self,
        previous: Hash,
        founding: Option<Authorization>,
        recovery: u8,
        to: u8,
    ) -> SignedOperation {
        let action = Action::Recover {
            founding: founding.map(|authorization| self.founding(authorization)),
            reveal: self.recovery_reveal(recovery),
            document: self.document(to),
            next: self.next(to + 1),
            recovery: self.recovery(recovery + 1),
        };
        self.operation(previous, action)
            .sign(0, &self.recovery_key(recovery))
    }

    pub fn deactivate_by_next(&self, previous: Hash, to: u8) -> SignedOperation {
        let action = Action::Deactivate {
            founding: None,
            reveal: Reveal::Next(self.keys_reveal(to)),
        };
        self.operation(previous, action).sign(0, &self.key(to))
    }

    pub fn deactivate_by_recovery(&self, previous: Hash, recovery: u8) -> SignedOperation {
        self.deactivate_with(previous, None, recovery)
    }

    pub fn deactivate_with(
        &self,
        previous: Hash,
        founding: Option<Authorization>,
        recovery: u8,
    ) -> SignedOperation {
        let action = Action::Deactivate {
            founding: founding.map(|authorization| self.founding(authorization)),
            reveal: Reveal::Recovery(self.recovery_reveal(recovery)),
        };
        self.operation(previous, action)
            .sign(0, &self.recovery_key(recovery))
    }

    pub fn renew(
        &self,
        previous: Hash,
        generation: u8,
        authority: Hash,
        token: Box<[u8; TOKEN_LENGTH]>,
    ) -> SignedOperation {
        let action = Action::Renew {
            document: self.document(generation),
            authority,
            token,
        };
        self.operation(previous, action).sign(0, &self.key(generation))
    }

    /// This holder's statement that it answers for a DID, by its keys of a generation.
    pub fn sponsor(&self, did: &Hash, generation: u8) -> Authorization {
        let signature = self
            .key(generation)
            .sign(&Sponsorship::domain(&self.charter), did.as_bytes());
        Authorization::Sponsored(Box::new(Sponsorship {
            sponsor: self.did(),
            document: self.document(generation),
            signer: 0,
            signature,
        }))
    }

    /// What `operation` is once it has been checked.
    pub fn verified(&self, operation: SignedOperation) -> VerifiedOperation {
        operation.verify(&self.charter).unwrap()
    }
}
