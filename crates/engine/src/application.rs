//! Executes blocks: the ledger's rules between consensus and the state's store.
//!
//! The engine executes a block speculatively, before it is final, on batches forked from its
//! parent's state. Everything here is a function of the block, its ancestry and those batches; the
//! clock is read only where a block is proposed (see [`pacing`](crate::pacing) for the rule about
//! other validators' clocks).

use crate::{
    applied::Applied,
    block::{self, EngineBlock, RoundContext, SyncTarget, content_hash},
    directory::Directory,
    pool::{Content, Pool},
    record,
    state::{Merkleized, StateSet, StoreError, Tree, Unmerkleized, Update},
    wiring::{Runtime, Scheme},
};
use commonware_consensus::{Heightable as _, marshal::ancestry::Ancestry};
use commonware_cryptography::{
    Digestible as _, bls12381::primitives::variant::MinSig, ed25519::PrivateKey, sha256::Digest,
};
use commonware_glue::{
    dkg::reshare,
    stateful::{
        Application, Finality, Input, Proposed,
        db::{DatabaseSet, Merkleized as _, Unmerkleized as _},
    },
};
use commonware_runtime::Clock;
use commonware_utils::SystemTimeExt as _;
use futures::StreamExt as _;
use realdid_checks::passes;
use realdid_crypto::Hash;
use realdid_ledger::{
    Block, BlockContext, Charter, CheckedOperation, Header, State, StateKey, StateLog, StateValue, check,
    execute, genesis_state, operations_root, state_key,
};
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::Arc,
};
use tracing::debug;

/// Most ancestors a proposer looks through for operations that are not final yet.
const MAX_PENDING_ANCESTORS: usize = 64;

/// What a proposer may put into a block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BlockLimits {
    pub(crate) operations: usize,
    pub(crate) bytes: usize,
}

/// The ledger as the engine's application. Clones share everything.
#[derive(Clone)]
pub(crate) struct Ledger {
    shared: Arc<Shared>,
}

struct Shared {
    genesis: EngineBlock,
    charter: Charter,
    charter_hash: Hash,
    pool: Arc<Pool>,
    applied: Arc<Applied>,
    limits: BlockLimits,
}

/// The state after a block, and what its header has to say about it.
struct Outcome<E: Runtime> {
    merkleized: Merkleized<E>,
    state_root: [u8; 32],
    epoch: u64,
}

impl<E: Runtime> Outcome<E> {
    fn state_log(&self) -> StateLog {
        StateLog {
            root: self.merkleized.root().0,
            start: *self.merkleized.bounds().inactivity_floor,
            end: *self.merkleized.bounds().tip.size,
        }
    }
}

impl Ledger {
    pub(crate) fn new(
        charter: Charter,
        genesis: EngineBlock,
        pool: Arc<Pool>,
        applied: Arc<Applied>,
        limits: BlockLimits,
    ) -> Self {
        let charter_hash = charter.hash();
        Self {
            shared: Arc::new(Shared {
                genesis,
                charter,
                charter_hash,
                pool,
                applied,
                limits,
            }),
        }
    }

    /// Loads what operations may touch out of the parent's state. Block 1 finds the genesis state.
    async fn load<E: Runtime>(
        &self,
        context: &BlockContext,
        batch: &Unmerkleized<E>,
        operations: &[Arc<CheckedOperation>],
    ) -> Option<State> {
        let mut keys = BTreeSet::from([state_key::parameters()]);
        keys.extend(operations.iter().flat_map(|operation| operation.keys()));
        let keys: Vec<_> = keys.into_iter().collect();
        let mut tree = unless_stale(Tree::open(batch).await)?;
        let found = unless_stale(tree.values(&keys).await)?;
        let mut state = State::new();
        for (key, value) in keys.into_iter().zip(found) {
            state.load(key, value);
        }
        for (key, value) in self.founding_state(context) {
            state.load(key, Some(value));
        }
        Some(state)
    }

    /// What block 1 finds besides its parent's state, which is empty.
    fn founding_state(&self, context: &BlockContext) -> Vec<(StateKey, StateValue)> {
        if context.height == 1 {
            genesis_state(&self.shared.charter)
        } else {
            Vec::new()
        }
    }

    /// Writes an executed state into the batch and computes the roots.
    async fn seal<E: Runtime>(
        &self,
        context: &BlockContext,
        mut batch: Unmerkleized<E>,
        state: &State,
    ) -> Option<Outcome<E>> {
        let mut writes: BTreeMap<_, _> = self.founding_state(context).into_iter().collect();
        writes.extend(state.writes().map(|(key, value)| (*key, *value)));
        let epoch = state.epoch(&self.shared.charter, context.time_ms).ok()?;
        let writes: Vec<_> = writes.into_iter().collect();
        let update = unless_stale(Update::of(&batch, &writes).await)?;
        let state_root = update.root;
        for item in update.items {
            batch = batch.append(item);
        }
        let batch = batch
            .with_metadata(update.root_item)
            .with_inactivity_floor(update.floor);
        let merkleized = unless_stale(batch.merkleize().await)?;
        Some(Outcome {
            merkleized,
            state_root,
            epoch,
        })
    }

    /// Executes a whole block. `None` if it is invalid or stale.
    async fn run<E: Runtime>(&self, block: &EngineBlock, batch: Unmerkleized<E>) -> Option<Outcome<E>> {
        let Shared {
            charter,
            charter_hash,
            ..
        } = &*self.shared;
        let header = block.header();
        let context = BlockContext {
            height: header.height,
            time_ms: header.time_ms,
        };
        let bytes = record::behind(block.operations())?;
        let operations: Vec<_> = bytes.iter().map_while(|op| self.checked(op)).collect();
        if !passes("ENG-05", operations.len() == bytes.len()) {
            return None;
        }
        let mut state = self.load(&context, &batch, &operations).await?;
        for operation in &operations {
            if let Err(refusal) = execute(charter, charter_hash, &context, operation, &mut state)
                && !passes("ENG-06", false)
            {
                debug!(height = context.height, code = refusal.code(), "block refused");
                return None;
            }
        }
        self.seal(&context, batch, &state).await
    }

    /// The checks of an operation that need no state, unless the pool has done them.
    fn checked(&self, operation: &[u8]) -> Option<Arc<CheckedOperation>> {
        let Shared {
            charter,
            charter_hash,
            pool,
            ..
        } = &*self.shared;
        pool.get(&content_hash(operation))
            .or_else(|| check(charter, charter_hash, operation).ok().map(Arc::new))
    }

    /// Operations for the next block: the record if there has to be one, and the oldest of the pool
    /// that can be executed on the parent.
    async fn choose<E: Runtime>(
        &self,
        context: &BlockContext,
        batch: &Unmerkleized<E>,
        pending: &HashSet<Content>,
        record: Option<Vec<u8>>,
    ) -> Option<(Vec<Vec<u8>>, State)> {
        let Shared {
            charter,
            charter_hash,
            pool,
            limits,
            ..
        } = &*self.shared;
        let (count, bytes) = record.as_ref().map_or((0, 0), |record| (1, record.len()));
        let room = (limits.operations - count, limits.bytes.saturating_sub(bytes));
        let offered = pool.oldest(room.0, room.1, pending);
        let (contents, operations): (Vec<_>, Vec<_>) = offered.into_iter().unzip();
        let mut state = self.load(context, batch, &operations).await?;
        let mut chosen = Vec::with_capacity(count + operations.len());
        chosen.extend(record);
        let mut proposed = Vec::with_capacity(operations.len());
        for (content, operation) in contents.into_iter().zip(operations) {
            match execute(charter, charter_hash, context, &operation, &mut state) {
                Ok(()) => {
                    proposed.push(content);
                    chosen.push(operation.bytes().to_vec());
                }
                Err(refusal) => pool.refuse(&content, refusal.code()),
            }
        }
        pool.proposed(context.height, proposed);
        Some((chosen, state))
    }

    /// Operations of ancestors that are not applied yet: they wait in the pool, but are spoken for.
    async fn pending(&self, mut ancestry: impl Ancestry<EngineBlock>) -> HashSet<Content> {
        let applied = self.shared.applied.height();
        let mut contents = HashSet::new();
        for _ in 0..MAX_PENDING_ANCESTORS {
            // Looking before taking the next one spares fetching a parent that is applied.
            if ancestry
                .peek()
                .is_some_and(|block| block.height().get() <= applied)
            {
                break;
            }
            let Some(block) = ancestry.next().await.filter(|b| b.height().get() > applied) else {
                break;
            };
            contents.extend(block.inner().operations().iter().map(|op| content_hash(op)));
        }
        contents
    }

    /// The rules about a header that the charter, its parent and its round decide.
    fn check_header(&self, header: &Header, context: &RoundContext, parent: &Header) -> Option<()> {
        let demand = |holds: bool| holds.then_some(());
        let next = Some(header.height) == parent.height.checked_add(1);
        let asked_for = header.round == block::round(context);
        demand(passes("ENG-01", header.charter == self.shared.charter_hash.0))?;
        demand(passes("ENG-02", next && header.parent == parent.hash()))?;
        demand(passes("ENG-03", header.time_ms > parent.time_ms))?;
        demand(passes(
            "ENG-04",
            asked_for && context.parent.1 == Digest(header.parent),
        ))
    }

    /// What executing a block has to give, as its header says.
    fn check_outcome<E: Runtime>(header: &Header, outcome: &Outcome<E>) -> Option<()> {
        let demand = |holds: bool| holds.then_some(());
        demand(passes("ENG-07", outcome.epoch == header.epoch))?;
        // The engine itself compares the log only, not the root that proofs lead to.
        demand(passes("ENG-08", outcome.state_root == header.state_root))?;
        demand(passes("ENG-09", outcome.state_log() == header.state_log))
    }
}

/// The value, or `None` if another branch became final meanwhile and the batch is stale.
///
/// # Panics
///
/// If the store failed: a validator that cannot read its state must not judge blocks.
fn unless_stale<T>(result: Result<T, StoreError>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(StoreError::StaleRead | StoreError::StaleBatch) => None,
        Err(error) => panic!("the state's store failed: {error}"),
    }
}

impl<E: Runtime> Application<E> for Ledger {
    type SigningScheme = Scheme;
    type Context = RoundContext;
    type Block = EngineBlock;
    type Databases = StateSet<E>;
    type Captured = ();
    type Provider = ();
    type Input = reshare::Input<(), MinSig, PrivateKey, Directory>;

    fn sync_targets(block: &EngineBlock) -> SyncTarget {
        block.sync_target()
    }

    async fn genesis(&mut self) -> EngineBlock {
        self.shared.genesis.clone()
    }

    async fn propose(
        &mut self,
        (runtime, context): (E, RoundContext),
        mut ancestry: impl Ancestry<EngineBlock>,
        batches: <StateSet<E> as DatabaseSet<E>>::Unmerkleized,
        input: Input<Self::Input, ()>,
    ) -> Option<Proposed<Self, E>> {
        let walk = ancestry.clone();
        let parent = ancestry.next().await?;
        let before = parent.inner().header();
        let block_context = BlockContext {
            height: before.height.checked_add(1)?,
            time_ms: now_ms(&runtime).max(before.time_ms.checked_add(1)?),
        };
        let pending = self.pending(walk).await;
        let record = input.upstream.payload.as_ref().map(record::encode);
        let chosen = self.choose(&block_context, &batches, &pending, record).await?;
        let (operations, state) = chosen;
        let outcome = self.seal(&block_context, batches, &state).await?;
        let header = Header {
            charter: self.shared.charter_hash.0,
            height: block_context.height,
            time_ms: block_context.time_ms,
            epoch: outcome.epoch,
            parent: parent.digest().0,
            operations_root: operations_root(&operations),
            state_root: outcome.state_root,
            state_log: outcome.state_log(),
            round: block::round(&context),
        };
        Some(Proposed {
            block: EngineBlock::new(Block { header, operations }, &context),
            merkleized: outcome.merkleized,
        })
    }

    async fn process(
        &mut self,
        (_, context): (E, RoundContext),
        mut ancestry: impl Ancestry<EngineBlock>,
        batches: <StateSet<E> as DatabaseSet<E>>::Unmerkleized,
        finality: Finality,
    ) -> Option<<StateSet<E> as DatabaseSet<E>>::Merkleized> {
        let proposal = ancestry.next().await?;
        let header = proposal.inner().header();
        if finality == Finality::Candidate {
            let parent = ancestry.next().await?;
            self.check_header(header, &context, parent.inner().header())?;
        }
        // The operations root was checked when the block was decoded.
        let outcome = self.run(proposal.inner(), batches).await?;
        Self::check_outcome(header, &outcome)?;
        let contents = proposal.inner().operations().iter().map(|op| content_hash(op));
        self.shared.pool.proposed(header.height, contents);
        Some(outcome.merkleized)
    }

    async fn capture(
        &mut self,
        _context: (E, RoundContext),
        block: &EngineBlock,
        _batches: &<StateSet<E> as DatabaseSet<E>>::Merkleized,
        _readers: <StateSet<E> as DatabaseSet<E>>::Readers,
    ) {
        // Known before the state changes, so that a reader finds the header of any state it sees.
        self.shared.applied.expect(block.header());
    }

    async fn finalized(
        &mut self,
        _context: (E, RoundContext),
        block: &EngineBlock,
        _captured: (),
        _readers: <StateSet<E> as DatabaseSet<E>>::Readers,
    ) {
        let contents = block.operations().iter().map(|op| content_hash(op));
        self.shared.pool.finalized(block.header().height, contents);
        self.shared.applied.advance(block.header());
    }
}

/// The engine's clock in milliseconds since the Unix epoch.
pub(crate) fn now_ms(clock: &impl Clock) -> u64 {
    u64::try_from(clock.current().epoch().as_millis()).unwrap_or(u64::MAX)
}
