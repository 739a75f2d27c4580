// Keys in WebCrypto: made or imported so that no script reads them out again.
import { PublicKey, SecretKey } from 'realdid-core';
import type { SigningInput } from 'realdid-core';

import type { HeldKey } from './state.js';

/** DER in front of the 32 bytes of an Ed25519 seed (RFC 8410 §7). */
const PKCS8 = Uint8Array.of(0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20);

/** Fresh random bytes. */
export function random(length: number): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(length));
}

/** An Ed25519 key of a seed, which the caller then forgets. */
export async function importSeed(seed: Uint8Array): Promise<HeldKey> {
  const bytes = new Uint8Array([...PKCS8, ...seed]);
  const key = await crypto.subtle.importKey('pkcs8', bytes, 'Ed25519', false, ['sign']);
  bytes.fill(0);
  return { key, multikey: SecretKey.fromSeed('EdDSA', seed).publicKey().toString() };
}

/** A fresh P-256 key, for a credential or DPoP. */
export async function drawHolderKey(): Promise<HeldKey> {
  const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify']);
  const point = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey));
  const compressed = Uint8Array.of(2 + ((point[64] ?? 0) & 1), ...point.slice(1, 33));
  return { key: pair.privateKey, multikey: PublicKey.fromBytes('ES256', compressed).toString() };
}

/** The public part. */
export function publicKey(held: HeldKey): PublicKey {
  return PublicKey.fromMultikey(held.multikey);
}

/** Signs what is to be signed; gives the JWS. */
export async function sign(held: HeldKey, input: SigningInput): Promise<string> {
  const algorithm = held.key.algorithm.name === 'ECDSA' ? { name: 'ECDSA', hash: 'SHA-256' } : 'Ed25519';
  const bytes = new Uint8Array(input.bytes);
  return input.finish(new Uint8Array(await crypto.subtle.sign(algorithm, held.key, bytes)));
}
