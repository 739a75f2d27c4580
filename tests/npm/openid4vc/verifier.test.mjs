// Our wallet with another verifier: @openid4vc/openid4vp on loopback.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as jose from 'jose';
import { Holder, licenceOffer } from '../shared/country.mjs';
import { Verifier } from './verifier.mjs';

const LICENCE = 'urn:realdid:driving_licence:1';
const overTwentyOne = {
  credentials: [{
    id: 'licence', format: 'dc+sd-jwt', meta: { vct_values: [LICENCE] },
    claims: [{ path: ['age_over_21'], values: [true] }, { path: ['classes', null], values: ['C'] }],
  }],
};

let holder;
before(async () => {
  holder = await Holder.enrolled();
  const { link: offer } = await licenceOffer({ credential: 'driving_licence' });
  await holder.wallet('offer', offer, '--yes');
});
after(() => holder?.leave());

for (const as of ['x509_hash', 'x509_san_dns', 'decentralized_identifier']) {
  for (const responseMode of ['direct_post', 'direct_post.jwt']) {
    for (const method of ['get', 'post']) {
      test(`shown to ${as}, ${responseMode}, request by ${method}`, async (t) => {
        const verifier = await Verifier.listening({ as, ways: ['did'] });
        t.after(() => verifier.close());
        const { link, shown } = await verifier.ask(overTwentyOne, { responseMode, method });
        await holder.wallet('present', link, '--yes');
        const { claims, raw } = await shown;
        const [licence] = claims.licence;
        assert.equal(licence.age_over_21, true);
        assert.deepEqual(licence.classes, ['C']);
        assert.equal(licence.name, undefined);
        assert.equal(licence.birthdate, undefined);
        const disclosures = raw.licence[0].split('~').slice(1, -1);
        assert(disclosures.length <= 3, 'no disclosure that was not asked for');
      });
    }
  }
}

test('a request addressed to its own request_uri, as some verifiers write it, is answered', async (t) => {
  const verifier = await Verifier.listening({ ways: ['did'] });
  t.after(() => verifier.close());
  const { link, shown } = await verifier.ask(overTwentyOne, { aud: null });
  await holder.wallet('present', link, '--yes');
  assert.equal((await shown).claims.licence[0].age_over_21, true);
});

test('a request that somebody changed is not answered', async (t) => {
  const verifier = await Verifier.listening({ ways: ['did'] });
  t.after(() => verifier.close());
  const { link } = await verifier.ask(overTwentyOne);
  verifier.tamper = (jwt) => {
    const [header, , signature] = jwt.split('.');
    const changed = { ...jose.decodeJwt(jwt), nonce: 'another-nonce-of-enough-length' };
    return [header, Buffer.from(JSON.stringify(changed)).toString('base64url'), signature].join('.');
  };
  await assert.rejects(holder.wallet('present', link, '--yes'));
});
