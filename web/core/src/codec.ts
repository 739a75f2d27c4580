/**
 * The canonical binary encoding of everything that is hashed or signed: fixed-width big-endian
 * integers, fixed byte arrays, and byte strings behind a `u16` length. There is exactly one encoding
 * of a value. Twin of `crates/crypto/src/codec.rs`.
 */

import { concat } from './bytes.js';
import { Refusal } from './errors.js';

/** What can be wrong with bytes that claim to be an encoding. */
export type DecodeCode =
  | 'unexpected_end'
  | 'trailing_bytes'
  | 'out_of_range'
  | 'too_long'
  | 'not_canonical'
  | 'unknown'
  | 'unsupported';

/**
 * Why bytes are not the canonical encoding of the value they claim to be. `unsupported` alone has no
 * twin: a key of type SM2, which the Rust crates know and this software does not.
 */
export class DecodeError extends Refusal<DecodeCode> {
  constructor(code: DecodeCode, field: string) {
    super(code, `${field}: ${code.replaceAll('_', ' ')}`);
  }
}

/** Largest value of a `u64`. */
export const MAX_U64 = 0xffff_ffff_ffff_ffffn;

/** `left + right`, at most {@link MAX_U64}: where the Rust code adds with `saturating_add`. */
export function saturatingAdd(left: bigint, right: bigint): bigint {
  const sum = left + right;
  return sum > MAX_U64 ? MAX_U64 : sum;
}

/** Writes canonical bytes. Values are limited by the types that are written. */
export class Writer {
  readonly #parts: Uint8Array[] = [];

  /** Appends one byte. */
  u8(value: number): this {
    return this.#number(BigInt(value), 1);
  }

  /** Appends two bytes, most significant first. */
  u16(value: number): this {
    return this.#number(BigInt(value), 2);
  }

  /** Appends four bytes, most significant first. */
  u32(value: number): this {
    return this.#number(BigInt(value), 4);
  }

  /** Appends eight bytes, most significant first. */
  u64(value: bigint): this {
    return this.#number(value, 8);
  }

  /** Appends bytes whose length both sides know. */
  fixed(value: Uint8Array): this {
    this.#parts.push(value);
    return this;
  }

  /** Appends a `u16` length and the bytes. */
  bytes(value: Uint8Array): this {
    return this.u16(value.length).fixed(value);
  }

  /** The bytes written so far. */
  finish(): Uint8Array {
    return concat(...this.#parts);
  }

  #number(value: bigint, width: number): this {
    if (value < 0n || value >> BigInt(8 * width) !== 0n) {
      throw new RangeError(`${value} does not fit ${width} bytes`);
    }
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, value);
    return this.fixed(bytes.subarray(8 - width));
  }
}

/** Reads canonical bytes, strictly: every method throws {@link DecodeError}. */
export class Reader {
  #rest: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#rest = bytes;
  }

  /** Takes `count` bytes. */
  fixed(count: number): Uint8Array {
    if (this.#rest.length < count) {
      throw new DecodeError('unexpected_end', 'input');
    }
    const head = this.#rest.slice(0, count);
    this.#rest = this.#rest.subarray(count);
    return head;
  }

  /** Takes one byte. */
  u8(): number {
    return Number(this.#number(1));
  }

  /** Takes a big-endian `u16`. */
  u16(): number {
    return Number(this.#number(2));
  }

  /** Takes a big-endian `u32`. */
  u32(): number {
    return Number(this.#number(4));
  }

  /** Takes a big-endian `u64`. */
  u64(): bigint {
    return this.#number(8);
  }

  /** Takes a `u16` length and as many bytes, at most `limit`. */
  bytes(field: string, limit: number): Uint8Array {
    const length = this.u16();
    if (length > limit) {
      throw new DecodeError('too_long', field);
    }
    return this.fixed(length);
  }

  /** How many bytes are left. */
  get remaining(): number {
    return this.#rest.length;
  }

  /** Ends the reading; refuses bytes that are left. */
  finish(): void {
    if (this.#rest.length > 0) {
      throw new DecodeError('trailing_bytes', 'input');
    }
  }

  #number(width: number): bigint {
    return this.fixed(width).reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
  }
}

/** Decodes all of `bytes` by `read`. */
export function decodeWhole<T>(bytes: Uint8Array, read: (reader: Reader) => T): T {
  const reader = new Reader(bytes);
  const value = read(reader);
  reader.finish();
  return value;
}
