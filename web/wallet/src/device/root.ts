// The root secret: encrypted at rest, by a passkey where there is one.
import { ROOT_LENGTH, utf8 } from 'realdid-core';

import { WalletFailure } from './failure.js';
import { random } from './keys.js';
import type { WrappedRoot } from './state.js';

/** Encrypts a root secret by a key that only this browser has. */
export async function wrapByDevice(root: Uint8Array<ArrayBuffer>): Promise<WrappedRoot> {
  const key = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
  return { by: 'device', key, ...(await seal(root, key)) };
}

/**
 * Makes a passkey and encrypts the root secret by what its PRF gives. `undefined`: this device's passkeys
 * have no PRF.
 */
export async function wrapByPasskey(root: Uint8Array<ArrayBuffer>, label: string): Promise<WrappedRoot | undefined> {
  const salt = random(32);
  const made = await navigator.credentials.create({
    publicKey: {
      challenge: random(32),
      rp: { name: 'RealDID' },
      user: { id: random(16), name: label, displayName: label },
      pubKeyCredParams: [{ type: 'public-key', alg: -8 }, { type: 'public-key', alg: -7 }],
      authenticatorSelection: { residentKey: 'preferred', userVerification: 'required' },
      extensions: { prf: { eval: { first: salt } } },
    },
  });
  if (!(made instanceof PublicKeyCredential) || made.getClientExtensionResults().prf?.enabled !== true) {
    return undefined;
  }
  const passkey = { id: new Uint8Array(made.rawId), salt };
  const output = made.getClientExtensionResults().prf?.results?.first ?? (await evaluate(passkey));
  return { by: 'passkey', passkey, ...(await seal(root, await keyOf(output))) };
}

/** The root secret in the clear, for as long as the caller keeps it. A passkey asks its holder. */
export async function unwrap(root: WrappedRoot): Promise<Uint8Array<ArrayBuffer>> {
  const key = root.passkey === undefined ? root.key : await keyOf(await evaluate(root.passkey));
  if (key === undefined) {
    throw new WalletFailure('root_unreadable');
  }
  const clear = await crypto.subtle.decrypt({ name: 'AES-GCM', iv: root.iv }, key, root.ciphertext).catch(() => {
    throw new WalletFailure('root_unreadable');
  });
  return new Uint8Array(clear);
}

async function evaluate({ id, salt }: NonNullable<WrappedRoot['passkey']>): Promise<BufferSource> {
  const got = await navigator.credentials.get({
    publicKey: {
      challenge: random(32),
      allowCredentials: [{ type: 'public-key', id }],
      userVerification: 'required',
      extensions: { prf: { eval: { first: salt } } },
    },
  });
  const first = got instanceof PublicKeyCredential ? got.getClientExtensionResults().prf?.results?.first : undefined;
  if (first === undefined) {
    throw new WalletFailure('passkey_refused');
  }
  return first;
}

async function keyOf(prf: BufferSource): Promise<CryptoKey> {
  const material = await crypto.subtle.importKey('raw', prf, 'HKDF', false, ['deriveKey']);
  const info = new Uint8Array(utf8('realdid/web-wallet/root/v1'));
  const derivation = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info };
  return crypto.subtle.deriveKey(derivation, material, { name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
}

async function seal(root: Uint8Array<ArrayBuffer>, key: CryptoKey): Promise<Pick<WrappedRoot, 'iv' | 'ciphertext'>> {
  const iv = random(12);
  return { iv, ciphertext: new Uint8Array(await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, key, root)) };
}

/** A fresh root secret. */
export function drawRoot(): Uint8Array<ArrayBuffer> {
  return random(ROOT_LENGTH);
}
