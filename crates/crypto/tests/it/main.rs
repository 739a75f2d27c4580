//! Tests of keys, signatures, hashes and the canonical encoding.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod codec;
mod ed25519_edge;
#[path = "../../../../vectors/frozen.rs"]
mod frozen;
mod hashes;
mod keys;
mod signatures;
mod standards;
mod wycheproofs;

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use realdid_crypto::{Domain, Hash, KeyType, SecretKey};

/// A random generator that is the same in every run.
fn rng(seed: u64) -> StdRng {
    StdRng::seed_from_u64(seed)
}

const CHARTER: Hash = Hash([0xc4; 32]);
const OTHER_CHARTER: Hash = Hash([0xc5; 32]);

const fn domain(charter: &Hash) -> Domain<'_> {
    Domain {
        label: "realdid/test/v1",
        charter,
    }
}

/// One key of each type.
fn keys() -> [SecretKey; 3] {
    KeyType::ALL.map(|kind| SecretKey::from_seed(kind, &[7; 32]))
}
