//! Answers the node's questions, inside the engine's runtime.

use crate::{
    applied::Applied,
    engine::{FinalizedBlock, Proven, ProvenPrefix, Snapshot},
    error::EngineError,
    state::{StateSet, StoreError, Tree},
    wiring::{Marshal, Runtime},
};
use commonware_codec::Encode as _;
use commonware_consensus::types::Height;
use commonware_runtime::Handle;
use realdid_ledger::{Block, FinalityProof, Header, MAX_PROOF_HEADERS, StateKey, prefix_range};
use std::{sync::Arc, time::Duration};
use tokio::sync::{mpsc, oneshot};

/// How often a state without a certificate yet is looked at again, and how many times.
const PATIENCE: (Duration, usize) = (Duration::from_millis(20), 100);

type Reply<T> = oneshot::Sender<Result<T, EngineError>>;

/// A question to the engine.
pub(crate) enum Request {
    Block(u64, Reply<Option<Block>>),
    Finalized(u64, Reply<Option<FinalizedBlock>>),
    Prove(Vec<StateKey>, Reply<Proven>),
    ProvePrefix(StateKey, u8, usize, Reply<ProvenPrefix>),
    Read(Vec<StateKey>, Reply<Snapshot>),
    Subscribe(u64, mpsc::Sender<Arc<FinalizedBlock>>),
    Metrics(Reply<String>),
}

/// What answers need.
pub(crate) struct Service<E: Runtime> {
    marshal: Marshal,
    state: StateSet<E>,
    applied: Arc<Applied>,
}

impl<E: Runtime> Clone for Service<E> {
    fn clone(&self) -> Self {
        Self {
            marshal: self.marshal.clone(),
            state: self.state.clone(),
            applied: self.applied.clone(),
        }
    }
}

impl<E: Runtime> Service<E> {
    /// Finds out which block the state is at, so that answers can be given before the next one.
    pub(crate) async fn open(marshal: Marshal, state: StateSet<E>, applied: Arc<Applied>) -> Self {
        let service = Self {
            marshal,
            state,
            applied,
        };
        let root = service.state.read().await.root().0;
        let mut height = match service.marshal.get_processed().await {
            Some(processed) => processed.height().get(),
            None => 0,
        };
        // The state may be ahead of the height that was acknowledged last, by the blocks that were
        // being acknowledged.
        while let Some(block) = service.block(height).await {
            if block.header.state_log.root == root {
                service.applied.expect(&block.header);
                service.applied.advance(&block.header);
                break;
            }
            height += 1;
        }
        service
    }

    /// Answers requests until the engine's handles are gone, each on a task of its own.
    pub(crate) fn run(self, context: E, mut requests: mpsc::Receiver<Request>) -> Handle<()> {
        context.spawn(move |context| async move {
            while let Some(request) = requests.recv().await {
                let service = self.clone();
                context
                    .child("request")
                    .spawn(move |context| service.answer(context, request));
            }
            // Without handles nobody asks, but the validator goes on until it is stopped.
            std::future::pending::<()>().await;
        })
    }

    async fn answer(self, context: E, request: Request) {
        // An answer that nobody waits for any more is dropped.
        match request {
            Request::Block(height, reply) => drop(reply.send(Ok(self.block(height).await))),
            Request::Finalized(height, reply) => drop(reply.send(self.final_block(height).await)),
            Request::Prove(keys, reply) => drop(reply.send(self.prove(&context, &keys).await)),
            Request::ProvePrefix(prefix, bits, max, reply) => {
                drop(reply.send(self.prove_prefix(&context, prefix, bits, max).await));
            }
            Request::Read(keys, reply) => drop(reply.send(self.read(&context, &keys).await)),
            Request::Subscribe(from, blocks) => self.publish(&context, from, blocks).await,
            Request::Metrics(reply) => drop(reply.send(Ok(context.encode()))),
        }
    }

    async fn block(&self, height: u64) -> Option<Block> {
        let block = self.marshal.get_block(Height::new(height)).await?;
        Some(Block {
            header: block.inner().header().clone(),
            operations: block.inner().operations().to_vec(),
        })
    }

    /// The final block of a height with its proof. `None` above the newest applied height, for
    /// genesis, and while no certificate is there.
    pub(crate) async fn final_block(&self, height: u64) -> Result<Option<FinalizedBlock>, EngineError> {
        if height == 0 || height > self.applied.height() {
            return Ok(None);
        }
        let Some(block) = self.block(height).await else {
            return Ok(None);
        };
        let header = block.header;
        let finality = self.finality(header.clone()).await?;
        Ok(finality.map(|finality| FinalizedBlock {
            header,
            operations: block.operations,
            finality,
        }))
    }

    /// The certificate of `header`, or of the nearest descendant with the headers between. `None` for genesis,
    /// whose time is no time that anybody would take for new: whoever asks waits for the first block.
    async fn finality(&self, header: Header) -> Result<Option<FinalityProof>, EngineError> {
        let first = header.height;
        if first == 0 {
            return Ok(None);
        }
        let mut headers = vec![header];
        for height in first.. {
            if let Some(finalization) = self.marshal.get_finalization(Height::new(height)).await {
                let certificate = finalization.encode().to_vec();
                return Ok(Some(FinalityProof { headers, certificate }));
            }
            if headers.len() == MAX_PROOF_HEADERS {
                break;
            }
            let Some(next) = self.block(height + 1).await else {
                break;
            };
            headers.push(next.header);
        }
        Ok(None)
    }

    /// Sends every final block from a height on, in order and without gaps, with its proof.
    async fn publish(&self, clock: &E, from: u64, blocks: mpsc::Sender<Arc<FinalizedBlock>>) {
        let mut tip = self.applied.watch();
        let mut next = from.max(1);
        loop {
            let reached = tokio::select! {
                biased;
                () = blocks.closed() => return,
                reached = tip.wait_for(|tip| tip.height >= next) => reached.is_ok(),
            };
            if !reached {
                return;
            }
            match self.final_block(next).await {
                Ok(Some(block)) => {
                    if blocks.send(Arc::new(block)).await.is_err() {
                        return;
                    }
                    next += 1;
                }
                // The certificate is on its way: see the module `wiring`.
                Ok(None) | Err(_) => clock.sleep(PATIENCE.0).await,
            }
        }
    }

    /// Values and block of the newest state.
    pub(crate) async fn read(&self, clock: &E, keys: &[StateKey]) -> Result<Snapshot, EngineError> {
        for _ in 0..PATIENCE.1 {
            let state = self.state.read().await;
            if let Some(header) = self.applied.header_of(&state.root().0) {
                let mut tree = Tree::open(&*state).await.map_err(storage)?;
                let values = tree.values(keys).await.map_err(storage)?;
                return Ok(Snapshot {
                    height: header.height,
                    time_ms: header.time_ms,
                    values,
                });
            }
            drop(state);
            clock.sleep(PATIENCE.0).await;
        }
        Err(EngineError::NotReady)
    }

    pub(crate) async fn prove(&self, clock: &E, keys: &[StateKey]) -> Result<Proven, EngineError> {
        for _ in 0..PATIENCE.1 {
            let state = self.state.read().await;
            if let Some(header) = self.applied.header_of(&state.root().0) {
                let mut tree = Tree::open(&*state).await.map_err(storage)?;
                let mut proofs = Vec::with_capacity(keys.len());
                for key in keys {
                    proofs.push(tree.prove(key).await.map_err(storage)?);
                }
                // The state goes on while the certificate is fetched.
                drop(state);
                if let Some(finality) = self.finality(header).await? {
                    return Ok(Proven { finality, proofs });
                }
            } else {
                drop(state);
            }
            clock.sleep(PATIENCE.0).await;
        }
        Err(EngineError::NotReady)
    }

    pub(crate) async fn prove_prefix(
        &self,
        clock: &E,
        prefix: StateKey,
        bits: u8,
        max: usize,
    ) -> Result<ProvenPrefix, EngineError> {
        let (lowest, _) = prefix_range(&prefix, bits).map_err(|_| EngineError::Prefix)?;
        for _ in 0..PATIENCE.1 {
            let state = self.state.read().await;
            if let Some(header) = self.applied.header_of(&state.root().0) {
                let mut tree = Tree::open(&*state).await.map_err(storage)?;
                let proof = tree.prove_prefix(&lowest, bits, max).await.map_err(storage)?;
                let proof = proof.ok_or(EngineError::PrefixTooWide { max })?;
                drop(state);
                if let Some(finality) = self.finality(header).await? {
                    return Ok(ProvenPrefix { finality, proof });
                }
            } else {
                drop(state);
            }
            clock.sleep(PATIENCE.0).await;
        }
        Err(EngineError::NotReady)
    }
}

fn storage(_: StoreError) -> EngineError {
    EngineError::Storage
}
