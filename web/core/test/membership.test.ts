/** What no honest node sends: proofs over logs made up for the purpose, each right but for one thing. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { sha256 } from '@noble/hashes/sha2.js';

import { Writer, concat, decodeStateProof, fromHex, utf8, verifyLookup } from '../src/index.js';
import { verifyMembership } from '../src/membership.js';
import type { Membership } from '../src/membership.js';
import { assertFlips, hash, outcome, readVector } from './support.js';

const u64 = (value: number): Uint8Array => new Writer().u64(BigInt(value)).finish();
const write = (location: number): Uint8Array => utf8(`write ${location}`);
const LOG_ROOT = new Uint8Array(32).fill(9);

/** The chunk of the bitmap in which these writes are in force. */
function chunkOf(...active: number[]): Uint8Array {
  const chunk = new Uint8Array(32);
  active.forEach((bit) => {
    chunk[bit >> 3] = (chunk[bit >> 3] ?? 0) | (1 << (bit & 7));
  });
  return chunk;
}

/** Three writes: a tree over the first two (node 2 over 0 and 1), and the third (node 3) by itself. */
function three(location: 0 | 1 | 2, chunk: Uint8Array, partial = true): { proof: Membership; root: Uint8Array } {
  const leaves = [0, 1, 3].map((position, index) => sha256(concat(u64(position), write(index))));
  const [first, second, third] = leaves as [Uint8Array, Uint8Array, Uint8Array];
  const pair = sha256(concat(u64(2), first, second));
  const digests = location === 2 ? [pair] : [third, location === 0 ? second : first];
  const activity = sha256(concat(Uint8Array.of(0, 1), u64(3), sha256(concat(pair, third))));
  const partialChunk = sha256(chunk);
  const tail = partial ? [u64(3), partialChunk] : [];
  return {
    root: sha256(concat(LOG_ROOT, activity, ...tail)),
    proof: {
      location: BigInt(location),
      chunk,
      leaves: 3n,
      inactivePeaks: 0n,
      digests,
      partialChunk: partial ? partialChunk : undefined,
      logRoot: LOG_ROOT,
    },
  };
}

test('a write is proven only while it is in force', () => {
  for (const location of [0, 1, 2] as const) {
    for (const chunk of [chunkOf(0, 1, 2), chunkOf(1, 2), chunkOf(0), chunkOf()]) {
      const { proof, root } = three(location, chunk);
      const inForce = (((chunk[0] ?? 0) >> location) & 1) === 1;
      assert.equal(verifyMembership(proof, write(location), root), inForce);
      assert.ok(!verifyMembership(proof, write(location + 1), root), 'another write');
    }
  }
});

test('the bitmap goes into the root as it must', () => {
  const { proof, root } = three(1, chunkOf(1));
  assert.ok(verifyMembership(proof, write(1), root));
  assert.ok(!verifyMembership({ ...proof, chunk: chunkOf(0, 1) }, write(1), root), 'another chunk than is hashed');
  const without = three(1, chunkOf(1), false);
  assert.ok(!verifyMembership(without.proof, write(1), without.root), 'the incomplete chunk is left out');
});

test('places and counts that cannot be', () => {
  const { proof, root } = three(2, chunkOf(0, 1, 2, 3));
  assert.ok(verifyMembership(proof, write(2), root));
  for (const wrong of [{ location: 3n }, { leaves: 2n }, { leaves: 4n }, { inactivePeaks: 1n }, { inactivePeaks: 3n }]) {
    assert.ok(!verifyMembership({ ...proof, ...wrong }, write(2), root), JSON.stringify(Object.keys(wrong)));
  }
  for (const digests of [[], [...proof.digests, ...proof.digests]]) {
    assert.ok(!verifyMembership({ ...proof, digests }, write(2), root), `${digests.length} digests`);
  }
});

test('a digest too few or too many does not lead to the root', () => {
  const { present, header } = readVector<{
    present: { key: string; proof: string };
    header: { state_root: string };
  }>('light_client.json');
  const proof = decodeStateProof(fromHex(present.proof));
  const judge = (digests: readonly Uint8Array[]): string => {
    const changed = { ...proof, membership: { ...proof.membership, digests } };
    return outcome(() => verifyLookup(changed, hash(present.key), hash(header.state_root)));
  };
  const { digests } = proof.membership;
  assert.equal(judge(digests), 'ok');
  assert.equal(judge(digests.slice(1)), 'state_proof_root');
  assert.equal(judge(digests.slice(0, -1)), 'state_proof_root');
  assert.equal(judge([...digests, new Uint8Array(32)]), 'state_proof_root');
  assert.equal(judge([]), 'state_proof_root');
});

interface LargeState {
  root: string;
  cases: { key: string; present: boolean; proof: string; flips: string }[];
}

test('proofs in a large state, with whole chunks and peaks that are behind the floor', () => {
  const file = readVector<LargeState>('large_state.json');
  const root = hash(file.root);
  let inactive = 0;
  let whole = 0;
  for (const it of file.cases) {
    const key = hash(it.key);
    const bytes = fromHex(it.proof);
    const proof = decodeStateProof(bytes);
    assert.equal(verifyLookup(proof, key, root) !== undefined, it.present, it.key);
    const { location, leaves, inactivePeaks } = proof.membership;
    inactive += Number(inactivePeaks > 0n);
    whole += Number(location / 256n < leaves / 256n);
    const [head, tail] = [bytes.slice(0, 2 * 32 + 384), bytes.slice(2 * 32 + 384)];
    assert.ok(!it.flips.includes('ok '));
    assertFlips(it.key, tail, it.flips, (changed) =>
      outcome(() => verifyLookup(decodeStateProof(concat(head, changed)), key, root)),
    );
  }
  assert.ok(inactive > 0 && whole > 0, 'the cases are what they are meant to be');
});
