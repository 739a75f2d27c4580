//! Finding on the ledger what a backup does not know.

use realdid_client::NodeClient;
use realdid_did::Did;
use realdid_ledger::{LightError, ProvenState};
use realdid_wallet::Wallet;
use realdid_wallet::backup::GAP_LIMIT;
use realdid_wallet::operations::Observation;
use realdid_wallet::root::Index;

use super::session::MAX_AGE;
use crate::failure::Outcome;
use crate::now;

/// What a scan found.
#[derive(Debug, Default)]
pub struct Found {
    /// DIDs on the ledger that the backup did not know.
    pub new: usize,
}

/// Looks at every DID the wallet may have made, until [`GAP_LIMIT`] numbers in a row of each series
/// are unknown to the backup and to the ledger.
pub async fn scan(wallet: &mut Wallet) -> Outcome<Found> {
    let mut ledger = Ledger {
        node: NodeClient::new(wallet.node_url(), wallet.anchor())?,
        answers: Vec::new(),
    };
    ledger.node.set_highest_seen(wallet.highest_height());
    let mut found = Found::default();
    let mut series = 0;
    // A DID found in the newest series begins another one, which is searched as well.
    while wallet.series_to_search().contains(&series) {
        scan_series(wallet, &mut ledger, series, &mut found).await?;
        series += 1;
    }
    wallet.saw_height(ledger.node.highest_seen());
    Ok(found)
}

async fn scan_series(
    wallet: &mut Wallet,
    ledger: &mut Ledger,
    series: u32,
    found: &mut Found,
) -> Outcome<()> {
    let (mut number, mut gap) = (0, 0);
    while gap < GAP_LIMIT {
        let index = Index { series, number };
        let did = wallet.candidate(index);
        let known = wallet.find(&did).is_ok();
        let seen = ledger.observe(&did).await?;
        let published = wallet.found(index, &seen, now())?;
        found.new += usize::from(published && !known);
        gap = if published || known { 0 } else { gap + 1 };
        number += 1;
    }
    Ok(())
}

/// The ledger, asked by prefixes; one answer covers every DID with its prefix.
struct Ledger {
    node: NodeClient,
    answers: Vec<ProvenState>,
}

impl Ledger {
    async fn observe(&mut self, did: &Did) -> Outcome<Observation> {
        for state in &self.answers {
            match Observation::of(state, did, now()) {
                Err(LightError::NotProven) => {}
                answer => return Ok(answer?),
            }
        }
        let state = self.node.state_by_prefix(&did.hash, MAX_AGE).await?;
        let seen = Observation::of(&state, did, now())?;
        self.answers.push(state);
        Ok(seen)
    }
}
