// Our wallet with another issuer: @openid4vc/openid4vci on loopback.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Holder } from '../shared/country.mjs';
import { Browser } from '../shared/browser.mjs';
import { Issuer, MEMBERSHIP } from './issuer.mjs';

let holder;
before(async () => { holder = await Holder.enrolled(); });
after(() => holder?.leave());

async function held(...options) {
  const { credentials } = await holder.wallet('credential', 'list', ...options);
  return credentials.filter(({ type }) => type === MEMBERSHIP);
}

for (const foundBy of ['metadata', 'did', 'x5c']) {
  test(`a credential without a transaction code, the issuer's key by ${foundBy}`, async (t) => {
    const issuer = await Issuer.listening({ foundBy });
    t.after(() => issuer.close());
    const before = (await held()).length;
    await holder.wallet('offer', await issuer.offer(), '--yes');
    const now = await held();
    assert.equal(now.length, before + 1);
    assert.equal(now.at(-1).issuer.standing, 'not_accredited', 'the wallet says that nobody here vouches for the issuer');
    assert.deepEqual(issuer.notifications.map(({ event }) => event), ['credential_accepted']);
  });
}

test('with a transaction code, and not without or with a wrong one', async (t) => {
  const issuer = await Issuer.listening();
  t.after(() => issuer.close());
  const offer = await issuer.offer({ txCode: '493536' });
  await assert.rejects(holder.wallet('offer', offer, '--yes', '--tx-code', '111111'));
  await holder.wallet('offer', await issuer.offer({ txCode: '493536' }), '--yes', '--tx-code', '493536');
  assert.equal(issuer.issued > 0, true);
});

test('a long-lived credential whose status the wallet reads', async (t) => {
  const issuer = await Issuer.listening();
  t.after(() => issuer.close());
  await holder.wallet('offer', await issuer.offer({ status: true }), '--yes');
  issuer.statuses.fill(1);
  const { status } = (await held('--check')).at(-1);
  assert.equal(status.value, 'revoked');
});

test('by authorization code: PAR, PKCE and a browser', async (t) => {
  const issuer = await Issuer.listening();
  t.after(() => issuer.close());
  await holder.takeWithBrowser(await issuer.offer({ grant: 'authorization_code' }), (url) => new Browser().visit(url));
  assert.equal(issuer.issued > 0, true);
});
