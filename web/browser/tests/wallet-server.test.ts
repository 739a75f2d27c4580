// What the wallet's server gives, and what it must not.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { PLACES } from '../country.js';

const ask = (path: string) => fetch(`${PLACES.wallet()}${path}`);

test('every page comes with a policy that lets in nothing inline and nothing of others', async () => {
  for (const path of ['/', '/open?client_id=a', '/history']) {
    const response = await ask(path);
    const policy = response.headers.get('content-security-policy') ?? '';
    assert.equal(response.status, 200);
    assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self'/);
    assert.doesNotMatch(policy, /unsafe|\s\*[\s;]/);
    assert.equal(response.headers.get('referrer-policy'), 'no-referrer');
    assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
  }
});

test('a file that is not there is not the page, and none outside is given', async () => {
  for (const path of ['/assets/none.js', '/..%2f..%2fpackage.json', '/../package.json', '/.gitignore']) {
    const response = await ask(path);
    const text = await response.text();
    assert.ok(response.status === 404 || text.includes('<div id="wallet">'), path);
    assert.doesNotMatch(text, /"dependencies"|npm run build/, path);
  }
});

test('what has a hash in its name is kept, the page is asked for again', async () => {
  const page = await (await ask('/')).text();
  const [, script = ''] = page.match(/src="(\/assets\/[^"]+\.js)"/) ?? [];
  assert.match((await ask(script)).headers.get('cache-control') ?? '', /immutable/);
  const first = await ask('/');
  const again = await fetch(PLACES.wallet(), { headers: { 'if-none-match': first.headers.get('etag') ?? '' } });
  assert.equal(again.status, 304);
});

test('the page is told the network and no secret', async () => {
  const told = (await (await ask('/settings.json')).json()) as Record<string, unknown>;
  assert.deepEqual(Object.keys(told).sort(), ['authority', 'charter', 'nodes', 'try_sites']);
});
