//! Proofs of presence and absence of keys in the state: a path of [the tree](crate::state_tree)
//! from the root to where a key is or would be. This module and its neighbour are the only places
//! that know this. The form is frozen: it is what `proof_format` 1 means.
//!
//! # Form
//!
//! A path: its length in bits (u16, at most 256), one bit for each level from the root down that
//! says whether the other half holds anything (filled up to a byte with zeros), and the hashes of
//! those that do.
//!
//! A [`StateProof`] is a path, then what is at its end: `0` nothing, `1` the key's value
//! ([`VALUE_LEN`] bytes), or `2` another entry, alone (its key and the SHA-256 of its value).
//!
//! A [`PrefixProof`] is a path, then `0`, or `1` and another entry as above, alone; then the number
//! of entries (u16), and key and value of each, ascending.
//!
//! A proof of absence may show one key of another entry, and nothing else of it.

use crate::state_tree::{
    EMPTY, MAX_DEPTH, TreeHash, common_bits, entry_hash, part_hash, root_over, value_hash,
};
use crate::{StateKey, StateValue, VALUE_LEN};
use realdid_checks::passes;
use std::collections::BTreeMap;
use thiserror::Error;

/// Most entries a [`PrefixProof`] may cover.
pub const MAX_PREFIX_ENTRIES: usize = 256;

/// Longest encoded path in bytes.
const MAX_PATH_LEN: usize = 2 + MAX_DEPTH / 8 + 32 * MAX_DEPTH;

/// Longest encoded [`StateProof`] in bytes. In a state of a billion entries it is about 1,500.
pub const MAX_STATE_PROOF_LEN: usize = MAX_PATH_LEN + 1 + VALUE_LEN;

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
    /// The entries of a prefix proof are not those of the prefix, or are too many.
    #[error("the entries of the prefix proof are not those of the prefix")]
    Entries,
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
            Self::Entries => "state_proof_entries",
        }
    }
}

/// An entry of which only the hash of the value is shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct OtherEntry {
    /// Its key.
    pub key: StateKey,
    /// SHA-256 of its value.
    pub value_hash: TreeHash,
}

impl OtherEntry {
    fn hash(&self) -> TreeHash {
        entry_hash(&self.key, &self.value_hash)
    }

    fn encode(&self) -> [u8; 64] {
        let mut out = [0; 64];
        out[..32].copy_from_slice(&self.key);
        out[32..].copy_from_slice(&self.value_hash);
        out
    }

    fn read(bytes: &mut &[u8]) -> Result<Self, StateProofError> {
        Ok(Self {
            key: take(bytes)?,
            value_hash: take(bytes)?,
        })
    }
}

/// What is at the end of a key's path.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PathEnd {
    /// No entry: the key is absent.
    Nothing,
    /// The key's value.
    Value(Box<StateValue>),
    /// Another entry, and no other than that: the key is absent.
    Other(OtherEntry),
}

/// A claim about one key of the state, not yet verified. It does not say which key: the reader knows.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StateProof {
    /// Hashes of the other halves, from the root down.
    pub siblings: Vec<TreeHash>,
    /// What is at the end.
    pub end: PathEnd,
}

impl StateProof {
    /// The canonical encoding.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = encode_path(&self.siblings);
        match &self.end {
            PathEnd::Nothing => out.push(0),
            PathEnd::Value(value) => {
                out.push(1);
                out.extend_from_slice(&**value);
            }
            PathEnd::Other(other) => {
                out.push(2);
                out.extend_from_slice(&other.encode());
            }
        }
        out
    }

    /// Decodes exactly one proof. Nothing is verified but the form.
    ///
    /// # Errors
    ///
    /// [`StateProofError::Malformed`].
    pub fn decode(mut bytes: &[u8]) -> Result<Self, StateProofError> {
        let siblings = read_path(&mut bytes)?;
        let end = match take::<1>(&mut bytes)? {
            [0] => PathEnd::Nothing,
            [1] => PathEnd::Value(Box::new(take(&mut bytes)?)),
            [2] => PathEnd::Other(OtherEntry::read(&mut bytes)?),
            _ => return Err(StateProofError::Malformed),
        };
        finish(bytes)?;
        Ok(Self { siblings, end })
    }

    /// The value of `key` under `state_root`, or `None` if the key is proven absent.
    ///
    /// # Errors
    ///
    /// [`StateProofError::NotCovered`] if the other entry at the end is none that leaves no room
    /// for the key, [`StateProofError::Root`] if the proof does not lead from the key to the root.
    pub fn verify_lookup(
        &self,
        key: &StateKey,
        state_root: &[u8; 32],
    ) -> Result<Option<StateValue>, StateProofError> {
        let (part, value) = match &self.end {
            PathEnd::Nothing => (EMPTY, None),
            PathEnd::Value(value) => (entry_hash(key, &value_hash(value)), Some(**value)),
            PathEnd::Other(other) => {
                let beside = other.key != *key && common_bits(&other.key, key) >= self.siblings.len();
                if !passes("STP-01", beside) {
                    return Err(StateProofError::NotCovered);
                }
                (other.hash(), None)
            }
        };
        leads_to(state_root, part, key, &self.siblings)?;
        Ok(value)
    }
}

/// A claim about every key with a bit-prefix, not yet verified.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PrefixProof {
    /// Hashes of the other halves, from the root down to the part that holds the prefix.
    pub siblings: Vec<TreeHash>,
    /// The one entry of that part, if it is none of the prefix.
    pub other: Option<OtherEntry>,
    /// Every entry of the prefix, ascending.
    pub entries: Vec<(StateKey, StateValue)>,
}

impl PrefixProof {
    /// The canonical encoding.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = encode_path(&self.siblings);
        match &self.other {
            None => out.push(0),
            Some(other) => {
                out.push(1);
                out.extend_from_slice(&other.encode());
            }
        }
        out.extend_from_slice(&wire_length(self.entries.len()));
        for (key, value) in &self.entries {
            out.extend_from_slice(key);
            out.extend_from_slice(value);
        }
        out
    }

    /// Decodes exactly one proof. Nothing is verified but the form.
    ///
    /// # Errors
    ///
    /// [`StateProofError::Malformed`], or [`StateProofError::Entries`] for more than
    /// [`MAX_PREFIX_ENTRIES`].
    pub fn decode(mut bytes: &[u8]) -> Result<Self, StateProofError> {
        let siblings = read_path(&mut bytes)?;
        let other = match take::<1>(&mut bytes)? {
            [0] => None,
            [1] => Some(OtherEntry::read(&mut bytes)?),
            _ => return Err(StateProofError::Malformed),
        };
        let count = usize::from(u16::from_be_bytes(take(&mut bytes)?));
        if count > MAX_PREFIX_ENTRIES {
            return Err(StateProofError::Entries);
        }
        let mut entries = Vec::with_capacity(count);
        for _ in 0..count {
            entries.push((take(&mut bytes)?, take(&mut bytes)?));
        }
        finish(bytes)?;
        Ok(Self {
            siblings,
            other,
            entries,
        })
    }

    /// Every entry whose key starts with the first `bits` bits of `prefix`; all other keys of the
    /// prefix are proven absent.
    ///
    /// # Errors
    ///
    /// [`StateProofError::Prefix`] if `prefix` has bits set behind `bits`,
    /// [`StateProofError::Entries`] if the entries cannot be all that the prefix has, and
    /// [`StateProofError::Root`] if they do not lead to the root.
    pub fn verify(
        &self,
        prefix: &StateKey,
        bits: u8,
        state_root: &[u8; 32],
    ) -> Result<BTreeMap<StateKey, StateValue>, StateProofError> {
        let range = prefix_range(prefix, bits)?;
        if !passes("STP-04", self.can_be_whole(range, usize::from(bits))) {
            return Err(StateProofError::Entries);
        }
        let hashed: Vec<_> = self
            .entries
            .iter()
            .map(|(key, value)| (*key, value_hash(value)))
            .collect();
        let part = match &self.other {
            Some(other) => other.hash(),
            None => part_hash(&hashed, self.siblings.len()),
        };
        leads_to(state_root, part, prefix, &self.siblings)?;
        Ok(self.entries.iter().copied().collect())
    }

    /// Whether the part at the path's end, if the entries are all it holds, holds the whole prefix.
    fn can_be_whole(&self, (lowest, highest): (StateKey, StateKey), bits: usize) -> bool {
        let within = |key: &StateKey| (lowest..=highest).contains(key);
        let ascending = self.entries.windows(2).all(|pair| pair[0].0 < pair[1].0);
        let own = self.entries.len() <= MAX_PREFIX_ENTRIES
            && ascending
            && self.entries.iter().all(|(key, _)| within(key));
        // A part with one entry or none may be larger than the prefix: it says the same about it.
        let depth = self.siblings.len();
        let reaches = if self.entries.len() > 1 {
            depth == bits
        } else {
            depth <= bits
        };
        let beside = self.other.is_none_or(|other| {
            self.entries.is_empty() && !within(&other.key) && common_bits(&other.key, &lowest) >= depth
        });
        own && reaches && beside
    }
}

fn leads_to(
    state_root: &TreeHash,
    part: TreeHash,
    key: &StateKey,
    siblings: &[TreeHash],
) -> Result<(), StateProofError> {
    if !passes("STP-02", root_over(part, key, siblings) == *state_root) {
        return Err(StateProofError::Root);
    }
    Ok(())
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

fn encode_path(siblings: &[TreeHash]) -> Vec<u8> {
    let mut out = wire_length(siblings.len()).to_vec();
    let mut held = vec![0; siblings.len().div_ceil(8)];
    for (depth, _) in siblings.iter().enumerate().filter(|(_, hash)| **hash != EMPTY) {
        held[depth / 8] |= 0x80 >> (depth % 8);
    }
    out.extend_from_slice(&held);
    let hashes = siblings.iter().filter(|hash| **hash != EMPTY);
    out.extend(hashes.flatten());
    out
}

fn read_path(bytes: &mut &[u8]) -> Result<Vec<TreeHash>, StateProofError> {
    let depth = usize::from(u16::from_be_bytes(take(bytes)?));
    if depth > MAX_DEPTH {
        return Err(StateProofError::Malformed);
    }
    let held = bytes
        .split_off(..depth.div_ceil(8))
        .ok_or(StateProofError::Malformed)?;
    let bit = |at: usize| held[at / 8] & (0x80 >> (at % 8)) != 0;
    if (depth..8 * held.len()).any(bit) {
        return Err(StateProofError::Malformed);
    }
    let mut siblings = Vec::with_capacity(depth);
    for at in 0..depth {
        let hash = if bit(at) { take(bytes)? } else { EMPTY };
        // Nothing has one encoding.
        if bit(at) && hash == EMPTY {
            return Err(StateProofError::Malformed);
        }
        siblings.push(hash);
    }
    Ok(siblings)
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], StateProofError> {
    let (head, rest) = bytes.split_first_chunk().ok_or(StateProofError::Malformed)?;
    *bytes = rest;
    Ok(*head)
}

const fn finish(bytes: &[u8]) -> Result<(), StateProofError> {
    if bytes.is_empty() {
        Ok(())
    } else {
        Err(StateProofError::Malformed)
    }
}

fn wire_length(len: usize) -> [u8; 2] {
    u16::try_from(len).unwrap_or(u16::MAX).to_be_bytes()
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
