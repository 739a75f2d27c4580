/** Both refuse for the same reason: outcomes that the Rust crates' tests wrote down. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  CertificateCache,
  Reader,
  Writer,
  decodeSigned,
  follow,
  fromHex,
  parseDid,
  readEntry,
  toHex,
  utf8,
  verifyOperation,
  verifyProofFile,
  verifyStateAnswer,
  writeEntry,
} from '../src/index.js';
import type { Assurance, Entry, Hash, StateAnswer } from '../src/index.js';
import { assertFlips, hash, outcome, readVector } from './support.js';

/** What becomes of an operation on a DID as a block holds it. */
function judgeOperation(bytes: Uint8Array, charter: Hash): string {
  if (bytes.length > 16 * 1024) {
    return 'operation_too_long';
  }
  return bytes[0] === 1 ? outcome(() => verifyOperation(decodeSigned(bytes.slice(1)), charter)) : 'malformed_operation';
}

interface RefusedOperations {
  charter_hash: string;
  operations: { name: string; bytes: string; flips: string }[];
  wrong: { name: string; bytes: string; zeros: number; outcome: string }[];
  identifiers: { text: string; outcome: string }[];
}

test('operations with one byte changed are refused as in Rust', () => {
  const file = readVector<RefusedOperations>('refused_operations.json');
  const charter = hash(file.charter_hash);
  for (const { name, bytes, flips } of file.operations) {
    assert.equal(judgeOperation(fromHex(bytes), charter), 'ok', name);
    assertFlips(name, fromHex(bytes), flips, (changed) => {
      // the first byte says that it is an operation on a DID: others are not for this software
      const unsupported = outcome(() => decodeSigned(changed.slice(1))) === 'unsupported_key';
      return unsupported ? 'unsupported_key' : judgeOperation(changed, charter);
    });
  }
});

test('operations that are wrong as a whole are refused as in Rust', () => {
  const file = readVector<RefusedOperations>('refused_operations.json');
  for (const it of file.wrong) {
    const bytes = fromHex(it.bytes + '00'.repeat(it.zeros));
    assert.equal(judgeOperation(bytes, hash(file.charter_hash)), it.outcome, it.name);
  }
});

test('texts that are no DIDs are refused as in Rust', () => {
  for (const { text, outcome: expected } of readVector<RefusedOperations>('refused_operations.json').identifiers) {
    assert.equal(outcome(() => parseDid(text)), expected, text);
  }
});

interface Follow {
  charter: string;
  delays: { recovery: number; vetoed_recovery: number };
  states: Record<string, { entry: string | null; now: string }>;
  cases: {
    state: string;
    operation: string;
    bytes: string;
    assurance: { backing: Assurance['backing']; by: string; epoch: number; level: Assurance['level'] } | null;
    outcome: string;
    entry: string | null;
  }[];
}

function storedEntry(text: string): Entry {
  const bytes = new Uint8Array(333);
  bytes.set(fromHex(text));
  return readEntry(new Reader(bytes));
}

test('what may follow follows, and as in Rust', () => {
  const file = readVector<Follow>('follow.json');
  const delays = {
    recovery: BigInt(file.delays.recovery),
    vetoedRecovery: BigInt(file.delays.vetoed_recovery),
  };
  for (const it of file.cases) {
    const name = `${it.operation} when ${it.state}`;
    const state = file.states[it.state];
    assert.ok(state, name);
    const entry = state.entry === null ? undefined : storedEntry(state.entry);
    const operation = verifyOperation(decodeSigned(fromHex(it.bytes)), hash(file.charter));
    const assurance = it.assurance
      ? { ...it.assurance, by: hash(it.assurance.by), epoch: BigInt(it.assurance.epoch) }
      : undefined;
    const next = (): Entry => follow(entry, operation, BigInt(state.now), delays, assurance);
    assert.equal(outcome(next), it.outcome, name);
    if (it.entry !== null) {
      const encoded = toHex(writeEntry(new Writer(), next()).finish());
      assert.equal(encoded, it.entry.padEnd(666, '0'), name);
    }
  }
});

interface ProofFiles {
  charter_hash: string;
  other_charter_hash: string;
  network_key: string;
  files: { name: string; file: string; flips: string | null; verdict: Record<string, unknown> }[];
  wrong: { name: string; file: string; outcome: string }[];
  answers: {
    answer: StateAnswer;
    keys: string[];
    now: number;
    max_age: number;
    lowest_height: number;
    outcome: string;
  }[];
}

test('proof files prove what they prove in Rust', () => {
  const file = readVector<ProofFiles>('proof_files.json');
  const networkKey = fromHex(file.network_key);
  const charterHash = hash(file.charter_hash);
  for (const it of file.files) {
    const verdict = verifyProofFile(utf8(it.file), { networkKey, charterHash });
    const plain = { ...verdict, height: Number(verdict.height), time: Number(verdict.time) };
    assert.deepEqual(plain, it.verdict, it.name);
    assert.deepEqual(verifyProofFile(utf8(it.file), { networkKey }), verdict, 'the network key is enough');
    const elsewhere = { networkKey, charterHash: hash(file.other_charter_hash) };
    assert.equal(outcome(() => verifyProofFile(utf8(it.file), elsewhere)), 'proof_certificate_invalid');
  }
});

test('proof files with one byte changed are refused as in Rust', () => {
  const file = readVector<ProofFiles>('proof_files.json');
  const pinned = { networkKey: fromHex(file.network_key), charterHash: hash(file.charter_hash) };
  const cache = new CertificateCache();
  let tried = 0;
  for (const it of file.files) {
    const judge = (changed: Uint8Array): string => outcome(() => verifyProofFile(changed, pinned, cache));
    if (it.flips !== null) {
      tried += 1;
      assert.ok(!it.flips.includes('ok '), 'no byte can be changed');
      assertFlips(it.name, utf8(it.file), it.flips, judge);
    }
  }
  assert.equal(tried, 2);
});

test('proof files that are wrong in one thing are refused as in Rust', () => {
  const file = readVector<ProofFiles>('proof_files.json');
  const pinned = { networkKey: fromHex(file.network_key), charterHash: hash(file.charter_hash) };
  const cache = new CertificateCache();
  for (const it of file.wrong) {
    assert.equal(outcome(() => verifyProofFile(utf8(it.file), pinned, cache)), it.outcome, it.name);
  }
  const large = new Uint8Array((2 << 20) + 1);
  assert.equal(outcome(() => verifyProofFile(large, pinned)), 'proof_too_large');
});

test("a node's answer is believed or not, as in Rust", () => {
  const file = readVector<ProofFiles>('proof_files.json');
  const anchor = { networkKey: fromHex(file.network_key), charterHash: hash(file.charter_hash) };
  for (const [index, it] of file.answers.entries()) {
    const freshness = {
      now: BigInt(it.now),
      maxAge: BigInt(it.max_age),
      lowestHeight: BigInt(it.lowest_height),
    };
    const verify = () => verifyStateAnswer(it.answer, anchor, it.keys.map(hash), freshness);
    assert.equal(outcome(verify), it.outcome, `answer ${index}`);
    const other = { ...anchor, charterHash: hash(file.other_charter_hash) };
    const elsewhere = outcome(() => verifyStateAnswer(it.answer, other, it.keys.map(hash), freshness));
    assert.ok(['invalid_certificate', 'malformed_answer'].includes(elsewhere), 'of another network');
    if (it.outcome === 'ok') {
      const [published, ghost, ...others] = it.keys.map(hash);
      assert.ok(published && ghost && others[1]);
      const state = verify();
      assert.equal(state.did(published)?.version, 2);
      assert.equal(state.did(ghost), undefined);
      assert.equal(state.record(others[1])?.kind, 'epoch_key');
      assert.equal(outcome(() => state.accreditation(published)), 'not_proven');
    }
  }
});
