//! An issuance that is paid for and not at its end: stored as soon as there is a token, so that a
//! crash, or an issuer that takes days, costs nothing.

use rand_core::CryptoRng;
use realdid_checks::passes;
use realdid_crypto::{KeyType, base64url_encode};
use realdid_openid::oauth::{AuthorizationDetail, TokenResponse};
use zeroize::Zeroizing;

use super::IssuanceError;
use super::exchange::Access;
use super::plan::Offered;
use crate::credentials::{HolderKey, Renewal};
use crate::root::{Secret, SecretBytes};
use crate::state::Wallet;

/// Most unfinished issuances that are kept; the oldest go first.
const MAX_PENDING: usize = 32;

/// A credential that is still to come.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Awaited {
    pub(super) configuration: String,
    pub(super) identifier: Option<String>,
    pub(super) name: String,
    pub(super) vct: String,
    pub(super) copies: usize,
    pub(super) algorithm: Option<String>,
    /// The keys that were sent, once they were.
    pub(super) keys: Vec<HolderKey>,
    pub(super) transaction: Option<Transaction>,
}

/// A deferred credential.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Transaction {
    pub(super) id: String,
    pub(super) not_before: u64,
}

impl Awaited {
    pub(super) fn of(offered: &Offered, identifier: Option<String>) -> Self {
        Self {
            configuration: offered.configuration.clone(),
            identifier,
            name: offered.name.clone(),
            vct: offered.vct.clone(),
            copies: offered.copies,
            algorithm: offered.key.map(|kind| kind.jose_algorithm().to_owned()),
            keys: Vec::new(),
            transaction: None,
        }
    }

    /// Fresh keys, one for each copy.
    pub(super) fn draw_keys(&mut self, rng: &mut impl CryptoRng) {
        let kind: Option<KeyType> = self.algorithm.as_deref().and_then(crate::credentials::kind_of);
        self.keys = match kind {
            None => Vec::new(),
            Some(kind) => (0..self.copies).map(|_| HolderKey::generate(kind, rng)).collect(),
        };
    }
}

/// An issuance that is paid for and not at its end.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PendingIssuance {
    /// Its name among the unfinished ones.
    pub id: String,
    /// The issuer's identifier.
    pub issuer: String,
    /// When the token was received, in Unix seconds.
    pub begun_at: u64,
    /// The credential whose copies are being replaced, if it is not a new one.
    pub replaces: Option<u32>,
    pub(super) authorization_server: String,
    pub(super) client_id: Option<String>,
    pub(super) access: Access,
    pub(super) refresh_token: Option<SecretBytes>,
    pub(super) dpop_key: Option<Secret>,
    pub(super) awaited: Vec<Awaited>,
}

impl PendingIssuance {
    /// Names of what is still to come.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.awaited.iter().map(|awaited| awaited.name.as_str())
    }

    /// Before when, in Unix seconds, the issuer does not want to be asked again.
    #[must_use]
    pub fn not_before(&self) -> Option<u64> {
        let transactions = self
            .awaited
            .iter()
            .filter_map(|awaited| awaited.transaction.as_ref());
        transactions.map(|transaction| transaction.not_before).min()
    }

    /// How fresh copies of a credential will be had.
    pub(super) fn renewal(&self, awaited: &Awaited) -> Renewal {
        Renewal {
            configuration: awaited.configuration.clone(),
            identifier: awaited.identifier.clone(),
            authorization_server: self.authorization_server.clone(),
            refresh_token: self.refresh_token.clone(),
            dpop_key: self.dpop_key.clone(),
            client_id: self.client_id.clone(),
        }
    }

    /// Takes what a token response gives anew.
    pub(super) fn renew(&mut self, response: &TokenResponse, now: u64) -> Result<(), IssuanceError> {
        self.access = Access::of(response, now)?;
        if let Some(token) = refresh_token(response) {
            self.refresh_token = Some(token);
        }
        Ok(())
    }
}

/// A token response's refresh token, wrapped.
pub(super) fn refresh_token(response: &TokenResponse) -> Option<SecretBytes> {
    let token = response.refresh_token.clone()?;
    Some(SecretBytes::new(Zeroizing::new(token.into_bytes())))
}

/// What to ask for with a token: the identifiers it names, which must be used (OpenID4VCI 1.0 §8.2);
/// else the configurations that were offered.
pub(super) fn awaited(
    offered: &[Offered],
    details: &[AuthorizationDetail],
) -> Result<Vec<Awaited>, IssuanceError> {
    if details.is_empty() {
        return Ok(offered.iter().map(|offered| Awaited::of(offered, None)).collect());
    }
    let mut awaited = Vec::new();
    for offered in offered {
        let of_this = details
            .iter()
            .filter(|detail| detail.credential_configuration_id == offered.configuration);
        for identifier in of_this.flat_map(|detail| &detail.credential_identifiers) {
            awaited.push(Awaited::of(offered, Some(identifier.clone())));
        }
    }
    if !passes("WVC-09", !awaited.is_empty()) {
        return Err(IssuanceError::NotAuthorized);
    }
    awaited.truncate(crate::credentials::MAX_CREDENTIALS);
    Ok(awaited)
}

/// A name for an unfinished issuance.
pub(super) fn fresh_id(rng: &mut impl CryptoRng) -> String {
    let mut bytes = [0; 8];
    rng.fill_bytes(&mut bytes);
    base64url_encode(bytes)
}

impl Wallet {
    /// Issuances that are not at their end, oldest first.
    #[must_use]
    pub fn pending_issuances(&self) -> &[PendingIssuance] {
        &self.issuances
    }

    /// One token may be good for several credentials of an issuer: where it was exchanged for another
    /// (RFC 6749 §6), all of them have the new one, since the old one is worth nothing now.
    fn rotate_token(&mut self, pending: &PendingIssuance) {
        let replaced = pending.replaces.and_then(|id| self.credential(id).ok());
        let Some(old) = replaced.and_then(|held| held.renewal.refresh_token.clone()) else {
            return;
        };
        let sharing = self.credentials.iter_mut().filter(|held| {
            held.renewal.refresh_token.as_ref() == Some(&old)
                && held.renewal.authorization_server == pending.authorization_server
        });
        for held in sharing {
            held.renewal.refresh_token.clone_from(&pending.refresh_token);
        }
    }

    /// Keeps an unfinished issuance as it stands now.
    pub fn keep_issuance(&mut self, pending: PendingIssuance) {
        self.rotate_token(&pending);
        if let Some(kept) = self.issuances.iter_mut().find(|kept| kept.id == pending.id) {
            *kept = pending;
            return;
        }
        if self.issuances.len() >= MAX_PENDING {
            self.issuances.remove(0);
        }
        self.issuances.push(pending);
    }

    /// Forgets an issuance that has ended.
    pub fn end_issuance(&mut self, id: &str) {
        self.issuances.retain(|kept| kept.id != id);
    }
}
