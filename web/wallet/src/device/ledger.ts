// The ledger, as far as it proves what it says: every answer of a node is checked against the pinned charter.
import {
  CertificateCache, base64urlDecode, hashBytes, parseCharter, readListedDocument, toHex, trustAnchor, utf8, verifyStateAnswer,
} from 'realdid-core';
import type { Charter, Hash, ListedDocument, ProvenState, StateAnswer } from 'realdid-core';

import { WalletFailure, codeOf } from './failure.js';
import { getJson } from './http.js';
import type { NetworkSettings, WalletState } from './state.js';
import { change } from './storage.js';

/** Oldest state that is believed, in seconds (protocol.md §3). */
const MAX_AGE = 300n;
/** Most keys in one question. */
const MAX_KEYS = 16;

const cache = new CertificateCache();
const charters = new Map<string, Charter>();

/** The charter of a wallet. */
export function charterOf(network: NetworkSettings): Charter {
  const known = charters.get(network.charter) ?? parseCharter(new Uint8Array(utf8(network.charter)));
  charters.set(network.charter, known);
  return known;
}

/** This device's clock, in Unix seconds. */
export function now(): number {
  return Math.floor(Date.now() / 1000);
}

/**
 * The state under these keys, proven, young, and no lower than any seen before. Of several nodes the next
 * one is asked if one cannot be reached or proves nothing; what none proves is not believed.
 */
export async function proven(state: WalletState, keys: readonly Hash[]): Promise<ProvenState> {
  const charter = charterOf(state.network);
  if (keys.length > MAX_KEYS) {
    throw new WalletFailure('request_query_unsupported');
  }
  const query = keys.map((key) => `key=${toHex(hashBytes(key))}`).join('&');
  let failure: unknown = new WalletFailure('node_unreachable');
  for (const node of state.network.nodes) {
    try {
      const answer = (await getJson('node', `${node}/v1/proofs/keys?${query}`)) as StateAnswer;
      const freshness = { now: BigInt(now()), maxAge: MAX_AGE, lowestHeight: state.highest };
      const found = verifyStateAnswer(answer, trustAnchor(charter), keys, freshness, cache);
      await change((current) => ({ ...current, highest: found.height > current.highest ? found.height : current.highest }));
      return found;
    } catch (error) {
      // A lie is told to the holder, whatever the next node says to the same question.
      if (codeOf(failure) !== 'node_lies') {
        failure = error instanceof TypeError ? new WalletFailure('node_lies') : error;
      }
    }
  }
  throw failure;
}

/** The document data with this hash, from any node: it needs no trust. */
export async function document(state: WalletState, hash: Hash): Promise<ListedDocument> {
  let failure: unknown;
  for (const node of state.network.nodes) {
    try {
      const answer = (await getJson('node', `${node}/v1/documents/${toHex(hashBytes(hash))}`)) as { document?: unknown };
      const data = readListedDocument(base64urlDecode(String(answer.document)));
      if (data.hash === hash) {
        return data;
      }
      failure = new WalletFailure('node_lies');
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}
