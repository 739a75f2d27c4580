/** Which web addresses may be talked to. Twin of `crates/openid/src/address.rs`. */

import { Refusal } from './errors.js';

/** Longest address that is accepted, in characters. */
export const MAX_ADDRESS = 2048;

/** Why an address is not accepted. */
export class AddressError extends Refusal<'address_form' | 'address_insecure'> {}

/**
 * Parses a web address that may be contacted: https, and plain http on loopback in a sandbox.
 *
 * @throws {AddressError}
 */
export function checkAddress(text: string, sandbox: boolean): URL {
  const url = text.length <= MAX_ADDRESS && URL.canParse(text) ? new URL(text) : undefined;
  const web = url?.protocol === 'https:' || url?.protocol === 'http:';
  if (url === undefined || !web || url.username !== '' || url.password !== '' || text.includes('#')) {
    throw new AddressError('address_form', 'not an absolute web address without user name and fragment');
  }
  const loopback = url.hostname === 'localhost' || url.hostname === '[::1]' || url.hostname.startsWith('127.');
  if (url.protocol === 'http:' && !(sandbox && loopback)) {
    throw new AddressError('address_insecure', 'the address must start with https://; plain http is for loopback in a sandbox');
  }
  return url;
}
