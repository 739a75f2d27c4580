// DIDs, resolved by anybody's means: the HTTP interface of a node, or what the identifier itself says.
import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { NODE } from '../shared/country.mjs';

/** The public key, as a JWK, that a DID URL names. */
export async function resolveKey(didUrl) {
  const [did, fragment] = didUrl.split('#');
  if (did.startsWith('did:jwk:')) return JSON.parse(Buffer.from(did.slice('did:jwk:'.length), 'base64url'));
  const document = await resolve(did);
  const method = document.verificationMethod.find(({ id }) => id === didUrl || id === `#${fragment}`);
  assert(method, `${didUrl} names no key`);
  return method.publicKeyJwk ?? multikey(method.publicKeyMultibase);
}

/** The document of a DID on the country's ledger. */
export async function resolve(did) {
  const response = await fetch(`${NODE}/1.0/identifiers/${did}`, { headers: { accept: 'application/did' } });
  assert.equal(response.status, 200, `${did} does not resolve`);
  return response.json();
}

/** A `did:jwk` for a public key. */
export const didJwk = (jwk) => `did:jwk:${Buffer.from(JSON.stringify(jwk)).toString('base64url')}`;

// SubjectPublicKeyInfo of a P-256 key up to its compressed point, and of an Ed25519 key up to its bytes.
const SPKI = {
  8024: '3039301306072a8648ce3d020106082a8648ce3d030107032200',
  ed01: '302a300506032b6570032100',
};

/** A key in the form of Multikey (Controlled Identifiers 1.0): multicodec and bytes in base58btc. */
function multikey(text) {
  assert.equal(text[0], 'z', 'base58btc');
  const bytes = base58(text.slice(1));
  const prefix = SPKI[bytes.subarray(0, 2).toString('hex')];
  assert(prefix, `an unknown kind of key: ${text}`);
  const der = Buffer.concat([Buffer.from(prefix, 'hex'), bytes.subarray(2)]);
  return createPublicKey({ key: der, format: 'der', type: 'spki' }).export({ format: 'jwk' });
}

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';

function base58(text) {
  let value = 0n;
  for (const character of text) value = value * 58n + BigInt(ALPHABET.indexOf(character));
  const digits = value.toString(16);
  return Buffer.from(digits.length % 2 ? `0${digits}` : digits, 'hex');
}
