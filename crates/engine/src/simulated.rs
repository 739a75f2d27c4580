//! The same wiring on the deterministic runtime and the simulated network.

use crate::{
    applied::Applied,
    directory::Peers,
    pool::{Origin, Pool},
    schemes::Schemes,
    service::Service,
    support::{World, hex, world},
    wiring::{self, Channels, Marshal, RATES, Setup, StateMailbox, longest_message},
};
use commonware_codec::{Copying, DecodeExt as _};
use commonware_consensus::types::Height;
use commonware_cryptography::{Signer as _, ed25519::PublicKey};
use commonware_p2p::simulated::{Config, Link, Network, Oracle};
use commonware_runtime::{
    Clock as _, Handle, Quota, Runner as _, Spawner as _, Supervisor as _, deterministic,
};
use commonware_utils::{NZUsize, probability};
use realdid_ledger::{FinalityProof, PrefixProof, StateProof};
use serde_json::{Value, json};
use std::{path::Path, sync::Arc, thread, time::Duration};
use tokio::sync::{mpsc, oneshot};

#[path = "../../../vectors/frozen.rs"]
mod frozen;

const VALIDATORS: u8 = 4;
const HEIGHTS: u64 = 6;
const HEARTBEAT: Duration = Duration::from_millis(500);
const VECTOR: &str = "light_client.json";

pub(crate) struct Node {
    pub(crate) marshal: Marshal,
    pub(crate) state: StateMailbox<deterministic::Context>,
    pub(crate) applied: Arc<Applied>,
    pub(crate) pool: Arc<Pool>,
    pub(crate) outbox: mpsc::Sender<Vec<u8>>,
    pub(crate) schemes: Schemes,
    pub(crate) task: Handle<()>,
}

#[test]
fn four_validators_agree_and_a_seed_repeats() {
    // The actors' futures are large without optimisation.
    let run = |seed| {
        thread::Builder::new()
            .stack_size(256 << 20)
            .spawn(move || run(seed))
    };
    let hashes: Vec<_> = [1, 1, 2]
        .into_iter()
        .map(|seed| run(seed).expect("thread").join().expect("agreement"))
        .collect();
    assert_eq!(hashes[0], hashes[1]);
    assert_ne!(hashes[0], hashes[2]);
}

/// Old writes of the state are pruned; blocks and proofs stay.
#[test]
fn a_long_chain_is_pruned_and_still_proves() {
    const LONG: u64 = 10_000;
    let run = || {
        deterministic::Runner::seeded(6).start(|context| async move {
            let mut world = world(1, 66);
            world.charter.committees.epoch_blocks = 4_000;
            let node = start(&context, &world, 40, Duration::from_millis(10))
                .await
                .remove(0);
            while node.applied.height() < LONG {
                context.sleep(Duration::from_secs(1)).await;
            }
            let state = node.state.subscribe_databases().await;
            assert!(
                *state.read().await.inactivity_floor_loc() > 0,
                "old writes may go"
            );
            let first = node.marshal.get_block(Height::new(1)).await.expect("blocks stay");
            assert_eq!(first.inner().header().height, 1);
            assert!(node.marshal.get_finalization(Height::new(1)).await.is_some());
            let service = Service::open(node.marshal, state, node.applied).await;
            let keys: Vec<_> = (0..50).map(|seat| world.publish(seat).1).collect();
            let proven = service.prove(&context, &keys).await.expect("proof");
            let root = proven.finality.headers[0].state_root;
            for (seat, (key, proof)) in keys.iter().zip(&proven.proofs).enumerate() {
                let value = proof.verify_lookup(key, &root).expect("covered");
                assert_eq!(value.is_some(), seat < 40);
            }
        });
    };
    let thread = thread::Builder::new().stack_size(256 << 20).spawn(run);
    thread.expect("thread").join().expect("a long chain");
}

/// What a light client is given, frozen. Only the form is frozen: a new file is made on demand, not
/// compared, because it depends on the pace of blocks too.
#[test]
fn light_client_vector() {
    let made = frozen::bless().then(|| {
        let run = thread::Builder::new().stack_size(256 << 20).spawn(vector);
        run.expect("thread").join().expect("a vector")
    });
    let vector = made.clone().unwrap_or_else(|| frozen::read(VECTOR));
    check_vector(&vector);
    if let Some(made) = made {
        frozen::compare(VECTOR, &made);
    }
}

fn vector() -> Value {
    deterministic::Runner::seeded(5).start(|context| async move {
        let world = world(1, 65);
        let node = start(&context, &world, 24, HEARTBEAT).await.remove(0);
        while node.applied.height() < HEIGHTS {
            context.sleep(Duration::from_millis(100)).await;
        }
        let state = node.state.subscribe_databases().await;
        let service = Service::open(node.marshal, state, node.applied).await;
        let (_, present) = world.publish(5);
        let (_, absent) = world.publish(50);
        let proven = service.prove(&context, &[present, absent]).await.expect("proof");
        let prefix = service.prove_prefix(&context, [0; 32], 2, 64).await.expect("proof");
        let finality = proven.finality.clone();
        assert_eq!(prefix.finality, finality);
        let header = &finality.headers[0];
        let value = proven.proofs[0].verify_lookup(&present, &header.state_root).expect("covered");
        let entries = prefix.proof.verify(&[0; 32], 2, &header.state_root).expect("whole");
        json!({
            "description": "A finality proof, proofs of a present and an absent key, and of a prefix, as nodes \
                            give them to light clients. Any flipped bit must be refused.",
            "source": "protocol.md §3 and §4; made by crates/engine on the deterministic runtime",
            "charter_hash": hex(world.charter.hash().as_bytes()),
            "network_key": hex(&world.network_key),
            "finality": hex(&finality.encode()),
            "header": {
                "encoding": hex(&header.encode()),
                "hash": hex(&header.hash()),
                "height": header.height,
                "time_ms": header.time_ms,
                "epoch": header.epoch,
                "state_root": hex(&header.state_root),
            },
            "present": {
                "key": hex(&present),
                "value": hex(&value.expect("present")),
                "proof": hex(&proven.proofs[0].encode()),
            },
            "absent": { "key": hex(&absent), "proof": hex(&proven.proofs[1].encode()) },
            "prefix": {
                "prefix": hex(&[0; 32]),
                "bits": 2,
                "keys": entries.keys().map(|key| hex(key)).collect::<Vec<_>>(),
                "proof": hex(&prefix.proof.encode()),
            },
        })
    })
}

fn check_vector(vector: &Value) {
    let charter = array::<32>(&vector["charter_hash"]);
    let finality = FinalityProof::decode(&bytes(&vector["finality"])).expect("form");
    let header = finality
        .verify(&charter, &array(&vector["network_key"]))
        .expect("final");
    assert_eq!(header.hash(), &array(&vector["header"]["hash"]));
    assert_eq!(header.header().encode(), bytes(&vector["header"]["encoding"]));
    assert_eq!(header.header().height, vector["header"]["height"]);
    assert_eq!(header.header().time_ms, vector["header"]["time_ms"]);
    let root = array(&vector["header"]["state_root"]);
    assert_eq!(header.header().state_root, root);
    let lookup = |found: &Value| {
        let proof = StateProof::decode(&bytes(&found["proof"])).expect("form");
        proof
            .verify_lookup(&array(&found["key"]), &root)
            .expect("covered")
    };
    let value = lookup(&vector["present"]).expect("present");
    assert_eq!(value.to_vec(), bytes(&vector["present"]["value"]));
    assert_eq!(lookup(&vector["absent"]), None);
    let prefix = PrefixProof::decode(&bytes(&vector["prefix"]["proof"])).expect("form");
    let entries = prefix
        .verify(&array(&vector["prefix"]["prefix"]), 2, &root)
        .expect("whole");
    let keys: Vec<_> = entries.keys().map(|key| Value::from(hex(key))).collect();
    assert_eq!(vector["prefix"]["keys"], Value::from(keys));
}

fn bytes(value: &Value) -> Vec<u8> {
    let text = value.as_str().expect("hexadecimal");
    let digits = (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16));
    digits.collect::<Result<_, _>>().expect("hexadecimal")
}

fn array<const N: usize>(value: &Value) -> [u8; N] {
    bytes(value).try_into().expect("length")
}

/// Hash of the block at [`HEIGHTS`], after all validators have it.
fn run(seed: u64) -> [u8; 32] {
    let config = deterministic::Config::new()
        .with_seed(seed)
        .with_timeout(Some(Duration::from_secs(600)));
    deterministic::Runner::new(config).start(|context| async move {
        let nodes = start(&context, &world(VALIDATORS, 60), 1, HEARTBEAT).await;
        let mut found = Vec::new();
        for node in &nodes {
            while node.applied.height() < HEIGHTS {
                context.sleep(Duration::from_millis(100)).await;
            }
            let block = node
                .marshal
                .get_block(Height::new(HEIGHTS))
                .await
                .expect("applied");
            found.push(block.inner().header().hash());
            let operations = (1..=HEIGHTS).map(async |height| {
                let block = node
                    .marshal
                    .get_block(Height::new(height))
                    .await
                    .expect("applied");
                block.inner().operations().len()
            });
            let counts = futures::future::join_all(operations).await;
            assert_eq!(counts.iter().sum::<usize>(), 1, "the operation is ordered once");
        }
        assert!(found.iter().all(|hash| *hash == found[0]));
        found[0]
    })
}

/// Starts all validators of a network. The first gets operations for the first seats.
async fn start(
    context: &deterministic::Context,
    world: &World,
    operations: u16,
    heartbeat: Duration,
) -> Vec<Node> {
    let peers = link_keys(world);
    let oracle = network(context, &peers).await;
    let mut nodes = Vec::new();
    for index in 0..peers.len() {
        let node = launch(context, &oracle, world, index, heartbeat).await;
        for seat in (0..operations).filter(|_| index == 0) {
            let (operation, _) = world.publish(seat);
            let bytes = operation.bytes().to_vec();
            node.outbox.send(bytes).await.expect("gossip runs");
            node.pool.insert(operation, Origin::Local).expect("room");
        }
        nodes.push(node);
    }
    nodes
}

/// Starts one validator, with the stores it had before if it ran before.
pub(crate) async fn launch(
    context: &deterministic::Context,
    oracle: &Oracle<PublicKey, deterministic::Context>,
    world: &World,
    index: usize,
    heartbeat: Duration,
) -> Node {
    let config = world.config(index, Path::new(""));
    let identity = config.identity().expect("identity");
    let me = identity.link_key.public_key();
    let (pool, applied) = (Arc::new(Pool::new(64, 1 << 20)), Arc::new(Applied::new()));
    let (outbox, queue) = mpsc::channel(64);
    let mut setup = Setup::new(&config, identity, (pool.clone(), applied.clone()), queue);
    setup.prefix = prefix(index);
    let schemes = setup.schemes.clone();
    setup.heartbeat = heartbeat;
    let channels = channels(oracle, &me).await;
    let (peers, control) = (Peers(oracle.socket_manager()), oracle.control(me));
    let (started, running) = oneshot::channel();
    let child = context.child("validator").with_attribute("index", index);
    // Everything is below this task, so that ending it is a crash of the whole validator.
    let task = child.spawn(move |context| async move {
        let running = wiring::start(&context, setup, peers, control, channels).await;
        let _ = started.send((running.marshal, running.state));
        let ended = Handle::select(running.actors).await;
        panic!("an actor ended: {ended:?}");
    });
    let (marshal, state) = running.await.expect("the validator starts");
    Node {
        marshal,
        state,
        applied,
        pool,
        outbox,
        schemes,
        task,
    }
}

/// The link keys of all nodes.
pub(crate) fn link_keys(world: &World) -> Vec<PublicKey> {
    let nodes = 0..world.nodes();
    nodes
        .map(|index| PublicKey::decode(Copying(&world.link_key(index).0)).expect("a key"))
        .collect()
}

/// Where a validator's stores are.
pub(crate) fn prefix(index: usize) -> String {
    format!("validator-{index}")
}

pub(crate) async fn network(
    context: &deterministic::Context,
    peers: &[PublicKey],
) -> Oracle<PublicKey, deterministic::Context> {
    let config = Config {
        max_size: longest_message(),
        max_peers_per_set: NZUsize!(16),
        disconnect_on_block: true,
        tracked_peer_sets: NZUsize!(2),
    };
    let (network, oracle) = Network::new_with_peers(context.child("network"), config, peers.to_vec()).await;
    network.start();
    let link = Link {
        latency: Duration::from_millis(20),
        jitter: Duration::from_millis(5),
        success_rate: probability!(1.0),
    };
    for from in peers {
        for to in peers.iter().filter(|to| *to != from) {
            oracle
                .add_link(from.clone(), to.clone(), link.clone())
                .await
                .expect("link");
        }
    }
    oracle
}

pub(crate) type Out = commonware_p2p::simulated::Sender<PublicKey, deterministic::Context>;
pub(crate) type In = commonware_p2p::simulated::Receiver<PublicKey>;

pub(crate) async fn channels(
    oracle: &Oracle<PublicKey, deterministic::Context>,
    me: &PublicKey,
) -> Channels<Out, In> {
    let control = oracle.control(me.clone());
    let mut pairs: Vec<(Out, In)> = Vec::new();
    for (number, rate) in (0..).zip(RATES) {
        let rate = Quota::per_second(rate.try_into().expect("a rate"));
        pairs.push(control.register(number, rate).await.expect("channel"));
    }
    let mut pairs = pairs.into_iter();
    Channels::register(|_| pairs.next().expect("nine channels"))
}
