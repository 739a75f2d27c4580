//! What the holder is asked before anything is given away, and the answer to the site.
//!
//! One DID per site: a site that is known gets the DID it knows, a new one gets a DID nobody has
//! seen, and no DID ever goes to a second site.

use realdid_checks::passes;
use realdid_crypto::base64url_encode;
use realdid_did::{Did, Level};
use realdid_openid::jws::JwsError;
use realdid_openid::realdid_jwt::{self, LoginClaims, VpToken};
use realdid_token::epoch_accepted;
use url::Url;

use crate::history::Event;
use crate::login::LoginRequest;
use crate::operations::{OnLedger, Stage};
use crate::state::{Assignment, HeldDid, Site, Wallet, WalletError};

/// How long an answer may be shown, in seconds (protocol.md §8: at most five minutes).
const ANSWER_LIFETIME: u64 = 120;
/// What a login gives away, in one sentence.
pub const GIVES: &str = "that a verified person stands behind this DID; \
    no name, no number, nothing that another site could compare";

/// Why the wallet has no answer to a request it believes.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// The DID named is not held.
    #[error(transparent)]
    Wallet(#[from] WalletError),
    /// The DID named is known to another site.
    #[error("the DID is known to {0}, and is never shown to another site")]
    PinnedElsewhere(String),
    /// No fresh DID is left.
    #[error("no fresh DID is left for a new site")]
    PoolEmpty,
    /// The DID has no token.
    #[error("the DID has no real-name token")]
    NoToken,
    /// The site asks for a higher level than the token has.
    #[error("the site asks for level {asked}, the token has {held:?}")]
    Level {
        /// What the site asks for.
        asked: String,
        /// What the token says.
        held: Level,
    },
    /// Signing failed: the answer is too long.
    #[error(transparent)]
    Jws(#[from] JwsError),
}

impl AnswerError {
    /// The stable code, the same in every language and version.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Wallet(error) => error.code(),
            Self::PinnedElsewhere(_) => "did_pinned_elsewhere",
            Self::PoolEmpty => "pool_empty",
            Self::NoToken => "no_token",
            Self::Level { .. } => "level_too_low",
            Self::Jws(_) => "answer_too_long",
        }
    }
}

/// What the holder should know before agreeing. The site decides; the wallet only says what to expect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Warning {
    /// The token's epoch is over: the site will refuse until it is renewed.
    TokenLapsed,
    /// The token is of the previous epoch: renew it before this one ends.
    TokenLapsesSoon,
    /// A recovery is under way: the site will refuse until it takes effect.
    Recovering,
    /// The DID is deactivated: the site will refuse.
    Deactivated,
    /// The keys on the ledger are not this wallet's: recover the DID.
    KeysReplaced,
    /// The DID comes from a backup: another site may know it.
    PerhapsKnownElsewhere,
}

impl Warning {
    /// The sentence for it, without what to do.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::TokenLapsed => {
                "the real-name token has lapsed: the site will refuse it until it is renewed"
            }
            Self::TokenLapsesSoon => {
                "the real-name token is of the previous epoch and lapses with this one: renew it"
            }
            Self::Recovering => "a recovery is under way: the site will refuse the DID until it takes effect",
            Self::Deactivated => "the DID is deactivated: the site will refuse it",
            Self::KeysReplaced => "the keys on the ledger are not this wallet's: recover the DID",
            Self::PerhapsKnownElsewhere => "the DID comes from a backup: another site may know it",
        }
    }
}

/// What the holder agrees to, or not.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Consent {
    /// Who asks: the site's name, on its sponsor's word.
    pub site: String,
    /// Where the site is.
    pub site_origins: Vec<String>,
    /// The site's DID.
    pub site_did: Did,
    /// Who speaks for the site: an accredited sign-in server.
    pub sponsor: String,
    /// Its DID.
    pub sponsor_did: Did,
    /// Why: what the site wants to know.
    pub purpose: String,
    /// What it gets.
    pub gives: &'static str,
    /// The DID it will know the holder by.
    pub did: Did,
    /// Whether the site knows this DID already.
    pub known_to_site: bool,
    /// What to expect.
    pub warnings: Vec<Warning>,
}

/// The answer, ready to be posted.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Where to.
    pub response_uri: Url,
    /// The `vp_token`, JSON.
    pub vp_token: String,
    /// The `state`, repeated.
    pub state: Option<String>,
}

impl Wallet {
    /// Chooses the DID for a site and says what the holder would agree to. `named` overrides the
    /// choice, but never takes a DID to a second site.
    ///
    /// # Errors
    /// [`AnswerError`].
    pub fn consent(&self, login: &LoginRequest, named: Option<&Did>) -> Result<Consent, AnswerError> {
        let held = self.choose(login.client_id(), named, login.epoch())?;
        let token = held.token.as_ref().ok_or(AnswerError::NoToken)?;
        let asked = &login.query().level;
        let reached = level(asked).is_some_and(|asked| token.level >= asked);
        if !passes("WAL-19", reached) {
            return Err(AnswerError::Level {
                asked: asked.clone(),
                held: token.level,
            });
        }
        Ok(Consent {
            site: login.site_name().to_owned(),
            site_origins: login.site_origins(),
            site_did: login.site().clone(),
            sponsor: login.sponsor_name().to_owned(),
            sponsor_did: login.sponsor().clone(),
            purpose: format!("to log you in as a real person, verified at level `{asked}`"),
            gives: GIVES,
            did: self.did(held),
            known_to_site: matches!(held.assignment, Assignment::Site(_)),
            warnings: warnings(held, token.epoch, login.epoch()),
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

    /// Pins the DID of the consent to the site and signs the answer. The wallet must be stored before
    /// the answer is sent, so that a crash cannot give the DID to another site.
    ///
    /// # Errors
    /// [`AnswerError`].
    pub fn answer(
        &mut self,
        login: &LoginRequest,
        consent: &Consent,
        now: u64,
    ) -> Result<Answer, AnswerError> {
        let held = self.choose(login.client_id(), Some(&consent.did), login.epoch())?;
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
            aud: login.client_id().to_owned(),
            nonce: login.request().nonce().to_owned(),
            iat: now,
            exp: now + ANSWER_LIFETIME,
            charter: self.charter_claim(),
            token: base64url_encode(token.to_bytes().as_slice()),
            credentials: Vec::new(),
        };
        let presentation = realdid_jwt::sign(&claims, &did.key_url(&key.public_key()), &key)?;
        let vp_token = VpToken::single(&login.query().id, presentation);
        self.pin(&did, login, now)?;
        Ok(Answer {
            response_uri: login.request().response_uri().clone(),
            vp_token: serde_json::to_string(&vp_token).map_err(|_| JwsError::Claims)?,
            state: login.request().state().map(str::to_owned),
        })
    }

    fn pin(&mut self, did: &Did, login: &LoginRequest, now: u64) -> Result<(), WalletError> {
        let held = self.find_mut(did)?;
        let since = match &held.assignment {
            Assignment::Site(site) => site.since,
            Assignment::Pooled | Assignment::Kept => now,
        };
        let (client_id, name) = (login.client_id().to_owned(), login.site_name().to_owned());
        held.assignment = Assignment::Site(Site {
            client_id,
            name,
            since,
        });
        Ok(())
    }

    /// Notes that a site took the answer.
    pub fn logged_in(&mut self, login: &LoginRequest, consent: &Consent, now: u64) {
        let event = Event::LoggedIn {
            name: consent.site.clone(),
            client_id: login.client_id().to_owned(),
            did: consent.did.clone(),
            gave: "real_name_token".to_owned(),
        };
        self.record(now, event);
    }
}

fn pinned_to(held: &HeldDid, client_id: &str) -> bool {
    matches!(&held.assignment, Assignment::Site(site) if site.client_id == client_id)
}

fn level(text: &str) -> Option<Level> {
    serde_json::from_value(text.into()).ok()
}

fn warnings(held: &HeldDid, token: u64, current: u64) -> Vec<Warning> {
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
