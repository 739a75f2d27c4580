//! What a DID is the hash of, and the parts it shares with operations: keys, services, commitments.

use realdid_checks::passes;
use realdid_crypto::{DecodeError, Hash, PublicKey, Reader, Writer, hash_labelled, sha256};

use crate::{Did, Network};

/// Most verification keys a document has.
pub const MAX_KEYS: usize = 4;
/// Most services a document has.
pub const MAX_SERVICES: usize = 4;
/// The one format version of inceptions there is.
const FORMAT: u8 = 1;

/// 32 fresh random bytes that hide what a commitment commits to.
pub type Salt = [u8; 32];

/// What a key may be used for: the verification relationships of DID Core §5.3, as bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Purposes(u8);

impl Purposes {
    /// Logging in and signing the DID's own operations.
    pub const AUTHENTICATION: Self = Self(1);
    /// Making statements: credentials, sponsorships, epoch keys.
    pub const ASSERTION: Self = Self(2);
    /// Invoking capabilities.
    pub const INVOCATION: Self = Self(4);
    /// Delegating capabilities.
    pub const DELEGATION: Self = Self(8);

    /// Both sets together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether every purpose of `other` is among these.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// A public key and what it is for. Its fragment in the document is its multikey, so that two DIDs
/// share a fragment only if they share a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct VerificationKey {
    /// What the key may be used for; at least one purpose.
    pub purposes: Purposes,
    /// The key.
    pub key: PublicKey,
}

impl VerificationKey {
    /// A key for logging in and for the DID's own operations.
    #[must_use]
    pub const fn authentication(key: PublicKey) -> Self {
        Self {
            purposes: Purposes::AUTHENTICATION,
            key,
        }
    }

    fn write(&self, writer: &mut Writer) {
        writer.u8(self.purposes.0);
        self.key.write(writer);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let purposes = reader.u8()?;
        if !(1..16).contains(&purposes) {
            return Err(DecodeError::OutOfRange("purposes"));
        }
        Ok(Self {
            purposes: Purposes(purposes),
            key: PublicKey::read(reader)?,
        })
    }
}

/// A service of the document (DID Core §5.4): identifier (1–32 of `[a-z0-9-]`), type (1–64 ASCII
/// graphic characters) and endpoint (1–256 ASCII graphic characters, `https:` or `http:`).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Service {
    /// Fragment of the service's DID URL.
    pub id: String,
    /// Type of the service.
    pub kind: String,
    /// Where the service is.
    pub endpoint: String,
}

impl Service {
    fn is_valid(&self) -> bool {
        let id = self
            .id
            .bytes()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-');
        let graphic = |text: &str, limit| {
            (1..=limit).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_graphic() && c != b'"')
        };
        let scheme = self.endpoint.starts_with("https://") || self.endpoint.starts_with("http://");
        id && graphic(&self.id, 32) && graphic(&self.kind, 64) && graphic(&self.endpoint, 256) && scheme
    }

    fn write(&self, writer: &mut Writer) {
        writer
            .bytes(self.id.as_bytes())
            .bytes(self.kind.as_bytes())
            .bytes(self.endpoint.as_bytes());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut text = |field, limit| {
            let bytes = reader.bytes(field, limit)?;
            String::from_utf8(bytes.to_vec()).map_err(|_| DecodeError::OutOfRange(field))
        };
        let service = Self {
            id: text("service id", 32)?,
            kind: text("service type", 64)?,
            endpoint: text("endpoint", 256)?,
        };
        if service.is_valid() {
            Ok(service)
        } else {
            Err(DecodeError::OutOfRange("service"))
        }
    }
}

/// The part of a DID's state that its document is made of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DocumentData {
    keys: Vec<VerificationKey>,
    services: Vec<Service>,
}

impl DocumentData {
    /// Checks and takes keys (1 to [`MAX_KEYS`], all different) and services (up to
    /// [`MAX_SERVICES`], identifiers all different).
    ///
    /// # Errors
    /// [`DecodeError::OutOfRange`] names the field.
    pub fn new(keys: Vec<VerificationKey>, services: Vec<Service>) -> Result<Self, DecodeError> {
        check_keys(&keys)?;
        let mut ids: Vec<_> = services.iter().map(|service| &service.id).collect();
        ids.sort_unstable();
        ids.dedup();
        let few_and_different = services.len() <= MAX_SERVICES && ids.len() == services.len();
        if !passes(
            "DID-05",
            few_and_different && services.iter().all(Service::is_valid),
        ) {
            return Err(DecodeError::OutOfRange("services"));
        }
        Ok(Self { keys, services })
    }

    /// The verification keys, in order.
    #[must_use]
    pub fn keys(&self) -> &[VerificationKey] {
        &self.keys
    }

    /// The services, in order.
    #[must_use]
    pub fn services(&self) -> &[Service] {
        &self.services
    }

    /// The hash that the state entry holds.
    #[must_use]
    pub fn hash(&self) -> Hash {
        let mut writer = Writer::new();
        self.write(&mut writer);
        hash_labelled("realdid/document/v1", &[&writer.finish()])
    }

    /// Appends count and keys, count and services.
    pub fn write(&self, writer: &mut Writer) {
        write_keys(&self.keys, writer);
        writer.u8(self.services.len() as u8);
        self.services.iter().for_each(|service| service.write(writer));
    }

    /// Takes what [`Self::write`] appends.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let keys = read_keys(reader)?;
        let count = usize::from(reader.u8()?);
        if count > MAX_SERVICES {
            return Err(DecodeError::TooLong("services"));
        }
        let services = (0..count)
            .map(|_| Service::read(reader))
            .collect::<Result<_, _>>()?;
        Self::new(keys, services)
    }
}

fn check_keys(keys: &[VerificationKey]) -> Result<(), DecodeError> {
    let mut sorted: Vec<_> = keys.iter().map(|key| key.key).collect();
    sorted.sort_unstable();
    sorted.dedup();
    let few = (1..=MAX_KEYS).contains(&keys.len());
    if !passes("DID-04", few && sorted.len() == keys.len()) {
        return Err(DecodeError::OutOfRange("keys"));
    }
    Ok(())
}

fn write_keys(keys: &[VerificationKey], writer: &mut Writer) {
    writer.u8(keys.len() as u8);
    keys.iter().for_each(|key| key.write(writer));
}

fn read_keys(reader: &mut Reader<'_>) -> Result<Vec<VerificationKey>, DecodeError> {
    let count = usize::from(reader.u8()?);
    if count > MAX_KEYS {
        return Err(DecodeError::TooLong("keys"));
    }
    let keys = (0..count)
        .map(|_| VerificationKey::read(reader))
        .collect::<Result<Vec<_>, _>>()?;
    check_keys(&keys)?;
    Ok(keys)
}

/// A hidden promise of keys: `H(label ‖ charter ‖ keys ‖ salt)`, 32 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Commitment(pub Hash);

/// The next keys of a DID, opened: they become its current keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeysReveal {
    /// 1 to [`MAX_KEYS`] keys.
    pub keys: Vec<VerificationKey>,
    /// The salt of the commitment.
    pub salt: Salt,
}

impl KeysReveal {
    /// The commitment that this opens on the network with this charter.
    #[must_use]
    pub fn commitment(&self, charter: &Hash) -> Commitment {
        let mut writer = Writer::new();
        write_keys(&self.keys, &mut writer);
        let parts: [&[u8]; 3] = [charter.as_bytes(), &writer.finish(), &self.salt];
        Commitment(hash_labelled("realdid/commit/next/v1", &parts))
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        write_keys(&self.keys, writer);
        writer.fixed(&self.salt);
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            keys: read_keys(reader)?,
            salt: reader.fixed()?,
        })
    }
}

/// The recovery key of a DID, opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecoveryReveal {
    /// The recovery key.
    pub key: PublicKey,
    /// The salt of the commitment.
    pub salt: Salt,
}

impl RecoveryReveal {
    /// The commitment that this opens on the network with this charter.
    #[must_use]
    pub fn commitment(&self, charter: &Hash) -> Commitment {
        let mut writer = Writer::new();
        self.key.write(&mut writer);
        let parts: [&[u8]; 3] = [charter.as_bytes(), &writer.finish(), &self.salt];
        Commitment(hash_labelled("realdid/commit/recovery/v1", &parts))
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        self.key.write(writer);
        writer.fixed(&self.salt);
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            key: PublicKey::read(reader)?,
            salt: reader.fixed()?,
        })
    }
}

/// What a DID is the hash of.
///
/// Layout: format `01`, charter hash (32), keys (count, then purposes, type and bytes of each),
/// services (count, then three length-prefixed texts each), commitment to the next keys (32),
/// commitment to the recovery key (32), count of extensions (`00`: none is known yet, and unknown
/// ones are refused, not ignored). At most about 1.3 KB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inception {
    /// Hash of the genesis charter of the network.
    pub charter: Hash,
    /// First keys and services.
    pub document: DocumentData,
    /// Commitment to the next keys.
    pub next: Commitment,
    /// Commitment to the recovery key.
    pub recovery: Commitment,
}

impl Inception {
    /// The canonical bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        self.write(&mut writer);
        writer.finish()
    }

    /// Decodes canonical bytes.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let inception = Self::read(&mut reader)?;
        reader.finish()?;
        Ok(inception)
    }

    /// The identifier's hash: SHA-256 of the canonical bytes.
    #[must_use]
    pub fn hash(&self) -> Hash {
        sha256(&self.encode())
    }

    /// The DID on a network.
    #[must_use]
    pub fn did(&self, network: &Network) -> Did {
        Did {
            network: network.clone(),
            hash: self.hash(),
        }
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.u8(FORMAT);
        self.charter.write(writer);
        self.document.write(writer);
        self.next.0.write(writer);
        self.recovery.0.write(writer);
        writer.u8(0);
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        if reader.u8()? != FORMAT {
            return Err(DecodeError::Unknown("inception format"));
        }
        let inception = Self {
            charter: Hash::read(reader)?,
            document: DocumentData::read(reader)?,
            next: Commitment(Hash::read(reader)?),
            recovery: Commitment(Hash::read(reader)?),
        };
        if !passes("DID-06", reader.u8()? == 0) {
            return Err(DecodeError::Unknown("extensions"));
        }
        Ok(inception)
    }
}
