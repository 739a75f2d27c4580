// The tour of a newcomer, in every language and size: each page on the way is checked.
import assert from 'node:assert/strict';

import { PLACES } from '../country.js';
import { checkPage, testForAll } from '../support.js';
import { agree, ask, at, checkedAt, setUp } from '../walk.js';
import { words } from '../words.js';

testForAll('a newcomer signs in anonymously, and her history shows it', async (page, { language }) => {
  const say = words(language);
  await setUp(page, say, { come: checkedAt });
  await ask(page, PLACES.siteA());
  await checkedAt(page, say('open-title', { site: 'Site A' }));
  assert.ok(await page.getByText(say('open-did-new')).isVisible());
  assert.ok(await page.getByText(say('open-trace-nothing')).isVisible());
  await agree(page, PLACES.siteA(), say);
  await page.goto(`${PLACES.wallet()}/history`);
  await checkedAt(page, say('history-title'));
  assert.ok(await page.getByText(say('history-login', { site: 'Site A' })).isVisible());
  for (const view of ['sites', 'cards', 'together', 'settings', 'gallery']) {
    await page.goto(`${PLACES.wallet()}/${view}`);
    await at(page, say(`${view}-title`));
    await checkPage(page, view);
  }
});
