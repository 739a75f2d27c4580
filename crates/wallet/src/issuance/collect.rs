//! From a token to stored credentials: nonce, proofs, request, deferred answers, notification; one
//! credential of the offer after the other.

use rand_core::CryptoRng;
use realdid_checks::passes;
use realdid_openid::oauth::server_metadata;
use realdid_openid::vci::{
    CredentialRequest, CredentialResponse, DeferredRequest, IssuerMetadata, NonceResponse, NotificationEvent,
    NotificationRequest, Outcome, Wanted, proof,
};
use serde_json::{Value, json};
use url::Url;

use super::describe::Describing;
use super::exchange::{Body, Endpoint, Fetch, Fetched, endpoint_url, json_text};
use super::judge::{IssuerKey, IssuerReference, judge_all};
use super::pending::{Awaited, PendingIssuance, Transaction};
use super::plan::{issuer_name, naming};
use super::{Issuance, IssuanceError, Kept, Received, Stage, Step, success};
use crate::credentials::{HeldIssuer, MAX_COPIES, NewCredential};

/// Where the collecting of credentials stands.
#[derive(Debug)]
pub(super) enum Collecting {
    /// To be decided by what is awaited first.
    Next,
    /// A nonce for the proofs is needed; whether one was refused already.
    Nonce { again: bool },
    /// The credential is to be asked for.
    Ask { nonce: Option<String>, again: bool },
    /// It is too early to ask again.
    Wait(u64),
    /// A deferred credential is to be asked for.
    Deferred,
    /// The issuer's key is to be found.
    Resolve(Issued, IssuerReference),
    /// What the credential's type says of itself is to be fetched.
    Describe(Box<Received>, Option<String>, Describing),
    /// The credential is to be stored.
    Store(Box<Received>, Option<String>),
    /// The issuer is to be told.
    Notify(NotificationRequest),
    /// Everything is there.
    Done,
}

/// What the issuer gave.
#[derive(Debug)]
pub(super) struct Issued {
    credentials: Vec<String>,
    notification_id: Option<String>,
}

impl Issuance {
    /// The next step of collecting.
    pub(super) fn collect(&mut self, now: u64, rng: &mut impl CryptoRng) -> Result<Step, IssuanceError> {
        if matches!(self.stage, Stage::Collect(Collecting::Next)) {
            self.stage = self.next_stage(now)?;
        }
        let Stage::Collect(collecting) = &self.stage else {
            return self.step(now, rng);
        };
        match collecting {
            Collecting::Next => Err(IssuanceError::Damaged),
            Collecting::Nonce { .. } => {
                let url = self.issuer_endpoint(Endpoint::Nonce)?;
                Ok(Step::Fetch(Fetch {
                    endpoint: Endpoint::Nonce,
                    url,
                    body: Body::Empty,
                    headers: Vec::new(),
                }))
            }
            Collecting::Ask { nonce, .. } => {
                let nonce = nonce.clone();
                self.ask(nonce.as_deref(), now, rng).map(Step::Fetch)
            }
            Collecting::Wait(until) => Ok(Step::Wait(*until)),
            Collecting::Deferred => self.ask_again(now, rng).map(Step::Fetch),
            Collecting::Resolve(_, reference) => Ok(Step::Resolve(reference.clone())),
            Collecting::Describe(_, _, describing) => {
                let wanted = describing.wanted().ok_or(IssuanceError::Damaged)?;
                Ok(Step::Describe(wanted))
            }
            Collecting::Store(received, _) => Ok(Step::Store(received.clone())),
            Collecting::Notify(notification) => {
                let body = Body::Json(json_text(&json!(notification)));
                self.with_access(Endpoint::Notification, body, now, rng)
                    .map(Step::Fetch)
            }
            Collecting::Done => Ok(Step::Done),
        }
    }

    fn next_stage(&self, now: u64) -> Result<Stage, IssuanceError> {
        let pending = self.pending()?;
        let Some(awaited) = pending.awaited.first() else {
            return Ok(Stage::Collect(Collecting::Done));
        };
        let over = pending
            .access
            .expires_at
            .is_some_and(|expires_at| now >= expires_at);
        if over && pending.refresh_token.is_some() {
            return Ok(match &self.server {
                None => Stage::ServerMetadata(server_metadata::WELL_KNOWN),
                Some(_) => Stage::Token(self.refresh_request()?),
            });
        }
        Ok(Stage::Collect(match &awaited.transaction {
            Some(transaction) if now < transaction.not_before => Collecting::Wait(transaction.not_before),
            Some(_) => Collecting::Deferred,
            None if awaited.algorithm.is_some() && self.metadata()?.nonce_endpoint.is_some() => {
                Collecting::Nonce { again: false }
            }
            None => Collecting::Ask {
                nonce: None,
                again: true,
            },
        }))
    }

    pub(super) fn pending(&self) -> Result<&PendingIssuance, IssuanceError> {
        self.pending.as_ref().ok_or(IssuanceError::Damaged)
    }

    fn metadata(&self) -> Result<&IssuerMetadata, IssuanceError> {
        self.metadata.as_ref().ok_or(IssuanceError::Damaged)
    }

    fn first(&self) -> Result<&Awaited, IssuanceError> {
        self.pending()?.awaited.first().ok_or(IssuanceError::Damaged)
    }

    fn first_mut(&mut self) -> Result<&mut Awaited, IssuanceError> {
        let pending = self.pending.as_mut().ok_or(IssuanceError::Damaged)?;
        pending.awaited.first_mut().ok_or(IssuanceError::Damaged)
    }

    fn issuer_endpoint(&self, endpoint: Endpoint) -> Result<Url, IssuanceError> {
        let metadata = self.metadata()?;
        let text = match endpoint {
            Endpoint::Nonce => metadata.nonce_endpoint.as_deref(),
            Endpoint::Deferred => metadata.deferred_credential_endpoint.as_deref(),
            Endpoint::Notification => metadata.notification_endpoint.as_deref(),
            _ => Some(metadata.credential_endpoint.as_str()),
        };
        let text = text.ok_or(IssuanceError::NoEndpoint(endpoint))?;
        endpoint_url(endpoint, text, self.options.sandbox)
    }

    /// The address whose nonces go into proofs for this token.
    pub(super) fn credential_url(&self) -> Result<Url, IssuanceError> {
        self.issuer_endpoint(Endpoint::Credential)
    }

    fn with_access(
        &self,
        endpoint: Endpoint,
        body: Body,
        now: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<Fetch, IssuanceError> {
        let url = self.issuer_endpoint(endpoint)?;
        let headers = self
            .pending()?
            .access
            .headers(&url, self.dpop.as_ref(), now, rng)?;
        Ok(Fetch {
            endpoint,
            url,
            body,
            headers,
        })
    }

    fn ask(
        &mut self,
        nonce: Option<&str>,
        now: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<Fetch, IssuanceError> {
        if self.first()?.keys.is_empty() {
            self.first_mut()?.draw_keys(rng);
        }
        let (awaited, pending) = (self.first()?, self.pending()?);
        let mut proofs = Vec::new();
        for key in &awaited.keys {
            let key = key.secret_key();
            let client_id = pending.client_id.as_deref();
            let input = proof::signing_input(&key.public_key(), &self.issuer, client_id, nonce, now)?;
            let signature = key.sign_raw(input.as_bytes());
            proofs.push(input.finish(&signature));
        }
        let encrypting = self.encrypting.as_ref().ok_or(IssuanceError::Damaged)?;
        let request = CredentialRequest {
            wanted: match &awaited.identifier {
                Some(identifier) => Wanted::Identifier(identifier.clone()),
                None => Wanted::Configuration(awaited.configuration.clone()),
            },
            proofs,
            encryption: encrypting.parameters(),
        };
        let body = encrypting.seal(&request.to_json(), rng)?;
        self.with_access(Endpoint::Credential, body, now, rng)
    }

    fn ask_again(&self, now: u64, rng: &mut impl CryptoRng) -> Result<Fetch, IssuanceError> {
        let transaction = self.first()?.transaction.as_ref().ok_or(IssuanceError::Damaged)?;
        let encrypting = self.encrypting.as_ref().ok_or(IssuanceError::Damaged)?;
        let request = DeferredRequest {
            transaction_id: transaction.id.clone(),
            encryption: encrypting.parameters(),
        };
        let body = encrypting.seal(&request.to_json(), rng)?;
        self.with_access(Endpoint::Deferred, body, now, rng)
    }

    /// Takes the answer to a request of [`Self::collect`].
    pub(super) fn collected(&mut self, answer: &Fetched, now: u64) -> Result<(), IssuanceError> {
        let Stage::Collect(collecting) = &self.stage else {
            return Err(IssuanceError::Damaged);
        };
        let next = match collecting {
            Collecting::Nonce { again } => {
                let answer = success(answer, Endpoint::Nonce)?;
                let nonce: NonceResponse = serde_json::from_slice(&answer.body)
                    .map_err(|_| IssuanceError::Answer(Endpoint::Nonce))?;
                Collecting::Ask {
                    nonce: Some(nonce.c_nonce),
                    again: *again,
                }
            }
            // Somebody else was quicker, or the nonce grew old: once more.
            Collecting::Ask { again: false, .. } if answer.error_is("invalid_nonce") => {
                Collecting::Nonce { again: true }
            }
            Collecting::Ask { .. } => self.credential_received(answer, Endpoint::Credential, now)?,
            Collecting::Deferred => self.credential_received(answer, Endpoint::Deferred, now)?,
            // Nothing depends on whether the issuer listens.
            Collecting::Notify(_) => {
                self.advance()?;
                Collecting::Next
            }
            _ => return Err(IssuanceError::Damaged),
        };
        self.repeated = false;
        self.stage = Stage::Collect(next);
        Ok(())
    }

    fn credential_received(
        &mut self,
        answer: &Fetched,
        endpoint: Endpoint,
        now: u64,
    ) -> Result<Collecting, IssuanceError> {
        let answer = success(answer, endpoint)?;
        let encrypting = self.encrypting.as_ref().ok_or(IssuanceError::Damaged)?;
        let body = encrypting.open(answer, endpoint)?;
        let outcome = CredentialResponse::parse(&body).map_err(|_| IssuanceError::Answer(endpoint))?;
        match outcome {
            Outcome::Issued {
                credentials,
                notification_id,
            } => {
                let text = |issued: realdid_openid::vci::IssuedCredential| match issued.credential {
                    Value::String(text) => Some(text),
                    _ => None,
                };
                let credentials: Option<Vec<String>> = credentials.into_iter().map(text).collect();
                let credentials = credentials.ok_or(IssuanceError::Answer(endpoint))?;
                let keys = self.first()?.keys.len();
                if !passes("WVC-15", credentials.len() <= keys.max(1)) || credentials.len() > MAX_COPIES {
                    return Err(IssuanceError::Answer(endpoint));
                }
                let reference = IssuerReference::of_all(&credentials)?;
                let issued = Issued {
                    credentials,
                    notification_id,
                };
                Ok(Collecting::Resolve(issued, reference))
            }
            Outcome::Deferred {
                transaction_id,
                interval,
            } => {
                let awaited = self.first_mut()?;
                let same = awaited
                    .transaction
                    .as_ref()
                    .is_none_or(|known| known.id == transaction_id);
                if !passes("WVC-14", same) {
                    return Err(IssuanceError::OtherTransaction);
                }
                awaited.transaction = Some(Transaction {
                    id: transaction_id,
                    not_before: now.saturating_add(interval),
                });
                self.unsaved = true;
                Ok(Collecting::Next)
            }
        }
    }

    /// The type of the credential that is being fetched.
    #[must_use]
    pub fn expected_type(&self) -> Option<&str> {
        self.first().ok().map(|awaited| awaited.vct.as_str())
    }

    /// The time of a [`Step::Wait`] is over.
    pub fn waited(&mut self) {
        if matches!(self.stage, Stage::Collect(Collecting::Wait(_))) {
            self.stage = Stage::Collect(Collecting::Next);
        }
    }

    /// The issuer's key was found: checks what was issued. `now` in Unix seconds. After a failure the
    /// steps that are left tell the issuer.
    ///
    /// # Errors
    /// [`IssuanceError::Judge`].
    pub fn resolved(&mut self, issuer: &IssuerKey, now: u64) -> Result<(), IssuanceError> {
        let Stage::Collect(Collecting::Resolve(issued, _)) = &self.stage else {
            return Err(IssuanceError::Damaged);
        };
        let awaited = self.first()?;
        let copies = match judge_all(&issued.credentials, issuer, &awaited.vct, &awaited.keys, now) {
            Ok(copies) => copies,
            Err(error) => {
                self.unresolved()?;
                return Err(error.into());
            }
        };
        let metadata = self.metadata()?;
        let credential = NewCredential {
            vct: awaited.vct.clone(),
            name: awaited.name.clone(),
            issuer: HeldIssuer {
                identifier: self.issuer.clone(),
                name: issuer_name(metadata),
                did: issuer.did.clone(),
                standing: issuer.standing,
                standing_at: now,
            },
            copies,
            renewal: self.pending()?.renewal(awaited),
            naming: naming(metadata, &awaited.configuration),
        };
        let received = Received {
            credential,
            replaces: self.pending()?.replaces,
        };
        let notification = issued.notification_id.clone();
        self.describe(received, notification)
    }

    /// The issuer's key cannot be found: the credential is not taken, and the steps that are left tell
    /// the issuer.
    ///
    /// # Errors
    /// [`IssuanceError::Damaged`] if no key was asked for.
    pub fn unresolved(&mut self) -> Result<(), IssuanceError> {
        let Stage::Collect(Collecting::Resolve(issued, _)) = &self.stage else {
            return Err(IssuanceError::Damaged);
        };
        let notification = issued.notification_id.clone();
        self.tell(notification, NotificationEvent::CredentialFailure)
    }

    /// What became of the credential of [`Step::Store`].
    ///
    /// # Errors
    /// [`IssuanceError::Damaged`] if there was none.
    pub fn stored(&mut self, kept: Kept) -> Result<(), IssuanceError> {
        let Stage::Collect(Collecting::Store(_, notification)) = &self.stage else {
            return Err(IssuanceError::Damaged);
        };
        let notification = notification.clone();
        let event = match kept {
            Kept::Stored => NotificationEvent::CredentialAccepted,
            Kept::Declined => NotificationEvent::CredentialDeleted,
            Kept::Failed => NotificationEvent::CredentialFailure,
        };
        self.tell(notification, event)
    }

    pub(super) fn tell(&mut self, id: Option<String>, event: NotificationEvent) -> Result<(), IssuanceError> {
        let known = self.metadata()?.notification_endpoint.is_some();
        self.stage = Stage::Collect(match id.filter(|_| known) {
            Some(notification_id) => Collecting::Notify(NotificationRequest {
                notification_id,
                event,
                event_description: None,
            }),
            None => {
                self.advance()?;
                Collecting::Next
            }
        });
        Ok(())
    }

    /// The notification could not be sent; nothing depends on it.
    pub fn skip_notification(&mut self) {
        if matches!(self.stage, Stage::Collect(Collecting::Notify(_))) && self.advance().is_ok() {
            self.stage = Stage::Collect(Collecting::Next);
        }
    }

    fn advance(&mut self) -> Result<(), IssuanceError> {
        let pending = self.pending.as_mut().ok_or(IssuanceError::Damaged)?;
        if !pending.awaited.is_empty() {
            pending.awaited.remove(0);
        }
        self.unsaved = true;
        Ok(())
    }
}
