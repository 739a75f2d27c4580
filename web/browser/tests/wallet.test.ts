// The tour of a newcomer: from nothing to two sites that know her by different identifiers.
import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';

import { PLACES, aPerson, codesSoFar, newestCode } from '../country.js';
import { checkPage, testForAll } from '../support.js';
import type { Language } from '../support.js';
import { words } from '../words.js';

type Say = (key: string, values?: Record<string, string>) => string;

/** Presses a button by its words. */
async function press(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name, exact: true }).click();
}

/** Comes to a page by its heading, and checks it. */
async function at(page: Page, heading: string): Promise<void> {
  await page.getByRole('heading', { level: 1, name: heading, exact: true }).waitFor();
  await checkPage(page, heading);
}

/** From an empty browser to a wallet with identifiers and the real-name credential. */
async function setUp(page: Page, say: Say): Promise<void> {
  await page.goto(PLACES.wallet());
  await at(page, say('setup-title'));
  await page.getByRole('checkbox', { name: say('setup-passkey') }).uncheck({ force: true });
  await press(page, say('setup-make'));
  await at(page, say('setup-person-title'));
  const [person, before] = [await aPerson(), await codesSoFar()];
  await page.getByLabel(say('setup-name')).fill(person.name);
  await page.getByLabel(say('setup-number')).fill(person.number);
  await press(page, say('setup-send-code'));
  await at(page, say('setup-code-title'));
  await page.getByLabel(say('setup-code')).fill(await newestCode(before));
  await press(page, say('setup-confirm'));
  await at(page, say('setup-tokens-title'));
  await press(page, say('setup-draw'));
  await at(page, say('setup-done'));
  await press(page, say('setup-card-fetch'));
  await page.getByText(say('setup-card-there')).waitFor();
  await press(page, say('setup-go-home'));
  await at(page, say('home-title'));
}

/** From a site's button to the wallet's question. */
async function signIn(page: Page, site: string, name: string, say: Say): Promise<void> {
  await page.goto(site);
  await page.getByRole('link', { name: 'Sign in', exact: true }).click();
  await page.locator('#web-wallet-link').click();
  await at(page, say('open-title', { site: name }));
}

testForAll('a newcomer signs in anonymously, and her history shows it', async (page, { language }) => {
  const say = words(language as Language);
  await setUp(page, say);
  await signIn(page, PLACES.siteA(), 'Site A', say);
  assert.ok(await page.getByText(say('open-trace-nothing')).isVisible());
  await press(page, say('open-agree'));
  await page.waitForURL(`${PLACES.siteA()}/**`);
  await page.getByRole('link', { name: 'Sign out' }).waitFor();
  await page.goto(`${PLACES.wallet()}/history`);
  await at(page, say('history-title'));
  assert.ok(await page.getByText(say('history-login', { site: 'Site A' })).isVisible());
  for (const view of ['sites', 'cards', 'together', 'settings']) {
    await page.goto(`${PLACES.wallet()}/${view}`);
    await page.getByRole('heading', { level: 1, name: say(`${view}-title`) }).waitFor();
    await checkPage(page, view);
  }
});
