//! What credentials are signed with, and how a verifier finds the key.

use realdid_crypto::{KeyType, SecretKey};
use realdid_jose::jwe::DecryptionKey;
use realdid_jose::jwk::Jwk;
use serde_json::{Map, Value, json};

use super::IssueRefusal;
use crate::secrets::Secrets;

/// A signing key and its name.
#[derive(Debug, Clone)]
pub struct CredentialKey {
    /// The key.
    pub key: SecretKey,
    /// DID URL of the key in the issuer's document, under assertionMethod.
    pub kid: String,
    /// Certificate chain, base64 DER, the leaf first; may be empty.
    pub x5c: Vec<String>,
}

impl CredentialKey {
    /// A header of this type that leads to the key.
    #[must_use]
    pub fn header(&self, typ: &str) -> Map<String, Value> {
        let mut header = Map::new();
        header.insert("typ".to_owned(), typ.into());
        header.insert("kid".to_owned(), self.kid.clone().into());
        if !self.x5c.is_empty() {
            header.insert("x5c".to_owned(), json!(self.x5c));
        }
        header
    }

    /// The public part as a member of a published set, under its DID URL.
    #[must_use]
    pub fn jwk(&self) -> Jwk {
        Jwk {
            kid: Some(self.kid.clone()),
            ..Jwk::for_signatures(&self.key.public_key())
        }
    }
}

/// The keys of an issuer, by type; the first is the one that others' software understands.
#[derive(Debug, Clone)]
pub struct IssuerKeys {
    keys: Vec<CredentialKey>,
}

impl IssuerKeys {
    /// At least a P-256 key should be among them.
    #[must_use]
    pub const fn new(keys: Vec<CredentialKey>) -> Self {
        Self { keys }
    }

    /// The key of a type.
    ///
    /// # Errors
    /// [`IssueRefusal::Internal`] if there is none.
    pub fn of(&self, kind: KeyType) -> Result<&CredentialKey, IssueRefusal> {
        let found = self.keys.iter().find(|key| key.key.kind() == kind);
        found.ok_or(IssueRefusal::Internal(
            "the identity has no key of the configured algorithm",
        ))
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &CredentialKey> {
        self.keys.iter()
    }
}

/// The key that wallets may encrypt requests to: the same in every process over one secret.
pub(crate) fn request_key(secrets: &Secrets) -> DecryptionKey {
    SecretKey::from_seed(KeyType::P256, &secrets.key("request-encryption")).into()
}
