// DIDs, resolved by anybody's means: the HTTP interface of a node, or what the identifier itself says.
import assert from 'node:assert/strict';
import { NODE } from '../shared/country.mjs';

/** The public key, as a JWK, that a DID URL names. */
export async function resolveKey(didUrl) {
  const [did, fragment] = didUrl.split('#');
  if (did.startsWith('did:jwk:')) return JSON.parse(Buffer.from(did.slice('did:jwk:'.length), 'base64url'));
  const document = await resolve(did);
  const method = document.verificationMethod.find(({ id }) => id === didUrl || id === `#${fragment}`);
  assert(method?.publicKeyJwk, `${didUrl} names no key`);
  return method.publicKeyJwk;
}

/** The document of a DID on the country's ledger. */
export async function resolve(did) {
  const response = await fetch(`${NODE}/1.0/identifiers/${did}`, { headers: { accept: 'application/did' } });
  assert.equal(response.status, 200, `${did} does not resolve`);
  return response.json();
}

/** A `did:jwk` for a public key. */
export const didJwk = (jwk) => `did:jwk:${Buffer.from(JSON.stringify(jwk)).toString('base64url')}`;
