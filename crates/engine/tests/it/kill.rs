//! What was reported as final survives `kill -9`.

use crate::support::{SEATS, wait_for, world};
use realdid_ledger::{Block, Header};
use std::{
    env,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Where the child keeps its data; also tells it that it is the child.
const DIRECTORY: &str = "REALDID_TEST_ENGINE_DIR";

const SEED: u8 = 30;

/// The child: reports what becomes final until it is killed.
#[allow(clippy::print_stdout, reason = "the parent reads the reports there")]
async fn child(dir: &Path) {
    let world = world(1, SEED);
    let (engine, _stopper) = world.start(0, dir).await;
    let mut from = engine.status().height;
    for seat in 0..SEATS {
        let (operation, _) = world.publish(seat);
        let bytes = operation.bytes().to_vec();
        // What an earlier run made final cannot be executed again.
        if engine.submit(operation).is_err() || already_final(&engine, seat).await {
            continue;
        }
        let block = wait_for(&world, &engine, from, &bytes).await;
        from = block.header.height;
        let header: String = block
            .header
            .encode()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        println!("final {seat} {header}");
    }
    std::future::pending::<()>().await;
}

async fn already_final(engine: &realdid_engine::Engine, seat: u16) -> bool {
    let (_, key) = world(1, SEED).publish(seat);
    engine
        .read(vec![key])
        .await
        .is_ok_and(|found| found.values[0].is_some())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reported_blocks_survive_a_kill() {
    // The child is this very test, started by itself.
    if let Some(dir) = env::var_os(DIRECTORY).map(PathBuf::from) {
        return child(&dir).await;
    }
    let dir = tempfile::tempdir().expect("directory");
    let mut reported = Vec::new();
    for lines in [1, 7, 12] {
        reported.extend(run_and_kill(dir.path(), lines));
    }
    let world = world(1, SEED);
    let charter = world.charter.hash();
    let (engine, stopper) = world.start(0, dir.path()).await;
    for (seat, header) in reported {
        let (operation, key) = world.publish(seat);
        let stored = engine
            .block(header.height)
            .await
            .expect("engine runs")
            .expect("block is there");
        assert!(stored.operations.iter().any(|found| found == operation.bytes()));
        assert_eq!(Block::decode(&stored.encode()), Ok(stored.clone()));
        assert_eq!(stored.header, header);
        let found = wait_for(&world, &engine, header.height, operation.bytes()).await;
        assert_eq!(found.header, header);
        let proven = engine.prove(vec![key]).await.expect("proof");
        let finalized = proven
            .finality
            .verify(charter.as_bytes(), &world.network_key)
            .expect("final");
        let value = proven.proofs[0].verify_lookup(&key, &finalized.header().state_root);
        assert!(value.expect("covered").is_some());
    }
    stopper.stop().await.expect("clean stop");
}

/// Runs the child until it has reported so many blocks, then kills it.
fn run_and_kill(dir: &Path, lines: usize) -> Vec<(u16, Header)> {
    let mut child = Command::new(env::current_exe().expect("this binary"))
        .args(["kill::reported_blocks_survive_a_kill", "--exact", "--nocapture"])
        .env(DIRECTORY, dir)
        .stdout(Stdio::piped())
        .spawn()
        .expect("child");
    let output = BufReader::new(child.stdout.take().expect("piped"));
    let reports = output
        .lines()
        .map_while(Result::ok)
        .filter_map(|line| report(&line));
    let reports: Vec<_> = reports.take(lines).collect();
    // SIGKILL on Unix.
    child.kill().expect("child was running");
    child.wait().expect("child is gone");
    assert_eq!(reports.len(), lines);
    reports
}

fn report(line: &str) -> Option<(u16, Header)> {
    let (seat, header) = line.split_once("final ")?.1.split_once(' ')?;
    let digit = |at| u8::from_str_radix(header.get(at..at + 2)?, 16).ok();
    let bytes: Option<Vec<u8>> = (0..header.len()).step_by(2).map(digit).collect();
    Some((seat.parse().ok()?, Header::decode(&bytes?).ok()?))
}
