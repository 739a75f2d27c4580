//! Keys that an issuer publishes at its own address (SD-JWT VC, JWT VC Issuer Metadata).
//!
//! Nothing is fetched here: [`well_known_url`] says where the document lies, [`IssuerMetadata::parse`]
//! reads it, and [`KeySet`] chooses a key. The address comes from a stranger's credential; whoever
//! fetches it takes care where it leads.

use realdid_checks::passes;
use realdid_crypto::PublicKey;
use realdid_jose::json::parse_object;
use realdid_jose::jwk::Jwk;
use serde_json::{Map, Value};
use url::Url;

/// Longest document that is read, in bytes.
pub const MAX_DOCUMENT: usize = 256 * 1024;
/// Most keys that are read of a set.
pub const MAX_KEYS: usize = 64;
/// Longest issuer identifier, in bytes.
const MAX_ISSUER: usize = 2048;
const WELL_KNOWN: &str = "/.well-known/jwt-vc-issuer";

/// Why an issuer's metadata give no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IssuerMetadataError {
    /// The issuer is no https address of host, port and path.
    #[error("the issuer is no web address that can have metadata")]
    Issuer,
    /// The document is too long, or not of the prescribed form.
    #[error("the issuer's metadata do not have the prescribed form")]
    Form,
    /// The document is about another issuer.
    #[error("the issuer's metadata are about another issuer")]
    OtherIssuer,
    /// Neither `jwks` nor `jwks_uri`, or both.
    #[error("the issuer's metadata do not have exactly one of jwks and jwks_uri")]
    Keys,
    /// No key, or more than one, is the one that is named.
    #[error("the issuer's keys have not exactly one that fits the credential")]
    NoKey,
}

impl IssuerMetadataError {
    /// Stable name, for machines.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Issuer => "issuer_metadata_issuer",
            Self::Form => "issuer_metadata_form",
            Self::OtherIssuer => "issuer_metadata_other_issuer",
            Self::Keys => "issuer_metadata_keys",
            Self::NoKey => "issuer_metadata_no_key",
        }
    }

    /// What helps, in plain words.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Issuer => "iss must be https://host[:port][/path], without query or fragment.",
            Self::Form | Self::Keys => "Publish {\"issuer\": …, \"jwks\": {\"keys\": […]}} as JSON.",
            Self::OtherIssuer => "The member issuer must be the credential's iss, to the letter.",
            Self::NoKey => "Give each key a kid of its own, and name it in the credential's header.",
        }
    }
}

/// Where an issuer's metadata lie: `/.well-known/jwt-vc-issuer` between host and path. `loopback`:
/// whether plain http to this machine will do, as in a sandbox.
///
/// # Errors
/// [`IssuerMetadataError::Issuer`].
pub fn well_known_url(issuer: &str, loopback: bool) -> Result<String, IssuerMetadataError> {
    let url = Url::parse(issuer).ok().filter(|_| issuer.len() <= MAX_ISSUER);
    let fits = url.as_ref().is_some_and(|url| is_issuer(url, loopback));
    if !passes("SVC-17", fits) {
        return Err(IssuerMetadataError::Issuer);
    }
    let url = url.ok_or(IssuerMetadataError::Form)?;
    let origin = url.origin().ascii_serialization();
    Ok(format!(
        "{origin}{WELL_KNOWN}{}",
        url.path().trim_end_matches('/')
    ))
}

fn is_issuer(url: &Url, loopback: bool) -> bool {
    let secure = match (url.scheme(), url.host_str()) {
        ("https", Some(_)) => true,
        ("http", Some("localhost" | "127.0.0.1" | "[::1]")) => loopback,
        _ => false,
    };
    let bare = url.query().is_none() && url.fragment().is_none();
    secure && bare && url.username().is_empty() && url.password().is_none()
}

/// An issuer's metadata, checked to be about that issuer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerMetadata {
    keys: IssuerKeys,
}

/// Where an issuer's keys are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IssuerKeys {
    /// In the metadata.
    Here(KeySet),
    /// At this address, which has to be fetched like the metadata.
    At(String),
}

impl IssuerMetadata {
    /// Reads the document of an issuer. `issuer`: the credential's `iss`.
    ///
    /// # Errors
    /// [`IssuerMetadataError::Form`], [`IssuerMetadataError::OtherIssuer`], [`IssuerMetadataError::Keys`].
    pub fn parse(document: &[u8], issuer: &str) -> Result<Self, IssuerMetadataError> {
        let metadata = object(document).ok_or(IssuerMetadataError::Form)?;
        let stated = metadata.get("issuer").and_then(Value::as_str);
        if !passes("SVC-18", stated == Some(issuer)) {
            return Err(IssuerMetadataError::OtherIssuer);
        }
        let (keys, address) = (metadata.get("jwks"), metadata.get("jwks_uri"));
        if !passes("SVC-19", keys.is_some() != address.is_some()) {
            return Err(IssuerMetadataError::Keys);
        }
        let keys = match (keys, address) {
            (Some(Value::Object(keys)), _) => IssuerKeys::Here(KeySet::of(keys)?),
            (None, Some(Value::String(address))) => IssuerKeys::At(address.clone()),
            _ => return Err(IssuerMetadataError::Form),
        };
        Ok(Self { keys })
    }

    /// The issuer's keys, or where they are.
    #[must_use]
    pub const fn keys(&self) -> &IssuerKeys {
        &self.keys
    }
}

/// An issuer's keys for signatures, as far as their types are known here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySet(Vec<(Option<String>, PublicKey)>);

impl KeySet {
    /// Reads a JWK set (RFC 7517 §5). Keys of unknown types, for encryption, or with a private part are
    /// passed over.
    ///
    /// # Errors
    /// [`IssuerMetadataError::Form`].
    pub fn parse(document: &[u8]) -> Result<Self, IssuerMetadataError> {
        Self::of(&object(document).ok_or(IssuerMetadataError::Form)?)
    }

    fn of(set: &Map<String, Value>) -> Result<Self, IssuerMetadataError> {
        let keys = set.get("keys").and_then(Value::as_array);
        let keys = keys
            .filter(|keys| keys.len() <= MAX_KEYS)
            .ok_or(IssuerMetadataError::Form)?;
        Ok(Self(keys.iter().filter_map(signing_key).collect()))
    }

    /// The key that a credential names by `kid`, or without one the only key of that algorithm.
    ///
    /// # Errors
    /// [`IssuerMetadataError::NoKey`] if none fits, or several do.
    pub fn select(&self, kid: Option<&str>, algorithm: &str) -> Result<PublicKey, IssuerMetadataError> {
        let mut fitting = self.0.iter().filter(|(name, key)| match kid {
            Some(kid) => name.as_deref() == Some(kid),
            None => key.kind().jose_algorithm() == algorithm,
        });
        let (first, second) = (fitting.next(), fitting.next());
        if !passes("SVC-20", first.is_some() && second.is_none()) {
            return Err(IssuerMetadataError::NoKey);
        }
        first.map(|(_, key)| *key).ok_or(IssuerMetadataError::Form)
    }
}

fn object(document: &[u8]) -> Option<Map<String, Value>> {
    (document.len() <= MAX_DOCUMENT).then(|| parse_object(document))?
}

fn signing_key(value: &Value) -> Option<(Option<String>, PublicKey)> {
    if value.get("d").is_some() {
        return None;
    }
    let jwk: Jwk = serde_json::from_value(value.clone()).ok()?;
    let signs = jwk.usage.as_deref().is_none_or(|usage| usage == "sig");
    signs.then(|| Some((jwk.kid.clone(), jwk.public_key().ok()?)))?
}
