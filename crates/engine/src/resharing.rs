//! Committees that hand the network key on, on the deterministic runtime and the simulated network.

use crate::{
    directory::Directory,
    record::{EpochRecord, Record},
    secrets::Secrets,
    service::Service,
    simulated::{Node, launch, link_keys, network, prefix},
    support::{World, world},
};
use commonware_codec::Encode as _;
use commonware_consensus::types::{Epoch, Height};
use commonware_cryptography::ed25519::PublicKey;
use commonware_glue::dkg::{
    ReshareBlock as _, SecretStore as _, network::Directory as _, types::EpochOutcome,
};
use commonware_p2p::simulated::Oracle;
use commonware_runtime::{Clock as _, Runner as _, Storage as _, Supervisor as _, deterministic};
use realdid_ledger::Committees;
use std::{sync::Arc, thread, time::Duration};

const EPOCH: u64 = 20;
const HEARTBEAT: Duration = Duration::from_millis(100);

/// Runs a test on a stack that the actors' futures fit on.
fn simulate<F: Future<Output = ()> + 'static>(seed: u64, test: fn(deterministic::Context) -> F) {
    let run = move || {
        let config = deterministic::Config::new()
            .with_seed(seed)
            .with_timeout(Some(Duration::from_secs(3_600)));
        deterministic::Runner::new(config).start(test);
    };
    let thread = thread::Builder::new().stack_size(256 << 20).spawn(run);
    thread.expect("thread").join().expect("the simulation holds");
}

/// Validators of one network, each running or not.
struct Network {
    context: deterministic::Context,
    world: World,
    oracle: Oracle<PublicKey, deterministic::Context>,
    nodes: Vec<Option<Node>>,
}

impl Network {
    async fn start(context: deterministic::Context, mut world: World) -> Self {
        world.charter.committees = Committees {
            epoch_blocks: EPOCH,
            max_validators: 5,
        };
        let keys = link_keys(&world);
        let oracle = network(&context, &keys).await;
        let mut network = Self {
            context,
            oracle,
            nodes: keys.iter().map(|_| None).collect(),
            world,
        };
        for index in 0..keys.len() {
            network.launch(index).await;
        }
        network
    }

    async fn launch(&mut self, index: usize) {
        let node = launch(&self.context, &self.oracle, &self.world, index, HEARTBEAT).await;
        self.nodes[index] = Some(node);
    }

    /// Ends a validator without a warning.
    async fn kill(&mut self, index: usize) {
        let node = self.nodes[index].take().expect("it runs");
        node.task.abort();
        let _ = node.task.await;
        // Until its tasks have let go of the stores.
        self.context.sleep(Duration::from_secs(1)).await;
    }

    fn node(&self, index: usize) -> &Node {
        self.nodes[index].as_ref().expect("it runs")
    }

    async fn reach(&self, index: usize, height: u64) {
        let applied: &Arc<_> = &self.node(index).applied;
        while applied.height() < height {
            self.context.sleep(Duration::from_millis(100)).await;
        }
    }

    /// What the last block of the epoch before said about an epoch.
    async fn record(&self, index: usize, epoch: u64) -> EpochRecord {
        let height = Height::new((epoch * EPOCH).saturating_sub(1));
        let block = self.node(index).marshal.get_block(height).await.expect("a block");
        match block.inner().payload() {
            Some(Record::EpochInfo(record)) => record,
            _ => panic!("no record of epoch {epoch}"),
        }
    }

    /// That the network key certifies each of these blocks, as a light client checks it.
    async fn certified(&self, index: usize, heights: impl Iterator<Item = u64>) {
        let node = self.node(index);
        let state = node.state.subscribe_databases().await;
        let service = Service::open(node.marshal.clone(), state, node.applied.clone()).await;
        let charter = self.world.charter.hash();
        for height in heights {
            let block = service
                .final_block(height)
                .await
                .expect("an answer")
                .expect("final");
            let proven = block.finality.verify(charter.as_bytes(), &self.world.network_key);
            assert_eq!(proven.expect("certified").header().height, height);
        }
    }
}

/// Four validators deal new shares in each epoch. One crashes and comes back two epochs later, then
/// all crash at once. The network key stays.
#[test]
fn shares_change_and_the_key_stays() {
    simulate(11, |context| async move {
        let mut network = Network::start(context, world(4, 100)).await;
        network.reach(0, 2 * EPOCH + 5).await;
        network.kill(3).await;
        network.reach(0, 4 * EPOCH + 5).await;
        network.launch(3).await;
        network.reach(3, 6 * EPOCH + 5).await;
        for index in 0..4 {
            network.kill(index).await;
        }
        for index in 0..4 {
            network.launch(index).await;
        }
        for index in 0..4 {
            network.reach(index, 9 * EPOCH + 1).await;
        }
        for index in [0, 3] {
            let mut before = network.record(index, 0).await;
            for epoch in 1..=9 {
                let record = network.record(index, epoch).await;
                assert_eq!(record.outcome, EpochOutcome::Success, "epoch {epoch}");
                let (public, old) = (record.output.public(), before.output.public());
                assert_eq!(public.public(), old.public(), "the key of epoch {epoch}");
                assert_eq!(public.public().encode(), network.world.network_key.as_slice());
                assert_ne!(public, old, "new shares in epoch {epoch}");
                assert_eq!(record.players, before.players);
                assert!(Directory::matches(&record.directory, &record.players));
                before = record;
            }
            network.certified(index, 1..=9 * EPOCH).await;
        }
        // Who was there for the whole of an epoch has a share that nobody else knows.
        let last = network.record(0, 9).await;
        assert!(last.output.revealed().is_empty());
        for index in 0..4 {
            let secrets = network.context.child("look");
            let mut secrets = Secrets::new(secrets, &prefix(index));
            assert!(secrets.get_share(Epoch::new(9)).await.is_some());
            for epoch in 0..8 {
                assert_eq!(
                    secrets.get_share(Epoch::new(epoch)).await,
                    None,
                    "epoch {epoch} is erased"
                );
                let votes = format!("{}_consensus_{epoch}", prefix(index));
                let votes = network.context.scan(&votes).await;
                assert!(votes.is_err(), "the votes of epoch {epoch} are removed");
            }
        }
    });
}
