// What this wallet signs for its authority has in common.
import type { RequestCommon } from 'realdid-core';

import { random } from './keys.js';
import { charterOf, now } from './ledger.js';
import type { WalletState } from './state.js';

/** What every request to the authority says. */
export function common(state: WalletState): RequestCommon {
  return { audience: state.network.authority, charter: charterOf(state.network).hash, now: BigInt(now()), unique: random(16) };
}
