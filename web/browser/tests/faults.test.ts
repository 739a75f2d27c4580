// The check of pages must itself be one that refuses.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { faults, visit } from '../support.js';

const planted = (name: string) => readFile(new URL(`../../planted/${name}.html`, import.meta.url), 'utf8');

/** Each planted fault, by the beginning of the line that must name it. */
const PLANTED = [
  'axe color-contrast', 'axe html-has-lang', 'axe document-title', 'axe image-alt', 'axe button-name', 'axe label',
  'keyboard: never reached <span', 'keyboard: no visible focus on <button class="unseen"', 'keyboard: no name for <button',
  'keyboard: no name for <input', '320 px', '200 % text', 'inline script', 'img from https://elsewhere.invalid',
];

async function faultsOf(name: string): Promise<string[]> {
  const page = await visit({ language: 'en', size: 'phone' });
  try {
    await page.route('**/*', async (route) => route.fulfill({ contentType: 'text/html', body: await planted(name) }));
    await page.goto('http://planted.invalid/');
    return await faults(page);
  } finally {
    await page.context().close();
  }
}

test('every planted fault is found', async () => {
  const found = await faultsOf('faults');
  const missed = PLANTED.filter((fault) => !found.some((line) => line.startsWith(fault)));
  assert.deepEqual(missed, [], found.join('\n'));
});

test('a page without faults has none', async () => {
  assert.deepEqual(await faultsOf('good'), []);
});
