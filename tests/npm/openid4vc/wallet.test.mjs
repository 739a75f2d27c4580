// Another wallet with our authority, our licence issuer and our verifier.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import * as jose from 'jose';
import {
  AUTHORITY, ISSUER, RelyingParty, aPerson, approve, change, codesSoFar, licenceOffer, newestCode, roots as rootsOf,
} from '../shared/country.mjs';
import { Browser } from '../shared/browser.mjs';
import { claimsOf, verify } from './credential.mjs';
import { newChain, newKey, thumbprint } from './crypto.mjs';
import { Wallet } from './wallet.mjs';

const REALNAME = 'urn:realdid:realname:1';
const LICENCE = 'urn:realdid:driving_licence:1';
const redirectUri = 'http://127.0.0.1:9/wallet'; // nobody need listen: the browser stops there

/** What the authority offers to whoever says so; the code goes to the contact on record. */
async function authorityOffer({ name, number }) {
  const response = await fetch(`${AUTHORITY}/v1/credential-offers/identify`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ name, number }),
  });
  assert.equal(response.status, 201);
  return (await response.json()).link;
}

/** Whether an authorization server refused with this code. */
const refused = (code) => (error) => error.errorResponse?.error === code;

const ages = { credentials: [{ id: 'licence', format: 'dc+sd-jwt', meta: { vct_values: [LICENCE] }, claims: [{ path: ['age_over_21'] }] }] };

let roots;
let folder;
before(async () => {
  roots = await rootsOf('authority', 'issuer');
  folder = await mkdtemp(join(tmpdir(), 'realdid-certificates-'));
});
after(() => rm(folder, { recursive: true }));

/** A wallet with a licence, long-lived or in copies. */
async function driving(credential = 'driving_licence', copies = 1) {
  const wallet = new Wallet({ roots });
  const { link: offer, record } = await licenceOffer({ credential });
  const redeemed = await wallet.redeem(offer);
  await wallet.request(redeemed, { copies });
  return { record, wallet, redeemed };
}

test('the authority offers the real-name credential; the code that was sent gets it, bound to a key', async () => {
  const person = await aPerson();
  const before = await codesSoFar();
  const offer = await authorityOffer(person);
  const wallet = new Wallet();
  const redeemed = await wallet.redeem(offer, { txCode: await newestCode(before) });
  assert.equal(redeemed.tokens.accessTokenResponse.token_type, 'DPoP');
  const { response } = await wallet.request(redeemed, { copies: 3 });
  assert.equal(response.credentials.length, 3);
  for (const { compact, key } of wallet.credentials) {
    const claims = await verify(compact, { roots });
    assert.equal(claims.vct, REALNAME);
    assert.equal(await thumbprint(claims.cnf.jwk), await thumbprint(key.publicJwk));
    assert.equal(claims.name, person.name);
    assert.equal(claims.status, undefined, 'copies have no status');
    assert(claims.exp - claims.iat <= 14 * 86_400);
  }
  await wallet.notify(redeemed, response.notification_id);
});

test('a wrong transaction code gets nothing', async () => {
  const offer = await authorityOffer(await aPerson());
  const denied = new Wallet().redeem(offer, { txCode: '000000' });
  await assert.rejects(denied, refused('invalid_grant'));
});

test('a browser, the code that was sent, PAR, PKCE and DPoP get the real-name credential', async () => {
  const person = await aPerson();
  const wallet = new Wallet({ clientId: 'https://wallet.example' });
  const offer = `openid-credential-offer://?credential_offer=${encodeURIComponent(JSON.stringify({
    credential_issuer: AUTHORITY, credential_configuration_ids: ['realname'], grants: { authorization_code: {} },
  }))}`;
  const redeemed = await wallet.authorize(offer, {
    redirectUri, scope: 'realname',
    browse: async (url) => {
      const browser = new Browser();
      const page = await browser.visit(url);
      assert.equal(page.status, 200, page.text);
      const before = await codesSoFar();
      const asked = await browser.submit(page, { name: person.name, number: person.number });
      const end = await browser.submit(asked, { code: await newestCode(before) }, redirectUri);
      assert(end.url.href.startsWith(redirectUri), `the browser ended at ${end.url}`);
      return end.url;
    },
  });
  await wallet.request(redeemed);
  assert.equal((await verify(wallet.credentials[0].compact, { roots })).vct, REALNAME);
});

for (const way of ['x5c', 'did', 'metadata']) {
  test(`the issuer's key is found by ${way}`, async () => {
    const { wallet } = await driving();
    const claims = await verify(wallet.credentials[0].compact, { roots, ways: [way] });
    assert.equal(claims.vct, LICENCE);
  });
}

test('a licence with a transaction code', async () => {
  const { link: offer, tx_code: txCode } = await licenceOffer({ txCode: true });
  const guess = txCode.replace(/./g, (digit) => (digit + 1) % 10);
  await assert.rejects(new Wallet().redeem(offer, { txCode: guess }), refused('invalid_grant'));
  const wallet = new Wallet();
  await wallet.request(await wallet.redeem(offer, { txCode }));
  assert.equal((await verify(wallet.credentials[0].compact, { roots })).vct, LICENCE);
});

test('a wallet without DPoP gets a bearer token', async () => {
  const { link: offer } = await licenceOffer();
  const wallet = new Wallet();
  const redeemed = await wallet.redeem(offer, { dpop: false });
  assert.equal(redeemed.tokens.accessTokenResponse.token_type, 'Bearer');
  await wallet.request(redeemed);
  assert.equal(wallet.credentials.length, 1);
});

test('an offer, a nonce and a proof work once', async () => {
  const { link } = await licenceOffer();
  const wallet = new Wallet();
  const offer = await wallet.read(link);
  const redeemed = await wallet.redeem(offer);
  await assert.rejects(wallet.redeem(offer), refused('invalid_grant'));
  const { nonce } = await wallet.request(redeemed);
  const again = wallet.request(redeemed, { nonce });
  await assert.rejects(again, (error) => error.response.credentialErrorResponseResult.data.error === 'invalid_nonce');
});

test('copies differ in everything that could link them', async () => {
  const { wallet } = await driving('driving_licence_copies', 4);
  const parts = await Promise.all(wallet.credentials.map(async ({ compact }) => {
    const [jwt, ...disclosures] = compact.split('~').filter(Boolean);
    const payload = jose.decodeJwt(jwt);
    return [payload.cnf.jwk.x, ...payload._sd, ...disclosures];
  }));
  assert.equal(parts.length, 4);
  assert.equal(new Set(parts.flat()).size, parts.flat().length);
  assert.equal(new Set(wallet.credentials.map(({ compact }) => jose.decodeJwt(compact.split('~')[0]).iat)).size, 1);
});

test('deferred: the operator approves, then it is there', async () => {
  const { link: offer } = await licenceOffer({ credential: 'international_permit' });
  const wallet = new Wallet();
  const redeemed = await wallet.redeem(offer);
  const asked = await wallet.request(redeemed);
  assert(asked.response.transaction_id && asked.response.interval > 0);
  await approve('international_permit');
  const answer = await wallet.deferred(redeemed, asked, 'international_permit');
  assert.equal(answer.credentials.length, 1);
  await verify(wallet.credentials[0].compact, { roots });
});

test('a suspended licence is not valid until it is reinstated, a revoked one never again', async () => {
  const { record, wallet } = await driving();
  const [{ compact }] = wallet.credentials;
  await verify(compact, { roots });
  await change('suspend', record);
  await assert.rejects(verify(compact, { roots }), /Status is not valid/);
  await change('reinstate', record);
  await verify(compact, { roots });
  await change('revoke', record);
  await assert.rejects(verify(compact, { roots }), /Status is not valid/);
});

/** A site that names itself so to wallets; a certificate where that takes one. */
async function askingAs(prefix) {
  const more = ['--client-id-prefix', prefix];
  if (prefix !== 'decentralized_identifier') {
    const key = await newKey();
    const chain = await newChain(key, { dns: ['localhost'] });
    roots.push(chain.root);
    const [certificate, secret] = [join(folder, `${prefix}.pem`), join(folder, `${prefix}.key`)];
    await writeFile(certificate, chain.pem);
    await writeFile(secret, await jose.exportPKCS8(key.privateKey), { mode: 0o600 });
    more.push('--certificate', certificate, '--certificate-key', secret);
    if (prefix === 'x509_san_dns') more.push('--dns-name', 'localhost');
  }
  return RelyingParty.registered(LICENCE, ...more);
}

for (const prefix of ['decentralized_identifier', 'x509_san_dns', 'x509_hash']) {
  for (const mode of ['direct_post', 'direct_post.jwt']) {
    test(`shown to our verifier, ${prefix}, ${mode}`, async () => {
      const site = await askingAs(prefix);
      const { wallet } = await driving();
      const asked = await site.ask(ages, { response_mode: mode });
      const request = await wallet.readRequest(asked.link);
      assert.equal(request.client.prefix, prefix);
      assert.equal(request.authorizationRequestPayload.response_mode, mode);
      const { status, body } = await wallet.show(asked.link);
      assert.equal(status, 200, JSON.stringify(body));
      const { status: outcome, credentials } = await site.result(asked.id);
      assert.equal(outcome, 'completed');
      assert.deepEqual(about(credentials.licence[0].claims), { age_over_21: true });
    });
  }
}

test('our verifier refuses a changed signature, another nonce, and an answer given twice', async () => {
  const { wallet } = await driving();
  const site = await RelyingParty.registered(LICENCE);
  const asked = await site.ask(ages);
  const forged = await wallet.show(asked.link, {
    alter: ({ licence: [text] }) => ({ licence: [text.replace(/\.[^.~]*~/, (signature) => `.${signature.slice(1).split('').reverse().join('').replace('~', '')}~`)] }),
  });
  assert(forged.status >= 400, 'a forged credential was accepted');
  const other = await site.ask(ages);
  assert.equal((await wallet.show(other.link)).status, 200);
  await assert.rejects(wallet.show(other.link), /409/, 'a request that was answered is answered again');
});

test('a revoked licence is refused by our verifier', async () => {
  const { record, wallet } = await driving();
  await change('revoke', record);
  const site = await RelyingParty.registered(LICENCE);
  const { link, id } = await site.ask(ages);
  const { status } = await wallet.show(link);
  assert(status >= 400);
  assert.notEqual((await site.result(id)).status, 'completed');
});

test('a POST for the request object is answered as a GET is', async () => {
  const { wallet } = await driving();
  const site = await RelyingParty.registered(LICENCE);
  const { link, id } = await site.ask(ages);
  const posted = new URL(link);
  posted.searchParams.set('request_uri_method', 'post');
  assert.equal((await wallet.show(String(posted))).status, 200);
  assert.equal((await site.result(id)).status, 'completed');
});

test('type metadata is served where the issuer says', async () => {
  const { wallet } = await driving();
  const { vct } = await claimsOf(wallet.credentials[0].compact);
  const response = await fetch(`${ISSUER}/vct/driving_licence`);
  assert.equal(response.status, 200);
  const metadata = await response.json();
  assert.equal(metadata.vct, vct);
  assert(metadata.claims.some(({ path }) => path[0] === 'age_over_21'));
  assert(metadata.display.length > 0);
});

/** What is about the person, without what is the credential's own. */
function about({ iss, iat, nbf, exp, vct, 'vct#integrity': integrity, cnf, status, ...claims }) {
  return claims;
}
