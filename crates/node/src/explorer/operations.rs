//! Operations in rows, and the page of one.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use realdid_crypto::{Hash, base64url_encode};
use realdid_ledger::{CEREMONY_RECORD, GovernanceAction, ServiceAction, check, decode_did_operation};
use realdid_service::Problem;

use super::blocks::block_link;
use super::consortium;
use super::view::{Cell, Part, View, Visit};
use crate::api::{IMMUTABLE, problems};
use crate::index::kind_of;
use crate::ledger_view::Node;

/// The columns of a table of operations.
pub(super) const HEAD: [&str; 3] = ["kind", "about", "operation"];

/// What an operation is.
struct Described {
    kind: Cell,
    about: Cell,
    hash: Option<Hash>,
}

fn describe(node: &Node, visit: &Visit, bytes: &[u8]) -> Described {
    let kind = |kind: &str| Cell::Text(visit.text(&format!("kind-{kind}")));
    if bytes.first() == Some(&CEREMONY_RECORD) {
        return Described {
            kind: kind("record"),
            about: Cell::Text(visit.text("about-record")),
            hash: None,
        };
    }
    if let Some(signed) = decode_did_operation(bytes) {
        return Described {
            kind: kind(kind_of(&signed)),
            about: did_link(node, signed.operation.did),
            hash: Some(signed.operation.hash()),
        };
    }
    let Ok(checked) = check(&node.charter, &node.charter_hash, bytes) else {
        return Described {
            kind: kind("unknown"),
            about: Cell::Text(String::new()),
            hash: None,
        };
    };
    let hash = Some(checked.hash());
    if let Some(decision) = checked.governance_operation() {
        return Described {
            kind: Cell::Text(consortium::decision(visit, &decision.action)),
            about: consortium::subject(node, &decision.action),
            hash,
        };
    }
    let service = checked.service_operation();
    Described {
        kind: Cell::Text(service.map_or_else(
            || visit.text("kind-unknown"),
            |service| service_action(visit, &service.action),
        )),
        about: service.map_or_else(|| Cell::Text(String::new()), |service| did_link(node, service.by)),
        hash,
    }
}

/// What an accredited service does, in the page's language.
fn service_action(visit: &Visit, action: &ServiceAction) -> String {
    match action {
        ServiceAction::PublishEpochKey(key) => {
            visit.text_of("publishes-key", &[("epoch", &key.epoch.to_string())])
        }
        ServiceAction::AdvanceEpoch { from } => {
            let epoch = from.saturating_add(1).to_string();
            visit.text_of("advances-epoch", &[("epoch", &epoch)])
        }
        ServiceAction::Anchor { count, .. } => {
            visit.text_of("anchors-records", &[("count", &count.to_string())])
        }
    }
}

/// A row of a table under [`HEAD`].
pub(super) fn row(node: &Node, visit: &Visit, bytes: &[u8]) -> Vec<Cell> {
    let described = describe(node, visit, bytes);
    let hash = described.hash.map(|hash| hash.to_hex());
    let operation = hash.map_or(Cell::Text(String::new()), |hash| {
        Cell::Link(format!("/operations/{hash}"), hash)
    });
    vec![described.kind, described.about, operation]
}

/// `GET /operations/{hash}`
pub(super) async fn operation(
    State(node): State<Arc<Node>>,
    visit: Visit,
    Path(hash): Path<String>,
) -> Response {
    match draw(&node, &visit, &hash).await {
        Ok(view) => visit.show(&view),
        Err(problem) => visit.failed(&problem),
    }
}

async fn draw(node: &Node, visit: &Visit, hash: &str) -> Result<View, Problem> {
    let hash = problems::parse_hash(hash)?;
    let place = node
        .index
        .operation(&hash)
        .await
        .map_err(|error| problems::of_index(&error))?;
    let missing = || Problem::not_found("operation_not_found", "no final operation has this hash");
    let place = place.ok_or_else(missing)?;
    let bytes = node.operation_at(place).await?;
    let described = describe(node, visit, &bytes);
    let fact = |id: &str, cell| (visit.text(id), cell);
    Ok(View {
        title: visit.text("operation"),
        parts: vec![
            Part::Facts(vec![
                fact("kind", described.kind),
                fact("about", described.about),
                fact("hash", Cell::Code(hash.to_hex())),
                fact("block-of", block_link(place.height)),
                fact("position", Cell::Number(place.position as u64)),
                fact("bytes", Cell::Code(base64url_encode(&bytes))),
            ]),
            Part::Links(vec![(
                visit.text("as-api"),
                format!("/v1/operations/{}", hash.to_hex()),
            )]),
        ],
        cache: IMMUTABLE,
    })
}

pub(super) fn did_link(node: &Node, hash: Hash) -> Cell {
    let did = node.charter.did(hash).to_string();
    Cell::Link(format!("/dids/{did}"), did)
}

/// What a decision is called, for [`consortium::decision`].
pub(super) const fn decision_name(action: &GovernanceAction) -> &'static str {
    match action {
        GovernanceAction::RevokeEpochKey(_) => "decision-revoke-key",
        GovernanceAction::RevokeAccreditation(_) => "decision-strike-off",
        GovernanceAction::Accredit { .. } => "decision-accredit",
        GovernanceAction::Suspend(_) => "decision-suspend",
        GovernanceAction::Reinstate(_) => "decision-reinstate",
        GovernanceAction::GrantRight { .. } => "decision-grant",
        GovernanceAction::RevokeRight(_) => "decision-revoke-right",
        GovernanceAction::SetValidator { .. } => "decision-validator",
        GovernanceAction::SetCommittee { .. } => "decision-committee",
    }
}
