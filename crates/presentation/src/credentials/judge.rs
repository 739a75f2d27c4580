//! The decision about credentials.

use std::collections::BTreeMap;

use realdid_checks::passes;
use realdid_credential::sd_jwt::{Expected, KeyBound};
use realdid_credential::status::token::PublishedList;
use realdid_credential::status::{Reference, Status};
use realdid_credential::vc::{Times, VerifiedVc};
use realdid_crypto::PublicKey;
use realdid_did::{Did, DocumentData, Entry, Purposes, Status as DidStatus};
use realdid_jose::x5c::{Chain, Roots};
use realdid_ledger::{Accreditation, Grant, LightError, RightKind, type_id};
use realdid_openid::CLOCK_SKEW;
use realdid_openid::authorization_request::transaction::check_bound;
use realdid_openid::dcql::{Authority, Candidate, SD_JWT_VC};
use serde_json::Value;

use super::{CredentialExpectation, CredentialRefusal, IssuerClue, ShownCredential, ShownCredentials};

/// Oldest proof of a holder's key that is accepted, in seconds.
const MAX_BINDING_AGE: u64 = 300;

/// How an issuer stands on the ledger, by proof of one height. Whoever fills it in has checked the
/// proof; how old it may be is decided here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerStanding {
    /// Its entry; `None` if its DID is not on the ledger.
    pub entry: Option<Entry>,
    /// Document data that is said to be the current one. It needs no trust.
    pub document: Option<DocumentData>,
    /// Its accreditation, in force or not.
    pub accreditation: Option<Accreditation>,
    /// The right to issue the credential's type, revoked or not.
    pub right: Option<Grant>,
    /// Time of the header, in Unix seconds.
    pub time: u64,
    /// Height of the header.
    pub height: u64,
}

/// What a shell knows of a credential's issuer.
#[derive(Debug, Clone, Copy)]
pub enum IssuerEvidence<'a> {
    /// Nothing, at the moment.
    Unavailable,
    /// An issuer with a DID: its entry, its accreditation and its right to issue the type, proven,
    /// and its document data, which need not be trusted.
    Ledger(&'a IssuerStanding),
    /// Roots of issuers that the relying party trusts by itself.
    Roots(&'a Roots),
    /// Whether the relying party trusts this https issuer by itself.
    Web {
        /// Whether it does.
        trusted: bool,
    },
}

/// What a shell knows that judging takes.
#[derive(Debug, Clone)]
pub struct CredentialEvidence<'a> {
    /// What is known of each credential's issuer, in the order of [`ShownCredentials`].
    pub issuers: Vec<IssuerEvidence<'a>>,
    /// Status lists by their address, each checked with the key of the credential's issuer.
    pub status_lists: BTreeMap<&'a str, &'a PublishedList>,
}

/// Who vouches for a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VerifiedIssuer {
    /// An organisation that is accredited on the ledger and was granted to issue the type.
    Accredited {
        /// Its DID.
        did: Did,
        /// Its name, as the consortium wrote it down.
        name: String,
        /// The height of the state this was proven by.
        height: u64,
    },
    /// A certificate under a root that the relying party trusts by itself.
    Certificate {
        /// SHA-256 of the certificate, base64url.
        hash: String,
    },
    /// An https address that the relying party trusts by itself.
    Web {
        /// The address.
        issuer: String,
    },
}

/// A credential that is valid, and answers its query.
#[derive(Debug, Clone, PartialEq)]
pub struct VerifiedCredential {
    query_id: String,
    vct: String,
    issuer: VerifiedIssuer,
    claims: Value,
    holder: Option<PublicKey>,
    status_checked: bool,
    expires_at: Option<u64>,
}

impl VerifiedCredential {
    /// Which query it answers.
    #[must_use]
    pub fn query_id(&self) -> &str {
        &self.query_id
    }

    /// Its type.
    #[must_use]
    pub fn vct(&self) -> &str {
        &self.vct
    }

    /// Who vouches for it.
    #[must_use]
    pub const fn issuer(&self) -> &VerifiedIssuer {
        &self.issuer
    }

    /// The claims that were asked for.
    #[must_use]
    pub const fn claims(&self) -> &Value {
        &self.claims
    }

    /// The key that whoever showed it has proven to hold; `None` if no proof was asked for.
    #[must_use]
    pub const fn holder(&self) -> Option<&PublicKey> {
        self.holder.as_ref()
    }

    /// Whether it has a status, which was looked up; else it is short-lived.
    #[must_use]
    pub const fn status_checked(&self) -> bool {
        self.status_checked
    }

    /// Until when it is valid, in Unix seconds, if it says so.
    #[must_use]
    pub const fn expires_at(&self) -> Option<u64> {
        self.expires_at
    }
}

/// Decides whether the credentials shown prove what was asked for. `now` in Unix seconds.
///
/// # Errors
/// [`CredentialRefusal`], the first found: one that does not hold refuses the answer.
pub fn judge_credentials(
    expectation: &CredentialExpectation,
    shown: &ShownCredentials,
    evidence: &CredentialEvidence<'_>,
    now: u64,
) -> Result<Vec<VerifiedCredential>, CredentialRefusal> {
    let mut verified = Vec::with_capacity(shown.0.len());
    let mut bound = Vec::new();
    for (place, credential) in shown.0.iter().enumerate() {
        let known = evidence
            .issuers
            .get(place)
            .unwrap_or(&IssuerEvidence::Unavailable);
        let issuer = Issuer::find(credential, *known)?;
        let case = Case {
            expectation,
            shown: credential,
            issuer,
            now,
        };
        let (credential, hashes) = case.judge(&evidence.status_lists)?;
        bound.push((credential.query_id.clone(), hashes));
        verified.push(credential);
    }
    check_bound(&expectation.transactions, &bound)?;
    Ok(verified)
}

/// By what an issuer is judged.
#[derive(Debug)]
pub(super) enum Issuer<'a> {
    Ledger {
        did: &'a Did,
        key: &'a PublicKey,
        standing: &'a IssuerStanding,
    },
    Roots(&'a Roots),
    Web {
        issuer: &'a str,
        key: &'a PublicKey,
        trusted: bool,
    },
}

impl<'a> Issuer<'a> {
    /// Joins what the credential says and what the shell knows.
    fn find(shown: &'a ShownCredential, known: IssuerEvidence<'a>) -> Result<Self, CredentialRefusal> {
        Ok(match (&shown.clue, known) {
            (IssuerClue::Did { did, key }, IssuerEvidence::Ledger(standing)) => {
                Self::Ledger { did, key, standing }
            }
            (IssuerClue::Certificates, IssuerEvidence::Roots(roots)) => Self::Roots(roots),
            (IssuerClue::WebKey { issuer, key }, IssuerEvidence::Web { trusted }) => {
                Self::Web { issuer, key, trusted }
            }
            _ => return Err(CredentialRefusal::IssuerUnavailable),
        })
    }
}

/// One credential before its judge.
pub(super) struct Case<'a> {
    pub(super) expectation: &'a CredentialExpectation,
    pub(super) shown: &'a ShownCredential,
    pub(super) issuer: Issuer<'a>,
    pub(super) now: u64,
}

impl Case<'_> {
    /// The credential, and the hashes of transactions that its holder authorised with it.
    pub(super) fn judge(
        &self,
        lists: &BTreeMap<&str, &PublishedList>,
    ) -> Result<(VerifiedCredential, Vec<String>), CredentialRefusal> {
        let (key, issuer) = self.check_issuer()?;
        let times = Times {
            now: self.now,
            leeway: CLOCK_SKEW,
        };
        let vc = self.shown.vc.verify(&key, &times)?;
        let bound = self.check_binding(&vc)?;
        let claims = self.check_query(&vc, bound.is_some(), &issuer, &key)?;
        self.check_status(&vc, lists)?;
        let hashes = bound.as_ref().and_then(KeyBound::transaction_data_hashes);
        let hashes = hashes.map(|(_, hashes)| hashes.into_iter().map(str::to_owned).collect());
        let credential = VerifiedCredential {
            query_id: self.shown.query_id.clone(),
            vct: vc.vct().to_owned(),
            issuer,
            claims,
            holder: bound.map(|bound| *bound.key()),
            status_checked: vc.status().is_some(),
            expires_at: vc.expires_at(),
        };
        Ok((credential, hashes.unwrap_or_default()))
    }

    /// The key that has to have signed, and who vouches by it.
    fn check_issuer(&self) -> Result<(PublicKey, VerifiedIssuer), CredentialRefusal> {
        match &self.issuer {
            Issuer::Ledger { did, key, standing } => {
                self.check_ledger(standing, key)?;
                let name = standing.accreditation.as_ref().map(|found| found.name.clone());
                let issuer = VerifiedIssuer::Accredited {
                    did: (*did).clone(),
                    name: name.unwrap_or_default(),
                    height: standing.height,
                };
                Ok((**key, issuer))
            }
            Issuer::Roots(roots) => {
                let chain = self
                    .shown
                    .chain
                    .as_ref()
                    .ok_or(CredentialRefusal::IssuerUnknown)?;
                let known = chain.verify(roots, self.now).is_ok();
                if !passes("CRD-10", known) {
                    return Err(CredentialRefusal::IssuerNotAccredited);
                }
                let leaf = chain.leaf();
                let hash = leaf.hash().to_owned();
                Ok((*leaf.key()?, VerifiedIssuer::Certificate { hash }))
            }
            Issuer::Web { issuer, key, trusted } => {
                if !passes("CRD-11", *trusted) {
                    return Err(CredentialRefusal::IssuerNotAccredited);
                }
                let issuer = (*issuer).to_owned();
                Ok((**key, VerifiedIssuer::Web { issuer }))
            }
        }
    }

    /// protocol.md §3, §7: what is known is fresh, the DID is active and has the key, and the
    /// consortium has given its accreditation and the right to issue this type.
    fn check_ledger(&self, known: &IssuerStanding, key: &PublicKey) -> Result<(), CredentialRefusal> {
        let (age, max_age) = (self.now.saturating_sub(known.time), self.expectation.max_age);
        if !passes("CRD-03", age <= max_age) {
            return Err(LightError::Stale { age, max_age }.into());
        }
        let entry = known.entry.as_ref();
        let active = entry.is_some_and(|entry| entry.status(self.now) == DidStatus::Active);
        if !passes("CRD-04", active) {
            return Err(CredentialRefusal::IssuerInactive);
        }
        let current = entry.map(|entry| entry.at(self.now).document);
        let document = known.document.as_ref();
        if !passes("CRD-05", document.map(DocumentData::hash) == current) {
            return Err(CredentialRefusal::IssuerDocument);
        }
        let keys = document.map_or(&[][..], DocumentData::keys).iter();
        let mut keys = keys.filter(|own| own.purposes.contains(Purposes::ASSERTION));
        if !passes("CRD-06", keys.any(|own| own.key == *key)) {
            return Err(CredentialRefusal::IssuerKey);
        }
        let may_issue = |found: &Accreditation| found.in_force() && found.role.may_hold(RightKind::Issue);
        if !passes("CRD-07", known.accreditation.as_ref().is_some_and(may_issue)) {
            return Err(CredentialRefusal::IssuerNotAccredited);
        }
        let issues = |found: &Grant| {
            let right = found.right;
            found.revoked_at == 0
                && right.kind == RightKind::Issue
                && right.type_id == type_id(self.shown.vct())
        };
        if !passes("CRD-08", known.right.as_ref().is_some_and(issues)) {
            return Err(CredentialRefusal::TypeNotGranted);
        }
        Ok(())
    }

    /// The proof of the holder's key, which has to hold if it is there. Whether there must be one is
    /// for the query to say, not for what was shown (RFC 9901 §9.5): see [`Self::check_query`].
    fn check_binding(&self, vc: &VerifiedVc) -> Result<Option<KeyBound>, CredentialRefusal> {
        if !vc.sd_jwt().has_key_binding() {
            return Ok(None);
        }
        let bound = vc.key_binding(&Expected {
            audience: self.expectation.client_id.as_str(),
            nonce: &self.expectation.nonce,
            now: self.now,
            max_age: MAX_BINDING_AGE,
        })?;
        Ok(Some(bound))
    }

    /// The claims that were asked for.
    fn check_query(
        &self,
        vc: &VerifiedVc,
        holder_bound: bool,
        issuer: &VerifiedIssuer,
        key: &PublicKey,
    ) -> Result<Value, CredentialRefusal> {
        let mut authorities: Vec<Authority> = Vec::new();
        let mut add = |kind: &str, value: &str| {
            authorities.push(Authority {
                kind: kind.to_owned(),
                value: value.to_owned(),
            });
        };
        if let VerifiedIssuer::Accredited { did, .. } = issuer {
            add("did", &did.to_string());
        }
        for authority in self
            .proven_chain(issuer, key)
            .map_or(&[][..], Chain::authority_keys)
        {
            add("aki", authority);
        }
        // Further types that the credential claims prove nothing: the right was proven for `vct`.
        let candidate = Candidate {
            format: SD_JWT_VC,
            types: &[vc.vct().to_owned()],
            claims: &Value::Object(vc.claims().clone()),
            holder_bound,
            authorities: &authorities,
        };
        Ok(self
            .expectation
            .query
            .satisfied_by(&self.shown.query_id, &candidate)?)
    }

    /// The certificates, as far as they say who stands behind the issuer: they led to a root that the
    /// relying party trusts, or hold together and certify the key that signed. Any others anybody may
    /// have put there.
    fn proven_chain(&self, issuer: &VerifiedIssuer, key: &PublicKey) -> Option<&Chain> {
        let chain = self.shown.chain.as_ref()?;
        let rooted = matches!(issuer, VerifiedIssuer::Certificate { .. });
        let own = chain.leaf().key() == Ok(key) && chain.holds_together(self.now);
        passes("CRD-15", rooted || own).then_some(chain)
    }

    fn check_status(
        &self,
        vc: &VerifiedVc,
        lists: &BTreeMap<&str, &PublishedList>,
    ) -> Result<(), CredentialRefusal> {
        let Some(stated) = vc.status() else { return Ok(()) };
        let reference = Reference {
            uri: stated.uri.clone(),
            index: stated.index,
        };
        let list = lists.get(stated.uri.as_str());
        if !passes("CRD-12", list.is_some()) {
            return Err(CredentialRefusal::StatusUnavailable);
        }
        let Some(list) = list else { return Ok(()) };
        let status = list.status(&reference, self.now, self.expectation.status_max_age)?;
        if !passes("CRD-13", status != Status::Suspended) {
            return Err(CredentialRefusal::Suspended);
        }
        if !passes("CRD-14", matches!(status, Status::Valid | Status::Suspended)) {
            return Err(CredentialRefusal::Revoked);
        }
        Ok(())
    }
}
