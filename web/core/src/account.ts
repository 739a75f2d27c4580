/**
 * What an enrolled wallet signs for its authority, by the account key. Twin of the signed requests of
 * `crates/wallet/src/{enrol,tokens}.rs`. `unique` is 16 fresh random bytes, `now` in Unix seconds.
 */

import { base64urlEncode } from './bytes.js';
import { hashBytes } from './hash.js';
import type { Hash } from './hash.js';
import { SigningInput } from './jws.js';

/** How long a signed request to the authority is valid, in seconds. */
export const REQUEST_LIFETIME = 120n;

/** The JWS types of requests. */
export const REQUEST_TYPES = {
  /** Confirms an enrolment: who has the code has the key. */
  confirmation: 'realdid-enrolment+jwt',
  /** Asks for the account's standing. */
  account: 'realdid-account+jwt',
  /** Asks for an offer of the authority's credentials. */
  offer: 'realdid-credential-offer+jwt',
  /** Asks for tokens. */
  tokens: 'realdid-tokens+jwt',
} as const;

/** What every request says. */
export interface RequestCommon {
  /** The authority's public address, without a trailing slash. */
  readonly audience: string;
  /** Hash of the network's charter. */
  readonly charter: Hash;
  readonly now: bigint;
  readonly unique: Uint8Array;
}

/** What is to be signed to confirm an enrolment. */
export function confirmationInput(common: RequestCommon, enrolmentId: string): SigningInput {
  return input('confirmation', common, { enrolment_id: enrolmentId });
}

/** What is to be signed to ask about the account, or for an offer of its credentials. */
export function accountInput(kind: 'account' | 'offer', common: RequestCommon, accountId: string): SigningInput {
  return input(kind, common, { account_id: accountId });
}

/** What is to be signed to ask for tokens: each blinded value has 256 bytes. */
export function tokensInput(
  common: RequestCommon,
  accountId: string,
  keyId: Hash,
  blinded: readonly Uint8Array[],
): SigningInput {
  return input('tokens', common, { account_id: accountId, key_id: keyId, blinded: blinded.map(base64urlEncode) });
}

function input(kind: keyof typeof REQUEST_TYPES, { audience, charter, now, unique }: RequestCommon, more: object): SigningInput {
  const claims = {
    aud: audience,
    iat: Number(now),
    exp: Number(now + REQUEST_LIFETIME),
    jti: base64urlEncode(unique),
    charter: base64urlEncode(hashBytes(charter)),
    ...more,
  };
  return new SigningInput('EdDSA', { typ: REQUEST_TYPES[kind] }, claims);
}
