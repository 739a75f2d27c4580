//! Changing a DID on the ledger: observe, build, store, send, and believe only a proof.

use std::time::Duration;

use realdid_did::Did;
use realdid_wallet::operations::{Change, Observation, PendingOperation, Stage};
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::session::Session;
use crate::failure::{Failure, Outcome};
use crate::now;

/// How long finality may take before the command gives up waiting; the operation goes on.
const LIMIT: Duration = Duration::from_secs(60);
/// Time between two looks at the ledger.
const GLANCE: Duration = Duration::from_millis(200);

/// Makes a change and tells about it.
pub async fn change(session: &mut Session, did: &str, change: Change) -> Outcome<()> {
    let did = session.parse_did(did)?;
    let done = perform(session, &did, change).await?;
    tell(session, &did, &done, None);
    Ok(())
}

/// Recovers a DID; with `wait` until the recovery has taken effect.
pub async fn recover(session: &mut Session, did: &str, wait: bool) -> Outcome<()> {
    let did = session.parse_did(did)?;
    let done = perform(session, &did, Change::Recover).await?;
    if wait {
        session.output.progress("final; waiting until it takes effect");
        wait_for_effect(session, &did).await?;
    }
    let until = match stage(session, &did)? {
        Some(Stage::Recovering { until }) => Some(until),
        _ => None,
    };
    tell(session, &did, &done, until);
    Ok(())
}

/// Makes a change and returns once the ledger is proved to have it.
pub async fn perform(session: &mut Session, did: &Did, change: Change) -> Outcome<PendingOperation> {
    session.wallet().find(did)?;
    let seen = session.observe(did).await?;
    let settled = session.wallet_mut().observe(did, &seen, now())?;
    if let Some(settled) = settled {
        session.save()?;
        // An earlier command sent it and did not live to see it final.
        if settled.change == change {
            return Ok(settled);
        }
    }
    let pending = session.wallet_mut().plan(did, change, &seen, now())?;
    session.save()?;
    if let Err(failure) = send(session, &pending).await {
        if !failure.is_unavailable() {
            session.wallet_mut().abandon(did)?;
            session.save()?;
        }
        return Err(failure);
    }
    settle(session, did, &pending).await
}

async fn send(session: &Session, pending: &PendingOperation) -> Outcome<()> {
    session
        .output
        .progress(format!("sending {} {}", pending.change.name(), pending.hash));
    match session
        .node()
        .submit_and_wait(&pending.bytes(), &pending.hash, LIMIT)
        .await
    {
        Ok(_) => Ok(()),
        // Sent before, by a command that did not live to see the answer.
        Err(error) if error.is_refusal("already_applied") => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Waits for the proof: what the node says about finality is only a reason to look.
async fn settle(session: &mut Session, did: &Did, pending: &PendingOperation) -> Outcome<PendingOperation> {
    let end = Instant::now() + LIMIT;
    loop {
        let seen = session.observe(did).await?;
        if let Some(settled) = session.wallet_mut().observe(did, &seen, now())? {
            session.save()?;
            return Ok(settled);
        }
        if Instant::now() >= end {
            let what = format!("operation {} was sent but is not proved final yet", pending.hash);
            return Err(Failure::unavailable("not_finalized", what));
        }
        sleep(GLANCE).await;
    }
}

/// Waits until a proven state is later than the moment a recovery takes effect.
async fn wait_for_effect(session: &mut Session, did: &Did) -> Outcome<()> {
    let Some(Stage::Recovering { until }) = stage(session, did)? else {
        return Ok(());
    };
    sleep(Duration::from_secs(until.saturating_sub(now()))).await;
    let end = Instant::now() + LIMIT;
    loop {
        let seen: Observation = session.observe(did).await?;
        if seen.proven_at() >= until {
            session.wallet_mut().observe(did, &seen, now())?;
            return session.save();
        }
        if Instant::now() >= end {
            return Err(Failure::unavailable(
                "stale_state",
                "the ledger does not go on; the recovery is final",
            ));
        }
        sleep(GLANCE).await;
    }
}

fn stage(session: &Session, did: &Did) -> Outcome<Option<Stage>> {
    Ok(session.wallet().find(did)?.ledger.map(|ledger| ledger.stage))
}

fn tell(session: &Session, did: &Did, done: &PendingOperation, until: Option<u64>) {
    let text = match (done.change, until) {
        (Change::Publish, _) => format!("published {did}"),
        (Change::Rotate, _) => format!("rotated the keys of {did}; the old ones are worth nothing now"),
        (Change::Recover, None) => format!("recovered {did}"),
        (Change::Recover, Some(until)) => {
            format!(
                "recovering {did}: takes effect in {} s, until then it cannot log in",
                until.saturating_sub(now())
            )
        }
        (Change::Deactivate, _) => format!("deactivated {did} for good"),
        (Change::DeactivateSlowly, _) => {
            format!("{did} ends after the network's delay, unless it is recovered")
        }
        (Change::Renew, _) => format!("attached the token to {did}"),
        (Change::Veto, _) => format!("cancelled the recovery of {did} and rotated its keys"),
    };
    let change = done.change.name();
    let value = json!({ "did": did, "change": change, "operation": done.hash, "effective_at": until });
    session.output.result(text, &value);
}
