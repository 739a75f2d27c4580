/**
 * What a DID is the hash of, and the parts it shares with operations: keys, services, commitments.
 * Twin of `crates/did/src/inception.rs`.
 */

import { fromUtf8, utf8 } from './bytes.js';
import { DecodeError, Writer, decodeWhole } from './codec.js';
import type { Reader } from './codec.js';
import { hashBytes, hashLabelled, readHash, sha256, writeHash } from './hash.js';
import type { Hash } from './hash.js';
import { PublicKey } from './key.js';

/** Most verification keys a document has. */
export const MAX_KEYS = 4;
/** Most services a document has. */
export const MAX_SERVICES = 4;
/** Length of the random salt that hides what a commitment commits to, in bytes. */
export const SALT_LENGTH = 32;
/** The one format version of inceptions there is. */
const FORMAT = 1;

/** What a key may be used for: the verification relationships of DID Core §5.3, as bits. */
export const Purposes = {
  /** Logging in and signing the DID's own operations. */
  AUTHENTICATION: 1,
  /** Making statements: credentials, sponsorships, epoch keys. */
  ASSERTION: 2,
  /** Invoking capabilities. */
  INVOCATION: 4,
  /** Delegating capabilities. */
  DELEGATION: 8,
} as const;

/** A public key and what it is for. */
export interface VerificationKey {
  /** Bits of {@link Purposes}, at least one. */
  readonly purposes: number;
  readonly key: PublicKey;
}

/** A key for logging in and for the DID's own operations. */
export function authenticationKey(key: PublicKey): VerificationKey {
  return { purposes: Purposes.AUTHENTICATION, key };
}

/** Whether the key may be used for this. */
export function isFor(key: VerificationKey, purpose: number): boolean {
  return (key.purposes & purpose) === purpose;
}

/**
 * A service of the document (DID Core §5.4): identifier (1–32 of `[a-z0-9-]`), type (1–64 ASCII
 * graphic characters) and endpoint (1–256 ASCII graphic characters, `https:` or `http:`).
 */
export interface Service {
  readonly id: string;
  readonly kind: string;
  readonly endpoint: string;
}

/** The part of a DID's state that its document is made of. Made by {@link documentData} alone. */
export interface DocumentData {
  readonly keys: readonly VerificationKey[];
  readonly services: readonly Service[];
}

/**
 * Checks and takes keys (1 to {@link MAX_KEYS}, all different) and services (up to
 * {@link MAX_SERVICES}, identifiers all different).
 *
 * @throws {DecodeError}
 */
export function documentData(keys: readonly VerificationKey[], services: readonly Service[]): DocumentData {
  checkKeys(keys);
  const ids = new Set(services.map((service) => service.id));
  if (services.length > MAX_SERVICES || ids.size !== services.length || !services.every(isService)) {
    throw new DecodeError('out_of_range', 'services');
  }
  return { keys, services };
}

/** Appends count and keys, count and services. */
export function writeDocument(writer: Writer, document: DocumentData): Writer {
  writeKeys(writer, document.keys).u8(document.services.length);
  for (const { id, kind, endpoint } of document.services) {
    writer.bytes(utf8(id)).bytes(utf8(kind)).bytes(utf8(endpoint));
  }
  return writer;
}

/**
 * Takes what {@link writeDocument} appends.
 *
 * @throws {DecodeError}
 */
export function readDocument(reader: Reader): DocumentData {
  const keys = readKeys(reader);
  const count = reader.u8();
  if (count > MAX_SERVICES) {
    throw new DecodeError('too_long', 'services');
  }
  const services = Array.from({ length: count }, () => readService(reader));
  return documentData(keys, services);
}

/** The hash that the state entry holds. */
export function documentHash(document: DocumentData): Hash {
  return hashLabelled('realdid/document/v1', writeDocument(new Writer(), document).finish());
}

/** The next keys of a DID, opened: they become its current keys. */
export interface KeysReveal {
  /** 1 to {@link MAX_KEYS} keys. */
  readonly keys: readonly VerificationKey[];
  /** The salt of the commitment, 32 bytes. */
  readonly salt: Uint8Array;
}

/** The recovery key of a DID, opened. */
export interface RecoveryReveal {
  readonly key: PublicKey;
  /** The salt of the commitment, 32 bytes. */
  readonly salt: Uint8Array;
}

/** The commitment that next keys open: `H(label ‖ charter ‖ keys ‖ salt)`. */
export function keysCommitment(reveal: KeysReveal, charter: Hash): Hash {
  const keys = writeKeys(new Writer(), reveal.keys).finish();
  return hashLabelled('realdid/commit/next/v1', hashBytes(charter), keys, reveal.salt);
}

/** The commitment that a recovery key opens: `H(label ‖ charter ‖ key ‖ salt)`. */
export function recoveryCommitment(reveal: RecoveryReveal, charter: Hash): Hash {
  const key = reveal.key.write(new Writer()).finish();
  return hashLabelled('realdid/commit/recovery/v1', hashBytes(charter), key, reveal.salt);
}

/** Appends keys and salt. */
export function writeKeysReveal(writer: Writer, reveal: KeysReveal): Writer {
  return writeKeys(writer, reveal.keys).fixed(reveal.salt);
}

/** Takes keys and salt; throws {@link DecodeError}. */
export function readKeysReveal(reader: Reader): KeysReveal {
  return { keys: readKeys(reader), salt: reader.fixed(SALT_LENGTH) };
}

/** Appends key and salt. */
export function writeRecoveryReveal(writer: Writer, reveal: RecoveryReveal): Writer {
  return reveal.key.write(writer).fixed(reveal.salt);
}

/** Takes key and salt; throws {@link DecodeError}. */
export function readRecoveryReveal(reader: Reader): RecoveryReveal {
  return { key: PublicKey.read(reader), salt: reader.fixed(SALT_LENGTH) };
}

/**
 * What a DID is the hash of.
 *
 * Layout: format `01`, charter hash (32), keys, services, commitment to the next keys (32), commitment
 * to the recovery key (32), count of extensions (`00`: none is known yet).
 */
export interface Inception {
  /** Hash of the genesis charter of the network. */
  readonly charter: Hash;
  readonly document: DocumentData;
  /** Commitment to the next keys. */
  readonly next: Hash;
  /** Commitment to the recovery key. */
  readonly recovery: Hash;
}

/** Appends the canonical bytes. */
export function writeInception(writer: Writer, inception: Inception): Writer {
  writeDocument(writeHash(writer.u8(FORMAT), inception.charter), inception.document);
  return writeHash(writeHash(writer, inception.next), inception.recovery).u8(0);
}

/** Takes what {@link writeInception} appends; throws {@link DecodeError}. */
export function readInception(reader: Reader): Inception {
  if (reader.u8() !== FORMAT) {
    throw new DecodeError('unknown', 'inception format');
  }
  const inception = {
    charter: readHash(reader),
    document: readDocument(reader),
    next: readHash(reader),
    recovery: readHash(reader),
  };
  if (reader.u8() !== 0) {
    throw new DecodeError('unknown', 'extensions');
  }
  return inception;
}

/** The canonical bytes. */
export function encodeInception(inception: Inception): Uint8Array {
  return writeInception(new Writer(), inception).finish();
}

/**
 * Decodes canonical bytes.
 *
 * @throws {DecodeError}
 */
export function decodeInception(bytes: Uint8Array): Inception {
  return decodeWhole(bytes, readInception);
}

/** The identifier's hash: SHA-256 of the canonical bytes. */
export function inceptionHash(inception: Inception): Hash {
  return sha256(encodeInception(inception));
}

function checkKeys(keys: readonly VerificationKey[]): void {
  const different = new Set(keys.map((key) => key.key.toString()));
  if (keys.length < 1 || keys.length > MAX_KEYS || different.size !== keys.length) {
    throw new DecodeError('out_of_range', 'keys');
  }
}

function writeKeys(writer: Writer, keys: readonly VerificationKey[]): Writer {
  writer.u8(keys.length);
  keys.forEach(({ purposes, key }) => key.write(writer.u8(purposes)));
  return writer;
}

function readKeys(reader: Reader): VerificationKey[] {
  const count = reader.u8();
  if (count > MAX_KEYS) {
    throw new DecodeError('too_long', 'keys');
  }
  const keys = Array.from({ length: count }, () => readVerificationKey(reader));
  checkKeys(keys);
  return keys;
}

function readVerificationKey(reader: Reader): VerificationKey {
  const purposes = reader.u8();
  if (purposes < 1 || purposes > 15) {
    throw new DecodeError('out_of_range', 'purposes');
  }
  return { purposes, key: PublicKey.read(reader) };
}

function readService(reader: Reader): Service {
  const text = (field: string, limit: number): string => {
    const value = fromUtf8(reader.bytes(field, limit));
    if (value === undefined) {
      throw new DecodeError('out_of_range', field);
    }
    return value;
  };
  const service = {
    id: text('service id', 32),
    kind: text('service type', 64),
    endpoint: text('endpoint', 256),
  };
  if (!isService(service)) {
    throw new DecodeError('out_of_range', 'service');
  }
  return service;
}

function isService({ id, kind, endpoint }: Service): boolean {
  // ASCII graphic characters but the quotation mark
  const graphic = (text: string, limit: number): boolean =>
    text.length <= limit && /^[\x21\x23-\x7e]+$/.test(text);
  const scheme = endpoint.startsWith('https://') || endpoint.startsWith('http://');
  return /^[a-z0-9-]{1,32}$/.test(id) && graphic(kind, 64) && graphic(endpoint, 256) && scheme;
}
