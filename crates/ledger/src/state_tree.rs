//! The tree whose root is the state root.
//!
//! A binary tree over the bits of the 32-byte keys, the most significant one first; 0 goes left. A
//! part of the tree that holds no entry has the hash [`EMPTY`], one that holds a single entry the
//! hash of that entry, however high up it is, and any other the hash of its two halves. So the root
//! depends on the entries alone: not on the order in which they came, and not on how or where they
//! are stored.
//!
//! Hashes are SHA-256 behind a label for each kind, so that none can be taken for another.

use crate::record::{StateKey, StateValue};
use realdid_crypto::{hash_labelled, sha256};

/// A hash of the tree.
pub type TreeHash = [u8; 32];

/// Stands for a part of the tree that holds no entry. No hash of an entry or of two halves is known
/// that is all zero.
pub const EMPTY: TreeHash = [0; 32];

/// Levels of the tree: bits of a key.
pub const MAX_DEPTH: usize = 256;

/// SHA-256 of a value, which stands for it in the tree.
#[must_use]
pub fn value_hash(value: &StateValue) -> TreeHash {
    sha256(value).0
}

/// Hash of a part that holds a single entry.
#[must_use]
pub fn entry_hash(key: &StateKey, value_hash: &TreeHash) -> TreeHash {
    hash_labelled("realdid/state-entry/v1", &[key, value_hash]).0
}

/// Hash of a part that holds more than one entry.
#[must_use]
pub fn halves_hash(left: &TreeHash, right: &TreeHash) -> TreeHash {
    hash_labelled("realdid/state-halves/v1", &[left, right]).0
}

/// The bit of `key` that tells which half it is in at `depth`, which is below [`MAX_DEPTH`].
#[must_use]
pub fn goes_right(key: &StateKey, depth: usize) -> bool {
    key[depth / 8] & (0x80 >> (depth % 8)) != 0
}

/// How many of the first bits two keys have in common.
#[must_use]
pub fn common_bits(left: &StateKey, right: &StateKey) -> usize {
    let differs = left.iter().zip(right).position(|(left, right)| left != right);
    differs.map_or(MAX_DEPTH, |at| {
        8 * at + (left[at] ^ right[at]).leading_zeros() as usize
    })
}

/// Hash of the part at `depth` that holds these entries: keys, ascending and with the first `depth`
/// bits in common, and hashes of the values. With `depth` 0, the state root of a whole state.
#[must_use]
pub fn part_hash(entries: &[(StateKey, TreeHash)], depth: usize) -> TreeHash {
    match entries {
        [] => EMPTY,
        [(key, value_hash)] => entry_hash(key, value_hash),
        // Only the same key twice comes down here; it has no place in a tree.
        [(key, value_hash), ..] if depth == MAX_DEPTH => entry_hash(key, value_hash),
        _ => {
            let (left, right) = entries.split_at(entries.partition_point(|(key, _)| !goes_right(key, depth)));
            halves_hash(&part_hash(left, depth + 1), &part_hash(right, depth + 1))
        }
    }
}

/// The root of a tree in which the part at the end of the path of `key` has a hash, and the other
/// halves on the way have those of `siblings`, from the root down; at most [`MAX_DEPTH`].
#[must_use]
pub fn root_over(part: TreeHash, key: &StateKey, siblings: &[TreeHash]) -> TreeHash {
    let levels = siblings.iter().take(MAX_DEPTH).enumerate().rev();
    levels.fold(part, |below, (depth, sibling)| {
        if goes_right(key, depth) {
            halves_hash(sibling, &below)
        } else {
            halves_hash(&below, sibling)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_counted_from_the_most_significant() {
        let mut key = [0; 32];
        key[0] = 0b0100_0000;
        key[31] = 1;
        let right: Vec<_> = (0..MAX_DEPTH).filter(|depth| goes_right(&key, *depth)).collect();
        assert_eq!(right, [1, 255]);
        assert_eq!(common_bits(&key, &key), 256);
        assert_eq!(common_bits(&key, &[0; 32]), 1);
        let mut other = key;
        other[31] = 0;
        assert_eq!(common_bits(&key, &other), 255);
    }

    #[test]
    fn an_entry_by_itself_stands_at_the_root() {
        let (low, high) = ([0; 32], [0xff; 32]);
        assert_eq!(part_hash(&[], 0), EMPTY);
        let one = (low, [7; 32]);
        assert_eq!(part_hash(&[one], 0), entry_hash(&low, &[7; 32]));
        let two = [one, (high, [8; 32])];
        let halves = halves_hash(&entry_hash(&low, &[7; 32]), &entry_hash(&high, &[8; 32]));
        assert_eq!(part_hash(&two, 0), halves);
        // Entries that differ in the last bit alone have 255 empty halves above them.
        let mut near = low;
        near[31] = 1;
        let pair = halves_hash(&entry_hash(&low, &[7; 32]), &entry_hash(&near, &[9; 32]));
        let root = root_over(pair, &low, &[EMPTY; 255]);
        assert_eq!(part_hash(&[one, (near, [9; 32])], 0), root);
        assert_eq!(
            part_hash(&[one, one], 0),
            root_over(entry_hash(&low, &[7; 32]), &low, &[EMPTY; 256])
        );
    }
}
