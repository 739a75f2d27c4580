//! The authority's side with keys that are published; other crates' tests use it too.

use openssl::bn::BigNum;
use openssl::pkey::Private;
use openssl::rsa::{Padding, Rsa, RsaPrivateKeyBuilder};
use rand_core::{Infallible, TryCryptoRng, TryRng};
use realdid_crypto::{Hash, hash_labelled};
use realdid_did::Level;
use realdid_token::{Blinding, EpochKey, MODULUS_LENGTH, Purpose, Token, blind};

use crate::frozen;

/// Bytes that look random and are the same for ever.
pub struct Repeatable {
    seed: u64,
    count: u64,
}

#[allow(dead_code, reason = "each crate's tests use their part of it")]
pub const fn repeatable(seed: u64) -> Repeatable {
    Repeatable { seed, count: 0 }
}

impl TryRng for Repeatable {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)
            .map(|()| u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)
            .map(|()| u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(32) {
            self.count += 1;
            let block = hash_labelled(
                "repeatable",
                &[&self.seed.to_be_bytes(), &self.count.to_be_bytes()],
            );
            chunk.copy_from_slice(&block.0[..chunk.len()]);
        }
        Ok(())
    }
}

impl TryCryptoRng for Repeatable {}

/// A key that differs in something.
#[allow(dead_code, reason = "each crate's tests use their part of it")]
pub fn changed(key: &EpochKey, change: impl Fn(&mut EpochKey)) -> EpochKey {
    let mut key = key.clone();
    change(&mut key);
    key
}

/// A private epoch key.
pub struct Signer(Rsa<Private>);

#[allow(dead_code, reason = "each crate's tests use their part of it")]
impl Signer {
    /// The published key with this index, 0 or 1.
    pub fn published(index: usize) -> Self {
        Self::from_json(&frozen::read("rsa_test_keys.json")["cases"][index], "010001")
    }

    /// From hexadecimal `n`, `d`, `p` and `q`.
    pub fn from_json(key: &serde_json::Value, exponent: &str) -> Self {
        let number = |name: &str| BigNum::from_hex_str(key[name].as_str().unwrap()).unwrap();
        let mut context = openssl::bn::BigNumContext::new().unwrap();
        let one = BigNum::from_u32(1).unwrap();
        let (p, q, d) = (number("p"), number("q"), number("d"));
        let mut modulo = |prime: &BigNum| {
            let (mut less, mut rest) = (BigNum::new().unwrap(), BigNum::new().unwrap());
            less.checked_sub(prime, &one).unwrap();
            rest.nnmod(&d, &less, &mut context).unwrap();
            rest
        };
        let (d_p, d_q) = (modulo(&p), modulo(&q));
        let mut inverse = BigNum::new().unwrap();
        inverse.mod_inverse(&q, &p, &mut context).unwrap();
        let builder =
            RsaPrivateKeyBuilder::new(number("n"), BigNum::from_hex_str(exponent).unwrap(), number("d"));
        let builder = builder.unwrap().set_factors(p, q).unwrap();
        Self(builder.set_crt_params(d_p, d_q, inverse).unwrap().build())
    }

    /// The modulus, big-endian.
    pub fn modulus(&self) -> [u8; MODULUS_LENGTH] {
        self.0.n().to_vec().try_into().unwrap()
    }

    /// Its public part for an authority, level and epoch.
    pub fn epoch_key(&self, authority: Hash, level: Level, epoch: u64) -> EpochKey {
        EpochKey::new(authority, Purpose::RealName, level, epoch, self.modulus()).unwrap()
    }

    /// The raw private operation, as long as the modulus.
    pub fn sign(&self, blinded: &[u8]) -> Vec<u8> {
        let mut output = vec![0; self.0.size() as usize];
        let length = self
            .0
            .private_encrypt(blinded, &mut output, Padding::NONE)
            .unwrap();
        assert_eq!(length, output.len());
        output
    }

    /// The authority's answer to a blinded value.
    pub fn answer(&self, blinding: &Blinding) -> [u8; MODULUS_LENGTH] {
        self.sign(blinding.blinded()).try_into().unwrap()
    }

    /// A token for a DID, made in one go.
    pub fn token(&self, key: &EpochKey, charter: &Hash, did: &Hash, seed: u64) -> Token {
        let blinding = blind(key, charter, did, &mut repeatable(seed)).unwrap();
        blinding
            .finalize(key, charter, did, &self.answer(&blinding))
            .unwrap()
    }
}
