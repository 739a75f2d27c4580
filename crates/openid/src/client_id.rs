//! How a verifier names itself: a client identifier with the prefix for DIDs (OpenID4VP 1.0 §5.9.3).

use std::fmt;

/// The prefix of client identifiers that are DIDs.
const PREFIX: &str = "decentralized_identifier:";
/// Longest client identifier that is accepted, in bytes.
const MAX_CLIENT_ID: usize = 256;

/// The text is not `decentralized_identifier:` and a DID of at most 256 bytes together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the client identifier is not `decentralized_identifier:` and a DID in short form")]
pub struct ClientIdError;

/// A client identifier `decentralized_identifier:did:…`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ClientId(String);

impl ClientId {
    /// The client identifier of the verifier with this DID (short form).
    #[must_use]
    pub fn of_did(did: &str) -> Self {
        Self(format!("{PREFIX}{did}"))
    }

    /// Takes a client identifier. That the DID is well-formed is for its resolver to say.
    ///
    /// # Errors
    /// [`ClientIdError`].
    pub fn parse(text: &str) -> Result<Self, ClientIdError> {
        // check: VP-02
        let did = text.strip_prefix(PREFIX).ok_or(ClientIdError)?;
        let characters = did
            .bytes()
            .all(|c| c.is_ascii_alphanumeric() || b":.-_%".contains(&c));
        if text.len() <= MAX_CLIENT_ID && did.starts_with("did:") && characters {
            Ok(Self(text.to_owned()))
        } else {
            Err(ClientIdError)
        }
    }

    /// The whole text, with its prefix.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The verifier's DID.
    #[must_use]
    pub fn did(&self) -> &str {
        &self.0[PREFIX.len()..]
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl serde::Serialize for ClientId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for ClientId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
