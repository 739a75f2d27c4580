// A stock OAuth client at the authority's authorization server: PAR, PKCE, DPoP, and the credential.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import * as client from 'openid-client';
import { AUTHORITY, aPerson, codesSoFar, newestCode } from '../shared/country.mjs';
import { Browser } from '../shared/browser.mjs';

const redirectUri = 'http://127.0.0.1:9/wallet';
let config;

before(async () => {
  const options = { algorithm: 'oauth2', execute: [client.allowInsecureRequests] };
  config = await client.discovery(new URL(AUTHORITY), 'https://wallet.example', undefined, client.None(), options);
});

test('the metadata of RFC 8414 tells what an OAuth client needs', () => {
  const metadata = config.serverMetadata();
  assert.equal(metadata.issuer, AUTHORITY);
  assert(metadata.supportsPKCE());
  assert(metadata.pushed_authorization_request_endpoint);
  assert(metadata.dpop_signing_alg_values_supported.includes('ES256'));
  assert(metadata.authorization_response_iss_parameter_supported);
});

async function tokens() {
  const person = await aPerson();
  const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'));
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const expectedState = client.randomState();
  const url = await client.buildAuthorizationUrlWithPAR(config, {
    redirect_uri: redirectUri,
    scope: 'realname',
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: expectedState,
  }, { DPoP });
  const browser = new Browser();
  const page = await browser.visit(url);
  const before = await codesSoFar();
  const asked = await browser.submit(page, { name: person.name, number: person.number });
  const callback = (await browser.submit(asked, { code: await newestCode(before) }, redirectUri)).url;
  const response = await client.authorizationCodeGrant(config, callback, { pkceCodeVerifier, expectedState }, undefined, { DPoP });
  return { response, DPoP, callback, checks: { pkceCodeVerifier, expectedState } };
}

test('a person, a browser and a stock client get a token bound to a key, and with it a credential', async () => {
  const { response, DPoP } = await tokens();
  assert.equal(response.token_type, 'dpop');
  const metadata = await (await fetch(`${AUTHORITY}/.well-known/openid-credential-issuer`)).json();
  const { c_nonce: nonce } = await (await fetch(metadata.nonce_endpoint, { method: 'POST' })).json();
  const proof = await proofOf(nonce, metadata.credential_issuer);
  const body = JSON.stringify({ credential_configuration_id: 'realname', proofs: { jwt: [proof] } });
  const headers = new Headers({ 'content-type': 'application/json' });
  const answer = await client.fetchProtectedResource(
    config, response.access_token, new URL(metadata.credential_endpoint), 'POST', body, headers, { DPoP },
  );
  assert.equal(answer.status, 200);
  assert.equal((await answer.json()).credentials.length, 1);
});

test('a token bound to a key is of no use without it', async () => {
  const { response } = await tokens();
  const metadata = await (await fetch(`${AUTHORITY}/.well-known/openid-credential-issuer`)).json();
  const answer = await fetch(metadata.credential_endpoint, {
    method: 'POST', body: '{}', headers: { authorization: `Bearer ${response.access_token}`, 'content-type': 'application/json' },
  });
  assert.equal(answer.status, 401);
  assert.match(answer.headers.get('www-authenticate'), /DPoP/);
});

test('a code works once', async () => {
  const { callback, checks } = await tokens();
  await assert.rejects(client.authorizationCodeGrant(config, callback, checks), { error: 'invalid_grant' });
});

const encoded = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

async function proofOf(nonce, audience) {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const { publicKey, privateKey } = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', publicKey);
  const header = { typ: 'openid4vci-proof+jwt', alg: 'ES256', jwk: { kty, crv, x, y } };
  const payload = { aud: audience, iat: Math.floor(Date.now() / 1000), nonce };
  const input = `${encoded(header)}.${encoded(payload)}`;
  const signature = await crypto.subtle.sign(algorithm, privateKey, Buffer.from(input));
  return `${input}.${Buffer.from(signature).toString('base64url')}`;
}
