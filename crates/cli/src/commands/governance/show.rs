//! How an organisation stands on the ledger, by proof.

use realdid_client::NodeClient;
use realdid_did::{Backing, Did};
use realdid_ledger::{Accreditation, Grant, ProvenState, Right, RightKind, state_key, type_id};
use serde_json::{Value, json};

use super::MAX_AGE;
use super::proposal::role_name;
use crate::failure::{Failure, Outcome};
use crate::output::Output;

/// Most types asked about at once: a node answers about 16 keys, two of them per type.
const MAX_TYPES: usize = 7;

/// Shows an organisation's standing and its rights to these types.
pub async fn run(node: &NodeClient, did: &Did, types: &[String], output: Output) -> Outcome<()> {
    if types.len() > MAX_TYPES {
        let what = format!("at most {MAX_TYPES} types can be asked about at once");
        return Err(Failure::usage("too_many_types", what));
    }
    let rights: Vec<_> = types.iter().flat_map(|vct| rights(did, vct)).collect();
    let mut keys = vec![state_key::did(&did.hash), state_key::accreditation(&did.hash)];
    keys.extend(rights.iter().map(|(_, right)| state_key::grant(right)));
    let state = node.state(&keys, MAX_AGE).await?;
    let (text, value) = told(&state, did, &rights)?;
    output.result(text, &value);
    Ok(())
}

fn rights<'t>(did: &Did, vct: &'t str) -> [(&'t str, Right); 2] {
    [RightKind::Issue, RightKind::Ask].map(|kind| {
        let right = Right {
            did: did.hash,
            kind,
            type_id: type_id(vct),
        };
        (vct, right)
    })
}

fn told(state: &ProvenState, did: &Did, rights: &[(&str, Right)]) -> Outcome<(String, Value)> {
    let (height, time) = (state.height(), state.time());
    let entry = state.did(&did.hash)?.map(|entry| entry.at(time));
    let accreditation = state.accreditation(&did.hash)?;
    let (standing, since) = standing(accreditation.as_ref());
    let status = entry.as_ref().map(|entry| json!(entry.status(time)));
    let mut text = match &accreditation {
        Some(found) => format!(
            "{}\n  {} `{}`, {standing}",
            did,
            role_name(found.role),
            found.name
        ),
        None => format!("{did}\n  {standing}"),
    };
    if since != 0 {
        text.push_str(&format!(" since {since}"));
    }
    let status_word = status
        .as_ref()
        .and_then(Value::as_str)
        .unwrap_or("not on the ledger");
    text.push_str(&format!("\n  DID {status_word}"));
    let mut granted = Vec::new();
    for (vct, right) in rights {
        let Some(grant) = state.grant(right)? else {
            continue;
        };
        let counts = state.right(right)?.is_some();
        text.push_str(&line(vct, &grant, counts));
        granted.push(json!({
            "kind": right.kind,
            "vct": vct,
            "detail": (grant.detail != realdid_crypto::Hash::ZERO).then_some(grant.detail),
            "granted_at": grant.granted_at,
            "revoked_at": (grant.revoked_at != 0).then_some(grant.revoked_at),
            "counts": counts,
        }));
    }
    text.push_str(&format!("\nproven at height {height}, time {time}"));
    let sponsor = entry
        .as_ref()
        .filter(|entry| entry.assurance.backing == Backing::Sponsor);
    let value = json!({
        "did": did,
        "status": status,
        "sponsor": sponsor.map(|entry| Did { network: did.network.clone(), hash: entry.assurance.by }),
        "standing": standing,
        "since": (since != 0).then_some(since),
        "role": accreditation.as_ref().map(|found| role_name(found.role)),
        "name": accreditation.as_ref().map(|found| &found.name),
        "rights": granted,
        "height": height,
        "time": time,
    });
    Ok((text, value))
}

/// In a word, and since when (Unix seconds; 0 if that is not kept).
fn standing(accreditation: Option<&Accreditation>) -> (&'static str, u64) {
    match accreditation {
        None => ("not accredited", 0),
        Some(found) if found.revoked_at != 0 => ("struck off", found.revoked_at),
        Some(found) if found.suspended_at != 0 => ("suspended", found.suspended_at),
        Some(_) => ("in force", 0),
    }
}

fn line(vct: &str, grant: &Grant, counts: bool) -> String {
    let verb = match grant.right.kind {
        RightKind::Issue => "issue",
        RightKind::Ask => "ask for",
    };
    let limit = if grant.detail == realdid_crypto::Hash::ZERO {
        String::new()
    } else {
        format!(", limited to the list {}", grant.detail)
    };
    let standing = match (counts, grant.revoked_at) {
        (true, _) => format!("since {}", grant.granted_at),
        (false, 0) => "which does not count now".to_owned(),
        (false, revoked_at) => format!("revoked at {revoked_at}"),
    };
    format!("\n  may {verb} {vct}{limit}, {standing}")
}
