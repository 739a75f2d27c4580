//! The page of a DID: its state as it is proven now, its keys, its history, and for an organisation what it may do.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use realdid_crypto::Hash;
use realdid_did::{Backing, Entry, Level, Status};
use realdid_service::Problem;

use super::consortium;
use super::operations::{did_link, row};
use super::view::{Cell, Part, View, Visit};
use crate::api::dids::{not_published, parse_did};
use crate::api::{FRESH, problems};
use crate::ledger_view::{Node, ProvenEntry};

/// Operations that the history shows, the newest.
const HISTORY: usize = 50;

/// `GET /dids/{did}`
pub(super) async fn did(State(node): State<Arc<Node>>, visit: Visit, Path(did): Path<String>) -> Response {
    match draw(&node, &visit, &did).await {
        Ok(view) => visit.show(&view),
        Err(problem) => visit.failed(&problem),
    }
}

async fn draw(node: &Node, visit: &Visit, text: &str) -> Result<View, Problem> {
    let did = parse_did(node, text)?.did;
    let proven = node.prove_entry(&did.hash).await?;
    let entry = proven.entry.as_ref().ok_or_else(not_published)?;
    let mut parts = vec![
        Part::Text(visit.text_of("did-proven", &[("height", &proven.height.to_string())])),
        Part::Facts(facts(node, visit, entry, &proven)),
    ];
    parts.extend(consortium::about(node, visit, &did.hash).await?);
    parts.push(history(node, visit, &did.hash).await?);
    parts.push(keys(node, visit, &entry.at(proven.time)).await?);
    parts.push(Part::Text(visit.text("verify-yourself")));
    parts.push(Part::Links(vec![
        (visit.text("proof-file"), format!("/v1/dids/{did}/proof")),
        (visit.text("did-document"), format!("/1.0/identifiers/{did}")),
    ]));
    Ok(View {
        title: did.to_string(),
        parts,
        cache: FRESH,
    })
}

fn facts(node: &Node, visit: &Visit, entry: &Entry, proven: &ProvenEntry) -> Vec<(String, Cell)> {
    let fact = |id: &str, cell| (visit.text(id), cell);
    let status = match entry.status(proven.time) {
        Status::Active => "status-active",
        Status::Recovering => "status-recovering",
        Status::Deactivated => "status-deactivated",
    };
    let backing = match entry.assurance.backing {
        Backing::Token => "backing-token",
        Backing::Charter => "backing-charter",
        Backing::Sponsor => "backing-sponsor",
    };
    let mut facts = vec![
        fact("status", Cell::Text(visit.text(status))),
        fact("backing", Cell::Text(visit.text(backing))),
    ];
    if entry.assurance.by != Hash::ZERO {
        facts.push(fact("backed-by", did_link(node, entry.assurance.by)));
    }
    if entry.assurance.backing == Backing::Token {
        let level = match entry.assurance.level {
            Level::Low => "level-low",
            Level::Substantial => "level-substantial",
            Level::High => "level-high",
        };
        facts.push(fact("level", Cell::Text(visit.text(level))));
        facts.push(fact("token-epoch", Cell::Number(entry.assurance.epoch)));
    }
    if let Some(pending) = &entry.pending {
        facts.push(fact("pending-until", Cell::Time(pending.effective_at)));
    }
    facts.extend([
        fact("version", Cell::Number(entry.version.into())),
        fact("created", Cell::Time(entry.created)),
        fact("updated", Cell::Time(entry.updated)),
    ]);
    facts
}

async fn history(node: &Node, visit: &Visit, did: &Hash) -> Result<Part, Problem> {
    let versions = node.index.versions(did, u64::MAX, HISTORY).await;
    let mut rows = Vec::new();
    for version in versions.map_err(|error| problems::of_index(&error))? {
        let bytes = node.operation_at(version.place).await?;
        let mut cells = row(node, visit, &bytes);
        // What it is about is this page.
        cells.remove(1);
        cells.insert(0, Cell::Number(version.number));
        cells.insert(1, Cell::Time(version.time));
        rows.push(cells);
    }
    let head = ["version", "time", "kind", "operation"];
    Ok(Part::Table {
        title: visit.text("history"),
        head: head.map(|id| visit.text(id)).to_vec(),
        rows,
    })
}

async fn keys(node: &Node, visit: &Visit, entry: &Entry) -> Result<Part, Problem> {
    let found = node.document(&entry.document).await?;
    let data = found.map(|found| found.data);
    let keys = data.iter().flat_map(|data| data.keys());
    let rows = keys.map(|key| vec![Cell::Code(key.key.to_string())]);
    Ok(Part::Table {
        title: visit.text("keys"),
        head: vec![visit.text("key")],
        rows: rows.collect(),
    })
}
