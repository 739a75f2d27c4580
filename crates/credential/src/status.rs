//! Token Status List (draft-ietf-oauth-status-list): one signed list tells of a million credentials
//! which are revoked or suspended, and nobody learns which of them was looked up.
//!
//! * [`StatusList`]: the list itself, 1 to 8 bits for each credential, and its compression. What a
//!   stranger compressed is never inflated beyond a bound that the reader sets.
//! * [`token`]: the signed form (`statuslist+jwt`), to issue and to verify.
//! * [`Reference`]: where a credential's status stands, as the credential says.
//! * [`allocation`]: drawing a place at random, so that neither lists nor indices tell an order.

pub mod allocation;
pub mod token;

use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use realdid_checks::passes;
use realdid_crypto::{base64url_decode, base64url_encode};
use serde_json::Value;

/// Longest list that is read, in bytes as inflated: 16 million entries of 1 bit, 2 million of 8.
pub const MAX_LIST: usize = 2 * 1024 * 1024;
/// Entries of the lists that are made here: 128 KiB at 1 bit, 256 KiB at 2.
pub const ENTRIES: u32 = 1 << 20;
/// Longest address of a list, in bytes.
pub const MAX_URI: usize = 512;

/// Why a status cannot be told, or a list not be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StatusError {
    /// The status claim or the list does not have the expected form.
    #[error("the status information does not have the expected form")]
    Form,
    /// `idx` is no non-negative integer, or `uri` no https address.
    #[error("the credential's reference to a status list is not valid")]
    Reference,
    /// An entry has 1, 2, 4 or 8 bits.
    #[error("a status list has 1, 2, 4 or 8 bits for each entry")]
    Bits,
    /// The list is longer than its reader allows.
    #[error("the status list is longer than allowed")]
    TooLong,
    /// The index lies behind the end of the list.
    #[error("the status list has no entry for this credential")]
    Index,
    /// The status does not fit into the list's bits.
    #[error("the status does not fit into the list")]
    DoesNotFit,
    /// The token is not the list that the credential refers to.
    #[error("the status list is another one than the credential refers to")]
    OtherList,
    /// The token is not a signed status list of the expected key.
    #[error(transparent)]
    Jws(#[from] realdid_jose::jws::JwsError),
    /// `iat` is missing, no number, or in the future.
    #[error("the status list does not say when it was issued, or says a time to come")]
    IssuedAt,
    /// `iat` is longer ago than the verifier accepts.
    #[error("the status list is older than accepted")]
    Stale,
    /// `exp` has passed.
    #[error("the status list has expired")]
    Expired,
    /// `ttl` is not a positive number.
    #[error("the status list's time to live is not a positive number")]
    TimeToLive,
}

/// Bits for each entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bits {
    /// Valid or invalid.
    One = 1,
    /// Suspended, too.
    Two = 2,
    /// Sixteen values.
    Four = 4,
    /// All values.
    Eight = 8,
}

impl Bits {
    /// From the number.
    ///
    /// # Errors
    /// [`StatusError::Bits`].
    pub fn from_number(number: u64) -> Result<Self, StatusError> {
        let bits = [Self::One, Self::Two, Self::Four, Self::Eight];
        let bits = bits.into_iter().find(|bits| *bits as u64 == number);
        if !passes("STL-05", bits.is_some()) {
            return Err(StatusError::Bits);
        }
        bits.ok_or(StatusError::Form)
    }

    const fn per_byte(self) -> usize {
        8 / self as usize
    }

    const fn mask(self) -> u8 {
        u8::MAX >> (8 - self as u8)
    }
}

/// The status of one credential (draft-ietf-oauth-status-list §7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// In force.
    Valid,
    /// Revoked, for good.
    Invalid,
    /// Not in force for the time being.
    Suspended,
    /// A meaning that issuer and verifier agreed on: 3 and 12 to 15.
    Application(u8),
    /// A value without meaning so far.
    Unknown(u8),
}

impl Status {
    /// The status with this value.
    #[must_use]
    pub const fn from_value(value: u8) -> Self {
        match value {
            0 => Self::Valid,
            1 => Self::Invalid,
            2 => Self::Suspended,
            3 | 12..=15 => Self::Application(value),
            _ => Self::Unknown(value),
        }
    }

    /// Its value.
    #[must_use]
    pub const fn value(self) -> u8 {
        match self {
            Self::Valid => 0,
            Self::Invalid => 1,
            Self::Suspended => 2,
            Self::Application(value) | Self::Unknown(value) => value,
        }
    }
}

/// The statuses of many credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusList {
    bits: Bits,
    bytes: Vec<u8>,
}

impl StatusList {
    /// At least `entries` entries, all valid.
    #[must_use]
    pub fn new(bits: Bits, entries: u32) -> Self {
        let bytes = (entries as usize).div_ceil(bits.per_byte());
        Self {
            bits,
            bytes: vec![0; bytes],
        }
    }

    /// A list in which the entries named are as told, and all others valid.
    ///
    /// # Errors
    /// As [`Self::set`].
    pub fn build(
        bits: Bits,
        entries: u32,
        statuses: impl IntoIterator<Item = (u32, Status)>,
    ) -> Result<Self, StatusError> {
        let mut list = Self::new(bits, entries);
        for (index, status) in statuses {
            list.set(index, status)?;
        }
        Ok(list)
    }

    /// Sets one entry.
    ///
    /// # Errors
    /// [`StatusError::Index`], [`StatusError::DoesNotFit`].
    pub fn set(&mut self, index: u32, status: Status) -> Result<(), StatusError> {
        let (bits, value) = (self.bits, status.value());
        if !passes("STL-08", value <= bits.mask()) {
            return Err(StatusError::DoesNotFit);
        }
        let (byte, shift) = self.place(u64::from(index));
        let byte = self.bytes.get_mut(byte).ok_or(StatusError::Index)?;
        *byte = *byte & !(bits.mask() << shift) | (value & bits.mask()) << shift;
        Ok(())
    }

    /// The status at an index.
    ///
    /// # Errors
    /// [`StatusError::Index`]: nothing can be said about the credential, which is then refused.
    pub fn get(&self, index: u64) -> Result<Status, StatusError> {
        let (byte, shift) = self.place(index);
        let byte = self.bytes.get(byte).copied();
        if !passes("STL-07", byte.is_some()) {
            return Err(StatusError::Index);
        }
        Ok(Status::from_value(byte.unwrap_or(0) >> shift & self.bits.mask()))
    }

    /// Byte and bit of an entry: entries fill a byte from its lowest bit.
    fn place(&self, index: u64) -> (usize, u32) {
        let per_byte = self.bits.per_byte() as u64;
        let byte = usize::try_from(index / per_byte).unwrap_or(usize::MAX);
        (byte, (index % per_byte) as u32 * self.bits as u32)
    }

    /// Bits for each entry.
    #[must_use]
    pub const fn bits(&self) -> Bits {
        self.bits
    }

    /// Number of entries, those at the end that are there to fill a byte included.
    #[must_use]
    pub const fn entries(&self) -> usize {
        self.bytes.len() * self.bits.per_byte()
    }

    /// The member `lst`: deflated in the ZLIB format as far as it goes, base64url.
    #[must_use]
    pub fn to_lst(&self) -> String {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        let written = encoder.write_all(&self.bytes).and_then(|()| encoder.finish());
        base64url_encode(written.expect("writing into memory does not fail"))
    }

    /// From the member `lst`. Inflates `limit` bytes at most.
    ///
    /// # Errors
    /// [`StatusError::Form`], [`StatusError::TooLong`].
    pub fn from_lst(bits: Bits, lst: &str, limit: usize) -> Result<Self, StatusError> {
        let deflated = base64url_decode(lst).map_err(|_| StatusError::Form)?;
        let mut decoder = ZlibDecoder::new(deflated.as_slice());
        let mut bytes = Vec::new();
        let room = limit as u64 + 1;
        decoder
            .by_ref()
            .take(room)
            .read_to_end(&mut bytes)
            .map_err(|_| StatusError::Form)?;
        if !passes("STL-06", bytes.len() <= limit) {
            return Err(StatusError::TooLong);
        }
        // Nothing may follow: two readers could see two lists.
        if bytes.len() <= limit && decoder.total_in() != deflated.len() as u64 {
            return Err(StatusError::Form);
        }
        Ok(Self { bits, bytes })
    }
}

/// Where the status of a credential stands: its claim `status.status_list`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reference {
    /// Address of the list, https or on loopback.
    pub uri: String,
    /// Place in the list.
    pub index: u64,
}

impl Reference {
    /// From the claim `status` of a credential. `None` if it names only mechanisms unknown here.
    ///
    /// # Errors
    /// [`StatusError::Reference`] if it names a list, but not a place in it.
    pub fn from_claim(status: &Value) -> Result<Option<Self>, StatusError> {
        let Some(list) = status.get("status_list") else {
            return if status.is_object() {
                Ok(None)
            } else {
                Err(StatusError::Reference)
            };
        };
        let index = list.get("idx").and_then(Value::as_u64);
        let uri = list.get("uri").and_then(Value::as_str).unwrap_or_default();
        if !passes("STL-09", index.is_some() && is_web_address(uri)) {
            return Err(StatusError::Reference);
        }
        Ok(Some(Self {
            uri: uri.to_owned(),
            index: index.unwrap_or_default(),
        }))
    }

    /// The claim `status`.
    #[must_use]
    pub fn to_claim(&self) -> Value {
        serde_json::json!({ "status_list": { "idx": self.index, "uri": self.uri } })
    }
}

/// A first look, so that no other kind of address gets into a cache. Whether it may be fetched is
/// decided where it is fetched.
fn is_web_address(uri: &str) -> bool {
    let rest = uri
        .strip_prefix("https://")
        .or_else(|| uri.strip_prefix("http://"));
    uri.len() <= MAX_URI
        && rest.is_some_and(|rest| !rest.is_empty())
        && uri.bytes().all(|byte| byte.is_ascii_graphic())
        && !uri.contains('#')
}
