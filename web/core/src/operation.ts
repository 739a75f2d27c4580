/**
 * Signed operations on a DID, and what can be checked about one without knowing any state. Twin of
 * `crates/did/src/operation.rs`.
 */

import { concat } from './bytes.js';
import { DecodeError, Writer, decodeWhole } from './codec.js';
import { Refusal } from './errors.js';
import { ZERO_HASH, hashBytes, hashLabelled, readHash, writeHash } from './hash.js';
import type { Hash } from './hash.js';
import { Purposes, inceptionHash, isFor, keysCommitment } from './inception.js';
import type { DocumentData, Inception, KeysReveal, RecoveryReveal, VerificationKey } from './inception.js';
import { SIGNATURE_LENGTH } from './key.js';
import type { PublicKey, SecretKey } from './key.js';
import { readAction, writeAction } from './operation-codec.js';

/** Most bytes of a signed operation. */
export const MAX_OPERATION = 16 * 1024;
/** The one format version of operations there is. */
const FORMAT = 1;
/** Domain label of operation signatures. */
const LABEL = 'realdid/operation/v1';

/** Why an operation is refused without looking at any state. */
export class OperationError extends Refusal<
  | 'malformed_operation'
  | 'operation_too_long'
  | 'other_network'
  | 'other_inception'
  | 'previous_mismatch'
  | 'signer_not_allowed'
  | 'invalid_signature'
  | 'unsupported_key'
> {}

/** An accredited organisation's statement that it answers for a DID. */
export interface Sponsorship {
  /** Identifier hash of the sponsor's DID. */
  readonly sponsor: Hash;
  /** The sponsor's current document data, compared with its state entry. */
  readonly document: DocumentData;
  /** Index of the sponsor's assertion key in it. */
  readonly signer: number;
  /** Signature over the sponsored DID's identifier hash, label `realdid/sponsorship/v1`. */
  readonly signature: Uint8Array;
}

/** Why a DID that is new to the ledger may be put on it. */
export type Authorization =
  /** A real-name token over this DID, and the authority that gave it. */
  | { readonly kind: 'token'; readonly authority: Hash; readonly token: Uint8Array }
  /** A seat of the genesis charter, taken by the key the charter names for it. */
  | { readonly kind: 'charter'; readonly seat: number }
  /** An accredited organisation answers for this DID. */
  | { readonly kind: 'sponsored'; readonly sponsorship: Sponsorship };

/** What puts a DID on the ledger: its inception and why it may be there. */
export interface Founding {
  readonly inception: Inception;
  readonly authorization: Authorization;
}

/** By which right a DID is deactivated: by the next keys after the delay, by the recovery key at once. */
export type Reveal =
  | { readonly kind: 'next'; readonly reveal: KeysReveal }
  | { readonly kind: 'recovery'; readonly reveal: RecoveryReveal };

/** The next keys, opened, become the current ones. */
export interface Rotation {
  /** The new document data; its keys are the ones that were committed to. */
  readonly document: DocumentData;
  /** The salt of the commitment. */
  readonly salt: Uint8Array;
  /** Commitment to the keys after these. */
  readonly next: Hash;
}

/** What an operation does; see `realdid_did::Action` for who signs which. */
export type Action =
  | { readonly kind: 'publish'; readonly founding: Founding }
  | { readonly kind: 'update'; readonly rotation: Rotation }
  | {
      readonly kind: 'renew';
      readonly document: DocumentData;
      readonly authority: Hash;
      readonly token: Uint8Array;
    }
  | {
      readonly kind: 'recover';
      readonly founding?: Founding | undefined;
      readonly reveal: RecoveryReveal;
      readonly document: DocumentData;
      readonly next: Hash;
      readonly recovery: Hash;
    }
  | { readonly kind: 'deactivate'; readonly founding?: Founding | undefined; readonly reveal: Reveal }
  | { readonly kind: 'veto'; readonly rotation: Rotation };

/** An operation on one DID. See {@link SignedOperation} for the layout. */
export interface Operation {
  /** Hash of the genesis charter of the network. */
  readonly charter: Hash;
  /** Identifier hash of the DID. */
  readonly did: Hash;
  /** Hash of the operation before this one; {@link ZERO_HASH} for the first. */
  readonly previous: Hash;
  readonly action: Action;
}

/**
 * An operation with its signature, as it travels; nothing about it has been checked yet.
 *
 * Layout: format `01`, charter (32), identifier hash (32), previous (32), action code (1 publish,
 * 2 update, 3 renew, 4 recover, 5 deactivate, 6 veto) and its fields, signer index (1), signature (64)
 * over all before it.
 */
export interface SignedOperation {
  readonly operation: Operation;
  /** Index of the signing key among those that may sign. */
  readonly signer: number;
  readonly signature: Uint8Array;
}

declare const verified: unique symbol;

/** An operation whose network, inception and signature have been checked, and its hash. */
export interface VerifiedOperation {
  readonly operation: Operation;
  readonly hash: Hash;
  readonly [verified]: true;
}

/** The commitment that a rotation opens. */
export function rotationCommitment(rotation: Rotation, charter: Hash): Hash {
  return keysCommitment({ keys: rotation.document.keys, salt: rotation.salt }, charter);
}

/** The operation's hash, without signatures: what the next operation names as its previous. */
export function operationHash(operation: Operation): Hash {
  return hashLabelled('realdid/operation-hash/v1', encodeOperation(operation));
}

/** The document data that an operation sets, if it sets any. */
export function operationDocument({ action }: Operation): DocumentData | undefined {
  switch (action.kind) {
    case 'publish':
      return action.founding.inception.document;
    case 'update':
    case 'veto':
      return action.rotation.document;
    case 'recover':
      return action.document;
    case 'renew':
    case 'deactivate':
      return undefined;
  }
}

/** The founding that an operation carries, if it is a first one. */
export function operationFounding({ action }: Operation): Founding | undefined {
  return 'founding' in action ? action.founding : undefined;
}

/** Signs the operation with the key at index `signer` of the keys that may sign it. */
export function signOperation(operation: Operation, signer: number, key: SecretKey): SignedOperation {
  const signature = key.sign({ label: LABEL, charter: operation.charter }, message(operation, signer));
  return { operation, signer, signature };
}

/** The canonical bytes. */
export function encodeSigned(signed: SignedOperation): Uint8Array {
  return concat(message(signed.operation, signed.signer), signed.signature);
}

/**
 * Decodes canonical bytes.
 *
 * @throws {OperationError}
 */
export function decodeSigned(bytes: Uint8Array): SignedOperation {
  if (bytes.length > MAX_OPERATION) {
    throw new OperationError('operation_too_long', `the operation is longer than ${MAX_OPERATION} bytes`);
  }
  try {
    return decodeWhole(bytes, (reader) => {
      if (reader.u8() !== FORMAT) {
        throw new DecodeError('unknown', 'operation format');
      }
      const operation = {
        charter: readHash(reader),
        did: readHash(reader),
        previous: readHash(reader),
        action: readAction(reader),
      };
      return { operation, signer: reader.u8(), signature: reader.fixed(SIGNATURE_LENGTH) };
    });
  } catch (error) {
    throw malformed(error);
  }
}

/**
 * Checks everything that needs no state: the network, the inception, the signature.
 *
 * @throws {OperationError}
 */
export function verifyOperation(signed: SignedOperation, charter: Hash): VerifiedOperation {
  const { operation, signer, signature } = signed;
  const founding = operationFounding(operation);
  refuseUnless(operation.charter === charter, 'other_network');
  if (founding !== undefined) {
    refuseUnless(inceptionHash(founding.inception) === operation.did, 'other_inception');
    refuseUnless(founding.inception.charter === charter, 'other_network');
    if (founding.authorization.kind === 'sponsored') {
      checkSponsorship(founding.authorization.sponsorship, operation.did, charter);
    }
  }
  refuseUnless((founding !== undefined) === (operation.previous === ZERO_HASH), 'previous_mismatch');
  const signed_ = message(operation, signer);
  const key = signingKey(operation, signer);
  refuseUnless(key.verify({ label: LABEL, charter }, signed_, signature), 'invalid_signature');
  return { operation, hash: operationHash(operation) } as VerifiedOperation;
}

/** What is wrong with an operation's bytes: a {@link DecodeError} as an {@link OperationError}. */
export function malformed(error: unknown): unknown {
  if (!(error instanceof DecodeError)) {
    return error;
  }
  const code = error.code === 'unsupported' ? 'unsupported_key' : 'malformed_operation';
  return new OperationError(code, `the operation is malformed: ${error.message}`);
}

function refuseUnless(holds: boolean, code: OperationError['code']): void {
  if (!holds) {
    throw new OperationError(code, `the operation is refused: ${code.replaceAll('_', ' ')}`);
  }
}

function checkSponsorship(sponsorship: Sponsorship, did: Hash, charter: Hash): void {
  const key = sponsorship.document.keys[sponsorship.signer];
  if (key === undefined || !isFor(key, Purposes.ASSERTION)) {
    throw new OperationError('signer_not_allowed', 'the sponsor does not sign by an assertion key');
  }
  const domain = { label: 'realdid/sponsorship/v1', charter };
  refuseUnless(key.key.verify(domain, hashBytes(did), sponsorship.signature), 'invalid_signature');
}

/** The key that must have signed: the one at `signer` among those that may. */
function signingKey({ action }: Operation, signer: number): PublicKey {
  const named = namedKey(action, signer);
  if (named === undefined || !isFor(named, Purposes.AUTHENTICATION)) {
    throw new OperationError('signer_not_allowed', 'the signer is not a key that may sign this operation');
  }
  return named.key;
}

function namedKey(action: Action, index: number): VerificationKey | undefined {
  switch (action.kind) {
    case 'publish':
      return action.founding.inception.document.keys[index];
    case 'renew':
      return action.document.keys[index];
    case 'update':
    case 'veto':
      return action.rotation.document.keys[index];
    case 'recover':
      return recoveryKey(action.reveal, index);
    case 'deactivate':
      return action.reveal.kind === 'next'
        ? action.reveal.reveal.keys[index]
        : recoveryKey(action.reveal.reveal, index);
  }
}

/** There is one recovery key, and it may sign. */
function recoveryKey({ key }: RecoveryReveal, index: number): VerificationKey | undefined {
  return index === 0 ? { purposes: Purposes.AUTHENTICATION, key } : undefined;
}

function encodeOperation(operation: Operation): Uint8Array {
  const writer = new Writer().u8(FORMAT);
  [operation.charter, operation.did, operation.previous].forEach((hash) => writeHash(writer, hash));
  return writeAction(writer, operation.action).finish();
}

function message(operation: Operation, signer: number): Uint8Array {
  return concat(encodeOperation(operation), Uint8Array.of(signer));
}
