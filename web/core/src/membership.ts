/**
 * The engine's proof that a write stands in the state's log and is still in force. Twin of what
 * `commonware-storage` 2026.10 verifies (`qmdb::current::proof`, `merkle::proof`, Merkle mountain
 * range, SHA-256, peaks folded backward).
 *
 * The log's leaves stand under perfect trees, its peaks, one for each bit of the number of leaves. A
 * bitmap says which writes are in force, in chunks of 256 bits; each whole chunk is hashed into the
 * node over its 256 leaves, an incomplete last one into the root.
 */

import { sha256 } from '@noble/hashes/sha2.js';

import { concat, equalBytes } from './bytes.js';
import { DecodeError, Writer } from './codec.js';
import type { Reader } from './codec.js';
import { encodeVarint, readVarint } from './varint.js';

/** Bytes of the activity bitmap that one leaf of its tree covers. Part of the protocol version. */
export const STATE_BITMAP_CHUNK = 32;
/** Most digests in one proof: a path and the peaks of the largest log. */
export const MAX_DIGESTS = 128;
/** Height of the node over the leaves of one chunk. */
const CHUNK_HEIGHT = 8;
const CHUNK_BITS = 1n << BigInt(CHUNK_HEIGHT);
const MAX_LEAVES = 1n << 62n;
/** Says which kind of structure a root is of: a Merkle mountain range whose peaks are folded backward. */
const ROOT_DOMAIN = Uint8Array.of(0, 1);

/** The proof as it travels; nothing about it has been checked yet. */
export interface Membership {
  /** Place of the write in the log. */
  readonly location: bigint;
  /** The bitmap's chunk with the bit of this write. */
  readonly chunk: Uint8Array;
  /** How many writes the log has. */
  readonly leaves: bigint;
  /** How many of the first peaks cover nothing that is in force. */
  readonly inactivePeaks: bigint;
  readonly digests: readonly Uint8Array[];
  /** Hash of the bitmap's last chunk, if that is not complete. */
  readonly partialChunk?: Uint8Array | undefined;
  /** Root of the log without the bitmap. */
  readonly logRoot: Uint8Array;
}

/** Appends the proof. */
export function writeMembership(writer: Writer, proof: Membership): Writer {
  writer.fixed(encodeVarint(proof.location)).fixed(proof.chunk).fixed(encodeVarint(proof.leaves));
  writer.fixed(encodeVarint(proof.inactivePeaks)).fixed(encodeVarint(BigInt(proof.digests.length)));
  proof.digests.forEach((digest) => writer.fixed(digest));
  if (proof.partialChunk === undefined) {
    writer.u8(0);
  } else {
    writer.u8(1).fixed(proof.partialChunk);
  }
  return writer.fixed(proof.logRoot);
}

/**
 * Takes what {@link writeMembership} appends.
 *
 * @throws {DecodeError}
 */
export function readMembership(reader: Reader): Membership {
  const location = readLocation(reader);
  const chunk = reader.fixed(STATE_BITMAP_CHUNK);
  const leaves = readLocation(reader);
  const inactivePeaks = readVarint(reader, 64);
  const count = Number(readVarint(reader, 32));
  if (count > MAX_DIGESTS) {
    throw new DecodeError('too_long', 'digests');
  }
  const digests = Array.from({ length: count }, () => reader.fixed(32));
  const flag = reader.u8();
  if (flag > 1) {
    throw new DecodeError('not_canonical', 'partial chunk');
  }
  const partialChunk = flag === 1 ? reader.fixed(32) : undefined;
  return { location, chunk, leaves, inactivePeaks, digests, partialChunk, logRoot: reader.fixed(32) };
}

/** Whether the proof leads from `write` to `root`, and shows the write to be in force. */
export function verifyMembership(proof: Membership, write: Uint8Array, root: Uint8Array): boolean {
  const { location, chunk, leaves, partialChunk, logRoot } = proof;
  const bit = Number(location % CHUNK_BITS);
  const inForce = ((chunk[bit >> 3] ?? 0) >> (bit & 7)) & 1;
  if (inForce === 0 || location + 1n > leaves) {
    return false;
  }
  const nextBit = leaves % CHUNK_BITS;
  if ((nextBit !== 0n) !== (partialChunk !== undefined)) {
    return false;
  }
  const inLastChunk = location / CHUNK_BITS === leaves / CHUNK_BITS;
  if (partialChunk !== undefined && inLastChunk && !equalBytes(partialChunk, sha256(chunk))) {
    return false;
  }
  const activityRoot = reconstructRoot(proof, write);
  if (activityRoot === undefined) {
    return false;
  }
  const partial = partialChunk === undefined ? [] : [u64(nextBit), partialChunk];
  return equalBytes(sha256(concat(logRoot, activityRoot, ...partial)), root);
}

/** A perfect tree over `2^height` leaves from `start` on. */
interface Tree {
  readonly start: bigint;
  readonly height: number;
}

/** The root over the log's peaks with the bitmap's chunks in them; nothing if a digest lacks or is left. */
function reconstructRoot(proof: Membership, write: Uint8Array): Uint8Array | undefined {
  const { location, leaves, inactivePeaks, digests } = proof;
  const peaks = peaksOf(leaves);
  const at = peaks.findIndex((peak) => location < peak.start + width(peak));
  const peak = peaks[at];
  if (peak === undefined || inactivePeaks > BigInt(peaks.length)) {
    return undefined;
  }
  const inactive = Number(inactivePeaks);
  // Inactive peaks before the write's are folded into one digest, active ones are listed; of those
  // behind it, inactive ones are listed and active ones folded into one digest.
  const folded = Math.min(inactive, at);
  const listedBehind = Math.min(Math.max(inactive - at - 1, 0), peaks.length - at - 1);
  const foldedBehind = peaks.length - at - 1 - listedBehind;
  const before = Number(folded > 0) + at - folded;
  const behind = listedBehind + Number(foldedBehind > 0);
  const siblings = digests.slice(before + behind);
  const rebuilt = rebuild(peak, proof, write, siblings);
  if (digests.length < before + behind || rebuilt === undefined || siblings.length > 0) {
    return undefined;
  }
  const list = [...digests.slice(0, before), rebuilt, ...digests.slice(before, before + behind)];
  const bagged = bag(list, folded > 0 ? inactive - folded + 1 : inactive);
  const committed = inactive > 0 ? [u64(inactivePeaks)] : [];
  return bagged && sha256(concat(ROOT_DOMAIN, u64(leaves), ...committed, bagged));
}

/** Folds the first `inactive` digests forward, the others backward, and both together. */
function bag(digests: readonly Uint8Array[], inactive: number): Uint8Array | undefined {
  const split = Math.max(inactive, 1);
  if (split > digests.length) {
    return undefined;
  }
  const first = digests.slice(0, split).reduce((left, right) => sha256(concat(left, right)));
  const rest = digests.slice(split);
  if (rest.length === 0) {
    return first;
  }
  return sha256(concat(first, rest.reduceRight((right, left) => sha256(concat(left, right)))));
}

/** A tree's digest, from the write and the siblings on its path, which are taken out. */
function rebuild(
  tree: Tree,
  proof: Membership,
  write: Uint8Array,
  siblings: Uint8Array[],
): Uint8Array | undefined {
  const { start, height } = tree;
  if (proof.location < start || proof.location >= start + width(tree)) {
    return siblings.shift();
  }
  if (height === 0) {
    return sha256(concat(u64(position(tree)), write));
  }
  const half = { start, height: height - 1 };
  const left = rebuild(half, proof, write, siblings);
  const right = rebuild({ ...half, start: start + width(half) }, proof, write, siblings);
  if (left === undefined || right === undefined) {
    return undefined;
  }
  const digest = sha256(concat(u64(position(tree)), left, right));
  const grafted = height === CHUNK_HEIGHT && proof.chunk.some((byte) => byte !== 0);
  return grafted ? sha256(concat(proof.chunk, digest)) : digest;
}

/** One peak for each bit of the number of leaves, the highest first. */
function peaksOf(leaves: bigint): Tree[] {
  const peaks: Tree[] = [];
  let start = 0n;
  for (let height = 62; height >= 0; height--) {
    if ((leaves >> BigInt(height)) & 1n) {
      peaks.push({ start, height });
      start += 1n << BigInt(height);
    }
  }
  return peaks;
}

function width({ height }: Tree): bigint {
  return 1n << BigInt(height);
}

/** Place of a tree's root among all nodes, which are numbered as they come into being. */
function position({ start, height }: Tree): bigint {
  const ones = BigInt(start.toString(2).replaceAll('0', '').length);
  return 2n * start - ones + (2n << BigInt(height)) - 2n;
}

function u64(value: bigint): Uint8Array {
  return new Writer().u64(value).finish();
}

function readLocation(reader: Reader): bigint {
  const location = readVarint(reader, 64);
  if (location > MAX_LEAVES) {
    throw new DecodeError('out_of_range', 'location');
  }
  return location;
}
