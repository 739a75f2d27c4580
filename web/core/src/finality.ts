/**
 * Finality: a threshold certificate over a header, checked with the network key alone. Twin of
 * `crates/ledger/src/finality.rs`.
 *
 * The certificate is the proposal (epoch, view and parent view as LEB128, block digest) and a BLS12-381
 * signature in G1 (48 bytes); the network key is a point of G2 (96 bytes). What is signed is
 * `varint(len(namespace)) ‖ namespace ‖ proposal` with the namespace
 * `realdid/consensus/v1 ‖ charter ‖ _FINALIZE`, hashed to G1 under {@link DST}.
 */

import { bls12_381 } from '@noble/curves/bls12-381.js';

import { concat, toHex, utf8 } from './bytes.js';
import { DecodeError, Reader } from './codec.js';
import { Refusal } from './errors.js';
import { hashBytes, hashOf, sha256 } from './hash.js';
import type { Hash } from './hash.js';
import { HEADER_LEN, HeaderError, decodeHeader, encodeHeader, headerHash } from './header.js';
import type { Header } from './header.js';
import { encodeVarint, readVarint } from './varint.js';

/** Length of the network key (BLS12-381 G2, compressed), in bytes. */
export const NETWORK_KEY_LENGTH = 96;
/** Most headers a proof may carry. */
export const MAX_PROOF_HEADERS = 64;
/** Longest certificate in bytes: three 10-byte varints, digest and signature. */
export const MAX_CERTIFICATE_LEN = 3 * 10 + 32 + 48;
/** The domain separation tag of the hash to G1. */
export const DST = 'BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_';

/** Why a finality proof was refused. */
export class FinalityError extends Refusal<
  | 'finality_malformed'
  | HeaderError['code']
  | 'finality_header_count'
  | 'finality_charter'
  | 'finality_chain'
  | 'finality_digest'
  | 'finality_network_key'
  | 'finality_signature'
> {}

/** A claim that a header is final, not yet verified. */
export interface FinalityProof {
  /** From the header to prove down to the one the certificate names; each names the one before it. */
  readonly headers: readonly Header[];
  /** Proposal (epoch, view and parent view as LEB128 varints, 32-byte digest) and signature. */
  readonly certificate: Uint8Array;
}

declare const verified: unique symbol;

/** A header whose finality was verified, and its hash. {@link verifyFinality} alone makes one. */
export interface FinalizedHeader {
  readonly header: Header;
  readonly hash: Hash;
  readonly [verified]: true;
}

/**
 * Certificates that have held, so that the next answer under the same header costs no pairing. The
 * caller keeps one per network; it forgets the oldest ones.
 */
export class CertificateCache {
  readonly #held = new Set<Hash>();

  /** How many certificates are remembered at most. */
  static readonly LIMIT = 64;

  /** Whether the certificate that this hash stands for has held. */
  has(id: Hash): boolean {
    return this.#held.has(id);
  }

  /** Remembers that it has. */
  add(id: Hash): void {
    this.#held.add(id);
    for (const oldest of this.#held) {
      if (this.#held.size <= CertificateCache.LIMIT) {
        return;
      }
      this.#held.delete(oldest);
    }
  }
}

/** The canonical encoding: number of headers (one byte), headers, certificate to the end. */
export function encodeFinality({ headers, certificate }: FinalityProof): Uint8Array {
  return concat(Uint8Array.of(headers.length), ...headers.map(encodeHeader), certificate);
}

/**
 * Decodes exactly one proof. Nothing is verified but the form.
 *
 * @throws {FinalityError}
 */
export function decodeFinality(bytes: Uint8Array): FinalityProof {
  const count = bytes[0];
  if (count === undefined) {
    throw refusal('finality_malformed');
  }
  checkCount(count);
  const end = 1 + count * HEADER_LEN;
  if (bytes.length < end) {
    throw refusal('finality_malformed');
  }
  const headers = Array.from({ length: count }, (_, index) => {
    const start = 1 + index * HEADER_LEN;
    return readHeader(bytes.subarray(start, start + HEADER_LEN));
  });
  const certificate = bytes.slice(end);
  splitCertificate(certificate);
  return { headers, certificate };
}

/**
 * Checks that the first header is final in the network with this charter and key.
 *
 * @throws {FinalityError} for the first check that fails.
 */
export function verifyFinality(
  proof: FinalityProof,
  charter: Hash,
  networkKey: Uint8Array,
  cache?: CertificateCache,
): FinalizedHeader {
  checkCount(proof.headers.length);
  const certificate = splitCertificate(proof.certificate);
  const [first, ...descendants] = proof.headers;
  if (first === undefined) {
    throw refusal('finality_header_count');
  }
  if (proof.headers.some((header) => header.charter !== charter)) {
    throw refusal('finality_charter');
  }
  const hash = headerHash(first);
  let above = { height: first.height, hash };
  for (const header of descendants) {
    if (header.parent !== above.hash || header.height !== above.height + 1n) {
      throw refusal('finality_chain');
    }
    above = { height: header.height, hash: headerHash(header) };
  }
  if (certificate.digest !== above.hash) {
    throw refusal('finality_digest');
  }
  verifyCertificate(certificate, charter, networkKey, cache);
  return { header: first, hash } as FinalizedHeader;
}

/** The parts of a certificate. The proposal's bytes are kept as they were signed. */
interface Certificate {
  readonly proposal: Uint8Array;
  readonly digest: Hash;
  readonly signature: Uint8Array;
}

function splitCertificate(bytes: Uint8Array): Certificate {
  if (bytes.length > MAX_CERTIFICATE_LEN) {
    throw refusal('finality_malformed');
  }
  try {
    const reader = new Reader(bytes);
    for (let count = 0; count < 3; count++) {
      readVarint(reader, 64);
    }
    const digest = hashOf(reader.fixed(32));
    const signature = reader.fixed(48);
    reader.finish();
    return { proposal: bytes.slice(0, -48), digest, signature };
  } catch (error) {
    throw error instanceof DecodeError ? refusal('finality_malformed') : error;
  }
}

function verifyCertificate(
  { proposal, signature }: Certificate,
  charter: Hash,
  networkKey: Uint8Array,
  cache: CertificateCache | undefined,
): void {
  const namespace = concat(utf8('realdid/consensus/v1'), hashBytes(charter), utf8('_FINALIZE'));
  const message = concat(encodeVarint(BigInt(namespace.length)), namespace, proposal);
  const id = sha256(utf8([networkKey, message, signature].map(toHex).join('.')));
  if (cache?.has(id)) {
    return;
  }
  const { G1, G2, shortSignatures } = bls12_381;
  const key = point(G2.Point, networkKey, 'finality_network_key');
  const signed = point(G1.Point, signature, 'finality_signature');
  if (!shortSignatures.verify(signed, shortSignatures.hash(message, DST), key)) {
    throw refusal('finality_signature');
  }
  cache?.add(id);
}

/** A point of the right group (reading one checks curve and subgroup) that is not the point at infinity. */
function point<P extends { is0(): boolean }>(
  group: { fromBytes(bytes: Uint8Array): P },
  bytes: Uint8Array,
  code: FinalityError['code'],
): P {
  try {
    const found = group.fromBytes(bytes);
    if (!found.is0()) {
      return found;
    }
  } catch {
    // falls through
  }
  throw refusal(code);
}

function readHeader(bytes: Uint8Array): Header {
  try {
    return decodeHeader(bytes);
  } catch (error) {
    throw error instanceof HeaderError ? new FinalityError(error.code, error.message) : error;
  }
}

function checkCount(count: number): void {
  if (count < 1 || count > MAX_PROOF_HEADERS) {
    throw refusal('finality_header_count');
  }
}

function refusal(code: FinalityError['code']): FinalityError {
  return new FinalityError(code, `the header is not shown to be final: ${code.replaceAll('_', ' ')}`);
}
