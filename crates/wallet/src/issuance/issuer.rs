//! Whose key signed a credential, and how its owner stands on the ledger.
//!
//! Whatever way a credential names its issuer's key (a DID URL, certificates, published keys), what
//! counts is the did:real DID that it leads to. Where it leads to none, the signature proves that the
//! key's owner issued it and no more: the issuer is *not accredited on this network*, and its holder
//! is told so.
//!
//! ```text
//! IssuerReference ─ Search::begin ┬─ Known ───────────────────────────────┬─ IssuerKey
//!                                 ├─ Ledger ─ proven state, document ─────┤
//!                                 └─ Fetch ─ published keys ┬─ Known ─────┤
//!                                                           └─ Ledger ────┘
//! ```

use realdid_checks::passes;
use realdid_credential::issuer_metadata::{IssuerKeys, IssuerMetadata, KeySet, well_known_url};
use realdid_crypto::{Hash, PublicKey, base64url_decode};
use realdid_did::{Did, DocumentData, Entry, Network, Purposes, Status};
use realdid_jose::json::parse_object;
use realdid_jose::jwk::Jwk;
use realdid_jose::x5c::{Chain, X5cError};
use realdid_ledger::{Accreditation, LightError, ProvenState, Right, Role, StateKey, state_key};
use realdid_openid::check_address;
use serde_json::Value;
use url::Url;

use super::judge::{IssuerKey, IssuerReference};
use crate::credentials::Standing;
use crate::names::clean;

/// Why the issuer's key cannot be found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SearchError {
    /// The DID is of a method that is not resolved here.
    #[error("the issuer's DID is of the method `{0}`, which this wallet does not resolve")]
    Method(String),
    /// The DID is of another network, or none.
    #[error("the issuer's DID is not one of this network")]
    OtherNetwork,
    /// Certificates that cannot be used.
    #[error("the issuer's certificate cannot be used: {0}")]
    Certificate(#[from] X5cError),
    /// The certificate is not valid now.
    #[error("the issuer's certificate has expired, or is not valid yet")]
    CertificateTime,
    /// The certificate is for somebody else.
    #[error("the issuer's certificate is for somebody else than the credential names")]
    CertificateName,
    /// An address that may not be contacted.
    #[error("the issuer's keys are at an address that may not be contacted")]
    Address,
    /// The published keys are malformed, somebody else's, or without the one that is named.
    #[error("the issuer does not publish the key that signed")]
    NotPublished,
    /// The proof does not cover what is needed.
    #[error(transparent)]
    Light(#[from] LightError),
    /// The issuer's DID is not on the ledger, or not in use.
    #[error("the issuer's DID is not on the ledger, or not in use")]
    Inactive,
    /// The document data is not what the ledger names.
    #[error("the node's document data is not what the ledger names")]
    Document,
    /// The key is none of the issuer's, or not for credentials.
    #[error("the key that signed is not one that its issuer may sign credentials with")]
    Key,
}

impl SearchError {
    /// The stable code, the same in every language and version.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Method(_) => "issuer_did_method",
            Self::OtherNetwork => "issuer_other_network",
            Self::Certificate(_) | Self::CertificateTime | Self::CertificateName => "issuer_certificate",
            Self::Address => "issuer_address_refused",
            Self::NotPublished => "issuer_key_not_published",
            Self::Light(error) => error.code(),
            Self::Inactive => "issuer_did_inactive",
            Self::Document => "document_mismatch",
            Self::Key => "issuer_key_not_current",
        }
    }
}

/// The key that a did:real DID must have: found elsewhere, or named by its DID URL.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Sought {
    Key(PublicKey),
    Fragment(String),
    /// The credential names none: one the DID has for credentials will do, if it is the only one.
    Only,
}

/// Where the search for an issuer's key stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Search {
    /// The key; nobody on this network answers for it.
    Known(IssuerKey),
    /// The ledger is to be asked.
    Ledger(LedgerSearch),
    /// The issuer's published keys are to be fetched.
    Fetch(KeysSearch),
}

/// A question to the ledger about an issuer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerSearch {
    did: Did,
    right: Right,
    sought: Sought,
}

/// A question to an https issuer about its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeysSearch {
    /// Where to ask, by GET; redirects are not followed.
    pub url: Url,
    issuer: String,
    kid: Option<String>,
    algorithm: String,
    /// The keys alone are asked for; the metadata said where they are.
    keys_alone: bool,
    vct: String,
    network: Network,
    sandbox: bool,
}

impl Search {
    /// Begins with what the credential says. `vct` is its type, `now` in Unix seconds.
    ///
    /// # Errors
    /// [`SearchError`].
    pub fn begin(
        reference: &IssuerReference,
        vct: &str,
        network: &Network,
        sandbox: bool,
        now: u64,
    ) -> Result<Self, SearchError> {
        match reference {
            IssuerReference::Did { did, key } => Self::of_did(did, key.as_deref(), vct, network),
            IssuerReference::Certificates { chain, iss } => {
                let chain = Chain::parse(&Value::from(chain.clone()))?;
                let key = *check_chain(&chain, iss.as_deref(), now)?;
                match chain.leaf().did() {
                    Some(did) if did.starts_with("did:real:") => {
                        Self::on_ledger(did, Sought::Key(key), vct, network)
                    }
                    _ => Ok(Self::unaccredited(key)),
                }
            }
            IssuerReference::Metadata {
                issuer,
                kid,
                algorithm,
            } => {
                let url = well_known_url(issuer, sandbox).map_err(|_| SearchError::Address)?;
                let url = check_address(&url, sandbox).map_err(|_| SearchError::Address)?;
                Ok(Self::Fetch(KeysSearch {
                    url,
                    issuer: issuer.clone(),
                    kid: kid.clone(),
                    algorithm: algorithm.clone(),
                    keys_alone: false,
                    vct: vct.to_owned(),
                    network: network.clone(),
                    sandbox,
                }))
            }
        }
    }

    fn of_did(did: &str, key: Option<&str>, vct: &str, network: &Network) -> Result<Self, SearchError> {
        let fragment = key
            .and_then(|url| url.split_once('#'))
            .map(|(_, fragment)| fragment);
        match did.split(':').nth(1).unwrap_or_default() {
            "real" => {
                let sought = fragment.map_or(Sought::Only, |fragment| Sought::Fragment(fragment.to_owned()));
                Self::on_ledger(did, sought, vct, network)
            }
            method => key_of_did(method, did).map(Self::unaccredited),
        }
    }

    fn on_ledger(did: &str, sought: Sought, vct: &str, network: &Network) -> Result<Self, SearchError> {
        let did: Did = did.parse().map_err(|_| SearchError::OtherNetwork)?;
        if !passes("WVC-21", did.network == *network) {
            return Err(SearchError::OtherNetwork);
        }
        let right = Right::to_issue(did.hash, vct);
        Ok(Self::Ledger(LedgerSearch { did, right, sought }))
    }

    const fn unaccredited(key: PublicKey) -> Self {
        Self::Known(IssuerKey {
            key,
            did: None,
            standing: Standing::NotAccredited,
        })
    }
}

impl KeysSearch {
    /// The issuer's answer: JSON of its metadata, with the keys or with the address of the keys, which
    /// is to be fetched next.
    ///
    /// # Errors
    /// [`SearchError::NotPublished`], [`SearchError::Address`], [`SearchError::OtherNetwork`].
    pub fn found(&self, body: &[u8]) -> Result<Search, SearchError> {
        let keys = if self.keys_alone {
            KeySet::parse(body).map_err(|_| SearchError::NotPublished)?
        } else {
            let metadata =
                IssuerMetadata::parse(body, &self.issuer).map_err(|_| SearchError::NotPublished)?;
            match metadata.keys() {
                IssuerKeys::Here(keys) => keys.clone(),
                IssuerKeys::At(url) => return self.at(url),
            }
        };
        let key = keys.select(self.kid.as_deref(), &self.algorithm);
        let key = key.map_err(|_| SearchError::NotPublished)?;
        match self.kid.as_deref().and_then(|kid| kid.split_once('#')) {
            Some((did, _)) if did.starts_with("did:real:") => {
                Search::on_ledger(did, Sought::Key(key), &self.vct, &self.network)
            }
            _ => Ok(Search::unaccredited(key)),
        }
    }

    fn at(&self, url: &str) -> Result<Search, SearchError> {
        Ok(Search::Fetch(Self {
            url: check_address(url, self.sandbox).map_err(|_| SearchError::Address)?,
            keys_alone: true,
            ..self.clone()
        }))
    }
}

impl LedgerSearch {
    /// What the proven state must cover.
    #[must_use]
    pub fn questions(&self) -> [StateKey; 3] {
        let [accreditation, grant] = state_key::right(&self.right);
        [state_key::did(&self.did.hash), accreditation, grant]
    }

    /// Hash of the document data to fetch. `now` in Unix seconds.
    ///
    /// # Errors
    /// [`SearchError::Inactive`], [`SearchError::Light`].
    pub fn document(&self, state: &ProvenState, now: u64) -> Result<Hash, SearchError> {
        self.facts(state)?.document(now)
    }

    /// The key and how its owner stands, with proven state and the document data it names.
    ///
    /// # Errors
    /// [`SearchError`].
    pub fn judge(
        &self,
        state: &ProvenState,
        document: &DocumentData,
        now: u64,
    ) -> Result<IssuerKey, SearchError> {
        self.weigh(&self.facts(state)?, document, now)
    }

    fn facts(&self, state: &ProvenState) -> Result<IssuerFacts, SearchError> {
        Ok(IssuerFacts {
            entry: state.did(&self.did.hash)?,
            accreditation: state.accreditation(&self.did.hash)?,
            granted: state.right(&self.right)?.is_some(),
        })
    }

    pub(crate) fn weigh(
        &self,
        facts: &IssuerFacts,
        document: &DocumentData,
        now: u64,
    ) -> Result<IssuerKey, SearchError> {
        let named = facts.document(now)?;
        if !passes("WVC-31", document.hash() == named) {
            return Err(SearchError::Document);
        }
        Ok(IssuerKey {
            key: self.key_in(document)?,
            did: Some(self.did.to_string()),
            standing: standing(facts.accreditation.as_ref(), facts.granted),
        })
    }

    fn key_in(&self, document: &DocumentData) -> Result<PublicKey, SearchError> {
        let mut keys = document
            .keys()
            .iter()
            .filter(|key| passes("WVC-23", key.purposes.contains(Purposes::ASSERTION)));
        let found = match &self.sought {
            Sought::Key(sought) => keys.find(|key| key.key == *sought),
            Sought::Fragment(fragment) => keys.find(|key| key.key.to_multikey() == *fragment),
            Sought::Only => keys.next().filter(|_| keys.next().is_none()),
        };
        found.map(|key| key.key).ok_or(SearchError::Key)
    }
}

/// What the ledger says about an issuer.
#[derive(Debug, Clone)]
pub(crate) struct IssuerFacts {
    pub(crate) entry: Option<Entry>,
    pub(crate) accreditation: Option<Accreditation>,
    /// Whether the right to issue the type was granted, and counts.
    pub(crate) granted: bool,
}

impl IssuerFacts {
    fn document(&self, now: u64) -> Result<Hash, SearchError> {
        let entry = self.entry.as_ref();
        let entry = entry.filter(|entry| passes("WVC-22", entry.status(now) == Status::Active));
        Ok(entry.ok_or(SearchError::Inactive)?.at(now).document)
    }
}

/// How an issuer stands, by what the ledger says of it.
fn standing(accreditation: Option<&Accreditation>, granted: bool) -> Standing {
    match accreditation {
        None => Standing::NotAccredited,
        Some(accreditation) if accreditation.revoked_at != 0 => Standing::StruckOff,
        Some(accreditation) if accreditation.suspended_at != 0 => Standing::Suspended,
        Some(accreditation) => {
            let issues =
                accreditation.in_force_as(Role::Issuer) || accreditation.in_force_as(Role::Authority);
            if passes("WVC-24", issues && granted) {
                Standing::Accredited
            } else {
                Standing::NotForThisType
            }
        }
    }
}

/// Checks certificates whose root nobody here has pinned: they hold together now, and are for the
/// `iss` of the credential, if it has one (SD-JWT VC, x5c).
fn check_chain<'a>(chain: &'a Chain, iss: Option<&str>, now: u64) -> Result<&'a PublicKey, SearchError> {
    let leaf = chain.leaf();
    let (not_before, not_after) = leaf.validity();
    if !passes("WVC-25", (not_before..=not_after).contains(&now)) {
        return Err(SearchError::CertificateTime);
    }
    if !passes("WVC-26", chain.holds_together(now)) {
        return Err(SearchError::Certificate(X5cError::Untrusted));
    }
    let named = iss.is_none_or(|iss| {
        let host = Url::parse(iss).ok();
        let host = host.as_ref().and_then(Url::host_str);
        leaf.uris().iter().any(|uri| uri == iss) || host.is_some_and(|host| leaf.expect_host(host).is_ok())
    });
    if !passes("WVC-27", named) {
        return Err(SearchError::CertificateName);
    }
    Ok(leaf.key()?)
}

/// The key of a DID that is a key: did:jwk and did:key. Others would have to be fetched from
/// somewhere, on the word of nobody this wallet knows.
fn key_of_did(method: &str, did: &str) -> Result<PublicKey, SearchError> {
    let identifier = did.rsplit(':').next().unwrap_or_default();
    let key = match method {
        "jwk" => {
            let json = base64url_decode(identifier)
                .ok()
                .and_then(|json| parse_object(&json));
            let jwk: Option<Jwk> = json.and_then(|json| serde_json::from_value(json.into()).ok());
            jwk.and_then(|jwk| jwk.public_key().ok())
        }
        "key" => PublicKey::from_multikey(identifier).ok(),
        other => return Err(SearchError::Method(clean(other, 32))),
    };
    key.ok_or(SearchError::Key)
}
