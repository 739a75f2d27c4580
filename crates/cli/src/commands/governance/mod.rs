//! What the consortium decides: who is accredited, who may issue or ask for what, and who validates.

pub mod args;
mod committee;
mod proposal;
mod show;

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use realdid_client::NodeClient;
use realdid_crypto::{Hash, KeyType, SecretKey};
use realdid_did::Did;
use realdid_ledger::{
    Charter, CheckedOperation, GovernanceAction, GovernanceOperation, LightError, ProvenState, Right,
    StateKey, TrustAnchor, check, state_key, type_id,
};
use realdid_openid::dcql::ClaimPath;
use realdid_openid::registration::MayAsk;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::block_on;
use crate::failure::{Failure, Outcome};
use crate::output::{Output, agrees};
use crate::wallet::read_charter;
use args::{DecideOptions, GovernanceCommand, NetworkOptions, RightOptions, Subject};
use proposal::{Meant, Proposal};

/// Oldest state that is believed, in seconds.
const MAX_AGE: u64 = 300;
/// How long a decision may take to become final.
const LIMIT: Duration = Duration::from_secs(60);
/// How often, and at what distance, the ledger is asked until it shows a decision that is final.
const LOOKS: (u32, Duration) = (40, Duration::from_millis(250));

/// Runs a governance command.
pub fn run(command: GovernanceCommand, output: Output) -> Outcome<()> {
    let subject = |subject: Subject, action: fn(Hash) -> GovernanceAction| {
        let charter = of_network(&subject.by.at, &subject.did)?;
        decide(
            &charter,
            action(subject.did.hash),
            Meant::default(),
            &subject.by,
            output,
        )
    };
    match command {
        GovernanceCommand::Accredit { did, role, name, by } => {
            let charter = of_network(&by.at, &did)?;
            let (did, role) = (did.hash, role.into());
            let action = GovernanceAction::Accredit { did, role, name };
            decide(&charter, action, Meant::default(), &by, output)
        }
        GovernanceCommand::Suspend(of) => subject(of, GovernanceAction::Suspend),
        GovernanceCommand::Reinstate(of) => subject(of, GovernanceAction::Reinstate),
        GovernanceCommand::StrikeOff(of) => subject(of, GovernanceAction::RevokeAccreditation),
        GovernanceCommand::Grant { right, claim, by } => grant(&right, &claim, &by, output),
        GovernanceCommand::RevokeGrant { right, by } => {
            let charter = of_network(&by.at, &right.did)?;
            let action = GovernanceAction::RevokeRight(named(&right));
            let meant = Meant {
                vct: Some(right.vct),
                may_ask: None,
            };
            decide(&charter, action, meant, &by, output)
        }
        GovernanceCommand::RevokeEpochKey { id, by } => {
            let charter = read_charter(&by.at.charter)?;
            let action = GovernanceAction::RevokeEpochKey(id);
            decide(&charter, action, Meant::default(), &by, output)
        }
        GovernanceCommand::Committee(command) => committee::run(command, output),
        GovernanceCommand::Show { did, types, at } => {
            let charter = of_network(&at, &did)?;
            block_on(show::run(&client(&at, &charter)?, &charter, &did, &types, output))?
        }
        GovernanceCommand::Sign {
            proposal,
            charter,
            member_key,
            yes,
        } => sign(&proposal, &read_charter(&charter)?, &member_key, yes, output),
        GovernanceCommand::Submit { proposal, at } => {
            let charter = read_charter(&at.charter)?;
            let proposal = Proposal::load(&charter, &proposal)?;
            block_on(conclude(&client(&at, &charter)?, &charter, &proposal, output))?
        }
    }
}

fn client(at: &NetworkOptions, charter: &Charter) -> Outcome<NodeClient> {
    Ok(NodeClient::new(&at.node, TrustAnchor::of(charter))?)
}

/// The charter, which must be of the network that the DID names.
fn of_network(at: &NetworkOptions, did: &Did) -> Outcome<Charter> {
    let charter = read_charter(&at.charter)?;
    if did.network == charter.network {
        return Ok(charter);
    }
    let what = format!(
        "the DID names the network `{}`, not `{}`",
        did.network.as_str(),
        charter.network.as_str()
    );
    Err(Failure::refused("other_network", what))
}

fn named(right: &RightOptions) -> Right {
    Right {
        did: right.did.hash,
        kind: right.kind.into(),
        type_id: type_id(&right.vct),
    }
}

fn grant(right: &RightOptions, claims: &[String], by: &DecideOptions, output: Output) -> Outcome<()> {
    let charter = of_network(&by.at, &right.did)?;
    if right.kind == args::RightName::Issue && !claims.is_empty() {
        let what = "a right to issue is for the whole type; --claim limits a right to ask";
        return Err(Failure::usage("claim_not_applicable", what));
    }
    let paths = claims.iter().map(|claim| claim_path(claim));
    let paths = paths.collect::<Outcome<Vec<_>>>()?;
    let may_ask = (!paths.is_empty()).then(|| MayAsk::only(&right.vct, paths));
    let action = GovernanceAction::GrantRight {
        right: named(right),
        detail: may_ask.as_ref().map_or(Hash::ZERO, MayAsk::detail),
    };
    let meant = Meant {
        vct: Some(right.vct.clone()),
        may_ask,
    };
    decide(&charter, action, meant, by, output)
}

/// A path in JSON, or the name of a claim.
fn claim_path(text: &str) -> Outcome<ClaimPath> {
    if !text.starts_with('[') {
        return Ok(ClaimPath::of(&[text]));
    }
    let path: Option<ClaimPath> = serde_json::from_str(text).ok();
    path.filter(|path| !path.0.is_empty()).ok_or_else(|| {
        let what = format!("`{text}` is not a path of texts, numbers and nulls in JSON");
        Failure::usage("claim_path_invalid", what)
    })
}

/// Makes a proposal under the next number, signs it, and submits or keeps it.
fn decide(
    charter: &Charter,
    action: GovernanceAction,
    meant: Meant,
    by: &DecideOptions,
    output: Output,
) -> Outcome<()> {
    let node = client(&by.at, charter)?;
    let keys = by.member_key.iter().map(|path| member_key(path));
    let keys = keys.collect::<Outcome<Vec<_>>>()?;
    block_on(async {
        let state = node.state(&[state_key::parameters()], MAX_AGE).await?;
        let operation = GovernanceOperation {
            sequence: state.parameters()?.governance_sequence,
            action,
        };
        // A name that cannot be shown is refused before anybody signs it.
        GovernanceOperation::from_message(&charter.hash(), &operation.message(&charter.hash()))
            .map_err(|refusal| Failure::refused(refusal.code(), refusal.to_string()))?;
        let mut proposal = Proposal::new(operation, meant);
        for key in &keys {
            proposal.sign(charter, key)?;
        }
        match &by.save {
            Some(path) => keep(&proposal, charter, path, output),
            None => conclude(&node, charter, &proposal, output).await,
        }
    })?
}

/// Writes a proposal's file and says who is missing.
fn keep(proposal: &Proposal, charter: &Charter, path: &Path, output: Output) -> Outcome<()> {
    proposal.save(charter, path)?;
    let (signers, need) = (proposal.signers(charter), usize::from(charter.threshold));
    let file = path.display();
    let next = if signers.len() < need {
        format!("next, another member: realdid governance sign {file} --charter CHARTER --member-key KEY")
    } else {
        format!("next: realdid governance submit {file} --charter CHARTER")
    };
    output.result(
        format!(
            "proposed: {}\nnumber {}, signed by {} of {need}\n{next}",
            proposal.words(charter),
            proposal.operation.sequence,
            signers.len(),
        ),
        &json!({
            "proposal": path,
            "decision": proposal.words(charter),
            "sequence": proposal.operation.sequence,
            "signed_by": signers,
            "threshold": need,
            "complete": signers.len() >= need,
        }),
    );
    Ok(())
}

fn sign(path: &Path, charter: &Charter, keys: &[PathBuf], yes: bool, output: Output) -> Outcome<()> {
    let mut proposal = Proposal::load(charter, path)?;
    output.progress(format!(
        "number {}: {}",
        proposal.operation.sequence,
        proposal.words(charter)
    ));
    if !yes && !agrees("Sign this?") {
        let failure = Failure::refused("not_signed", "nothing was signed");
        return Err(failure.fix("answer y at a terminal, or give --yes"));
    }
    for key in keys {
        proposal.sign(charter, &member_key(key)?)?;
    }
    keep(&proposal, charter, path, output)
}

/// Submits a decision that enough members signed, waits until it is final, and proves what it did.
async fn conclude(node: &NodeClient, charter: &Charter, proposal: &Proposal, output: Output) -> Outcome<()> {
    let bytes = proposal.complete(charter)?;
    let hash = charter.hash();
    let checked = check(charter, &hash, &bytes);
    let checked = checked.map_err(|refusal| Failure::refused(refusal.code(), refusal.to_string()))?;
    let words = proposal.words(charter);
    output.progress(format!("submitting: {words}"));
    node.submit_and_wait(&bytes, &checked.hash(), LIMIT).await?;
    let state = shown(
        node,
        &proposal.operation,
        &telling(&proposal.operation.action, &checked),
    )
    .await?;
    let (height, time) = (state.height(), state.time());
    let mut value = json!({
        "decided": words,
        "sequence": proposal.operation.sequence,
        "operation": checked.hash(),
        "signed_by": proposal.signers(charter),
        "height": height,
        "time": time,
    });
    let mut text = format!("decided: {words}\nproven at height {height}, time {time}");
    if let Some(list) = &proposal.meant.may_ask {
        let registration: Value = json!(list);
        text.push_str(&format!("\nto be shown in verifier_info: {registration}"));
        value["registration"] = registration;
    }
    output.result(text, &value);
    Ok(())
}

/// Asks until the ledger is proven to show what was decided.
async fn shown(
    node: &NodeClient,
    operation: &GovernanceOperation,
    keys: &[StateKey],
) -> Outcome<ProvenState> {
    let (looks, distance) = LOOKS;
    for _ in 0..looks {
        let state = node.state(keys, MAX_AGE).await?;
        if state.parameters()?.governance_sequence > operation.sequence {
            if is_so(&operation.action, &state)? {
                return Ok(state);
            }
            let what = "another decision was taken under this number, or one after it changed what it did";
            return Err(Failure::refused("decision_not_shown", what));
        }
        tokio::time::sleep(distance).await;
    }
    let what = "the node says that the decision is final, but does not prove it";
    Err(Failure::unavailable("decision_not_proven", what))
}

/// The places of the state that tell whether a decision took effect.
fn telling(action: &GovernanceAction, checked: &CheckedOperation) -> Vec<StateKey> {
    match action {
        // The validators themselves are as they were.
        GovernanceAction::SetCommittee { .. } => vec![state_key::parameters(), state_key::schedule()],
        _ => checked.keys(),
    }
}

/// Whether the state is as an action leaves it.
fn is_so(action: &GovernanceAction, state: &ProvenState) -> Result<bool, LightError> {
    Ok(match action {
        GovernanceAction::RevokeEpochKey(id) => state.epoch_key(id)?.is_some_and(|key| key.revoked_at != 0),
        GovernanceAction::RevokeAccreditation(did) => state
            .accreditation(did)?
            .is_some_and(|found| found.revoked_at != 0),
        GovernanceAction::Accredit { did, role, name } => state
            .accreditation(did)?
            .is_some_and(|found| found.role == *role && found.name == *name),
        GovernanceAction::Suspend(did) => state
            .accreditation(did)?
            .is_some_and(|found| found.suspended_at != 0),
        GovernanceAction::Reinstate(did) => state.accreditation(did)?.is_some_and(|found| found.in_force()),
        GovernanceAction::GrantRight { right, detail } => state
            .grant(right)?
            .is_some_and(|grant| grant.detail == *detail && grant.revoked_at == 0),
        GovernanceAction::RevokeRight(right) => {
            state.grant(right)?.is_some_and(|grant| grant.revoked_at != 0)
        }
        GovernanceAction::SetValidator {
            link_key,
            from,
            address,
            ..
        } => state
            .validator(link_key)?
            .is_some_and(|known| known.address_in(*from) == address),
        GovernanceAction::SetCommittee { from, members } => {
            let schedule = state.schedule()?;
            let turn = schedule.turns.iter().find(|turn| turn.from == *from);
            turn.is_some_and(|turn| turn.members.len() == members.len())
        }
    })
}

/// Reads a member's key file: JSON with `seed`, 64 hexadecimal digits; mode 0600.
pub fn member_key(path: &Path) -> Outcome<SecretKey> {
    #[derive(serde::Deserialize)]
    struct File {
        seed: String,
    }
    let unreadable = |error| Failure::file(path, &error);
    if std::fs::metadata(path).map_err(unreadable)?.permissions().mode() & 0o077 != 0 {
        let what = format!("the key file {} may be read by others", path.display());
        let fix = format!("chmod 600 {}", path.display());
        return Err(Failure::local("key_file_exposed", what).fix(fix));
    }
    let malformed = || {
        let what = format!("{} is not a member's key file", path.display());
        Failure::local("key_file_malformed", what)
    };
    let json = Zeroizing::new(std::fs::read(path).map_err(unreadable)?);
    let file: File = serde_json::from_slice(&json).map_err(|_| malformed())?;
    let text = Zeroizing::new(file.seed);
    let mut seed = Zeroizing::new([0; 32]);
    hex::decode_to_slice(text.as_str(), seed.as_mut_slice()).map_err(|_| malformed())?;
    Ok(SecretKey::from_seed(KeyType::Ed25519, &seed))
}
