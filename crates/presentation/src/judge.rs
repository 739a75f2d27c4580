//! The decision about a login, in the light of the ledger.

use realdid_checks::passes;
use realdid_crypto::PublicKey;
use realdid_did::{Did, DocumentData, Entry, Level, Purposes, Status};
use realdid_ledger::{Accreditation, EpochKeyRecord, LightError, ProvenState, Role};
use realdid_openid::realdid_jwt::{LoginClaims, TYP};
use realdid_token::{VerifiedToken, epoch_accepted};

use crate::{Expectation, LoginRefusal, ShownLogin};

/// What a shell fetched to judge a login by.
#[derive(Debug, Clone)]
pub struct Evidence<'a> {
    /// Proves the DID's entry, or its absence.
    pub did_state: &'a ProvenState,
    /// Proves the token's key and its authority's accreditation.
    pub key_state: &'a ProvenState,
    /// Document data by the hash [`ShownLogin::document_needed`] told. Need not be trusted.
    pub document: Option<DocumentData>,
}

/// A login that is valid: whoever sent it controls the DID, and a verified person stands behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedLogin {
    did: Did,
    level: Level,
    height: u64,
}

impl VerifiedLogin {
    /// The DID that logs in.
    #[must_use]
    pub const fn did(&self) -> &Did {
        &self.did
    }

    /// How thoroughly the person was verified.
    #[must_use]
    pub const fn level(&self) -> Level {
        self.level
    }

    /// The highest height seen on the way: no lower one may be accepted later.
    #[must_use]
    pub const fn height(&self) -> u64 {
        self.height
    }
}

/// Decides whether a login is valid. `now` in Unix seconds.
///
/// # Errors
/// [`LoginRefusal`].
pub fn judge_login(
    expectation: &Expectation,
    shown: &ShownLogin,
    evidence: Evidence<'_>,
    now: u64,
) -> Result<VerifiedLogin, LoginRefusal> {
    judge(
        expectation,
        shown,
        &LedgerView::from_proven(shown, evidence)?,
        now,
    )
}

/// What the ledger proves about one login. Outside of tests it is only made of [`ProvenState`].
#[derive(Debug, Clone)]
struct LedgerView {
    entry: Option<Entry>,
    document: Option<DocumentData>,
    token_key: Option<EpochKeyRecord>,
    accreditation: Option<Accreditation>,
    /// The later of the two headers' epochs.
    epoch: u64,
    /// Time of the header over the DID's state, in Unix seconds.
    did_time: u64,
    /// Time of the older of the two headers, in Unix seconds.
    oldest_time: u64,
    /// The higher of the two heights.
    height: u64,
}

impl LedgerView {
    fn from_proven(shown: &ShownLogin, evidence: Evidence<'_>) -> Result<Self, LoginRefusal> {
        let Evidence {
            did_state,
            key_state,
            document,
        } = evidence;
        let token_key = key_state.epoch_key(&shown.token_key_id())?;
        let accreditation = match &token_key {
            Some(record) => key_state.accreditation(&record.key.authority)?,
            None => None,
        };
        Ok(Self {
            entry: did_state.did(&shown.did.hash)?,
            document,
            token_key,
            accreditation,
            epoch: did_state.epoch().max(key_state.epoch()),
            did_time: did_state.time(),
            oldest_time: did_state.time().min(key_state.time()),
            height: did_state.height().max(key_state.height()),
        })
    }
}

fn judge(
    expectation: &Expectation,
    shown: &ShownLogin,
    view: &LedgerView,
    now: u64,
) -> Result<VerifiedLogin, LoginRefusal> {
    check_freshness(expectation, view, now)?;
    check_status(view, now)?;
    let document = current_document(shown, view)?;
    check_key(shown, document)?;
    let token_key = check_token_key(view)?;
    check_authority(view)?;
    check_epoch(token_key, view)?;
    check_level(token_key, expectation)?;
    check_signature(shown, &shown.key)?;
    let token = check_token(expectation, shown, token_key)?;
    Ok(VerifiedLogin {
        did: shown.did.clone(),
        level: token.level,
        height: view.height,
    })
}

/// protocol.md §3: every acceptance needs a fresh proof, also of absence.
fn check_freshness(expectation: &Expectation, view: &LedgerView, now: u64) -> Result<(), LoginRefusal> {
    let age = now.saturating_sub(view.oldest_time);
    if !passes("LOG-11", age <= expectation.max_age) {
        return Err(LightError::Stale {
            age,
            max_age: expectation.max_age,
        }
        .into());
    }
    Ok(())
}

/// §4: not while a recovery runs, and never after the end; by the ledger's time and by ours.
fn check_status(view: &LedgerView, now: u64) -> Result<(), LoginRefusal> {
    let Some(entry) = &view.entry else { return Ok(()) };
    for time in [view.did_time, now] {
        let status = entry.status(time);
        if !passes("LOG-12", status != Status::Recovering) {
            return Err(LoginRefusal::Recovering);
        }
        if !passes("LOG-13", status != Status::Deactivated) {
            return Err(LoginRefusal::Deactivated);
        }
    }
    Ok(())
}

/// §3: off the ledger a DID is as its inception says; on it, as its entry says, whatever is shown.
fn current_document<'a>(
    shown: &'a ShownLogin,
    view: &'a LedgerView,
) -> Result<&'a DocumentData, LoginRefusal> {
    let Some(entry) = &view.entry else {
        let shown = shown.shown_document();
        if !passes("LOG-14", shown.is_some()) {
            return Err(LoginRefusal::Unpublished);
        }
        return shown.ok_or(LoginRefusal::Document);
    };
    let current = entry.at(view.did_time).document;
    let fetched = view
        .document
        .as_ref()
        .filter(|document| document.hash() == current);
    let document = shown.document_told(&current).or(fetched);
    if !passes("LOG-15", document.is_some()) {
        return Err(LoginRefusal::Document);
    }
    document
        .or(view.document.as_ref())
        .ok_or(LoginRefusal::Unpublished)
}

fn check_key(shown: &ShownLogin, document: &DocumentData) -> Result<(), LoginRefusal> {
    let mut keys = document
        .keys()
        .iter()
        .filter(|key| key.purposes.contains(Purposes::AUTHENTICATION));
    if passes("LOG-16", keys.any(|key| key.key == shown.key)) {
        Ok(())
    } else {
        Err(LoginRefusal::Key)
    }
}

fn check_token_key(view: &LedgerView) -> Result<&EpochKeyRecord, LoginRefusal> {
    if !passes("LOG-17", view.token_key.is_some()) {
        return Err(LoginRefusal::UnknownTokenKey);
    }
    let record = view.token_key.as_ref().ok_or(LoginRefusal::Token)?;
    if passes("LOG-18", record.revoked_at == 0) {
        Ok(record)
    } else {
        Err(LoginRefusal::RevokedTokenKey)
    }
}

fn check_authority(view: &LedgerView) -> Result<(), LoginRefusal> {
    let in_force = |accreditation: &Accreditation| accreditation.in_force_as(Role::Authority);
    if passes("LOG-19", view.accreditation.as_ref().is_some_and(in_force)) {
        Ok(())
    } else {
        Err(LoginRefusal::Authority)
    }
}

fn check_epoch(token_key: &EpochKeyRecord, view: &LedgerView) -> Result<(), LoginRefusal> {
    let (epoch, current) = (token_key.key.epoch, view.epoch);
    if passes("LOG-20", epoch_accepted(epoch, current)) {
        Ok(())
    } else {
        Err(LoginRefusal::TokenExpired { epoch, current })
    }
}

fn check_level(token_key: &EpochKeyRecord, expectation: &Expectation) -> Result<(), LoginRefusal> {
    let (found, required) = (token_key.key.level, expectation.minimum_level);
    if passes("LOG-21", found >= required) {
        Ok(())
    } else {
        Err(LoginRefusal::Level { found, required })
    }
}

fn check_signature(shown: &ShownLogin, key: &PublicKey) -> Result<(), LoginRefusal> {
    match shown.message.verify::<LoginClaims>(key, TYP) {
        Err(error) if !passes("LOG-22", false) => Err(error.into()),
        _ => Ok(()),
    }
}

fn check_token(
    expectation: &Expectation,
    shown: &ShownLogin,
    token_key: &EpochKeyRecord,
) -> Result<VerifiedToken, LoginRefusal> {
    let token = shown
        .token
        .verify(&token_key.key, &expectation.charter_hash, &shown.did.hash);
    if !passes("LOG-23", token.is_ok()) {
        return Err(LoginRefusal::Token);
    }
    token.map_err(|_| LoginRefusal::TokenForm)
}

#[cfg(test)]
mod tests;
