//! The answer to a request: presentations, each made for this verifier and this request alone.

use std::collections::BTreeMap;

use rand_core::CryptoRng;
use realdid_checks::passes;
use realdid_credential::path::ClaimPath;
use realdid_credential::sd_jwt::{BindingClaims, SdJwt};
use realdid_crypto::{base64url_encode, sha256};
use realdid_jose::jwe::{self, Parties};
use realdid_openid::authorization_request::{TransactionData, TransactionError};
use realdid_openid::jws::JwsError;
use serde_json::{Map, Value, json};
use url::Url;

use super::selection::path;
use super::{AnswerError, PresentationRequest};
use crate::consent::{Consent, ToShow, claims_to_show};
use crate::history::Event;
use crate::state::Wallet;

/// The answer, ready to be posted as a form.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// Where to.
    pub response_uri: Url,
    /// The form's fields.
    pub form: Vec<(&'static str, String)>,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer")
            .field("response_uri", &self.response_uri.origin().ascii_serialization())
            .finish_non_exhaustive()
    }
}

impl Wallet {
    /// Signs what the holder agreed to: marks one-time copies as used, and pins the DID of a login to
    /// the site. **The wallet must be stored before the answer is sent**, so that a crash can make it
    /// show neither to another.
    ///
    /// # Errors
    /// [`AnswerError`]. After an error the wallet is to be thrown away unstored.
    pub fn answer(
        &mut self,
        request: &PresentationRequest,
        consent: &Consent,
        now: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<Answer, AnswerError> {
        let open = request.request().expires().is_none_or(|expires| now < expires);
        if !passes("WVP-11", open) {
            return Err(AnswerError::Expired);
        }
        let authorised = assign_transactions(request, consent)?;
        let mut vp_token: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        let mut hashes = Vec::new();
        for (place, shown) in consent.credentials.iter().enumerate() {
            let of_this = authorised.iter().filter(|(by, _)| *by == place);
            let transactions: Vec<_> = of_this.map(|(_, transaction)| *transaction).collect();
            // Several queries may be answered by one credential (OpenID4VP 1.0 §6.1): by one copy, then.
            let earlier = consent.credentials[..place].iter();
            let mut earlier = earlier.filter(|other| other.credential == shown.credential);
            let again = earlier.any(|other| other.copy == shown.copy);
            let presentation = self.show(request, shown, &transactions, again, now)?;
            hashes.push(base64url_encode(sha256(presentation.as_bytes()).0));
            vp_token.entry(&shown.query).or_default().push(presentation);
        }
        if let Some(login) = &consent.login {
            let presentation = self.sign_login(request, login, hashes, now)?;
            vp_token.insert(&login.query, vec![presentation]);
        }
        let answer = request.answer(&json!(vp_token), rng)?;
        self.note_shown(request, consent, now);
        Ok(answer)
    }

    /// Notes what is shown before it is sent: whoever gets it may say afterwards that it did not.
    fn note_shown(&mut self, request: &PresentationRequest, consent: &Consent, now: u64) {
        if consent.credentials.is_empty() {
            return;
        }
        let event = Event::Presented {
            name: consent.asker.name.clone(),
            client_id: request.asker().client_id.clone(),
            registered: consent.asker.registered,
            credentials: consent.presented(),
        };
        self.record(now, event);
    }

    /// One credential: the copy, with what was agreed to, bound to this request by its holder's key.
    /// `again`: the same copy stands in this answer already.
    fn show(
        &mut self,
        request: &PresentationRequest,
        shown: &ToShow,
        transactions: &[&TransactionData],
        again: bool,
        now: u64,
    ) -> Result<String, AnswerError> {
        let copy = self.credential(shown.credential)?.copy(shown.copy)?;
        let fresh = copy.uses.is_empty() || copy.is_long_lived() || shown.shown_before || again;
        if !passes("WVP-12", fresh) {
            return Err(AnswerError::CopyUsed);
        }
        let disclosed = SdJwt::parse(&copy.compact)?.disclosed()?;
        let paths: Vec<ClaimPath> = shown.pointers.iter().map(path).collect();
        let presentation = disclosed.select(&paths).map_err(|_| JwsError::Claims)?;
        let read = SdJwt::parse(presentation.text())?.disclosed()?;
        let told = claims_to_show(read.claims(), &[]);
        let agreed = told.len() == shown.claims.len()
            && told
                .iter()
                .zip(&shown.claims)
                .all(|(told, agreed)| told.claim == agreed.claim);
        if !passes("WVP-14", agreed) {
            return Err(AnswerError::NotAgreed);
        }
        let presentation = match &copy.key {
            None => presentation.text().to_owned(),
            Some(key) => presentation.bind(
                &key.secret_key(),
                &BindingClaims {
                    audience: request.asker().client_id.clone(),
                    nonce: request.request().nonce().to_owned(),
                    issued_at: now,
                    more: transaction_claims(transactions),
                },
            )?,
        };
        if !again {
            self.use_copy(shown.credential, shown.copy, &request.asker().client_id, now)?;
        }
        Ok(presentation)
    }

    /// Notes that the answer was taken: the site knows the DID from now on.
    pub fn answered(&mut self, request: &PresentationRequest, consent: &Consent, now: u64) {
        let Some(login) = &consent.login else { return };
        let event = Event::LoggedIn {
            name: consent.asker.name.clone(),
            client_id: request.asker().client_id.clone(),
            did: login.did.clone(),
            gave: "real_name_token".to_owned(),
        };
        self.record(now, event);
    }
}

/// Which of the credentials shown authorises each transaction: the first that it names.
fn assign_transactions<'r>(
    request: &'r PresentationRequest,
    consent: &Consent,
) -> Result<Vec<(usize, &'r TransactionData)>, AnswerError> {
    let mut assigned = Vec::new();
    for transaction in request.request().transactions() {
        let mut shown = consent.credentials.iter();
        let by = shown.position(|shown| shown.bound && transaction.credential_ids.contains(&shown.query));
        assigned.push((by.ok_or(TransactionError::Credentials)?, transaction));
    }
    Ok(assigned)
}

/// `transaction_data_hashes` of a key binding (OpenID4VP 1.0 §B.3.3.1).
fn transaction_claims(transactions: &[&TransactionData]) -> Map<String, Value> {
    let mut claims = Map::new();
    if transactions.is_empty() {
        return claims;
    }
    let hashes: Vec<_> = transactions
        .iter()
        .map(|transaction| transaction.hash())
        .collect();
    claims.insert("transaction_data_hashes".to_owned(), json!(hashes));
    let algorithm = transactions
        .iter()
        .find_map(|transaction| transaction.hash_algorithm());
    if let Some(algorithm) = algorithm {
        claims.insert("transaction_data_hashes_alg".to_owned(), algorithm.into());
    }
    claims
}

impl PresentationRequest {
    /// The form for a `vp_token`: plain, or encrypted to the key of the request.
    fn answer(&self, vp_token: &Value, rng: &mut impl CryptoRng) -> Result<Answer, AnswerError> {
        let state = self.request().state();
        let form = match self.request().encryption() {
            None => {
                let mut form = vec![("vp_token", vp_token.to_string())];
                form.extend(state.map(|state| ("state", state.to_owned())));
                form
            }
            Some((recipient, encryption)) => {
                let mut content = json!({ "vp_token": vp_token });
                if let Some(state) = state {
                    content["state"] = state.into();
                }
                let content = content.to_string();
                let parties = Parties::default();
                let jwe = jwe::encrypt(recipient, *encryption, content.as_bytes(), parties, rng)?;
                vec![("response", jwe)]
            }
        };
        Ok(Answer {
            response_uri: self.request().response_uri().clone(),
            form,
        })
    }

    /// What tells the verifier that nothing comes (OpenID4VP 1.0 §8.5); `code` by
    /// [`AnswerError::response_code`], or `access_denied` if the holder does not agree.
    #[must_use]
    pub fn refusal(&self, code: &'static str) -> Answer {
        refusal(
            self.request().response_uri().clone(),
            self.request().state(),
            code,
        )
    }
}

/// An error response. It may be plain where an answer would have been encrypted (§8.3.1).
pub(super) fn refusal(response_uri: Url, state: Option<&str>, code: &'static str) -> Answer {
    let mut form = vec![("error", code.to_owned())];
    form.extend(state.map(|state| ("state", state.to_owned())));
    Answer { response_uri, form }
}
