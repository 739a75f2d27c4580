// What the wallet on this device holds: one value, written as a whole before and after every step.
import type { Level } from 'realdid-core';

/** The layout; another one is refused with the way out. */
export const FORMAT = 1;

/** What the wallet was told about its network when it was made, and pins. */
export interface NetworkSettings {
  /** The charter's JSON text, whose hash is in every key and proof. */
  readonly charter: string;
  readonly nodes: readonly string[];
  readonly authority: string;
  readonly trySites: readonly { readonly name: string; readonly url: string }[];
}

/** The root secret, encrypted: by a passkey's PRF, or by a key that does not leave this browser. */
export interface WrappedRoot {
  readonly by: 'passkey' | 'device';
  readonly iv: Uint8Array<ArrayBuffer>;
  readonly ciphertext: Uint8Array<ArrayBuffer>;
  /** Of a passkey: its identifier and the PRF's input. */
  readonly passkey?: { readonly id: Uint8Array<ArrayBuffer>; readonly salt: Uint8Array<ArrayBuffer> };
  /** Non-extractable AES-GCM key. */
  readonly key?: CryptoKey;
}

/** A key that signs and is not to be read out, with its public part as multikey. */
export interface HeldKey {
  readonly key: CryptoKey;
  readonly multikey: string;
}

export interface Account {
  readonly key: HeldKey;
  readonly id: string;
  readonly level: Level;
  readonly authority: string;
}

export interface Batch {
  /** The epoch key in its canonical encoding. */
  readonly epochKey: Uint8Array;
  readonly items: readonly {
    readonly held: HeldDid;
    readonly prefix: Uint8Array;
    readonly blinded: Uint8Array;
    readonly inverse: Uint8Array;
  }[];
}

/** A site that knows the holder by one DID. */
export interface Site {
  readonly clientId: string;
  readonly name: string;
  readonly since: number;
  readonly lastUsed: number;
  /** Claims that it has been shown, as `type claim`. Never their values. */
  readonly knows: readonly string[];
}

export interface HeldDid {
  readonly series: number;
  readonly number: number;
  readonly did: string;
  readonly longForm: string;
  readonly key: HeldKey;
  readonly token?: { readonly bytes: Uint8Array; readonly epoch: bigint; readonly level: Level };
  /** Who knows it: nobody, one site, or one that was unlinked, whose DID is never used again. */
  readonly site?: Site;
  readonly unlinked?: boolean;
  /** Whether it is on the ledger: its first inception then no longer tells its keys. */
  readonly onLedger?: boolean;
}

export interface HeldCopy {
  readonly text: string;
  readonly key: HeldKey;
  readonly expires: number;
  /** To whom it was shown. */
  readonly shownTo: readonly string[];
}

export interface HeldCredential {
  readonly id: number;
  readonly vct: string;
  readonly names: ReadonlyMap<string, string>;
  readonly issuer: { readonly identifier: string; readonly name: string; readonly key: string };
  readonly obtained: number;
  readonly copies: readonly HeldCopy[];
}

export type Event =
  | { readonly kind: 'created' }
  | { readonly kind: 'enrolled'; readonly authority: string }
  | { readonly kind: 'tokens'; readonly count: number }
  | { readonly kind: 'credential'; readonly vct: string; readonly issuer: string }
  | { readonly kind: 'login' | 'shown'; readonly site: string; readonly clientId: string; readonly claims: readonly string[] }
  | { readonly kind: 'refused'; readonly site: string; readonly clientId: string; readonly code: string }
  | { readonly kind: 'unlinked' | 'rotated'; readonly site: string }
  | { readonly kind: 'backed_up' }
  | { readonly kind: 'restored' };

export interface HistoryEntry {
  readonly at: number;
  readonly event: Event;
}

export interface WalletState {
  readonly format: typeof FORMAT;
  readonly network: NetworkSettings;
  readonly root: WrappedRoot;
  readonly series: number;
  readonly nextNumber: number;
  readonly enrolling?: { readonly key: HeldKey; readonly id?: string };
  readonly account?: Account;
  readonly batch?: Batch;
  readonly dids: readonly HeldDid[];
  readonly credentials: readonly HeldCredential[];
  readonly nextCredential: number;
  readonly history: readonly HistoryEntry[];
  /** The highest ledger height seen; answers below it are not believed. */
  readonly highest: bigint;
}

/** Longest history that is kept. */
const MAX_HISTORY = 1000;

/** The state with an event more. */
export function recorded(state: WalletState, at: number, event: Event): WalletState {
  return { ...state, history: [...state.history, { at, event }].slice(-MAX_HISTORY) };
}

/** The DIDs that wait for a new site. */
export function pooled(state: WalletState): readonly HeldDid[] {
  return state.dids.filter((held) => held.site === undefined && held.unlinked !== true && held.token !== undefined);
}
