//! The document of a DID: proved with a charter, else as the node says.

use realdid_client::{NodeClient, Resolved};
use realdid_did::ParsedDid;
use realdid_ledger::TrustAnchor;
use serde_json::{Value, json};

use crate::args::ResolveCommand;
use crate::block_on;
use crate::failure::{Failure, Outcome};
use crate::output::Output;
use crate::vault::write_private;
use crate::wallet::read_charter;

/// Oldest state that is believed, in seconds.
const MAX_AGE: u64 = 300;

/// Resolves a DID.
pub fn run(command: &ResolveCommand, output: Output) -> Outcome<()> {
    let did = ParsedDid::parse(&command.did);
    let did = did.map_err(|error| Failure::usage("did_invalid", format!("`{}`: {error}", command.did)))?;
    let resolved = block_on(resolve(command, &did, output))??;
    output.result(
        format!("{:#}", resolved.document),
        &value(&resolved, command.charter.is_some()),
    );
    Ok(())
}

async fn resolve(command: &ResolveCommand, did: &ParsedDid, output: Output) -> Outcome<Resolved> {
    let charter = match &command.charter {
        Some(path) => read_charter(path)?,
        None => {
            output.progress("without --charter the node's own word says which network this is");
            NodeClient::unverified_charter(&command.node).await?
        }
    };
    let node = NodeClient::new(&command.node, TrustAnchor::of(&charter))?;
    let resolved = node.resolve(did, MAX_AGE).await?;
    if let Some(path) = &command.save_proof {
        let file = node.proof_file(&command.did).await?;
        realdid_ledger::ProofFile::verify_with(&file, node.anchor())?;
        write_private(path, &file).map_err(|error| Failure::file(path, &error))?;
    }
    Ok(resolved)
}

fn value(resolved: &Resolved, proved: bool) -> Value {
    let entry = resolved.entry.as_ref();
    json!({
        "did": resolved.did,
        "document": resolved.document,
        "published": entry.is_some(),
        "status": resolved.status,
        "version": entry.map_or(0, |entry| entry.version),
        "last_operation": entry.map(|entry| entry.last_operation),
        "height": resolved.height,
        "time": resolved.time,
        "proved_by_pinned_charter": proved,
    })
}
