/**
 * The genesis charter: who founds a network and by which numbers it runs. Its hash is the SHA-256 of
 * its compact JSON with the fields in the order of {@link FIELDS}. Twin of `crates/ledger/src/charter.rs`.
 */

import { fromHex, utf8 } from './bytes.js';
import { Refusal } from './errors.js';
import { NETWORK_KEY_LENGTH } from './finality.js';
import type { Delays } from './follow.js';
import { hashFromHex, sha256 } from './hash.js';
import type { Hash } from './hash.js';
import { isNetwork } from './identifier.js';
import { JsonObject, asU64, parseJson } from './json.js';
import type { Json } from './json.js';
import { KeyError, PublicKey } from './key.js';
import { MAX_NAME, ROLES } from './record.js';

/** Format of the charter file. */
const CHARTER_FORMAT = 2n;
/** Most members or seats of a charter. */
const MAX_LIST = 256;
/** Most validators a committee may have. */
const MAX_VALIDATORS = 32n;
/** Longest address of a validator, in bytes. */
const MAX_ADDRESS = 80;
/** Blocks of a consensus epoch that a committee needs per validator. */
const EPOCH_BLOCKS_PER_VALIDATOR = 4n;
/** Fewest and most blocks of a consensus epoch. */
const EPOCH_BLOCKS: readonly [bigint, bigint] = [16n, 1n << 32n];

/** Why a charter cannot be used. */
export class CharterError extends Refusal<'format' | 'json' | 'field'> {}

/** What a light client pins: which network it believes. */
export interface TrustAnchor {
  /** Hash of the genesis charter. */
  readonly charterHash: Hash;
  /** The validators' threshold public key. */
  readonly networkKey: Uint8Array;
}

/** What a wallet or verifier needs of a charter. */
export interface Charter {
  readonly hash: Hash;
  /** Name of the network, part of every DID. */
  readonly network: string;
  /** Whether this is a sandbox. */
  readonly sandbox: boolean;
  /** The validators' threshold public key, {@link NETWORK_KEY_LENGTH} bytes. */
  readonly networkKey: Uint8Array;
  /** The delays that `follow` needs. */
  readonly delays: Delays;
  /** Wallets warn when fewer persons than this got tokens from the same key. */
  readonly minimumAnonymitySet: bigint;
}

/** How a field is read: what it must be, and its JSON as it goes into the hash. */
type Check = (value: Json | undefined) => string | undefined;

const text: Check = (value) => (typeof value === 'string' ? JSON.stringify(value) : undefined);
const flag: Check = (value) => (typeof value === 'boolean' ? String(value) : undefined);
const integer =
  (bits: bigint): Check =>
  (value) => {
    const number = asU64(value);
    return number !== undefined && number < 2n ** bits ? number.toString() : undefined;
  };
const matching =
  (test: (value: string) => boolean): Check =>
  (value) =>
    typeof value === 'string' && test(value) ? JSON.stringify(value) : undefined;
const list =
  (item: Check): Check =>
  (value) => {
    const items = Array.isArray(value) ? value.map(item) : [undefined];
    return items.includes(undefined) ? undefined : `[${items.join(',')}]`;
  };
const object =
  (fields: readonly [string, Check][]): Check =>
  (value) => {
    if (!(value instanceof JsonObject) || value.repeats || value.size !== fields.length) {
      return undefined;
    }
    const members = fields.map(([name, check]) => [name, check(value.get(name))] as const);
    return members.some(([, member]) => member === undefined)
      ? undefined
      : `{${members.map(([name, member]) => `"${name}":${member}`).join(',')}}`;
  };

const publicKey = matching((multikey) => {
  try {
    return PublicKey.fromMultikey(multikey) !== undefined;
  } catch (error) {
    // a key of a type that only the Rust crates use is none of this software's business here
    return error instanceof KeyError && error.code === 'unsupported';
  }
});

const FIELDS: readonly [string, Check][] = [
  ['format', integer(32n)],
  ['network', matching(isNetwork)],
  ['sandbox', flag],
  ['genesis_time', integer(64n)],
  ['network_key', text],
  ['key_origin', object([['dealt', flag], ['outcome', text]])],
  ['members', list(object([['name', text], ['key', publicKey]]))],
  ['threshold', integer(16n)],
  ['validators', list(object([['name', text], ['link_key', matching(isHash)], ['address', text]]))],
  ['committees', object([['epoch_blocks', integer(64n)], ['max_validators', integer(16n)]])],
  ['seats', list(object([['name', text], ['role', matching(isRole)], ['key', publicKey]]))],
  ['epoch_seconds', integer(64n)],
  ['quota', object([['tokens', integer(32n)], ['period_seconds', integer(64n)]])],
  ['recovery_delay', integer(64n)],
  ['vetoed_recovery_delay', integer(64n)],
  ['minimum_anonymity_set', integer(64n)],
];

/**
 * Parses and checks a charter file.
 *
 * @throws {CharterError}
 */
export function parseCharter(json: Uint8Array): Charter {
  const value = parseJson(json);
  checkFormat(value);
  const compact = object(FIELDS)(value);
  if (!(value instanceof JsonObject) || compact === undefined) {
    throw new CharterError('json', 'the charter is not valid JSON of the expected form');
  }
  checkFields(value);
  const number = (name: string): bigint => asU64(value.get(name)) ?? 0n;
  return {
    hash: sha256(utf8(compact)),
    network: String(value.get('network')),
    sandbox: value.get('sandbox') === true,
    networkKey: hexBytes(value.get('network_key')) ?? new Uint8Array(),
    delays: { recovery: number('recovery_delay'), vetoedRecovery: number('vetoed_recovery_delay') },
    minimumAnonymitySet: number('minimum_anonymity_set'),
  };
}

/** The part of a charter that a light client pins. */
export function trustAnchor(charter: Charter): TrustAnchor {
  return { charterHash: charter.hash, networkKey: charter.networkKey };
}

/**
 * Whether a text can stand for an organisation before holders: 1 to {@link MAX_NAME} bytes, nothing that
 * is not seen or turns the direction, no white space at its ends.
 */
export function isName(name: string): boolean {
  const unseen =
    /[\p{Cc}\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/u;
  const length = utf8(name).length;
  return length >= 1 && length <= MAX_NAME && name.trim() === name && !unseen.test(name);
}

/**
 * Whether a text can be a validator's address: `host:port` of at most {@link MAX_ADDRESS} bytes, the host an
 * IP address (version 6 in brackets) or a DNS name (RFC 1123), the port not 0.
 */
export function isAddress(address: string): boolean {
  const [, host = '', port = ''] = /^(.*):([0-9]+)$/.exec(address) ?? [];
  if (utf8(address).length > MAX_ADDRESS || Number(port) < 1 || Number(port) > 65_535) {
    return false;
  }
  if (isIpv4(host) || (host.startsWith('[') && URL.canParse(`http://${host}/`))) {
    return true;
  }
  const labels = host.split('.');
  // digits alone in the last label would be a malformed IP address
  const named = /[^0-9]/.test(labels.at(-1) ?? '');
  return named && labels.every((label) => /^(?!-)[A-Za-z0-9-]{1,63}(?<!-)$/.test(label)) && !port.startsWith('0');
}

function isIpv4(host: string): boolean {
  return /^(?:(?:0|[1-9][0-9]{0,2})(?:\.(?!$)|$)){4}$/.test(host) && host.split('.').every((part) => Number(part) <= 255);
}

/** Looked at first: the fields of another format are others. */
function checkFormat(charter: Json | undefined): void {
  const format = charter instanceof JsonObject ? asU64(charter.get('format')) : undefined;
  if (format !== undefined && format < 1n << 32n && format !== CHARTER_FORMAT) {
    throw new CharterError('format', `the charter has format ${format}, this software reads ${CHARTER_FORMAT}`);
  }
}

function checkFields(charter: JsonObject): void {
  const number = (name: string): bigint => asU64(charter.get(name)) ?? 0n;
  const members = objects(charter.get('members'));
  const [validators, seats] = [objects(charter.get('validators')), objects(charter.get('seats'))];
  const quota = charter.get('quota') as JsonObject;
  const origin = charter.get('key_origin') as JsonObject;
  const named = (items: JsonObject[]): boolean => items.every((item) => isName(String(item.get('name'))));
  const listed = (items: JsonObject[], least: number): boolean => items.length >= least && items.length <= MAX_LIST;
  const checks: readonly [boolean, string][] = [
    [hexBytes(charter.get('network_key'))?.length === NETWORK_KEY_LENGTH, 'network_key'],
    [(hexBytes(origin.get('outcome'))?.length ?? 0) > 0, 'key_origin.outcome'],
    [charter.get('sandbox') === true || origin.get('dealt') !== true, 'key_origin.dealt'],
    ...committeeChecks(charter.get('committees') as JsonObject, validators),
    [listed(members, 1), 'members'],
    [named(members), 'members.name'],
    // else one member could sign for several
    [new Set(members.map((member) => member.get('key'))).size === members.length, 'members.key'],
    [number('threshold') >= 1n && number('threshold') <= BigInt(members.length), 'threshold'],
    [listed(seats, 0), 'seats'],
    [named(seats), 'seats.name'],
    [number('epoch_seconds') > 0n, 'epoch_seconds'],
    [asU64(quota.get('tokens')) !== 0n && asU64(quota.get('period_seconds')) !== 0n, 'quota'],
    [number('recovery_delay') > 0n, 'recovery_delay'],
    [number('vetoed_recovery_delay') >= number('recovery_delay'), 'vetoed_recovery_delay'],
  ];
  const wrong = checks.find(([holds]) => !holds);
  if (wrong !== undefined) {
    throw new CharterError('field', `the charter's field \`${wrong[1]}\` is out of range`);
  }
}

/** That every committee which a charter allows can hand the key on, and the first is one. */
function committeeChecks(committees: JsonObject, first: JsonObject[]): [boolean, string][] {
  const blocks = asU64(committees.get('epoch_blocks')) ?? 0n;
  const most = asU64(committees.get('max_validators')) ?? 0n;
  const length = blocks >= EPOCH_BLOCKS[0] && blocks <= EPOCH_BLOCKS[1];
  return [
    [most >= 1n && most <= MAX_VALIDATORS, 'committees.max_validators'],
    [length && most * EPOCH_BLOCKS_PER_VALIDATOR <= blocks, 'committees.epoch_blocks'],
    [first.length >= 1 && BigInt(first.length) <= most, 'validators'],
    [first.every((validator) => isAddress(String(validator.get('address')))), 'validators.address'],
  ];
}

function objects(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter((item) => item instanceof JsonObject) : [];
}

function hexBytes(value: Json | undefined): Uint8Array | undefined {
  const digits = typeof value === 'string' ? value.toLowerCase() : '';
  return /^(?:[0-9a-f]{2})*$/.test(digits) ? fromHex(digits) : undefined;
}

function isHash(value: string): boolean {
  return hashFromHex(value) !== undefined;
}

function isRole(value: string): boolean {
  return (ROLES as readonly string[]).includes(value);
}
