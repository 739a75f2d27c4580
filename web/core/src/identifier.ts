/**
 * Identifiers: the network name, the short form and the long form, and the document of a DID.
 *
 * ```text
 * did:real:<network>:<id>                      id = multibase(multihash(SHA-256(inception)))
 * did:real:<network>:<id>:<base64url(inception)>                           the long form
 * ```
 *
 * Twin of `crates/did/src/{identifier,document}.rs`.
 */

import { base58Decode, base58Encode, base64urlDecode, base64urlEncode, concat, utf8 } from './bytes.js';
import { Refusal } from './errors.js';
import { hashBytes, hashOf } from './hash.js';
import type { Hash } from './hash.js';
import { Purposes, decodeInception, encodeInception, inceptionHash, isFor } from './inception.js';
import type { DocumentData, Inception } from './inception.js';
import type { PublicKey } from './key.js';

/** Longest identifier that is parsed, in bytes: a long form with the largest inception. */
export const MAX_LONG_FORM = 4096;

/** Multihash prefix of SHA2-256 with 32 bytes. */
const SHA2_256 = Uint8Array.of(0x12, 0x20);

/** Why a text is not a `did:real` identifier. */
export class DidError extends Refusal<
  'not_a_did' | 'method' | 'network' | 'identifier' | 'too_long' | 'inception' | 'mismatch'
> {}

/** The short form of a DID, in its parts. */
export interface Did {
  /** Name of the network the DID lives on. */
  readonly network: string;
  /** SHA-256 of the canonical inception. */
  readonly hash: Hash;
}

/** A DID in either form; the inception of a long form has been checked against the identifier. */
export interface ParsedDid {
  readonly did: Did;
  /** The inception, if the text was a long form. */
  readonly inception?: Inception;
}

/** Whether a text is a network's name: 2 to 16 characters `[a-z][a-z0-9-]*`. */
export function isNetwork(name: string): boolean {
  return /^[a-z][a-z0-9-]{1,15}$/.test(name);
}

/** The short form. */
export function didText(did: Did): string {
  const multihash = concat(SHA2_256, hashBytes(did.hash));
  return `did:real:${did.network}:z${base58Encode(multihash)}`;
}

/** The long form, which carries the DID's own inception. */
export function longForm(did: Did, inception: Inception): string {
  return `${didText(did)}:${base64urlEncode(encodeInception(inception))}`;
}

/** The DID URL of one of its keys; the fragment is the key's multikey. */
export function keyUrl(did: Did, key: PublicKey): string {
  return `${didText(did)}#${key.toString()}`;
}

/**
 * Parses a short or long form, without fragment, path or query.
 *
 * @throws {DidError}
 */
export function parseDid(text: string): ParsedDid {
  if (text.length > MAX_LONG_FORM || utf8(text).length > MAX_LONG_FORM) {
    throw new DidError('too_long', `the DID is longer than ${MAX_LONG_FORM} bytes`);
  }
  const method = /^did:([a-z0-9]+):/.exec(text)?.[1];
  if (method === undefined) {
    throw new DidError('not_a_did', 'the text is not a DID');
  }
  if (method !== 'real') {
    throw new DidError('method', 'the DID method is not `real`');
  }
  const [network, identifier, encoded, ...rest] = text.slice('did:real:'.length).split(':');
  if (network === undefined || !isNetwork(network)) {
    throw new DidError('network', 'the network name is not valid');
  }
  const did = { network, hash: parseIdentifier(identifier) };
  const inception = encoded === undefined ? undefined : parseInception(encoded);
  if (rest.length > 0) {
    throw inceptionError();
  }
  if (inception === undefined) {
    return { did };
  }
  if (inceptionHash(inception) !== did.hash) {
    throw new DidError('mismatch', "the long form's inception does not belong to the identifier");
  }
  return { did, inception };
}

/**
 * Parses the short form only.
 *
 * @throws {DidError}
 */
export function parseShortDid(text: string): Did {
  const { did, inception } = parseDid(text);
  if (inception !== undefined) {
    throw identifierError();
  }
  return did;
}

function parseIdentifier(text: string | undefined): Hash {
  let multihash: Uint8Array | undefined;
  try {
    multihash = text?.startsWith('z') ? base58Decode(text.slice(1)) : undefined;
  } catch {
    multihash = undefined;
  }
  if (multihash?.length !== 34 || multihash[0] !== SHA2_256[0] || multihash[1] !== SHA2_256[1]) {
    throw identifierError();
  }
  return hashOf(multihash.subarray(2));
}

function parseInception(text: string): Inception {
  try {
    return decodeInception(base64urlDecode(text));
  } catch {
    throw inceptionError();
  }
}

function identifierError(): DidError {
  return new DidError('identifier', 'the identifier is not the multibase form of a SHA2-256 multihash');
}

function inceptionError(): DidError {
  return new DidError('inception', 'the long form does not carry a canonical inception');
}

/** A DID document as JSON. */
export type DidDocument = { [name: string]: string | string[] | { [name: string]: string }[] };

/** The context of DID Core 1.0 and that of the Multikey verification method. */
const CONTEXTS = ['https://www.w3.org/ns/did/v1', 'https://w3id.org/security/multikey/v1'];

const RELATIONSHIPS: readonly [string, number][] = [
  ['assertionMethod', Purposes.ASSERTION],
  ['authentication', Purposes.AUTHENTICATION],
  ['capabilityDelegation', Purposes.DELEGATION],
  ['capabilityInvocation', Purposes.INVOCATION],
];

/**
 * The document of a DID (W3C DID Core), derived from document data: verification methods of type
 * `Multikey` with the key itself as fragment, relationships, services. Members are in the order of
 * their names, as in a proof file.
 */
export function didDocument(did: Did, data: DocumentData): DidDocument {
  const id = didText(did);
  const document: DidDocument = { '@context': CONTEXTS };
  for (const [name, purpose] of RELATIONSHIPS) {
    const urls = data.keys.filter((key) => isFor(key, purpose)).map((key) => keyUrl(did, key.key));
    if (urls.length > 0) {
      document[name] = urls;
    }
  }
  document['id'] = id;
  if (data.services.length > 0) {
    document['service'] = data.services.map(({ id: fragment, kind, endpoint }) => ({
      id: `${id}#${fragment}`,
      serviceEndpoint: endpoint,
      type: kind,
    }));
  }
  document['verificationMethod'] = data.keys.map(({ key }) => ({
    controller: id,
    id: keyUrl(did, key),
    publicKeyMultibase: key.toString(),
    type: 'Multikey',
  }));
  return document;
}
