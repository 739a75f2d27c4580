//! Block headers and blocks: what the engine orders and a light client reads.
//!
//! A block's digest is the hash of its **header alone**. The header commits to the operations
//! ([`operations_root`]), to the state after them and to the consensus round it was proposed in,
//! so a client that follows finality needs headers only.
//!
//! Both encodings are fixed binary, big-endian, and decoded strictly: what does not re-encode to
//! the same bytes is refused.

use commonware_cryptography::{Hasher as _, Sha256};
use realdid_checks::passes;
use thiserror::Error;

/// Version of the protocol a header speaks. Headers of any other version are refused.
pub const PROTOCOL_VERSION: u16 = 1;

/// Length of an encoded [`Header`] in bytes.
pub const HEADER_LEN: usize = 258;

/// Most operations one block may carry.
pub const MAX_BLOCK_OPERATIONS: usize = 2_000;

/// Most bytes the operations of one block may have together (1 MiB).
pub const MAX_BLOCK_BYTES: usize = 1 << 20;

/// Longest operation in bytes (16 KiB).
pub const MAX_OPERATION_BYTES: usize = 16 << 10;

/// Most bytes an encoded [`Block`] can have: header, count, and a length before each operation.
pub const MAX_BLOCK_LEN: usize = HEADER_LEN + 4 + 4 * MAX_BLOCK_OPERATIONS + MAX_BLOCK_BYTES;

/// Label of the hash over a block's operations.
const OPERATIONS_LABEL: &[u8] = b"realdid/block/operations/v1";

/// Highest position in the state log (2^62), the bound of the engine's Merkle mountain range.
const MAX_LOG_POSITION: u64 = 1 << 62;

/// Why a header or block was refused.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum HeaderError {
    /// The input ends before the structure does, or goes on after it.
    #[error("the encoding is {found} bytes long, {expected} are expected")]
    Length {
        /// Bytes the structure has.
        expected: usize,
        /// Bytes that were given.
        found: usize,
    },
    /// The header speaks another protocol version.
    #[error("protocol version {found} is not supported")]
    Version {
        /// The version that was named.
        found: u16,
    },
    /// The state log range is empty or beyond the log's bound.
    #[error("the state log range is not valid")]
    LogRange,
    /// More operations than [`MAX_BLOCK_OPERATIONS`].
    #[error("a block of {found} operations is too large")]
    TooManyOperations {
        /// Operations that were announced.
        found: usize,
    },
    /// An operation is empty or longer than [`MAX_OPERATION_BYTES`].
    #[error("an operation of {found} bytes is not allowed")]
    OperationLength {
        /// Length that was announced.
        found: usize,
    },
    /// The operations together exceed [`MAX_BLOCK_BYTES`].
    #[error("the operations of a block exceed {MAX_BLOCK_BYTES} bytes")]
    TooManyBytes,
    /// The operations are not the ones the header commits to.
    #[error("the operations do not match the header")]
    OperationsRoot,
}

impl HeaderError {
    /// The failure's stable name in interfaces.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Length { .. } => "header_length",
            Self::Version { .. } => "header_version",
            Self::LogRange => "header_log_range",
            Self::TooManyOperations { .. } => "block_operations",
            Self::OperationLength { .. } => "block_operation_length",
            Self::TooManyBytes => "block_bytes",
            Self::OperationsRoot => "block_operations_root",
        }
    }
}

/// The range of the state's operation log that the engine's state sync trusts.
///
/// A light client has no use for it beyond hashing it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct StateLog {
    /// Root of the log of state writes, the part of the state root without the activity bitmap.
    pub root: [u8; 32],
    /// First position a syncing node needs.
    pub start: u64,
    /// Position after the last write. Greater than `start`.
    pub end: u64,
}

/// The consensus round a block was proposed in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ConsensusRound {
    /// Consensus epoch: a period with one validator set. Not the epoch of real-name tokens.
    pub epoch: u64,
    /// View within the consensus epoch.
    pub view: u64,
    /// Ed25519 link key of the validator that led the view.
    pub leader: [u8; 32],
    /// View the parent block was proposed in.
    pub parent_view: u64,
}

/// What a block commits to. Its hash is the block's digest, and what validators sign.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Header {
    /// Hash of the genesis charter: headers of two networks never mix.
    pub charter: [u8; 32],
    /// Position in the chain. Genesis is 0 and is never certified.
    pub height: u64,
    /// Time of the block in milliseconds since the Unix epoch; greater than the parent's.
    pub time_ms: u64,
    /// Epoch of real-name tokens at this block, as the state after it says.
    pub epoch: u64,
    /// Hash of the parent header.
    pub parent: [u8; 32],
    /// [`operations_root`] of the block's operations.
    pub operations_root: [u8; 32],
    /// Root of the state after the block: what state proofs verify against.
    pub state_root: [u8; 32],
    /// Range of the state log, for the engine's state sync.
    pub state_log: StateLog,
    /// Consensus round of the proposal.
    pub round: ConsensusRound,
}

impl Header {
    /// The header of height 0 for a charter, over the empty state whose log is `state_log`, without
    /// operations.
    ///
    /// `leader` is any valid Ed25519 key; nobody leads genesis. What the charter says of the state
    /// is written by block 1.
    #[must_use]
    pub fn genesis(charter: [u8; 32], state_log: StateLog, leader: [u8; 32]) -> Self {
        Self {
            charter,
            height: 0,
            time_ms: 0,
            epoch: 0,
            parent: [0; 32],
            operations_root: operations_root::<&[u8]>(&[]),
            state_root: [0; 32],
            state_log,
            round: ConsensusRound {
                epoch: 0,
                view: 0,
                leader,
                parent_view: 0,
            },
        }
    }

    /// The canonical encoding, [`HEADER_LEN`] bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEADER_LEN);
        out.extend_from_slice(&PROTOCOL_VERSION.to_be_bytes());
        out.extend_from_slice(&self.charter);
        for number in [self.height, self.time_ms, self.epoch] {
            out.extend_from_slice(&number.to_be_bytes());
        }
        for hash in [&self.parent, &self.operations_root, &self.state_root] {
            out.extend_from_slice(hash);
        }
        out.extend_from_slice(&self.state_log.root);
        out.extend_from_slice(&self.state_log.start.to_be_bytes());
        out.extend_from_slice(&self.state_log.end.to_be_bytes());
        out.extend_from_slice(&self.round.epoch.to_be_bytes());
        out.extend_from_slice(&self.round.view.to_be_bytes());
        out.extend_from_slice(&self.round.leader);
        out.extend_from_slice(&self.round.parent_view.to_be_bytes());
        out
    }

    /// Decodes exactly one header.
    ///
    /// # Errors
    ///
    /// [`HeaderError::Length`], [`HeaderError::Version`] or [`HeaderError::LogRange`].
    pub fn decode(bytes: &[u8]) -> Result<Self, HeaderError> {
        if !passes("HDR-01", bytes.len() == HEADER_LEN) {
            return Err(HeaderError::Length {
                expected: HEADER_LEN,
                found: bytes.len(),
            });
        }
        let mut input = Input(bytes);
        let version = u16::from_be_bytes(input.take()?);
        if !passes("HDR-02", version == PROTOCOL_VERSION) {
            return Err(HeaderError::Version { found: version });
        }
        let header = Self {
            charter: input.take()?,
            height: input.number()?,
            time_ms: input.number()?,
            epoch: input.number()?,
            parent: input.take()?,
            operations_root: input.take()?,
            state_root: input.take()?,
            state_log: StateLog {
                root: input.take()?,
                start: input.number()?,
                end: input.number()?,
            },
            round: ConsensusRound {
                epoch: input.number()?,
                view: input.number()?,
                leader: input.take()?,
                parent_view: input.number()?,
            },
        };
        let log = &header.state_log;
        if !passes("HDR-03", log.start < log.end && log.end <= MAX_LOG_POSITION) {
            return Err(HeaderError::LogRange);
        }
        Ok(header)
    }

    /// SHA-256 of the encoding: the block's digest.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        Sha256::hash(&[&self.encode()]).0
    }
}

/// Hash that commits to a block's operations in their order:
/// `SHA-256(label ‖ count as u32 ‖ SHA-256 of each operation)`.
#[must_use]
pub fn operations_root<O: AsRef<[u8]>>(operations: &[O]) -> [u8; 32] {
    // A block has at most 2,000 operations; a longer list cannot be encoded as a block.
    let count = u32::try_from(operations.len()).unwrap_or(u32::MAX);
    let mut input = Vec::with_capacity(OPERATIONS_LABEL.len() + 4 + 32 * operations.len());
    input.extend_from_slice(OPERATIONS_LABEL);
    input.extend_from_slice(&count.to_be_bytes());
    for operation in operations {
        input.extend_from_slice(&Sha256::hash(&[operation.as_ref()]).0);
    }
    Sha256::hash(&[&input]).0
}

/// A header and the operations it commits to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Block {
    /// The header.
    pub header: Header,
    /// Canonical bytes of each operation, in the order they take effect.
    pub operations: Vec<Vec<u8>>,
}

impl Block {
    /// The canonical encoding: header, number of operations (u32), each operation behind its
    /// length (u32).
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = self.header.encode();
        out.extend_from_slice(&length(self.operations.len()));
        for operation in &self.operations {
            out.extend_from_slice(&length(operation.len()));
            out.extend_from_slice(operation);
        }
        out
    }

    /// Length of [`encode`](Self::encode) in bytes.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        let operations: usize = self.operations.iter().map(|op| 4 + op.len()).sum();
        HEADER_LEN + 4 + operations
    }

    /// Decodes exactly one block, checks the limits and that the header commits to the operations.
    ///
    /// # Errors
    ///
    /// Any [`HeaderError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, HeaderError> {
        let mut input = Input(bytes);
        let header = Header::decode(input.bytes(HEADER_LEN)?)?;
        let count = input.length()?;
        if !passes("HDR-04", count <= MAX_BLOCK_OPERATIONS) {
            return Err(HeaderError::TooManyOperations { found: count });
        }
        let mut total = 0;
        let mut operations = Vec::with_capacity(count.min(MAX_BLOCK_OPERATIONS));
        for _ in 0..count {
            let len = input.length()?;
            if !passes("HDR-05", (1..=MAX_OPERATION_BYTES).contains(&len)) {
                return Err(HeaderError::OperationLength { found: len });
            }
            total += len;
            if !passes("HDR-06", total <= MAX_BLOCK_BYTES) {
                return Err(HeaderError::TooManyBytes);
            }
            operations.push(input.bytes(len)?.to_vec());
        }
        if !passes("HDR-07", input.0.is_empty()) {
            return Err(HeaderError::Length {
                expected: bytes.len() - input.0.len(),
                found: bytes.len(),
            });
        }
        if !passes("HDR-08", operations_root(&operations) == header.operations_root) {
            return Err(HeaderError::OperationsRoot);
        }
        Ok(Self { header, operations })
    }
}

/// A length within the block limits as its wire form.
fn length(len: usize) -> [u8; 4] {
    u32::try_from(len).unwrap_or(u32::MAX).to_be_bytes()
}

/// What is left of the bytes being decoded.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn bytes(&mut self, len: usize) -> Result<&'a [u8], HeaderError> {
        let (head, tail) = self.0.split_at_checked(len).ok_or(HeaderError::Length {
            expected: len,
            found: self.0.len(),
        })?;
        self.0 = tail;
        Ok(head)
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], HeaderError> {
        let mut out = [0; N];
        out.copy_from_slice(self.bytes(N)?);
        Ok(out)
    }

    fn number(&mut self) -> Result<u64, HeaderError> {
        Ok(u64::from_be_bytes(self.take()?))
    }

    fn length(&mut self) -> Result<usize, HeaderError> {
        // u32 fits usize on every platform the engine runs on.
        Ok(u32::from_be_bytes(self.take()?) as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block() -> Block {
        let operations = vec![vec![1, 2, 3], vec![4]];
        let log = StateLog {
            root: [7; 32],
            start: 0,
            end: 9,
        };
        let mut header = Header::genesis([1; 32], log, [2; 32]);
        header.height = 5;
        header.operations_root = operations_root(&operations);
        Block { header, operations }
    }

    // test: HDR-01, HDR-02
    #[test]
    fn header_round_trips_and_every_byte_counts() {
        let header = block().header;
        let bytes = header.encode();
        assert_eq!(bytes.len(), HEADER_LEN);
        assert_eq!(Header::decode(&bytes), Ok(header.clone()));
        for index in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[index] ^= 1;
            if let Ok(other) = Header::decode(&changed) {
                assert_ne!(other.hash(), header.hash());
                assert_eq!(other.encode(), changed);
            }
        }
        assert!(matches!(
            Header::decode(&bytes[1..]),
            Err(HeaderError::Length { .. })
        ));
    }

    // test: HDR-07, HDR-08
    #[test]
    fn block_refuses_other_operations_and_trailing_bytes() {
        let block = block();
        let bytes = block.encode();
        assert_eq!(bytes.len(), block.encoded_len());
        assert_eq!(Block::decode(&bytes), Ok(block.clone()));
        let mut trailing = bytes.clone();
        trailing.push(0);
        assert!(matches!(
            Block::decode(&trailing),
            Err(HeaderError::Length { .. })
        ));
        let mut other = block;
        other.operations[0][0] ^= 1;
        assert_eq!(Block::decode(&other.encode()), Err(HeaderError::OperationsRoot));
    }
}
