/**
 * Somebody else's document data, read for its keys. A service's document may list an SM2 key beside others;
 * such a key is passed over, since nothing here could be checked with it, and the others are as good as ever.
 * That the data is the document's own is told by its hash, which the ledger proves.
 */

import { DecodeError, Reader } from './codec.js';
import { hashLabelled } from './hash.js';
import type { Hash } from './hash.js';
import { MAX_KEYS } from './inception.js';
import type { VerificationKey } from './inception.js';
import { PublicKey } from './key.js';

/** Longest document data, in bytes. */
const MAX_DOCUMENT = 4096;
/** Type code of SM2 keys, and their length. */
const SM2 = { code: 3, length: 33 };

/** What a document lists, with the hash that the ledger names. */
export interface ListedDocument {
  readonly hash: Hash;
  /** The keys of types that are supported here. */
  readonly keys: readonly VerificationKey[];
}

/**
 * Reads document data.
 *
 * @throws {DecodeError}
 */
export function readListedDocument(bytes: Uint8Array): ListedDocument {
  if (bytes.length > MAX_DOCUMENT) {
    throw new DecodeError('too_long', 'document');
  }
  const reader = new Reader(bytes);
  const count = reader.u8();
  if (count < 1 || count > MAX_KEYS) {
    throw new DecodeError('out_of_range', 'keys');
  }
  const keys: VerificationKey[] = [];
  for (let index = 0; index < count; index++) {
    const purposes = reader.u8();
    // The type stands first.
    if (bytes[bytes.length - reader.remaining] === SM2.code) {
      reader.fixed(1 + SM2.length);
    } else {
      keys.push({ purposes, key: PublicKey.read(reader) });
    }
  }
  return { hash: hashLabelled('realdid/document/v1', bytes), keys };
}
