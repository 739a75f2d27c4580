/** What the ledger's state holds: records of one fixed size under 32-byte keys. Twin of `crates/ledger/src/record.rs`. */

import { equalBytes, fromUtf8, utf8 } from './bytes.js';
import { DecodeError, Reader, Writer } from './codec.js';
import { readSchedule, readValidator, writeSchedule, writeValidator } from './committee.js';
import type { KnownValidator, Schedule } from './committee.js';
import { LEVELS, codeOf, ofCode, readEntry, writeEntry } from './entry.js';
import type { Entry, Level } from './entry.js';
import { hashBytes, hashLabelled, readHash, sha256, writeHash } from './hash.js';
import type { Hash } from './hash.js';
import { VALUE_LEN } from './state-proof.js';
import { PURPOSES, readEpochKey, writeEpochKey } from './token.js';
import type { EpochKey, Purpose } from './token.js';

/** Longest name of an organisation, in bytes. */
export const MAX_NAME = 64;

/** What an accredited service may do. */
export type Role = 'authority' | 'signin' | 'issuer' | 'verifier';
/** The roles, the place in the list plus one being the registered code. */
export const ROLES: readonly Role[] = ['authority', 'signin', 'issuer', 'verifier'];

/** What an accredited organisation may do with a type of credential. */
export type RightKind = 'issue' | 'ask';
const RIGHT_KINDS: readonly RightKind[] = ['issue', 'ask'];

/** A service that may act on the network. */
export interface Accreditation {
  readonly kind: 'accreditation';
  /** Identifier hash of its DID. */
  readonly did: Hash;
  readonly role: Role;
  /** Name of the organisation. */
  readonly name: string;
  /** Time of the block since which it is struck off, in Unix seconds; 0 unless it is. For good. */
  readonly revokedAt: bigint;
  /** Time of the block since which it is suspended, in Unix seconds; 0 unless it is. */
  readonly suspendedAt: bigint;
}

/** A right: who may do what with which type of credential. Whether it is granted, the state says. */
export interface Right {
  /** Identifier hash of the organisation's DID. */
  readonly did: Hash;
  readonly kind: RightKind;
  /** Which type: {@link typeId} of its name. */
  readonly typeId: Hash;
}

/** A right that was granted. It counts only while the accreditation of its DID is in force, too. */
export interface Grant {
  readonly kind: 'grant';
  readonly right: Right;
  /** Zero if it has no limits; for a right to ask else the hash of the registration. */
  readonly detail: Hash;
  readonly grantedAt: bigint;
  /** Time of the block since which it is revoked, in Unix seconds; 0 unless it is. */
  readonly revokedAt: bigint;
}

/** An epoch key on the ledger. */
export interface EpochKeyRecord {
  readonly kind: 'epoch_key';
  readonly key: EpochKey;
  readonly publishedAt: bigint;
  /** Time of the block since which it is revoked, in Unix seconds; 0 while in force. */
  readonly revokedAt: bigint;
}

/** A record of the state. On the ledger: tag (1), fields, zeros up to {@link VALUE_LEN}. */
export type Record =
  | { readonly kind: 'did'; readonly entry: Entry }
  | EpochKeyRecord
  | { readonly kind: 'epoch_slot'; readonly id: Hash }
  | { readonly kind: 'modulus'; readonly id: Hash }
  | Accreditation
  | { readonly kind: 'seat'; readonly did: Hash }
  | { readonly kind: 'parameters'; readonly advancedEpochs: bigint; readonly governanceSequence: bigint }
  | {
      readonly kind: 'anchor';
      readonly by: Hash;
      readonly subject: Hash;
      readonly root: Hash;
      readonly count: bigint;
      readonly time: bigint;
    }
  | Grant
  | KnownValidator
  | { readonly kind: 'validator_index'; readonly linkKey: Hash }
  | Schedule;

/** Whether an accreditation counts, and is for this role. */
export function inForceAs(accreditation: Accreditation, role: Role): boolean {
  return accreditation.revokedAt === 0n && accreditation.suspendedAt === 0n && accreditation.role === role;
}

/** How the ledger names a type of credential: the SHA-256 of its `vct` as text. */
export function typeId(typeName: string): Hash {
  return sha256(utf8(typeName));
}

/** Keys of the state: a DID's entry lies under its identifier hash, all others under a labelled hash. */
export const stateKey = {
  /** Where the numbers that change lie. */
  parameters: (): Hash => hashLabelled('realdid/state/parameters/v1'),
  /** Where a DID's entry lies. */
  did: (did: Hash): Hash => did,
  /** Where an epoch key lies. */
  epochKey: (id: Hash): Hash => hashLabelled('realdid/state/epoch-key/v1', hashBytes(id)),
  /** Where the one key of an authority for a purpose, level and epoch is named. */
  epochSlot: (authority: Hash, purpose: Purpose, level: Level, epoch: bigint): Hash => {
    const place = new Writer().u8(codeOf(PURPOSES, purpose)).u8(codeOf(LEVELS, level)).u64(epoch).finish();
    return hashLabelled('realdid/state/epoch-slot/v1', hashBytes(authority), place);
  },
  /** Where a DID's accreditation lies. */
  accreditation: (did: Hash): Hash => hashLabelled('realdid/state/accreditation/v1', hashBytes(did)),
  /** Where a right lies that was granted. */
  grant: ({ did, kind, typeId: type }: Right): Hash => {
    const code = Uint8Array.of(codeOf(RIGHT_KINDS, kind));
    return hashLabelled('realdid/state/grant/v1', hashBytes(did), code, hashBytes(type));
  },
  /** Where it is noted who took a seat of the charter. */
  seat: (index: number): Hash => hashLabelled('realdid/state/seat/v1', new Writer().u16(index).finish()),
};

/** The {@link VALUE_LEN} bytes. */
export function encodeRecord(record: Record): Uint8Array {
  const bytes = writeRecord(new Writer(), record).finish();
  const value = new Uint8Array(VALUE_LEN);
  value.set(bytes);
  return value;
}

function writeRecord(writer: Writer, record: Record): Writer {
  switch (record.kind) {
    case 'did':
      return writeEntry(writer.u8(1), record.entry);
    case 'epoch_key':
      return writeEpochKey(writer.u8(2), record.key).u64(record.publishedAt).u64(record.revokedAt);
    case 'epoch_slot':
      return writeHash(writer.u8(3), record.id);
    case 'modulus':
      return writeHash(writer.u8(4), record.id);
    case 'accreditation':
      writeHash(writer.u8(5), record.did).u8(codeOf(ROLES, record.role)).bytes(utf8(record.name));
      return writer.u64(record.revokedAt).u64(record.suspendedAt);
    case 'seat':
      return writeHash(writer.u8(6), record.did);
    case 'parameters':
      return writer.u8(7).u64(record.advancedEpochs).u64(record.governanceSequence);
    case 'anchor':
      writer.u8(8);
      [record.by, record.subject, record.root].forEach((hash) => writeHash(writer, hash));
      return writer.u64(record.count).u64(record.time);
    case 'grant':
      writeHash(writer.u8(9), record.right.did).u8(codeOf(RIGHT_KINDS, record.right.kind));
      writeHash(writeHash(writer, record.right.typeId), record.detail);
      return writer.u64(record.grantedAt).u64(record.revokedAt);
    case 'validator':
      return writeValidator(writer.u8(10), record);
    case 'validator_index':
      return writeHash(writer.u8(11), record.linkKey);
    case 'schedule':
      return writeSchedule(writer.u8(12), record);
  }
}

/**
 * Decodes a value; refuses every encoding that {@link encodeRecord} would not give.
 *
 * @throws {DecodeError}
 */
export function decodeRecord(value: Uint8Array): Record {
  const record = readRecord(new Reader(value));
  if (!equalBytes(encodeRecord(record), value)) {
    throw new DecodeError('not_canonical', 'record');
  }
  return record;
}

function readRecord(reader: Reader): Record {
  switch (reader.u8()) {
    case 1:
      return { kind: 'did', entry: readEntry(reader) };
    case 2:
      return { kind: 'epoch_key', key: readEpochKey(reader), publishedAt: reader.u64(), revokedAt: reader.u64() };
    case 3:
      return { kind: 'epoch_slot', id: readHash(reader) };
    case 4:
      return { kind: 'modulus', id: readHash(reader) };
    case 5:
      return readAccreditation(reader);
    case 6:
      return { kind: 'seat', did: readHash(reader) };
    case 7:
      return { kind: 'parameters', advancedEpochs: reader.u64(), governanceSequence: reader.u64() };
    case 8: {
      const [by, subject, root] = [readHash(reader), readHash(reader), readHash(reader)];
      return { kind: 'anchor', by, subject, root, count: reader.u64(), time: reader.u64() };
    }
    case 9: {
      const did = readHash(reader);
      const kind = ofCode(RIGHT_KINDS, reader.u8(), 'right', 'unknown');
      const right = { did, kind, typeId: readHash(reader) };
      return { kind: 'grant', right, detail: readHash(reader), grantedAt: reader.u64(), revokedAt: reader.u64() };
    }
    case 10:
      return readValidator(reader);
    case 11:
      return { kind: 'validator_index', linkKey: readHash(reader) };
    case 12:
      return readSchedule(reader);
    default:
      throw new DecodeError('unknown', 'record');
  }
}

function readAccreditation(reader: Reader): Accreditation {
  const did = readHash(reader);
  const role = ofCode(ROLES, reader.u8(), 'role', 'unknown');
  const name = fromUtf8(reader.bytes('name', MAX_NAME));
  if (name === undefined) {
    throw new DecodeError('out_of_range', 'name');
  }
  return { kind: 'accreditation', did, role, name, revokedAt: reader.u64(), suspendedAt: reader.u64() };
}
