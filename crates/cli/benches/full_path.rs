//! Operations through the ledger's full path against the checks of their signatures alone.
//!
//! Full path: an operation's bytes are checked as at admission, put into the pool, ordered by a
//! validator, executed, made final and durable, and reported as such; a whole batch is in flight
//! at a time. HTTP is left out. Against that, the same batch's signatures, each verified by itself:
//! one Ed25519 signature an operation, and the token's RSA-PSS signature of a publication.
//!
//! Only the ratios of one run mean something: `cargo bench`.

#![allow(clippy::print_stdout, reason = "a bench reports on standard output")]
#![allow(clippy::disallowed_methods, reason = "a bench reads the clock")]

#[allow(dead_code, reason = "shared with a bench that uses the rest")]
#[path = "ledger/mod.rs"]
mod network;

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use realdid_did::SignedOperation;
use realdid_ledger::encode_did_operation;

use network::people::Holder;
use network::signatures::{signatures_alone, signatures_of};
use network::{Ledger, cores, median};

/// Operations in flight at a time.
const BATCH: usize = 2_000;
/// Batches of each kind; the median counts.
const BATCHES: usize = 3;

#[tokio::main]
async fn main() {
    let ledger = Ledger::start().await;
    let mut rng = StdRng::seed_from_u64(1);
    let mut holders: Vec<_> = (0..BATCHES * BATCH)
        .map(|_| Holder::new(ledger.hash, &mut rng))
        .collect();
    let publish = |holder: &mut Holder| holder.publish(&ledger.authority, &mut rng);
    compare(
        &ledger,
        "publications with a token",
        holders.iter_mut().map(publish).collect(),
    )
    .await;
    compare(
        &ledger,
        "updates",
        holders.iter_mut().map(Holder::update).collect(),
    )
    .await;
    ledger.stop().await;
}

/// Measures batches of operations both ways and prints the ratios.
async fn compare(ledger: &Ledger, what: &str, operations: Vec<SignedOperation>) {
    let (mut full, mut one, mut all) = (Vec::new(), Vec::new(), Vec::new());
    for batch in operations.chunks(BATCH) {
        let bytes: Vec<_> = batch.iter().map(encode_did_operation).collect();
        full.push(ledger.full_path(&bytes).await);
        let signatures: Vec<_> = batch.iter().map(signatures_of).collect();
        one.push(signatures_alone(ledger, &signatures, 1));
        all.push(signatures_alone(ledger, &signatures, cores()));
    }
    let [full, one, all] = [full, one, all].map(|times| BATCH as f64 / median(times).as_secs_f64());
    println!("{what}: {BATCH} in flight, one validator, {} cores", cores());
    println!("  full path {full:.0}/s, signature checks alone {one:.0}/s on one core, {all:.0}/s on all");
    let ratio = "ratio operations full path / signature checks alone";
    println!("{ratio} on one core, {what}: {:.2}", full / one);
    println!("{ratio} on all cores, {what}: {:.2}", full / all);
}
