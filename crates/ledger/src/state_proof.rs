//! Proofs of presence and absence of keys in the state.
//!
//! The state is a QMDB (`current::ordered::fixed`, Merkle mountain range, SHA-256): an append-only
//! log of writes `(key, value, next key)` with a bitmap of the writes that are still in force,
//! under one root. `next key` is the key in force that follows, and the last one names the first.
//! So one proof of one write shows that its key is present **and** that every key strictly between
//! `key` and `next key` is absent. This module is the only place that knows this.
//!
//! An absence proof shows a neighbour's key and value: the state holds no personal data.

use crate::{StateKey, StateValue, VALUE_LEN};
use commonware_codec::{Copying, Decode as _, Encode as _};
use commonware_cryptography::{Sha256, sha256::Digest};
use commonware_storage::{
    mmr,
    qmdb::{any::ordered::fixed, current::proof::constant::OperationProof},
};
use commonware_utils::sequence::FixedBytes;
use realdid_checks::passes;
use std::collections::BTreeMap;
use thiserror::Error;

/// Bytes of the activity bitmap that one leaf of its tree covers. Part of the protocol version.
pub const STATE_BITMAP_CHUNK: usize = 32;

/// Most entries a [`PrefixProof`] may cover.
pub const MAX_PREFIX_ENTRIES: usize = 256;

/// Most digests in one proof: a path and the peaks of the largest log.
const MAX_DIGESTS: usize = 128;

/// Longest encoded [`StateProof`] in bytes.
pub const MAX_STATE_PROOF_LEN: usize = 32 + VALUE_LEN + 32 + 64 + 32 * (MAX_DIGESTS + 4);

type Key = FixedBytes<32>;
type Value = FixedBytes<VALUE_LEN>;
type Write = fixed::Operation<mmr::Family, Key, Value>;
type Update = fixed::Update<Key, Value>;
type Membership = OperationProof<mmr::Family, Digest, STATE_BITMAP_CHUNK>;

/// Why a state proof was refused.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum StateProofError {
    /// The bytes are not a canonical proof.
    #[error("the state proof is malformed")]
    Malformed,
    /// The proof does not lead to the state root.
    #[error("the state proof does not lead to the state root")]
    Root,
    /// The proof says nothing about the key.
    #[error("the state proof does not cover the key")]
    NotCovered,
    /// The prefix has bits set behind its length.
    #[error("the prefix is not canonical")]
    Prefix,
    /// The spans of a prefix proof leave a gap, overlap or are too many.
    #[error("the spans of the prefix proof do not join")]
    Spans,
}

impl StateProofError {
    /// The failure's stable name in interfaces.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "state_proof_malformed",
            Self::Root => "state_proof_root",
            Self::NotCovered => "state_proof_not_covered",
            Self::Prefix => "state_proof_prefix",
            Self::Spans => "state_proof_spans",
        }
    }
}

/// A claim about one span of the state, not yet verified: `key` has `value`, and no key between
/// `key` and `next_key` has any.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StateProof {
    key: StateKey,
    value: StateValue,
    next_key: StateKey,
    membership: Membership,
}

impl StateProof {
    /// The canonical encoding: key, value, next key, then the engine's proof of the write.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let membership = self.membership.encode();
        let mut out = Vec::with_capacity(64 + VALUE_LEN + membership.len());
        out.extend_from_slice(&self.key);
        out.extend_from_slice(&self.value);
        out.extend_from_slice(&self.next_key);
        out.extend_from_slice(&membership);
        out
    }

    /// Decodes exactly one proof. Nothing is verified but the form.
    ///
    /// # Errors
    ///
    /// [`StateProofError::Malformed`].
    pub fn decode(bytes: &[u8]) -> Result<Self, StateProofError> {
        let malformed = StateProofError::Malformed;
        if bytes.len() > MAX_STATE_PROOF_LEN {
            return Err(malformed);
        }
        let (key, rest) = bytes.split_first_chunk::<32>().ok_or(malformed)?;
        let (value, rest) = rest.split_first_chunk::<VALUE_LEN>().ok_or(malformed)?;
        let (next_key, rest) = rest.split_first_chunk::<32>().ok_or(malformed)?;
        let proof = Self {
            key: *key,
            value: *value,
            next_key: *next_key,
            membership: Membership::decode_cfg(Copying(rest), &MAX_DIGESTS).map_err(|_| malformed)?,
        };
        // The codec takes one encoding only, as far as is known; so this has no switch and no test.
        if proof.membership.encode() != rest {
            return Err(malformed);
        }
        Ok(proof)
    }

    /// The value of `key` under `state_root`, or `None` if the key is proven absent.
    ///
    /// # Errors
    ///
    /// [`StateProofError::NotCovered`] if the proof is about other keys,
    /// [`StateProofError::Root`] if it does not lead to the root.
    pub fn verify_lookup(
        &self,
        key: &StateKey,
        state_root: &[u8; 32],
    ) -> Result<Option<StateValue>, StateProofError> {
        if !passes("STP-01", self.covers(key)) {
            return Err(StateProofError::NotCovered);
        }
        self.verify_span(state_root)?;
        Ok((*key == self.key).then_some(self.value))
    }

    /// The key that the span begins with, and that has a value.
    #[must_use]
    pub const fn key(&self) -> &StateKey {
        &self.key
    }

    /// The next key that has a value; the first one after the last.
    #[must_use]
    pub const fn next_key(&self) -> &StateKey {
        &self.next_key
    }

    /// Whether the proof speaks about `key`: it lies from [`key`](Self::key) to before
    /// [`next_key`](Self::next_key) on the circle of keys.
    #[must_use]
    pub fn covers(&self, key: &StateKey) -> bool {
        if self.key < self.next_key {
            self.key <= *key && *key < self.next_key
        } else {
            self.key <= *key || *key < self.next_key
        }
    }

    /// Whether the span, entered at `from`, goes on to `to` without a gap. Both keys may lie in the
    /// last span of the circle and yet have others between them: it covers the keys behind the
    /// last one **and** those before the first.
    ///
    /// `from` must be covered and must not be greater than `to`.
    #[must_use]
    pub fn reaches(&self, from: &StateKey, to: &StateKey) -> bool {
        self.next_key <= *from || self.next_key > *to
    }

    fn verify_span(&self, state_root: &[u8; 32]) -> Result<(), StateProofError> {
        let write = Write::Update(Update {
            key: Key::new(self.key),
            value: Value::new(self.value),
            next_key: Key::new(self.next_key),
        });
        let leads = self.membership.verify::<Sha256, _>(write, &Digest(*state_root));
        if !passes("STP-02", leads) {
            return Err(StateProofError::Root);
        }
        Ok(())
    }
}

/// A claim about every key with a bit-prefix, not yet verified: consecutive spans that cover them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PrefixProof {
    /// The spans in ascending order; the first covers the lowest key of the prefix, the last the
    /// highest.
    pub spans: Vec<StateProof>,
}

impl PrefixProof {
    /// The canonical encoding: number of spans (u16), then each span behind its length (u16).
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = wire_length(self.spans.len()).to_vec();
        for span in &self.spans {
            let span = span.encode();
            out.extend_from_slice(&wire_length(span.len()));
            out.extend_from_slice(&span);
        }
        out
    }

    /// Decodes exactly one proof. Nothing is verified but the form.
    ///
    /// # Errors
    ///
    /// [`StateProofError::Malformed`], or [`StateProofError::Spans`] for more spans than
    /// [`MAX_PREFIX_ENTRIES`] entries can need.
    pub fn decode(bytes: &[u8]) -> Result<Self, StateProofError> {
        let (count, mut rest) = read_length(bytes)?;
        if count > MAX_PREFIX_ENTRIES + 1 {
            return Err(StateProofError::Spans);
        }
        let mut spans = Vec::with_capacity(count);
        for _ in 0..count {
            let (len, tail) = read_length(rest)?;
            let (span, tail) = tail.split_at_checked(len).ok_or(StateProofError::Malformed)?;
            spans.push(StateProof::decode(span)?);
            rest = tail;
        }
        if !rest.is_empty() {
            return Err(StateProofError::Malformed);
        }
        Ok(Self { spans })
    }

    /// Every entry whose key starts with the first `bits` bits of `prefix`; all other keys of the
    /// prefix are proven absent.
    ///
    /// # Errors
    ///
    /// [`StateProofError::Prefix`] if `prefix` has bits set behind `bits`,
    /// [`StateProofError::Spans`] if the spans do not cover the prefix exactly, and
    /// [`StateProofError::Root`] if one does not lead to the root.
    pub fn verify(
        &self,
        prefix: &StateKey,
        bits: u8,
        state_root: &[u8; 32],
    ) -> Result<BTreeMap<StateKey, StateValue>, StateProofError> {
        let (lowest, highest) = prefix_range(prefix, bits)?;
        let (last, before) = self.spans.split_last().ok_or(StateProofError::Spans)?;
        // Each span is entered where the one before it ended, the first at the lowest key.
        let mut from = lowest;
        let joined = self.spans.windows(2).all(|pair| pair[0].next_key == pair[1].key);
        let goes_on = |span: &StateProof| {
            let ends = !span.covers(&from) || span.reaches(&from, &highest);
            from = span.next_key;
            !ends
        };
        let unfinished = before.iter().all(goes_on);
        let complete = last.covers(&from) && last.reaches(&from, &highest);
        let few = self.spans.len() <= MAX_PREFIX_ENTRIES + 1;
        if !passes("STP-04", few && joined && unfinished && complete) {
            return Err(StateProofError::Spans);
        }
        let mut entries = BTreeMap::new();
        for span in &self.spans {
            span.verify_span(state_root)?;
            if lowest <= span.key && span.key <= highest {
                entries.insert(span.key, span.value);
            }
        }
        Ok(entries)
    }
}

/// Lowest and highest key that start with the first `bits` bits of `prefix`.
///
/// # Errors
///
/// [`StateProofError::Prefix`] if a bit behind `bits` is set.
pub fn prefix_range(prefix: &StateKey, bits: u8) -> Result<(StateKey, StateKey), StateProofError> {
    let mut highest = *prefix;
    for (index, byte) in highest.iter_mut().enumerate() {
        let fixed_bits = usize::from(bits).saturating_sub(8 * index).min(8);
        let free = u8::MAX.checked_shr(u32::try_from(fixed_bits).unwrap_or(8));
        let free = free.unwrap_or(0);
        if !passes("STP-03", *byte & free == 0) {
            return Err(StateProofError::Prefix);
        }
        *byte |= free;
    }
    Ok((*prefix, highest))
}

fn wire_length(len: usize) -> [u8; 2] {
    u16::try_from(len).unwrap_or(u16::MAX).to_be_bytes()
}

fn read_length(bytes: &[u8]) -> Result<(usize, &[u8]), StateProofError> {
    let (len, rest) = bytes.split_first_chunk::<2>().ok_or(StateProofError::Malformed)?;
    Ok((usize::from(u16::from_be_bytes(*len)), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    // test: STP-03
    #[test]
    fn prefix_range_spans_the_free_bits() {
        let mut prefix = [0; 32];
        prefix[0] = 0b1010_0000;
        let (lowest, highest) = prefix_range(&prefix, 3).expect("canonical prefix");
        assert_eq!(lowest, prefix);
        assert_eq!(highest[0], 0b1011_1111);
        assert_eq!(highest[1..], [0xff; 31]);
        assert_eq!(prefix_range(&prefix, 2), Err(StateProofError::Prefix));
        assert_eq!(prefix_range(&[0; 32], 0), Ok(([0; 32], [0xff; 32])));
        let (_, highest) = prefix_range(&[0; 32], 255).expect("canonical prefix");
        assert_eq!(highest[31], 1);
    }
}
