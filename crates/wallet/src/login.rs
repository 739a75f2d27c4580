//! Logging in: choosing the one DID for a site, and proving that it is held.
//!
//! One DID per site: a site that is known gets the DID it knows, a new one gets a DID nobody has
//! seen, and no DID ever goes to a second site. Who may ask for a login is judged in
//! [`presenting`](crate::presenting).

use realdid_checks::passes;
use realdid_crypto::base64url_encode;
use realdid_did::{Did, Level};
use realdid_openid::realdid_jwt::{self, LoginClaims};
use realdid_token::epoch_accepted;

use crate::consent::{LoginToGive, Warning, Wishes};
use crate::operations::{OnLedger, Stage};
use crate::presenting::{AnswerError, PresentationRequest};
use crate::state::{Assignment, HeldDid, Site, Wallet, WalletError};

/// How long an answer may be shown, in seconds (protocol.md §8: at most five minutes).
const ANSWER_LIFETIME: u64 = 120;

impl Wallet {
    /// Chooses the DID for a site. One that is named overrides the choice, but never goes to a second
    /// site.
    pub(crate) fn login_to_give(
        &self,
        request: &PresentationRequest,
        wishes: &Wishes,
        warnings: &mut Vec<Warning>,
    ) -> Result<LoginToGive, AnswerError> {
        let asked = request.request().login().ok_or(AnswerError::NoLogin)?;
        let (client_id, epoch) = (&request.asker().client_id, request.epoch());
        let held = self.choose(client_id, wishes.did.as_ref(), epoch)?;
        let token = held.token.as_ref().ok_or(AnswerError::NoToken)?;
        let reached = level(&asked.level).is_some_and(|asked| token.level >= asked);
        if !passes("WAL-19", reached) {
            return Err(AnswerError::Level {
                asked: asked.level.clone(),
                held: token.level,
            });
        }
        warnings.extend(warn(held, token.epoch, epoch));
        Ok(LoginToGive {
            query: asked.id.clone(),
            level: asked.level.clone(),
            did: self.did(held),
            known_to_site: matches!(held.assignment, Assignment::Site(_)),
        })
    }

    fn choose(&self, client_id: &str, named: Option<&Did>, epoch: u64) -> Result<&HeldDid, AnswerError> {
        if let Some(did) = named {
            let held = self.find(did)?;
            return match &held.assignment {
                Assignment::Site(site) if !passes("WAL-20", site.client_id == client_id) => {
                    Err(AnswerError::PinnedElsewhere(site.name.clone()))
                }
                _ => Ok(held),
            };
        }
        // Without the check a site would be known as anybody: the newest DID will do.
        let pinned = self
            .dids()
            .iter()
            .rev()
            .find(|held| passes("WAL-21", pinned_to(held, client_id)));
        let fresh = || {
            let mut pooled = self
                .dids()
                .iter()
                .filter(|held| held.assignment == Assignment::Pooled);
            let current = |held: &&HeldDid| {
                held.token
                    .as_ref()
                    .is_some_and(|token| epoch_accepted(token.epoch, epoch))
            };
            pooled.clone().find(current).or_else(|| pooled.next())
        };
        pinned.or_else(fresh).ok_or(AnswerError::PoolEmpty)
    }

    /// Pins the DID to the site and signs the login. `credentials`: hashes of what goes with it.
    pub(crate) fn sign_login(
        &mut self,
        request: &PresentationRequest,
        login: &LoginToGive,
        credentials: Vec<String>,
        now: u64,
    ) -> Result<String, AnswerError> {
        let client_id = &request.asker().client_id;
        let held = self.choose(client_id, Some(&login.did), request.epoch())?;
        let (keys, did) = (self.keychain(held.index), self.did(held));
        let key = keys.authentication(held.generation);
        let shown = if held.ledger.is_some() {
            did.to_string()
        } else {
            did.long_form(&keys.inception())
        };
        let token = held
            .token
            .as_ref()
            .and_then(|held| held.token())
            .ok_or(AnswerError::NoToken)?;
        let claims = LoginClaims {
            iss: did.to_string(),
            did: shown,
            aud: client_id.clone(),
            nonce: request.request().nonce().to_owned(),
            iat: now,
            exp: now + ANSWER_LIFETIME,
            charter: self.charter_claim(),
            token: base64url_encode(token.to_bytes().as_slice()),
            credentials,
        };
        let presentation = realdid_jwt::sign(&claims, &did.key_url(&key.public_key()), &key)?;
        self.pin(&did, request, now)?;
        Ok(presentation)
    }

    fn pin(&mut self, did: &Did, request: &PresentationRequest, now: u64) -> Result<(), WalletError> {
        let held = self.find_mut(did)?;
        let since = match &held.assignment {
            Assignment::Site(site) => site.since,
            Assignment::Pooled | Assignment::Kept => now,
        };
        held.assignment = Assignment::Site(Site {
            client_id: request.asker().client_id.clone(),
            name: request.asker().name.clone(),
            since,
        });
        Ok(())
    }
}

fn pinned_to(held: &HeldDid, client_id: &str) -> bool {
    matches!(&held.assignment, Assignment::Site(site) if site.client_id == client_id)
}

fn level(text: &str) -> Option<Level> {
    serde_json::from_value(text.into()).ok()
}

fn warn(held: &HeldDid, token: u64, current: u64) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if !epoch_accepted(token, current) {
        warnings.push(Warning::TokenLapsed);
    } else if token < current {
        warnings.push(Warning::TokenLapsesSoon);
    }
    match held.ledger {
        Some(OnLedger {
            stage: Stage::Deactivated,
            ..
        }) => warnings.push(Warning::Deactivated),
        Some(OnLedger { ours: false, .. }) => warnings.push(Warning::KeysReplaced),
        Some(OnLedger {
            stage: Stage::Recovering { .. },
            ..
        }) => warnings.push(Warning::Recovering),
        _ => {}
    }
    if held.assignment == Assignment::Kept {
        warnings.push(Warning::PerhapsKnownElsewhere);
    }
    warnings
}
