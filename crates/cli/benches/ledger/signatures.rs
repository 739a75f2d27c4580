//! Operations' signatures by themselves: what a ledger cannot do without.

use std::hint::black_box;
use std::thread;
use std::time::{Duration, Instant};

use realdid_crypto::{Domain, Hash, PublicKey, Signature};
use realdid_did::{Authorization, SignedOperation};
use realdid_token::{EpochKey, Token};

use super::Ledger;

/// The signatures of one operation.
pub struct Signatures {
    key: PublicKey,
    message: Vec<u8>,
    signature: Signature,
    token: Option<Token>,
    did: Hash,
}

/// How long it takes to verify every signature on some threads.
pub fn signatures_alone(ledger: &Ledger, signatures: &[Signatures], threads: usize) -> Duration {
    let epoch_key = ledger.authority.epoch_key();
    let begun = Instant::now();
    thread::scope(|scope| {
        for part in signatures.chunks(signatures.len().div_ceil(threads)) {
            scope.spawn(move || part.iter().for_each(|one| one.verify(epoch_key, &ledger.hash)));
        }
    });
    begun.elapsed()
}

impl Signatures {
    fn verify(&self, epoch_key: &EpochKey, charter: &Hash) {
        let domain = Domain {
            label: "realdid/operation/v1",
            charter,
        };
        let verdict = self.key.verify(&domain, &self.message, &self.signature);
        black_box(verdict).expect("a good signature");
        if let Some(token) = &self.token {
            black_box(token.verify(epoch_key, charter, &self.did)).expect("a good token");
        }
    }
}

pub fn signatures_of(signed: &SignedOperation) -> Signatures {
    let bytes = signed.encode();
    let document = signed.operation.document().expect("a publication or an update");
    let token = signed.operation.founding().map(|founding| {
        let Authorization::Token { token, .. } = &founding.authorization else {
            unreachable!("the operations of this bench carry tokens");
        };
        Token::from_bytes(token.as_slice()).expect("a token")
    });
    Signatures {
        key: document.keys()[usize::from(signed.signer)].key,
        message: bytes[..bytes.len() - signed.signature.0.len()].to_vec(),
        signature: signed.signature,
        token,
        did: signed.operation.did,
    }
}
