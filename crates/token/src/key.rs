//! An authority's epoch key: its public part, its identifier, and which values it may sign.

use realdid_checks::passes;
use realdid_crypto::{DecodeError, Hash, Reader, Writer, hash_labelled};
use realdid_did::Level;

/// Length of the modulus, in bytes: 2048 bit.
pub const MODULUS_LENGTH: usize = 256;

/// What tokens of a key are for. A token of one purpose is never accepted for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Purpose {
    /// A real, verified person stands behind the DID.
    RealName = 1,
}

impl Purpose {
    /// The registered code.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The purpose with this code, if registered.
    #[must_use]
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::RealName),
            _ => None,
        }
    }
}

/// Why a modulus is not one of an epoch key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the modulus is not an odd number of exactly 2048 bits")]
pub struct KeyError;

/// A blinded value that must not be signed (RFC 9474 §4.3): 0, 1, n − 1, or not below n.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the blinded value is not between 2 and n − 2")]
pub struct BlindedError;

/// The public part of an authority's signing key for one purpose, level and epoch.
///
/// There is at most one per (authority, purpose, level, epoch), and the ledger shows it an epoch
/// ahead, so that an authority cannot tag people with keys of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EpochKey {
    /// Identifier hash of the authority's DID.
    pub authority: Hash,
    /// What its tokens are for.
    pub purpose: Purpose,
    /// How thoroughly the persons were verified.
    pub level: Level,
    /// The epoch in which it signs.
    pub epoch: u64,
    modulus: [u8; MODULUS_LENGTH],
}

impl EpochKey {
    /// Checks and takes a key; `modulus` is big-endian, the exponent is 65537.
    ///
    /// # Errors
    /// [`KeyError`] unless the modulus is odd and has exactly 2048 bits.
    pub fn new(
        authority: Hash,
        purpose: Purpose,
        level: Level,
        epoch: u64,
        modulus: [u8; MODULUS_LENGTH],
    ) -> Result<Self, KeyError> {
        let (long, odd) = (modulus[0] & 0x80 != 0, modulus[MODULUS_LENGTH - 1] & 1 != 0);
        if !passes("TOK-01", long && odd) {
            return Err(KeyError);
        }
        Ok(Self {
            authority,
            purpose,
            level,
            epoch,
            modulus,
        })
    }

    /// The modulus, big-endian.
    #[must_use]
    pub const fn modulus(&self) -> &[u8; MODULUS_LENGTH] {
        &self.modulus
    }

    /// The identifier that tokens carry, on the network with this charter.
    #[must_use]
    pub fn id(&self, charter: &Hash) -> Hash {
        let mut writer = Writer::new();
        charter.write(&mut writer);
        self.write(&mut writer);
        hash_labelled("realdid/token-key/v1", &[&writer.finish()])
    }

    /// Whether the authority may sign this blinded value.
    ///
    /// # Errors
    /// [`BlindedError`].
    pub fn check_blinded(&self, blinded: &[u8; MODULUS_LENGTH]) -> Result<(), BlindedError> {
        let mut one = [0; MODULUS_LENGTH];
        one[MODULUS_LENGTH - 1] = 1;
        // The modulus is odd, so n − 1 differs from it in the last bit alone.
        let mut last = self.modulus;
        last[MODULUS_LENGTH - 1] &= 0xfe;
        if passes("TOK-02", one < *blinded && *blinded < last) {
            Ok(())
        } else {
            Err(BlindedError)
        }
    }

    /// Appends authority (32), purpose (1), level (1), epoch (8), modulus (256).
    pub fn write(&self, writer: &mut Writer) {
        self.authority.write(writer);
        writer
            .u8(self.purpose.code())
            .u8(self.level.code())
            .u64(self.epoch)
            .fixed(&self.modulus);
    }

    /// Takes what [`Self::write`] appends.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let authority = Hash::read(reader)?;
        let purpose = Purpose::from_code(reader.u8()?).ok_or(DecodeError::Unknown("purpose"))?;
        let level = Level::from_code(reader.u8()?).ok_or(DecodeError::OutOfRange("level"))?;
        let epoch = reader.u64()?;
        Self::new(authority, purpose, level, epoch, reader.fixed()?)
            .map_err(|_| DecodeError::OutOfRange("modulus"))
    }
}
