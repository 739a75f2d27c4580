/**
 * Real-name tokens: an authority's blind signature over a DID (RFC 9474,
 * `RSABSSA-SHA384-PSS-Randomized`, 2048 bit, e = 65537, salt 48), on the verifier's side. Blinding is in
 * `blinding.ts`. Twin of `crates/token/src/{key,verification}.rs`.
 *
 * ```text
 * token   = key_id(32) ‖ msg_prefix(32) ‖ signature(256)
 * signed  = msg_prefix ‖ "realdid/token/v1" ‖ key_id ‖ identifier hash of the DID
 * key_id  = SHA-256(label ‖ charter ‖ authority ‖ purpose ‖ level ‖ epoch ‖ modulus)
 * ```
 */

import { base64urlEncode, concat, utf8 } from './bytes.js';
import { DecodeError, MAX_U64, Reader, Writer } from './codec.js';
import { LEVELS, codeOf, ofCode } from './entry.js';
import type { Level } from './entry.js';
import { Refusal } from './errors.js';
import { hashBytes, hashLabelled, readHash, writeHash } from './hash.js';
import type { Hash } from './hash.js';

/** Length of a token, in bytes. */
export const TOKEN_LENGTH = 320;
/** Length of an epoch key's modulus, in bytes: 2048 bit. */
export const MODULUS_LENGTH = 256;

/** What tokens of a key are for. */
export type Purpose = 'real_name';
/** The purposes, the place in the list plus one being the registered code. */
export const PURPOSES: readonly Purpose[] = ['real_name'];

/** Why a token is not accepted. */
export class TokenError extends Refusal<'length' | 'other_key' | 'signature'> {}

/** The public part of an authority's signing key for one purpose, level and epoch. */
export interface EpochKey {
  /** Identifier hash of the authority's DID. */
  readonly authority: Hash;
  readonly purpose: Purpose;
  /** How thoroughly the persons were verified. */
  readonly level: Level;
  /** The epoch in which it signs. */
  readonly epoch: bigint;
  /** Big-endian, odd, of exactly 2048 bits; the exponent is 65537. */
  readonly modulus: Uint8Array;
}

/** A token as it travels; whether it is valid shows only {@link verifyToken}. */
export interface Token {
  /** The identifier of the epoch key that made it. */
  readonly keyId: Hash;
  readonly prefix: Uint8Array;
  readonly signature: Uint8Array;
}

/** A token whose signature has been checked: what it says. */
export interface VerifiedToken {
  /** Identifier hash of the DID it is about. */
  readonly did: Hash;
  /** Identifier hash of the authority's DID. */
  readonly authority: Hash;
  readonly level: Level;
  /** The epoch in which quota was spent. */
  readonly epoch: bigint;
}

/** Appends authority (32), purpose (1), level (1), epoch (8), modulus (256). */
export function writeEpochKey(writer: Writer, key: EpochKey): Writer {
  writeHash(writer, key.authority).u8(codeOf(PURPOSES, key.purpose)).u8(codeOf(LEVELS, key.level));
  return writer.u64(key.epoch).fixed(key.modulus);
}

/**
 * Takes what {@link writeEpochKey} appends.
 *
 * @throws {DecodeError}
 */
export function readEpochKey(reader: Reader): EpochKey {
  const key = {
    authority: readHash(reader),
    purpose: ofCode(PURPOSES, reader.u8(), 'purpose', 'unknown'),
    level: ofCode(LEVELS, reader.u8(), 'level', 'out_of_range'),
    epoch: reader.u64(),
    modulus: reader.fixed(MODULUS_LENGTH),
  };
  const [first, last] = [key.modulus[0], key.modulus[MODULUS_LENGTH - 1]];
  if (first === undefined || last === undefined || (first & 0x80) === 0 || (last & 1) === 0) {
    throw new DecodeError('out_of_range', 'modulus');
  }
  return key;
}

/** The identifier that tokens carry, on the network with this charter. */
export function epochKeyId(key: EpochKey, charter: Hash): Hash {
  return hashLabelled('realdid/token-key/v1', writeEpochKey(writeHash(new Writer(), charter), key).finish());
}

/**
 * From {@link TOKEN_LENGTH} bytes: key identifier (32), prefix (32), signature (256).
 *
 * @throws {TokenError}
 */
export function decodeToken(bytes: Uint8Array): Token {
  if (bytes.length !== TOKEN_LENGTH) {
    throw new TokenError('length', `a token has ${TOKEN_LENGTH} bytes`);
  }
  const reader = new Reader(bytes);
  return { keyId: readHash(reader), prefix: reader.fixed(32), signature: reader.fixed(MODULUS_LENGTH) };
}

/**
 * Checks the signature over the DID with this identifier hash (RFC 9474 §4.5), by the browser's own
 * RSA-PSS. Whether the key is accredited, not revoked and of an accepted epoch is for the caller to ask
 * the ledger; see {@link epochAccepted}.
 *
 * @throws {TokenError}
 */
export async function verifyToken(token: Token, key: EpochKey, charter: Hash, did: Hash): Promise<VerifiedToken> {
  if (epochKeyId(key, charter) !== token.keyId) {
    throw new TokenError('other_key', 'the token was made with another key');
  }
  const message = concat(token.prefix, utf8('realdid/token/v1'), hashBytes(token.keyId), hashBytes(did));
  if (!(await verifyPss(key.modulus, message, token.signature))) {
    throw new TokenError('signature', "the token's signature is not valid for this DID");
  }
  return { did, authority: key.authority, level: key.level, epoch: key.epoch };
}

/** Whether verifiers accept a token of epoch `token` during epoch `current`: that one and the one before. */
export function epochAccepted(token: bigint, current: bigint): boolean {
  return token === current || (token < MAX_U64 && token + 1n === current);
}

/** RSASSA-PSS with SHA-384, a salt of 48 bytes and exponent 65537 (RFC 8017 §8.1.2). */
export async function verifyPss(
  modulus: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  const { subtle } = globalThis.crypto;
  const jwk = { kty: 'RSA', n: base64urlEncode(modulus), e: 'AQAB' };
  const key = await subtle.importKey('jwk', jwk, { name: 'RSA-PSS', hash: 'SHA-384' }, false, ['verify']);
  return subtle.verify({ name: 'RSA-PSS', saltLength: 48 }, key, signature.slice(), message.slice());
}
