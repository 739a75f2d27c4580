// The recovery file: the root secret and what belongs to it, encrypted by a phrase. Keys derive from the
// root per DID, so that the file of the first day restores the keys of DIDs made later.
import { Keychain, base64urlDecode, base64urlEncode, didText, inceptionHash, utf8 } from 'realdid-core';

import { WalletFailure } from './failure.js';
import { random } from './keys.js';
import { charterOf, now } from './ledger.js';
import { unwrap } from './root.js';
import { recorded } from './state.js';
import type { WalletState } from './state.js';
import { change } from './storage.js';

/** What the file says it is. */
const KIND = 'realdid-recovery/1';
/** PBKDF2-SHA-256 rounds (OWASP's advice of 2023). */
const ROUNDS = 600_000;
/** Shortest phrase, in characters. */
export const MIN_PHRASE = 10;
/** Longest file that is read, in characters. */
const MAX_FILE = 1 << 20;

/** What is in a recovery file. */
export interface Recovered {
  readonly root: Uint8Array<ArrayBuffer>;
  readonly charter: string;
  readonly series: number;
  readonly sites: readonly { readonly clientId: string; readonly name: string; readonly series: number; readonly number: number }[];
}

/** Makes the file. The passkey is asked for, where there is one. */
export async function makeRecoveryFile(state: WalletState, phrase: string): Promise<string> {
  if (phrase.length < MIN_PHRASE) {
    throw new WalletFailure('phrase_too_short');
  }
  const root = await unwrap(state.root);
  const sites = state.dids.flatMap(({ site, series, number }) =>
    site === undefined ? [] : [{ clientId: site.clientId, name: site.name, series, number }],
  );
  const content = { root: base64urlEncode(root), charter: state.network.charter, series: state.series, sites };
  root.fill(0);
  const [salt, iv] = [random(16), random(12)];
  const key = await keyOf(phrase, salt);
  const clear = new Uint8Array(utf8(JSON.stringify(content)));
  const sealed = new Uint8Array(await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, key, clear));
  const file = { kind: KIND, rounds: ROUNDS, salt: base64urlEncode(salt), iv: base64urlEncode(iv), content: base64urlEncode(sealed) };
  await change((current) => recorded(current, now(), { kind: 'backed_up' }));
  return `${JSON.stringify(file, undefined, 2)}\n`;
}

/** Opens a file. */
export async function openRecoveryFile(text: string, phrase: string): Promise<Recovered> {
  const bytes = (value: unknown) => new Uint8Array(base64urlDecode(String(value)));
  try {
    const file = JSON.parse(text.slice(0, MAX_FILE)) as Record<string, unknown>;
    if (file['kind'] !== KIND || file['rounds'] !== ROUNDS) {
      throw new WalletFailure('recovery_file_unknown');
    }
    const key = await keyOf(phrase, bytes(file['salt']));
    const clear = await crypto.subtle.decrypt({ name: 'AES-GCM', iv: bytes(file['iv']) }, key, bytes(file['content']));
    const content = JSON.parse(new TextDecoder().decode(clear)) as Omit<Recovered, 'root'> & { root: string };
    return { ...content, root: bytes(content.root) };
  } catch (error) {
    throw error instanceof WalletFailure ? error : new WalletFailure('recovery_file_unreadable');
  }
}

/** Proves that a file would bring back this wallet's DIDs: each is derived from it anew and compared. */
export async function rehearse(state: WalletState, text: string, phrase: string): Promise<void> {
  const { root, charter } = await openRecoveryFile(text, phrase);
  const { hash, network } = charterOf(state.network);
  const same = state.dids.every(({ series, number, did }) => {
    const inception = new Keychain(root, hash, { series, number }).inception();
    return didText({ network, hash: inceptionHash(inception) }) === did;
  });
  root.fill(0);
  if (!same || charter !== state.network.charter) {
    throw new WalletFailure('recovery_file_other_wallet');
  }
}

async function keyOf(phrase: string, salt: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  const material = await crypto.subtle.importKey('raw', new Uint8Array(utf8(phrase.normalize('NFKC'))), 'PBKDF2', false, ['deriveKey']);
  const derivation = { name: 'PBKDF2', hash: 'SHA-256', salt, iterations: ROUNDS };
  return crypto.subtle.deriveKey(derivation, material, { name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
}
