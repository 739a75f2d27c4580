//! The credentials a wallet holds, grouped by issuance, and which copy of them is shown next.
//!
//! One issuance gives either a batch of one-time copies, equal but for holder key, salts and
//! signature, or one long-lived credential with a place in a status list. A copy without status is
//! for one site and one time: shown twice, it lets two sites find that they have the same holder. A
//! copy with a status is linkable by its index anyhow, and is shown again and again.
//!
//! **Each copy has a holder key of its own, drawn, not derived** from the root, and no backup holds
//! copies or keys ([`Wallet::backup`](crate::Wallet::backup)). A key that no second device can make
//! keeps two devices from showing the same one-time copy, leaves room for keys in secure elements,
//! and makes a stolen backup worthless for impersonation; what is lost is issued again, which is why
//! the backup remembers what there was and from whom.

mod choice;
mod key;
mod naming;
pub mod status;

use serde_json::Value;

use crate::history::Event;
use crate::root::{Secret, SecretBytes};
use crate::state::Wallet;
pub use choice::Picked;
pub(crate) use key::kind_of;
pub use key::{HolderKey, HolderKeyError};
pub use naming::{ClaimNames, Labels, LocalName, Naming};

/// Most issuances a wallet holds.
pub const MAX_CREDENTIALS: usize = 256;
/// Most copies of one issuance.
pub const MAX_COPIES: usize = 128;
/// Most uses that are remembered for one copy; the oldest go first.
const MAX_USES: usize = 64;

/// Why a credential cannot be shown, kept or changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// No credential has this number.
    #[error("the wallet holds no credential number {0}")]
    Unknown(u32),
    /// The credential has no copy of this number.
    #[error("credential {id} has no copy number {copy}")]
    UnknownCopy {
        /// The credential.
        id: u32,
        /// The copy.
        copy: u32,
    },
    /// Every copy has expired, or is not valid yet.
    #[error("no copy of credential {0} is valid now")]
    Expired(u32),
    /// The wallet holds [`MAX_CREDENTIALS`] already.
    #[error("the wallet holds {MAX_CREDENTIALS} credentials, which is as many as it takes")]
    Full,
    /// No copies, or more than [`MAX_COPIES`].
    #[error("an issuance has between 1 and {MAX_COPIES} copies")]
    Copies,
    /// Two copies would have one holder key.
    #[error("two copies would have the same holder key")]
    KeyShared,
}

impl CredentialError {
    /// The stable code, the same in every language and version.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unknown(_) | Self::UnknownCopy { .. } => "credential_not_held",
            Self::Expired(_) => "credential_expired",
            Self::Full => "wallet_full",
            Self::Copies => "credential_copies",
            Self::KeyShared => "holder_key_shared",
        }
    }
}

/// How the issuer stood on the ledger when last proved there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Accredited, in force, and allowed to issue this type.
    Accredited,
    /// Accredited, but not for this type.
    NotForThisType,
    /// Its accreditation is suspended.
    Suspended,
    /// It was struck off.
    StruckOff,
    /// It leads to no DID of this network, or to one that was never accredited.
    NotAccredited,
}

impl Standing {
    /// Whether nothing has to be said about it.
    #[must_use]
    pub const fn is_good(self) -> bool {
        matches!(self, Self::Accredited)
    }

    /// In plain words, as what follows "the issuer".
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Accredited => "is accredited for this type of credential",
            Self::NotForThisType => "is accredited, but not for this type of credential",
            Self::Suspended => "has been suspended by the network",
            Self::StruckOff => "has been struck off by the network",
            Self::NotAccredited => "is not accredited on this network",
        }
    }
}

/// Who issued a credential.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldIssuer {
    /// Credential issuer identifier (OpenID4VCI 1.0 §12.2.1): an https address.
    pub identifier: String,
    /// Its name, as it states it, cleaned.
    pub name: String,
    /// The DID its key leads to, if one of this network.
    pub did: Option<String>,
    /// How it stood.
    pub standing: Standing,
    /// When that was proved, in Unix seconds.
    pub standing_at: u64,
}

/// Where a copy's status stands (Token Status List §6.2).
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldStatus {
    /// The list's address.
    pub uri: String,
    /// Place in the list.
    pub index: u64,
    /// What the list said last.
    pub last: Option<SeenStatus>,
}

/// What a status list said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeenStatus {
    /// What.
    pub value: StatusValue,
    /// When it was asked, in Unix seconds.
    pub checked_at: u64,
}

/// A status (Token Status List §7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusValue {
    /// `0x00`.
    Valid,
    /// `0x01`: for good.
    Revoked,
    /// `0x02`: for a while.
    Suspended,
    /// A value of the issuer's own.
    Other(u8),
}

/// One showing of a copy.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Use {
    /// When, in Unix seconds.
    pub at: u64,
    /// The verifier's `client_id`.
    pub verifier: String,
}

/// One copy: what is shown, and the key that proves it is ours.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldCopy {
    /// Its number within the credential, never given twice.
    pub number: u32,
    /// As issued: SD-JWT with all disclosures, without key binding.
    pub compact: String,
    /// The key it is bound to; absent if the issuer binds it to none.
    pub key: Option<HolderKey>,
    /// `iat`, in Unix seconds.
    pub issued_at: Option<u64>,
    /// `nbf`, in Unix seconds.
    pub valid_from: Option<u64>,
    /// `exp`, in Unix seconds.
    pub expires_at: Option<u64>,
    /// Its place in a status list; none for one-time copies.
    pub status: Option<HeldStatus>,
    /// Where it was shown.
    #[serde(default)]
    pub uses: Vec<Use>,
}

impl HeldCopy {
    /// Whether it may be shown more than once without telling more than the first time.
    #[must_use]
    pub const fn is_long_lived(&self) -> bool {
        self.status.is_some()
    }

    /// Whether `now` lies within its validity, in Unix seconds.
    #[must_use]
    pub fn is_valid_at(&self, now: u64) -> bool {
        self.expires_at.is_none_or(|expires_at| now < expires_at)
            && self.valid_from.is_none_or(|valid_from| now >= valid_from)
    }

    /// Whether a list said that it is not valid.
    #[must_use]
    pub fn is_refused_by_status(&self) -> bool {
        let last = self.status.as_ref().and_then(|status| status.last);
        last.is_some_and(|last| last.value != StatusValue::Valid)
    }
}

/// How fresh copies are had from the issuer.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Renewal {
    /// `credential_configuration_id` of the issuer's metadata.
    pub configuration: String,
    /// The `credential_identifier` the authorization server named, if it named one.
    pub identifier: Option<String>,
    /// The authorization server's identifier.
    pub authorization_server: String,
    /// Its refresh token, if it gave one.
    pub refresh_token: Option<SecretBytes>,
    /// The key that tokens are bound to (RFC 9449), if they are: P-256.
    pub dpop_key: Option<Secret>,
    /// The `client_id` used, if any.
    pub client_id: Option<String>,
}

/// One issuance: what it is, whose word it is, and its copies.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeldCredential {
    /// Its number in the wallet.
    pub id: u32,
    /// Its type (`vct`).
    pub vct: String,
    /// Its name, as the issuer states it, cleaned; else the type.
    pub name: String,
    /// Whose word it is.
    pub issuer: HeldIssuer,
    /// When it was first received, in Unix seconds.
    pub received_at: u64,
    /// When its present copies were received, in Unix seconds.
    pub refreshed_at: u64,
    /// The copies; none in a wallet restored from a backup.
    pub copies: Vec<HeldCopy>,
    /// How fresh ones are had.
    pub renewal: Renewal,
    /// What it and its claims are called.
    #[serde(default)]
    pub naming: Naming,
    /// The number of the next copy.
    pub(crate) next_copy: u32,
}

/// A credential as it comes from an issuance, before it has a number.
#[derive(Debug, Clone)]
pub struct NewCredential {
    /// Its type (`vct`).
    pub vct: String,
    /// Its name, cleaned.
    pub name: String,
    /// Whose word it is.
    pub issuer: HeldIssuer,
    /// Its copies; their numbers are given by the wallet.
    pub copies: Vec<HeldCopy>,
    /// How fresh ones are had.
    pub renewal: Renewal,
    /// What it and its claims are called.
    pub naming: Naming,
}

impl Wallet {
    /// All credentials, oldest first.
    #[must_use]
    pub fn credentials(&self) -> &[HeldCredential] {
        &self.credentials
    }

    /// The credential with this number.
    ///
    /// # Errors
    /// [`CredentialError::Unknown`].
    pub fn credential(&self, id: u32) -> Result<&HeldCredential, CredentialError> {
        let held = self.credentials.iter().find(|held| held.id == id);
        held.ok_or(CredentialError::Unknown(id))
    }

    pub(crate) fn credential_mut(&mut self, id: u32) -> Result<&mut HeldCredential, CredentialError> {
        let held = self.credentials.iter_mut().find(|held| held.id == id);
        held.ok_or(CredentialError::Unknown(id))
    }

    /// Keeps a credential; gives its number.
    ///
    /// # Errors
    /// [`CredentialError::Full`], [`CredentialError::Copies`], [`CredentialError::KeyShared`].
    pub fn keep_credential(&mut self, new: NewCredential, now: u64) -> Result<u32, CredentialError> {
        if self.credentials.len() >= MAX_CREDENTIALS {
            return Err(CredentialError::Full);
        }
        self.check_copies(&new.copies)?;
        let id = self.next_credential;
        self.next_credential = self.next_credential.saturating_add(1);
        self.record(
            now,
            Event::CredentialReceived {
                credential: id,
                vct: new.vct.clone(),
                issuer: new.issuer.identifier.clone(),
                copies: new.copies.len(),
            },
        );
        let mut held = HeldCredential {
            id,
            vct: new.vct,
            name: new.name,
            issuer: new.issuer,
            received_at: now,
            refreshed_at: now,
            copies: Vec::new(),
            renewal: new.renewal,
            naming: new.naming,
            next_copy: 1,
        };
        held.replace(new.copies);
        self.credentials.push(held);
        Ok(id)
    }

    /// Puts fresh copies in the place of a credential's old ones.
    ///
    /// # Errors
    /// [`CredentialError`].
    pub fn refresh_credential(
        &mut self,
        id: u32,
        new: NewCredential,
        now: u64,
    ) -> Result<(), CredentialError> {
        self.credential(id)?;
        self.check_copies(&new.copies)?;
        let copies = new.copies.len();
        let held = self.credential_mut(id)?;
        held.name = new.name;
        held.issuer = new.issuer;
        held.renewal = new.renewal;
        held.naming = new.naming;
        held.refreshed_at = now;
        held.replace(new.copies);
        self.record(
            now,
            Event::CredentialRefreshed {
                credential: id,
                copies,
            },
        );
        Ok(())
    }

    /// Forgets a credential with its keys; gives it back, for whoever tells the issuer.
    ///
    /// # Errors
    /// [`CredentialError::Unknown`].
    pub fn remove_credential(&mut self, id: u32, now: u64) -> Result<HeldCredential, CredentialError> {
        let position = self.credentials.iter().position(|held| held.id == id);
        let held = self
            .credentials
            .remove(position.ok_or(CredentialError::Unknown(id))?);
        self.record(
            now,
            Event::CredentialRemoved {
                credential: id,
                vct: held.vct.clone(),
            },
        );
        Ok(held)
    }

    /// Remembers what a status list said about a copy, in Unix seconds.
    ///
    /// # Errors
    /// [`CredentialError::Unknown`], [`CredentialError::UnknownCopy`].
    pub fn saw_status(
        &mut self,
        id: u32,
        copy: u32,
        value: StatusValue,
        now: u64,
    ) -> Result<(), CredentialError> {
        let held = self.credential_mut(id)?.copy_mut(copy)?;
        if let Some(status) = &mut held.status {
            status.last = Some(SeenStatus {
                value,
                checked_at: now,
            });
        }
        Ok(())
    }

    /// Remembers how the issuer stands.
    ///
    /// # Errors
    /// [`CredentialError::Unknown`].
    pub fn saw_standing(&mut self, id: u32, standing: Standing, now: u64) -> Result<(), CredentialError> {
        let issuer = &mut self.credential_mut(id)?.issuer;
        (issuer.standing, issuer.standing_at) = (standing, now);
        Ok(())
    }

    fn check_copies(&self, copies: &[HeldCopy]) -> Result<(), CredentialError> {
        if copies.is_empty() || copies.len() > MAX_COPIES {
            return Err(CredentialError::Copies);
        }
        let held = self.credentials.iter().flat_map(|held| &held.copies);
        let mut keys: Vec<_> = held.filter_map(|copy| copy.key.as_ref()).collect();
        for key in copies.iter().filter_map(|copy| copy.key.as_ref()) {
            if !realdid_checks::passes("WVC-01", !keys.contains(&key)) {
                return Err(CredentialError::KeyShared);
            }
            keys.push(key);
        }
        Ok(())
    }
}

impl HeldCredential {
    /// The copy with this number.
    ///
    /// # Errors
    /// [`CredentialError::UnknownCopy`].
    pub fn copy(&self, copy: u32) -> Result<&HeldCopy, CredentialError> {
        let id = self.id;
        let held = self.copies.iter().find(|held| held.number == copy);
        held.ok_or(CredentialError::UnknownCopy { id, copy })
    }

    pub(crate) fn copy_mut(&mut self, copy: u32) -> Result<&mut HeldCopy, CredentialError> {
        let id = self.id;
        let held = self.copies.iter_mut().find(|held| held.number == copy);
        held.ok_or(CredentialError::UnknownCopy { id, copy })
    }

    /// What a backup holds of it: what it was and from whom.
    pub(crate) fn strip(&mut self) {
        self.copies.clear();
        self.renewal.refresh_token = None;
        self.renewal.dpop_key = None;
        self.naming.documents.clear();
    }

    /// Whether its copies were left behind on another device.
    #[must_use]
    pub const fn is_lost(&self) -> bool {
        self.copies.is_empty()
    }

    fn replace(&mut self, copies: Vec<HeldCopy>) {
        self.copies = copies;
        for copy in &mut self.copies {
            copy.number = self.next_copy;
            self.next_copy = self.next_copy.saturating_add(1);
        }
    }
}

/// A claim's value as it is shown to its holder: text cleaned, anything else as JSON.
#[must_use]
pub fn shown_value(value: &Value) -> String {
    match value {
        Value::String(text) => crate::names::clean(text, crate::names::MAX_VALUE),
        other => crate::names::clean(&other.to_string(), crate::names::MAX_VALUE),
    }
}
