// The explorer's pages and the sign-in pages, which come from servers and need no script.
import assert from 'node:assert/strict';

import { PLACES } from '../country.js';
import { checkPage, testForAll } from '../support.js';
import type { Visitor } from '../support.js';

/** Both languages and both sizes; not each with each, as the pages are the same. */
const SOME: readonly Visitor[] = [
  { language: 'en', size: 'desktop' },
  { language: 'zh-CN', size: 'phone' },
];

testForAll('the explorer can be read by everybody', async (page, { language }) => {
  for (const path of ['/', '/blocks', '/blocks/1', '/members', '/organisations', '/governance', '/blocks/x']) {
    await page.goto(`${PLACES.node()}${path}`);
    assert.equal(await page.locator('html').getAttribute('lang'), language);
    await checkPage(page, `the explorer's ${path}`);
  }
}, SOME);

testForAll('an organisation is found by its name, and its page leads to proof and history', async (page) => {
  await page.goto(PLACES.node());
  await page.locator('#q').fill('licence office');
  await page.locator('form button').click();
  await page.waitForURL(/\/dids\/did:real:/);
  await checkPage(page, 'the page of a DID');
  const operation = page.locator('table a[href^="/operations/"]').first();
  await operation.click();
  await page.waitForURL(/\/operations\//);
  await checkPage(page, 'the page of an operation');
}, SOME);

testForAll('the page that waits for a wallet can be read by everybody', async (page, { language }) => {
  await page.goto(PLACES.siteA());
  await page.locator('a[href="/login"]').first().click();
  await page.waitForURL(/\/login\//);
  assert.equal(await page.locator('html').getAttribute('lang'), language);
  await page.goto(`${page.url()}?still`);
  await checkPage(page, 'the page that waits');
  const other = language === 'en' ? 'zh-CN' : 'en';
  await page.locator(`footer a[lang="${other}"]`).click();
  assert.equal(await page.locator('html').getAttribute('lang'), other);
}, SOME);
