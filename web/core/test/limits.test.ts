/** Limits of what is read and made: each is kept, and what lies just within is not refused for it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  CertificateCache,
  Reader,
  SecretKey,
  SigningInput,
  Writer,
  base58Decode,
  base64urlDecode,
  decodeFinality,
  decodeSigned,
  decodeStateProof,
  fromHex,
  hashOf,
  parseDid,
  parseJson,
  parseJws,
  parseSdJwt,
  prefixRange,
  readVarint,
  encodeVarint,
  utf8,
} from '../src/index.js';
import { hash, outcome, readVector } from './support.js';

test('texts and bytes that are too long', () => {
  assert.equal(outcome(() => parseSdJwt('~'.repeat(256 * 1024 + 1))), 'credential_too_long');
  assert.equal(outcome(() => parseSdJwt('~'.repeat(256 * 1024))), 'credential_form');
  assert.equal(outcome(() => parseJws('.'.repeat(64 * 1024 + 1))), 'too_long');
  assert.equal(outcome(() => parseJws('.'.repeat(64 * 1024))), 'form');
  assert.equal(outcome(() => decodeSigned(new Uint8Array(16 * 1024 + 1))), 'operation_too_long');
  assert.equal(outcome(() => decodeSigned(new Uint8Array(16 * 1024))), 'malformed_operation');
  // in bytes, not in characters
  assert.equal(outcome(() => parseDid(`did:real:sandbox:z${'é'.repeat(2040)}`)), 'too_long');
  assert.equal(outcome(() => parseDid(`did:real:sandbox:z${'é'.repeat(2030)}`)), 'identifier');
  assert.equal(outcome(() => base58Decode('1'.repeat(257))), 'base58');
  assert.equal(base58Decode('1'.repeat(256)).length, 256);
});

test('what ends too early is refused, wherever it ends', () => {
  const prefixes = (bytes: Uint8Array): Uint8Array[] => Array.from(bytes, (_, length) => bytes.slice(0, length));
  const { cases } = readVector<{ cases: { bytes: string }[] }>('operations.json');
  for (const prefix of cases.flatMap(({ bytes }) => prefixes(fromHex(bytes)))) {
    assert.equal(outcome(() => decodeSigned(prefix)), 'malformed_operation');
  }
  const { present, finality } = readVector<{ present: { proof: string }; finality: string }>('light_client.json');
  for (const prefix of prefixes(fromHex(present.proof))) {
    assert.equal(outcome(() => decodeStateProof(prefix)), 'state_proof_malformed');
  }
  for (const prefix of prefixes(fromHex(finality))) {
    assert.equal(outcome(() => decodeFinality(prefix)), 'finality_malformed');
  }
  for (const text of ['0', 'zz', 'AA']) {
    assert.equal(outcome(() => fromHex(text)), 'hex');
  }
});

test('a signed message is not made longer than it is read', () => {
  const make = (length: number): string => outcome(() => new SigningInput('EdDSA', {}, 'x'.repeat(length)));
  assert.equal(make(60_000), 'too_long');
  assert.equal(make(40_000), 'ok');
});

test('a prefix has no bits behind its length', () => {
  const prefix = hash(`a0${'00'.repeat(31)}`);
  assert.deepEqual(prefixRange(prefix, 3), { lowest: prefix, highest: `bf${'ff'.repeat(31)}` });
  assert.equal(outcome(() => prefixRange(prefix, 2)), 'state_proof_prefix');
  assert.equal(prefixRange(hash('00'.repeat(32)), 255).highest, `${'00'.repeat(31)}01`);
  for (const bits of [-1, 256, 1.5]) {
    assert.throws(() => prefixRange(prefix, bits), RangeError);
  }
});

test('numbers have one encoding', () => {
  for (const value of [0n, 1n, 127n, 128n, 300n, 2n ** 32n - 1n, 2n ** 63n, 2n ** 64n - 1n]) {
    const encoded = encodeVarint(value);
    assert.equal(readVarint(new Reader(encoded), 64), value);
    const longer = encoded.slice();
    longer[longer.length - 1] = (longer.at(-1) ?? 0) | 0x80;
    assert.notEqual(outcome(() => readVarint(new Reader(Uint8Array.of(...longer, 0)), 64)), 'ok', `${value} and 0`);
  }
  assert.equal(outcome(() => readVarint(new Reader(encodeVarint(2n ** 32n)), 32)), 'out_of_range');
  assert.equal(outcome(() => readVarint(new Reader(encodeVarint(2n ** 64n)), 64)), 'out_of_range');
  assert.equal(outcome(() => readVarint(new Reader(new Uint8Array(40).fill(0x80)), 64)), 'out_of_range');
  assert.throws(() => new Writer().u8(256), RangeError);
  assert.throws(() => new Writer().u64(-1n), RangeError);
});

test('base64url has one form', () => {
  for (const text of ['A', 'AB', 'AA==', 'A+', 'A/', 'AA\n', ' AA', 'ÄA']) {
    assert.equal(outcome(() => base64urlDecode(text)), 'base64_url', text);
  }
  assert.deepEqual(base64urlDecode('AQ'), Uint8Array.of(1));
});

test('JSON is nested no deeper than Rust reads it', () => {
  const nested = (depth: number): unknown => parseJson(utf8('['.repeat(depth) + ']'.repeat(depth)));
  assert.ok(nested(127));
  assert.equal(nested(128), undefined);
});

test('certificates are forgotten, the oldest first', () => {
  const cache = new CertificateCache();
  const id = (number: number) => hashOf(new Uint8Array(32).fill(number));
  for (let number = 0; number <= CertificateCache.LIMIT; number++) {
    cache.add(id(number));
  }
  assert.ok(!cache.has(id(0)));
  assert.ok(cache.has(id(1)) && cache.has(id(CertificateCache.LIMIT)));
});

test('a secret key has 32 bytes, and every one is a key', () => {
  assert.throws(() => SecretKey.fromSeed('EdDSA', new Uint8Array(31)), RangeError);
  // no scalar of P-256: another one is derived
  for (const byte of [0, 0xff]) {
    const key = SecretKey.fromSeed('ES256', new Uint8Array(32).fill(byte));
    const message = utf8('message');
    assert.ok(key.publicKey().verifyRaw(message, key.signRaw(message)));
  }
});
