//! A node on a bad day: no space left, damaged files. It halts with words that a person understands,
//! or goes on; it loses nothing that was final, and serves nothing that is wrong.
//!
//! `REALDID_DAMAGED_FILES` sets how many files are damaged, one after the other; `REALDID_DAMAGE_SEED`
//! repeats the random choices.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use rand::{RngExt as _, SeedableRng as _};
use realdid_ledger::encode_did_operation;
use serde_json::Value;

use crate::people::Holder;
use crate::support::{Answer, Network, PATIENCE, Process, get, http, program, submit};

/// Space for a node's data: enough to begin with; and after the bad day.
const SPACE: [&str; 2] = ["16m", "64m"];
/// Files that a run of all tests damages.
const DAMAGED_FILES: usize = 6;
/// Blocks whose hashes are compared.
const COMPARED: u64 = 24;
/// How long a node with a damaged file may take to serve or to halt.
const START: Duration = Duration::from_secs(20);

/// Runs a program on a small file system of its own, then once more on a larger one.
const TWICE: &str = r#"
    small=$1 large=$2 data=$3
    shift 3
    mount -t tmpfs -o size="$small" tmpfs "$data" || exit 99
    "$@"
    echo "ended $?"
    mount -o remount,size="$large" "$data" || exit 99
    exec "$@"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_halts_the_node_until_there_is_space_and_loses_nothing() {
    let network = Network::init();
    let data = data(&network);
    fs::create_dir_all(&data).unwrap();
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c", TWICE, "sh"]);
    command.args(SPACE).arg(&data).arg(program());
    command.args(["node", "run", "--config"]);
    command.arg(network.path("network/node/node.toml"));
    let mut process = Process::spawn(&mut command, &network.path("node.log"));
    process.wait_ready();
    let http = http();
    network.publish_authority(&http).await;
    let (height, operation) = publish(&network, &http).await;

    // By way of its process into the mount namespace that the node lives in.
    let inside = PathBuf::from(format!("/proc/{}/root", process.id()));
    fill(&inside.join(data.strip_prefix("/").unwrap()).join("filler"));
    assert_eq!(process.next_line(), "ended 4");
    let log = process.last_lines();
    assert!(log.contains("error: no space is left for"), "{log}");
    assert!(log.contains("code: disk_full"), "{log}");

    process.wait_ready();
    assert_eq!(hashes(&network, &http, height).await.len() as u64, height);
    let found = get(&http, &format!("{}/v1/operations/{operation}", network.url())).await;
    let found: Value = serde_json::from_slice(&found.unwrap()).unwrap();
    assert_eq!(
        (found["status"].as_str(), found["height"].as_u64()),
        (Some("finalized"), Some(height))
    );
    publish(&network, &http).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_file_halts_the_node_or_is_mended_and_nothing_wrong_is_served() {
    let network = Network::init();
    let http = http();
    let node = network.start_node();
    network.publish_authority(&http).await;
    publish(&network, &http).await;
    let before = loop {
        let hashes = hashes(&network, &http, COMPARED).await;
        if hashes.len() as u64 == COMPARED {
            break hashes;
        }
    };
    node.kill();

    let number = |name: &str| std::env::var(name).ok()?.parse().ok();
    let seed = number("REALDID_DAMAGE_SEED").unwrap_or_else(rand::random);
    let mut rng = StdRng::seed_from_u64(seed);
    let mut files = files(&data(&network));
    files.shuffle(&mut rng);
    files.truncate(number("REALDID_DAMAGED_FILES").map_or(DAMAGED_FILES, |count| count as usize));
    assert!(!files.is_empty());
    for file in files {
        let whole = fs::read(&file).unwrap();
        let kept = keep(&data(&network));
        let place = damage(&file, whole, &mut rng);
        let name = file.strip_prefix(data(&network)).unwrap().display().to_string();
        let what = format!("seed {seed}, byte {place} of {name}");
        let outcome = outcome(&network, &http, &before, &what).await;
        eprintln!("{what}: {outcome}");
        give_back(&kept, &data(&network));
    }
}

/// Starts the node on a damaged file and sees what it does. In words, for whoever watches.
async fn outcome(network: &Network, http: &reqwest::Client, before: &[String], what: &str) -> &'static str {
    let log = network.path("node.log");
    let _ = fs::remove_file(&log);
    let mut node = network.spawn_node(program());
    let begun = Instant::now();
    while begun.elapsed() < START {
        if node.has_ended() {
            let log = node.last_lines();
            let plain = ["error: ", "\n  fix: ", "\n  code: "]
                .iter()
                .all(|part| log.contains(part));
            assert!(plain, "{what}: the node ends without words that help\n{log}");
            return "halted";
        }
        // A damaged block may come to light only when it is asked for, and then be refused.
        for (height, hash) in (1..).zip(before) {
            let served = hash_at(network, http, height).await;
            assert!(
                served.is_none_or(|served| served == *hash),
                "{what}: another block {height}"
            );
        }
        if get(http, &format!("{}/health/ready", network.url()))
            .await
            .is_some()
        {
            return "went on";
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // A lone validator that lost the block it was to build on has nobody to ask for it.
    let ready = http
        .get(format!("{}/health/ready", network.url()))
        .send()
        .await
        .unwrap();
    assert_eq!(ready.status(), 503, "{what}: neither ready nor not");
    "not ready"
}

fn data(network: &Network) -> PathBuf {
    network.path("network/node/data")
}

/// Changes one byte that is not zero: padding is nobody's.
fn damage(file: &Path, mut bytes: Vec<u8>, rng: &mut StdRng) -> usize {
    let places: Vec<usize> = (0..bytes.len()).filter(|place| bytes[*place] != 0).collect();
    let place = *places.choose(rng).unwrap();
    bytes[place] ^= 1 << rng.random_range(0..8);
    fs::write(file, bytes).unwrap();
    place
}

/// All files that hold something, in order.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if fs::read(&path).unwrap().iter().any(|byte| *byte != 0) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// A copy of a directory, beside it.
fn keep(directory: &Path) -> PathBuf {
    let copy = directory.with_extension("kept");
    let _ = fs::remove_dir_all(&copy);
    copy_directory(directory, &copy);
    copy
}

fn give_back(kept: &Path, directory: &Path) {
    fs::remove_dir_all(directory).unwrap();
    fs::rename(kept, directory).unwrap();
}

fn copy_directory(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let copy = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_directory(&path, &copy);
        } else {
            fs::copy(&path, &copy).unwrap();
        }
    }
}

/// The hashes of the blocks from 1 to a height, as far as the node serves them.
async fn hashes(network: &Network, http: &reqwest::Client, height: u64) -> Vec<String> {
    let mut hashes = Vec::new();
    for height in 1..=height {
        match hash_at(network, http, height).await {
            Some(hash) => hashes.push(hash),
            None => break,
        }
    }
    hashes
}

async fn hash_at(network: &Network, http: &reqwest::Client, height: u64) -> Option<String> {
    let block = get(http, &format!("{}/v1/blocks/{height}", network.url())).await?;
    let block: Value = serde_json::from_slice(&block).unwrap();
    Some(block["header"]["hash"].as_str().unwrap().to_owned())
}

/// Publishes a DID; height and hash of its operation.
async fn publish(network: &Network, http: &reqwest::Client) -> (u64, String) {
    let mut rng = rand::rng();
    let mut holder = Holder::new(network.charter.hash(), &mut rng);
    let operation = holder.publish(&network.authority, &mut rng);
    let hash = operation.operation.hash().to_hex();
    let begun = Instant::now();
    loop {
        match submit(http, &network.url(), &encode_did_operation(&operation)).await {
            Answer::Finalized { height } => return (height, hash),
            answer => assert!(begun.elapsed() < PATIENCE, "the publication: {answer:?}"),
        }
    }
}

/// Takes all space that is left.
fn fill(path: &Path) {
    let mut file = File::create(path).unwrap();
    while file.write_all(&[0; 4096]).is_ok() {}
}
