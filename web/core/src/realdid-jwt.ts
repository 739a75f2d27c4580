/**
 * The login presentation `realdid+jwt`: a holder's proof of control over a DID, with its token. Twin of
 * `crates/openid/src/realdid_jwt.rs`.
 *
 * Header: `typ: realdid+jwt`, `alg` of the DID's key, `kid: <short DID>#<key>`.
 */

import { asU64 } from './json.js';
import type { JsonObject } from './json.js';
import { JwsError, SigningInput, parseJws } from './jws.js';
import type { UnverifiedJws } from './jws.js';
import type { KeyType, SecretKey } from './key.js';

/** The format's name in DCQL, and the JWS type. */
export const REALDID_JWT = 'realdid+jwt';
/** Longest time from `iat` to `exp`, in seconds. */
export const MAX_LIFETIME = 300n;

/** The claims of a login presentation. Nothing else may stand in it. */
export interface LoginClaims {
  /** The DID in short form. */
  readonly iss: string;
  /** The DID in long form, or in short form if it is on the ledger. */
  readonly did: string;
  /** The verifier's client identifier, with its prefix. */
  readonly aud: string;
  /** The verifier's nonce. */
  readonly nonce: string;
  /** When it was made, in Unix seconds. */
  readonly iat: bigint;
  /** Until when it may be shown, in Unix seconds; at most {@link MAX_LIFETIME} later. */
  readonly exp: bigint;
  /** Hash of the network's charter, base64url. */
  readonly charter: string;
  /** The real-name token, base64url. */
  readonly token: string;
  /** SHA-256 of each credential in the same answer, base64url. */
  readonly credentials: readonly string[];
}

/**
 * What is to be signed for a login presentation, where the key lies elsewhere; `keyUrl` is
 * `<short DID>#<key>`.
 *
 * @throws {JwsError}
 */
export function loginSigningInput(claims: LoginClaims, keyUrl: string, kind: KeyType): SigningInput {
  const texts = (names: readonly ('iss' | 'did' | 'aud' | 'nonce' | 'charter' | 'token')[]): string[] =>
    names.map((name) => `"${name}":${JSON.stringify(claims[name])}`);
  const members = [
    ...texts(['iss', 'did', 'aud', 'nonce']),
    `"iat":${claims.iat}`,
    `"exp":${claims.exp}`,
    ...texts(['charter', 'token']),
    `"credentials":${JSON.stringify(claims.credentials)}`,
  ];
  return new SigningInput(kind, { typ: REALDID_JWT, kid: keyUrl }, `{${members.join(',')}}`);
}

/**
 * Signs a login presentation with a key at hand.
 *
 * @throws {JwsError}
 */
export function signLogin(claims: LoginClaims, keyUrl: string, key: SecretKey): string {
  const input = loginSigningInput(claims, keyUrl, key.kind);
  return input.finish(key.signRaw(input.bytes));
}

/**
 * Parses a login presentation; its signature is still to be checked.
 *
 * @throws {JwsError}
 */
export function parseLogin(text: string): { message: UnverifiedJws; claims: LoginClaims } {
  const message = parseJws(text);
  message.expectType(REALDID_JWT);
  return { message, claims: readClaims(message.stated) };
}

function readClaims(stated: JsonObject): LoginClaims {
  const text = (name: string): string => {
    const value = stated.get(name);
    if (typeof value !== 'string') {
      throw new JwsError('claims');
    }
    return value;
  };
  const [iat, exp, listed] = [asU64(stated.get('iat')), asU64(stated.get('exp')), stated.get('credentials')];
  const credentials = Array.isArray(listed) ? listed.filter((item) => typeof item === 'string') : [];
  const whole = Array.isArray(listed) && credentials.length === listed.length && stated.size === 9;
  if (iat === undefined || exp === undefined || !whole) {
    throw new JwsError('claims');
  }
  return {
    iss: text('iss'),
    did: text('did'),
    aud: text('aud'),
    nonce: text('nonce'),
    iat,
    exp,
    charter: text('charter'),
    token: text('token'),
    credentials,
  };
}
