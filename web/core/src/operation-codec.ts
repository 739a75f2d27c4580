/**
 * The canonical encoding of an operation's action; the layout is told at `SignedOperation`. Twin of
 * `crates/did/src/operation_codec.rs`.
 */

import { DecodeError } from './codec.js';
import type { Reader, Writer } from './codec.js';
import { readHash, writeHash } from './hash.js';
import {
  SALT_LENGTH,
  readDocument,
  readInception,
  readKeysReveal,
  readRecoveryReveal,
  writeDocument,
  writeInception,
  writeKeysReveal,
  writeRecoveryReveal,
} from './inception.js';
import { SIGNATURE_LENGTH } from './key.js';
import type { Action, Authorization, Founding, Reveal, Rotation } from './operation.js';
import { TOKEN_LENGTH } from './token.js';

/** Appends the action's code and fields. */
export function writeAction(writer: Writer, action: Action): Writer {
  switch (action.kind) {
    case 'publish':
      return writeFounding(writer.u8(1), action.founding);
    case 'update':
      return writeRotation(writer.u8(2), action.rotation);
    case 'renew':
      writeDocument(writer.u8(3), action.document);
      return writeHash(writer, action.authority).fixed(action.token);
    case 'recover':
      writeOptionalFounding(writer.u8(4), action.founding);
      writeRecoveryReveal(writer, action.reveal);
      writeDocument(writer, action.document);
      return writeHash(writeHash(writer, action.next), action.recovery);
    case 'deactivate':
      writeOptionalFounding(writer.u8(5), action.founding);
      return action.reveal.kind === 'next'
        ? writeKeysReveal(writer.u8(1), action.reveal.reveal)
        : writeRecoveryReveal(writer.u8(2), action.reveal.reveal);
    case 'veto':
      return writeRotation(writer.u8(6), action.rotation);
  }
}

/**
 * Takes what {@link writeAction} appends.
 *
 * @throws {DecodeError}
 */
export function readAction(reader: Reader): Action {
  switch (reader.u8()) {
    case 1:
      return { kind: 'publish', founding: readFounding(reader) };
    case 2:
      return { kind: 'update', rotation: readRotation(reader) };
    case 3:
      return {
        kind: 'renew',
        document: readDocument(reader),
        authority: readHash(reader),
        token: reader.fixed(TOKEN_LENGTH),
      };
    case 4:
      return {
        kind: 'recover',
        founding: readOptionalFounding(reader),
        reveal: readRecoveryReveal(reader),
        document: readDocument(reader),
        next: readHash(reader),
        recovery: readHash(reader),
      };
    case 5:
      return { kind: 'deactivate', founding: readOptionalFounding(reader), reveal: readReveal(reader) };
    case 6:
      return { kind: 'veto', rotation: readRotation(reader) };
    default:
      throw new DecodeError('unknown', 'action');
  }
}

function readReveal(reader: Reader): Reveal {
  switch (reader.u8()) {
    case 1:
      return { kind: 'next', reveal: readKeysReveal(reader) };
    case 2:
      return { kind: 'recovery', reveal: readRecoveryReveal(reader) };
    default:
      throw new DecodeError('unknown', 'reveal');
  }
}

function writeRotation(writer: Writer, rotation: Rotation): Writer {
  writeDocument(writer, rotation.document).fixed(rotation.salt);
  return writeHash(writer, rotation.next);
}

function readRotation(reader: Reader): Rotation {
  return { document: readDocument(reader), salt: reader.fixed(SALT_LENGTH), next: readHash(reader) };
}

function writeOptionalFounding(writer: Writer, founding: Founding | undefined): Writer {
  return founding === undefined ? writer.u8(0) : writeFounding(writer.u8(1), founding);
}

function readOptionalFounding(reader: Reader): Founding | undefined {
  switch (reader.u8()) {
    case 0:
      return undefined;
    case 1:
      return readFounding(reader);
    default:
      throw new DecodeError('not_canonical', 'founding');
  }
}

function writeFounding(writer: Writer, { inception, authorization }: Founding): Writer {
  writeInception(writer, inception);
  switch (authorization.kind) {
    case 'token':
      return writeHash(writer.u8(1), authorization.authority).fixed(authorization.token);
    case 'charter':
      return writer.u8(2).u16(authorization.seat);
    case 'sponsored': {
      const { sponsor, document, signer, signature } = authorization.sponsorship;
      writeDocument(writeHash(writer.u8(3), sponsor), document);
      return writer.u8(signer).fixed(signature);
    }
  }
}

function readFounding(reader: Reader): Founding {
  return { inception: readInception(reader), authorization: readAuthorization(reader) };
}

function readAuthorization(reader: Reader): Authorization {
  switch (reader.u8()) {
    case 1:
      return { kind: 'token', authority: readHash(reader), token: reader.fixed(TOKEN_LENGTH) };
    case 2:
      return { kind: 'charter', seat: reader.u16() };
    case 3: {
      const [sponsor, document] = [readHash(reader), readDocument(reader)];
      const sponsorship = { sponsor, document, signer: reader.u8(), signature: reader.fixed(SIGNATURE_LENGTH) };
      return { kind: 'sponsored', sponsorship };
    }
    default:
      throw new DecodeError('unknown', 'authorization');
  }
}
