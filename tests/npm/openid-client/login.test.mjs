// A stock OpenID Connect client logs a person in against the running system.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as client from 'openid-client';
import { Browser, walletLink } from '../shared/browser.mjs';
import { Holder, SIGNIN as issuer, register } from '../shared/country.mjs';

const redirectUri = 'http://127.0.0.1:9/callback'; // nobody need listen: the test stops there
let config;
let holder;

before(async () => {
  const mayAsk = ['--may-ask', 'urn:realdid:realname:1'];
  const { client_id: id, client_secret: secret } = await register('Node site', redirectUri, ...mayAsk);
  const options = { execute: [client.allowInsecureRequests] };
  config = await client.discovery(new URL(issuer), id, undefined, client.ClientSecretBasic(secret), options);
  holder = await Holder.enrolled();
});
after(() => holder?.leave());

/** From the relying party's link to its callback and the tokens; PAR or not. */
async function login(buildUrl, scope = 'openid realname_verified') {
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const checks = {
    pkceCodeVerifier,
    expectedState: client.randomState(),
    expectedNonce: client.randomNonce(),
    idTokenExpected: true,
  };
  const url = await buildUrl(config, {
    redirect_uri: redirectUri,
    scope,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: checks.expectedState,
    nonce: checks.expectedNonce,
  });
  const browser = new Browser();
  const page = await browser.visit(url);
  assert.equal(page.status, 200, page.text);
  const next = await holder.answer(walletLink(page.text));
  const callback = await browser.visit(next, redirectUri);
  return { callback: callback.url, checks };
}

async function subject(buildUrl) {
  const { callback, checks } = await login(buildUrl);
  assert.equal(callback.searchParams.get('iss'), issuer, 'RFC 9207');
  const tokens = await client.authorizationCodeGrant(config, callback, checks);
  const claims = tokens.claims();
  assert.equal(claims.realname_verified, true);
  const userinfo = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
  assert.equal(userinfo.sub, claims.sub);
  return claims.sub;
}

test('discovery tells what a client needs', () => {
  const metadata = config.serverMetadata();
  assert.equal(metadata.issuer, issuer);
  assert(metadata.supportsPKCE());
  assert(metadata.authorization_response_iss_parameter_supported);
  assert(metadata.pushed_authorization_request_endpoint);
});

test('the same person is the same subject, with and without PAR', async () => {
  const first = await subject(client.buildAuthorizationUrl);
  const second = await subject(client.buildAuthorizationUrlWithPAR);
  assert.match(first, /^did:real:/);
  assert.equal(second, first);
});

test('a code works once', async () => {
  const { callback, checks } = await login(client.buildAuthorizationUrl);
  await client.authorizationCodeGrant(config, callback, checks);
  await assert.rejects(client.authorizationCodeGrant(config, callback, checks), { error: 'invalid_grant' });
});

test('a code needs the verifier it was asked for with', async () => {
  const { callback, checks } = await login(client.buildAuthorizationUrl);
  const other = { ...checks, pkceCodeVerifier: client.randomPKCECodeVerifier() };
  await assert.rejects(client.authorizationCodeGrant(config, callback, other), { error: 'invalid_grant' });
});

test('an unregistered redirect address is not redirected to', async () => {
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: `${redirectUri}/elsewhere`,
    scope: 'openid',
    code_challenge: await client.calculatePKCECodeChallenge(client.randomPKCECodeVerifier()),
    code_challenge_method: 'S256',
  });
  const page = await new Browser().visit(url);
  assert.equal(page.status, 400);
});

test('prompt=none is answered, without a page', async () => {
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    scope: 'openid',
    prompt: 'none',
    state: 'here',
    code_challenge: await client.calculatePKCECodeChallenge(client.randomPKCECodeVerifier()),
    code_challenge_method: 'S256',
  });
  const { url: callback } = await new Browser().visit(url, redirectUri);
  assert.equal(callback.searchParams.get('error'), 'login_required');
  assert.equal(callback.searchParams.get('state'), 'here');
});

test('age_over_18 tells that and no more, profile tells the name; the subject stays', async () => {
  const known = await subject(client.buildAuthorizationUrl);
  const claimsOf = async (scope) => {
    const { callback, checks } = await login(client.buildAuthorizationUrl, scope);
    const tokens = await client.authorizationCodeGrant(config, callback, checks);
    return { ...tokens.claims(), ...await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub) };
  };
  const age = await claimsOf('openid realname_verified age_over_18');
  assert.equal(typeof age.age_over_18, 'boolean');
  assert.equal(age.sub, known);
  for (const name of ['name', 'given_name', 'family_name', 'birthdate', 'age_over_21']) assert.equal(age[name], undefined);
  const profile = await claimsOf('openid profile');
  assert.equal(profile.sub, known);
  assert.match(profile.birthdate, /^\d{4}-\d\d-\d\d$/);
  assert(profile.name && profile.given_name && profile.family_name);
  assert.equal(profile.age_over_18, undefined);
});
