//! Members and validators, organisations with their keys and rights, and what the consortium decided.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::response::Response;
use realdid_crypto::Hash;
use realdid_did::Did;
use realdid_ledger::{Accreditation, GovernanceAction, Record, RightKind, Role, StateKey, check, state_key};
use realdid_service::Problem;

use super::blocks::{Before, block_link};
use super::operations::{decision_name, did_link};
use super::view::{Cell, Part, View, Visit};
use crate::api::{FRESH, problems};
use crate::ledger_view::{MAX_HISTORY, Node};

/// Most organisations, and most epoch keys or rights of one, that a page shows.
const MOST: u32 = 500;
/// Decisions on a page.
const DECISIONS: u32 = 50;

/// `GET /members`
pub(super) async fn members(State(node): State<Arc<Node>>, visit: Visit) -> Response {
    match draw_members(&node, &visit).await {
        Ok(view) => visit.show(&view),
        Err(problem) => visit.failed(&problem),
    }
}

async fn draw_members(node: &Node, visit: &Visit) -> Result<View, Problem> {
    let charter = &node.charter;
    let members = charter.members.iter().map(|member| {
        vec![
            Cell::Foreign(member.name.clone()),
            Cell::Code(member.key.to_string()),
        ]
    });
    let threshold = [
        ("threshold", charter.threshold.to_string()),
        ("members", charter.members.len().to_string()),
    ];
    let threshold: Vec<_> = threshold
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let origin = if charter.key_origin.dealt {
        "key-dealt"
    } else {
        "key-by-ceremony"
    };
    Ok(View {
        title: visit.text("members"),
        parts: vec![
            Part::Text(visit.text_of("threshold", &threshold)),
            Part::Table {
                title: visit.text("members"),
                head: vec![visit.text("name"), visit.text("key")],
                rows: members.collect(),
            },
            Part::Table {
                title: visit.text("validators"),
                head: ["name", "key", "address", "votes"]
                    .map(|id| visit.text(id))
                    .to_vec(),
                rows: validators(node, visit).await?,
            },
            Part::Text(visit.text(origin)),
            Part::Facts(vec![(
                visit.text("network-key"),
                Cell::Code(charter.network_key.clone()),
            )]),
        ],
        cache: FRESH,
    })
}

/// The validators that the ledger knows, and who of them is of the committee now.
async fn validators(node: &Node, visit: &Visit) -> Result<Vec<Vec<Cell>>, Problem> {
    let epoch = node.engine.status().epoch;
    let Some(Record::Schedule(schedule)) = read(node, vec![state_key::schedule()]).await?.pop().flatten()
    else {
        return Err(Problem::internal(&"the state has no committees"));
    };
    // Who signs in an epoch got the shares in the one before.
    let committee = schedule.members_in(epoch.saturating_sub(1)).to_vec();
    let keys = (0..schedule.known).map(state_key::validator_index).collect();
    let keys = read(node, keys).await?.into_iter().flatten();
    let keys = keys.filter_map(|record| match record {
        Record::ValidatorIndex(link_key) => Some(state_key::validator(&link_key)),
        _ => None,
    });
    let known = read(node, keys.collect()).await?;
    let rows = known.into_iter().flatten().filter_map(|record| {
        let Record::Validator(validator) = record else {
            return None;
        };
        let votes = if committee.contains(&validator.index) {
            "yes"
        } else {
            "no"
        };
        Some(vec![
            Cell::Foreign(validator.name.clone()),
            Cell::Code(validator.link_key.to_hex()),
            Cell::Code(validator.address_in(epoch).to_owned()),
            Cell::Text(visit.text(votes)),
        ])
    });
    Ok(rows.collect())
}

/// Values of the newest final state.
async fn read(node: &Node, keys: Vec<StateKey>) -> Result<Vec<Option<Record>>, Problem> {
    let snapshot = node
        .engine
        .read(keys)
        .await
        .map_err(|error| problems::of_engine(&error))?;
    let records = snapshot
        .values
        .into_iter()
        .map(|value| value.map(|value| Record::decode(&value)).transpose());
    records
        .collect::<Result<_, _>>()
        .map_err(|error| Problem::internal(&error))
}

/// Everybody who is or was accredited: who took a seat of the charter, and who was decided about.
async fn accredited(node: &Node) -> Result<Vec<Accreditation>, Problem> {
    let seats = (0..node.charter.seats.len()).filter_map(|index| u16::try_from(index).ok());
    let seats = read(node, seats.map(state_key::seat).collect()).await?;
    let mut dids: Vec<Hash> = seats
        .into_iter()
        .filter_map(|record| match record {
            Some(Record::Seat(did)) => Some(did),
            _ => None,
        })
        .collect();
    let decided = node
        .index
        .decided_about(MOST)
        .await
        .map_err(|error| problems::of_index(&error))?;
    for did in decided {
        if !dids.contains(&did) {
            dids.push(did);
        }
    }
    let keys = dids.iter().map(state_key::accreditation).collect();
    let records = read(node, keys).await?.into_iter().flatten();
    Ok(records
        .filter_map(|record| match record {
            Record::Accreditation(accreditation) => Some(accreditation),
            _ => None,
        })
        .collect())
}

/// The DID of the organisation with this name, or with this in its name.
pub(super) async fn find(node: &Node, name: &str) -> Result<Option<Did>, Problem> {
    let wanted = name.to_lowercase();
    let all = accredited(node).await?;
    let whole = all.iter().find(|found| found.name.to_lowercase() == wanted);
    let part = || {
        all.iter()
            .find(|found| found.name.to_lowercase().contains(&wanted))
    };
    Ok(whole.or_else(part).map(|found| node.charter.did(found.did)))
}

/// `GET /organisations`
pub(super) async fn organisations(State(node): State<Arc<Node>>, visit: Visit) -> Response {
    let rows = accredited(&node).await.map(|all| {
        let row = |accreditation: &Accreditation| {
            vec![
                Cell::Foreign(accreditation.name.clone()),
                Cell::Text(visit.text(role_name(accreditation.role))),
                Cell::Text(visit.text(standing_name(accreditation))),
                did_link(&node, accreditation.did),
            ]
        };
        all.iter().map(row).collect()
    });
    match rows {
        Ok(rows) => visit.show(&View {
            title: visit.text("organisations"),
            parts: vec![
                Part::Text(visit.text("organisations-about")),
                Part::Table {
                    title: visit.text("organisations"),
                    head: ["name", "role", "standing", "did"]
                        .map(|id| visit.text(id))
                        .to_vec(),
                    rows,
                },
            ],
            cache: FRESH,
        }),
        Err(problem) => visit.failed(&problem),
    }
}

const fn role_name(role: Role) -> &'static str {
    match role {
        Role::Authority => "role-authority",
        Role::Signin => "role-signin",
        Role::Issuer => "role-issuer",
        Role::Verifier => "role-verifier",
    }
}

const fn standing_name(accreditation: &Accreditation) -> &'static str {
    if accreditation.revoked_at != 0 {
        "standing-struck-off"
    } else if accreditation.suspended_at != 0 {
        "standing-suspended"
    } else {
        "standing-in-force"
    }
}

/// What a DID is to the consortium: nothing for most, else its accreditation, rights and epoch keys.
pub(super) async fn about(node: &Node, visit: &Visit, did: &Hash) -> Result<Vec<Part>, Problem> {
    let found = read(node, vec![state_key::accreditation(did)])
        .await?
        .pop()
        .flatten();
    let Some(Record::Accreditation(accreditation)) = found else {
        return Ok(Vec::new());
    };
    let mut parts = vec![
        Part::Facts(vec![
            (visit.text("name"), Cell::Foreign(accreditation.name.clone())),
            (
                visit.text("role"),
                Cell::Text(visit.text(role_name(accreditation.role))),
            ),
            (
                visit.text("standing"),
                Cell::Text(visit.text(standing_name(&accreditation))),
            ),
        ]),
        rights(node, visit, did).await?,
    ];
    if accreditation.role == Role::Authority {
        let keys = node
            .index
            .epoch_keys(did, MOST)
            .await
            .map_err(|error| problems::of_index(&error))?;
        let row = |(epoch, id, height): &(u64, Hash, u64)| {
            vec![Cell::Number(*epoch), Cell::Code(id.to_hex()), block_link(*height)]
        };
        parts.push(Part::Table {
            title: visit.text("epoch-keys"),
            head: ["token-epoch", "key", "block-of"]
                .map(|id| visit.text(id))
                .to_vec(),
            rows: keys.iter().map(row).collect(),
        });
    }
    Ok(parts)
}

/// The rights that were granted to a DID and are in force.
async fn rights(node: &Node, visit: &Visit, did: &Hash) -> Result<Part, Problem> {
    let places = node
        .index
        .decisions(did, MAX_HISTORY)
        .await
        .map_err(|error| problems::of_index(&error))?;
    let mut granted = Vec::new();
    for place in places {
        let bytes = node.operation_at(place).await?;
        let decided = check(&node.charter, &node.charter_hash, &bytes).ok();
        let decided = decided
            .as_ref()
            .and_then(|checked| checked.governance_operation());
        if let Some(GovernanceAction::GrantRight { right, .. }) = decided.map(|decided| &decided.action)
            && !granted.contains(right)
        {
            granted.push(*right);
        }
    }
    let records = read(node, granted.iter().map(state_key::grant).collect()).await?;
    let rows = records.into_iter().flatten().filter_map(|record| match record {
        Record::Grant(grant) if grant.revoked_at == 0 => Some(vec![
            Cell::Text(visit.text(match grant.right.kind {
                RightKind::Issue => "may-issue",
                RightKind::Ask => "may-ask",
            })),
            Cell::Code(grant.right.type_id.to_hex()),
            Cell::Time(grant.granted_at),
        ]),
        _ => None,
    });
    Ok(Part::Table {
        title: visit.text("rights"),
        head: ["right", "credential-type", "since"]
            .map(|id| visit.text(id))
            .to_vec(),
        rows: rows.collect(),
    })
}

/// What a decision says, in the page's language.
pub(super) fn decision(visit: &Visit, action: &GovernanceAction) -> String {
    visit.text(decision_name(action))
}

/// Whom a decision is about.
pub(super) fn subject(node: &Node, action: &GovernanceAction) -> Cell {
    match action {
        GovernanceAction::RevokeAccreditation(did)
        | GovernanceAction::Suspend(did)
        | GovernanceAction::Reinstate(did)
        | GovernanceAction::Accredit { did, .. } => did_link(node, *did),
        GovernanceAction::GrantRight { right, .. } | GovernanceAction::RevokeRight(right) => {
            did_link(node, right.did)
        }
        GovernanceAction::RevokeEpochKey(id) => Cell::Code(id.to_hex()),
        GovernanceAction::SetValidator { name, .. } => Cell::Foreign(name.clone()),
        GovernanceAction::SetCommittee { members, .. } => Cell::Number(members.len() as u64),
    }
}

/// `GET /governance`
pub(super) async fn governance(
    State(node): State<Arc<Node>>,
    visit: Visit,
    Query(before): Query<Before>,
) -> Response {
    match draw_governance(&node, &visit, before.height()).await {
        Ok(view) => visit.show(&view),
        Err(problem) => visit.failed(&problem),
    }
}

async fn draw_governance(node: &Node, visit: &Visit, before: u64) -> Result<View, Problem> {
    let places = node
        .index
        .governance(before, DECISIONS)
        .await
        .map_err(|error| problems::of_index(&error))?;
    let older = places
        .last()
        .filter(|_| places.len() == DECISIONS as usize)
        .map(|place| place.height);
    let mut rows = Vec::with_capacity(places.len());
    for place in places {
        let bytes = node.operation_at(place).await?;
        let checked = check(&node.charter, &node.charter_hash, &bytes).ok();
        let Some(operation) = checked
            .as_ref()
            .and_then(|checked| checked.governance_operation())
        else {
            continue;
        };
        rows.push(vec![
            Cell::Number(operation.sequence),
            Cell::Text(decision(visit, &operation.action)),
            subject(node, &operation.action),
            block_link(place.height),
        ]);
    }
    let older = older.map(|height| {
        (
            visit.text("older"),
            visit.href(&format!("/governance?before={height}")),
        )
    });
    Ok(View {
        title: visit.text("governance"),
        parts: vec![
            Part::Text(visit.text("governance-about")),
            Part::Table {
                title: visit.text("governance"),
                head: ["number", "decision", "about", "block-of"]
                    .map(|id| visit.text(id))
                    .to_vec(),
                rows,
            },
            Part::Links(older.into_iter().collect()),
        ],
        cache: FRESH,
    })
}
