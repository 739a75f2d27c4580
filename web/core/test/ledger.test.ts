import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  CertificateCache,
  concat,
  decodeFinality,
  decodeHeader,
  decodePrefixProof,
  decodeRecord,
  decodeStateProof,
  decodeToken,
  encodeFinality,
  encodeHeader,
  encodePrefixProof,
  encodeRecord,
  encodeStateProof,
  epochKeyId,
  fromHex,
  headerHash,
  parseCharter,
  readEpochKey,
  Reader,
  base64urlEncode,
  toHex,
  utf8,
  verifyFinality,
  verifyLookup,
  verifyPrefix,
  verifyPrefixAnswer,
  verifyPss,
  verifyToken,
} from '../src/index.js';
import { assertFlips, flipped, hash, outcome, outcomeOf, readVector } from './support.js';

test('a charter and its hash', () => {
  const { cases } = readVector<{ cases: { compact: string; hash: string }[] }>('charter.json');
  for (const it of cases) {
    const charter = parseCharter(utf8(it.compact));
    assert.equal(charter.hash, it.hash);
    const indented = JSON.stringify(JSON.parse(it.compact), null, 2);
    assert.equal(parseCharter(utf8(indented)).hash, it.hash, 'white space does not count');
  }
});

test('charters are refused as in Rust', () => {
  interface Case {
    name: string;
    charter: string;
    outcome: string;
    said: string;
  }
  for (const it of readVector<{ cases: Case[] }>('refused_charters.json').cases) {
    const parse = () => parseCharter(utf8(it.charter));
    assert.equal(outcome(parse), it.outcome, it.name);
    if (it.outcome === 'ok') {
      assert.equal(parse().hash, it.said, it.name);
    } else {
      assert.throws(parse, (error: Error) => error.message.includes(it.said), it.name);
    }
  }
});

test('a header and its hash', () => {
  const { cases } = readVector<{ cases: { header: string; hash: string }[] }>('header.json');
  for (const it of cases) {
    const header = decodeHeader(fromHex(it.header));
    assert.equal(toHex(encodeHeader(header)), it.header);
    assert.equal(headerHash(header), it.hash);
  }
});

test('records decode and encode', () => {
  const { cases } = readVector<{ cases: { tag: number; value: string }[] }>('records.json');
  const kinds = new Set<string>();
  for (const it of cases) {
    const value = new Uint8Array(384);
    value.set(fromHex(it.value));
    const record = decodeRecord(value);
    kinds.add(record.kind);
    assert.deepEqual(encodeRecord(record), value);
    assert.equal(outcome(() => decodeRecord(flipped(value, 383))), 'not_canonical');
  }
  assert.equal(kinds.size, 12);
});

interface FinalityCase {
  charter: string;
  header_hash: string;
  network_key: string;
  proof: string;
}

test('a finality proof', () => {
  const { cases } = readVector<{ cases: FinalityCase[] }>('finality.json');
  for (const it of cases) {
    const proof = decodeFinality(fromHex(it.proof));
    assert.equal(toHex(encodeFinality(proof)), it.proof);
    const key = fromHex(it.network_key);
    assert.equal(verifyFinality(proof, hash(it.charter), key).hash, it.header_hash);
  }
});

interface LightClient {
  charter_hash: string;
  network_key: string;
  finality: string;
  header: { encoding: string; epoch: number; hash: string; height: number; state_root: string; time_ms: number };
  absent: { key: string; proof: string };
  present: { key: string; proof: string; value: string };
  prefix: { bits: number; keys: string[]; prefix: string; proof: string };
}

test('what a node gives a light client', () => {
  const it = readVector<LightClient>('light_client.json');
  const proof = decodeFinality(fromHex(it.finality));
  const { header, hash: headerId } = verifyFinality(proof, hash(it.charter_hash), fromHex(it.network_key));
  assert.equal(headerId, it.header.hash);
  assert.equal(toHex(encodeHeader(header)), it.header.encoding);
  assert.equal(header.stateRoot, it.header.state_root);
  assert.equal(header.timeMs, BigInt(it.header.time_ms));

  const present = decodeStateProof(fromHex(it.present.proof));
  assert.equal(toHex(encodeStateProof(present)), it.present.proof);
  const value = verifyLookup(present, hash(it.present.key), header.stateRoot);
  assert.equal(value && toHex(value).replace(/(?:00)+$/, ''), it.present.value.replace(/(?:00)+$/, ''));

  const absent = decodeStateProof(fromHex(it.absent.proof));
  assert.equal(verifyLookup(absent, hash(it.absent.key), header.stateRoot), undefined);
  assert.equal(
    outcome(() => verifyLookup(absent, hash(it.present.key), header.stateRoot)),
    absent.end === undefined ? 'state_proof_root' : 'state_proof_not_covered',
  );

  const prefix = decodePrefixProof(fromHex(it.prefix.proof));
  assert.equal(toHex(encodePrefixProof(prefix)), it.prefix.proof);
  const entries = verifyPrefix(prefix, hash(it.prefix.prefix), it.prefix.bits, header.stateRoot);
  assert.deepEqual([...entries.keys()], it.prefix.keys);
});

test('an answer about a prefix speaks about all its keys', () => {
  const it = readVector<LightClient>('light_client.json');
  const anchor = { charterHash: hash(it.charter_hash), networkKey: fromHex(it.network_key) };
  const answer = {
    finality: base64urlEncode(fromHex(it.finality)),
    proof: base64urlEncode(fromHex(it.prefix.proof)),
  };
  const freshness = { now: 3n, maxAge: 60n, lowestHeight: 6n };
  const { prefix, bits } = it.prefix;
  const state = verifyPrefixAnswer(answer, anchor, hash(prefix), bits, freshness);
  assert.equal(state.height, 6n);
  for (const key of it.prefix.keys) {
    // what the keys hold is made up and no record: that shows in another way than absence
    assert.notEqual(outcome(() => state.record(hash(key))), 'not_proven');
  }
  assert.equal(state.record(hash('3f'.repeat(32))), undefined);
  assert.equal(outcome(() => state.record(hash('40'.repeat(32)))), 'not_proven');
  const refused = (over: object): string =>
    outcome(() => verifyPrefixAnswer(answer, anchor, hash(prefix), bits, { ...freshness, ...over }));
  assert.equal(refused({ now: 100n }), 'stale_state');
  assert.equal(refused({ lowestHeight: 7n }), 'state_below_seen');
  const narrower = outcome(() => verifyPrefixAnswer(answer, anchor, hash(prefix), bits + 1, freshness));
  assert.equal(narrower, 'invalid_state_proof');
});

interface Tampered {
  finality: string;
  present: string;
  absent: string;
  prefix: string;
  chains: { name: string; proof: string; outcome: string }[];
}

test('state proofs with one byte changed are refused as in Rust', () => {
  const it = readVector<LightClient>('light_client.json');
  const flips = readVector<Tampered>('tampered_proofs.json');
  const root = hash(it.header.state_root);
  for (const name of ['present', 'absent'] as const) {
    const { key, proof } = it[name];
    assert.ok(!flips[name].includes('ok '), 'no byte can be changed');
    assertFlips(name, fromHex(proof), flips[name], (changed) =>
      outcome(() => verifyLookup(decodeStateProof(changed), hash(key), root)),
    );
  }
});

test('a prefix proof with one byte changed is refused as in Rust', () => {
  const { prefix, header } = readVector<LightClient>('light_client.json');
  const { prefix: flips } = readVector<Tampered>('tampered_proofs.json');
  const [head, tail] = [fromHex(prefix.proof).slice(0, 1600), fromHex(prefix.proof).slice(1600)];
  assert.ok(!flips.includes('ok '));
  assertFlips('prefix', head, flips, (changed) => {
    const proof = concat(changed, tail);
    const root = hash(header.state_root);
    return outcome(() => verifyPrefix(decodePrefixProof(proof), hash(prefix.prefix), prefix.bits, root));
  });
});

test('finality proofs are refused as in Rust', () => {
  const [it] = readVector<{ cases: FinalityCase[] }>('finality.json').cases;
  const tampered = readVector<Tampered>('tampered_proofs.json');
  assert.ok(it && !tampered.finality.includes('ok '));
  const key = fromHex(it.network_key);
  const cache = new CertificateCache();
  const judge = (proof: Uint8Array): string =>
    outcome(() => verifyFinality(decodeFinality(proof), hash(it.charter), key, cache));
  assert.equal(judge(fromHex(it.proof)), 'ok');
  assert.equal(judge(fromHex(it.proof)), 'ok', 'and once more, remembered');
  assertFlips('two headers', fromHex(it.proof), tampered.finality, judge);
  for (const { name, proof, outcome: expected } of tampered.chains) {
    assert.equal(judge(fromHex(proof)), expected, name);
  }
  const proof = decodeFinality(fromHex(it.proof));
  for (const wrong of [new Uint8Array(96), new Uint8Array(96).fill(0xff), fromHex(it.network_key).slice(1)]) {
    assert.equal(outcome(() => verifyFinality(proof, hash(it.charter), wrong)), 'finality_network_key');
  }
  const infinity = proof.certificate.slice();
  infinity.fill(0, -48)[infinity.length - 48] = 0xc0;
  assert.equal(
    outcome(() => verifyFinality({ ...proof, certificate: infinity }, hash(it.charter), key)),
    'finality_signature',
  );
});

test('a token', async () => {
  interface Case {
    charter: string;
    did_hash: string;
    epoch_key: string;
    key_id: string;
    token: string;
  }
  const { cases } = readVector<{ cases: Case[] }>('token.json');
  for (const it of cases) {
    const key = readEpochKey(new Reader(fromHex(it.epoch_key)));
    assert.equal(epochKeyId(key, hash(it.charter)), it.key_id);
    const bytes = fromHex(it.token);
    const judge = (token: Uint8Array, did: string): Promise<string> =>
      outcomeOf(() => verifyToken(decodeToken(token), key, hash(it.charter), hash(did)));
    assert.equal(await judge(bytes, it.did_hash), 'ok');
    assert.equal(await judge(bytes, '00'.repeat(32)), 'signature');
    assert.equal(await judge(bytes.slice(1), it.did_hash), 'length');
    for (let at = 0; at < bytes.length; at++) {
      assert.equal(await judge(flipped(bytes, at), it.did_hash), at < 32 ? 'other_key' : 'signature');
    }
  }
});

test("the RFC's own blind signature", async () => {
  const it = readVector<{ n: string; input_msg: string; sig: string }>('rfc9474.json');
  assert.ok(await verifyPss(fromHex(it.n), fromHex(it.input_msg), fromHex(it.sig)));
  assert.ok(!(await verifyPss(fromHex(it.n), fromHex(it.input_msg), flipped(fromHex(it.sig), 9))));
});
