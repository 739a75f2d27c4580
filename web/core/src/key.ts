/**
 * Key types, public keys in their one canonical encoding, secret keys, and signatures with a domain in
 * front of the message. Twin of `crates/crypto/src/{key,signature}.rs`, without SM2: a key of that
 * type is refused as `unsupported`.
 */

import { ed25519 } from '@noble/curves/ed25519.js';
import { p256 } from '@noble/curves/nist.js';
import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 as sha256Function } from '@noble/hashes/sha2.js';

import { base58Decode, base58Encode, concat, equalBytes, toHex, utf8 } from './bytes.js';
import { DecodeError } from './codec.js';
import type { Reader, Writer } from './codec.js';
import { Refusal } from './errors.js';
import { hashBytes } from './hash.js';
import type { Hash } from './hash.js';

/** A registered combination of curve, signature scheme and encoding, by its JOSE name. */
export type KeyType = 'EdDSA' | 'ES256';

/** Why bytes or a text are not a public key. */
export class KeyError extends Refusal<
  'length' | 'not_on_curve' | 'small_order' | 'multikey' | 'unsupported'
> {}

interface KeyTypeData {
  readonly code: number;
  readonly length: number;
  /** Multicodec prefix of a public key, as an unsigned varint. */
  readonly multicodec: Uint8Array;
}

const KEY_TYPES: Readonly<Record<KeyType, KeyTypeData>> = {
  EdDSA: { code: 1, length: 32, multicodec: Uint8Array.of(0xed, 0x01) },
  ES256: { code: 2, length: 33, multicodec: Uint8Array.of(0x80, 0x24) },
};
const ALL_TYPES: readonly KeyType[] = ['EdDSA', 'ES256'];
/** SM2 with SM3, which the Rust crates know. */
const SM2 = { code: 3, multicodec: Uint8Array.of(0x82, 0x80, 0xc0, 0x01) };

/** What a signature is for: a label of the protocol and the hash of the genesis charter. */
export interface Domain {
  /** A constant such as `realdid/operation/v1`. */
  readonly label: string;
  /** Hash of the network's genesis charter. */
  readonly charter: Hash;
}

/** What is signed: `00 ‖ len(label) ‖ label ‖ charter(32) ‖ message`. */
function domainMessage(domain: Domain, message: Uint8Array): Uint8Array {
  const label = utf8(domain.label);
  return concat(Uint8Array.of(0, label.length), label, hashBytes(domain.charter), message);
}

/** Length of every signature, in bytes: `R ‖ s` (Ed25519) or `r ‖ s`, big-endian (P-256). */
export const SIGNATURE_LENGTH = 64;

/**
 * A public key that is valid: on its curve, canonical, not of small order.
 *
 * Layout on the wire: type code (1), then 32 bytes (Ed25519) or a compressed point of 33 (P-256).
 */
export class PublicKey {
  readonly kind: KeyType;
  /** The key's bytes without the type code. */
  readonly bytes: Uint8Array;

  private constructor(kind: KeyType, bytes: Uint8Array) {
    this.kind = kind;
    this.bytes = bytes;
  }

  /**
   * Checks and takes a public key.
   *
   * @throws {KeyError}
   */
  static fromBytes(kind: KeyType, bytes: Uint8Array): PublicKey {
    if (bytes.length !== KEY_TYPES[kind].length) {
      throw new KeyError('length', 'the key has the wrong length for its type');
    }
    if (kind === 'EdDSA') {
      checkEd25519(bytes);
    } else if (!isCompressedP256(bytes)) {
      throw notOnCurve();
    }
    return new PublicKey(kind, bytes.slice());
  }

  /**
   * Takes type code and bytes.
   *
   * @throws {DecodeError}
   */
  static read(reader: Reader): PublicKey {
    const code = reader.u8();
    if (code === SM2.code) {
      throw new DecodeError('unsupported', 'SM2 key');
    }
    const kind = ALL_TYPES.find((name) => KEY_TYPES[name].code === code);
    if (kind === undefined) {
      throw new DecodeError('unknown', 'key type');
    }
    const bytes = reader.fixed(KEY_TYPES[kind].length);
    try {
      return PublicKey.fromBytes(kind, bytes);
    } catch {
      throw new DecodeError('out_of_range', 'public key');
    }
  }

  /** Appends type code and bytes. */
  write(writer: Writer): Writer {
    return writer.u8(KEY_TYPES[this.kind].code).fixed(this.bytes);
  }

  /** The multikey text: `z`, base58btc of the multicodec prefix and the key's bytes. */
  toString(): string {
    return `z${base58Encode(concat(KEY_TYPES[this.kind].multicodec, this.bytes))}`;
  }

  /**
   * From the multikey text.
   *
   * @throws {KeyError}
   */
  static fromMultikey(text: string): PublicKey {
    const bytes = text.startsWith('z') ? decodeBase58(text.slice(1)) : undefined;
    if (bytes !== undefined && startsWith(bytes, SM2.multicodec)) {
      throw new KeyError('unsupported', 'keys of type SM2 are not supported here');
    }
    const kind = ALL_TYPES.find((name) => bytes && startsWith(bytes, KEY_TYPES[name].multicodec));
    if (bytes === undefined || kind === undefined) {
      throw new KeyError('multikey', "the key's text form is not a known multikey");
    }
    return PublicKey.fromBytes(kind, bytes.slice(KEY_TYPES[kind].multicodec.length));
  }

  /** `x` and `y` of a P-256 key, 32 bytes each; an Ed25519 key has `x` alone. */
  coordinates(): { x: Uint8Array; y?: Uint8Array } {
    if (this.kind === 'EdDSA') {
      return { x: this.bytes };
    }
    const point = p256.Point.fromBytes(this.bytes).toBytes(false);
    return { x: point.slice(1, 33), y: point.slice(33) };
  }

  /** Whether it is the same key. */
  equals(other: PublicKey): boolean {
    return this.kind === other.kind && equalBytes(this.bytes, other.bytes);
  }

  /** Whether a signature of ours over `message` in `domain` holds: canonical forms only. */
  verify(domain: Domain, message: Uint8Array, signature: Uint8Array): boolean {
    return this.verifyRaw(domainMessage(domain, message), signature);
  }

  /** Whether a signature of ours holds over bytes that carry their own domain. */
  verifyRaw(message: Uint8Array, signature: Uint8Array): boolean {
    return this.#verify(message, signature, true);
  }

  /** Whether a signature made by anybody's software holds, where ECDSA's high `s` is as good. */
  verifyForeign(message: Uint8Array, signature: Uint8Array): boolean {
    return this.#verify(message, signature, false);
  }

  #verify(message: Uint8Array, signature: Uint8Array, lowS: boolean): boolean {
    if (signature.length !== SIGNATURE_LENGTH) {
      return false;
    }
    return this.kind === 'EdDSA'
      ? ed25519.verify(signature, message, this.bytes, { zip215: true })
      : p256.verify(signature, message, this.bytes, { lowS, prehash: true, format: 'compact' });
  }
}

/** A secret key: a type and 32 secret bytes. */
export class SecretKey {
  readonly kind: KeyType;
  readonly #seed: Uint8Array;

  private constructor(kind: KeyType, seed: Uint8Array) {
    this.kind = kind;
    this.#seed = seed;
  }

  /**
   * The key of this type that belongs to 32 uniformly random secret bytes. For P-256 the seed is the
   * scalar itself; the one seed in 2³² that is no valid scalar is replaced by a derived one.
   */
  static fromSeed(kind: KeyType, seed: Uint8Array): SecretKey {
    if (seed.length !== 32) {
      throw new RangeError('a seed has 32 bytes');
    }
    let scalar = seed.slice();
    while (kind === 'ES256' && !p256.utils.isValidSecretKey(scalar)) {
      scalar = hkdf(sha256Function, scalar, undefined, utf8('realdid/scalar/v1'), 32);
    }
    return new SecretKey(kind, scalar);
  }

  /** The public key that belongs to this key. */
  publicKey(): PublicKey {
    const bytes = this.kind === 'EdDSA' ? ed25519.getPublicKey(this.#seed) : p256.getPublicKey(this.#seed, true);
    return PublicKey.fromBytes(this.kind, bytes);
  }

  /** Signs `message` in `domain`. Deterministic (RFC 8032, RFC 6979). */
  sign(domain: Domain, message: Uint8Array): Uint8Array {
    return this.signRaw(domainMessage(domain, message));
  }

  /** Signs bytes that carry their own domain, such as a JWS signing input. */
  signRaw(message: Uint8Array): Uint8Array {
    return this.kind === 'EdDSA'
      ? ed25519.sign(message, this.#seed)
      : p256.sign(message, this.#seed, { lowS: true, prehash: true, format: 'compact' });
  }

  /** Never the secret. */
  toJSON(): string {
    return `SecretKey(${this.kind})`;
  }
}

/** An order of public keys in which equal ones are neighbours. */
export function keyOrder(key: PublicKey): string {
  return `${KEY_TYPES[key.kind].code}${toHex(key.bytes)}`;
}

function checkEd25519(bytes: Uint8Array): void {
  let point;
  try {
    point = ed25519.Point.fromBytes(bytes, true);
  } catch {
    throw notOnCurve();
  }
  if (point.isSmallOrder()) {
    throw new KeyError('small_order', 'the key has small order');
  }
  if (!equalBytes(point.toBytes(), bytes)) {
    throw notOnCurve();
  }
}

function isCompressedP256(bytes: Uint8Array): boolean {
  try {
    return (bytes[0] === 2 || bytes[0] === 3) && !p256.Point.fromBytes(bytes).is0();
  } catch {
    return false;
  }
}

function notOnCurve(): KeyError {
  return new KeyError('not_on_curve', 'the key is not a canonical point on its curve');
}

function startsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  return equalBytes(bytes.subarray(0, start.length), start);
}

function decodeBase58(text: string): Uint8Array | undefined {
  try {
    return base58Decode(text);
  } catch {
    return undefined;
  }
}
