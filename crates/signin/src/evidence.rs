//! What is known of issuers and of the status of credentials, kept so that no presentation makes the
//! sign-in server ask anybody about it.
//!
//! Issuers on the ledger are looked up by `TrustLookup`, which keeps answers. Metadata of https
//! issuers are fetched for those alone that a website has registered as trusted. A status list is
//! fetched when the first credential of an issuer that was found valid refers to it, then again and
//! again in the background, for as long as credentials refer to it.

mod status_lists;
mod web_issuers;

use std::collections::BTreeMap;
use std::sync::Arc;

use realdid_client::outside::Outside;
use realdid_client::{Standing, TrustLookup};
use realdid_crypto::PublicKey;
use realdid_jose::x5c::Roots;
use realdid_ledger::Right;
use realdid_presentation::credentials::{
    CredentialEvidence, CredentialExpectation, CredentialRefusal, IssuerClue, IssuerEvidence, IssuerStanding,
    ShownCredential, ShownCredentials, VerifiedCredential, judge_credentials,
};

use status_lists::Signers;
pub(crate) use status_lists::StatusLists;
pub(crate) use web_issuers::WebIssuers;

use crate::verifier_options::VerifierOptions;

/// Oldest state by which it is seen whether the consortium has decided anything, in seconds.
const DECISIONS_AGE: u64 = 300;

/// What is kept of issuers and status lists.
pub(crate) struct Known {
    trust: TrustLookup,
    pub(crate) lists: StatusLists,
    pub(crate) web: WebIssuers,
}

/// What is known of one credential's issuer.
enum Issuer {
    Ledger(Box<IssuerStanding>, Arc<Standing>),
    Roots,
    Web(bool),
}

impl Known {
    pub(crate) fn new(trust: TrustLookup, outside: Outside, sandbox: bool) -> Self {
        Self {
            trust,
            lists: StatusLists::new(outside.clone()),
            web: WebIssuers::new(outside, sandbox),
        }
    }

    /// Looks whether the consortium has decided anything; what was known of issuers is then asked anew.
    pub(crate) async fn heed_decisions(&self) {
        if let Err(error) = self.trust.heed_decisions(DECISIONS_AGE).await {
            tracing::warn!(
                code = error.code(),
                "the consortium's decisions cannot be looked at"
            );
        }
    }

    /// Judges credentials by what is known. A status list that is needed and not at hand is fetched
    /// once everything else about its credential is found in order.
    pub(crate) async fn judge(
        &self,
        expectation: &CredentialExpectation,
        shown: &mut ShownCredentials,
        options: &VerifierOptions,
        now: u64,
    ) -> Result<Vec<VerifiedCredential>, CredentialRefusal> {
        let mut issuers = Vec::with_capacity(shown.0.len());
        for credential in &mut shown.0 {
            issuers.push(self.issuer(credential, expectation, options, now).await?);
        }
        let roots = options.roots();
        let mut judged = self.decide(expectation, shown, &issuers, &roots, now);
        // They are judged in order: when a list is missing it is the first that is not at hand, and
        // everything else about its credential was found good. Of the rest nothing is known yet.
        for (credential, issuer) in shown.0.iter().zip(&issuers) {
            let Some(uri) = credential.status_uri() else {
                continue;
            };
            let name = identity(credential);
            if judged != Err(CredentialRefusal::StatusUnavailable) {
                break;
            }
            if self.lists.kept(uri, &name, now).is_some() {
                continue;
            }
            let issuer_keys = signers(credential, issuer, &roots);
            self.lists.fetch(uri, &name, &issuer_keys, now).await;
            if self.lists.kept(uri, &name, now).is_none() {
                break;
            }
            judged = self.decide(expectation, shown, &issuers, &roots, now);
        }
        judged
    }

    fn decide(
        &self,
        expectation: &CredentialExpectation,
        shown: &ShownCredentials,
        issuers: &[Issuer],
        roots: &Roots,
        now: u64,
    ) -> Result<Vec<VerifiedCredential>, CredentialRefusal> {
        let lists: Vec<_> = shown
            .0
            .iter()
            .filter_map(|credential| {
                let uri = credential.status_uri()?;
                Some((uri, self.lists.kept(uri, &identity(credential), now)?))
            })
            .collect();
        let evidence = CredentialEvidence {
            issuers: issuers.iter().map(|issuer| issuer.evidence(roots)).collect(),
            status_lists: lists
                .iter()
                .map(|(uri, list)| (*uri, &**list))
                .collect::<BTreeMap<_, _>>(),
        };
        judge_credentials(expectation, shown, &evidence, now)
    }

    async fn issuer(
        &self,
        credential: &mut ShownCredential,
        expectation: &CredentialExpectation,
        options: &VerifierOptions,
        now: u64,
    ) -> Result<Issuer, CredentialRefusal> {
        if let IssuerClue::Web { issuer, kid } = credential.clue() {
            if !options.trusted_issuers.contains(issuer) {
                return Err(CredentialRefusal::IssuerNotAccredited);
            }
            let (issuer, kid) = (issuer.clone(), kid.clone());
            let key = self
                .web
                .key(&issuer, kid.as_deref(), credential.algorithm(), now)
                .await;
            let key = key.ok_or(CredentialRefusal::IssuerUnavailable)?;
            credential.found_key(key, kid.as_deref(), &expectation.network)?;
        }
        match credential.clue() {
            IssuerClue::Did { did, .. } => {
                let right = Right::to_issue(did.hash, credential.vct());
                let standing = self.trust.standing(did, right, expectation.max_age).await;
                let standing = standing.map_err(|error| {
                    tracing::warn!(code = error.code(), "an issuer cannot be looked up");
                    CredentialRefusal::IssuerUnavailable
                })?;
                Ok(Issuer::Ledger(Box::new(issuer_standing(&standing)), standing))
            }
            IssuerClue::Certificates => Ok(Issuer::Roots),
            IssuerClue::Web { issuer, .. } | IssuerClue::WebKey { issuer, .. } => {
                Ok(Issuer::Web(options.trusted_issuers.contains(issuer)))
            }
        }
    }
}

impl Issuer {
    fn evidence<'a>(&'a self, roots: &'a Roots) -> IssuerEvidence<'a> {
        match self {
            Self::Ledger(standing, _) => IssuerEvidence::Ledger(standing),
            Self::Roots => IssuerEvidence::Roots(roots),
            Self::Web(trusted) => IssuerEvidence::Web { trusted: *trusted },
        }
    }
}

fn issuer_standing(standing: &Standing) -> IssuerStanding {
    IssuerStanding {
        entry: standing.entry.clone(),
        document: standing.document.clone(),
        accreditation: standing.accreditation.clone(),
        right: standing.grant,
        time: standing.time,
        height: standing.height,
    }
}

/// Under which name an issuer's lists are kept: one issuer's list says nothing about another's
/// credentials.
fn identity(credential: &ShownCredential) -> String {
    match (credential.clue(), credential.chain()) {
        (IssuerClue::Did { did, .. }, _) => did.to_string(),
        (IssuerClue::Web { issuer, .. } | IssuerClue::WebKey { issuer, .. }, _) => issuer.clone(),
        (IssuerClue::Certificates, chain) => {
            chain.map_or_else(String::new, |chain| chain.leaf().hash().to_owned())
        }
    }
}

/// The keys that may sign an issuer's status lists.
fn signers(credential: &ShownCredential, issuer: &Issuer, roots: &Roots) -> Signers {
    let keys = |keys: Vec<PublicKey>| Signers {
        keys,
        certified: None,
    };
    match (issuer, credential.clue(), credential.chain()) {
        (Issuer::Ledger(_, standing), ..) => keys(standing.assertion_keys().copied().collect()),
        (_, IssuerClue::WebKey { key, .. }, _) => keys(vec![*key]),
        (Issuer::Roots, _, Some(chain)) => Signers {
            keys: chain.leaf().key().copied().into_iter().collect(),
            certified: Some((roots.clone(), chain.authority_keys().to_vec())),
        },
        _ => Signers::default(),
    }
}
