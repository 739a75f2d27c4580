//! A presentation: an SD-JWT with the chosen disclosures, and the holder's key bound to it.

use std::collections::BTreeMap;
use std::fmt;

use realdid_crypto::{KeyType, SecretKey, Signature};
use realdid_jose::jws::{JwsError, MAX_JWS, SigningInput};
use serde_json::{Map, Value};

use super::KEY_BINDING_TYP;
use crate::HashAlg;

/// An SD-JWT with the disclosures that the holder chose. Its `Debug` form shows no claim.
#[derive(Clone, PartialEq, Eq)]
pub struct Presentation {
    text: String,
    hash: HashAlg,
}

/// What a key binding says, beside `sd_hash`.
#[derive(Debug, Clone, PartialEq)]
pub struct BindingClaims {
    /// Whom the presentation is for, in the form that the protocol has for it.
    pub audience: String,
    /// The request's nonce.
    pub nonce: String,
    /// Time of making it, in seconds since 1970.
    pub issued_at: u64,
    /// More claims, such as `transaction_data_hashes`. None of the four above is replaced by them.
    pub more: Map<String, Value>,
}

impl Presentation {
    pub(super) const fn new(text: String, hash: HashAlg) -> Self {
        Self { text, hash }
    }

    /// The presentation without key binding; it ends with a tilde.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The hash that binds a key to exactly this presentation (RFC 9901 §4.3.1).
    #[must_use]
    pub fn sd_hash(&self) -> String {
        self.hash.digest(&self.text)
    }

    /// What a holder's key of this type signs, if it lies elsewhere.
    ///
    /// # Errors
    /// [`JwsError::TooLong`].
    pub fn prepare_binding(
        &self,
        kind: KeyType,
        claims: &BindingClaims,
    ) -> Result<UnsignedBinding, JwsError> {
        let mut payload = claims.more.clone();
        payload.insert("iat".to_owned(), claims.issued_at.into());
        payload.insert("aud".to_owned(), claims.audience.as_str().into());
        payload.insert("nonce".to_owned(), claims.nonce.as_str().into());
        payload.insert("sd_hash".to_owned(), self.sd_hash().into());
        // by name, whatever order the JSON library has
        let payload: BTreeMap<String, Value> = payload.into_iter().collect();
        let mut header = Map::new();
        header.insert("typ".to_owned(), KEY_BINDING_TYP.into());
        Ok(UnsignedBinding {
            text: self.text.clone(),
            input: SigningInput::with_header(kind, header, &payload, MAX_JWS)?,
        })
    }

    /// The presentation bound to the holder's key, which is at hand.
    ///
    /// # Errors
    /// [`JwsError::TooLong`].
    pub fn bind(&self, key: &SecretKey, claims: &BindingClaims) -> Result<String, JwsError> {
        let unsigned = self.prepare_binding(key.kind(), claims)?;
        let signature = key.sign_raw(unsigned.as_bytes());
        Ok(unsigned.finish(&signature))
    }
}

impl fmt::Debug for Presentation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presentation")
            .field("length", &self.text.len())
            .finish_non_exhaustive()
    }
}

/// A presentation that waits for the signature of the holder's key.
#[derive(Clone)]
pub struct UnsignedBinding {
    text: String,
    input: SigningInput,
}

impl UnsignedBinding {
    /// The bytes to sign, as [`SecretKey::sign_raw`] does.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.input.as_bytes()
    }

    /// The bound presentation.
    #[must_use]
    pub fn finish(self, signature: &Signature) -> String {
        self.text + &self.input.finish(signature)
    }
}

impl fmt::Debug for UnsignedBinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnsignedBinding").finish_non_exhaustive()
    }
}
