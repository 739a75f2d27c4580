/**
 * `npm run bench`: how long one state proof with its certificate takes to check, and how much of that is the
 * bare pairing, which nobody can do without.
 */

import { readFileSync } from 'node:fs';

import { bls12_381 } from '@noble/curves/bls12-381.js';

import {
  DST,
  decodeFinality,
  decodeStateProof,
  fromHex,
  hashFromHex,
  utf8,
  verifyFinality,
  verifyLookup,
} from '../src/index.js';
import type { Hash } from '../src/index.js';

const ROUNDS = 15;

interface LightClient {
  charter_hash: string;
  network_key: string;
  finality: string;
  present: { key: string; proof: string };
}

/** The middle of the times that `run` takes, in milliseconds; the first rounds are not counted. */
function median(run: () => void): number {
  const times = Array.from({ length: ROUNDS + 3 }, () => {
    const begun = performance.now();
    run();
    return performance.now() - begun;
  });
  return times.slice(3).sort((left, right) => left - right)[ROUNDS >> 1] ?? NaN;
}

function hash(text: string): Hash {
  const found = hashFromHex(text);
  if (found === undefined) {
    throw new Error(`${text} is no hash`);
  }
  return found;
}

const path = new URL('../../../../vectors/light_client.json', import.meta.url);
const vector = JSON.parse(readFileSync(path, 'utf8')) as LightClient;
const [finality, proof] = [fromHex(vector.finality), fromHex(vector.present.proof)];
const [charter, key] = [hash(vector.charter_hash), hash(vector.present.key)];
const networkKey = fromHex(vector.network_key);

const { G1, G2, shortSignatures } = bls12_381;
const signature = G1.Point.fromBytes(finality.slice(-48));
const point = G2.Point.fromBytes(networkKey);
const message = shortSignatures.hash(utf8('any message will do'), DST);

const pairing = median(() => void shortSignatures.verify(signature, message, point));
const certificate = median(() => void verifyFinality(decodeFinality(finality), charter, networkKey));
const { stateRoot } = verifyFinality(decodeFinality(finality), charter, networkKey).header;
const lookup = median(() => void verifyLookup(decodeStateProof(proof), key, stateRoot));

const ratio = (certificate + lookup) / pairing;
console.log(`bare pairing check   ${pairing.toFixed(1)} ms`);
console.log(`certificate          ${certificate.toFixed(1)} ms`);
console.log(`state proof          ${lookup.toFixed(1)} ms`);
console.log(`both / pairing       ${ratio.toFixed(2)}`);
