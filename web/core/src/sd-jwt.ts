/**
 * SD-JWT (RFC 9901): claims that the holder shows or keeps one by one, in compact form. A verifier's and
 * a holder's side; issuing is the Rust crates' alone. Twin of `crates/credential/src/sd_jwt`.
 */

import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js';

import { base64urlDecode, base64urlEncode, utf8 } from './bytes.js';
import { collectDisclosures, objectOf, selectClaims } from './claims.js';
import type { Claim, ClaimPath } from './claims.js';
import { Refusal } from './errors.js';
import { JsonObject, parseStrict } from './json.js';
import type { Json } from './json.js';
import { JwsError, SigningInput, jwkKey, parseJws } from './jws.js';
import type { UnverifiedJws } from './jws.js';
import type { KeyType, PublicKey, SecretKey } from './key.js';
import { SdJwtError } from './sd-jwt-error.js';
import { processClaims } from './sd-jwt-process.js';

/** Longest SD-JWT that is read, in bytes, key binding included. */
export const MAX_SD_JWT = 256 * 1024;
/** Most disclosures that are read. */
export const MAX_DISCLOSURES = 1024;
/** Type of a key binding JWT (RFC 9901 §4.3). */
export const KEY_BINDING_TYP = 'kb+jwt';

/** A path leads to no claim of the credential. */
export class SelectError extends Refusal<'nothing_there'> {}

/** The digest of a text as disclosures are named by it: base64url of the hash over its bytes. */
export type Digest = (text: string) => string;

const HASHES: ReadonlyMap<string, (bytes: Uint8Array) => Uint8Array> = new Map<
  string,
  (bytes: Uint8Array) => Uint8Array
>([
  ['sha-256', sha256],
  ['sha-384', sha384],
  ['sha-512', sha512],
]);

/** A disclosure as it was sent. */
export interface RawDisclosure {
  /** As sent: what the digest is taken over. */
  readonly encoded: string;
  /** The elements of the array in it; nothing if it is no base64url of a JSON array. */
  readonly elements?: readonly Json[] | undefined;
}

/** An SD-JWT whose signatures have not been checked. {@link parseSdJwt} makes one. */
export interface SdJwt {
  /** The issuer's part as a signed message. */
  readonly jwt: UnverifiedJws;
  /** Everything up to and including the last tilde: what a key binding is over. */
  readonly boundPart: string;
  readonly disclosures: readonly RawDisclosure[];
  readonly digest: Digest;
  readonly keyBinding?: UnverifiedJws | undefined;
}

/**
 * Takes an SD-JWT apart, with or without key binding.
 *
 * @throws {SdJwtError}
 */
export function parseSdJwt(text: string): SdJwt {
  if (text.length > MAX_SD_JWT || utf8(text).length > MAX_SD_JWT) {
    throw new SdJwtError('credential_too_long');
  }
  const end = text.lastIndexOf('~') + 1;
  const boundPart = text.slice(0, end);
  const [issued = '', ...encoded] = boundPart.slice(0, -1).split('~');
  if (end === 0 || encoded.includes('')) {
    throw new SdJwtError('credential_form');
  }
  if (encoded.length > MAX_DISCLOSURES) {
    throw new SdJwtError('credential_too_many_disclosures');
  }
  const jwt = readPart(issued, 'credential');
  const keyBinding = end === text.length ? undefined : readPart(text.slice(end), 'key_binding');
  const digest = digestOf(jwt.stated);
  return { jwt, boundPart, disclosures: encoded.map(parseDisclosure), digest, keyBinding };
}

/**
 * Takes an SD-JWT apart that an issuer hands out: it has no key binding (RFC 9901 §7.2).
 *
 * @throws {SdJwtError}
 */
export function parseIssuedSdJwt(text: string): SdJwt {
  const parsed = parseSdJwt(text);
  if (parsed.keyBinding !== undefined) {
    throw new SdJwtError('credential_already_bound');
  }
  return parsed;
}

/** The part of an error that depends on which message is wrong. */
function messageError(part: 'credential' | 'key_binding', error: unknown): unknown {
  if (!(error instanceof JwsError)) {
    return error;
  }
  if (error.code === 'signature' || error.code === 'algorithm') {
    return new SdJwtError(`${part}_${error.code}`);
  }
  return new SdJwtError(part === 'credential' ? 'credential_issuer_part' : 'key_binding_message');
}

function readPart(text: string, part: 'credential' | 'key_binding'): UnverifiedJws {
  try {
    return parseJws(text);
  } catch (error) {
    throw messageError(part, error);
  }
}

function verifyPart(message: UnverifiedJws, key: PublicKey, part: 'credential' | 'key_binding'): void {
  try {
    message.verifyForeign(key);
  } catch (error) {
    throw messageError(part, error);
  }
}

function parseDisclosure(encoded: string): RawDisclosure {
  try {
    const array = parseStrict(base64urlDecode(encoded));
    return { encoded, elements: Array.isArray(array) ? array : undefined };
  } catch {
    return { encoded };
  }
}

/** The hash function that the issuer states; SHA-256 if none is stated (RFC 9901 §4.1.1). */
function digestOf(payload: JsonObject): Digest {
  const name = payload.has('_sd_alg') ? payload.get('_sd_alg') : 'sha-256';
  const hash = typeof name === 'string' ? HASHES.get(name) : undefined;
  if (hash === undefined) {
    throw new SdJwtError('credential_unknown_hash');
  }
  return (text) => base64urlEncode(hash(utf8(text)));
}

/**
 * Checks the issuer's signature and every rule of RFC 9901 §7.1 about digests and disclosures. Whether
 * `key` is the issuer's is the caller's to know; `typ` and times are the profile's.
 *
 * @throws {SdJwtError}
 */
export function verifySdJwt(sdJwt: SdJwt, key: PublicKey): VerifiedSdJwt {
  verifyPart(sdJwt.jwt, key, 'credential');
  return new VerifiedSdJwt(sdJwt, processClaims(sdJwt));
}

/** What a verifier expects of a key binding. */
export interface ExpectedBinding {
  /** Who the verifier is, as its request named it. */
  readonly audience: string;
  /** The nonce of its request. */
  readonly nonce: string;
  /** Now, in seconds since 1970. */
  readonly now: number;
  /** Oldest key binding that is accepted, in seconds. */
  readonly maxAge: number;
}

/**
 * An SD-JWT whose issuer's signature holds under the key it was checked with, and whose disclosures are
 * all the issuer's. {@link verifySdJwt} makes one.
 */
export class VerifiedSdJwt {
  /** The processed claims: those open to all and those disclosed. */
  readonly claims: JsonObject;
  /** The processed claims as a tree that knows which of them can be kept back. */
  readonly root: ReadonlyMap<string, Claim>;
  readonly sdJwt: SdJwt;

  constructor(sdJwt: SdJwt, root: ReadonlyMap<string, Claim>) {
    this.sdJwt = sdJwt;
    this.root = root;
    this.claims = objectOf(root);
  }

  /** The holder's key that the issuer names: `cnf.jwk`, if it is a public key that is known here. */
  get holderKey(): PublicKey | undefined {
    const cnf = this.claims.get('cnf');
    return cnf instanceof JsonObject ? jwkKey(cnf.get('jwk')) : undefined;
  }

  /**
   * Chooses what to show: the claims at these paths, each with all that is disclosed beneath it and
   * whatever it stands in. What is open to all is shown in any case.
   *
   * @throws {SelectError}
   */
  select(paths: readonly ClaimPath[]): Presentation {
    const wanted = new Set<number>();
    for (const path of paths) {
      const chains = selectClaims(this.root, path);
      if (chains.length === 0) {
        throw new SelectError('nothing_there', `the credential has no claim at ${JSON.stringify(path)}`);
      }
      for (const chain of chains) {
        chain.forEach((claim) => claim.disclosure !== undefined && wanted.add(claim.disclosure));
        chain.slice(-1).forEach((claim) => collectDisclosures(claim, wanted));
      }
    }
    const { boundPart, disclosures, digest } = this.sdJwt;
    const shown = disclosures.filter((_, index) => wanted.has(index)).map(({ encoded }) => `${encoded}~`);
    return new Presentation(boundPart.slice(0, boundPart.indexOf('~') + 1) + shown.join(''), digest);
  }

  /**
   * Checks the key binding, which there must be (RFC 9901 §7.3), and returns its claims.
   *
   * @throws {SdJwtError}
   */
  checkKeyBinding(expected: ExpectedBinding): JsonObject {
    const { keyBinding, boundPart, digest } = this.sdJwt;
    if (keyBinding === undefined) {
      throw new SdJwtError('key_binding_missing');
    }
    const key = this.holderKey;
    if (key === undefined) {
      throw new SdJwtError('holder_key_unusable');
    }
    verifyPart(keyBinding, key, 'key_binding');
    if (keyBinding.typ !== KEY_BINDING_TYP) {
      throw new SdJwtError('key_binding_type');
    }
    checkBindingClaims(keyBinding.stated, expected, digest(boundPart));
    return keyBinding.stated;
  }
}

/** Furthest that a key binding's time may lie ahead of the verifier's clock, in seconds. */
const BINDING_AHEAD = 60;

function checkBindingClaims(claims: JsonObject, expected: ExpectedBinding, sdHash: string): void {
  const time = (name: string): number | undefined => numericDate(claims.get(name));
  const [issuedAt, expiresAt, notBefore] = [time('iat'), time('exp'), time('nbf')];
  const texts = ['aud', 'nonce', 'sd_hash'].map((name) => claims.get(name));
  const unreadable = ['exp', 'nbf'].some((name) => claims.has(name) && time(name) === undefined);
  if (issuedAt === undefined || unreadable || texts.some((text) => typeof text !== 'string')) {
    throw new SdJwtError('key_binding_form');
  }
  const latest = expected.now + BINDING_AHEAD;
  const checks: readonly [boolean, SdJwtError['code']][] = [
    [texts[0] === expected.audience, 'key_binding_audience'],
    [texts[1] === expected.nonce, 'key_binding_nonce'],
    [issuedAt + expected.maxAge >= expected.now, 'key_binding_stale'],
    [issuedAt <= latest, 'key_binding_early'],
    [(expiresAt ?? Infinity) > expected.now && (notBefore ?? 0) <= latest, 'key_binding_times'],
    [texts[2] === sdHash, 'key_binding_other_disclosures'],
  ];
  const wrong = checks.find(([holds]) => !holds);
  if (wrong !== undefined) {
    throw new SdJwtError(wrong[1]);
  }
}

/** The last second of the year 9999: no credential lives longer. */
const MAX_TIME = 253_402_300_799;

/** A time in whole seconds since 1970; nothing if it is no number, negative, or beyond the year 9999. */
export function numericDate(value: Json | undefined): number | undefined {
  if (value === undefined || value === null || typeof value === 'string' || typeof value === 'boolean') {
    return undefined;
  }
  const seconds = typeof value === 'object' ? ('value' in value ? value.value : NaN) : Number(value);
  return seconds >= 0 && seconds <= MAX_TIME ? Math.trunc(seconds) : undefined;
}

/** What a key binding says, beside `sd_hash`. */
export interface BindingClaims {
  /** Whom the presentation is for, in the form that the protocol has for it. */
  readonly audience: string;
  /** The request's nonce. */
  readonly nonce: string;
  /** Time of making it, in seconds since 1970. */
  readonly issuedAt: number;
  /** More claims, such as `transaction_data_hashes`. None of the four above is replaced by them. */
  readonly more?: Readonly<Record<string, unknown>>;
}

/** An SD-JWT with the disclosures that the holder chose. */
export class Presentation {
  /** The presentation without key binding; it ends with a tilde. */
  readonly text: string;
  /** The hash that binds a key to exactly this presentation (RFC 9901 §4.3.1). */
  readonly sdHash: string;

  constructor(text: string, digest: Digest) {
    this.text = text;
    this.sdHash = digest(text);
  }

  /** What a holder's key of this type signs, if it lies elsewhere; throws {@link JwsError}. */
  prepareBinding(kind: KeyType, { audience, nonce, issuedAt, more }: BindingClaims): SigningInput {
    const claims = { ...more, aud: audience, iat: issuedAt, nonce, sd_hash: this.sdHash };
    return new SigningInput(kind, { typ: KEY_BINDING_TYP }, claims);
  }

  /** The presentation bound to the holder's key, which is at hand. */
  bind(key: SecretKey, claims: BindingClaims): string {
    const input = this.prepareBinding(key.kind, claims);
    return this.text + input.finish(key.signRaw(input.bytes));
  }
}
