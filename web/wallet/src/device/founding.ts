// A new wallet: the network is pinned, the root secret drawn and wrapped.
import { parseCharter, utf8 } from 'realdid-core';

import { makeDid } from './enrolment.js';
import { WalletFailure } from './failure.js';
import { getJson } from './http.js';
import { now } from './ledger.js';
import { openRecoveryFile } from './recovery.js';
import { drawRoot, wrapByDevice, wrapByPasskey } from './root.js';
import { FORMAT, recorded } from './state.js';
import type { HeldDid, NetworkSettings, WalletState, WrappedRoot } from './state.js';
import { create } from './storage.js';

/** What this wallet's own server says about the network. The charter is pinned from now on. */
export async function fetchSettings(): Promise<NetworkSettings> {
  const said = (await getJson('node', '/settings.json')) as {
    charter: string;
    nodes: readonly string[];
    authority: string;
    try_sites: NetworkSettings['trySites'];
  };
  try {
    parseCharter(new Uint8Array(utf8(said.charter)));
  } catch {
    throw new WalletFailure('charter_invalid');
  }
  return { charter: said.charter, nodes: said.nodes, authority: said.authority, trySites: said.try_sites };
}

/** Whether this browser can make passkeys at all. */
export function hasPasskeys(): boolean {
  return typeof PublicKeyCredential === 'function';
}

/** Makes a wallet. With `passkey` its secret opens with the holder's fingerprint, face or PIN alone. */
export async function found(passkey: boolean, label: string): Promise<void> {
  const network = await fetchSettings();
  const root = drawRoot();
  const wrapped = passkey ? await wrapByPasskey(root, label) : await wrapByDevice(root);
  if (wrapped === undefined) {
    throw new WalletFailure('passkey_without_prf');
  }
  keepOpen(root);
  await create(fresh(network, wrapped));
}

/**
 * Brings a wallet back from its recovery file. Sites keep the DIDs that the file names; new ones are made in a
 * new series, since the lost device may have given out others of the old one. Tokens come with the proofing.
 */
export async function restore(text: string, phrase: string, passkey: boolean, label: string): Promise<void> {
  const recovered = await openRecoveryFile(text, phrase);
  const network = await fetchSettings();
  if (recovered.charter !== network.charter) {
    throw new WalletFailure('other_network');
  }
  const wrapped = passkey ? await wrapByPasskey(recovered.root, label) : await wrapByDevice(recovered.root);
  if (wrapped === undefined) {
    throw new WalletFailure('passkey_without_prf');
  }
  const made = { ...fresh(network, wrapped), series: recovered.series + 1 };
  const dids = await Promise.all(
    recovered.sites.map(async ({ clientId, name, series, number }): Promise<HeldDid> => {
      const held = await makeDid({ ...made, series }, recovered.root, number);
      return { ...held, site: { clientId, name, since: now(), lastUsed: now(), knows: [] } };
    }),
  );
  keepOpen(recovered.root);
  await create(recorded({ ...made, dids }, now(), { kind: 'restored' }));
}

/** A wallet with a root secret and nothing else. */
export function fresh(network: NetworkSettings, root: WrappedRoot): WalletState {
  return {
    format: FORMAT,
    network,
    root,
    series: 0,
    nextNumber: 0,
    dids: [],
    credentials: [],
    nextCredential: 1,
    history: [{ at: now(), event: { kind: 'created' } }],
    highest: 0n,
  };
}

let open: Uint8Array<ArrayBuffer> | undefined;

/** Keeps the root secret in memory, so that one setup asks for the passkey once. */
export function keepOpen(root: Uint8Array<ArrayBuffer>): void {
  open = root;
}

/** The root secret that is open, if it is. */
export function opened(): Uint8Array<ArrayBuffer> | undefined {
  return open;
}

/** Forgets the root secret. */
export function close(): void {
  open?.fill(0);
  open = undefined;
}
