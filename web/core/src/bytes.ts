/**
 * Byte strings and their texts: hexadecimal, base64url without padding (RFC 4648 §5) and base58btc,
 * all decoded strictly. Twin of `crates/crypto/src/encoding.rs`.
 */

import { bytesToHex, concatBytes, hexToBytes } from '@noble/hashes/utils.js';
import { base58, base64urlnopad } from '@scure/base';

import { Refusal } from './errors.js';

/** Longest base58 text that is decoded, in characters; decoding takes quadratic time. */
const MAX_BASE58 = 256;

/** The text is not the canonical form of any bytes. */
export class EncodingError extends Refusal<'base64_url' | 'base58' | 'hex'> {}

/** Puts byte strings one behind the other. */
export const concat: (...parts: Uint8Array[]) => Uint8Array = concatBytes;

/** Lower-case hexadecimal. */
export const toHex: (bytes: Uint8Array) => string = bytesToHex;

/**
 * The bytes of a lower-case hexadecimal text.
 *
 * @throws {EncodingError}
 */
export function fromHex(text: string): Uint8Array {
  if (!/^(?:[0-9a-f]{2})*$/.test(text)) {
    throw new EncodingError('hex', 'the text is not lower-case hexadecimal');
  }
  return hexToBytes(text);
}

/** Whether two byte strings are the same. Not for secrets: it stops at the first difference. */
export function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, index) => byte === right[index]);
}

/** `bytes` as base64url without padding. */
export function base64urlEncode(bytes: Uint8Array): string {
  return base64urlnopad.encode(bytes);
}

/**
 * The bytes of a base64url text without padding; unused bits must be zero.
 *
 * @throws {EncodingError}
 */
export function base64urlDecode(text: string): Uint8Array {
  try {
    return base64urlnopad.decode(text);
  } catch {
    throw new EncodingError('base64_url', 'the text is not base64url without padding');
  }
}

/** `bytes` as base58 in the Bitcoin alphabet, without a multibase prefix. */
export function base58Encode(bytes: Uint8Array): string {
  return base58.encode(bytes);
}

/**
 * The bytes of a base58 text in the Bitcoin alphabet, at most 256 characters.
 *
 * @throws {EncodingError}
 */
export function base58Decode(text: string): Uint8Array {
  try {
    if (text.length <= MAX_BASE58) {
      return base58.decode(text);
    }
  } catch {
    // falls through
  }
  throw new EncodingError('base58', 'the text is not base58btc');
}

/** UTF-8 bytes of a text. */
export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** The text of UTF-8 bytes, or `undefined` if they are not UTF-8. A byte order mark is kept. */
export function fromUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
