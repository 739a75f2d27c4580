//! Compact JWE (RFC 7516) for answers that only one reader may open: ECDH-ES on P-256, used directly,
//! with one of three content encryptions.
//!
//! Put together from the primitives of AWS-LC (ECDH, AES, HMAC) instead of taken from a JOSE library:
//! the one at hand decrypts A128CBC-HS256 before it has checked the tag, compares tags in variable
//! time and draws the ephemeral key by itself. Here the tag is checked first, and `rng` is an argument.
//!
//! [`Jwe::parse`] refuses whatever is not exactly this before any cryptography is done; only
//! [`Jwe::decrypt`] gives content. There is no compression and no key wrapping.

mod content;
mod key;

use realdid_checks::passes;
use realdid_crypto::{KeyType, PublicKey, SecretKey, base64url_decode, base64url_encode};
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

pub use content::Encryption;
pub use key::{DecryptionKey, Recipient};

use crate::json::parse_object;
use crate::jwk::Jwk;

/// Longest JWE that is read or made, in bytes.
pub const MAX_JWE: usize = 256 * 1024;
/// The one key agreement: the agreed key encrypts the content directly.
pub const ALGORITHM: &str = "ECDH-ES";

/// Why a JWE is not accepted, or cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JweError {
    /// Longer than [`MAX_JWE`].
    #[error("the encrypted message is longer than {MAX_JWE} bytes")]
    TooLong,
    /// Not five base64url parts, of which the first is a JSON object without duplicate names.
    #[error("the message is not a compact JWE")]
    Form,
    /// The header asks for an extension that is not understood (RFC 7516 §4.1.13).
    #[error("the message's header has critical extensions that are not understood")]
    Critical,
    /// `alg` is not [`ALGORITHM`].
    #[error("the message's key agreement is not ECDH-ES")]
    Algorithm,
    /// `enc` is none of [`Encryption::ALL`].
    #[error("the message's content encryption is not one that was offered")]
    Encryption,
    /// The content is compressed, which nobody asked for.
    #[error("the message is compressed")]
    Compressed,
    /// `epk` is not a public key on P-256.
    #[error("the message's ephemeral key is not on P-256")]
    EphemeralKey,
    /// There is an encrypted key, though the agreed one is used directly.
    #[error("the message has an encrypted key beside its key agreement")]
    EncryptedKey,
    /// `kid` is not the name of the key at hand.
    #[error("the message is encrypted to another key")]
    OtherKey,
    /// The tag does not belong to header, content and key.
    #[error("the message was altered, or encrypted to another key")]
    Tag,
    /// A JWK that nothing can be encrypted to: another type, curve, use or algorithm.
    #[error("the JWK is not a P-256 key for ECDH-ES")]
    Recipient,
}

/// Who agreed on the key, as both may state it (RFC 7518 §4.6.1.2): bound into the key.
#[derive(Debug, Clone, Copy, Default)]
pub struct Parties<'a> {
    /// `apu`, decoded: the producer.
    pub producer: &'a [u8],
    /// `apv`, decoded: the recipient.
    pub recipient: &'a [u8],
}

/// Encrypts for one reader, with an ephemeral key drawn from `rng` and wiped afterwards.
///
/// # Errors
/// [`JweError::TooLong`]; [`JweError::Recipient`] if AWS-LC refuses the key, which a checked
/// [`Recipient`] does not give it reason to.
pub fn encrypt(
    to: &Recipient,
    encryption: Encryption,
    content: &[u8],
    parties: Parties<'_>,
    rng: &mut impl rand_core::CryptoRng,
) -> Result<String, JweError> {
    let ephemeral = SecretKey::generate(KeyType::P256, rng);
    let mut header = json!({
        "alg": ALGORITHM,
        "enc": encryption.name(),
        "epk": Jwk::of(&ephemeral.public_key()),
    });
    let info = [("apu", parties.producer), ("apv", parties.recipient)];
    for (name, value) in info.into_iter().filter(|(_, value)| !value.is_empty()) {
        header[name] = base64url_encode(value).into();
    }
    if let Some(kid) = to.kid() {
        header["kid"] = kid.into();
    }
    let header = base64url_encode(header.to_string());
    let key = content::agree(&ephemeral, to.public_key(), encryption, parties).ok_or(JweError::Recipient)?;
    let mut iv = [0; 16];
    let iv = &mut iv[..encryption.iv_length()];
    rng.fill_bytes(iv);
    let (ciphertext, tag) =
        content::seal(encryption, &key, iv, header.as_bytes(), content).ok_or(JweError::Recipient)?;
    let jwe = [
        header,
        String::new(),
        base64url_encode(iv),
        base64url_encode(ciphertext),
        base64url_encode(tag),
    ]
    .join(".");
    if jwe.len() > MAX_JWE {
        return Err(JweError::TooLong);
    }
    Ok(jwe)
}

/// A JWE that has not been decrypted; its header is what anybody may have written.
#[derive(Debug, Clone)]
pub struct Jwe {
    /// As received: what the tag covers.
    header: String,
    encryption: Encryption,
    kid: Option<String>,
    ephemeral: PublicKey,
    producer: Vec<u8>,
    recipient: Vec<u8>,
    iv: Vec<u8>,
    ciphertext: Vec<u8>,
    tag: Vec<u8>,
}

impl Jwe {
    /// Takes a compact JWE apart.
    ///
    /// # Errors
    /// All of [`JweError`] but those that need a key.
    pub fn parse(text: &str) -> Result<Self, JweError> {
        if !passes("JWE-01", text.len() <= MAX_JWE) {
            return Err(JweError::TooLong);
        }
        let parts: Vec<&str> = text.split('.').collect();
        let &[header_text, encrypted_key, iv, ciphertext, tag] = parts.as_slice() else {
            return Err(JweError::Form);
        };
        let bytes = |part: &str| base64url_decode(part).map_err(|_| JweError::Form);
        let mut header = parse_object(&bytes(header_text)?).ok_or(JweError::Form)?;
        let encryption = check_header(&header)?;
        if !passes("JWE-06", encrypted_key.is_empty()) {
            return Err(JweError::EncryptedKey);
        }
        Ok(Self {
            header: header_text.to_owned(),
            encryption,
            kid: take_text(&mut header, "kid")?,
            ephemeral: ephemeral_key(&mut header)?,
            producer: bytes(&take_text(&mut header, "apu")?.unwrap_or_default())?,
            recipient: bytes(&take_text(&mut header, "apv")?.unwrap_or_default())?,
            iv: bytes(iv)?,
            ciphertext: bytes(ciphertext)?,
            tag: bytes(tag)?,
        })
    }

    /// The header's `kid`: which of several keys to decrypt with.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The header's `enc`.
    #[must_use]
    pub const fn encryption(&self) -> Encryption {
        self.encryption
    }

    /// What the sender states about the parties.
    #[must_use]
    pub fn parties(&self) -> Parties<'_> {
        Parties {
            producer: &self.producer,
            recipient: &self.recipient,
        }
    }

    /// The content, if it was encrypted to this key and not altered. Wiped when dropped.
    ///
    /// # Errors
    /// [`JweError::OtherKey`], [`JweError::Tag`].
    pub fn decrypt(&self, key: &DecryptionKey) -> Result<Zeroizing<Vec<u8>>, JweError> {
        if !passes("JWE-08", self.kid() == Some(key.kid())) {
            return Err(JweError::OtherKey);
        }
        let content = content::agree(key.secret(), &self.ephemeral, self.encryption, self.parties())
            .and_then(|agreed| {
                let header = self.header.as_bytes();
                content::open(
                    self.encryption,
                    &agreed,
                    &self.iv,
                    header,
                    &self.ciphertext,
                    &self.tag,
                )
            });
        if !passes("JWE-09", content.is_some()) {
            return Err(JweError::Tag);
        }
        Ok(content.unwrap_or_default())
    }
}

/// What the header may ask for; the content encryption it names.
fn check_header(header: &Map<String, Value>) -> Result<Encryption, JweError> {
    if !passes("JWE-02", !header.contains_key("crit")) {
        return Err(JweError::Critical);
    }
    let text = |name| header.get(name).and_then(Value::as_str);
    if !passes("JWE-03", text("alg") == Some(ALGORITHM)) {
        return Err(JweError::Algorithm);
    }
    if !passes("JWE-05", !header.contains_key("zip")) {
        return Err(JweError::Compressed);
    }
    let encryption = text("enc").and_then(Encryption::from_name);
    if !passes("JWE-04", encryption.is_some()) {
        return Err(JweError::Encryption);
    }
    encryption.ok_or(JweError::Form)
}

/// `epk`: the only key that a message brings along, good for nothing but this one agreement.
fn ephemeral_key(header: &mut Map<String, Value>) -> Result<PublicKey, JweError> {
    let key = header
        .remove("epk")
        .and_then(|epk| serde_json::from_value::<Jwk>(epk).ok())
        .and_then(|epk| epk.public_key().ok())
        .filter(|key| key.kind() == KeyType::P256);
    if !passes("JWE-07", key.is_some()) {
        return Err(JweError::EphemeralKey);
    }
    key.ok_or(JweError::Form)
}

fn take_text(header: &mut Map<String, Value>, name: &str) -> Result<Option<String>, JweError> {
    match header.remove(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(JweError::Form),
    }
}
