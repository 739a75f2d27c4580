//! Backup and restore.
//!
//! A backup holds the wallet as it stands: root secret, charter, addresses, account, tokens, which
//! site knows which DID. Since keys derive from the root, even the oldest backup restores the keys of
//! every DID made later; what it cannot know is which site got which of them.
//!
//! A restored wallet therefore never offers a DID by itself unless the backup says which site it
//! belongs to: DIDs from the pool may have been given out since, so they are kept aside, and new ones
//! are made in a new series. Of credentials it holds what there was and from whom, but no copy, holder
//! key or refresh token ([`crate::credentials`] says why): they are issued again. And since whoever has the lost device has its keys, restoring means
//! rotating, or recovering.

use realdid_checks::passes;
use realdid_did::Did;
use zeroize::Zeroizing;

use crate::credentials::HeldCredential;
use crate::history::Event;
use crate::operations::Observation;
use crate::root::Index;
use crate::state::{Assignment, HeldDid, Wallet, WalletError};

/// How many numbers without a DID on the ledger end the search in a series.
pub const GAP_LIMIT: u32 = 64;

impl Wallet {
    /// What is to be encrypted and put away: the wallet without what is under way.
    ///
    /// # Errors
    /// [`WalletError::Json`], which does not occur in practice.
    pub fn backup(&mut self, now: u64) -> Result<Zeroizing<Vec<u8>>, WalletError> {
        self.record(now, Event::BackedUp);
        let mut copy = self.clone();
        copy.batch = None;
        copy.enrolling = None;
        copy.issuances.clear();
        copy.dids.iter_mut().for_each(|held| held.pending = None);
        copy.credentials.iter_mut().for_each(HeldCredential::strip);
        copy.to_json()
    }

    /// A wallet from a backup. What the ledger knows about it is still to be found, by
    /// [`Self::candidate`] and [`Self::found`].
    ///
    /// # Errors
    /// [`WalletError`].
    pub fn restore(json: &[u8], now: u64) -> Result<Self, WalletError> {
        let mut wallet = Self::from_json(json)?;
        for held in &mut wallet.dids {
            if !passes("WAL-22", held.assignment != Assignment::Pooled) {
                held.assignment = Assignment::Kept;
            }
        }
        wallet.begin_series(wallet.series.saturating_add(1));
        wallet.record(now, Event::Restored);
        Ok(wallet)
    }

    fn begin_series(&mut self, series: u32) {
        self.series = series;
        self.next_number = 0;
    }

    /// The series to search for DIDs made after the backup: those it knows, and the current one, in
    /// which another wallet restored from the same backup may have made some.
    #[must_use]
    pub const fn series_to_search(&self) -> std::ops::RangeInclusive<u32> {
        0..=self.series
    }

    /// A DID that this wallet could have made: whether the ledger knows it is to be asked.
    #[must_use]
    pub fn candidate(&self, index: Index) -> Did {
        self.charter().did(self.keychain(index).inception().hash())
    }

    /// Takes note of what a proof says about a candidate. A DID on the ledger that the backup did not
    /// know is kept; which site knows it nobody remembers. Gives whether the ledger has it.
    ///
    /// # Errors
    /// [`WalletError`], which does not occur for a candidate of this wallet.
    pub fn found(&mut self, index: Index, seen: &Observation, now: u64) -> Result<bool, WalletError> {
        self.saw_height(seen.height);
        let did = self.candidate(index);
        let known = self.find(&did).is_ok();
        if !seen.is_published() && !known {
            return Ok(false);
        }
        if !known {
            self.dids.push(HeldDid::new(index, did.hash, Assignment::Kept));
        }
        // Somebody else works in this series already: begin the next.
        let elsewhere = index.series < self.series || !seen.is_published();
        if !passes("WAL-23", elsewhere) {
            self.begin_series(index.series.saturating_add(1));
        }
        self.observe(&did, seen, now)?;
        Ok(seen.is_published())
    }

    /// DIDs on the ledger whose keys a lost device still has: to be rotated or recovered.
    #[must_use]
    pub fn exposed(&self) -> Vec<Did> {
        self.dids()
            .iter()
            .filter(|held| held.ledger.is_some())
            .map(|held| self.did(held))
            .collect()
    }
}
