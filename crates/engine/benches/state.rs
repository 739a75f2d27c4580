//! The state's store by itself, with as many entries as asked for: how fast they go in, what they
//! take of memory and disk, how long a start takes after `kill -9`, how long proofs are.
//!
//! ```text
//! cargo bench -p realdid-engine --bench state -- --entries 10000000 --dir DIR [--batch N] [--cache MIB] [--json]
//! ```
//!
//! A directory that holds a state already is gone on with. Entries are as [`realdid_ledger`] writes
//! them, 384 bytes under a hash, but nothing is signed or judged: only the store is measured. Each
//! batch is a block: appended, made durable, and now and then what is out of date is pruned. The
//! program starts itself as loader, kills it in the middle of a batch, and starts itself as reader.

#![allow(clippy::unwrap_used, reason = "a bench that cannot go on has failed")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a bench reports")]
#![allow(clippy::disallowed_methods, reason = "a bench reads the clock")]

#[path = "../src/state/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the engine uses the rest")]
mod state;

use commonware_runtime::{
    Runner as _, Supervisor as _,
    buffer::paged::{CacheRef, page_size},
    tokio::{Config, Context, Runner},
};
use realdid_crypto::hash_labelled;
use realdid_ledger::{StateKey, StateValue, VALUE_LEN};
use serde_json::{Value, json};
use state::{StateDb, Tree, Update};
use std::{
    fs,
    io::{BufRead as _, BufReader},
    num::NonZeroUsize,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// Blocks between two prunings, as in a node.
const PRUNE_EVERY: u64 = 256;
/// Keys looked up and proven at the end.
const SAMPLE: u64 = 2_000;

struct Options {
    entries: u64,
    batch: u64,
    /// MiB of the log that stay in memory.
    cache: usize,
    dir: PathBuf,
    json: bool,
    role: Option<String>,
}

fn options() -> Options {
    let mut options = Options {
        entries: 100_000,
        batch: 10_000,
        cache: 256,
        dir: std::env::temp_dir().join(format!("realdid-state-bench-{}", std::process::id())),
        json: false,
        role: None,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let mut value = || arguments.next().expect("a value behind its name");
        match name.as_str() {
            "--entries" => options.entries = value().parse().unwrap(),
            "--batch" => options.batch = value().parse().unwrap(),
            "--cache" => options.cache = value().parse().unwrap(),
            "--dir" => options.dir = value().into(),
            "--role" => options.role = Some(value()),
            "--json" => options.json = true,
            // given by `cargo bench`
            "--bench" => {}
            other => panic!("unknown option {other}"),
        }
    }
    options
}

fn key(number: u64) -> StateKey {
    hash_labelled("bench/entry", &[&number.to_be_bytes()]).0
}

fn value(number: u64) -> StateValue {
    let mut value = [0; VALUE_LEN];
    for (index, part) in value.chunks_mut(32).take(8).enumerate() {
        part.copy_from_slice(&hash_labelled("bench/value", &[&[index as u8], &number.to_be_bytes()]).0);
    }
    value
}

async fn open(context: &Context, mebibytes: usize) -> StateDb<Context> {
    let pages = NonZeroUsize::new(mebibytes << 8).unwrap();
    let cache = CacheRef::new(const { page_size(4_096) }, pages);
    let config = state::config("bench", cache);
    StateDb::init(context.child("state"), config, None).await.unwrap()
}

fn with_store<F: Future<Output = ()> + Send>(dir: &Path, run: impl FnOnce(Context) -> F + Send) {
    let config = Config::default()
        .with_worker_threads(2)
        .with_thread_stack_size(64 << 20)
        .with_storage_directory(dir);
    Runner::new(config).start(run);
}

/// Writes batches until there are as many entries as asked for, prints a line of figures for each
/// hundredth part, then goes on until it is killed.
fn load(options: &Options) {
    with_store(&options.dir, |context| async move {
        let mut db = open(&context, options.cache).await;
        let mut written = written(&db).await;
        let (began, start) = (Instant::now(), written);
        let report_every = (options.entries / 100).max(options.batch);
        let (mut blocks, mut reported) = (0_u64, written);
        loop {
            let writes: Vec<_> = (written..written + options.batch)
                .map(|at| (key(at), value(at)))
                .collect();
            db = write(db, &writes).await;
            written += options.batch;
            blocks += 1;
            if blocks.is_multiple_of(PRUNE_EVERY) {
                let floor = db.inactivity_floor_loc();
                db = db.prune(floor).await.unwrap();
            }
            let done = written >= options.entries;
            if done || written - reported >= report_every {
                reported = written;
                let seconds = began.elapsed().as_secs_f64();
                let line = json!({
                    "written": written, "done": done, "seconds": seconds,
                    "rate": (written - start) as f64 / seconds, "resident": resident(),
                    "log_items": *db.bounds().end, "floor": *db.inactivity_floor_loc(),
                });
                println!("{line}");
            }
        }
    });
}

/// One block's writes, made durable.
async fn write(mut db: StateDb<Context>, writes: &[(StateKey, StateValue)]) -> StateDb<Context> {
    let update = Update::of(&db, writes).await.unwrap();
    let mut batch = db.new_batch();
    for item in update.items {
        batch = batch.append(item);
    }
    let sealed = batch
        .merkleize(&db, Some(update.root_item), update.floor)
        .await
        .unwrap();
    db = db.apply_batch(sealed).await.unwrap();
    let (db, synced) = db.start_sync().await.unwrap();
    synced.await.unwrap();
    db
}

/// How many of the entries there are: they are written in their order.
async fn written(db: &StateDb<Context>) -> u64 {
    let (mut low, mut high) = (0_u64, 1 << 40);
    while low < high {
        let middle = u64::midpoint(low, high);
        let mut tree = Tree::open(db).await.unwrap();
        match tree.values(&[key(middle)]).await.unwrap()[0] {
            Some(_) => low = middle + 1,
            None => high = middle,
        }
    }
    low
}

/// Opens what a killed loader left, and looks and proves.
fn read(options: &Options) {
    with_store(&options.dir, |context| async move {
        let began = Instant::now();
        let db = open(&context, options.cache).await;
        let opened = began.elapsed();
        let mut tree = Tree::open(&db).await.unwrap();
        let root_proof = tree.prove(&key(0)).await.unwrap();
        let first_proof = began.elapsed();
        let written = written(&db).await;
        // Leads to the root that any proof leads to.
        let root = root_of(&root_proof, &key(0));
        let (mut present, mut absent, mut took) = (0, 0, Duration::ZERO);
        for sample in 0..SAMPLE {
            let there = key(sample.wrapping_mul(0x9e37_79b9_7f4a_7c15) % written);
            let not = hash_labelled("bench/absent", &[&sample.to_be_bytes()]).0;
            for (key, held) in [(there, true), (not, false)] {
                let began = Instant::now();
                let proof = Tree::open(&db).await.unwrap().prove(&key).await.unwrap();
                took += began.elapsed();
                let found = proof.verify_lookup(&key, &root).unwrap();
                assert_eq!(found.is_some(), held);
                *(if held { &mut present } else { &mut absent }) += proof.encode().len() as u64;
            }
        }
        let line = json!({
            "entries": written,
            "open_seconds": opened.as_secs_f64(),
            "first_proof_seconds": first_proof.as_secs_f64(),
            "proof_present_bytes": present / SAMPLE,
            "proof_absent_bytes": absent / SAMPLE,
            "proof_micros": took.as_micros() as u64 / (2 * SAMPLE),
            "resident": resident(),
        });
        println!("{line}");
    });
}

fn root_of(proof: &realdid_ledger::StateProof, key: &StateKey) -> [u8; 32] {
    use realdid_ledger::{
        PathEnd,
        state_tree::{entry_hash, root_over, value_hash},
    };
    let PathEnd::Value(value) = &proof.end else {
        panic!("the first entry is there")
    };
    root_over(entry_hash(key, &value_hash(value)), key, &proof.siblings)
}

/// Bytes of memory that this process holds.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() << 10
}

fn disk(dir: &Path) -> u64 {
    let entries = fs::read_dir(dir).unwrap().map(Result::unwrap);
    entries
        .map(|entry| {
            let metadata = entry.metadata().unwrap();
            if metadata.is_dir() {
                disk(&entry.path())
            } else {
                metadata.len()
            }
        })
        .sum()
}

fn child(options: &Options, role: &str) -> std::process::Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--role", role, "--entries", &options.entries.to_string()])
        .args(["--batch", &options.batch.to_string()])
        .args(["--cache", &options.cache.to_string()])
        .arg("--dir")
        .arg(&options.dir)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The lines of a child, up to the one that says it is done.
fn figures(child: &mut std::process::Child, mut each: impl FnMut(&Value) -> bool) -> Value {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut last = Value::Null;
    for line in lines {
        last = serde_json::from_str(&line.unwrap()).unwrap();
        if each(&last) {
            break;
        }
    }
    last
}

fn main() {
    let options = options();
    match options.role.as_deref() {
        Some("load") => return load(&options),
        Some("read") => return read(&options),
        _ => {}
    }
    fs::create_dir_all(&options.dir).unwrap();
    let mut loader = child(&options, "load");
    let loaded = figures(&mut loader, |line| {
        eprintln!(
            "{:>11} entries  {:>7.0}/s  {:>4} MiB resident",
            line["written"],
            line["rate"].as_f64().unwrap(),
            line["resident"].as_u64().unwrap() >> 20,
        );
        line["done"] == true
    });
    // Into the batch that follows.
    std::thread::sleep(Duration::from_millis(150));
    loader.kill().unwrap();
    loader.wait().unwrap();
    let bytes = disk(&options.dir);
    let mut reader = child(&options, "read");
    let read = figures(&mut reader, |_| false);
    reader.wait().unwrap();
    let entries = read["entries"].as_u64().unwrap();
    assert!(entries >= options.entries, "something durable is lost");
    let report = json!({
        "load": loaded, "after_kill": read, "disk": bytes, "disk_per_entry": bytes / entries,
        "resident_per_entry": loaded["resident"].as_u64().unwrap() as f64 / entries as f64,
    });
    if options.json {
        println!("{report}");
    } else {
        println!("{report:#}");
    }
}
