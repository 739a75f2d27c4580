/** Who validates in which consensus epoch, as the ledger holds it. Twin of `crates/ledger/src/committee.rs`. */

import { fromUtf8, utf8 } from './bytes.js';
import { DecodeError } from './codec.js';
import type { Reader, Writer } from './codec.js';
import { readHash, writeHash } from './hash.js';
import type { Hash } from './hash.js';

/** Longest name of an organisation, in bytes. */
const MAX_NAME = 64;
/** Longest text that is read where an address stands, in bytes. */
const MAX_TEXT = 255;
/** Committees that are kept at a time. */
const MAX_TURNS = 4;
/** Most validators a committee may have. */
const MAX_VALIDATORS = 32;

/** A validator that the consortium knows, in a committee or not. */
export interface KnownValidator {
  readonly kind: 'validator';
  /** Its number: validators are counted as they become known. */
  readonly index: number;
  /** Ed25519 public key of its links. */
  readonly linkKey: Hash;
  readonly name: string;
  /** Where its peers reach it, `host:port`. */
  readonly address: string;
  /** From which consensus epoch on it is reached elsewhere, and where; an empty text if nowhere else. */
  readonly movesFrom: bigint;
  readonly movesTo: string;
}

/** A committee, from an epoch on: validators by their numbers, in rising order. */
export interface CommitteeTurn {
  readonly from: bigint;
  readonly members: readonly number[];
}

/** The committees of the current consensus epoch and later ones. */
export interface Schedule {
  readonly kind: 'schedule';
  /** How many validators are known. */
  readonly known: number;
  readonly turns: readonly CommitteeTurn[];
}

function readText(reader: Reader, field: string, limit: number): string {
  const text = fromUtf8(reader.bytes(field, limit));
  if (text === undefined) {
    throw new DecodeError('out_of_range', field);
  }
  return text;
}

/** Appends a validator's fields. */
export function writeValidator(writer: Writer, validator: KnownValidator): Writer {
  writeHash(writer.u16(validator.index), validator.linkKey).bytes(utf8(validator.name));
  return writer.bytes(utf8(validator.address)).u64(validator.movesFrom).bytes(utf8(validator.movesTo));
}

/** Reads a validator's fields. */
export function readValidator(reader: Reader): KnownValidator {
  const [index, linkKey] = [reader.u16(), readHash(reader)];
  const [name, address] = [readText(reader, 'name', MAX_NAME), readText(reader, 'address', MAX_TEXT)];
  const [from, movesTo] = [reader.u64(), readText(reader, 'address', MAX_TEXT)];
  // Without another address there is no epoch, either: what says otherwise is not canonical.
  const movesFrom = movesTo === '' ? 0n : from;
  return { kind: 'validator', index, linkKey, name, address, movesFrom, movesTo };
}

/** Appends the committees. */
export function writeSchedule(writer: Writer, schedule: Schedule): Writer {
  writer.u16(schedule.known).u8(schedule.turns.length);
  for (const { from, members } of schedule.turns) {
    writer.u64(from).u8(members.length);
    members.forEach((member) => writer.u16(member));
  }
  return writer;
}

/** Reads the committees. */
export function readSchedule(reader: Reader): Schedule {
  const [known, count] = [reader.u16(), reader.u8()];
  if (count > MAX_TURNS) {
    throw new DecodeError('out_of_range', 'committees');
  }
  const turns: CommitteeTurn[] = [];
  while (turns.length < count) {
    const [from, size] = [reader.u64(), reader.u8()];
    if (size > MAX_VALIDATORS) {
      throw new DecodeError('out_of_range', 'committee');
    }
    turns.push({ from, members: Array.from({ length: size }, () => reader.u16()) });
  }
  return { kind: 'schedule', known, turns };
}
