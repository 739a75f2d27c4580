//! The two ends of an encrypted message: the key it is encrypted to, and the one that opens it.

use std::fmt;

use realdid_checks::passes;
use realdid_crypto::{KeyType, PublicKey, SecretKey, base64url_decode, base64url_encode};
use serde_json::Value;
use zeroize::Zeroizing;

use super::{ALGORITHM, JweError};
use crate::json::parse_object;
use crate::jwk::{Jwk, thumbprint};

/// A public key to encrypt to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    public: PublicKey,
    kid: Option<String>,
}

impl Recipient {
    /// From a JWK that says it is for ECDH-ES on P-256.
    ///
    /// # Errors
    /// [`JweError::Recipient`].
    pub fn from_jwk(jwk: &Jwk) -> Result<Self, JweError> {
        let public = jwk.public_key().ok();
        let fits = public.is_some_and(|key| key.kind() == KeyType::P256)
            && jwk.alg.as_deref() == Some(ALGORITHM)
            && jwk.usage.as_deref().is_none_or(|usage| usage == "enc");
        if !passes("JWE-10", fits) {
            return Err(JweError::Recipient);
        }
        Ok(Self {
            public: public.ok_or(JweError::Recipient)?,
            kid: jwk.kid.clone(),
        })
    }

    /// The first key of a set (the member `keys` of a JWK set) that can be encrypted to; keys of
    /// other kinds and for other uses are passed over.
    ///
    /// # Errors
    /// [`JweError::Recipient`] if there is none.
    pub fn choose(keys: &[Value]) -> Result<Self, JweError> {
        keys.iter()
            .filter_map(|key| serde_json::from_value::<Jwk>(key.clone()).ok())
            .find_map(|jwk| Self::from_jwk(&jwk).ok())
            .ok_or(JweError::Recipient)
    }

    /// The key itself.
    #[must_use]
    pub const fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// Its name, which the message repeats.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }
}

/// A private key for ECDH-ES on P-256, for one request or one service. Wiped when dropped, never
/// printed.
#[derive(Clone)]
pub struct DecryptionKey {
    secret: SecretKey,
    kid: String,
}

impl DecryptionKey {
    /// A new key, named by its thumbprint.
    #[must_use]
    pub fn generate(rng: &mut impl rand_core::CryptoRng) -> Self {
        SecretKey::generate(KeyType::P256, rng).into()
    }

    /// From the private JWK of [`Self::to_private_jwk`], or another's of the same type.
    ///
    /// # Errors
    /// [`JweError::Recipient`] if it is no private P-256 key, or its parts do not belong together.
    pub fn from_private_jwk(text: &str) -> Result<Self, JweError> {
        let members = parse_object(text.as_bytes()).ok_or(JweError::Recipient)?;
        let d = members
            .get("d")
            .and_then(Value::as_str)
            .ok_or(JweError::Recipient)?;
        let d = Zeroizing::new(base64url_decode(d).map_err(|_| JweError::Recipient)?);
        let seed: Zeroizing<[u8; 32]> =
            Zeroizing::new(d.as_slice().try_into().map_err(|_| JweError::Recipient)?);
        let jwk: Jwk = serde_json::from_value(Value::Object(members)).map_err(|_| JweError::Recipient)?;
        let secret = SecretKey::from_seed(KeyType::P256, &seed);
        let public = secret.public_key();
        if jwk.public_key() != Ok(public) {
            return Err(JweError::Recipient);
        }
        let kid = jwk.kid.unwrap_or_else(|| thumbprint(&public));
        Ok(Self { secret, kid })
    }

    /// The private JWK, to be stored encrypted or for as long as a request lives. A secret.
    #[must_use]
    pub fn to_private_jwk(&self) -> Zeroizing<String> {
        let mut jwk = serde_json::json!(self.jwk());
        jwk["d"] = base64url_encode(self.secret.seed()).into();
        Zeroizing::new(jwk.to_string())
    }

    /// The public JWK to publish: with name, use and algorithm.
    #[must_use]
    pub fn jwk(&self) -> Jwk {
        Jwk {
            kid: Some(self.kid.clone()),
            alg: Some(ALGORITHM.to_owned()),
            usage: Some("enc".to_owned()),
            ..Jwk::of(&self.secret.public_key())
        }
    }

    /// Its name.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    pub(super) const fn secret(&self) -> &SecretKey {
        &self.secret
    }
}

/// A P-256 key, named by its thumbprint; a key of another type opens nothing.
impl From<SecretKey> for DecryptionKey {
    fn from(secret: SecretKey) -> Self {
        let kid = thumbprint(&secret.public_key());
        Self { secret, kid }
    }
}

impl fmt::Debug for DecryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DecryptionKey({}, …)", self.kid)
    }
}
