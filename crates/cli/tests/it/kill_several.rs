//! `kill -9` against several validators under load, one at a time, two, or all: what clients were told must be
//! explained by one order of events.
//!
//! Each DID has two devices that rotate its keys in competition and somebody who reads it, all through whichever
//! node they happen to ask. A read says how high the ledger was by the last word anybody had of it, and accepts
//! no proof from below. What each did, was told and when is written down in this process and judged in the
//! end ([`crate::history`]); then the whole chain of each DID is proven, as in [`crate::kill`].
//!
//! `REALDID_KILL_ROUNDS`, `REALDID_KILL_VALIDATORS` and `REALDID_KILL_SEED` as there.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use realdid_crypto::Hash;
use realdid_ledger::{Freshness, StateAnswer, encode_did_operation, state_key};

use crate::history::{Clock, Deed, Record};
use crate::kill::{build_early, number, until_ready};
use crate::people::Holder;
use crate::support::{Answer, Network, PATIENCE, Process, get, hex, now, program, submit};
use crate::witness::{Chain, Witness};

/// DIDs at a time.
const DIDS: usize = 32;
/// Devices of one that rotate its keys.
const DEVICES: u8 = 2;
/// What each device does to one DID: as many reads, as many rotations.
const TURNS: usize = 5;
/// Rounds in a run of all tests.
const ROUNDS: u64 = 12;
/// Fewest operations called final in a round, so that a run says something.
const PER_ROUND: u64 = 15;
/// How long the nodes run between two kills, at most, in milliseconds.
const LIFE: u64 = 800;
/// How long the killed ones stay away, at most, in milliseconds.
const AWAY: u64 = 600;
/// How soon an unanswered question is asked again, of any node.
const AGAIN: Duration = Duration::from_millis(20);
/// How long a node may take over an answer.
const ANSWER: Duration = Duration::from_secs(3);
/// After so many tries without an answer a device leaves an operation to its fate.
const TRIES: usize = 12;
/// How old a proof may be: longer than all nodes are ever away.
const MAX_AGE: u64 = 120;

/// What a run found.
struct Report {
    finalized: u64,
    lost: Vec<String>,
    /// Histories that no order explains.
    contradictions: Vec<String>,
    refusals: BTreeMap<String, u64>,
}

/// A DID, and what was done to it.
struct Contested {
    did: Hash,
    /// The holder as after each operation that was ever sent.
    holders: Mutex<HashMap<Hash, Holder>>,
    record: Record,
    acknowledged: Mutex<Vec<(Hash, u64)>>,
}

impl Contested {
    /// Notes an operation, and what its sender knows after it.
    fn sent(&self, operation: Hash, after: Holder) {
        let mut holders = self.holders.lock().expect("no client panicked");
        holders.insert(operation, after);
    }

    /// Who goes on after this operation.
    fn holder(&self, last: &Hash) -> Option<Holder> {
        let holders = self.holders.lock().expect("no client panicked");
        holders.get(last).cloned()
    }

    /// Notes that an operation was called final.
    fn acknowledged(&self, operation: Hash, height: u64) {
        let mut acknowledged = self.acknowledged.lock().expect("no client panicked");
        acknowledged.push((operation, height));
    }
}

/// What all clients share.
struct Load {
    network: Network,
    http: reqwest::Client,
    clock: Clock,
    /// The highest height that anybody has heard of.
    highest: AtomicU64,
    finalized: AtomicUsize,
    stopping: AtomicBool,
    refusals: Mutex<BTreeMap<String, u64>>,
}

#[test]
fn kill_rounds() {
    let rounds = number("REALDID_KILL_ROUNDS").unwrap_or(ROUNDS);
    let report = run(program().to_owned(), rounds);
    assert!(
        report.lost.is_empty(),
        "called final and not there: {:?}",
        report.lost
    );
    assert!(
        report.contradictions.is_empty(),
        "{} histories that no order explains, the first of them:\n{}",
        report.contradictions.len(),
        report.contradictions[..report.contradictions.len().min(5)].join("\n")
    );
    assert!(
        report.refusals.is_empty(),
        "good operations were refused: {:?}",
        report.refusals
    );
    assert!(report.finalized >= rounds * PER_ROUND);
}

#[test]
fn one_node_that_acknowledges_before_finality_is_caught() {
    let report = run(build_early(), 3);
    assert!(
        !report.contradictions.is_empty(),
        "no history shows that a node lied about finality"
    );
}

/// Founds a network whose last node runs `last`, lets clients work through the kills, and judges.
#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn run(last: PathBuf, rounds: u64) -> Report {
    let seed = number("REALDID_KILL_SEED").unwrap_or_else(rand::random);
    let validators = number("REALDID_KILL_VALIDATORS").unwrap_or(4);
    let begun = Instant::now();
    eprintln!("kill: {validators} validators, {rounds} rounds, seed {seed}, {DIDS} DIDs at a time");
    let http = reqwest::Client::builder().no_proxy().timeout(ANSWER).build();
    let load = Arc::new(Load {
        network: Network::of(u16::try_from(validators).expect("a few validators")),
        http: http.expect("an HTTP client"),
        clock: Clock::new(),
        highest: AtomicU64::new(0),
        finalized: AtomicUsize::new(0),
        stopping: AtomicBool::new(false),
        refusals: Mutex::default(),
    });
    let mut nodes = Nodes::start(&load.network, last);
    nodes.all_ready().await;
    load.announce_authority().await;

    let clients: Vec<_> = (0..DIDS)
        .map(|number| tokio::spawn(Arc::clone(&load).contest(seed, number)))
        .collect();
    let kills = load.kill_again_and_again(&mut nodes, rounds, seed).await;
    load.stopping.store(true, Ordering::SeqCst);
    let mut contested = Vec::new();
    for client in clients {
        contested.extend(client.await.expect("a client ends"));
    }
    nodes.start_missing();
    nodes.all_ready().await;

    load.nodes_agree().await;
    let lost = load.missing(&contested).await;
    let counts = contested.iter().map(|one| one.record.count());
    let (deeds, unknown) = counts.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    let unexplained = contested.iter().filter(|one| !one.record.is_linearizable());
    let contradictions: Vec<_> = unexplained
        .map(|one| format!("{}\n{}", load.network.charter.did(one.did), one.record))
        .collect();
    let refusals = load.refusals.lock().expect("no client panicked").clone();
    let finalized = load.finalized.load(Ordering::SeqCst) as u64;
    eprintln!(
        "kill: {rounds} rounds in {:.0} s: {kills}; {finalized} operations called final, {} lost; \
         {deeds} deeds on {} DIDs, {unknown} of unknown outcome, {} histories contradict themselves",
        begun.elapsed().as_secs_f64(),
        lost.len(),
        contested.len(),
        contradictions.len(),
    );
    Report {
        finalized,
        lost,
        contradictions,
        refusals,
    }
}

/// The validators' processes.
struct Nodes<'n> {
    network: &'n Network,
    /// What the last one runs.
    last: PathBuf,
    running: Vec<Option<Process>>,
}

impl<'n> Nodes<'n> {
    fn start(network: &'n Network, last: PathBuf) -> Self {
        let running = network.nodes().map(|_| None).collect();
        let mut nodes = Self {
            network,
            last,
            running,
        };
        nodes.start_missing();
        nodes
    }

    fn start_missing(&mut self) {
        let final_one = self.running.len() - 1;
        for (index, place) in self.running.iter_mut().enumerate() {
            let program: &Path = if index == final_one { &self.last } else { program() };
            let index = u16::try_from(index).expect("a few nodes");
            place.get_or_insert_with(|| self.network.spawn_node_of(index, program));
        }
    }

    async fn all_ready(&mut self) {
        for process in self.running.iter_mut().flatten() {
            until_ready(process).await;
        }
    }

    fn kill(&mut self, victims: &[usize]) {
        for victim in victims {
            if let Some(process) = self.running[*victim].take() {
                process.kill();
            }
        }
    }
}

impl Load {
    /// Any node's address.
    fn any(&self) -> String {
        self.network
            .url_of(rand::rng().random_range(self.network.nodes()))
    }

    /// Puts the authority's key on the ledger, and waits until every node knows it.
    async fn announce_authority(&self) {
        for operation in self.network.authority.operations() {
            let begun = Instant::now();
            // Not the last node, which may say so before it is true.
            let height = loop {
                if let Answer::Finalized { height } =
                    submit(&self.http, &self.network.url(), &operation).await
                {
                    break height;
                }
                assert!(
                    begun.elapsed() < PATIENCE,
                    "the authority's key does not get on the ledger"
                );
                tokio::time::sleep(AGAIN).await;
            };
            self.highest.fetch_max(height, Ordering::SeqCst);
        }
        self.nodes_agree().await;
    }

    /// One DID after the other, each published and then contested.
    async fn contest(self: Arc<Self>, seed: u64, number: usize) -> Vec<Arc<Contested>> {
        let mut rng = StdRng::seed_from_u64(seed ^ (number as u64 + 1) << 32);
        let mut all = Vec::new();
        while !self.stopping.load(Ordering::SeqCst) {
            let mut holder = Holder::new(self.network.charter.hash(), &mut rng);
            let contested = Arc::new(Contested {
                did: holder.hash(),
                holders: Mutex::default(),
                record: Record::default(),
                acknowledged: Mutex::default(),
            });
            all.push(Arc::clone(&contested));
            let operation = holder.publish(&self.network.authority, &mut rng);
            if !self.write("founder", &contested, holder, &operation).await {
                continue;
            }
            let devices = (1..=DEVICES).map(|device| {
                let (load, contested) = (Arc::clone(&self), Arc::clone(&contested));
                tokio::spawn(async move { load.device(&contested, device).await })
            });
            let devices: Vec<_> = devices.collect();
            for _ in 0..2 * TURNS {
                self.read("reader", &contested).await;
                tokio::time::sleep(AGAIN).await;
            }
            for device in devices {
                device.await.expect("a device ends");
            }
        }
        all
    }

    /// Reads and rotates in turn.
    async fn device(&self, contested: &Contested, device: u8) {
        let name = format!("device {device}");
        for turn in 0..TURNS {
            let Some(last) = self.read(&name, contested).await else {
                return;
            };
            // Without one, what was called final is gone; the history tells.
            let Some(mut holder) = contested.holder(&last) else {
                return;
            };
            // No two attempts are alike: the ledger would answer the second as a repetition of the first.
            let attempt = u8::try_from(turn).expect("a few turns") * DEVICES + device;
            let operation = holder.update_as(attempt);
            self.write(&name, contested, holder, &operation).await;
        }
    }

    /// Sends an operation until it is called final or nobody can tell; whether it is final.
    async fn write(
        &self,
        client: &str,
        contested: &Contested,
        after: Holder,
        operation: &realdid_did::SignedOperation,
    ) -> bool {
        let (previous, hash) = (operation.operation.previous, operation.operation.hash());
        contested.sent(hash, after);
        let begun = self.clock.now();
        let height = self.bring_in(&encode_did_operation(operation)).await;
        if let Some(height) = height {
            self.highest.fetch_max(height, Ordering::SeqCst);
            self.finalized.fetch_add(1, Ordering::SeqCst);
            contested.acknowledged(hash, height);
        }
        let operation = hash;
        let deed = match height {
            Some(_) => Deed::Written { previous, operation },
            None => Deed::Perhaps { previous, operation },
        };
        contested.record.note(client, begun, self.clock.now(), deed);
        height.is_some()
    }

    /// The height at which some node called an operation final.
    async fn bring_in(&self, operation: &[u8]) -> Option<u64> {
        for _ in 0..TRIES {
            match submit(&self.http, &self.any(), operation).await {
                Answer::Finalized { height } => return Some(height),
                // The other device was faster, or this node has not heard of the operation before.
                Answer::Refused(code) if code == "stale_previous" || code == "not_published" => return None,
                Answer::Refused(code) => {
                    let mut refusals = self.refusals.lock().expect("no client panicked");
                    *refusals.entry(code).or_default() += 1;
                    return None;
                }
                Answer::Received | Answer::Later | Answer::Unreachable => {}
            }
            tokio::time::sleep(AGAIN).await;
        }
        None
    }

    /// The hash of a DID's last operation, proven at a height that nobody has heard a higher one of;
    /// `None` if told to stop before.
    async fn read(&self, client: &str, contested: &Contested) -> Option<Hash> {
        let key = state_key::did(&contested.did);
        let begun = self.clock.now();
        let lowest_height = self.highest.load(Ordering::SeqCst);
        while !self.stopping.load(Ordering::SeqCst) {
            let url = format!("{}/v1/proofs/keys?key={}", self.any(), hex(&key));
            if let Some(answer) = get(&self.http, &url).await {
                let answer: StateAnswer = serde_json::from_slice(&answer).expect("an answer about keys");
                let freshness = Freshness {
                    now: now(),
                    max_age: MAX_AGE,
                    lowest_height,
                };
                // A node that is behind is asked again, or another one.
                if let Ok(state) = answer.verify(&self.network.anchor(), &[key], &freshness) {
                    let entry = state.did(&contested.did).expect("the key is proven");
                    let last = entry.map_or(Hash::ZERO, |entry| entry.last_operation);
                    self.highest.fetch_max(state.height(), Ordering::SeqCst);
                    contested
                        .record
                        .note(client, begun, self.clock.now(), Deed::Read(last));
                    return Some(last);
                }
            }
            tokio::time::sleep(AGAIN).await;
        }
        None
    }

    /// Kills one node, two or all, and starts them again; tells how often which.
    async fn kill_again_and_again(&self, nodes: &mut Nodes<'_>, rounds: u64, seed: u64) -> String {
        let mut rng = StdRng::seed_from_u64(seed);
        let (count, mut kills) = (nodes.running.len(), BTreeMap::<usize, u64>::new());
        let begun = Instant::now();
        for round in 1..=rounds {
            self.caught_up(round * PER_ROUND).await;
            tokio::time::sleep(Duration::from_millis(rng.random_range(0..LIFE))).await;
            let victims = match rng.random_range(0..10) {
                0..6 => 1,
                6..8 => 2,
                _ => count,
            };
            let mut order: Vec<_> = (0..count).collect();
            order.shuffle(&mut rng);
            nodes.kill(&order[..victims.min(count)]);
            *kills.entry(victims).or_default() += 1;
            tokio::time::sleep(Duration::from_millis(rng.random_range(0..AWAY))).await;
            nodes.start_missing();
            if round % (rounds / 20).max(1) == 0 {
                let (done, seconds) = (self.finalized.load(Ordering::SeqCst), begun.elapsed().as_secs());
                eprintln!("kill: round {round}, {done} operations final, {seconds} s");
            }
        }
        let told = kills
            .iter()
            .map(|(nodes, times)| format!("{nodes} at once {times} times"));
        told.collect::<Vec<_>>().join(", ")
    }

    /// Waits until the run has brought in what it should have by now.
    async fn caught_up(&self, wanted: u64) {
        let begun = Instant::now();
        while (self.finalized.load(Ordering::SeqCst) as u64) < wanted {
            assert!(begun.elapsed() < PATIENCE, "fewer than {wanted} operations final");
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// The acknowledged operations that the ledger does not prove to hold, by a node that is up to date.
    async fn missing(&self, contested: &[Arc<Contested>]) -> Vec<String> {
        let chains = contested.iter().map(|one| Chain {
            did: one.did,
            acknowledged: one.acknowledged.lock().expect("no client panicked").clone(),
        });
        let witness = Witness {
            network: &self.network,
            http: &self.http,
            url: self.network.url(),
        };
        witness.missing(&chains.collect::<Vec<_>>()).await
    }

    /// All nodes must come to have the same block at the highest height that anybody was told of.
    async fn nodes_agree(&self) {
        let height = self.highest.load(Ordering::SeqCst);
        let mut hashes = Vec::new();
        for node in self.network.nodes() {
            let url = format!("{}/v1/headers/{height}", self.network.url_of(node));
            let begun = Instant::now();
            let header = loop {
                if let Some(header) = get(&self.http, &url).await {
                    break header;
                }
                assert!(
                    begun.elapsed() < PATIENCE,
                    "node {node} does not reach height {height}"
                );
                tokio::time::sleep(AGAIN).await;
            };
            let header: serde_json::Value = serde_json::from_slice(&header).expect("JSON");
            hashes.push(header["hash"].as_str().expect("a hash").to_owned());
        }
        hashes.dedup();
        assert_eq!(
            hashes.len(),
            1,
            "the nodes disagree about block {height}: {hashes:?}"
        );
    }
}
