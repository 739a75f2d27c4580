/** What the tests share: vector files, and asking for the code of a refusal. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

import { Refusal, hashFromHex } from '../src/index.js';
import type { Hash } from '../src/index.js';

/** Where the vectors lie, seen from the compiled test. */
const VECTORS = new URL('../../../../vectors/', import.meta.url);

/** The content of a vector file, of which the caller says what is in it. */
export function readVector<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(name, VECTORS), 'utf8')) as T;
}

/** Where a vector file lies. */
export function vectorPath(name: string): URL {
  return new URL(name, VECTORS);
}

/** The hash of a text that must be one. */
export function hash(text: string): Hash {
  const found = hashFromHex(text);
  assert.ok(found, `${text} is a hash`);
  return found;
}

/** The code with which something is refused, or `ok`. Anything but a refusal is a failure of the test. */
export function outcome(check: () => unknown): string {
  try {
    check();
    return 'ok';
  } catch (error) {
    assert.ok(error instanceof Refusal, error instanceof Error ? error.stack : 'an error');
    return String(error.code);
  }
}

/** As {@link outcome}, for what takes its time. */
export async function outcomeOf(check: () => Promise<unknown>): Promise<string> {
  const result = await Promise.resolve().then(check).then(
    () => 'ok',
    (error: unknown) => error,
  );
  return typeof result === 'string' ? result : outcome(() => { throw result; });
}

/** `bytes` with one byte changed. */
export function flipped(bytes: Uint8Array, at: number, mask = 1): Uint8Array {
  const changed = bytes.slice();
  changed[at] = (changed[at] ?? 0) ^ mask;
  return changed;
}

/**
 * Compares what becomes of `bytes` with the lowest bit of one byte changed, for each byte in turn, with
 * runs of outcome and count as the Rust crates' tests write them. What is refused here for a key of type
 * SM2, which a changed byte may name, is refused for whatever reason there.
 */
export function assertFlips(
  name: string,
  bytes: Uint8Array,
  flips: string,
  judge: (changed: Uint8Array) => string,
): void {
  let at = 0;
  for (const run of flips.split(', ')) {
    const [expected = '', count = '0'] = run.split(' ');
    for (const end = at + Number(count); at < end; at++) {
      const found = judge(flipped(bytes, at));
      if (found === 'unsupported_key') {
        assert.notEqual(expected, 'ok', `${name}, byte ${at}`);
      } else {
        assert.equal(found, expected, `${name}, byte ${at}`);
      }
    }
  }
  assert.equal(at, bytes.length, `${name}: every byte`);
}
