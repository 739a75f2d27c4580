// Every command in docs/integrate.md does what the page says: its blocks are run as they stand, in
// their order, by one shell.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Holder } from '../shared/country.mjs';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const page = await readFile(join(root, 'docs/integrate.md'), 'utf8');
const blocks = [...page.matchAll(/^#+ (.*)$|^```sh\n([\s\S]*?)^```$/gm)];

let holder;
let folder;
let shell;

before(async () => {
  holder = await Holder.enrolled();
  folder = await mkdtemp(join(tmpdir(), 'realdid-integrate-'));
  shell = new Shell();
  // A page says "the holder's wallet"; here is one.
  await shell.run(`cd ${root}; export REALDID_WALLET=${join(holder.folder, 'wallet')} REALDID_WALLET_PASSPHRASE='a test passphrase'; scratch=${folder}`);
});
after(async () => {
  shell?.end();
  await holder?.leave();
  if (folder) await rm(folder, { recursive: true });
});

let title = '';
for (const [, heading, block] of blocks) {
  if (heading) {
    title = heading;
    continue;
  }
  test(`${title}: ${block.split('\n')[0]}`, async () => {
    const { code, said } = await shell.run(block);
    assert.equal(code, 0, said);
  });
}

/** One shell for all blocks, so that a block may use what an earlier one set. */
class Shell {
  #said = '';
  #heard = () => {};

  constructor() {
    this.child = spawn('bash', ['--noprofile', '--norc'], { stdio: 'pipe' });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.on('data', (chunk) => { this.#said += chunk; this.#heard(); });
    }
    this.child.stdin.write('set -o pipefail\n');
  }

  /** Runs a block up to its first failure; its exit code and all that it said. */
  run(block) {
    this.#said = '';
    const mark = `done-${Math.random().toString(36).slice(2)}`;
    // `&&` between the commands would change them; an ERR trap ends the block as `set -e` would, and not the shell.
    this.child.stdin.write(`failed=0; trap 'failed=$?' ERR\n${block}\ntrap - ERR; echo; echo ${mark}:$failed\n`);
    return new Promise((resolve) => {
      this.#heard = () => {
        const found = this.#said.match(new RegExp(`${mark}:(\\d+)`));
        if (found) resolve({ code: Number(found[1]), said: this.#said });
      };
    });
  }

  end() {
    this.child.stdin.end();
  }
}
