//! The issuer of credentials by OpenID4VCI 1.0, for the authority's real-name credential and for any
//! other accredited organisation (`realdid issuer run`).
//!
//! Everything that may happen once — an offer's code, an authorization code, a refresh token of a
//! client without a key, a nonce, a DPoP proof, a place in a status list — is decided by one statement
//! in the database, so that any number of processes may serve it.
//!
//! * [`types`], [`type_documents`], [`source`]: what is issued, and out of which data.
//! * [`offers`] → [`grants`] → [`issue`]: from an offer to a token to credentials.
//! * [`authorization`]: the way without an offer, through a page.
//! * [`status`]: taking long-lived credentials back.
//! * [`operator`]: what an organisation's staff can see and do.

pub mod authorization;
pub mod example;
pub mod grants;
pub mod issue;
pub mod keys;
mod limits;
pub mod metadata;
pub mod offers;
pub mod once;
pub mod operator;
pub mod realname;
pub mod refusal;
pub mod source;
pub mod status;
pub mod type_documents;
pub mod types;

use std::collections::BTreeMap;
use std::sync::Arc;

use rand::CryptoRng;
use realdid_crypto::{base64url_encode, sha256};
use serde::Deserialize;
use tokio::sync::watch;

use crate::database::Database;
use crate::secrets::Secrets;

pub use authorization::Wallet;
pub use keys::{CredentialKey, IssuerKeys};
pub use offers::{MadeOffer, Recipient};
pub use refusal::IssueRefusal;
pub use source::{Csv, Record, Register, Source, SourceError, Sql};
use type_documents::TypeDocument;
pub use types::{CredentialType, Form, TypeConfig, TypeError};

/// Type of the real-name credential, the same for every authority of a network.
pub const REALNAME_VCT: &str = "urn:realdid:realname:1";
/// Type of the driver's licence that the sandbox's second issuer gives.
pub const LICENCE_VCT: &str = "urn:realdid:driving_licence:1";

/// Numbers the issuer goes by; a table of the configuration file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// Life of an offer, in seconds.
    pub offer_seconds: u64,
    /// Tries of an offer's transaction code.
    pub tx_code_tries: u64,
    /// Life of an access token, in seconds; at most 300, since it may not be bound to a key.
    pub access_seconds: u64,
    /// Life of a refresh token, and of all its successors, in days.
    pub refresh_days: u64,
    /// How long an operator has to approve a deferred request, in days.
    pub deferred_days: u64,
    /// Seconds a wallet waits before it asks for a deferred credential again.
    pub deferred_interval: u32,
    /// Whether authorization requests must be pushed (RFC 9126).
    pub require_pushed: bool,
    /// Whether token and credential requests must carry a DPoP proof.
    pub require_dpop: bool,
    /// Whether DPoP proofs must carry a nonce of the server's (RFC 9449 §8).
    pub require_dpop_nonce: bool,
    /// Whether wallets that nobody registered may ask for authorization.
    pub unregistered_wallets: bool,
    /// Wallets that are registered.
    pub wallets: Vec<Wallet>,
    /// Status lists are published at multiples of so many seconds.
    pub status_seconds: u64,
    /// How long a published status list may be used, in seconds.
    pub status_ttl: u64,
    /// Places of a status list; a power of two.
    pub status_places: u64,
    /// Status lists that are filled at the same time.
    pub status_shards: u64,
    /// Credentials of one type that one person is given in a day (UTC), each copy counted.
    pub copies_per_day: u64,
    /// Requests from one address, per minute, at the endpoints that guesses could be made at.
    pub requests_per_minute: f64,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            offer_seconds: 900,
            tx_code_tries: 5,
            access_seconds: 300,
            refresh_days: 90,
            deferred_days: 30,
            deferred_interval: 60,
            require_pushed: true,
            require_dpop: false,
            require_dpop_nonce: false,
            unregistered_wallets: true,
            wallets: Vec::new(),
            status_seconds: 900,
            status_ttl: 3600,
            status_places: 1 << 20,
            status_shards: 8,
            copies_per_day: 200,
            requests_per_minute: 120.0,
        }
    }
}

/// What the ledger says the issuer may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rights {
    /// Types it may issue.
    pub types: Vec<String>,
    /// Age of that knowledge: when it was proven, in Unix seconds.
    pub proven_at: u64,
}

/// Oldest knowledge of its rights that an issuer acts on, in seconds.
pub const MAX_RIGHTS_AGE: u64 = 300;

/// A type and where its data is.
pub type Issuable = (CredentialType, Arc<dyn Source>);

/// An issuer, without sockets and clock.
#[derive(Clone)]
pub struct CredentialIssuer {
    pub(crate) database: Database,
    pub(crate) secrets: Secrets,
    /// The issuer's identifier: its public address.
    pub(crate) issuer: String,
    /// The name people know it by.
    pub(crate) name: String,
    pub(crate) policy: Policy,
    pub(crate) types: Arc<BTreeMap<String, Issuable>>,
    /// The metadata documents of its types, by type.
    pub(crate) documents: Arc<BTreeMap<String, TypeDocument>>,
    /// The configuration that is offered if none is named: the first one.
    pub(crate) first: Option<String>,
    /// Whether records are people of the register.
    pub(crate) of_people: bool,
    pub(crate) keys: IssuerKeys,
    pub(crate) rights: watch::Receiver<Option<Rights>>,
}

/// What an issuer is made of.
pub struct Parts {
    /// Where it remembers.
    pub database: Database,
    /// The secret that every process over the database shares.
    pub secrets: Secrets,
    /// Its public address without a trailing slash.
    pub issuer: String,
    /// The name people know it by.
    pub name: String,
    /// Numbers it goes by.
    pub policy: Policy,
    /// What it issues, and out of which data.
    pub types: Vec<Issuable>,
    /// What it signs with.
    pub keys: IssuerKeys,
    /// What the ledger lets it do.
    pub rights: watch::Receiver<Option<Rights>>,
}

impl CredentialIssuer {
    /// Joins the parts.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let first = parts.types.first().map(|(kind, _)| kind.config.id.clone());
        let of_people = parts.types.iter().any(|(_, source)| source.is_register());
        let named =
            |(kind, source): (CredentialType, Arc<dyn Source>)| (kind.config.id.clone(), (kind, source));
        Self {
            documents: Arc::new(type_documents::documents(&parts.types, &parts.issuer)),
            database: parts.database,
            secrets: parts.secrets,
            issuer: parts.issuer,
            name: parts.name,
            policy: parts.policy,
            types: Arc::new(parts.types.into_iter().map(named).collect()),
            first,
            of_people,
            keys: parts.keys,
            rights: parts.rights,
        }
    }

    /// Its database.
    #[must_use]
    pub const fn database(&self) -> &Database {
        &self.database
    }

    /// The issuer's identifier.
    #[must_use]
    pub fn identifier(&self) -> &str {
        &self.issuer
    }

    /// The types it is configured to issue, each once.
    #[must_use]
    pub fn type_names(&self) -> Vec<String> {
        let mut names: Vec<_> = self
            .types
            .values()
            .map(|(kind, _)| kind.config.vct.clone())
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The configurations named, each once, or the first one.
    pub(crate) fn named_or_first(&self, named: &[String]) -> Vec<String> {
        let mut wanted: Vec<String> = Vec::new();
        for id in named.iter().chain(self.first.iter().filter(|_| named.is_empty())) {
            if !wanted.contains(id) {
                wanted.push(id.clone());
            }
        }
        wanted
    }

    pub(crate) fn kind(&self, id: &str) -> Result<&CredentialType, IssueRefusal> {
        let found = self.types.get(id).map(|(kind, _)| kind);
        found.ok_or(IssueRefusal::UnknownConfiguration)
    }

    /// The types that are configured but not granted on the ledger, if that is known.
    ///
    /// # Errors
    /// [`IssueRefusal::RightsUnknown`], [`IssueRefusal::NotAccredited`] with the first of them.
    pub fn check_rights(&self, now: u64) -> Result<(), IssueRefusal> {
        let types = self.types.values();
        types
            .map(|(kind, _)| self.may_issue(kind, now))
            .find(Result::is_err)
            .unwrap_or(Ok(()))
    }

    pub(crate) fn may_issue(&self, kind: &CredentialType, now: u64) -> Result<(), IssueRefusal> {
        let rights = self.rights.borrow();
        let rights = rights.as_ref().ok_or(IssueRefusal::RightsUnknown)?;
        let fresh = now.saturating_sub(rights.proven_at) <= MAX_RIGHTS_AGE;
        if !realdid_checks::passes("VCI-50", fresh) {
            return Err(IssueRefusal::RightsUnknown);
        }
        let vct = &kind.config.vct;
        if realdid_checks::passes("VCI-51", rights.types.contains(vct)) {
            Ok(())
        } else {
            Err(IssueRefusal::NotAccredited { vct: vct.clone() })
        }
    }

    /// Forgets what has expired.
    ///
    /// # Errors
    /// [`IssueRefusal::Database`].
    pub async fn forget_expired(&self, now: u64) -> Result<(), IssueRefusal> {
        // Rows that others refer to come after those.
        let statements = [
            ("DELETE FROM vci_offers WHERE expires_at < $1", now),
            ("DELETE FROM vci_pushed WHERE expires_at < $1", now),
            ("DELETE FROM vci_authorizations WHERE expires_at < $1", now),
            ("DELETE FROM vci_codes WHERE expires_at < $1", now),
            ("DELETE FROM vci_tokens WHERE expires_at < $1", now),
            ("DELETE FROM vci_once WHERE expires_at < $1", now),
            ("DELETE FROM vci_deferred WHERE expires_at < $1", now),
            ("DELETE FROM vci_notifications WHERE expires_at < $1", now),
            (
                "DELETE FROM vci_grants WHERE expires_at < $1
                 AND NOT EXISTS (SELECT 1 FROM vci_tokens WHERE vci_tokens.grant_id = vci_grants.id)
                 AND NOT EXISTS (SELECT 1 FROM vci_deferred WHERE vci_deferred.grant_id = vci_grants.id)",
                now,
            ),
            ("DELETE FROM vci_given WHERE day < $1", now / types::DAY),
            ("DELETE FROM attempts WHERE resets_at < $1", now),
        ];
        for (statement, before) in statements {
            sqlx::query(statement)
                .bind(crate::database::number(before))
                .execute(self.database.pool())
                .await?;
        }
        Ok(())
    }
}

/// 255 random bits, base64url: a code, a token, an identifier that travels. It never begins with a
/// hyphen, which command lines would take for an option.
pub(crate) fn fresh(rng: &mut impl CryptoRng) -> String {
    let mut bytes = [0; 32];
    rng.fill_bytes(&mut bytes);
    bytes[0] &= 0x7f;
    base64url_encode(bytes)
}

/// What is kept of a text that travels.
pub(crate) fn hashed(text: &str) -> String {
    sha256(text.as_bytes()).to_hex()
}

/// Whether two texts are equal, in constant time for equal lengths.
pub(crate) fn same(one: &str, other: &str) -> bool {
    one.len() == other.len() && openssl::memcmp::eq(one.as_bytes(), other.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::fresh;

    #[test]
    fn nothing_that_travels_looks_like_an_option() {
        let mut rng = rand::rng();
        assert!((0..1_000).all(|_| !fresh(&mut rng).starts_with('-')));
    }
}
