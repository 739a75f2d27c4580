// The running country, as the test command's environment tells: its programs and its people.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const { REALDID_BIN, REALDID_DATA, REALDID_PORT_BASE } = process.env;
assert(REALDID_BIN && REALDID_DATA && REALDID_PORT_BASE, 'run this with `cargo xtask test --only system`');

const at = (offset) => `http://127.0.0.1:${Number(REALDID_PORT_BASE) + offset}`;
export const node = at(0);
export const authority = at(10);
export const issuer = at(20);
const config = (role) => join(REALDID_DATA, role, `${role}.toml`);
const environment = { ...process.env, REALDID_WALLET_PASSPHRASE: 'a test passphrase' };

/** Runs `realdid` and gives the JSON it prints. */
export async function realdid(...args) {
  const { stdout } = await run(REALDID_BIN, [...args, '--json'], { env: environment });
  return JSON.parse(stdout);
}

/** Registers a relying party; `{client_id, client_secret}`. */
export const register = (name, redirectUri) =>
  realdid('signin', 'client', 'add', '--config', config('signin'), '--name', name, '--redirect-uri', redirectUri);

/** Somebody with a wallet, proofed. */
export class Holder {
  static async enrolled() {
    const holder = new Holder();
    holder.folder = await mkdtemp(join(tmpdir(), 'realdid-holder-'));
    const charter = join(REALDID_DATA, 'charter.json');
    await holder.wallet('init', '--charter', charter, '--node', node, '--authority', authority);
    await holder.enrol(await realdid('authority', 'person', '--random', '--config', config('authority')));
    return holder;
  }

  wallet(...args) {
    return realdid('wallet', '--wallet', join(this.folder, 'wallet'), ...args);
  }

  // The wallet asks for the code that was sent; we look into the outbox meanwhile.
  async enrol({ name, number }) {
    const before = (await codes()).length;
    const args = ['wallet', '--wallet', join(this.folder, 'wallet'), 'enrol', '--name', name, '--number', number];
    const child = spawn(REALDID_BIN, args, { env: environment, stdio: ['pipe', 'ignore', 'inherit'] });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    let all = await codes();
    for (let i = 0; i < 100 && all.length === before; i++) {
      await delay(100);
      all = await codes();
    }
    child.stdin.end(`${all.at(-1)?.code}\n`);
    assert.equal(await ended, 0, 'the enrolment');
  }

  /** Answers a wallet link with consent; where the browser goes next. */
  async answer(link) {
    const { redirect_uri: next } = await this.wallet('login', link, '--yes');
    return next;
  }

  leave() {
    return rm(this.folder, { recursive: true });
  }
}

async function codes() {
  const response = await fetch(`${authority}/sandbox/outbox?json`);
  return (await response.json()).messages;
}
