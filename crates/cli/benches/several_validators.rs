//! Operations that become final: four validators against one, with one of the four away, and against a
//! quarter of what the machine could check in signatures.
//!
//! All validators run in this process and share its processors, so four do four times the work of one: each
//! checks every operation itself. That is why a quarter of the bare signature checks is the measure. Operations
//! are given to the validators in turn, each operation to one, a whole batch in flight at a time.
//!
//! Only the ratios of one run mean something: `cargo bench -p realdid-cli --bench several_validators`.

#![allow(clippy::print_stdout, reason = "a bench reports on standard output")]
#![allow(clippy::disallowed_methods, reason = "a bench reads the clock")]

#[allow(dead_code, reason = "shared with benches that use the rest")]
#[path = "ledger/mod.rs"]
mod network;

use std::time::Duration;

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
/// What four validators may be without.
const AWAY: usize = 1;
/// How long what comes after a loss is watched: twice as long as it takes to pass over the lost one's turns.
const AFTERMATH: Duration = Duration::from_secs(7);

/// A ledger and DIDs for it.
struct Country {
    ledger: Ledger,
    holders: Vec<Holder>,
    rng: StdRng,
}

/// A kind of operation.
#[derive(Clone, Copy)]
enum Kind {
    Publication,
    Update,
}

#[tokio::main]
async fn main() {
    println!("{BATCH} in flight, {} cores; operations a second", cores());
    let mut one = Country::of(1).await;
    let mut four = Country::of(4).await;
    for (kind, what) in [(Kind::Publication, "publications"), (Kind::Update, "updates")] {
        let (alone, together, checks) = (one.rate(kind).await, four.rate(kind).await, one.checks(kind));
        println!("{what}: one validator {alone:.0}, four {together:.0}, signature checks alone {checks:.0}");
        println!("ratio four validators / one, {what}: {:.2}", together / alone);
        let quarter = checks / 4.0;
        println!(
            "ratio four validators / a quarter of the signature checks, {what}: {:.2}",
            together / quarter
        );
    }
    let all = four.rate(Kind::Update).await;
    for _ in 0..AWAY {
        four.ledger.lose_one().await;
    }
    let first = four.rate_for(AFTERMATH, Kind::Update).await;
    let rest = four.rate(Kind::Update).await;
    let seconds = AFTERMATH.as_secs();
    println!(
        "updates with one of four away: {first:.0} in the first {seconds} s, then {rest:.0}; with all {all:.0}"
    );
    println!(
        "ratio one of four away, the first {seconds} s / all there: {:.2}",
        first / all
    );
    println!("ratio one of four away / all there: {:.2}", rest / all);
    one.ledger.stop().await;
    four.ledger.stop().await;
}

impl Country {
    async fn of(validators: u8) -> Self {
        let ledger = Ledger::of(validators).await;
        let mut rng = StdRng::seed_from_u64(1);
        let holders = (0..BATCHES * BATCH).map(|_| Holder::new(ledger.hash, &mut rng));
        Self {
            holders: holders.collect(),
            ledger,
            rng,
        }
    }

    fn operations(&mut self, kind: Kind, batch: usize) -> Vec<SignedOperation> {
        let holders = self.holders[batch * BATCH..][..BATCH].iter_mut();
        let next = |holder: &mut Holder| match kind {
            Kind::Publication => holder.publish(&self.ledger.authority, &mut self.rng),
            Kind::Update => holder.update(),
        };
        holders.map(next).collect()
    }

    /// How long a batch takes.
    async fn batch(&mut self, kind: Kind, batch: usize) -> Duration {
        let operations = self.operations(kind, batch);
        let bytes: Vec<_> = operations.iter().map(encode_did_operation).collect();
        self.ledger.full_path(&bytes).await
    }

    /// Operations a second; the middle one of several batches.
    async fn rate(&mut self, kind: Kind) -> f64 {
        let mut times = Vec::new();
        for batch in 0..BATCHES {
            times.push(self.batch(kind, batch).await);
        }
        rate_of(median(times))
    }

    /// The same over as many batches as take so long.
    async fn rate_for(&mut self, least: Duration, kind: Kind) -> f64 {
        let (mut took, mut batches) = (Duration::ZERO, 0);
        while took < least {
            took += self.batch(kind, batches % BATCHES).await;
            batches += 1;
        }
        (batches * BATCH) as f64 / took.as_secs_f64()
    }

    /// Signature checks of such operations a second, on all cores, and nothing else.
    fn checks(&self, kind: Kind) -> f64 {
        let mut rng = StdRng::seed_from_u64(2);
        let operations = (0..BATCH).map(|_| {
            let mut holder = Holder::new(self.ledger.hash, &mut rng);
            let publication = holder.publish(&self.ledger.authority, &mut rng);
            match kind {
                Kind::Publication => publication,
                Kind::Update => holder.update(),
            }
        });
        let signatures: Vec<_> = operations.map(|operation| signatures_of(&operation)).collect();
        let times = (0..BATCHES).map(|_| signatures_alone(&self.ledger, &signatures, cores()));
        rate_of(median(times.collect()))
    }
}

fn rate_of(time: Duration) -> f64 {
    BATCH as f64 / time.as_secs_f64()
}
