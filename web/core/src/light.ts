/**
 * What a light client believes: state proven under a finalized header that is fresh enough. A node's
 * answer is never trusted; only a {@link ProvenState} answers questions. Twin of
 * `crates/ledger/src/light.rs`.
 */

import { EncodingError, base64urlDecode } from './bytes.js';
import type { TrustAnchor } from './charter.js';
import { DecodeError } from './codec.js';
import type { Entry } from './entry.js';
import { Refusal } from './errors.js';
import { FinalityError, decodeFinality, verifyFinality } from './finality.js';
import type { CertificateCache, FinalizedHeader } from './finality.js';
import type { Hash } from './hash.js';
import type { Header } from './header.js';
import { decodeRecord, inForceAs, stateKey } from './record.js';
import type { Accreditation, EpochKeyRecord, Grant, Record, Right } from './record.js';
import { StateProofError, decodePrefixProof, decodeStateProof, prefixRange, verifyLookup, verifyPrefix } from './state-proof.js';

/** Headers this far ahead of the verifier's clock are refused (protocol.md §3), in seconds. */
export const MAX_AHEAD = 30n;

/** Why an answer about the state is not believed. */
export class LightError extends Refusal<
  | 'malformed_answer'
  | 'invalid_certificate'
  | 'invalid_state_proof'
  | 'stale_state'
  | 'state_from_future'
  | 'state_below_seen'
  | 'not_proven'
> {}

/** How old, or how far ahead, a header may be. */
export interface Freshness {
  /** The verifier's clock, in Unix seconds. */
  readonly now: bigint;
  /** Oldest accepted header, in seconds before `now`: 60 at high assurance, 300 by default, 86,400 offline. */
  readonly maxAge: bigint;
  /** The highest height this verifier has seen. */
  readonly lowestHeight: bigint;
}

/** A node's answer about single keys, one proof per key in the order asked; all base64url. */
export interface StateAnswer {
  readonly finality: string;
  readonly proofs: readonly string[];
}

/** A node's answer about every key with a prefix; all base64url. */
export interface PrefixAnswer {
  readonly finality: string;
  readonly proof: string;
}

/**
 * Whether a header's age and height are acceptable.
 *
 * @throws {LightError}
 */
export function checkFreshness(header: Header, { now, maxAge, lowestHeight }: Freshness): void {
  const time = header.timeMs / 1000n;
  if (time - now > MAX_AHEAD) {
    throw new LightError('state_from_future', `the state is ${time - now} s ahead of this clock`);
  }
  if (now - time > maxAge) {
    throw new LightError('stale_state', `the state is ${now - time} s old, at most ${maxAge} s are accepted`);
  }
  if (header.height < lowestHeight) {
    throw new LightError('state_below_seen', `height ${lowestHeight} has been seen before ${header.height}`);
  }
}

/**
 * Checks the answer to a question about `keys`.
 *
 * @throws {LightError}
 */
export function verifyStateAnswer(
  answer: StateAnswer,
  anchor: TrustAnchor,
  keys: readonly Hash[],
  freshness: Freshness,
  cache?: CertificateCache,
): ProvenState {
  if (keys.length !== answer.proofs.length) {
    throw malformed();
  }
  return believe(() => {
    const header = finalized(answer.finality, anchor, freshness, cache);
    const values = new Map<Hash, Uint8Array | undefined>();
    answer.proofs.forEach((text, index) => {
      const key = keys[index];
      if (key !== undefined) {
        const proof = decodeStateProof(base64urlDecode(text));
        values.set(key, verifyLookup(proof, key, header.header.stateRoot));
      }
    });
    return new ProvenState(header, values, (key) => values.has(key));
  });
}

/**
 * Checks the answer to a question about every key that starts with `bits` bits of `prefix`.
 *
 * @throws {LightError}
 */
export function verifyPrefixAnswer(
  answer: PrefixAnswer,
  anchor: TrustAnchor,
  prefix: Hash,
  bits: number,
  freshness: Freshness,
  cache?: CertificateCache,
): ProvenState {
  return believe(() => {
    const header = finalized(answer.finality, anchor, freshness, cache);
    const proof = decodePrefixProof(base64urlDecode(answer.proof));
    const values = verifyPrefix(proof, prefix, bits, header.header.stateRoot);
    const { lowest, highest } = prefixRange(prefix, bits);
    return new ProvenState(header, values, (key) => lowest <= key && key <= highest);
  });
}

/** A part of the state, proven under one fresh, finalized header. Made by verification alone. */
export class ProvenState {
  readonly #header: FinalizedHeader;
  readonly #values: ReadonlyMap<Hash, Uint8Array | undefined>;
  readonly #covers: (key: Hash) => boolean;

  /** Not for callers: {@link verifyStateAnswer} and {@link verifyPrefixAnswer} make one. */
  constructor(
    header: FinalizedHeader,
    values: ReadonlyMap<Hash, Uint8Array | undefined>,
    coversKey: (key: Hash) => boolean,
  ) {
    this.#header = header;
    this.#values = values;
    this.#covers = coversKey;
  }

  /** Height of the header. */
  get height(): bigint {
    return this.#header.header.height;
  }

  /** Time of the header, in Unix seconds. */
  get time(): bigint {
    return this.#header.header.timeMs / 1000n;
  }

  /** The epoch of real-name tokens. */
  get epoch(): bigint {
    return this.#header.header.epoch;
  }

  /**
   * A DID's entry as stored; `entryAt` the header's time tells how it stands. `undefined`: the DID is
   * proven not to be on the ledger.
   *
   * @throws {LightError}
   */
  did(did: Hash): Entry | undefined {
    return this.#of(stateKey.did(did), 'did')?.entry;
  }

  /** An epoch key; throws {@link LightError}. */
  epochKey(id: Hash): EpochKeyRecord | undefined {
    return this.#of(stateKey.epochKey(id), 'epoch_key');
  }

  /** A DID's accreditation, whether in force, suspended or struck off; throws {@link LightError}. */
  accreditation(did: Hash): Accreditation | undefined {
    return this.#of(stateKey.accreditation(did), 'accreditation');
  }

  /** A right that was granted, whether it counts or not; throws {@link LightError}. */
  grant(right: Right): Grant | undefined {
    return this.#of(stateKey.grant(right), 'grant');
  }

  /**
   * A right that counts: granted, not revoked, and the accreditation in force. The answer must cover
   * both. Throws {@link LightError}.
   */
  right(right: Right): Grant | undefined {
    const accreditation = this.accreditation(right.did);
    const grant = this.grant(right);
    const accredited = accreditation !== undefined && inForceAs(accreditation, accreditation.role);
    return accredited && grant?.revokedAt === 0n ? grant : undefined;
  }

  /** The record under a key of the state, whatever its kind; throws {@link LightError}. */
  record(key: Hash): Record | undefined {
    if (!this.#covers(key)) {
      throw new LightError('not_proven', 'the answer does not cover this key');
    }
    const value = this.#values.get(key);
    return value && believe(() => decodeRecord(value));
  }

  #of<K extends Record['kind']>(key: Hash, kind: K): Extract<Record, { kind: K }> | undefined {
    const record = this.record(key);
    if (record !== undefined && record.kind !== kind) {
      throw new LightError('invalid_state_proof', 'the proven value is not a record of the expected kind');
    }
    return record as Extract<Record, { kind: K }> | undefined;
  }
}

function finalized(
  finality: string,
  anchor: TrustAnchor,
  freshness: Freshness,
  cache: CertificateCache | undefined,
): FinalizedHeader {
  const proof = decodeFinality(base64urlDecode(finality));
  const header = verifyFinality(proof, anchor.charterHash, anchor.networkKey, cache);
  checkFreshness(header.header, freshness);
  return header;
}

/** Turns what is wrong with a part into what is wrong with the answer. */
function believe<T>(check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (error instanceof EncodingError) {
      throw malformed();
    }
    if (error instanceof FinalityError) {
      throw new LightError('invalid_certificate', error.message);
    }
    if (error instanceof StateProofError || error instanceof DecodeError) {
      throw new LightError('invalid_state_proof', error.message);
    }
    throw error;
  }
}

function malformed(): LightError {
  return new LightError('malformed_answer', 'the answer is malformed');
}
