//! The task that follows the chain and indexes it.

use std::sync::Arc;

use realdid_crypto::Hash;
use realdid_engine::Engine;
use realdid_ledger::Charter;

use super::Index;
use crate::NodeError;
use crate::pending::Pending;

/// Indexes every final block in order, and tells those who wait. Returns only with a failure.
pub(crate) async fn follow(
    index: Index,
    engine: Engine,
    charter: Arc<Charter>,
    pending: Arc<Pending>,
) -> Result<(), NodeError> {
    let charter_hash: Hash = charter.hash();
    if index.height() > engine.status().height {
        tracing::warn!(
            index = index.height(),
            "the index is ahead of the blocks; it is rebuilt"
        );
        index.clear().await?;
    }
    let mut blocks = engine.subscribe_finalized(index.height() + 1).await?;
    while let Some(block) = blocks.recv().await {
        let added = index.add(&charter, &charter_hash, &block).await?;
        let height = block.header.height;
        for operation in &added {
            metrics::counter!("ledger_operations_total", "kind" => operation.kind).increment(1);
            if let Some(latency) = pending.finalized(&operation.hash, height) {
                metrics::histogram!("ledger_finality_seconds").record(latency.as_secs_f64());
            }
        }
        metrics::counter!("ledger_blocks_total").increment(1);
        if !added.is_empty() {
            tracing::info!(height, operations = added.len(), "block indexed");
        }
    }
    Err(NodeError::EngineEnded)
}
