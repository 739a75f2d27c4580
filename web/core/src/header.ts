/** Block headers, as far as a light client reads them. Twin of `crates/ledger/src/header.rs`. */

import { Reader, Writer } from './codec.js';
import { Refusal } from './errors.js';
import { readHash, sha256, writeHash } from './hash.js';
import type { Hash } from './hash.js';

/** Version of the protocol a header speaks. Headers of any other version are refused. */
export const PROTOCOL_VERSION = 1;
/** Length of an encoded {@link Header} in bytes. */
export const HEADER_LEN = 258;
/** Highest position in the state log, the bound of the engine's Merkle mountain range. */
const MAX_LOG_POSITION = 1n << 62n;

/** Why a header was refused. */
export class HeaderError extends Refusal<'header_length' | 'header_version' | 'header_log_range'> {}

/** What a block commits to. Its hash is the block's digest, and what validators sign. */
export interface Header {
  /** Hash of the genesis charter: headers of two networks never mix. */
  readonly charter: Hash;
  /** Position in the chain. Genesis is 0. */
  readonly height: bigint;
  /** Time of the block in milliseconds since the Unix epoch. */
  readonly timeMs: bigint;
  /** Epoch of real-name tokens at this block. */
  readonly epoch: bigint;
  /** Hash of the parent header. */
  readonly parent: Hash;
  /** Commits to the block's operations. */
  readonly operationsRoot: Hash;
  /** Root of the state after the block: what state proofs verify against. */
  readonly stateRoot: Hash;
  /** Range of the state log, for the engine's state sync. */
  readonly stateLog: { readonly root: Hash; readonly start: bigint; readonly end: bigint };
  /** Consensus round of the proposal. */
  readonly round: {
    readonly epoch: bigint;
    readonly view: bigint;
    readonly leader: Hash;
    readonly parentView: bigint;
  };
}

/** The canonical encoding, {@link HEADER_LEN} bytes. */
export function encodeHeader(header: Header): Uint8Array {
  const writer = writeHash(new Writer().u16(PROTOCOL_VERSION), header.charter);
  writer.u64(header.height).u64(header.timeMs).u64(header.epoch);
  const { stateLog, round } = header;
  [header.parent, header.operationsRoot, header.stateRoot, stateLog.root].forEach((hash) => writeHash(writer, hash));
  writer.u64(stateLog.start).u64(stateLog.end).u64(round.epoch).u64(round.view);
  return writeHash(writer, round.leader).u64(round.parentView).finish();
}

/**
 * Decodes exactly one header.
 *
 * @throws {HeaderError}
 */
export function decodeHeader(bytes: Uint8Array): Header {
  if (bytes.length !== HEADER_LEN) {
    throw new HeaderError('header_length', `a header has ${HEADER_LEN} bytes`);
  }
  const reader = new Reader(bytes);
  if (reader.u16() !== PROTOCOL_VERSION) {
    throw new HeaderError('header_version', 'the protocol version is not supported');
  }
  const header = {
    charter: readHash(reader),
    height: reader.u64(),
    timeMs: reader.u64(),
    epoch: reader.u64(),
    parent: readHash(reader),
    operationsRoot: readHash(reader),
    stateRoot: readHash(reader),
    stateLog: { root: readHash(reader), start: reader.u64(), end: reader.u64() },
    round: {
      epoch: reader.u64(),
      view: reader.u64(),
      leader: readHash(reader),
      parentView: reader.u64(),
    },
  };
  const { start, end } = header.stateLog;
  if (start >= end || end > MAX_LOG_POSITION) {
    throw new HeaderError('header_log_range', 'the state log range is not valid');
  }
  return header;
}

/** SHA-256 of the encoding: the block's digest. */
export function headerHash(header: Header): Hash {
  return sha256(encodeHeader(header));
}
