// Being proofed, and drawing tokens for DIDs that the authority does not see.
import {
  LEVELS, Keychain, MAX_BATCH, Reader, Writer, base64urlDecode, blind, checkEpochKey, confirmationInput, didText,
  encodeToken, epochKeyId, finalize, inceptionHash, keyQuestions, longForm, parseShortDid, readEpochKey, tokensInput, writeEpochKey,
} from 'realdid-core';
import type { EpochKey, Level } from 'realdid-core';

import { common } from './account.js';
import { WalletFailure } from './failure.js';
import { getJson, postJson, postJwt } from './http.js';
import { importSeed, random, sign } from './keys.js';
import { charterOf, now, proven } from './ledger.js';
import { recorded } from './state.js';
import type { Batch, HeldDid, HeldKey, WalletState } from './state.js';
import { change } from './storage.js';

/** How many DIDs a wallet draws at once. */
export const POOL = 8;

interface AuthorityInfo {
  readonly did: string;
  readonly name: string;
  readonly charter_hash: string;
  readonly epoch: number | null;
  readonly keys: readonly { purpose: string; level: string; epoch: number; modulus: string }[];
}

async function authorityInfo(state: WalletState): Promise<AuthorityInfo> {
  const info = (await getJson('authority', `${state.network.authority}/v1/authority`)) as AuthorityInfo;
  if (info.charter_hash !== charterOf(state.network).hash) {
    throw new WalletFailure('other_network');
  }
  return info;
}

/** Has the one-time code sent. The account key is stored before the authority hears of it. */
export async function beginEnrolment(name: string, number: string): Promise<void> {
  const key = await importSeed(random(32));
  const state = await change((current) => ({ ...current, enrolling: { key: current.enrolling?.key ?? key } }));
  const body = { name: name.trim(), number: number.trim(), account_key: state.enrolling?.key.multikey };
  const begun = (await postJson('authority', `${state.network.authority}/v1/enrolments`, body)) as { enrolment_id: string };
  await change((current) => ({ ...current, enrolling: { key: current.enrolling?.key ?? key, id: begun.enrolment_id } }));
}

/** Forgets an enrolment that waits for its code, so that it can begin anew. */
export async function restartEnrolment(): Promise<void> {
  await change(({ enrolling, ...state }) => (enrolling === undefined ? state : { ...state, enrolling: { key: enrolling.key } }));
}

/** Confirms the enrolment with the code that was sent. */
export async function confirmEnrolment(state: WalletState, code: string): Promise<void> {
  const { enrolling } = state;
  if (enrolling?.id === undefined) {
    throw new WalletFailure('enrolment_not_begun');
  }
  const info = await authorityInfo(state);
  const proof = await sign(enrolling.key, confirmationInput(common(state), enrolling.id));
  const url = `${state.network.authority}/v1/enrolments/${enrolling.id}/confirm`;
  const answer = (await postJson('authority', url, { code: code.trim(), proof })) as { account_id: string; assurance_level: string };
  const level = LEVELS.find((known) => known === answer.assurance_level) ?? 'low';
  await change(({ enrolling: ended, ...current }) => {
    const account = { key: (ended ?? enrolling).key, id: answer.account_id, level, authority: info.did };
    return recorded({ ...current, account }, now(), { kind: 'enrolled', authority: info.name.slice(0, 64) });
  });
}

/** The authority's key for the current epoch, once the ledger has confirmed it. */
async function currentKey(state: WalletState, level: Level): Promise<EpochKey> {
  const info = await authorityInfo(state);
  const offered = info.keys.find((key) => key.purpose === 'real_name' && key.level === level && key.epoch === info.epoch);
  if (offered === undefined) {
    throw new WalletFailure('key_unavailable');
  }
  const key: EpochKey = {
    authority: parseShortDid(info.did).hash,
    purpose: 'real_name',
    level,
    epoch: BigInt(offered.epoch),
    modulus: base64urlDecode(offered.modulus),
  };
  const charter = charterOf(state.network).hash;
  checkEpochKey(key, charter, await proven(state, keyQuestions(key, charter)));
  return key;
}

function lacksToken({ token }: HeldDid, epoch: bigint): boolean {
  return token === undefined || token.epoch < epoch;
}

/** A DID of this wallet: complete, without a token. */
export async function makeDid(state: WalletState, root: Uint8Array, number: number): Promise<HeldDid> {
  const charter = charterOf(state.network);
  const keys = new Keychain(root, charter.hash, { series: state.series, number });
  const inception = keys.inception();
  const did = { network: charter.network, hash: inceptionHash(inception) };
  const key: HeldKey = await importSeed(keys.derive('authentication', 0));
  return { series: state.series, number, did: didText(did), longForm: longForm(did, inception), key };
}

/**
 * Draws tokens for new DIDs: makes them, blinds their hashes, stores the blindings, asks, unblinds. A request
 * that was interrupted is ended first; it costs no more. `progress` is told the part that is done, 0 to 1.
 */
export async function drawTokens(root: Uint8Array, count: number, progress: (part: number) => void): Promise<void> {
  let state = await change((current) => current);
  if (state.batch === undefined) {
    const { account } = state;
    if (account === undefined) {
      throw new WalletFailure('not_enrolled');
    }
    const key = await currentKey(state, account.level);
    const charter = charterOf(state.network).hash;
    // Taken first: no number is used twice, whatever happens next.
    state = await change((current) => ({ ...current, nextNumber: current.nextNumber + count }));
    // Those that sites know and that have no token come first: after a restore, or when theirs has lapsed.
    const held = state.dids.filter((did) => did.site !== undefined && did.unlinked !== true && lacksToken(did, key.epoch));
    for (let step = 0; step < count; step++) {
      held.push(await makeDid(state, root, state.nextNumber - count + step));
    }
    const items: Batch['items'][number][] = [];
    for (const did of held.slice(0, MAX_BATCH)) {
      items.push({ held: did, ...(await blind(key, charter, parseShortDid(did.did).hash)) });
      progress((0.8 * items.length) / held.length);
    }
    const batch = { epochKey: writeEpochKey(new Writer(), key).finish(), items };
    state = await change((current) => ({ ...current, batch: current.batch ?? batch }));
  }
  await finishTokens(state);
  progress(1);
}

async function finishTokens(state: WalletState): Promise<void> {
  const { batch, account } = state;
  if (batch === undefined || account === undefined) {
    throw new WalletFailure('not_enrolled');
  }
  const key = readEpochKey(new Reader(batch.epochKey));
  const charter = charterOf(state.network).hash;
  const input = tokensInput(common(state), account.id, epochKeyId(key, charter), batch.items.map(({ blinded }) => blinded));
  const url = `${state.network.authority}/v1/tokens`;
  const answer = await postJwt('authority', url, await sign(account.key, input)).catch(async (error: unknown) => {
    if (error instanceof WalletFailure && error.said === 'unknown_key') {
      // Its epoch is over: nobody can sign these values any more.
      await change(({ batch: _, ...current }) => current);
    }
    throw error;
  });
  const { signatures } = answer as { signatures: readonly string[] };
  if (signatures.length !== batch.items.length) {
    throw new WalletFailure('token_count_mismatch');
  }
  const dids = await Promise.all(
    batch.items.map(async ({ held, ...blinding }, index): Promise<HeldDid> => {
      const hash = parseShortDid(held.did).hash;
      const token = await finalize(blinding, key, charter, hash, base64urlDecode(signatures[index] ?? ''));
      return { ...held, token: { bytes: encodeToken(token), epoch: key.epoch, level: key.level } };
    }),
  );
  await change(({ batch: _, ...current }) => {
    const tokens = new Map(dids.map(({ did, token }) => [did, token]));
    const renewed = current.dids.map((held): HeldDid => {
      const token = tokens.get(held.did);
      return token === undefined ? held : { ...held, token };
    });
    const known = new Set(renewed.map(({ did }) => did));
    const fresh = dids.filter(({ did }) => !known.has(did));
    return recorded({ ...current, dids: [...renewed, ...fresh] }, now(), { kind: 'tokens', count: dids.length });
  });
}

