//! `kill -9` against a node under load: nothing it called final may be missing afterwards.
//!
//! Many clients publish DIDs and rotate them, each waiting for `finalized` before it goes on, and
//! write down what they were told in this process, outside the killed one. The node is killed at
//! random moments, at times while it is still starting, and started again on the same directory;
//! clients send their unanswered operation once more. In the end the state of each DID is proven
//! against the charter's network key, and its chain of operations must hold every acknowledged one.
//!
//! `REALDID_KILL_ROUNDS` sets the number of rounds, `REALDID_KILL_SEED` repeats the random choices.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use realdid_ledger::encode_did_operation;

use crate::people::Holder;
use crate::support::{Answer, Network, PATIENCE, Process, http, program, submit};
use crate::witness::{Chain, Witness};

/// Clients at work; each has one operation under way nearly all the time.
const CLIENTS: usize = 128;
/// Fewest operations that are under way when the node is killed.
const IN_FLIGHT: usize = 50;
/// Operations of a DID: one publication, then rotations.
const OPERATIONS: usize = 8;
/// Rounds in a run of all tests.
const ROUNDS: u64 = 40;
/// Fewest finalized operations per round, so that a run says something: 1,000 in 40 rounds, 25,000 in
/// 1,000.
const PER_ROUND: u64 = 25;
/// How long the node runs at most before it is killed, in milliseconds.
const LIFE: u64 = 1_500;
/// How soon an unanswered operation is sent again.
const AGAIN: Duration = Duration::from_millis(20);
/// Refusals of one operation after which a client gives the DID up: they are the finding then.
const GIVE_UP: usize = 100;

/// What a run found.
struct Report {
    /// Operations that the node called final.
    finalized: u64,
    /// Those of them that are not on the ledger.
    lost: Vec<String>,
    /// Refusals of operations that were good, by code.
    refusals: BTreeMap<String, u64>,
}

/// What all clients share.
struct Load {
    network: Network,
    http: reqwest::Client,
    /// Operations sent and not answered.
    in_flight: AtomicUsize,
    /// Fewest of them when the node is killed.
    fewest: usize,
    finalized: AtomicUsize,
    stopping: AtomicBool,
    refusals: Mutex<BTreeMap<String, u64>>,
}

#[test]
fn kill_rounds() {
    let rounds = number("REALDID_KILL_ROUNDS").unwrap_or(ROUNDS);
    let report = run(program(), rounds, IN_FLIGHT);
    assert!(
        report.lost.is_empty(),
        "called final and not there: {:?}",
        report.lost
    );
    assert!(
        report.refusals.is_empty(),
        "good operations were refused: {:?}",
        report.refusals
    );
    assert!(
        report.finalized >= rounds * PER_ROUND,
        "only {} operations became final",
        report.finalized
    );
}

#[test]
fn an_acknowledgement_before_finality_is_caught() {
    let report = run(&build_early(), 5, 0);
    assert!(report.finalized > 0, "the planted node answered nothing");
    assert!(
        !report.lost.is_empty(),
        "the test did not notice acknowledgements before finality"
    );
}

/// Builds the node that calls an operation final when it has merely taken it.
pub fn build_early() -> PathBuf {
    let programs = program().parent().expect("programs have a directory");
    let target = programs.parent().expect("profiles have a directory");
    let mut command = Command::new(env!("CARGO"));
    for (name, _) in std::env::vars_os() {
        // Build scripts that watch these would build everything anew.
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    // The features that the tests themselves were built with, so that nothing is compiled anew.
    let others = std::env::var("REALDID_TEST_FEATURES").unwrap_or_default();
    let status = command
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
        .args(["build", "--workspace", "--bin", "realdid-early-acknowledgement"])
        .arg("--features")
        .arg(format!("realdid-cli/planted-early-acknowledgement {others}"))
        .arg("--target-dir")
        .arg(target)
        .status()
        .expect("cargo starts");
    assert!(status.success(), "the planted node does not build");
    programs.join("realdid-early-acknowledgement")
}

pub fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Founds a network, lets the clients work through `rounds` kills, and looks at what is left.
#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn run(program: &Path, rounds: u64, fewest: usize) -> Report {
    let seed = number("REALDID_KILL_SEED").unwrap_or_else(rand::random);
    let begun = Instant::now();
    eprintln!("kill: {rounds} rounds, seed {seed}, {CLIENTS} clients");
    let load = Arc::new(Load {
        network: Network::init(),
        http: http(),
        in_flight: AtomicUsize::new(0),
        fewest,
        finalized: AtomicUsize::new(0),
        stopping: AtomicBool::new(false),
        refusals: Mutex::default(),
    });
    let mut node = load.network.spawn_node(program);
    node.wait_ready();
    load.announce_authority().await;

    let clients = (0..CLIENTS).map(|client| tokio::spawn(Arc::clone(&load).client(seed, client)));
    let clients: Vec<_> = clients.collect();
    let restarts = load.kill_again_and_again(node, program, rounds, seed).await;
    load.stopping.store(true, Ordering::Relaxed);
    let mut chains = Vec::new();
    for client in clients {
        chains.extend(client.await.expect("a client ends"));
    }

    let mut node = load.network.spawn_node(program);
    node.wait_ready();
    let lost = load.witness().missing(&chains).await;
    let finalized = chains.iter().map(|chain| chain.acknowledged.len() as u64).sum();
    let refusals = load.refusals.lock().expect("no client panicked").clone();
    eprintln!(
        "kill: {rounds} rounds in {:.0} s: {finalized} operations of {} DIDs called final, {} lost; {restarts}",
        begun.elapsed().as_secs_f64(),
        chains.len(),
        lost.len(),
    );
    Report {
        finalized,
        lost,
        refusals,
    }
}

impl Load {
    fn witness(&self) -> Witness<'_> {
        Witness {
            network: &self.network,
            http: &self.http,
            url: self.network.url(),
        }
    }

    /// The planted node calls everything final at once, so this asks until it is true.
    async fn announce_authority(&self) {
        let key_id = self
            .network
            .authority
            .epoch_key()
            .id(&self.network.charter.hash());
        let key = realdid_ledger::state_key::epoch_key(&key_id);
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            for operation in self.network.authority.operations() {
                submit(&self.http, &self.network.url(), &operation).await;
            }
            let state = self.witness().proven(&[key], 0).await;
            if state.is_some_and(|state| matches!(state.epoch_key(&key_id), Ok(Some(_)))) {
                return;
            }
            tokio::time::sleep(AGAIN).await;
        }
        panic!("the authority's key does not get on the ledger");
    }

    /// Publishes DIDs and rotates them until told to stop.
    async fn client(self: Arc<Self>, seed: u64, number: usize) -> Vec<Chain> {
        let mut rng = StdRng::seed_from_u64(seed ^ (number as u64 + 1) << 32);
        let charter = self.network.charter.hash();
        let mut chains = Vec::new();
        while !self.stopping.load(Ordering::Relaxed) {
            let mut holder = Holder::new(charter, &mut rng);
            let mut chain = Chain {
                did: holder.hash(),
                acknowledged: Vec::new(),
            };
            for turn in 0..OPERATIONS {
                let operation = match turn {
                    0 => holder.publish(&self.network.authority, &mut rng),
                    _ => holder.update(),
                };
                let bytes = encode_did_operation(&operation);
                let Some(height) = self.bring_in(&bytes).await else {
                    break;
                };
                chain.acknowledged.push((operation.operation.hash(), height));
                self.finalized.fetch_add(1, Ordering::Relaxed);
            }
            chains.push(chain);
        }
        chains
    }

    /// Sends an operation until the node calls it final, and gives the height. `None` if told to
    /// stop before, or if the node keeps refusing it.
    async fn bring_in(&self, operation: &[u8]) -> Option<u64> {
        let mut refused = 0;
        while !self.stopping.load(Ordering::Relaxed) && refused < GIVE_UP {
            self.in_flight.fetch_add(1, Ordering::Relaxed);
            let answer = submit(&self.http, &self.network.url(), operation).await;
            self.in_flight.fetch_sub(1, Ordering::Relaxed);
            match answer {
                Answer::Finalized { height } => return Some(height),
                Answer::Refused(code) => {
                    refused += 1;
                    let mut refusals = self.refusals.lock().expect("no client panicked");
                    *refusals.entry(code).or_default() += 1;
                }
                Answer::Received | Answer::Later | Answer::Unreachable => {}
            }
            tokio::time::sleep(AGAIN).await;
        }
        None
    }

    /// Kills the node at random times and starts it again; tells how long starting took.
    async fn kill_again_and_again(&self, node: Process, program: &Path, rounds: u64, seed: u64) -> String {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut node = Some(node);
        let mut starts = Vec::new();
        let mut fewest = usize::MAX;
        let begun = Instant::now();
        for round in 1..=rounds {
            let mut process = node.take().unwrap_or_else(|| self.network.spawn_node(program));
            // One node in eight does not live to be ready; the last one does, for the count's sake.
            if round > 1 && round < rounds && rng.random_ratio(1, 8) {
                tokio::time::sleep(Duration::from_millis(rng.random_range(0..LIFE))).await;
            } else {
                if round > 1 {
                    starts.push(until_ready(&mut process).await);
                }
                self.caught_up(round * PER_ROUND).await;
                tokio::time::sleep(Duration::from_millis(rng.random_range(0..LIFE))).await;
                fewest = fewest.min(self.under_way().await);
            }
            process.kill();
            if round % (rounds / 20).max(1) == 0 {
                let (done, seconds) = (self.finalized.load(Ordering::Relaxed), begun.elapsed().as_secs());
                eprintln!("kill: round {round}, {done} operations final, {seconds} s");
            }
        }
        starts.sort_unstable();
        let at = |share: usize| starts.get(starts.len().saturating_sub(1) * share / 100).copied();
        let (half, most) = (at(50).unwrap_or_default(), at(100).unwrap_or_default());
        format!(
            "at least {fewest} in flight at each kill; ready again after {half:?} (median), {most:?} (most)"
        )
    }

    /// Waits until the run has brought in what it should have by now: a busy machine takes longer for
    /// a round, and does not get by with less.
    async fn caught_up(&self, wanted: u64) {
        let begun = Instant::now();
        while (self.finalized.load(Ordering::Relaxed) as u64) < wanted {
            assert!(begun.elapsed() < PATIENCE, "fewer than {wanted} operations final");
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// Waits until enough operations are under way; how many.
    async fn under_way(&self) -> usize {
        let begun = Instant::now();
        loop {
            let count = self.in_flight.load(Ordering::Relaxed);
            if count >= self.fewest {
                return count;
            }
            assert!(begun.elapsed() < PATIENCE, "only {count} operations under way");
            tokio::task::yield_now().await;
        }
    }
}

/// How long the process takes to say that it is ready.
pub async fn until_ready(process: &mut Process) -> Duration {
    let begun = Instant::now();
    while !process.is_ready() {
        assert!(
            !process.has_ended(),
            "the node does not start again:\n{}",
            process.last_lines()
        );
        assert!(
            begun.elapsed() < PATIENCE,
            "the node is not ready again:\n{}",
            process.last_lines()
        );
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    begun.elapsed()
}
