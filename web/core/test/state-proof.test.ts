/** State proofs: paths of every length and end, and what no honest node sends, right but for one thing. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  decodePrefixProof,
  decodeStateProof,
  encodePrefixProof,
  encodeStateProof,
  fromHex,
  sha256,
  toHex,
  verifyLookup,
  verifyPrefix,
} from '../src/index.js';
import type { Hash, PrefixProof, StateProof } from '../src/index.js';
import { EMPTY, commonBits, partHash, rootOver } from '../src/state-tree.js';
import type { TreeEntry } from '../src/state-tree.js';
import { assertFlips, hash, outcome, readVector } from './support.js';

interface LargeState {
  root: string;
  cases: { key: string; present: boolean; proof: string; flips: string }[];
}

test('proofs in a large state, some of them 256 levels deep', () => {
  const file = readVector<LargeState>('large_state.json');
  const root = hash(file.root);
  const ends = new Set<string>();
  for (const it of file.cases) {
    const [key, bytes] = [hash(it.key), fromHex(it.proof)];
    const proof = decodeStateProof(bytes);
    assert.equal(toHex(encodeStateProof(proof)), it.proof);
    assert.equal(verifyLookup(proof, key, root) !== undefined, it.present, it.key);
    ends.add(proof.end === undefined ? 'nothing' : proof.end instanceof Uint8Array ? 'value' : 'other');
    assert.ok(!it.flips.includes('ok '));
    assertFlips(it.key, bytes, it.flips, (changed) =>
      outcome(() => verifyLookup(decodeStateProof(changed), key, root)),
    );
  }
  assert.equal(ends.size, 3, 'the cases are what they are meant to be');
});

/** Keys at 10, 20 … f0; the value under each is one byte, again and again. */
const value = (first: number): Uint8Array => new Uint8Array(384).fill(first);
const keyAt = (first: number): Hash => hash(first.toString(16).padStart(2, '0') + '55'.repeat(31));
const ENTRIES = Array.from({ length: 15 }, (_, at) => 16 * (at + 1)).map(
  (first) => [keyAt(first), sha256(value(first))] as const,
);
const ROOT = partHash(ENTRIES, 0);

/** The path of a key, for so many bits at most, and what is at its end. */
function path(key: Hash, bits: number): { siblings: Hash[]; rest: readonly TreeEntry[] } {
  const siblings: Hash[] = [];
  let rest: readonly TreeEntry[] = ENTRIES;
  while (rest.length > 1 && siblings.length < bits) {
    const depth = siblings.length;
    const own = rest.filter(([other]) => commonBits(other, key) > depth);
    siblings.push(
      partHash(
        rest.filter((entry) => !own.includes(entry)),
        depth + 1,
      ),
    );
    rest = own;
  }
  return { siblings, rest };
}

function prefixProof(first: number, bits: number): PrefixProof {
  const { siblings, rest } = path(hash(first.toString(16).padStart(2, '0') + '00'.repeat(31)), bits);
  return {
    siblings,
    other: undefined,
    entries: rest.map(([key]) => [key, value(Number.parseInt(key.slice(0, 2), 16))] as const),
  };
}

test('another entry stands only for the part that it is alone in', () => {
  const [held, beside] = [keyAt(0x40), keyAt(0x41)];
  const { siblings, rest } = path(beside, 256);
  const [key, valueHash] = rest[0] as TreeEntry;
  const absence: StateProof = { siblings, end: { key, valueHash } };
  assert.equal(verifyLookup(absence, beside, ROOT), undefined);
  for (const outside of [held, keyAt(0x50), keyAt(0xc0)]) {
    assert.equal(outcome(() => verifyLookup(absence, outside, ROOT)), 'state_proof_not_covered');
  }
});

test('no other end and no other length leads to the root', () => {
  const held = keyAt(0x40);
  const { siblings } = path(held, 256);
  const judge = (proof: StateProof, key = held): string => outcome(() => verifyLookup(proof, key, ROOT));
  const end = value(0x40);
  assert.equal(judge({ siblings, end }), 'ok');
  assert.equal(judge({ siblings, end }, keyAt(0x41)), 'state_proof_root');
  assert.equal(judge({ siblings, end: undefined }), 'state_proof_root');
  assert.equal(judge({ siblings, end: value(0x41) }), 'state_proof_root');
  assert.equal(judge({ siblings, end: { key: keyAt(0x41), valueHash: sha256(end) } }), 'state_proof_root');
  assert.equal(judge({ siblings: siblings.slice(0, -1), end }), 'state_proof_root');
  assert.equal(judge({ siblings: [...siblings, EMPTY], end }), 'state_proof_root');
  assert.equal(rootOver(EMPTY, held, []), EMPTY);
});

test('a prefix proof shows the whole prefix and nothing else', () => {
  const asked = hash(`40${'00'.repeat(31)}`);
  const good = prefixProof(0x40, 2);
  const judge = (change: Partial<PrefixProof>, bits = 2): string =>
    outcome(() => verifyPrefix({ ...good, ...change }, asked, bits, ROOT));
  assert.equal(judge({}), 'ok');
  assert.equal(good.entries.length, 4);
  const [first] = good.entries as [PrefixProof['entries'][number]];
  const stranger = { key: keyAt(0x90), valueHash: sha256(value(0x90)) };
  const wrong: Partial<PrefixProof>[] = [
    { entries: good.entries.toReversed() },
    { entries: [first, ...good.entries] },
    { entries: [...good.entries.slice(0, 3), [keyAt(0x90), value(0x90)]] },
    { entries: Array.from({ length: 257 }, () => first) },
    { siblings: good.siblings.slice(1) },
    { siblings: [...good.siblings, EMPTY] },
    { other: stranger },
    { entries: [], other: stranger },
    prefixProof(0x40, 4),
    { ...prefixProof(0x40, 4), entries: [], other: { key: first[0], valueHash: sha256(first[1]) } },
  ];
  for (const [index, change] of wrong.entries()) {
    assert.equal(judge(change), 'state_proof_entries', `${index}`);
  }
  for (let at = 0; at < 4; at += 1) {
    assert.equal(judge({ entries: good.entries.toSpliced(at, 1) }), 'state_proof_root');
  }
  assert.equal(judge({ entries: [] }), 'state_proof_root');
  const bytes = encodePrefixProof(good);
  assert.deepEqual(decodePrefixProof(bytes), good);
  assert.equal(outcome(() => decodePrefixProof(fromHex('0000000101'))), 'state_proof_entries');
});

test('a path has one form', () => {
  const one = '01'.repeat(32);
  const judge = (bytes: string): string => outcome(() => decodeStateProof(fromHex(bytes)));
  assert.equal(judge(`000180${one}00`), 'ok');
  assert.equal(judge(`0001c0${one}00`), 'state_proof_malformed', 'a bit behind the length');
  assert.equal(judge(`000180${'00'.repeat(32)}00`), 'state_proof_malformed', 'nothing that has a hash');
  assert.equal(judge('000003'), 'state_proof_malformed', 'another kind of end');
  assert.equal(judge(`0100${'00'.repeat(32)}00`), 'ok');
  assert.equal(judge(`0101${'00'.repeat(33)}00`), 'state_proof_malformed', '257 levels');
  assert.equal(judge('00000000'), 'state_proof_malformed', 'a byte more');
});
