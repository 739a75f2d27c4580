//! The ledger's block as the engine's block.

use crate::{
    directory::Directory,
    record::{self, EpochRecord, Record},
};
use commonware_codec::{Buf, Copying, EncodeSize, Error as CodecError, Read, ReadExt as _, Write, util};
use commonware_consensus::{
    Block as ConsensusBlock, BoundedBlock, CertifiableBlock, Heightable,
    simplex::types::Context,
    types::{Epoch, Height, Round, View},
};
use commonware_cryptography::{
    Digestible, Signer as _,
    bls12381::primitives::variant::MinSig,
    ed25519,
    sha256::{Digest, Sha256},
};
use commonware_glue::dkg::ReshareBlock;
use commonware_runtime::BufMut;
use commonware_storage::{mmr, qmdb::sync::Target};
use commonware_utils::non_empty_range;
use realdid_ledger::{
    Block, ConsensusRound, HEADER_LEN, Header, MAX_BLOCK_BYTES, MAX_BLOCK_LEN, MAX_BLOCK_OPERATIONS,
    MAX_OPERATION_BYTES, StateLog, operations_root,
};

/// What consensus says about a proposal.
pub(crate) type RoundContext = Context<Digest, ed25519::PublicKey>;

/// What state sync trusts a block to say.
pub(crate) type SyncTarget = Target<mmr::Family, Digest>;

/// A block whose leader key is known to be valid.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct EngineBlock {
    block: Block,
    leader: ed25519::PublicKey,
}

impl EngineBlock {
    /// The block of height 0, over the empty state, with the record of epoch 0.
    pub(crate) fn genesis(charter: [u8; 32], target: &SyncTarget, epoch: EpochRecord) -> Self {
        // Nobody leads genesis, but the key has to be a valid one.
        let leader = ed25519::PrivateKey::from_seed(0).public_key();
        let mut header = Header::genesis(charter, state_log(target), key_bytes(&leader));
        let operations = vec![record::encode(&Record::EpochInfo(epoch))];
        header.operations_root = operations_root(&operations);
        Self {
            block: Block { header, operations },
            leader,
        }
    }

    /// A block proposed in `context`; its header must name the round of `context`.
    pub(crate) fn new(block: Block, context: &RoundContext) -> Self {
        Self {
            block,
            leader: context.leader.clone(),
        }
    }

    pub(crate) const fn header(&self) -> &Header {
        &self.block.header
    }

    pub(crate) fn operations(&self) -> &[Vec<u8>] {
        &self.block.operations
    }

    pub(crate) fn sync_target(&self) -> SyncTarget {
        let log = &self.block.header.state_log;
        let (start, end) = (mmr::Location::new(log.start), mmr::Location::new(log.end));
        Target::new(Digest(log.root), non_empty_range!(start, end))
    }
}

/// A sync target in the form of the header.
pub(crate) fn state_log(target: &SyncTarget) -> StateLog {
    StateLog {
        root: target.root.0,
        start: *target.range.start(),
        end: *target.range.end(),
    }
}

/// A consensus context in the form of the header. The parent's hash is a field of its own.
pub(crate) fn round(context: &RoundContext) -> ConsensusRound {
    ConsensusRound {
        epoch: context.round.epoch().get(),
        view: context.round.view().get(),
        leader: key_bytes(&context.leader),
        parent_view: context.parent.0.get(),
    }
}

pub(crate) fn key_bytes(key: &ed25519::PublicKey) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(key.as_ref());
    out
}

impl Write for EngineBlock {
    fn write(&self, buf: &mut impl BufMut) {
        buf.put_slice(&self.block.encode());
    }
}

impl EncodeSize for EngineBlock {
    fn encode_size(&self) -> usize {
        self.block.encoded_len()
    }
}

impl Read for EngineBlock {
    type Cfg = ();

    /// Cuts one block out of the buffer within the limits; the ledger decodes and judges it.
    fn read_cfg(buf: &mut impl Buf, (): &()) -> Result<Self, CodecError> {
        let mut bytes = <[u8; HEADER_LEN]>::read(buf)?.to_vec();
        let count = read_length(buf, &mut bytes, MAX_BLOCK_OPERATIONS)?;
        let mut total = 0;
        for _ in 0..count {
            let len = read_length(buf, &mut bytes, MAX_OPERATION_BYTES)?;
            total += len;
            if total > MAX_BLOCK_BYTES {
                return Err(CodecError::InvalidLength(total));
            }
            util::at_least(buf, len)?;
            let start = bytes.len();
            bytes.resize(start + len, 0);
            buf.copy_to_slice(&mut bytes[start..]);
        }
        let block = Block::decode(&bytes).map_err(|error| CodecError::Invalid("block", error.code()))?;
        let leader = ed25519::PublicKey::read(&mut Copying(&block.header.round.leader))?;
        Ok(Self { block, leader })
    }
}

fn read_length(buf: &mut impl Buf, bytes: &mut Vec<u8>, max: usize) -> Result<usize, CodecError> {
    let raw = <[u8; 4]>::read(buf)?;
    bytes.extend_from_slice(&raw);
    let len = u32::from_be_bytes(raw) as usize;
    if len > max {
        return Err(CodecError::InvalidLength(len));
    }
    Ok(len)
}

impl Digestible for EngineBlock {
    type Digest = Digest;

    fn digest(&self) -> Digest {
        Digest(self.block.header.hash())
    }
}

impl Heightable for EngineBlock {
    fn height(&self) -> Height {
        Height::new(self.block.header.height)
    }
}

impl ConsensusBlock for EngineBlock {
    fn parent(&self) -> Digest {
        Digest(self.block.header.parent)
    }
}

impl CertifiableBlock for EngineBlock {
    type Context = RoundContext;

    fn context(&self) -> RoundContext {
        let round = &self.block.header.round;
        RoundContext {
            round: Round::new(Epoch::new(round.epoch), View::new(round.view)),
            leader: self.leader.clone(),
            parent: (View::new(round.parent_view), Digest(self.block.header.parent)),
        }
    }
}

impl ReshareBlock for EngineBlock {
    type Variant = MinSig;
    type PublicKey = ed25519::PublicKey;
    type Directory = Directory;

    fn payload(&self) -> Option<Record> {
        record::of(&self.block.operations)
    }
}

impl BoundedBlock for EngineBlock {
    fn max_encode_size((): &()) -> usize {
        MAX_BLOCK_LEN
    }
}

/// SHA-256 of an operation's bytes.
pub(crate) fn content_hash(operation: &[u8]) -> [u8; 32] {
    use commonware_cryptography::Hasher as _;
    Sha256::hash(&[operation]).0
}
