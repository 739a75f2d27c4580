//! The overview, the list of blocks, one block.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::response::Response;
use realdid_crypto::{Hash, base64url_encode};
use realdid_engine::{FinalizedBlock, Standing};
use realdid_service::{Problem, now_ms};

use super::operations;
use super::view::{Cell, Column, Part, View, Visit};
use crate::api::{FRESH, IMMUTABLE, problems};
use crate::ledger_view::Node;
use crate::timestamp;

/// Blocks on a page.
const BLOCKS: u64 = 20;
/// Hours in the overview's chart.
const HOURS: u64 = 24;

/// `GET /`
pub(super) async fn overview(State(node): State<Arc<Node>>, visit: Visit) -> Response {
    match draw_overview(&node, &visit).await {
        Ok(view) => visit.show(&view),
        Err(problem) => visit.failed(&problem),
    }
}

async fn draw_overview(node: &Node, visit: &Visit) -> Result<View, Problem> {
    let status = node.engine.status();
    let failed = |error| problems::of_index(&error);
    let hour = status.time_ms / 3_600_000;
    let first = hour.saturating_sub(HOURS - 1);
    let counted = node.index.hours(first).await.map_err(failed)?;
    let columns = (first..=hour).map(|hour| Column {
        label: timestamp::format(hour * 3_600),
        count: counted
            .iter()
            .find(|(at, _)| *at == hour)
            .map_or(0, |(_, count)| *count),
    });
    let kinds = node.index.counts().await.map_err(failed)?;
    let rows = kinds.into_iter().map(|(kind, count)| {
        vec![
            Cell::Text(visit.text(&format!("kind-{kind}"))),
            Cell::Number(count),
        ]
    });
    let age = now_ms().saturating_sub(status.time_ms) / 1_000;
    let standing = match status.standing {
        Some(Standing::Signs) => "standing-signs",
        Some(Standing::WithoutShare) => "standing-without-share",
        Some(Standing::Follows) => "standing-follows",
        None => "standing-starts",
    };
    let about = visit.text(if node.charter.sandbox { "sandbox" } else { "about" });
    let fact = |id: &str, cell| (visit.text(id), cell);
    Ok(View {
        title: visit.text_of("network", &[("name", node.charter.network.as_str())]),
        parts: vec![
            Part::Text(about),
            Part::Facts(vec![
                fact("newest-block", block_link(status.height)),
                fact("time", Cell::Time(status.time_ms / 1_000)),
                fact(
                    "age",
                    Cell::Text(visit.text_of("seconds", &[("count", &age.to_string())])),
                ),
                fact("validators", Cell::Number(status.validators as u64)),
                fact("members", Cell::Number(node.charter.members.len() as u64)),
                fact("waiting", Cell::Number(status.pool_operations as u64)),
                fact("this-node", Cell::Text(visit.text(standing))),
                fact("charter", Cell::Code(node.charter_hash.to_hex())),
            ]),
            Part::Chart {
                title: visit.text("last-day"),
                columns: columns.collect(),
            },
            Part::Table {
                title: visit.text("operations-so-far"),
                head: vec![visit.text("kind"), visit.text("operations")],
                rows: rows.collect(),
            },
        ],
        cache: FRESH,
    })
}

#[derive(serde::Deserialize)]
pub(super) struct Before {
    /// Only what is below this height.
    before: Option<u64>,
}

impl Before {
    pub(super) fn height(&self) -> u64 {
        self.before.unwrap_or(u64::MAX)
    }
}

/// `GET /blocks`
pub(super) async fn list(
    State(node): State<Arc<Node>>,
    visit: Visit,
    Query(before): Query<Before>,
) -> Response {
    match draw_list(&node, &visit, before.height()).await {
        Ok(view) => visit.show(&view),
        Err(problem) => visit.failed(&problem),
    }
}

async fn draw_list(node: &Node, visit: &Visit, before: u64) -> Result<View, Problem> {
    let newest = node.engine.status().height;
    let last = newest.min(before.saturating_sub(1));
    let first = last.saturating_sub(BLOCKS - 1).max(1);
    let mut rows = Vec::new();
    for height in (first..=last).rev() {
        let Some(block) = node
            .engine
            .block(height)
            .await
            .map_err(|error| problems::of_engine(&error))?
        else {
            continue;
        };
        rows.push(vec![
            block_link(height),
            Cell::Time(block.header.time_ms / 1_000),
            Cell::Number(block.operations.len() as u64),
        ]);
    }
    let mut links = Vec::new();
    if last < newest {
        links.push((visit.text("newest"), visit.href("/blocks")));
    }
    if first > 1 {
        links.push((
            visit.text("older"),
            visit.href(&format!("/blocks?before={first}")),
        ));
    }
    Ok(View {
        title: visit.text("blocks"),
        parts: vec![
            Part::Table {
                title: visit.text_of(
                    "blocks-from-to",
                    &[("first", &first.to_string()), ("last", &last.to_string())],
                ),
                head: vec![visit.text("height"), visit.text("time"), visit.text("operations")],
                rows,
            },
            Part::Links(links),
        ],
        cache: FRESH,
    })
}

/// `GET /blocks/{height}`
pub(super) async fn block(
    State(node): State<Arc<Node>>,
    visit: Visit,
    Path(height): Path<String>,
) -> Response {
    let block = match height.parse() {
        Ok(height) => node
            .engine
            .finalized(height)
            .await
            .map_err(|error| problems::of_engine(&error)),
        Err(_) => Ok(None),
    };
    let missing = || Problem::not_found("block_not_found", "there is no final block of this height");
    match block.and_then(|block| block.ok_or_else(missing)) {
        Ok(block) => visit.show(&draw_block(&node, &visit, &block)),
        Err(problem) => visit.failed(&problem),
    }
}

fn draw_block(node: &Node, visit: &Visit, block: &FinalizedBlock) -> View {
    let header = &block.header;
    let fact = |id: &str, cell| (visit.text(id), cell);
    let rows = block
        .operations
        .iter()
        .map(|bytes| operations::row(node, visit, bytes));
    let height = header.height.to_string();
    let mut links = vec![(visit.text("as-api"), format!("/v1/blocks/{height}"))];
    if header.height > 1 {
        links.insert(
            0,
            (
                visit.text("before"),
                visit.href(&format!("/blocks/{}", header.height - 1)),
            ),
        );
    }
    links.insert(
        0,
        (
            visit.text("after"),
            visit.href(&format!("/blocks/{}", header.height + 1)),
        ),
    );
    View {
        title: visit.text_of("block", &[("height", &height)]),
        parts: vec![
            Part::Facts(vec![
                fact("hash", Cell::Code(Hash(header.hash()).to_hex())),
                fact("parent", Cell::Code(Hash(header.parent).to_hex())),
                fact("time", Cell::Time(header.time_ms / 1_000)),
                fact("token-epoch", Cell::Number(header.epoch)),
                fact("state-root", Cell::Code(Hash(header.state_root).to_hex())),
                fact(
                    "certificate",
                    Cell::Code(base64url_encode(block.finality.encode())),
                ),
            ]),
            Part::Table {
                title: visit.text("operations"),
                head: operations::HEAD.iter().map(|id| visit.text(id)).collect(),
                rows: rows.collect(),
            },
            Part::Links(links),
        ],
        cache: IMMUTABLE,
    }
}

pub(super) fn block_link(height: u64) -> Cell {
    Cell::Link(format!("/blocks/{height}"), height.to_string())
}
