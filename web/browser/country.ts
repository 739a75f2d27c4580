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

/** Runs `realdid`; gives the JSON that it prints. */
async function realdid(...words: string[]): Promise<unknown> {
  const { stdout } = await promisify(execFile)(REALDID_BIN, [...words, '--json']);
  return JSON.parse(stdout);
}

const config = (role: string): string => join(REALDID_DATA, role, `${role}.toml`);

/** Somebody as the population register has them. */
export interface Person {
  readonly name: string;
  readonly number: string;
}

/** Somebody of the population register. */
export async function aPerson(): Promise<Person> {
  return (await realdid('authority', 'person', '--random', '--config', config('authority'))) as Person;
}

/** An offer of a driving licence with a code that was sent by another way, for somebody over 21 with class C. */
export async function licenceOffer(): Promise<{ link: string; tx_code: string }> {
  const what = ['--credential', 'driving_licence', '--record', 'D-1001', '--tx-code'];
  return (await realdid('issuer', 'offer', '--config', config('issuer'), ...what)) as { link: string; tx_code: string };
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
