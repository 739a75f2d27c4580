/**
 * Which operation may follow which: one pure function of (entry, operation, time). Twin of
 * `crates/did/src/follow.rs`.
 */

import { saturatingAdd } from './codec.js';
import { LEVELS, entryAt } from './entry.js';
import type { Assurance, Entry, Pending } from './entry.js';
import { Refusal } from './errors.js';
import { ZERO_HASH } from './hash.js';
import type { Hash } from './hash.js';
import { documentHash, keysCommitment, recoveryCommitment } from './inception.js';
import type { Inception } from './inception.js';
import { operationFounding, rotationCommitment } from './operation.js';
import type { Action, Rotation, VerifiedOperation } from './operation.js';

/** The charter's delays, in seconds. */
export interface Delays {
  /** From a recovery, or a deactivation by the next keys, to its effect (production: 72 h). */
  readonly recovery: bigint;
  /** From a recovery after a vetoed one to its effect (production: 30 days). */
  readonly vetoedRecovery: bigint;
}

/** Why an operation may not follow the state it meets. */
export class FollowError extends Refusal<
  | 'not_published'
  | 'already_applied'
  | 'stale_previous'
  | 'deactivated'
  | 'operation_pending'
  | 'nothing_to_veto'
  | 'veto_used'
  | 'commitment_mismatch'
  | 'document_mismatch'
  | 'token_not_newer'
> {}

/**
 * Applies an operation to a DID's state.
 *
 * `entry` is the state at the block before, `now` the block's time in Unix seconds, `assurance` what
 * the operation's token, seat or sponsorship was found to say (required for a founding and a renewal,
 * and checked by the caller).
 *
 * @throws {FollowError}
 */
export function follow(
  entry: Entry | undefined,
  verified: VerifiedOperation,
  now: bigint,
  delays: Delays,
  assurance?: Assurance,
): Entry {
  const { operation, hash } = verified;
  if (entry === undefined) {
    const founding = operationFounding(operation);
    if (founding === undefined || assurance === undefined) {
      throw refusal('not_published');
    }
    return apply(inceptionEntry(founding.inception, now, assurance), verified, now, delays, undefined);
  }
  refuseUnless(entry.lastOperation !== hash, 'already_applied');
  refuseUnless(entry.lastOperation === operation.previous, 'stale_previous');
  return apply(entryAt(entry, now), verified, now, delays, assurance);
}

function apply(
  entry: Entry,
  verified: VerifiedOperation,
  now: bigint,
  delays: Delays,
  assurance: Assurance | undefined,
): Entry {
  refuseUnless(!entry.deactivated, 'deactivated');
  refuseUnless(letsThrough(entry.pending, verified.operation.action), 'operation_pending');
  const changed = change(entry, verified, now, delays, assurance);
  const version = Math.min(entry.version + 1, 0xffff_ffff);
  return { ...changed, version, lastOperation: verified.hash, updated: now };
}

function change(
  entry: Entry,
  { operation, hash }: VerifiedOperation,
  now: bigint,
  delays: Delays,
  assurance: Assurance | undefined,
): Entry {
  const { action, charter } = operation;
  switch (action.kind) {
    case 'publish':
      return entry;
    case 'update':
      return rotate(entry, action.rotation, charter);
    case 'renew':
      refuseUnless(documentHash(action.document) === entry.document, 'document_mismatch');
      return { ...entry, assurance: newer(entry.assurance, assurance) };
    case 'recover': {
      refuseUnless(recoveryCommitment(action.reveal, charter) === entry.recovery, 'commitment_mismatch');
      const delay = entry.vetoed ? delays.vetoedRecovery : delays.recovery;
      const pending: Pending = {
        kind: 'recovery',
        operation: hash,
        effectiveAt: saturatingAdd(now, delay),
        document: documentHash(action.document),
        next: action.next,
        recovery: action.recovery,
      };
      return { ...entry, pending };
    }
    case 'deactivate':
      if (action.reveal.kind === 'recovery') {
        const opened = recoveryCommitment(action.reveal.reveal, charter);
        refuseUnless(opened === entry.recovery, 'commitment_mismatch');
        return { ...entry, pending: undefined, deactivated: true };
      }
      refuseUnless(keysCommitment(action.reveal.reveal, charter) === entry.next, 'commitment_mismatch');
      return { ...entry, pending: pendingDeactivation(hash, saturatingAdd(now, delays.recovery)) };
    case 'veto':
      refuseUnless(entry.pending?.kind === 'recovery', 'nothing_to_veto');
      refuseUnless(!entry.vetoed, 'veto_used');
      return { ...rotate(entry, action.rotation, charter), pending: undefined, vetoed: true };
  }
}

/** Whether what is pending does not stop this action. A veto is judged by itself. */
function letsThrough(pending: Pending | undefined, action: Action): boolean {
  if (pending === undefined || action.kind === 'veto') {
    return true;
  }
  const byRecoveryKey = action.kind === 'deactivate' && action.reveal.kind === 'recovery';
  return byRecoveryKey || (pending.kind === 'deactivation' && action.kind === 'recover');
}

function rotate(entry: Entry, rotation: Rotation, charter: Hash): Entry {
  refuseUnless(rotationCommitment(rotation, charter) === entry.next, 'commitment_mismatch');
  return { ...entry, document: documentHash(rotation.document), next: rotation.next };
}

/** The state that a DID has before its first operation. */
function inceptionEntry(inception: Inception, now: bigint, assurance: Assurance): Entry {
  return {
    version: 0,
    document: documentHash(inception.document),
    lastOperation: ZERO_HASH,
    next: inception.next,
    recovery: inception.recovery,
    created: now,
    updated: now,
    assurance,
    deactivated: false,
    vetoed: false,
  };
}

function pendingDeactivation(operation: Hash, effectiveAt: bigint): Pending {
  const nothing = { document: ZERO_HASH, next: ZERO_HASH, recovery: ZERO_HASH };
  return { kind: 'deactivation', operation, effectiveAt, ...nothing };
}

/** A renewal's token must say more than the one before it: a later epoch, or a higher level. */
function newer(old: Assurance, now: Assurance | undefined): Assurance {
  if (now?.backing !== 'token') {
    throw refusal('token_not_newer');
  }
  const higher = LEVELS.indexOf(now.level) > LEVELS.indexOf(old.level);
  const saysMore = now.epoch > old.epoch || (now.epoch === old.epoch && higher);
  refuseUnless(saysMore || old.backing !== 'token', 'token_not_newer');
  return now;
}

function refuseUnless(holds: boolean, code: FollowError['code']): void {
  if (!holds) {
    throw refusal(code);
  }
}

function refusal(code: FollowError['code']): FollowError {
  return new FollowError(code, `the operation may not follow: ${code.replaceAll('_', ' ')}`);
}
