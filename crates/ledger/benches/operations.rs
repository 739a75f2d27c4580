//! Operations through the ledger's whole path, `check` and `execute`, against their signature checks
//! alone, in one run. Only the ratios mean something on another machine.

#![allow(clippy::unwrap_used, reason = "a bench that cannot go on has failed")]
#![allow(clippy::print_stdout, reason = "a bench reports on standard output")]
#![allow(clippy::disallowed_methods, reason = "a bench reads the clock")]

#[path = "../../token/tests/it/authority.rs"]
#[allow(dead_code, reason = "shared with the tests, which use the rest")]
mod authority;
#[path = "../../../vectors/frozen.rs"]
#[allow(dead_code, reason = "shared with the tests, which use the rest")]
mod frozen;
#[path = "../../did/tests/it/holder.rs"]
mod holder;
#[path = "../tests/it/world.rs"]
#[allow(dead_code, reason = "shared with the tests, which use the rest")]
mod world;

use std::hint::black_box;
use std::time::{Duration, Instant};

use realdid_did::{Authorization, SignedOperation};
use realdid_ledger::{BlockContext, CheckedOperation, State, check, encode_did_operation, execute};
use realdid_token::{EpochKey, Token};

use world::{Ledger, World};

const HOLDERS: u32 = 256;
const ROUNDS: u32 = 8;

/// One DID's publication and update, made before anything is measured.
struct Life {
    publish: SignedOperation,
    update: SignedOperation,
}

fn lives(world: &World) -> Vec<Life> {
    (0..HOLDERS)
        .map(|number| {
            let name: &'static str = Box::leak(format!("holder {number}").into_boxed_str());
            let holder = world.person(name);
            let publish = holder.publish(world.token(0, 0, &holder.did()));
            let update = holder.update(publish.operation.hash(), 1);
            Life { publish, update }
        })
        .collect()
}

/// What the path cannot do without: the operation's signature and, for a publication, the token's.
fn signatures(world: &World, key: &EpochKey, operation: &SignedOperation) {
    let document = operation.operation.document().unwrap();
    let bytes = operation.encode();
    let domain = realdid_crypto::Domain {
        label: "realdid/operation/v1",
        charter: &world.hash,
    };
    let signed = &bytes[..bytes.len() - 64];
    document.keys()[0]
        .key
        .verify(&domain, signed, &operation.signature)
        .unwrap();
    let founding = operation.operation.founding();
    if let Some(Authorization::Token { token, .. }) = founding.map(|founding| &founding.authorization) {
        let token = Token::from_bytes(token.as_slice()).unwrap();
        black_box(token.verify(key, &world.hash, &operation.operation.did).unwrap());
    }
}

/// The whole path of one operation in a block whose state is `state`.
fn path(ledger: &Ledger<'_>, bytes: &[u8], state: &mut State) {
    let World { charter, hash, .. } = ledger.world;
    let operation: CheckedOperation = check(charter, hash, bytes).unwrap();
    for key in operation.keys() {
        if !state.knows(&key) {
            state.load(key, ledger.values.get(&key).copied());
        }
    }
    let block = BlockContext {
        height: 1,
        time_ms: ledger.now * 1000,
    };
    execute(charter, hash, &block, &operation, state).unwrap();
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn rate(time: Duration) -> f64 {
    f64::from(HOLDERS * ROUNDS) / time.as_secs_f64()
}

fn main() {
    let world = World::new();
    let ledger = Ledger::furnished(&world);
    let key = world.epoch_key(0, 0);
    let lives = lives(&world);
    let encoded = |pick: fn(&Life) -> &SignedOperation| -> Vec<Vec<u8>> {
        lives
            .iter()
            .map(|life| encode_did_operation(pick(life)))
            .collect()
    };
    let (publications, updates) = (encoded(|life| &life.publish), encoded(|life| &life.update));
    // Interleaved, so that a noisy moment falls on both sides.
    let [mut publish, mut update, mut publish_alone, mut update_alone] = [Duration::ZERO; 4];
    for _ in 0..ROUNDS {
        let mut state = State::new();
        publish += timed(|| {
            publications
                .iter()
                .for_each(|bytes| path(&ledger, bytes, &mut state))
        });
        publish_alone += timed(|| {
            lives
                .iter()
                .for_each(|life| signatures(&world, &key, &life.publish))
        });
        update += timed(|| updates.iter().for_each(|bytes| path(&ledger, bytes, &mut state)));
        update_alone += timed(|| {
            lives
                .iter()
                .for_each(|life| signatures(&world, &key, &life.update))
        });
    }
    for (name, path, alone) in [
        ("publish with token", publish, publish_alone),
        ("update", update, update_alone),
    ] {
        let ratio = alone.as_secs_f64() / path.as_secs_f64();
        println!(
            "{name}: {:.0}/s through the path, {:.0}/s signature checks alone, {ratio:.2}",
            rate(path),
            rate(alone)
        );
    }
    let ratio = (publish_alone + update_alone).as_secs_f64() / (publish + update).as_secs_f64();
    println!("ledger path / signature checks alone: {ratio:.2}");
}
