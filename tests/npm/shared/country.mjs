// The running country, as the test command's environment tells: its programs and its people.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const { REALDID_BIN, REALDID_DATA, REALDID_PORT_BASE } = process.env;
assert(REALDID_BIN && REALDID_DATA && REALDID_PORT_BASE, 'run this with `cargo xtask test --only system`');

const at = (offset) => `http://127.0.0.1:${Number(REALDID_PORT_BASE) + offset}`;
export const NODE = at(0);
export const AUTHORITY = at(10);
export const ISSUER = at(11);
export const SIGNIN = at(20);
export const config = (role) => join(REALDID_DATA, role, `${role}.toml`);
const environment = { ...process.env, REALDID_WALLET_PASSPHRASE: 'a test passphrase' };

/** Runs `realdid` and gives the JSON it prints. */
export async function realdid(...args) {
  const { stdout } = await run(REALDID_BIN, [...args, '--json'], { env: environment });
  return JSON.parse(stdout);
}

/** The roots of the sandbox's certificates, in PEM. */
export const roots = (...roles) =>
  Promise.all(roles.map((role) => readFile(join(REALDID_DATA, role, 'data', 'root.pem'), 'utf8')));

/** Registers a relying party; `{client_id, client_secret}`. */
export const register = (name, redirectUri, ...more) =>
  realdid('signin', 'client', 'add', '--config', config('signin'), '--name', name, '--redirect-uri', redirectUri, ...more);

/** Somebody of the register: `{name, number}`. */
export const aPerson = () => realdid('authority', 'person', '--random', '--config', config('authority'));

/** The one-time code that was sent last, once there are more than `before`. */
export async function newestCode(before) {
  let all = await codes();
  for (let i = 0; i < 100 && all.length <= before; i++) {
    await delay(100);
    all = await codes();
  }
  assert(all.length > before, 'no code was sent');
  return all.at(-1).code;
}

/** How many codes have been sent so far. */
export const codesSoFar = async () => (await codes()).length;

async function codes() {
  const response = await fetch(`${AUTHORITY}/sandbox/outbox?json`);
  return (await response.json()).messages;
}

/** An operator's offer for a record of the licence office: `{offer, tx_code}`. */
export async function licenceOffer({ record = DRIVER, credential = 'driving_licence', txCode = false } = {}) {
  const more = txCode ? ['--tx-code'] : [];
  const made = await realdid('issuer', 'offer', '--config', config('issuer'), '--record', record, '--credential', credential, ...more);
  return { ...made, record };
}

/** Somebody who may drive class C and is long over 21. */
export const DRIVER = 'D-1001';

/** Suspends, reinstates or revokes what was issued for a record, and waits until it is published and what was before has run out. */
export async function change(what, record) {
  const { published_at: at } = await realdid('issuer', what, '--config', config('issuer'), '--record', record);
  await delay(Math.max(0, at * 1000 - Date.now()) + 4000);
}

/** Approves what waits for the licence office. */
export async function approve(credential) {
  const { waiting } = await realdid('issuer', 'waiting', '--config', config('issuer'));
  for (const { id } of waiting.filter((one) => one.credential === credential)) {
    await realdid('issuer', 'approve', '--config', config('issuer'), id);
  }
}

/** A website that has pages of its own and asks through the REST interface. */
export class RelyingParty {
  /** Registered to ask for a type, `VCT` or `VCT#claim,claim`. */
  static async registered(mayAsk, ...more) {
    const site = new RelyingParty();
    Object.assign(site, await register('Asking site', 'http://127.0.0.1:9/shown', '--may-ask', mayAsk, ...more));
    return site;
  }

  async #call(method, path, body, headers = {}) {
    const authorization = `Basic ${Buffer.from(`${this.client_id}:${this.client_secret}`).toString('base64')}`;
    const response = await fetch(`${SIGNIN}/v1/presentations${path}`, {
      method, body: body && JSON.stringify(body), headers: { authorization, 'content-type': 'application/json', ...headers },
    });
    const text = await response.text();
    assert(response.ok, `${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text);
  }

  /** Asks by DCQL: `{id, link}`. */
  ask(dcqlQuery, more = {}) {
    return this.#call('POST', '', { dcql_query: dcqlQuery, ...more }, { 'idempotency-key': crypto.randomUUID() });
  }

  /** How far it is, and what was shown. */
  result(id, responseCode) {
    return this.#call('GET', `/${id}/result${responseCode ? `?response_code=${responseCode}` : ''}`);
  }
}

/** Somebody with our wallet, proofed. */
export class Holder {
  static async enrolled() {
    const holder = new Holder();
    holder.folder = await mkdtemp(join(tmpdir(), 'realdid-holder-'));
    const charter = join(REALDID_DATA, 'charter.json');
    await holder.wallet('init', '--charter', charter, '--node', NODE, '--authority', AUTHORITY);
    await holder.enrol(await aPerson());
    return holder;
  }

  wallet(...args) {
    return realdid('wallet', '--wallet', join(this.folder, 'wallet'), ...args);
  }

  #spawn(args, stderr) {
    const all = ['wallet', '--wallet', join(this.folder, 'wallet'), ...args];
    const child = spawn(REALDID_BIN, all, { env: environment, stdio: ['pipe', 'ignore', stderr] });
    return { child, ended: new Promise((resolve) => child.once('exit', resolve)) };
  }

  // The wallet asks for the code that was sent; we look into the outbox meanwhile.
  async enrol({ name, number }) {
    const before = await codesSoFar();
    const { child, ended } = this.#spawn(['enrol', '--name', name, '--number', number], 'inherit');
    child.stdin.end(`${await newestCode(before)}\n`);
    assert.equal(await ended, 0, 'the enrolment');
  }

  /** Takes an offer that needs a browser; `browse` is given the address that the wallet tells. */
  async takeWithBrowser(offer, browse) {
    const { child, ended } = this.#spawn(['offer', offer, '--yes'], 'pipe');
    let said = '';
    let browsed;
    child.stderr.on('data', (chunk) => {
      said += chunk;
      const url = said.match(/https?:\/\/\S*authorize\?\S+(?=\s)/);
      if (url) browsed ??= browse(url[0]);
    });
    assert.equal(await ended, 0, said);
    await browsed;
  }

  /** Answers a wallet link with consent; where the browser goes next. */
  async answer(link, ...more) {
    const { redirect_uri: next } = await this.wallet('login', link, '--yes', ...more);
    return next;
  }

  leave() {
    return rm(this.folder, { recursive: true });
  }
}
