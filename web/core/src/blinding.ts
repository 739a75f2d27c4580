/**
 * The holder's side of real-name tokens: which epoch key may be blinded for, blinding a DID, and making a
 * token of the authority's answer (RFC 9474, RSABSSA-SHA384-PSS-Randomized). Twin of
 * `crates/token/src/blinding.rs` and of the key check in `crates/wallet/src/tokens.rs`.
 *
 * The protocol's arithmetic is Cloudflare's library, which draws its randomness from the browser; what it
 * gives is checked by the browser's own RSA-PSS.
 */

import { RSABSSA } from '@cloudflare/blindrsa-ts';

import { base64urlEncode, concat, utf8 } from './bytes.js';
import { equalBytes } from './bytes.js';
import { Writer } from './codec.js';
import { Refusal } from './errors.js';
import { hashBytes } from './hash.js';
import type { Hash } from './hash.js';
import { LightError } from './light.js';
import type { ProvenState } from './light.js';
import { inForceAs, stateKey } from './record.js';
import { decodeToken, epochKeyId, verifyToken, writeEpochKey } from './token.js';
import type { EpochKey, Token } from './token.js';

/** Most DIDs whose tokens are drawn at once: the authority's limit for a request. */
export const MAX_BATCH = 128;

/** Why the wallet does not blind for a key: it might be a key made to recognise this holder. */
export class KeyCheckError extends Refusal<
  'authority_not_accredited' | 'epoch_key_not_on_ledger' | 'epoch_key_revoked' | 'epoch_key_not_current' | LightError['code']
> {}

/** Why blinding, or making a token of the answer, failed. */
export class BlindingError extends Refusal<'epoch_key_unusable' | 'blind_signature_invalid'> {}

/** What must be proven before a key can be checked: its place, itself, the accreditation. */
export function keyQuestions(offered: EpochKey, charter: Hash): readonly Hash[] {
  const { authority, purpose, level, epoch } = offered;
  return [
    stateKey.epochSlot(authority, purpose, level, epoch),
    stateKey.epochKey(epochKeyId(offered, charter)),
    stateKey.accreditation(authority),
  ];
}

/**
 * Checks a key that the authority offers against the ledger (protocol.md §2, "against tagging"), under a
 * proof of {@link keyQuestions}.
 *
 * @throws {KeyCheckError | LightError}
 */
export function checkEpochKey(offered: EpochKey, charter: Hash, state: ProvenState): void {
  const [slotKey] = keyQuestions(offered, charter);
  const slot = slotKey === undefined ? undefined : state.record(slotKey);
  const record = state.epochKey(epochKeyId(offered, charter));
  const accreditation = state.accreditation(offered.authority);
  if (accreditation === undefined || !inForceAs(accreditation, 'authority')) {
    throw new KeyCheckError('authority_not_accredited', 'the authority is not accredited on the ledger');
  }
  const bytes = (key: EpochKey): Uint8Array => writeEpochKey(new Writer(), key).finish();
  const same = record !== undefined && equalBytes(bytes(record.key), bytes(offered));
  const inPlace = slot?.kind === 'epoch_slot' && slot.id === epochKeyId(offered, charter);
  if (!same || !inPlace || offered.purpose !== 'real_name') {
    throw new KeyCheckError('epoch_key_not_on_ledger', 'the authority offers another key than the one on the ledger');
  }
  if (record.revokedAt !== 0n) {
    throw new KeyCheckError('epoch_key_revoked', "the authority's key is revoked");
  }
  if (offered.epoch !== state.epoch) {
    throw new KeyCheckError('epoch_key_not_current', `the key is of epoch ${offered.epoch}, the current one is ${state.epoch}`);
  }
}

/** What the holder keeps until the authority answers: as secret as a key. */
export interface Blinding {
  /** 32 bytes, part of the token. */
  readonly prefix: Uint8Array;
  /** The value to be signed, 256 bytes. */
  readonly blinded: Uint8Array;
  /** The inverse of the blind, 256 bytes. */
  readonly inverse: Uint8Array;
}

/**
 * Blinds the DID with this identifier hash (RFC 9474 §4.2).
 *
 * @throws {BlindingError}
 */
export async function blind(key: EpochKey, charter: Hash, did: Hash): Promise<Blinding> {
  const suite = RSABSSA.SHA384.PSS.Randomized();
  try {
    const prepared = suite.prepare(message(key, charter, did));
    const { blindedMsg, inv } = await suite.blind(await rsaKey(key), prepared);
    return { prefix: prepared.slice(0, 32), blinded: blindedMsg, inverse: inv };
  } catch {
    throw new BlindingError('epoch_key_unusable', "the authority's key cannot be used");
  }
}

/**
 * Unblinds the authority's answer and checks the token that it gives (RFC 9474 §4.4).
 *
 * @throws {BlindingError}
 */
export async function finalize(
  blinding: Blinding,
  key: EpochKey,
  charter: Hash,
  did: Hash,
  blindSignature: Uint8Array,
): Promise<Token> {
  const suite = RSABSSA.SHA384.PSS.Randomized();
  const prepared = concat(blinding.prefix, message(key, charter, did));
  try {
    const signature = await suite.finalize(await rsaKey(key), prepared, blindSignature, blinding.inverse);
    const token = decodeToken(concat(hashBytes(epochKeyId(key, charter)), blinding.prefix, signature));
    await verifyToken(token, key, charter, did);
    return token;
  } catch {
    throw new BlindingError('blind_signature_invalid', "the authority's blind signature is not valid");
  }
}

/** The bytes of a token, as it travels. */
export function encodeToken({ keyId, prefix, signature }: Token): Uint8Array {
  return concat(hashBytes(keyId), prefix, signature);
}

function message(key: EpochKey, charter: Hash, did: Hash): Uint8Array {
  return concat(utf8('realdid/token/v1'), hashBytes(epochKeyId(key, charter)), hashBytes(did));
}

function rsaKey(key: EpochKey): Promise<CryptoKey> {
  const jwk = { kty: 'RSA', n: base64urlEncode(key.modulus), e: 'AQAB', ext: true };
  return globalThis.crypto.subtle.importKey('jwk', jwk, { name: 'RSA-PSS', hash: 'SHA-384' }, true, ['verify']);
}
