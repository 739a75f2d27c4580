/** The holder's side: derivation, blinding, queries. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  BlindingError,
  Keychain,
  Reader,
  answerOf,
  blind,
  chooseQueries,
  finalize,
  fromHex,
  inceptionHash,
  isSiteName,
  parseObject,
  readEpochKey,
  readQuery,
  toHex,
  utf8,
  verifyToken,
} from '../src/index.js';
import type { Claim, Hash, KeyRole, Query } from '../src/index.js';
import { flipped, hash, outcomeOf, readVector } from './support.js';

interface Derived {
  root: string;
  charter: string;
  series: number;
  number: number;
  secrets: ({ generation: number } & Record<KeyRole, string>)[];
  did_hash: string;
}

test('a DID and its keys are derived as the Rust wallet does', () => {
  for (const one of readVector<{ cases: Derived[] }>('wallet_keys.json').cases) {
    const keys = new Keychain(fromHex(one.root), hash(one.charter), one);
    for (const secret of one.secrets) {
      for (const role of ['authentication', 'authentication_salt', 'recovery', 'recovery_salt'] as const) {
        assert.equal(toHex(keys.derive(role, secret.generation)), secret[role]);
      }
    }
    assert.equal(inceptionHash(keys.inception()), one.did_hash);
  }
});

interface TokenCase {
  epoch_key: string;
  charter: string;
  did_hash: string;
}

interface RsaKey {
  n: string;
  d: string;
}

/** What an authority does with a blinded value, by the test's own private key. */
function signBlindly(blinded: Uint8Array, { n, d }: RsaKey): Uint8Array {
  let [base, exponent, result] = [BigInt(`0x${toHex(blinded)}`), BigInt(`0x${d}`), 1n];
  const modulus = BigInt(`0x${n}`);
  for (; exponent > 0n; exponent >>= 1n) {
    result = exponent & 1n ? (result * base) % modulus : result;
    base = (base * base) % modulus;
  }
  return fromHex(result.toString(16).padStart(512, '0'));
}

test('a blinded DID comes back as a token that holds, and nothing else does', async () => {
  const [one] = readVector<{ cases: TokenCase[] }>('token.json').cases;
  const [rsa] = readVector<{ cases: RsaKey[] }>('rsa_test_keys.json').cases;
  assert.ok(one !== undefined && rsa !== undefined);
  const [charter, did] = [hash(one.charter), hash(one.did_hash)];
  const key = readEpochKey(new Reader(fromHex(one.epoch_key)));
  const blinding = await blind(key, charter, did);
  const again = await blind(key, charter, did);
  assert.notDeepEqual(blinding.blinded, again.blinded, 'the same DID is blinded otherwise each time');
  const signature = signBlindly(blinding.blinded, rsa);
  const token = await finalize(blinding, key, charter, did, signature);
  assert.equal((await verifyToken(token, key, charter, did)).did, did);
  const refused = (changed: Uint8Array, about: Hash) => outcomeOf(() => finalize(blinding, key, charter, about, changed));
  assert.equal(await refused(flipped(signature, 9), did), 'blind_signature_invalid');
  assert.equal(await refused(signature, hash('77'.repeat(32))), 'blind_signature_invalid');
  await assert.rejects(finalize(again, key, charter, did, signature), BlindingError);
});

const query = (json: string): Query => readQuery(parseObject(utf8(json)));

test('a query is answered by the first set of claims that is there, and by nothing that lacks one', () => {
  const asked = query(`{"credentials": [{"id": "a", "format": "dc+sd-jwt", "meta": {"vct_values": ["t"]},
    "claims": [{"id": "x", "path": ["x"]}, {"id": "y", "path": ["y"], "values": ["1"]}], "claim_sets": [["x", "y"], ["y"]]}]}`);
  const leaf = (value: string): Claim => ({ disclosable: true, content: { kind: 'leaf', value } });
  const [first] = asked.credentials;
  assert.ok(first !== undefined);
  assert.deepEqual(answerOf(first, 't', new Map([['x', leaf('0')], ['y', leaf('1')]])), [['x'], ['y']]);
  assert.deepEqual(answerOf(first, 't', new Map([['y', leaf('1')]])), [['y']]);
  assert.equal(answerOf(first, 't', new Map([['y', leaf('2')]])), undefined);
  assert.equal(answerOf(first, 'other', new Map([['y', leaf('1')]])), undefined);
});

test('optional credentials are shown only with a will, required ones must be there', () => {
  const asked = query(`{"credentials": [{"id": "a", "format": "dc+sd-jwt", "meta": {"vct_values": ["t"]}},
    {"id": "b", "format": "dc+sd-jwt", "meta": {"vct_values": ["t"]}}],
    "credential_sets": [{"options": [["a"]]}, {"options": [["b"]], "required": false}]}`);
  assert.deepEqual(chooseQueries(asked, new Set(['a', 'b']), true), ['a', 'b']);
  assert.deepEqual(chooseQueries(asked, new Set(['a', 'b']), false), ['a']);
  assert.equal(chooseQueries(asked, new Set(['b']), true), undefined);
});

test('a query that names what is not there is refused', async () => {
  for (const json of [
    '{}',
    '{"credentials": []}',
    '{"credentials": [{"id": "a", "format": "dc+sd-jwt", "meta": {}}, {"id": "a", "format": "dc+sd-jwt", "meta": {}}]}',
    '{"credentials": [{"id": "a", "format": "dc+sd-jwt", "meta": {}}], "credential_sets": [{"options": [["b"]]}]}',
    '{"credentials": [{"id": "a", "format": "dc+sd-jwt", "meta": {}, "claims": [{"path": [-1]}]}]}',
    '{"credentials": [{"id": "a", "format": "realdid+jwt", "meta": {"purpose": "login", "level": "all"}}]}',
  ]) {
    assert.equal(await outcomeOf(async () => query(json)), 'request_query_unsupported', json);
  }
});

test('a site is not named by what is not seen, or turns the direction', () => {
  for (const name of ['', ' Site', 'Site ', 'a\u202eb', 'a\u200bb', 'a\nb', 'x'.repeat(65), '\u2066Site']) {
    assert.equal(isSiteName(name), false, JSON.stringify(name));
  }
  for (const name of ['Site A', '购物网站', 'Café №1']) {
    assert.equal(isSiteName(name), true, name);
  }
});
