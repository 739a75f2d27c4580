// Both languages are complete, and no sentence is there for nothing.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';

const here = new URL('../', import.meta.url);
const LANGUAGES = ['en', 'zh-CN'];
/** Keys that are put together at run time. */
const MADE = /^(error|type|claim|value)-/;

const keys = (language) => {
  const text = readFileSync(new URL(`../locales/${language}/wallet.ftl`, here), 'utf8');
  return [...text.matchAll(/^([a-z][\w-]*) =/gm)].map(([, key]) => key);
};

function sources(dir) {
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const url = new URL(`${entry.name}${entry.isDirectory() ? '/' : ''}`, dir);
    return entry.isDirectory() ? sources(url) : [readFileSync(url, 'utf8')];
  });
}

test('each language has the same keys, each once', () => {
  const [first, ...others] = LANGUAGES.map(keys);
  assert.equal(new Set(first).size, first.length, 'a key stands twice');
  for (const other of others) {
    assert.deepEqual([...other].sort(), [...first].sort());
  }
});

test('every key is used, and every key that is used is there', () => {
  const text = sources(new URL('src/', here)).join('\n');
  const quoted = new Set([...text.matchAll(/['`]([a-z]+(?:-[\w]+)*)['`]/g)].map(([, key]) => key));
  const known = keys('en');
  const made = (key) => MADE.test(key) || (key.endsWith('-what') && quoted.has(key.slice(0, -'-what'.length)));
  const unused = known.filter((key) => !quoted.has(key) && !made(key));
  assert.deepEqual(unused, []);
  const asked = [...text.matchAll(/\bsay\('([\w-]+)'/g)].map(([, key]) => key);
  assert.deepEqual(asked.filter((key) => !known.includes(key)), []);
});

test('every code that the wallet gives has a sentence, and every sentence of a failure says what to do', () => {
  const known = new Set(keys('en'));
  const text = sources(new URL('src/device/', here)).join('\n');
  const codes = [...text.matchAll(/WalletFailure\('([a-z_]+)'/g)].map(([, code]) => code);
  assert.deepEqual(codes.filter((code) => !known.has(`error-${code}`)), []);
  const failures = [...known].filter((key) => key.startsWith('error-') && !key.endsWith('-do') && key !== 'error-code');
  assert.deepEqual(failures.filter((key) => !known.has(`${key}-do`)), []);
});
