//! Tests of what only proven state can reach; the rest is tested from outside, in `tests/`.
//!
//! The ledger here is [`follow`] and nothing else: what a wallet sends is decoded, checked and applied
//! as a node would.

mod consent;
mod issuer;
mod login;
mod operations;
mod presenting;
mod restore;
mod tokens;

use openssl::rsa::{Padding, Rsa};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use realdid_crypto::{Hash, KeyType, SecretKey};
use realdid_did::{Assurance, Backing, Did, Entry, Level, Network, follow};
use realdid_ledger::{Charter, Committees, KeyOrigin, Member, Quota, Validator, decode_did_operation};
use realdid_token::{EpochKey, MODULUS_LENGTH, Purpose};

use crate::operations::{Observation, PendingOperation};
use crate::root::Secret;
use crate::tokens::{CheckedKey, KeyFacts, Wanted};
use crate::{NewWallet, Wallet};

/// The moment every test begins at.
const NOW: u64 = 1_800_000_000;
/// Seconds until a recovery takes effect.
const DELAY: u64 = 100;

fn rng(seed: u64) -> StdRng {
    StdRng::seed_from_u64(seed)
}

fn charter() -> Charter {
    let member = SecretKey::from_seed(KeyType::Ed25519, &[1; 32]);
    Charter {
        format: 2,
        network: Network::new("test").unwrap(),
        sandbox: true,
        genesis_time: NOW - 1000,
        network_key: "00".repeat(96),
        key_origin: KeyOrigin {
            dealt: true,
            outcome: "00".to_owned(),
        },
        members: vec![Member {
            name: "Member".to_owned(),
            key: member.public_key(),
        }],
        threshold: 1,
        validators: vec![Validator {
            name: "Member".to_owned(),
            link_key: Hash([2; 32]),
            address: "127.0.0.1:7301".to_owned(),
        }],
        committees: Committees {
            epoch_blocks: 17_280,
            max_validators: 7,
        },
        seats: Vec::new(),
        epoch_seconds: 7_776_000,
        quota: Quota {
            tokens: 64,
            period_seconds: 3600,
        },
        recovery_delay: DELAY,
        vetoed_recovery_delay: 10 * DELAY,
        minimum_anonymity_set: 2,
    }
}

fn empty_wallet() -> Wallet {
    let new = NewWallet {
        charter: charter(),
        node_url: "http://127.0.0.1:7300".to_owned(),
        authority_url: "http://127.0.0.1:7310".to_owned(),
    };
    Wallet::new(new, Secret::new([9; 32]), NOW)
}

/// An enrolled wallet with this many DIDs in its pool, of the authority's epoch 0.
fn wallet(count: u32) -> Wallet {
    let mut wallet = empty_wallet();
    let authority = Authority::new(0);
    authority.enrol(&mut wallet);
    authority.draw(&mut wallet, &Wanted::New(count));
    wallet
}

/// A crash: what was not stored is gone.
fn restarted(wallet: &Wallet) -> Wallet {
    Wallet::from_json(&wallet.to_json().unwrap()).unwrap()
}

fn first_did(wallet: &Wallet) -> Did {
    wallet.did(&wallet.dids()[0])
}

/// An authority that signs what it cannot see.
struct Authority {
    rsa: Rsa<openssl::pkey::Private>,
    key: EpochKey,
}

impl Authority {
    fn new(epoch: u64) -> Self {
        let rsa = Rsa::generate(2048).unwrap();
        let modulus: [u8; MODULUS_LENGTH] = rsa.n().to_vec().try_into().unwrap();
        let key = EpochKey::new(
            Hash([5; 32]),
            Purpose::RealName,
            Level::Substantial,
            epoch,
            modulus,
        )
        .unwrap();
        Self { rsa, key }
    }

    fn facts(&self) -> KeyFacts {
        let id = self.key.id(&charter().hash());
        KeyFacts {
            place: Some(id),
            published: Some((self.key.clone(), 0)),
            accredited: true,
            epoch: self.key.epoch,
        }
    }

    fn checked(&self) -> CheckedKey {
        self.facts().judge(self.key.clone(), &charter().hash()).unwrap()
    }

    fn enrol(&self, wallet: &mut Wallet) {
        wallet.begin_enrolment(&mut rng(1));
        wallet.enrolment_started("enrolment".to_owned()).unwrap();
        let authority = wallet.charter().did(self.key.authority);
        wallet
            .enrolled("account".to_owned(), Level::Substantial, authority, NOW)
            .unwrap();
    }

    fn sign(&self, blinded: &[u8]) -> [u8; MODULUS_LENGTH] {
        let mut signature = [0; MODULUS_LENGTH];
        self.rsa
            .private_encrypt(blinded, &mut signature, Padding::NONE)
            .unwrap();
        signature
    }

    fn answer(&self, wallet: &Wallet) -> Vec<[u8; MODULUS_LENGTH]> {
        blinded_values(wallet)
            .iter()
            .map(|value| self.sign(value))
            .collect()
    }

    fn draw(&self, wallet: &mut Wallet, wanted: &Wanted) -> Vec<Did> {
        wallet
            .prepare_tokens(&self.checked(), wanted, &mut rng(2))
            .unwrap();
        wallet.finish_tokens(&self.answer(wallet), NOW).unwrap()
    }
}

/// What a request for tokens carries to the authority.
fn blinded_values(wallet: &Wallet) -> Vec<Vec<u8>> {
    #[derive(serde::Deserialize)]
    struct Claims {
        blinded: Vec<String>,
    }
    let request = wallet
        .token_request("http://authority", NOW, &mut rng(3))
        .unwrap();
    let claims: Claims = realdid_openid::jws::Unverified::parse(&request)
        .unwrap()
        .stated()
        .unwrap();
    claims
        .blinded
        .iter()
        .map(|text| realdid_crypto::base64url_decode(text).unwrap())
        .collect()
}

/// One DID's place on a ledger.
#[derive(Clone)]
struct Ledger {
    entry: Option<Entry>,
    time: u64,
    height: u64,
}

impl Ledger {
    fn new() -> Self {
        Self {
            entry: None,
            time: NOW,
            height: 1,
        }
    }

    fn seen(&self) -> Observation {
        Observation {
            entry: self.entry.clone(),
            proven_at: self.time,
            time: self.time,
            height: self.height,
        }
    }

    /// Takes an operation as a node does.
    fn take(&mut self, pending: &PendingOperation) {
        let signed = decode_did_operation(&pending.bytes()).unwrap();
        let charter = charter();
        let verified = signed.verify(&charter.hash()).unwrap();
        let assurance = Assurance {
            backing: Backing::Token,
            by: Hash([5; 32]),
            epoch: 0,
            level: Level::Substantial,
        };
        let entry = follow(
            self.entry.as_ref(),
            &verified,
            self.time,
            &charter.delays(),
            Some(assurance),
        )
        .unwrap();
        self.entry = Some(entry);
        self.height += 1;
    }
}
