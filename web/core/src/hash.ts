/** SHA-256 as the hash of identifiers, operations and blocks. Twin of `crates/crypto/src/hash.rs`. */

import { sha256 as digest } from '@noble/hashes/sha2.js';

import { fromHex, toHex, utf8 } from './bytes.js';
import type { Reader, Writer } from './codec.js';

declare const hashBrand: unique symbol;

/**
 * A 32-byte hash value as 64 lower-case hexadecimal digits, the form that it has in JSON. As texts
 * compare like the bytes they stand for, hashes can be compared by `===` and `<`.
 */
export type Hash = string & { readonly [hashBrand]: true };

/** All zero; stands for "none" where a fixed width is needed. */
export const ZERO_HASH: Hash = '0'.repeat(64) as Hash;

/** The hash of 32 bytes. */
export function hashOf(bytes: Uint8Array): Hash {
  if (bytes.length !== 32) {
    throw new RangeError('a hash has 32 bytes');
  }
  return toHex(bytes) as Hash;
}

/** The hash of 64 lower-case hexadecimal characters; `undefined` for anything else. */
export function hashFromHex(text: string): Hash | undefined {
  return /^[0-9a-f]{64}$/.test(text) ? (text as Hash) : undefined;
}

/** The 32 bytes of a hash. */
export function hashBytes(hash: Hash): Uint8Array {
  return fromHex(hash);
}

/** Appends the 32 bytes. */
export function writeHash(writer: Writer, hash: Hash): Writer {
  return writer.fixed(hashBytes(hash));
}

/**
 * Takes 32 bytes.
 *
 * @throws {DecodeError}
 */
export function readHash(reader: Reader): Hash {
  return hashOf(reader.fixed(32));
}

/** SHA-256 (FIPS 180-4). */
export function sha256(bytes: Uint8Array): Hash {
  return hashOf(digest(bytes));
}

/**
 * SHA-256 over `len(label) ‖ label ‖ parts`, so that hashes of different kinds never collide. Each
 * part but the last must have a fixed width.
 */
export function hashLabelled(label: string, ...parts: Uint8Array[]): Hash {
  const name = utf8(label);
  const hasher = digest.create().update(Uint8Array.of(name.length)).update(name);
  parts.forEach((part) => hasher.update(part));
  return hashOf(hasher.digest());
}
