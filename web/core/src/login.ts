/**
 * The verdict about a login: is it valid, in the light of the ledger? Twin of
 * `crates/presentation/src/{shown,judge}.rs`.
 *
 * {@link readLogin} makes every check that needs no ledger; the caller then fetches the state of the DID,
 * of the token's key and of its authority, and {@link judgeLogin} decides.
 */

import { base64urlDecode, base64urlEncode } from './bytes.js';
import { LEVELS, entryAt, entryStatus } from './entry.js';
import type { Entry, Level } from './entry.js';
import { Refusal } from './errors.js';
import { hashBytes } from './hash.js';
import type { Hash } from './hash.js';
import { DidError, didText, parseDid } from './identifier.js';
import type { Did, ParsedDid } from './identifier.js';
import { Purposes, authenticationKey, documentData, documentHash, isFor } from './inception.js';
import type { DocumentData, Inception } from './inception.js';
import { JwsError } from './jws.js';
import type { UnverifiedJws } from './jws.js';
import { PublicKey } from './key.js';
import { LightError } from './light.js';
import type { ProvenState } from './light.js';
import { MAX_LIFETIME, REALDID_JWT, parseLogin } from './realdid-jwt.js';
import type { LoginClaims } from './realdid-jwt.js';
import { inForceAs } from './record.js';
import type { EpochKeyRecord } from './record.js';
import { TokenError, decodeToken, epochAccepted, verifyToken } from './token.js';
import type { Token } from './token.js';

/** By how much a holder's clock may go ahead, in seconds. */
export const CLOCK_SKEW = 30n;

/** Why a login is refused. */
export class LoginRefusal extends Refusal<
  | 'invalid_signature'
  | 'invalid_presentation'
  | 'other_network'
  | 'invalid_did'
  | 'inconsistent_subject'
  | 'presentation_expired'
  | 'wrong_audience'
  | 'wrong_nonce'
  | 'unexpected_credentials'
  | 'malformed_token'
  | LightError['code']
  | 'did_not_published'
  | 'document_mismatch'
  | 'did_recovering'
  | 'did_deactivated'
  | 'key_not_current'
  | 'unknown_token_key'
  | 'token_key_revoked'
  | 'authority_not_accredited'
  | 'token_expired'
  | 'assurance_too_low'
  | 'invalid_token'
> {
  constructor(code: LoginRefusal['code'], why = code.replaceAll('_', ' ')) {
    super(code, `the login is refused: ${why}`);
  }
}

/** What a verifier expects of a login. */
export interface LoginExpectation {
  /** The network's name. */
  readonly network: string;
  /** Hash of the network's charter. */
  readonly charterHash: Hash;
  /** The verifier's client identifier, with its prefix. */
  readonly clientId: string;
  /** The nonce of the request that is answered. */
  readonly nonce: string;
  /** Hashes of the credentials in the same answer. */
  readonly credentials: readonly string[];
  /** The lowest assurance level that will do. */
  readonly minimumLevel: Level;
  /** How old the ledger's state may be, in seconds: 60 at high assurance, 300 by default. */
  readonly maxAge: bigint;
}

/** A login as shown. Its signature and its token are still to be checked. {@link readLogin} makes one. */
export interface ShownLogin {
  readonly message: UnverifiedJws;
  /** The DID that is said to log in. */
  readonly did: Did;
  readonly inception?: Inception | undefined;
  readonly key: PublicKey;
  /** The real-name token; its `keyId` names the epoch key, whose record names the authority. */
  readonly token: Token;
}

/** What was fetched to judge a login by. */
export interface LoginEvidence {
  /** Proves the DID's entry, or its absence. */
  readonly didState: ProvenState;
  /** Proves the token's key and its authority's accreditation. */
  readonly keyState: ProvenState;
  /** The DID's current document data, if what was shown does not tell it. Need not be trusted. */
  readonly document?: DocumentData;
}

/** A login that is valid: whoever sent it controls the DID, and a verified person stands behind it. */
export interface VerifiedLogin {
  readonly did: Did;
  /** How thoroughly the person was verified. */
  readonly level: Level;
  /** The highest height seen on the way: no lower one may be accepted later. */
  readonly height: bigint;
}

/**
 * Reads a `realdid+jwt` and makes every check that needs no ledger. `now` in Unix seconds.
 *
 * @throws {LoginRefusal}
 */
export function readLogin(presentation: string, expectation: LoginExpectation, now: bigint): ShownLogin {
  const { message, claims } = refusing(() => parseLogin(presentation));
  refuseUnless(claims.charter === base64urlEncode(hashBytes(expectation.charterHash)), 'other_network');
  const short = claims.exp - claims.iat <= MAX_LIFETIME;
  refuseUnless(claims.iat <= now + CLOCK_SKEW && short && now < claims.exp, 'presentation_expired');
  refuseUnless(claims.aud === expectation.clientId, 'wrong_audience');
  refuseUnless(claims.nonce === expectation.nonce, 'wrong_nonce');
  const [stated, shown] = [[...claims.credentials].sort(), [...expectation.credentials].sort()];
  const same = stated.length === shown.length && stated.every((hash, index) => hash === shown[index]);
  refuseUnless(same, 'unexpected_credentials');
  const { did, inception } = readDid(claims, expectation);
  const key = readKey(message, did);
  return { message, did, inception, key, token: readToken(claims.token) };
}

/**
 * Decides whether a login is valid. `now` in Unix seconds.
 *
 * @throws {LoginRefusal}
 */
export async function judgeLogin(
  expectation: LoginExpectation,
  shown: ShownLogin,
  { didState, keyState, document }: LoginEvidence,
  now: bigint,
): Promise<VerifiedLogin> {
  const { entry, tokenKey, accreditation } = refusing(() => {
    const record = keyState.epochKey(shown.token.keyId);
    return {
      entry: didState.did(shown.did.hash),
      tokenKey: record,
      accreditation: record && keyState.accreditation(record.key.authority),
    };
  });
  const oldest = didState.time < keyState.time ? didState.time : keyState.time;
  refuseUnless(now - oldest <= expectation.maxAge, 'stale_state');
  checkStatus(entry, [didState.time, now]);
  checkKey(shown, currentDocument(shown, entry, didState.time, document));
  refuseUnless(tokenKey !== undefined, 'unknown_token_key');
  refuseUnless(tokenKey.revokedAt === 0n, 'token_key_revoked');
  const accredited = accreditation !== undefined && inForceAs(accreditation, 'authority');
  refuseUnless(accredited, 'authority_not_accredited');
  const epoch = didState.epoch > keyState.epoch ? didState.epoch : keyState.epoch;
  refuseUnless(epochAccepted(tokenKey.key.epoch, epoch), 'token_expired');
  const high = LEVELS.indexOf(tokenKey.key.level) >= LEVELS.indexOf(expectation.minimumLevel);
  refuseUnless(high, 'assurance_too_low');
  refusing(() => shown.message.verify(shown.key, REALDID_JWT));
  await checkToken(shown, tokenKey, expectation);
  const height = didState.height > keyState.height ? didState.height : keyState.height;
  return { did: shown.did, level: tokenKey.key.level, height };
}

/** The DID, of this network, whose short form is the issuer; a long form must hash to it. */
function readDid(claims: LoginClaims, { network, charterHash }: LoginExpectation): ParsedDid {
  const parsed = refusing(() => parseDid(claims.did));
  refuseUnless(didText(parsed.did) === claims.iss, 'inconsistent_subject');
  const foreign = parsed.inception !== undefined && parsed.inception.charter !== charterHash;
  refuseUnless(parsed.did.network === network && !foreign, 'other_network');
  return parsed;
}

/** The key that `kid` names: its fragment is the key itself. */
function readKey({ kid = '' }: UnverifiedJws, did: Did): PublicKey {
  const at = kid.indexOf('#');
  refuseUnless(at >= 0 && kid.slice(0, at) === didText(did), 'inconsistent_subject');
  try {
    return PublicKey.fromMultikey(kid.slice(at + 1));
  } catch {
    throw new LoginRefusal('inconsistent_subject', 'its key is none that is known here');
  }
}

function readToken(text: string): Token {
  try {
    return decodeToken(base64urlDecode(text));
  } catch {
    throw new LoginRefusal('malformed_token');
  }
}

/** protocol.md §4: not while a recovery runs, and never after the end; by the ledger's time and by ours. */
function checkStatus(entry: Entry | undefined, times: readonly bigint[]): void {
  for (const time of entry === undefined ? [] : times) {
    const status = entry && entryStatus(entry, time);
    refuseUnless(status !== 'recovering', 'did_recovering');
    refuseUnless(status !== 'deactivated', 'did_deactivated');
  }
}

/** §3: off the ledger a DID is as its inception says; on it, as its entry says, whatever is shown. */
function currentDocument(
  shown: ShownLogin,
  entry: Entry | undefined,
  time: bigint,
  fetched: DocumentData | undefined,
): DocumentData {
  const inception = shown.inception?.document;
  if (entry === undefined) {
    refuseUnless(inception !== undefined, 'did_not_published');
    return inception;
  }
  // most DIDs have a key for logging in and nothing else
  const plain = documentData([authenticationKey(shown.key)], []);
  const current = entryAt(entry, time).document;
  const known = [inception, plain, fetched];
  const document = known.find((told) => told !== undefined && documentHash(told) === current);
  refuseUnless(document !== undefined, 'document_mismatch');
  return document;
}

function checkKey(shown: ShownLogin, document: DocumentData): void {
  const current = document.keys.some(
    (key) => isFor(key, Purposes.AUTHENTICATION) && key.key.equals(shown.key),
  );
  refuseUnless(current, 'key_not_current');
}

async function checkToken(
  { token, did }: ShownLogin,
  { key }: EpochKeyRecord,
  { charterHash }: LoginExpectation,
): Promise<void> {
  try {
    await verifyToken(token, key, charterHash, did.hash);
  } catch (error) {
    throw error instanceof TokenError ? new LoginRefusal('invalid_token') : error;
  }
}

/** Turns what is wrong with a part into what is wrong with the login. */
function refusing<T>(check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (error instanceof JwsError) {
      const code = error.code === 'signature' ? 'invalid_signature' : 'invalid_presentation';
      throw new LoginRefusal(code, error.message);
    }
    if (error instanceof DidError) {
      throw new LoginRefusal('invalid_did', error.message);
    }
    if (error instanceof LightError) {
      throw new LoginRefusal(error.code, error.message);
    }
    throw error;
  }
}

function refuseUnless(holds: boolean, code: LoginRefusal['code']): asserts holds {
  if (!holds) {
    throw new LoginRefusal(code);
  }
}
