//! Proofs hold for one network and one state, and for no other bit.

use crate::support::{wait_for, world};
use realdid_ledger::{FinalityError, FinalityProof, Header, StateProof};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_flipped_bit_is_refused() {
    let one = world(1, 20);
    let other = world(1, 21);
    let charter = one.charter.hash();
    let dir = tempfile::tempdir().expect("directory");
    let (engine, stopper) = one.start(0, dir.path()).await;
    let (mut keys, mut last) = (Vec::new(), Vec::new());
    for seat in 0..40 {
        let (operation, key) = one.publish(seat);
        last = operation.bytes().to_vec();
        engine.submit(operation).expect("room in the pool");
        keys.push(key);
    }
    wait_for(&one, &engine, 1, &last).await;
    let (_, absent) = one.publish(50);
    let proven = engine.prove(vec![keys[7], absent]).await.expect("proof");
    stopper.stop().await.expect("clean stop");

    let finality = &proven.finality;
    let header = finality
        .verify(charter.as_bytes(), &one.network_key)
        .expect("final");
    let root = header.header().state_root;
    refuse_other_networks(finality, &charter.0, &one.network_key, &other);

    let encoded = finality.encode();
    assert_eq!(FinalityProof::decode(&encoded).as_ref(), Ok(finality));
    for changed in flips(&encoded) {
        let verdict = FinalityProof::decode(&changed)
            .and_then(|proof| proof.verify(charter.as_bytes(), &one.network_key));
        assert!(verdict.is_err());
    }
    for (proof, key) in proven.proofs.iter().zip([keys[7], absent]) {
        let encoded = proof.encode();
        assert_eq!(StateProof::decode(&encoded).as_ref(), Ok(proof));
        assert!(proof.verify_lookup(&key, &root).is_ok());
        for changed in flips(&encoded) {
            let verdict = StateProof::decode(&changed).and_then(|proof| proof.verify_lookup(&key, &root));
            assert!(verdict.is_err());
        }
        let mut longer = encoded.clone();
        longer.push(0);
        assert!(StateProof::decode(&longer).is_err());
        assert!(StateProof::decode(&encoded[..encoded.len() - 1]).is_err());
    }
    assert!(proven.proofs[0].verify_lookup(&absent, &root).is_err());
    assert!(proven.proofs[0].verify_lookup(&keys[7], &[0; 32]).is_err());
}

fn refuse_other_networks(
    proof: &FinalityProof,
    charter: &[u8; 32],
    network_key: &[u8; 96],
    other: &crate::support::World,
) {
    let other_charter = other.charter.hash();
    assert_eq!(
        proof.verify(other_charter.as_bytes(), network_key),
        Err(FinalityError::Charter)
    );
    assert_eq!(
        proof.verify(charter, &other.network_key),
        Err(FinalityError::Signature)
    );
    assert_eq!(proof.verify(charter, &[0; 96]), Err(FinalityError::NetworkKey));

    let mut renamed = proof.clone();
    renamed.headers[0].charter = other_charter.0;
    assert_eq!(
        renamed.verify(other_charter.as_bytes(), network_key),
        Err(FinalityError::Digest)
    );
    let mut longer = proof.clone();
    let follower = Header {
        height: longer.headers[0].height + 1,
        ..longer.headers[0].clone()
    };
    longer.headers.push(follower);
    assert_eq!(longer.verify(charter, network_key), Err(FinalityError::Chain));
    longer.headers.clear();
    assert_eq!(
        longer.verify(charter, network_key),
        Err(FinalityError::HeaderCount { found: 0 })
    );
    let mut trailing = proof.encode();
    trailing.push(0);
    assert_eq!(FinalityProof::decode(&trailing), Err(FinalityError::Malformed));
}

/// The bytes with one bit flipped, for every bit.
fn flips(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    (0..bytes.len() * 8).map(|bit| {
        let mut changed = bytes.to_vec();
        changed[bit / 8] ^= 1 << (bit % 8);
        changed
    })
}
