// The running country, as the test command's environment tells: where its services are, and its people.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

const { REALDID_BIN = '', REALDID_DATA = '', REALDID_PORT_BASE = '' } = process.env;

const at = (offset: number): string => {
  assert.ok(REALDID_PORT_BASE, 'run this with `cargo xtask test --only system`');
  return `http://127.0.0.1:${Number(REALDID_PORT_BASE) + offset}`;
};

/** Where everything is. */
export const PLACES = {
  node: () => at(0),
  authority: () => at(10),
  issuer: () => at(11),
  signin: () => at(20),
  wallet: () => at(30),
  siteA: () => at(31),
  siteB: () => at(32),
  rental: () => at(33),
};

/** Somebody of the population register. */
export async function aPerson(): Promise<{ name: string; number: string }> {
  const config = join(REALDID_DATA, 'authority', 'authority.toml');
  const { stdout } = await promisify(execFile)(REALDID_BIN, ['authority', 'person', '--random', '--json', '--config', config]);
  return JSON.parse(stdout) as { name: string; number: string };
}

interface Message {
  readonly code: string;
}

async function outbox(): Promise<readonly Message[]> {
  const response = await fetch(`${PLACES.authority()}/sandbox/outbox?json`);
  return ((await response.json()) as { messages: readonly Message[] }).messages;
}

/** How many codes have been sent so far. */
export async function codesSoFar(): Promise<number> {
  return (await outbox()).length;
}

/** The one-time code that was sent last, once there are more than `before`. */
export async function newestCode(before: number): Promise<string> {
  for (let tries = 0; tries < 100; tries++) {
    const all = await outbox();
    const last = all.at(-1);
    if (all.length > before && last !== undefined) {
      return last.code;
    }
    await delay(100);
  }
  return assert.fail('no code was sent');
}
