import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  PublicKey,
  SecretKey,
  decodeInception,
  decodeSigned,
  didDocument,
  didText,
  documentHash,
  encodeInception,
  encodeSigned,
  fromHex,
  inceptionHash,
  keysCommitment,
  longForm,
  parseDid,
  recoveryCommitment,
  toHex,
  utf8,
  verifyOperation,
} from '../src/index.js';
import type { KeyType } from '../src/index.js';
import { hash, outcome, readVector } from './support.js';

test('signatures are those of the Rust crates', () => {
  interface Case {
    charter: string;
    key_type: KeyType | 'SM2SM3';
    label: string;
    message: string;
    public_key: string;
    seed: string;
    signature: string;
  }
  const { cases } = readVector<{ cases: Case[] }>('signatures.json');
  for (const it of cases) {
    if (it.key_type === 'SM2SM3') {
      assert.equal(outcome(() => PublicKey.fromMultikey(it.public_key)), 'unsupported');
      continue;
    }
    const key = SecretKey.fromSeed(it.key_type, fromHex(it.seed));
    const domain = { label: it.label, charter: hash(it.charter) };
    const message = fromHex(it.message);
    assert.equal(key.publicKey().toString(), it.public_key);
    assert.equal(toHex(key.sign(domain, message)), it.signature);
    const publicKey = PublicKey.fromMultikey(it.public_key);
    assert.ok(publicKey.verify(domain, message, fromHex(it.signature)));
    assert.ok(!publicKey.verify({ ...domain, label: 'x' }, message, fromHex(it.signature)));
  }
});

test('Ed25519 is judged as the Rust crates judge it', () => {
  interface Case {
    name: string;
    key: string;
    public_key: string;
    message: string;
    signature: string;
    signature_accepted: boolean;
  }
  const { cases } = readVector<{ cases: Case[] }>('ed25519_edge.json');
  const verdicts: Record<string, string> = {
    ok: 'accepted',
    small_order: 'the key has small order',
    not_on_curve: 'the key is not a canonical point on its curve',
  };
  for (const it of cases) {
    const bytes = fromHex(it.public_key);
    assert.equal(verdicts[outcome(() => PublicKey.fromBytes('EdDSA', bytes))], it.key, it.name);
    if (it.key === 'accepted') {
      const key = PublicKey.fromBytes('EdDSA', bytes);
      const domain = { label: 'realdid/test/v1', charter: hash('c4'.repeat(32)) };
      const holds = key.verify(domain, fromHex(it.message), fromHex(it.signature));
      assert.equal(holds, it.signature_accepted, it.name);
    }
  }
});

test('identifiers, inceptions and documents', () => {
  interface Case {
    did: string;
    document: unknown;
    document_hash: string;
    hash: string;
    inception: string;
    key_type: string;
    long_form: string;
  }
  const { cases } = readVector<{ cases: Case[] }>('identifiers.json');
  for (const it of cases) {
    if (it.key_type === 'SM2SM3') {
      assert.equal(outcome(() => decodeInception(fromHex(it.inception))), 'unsupported');
      continue;
    }
    const inception = decodeInception(fromHex(it.inception));
    assert.equal(toHex(encodeInception(inception)), it.inception);
    assert.equal(inceptionHash(inception), it.hash);
    assert.equal(documentHash(inception.document), it.document_hash);
    const { did } = parseDid(it.did);
    assert.equal(didText(did), it.did);
    assert.equal(did.hash, it.hash);
    assert.equal(longForm(did, inception), it.long_form);
    assert.deepEqual(parseDid(it.long_form).inception, inception);
    assert.deepEqual(didDocument(did, inception.document), it.document);
  }
});

test('commitments', () => {
  interface Case {
    charter: string;
    next_commitment: string;
    next_key: string;
    next_purposes: number;
    next_salt: string;
    recovery_commitment: string;
    recovery_key: string;
    recovery_salt: string;
  }
  const { cases } = readVector<{ cases: Case[] }>('commitments.json');
  let compared = 0;
  for (const it of cases) {
    if (outcome(() => PublicKey.fromMultikey(it.next_key)) === 'unsupported') {
      continue;
    }
    compared += 1;
    const next = { purposes: it.next_purposes, key: PublicKey.fromMultikey(it.next_key) };
    const opened = keysCommitment({ keys: [next], salt: fromHex(it.next_salt) }, hash(it.charter));
    assert.equal(opened, it.next_commitment);
    const key = PublicKey.fromMultikey(it.recovery_key);
    assert.equal(
      recoveryCommitment({ key, salt: fromHex(it.recovery_salt) }, hash(it.charter)),
      it.recovery_commitment,
    );
  }
  assert.equal(compared, 2);
});

test('operations decode, encode and verify', () => {
  interface Case {
    bytes: string;
    charter: string;
    did_hash: string;
    hash: string;
    name: string;
    previous: string;
  }
  const { cases } = readVector<{ cases: Case[] }>('operations.json');
  for (const it of cases) {
    const signed = decodeSigned(fromHex(it.bytes));
    assert.equal(toHex(encodeSigned(signed)), it.bytes, it.name);
    const verified = verifyOperation(signed, hash(it.charter));
    assert.equal(verified.hash, it.hash, it.name);
    assert.equal(signed.operation.did, it.did_hash);
    assert.equal(signed.operation.previous, it.previous);
    assert.equal(outcome(() => verifyOperation(signed, hash('00'.repeat(32)))), 'other_network');
  }
});

test('operations on DIDs in a block', () => {
  const file = readVector<{ charter_hash: string; cases: { name: string; bytes: string; hash: string }[] }>(
    'ledger_operations.json',
  );
  const onDids = file.cases.filter(({ bytes }) => bytes.startsWith('01'));
  assert.equal(onDids.length, 4);
  for (const it of onDids) {
    const signed = decodeSigned(fromHex(it.bytes).slice(1));
    assert.equal(verifyOperation(signed, hash(file.charter_hash)).hash, it.hash, it.name);
  }
});

test('a secret key does not get into JSON', () => {
  const key = SecretKey.fromSeed('EdDSA', utf8('0123456789abcdef0123456789abcdef'));
  assert.equal(JSON.stringify({ key }), '{"key":"SecretKey(EdDSA)"}');
});
