/**
 * Proofs of presence and absence of keys in the state: a path of the tree from the root to where a key
 * is or would be. Twin of `crates/ledger/src/state_proof.rs`, where the form is described; it is what
 * `proof_format` 1 means.
 */

import { DecodeError, Reader, Writer, decodeWhole } from './codec.js';
import { Refusal } from './errors.js';
import { hashBytes, hashOf, readHash, sha256, writeHash } from './hash.js';
import type { Hash } from './hash.js';
import { EMPTY, MAX_DEPTH, commonBits, entryHash, partHash, rootOver } from './state-tree.js';
import type { TreeEntry } from './state-tree.js';

/** Length of every value of the state, in bytes. */
export const VALUE_LEN = 384;
/** Most entries that a {@link PrefixProof} may cover. */
export const MAX_PREFIX_ENTRIES = 256;

/** Why a state proof was refused. */
export class StateProofError extends Refusal<
  | 'state_proof_malformed'
  | 'state_proof_root'
  | 'state_proof_not_covered'
  | 'state_proof_prefix'
  | 'state_proof_entries'
> {}

/** An entry of which only the hash of the value is shown. */
export interface OtherEntry {
  readonly key: Hash;
  /** SHA-256 of its value. */
  readonly valueHash: Hash;
}

/** A claim about one key of the state, not yet verified. It does not say which key. */
export interface StateProof {
  /** Hashes of the other halves, from the root down. */
  readonly siblings: readonly Hash[];
  /** What is at the end: the key's value, another entry that is alone there, or nothing. */
  readonly end: Uint8Array | OtherEntry | undefined;
}

/** A claim about every key with a bit-prefix, not yet verified. */
export interface PrefixProof {
  /** Hashes of the other halves, from the root down to the part that holds the prefix. */
  readonly siblings: readonly Hash[];
  /** The one entry of that part, if it is none of the prefix. */
  readonly other: OtherEntry | undefined;
  /** Every entry of the prefix, ascending. */
  readonly entries: readonly (readonly [key: Hash, value: Uint8Array])[];
}

/** The canonical encoding. */
export function encodeStateProof({ siblings, end }: StateProof): Uint8Array {
  const writer = writePath(siblings);
  if (end === undefined) {
    return writer.u8(0).finish();
  }
  return (end instanceof Uint8Array ? writer.u8(1).fixed(end) : writeOther(writer.u8(2), end)).finish();
}

/**
 * Decodes exactly one proof. Nothing is verified but the form.
 *
 * @throws {StateProofError}
 */
export function decodeStateProof(bytes: Uint8Array): StateProof {
  return malformedUnless(() =>
    decodeWhole(bytes, (reader) => ({ siblings: readPath(reader), end: readEnd(reader, reader.u8()) })),
  );
}

function readEnd(reader: Reader, kind: number): StateProof['end'] {
  switch (kind) {
    case 0:
      return undefined;
    case 1:
      return reader.fixed(VALUE_LEN);
    case 2:
      return readOther(reader);
    default:
      throw refusal('state_proof_malformed');
  }
}

/**
 * The value of `key` under `stateRoot`, or `undefined` if the key is proven absent.
 *
 * @throws {StateProofError}
 */
export function verifyLookup({ siblings, end }: StateProof, key: Hash, stateRoot: Hash): Uint8Array | undefined {
  let part = EMPTY;
  if (end instanceof Uint8Array) {
    part = entryHash(key, sha256(end));
  } else if (end !== undefined) {
    if (end.key === key || commonBits(end.key, key) < siblings.length) {
      throw refusal('state_proof_not_covered');
    }
    part = entryHash(end.key, end.valueHash);
  }
  if (rootOver(part, key, siblings) !== stateRoot) {
    throw refusal('state_proof_root');
  }
  return end instanceof Uint8Array ? end : undefined;
}

/** The canonical encoding. */
export function encodePrefixProof({ siblings, other, entries }: PrefixProof): Uint8Array {
  const writer = writePath(siblings);
  if (other === undefined) {
    writer.u8(0);
  } else {
    writeOther(writer.u8(1), other);
  }
  writer.u16(entries.length);
  entries.forEach(([key, value]) => writeHash(writer, key).fixed(value));
  return writer.finish();
}

/**
 * Decodes exactly one proof. Nothing is verified but the form.
 *
 * @throws {StateProofError}
 */
export function decodePrefixProof(bytes: Uint8Array): PrefixProof {
  return malformedUnless(() => {
    const reader = new Reader(bytes);
    const siblings = readPath(reader);
    const kind = reader.u8();
    if (kind > 1) {
      throw refusal('state_proof_malformed');
    }
    const other = kind === 1 ? readOther(reader) : undefined;
    const count = reader.u16();
    if (count > MAX_PREFIX_ENTRIES) {
      throw refusal('state_proof_entries');
    }
    const entries = Array.from({ length: count }, () => [readHash(reader), reader.fixed(VALUE_LEN)] as const);
    reader.finish();
    return { siblings, other, entries };
  });
}

/**
 * Every entry whose key starts with the first `bits` bits of `prefix`; all other keys of the prefix are
 * proven absent.
 *
 * @throws {StateProofError}
 */
export function verifyPrefix(
  proof: PrefixProof,
  prefix: Hash,
  bits: number,
  stateRoot: Hash,
): ReadonlyMap<Hash, Uint8Array> {
  const { siblings, other, entries } = proof;
  if (!canBeWhole(proof, prefixRange(prefix, bits), bits)) {
    throw refusal('state_proof_entries');
  }
  const hashed = entries.map(([key, value]): TreeEntry => [key, sha256(value)]);
  const part = other === undefined ? partHash(hashed, siblings.length) : entryHash(other.key, other.valueHash);
  if (rootOver(part, prefix, siblings) !== stateRoot) {
    throw refusal('state_proof_root');
  }
  return new Map(entries);
}

/** Whether the part at the path's end, if the entries are all it holds, holds the whole prefix. */
function canBeWhole(
  { siblings, other, entries }: PrefixProof,
  { lowest, highest }: { lowest: Hash; highest: Hash },
  bits: number,
): boolean {
  const within = (key: Hash): boolean => lowest <= key && key <= highest;
  const own =
    entries.length <= MAX_PREFIX_ENTRIES &&
    entries.every(([key], index) => within(key) && key > (entries[index - 1]?.[0] ?? ''));
  // A part with one entry or none may be larger than the prefix: it says the same about it.
  const depth = siblings.length;
  const reaches = entries.length > 1 ? depth === bits : depth <= bits;
  const beside =
    other === undefined || (entries.length === 0 && !within(other.key) && commonBits(other.key, lowest) >= depth);
  return own && reaches && beside;
}

/**
 * Lowest and highest key that start with the first `bits` (0 to 255) bits of `prefix`.
 *
 * @throws {StateProofError} if a bit behind `bits` is set.
 */
export function prefixRange(prefix: Hash, bits: number): { lowest: Hash; highest: Hash } {
  if (!Number.isInteger(bits) || bits < 0 || bits > 255) {
    throw new RangeError('a prefix has 0 to 255 bits');
  }
  const highest = hashBytes(prefix).map((byte, index) => {
    const free = 0xff >> Math.min(Math.max(bits - 8 * index, 0), 8);
    if ((byte & free) !== 0) {
      throw refusal('state_proof_prefix');
    }
    return byte | free;
  });
  return { lowest: prefix, highest: hashOf(highest) };
}

/** Length in bits, a bit for each level whose other half holds something, and the hashes of those. */
function writePath(siblings: readonly Hash[]): Writer {
  const held = new Uint8Array(Math.ceil(siblings.length / 8));
  const writer = new Writer();
  siblings.forEach((hash, depth) => {
    if (hash !== EMPTY) {
      held[depth >> 3] = (held[depth >> 3] ?? 0) | (0x80 >> (depth & 7));
    }
  });
  writer.u16(siblings.length).fixed(held);
  siblings.filter((hash) => hash !== EMPTY).forEach((hash) => writeHash(writer, hash));
  return writer;
}

function readPath(reader: Reader): Hash[] {
  const depth = reader.u16();
  if (depth > MAX_DEPTH) {
    throw refusal('state_proof_malformed');
  }
  const held = reader.fixed(Math.ceil(depth / 8));
  const bits = Array.from({ length: 8 * held.length }, (_, at) => ((held[at >> 3] ?? 0) & (0x80 >> (at & 7))) !== 0);
  const siblings = bits.slice(0, depth).map((is) => (is ? readHash(reader) : EMPTY));
  // Filled up with zeros, and nothing has one encoding.
  if (bits.includes(true, depth) || siblings.some((hash, at) => hash === EMPTY && bits[at] === true)) {
    throw refusal('state_proof_malformed');
  }
  return siblings;
}

function writeOther(writer: Writer, { key, valueHash }: OtherEntry): Writer {
  return writeHash(writeHash(writer, key), valueHash);
}

function readOther(reader: Reader): OtherEntry {
  return { key: readHash(reader), valueHash: readHash(reader) };
}

function malformedUnless<T>(decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    throw error instanceof DecodeError ? refusal('state_proof_malformed') : error;
  }
}

function refusal(code: StateProofError['code']): StateProofError {
  return new StateProofError(code, `the state proof is refused: ${code.replaceAll('_', ' ')}`);
}
