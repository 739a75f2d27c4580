// The wallet as pages see it: its state, and steps that can fail.
import { createContext, useContext, useEffect, useState } from 'react';
import type { ReactNode } from 'react';

import { WalletFailure, codeOf } from './device/failure.js';
import type { WalletState } from './device/state.js';
import { load, onChange } from './device/storage.js';

/** What went wrong, for a page to tell. */
export interface Failed {
  readonly code: string;
  readonly said?: string | undefined;
}

interface Loaded {
  /** `undefined`: it is being read. `null`: there is none on this device. */
  readonly state: WalletState | null | undefined;
  readonly failed?: Failed | undefined;
}

const Context = createContext<Loaded>({ state: undefined });

/** Reads the wallet, and again whenever this or another tab has changed it. */
export function WithWallet({ children }: { readonly children: ReactNode }) {
  const [loaded, setLoaded] = useState<Loaded>({ state: undefined });
  useEffect(() => {
    const read = () => {
      load().then(
        (state) => setLoaded({ state: state ?? null }),
        (error: unknown) => setLoaded({ state: null, failed: failedOf(error) }),
      );
    };
    read();
    return onChange(read);
  }, []);
  return <Context value={loaded}>{children}</Context>;
}

/** The wallet. */
export function useWallet(): Loaded {
  return useContext(Context);
}

/** What a page tells of an error. */
export function failedOf(error: unknown): Failed {
  if (codeOf(error) === 'internal_error') {
    console.warn(error);
  }
  return { code: codeOf(error), said: error instanceof WalletFailure ? error.said : undefined };
}

/** A step that takes its time: whether it runs, what went wrong, and what starts it. */
export function useStep(): {
  readonly busy: boolean;
  readonly failed: Failed | undefined;
  readonly run: (step: () => Promise<void>) => void;
} {
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState<Failed>();
  const run = (step: () => Promise<void>) => {
    setBusy(true);
    setFailed(undefined);
    step()
      .catch((error: unknown) => setFailed(failedOf(error)))
      .finally(() => setBusy(false));
  };
  return { busy, failed, run };
}
