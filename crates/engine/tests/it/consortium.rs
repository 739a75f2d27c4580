//! Four validators in one process, over loopback.

use crate::support::{PATIENCE, reachable_world, wait_for};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_validators_agree_and_one_may_be_away() {
    let world = reachable_world(4, 10);
    let charter = world.charter.hash();
    let dirs: Vec<_> = (0..4).map(|_| tempfile::tempdir().expect("directory")).collect();
    let mut running = Vec::new();
    for (index, dir) in dirs.iter().enumerate() {
        running.push(world.start(index, dir.path()).await);
    }

    let (operation, key) = world.publish(0);
    let bytes = operation.bytes().to_vec();
    let begun = Instant::now();
    running[2].0.submit(operation).expect("room in the pool");
    let block = wait_for(&world, &running[2].0, 1, &bytes).await;
    eprintln!("four validators, submit to final: {:?}", begun.elapsed());
    for (engine, _) in &running {
        let found = wait_for(&world, engine, block.header.height, &bytes).await;
        assert_eq!(found.header, block.header);
        let proven = engine.prove(vec![key]).await.expect("proof");
        let header = proven
            .finality
            .verify(charter.as_bytes(), &world.network_key)
            .expect("final");
        let value = proven.proofs[0].verify_lookup(&key, &header.header().state_root);
        assert!(value.expect("presence").is_some());
    }

    // One stops; three of four go on.
    let (_, stopper) = running.remove(3);
    stopper.stop().await.expect("clean stop");
    let (operation, _) = world.publish(1);
    let bytes = operation.bytes().to_vec();
    running[0].0.submit(operation).expect("room in the pool");
    let block = wait_for(&world, &running[1].0, block.header.height, &bytes).await;

    // It comes back and catches up.
    let (engine, stopper) = world.start(3, dirs[3].path()).await;
    let caught_up = async {
        while engine.status().height < block.header.height {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, caught_up)
        .await
        .expect("catches up");
    let found = wait_for(&world, &engine, block.header.height, &bytes).await;
    assert_eq!(found.header, block.header);
    stopper.stop().await.expect("clean stop");
    for (_, stopper) in running {
        stopper.stop().await.expect("clean stop");
    }
}
