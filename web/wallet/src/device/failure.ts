// What went wrong, by a stable code: the page has a sentence for each, and what to do.
import { LightError, Refusal } from 'realdid-core';

/** A failure of this wallet or of somebody it asked. `said`: the code that a service gave. */
export class WalletFailure extends Error {
  readonly code: string;
  readonly said: string | undefined;

  constructor(code: string, said?: string) {
    super(said === undefined ? code : `${code}: ${said}`);
    this.code = code;
    this.said = said;
  }
}

/** The stable code of anything that was thrown. */
export function codeOf(error: unknown): string {
  if (error instanceof LightError) {
    return error.code === 'stale_state' || error.code === 'state_from_future' ? error.code : 'node_lies';
  }
  if (error instanceof WalletFailure || error instanceof Refusal) {
    return String(error.code);
  }
  if (error instanceof DOMException && error.name === 'NotAllowedError') {
    return 'passkey_refused';
  }
  return 'internal_error';
}
