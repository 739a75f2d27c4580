/**
 * The state of a DID on the ledger: a record of fixed size, and how time alone changes it. Twin of
 * `crates/did/src/entry.rs`.
 */

import { equalBytes } from './bytes.js';
import { DecodeError, Reader, Writer } from './codec.js';
import { ZERO_HASH, readHash, writeHash } from './hash.js';
import type { Hash } from './hash.js';

/** Length of an encoded entry, in bytes. */
export const ENTRY_LENGTH = 333;

/** How thoroughly the person behind a DID was verified (Regulation (EU) No 910/2014, Article 8). */
export type Level = 'low' | 'substantial' | 'high';
/** The levels, the place in the list plus one being the registered code. */
export const LEVELS: readonly Level[] = ['low', 'substantial', 'high'];

/** Who answers for a DID's being on the ledger. */
export type Backing = 'token' | 'charter' | 'sponsor';
const BACKINGS: readonly Backing[] = ['token', 'charter', 'sponsor'];

/**
 * What the newest accepted token, seat or sponsorship says. For anything but a token, `epoch` is 0 and
 * `level` is `low`.
 */
export interface Assurance {
  readonly backing: Backing;
  /** Identifier hash of the authority's or sponsor's DID; zero for a charter seat. */
  readonly by: Hash;
  /** The token's epoch. */
  readonly epoch: bigint;
  /** The token's level. */
  readonly level: Level;
}

/** What kind of operation waits for its delay to pass. */
export type PendingKind = 'recovery' | 'deactivation';
const PENDING_KINDS: readonly PendingKind[] = ['recovery', 'deactivation'];

/** An operation that takes effect later. For a deactivation, the last three are zero. */
export interface Pending {
  readonly kind: PendingKind;
  /** The operation's hash. */
  readonly operation: Hash;
  /** When it takes effect, in Unix seconds. */
  readonly effectiveAt: bigint;
  /** Hash of the document data from then on. */
  readonly document: Hash;
  /** Commitment to the next keys from then on. */
  readonly next: Hash;
  /** Commitment to the recovery key from then on. */
  readonly recovery: Hash;
}

/** What a DID's state means to a verifier at a moment. */
export type Status = 'active' | 'recovering' | 'deactivated';

/**
 * The state of a DID on the ledger.
 *
 * Layout (333 bytes, integers big-endian): version (4), document hash (32), last operation (32), next
 * commitment (32), recovery commitment (32), created (8), updated (8), backing (1), by (32), epoch (8),
 * level (1), flags (1: bit 0 deactivated, bit 1 vetoed, bit 2 pending), pending kind (1), operation
 * (32), effective at (8), document (32), next (32), recovery (32), and 5 zero bytes.
 */
export interface Entry {
  /** How many operations the DID has had; 1 after the first. */
  readonly version: number;
  /** Hash of the current document data. */
  readonly document: Hash;
  /** Hash of the last operation. */
  readonly lastOperation: Hash;
  /** Commitment to the next keys. */
  readonly next: Hash;
  /** Commitment to the recovery key. */
  readonly recovery: Hash;
  /** Time of the first operation's block, in Unix seconds. */
  readonly created: bigint;
  /** Time of the last operation's block, in Unix seconds. */
  readonly updated: bigint;
  readonly assurance: Assurance;
  /** Whether it has ended. */
  readonly deactivated: boolean;
  /** Whether a recovery was vetoed and none has succeeded since. */
  readonly vetoed: boolean;
  /** An operation that waits for its delay. */
  readonly pending?: Pending | undefined;
}

/** The entry as it stands at `now` (Unix seconds): a pending operation whose time has come is done. */
export function entryAt(entry: Entry, now: bigint): Entry {
  const { pending } = entry;
  if (pending === undefined || pending.effectiveAt > now) {
    return entry;
  }
  if (pending.kind === 'deactivation') {
    return { ...entry, pending: undefined, deactivated: true };
  }
  const { document, next, recovery } = pending;
  return { ...entry, pending: undefined, vetoed: false, document, next, recovery };
}

/** What a verifier makes of the DID at `now` (Unix seconds). */
export function entryStatus(entry: Entry, now: bigint): Status {
  const { deactivated, pending } = entryAt(entry, now);
  if (deactivated) {
    return 'deactivated';
  }
  return pending?.kind === 'recovery' ? 'recovering' : 'active';
}

/** Appends the {@link ENTRY_LENGTH} bytes. */
export function writeEntry(writer: Writer, entry: Entry): Writer {
  writer.u32(entry.version);
  [entry.document, entry.lastOperation, entry.next, entry.recovery].forEach((hash) => writeHash(writer, hash));
  const { backing, by, epoch, level } = entry.assurance;
  writer.u64(entry.created).u64(entry.updated).u8(codeOf(BACKINGS, backing));
  writeHash(writer, by).u64(epoch).u8(codeOf(LEVELS, level));
  const { pending } = entry;
  writer.u8(Number(entry.deactivated) | (Number(entry.vetoed) << 1) | (Number(pending !== undefined) << 2));
  if (pending === undefined) {
    return writer.fixed(new Uint8Array(137 + 5));
  }
  writeHash(writer.u8(codeOf(PENDING_KINDS, pending.kind)), pending.operation).u64(pending.effectiveAt);
  [pending.document, pending.next, pending.recovery].forEach((hash) => writeHash(writer, hash));
  return writer.fixed(new Uint8Array(5));
}

/**
 * Takes {@link ENTRY_LENGTH} bytes; refuses every encoding that {@link writeEntry} would not give.
 *
 * @throws {DecodeError}
 */
export function readEntry(reader: Reader): Entry {
  const bytes = reader.fixed(ENTRY_LENGTH);
  const entry = readFields(new Reader(bytes));
  if (!equalBytes(writeEntry(new Writer(), entry).finish(), bytes)) {
    throw new DecodeError('not_canonical', 'entry');
  }
  return entry;
}

/** What stands behind a code of one byte, codes beginning with 1; throws {@link DecodeError}. */
export function ofCode<T>(list: readonly T[], code: number, field: string, refusal: 'out_of_range' | 'unknown'): T {
  const found = list[code - 1];
  if (found === undefined) {
    throw new DecodeError(refusal, field);
  }
  return found;
}

/** The code of one byte that stands for `value`, codes beginning with 1. */
export function codeOf<T>(list: readonly T[], value: T): number {
  return list.indexOf(value) + 1;
}

function readFields(reader: Reader): Entry {
  const version = reader.u32();
  const [document, lastOperation, next, recovery] = [
    readHash(reader),
    readHash(reader),
    readHash(reader),
    readHash(reader),
  ];
  const [created, updated] = [reader.u64(), reader.u64()];
  const assurance = {
    backing: ofCode(BACKINGS, reader.u8(), 'backing', 'out_of_range'),
    by: readHash(reader),
    epoch: reader.u64(),
    level: ofCode(LEVELS, reader.u8(), 'level', 'out_of_range'),
  };
  const flags = reader.u8();
  return {
    version,
    document,
    lastOperation,
    next,
    recovery,
    created,
    updated,
    assurance,
    deactivated: (flags & 1) !== 0,
    vetoed: (flags & 2) !== 0,
    pending: (flags & 4) === 0 ? undefined : readPending(reader),
  };
}

function readPending(reader: Reader): Pending {
  const pending = {
    kind: ofCode(PENDING_KINDS, reader.u8(), 'pending kind', 'out_of_range'),
    operation: readHash(reader),
    effectiveAt: reader.u64(),
    document: readHash(reader),
    next: readHash(reader),
    recovery: readHash(reader),
  };
  const setsNothing = [pending.document, pending.next, pending.recovery].every((hash) => hash === ZERO_HASH);
  if (pending.kind === 'deactivation' && !setsNothing) {
    throw new DecodeError('not_canonical', 'pending deactivation');
  }
  return pending;
}
