//! RFC 9474's own vector. Its modulus has 4096 bits and ours 2048, so it goes through the library
//! that blinds, the private operation that signs and the library that verifies, not through our types.

use std::collections::VecDeque;

use aws_lc_rs::signature::{RSA_PSS_2048_8192_SHA384, RsaPublicKeyComponents};
use blind_rsa_signatures::{BlindSignature, PublicKeySha384PSSRandomized};
use openssl::bn::{BigNum, BigNumContext};
use rand_core::{Infallible, TryCryptoRng, TryRng};
use serde_json::Value;

use crate::authority::Signer;
use crate::frozen;

/// Hands out what the vector says was drawn.
struct Drawn(VecDeque<Vec<u8>>);

impl TryRng for Drawn {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        panic!("only bytes are drawn")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        panic!("only bytes are drawn")
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        bytes.copy_from_slice(&self.0.pop_front().unwrap());
        Ok(())
    }
}

impl TryCryptoRng for Drawn {}

fn bytes(vector: &Value, name: &str) -> Vec<u8> {
    hex::decode(vector[name].as_str().unwrap()).unwrap()
}

/// The blinding factor, of which the vector gives the inverse; drawn little-endian.
fn factor(vector: &Value) -> Vec<u8> {
    let number = |name| BigNum::from_slice(&bytes(vector, name)).unwrap();
    let mut factor = BigNum::new().unwrap();
    factor
        .mod_inverse(&number("inv"), &number("n"), &mut BigNumContext::new().unwrap())
        .unwrap();
    let mut factor = factor.to_vec_padded(512).unwrap();
    factor.reverse();
    factor
}

#[test]
fn blinding_signing_and_verifying_conform() {
    let vector = frozen::read("rfc9474.json");
    let (n, message, prefix) = (
        bytes(&vector, "n"),
        bytes(&vector, "msg"),
        bytes(&vector, "msg_prefix"),
    );
    let number =
        |bytes: &[u8]| rsa::BoxedUint::from_be_slice(bytes, u32::try_from(bytes.len() * 8).unwrap()).unwrap();
    let key = rsa::RsaPublicKey::new(number(&n), number(&[1, 0, 1])).unwrap();
    let key = PublicKeySha384PSSRandomized::new(key);
    let drawn = [prefix.clone(), bytes(&vector, "salt"), factor(&vector)];
    let blinded = key.blind(&mut Drawn(drawn.into()), &message).unwrap();
    assert_eq!(blinded.blind_message.0, bytes(&vector, "blinded_msg"));
    assert_eq!(blinded.secret.0, bytes(&vector, "inv"));

    let answer = Signer::from_json(&vector, "010001").sign(&blinded.blind_message.0);
    assert_eq!(answer, bytes(&vector, "blind_sig"), "the private operation");

    let signature = key.finalize(&BlindSignature(answer), &blinded, &message).unwrap();
    assert_eq!(signature.0, bytes(&vector, "sig"));

    let prepared = [prefix, message].concat();
    assert_eq!(prepared, bytes(&vector, "input_msg"));
    let public = RsaPublicKeyComponents {
        n: n.as_slice(),
        e: &[1, 0, 1],
    };
    public
        .verify(&RSA_PSS_2048_8192_SHA384, &prepared, &signature.0)
        .unwrap();
    assert!(
        public
            .verify(&RSA_PSS_2048_8192_SHA384, &prepared[1..], &signature.0)
            .is_err()
    );
}
