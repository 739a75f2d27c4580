/**
 * What this software makes, frozen: tests of the Rust crates read `vectors/typescript.json` and accept all of
 * it. `REALDID_BLESS=1` writes the file.
 */

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';

import {
  Purposes,
  SecretKey,
  ZERO_HASH,
  authenticationKey,
  base64urlEncode,
  concat,
  decodeSigned,
  didText,
  documentData,
  encodeInception,
  encodeSigned,
  hashBytes,
  hashOf,
  inceptionHash,
  jwkKey,
  keyUrl,
  keysCommitment,
  longForm,
  operationHash,
  parseIssuedVc,
  parseObject,
  recoveryCommitment,
  signLogin,
  signOperation,
  toHex,
  utf8,
  verifyOperation,
  verifyVc,
} from '../src/index.js';
import type { Action, ClaimPath, Hash, Inception, Jwk, KeyType, Operation, Rotation } from '../src/index.js';
import { hash, readVector, vectorPath } from './support.js';

const FILE = 'typescript.json';
const CHARTER = hash('c4'.repeat(32));
const NETWORK = 'sandbox';

/** A holder whose keys and salts are repetitions of one byte. */
function holder(kind: KeyType, start: number) {
  const seed = (number: number): Uint8Array => new Uint8Array(32).fill(start + number);
  const key = (generation: number): SecretKey => SecretKey.fromSeed(kind, seed(generation));
  const recoveryKey = SecretKey.fromSeed(kind, seed(20));
  const salt = (generation: number): Uint8Array => seed(40 + generation);
  const recovery = { key: recoveryKey.publicKey(), salt: salt(9) };
  const document = (generation: number) => {
    const first = { purposes: Purposes.AUTHENTICATION | Purposes.ASSERTION, key: key(generation).publicKey() };
    const second = authenticationKey(key(generation + 10).publicKey());
    const service = { id: 'mail', kind: 'Mailbox', endpoint: `https://mail.example/${generation}` };
    return documentData([first, second], generation === 0 ? [service] : []);
  };
  const next = (generation: number): Hash =>
    keysCommitment({ keys: document(generation).keys, salt: salt(generation) }, CHARTER);
  const inception: Inception = {
    charter: CHARTER,
    document: document(0),
    next: next(1),
    recovery: recoveryCommitment(recovery, CHARTER),
  };
  const rotation = (to: number): Rotation => ({ document: document(to), salt: salt(to), next: next(to + 1) });
  return { key, recoveryKey, recovery, document, next, salt, inception, rotation };
}

/** Every kind of operation, each naming the one before it, as far as they can follow each other. */
function operations(kind: KeyType, start: number) {
  const owner = holder(kind, start);
  const did = inceptionHash(owner.inception);
  const founding = { inception: owner.inception, authorization: { kind: 'charter', seat: 3 } } as const;
  const token = new Uint8Array(320).fill(7);
  const recover = (first: boolean): Action => ({
    kind: 'recover',
    founding: first ? founding : undefined,
    reveal: owner.recovery,
    document: owner.document(5),
    next: owner.next(6),
    recovery: recoveryCommitment({ ...owner.recovery, salt: owner.salt(8) }, CHARTER),
  });
  const sponsored = {
    sponsor: did,
    document: owner.document(0),
    signer: 0,
    signature: owner.key(0).sign({ label: 'realdid/sponsorship/v1', charter: CHARTER }, hashBytes(did)),
  };
  const authority = hash('a0'.repeat(32));
  const cases: [string, Hash, Action, number, SecretKey][] = [
    ['publish', ZERO_HASH, { kind: 'publish', founding }, 0, owner.key(0)],
    ['publish, by token and the second key', ZERO_HASH, {
      kind: 'publish',
      founding: { ...founding, authorization: { kind: 'token', authority, token } },
    }, 1, owner.key(10)],
    ['publish, sponsored', ZERO_HASH, {
      kind: 'publish',
      founding: { ...founding, authorization: { kind: 'sponsored', sponsorship: sponsored } },
    }, 0, owner.key(0)],
    ['update', did, { kind: 'update', rotation: owner.rotation(1) }, 0, owner.key(1)],
    ['renew', did, { kind: 'renew', document: owner.document(0), authority, token }, 0, owner.key(0)],
    ['recover', did, recover(false), 0, owner.recoveryKey],
    ['recover, as the first', ZERO_HASH, recover(true), 0, owner.recoveryKey],
    ['deactivate by the next keys', did, {
      kind: 'deactivate',
      reveal: { kind: 'next', reveal: { keys: owner.document(1).keys, salt: owner.salt(1) } },
    }, 0, owner.key(1)],
    ['deactivate by the recovery key, as the first', ZERO_HASH, {
      kind: 'deactivate',
      founding,
      reveal: { kind: 'recovery', reveal: owner.recovery },
    }, 0, owner.recoveryKey],
    ['veto', did, { kind: 'veto', rotation: owner.rotation(1) }, 0, owner.key(1)],
  ];
  return cases.map(([name, previous, action, signer, key]) => {
    const operation: Operation = { charter: CHARTER, did, previous, action };
    const bytes = encodeSigned(signOperation(operation, signer, key));
    assert.equal(verifyOperation(decodeSigned(bytes), CHARTER).hash, operationHash(operation));
    return { name, bytes: toHex(bytes), hash: operationHash(operation), did: didText({ network: NETWORK, hash: did }) };
  });
}

/** A login by each type of key; the token in it is one in form alone. */
function logins() {
  return (['EdDSA', 'ES256'] as const).map((kind) => {
    const owner = holder(kind, 100);
    const did = { network: NETWORK, hash: inceptionHash(owner.inception) };
    const claims = {
      iss: didText(did),
      did: longForm(did, owner.inception),
      aud: 'x509_san_dns:site.example',
      nonce: 'a nonce of enough length',
      iat: 1_800_000_000n,
      exp: 1_800_000_120n,
      charter: base64urlEncode(hashBytes(CHARTER)),
      token: base64urlEncode(concat(hashBytes(hash('11'.repeat(32))), new Uint8Array(288))),
      credentials: [base64urlEncode(hashBytes(hashOf(new Uint8Array(32).fill(5)))), 'ü'],
    };
    const key = owner.key(0);
    return {
      algorithm: kind,
      did: claims.iss,
      inception: toHex(encodeInception(owner.inception)),
      presentation: signLogin(claims, keyUrl(did, key.publicKey()), key),
    };
  });
}

interface Credentials {
  audience: string;
  nonce: string;
  time: number;
  cases: { algorithm: KeyType | 'SM2SM3'; issued: string; issuer_key: Jwk }[];
}

/** The credentials of `credential.json`, shown in other parts and bound with one claim more. */
function presentations() {
  const file = readVector<Credentials>('credential.json');
  const choices: ClaimPath[][] = [[], [['name']], [['classes', null], ['address', 'city']]];
  return file.cases.flatMap((it) => {
    if (it.algorithm === 'SM2SM3') {
      return [];
    }
    const issuer = jwkKey(parseObject(utf8(JSON.stringify(it.issuer_key))));
    assert.ok(issuer);
    const vc = verifyVc(parseIssuedVc(it.issued), issuer, { now: file.time, leeway: 60 });
    const key = SecretKey.fromSeed(it.algorithm, new Uint8Array(32).fill(22));
    const claims = {
      audience: file.audience,
      nonce: file.nonce,
      issuedAt: file.time,
      more: { transaction_data_hashes: ['AA'], aud: 'nobody' },
    };
    return choices.map((paths) => ({
      issuer_key: it.issuer_key,
      paths,
      presented: vc.sdJwt.select(paths).bind(key, claims),
    }));
  });
}

test('what is made here is frozen', () => {
  const made = {
    description:
      'Made by the core for browsers and accepted by the Rust crates: operations of every kind, logins (their token ' +
      'is none), credentials of credential.json shown in part and bound with one claim more.',
    source: 'web/core/test/made.test.ts; keys and salts are repetitions of one byte',
    charter: CHARTER,
    operations: [...operations('EdDSA', 1), ...operations('ES256', 60)],
    logins: logins(),
    presentations: presentations(),
  };
  const text = `${JSON.stringify(made, null, 2)}\n`;
  if (process.env['REALDID_BLESS'] === '1') {
    writeFileSync(vectorPath(FILE), text);
  }
  assert.deepEqual(made, readVector(FILE), 'vectors/typescript.json is frozen; see vectors/README.md');
});
