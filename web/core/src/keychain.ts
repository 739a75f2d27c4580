/**
 * Every key and salt of a DID, derived from the wallet's root secret. Twin of `crates/wallet/src/root.rs`.
 *
 * ```text
 * secret(i, role, n) = HKDF-SHA-256(root, "realdid/wallet/v1" ‖ charter(32) ‖ series(4) ‖ number(4) ‖ role(1) ‖ n(4))
 * ```
 */

import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 as sha256Function } from '@noble/hashes/sha2.js';

import { utf8 } from './bytes.js';
import { Writer } from './codec.js';
import { hashBytes } from './hash.js';
import type { Hash } from './hash.js';
import { authenticationKey, documentData, documentHash, keysCommitment, recoveryCommitment } from './inception.js';
import type { DocumentData, Inception, KeysReveal, RecoveryReveal } from './inception.js';
import { SecretKey } from './key.js';

/** Length of a root secret, in bytes. */
export const ROOT_LENGTH = 32;
/** How many generations of keys are tried when the wallet looks for the one the ledger knows. */
export const GENERATION_SCAN = 64;

const LABEL = utf8('realdid/wallet/v1');
const ROLE_CODES = { authentication: 1, authentication_salt: 2, recovery: 3, recovery_salt: 4 } as const;

/** What a derived secret is for. */
export type KeyRole = keyof typeof ROLE_CODES;

/** Number of a DID in its wallet: a series (each restored wallet begins a new one) and a number in it. */
export interface DidIndex {
  readonly series: number;
  readonly number: number;
}

/** Everything that is derived for one DID on the network with a charter. */
export class Keychain {
  readonly #root: Uint8Array;
  readonly #charter: Hash;
  readonly #index: DidIndex;

  constructor(root: Uint8Array, charter: Hash, index: DidIndex) {
    if (root.length !== ROOT_LENGTH) {
      throw new RangeError(`a root secret has ${ROOT_LENGTH} bytes`);
    }
    this.#root = root;
    this.#charter = charter;
    this.#index = index;
  }

  /** 32 derived bytes. Every (charter, index, role, generation) gives others. */
  derive(role: KeyRole, generation: number): Uint8Array {
    const info = new Writer().fixed(LABEL).fixed(hashBytes(this.#charter)).u32(this.#index.series).u32(this.#index.number);
    return hkdf(sha256Function, this.#root, undefined, info.u8(ROLE_CODES[role]).u32(generation).finish(), 32);
  }

  /** The authentication key of a generation. */
  authentication(generation: number): SecretKey {
    return SecretKey.fromSeed('EdDSA', this.derive('authentication', generation));
  }

  /** The recovery key of a generation. */
  recoveryKey(generation: number): SecretKey {
    return SecretKey.fromSeed('EdDSA', this.derive('recovery', generation));
  }

  /** The document data of a generation: one key, for authentication, and no services. */
  document(generation: number): DocumentData {
    return documentData([authenticationKey(this.authentication(generation).publicKey())], []);
  }

  /** The authentication key of a generation, as revealed when it is rotated to. */
  next(generation: number): KeysReveal {
    return { keys: this.document(generation).keys, salt: this.derive('authentication_salt', generation) };
  }

  /** The commitment to the authentication key of a generation. */
  nextCommitment(generation: number): Hash {
    return keysCommitment(this.next(generation), this.#charter);
  }

  /** The recovery key of a generation, as revealed when it is used. */
  recovery(generation: number): RecoveryReveal {
    return { key: this.recoveryKey(generation).publicKey(), salt: this.derive('recovery_salt', generation) };
  }

  /** The commitment to the recovery key of a generation. */
  recoveryCommitment(generation: number): Hash {
    return recoveryCommitment(this.recovery(generation), this.#charter);
  }

  /** What the DID is the hash of: a function of root, charter and index alone. */
  inception(): Inception {
    return {
      charter: this.#charter,
      document: this.document(0),
      next: this.nextCommitment(1),
      recovery: this.recoveryCommitment(0),
    };
  }

  /** The generation whose document data has this hash, among those near `from`. */
  findDocument(hash: Hash, from: number): number | undefined {
    return scan(from).find((generation) => documentHash(this.document(generation)) === hash);
  }
}

/** The generations worth trying: from the one expected on, then the earlier ones. */
function scan(from: number): number[] {
  const ahead = Array.from({ length: GENERATION_SCAN }, (_, step) => from + step);
  return [...ahead, ...Array.from({ length: Math.min(from, GENERATION_SCAN) }, (_, generation) => generation)];
}
