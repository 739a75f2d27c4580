// SD-JWT credentials through @sd-jwt: made, verified, shown.
import assert from 'node:assert/strict';
import { ES256, digest, generateSalt } from '@sd-jwt/crypto-nodejs';
import { StatusList, createHeaderAndPayload } from '@sd-jwt/jwt-status-list';
import { SDJwtVcInstance } from '@sd-jwt/sd-jwt-vc';
import * as jose from 'jose';
import { chainKey } from './crypto.mjs';
import { resolve, resolveKey } from './did.mjs';

const common = { hasher: digest, hashAlg: 'sha-256', saltGenerator: generateSalt };

/** A JWS verifier for @sd-jwt that takes whatever algorithm the *key* is for. */
function verifierOf(jwk) {
  const alg = jwk.crv === 'Ed25519' ? 'EdDSA' : 'ES256';
  return async (data, signature) => {
    const key = await jose.importJWK(jwk, alg);
    return jose.compactVerify(`${data}.${signature}`, key, { algorithms: [alg] }).then(() => true, () => false);
  };
}

/**
 * The issuer's key as SD-JWT VC has it: by `x5c`, by a DID URL in `kid`, or by the issuer's metadata.
 * `ways` tells which of them a verifier knows.
 */
export async function issuerKey(compact, { roots = [], ways = ['x5c', 'did', 'metadata'] } = {}) {
  const jwt = compact.split('~')[0];
  const header = jose.decodeProtectedHeader(jwt);
  const { iss } = jose.decodeJwt(jwt);
  for (const way of ways) {
    if (way === 'x5c' && header.x5c) return chainKey(header.x5c, roots);
    if (way === 'did') {
      const url = header.kid?.startsWith('#') ? `${iss}${header.kid}` : header.kid;
      if (url?.startsWith('did:')) {
        if (url.startsWith('did:real:')) {
          const { assertionMethod = [] } = await resolve(url.split('#')[0]);
          const ids = assertionMethod.map((method) => method.id ?? method);
          assert(ids.includes(url), `${url} is not for assertions`);
        }
        return resolveKey(url);
      }
    }
    if (way === 'metadata' && /^https?:/.test(iss ?? '')) return metadataKey(iss, header.kid);
  }
  return assert.fail(`no way to the issuer's key: ${JSON.stringify({ ...header, iss })}`);
}

async function metadataKey(iss, kid) {
  const { origin, pathname } = new URL(iss);
  const url = `${origin}/.well-known/jwt-vc-issuer${pathname === '/' ? '' : pathname}`;
  const response = await fetch(url);
  assert.equal(response.status, 200, url);
  const metadata = await response.json();
  assert.equal(metadata.issuer, iss);
  const jwks = metadata.jwks ?? (await (await fetch(metadata.jwks_uri)).json());
  const key = jwks.keys.find((key) => key.kid === kid) ?? (jwks.keys.length === 1 && jwks.keys[0]);
  assert(key, `${url} has no key ${kid}`);
  return key;
}

/** Verifies a credential without key binding, status included; its claims. */
export async function verify(compact, options = {}) {
  const jwk = await issuerKey(compact, options);
  // Without a verifier of its own, the status list must be signed by the issuer's key, too.
  const instance = new SDJwtVcInstance({ ...common, verifier: verifierOf(jwk) });
  const { payload, header } = await instance.verify(compact, options.verify);
  assert.equal(header.typ, 'dc+sd-jwt');
  return payload;
}

/** Verifies what was shown with its key binding to this audience and nonce; the disclosed claims. */
export async function verifyShown(compact, { audience, nonce, ...options }) {
  const { cnf } = jose.decodeJwt(compact.split('~')[0]);
  const instance = new SDJwtVcInstance({
    ...common,
    verifier: verifierOf(await issuerKey(compact, options)),
    kbVerifier: verifierOf(cnf.jwk),
  });
  const { payload, kb } = await instance.verify(compact, { keyBindingNonce: nonce });
  assert.equal(kb.payload.aud, audience);
  assert(Math.abs(Date.now() / 1000 - kb.payload.iat) < 120, 'a stale key binding');
  return payload;
}

/** Shows the claims of a frame such as `{ name: true, address: { street: true } }`, bound by the holder's key. */
export async function present(compact, key, { frame, audience, nonce, more = {} }) {
  const signer = await ES256.getSigner(await jose.exportJWK(key.privateKey));
  const instance = new SDJwtVcInstance({ ...common, kbSigner: signer, kbSignAlg: 'ES256' });
  const payload = { iat: Math.floor(Date.now() / 1000), aud: audience, nonce, ...more };
  return instance.present(compact, frame, { kb: { payload } });
}

/** All claims, disclosed or not, without any check. */
export const claimsOf = (compact) => new SDJwtVcInstance(common).getClaims(compact);

/** Issues an SD-JWT VC under a key; `header` says how its key is found. */
export async function issue(claims, { key, frame, header }) {
  const signer = await ES256.getSigner(await jose.exportJWK(key.privateKey));
  const instance = new SDJwtVcInstance({ ...common, signer, signAlg: 'ES256' });
  return instance.issue(claims, frame, { header });
}

/** A signed status list of two bits each. */
export async function statusListJwt(statuses, { uri, key, header }) {
  const now = Math.floor(Date.now() / 1000);
  const made = createHeaderAndPayload(
    new StatusList(statuses, 2),
    { sub: uri, iat: now, exp: now + 3600, ttl: 60 },
    { ...header, alg: 'ES256', typ: 'statuslist+jwt' },
  );
  return new jose.SignJWT(made.payload).setProtectedHeader(made.header).sign(key.privateKey);
}
