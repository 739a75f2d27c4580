// What a first visit loads stays small, and the page keeps its own content security policy.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';

/** Most bytes of the first load, gzipped. */
const LIMIT = 200 * 1000;
const built = new URL('../dist/', import.meta.url);
const page = readFileSync(new URL('index.html', built), 'utf8');
const files = [...page.matchAll(/(?:src|href)="\/([^"]+\.(?:js|css|svg))"/g)].map(([, path]) => path);

test('the first load is under 200 kB', () => {
  const sizes = files.map((path) => gzipSync(readFileSync(new URL(path, built))).length);
  const total = sizes.reduce((sum, size) => sum + size, gzipSync(page).length);
  assert.ok(files.length >= 3, 'script, style and icon are found');
  assert.ok(total < LIMIT, `${total} bytes`);
});

test('the page has no inline script or style and names no other place', () => {
  assert.doesNotMatch(page, /<script(?![^>]*\bsrc=)/);
  assert.doesNotMatch(page, /<style|\sstyle=|\son\w+=/);
  assert.doesNotMatch(page, /(?:src|href)="(?:https?:)?\/\//);
});
