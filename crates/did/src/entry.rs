//! The state of a DID on the ledger: a record of fixed size, and how time alone changes it.

use realdid_checks::passes;
use realdid_crypto::{DecodeError, Hash, Reader, Writer};

use crate::Commitment;

/// Length of an encoded entry, in bytes.
pub const ENTRY_LENGTH: usize = 333;

/// How thoroughly the person behind a DID was verified (the levels of eIDAS, Regulation (EU)
/// No 910/2014, Article 8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
#[repr(u8)]
pub enum Level {
    /// Some confidence.
    Low = 1,
    /// A register match and possession of a registered contact.
    Substantial = 2,
    /// In person, or as good.
    High = 3,
}

impl Level {
    /// The registered code.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The level with this code, if registered.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        [Self::Low, Self::Substantial, Self::High]
            .into_iter()
            .find(|level| level.code() == code)
    }
}

/// Who answers for a DID's being on the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Backing {
    /// A real-name token: a verified person stands behind it.
    Token = 1,
    /// A seat of the genesis charter.
    Charter = 2,
    /// An accredited organisation's sponsorship.
    Sponsor = 3,
}

impl Backing {
    fn from_code(code: u8) -> Option<Self> {
        [Self::Token, Self::Charter, Self::Sponsor]
            .into_iter()
            .find(|backing| *backing as u8 == code)
    }
}

/// What the newest accepted token, seat or sponsorship says. For anything but a token, `epoch` is 0
/// and `level` [`Level::Low`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Assurance {
    /// Kind of backing.
    pub backing: Backing,
    /// Identifier hash of the authority's or sponsor's DID; zero for a charter seat.
    pub by: Hash,
    /// The token's epoch.
    pub epoch: u64,
    /// The token's level.
    pub level: Level,
}

/// What kind of operation waits for its delay to pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum PendingKind {
    /// A recovery; verifiers refuse the DID meanwhile.
    Recovery = 1,
    /// A deactivation by the next keys; a recovery cancels it.
    Deactivation = 2,
}

/// An operation that takes effect later. For a deactivation, the last three are zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pending {
    /// Which kind.
    pub kind: PendingKind,
    /// The operation's hash.
    pub operation: Hash,
    /// When it takes effect, in Unix seconds.
    pub effective_at: u64,
    /// Hash of the document data from then on.
    pub document: Hash,
    /// Commitment to the next keys from then on.
    pub next: Commitment,
    /// Commitment to the recovery key from then on.
    pub recovery: Commitment,
}

/// What a DID's state means to a verifier at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// In use.
    Active,
    /// A recovery is under way: verifiers refuse until it takes effect.
    Recovering,
    /// Ended for good.
    Deactivated,
}

/// The state of a DID on the ledger.
///
/// Layout (333 bytes, integers big-endian): version (4), document hash (32), last operation (32),
/// next commitment (32), recovery commitment (32), created (8), updated (8), backing (1), by (32),
/// epoch (8), level (1), flags (1: bit 0 deactivated, bit 1 vetoed, bit 2 pending),
/// pending kind (1), operation (32), effective at (8), document (32), next (32), recovery (32),
/// and 5 zero bytes kept for later. Without a pending operation its fields are zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// How many operations the DID has had; 1 after the first.
    pub version: u32,
    /// Hash of the current document data.
    pub document: Hash,
    /// Hash of the last operation.
    pub last_operation: Hash,
    /// Commitment to the next keys.
    pub next: Commitment,
    /// Commitment to the recovery key.
    pub recovery: Commitment,
    /// Time of the first operation's block, in Unix seconds.
    pub created: u64,
    /// Time of the last operation's block, in Unix seconds.
    pub updated: u64,
    /// Who answers for it.
    pub assurance: Assurance,
    /// Whether it has ended.
    pub deactivated: bool,
    /// Whether a recovery was vetoed and none has succeeded since.
    pub vetoed: bool,
    /// An operation that waits for its delay.
    pub pending: Option<Pending>,
}

impl Entry {
    /// The entry as it stands at `now` (Unix seconds): a pending operation whose time has come has
    /// taken effect.
    #[must_use]
    pub fn at(&self, now: u64) -> Self {
        let mut entry = self.clone();
        let Some(pending) = self.pending.filter(|pending| pending.effective_at <= now) else {
            return entry;
        };
        entry.pending = None;
        match pending.kind {
            PendingKind::Deactivation => entry.deactivated = true,
            PendingKind::Recovery => {
                entry.document = pending.document;
                entry.next = pending.next;
                entry.recovery = pending.recovery;
                entry.vetoed = false;
            }
        }
        entry
    }

    /// What a verifier makes of the DID at `now` (Unix seconds).
    #[must_use]
    pub fn status(&self, now: u64) -> Status {
        let entry = self.at(now);
        match entry.pending {
            _ if entry.deactivated => Status::Deactivated,
            Some(Pending {
                kind: PendingKind::Recovery,
                ..
            }) => Status::Recovering,
            _ => Status::Active,
        }
    }

    /// Appends the [`ENTRY_LENGTH`] bytes.
    pub fn write(&self, writer: &mut Writer) {
        writer.u32(self.version);
        for hash in [self.document, self.last_operation, self.next.0, self.recovery.0] {
            hash.write(writer);
        }
        writer
            .u64(self.created)
            .u64(self.updated)
            .u8(self.assurance.backing as u8);
        self.assurance.by.write(writer);
        writer.u64(self.assurance.epoch).u8(self.assurance.level.code());
        let flags = [self.deactivated, self.vetoed, self.pending.is_some()];
        writer.u8(flags
            .iter()
            .rev()
            .fold(0, |bits, flag| bits << 1 | u8::from(*flag)));
        match &self.pending {
            None => {
                writer.fixed(&[0; 137]);
            }
            Some(pending) => {
                pending.operation.write(writer.u8(pending.kind as u8));
                pending.document.write(writer.u64(pending.effective_at));
                pending.next.0.write(writer);
                pending.recovery.0.write(writer);
            }
        }
        writer.fixed(&[0; 5]);
    }

    /// Takes [`ENTRY_LENGTH`] bytes; refuses every encoding [`Self::write`] would not give.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let bytes = reader.slice(ENTRY_LENGTH)?;
        let entry = Self::read_fields(&mut Reader::new(bytes))?;
        let mut writer = Writer::new();
        entry.write(&mut writer);
        if writer.finish() == bytes {
            Ok(entry)
        } else {
            Err(DecodeError::NotCanonical("entry"))
        }
    }

    fn read_fields(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = reader.u32()?;
        let [document, last_operation, next, recovery] = [
            Hash::read(reader)?,
            Hash::read(reader)?,
            Hash::read(reader)?,
            Hash::read(reader)?,
        ];
        let (created, updated) = (reader.u64()?, reader.u64()?);
        let assurance = Assurance {
            backing: Backing::from_code(reader.u8()?).ok_or(DecodeError::OutOfRange("backing"))?,
            by: Hash::read(reader)?,
            epoch: reader.u64()?,
            level: Level::from_code(reader.u8()?).ok_or(DecodeError::OutOfRange("level"))?,
        };
        let flags = reader.u8()?;
        let pending = if flags & 4 == 0 {
            None
        } else {
            Some(Pending::read(reader)?)
        };
        Ok(Self {
            version,
            document,
            last_operation,
            next: Commitment(next),
            recovery: Commitment(recovery),
            created,
            updated,
            assurance,
            deactivated: flags & 1 != 0,
            vetoed: flags & 2 != 0,
            pending,
        })
    }
}

impl Pending {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let kind = match reader.u8()? {
            1 => PendingKind::Recovery,
            2 => PendingKind::Deactivation,
            _ => return Err(DecodeError::OutOfRange("pending kind")),
        };
        let pending = Self {
            kind,
            operation: Hash::read(reader)?,
            effective_at: reader.u64()?,
            document: Hash::read(reader)?,
            next: Commitment(Hash::read(reader)?),
            recovery: Commitment(Hash::read(reader)?),
        };
        let sets_nothing = [pending.document, pending.next.0, pending.recovery.0] == [Hash::ZERO; 3];
        if kind == PendingKind::Deactivation && !passes("DID-07", sets_nothing) {
            return Err(DecodeError::NotCanonical("pending deactivation"));
        }
        Ok(pending)
    }
}
