import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  JsonObject,
  SecretKey,
  checkVcBinding,
  jwkKey,
  jwkOf,
  parseIssuedSdJwt,
  parseIssuedVc,
  parseObject,
  parseSdJwt,
  parseVc,
  toPlain,
  utf8,
  verifySdJwt,
  verifyVc,
} from '../src/index.js';
import type { ClaimPath, Jwk, PublicKey } from '../src/index.js';
import { assertFlips, outcome, readVector } from './support.js';

/** The key of a JWK that must be one. */
function keyOf(jwk: Jwk): PublicKey {
  const key = jwkKey(parseObject(utf8(JSON.stringify(jwk))));
  assert.ok(key);
  assert.deepEqual(jwkOf(key), jwk);
  return key;
}

/** As `JSON.parse` would have it, which has no large integers, so that it can be compared with a vector. */
function plain(object: JsonObject): unknown {
  const rounded = (value: unknown): unknown => {
    if (typeof value === 'bigint') {
      return Number(value);
    }
    if (Array.isArray(value)) {
      return value.map(rounded);
    }
    const isObject = typeof value === 'object' && value !== null;
    return isObject ? Object.fromEntries(Object.entries(value).map(([name, it]) => [name, rounded(it)])) : value;
  };
  return rounded(toPlain(object));
}

interface Reference {
  issuer_key: Jwk;
  cases: {
    name: string;
    issuance: string;
    presentation: string;
    user_claims: object;
    verified: unknown;
    key_binding?: { aud: string; nonce: string; iat: number };
  }[];
}

test('the examples of RFC 9901 are read as the reference reads them', () => {
  const file = readVector<Reference>('sd_jwt_reference.json');
  const issuer = keyOf(file.issuer_key);
  assert.equal(file.cases.length, 16);
  for (const it of file.cases) {
    verifySdJwt(parseIssuedSdJwt(it.issuance), issuer);
    const shown = verifySdJwt(parseSdJwt(it.presentation), issuer);
    assert.deepEqual(plain(shown.claims), it.verified, it.name);
    assert.equal(shown.sdJwt.keyBinding !== undefined, Boolean(it.key_binding));
    if (it.key_binding) {
      const { aud: audience, nonce, iat } = it.key_binding;
      const bound = shown.checkKeyBinding({ audience, nonce, now: iat + 10, maxAge: 60 });
      assert.deepEqual(plain(bound), it.key_binding);
    }
  }
});

interface Credentials {
  audience: string;
  nonce: string;
  time: number;
  cases: {
    algorithm: 'ES256' | 'EdDSA' | 'SM2SM3';
    issued: string;
    presented: string;
    claims: unknown;
    shown: unknown;
    issuer_key: Jwk;
  }[];
}

test('credentials are read, shown in part and bound as in Rust', () => {
  const file = readVector<Credentials>('credential.json');
  const times = { now: file.time, leeway: 60 };
  for (const it of file.cases) {
    if (it.algorithm === 'SM2SM3') {
      assert.equal(outcome(() => parseVc(it.presented)), 'credential_unknown_hash', 'SM3 is not known here');
      continue;
    }
    const issuer = keyOf(it.issuer_key);
    const issued = verifyVc(parseIssuedVc(it.issued), issuer, times);
    assert.deepEqual(plain(issued.sdJwt.claims), it.claims);
    const paths: ClaimPath[] = [
      ['classes', 1],
      ['address', 'city'],
    ];
    const presentation = issued.sdJwt.select(paths);
    const holder = SecretKey.fromSeed(it.algorithm, new Uint8Array(32).fill(22));
    const claims = { audience: file.audience, nonce: file.nonce, issuedAt: file.time };
    assert.equal(presentation.bind(holder, claims), it.presented, 'the very same presentation');
    const shown = verifyVc(parseVc(it.presented), issuer, times);
    assert.deepEqual(plain(shown.sdJwt.claims), it.shown);
    const expected = { audience: file.audience, nonce: file.nonce, now: file.time, maxAge: 300 };
    assert.equal(outcome(() => checkVcBinding(shown, expected)), 'ok');
    assert.equal(outcome(() => parseIssuedVc(it.presented)), 'credential_already_bound');
    assert.equal(outcome(() => issued.sdJwt.select([['nobody']])), 'nothing_there');
  }
});

interface RefusedCredentials {
  issuer_key: Jwk;
  audience: string;
  nonce: string;
  now: number;
  presented: string;
  flips: string;
  cases: { name: string; text: string; bound: boolean; outcome: string; claims: unknown }[];
}

test('credentials are refused as in Rust', () => {
  const file = readVector<RefusedCredentials>('refused_credentials.json');
  const issuer = keyOf(file.issuer_key);
  const expected = { audience: file.audience, nonce: file.nonce, now: file.now, maxAge: 300 };
  const judge = (text: string, bound: boolean): string =>
    outcome(() => {
      const vc = verifyVc(parseVc(text), issuer, { now: file.now, leeway: 60 });
      return bound && checkVcBinding(vc, expected);
    });
  for (const it of file.cases) {
    assert.equal(judge(it.text, it.bound), it.outcome, `${it.name}: ${it.text}`);
    if (it.outcome === 'ok') {
      const vc = verifyVc(parseVc(it.text), issuer, { now: file.now, leeway: 60 });
      assert.deepEqual(plain(vc.sdJwt.claims), it.claims, it.name);
    }
  }
  assert.ok(!file.flips.includes('ok '), 'no byte can be changed');
  assertFlips('a presentation', utf8(file.presented), file.flips, (changed) =>
    judge(new TextDecoder().decode(changed), true),
  );
});
