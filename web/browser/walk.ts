// Steps that several tests of the wallet take.
import type { Page } from 'playwright-core';

import { PLACES, aPerson, codesSoFar, newestCode } from './country.js';
import type { Person } from './country.js';
import { checkPage } from './support.js';

export type Say = (key: string, values?: Record<string, string>) => string;

/** Presses a button by its words. */
export async function press(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name, exact: true }).click();
}

/** Comes to a page by its heading. */
export async function at(page: Page, heading: string): Promise<void> {
  await page.getByRole('heading', { level: 1, name: heading, exact: true }).waitFor();
}

/** Comes to a page by its heading, and checks it. */
export async function checkedAt(page: Page, heading: string): Promise<void> {
  await at(page, heading);
  await checkPage(page, heading);
}

/** From an empty browser to a wallet with identifiers and the real-name credential. Gives who was proofed. */
export async function setUp(page: Page, say: Say, { passkey = false, come = at, wallet = PLACES.wallet() } = {}): Promise<Person> {
  await page.goto(wallet);
  await come(page, say('setup-title'));
  if (!passkey) {
    await page.getByText(say('setup-passkey')).click();
  }
  await press(page, say('setup-make'));
  const person = await aPerson();
  await beProofed(page, say, person, come);
  return person;
}

/** From the question who somebody is to a wallet with identifiers and the real-name credential. */
export async function beProofed(page: Page, say: Say, person: Person, come = at): Promise<void> {
  await come(page, say('setup-person-title'));
  const before = await codesSoFar();
  await page.getByLabel(say('setup-name')).fill(person.name);
  await page.getByLabel(say('setup-number')).fill(person.number);
  await press(page, say('setup-send-code'));
  await come(page, say('setup-code-title'));
  await page.getByLabel(say('setup-code')).fill(await newestCode(before));
  await press(page, say('setup-confirm'));
  await come(page, say('setup-tokens-title'));
  await press(page, say('setup-draw'));
  await come(page, say('setup-done'));
  await press(page, say('setup-card-fetch'));
  await page.getByText(say('setup-card-there')).waitFor();
  await press(page, say('setup-go-home'));
  await come(page, say('home-title'));
}

/** From a site's link to the wallet's question. */
export async function ask(page: Page, site: string, link = 'Sign in'): Promise<void> {
  await page.goto(site);
  await page.getByRole('link', { name: link, exact: true }).click();
  await page.locator('#web-wallet-link').click();
}

/** Agrees, and comes back to the site logged in. */
export async function agree(page: Page, site: string, say: Say): Promise<void> {
  await press(page, say('open-agree'));
  await page.waitForURL(`${site}/**`);
  await page.getByRole('link', { name: 'Sign out' }).waitFor();
}
