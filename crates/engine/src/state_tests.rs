//! The store against a map of the same entries: roots, values and proofs, over splits, forks, moves,
//! restarts and crashes.

use crate::state::{ITEM_LEN, LENGTH, Operation, SLACK, StateDb, StateSet, Tree, Update, config};
use commonware_codec::FixedSize as _;
use commonware_glue::stateful::db::{DatabaseSet as _, Unmerkleized as _};
use commonware_runtime::{
    Runner as _, Supervisor as _,
    buffer::paged::{CacheRef, page_size},
    deterministic::{Context, Runner},
};
use commonware_utils::{NZU64, NZUsize};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use realdid_ledger::{
    StateKey, StateValue, VALUE_LEN, prefix_range,
    state_tree::{part_hash, value_hash},
};
use std::collections::BTreeMap;

type Model = BTreeMap<StateKey, StateValue>;

async fn open(context: &Context) -> StateDb<Context> {
    let cache = CacheRef::new(const { page_size(4_096) }, NZUsize!(64));
    let mut config = config("test", cache);
    // Small files, so that some go.
    (config.log.items_per_blob, config.merkle.items_per_blob) = (NZU64!(512), NZU64!(512));
    StateDb::init(context.child("state"), config, None)
        .await
        .expect("store")
}

/// Writes a block. It is durable only behind a commit.
async fn write(db: StateDb<Context>, writes: &Model, model: &mut Model) -> StateDb<Context> {
    let writes: Vec<_> = writes.iter().map(|(key, value)| (*key, *value)).collect();
    model.extend(writes.iter().copied());
    let update = Update::of(&db, &writes).await.expect("update");
    assert_eq!(update.root, root_of(model));
    let mut batch = db.new_batch();
    for item in update.items {
        batch = batch.append(item);
    }
    let sealed = batch
        .merkleize(&db, Some(update.root_item), update.floor)
        .await
        .expect("sealed");
    db.apply_batch(sealed).await.expect("applied")
}

fn root_of(model: &Model) -> [u8; 32] {
    let hashed: Vec<_> = model
        .iter()
        .map(|(key, value)| (*key, value_hash(value)))
        .collect();
    part_hash(&hashed, 0)
}

/// Keys that are spread, and some that have many bits in common with one there is.
fn some_key(rng: &mut StdRng, model: &Model) -> StateKey {
    let mut key: StateKey = rng.random();
    if rng.random_bool(0.3)
        && let Some((near, _)) = model.range(key..).next()
    {
        key = *near;
        let bit = rng.random_range(0..256_usize);
        key[bit / 8] ^= 0x80 >> (bit % 8);
    }
    key
}

fn some_writes(rng: &mut StdRng, model: &Model, most: usize) -> Model {
    let mut writes = Model::new();
    for _ in 0..rng.random_range(0..=most) {
        let key = some_key(rng, model);
        let again = model.range(key..).next().filter(|_| rng.random_bool(0.3));
        let key = again.map_or(key, |(key, _)| *key);
        writes.insert(key, [rng.random(); VALUE_LEN]);
    }
    writes
}

/// Checks some keys and prefixes, those that are there and others.
async fn check(db: &StateDb<Context>, model: &Model, rng: &mut StdRng, asked: usize) {
    let root = root_of(model);
    let mut keys: Vec<_> = (0..asked).map(|_| some_key(rng, model)).collect();
    let share = 6.0 / 6.0_f64.max(model.len() as f64);
    keys.extend(model.keys().copied().filter(|_| rng.random_bool(share)));
    let mut tree = Tree::open(db).await.expect("tree");
    let values = tree.values(&keys).await.expect("values");
    for (key, value) in keys.iter().zip(values) {
        assert_eq!(value, model.get(key).copied());
        let mut alone = Tree::open(db).await.expect("tree");
        let proof = alone.prove(key).await.expect("proof");
        assert_eq!(proof.verify_lookup(key, &root), Ok(value));
        let bits: u8 = rng.random_range(0..=12);
        let lowest = prefix(key, bits);
        let (_, highest) = prefix_range(&lowest, bits).expect("a prefix");
        let held: Model = model
            .range(lowest..=highest)
            .map(|(key, value)| (*key, *value))
            .collect();
        for tree in [&mut tree, &mut alone] {
            let proof = tree.prove_prefix(&lowest, bits, 256).await.expect("proof");
            let Some(proof) = proof else {
                assert!(held.len() > 256);
                continue;
            };
            assert_eq!(proof.verify(&lowest, bits, &root), Ok(held.clone()));
        }
        if let Some(fewer) = held.len().checked_sub(1) {
            assert_eq!(
                tree.prove_prefix(&lowest, bits, fewer).await.expect("proof"),
                None
            );
        }
    }
}

fn prefix(key: &StateKey, bits: u8) -> StateKey {
    let mut prefix = *key;
    for (index, byte) in prefix.iter_mut().enumerate() {
        let kept = usize::from(bits).saturating_sub(8 * index).min(8);
        *byte &= !(0xff_u16 >> kept) as u8;
    }
    prefix
}

#[test]
fn it_is_the_map_with_proofs() {
    for seed in 0..4 {
        Runner::seeded(seed).start(|context| async move {
            let mut rng = StdRng::seed_from_u64(seed);
            let (mut db, mut model) = (open(&context).await, Model::new());
            check(&db, &model, &mut rng, 3).await;
            for round in 0..14 {
                let writes = some_writes(&mut rng, &model, 1 << (round % 7));
                db = write(db, &writes, &mut model).await;
                check(&db, &model, &mut rng, 4).await;
                if rng.random_bool(0.2) {
                    drop(db.commit().await.expect("durable"));
                    db = open(&context).await;
                    check(&db, &model, &mut rng, 4).await;
                }
            }
        });
    }
}

/// Entries that nobody writes go along while others are written again and again, and the log stays
/// as short as it is meant to be, whatever is pruned.
#[test]
fn the_log_stays_short_and_loses_nothing() {
    Runner::seeded(7).start(|context| async move {
        let mut rng = StdRng::seed_from_u64(7);
        let (mut db, mut model) = (open(&context).await, Model::new());
        let first: Model = (0..150).map(|_| (rng.random(), [1; VALUE_LEN])).collect();
        db = write(db, &first, &mut model).await;
        let again: Vec<StateKey> = first.keys().copied().take(40).collect();
        for round in 0..150_u16 {
            let writes: Model = again
                .iter()
                .filter(|_| rng.random_bool(0.5))
                .map(|key| (*key, [round as u8; VALUE_LEN]))
                .collect();
            db = write(db, &writes, &mut model).await;
            if round % 50 == 49 {
                let floor = db.inactivity_floor_loc();
                db = db
                    .commit()
                    .await
                    .expect("durable")
                    .prune(floor)
                    .await
                    .expect("pruned");
                check(&db, &model, &mut rng, 3).await;
                drop(db);
                db = open(&context).await;
                check(&db, &model, &mut rng, 3).await;
            }
        }
        // Entries, pages, and what a block may append before the next one looks.
        let (floor, end) = (*db.inactivity_floor_loc(), *db.bounds().end);
        assert!(floor > 1_000, "{floor}");
        assert!(end - floor < LENGTH * 300 + SLACK + 1_000, "{floor} to {end}");
        assert!(*db.bounds().start > 0, "files are gone");
    });
}

/// What is not durable may be lost in a crash, as a whole; nothing else is.
#[test]
fn a_crash_loses_at_most_what_was_not_durable() {
    for seed in 0..10 {
        let rng = StdRng::seed_from_u64(seed);
        let run = |context: Context| async move {
            let mut rng = rng;
            let (mut db, mut model) = (open(&context).await, Model::new());
            for _ in 0..12 {
                let writes = some_writes(&mut rng, &model, 30);
                db = write(db, &writes, &mut model).await;
            }
            db = db.commit().await.expect("durable");
            let durable = model.clone();
            let mut states = vec![durable];
            for _ in 0..rng.random_range(0..4) {
                let writes = some_writes(&mut rng, &model, 30);
                db = write(db, &writes, &mut model).await;
                states.push(model.clone());
            }
            // Half of the time something of it was under way to the disk.
            if rng.random_bool(0.5) {
                let started = db.start_sync().await.expect("started");
                drop(started);
            }
            (states, rng)
        };
        let ((states, mut rng), checkpoint) = Runner::seeded(seed).start_and_recover(run);
        Runner::from(checkpoint).start(|context| async move {
            let mut db = open(&context).await;
            let mut tree = Tree::open(&db).await.expect("tree");
            let key = [7; 32];
            let proof = tree.prove(&key).await.expect("proof");
            let mut model = states
                .into_iter()
                .find(|model| proof.verify_lookup(&key, &root_of(model)).is_ok())
                .expect("one of the states there were");
            check(&db, &model, &mut rng, 20).await;
            // It goes on from there.
            let writes = some_writes(&mut rng, &model, 30);
            db = write(db, &writes, &mut model).await;
            check(&db, &model, &mut rng, 20).await;
        });
    }
}

/// Blocks on blocks that are not final, two on the same one: each sees its own past.
#[test]
fn forks_see_their_own_past() {
    Runner::default().start(|context| async move {
        let mut rng = StdRng::seed_from_u64(3);
        let mut model = Model::new();
        let writes = some_writes(&mut rng, &model, 200);
        let db = write(open(&context).await, &writes, &mut model).await;
        let state = StateSet::new("test", db.commit().await.expect("durable"));
        let mut batch = state.new_batches().await;
        let mut chain = Vec::new();
        for _ in 0..4 {
            let mut outcomes = Vec::new();
            for side in 0..2_u8 {
                let mut fork = match chain.last() {
                    None => state.new_batches().await,
                    Some((parent, _)) => StateSet::fork_batches(parent),
                };
                let mut model = chain
                    .last()
                    .map_or_else(|| model.clone(), |(_, model)| Model::clone(model));
                let mut writes = some_writes(&mut rng, &model, 40);
                writes.insert([side; 32], [side; VALUE_LEN]);
                let list: Vec<_> = writes.iter().map(|(key, value)| (*key, *value)).collect();
                model.extend(writes);
                let update = Update::of(&fork, &list).await.expect("update");
                assert_eq!(update.root, root_of(&model));
                for item in update.items {
                    fork = fork.append(item);
                }
                let fork = fork
                    .with_metadata(update.root_item)
                    .with_inactivity_floor(update.floor);
                outcomes.push((fork.merkleize().await.expect("sealed"), model));
            }
            let (kept, model) = outcomes.swap_remove(rng.random_range(0..2));
            batch = StateSet::fork_batches(&kept);
            let mut tree = Tree::open(&batch).await.expect("tree");
            let keys: Vec<_> = model.keys().copied().collect();
            let values = tree.values(&keys).await.expect("values");
            assert!(values.into_iter().eq(model.values().copied().map(Some)));
            chain.push((kept, model));
        }
        drop(batch);
        let (kept, model) = chain.pop().expect("the last");
        state.apply(kept).await;
        let db = state.read().await;
        check(&db, &model, &mut rng, 50).await;
    });
}

/// The same blocks make the same log, whoever executes them: its root is in the header.
#[test]
fn the_log_depends_on_the_writes_alone() {
    let run = |seed| {
        Runner::seeded(seed).start(|context| async move {
            let mut rng = StdRng::seed_from_u64(5);
            let (mut db, mut model) = (open(&context).await, Model::new());
            let keys: Vec<StateKey> = (0..30).map(|_| rng.random()).collect();
            for round in 0..60_u8 {
                let writes: Model = keys
                    .iter()
                    .filter(|_| rng.random_bool(0.7))
                    .map(|key| (*key, [round; VALUE_LEN]))
                    .collect();
                db = write(db, &writes, &mut model).await;
                if seed == 1 && round % 9 == 0 {
                    let floor = db.inactivity_floor_loc();
                    drop(
                        db.sync()
                            .await
                            .expect("durable")
                            .prune(floor)
                            .await
                            .expect("pruned"),
                    );
                    db = open(&context).await;
                }
            }
            (db.root(), *db.bounds().end, *db.inactivity_floor_loc())
        })
    };
    let outcome = run(0);
    assert_eq!(run(1), outcome);
    assert!(outcome.2 > 0);
}

/// The layout is part of the protocol: validators must write the same.
#[test]
fn an_item_has_its_length() {
    assert_eq!(ITEM_LEN, 417);
    assert_eq!(Operation::SIZE, 427);
}
