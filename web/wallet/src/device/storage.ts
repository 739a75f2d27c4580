// The one record in IndexedDB, and who may change it when: one tab at a time, each step stored whole.
import { openDB } from 'idb';
import type { IDBPDatabase } from 'idb';

import { WalletFailure } from './failure.js';
import { FORMAT } from './state.js';
import type { WalletState } from './state.js';

const DATABASE = 'realdid-wallet';
const STORE = 'wallet';
const RECORD = 'state';
const LOCK = 'realdid-wallet';

let opened: Promise<IDBPDatabase> | undefined;
const changed = new BroadcastChannel(DATABASE);
let listeners: (() => void)[] = [];
changed.addEventListener('message', () => listeners.forEach((listener) => listener()));

function database(): Promise<IDBPDatabase> {
  opened ??= openDB(DATABASE, 1, { upgrade: (db) => void db.createObjectStore(STORE) });
  return opened;
}

/** Calls when this or another tab has changed the wallet; gives what ends that. */
export function onChange(listener: () => void): () => void {
  listeners.push(listener);
  return () => {
    listeners = listeners.filter((other) => other !== listener);
  };
}

/** The wallet, if there is one. */
export async function load(): Promise<WalletState | undefined> {
  const found: unknown = await (await database()).get(STORE, RECORD).catch(unreadable);
  if (found === undefined) {
    return undefined;
  }
  if ((found as { format?: unknown }).format !== FORMAT) {
    throw new WalletFailure('wallet_format_unknown');
  }
  return found as WalletState;
}

function unreadable(): never {
  throw new WalletFailure('storage_unavailable');
}

async function store(state: WalletState | undefined): Promise<void> {
  try {
    const db = await database();
    await (state === undefined ? db.delete(STORE, RECORD) : db.put(STORE, state, RECORD));
  } catch {
    throw new WalletFailure('storage_full');
  }
  changed.postMessage('changed');
  listeners.forEach((listener) => listener());
}

/** Makes the first state; refused where there is a wallet already, as another tab may have made one. */
export function create(state: WalletState): Promise<void> {
  return navigator.locks.request(LOCK, async () => {
    if ((await load()) !== undefined) {
      throw new WalletFailure('wallet_exists');
    }
    await store(state);
    // A browser may otherwise clear what it thinks is a cache.
    await navigator.storage.persist().catch(() => false);
  });
}

/** Changes the wallet in one step; what another tab did meanwhile is kept. */
export function change(step: (state: WalletState) => WalletState): Promise<WalletState> {
  return navigator.locks.request(LOCK, async () => {
    const state = await load();
    if (state === undefined) {
      throw new WalletFailure('wallet_gone');
    }
    const next = step(state);
    await store(next);
    return next;
  });
}

/** Deletes everything. */
export function erase(): Promise<void> {
  return navigator.locks.request(LOCK, () => store(undefined));
}
