//! How a node and its ledger are.

use realdid_client::NodeClient;
use realdid_ledger::TrustAnchor;
use serde_json::Value;

use crate::args::StatusCommand;
use crate::block_on;
use crate::failure::Outcome;
use crate::output::Output;

/// Asks the node. What it says is a claim; only proofs are believed, and this shows none.
pub fn run(command: &StatusCommand, output: Output) -> Outcome<()> {
    let status: Value = block_on(async {
        let charter = NodeClient::unverified_charter(&command.node).await?;
        NodeClient::new(&command.node, TrustAnchor::of(&charter))?
            .status()
            .await
    })??;
    let lines = status
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| match value {
            Value::String(text) => format!("{name:<20} {text}"),
            value => format!("{name:<20} {value}"),
        });
    output.result(lines.collect::<Vec<_>>().join("\n"), &status);
    Ok(())
}
