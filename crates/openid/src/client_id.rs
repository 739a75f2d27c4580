//! How a verifier names itself: a client identifier with its prefix (OpenID4VP 1.0 §5.9).

use std::fmt;

use realdid_checks::passes;
use realdid_crypto::base64url_decode;
use realdid_jose::x5c::Leaf;

/// Longest client identifier that is accepted, in bytes.
const MAX_CLIENT_ID: usize = 512;

/// How a client identifier is to be understood, and by what its requests are signed (§5.9.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ClientIdPrefix {
    /// A DID: signed by a key of its document.
    DecentralizedIdentifier,
    /// A DNS name in the certificate of the key that signs.
    X509SanDns,
    /// SHA-256 of the certificate of the key that signs, base64url.
    X509Hash,
    /// The address that the answer goes to, and nothing more is known: such requests are not signed.
    RedirectUri,
}

impl ClientIdPrefix {
    /// All whose requests are signed.
    pub const ALL: [Self; 3] = [Self::DecentralizedIdentifier, Self::X509SanDns, Self::X509Hash];

    /// The prefix as it is written, without its colon.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DecentralizedIdentifier => "decentralized_identifier",
            Self::X509SanDns => "x509_san_dns",
            Self::X509Hash => "x509_hash",
            Self::RedirectUri => "redirect_uri",
        }
    }

    /// The prefix of this name, if it is understood and its requests are signed.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|prefix| prefix.as_str() == name)
    }
}

/// Why a client identifier is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientIdError {
    /// A prefix whose requests cannot be signed, or whose trust is not known here; it is named.
    #[error(
        "the client identifier has the prefix `{0}`; decentralized_identifier, x509_san_dns and x509_hash are understood"
    )]
    Prefix(String),
    /// No prefix, or what follows it is not what it says; or too long.
    #[error("the client identifier is not a prefix and what it announces, of at most 512 bytes")]
    Form,
}

/// A client identifier `<prefix>:<identifier>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ClientId {
    text: String,
    prefix: ClientIdPrefix,
}

impl ClientId {
    /// The client identifier of the verifier with this DID (short form).
    #[must_use]
    pub fn of_did(did: &str) -> Self {
        Self::with_prefix(ClientIdPrefix::DecentralizedIdentifier, did)
    }

    /// The client identifier of a verifier with a certificate for this DNS name.
    #[must_use]
    pub fn of_dns_name(name: &str) -> Self {
        Self::with_prefix(ClientIdPrefix::X509SanDns, name)
    }

    /// The client identifier of a verifier with this certificate.
    #[must_use]
    pub fn of_certificate(leaf: &Leaf) -> Self {
        Self::with_prefix(ClientIdPrefix::X509Hash, leaf.hash())
    }

    fn with_prefix(prefix: ClientIdPrefix, identifier: &str) -> Self {
        Self {
            text: format!("{}:{identifier}", prefix.as_str()),
            prefix,
        }
    }

    /// Takes a client identifier. That a DID is well-formed is for its resolver to say.
    ///
    /// # Errors
    /// [`ClientIdError`].
    pub fn parse(text: &str) -> Result<Self, ClientIdError> {
        let (name, identifier) = text.split_once(':').ok_or(ClientIdError::Form)?;
        let prefix = ClientIdPrefix::from_name(name);
        if !passes("VP-25", prefix.is_some()) {
            // It is shown to people: nothing in it may steer what shows it.
            let shown = name.chars().filter(char::is_ascii_graphic).take(64);
            return Err(ClientIdError::Prefix(shown.collect()));
        }
        let prefix = prefix.unwrap_or(ClientIdPrefix::DecentralizedIdentifier);
        let fits = match prefix {
            ClientIdPrefix::DecentralizedIdentifier => is_did(identifier),
            ClientIdPrefix::X509SanDns => is_dns_name(identifier),
            ClientIdPrefix::X509Hash => base64url_decode(identifier).is_ok_and(|hash| hash.len() == 32),
            ClientIdPrefix::RedirectUri => false,
        };
        if passes("VP-02", fits && text.len() <= MAX_CLIENT_ID) {
            Ok(Self {
                text: text.to_owned(),
                prefix,
            })
        } else {
            Err(ClientIdError::Form)
        }
    }

    /// Takes a client identifier whose requests are not signed: an address of at most 512 bytes. That it
    /// may be contacted is for whoever does to check.
    #[must_use]
    pub fn parse_unsigned(text: &str) -> Option<Self> {
        let prefix = ClientIdPrefix::RedirectUri;
        let (name, identifier) = text.split_once(':')?;
        if name != prefix.as_str() {
            return None;
        }
        let address = identifier.bytes().all(|c| c.is_ascii_graphic()) && !identifier.is_empty();
        passes("VP-45", address && text.len() <= MAX_CLIENT_ID).then(|| Self {
            text: text.to_owned(),
            prefix,
        })
    }

    /// The whole text, with its prefix.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The prefix.
    #[must_use]
    pub const fn prefix(&self) -> ClientIdPrefix {
        self.prefix
    }

    /// What stands behind the prefix.
    #[must_use]
    pub fn identifier(&self) -> &str {
        self.text.split_once(':').map_or("", |(_, identifier)| identifier)
    }

    /// The verifier's DID, if it names itself by one.
    #[must_use]
    pub fn did(&self) -> Option<&str> {
        (self.prefix == ClientIdPrefix::DecentralizedIdentifier).then(|| self.identifier())
    }
}

fn is_did(text: &str) -> bool {
    let characters = text
        .bytes()
        .all(|c| c.is_ascii_alphanumeric() || b":.-_%".contains(&c));
    text.starts_with("did:") && text.len() > 4 && characters
}

fn is_dns_name(text: &str) -> bool {
    let label = |label: &str| {
        let characters = label.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-');
        (1..=63).contains(&label.len()) && characters && !label.starts_with('-') && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(label)
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl serde::Serialize for ClientId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> serde::Deserialize<'de> for ClientId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
