/**
 * Proofs of presence and absence of keys in the state: one proof of one write `(key, value, next key)`
 * shows that its key is present and that every key strictly between `key` and `next key` is absent.
 * Twin of `crates/ledger/src/state_proof.rs`.
 */

import { DecodeError, Reader, Writer, decodeWhole } from './codec.js';
import { concat } from './bytes.js';
import { Refusal } from './errors.js';
import { hashBytes, hashOf, readHash, writeHash } from './hash.js';
import type { Hash } from './hash.js';
import { MAX_DIGESTS, readMembership, verifyMembership, writeMembership } from './membership.js';
import type { Membership } from './membership.js';

/** Length of every value of the state, in bytes. */
export const VALUE_LEN = 384;
/** Most entries that a {@link PrefixProof} may cover. */
export const MAX_PREFIX_ENTRIES = 256;
/** Longest encoded {@link StateProof} in bytes. */
export const MAX_STATE_PROOF_LEN = 32 + VALUE_LEN + 32 + 64 + 32 * (MAX_DIGESTS + 4);
/** What the engine writes before a write that sets a value. */
const UPDATE = 0xd2;

/** Why a state proof was refused. */
export class StateProofError extends Refusal<
  | 'state_proof_malformed'
  | 'state_proof_root'
  | 'state_proof_not_covered'
  | 'state_proof_prefix'
  | 'state_proof_spans'
> {}

/** A claim about one span of the state, not yet verified. */
export interface StateProof {
  /** The key that the span begins with, and that has a value. */
  readonly key: Hash;
  readonly value: Uint8Array;
  /** The next key that has a value; the first one after the last. */
  readonly nextKey: Hash;
  readonly membership: Membership;
}

/** A claim about every key with a bit-prefix, not yet verified: spans that follow one another. */
export interface PrefixProof {
  readonly spans: readonly StateProof[];
}

/** The canonical encoding: key, value, next key, then the engine's proof of the write. */
export function encodeStateProof(proof: StateProof): Uint8Array {
  const writer = writeHash(new Writer(), proof.key).fixed(proof.value);
  return writeMembership(writeHash(writer, proof.nextKey), proof.membership).finish();
}

/**
 * Decodes exactly one proof. Nothing is verified but the form.
 *
 * @throws {StateProofError}
 */
export function decodeStateProof(bytes: Uint8Array): StateProof {
  if (bytes.length > MAX_STATE_PROOF_LEN) {
    throw refusal('state_proof_malformed');
  }
  return malformedUnless(() =>
    decodeWhole(bytes, (reader) => ({
      key: readHash(reader),
      value: reader.fixed(VALUE_LEN),
      nextKey: readHash(reader),
      membership: readMembership(reader),
    })),
  );
}

/**
 * The value of `key` under `stateRoot`, or `undefined` if the key is proven absent.
 *
 * @throws {StateProofError}
 */
export function verifyLookup(proof: StateProof, key: Hash, stateRoot: Hash): Uint8Array | undefined {
  if (!covers(proof, key)) {
    throw refusal('state_proof_not_covered');
  }
  verifySpan(proof, stateRoot);
  return key === proof.key ? proof.value : undefined;
}

/** Whether the proof speaks about `key`: it lies from its key to before the next on the circle of keys. */
export function covers({ key: from, nextKey }: StateProof, key: Hash): boolean {
  return from < nextKey ? from <= key && key < nextKey : from <= key || key < nextKey;
}

/** Whether the span, entered at `from`, goes on to `to` without a gap. */
function reaches({ nextKey }: StateProof, from: Hash, to: Hash): boolean {
  return nextKey <= from || nextKey > to;
}

function verifySpan(proof: StateProof, stateRoot: Hash): void {
  const write = concat(Uint8Array.of(UPDATE), hashBytes(proof.key), proof.value, hashBytes(proof.nextKey));
  if (!verifyMembership(proof.membership, write, hashBytes(stateRoot))) {
    throw refusal('state_proof_root');
  }
}

/** The canonical encoding: number of spans (u16), then each span behind its length (u16). */
export function encodePrefixProof({ spans }: PrefixProof): Uint8Array {
  const writer = new Writer().u16(spans.length);
  spans.forEach((span) => writer.bytes(encodeStateProof(span)));
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
    const count = reader.u16();
    if (count > MAX_PREFIX_ENTRIES + 1) {
      throw refusal('state_proof_spans');
    }
    const spans = Array.from({ length: count }, () => decodeStateProof(reader.bytes('span', 0xffff)));
    reader.finish();
    return { spans };
  });
}

/**
 * Every entry whose key starts with the first `bits` bits of `prefix`; all other keys of the prefix are
 * proven absent.
 *
 * @throws {StateProofError}
 */
export function verifyPrefix(
  { spans }: PrefixProof,
  prefix: Hash,
  bits: number,
  stateRoot: Hash,
): ReadonlyMap<Hash, Uint8Array> {
  const { lowest, highest } = prefixRange(prefix, bits);
  const [last, before] = [spans.at(-1), spans.slice(0, -1)];
  // Each span is entered where the one before it ended, the first at the lowest key.
  let from = lowest;
  const goesOn = (span: StateProof): boolean => {
    const ends = !covers(span, from) || reaches(span, from, highest);
    from = span.nextKey;
    return !ends;
  };
  const joined = before.every((span, index) => span.nextKey === spans[index + 1]?.key);
  const unfinished = before.every(goesOn);
  const complete = last !== undefined && covers(last, from) && reaches(last, from, highest);
  if (spans.length > MAX_PREFIX_ENTRIES + 1 || !joined || !unfinished || !complete) {
    throw refusal('state_proof_spans');
  }
  const entries = new Map<Hash, Uint8Array>();
  for (const span of spans) {
    verifySpan(span, stateRoot);
    if (lowest <= span.key && span.key <= highest) {
      entries.set(span.key, span.value);
    }
  }
  return entries;
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
