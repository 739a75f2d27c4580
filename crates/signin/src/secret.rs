//! Random values that are secrets while they travel, and only hashes where they are stored.

use std::fmt;

use realdid_crypto::{base64url_encode, hash_labelled};
use subtle::ConstantTimeEq as _;

/// 32 random bytes as 43 characters: a code, a token, a secret, a cookie.
#[derive(Clone)]
pub(crate) struct Secret(String);

impl Secret {
    /// Draws a new one.
    pub(crate) fn generate() -> Self {
        Self(base64url_encode(rand::random::<[u8; 32]>()))
    }

    /// The characters.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// What is stored of it.
    pub(crate) fn hash(&self) -> SecretHash {
        SecretHash::of(&self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The hash of a secret, 64 hexadecimal characters. The secrets have 256 random bits, so a plain
/// hash cannot be searched.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct SecretHash(String);

impl SecretHash {
    /// The hash of whatever somebody showed.
    pub(crate) fn of(shown: &str) -> Self {
        Self(hash_labelled("realdid/signin/secret/v1", &[shown.as_bytes()]).to_hex())
    }

    /// As the database keeps it.
    pub(crate) fn stored(text: String) -> Self {
        Self(text)
    }

    /// The characters.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the hash of what was shown; takes the same time for every wrong value.
    pub(crate) fn fits(&self, shown: &str) -> bool {
        self.0.as_bytes().ct_eq(Self::of(shown).0.as_bytes()).into()
    }
}

/// A random name for something that is looked up: 127 random bits in 22 characters. It never begins
/// with a hyphen, which command lines would take for an option.
pub(crate) fn random_id() -> String {
    let mut bytes = rand::random::<[u8; 16]>();
    bytes[0] &= 0x7f;
    base64url_encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::random_id;

    #[test]
    fn no_name_looks_like_an_option() {
        assert!((0..1_000).all(|_| !random_id().starts_with('-')));
    }
}
