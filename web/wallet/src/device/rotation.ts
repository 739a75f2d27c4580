// New keys for a DID: it goes on the ledger, if it is not there yet, and the keys that it committed to come into force.
import {
  Keychain, ZERO_HASH, base64urlEncode, documentHash, encodeSigned, operationHash, parseShortDid, signOperation, stateKey,
} from 'realdid-core';
import type { Action, Entry, Hash, SecretKey } from 'realdid-core';

import { WalletFailure } from './failure.js';
import { postJson } from './http.js';
import { importSeed } from './keys.js';
import { charterOf, now, proven } from './ledger.js';
import { recorded } from './state.js';
import type { HeldDid, WalletState } from './state.js';
import { change } from './storage.js';

/** First byte of an operation on a DID among all that can stand in a block. */
const DID_OPERATION = 1;
/** How often the ledger is asked whether it has a final operation: another node may be a moment behind. */
const TRIES = 20;
/** Pause between, in milliseconds. */
const PAUSE = 500;
/** How many generations of keys are tried. */
const SCAN = 64;

/**
 * Rotates the keys of a DID; `root` is the open root secret. Each step is an operation that the ledger is
 * proved to have before the next one; after an interruption it goes on where the ledger stands.
 */
export async function rotate(state: WalletState, held: HeldDid, root: Uint8Array): Promise<void> {
  const charter = charterOf(state.network);
  const { hash } = parseShortDid(held.did);
  const keys = new Keychain(root, charter.hash, { series: held.series, number: held.number });
  let entry = await entryOf(state, hash);
  if (entry === undefined) {
    const { token } = held;
    if (token === undefined || state.account === undefined) {
      throw new WalletFailure('token_lapsed');
    }
    const authority = parseShortDid(state.account.authority).hash;
    const authorization = { kind: 'token', authority, token: token.bytes } as const;
    const founding = { inception: keys.inception(), authorization };
    entry = await perform(state, hash, ZERO_HASH, { kind: 'publish', founding }, keys.authentication(0));
  }
  const current = entry;
  const next = Array.from({ length: SCAN }, (_, step) => step + 1).find((generation) => keys.nextCommitment(generation) === current.next);
  if (next === undefined) {
    throw new WalletFailure('keys_replaced');
  }
  const rotation = { document: keys.document(next), salt: keys.derive('authentication_salt', next), next: keys.nextCommitment(next + 1) };
  const done = await perform(state, hash, current.lastOperation, { kind: 'update', rotation }, keys.authentication(next));
  if (done.document !== documentHash(rotation.document)) {
    throw new WalletFailure('keys_replaced');
  }
  const key = await importSeed(keys.derive('authentication', next));
  await change((latest) => {
    const dids = latest.dids.map((one): HeldDid => (one.did === held.did ? { ...one, key, onLedger: true } : one));
    return recorded({ ...latest, dids }, now(), { kind: 'rotated', site: held.site?.name ?? '' });
  });
}

async function entryOf(state: WalletState, did: Hash): Promise<Entry | undefined> {
  return (await proven(state, [stateKey.did(did)])).did(did);
}

/** Has an operation ordered, and gives the entry once the ledger is proved to have it. */
async function perform(state: WalletState, did: Hash, previous: Hash, action: Action, key: SecretKey): Promise<Entry> {
  const operation = { charter: charterOf(state.network).hash, did, previous, action };
  const signed = Uint8Array.of(DID_OPERATION, ...encodeSigned(signOperation(operation, 0, key)));
  const [node] = state.network.nodes;
  await postJson('node', `${node}/v1/operations?wait=finalized`, { operation: base64urlEncode(signed) });
  for (let tries = 0; tries < TRIES; tries++) {
    const entry = await entryOf(state, did);
    if (entry?.lastOperation === operationHash(operation)) {
      return entry;
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
  throw new WalletFailure('not_finalized');
}
