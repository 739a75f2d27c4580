/**
 * The tree whose root is the state root: binary, over the bits of the keys, 0 to the left. A part that
 * holds no entry has the hash {@link EMPTY}, one with a single entry that entry's, however high up it
 * is, any other that of its halves. Twin of `crates/ledger/src/state_tree.rs`.
 */

import { ZERO_HASH, hashBytes, hashLabelled } from './hash.js';
import type { Hash } from './hash.js';

/** Stands for a part that holds no entry. */
export const EMPTY: Hash = ZERO_HASH;
/** Levels of the tree: bits of a key. */
export const MAX_DEPTH = 256;

/** Hash of a part that holds a single entry, of which only the SHA-256 of its value is needed. */
export function entryHash(key: Hash, valueHash: Hash): Hash {
  return hashLabelled('realdid/state-entry/v1', hashBytes(key), hashBytes(valueHash));
}

/** Hash of a part that holds more than one entry. */
export function halvesHash(left: Hash, right: Hash): Hash {
  return hashLabelled('realdid/state-halves/v1', hashBytes(left), hashBytes(right));
}

/** The bit of a key that tells which half it is in at a depth below {@link MAX_DEPTH}. */
export function goesRight(key: Hash, depth: number): boolean {
  const digit = Number.parseInt(key.charAt(depth >> 2), 16);
  return ((digit >> (3 - (depth & 3))) & 1) === 1;
}

/** How many of the first bits two keys have in common. */
export function commonBits(left: Hash, right: Hash): number {
  let depth = 0;
  while (depth < MAX_DEPTH && goesRight(left, depth) === goesRight(right, depth)) {
    depth += 1;
  }
  return depth;
}

/** An entry of the tree: key and SHA-256 of the value. */
export type TreeEntry = readonly [key: Hash, valueHash: Hash];

/** Hash of the part at a depth that holds these entries: ascending, and alike in the bits before. */
export function partHash(entries: readonly TreeEntry[], depth: number): Hash {
  const [first] = entries;
  if (first === undefined) {
    return EMPTY;
  }
  if (entries.length === 1 || depth === MAX_DEPTH) {
    return entryHash(...first);
  }
  const half = (right: boolean): Hash =>
    partHash(
      entries.filter(([key]) => goesRight(key, depth) === right),
      depth + 1,
    );
  return halvesHash(half(false), half(true));
}

/**
 * The root of a tree in which the part at the end of a key's path has a hash, and the other halves on
 * the way those of `siblings`, from the root down; at most {@link MAX_DEPTH}.
 */
export function rootOver(part: Hash, key: Hash, siblings: readonly Hash[]): Hash {
  return siblings.reduceRight(
    (below, sibling, depth) => (goesRight(key, depth) ? halvesHash(sibling, below) : halvesHash(below, sibling)),
    part,
  );
}
