//! How an organisation stands on the ledger, by proof, and what the consortium decided about it.

use realdid_client::NodeClient;
use realdid_crypto::Hash;
use realdid_did::{Backing, Did, Entry};
use realdid_ledger::{
    Accreditation, Charter, GovernanceAction, GovernanceOperation, Grant, ProvenState, Right, RightKind,
    check, state_key, type_id,
};
use serde_json::{Value, json};

use super::MAX_AGE;
use super::proposal::{Meant, role_name, words};
use crate::failure::Outcome;
use crate::output::Output;

/// How many rights are asked about at once: a node answers about 16 keys.
const AT_ONCE: usize = 14;

/// A right that was granted at some time, as the state has it now.
struct Held {
    grant: Grant,
    counts: bool,
}

/// How an organisation stands.
struct Found {
    entry: Option<Entry>,
    accreditation: Option<Accreditation>,
    rights: Vec<Held>,
    height: u64,
    time: u64,
}

/// Shows an organisation's standing, its rights, and how it came to them. `types` are names of types
/// that are shown by their hash else.
pub async fn run(
    node: &NodeClient,
    charter: &Charter,
    did: &Did,
    types: &[String],
    output: Output,
) -> Outcome<()> {
    let decisions = decisions(node, charter, did).await?;
    let mut rights: Vec<_> = types.iter().flat_map(|vct| rights(did, vct)).collect();
    rights.extend(decisions.iter().filter_map(|decided| match &decided.action {
        GovernanceAction::GrantRight { right, .. } => Some(*right),
        _ => None,
    }));
    rights.sort_unstable();
    rights.dedup();
    let found = look_up(node, did, &rights).await?;
    let mut value = found.json(did, types);
    let history = decisions.iter().map(|decided| {
        let named = match &decided.action {
            GovernanceAction::GrantRight { right, .. } | GovernanceAction::RevokeRight(right) => {
                name(types, &right.type_id)
            }
            _ => None,
        };
        let meant = Meant {
            vct: named.map(str::to_owned),
            may_ask: None,
        };
        json!({ "sequence": decided.sequence, "decision": words(charter, &decided.action, &meant) })
    });
    value["decisions"] = history.collect();
    output.result(found.text(did, types), &value);
    Ok(())
}

/// What the consortium decided about a DID, each checked to be signed by enough members.
async fn decisions(node: &NodeClient, charter: &Charter, did: &Did) -> Outcome<Vec<GovernanceOperation>> {
    let hash = charter.hash();
    let decided = node.decisions(did).await?;
    let checked = decided
        .iter()
        .filter_map(|bytes| check(charter, &hash, bytes).ok());
    Ok(checked
        .filter_map(|checked| checked.governance_operation().cloned())
        .collect())
}

fn rights(did: &Did, vct: &str) -> [Right; 2] {
    [Right::to_issue(did.hash, vct), Right::to_ask(did.hash, vct)]
}

async fn look_up(node: &NodeClient, did: &Did, rights: &[Right]) -> Outcome<Found> {
    let mut state = ask(node, did, &rights[..rights.len().min(AT_ONCE)]).await?;
    let mut held = Vec::new();
    for (number, chunk) in rights.chunks(AT_ONCE).enumerate() {
        if number > 0 {
            state = ask(node, did, chunk).await?;
        }
        for right in chunk {
            let counts = state.right(right)?.is_some();
            held.extend(state.grant(right)?.map(|grant| Held { grant, counts }));
        }
    }
    let time = state.time();
    Ok(Found {
        entry: state.did(&did.hash)?.map(|entry| entry.at(time)),
        accreditation: state.accreditation(&did.hash)?,
        rights: held,
        height: state.height(),
        time,
    })
}

async fn ask(node: &NodeClient, did: &Did, rights: &[Right]) -> Outcome<ProvenState> {
    let mut keys = vec![state_key::did(&did.hash), state_key::accreditation(&did.hash)];
    keys.extend(rights.iter().map(state_key::grant));
    Ok(node.state(&keys, MAX_AGE).await?)
}

/// The type's name, if it is one of these.
fn name<'t>(types: &'t [String], id: &Hash) -> Option<&'t str> {
    types.iter().find(|vct| type_id(vct) == *id).map(String::as_str)
}

impl Found {
    /// In a word, and since when (Unix seconds; 0 if that is not kept).
    fn standing(&self) -> (&'static str, u64) {
        match &self.accreditation {
            None => ("not accredited", 0),
            Some(found) if found.revoked_at != 0 => ("struck off", found.revoked_at),
            Some(found) if found.suspended_at != 0 => ("suspended", found.suspended_at),
            Some(_) => ("in force", 0),
        }
    }

    fn status(&self) -> Value {
        self.entry
            .as_ref()
            .map_or(Value::Null, |entry| json!(entry.status(self.time)))
    }

    fn text(&self, did: &Did, types: &[String]) -> String {
        let (standing, since) = self.standing();
        let mut text = match &self.accreditation {
            Some(found) => format!("{did}\n  {} `{}`, {standing}", role_name(found.role), found.name),
            None => format!("{did}\n  {standing}"),
        };
        if since != 0 {
            text.push_str(&format!(" since {since}"));
        }
        let status = self.status();
        let status = status.as_str().unwrap_or("not on the ledger");
        text.push_str(&format!("\n  DID {status}"));
        for held in &self.rights {
            text.push_str(&held.line(types));
        }
        text.push_str(&format!("\nproven at height {}, time {}", self.height, self.time));
        text
    }

    fn json(&self, did: &Did, types: &[String]) -> Value {
        let (standing, since) = self.standing();
        let accreditation = self.accreditation.as_ref();
        let sponsored = self
            .entry
            .as_ref()
            .filter(|entry| entry.assurance.backing == Backing::Sponsor);
        let sponsor = sponsored.map(|entry| Did {
            network: did.network.clone(),
            hash: entry.assurance.by,
        });
        json!({
            "did": did,
            "status": self.status(),
            "sponsor": sponsor,
            "standing": standing,
            "since": (since != 0).then_some(since),
            "role": accreditation.map(|found| role_name(found.role)),
            "name": accreditation.map(|found| &found.name),
            "rights": self.rights.iter().map(|held| held.json(types)).collect::<Vec<_>>(),
            "height": self.height,
            "time": self.time,
        })
    }
}

impl Held {
    fn line(&self, types: &[String]) -> String {
        let Grant { right, detail, .. } = &self.grant;
        let verb = match right.kind {
            RightKind::Issue => "issue",
            RightKind::Ask => "ask for",
        };
        let vct = name(types, &right.type_id);
        let vct = vct.map_or_else(
            || format!("the type with the hash {}", right.type_id),
            str::to_owned,
        );
        let limit = if *detail == Hash::ZERO {
            String::new()
        } else {
            format!(", limited to the list with the hash {detail}")
        };
        let standing = match (self.counts, self.grant.revoked_at) {
            (true, _) => format!("since {}", self.grant.granted_at),
            (false, 0) => "which does not count now".to_owned(),
            (false, revoked_at) => format!("revoked at {revoked_at}"),
        };
        format!("\n  may {verb} {vct}{limit}, {standing}")
    }

    fn json(&self, types: &[String]) -> Value {
        let grant = &self.grant;
        json!({
            "kind": grant.right.kind,
            "vct": name(types, &grant.right.type_id),
            "type_id": grant.right.type_id,
            "detail": (grant.detail != Hash::ZERO).then_some(grant.detail),
            "granted_at": grant.granted_at,
            "revoked_at": (grant.revoked_at != 0).then_some(grant.revoked_at),
            "counts": self.counts,
        })
    }
}
