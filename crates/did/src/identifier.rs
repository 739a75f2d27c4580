//! Identifiers: the network name, the short form and the long form.

use std::fmt;
use std::str::FromStr;

use realdid_checks::passes;
use realdid_crypto::{Hash, base58_decode, base58_encode, base64url_decode, base64url_encode};

use crate::Inception;

/// Longest identifier that is parsed, in characters: a long form with the largest inception.
pub const MAX_LONG_FORM: usize = 4096;

/// Multihash prefix of SHA2-256 with 32 bytes. SM3-256 (0x534d) is registered for later.
const SHA2_256: [u8; 2] = [0x12, 0x20];

/// Why a text is not a `did:real` identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DidError {
    /// Not of the form `did:method:…` (DID Core §3.1).
    #[error("the text is not a DID")]
    NotADid,
    /// A DID of another method.
    #[error("the DID method is not `real`")]
    Method,
    /// The network name is not 2 to 16 characters `[a-z][a-z0-9-]*`.
    #[error("the network name is not valid")]
    Network,
    /// The identifier is not base58btc of a SHA2-256 multihash.
    #[error("the identifier is not the multibase form of a SHA2-256 multihash")]
    Identifier,
    /// The text is longer than [`MAX_LONG_FORM`].
    #[error("the DID is longer than {MAX_LONG_FORM} characters")]
    TooLong,
    /// The long form's last part is not a canonical inception.
    #[error("the long form does not carry a canonical inception")]
    Inception,
    /// The long form's inception has another hash than the identifier.
    #[error("the long form's inception does not belong to the identifier")]
    Mismatch,
}

/// A network name: 2 to 16 characters, `[a-z][a-z0-9-]*`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network(String);

impl Network {
    /// Checks and takes a name.
    ///
    /// # Errors
    /// [`DidError::Network`].
    pub fn new(name: &str) -> Result<Self, DidError> {
        let mut characters = name.bytes();
        let starts_well = characters.next().is_some_and(|first| first.is_ascii_lowercase());
        let goes_on_well = characters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-');
        let right_length = (2..=16).contains(&name.len());
        if passes("DID-01", starts_well && goes_on_well && right_length) {
            Ok(Self(name.to_owned()))
        } else {
            Err(DidError::Network)
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl serde::Serialize for Network {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for Network {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// The short form of a DID: a network and the hash of the inception.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Did {
    /// The network the DID lives on.
    pub network: Network,
    /// SHA-256 of the canonical inception.
    pub hash: Hash,
}

impl Did {
    /// The long form, which carries the inception. `inception` must be the DID's own.
    #[must_use]
    pub fn long_form(&self, inception: &Inception) -> String {
        format!("{self}:{}", base64url_encode(inception.encode()))
    }

    /// The DID URL of one of its keys; the fragment is the key's multikey.
    #[must_use]
    pub fn key_url(&self, key: &realdid_crypto::PublicKey) -> String {
        format!("{self}#{key}")
    }
}

impl fmt::Display for Did {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let multihash = [SHA2_256.as_slice(), self.hash.as_bytes()].concat();
        write!(
            f,
            "did:real:{}:z{}",
            self.network.as_str(),
            base58_encode(&multihash)
        )
    }
}

/// Parses the short form only.
impl FromStr for Did {
    type Err = DidError;

    fn from_str(text: &str) -> Result<Self, DidError> {
        match ParsedDid::parse(text)? {
            ParsedDid { did, inception: None } => Ok(did),
            ParsedDid {
                inception: Some(_), ..
            } => Err(DidError::Identifier),
        }
    }
}

impl serde::Serialize for Did {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Did {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// A DID in either form; the inception of a long form is checked against the identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedDid {
    /// The short form.
    pub did: Did,
    /// The inception, if the text was a long form.
    pub inception: Option<Inception>,
}

impl ParsedDid {
    /// Parses a short or long form, without fragment, path or query.
    ///
    /// # Errors
    /// [`DidError`] says which part is wrong.
    pub fn parse(text: &str) -> Result<Self, DidError> {
        if text.len() > MAX_LONG_FORM {
            return Err(DidError::TooLong);
        }
        let rest = text.strip_prefix("did:").ok_or(DidError::NotADid)?;
        let (method, rest) = rest.split_once(':').ok_or(DidError::NotADid)?;
        if method.is_empty()
            || !method
                .bytes()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        {
            return Err(DidError::NotADid);
        }
        if method != "real" {
            return Err(DidError::Method);
        }
        let mut parts = rest.split(':');
        let network = Network::new(parts.next().unwrap_or_default())?;
        let hash = parse_identifier(parts.next().ok_or(DidError::Identifier)?)?;
        let inception = parts.next().map(parse_inception).transpose()?;
        if parts.next().is_some() {
            return Err(DidError::Inception);
        }
        let own = |inception: &Inception| inception.hash() == hash;
        if !passes("DID-02", inception.as_ref().is_none_or(own)) {
            return Err(DidError::Mismatch);
        }
        Ok(Self {
            did: Did { network, hash },
            inception,
        })
    }
}

fn parse_identifier(text: &str) -> Result<Hash, DidError> {
    let digits = text.strip_prefix('z').ok_or(DidError::Identifier)?;
    let multihash = base58_decode(digits).map_err(|_| DidError::Identifier)?;
    let (function, digest) = multihash.split_first_chunk::<2>().ok_or(DidError::Identifier)?;
    if !passes("DID-03", *function == SHA2_256) {
        return Err(DidError::Identifier);
    }
    digest.try_into().map(Hash).map_err(|_| DidError::Identifier)
}

fn parse_inception(text: &str) -> Result<Inception, DidError> {
    let bytes = base64url_decode(text).map_err(|_| DidError::Inception)?;
    Inception::decode(&bytes).map_err(|_| DidError::Inception)
}
