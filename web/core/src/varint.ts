/** LEB128 numbers in their one canonical form, as the engine's codec reads and writes them. */

import { DecodeError } from './codec.js';
import type { Reader } from './codec.js';

/**
 * Takes a number of at most `bits` bits.
 *
 * @throws {DecodeError} if it ends early, is too large or has a byte more than it needs.
 */
export function readVarint(reader: Reader, bits: 32 | 64): bigint {
  let value = 0n;
  for (let shift = 0n; ; shift += 7n) {
    const byte = reader.u8();
    value |= BigInt(byte & 0x7f) << shift;
    if (value >> BigInt(bits) !== 0n || shift >= 70n) {
      throw new DecodeError('out_of_range', 'number');
    }
    if ((byte & 0x80) === 0) {
      if (byte === 0 && shift > 0n) {
        throw new DecodeError('not_canonical', 'number');
      }
      return value;
    }
  }
}

/** The bytes of a number. */
export function encodeVarint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  return Uint8Array.of(...bytes, Number(rest));
}
