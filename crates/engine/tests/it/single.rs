//! One validator: the whole way of an operation, and restarts.

use crate::support::{SEATS, wait_for, world};
use realdid_engine::{EngineError, PoolRefusal};
use realdid_ledger::Block;
use std::time::Instant;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operation_becomes_final_and_proven_and_survives_a_restart() {
    let world = world(1, 1);
    let charter = world.charter.hash();
    let dir = tempfile::tempdir().expect("directory");
    let (engine, stopper) = world.start(0, dir.path()).await;

    let (operation, key) = world.publish(3);
    let bytes = operation.bytes().to_vec();
    let begun = Instant::now();
    engine.submit(operation.clone()).expect("room in the pool");
    let block = wait_for(&world, &engine, 1, &bytes).await;
    eprintln!("submit to final: {:?}", begun.elapsed());
    assert_eq!(engine.submit(operation.clone()), Err(PoolRefusal::Duplicate));

    let (_, absent) = world.publish(4);
    let proven = engine.prove(vec![key, absent]).await.expect("proof");
    let header = proven
        .finality
        .verify(charter.as_bytes(), &world.network_key)
        .expect("final");
    assert!(header.header().height >= block.header.height);
    let root = &header.header().state_root;
    let value = proven.proofs[0].verify_lookup(&key, root).expect("presence");
    assert_eq!(proven.proofs[1].verify_lookup(&absent, root), Ok(None));
    let read = engine.read(vec![key, absent]).await.expect("values");
    assert_eq!(read.values, vec![value, None]);
    assert!(value.is_some());
    stopper.stop().await.expect("clean stop");
    assert!(matches!(engine.block(1).await, Err(EngineError::Stopped)));
    assert_eq!(engine.submit(operation), Err(PoolRefusal::Stopped));

    let (engine, stopper) = world.start(0, dir.path()).await;
    let height = block.header.height;
    let stored = engine.block(height).await.expect("engine runs");
    let expected = Block {
        header: block.header.clone(),
        operations: block.operations.clone(),
    };
    assert_eq!(stored, Some(expected));
    let again = wait_for(&world, &engine, height, &bytes).await;
    assert_eq!(again.header, block.header);
    let proven = engine.prove(vec![key]).await.expect("proof");
    let header = proven
        .finality
        .verify(charter.as_bytes(), &world.network_key)
        .expect("final");
    let root = &header.header().state_root;
    assert_eq!(proven.proofs[0].verify_lookup(&key, root), Ok(value));

    // It goes on from there.
    let (later, _) = world.publish(5);
    let bytes = later.bytes().to_vec();
    engine.submit(later).expect("room in the pool");
    let later = wait_for(&world, &engine, height, &bytes).await;
    assert!(later.header.height > height);
    assert!(later.header.time_ms > block.header.time_ms);
    stopper.stop().await.expect("clean stop");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_entry_of_a_prefix_is_proven() {
    let world = world(1, 2);
    let charter = world.charter.hash();
    let dir = tempfile::tempdir().expect("directory");
    let (engine, stopper) = world.start(0, dir.path()).await;
    let mut keys = Vec::new();
    let mut last = Vec::new();
    for seat in 0..SEATS {
        let (operation, key) = world.publish(seat);
        last = operation.bytes().to_vec();
        engine.submit(operation).expect("room in the pool");
        keys.push(key);
    }
    wait_for(&world, &engine, 1, &last).await;

    for (bits, first) in [(0u8, 0u8), (3, 0b1010_0000), (1, 0b1000_0000), (6, 0), (200, 0)] {
        let mut prefix = [0; 32];
        prefix[0] = first;
        let proven = engine.prove_prefix(prefix, bits, 256).await.expect("proof");
        let header = proven
            .finality
            .verify(charter.as_bytes(), &world.network_key)
            .expect("final");
        let root = &header.header().state_root;
        let entries = proven
            .proof
            .verify(&prefix, bits, root)
            .expect("the whole prefix");
        let whole = u32::from(bits).min(8);
        let starts = |key: &[u8; 32]| bits <= 8 && (key[0] ^ first).leading_zeros() >= whole;
        for key in keys.iter().filter(|key| starts(key)) {
            assert!(entries.contains_key(key), "{bits} bits");
        }
        assert!(entries.keys().all(starts) || bits > 8);

        // An entry less, or one twice, is refused.
        if let Some(first) = proven.proof.entries.first() {
            let mut fewer = proven.proof.clone();
            fewer.entries.pop();
            assert!(fewer.verify(&prefix, bits, root).is_err());
            let mut twice = proven.proof.clone();
            twice.entries.push(*first);
            assert!(twice.verify(&prefix, bits, root).is_err());
        }
        let decoded = realdid_ledger::PrefixProof::decode(&proven.proof.encode());
        assert_eq!(decoded.as_ref(), Ok(&proven.proof));
    }
    let wide = engine.prove_prefix([0; 32], 0, 10).await;
    assert!(matches!(wide, Err(EngineError::PrefixTooWide { max: 10 })));
    let wrong = engine.prove_prefix([1; 32], 3, 10).await;
    assert!(matches!(wrong, Err(EngineError::Prefix)));
    stopper.stop().await.expect("clean stop");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operation_that_cannot_be_executed_is_dropped_with_its_code() {
    let world = world(1, 3);
    let dir = tempfile::tempdir().expect("directory");
    let (engine, stopper) = world.start(0, dir.path()).await;
    let (operation, _) = world.publish(SEATS);
    let hash = operation.hash();
    engine.submit(operation).expect("room in the pool");
    let (valid, _) = world.publish(0);
    let bytes = valid.bytes().to_vec();
    engine.submit(valid).expect("room in the pool");
    wait_for(&world, &engine, 1, &bytes).await;
    assert_eq!(engine.refusal(hash.as_bytes()), Some("seat_unknown"));
    assert_eq!(engine.status().pool_operations, 0);
    stopper.stop().await.expect("clean stop");
}
