/**
 * SD-JWT VC: a verifiable credential in the form of an SD-JWT (draft-ietf-oauth-sd-jwt-vc), as a holder
 * or verifier reads it. Twin of `crates/credential/src/vc`.
 *
 * Not said by a credential that holds: that the key's owner may issue this type, and that it has not been
 * revoked.
 */

import { base64 } from '@scure/base';

import { utf8 } from './bytes.js';
import { hasDisclosable } from './claims.js';
import { Refusal } from './errors.js';
import { JsonObject, asU64, textMember } from './json.js';
import type { Json } from './json.js';
import type { PublicKey } from './key.js';
import { numericDate, parseIssuedSdJwt, parseSdJwt, verifySdJwt } from './sd-jwt.js';
import type { ExpectedBinding, SdJwt, VerifiedSdJwt } from './sd-jwt.js';

/** The one `typ` of an SD-JWT VC. The older `vc+sd-jwt` is not accepted. */
export const VC_TYP = 'dc+sd-jwt';
/** Longest type (`vct`), in bytes. */
const MAX_VCT = 1024;
/** Most further types (`aka_vcts`) of a credential. */
const MAX_ALSO_TYPES = 16;
/** Longest address of a status list, in bytes. */
const MAX_URI = 512;
/** Longest integrity metadata that is read, in bytes. */
const MAX_INTEGRITY = 1024;

/** Why a credential is not accepted; what is wrong with it as an SD-JWT is an {@link SdJwtError}. */
export class VcError extends Refusal<
  | 'credential_type'
  | 'credential_vct'
  | 'credential_aka_vcts'
  | 'credential_issuer_mismatch'
  | 'credential_time'
  | 'credential_issued_in_future'
  | 'credential_not_yet_valid'
  | 'credential_expired'
  | 'credential_audience'
  | 'credential_disclosable_claim'
  | 'credential_confirmation'
  | 'credential_status_reference'
  | 'credential_vct_integrity'
> {
  constructor(code: VcError['code']) {
    super(code, `the credential is refused: ${code.replaceAll('_', ' ')}`);
  }
}

/** By which clock a credential is judged. */
export interface Times {
  /** Now, in seconds since 1970. */
  readonly now: number;
  /** By how much the issuer's clock may differ, in seconds. */
  readonly leeway: number;
}

/** A credential whose signature has not been checked. {@link parseVc} makes one. */
export interface UnverifiedVc {
  readonly sdJwt: SdJwt;
  /** The type it says it is of. */
  readonly vct: string;
}

/** Where a credential's status stands. */
export interface StatusReference {
  readonly uri: string;
  readonly index: bigint;
}

/** A credential whose signature holds, that is valid now, and whose claims about itself are well-formed. */
export interface VerifiedVc {
  readonly sdJwt: VerifiedSdJwt;
  readonly vct: string;
  /** Further types that the issuer says it is of. They prove no right to issue those. */
  readonly alsoTypes: readonly string[];
  /** Times in seconds since 1970, if stated. */
  readonly issuedAt?: number | undefined;
  readonly notBefore?: number | undefined;
  readonly expiresAt?: number | undefined;
  readonly status?: StatusReference | undefined;
}

/**
 * Takes a presented credential apart, with or without key binding.
 *
 * @throws {SdJwtError | VcError}
 */
export function parseVc(text: string): UnverifiedVc {
  return unverified(parseSdJwt(text));
}

/**
 * Takes a credential apart that an issuer hands out; a key binding is refused.
 *
 * @throws {SdJwtError | VcError}
 */
export function parseIssuedVc(text: string): UnverifiedVc {
  return unverified(parseIssuedSdJwt(text));
}

function unverified(sdJwt: SdJwt): UnverifiedVc {
  refuseUnless(sdJwt.jwt.typ === VC_TYP, 'credential_type');
  const vct = textMember(sdJwt.jwt.stated, 'vct') ?? '';
  refuseUnless(isType(vct), 'credential_vct');
  refuseUnless(namesOneIssuer(sdJwt), 'credential_issuer_mismatch');
  return { sdJwt, vct };
}

/**
 * Checks a credential with the issuer's key: signature, disclosures, times, and the form of every claim
 * about the credential itself.
 *
 * @throws {SdJwtError | VcError}
 */
export function verifyVc({ sdJwt: parsed, vct }: UnverifiedVc, key: PublicKey, times: Times): VerifiedVc {
  const sdJwt = verifySdJwt(parsed, key);
  const open = [...sdJwt.root].every(([name, claim]) => !OPEN_CLAIMS.has(name) || !hasDisclosable(claim));
  refuseUnless(open, 'credential_disclosable_claim');
  const { claims } = sdJwt;
  const [issuedAt, notBefore, expiresAt] = ['iat', 'nbf', 'exp'].map((name) => time(claims, name));
  const latest = times.now + times.leeway;
  refuseUnless(issuedAt === undefined || issuedAt <= latest, 'credential_issued_in_future');
  refuseUnless(notBefore === undefined || notBefore <= latest, 'credential_not_yet_valid');
  refuseUnless(expiresAt === undefined || times.now < expiresAt + times.leeway, 'credential_expired');
  refuseUnless(isSoundHolder(claims), 'credential_confirmation');
  const also = alsoTypes(claims, vct);
  const reference = status(claims);
  const integrity = claims.get('vct#integrity');
  refuseUnless(integrity === undefined || isIntegrity(integrity), 'credential_vct_integrity');
  return { sdJwt, vct, alsoTypes: also, issuedAt, notBefore, expiresAt, status: reference };
}

/**
 * Checks that the credential, if its issuer made it for some verifiers alone (`aud`), is meant for this
 * one. For who takes it without a key binding; with one it is part of that.
 *
 * @throws {VcError}
 */
export function checkAudience({ sdJwt }: VerifiedVc, audience: string): void {
  const stated = sdJwt.claims.has('aud') ? (sdJwt.claims.get('aud') ?? null) : audience;
  const meant = Array.isArray(stated) ? stated.includes(audience) : stated === audience;
  refuseUnless(meant, 'credential_audience');
}

/**
 * Checks the key binding, which there must be (RFC 9901 §7.3), and returns its claims.
 *
 * @throws {SdJwtError | VcError}
 */
export function checkVcBinding(vc: VerifiedVc, expected: ExpectedBinding): JsonObject {
  checkAudience(vc, expected.audience);
  return vc.sdJwt.checkKeyBinding(expected);
}

/** Claims about the credential itself: never in a disclosure (SD-JWT VC, Registered JWT Claims). */
const OPEN_CLAIMS: ReadonlySet<string> = new Set([
  'iss',
  'nbf',
  'exp',
  'cnf',
  'vct',
  'vct#integrity',
  'aka_vcts',
  'status',
]);

/** Whether a text can be the name of a type: not empty, at most {@link MAX_VCT} bytes, nothing unseen. */
function isType(text: string): boolean {
  const length = utf8(text).length;
  return length > 0 && length <= MAX_VCT && !/[\p{White_Space}\p{Cc}]/u.test(text);
}

/** Whether `iss` is a text and, if it is a DID, the one whose key `kid` names as a DID URL. */
function namesOneIssuer({ jwt }: SdJwt): boolean {
  const iss = jwt.stated.get('iss');
  if (typeof iss !== 'string') {
    return iss === undefined;
  }
  const { kid } = jwt;
  return !iss.startsWith('did:') || kid?.startsWith('did:') !== true || (kid.includes('#') && kid.split('#')[0] === iss);
}

function time(claims: JsonObject, name: string): number | undefined {
  const found = numericDate(claims.get(name));
  refuseUnless(claims.has(name) === (found !== undefined), 'credential_time');
  return found;
}

function isSoundHolder(claims: JsonObject): boolean {
  const cnf = claims.get('cnf');
  if (!(cnf instanceof JsonObject)) {
    return cnf === undefined;
  }
  const jwk = cnf.get('jwk');
  // a private key in a credential is everybody's: it binds to nobody
  return jwk === undefined || (jwk instanceof JsonObject && !jwk.has('d'));
}

function alsoTypes(claims: JsonObject, vct: string): readonly string[] {
  const types = claims.get('aka_vcts');
  if (types === undefined) {
    return [];
  }
  const texts = Array.isArray(types) ? types.filter((name) => typeof name === 'string') : [];
  const others = texts.filter((name) => isType(name) && name !== vct);
  const whole = Array.isArray(types) && types.length <= MAX_ALSO_TYPES && others.length === types.length;
  refuseUnless(whole && others.length > 0, 'credential_aka_vcts');
  return others;
}

function status(claims: JsonObject): StatusReference | undefined {
  const stated = claims.get('status');
  if (stated === undefined) {
    return undefined;
  }
  const list = stated instanceof JsonObject ? stated.get('status_list') : undefined;
  const index = list instanceof JsonObject ? asU64(list.get('idx')) : undefined;
  const uri = list instanceof JsonObject ? (textMember(list, 'uri') ?? '') : '';
  // a status that cannot be read may be "revoked"
  if (index === undefined || !isWebAddress(uri)) {
    throw new VcError('credential_status_reference');
  }
  return { uri, index };
}

function isWebAddress(uri: string): boolean {
  return uri.length <= MAX_URI && /^https?:\/\/[\x21-\x22\x24-\x7e]+$/.test(uri);
}

const INTEGRITY_LENGTHS: ReadonlyMap<string, number> = new Map([
  ['sha256', 32],
  ['sha384', 48],
  ['sha512', 64],
]);

/** Whether a value is integrity metadata (W3C SRI) with at least one hash that is understood. */
function isIntegrity(value: Json): boolean {
  if (typeof value !== 'string' || utf8(value).length > MAX_INTEGRITY) {
    return false;
  }
  return value.split(/[ \t\n\f\r]+/).some((expression) => {
    const [name = '', ...rest] = expression.split('-');
    try {
      return base64.decode(rest.join('-').split('?')[0] ?? '').length === INTEGRITY_LENGTHS.get(name);
    } catch {
      return false;
    }
  });
}

function refuseUnless(holds: boolean, code: VcError['code']): void {
  if (!holds) {
    throw new VcError(code);
  }
}
