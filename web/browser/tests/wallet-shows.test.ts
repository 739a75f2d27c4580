// What is shown to whom, and what the wallet does when something is wrong.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import type { Page } from 'playwright-core';

import { PLACES, licenceOffer } from '../country.js';
import { passkeys, testForAll, visit } from '../support.js';
import type { Visitor } from '../support.js';
import { agree, ask, at, beProofed, checkedAt, press, setUp } from '../walk.js';
import { words } from '../words.js';

const DESKTOP: Visitor = { language: 'en', size: 'desktop' };
const PHONE: Visitor = { language: 'zh-CN', size: 'phone' };

const identifier = async (page: Page): Promise<string> => (await page.locator('#sub').textContent()) ?? '';

testForAll(
  'two sites are shown different facts, know different identifiers, and cannot tell that it is one person',
  async (page, { language }) => {
    const say = words(language);
    await setUp(page, say);
    await ask(page, PLACES.siteA(), 'Sign in and show age_over_18, too');
    await checkedAt(page, say('open-title', { site: 'Site A' }));
    assert.ok(await page.getByText(say('open-trace-issuer')).isVisible());
    assert.ok(await page.getByText(say('claim-age_over_18')).isVisible());
    await agree(page, PLACES.siteA(), say);
    const first = await identifier(page);
    await ask(page, PLACES.siteB(), 'Sign in and show profile, too');
    await checkedAt(page, say('open-title', { site: 'Site B' }));
    await agree(page, PLACES.siteB(), say);
    const second = await identifier(page);
    assert.match(first, /^did:real:sandbox:/);
    assert.notEqual(first, second);
    await page.goto(`${PLACES.wallet()}/together`);
    await checkedAt(page, say('together-title'));
    assert.ok(await page.getByText(say('together-nothing-what')).isVisible());
    assert.ok(await page.getByText(say('together-issuer')).isVisible());
    // Unlinked, the first site meets somebody new.
    await page.goto(`${PLACES.wallet()}/sites`);
    await press(page, say('sites-unlink', { site: 'Site A' }));
    await page.getByRole('button', { name: say('sites-unlink', { site: 'Site A' }) }).waitFor({ state: 'detached' });
    await page.goto(`${PLACES.siteA()}/logout`);
    await ask(page, PLACES.siteA());
    await at(page, say('open-title', { site: 'Site A' }));
    await agree(page, PLACES.siteA(), say);
    assert.notEqual(await identifier(page), first);
  },
  [DESKTOP, PHONE],
);

testForAll(
  'with new keys, which the ledger is proved to have, the site still knows her',
  async (page, { language }) => {
    const say = words(language);
    await setUp(page, say);
    await ask(page, PLACES.siteA());
    await agree(page, PLACES.siteA(), say);
    const before = await identifier(page);
    for (let time = 1; time <= 2; time++) {
      await page.goto(`${PLACES.wallet()}/history`);
      await at(page, say('history-title'));
      await page.goto(`${PLACES.wallet()}/sites`);
      await press(page, say('sites-rotate', { site: 'Site A' }));
      await page.getByText(say('sites-progress')).waitFor();
      await page.getByText(say('sites-progress')).waitFor({ state: 'detached' });
      assert.equal(await page.getByRole('alert').count(), 0);
    }
    await page.goto(`${PLACES.wallet()}/history`);
    await page.getByText(say('history-rotated', { site: 'Site A' })).nth(1).waitFor();
    await page.goto(`${PLACES.siteA()}/logout`);
    await ask(page, PLACES.siteA());
    await agree(page, PLACES.siteA(), say);
    assert.equal(await identifier(page), before);
  },
  [DESKTOP],
);

testForAll(
  'refusing is as easy, leads back to the site, and shows nothing',
  async (page, { language }) => {
    const say = words(language);
    await setUp(page, say);
    await ask(page, PLACES.siteA());
    await at(page, say('open-title', { site: 'Site A' }));
    await press(page, say('open-refuse'));
    await page.waitForURL(`${PLACES.siteA()}/**`);
    assert.equal(await page.getByRole('link', { name: 'Sign out' }).count(), 0);
    await page.goto(`${PLACES.wallet()}/history`);
    await page.getByText(say('history-refused', { site: 'Site A', code: 'consent_refused' })).waitFor();
    await page.goto(`${PLACES.wallet()}/sites`);
    await page.getByText(say('sites-none')).waitFor();
  },
  [PHONE],
);

testForAll(
  'a node that lies, or that cannot be reached, stops the wallet with a plain word',
  async (page, { language }) => {
    const say = words(language);
    await setUp(page, say);
    const proofs = '**/v1/proofs/keys*';
    await page.route(proofs, async (route) => {
      const response = await route.fetch();
      const told = (await response.json()) as { finality: string; proofs: string[] };
      const forged = told.proofs.map((proof) => `${proof.slice(0, 200)}${proof[200] === 'A' ? 'B' : 'A'}${proof.slice(201)}`);
      await route.fulfill({ response, json: { ...told, proofs: forged } });
    });
    await ask(page, PLACES.siteA());
    await checkedAt(page, say('open-refused'));
    assert.ok(await page.getByText(say('error-node_lies'), { exact: true }).isVisible());
    assert.equal(await page.getByRole('button', { name: say('open-agree') }).count(), 0);
    await page.unroute(proofs);
    await page.route(proofs, (route) => route.abort());
    await page.reload();
    await page.getByText(say('error-node_unreachable'), { exact: true }).waitFor();
    await page.unroute(proofs);
    await page.reload();
    await at(page, say('open-title', { site: 'Site A' }));
  },
  [DESKTOP],
);

testForAll(
  'a card by an offer, shown to a car rental that asks for no login',
  async (page, { language }) => {
    const say = words(language);
    await setUp(page, say);
    const offer = await licenceOffer();
    const follow = async (link: string) => {
      await page.goto(PLACES.wallet());
      await page.getByLabel(say('home-link-label')).fill(link);
      await press(page, say('home-link-open'));
    };
    await follow(offer.link);
    await page.getByLabel(say('offer-code')).fill(offer.tx_code);
    await checkedAt(page, say('offer-title'));
    await press(page, say('offer-take'));
    await at(page, say('cards-title'));
    await page.goto(PLACES.rental());
    await page.getByRole('button', { name: 'Rent the van' }).click();
    const link = (await page.locator('#link').textContent()) ?? '';
    await follow(link);
    await checkedAt(page, say('open-title-shows', { site: 'Car Rental' }));
    assert.ok(await page.getByText(say('claim-age_over_21')).isVisible());
    await press(page, say('open-agree-shows'));
    await page.waitForURL(`${PLACES.rental()}/**`);
    await page.locator('#rented').waitFor();
  },
  [DESKTOP],
);

test('a passkey guards the secret; a lost wallet comes back from its recovery file, and the site knows it again', async () => {
  const page = await visit(DESKTOP);
  const say = words('en');
  const phrase = 'correct horse battery staple';
  // A passkey belongs to a name, and an address is none.
  const wallet = PLACES.wallet().replace('127.0.0.1', 'localhost');
  let person, file, before;
  try {
    await passkeys(page);
    person = await setUp(page, say, { passkey: true, wallet });
    await page.goto(PLACES.siteA());
    await page.getByRole('link', { name: 'Sign in', exact: true }).click();
    const link = (await page.locator('#web-wallet-link').getAttribute('href')) ?? '';
    await page.goto(link.replace('127.0.0.1', 'localhost'));
    await at(page, say('open-title', { site: 'Site A' }));
    await agree(page, PLACES.siteA(), say);
    before = await identifier(page);
    await page.goto(`${wallet}/settings`);
    await at(page, say('settings-title'));
    await page.getByText(say('settings-keys-passkey'), { exact: true }).waitFor();
    await page.getByLabel(say('recovery-phrase')).fill(phrase);
    const downloading = page.waitForEvent('download');
    await press(page, say('recovery-save'));
    file = await readFile(await (await downloading).path());
    await press(page, say('recovery-rehearse'));
    await page.getByText(say('recovery-proved')).waitFor();
  } finally {
    await page.context().close();
  }
  const other = await visit(DESKTOP);
  try {
    await other.goto(PLACES.wallet());
    await at(other, say('setup-title'));
    await other.getByLabel(say('restore-file')).setInputFiles({ name: 'realdid-recovery.json', mimeType: 'application/json', buffer: file });
    await other.getByLabel(say('recovery-phrase')).fill(`${phrase}!`);
    await press(other, say('restore-now'));
    await other.getByText(say('error-recovery_file_unreadable'), { exact: true }).waitFor();
    await other.getByLabel(say('recovery-phrase')).fill(phrase);
    await press(other, say('restore-now'));
    await beProofed(other, say, person);
    await ask(other, PLACES.siteA());
    await at(other, say('open-title', { site: 'Site A' }));
    await agree(other, PLACES.siteA(), say);
    assert.equal(await identifier(other), before);
  } finally {
    await other.context().close();
  }
});

test('a link that is none of ours is refused with a word of what to do', async () => {
  const page = await visit(PHONE);
  try {
    const say = words('zh-CN');
    await setUp(page, say);
    await page.goto(`${PLACES.wallet()}/open?client_id=x`);
    await checkedAt(page, say('open-refused'));
    assert.ok(await page.getByText(say('error-link_invalid-do')).isVisible());
  } finally {
    await page.context().close();
  }
});
