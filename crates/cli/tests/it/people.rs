//! An authority and holders of DIDs made up for tests and benches: they sign what the real ones do.
//!
//! The authority signs tokens in the open, without blinding: a verifier cannot tell.

use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::{Padding, Rsa};
use openssl::sign::{RsaPssSaltlen, Signer};
use rand::CryptoRng;
use realdid_crypto::{Hash, KeyType, SecretKey, derive_key};
use realdid_did::{
    Action, Authorization, Did, DocumentData, Founding, Inception, KeysReveal, Level, Operation, Purposes,
    RecoveryReveal, Reveal, Rotation, SignedOperation, TOKEN_LENGTH, VerificationKey,
};
use realdid_ledger::{Charter, Role, Seat, ServiceAction, ServiceOperation, encode_did_operation};
use realdid_token::{EpochKey, MODULUS_LENGTH, Purpose};

/// Length of a PSS salt of a token, in bytes (RFC 9474 §5).
const SALT_LENGTH: i32 = 48;

/// An accredited authority with the key of one epoch.
pub struct TestAuthority {
    charter: Hash,
    key: SecretKey,
    inception: Inception,
    epoch_key: EpochKey,
    private: PKey<Private>,
}

impl TestAuthority {
    /// The seat that a charter must have at index 0 for the authority of this seed.
    pub fn seat(seed: &[u8; 32]) -> Seat {
        Seat {
            name: "Test Authority".to_owned(),
            role: Role::Authority,
            key: SecretKey::from_seed(KeyType::Ed25519, seed).public_key(),
        }
    }

    /// The authority of this seed, for tokens of epoch 0.
    pub fn new(charter: &Charter, seed: &[u8; 32]) -> Self {
        let charter = charter.hash();
        let key = SecretKey::from_seed(KeyType::Ed25519, seed);
        let keys = vec![VerificationKey {
            purposes: Purposes::AUTHENTICATION.with(Purposes::ASSERTION),
            key: key.public_key(),
        }];
        let later = Keys::new(charter, *seed);
        let inception = Inception {
            charter,
            document: DocumentData::new(keys, Vec::new()).expect("one key"),
            next: later.reveal(1, 0).commitment(&charter),
            recovery: later.recovery().1.commitment(&charter),
        };
        let private = Rsa::generate(2048).expect("an RSA key");
        let modulus: [u8; MODULUS_LENGTH] = private.n().to_vec().try_into().expect("2048 bits");
        let level = Level::Substantial;
        let epoch_key =
            EpochKey::new(inception.hash(), Purpose::RealName, level, 0, modulus).expect("2048 bits");
        let private = PKey::from_rsa(private).expect("an RSA key");
        Self {
            charter,
            key,
            inception,
            epoch_key,
            private,
        }
    }

    /// Identifier hash of its DID.
    #[allow(dead_code, reason = "not every target needs it")]
    pub fn did(&self) -> Hash {
        self.inception.hash()
    }

    /// What puts the authority on the ledger, in this order, as a block holds it: its DID, then
    /// its epoch key.
    pub fn operations(&self) -> [Vec<u8>; 2] {
        let founding = Founding {
            inception: self.inception.clone(),
            authorization: Authorization::Charter { seat: 0 },
        };
        let publish = Operation {
            charter: self.charter,
            did: self.inception.hash(),
            previous: Hash::ZERO,
            action: Action::Publish(Box::new(founding)),
        };
        let announce = ServiceOperation {
            by: self.inception.hash(),
            document: self.inception.document.clone(),
            action: ServiceAction::PublishEpochKey(Box::new(self.epoch_key.clone())),
        };
        [
            encode_did_operation(&publish.sign(0, &self.key)),
            announce.sign(&self.charter, 0, &self.key),
        ]
    }

    /// The epoch key, as the ledger has it.
    pub const fn epoch_key(&self) -> &EpochKey {
        &self.epoch_key
    }

    /// A token for the DID with this identifier hash.
    pub fn token(&self, did: &Hash, rng: &mut impl CryptoRng) -> Box<[u8; TOKEN_LENGTH]> {
        let key_id = self.epoch_key.id(&self.charter);
        let mut prefix = [0; 32];
        rng.fill_bytes(&mut prefix);
        let message = [
            prefix.as_slice(),
            b"realdid/token/v1",
            key_id.as_bytes(),
            did.as_bytes(),
        ]
        .concat();
        let mut signer = Signer::new(MessageDigest::sha384(), &self.private).expect("RSA with SHA-384");
        signer.set_rsa_padding(Padding::PKCS1_PSS).expect("PSS");
        signer
            .set_rsa_pss_saltlen(RsaPssSaltlen::custom(SALT_LENGTH))
            .expect("a salt of 48 bytes");
        let signature = signer.sign_oneshot_to_vec(&message).expect("an RSA signature");
        let token = [key_id.as_bytes(), prefix.as_slice(), &signature].concat();
        Box::new(token.try_into().expect("32 + 32 + 256 bytes"))
    }
}

/// All keys of a DID, from a seed.
#[derive(Clone)]
struct Keys {
    charter: Hash,
    seed: [u8; 32],
}

impl Keys {
    const fn new(charter: Hash, seed: [u8; 32]) -> Self {
        Self { charter, seed }
    }

    fn derive(&self, what: &str, generation: u32) -> [u8; 32] {
        *derive_key(&self.seed, &[what.as_bytes(), &generation.to_be_bytes()])
    }

    fn key(&self, generation: u32) -> SecretKey {
        SecretKey::from_seed(KeyType::Ed25519, &self.derive("key", generation))
    }

    fn document(&self, generation: u32) -> DocumentData {
        let key = VerificationKey::authentication(self.key(generation).public_key());
        DocumentData::new(vec![key], Vec::new()).expect("one key")
    }

    /// The keys of a generation, under one of several salts.
    fn reveal(&self, generation: u32, salt: u8) -> KeysReveal {
        let salt = match salt {
            0 => self.derive("salt", generation),
            other => self.derive(&format!("salt {other}"), generation),
        };
        KeysReveal {
            keys: self.document(generation).keys().to_vec(),
            salt,
        }
    }

    fn recovery(&self) -> (SecretKey, RecoveryReveal) {
        let key = SecretKey::from_seed(KeyType::Ed25519, &self.derive("recovery", 0));
        let reveal = RecoveryReveal {
            key: key.public_key(),
            salt: self.derive("recovery salt", 0),
        };
        (key, reveal)
    }

    fn inception(&self) -> Inception {
        Inception {
            charter: self.charter,
            document: self.document(0),
            next: self.reveal(1, 0).commitment(&self.charter),
            recovery: self.recovery().1.commitment(&self.charter),
        }
    }
}

/// A DID with all its keys, and what it did last.
#[derive(Clone)]
pub struct Holder {
    keys: Keys,
    inception: Inception,
    did: Hash,
    previous: Hash,
    generation: u32,
    /// Of the commitment to the next keys.
    salt: u8,
}

impl Holder {
    /// A new DID on the network with this charter.
    pub fn new(charter: Hash, rng: &mut impl CryptoRng) -> Self {
        let mut seed = [0; 32];
        rng.fill_bytes(&mut seed);
        let keys = Keys::new(charter, seed);
        let inception = keys.inception();
        let did = inception.hash();
        Self {
            keys,
            inception,
            did,
            previous: Hash::ZERO,
            generation: 0,
            salt: 0,
        }
    }

    /// The identifier's hash.
    pub const fn hash(&self) -> Hash {
        self.did
    }

    /// The DID's inception.
    pub const fn inception(&self) -> &Inception {
        &self.inception
    }

    /// The current authentication key.
    pub fn key(&self) -> SecretKey {
        self.keys.key(self.generation)
    }

    /// The DID on the charter's network.
    pub fn did(&self, charter: &Charter) -> Did {
        charter.did(self.did)
    }

    /// Publishes the DID: its first operation.
    pub fn publish(&mut self, authority: &TestAuthority, rng: &mut impl CryptoRng) -> SignedOperation {
        let authorization = Authorization::Token {
            authority: authority.inception.hash(),
            token: authority.token(&self.did, rng),
        };
        let founding = Founding {
            inception: self.inception.clone(),
            authorization,
        };
        let key = self.key();
        self.sign(Action::Publish(Box::new(founding)), &key)
    }

    /// Rotates to the next keys.
    pub fn update(&mut self) -> SignedOperation {
        self.update_as(0)
    }

    /// Rotates to the next keys, in another operation for each attempt.
    pub fn update_as(&mut self, attempt: u8) -> SignedOperation {
        self.generation += 1;
        let rotation = Rotation {
            document: self.keys.document(self.generation),
            salt: self.keys.reveal(self.generation, self.salt).salt,
            next: self
                .keys
                .reveal(self.generation + 1, attempt)
                .commitment(&self.keys.charter),
        };
        self.salt = attempt;
        let key = self.key();
        self.sign(Action::Update(rotation), &key)
    }

    /// Ends the DID by its recovery key.
    pub fn deactivate(&mut self) -> SignedOperation {
        let (key, reveal) = self.keys.recovery();
        let action = Action::Deactivate {
            founding: None,
            reveal: Reveal::Recovery(reveal),
        };
        self.sign(action, &key)
    }

    fn sign(&mut self, action: Action, key: &SecretKey) -> SignedOperation {
        let operation = Operation {
            charter: self.keys.charter,
            did: self.did,
            previous: self.previous,
            action,
        };
        self.previous = operation.hash();
        operation.sign(0, key)
    }
}
