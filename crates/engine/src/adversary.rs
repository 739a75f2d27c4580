//! A proposer that breaks one rule at a time, and what a validator says.

use crate::{
    application::{BlockLimits, Ledger},
    applied::Applied,
    block::{EngineBlock, RoundContext, key_bytes},
    pool::{Origin, Pool},
    record::{self, Record},
    state::{self, StateDb, StateSet},
    support::{SEATS, World, world},
};
use commonware_consensus::{
    marshal::ancestry::Ancestry,
    types::{Epoch, Round, View},
};
use commonware_cryptography::{Digested, Digestible as _, Signer as _, ed25519::PrivateKey};
use commonware_glue::{
    dkg::reshare,
    stateful::{Application, Finality, Input, db::DatabaseSet},
};
use commonware_runtime::{
    Runner as _, Supervisor as _,
    buffer::paged::{CacheRef, page_size},
    deterministic::{self, Context},
};
use commonware_utils::NZUsize;
use futures::Stream;
use realdid_ledger::{Block, operations_root};
use std::{
    collections::VecDeque,
    pin::Pin,
    sync::Arc,
    task::{Context as TaskContext, Poll},
};

/// Blocks as they are, even if they do not follow each other.
#[derive(Clone)]
struct Blocks(VecDeque<Digested<EngineBlock>>);

impl Stream for Blocks {
    type Item = Digested<EngineBlock>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut TaskContext<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.pop_front())
    }
}

impl Ancestry<EngineBlock> for Blocks {
    fn peek(&self) -> Option<&Digested<EngineBlock>> {
        self.0.front()
    }
}

fn blocks<const N: usize>(blocks: [&EngineBlock; N]) -> Blocks {
    Blocks(
        blocks
            .into_iter()
            .map(|block| Digested::precomputed(block.clone(), block.digest()))
            .collect(),
    )
}

/// A validator at genesis.
struct Validator {
    context: Context,
    world: World,
    ledger: Ledger,
    genesis: EngineBlock,
    state: StateSet<Context>,
    round: RoundContext,
}

impl Validator {
    async fn new(context: Context) -> Self {
        let world = world(1, 90);
        let cache = CacheRef::new(const { page_size(4_096) }, NZUsize!(64));
        let config = state::config("judge", cache);
        let state = StateDb::init(context.child("state"), config, None)
            .await
            .expect("store");
        let state = StateSet::new("judge", state);
        let target = <StateSet<Context> as DatabaseSet<Context>>::initial_sync_targets();
        let epoch = record::genesis(&world.charter).expect("a charter");
        let genesis = EngineBlock::genesis(world.charter.hash().0, &target, epoch);
        let pool = Arc::new(Pool::new(8, 1 << 20));
        pool.insert(world.publish(0).0, Origin::Local).expect("room");
        let limits = BlockLimits {
            operations: 8,
            bytes: 1 << 20,
        };
        let applied = Arc::new(Applied::new());
        let ledger = Ledger::new(world.charter.clone(), genesis.clone(), pool, applied, limits);
        let round = RoundContext {
            round: Round::new(Epoch::zero(), View::new(1)),
            leader: PrivateKey::from_seed(9).public_key(),
            parent: (View::zero(), genesis.digest()),
        };
        Self {
            context,
            world,
            ledger,
            genesis,
            state,
            round,
        }
    }

    /// An honest block on genesis, with one operation.
    async fn propose(&mut self) -> Block {
        let batches = <StateSet<Context> as DatabaseSet<Context>>::new_batches(&self.state).await;
        let context = (self.context.child("propose"), self.round.clone());
        let upstream = reshare::Input {
            upstream: (),
            payload: None,
        };
        let input = Input {
            upstream,
            provider: (),
        };
        let proposed = self
            .ledger
            .propose(context, blocks([&self.genesis]), batches, input)
            .await;
        let block = proposed.expect("an honest block").block;
        assert_eq!(block.operations().len(), 1);
        Block {
            header: block.header().clone(),
            operations: block.operations().to_vec(),
        }
    }

    /// Whether the validator accepts the block.
    async fn accepts(&mut self, block: &Block) -> bool {
        let genesis = self.genesis.clone();
        self.accepts_on(&genesis, block).await
    }

    /// Whether the validator accepts the block on top of this one.
    async fn accepts_on(&mut self, parent: &EngineBlock, block: &Block) -> bool {
        let block = EngineBlock::new(block.clone(), &self.round);
        let batches = <StateSet<Context> as DatabaseSet<Context>>::new_batches(&self.state).await;
        let context = (self.context.child("process"), self.round.clone());
        let ancestry = blocks([&block, parent]);
        let outcome = self
            .ledger
            .process(context, ancestry, batches, Finality::Candidate)
            .await;
        outcome.is_some()
    }
}

/// Checks that a block with this change is refused, and that the untouched block passes.
fn refused(change: impl FnOnce(&mut Block, &World) + Send + 'static) {
    deterministic::Runner::default().start(|context| async move {
        let mut validator = Validator::new(context).await;
        let honest = validator.propose().await;
        let mut changed = honest.clone();
        change(&mut changed, &validator.world);
        assert_ne!(changed, honest);
        assert!(!validator.accepts(&changed).await);
        assert!(validator.accepts(&honest).await);
    });
}

fn with_operations(block: &mut Block, operations: Vec<Vec<u8>>) {
    block.header.operations_root = operations_root(&operations);
    block.operations = operations;
}

// test: ENG-01
#[test]
fn another_charter() {
    refused(|block, _| block.header.charter[0] ^= 1);
}

#[test]
fn another_height_or_parent() {
    refused(|block, _| block.header.height += 1);
    refused(|block, _| block.header.parent[0] ^= 1);
}

// test: ENG-02
#[test]
fn on_another_block_than_it_names() {
    deterministic::Runner::default().start(|context| async move {
        let mut validator = Validator::new(context).await;
        let honest = validator.propose().await;
        let mut header = validator.genesis.header().clone();
        header.epoch += 1;
        let other = Block {
            header,
            operations: Vec::new(),
        };
        let other = EngineBlock::new(other, &validator.round);
        assert!(!validator.accepts_on(&other, &honest).await);
        assert!(validator.accepts(&honest).await);
    });
}

// test: ENG-03
#[test]
fn no_later_than_the_parent() {
    refused(|block, _| block.header.time_ms = 0);
}

// test: ENG-04
#[test]
fn another_round() {
    refused(|block, _| block.header.round.view += 1);
    refused(|block, _| block.header.round.epoch += 1);
    refused(|block, _| block.header.round.parent_view += 1);
    refused(|block, _| {
        block.header.round.leader = key_bytes(&PrivateKey::from_seed(10).public_key());
    });
}

// test: ENG-05
#[test]
fn an_operation_with_a_wrong_signature() {
    refused(|block, _| {
        // Beside the good one, so that what it would change in the state is no reason to refuse.
        let mut forged = block.operations[0].clone();
        if let Some(byte) = forged.last_mut() {
            *byte ^= 1;
        }
        with_operations(block, vec![block.operations[0].clone(), forged]);
    });
}

// test: ENG-06
#[test]
fn an_operation_that_the_state_does_not_allow() {
    refused(|block, world| {
        let unknown_seat = world.publish(SEATS).0.bytes().to_vec();
        with_operations(block, vec![block.operations[0].clone(), unknown_seat]);
    });
    refused(|block, _| {
        let twice = vec![block.operations[0].clone(), block.operations[0].clone()];
        with_operations(block, twice);
    });
}

// test: ENG-11
#[test]
fn a_record_that_is_none_or_not_first() {
    let record =
        |world: &World| record::encode(&Record::EpochInfo(record::genesis(&world.charter).expect("one")));
    refused(move |block, world| {
        let operations = vec![block.operations[0].clone(), record(world)];
        with_operations(block, operations);
    });
    refused(move |block, world| {
        let mut longer = record(world);
        longer.push(0);
        with_operations(block, vec![longer, block.operations[0].clone()]);
    });
}

// test: ENG-07
#[test]
fn another_token_epoch() {
    refused(|block, _| block.header.epoch += 1);
}

// test: ENG-08
#[test]
fn another_state_root() {
    refused(|block, _| block.header.state_root[31] ^= 1);
    refused(|block, _| with_operations(block, Vec::new()));
}

// test: ENG-09
#[test]
fn another_state_log() {
    refused(|block, _| block.header.state_log.root[0] ^= 1);
    refused(|block, _| block.header.state_log.end += 1);
}
