//! DIDs, operations, and what a light client is shown.

use realdid_crypto::Hash;
use realdid_did::{Did, Inception, ParsedDid, SignedOperation};
use realdid_ledger::{
    Block, Charter, FinalityProof, GovernanceOperation, Header, PrefixProof, ProofFile, Record, StateProof,
    VALUE_LEN,
};

use crate::text;

/// DID in short and long form; an inception's bytes.
pub fn did(data: &[u8]) {
    if let Ok(did) = text(data).parse::<Did>() {
        assert_eq!(did.to_string(), text(data), "one way to write a DID");
    }
    let _ = ParsedDid::parse(text(data));
    if let Ok(inception) = Inception::decode(data) {
        assert_eq!(inception.encode(), data);
    }
}

/// Signed operation on a DID, and governance operation.
pub fn operation(data: &[u8]) {
    if let Ok(operation) = SignedOperation::decode(data) {
        assert_eq!(operation.encode(), data);
    }
    let _ = GovernanceOperation::from_message(&Hash::ZERO, data);
}

/// Proof file, up to its certificate.
pub fn proof_file(data: &[u8]) {
    let _ = ProofFile::verify(data, &[0; 96], None);
}

/// State proofs: of one key, and of a prefix.
pub fn state_proof(data: &[u8]) {
    if let Ok(proof) = StateProof::decode(data) {
        let _ = proof.verify_lookup(&[0; 32], &[0; 32]);
        assert_eq!(proof.encode(), data);
    }
    if let Ok(proof) = PrefixProof::decode(data) {
        let _ = proof.verify(&[0; 32], 2, &[0; 32]);
        assert_eq!(proof.encode(), data);
    }
}

/// Header, block, finality proof and charter.
pub fn header(data: &[u8]) {
    if let Ok(header) = Header::decode(data) {
        assert_eq!(header.encode(), data);
    }
    let _ = Block::decode(data);
    let _ = FinalityProof::decode(data);
    let _ = Charter::from_json(data);
}

/// Record of the state, filled up with zeros.
pub fn record(data: &[u8]) {
    let mut value = [0; VALUE_LEN];
    let length = data.len().min(VALUE_LEN);
    value[..length].copy_from_slice(&data[..length]);
    if let Ok(record) = Record::decode(&value) {
        assert_eq!(record.encode(), value);
    }
}
