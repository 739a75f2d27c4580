/**
 * The file that `realdid verify` checks offline: a DID's document with everything that proves it. Twin
 * of `crates/ledger/src/proof_file.rs`.
 */

import { EncodingError, base64urlDecode, equalBytes, utf8 } from './bytes.js';
import { DecodeError } from './codec.js';
import { entryAt, entryStatus } from './entry.js';
import type { Entry, Status } from './entry.js';
import { Refusal } from './errors.js';
import { FinalityError, decodeFinality, verifyFinality } from './finality.js';
import type { CertificateCache, FinalizedHeader } from './finality.js';
import type { Hash } from './hash.js';
import { DidError, didDocument, didText, parseShortDid } from './identifier.js';
import type { Did, DidDocument } from './identifier.js';
import { decodeInception, documentHash, inceptionHash } from './inception.js';
import type { DocumentData, Inception } from './inception.js';
import { JsonObject, asU64, equalsPlain, parseJson } from './json.js';
import type { Json } from './json.js';
import { OperationError, decodeSigned, operationDocument, operationFounding, verifyOperation } from './operation.js';
import { decodeRecord, stateKey } from './record.js';
import { StateProofError, decodeStateProof, verifyLookup } from './state-proof.js';

/** Format of proof files. 0 is unstable until the state storage is decided. */
export const PROOF_FORMAT = 1;
/** Largest proof file that is read, in bytes. */
export const MAX_PROOF_FILE = 2 << 20;
/** Most operations in a proof file. */
export const MAX_PROOF_OPERATIONS = 64;

/** Why a proof file does not prove what it claims. */
export class ProofFileError extends Refusal<
  | 'proof_too_large'
  | 'proof_not_json'
  | 'proof_format_unknown'
  | 'proof_field_malformed'
  | 'proof_did_invalid'
  | 'proof_certificate_invalid'
  | 'proof_state_invalid'
  | 'proof_entry_invalid'
  | 'proof_operation_invalid'
  | 'proof_operations_unlinked'
  | 'proof_document_data_mismatch'
  | 'proof_document_mismatch'
  | 'proof_not_canonical'
> {}

/** What a proof file was found to prove. */
export interface Verdict {
  /** The DID, short form. */
  readonly did: string;
  /** Whether the DID is on the ledger; if not, it is still at its inception. */
  readonly published: boolean;
  /** How it stood at the header's time. */
  readonly status: Status;
  /** How many operations it has had; 0 if not published. */
  readonly version: number;
  /** Height of the header. */
  readonly height: bigint;
  /** Time of the header, in Unix seconds. */
  readonly time: bigint;
  /** Hash of the charter of the network. */
  readonly charter: Hash;
  readonly document: DidDocument;
}

/** What a file is checked against; without a charter the certificate alone says which one it is. */
export interface Pinned {
  readonly networkKey: Uint8Array;
  readonly charterHash?: Hash;
}

/** What the document is derived from. */
type Evidence =
  /** The DID is not on the ledger: its inception, base64url. */
  | { readonly inception: string }
  /** Signed operations, base64url, from the one that set the current document to the last one. */
  | { readonly operations: readonly string[] };

interface ProofFile {
  readonly proofFormat: bigint;
  readonly did: string;
  readonly document: Json;
  readonly evidence: Evidence;
  readonly finality: string;
  readonly state: string;
}

/**
 * Checks a file's bytes against a pinned network.
 *
 * @throws {ProofFileError} with the first reason found.
 */
export function verifyProofFile(json: Uint8Array, pinned: Pinned, cache?: CertificateCache): Verdict {
  if (json.length > MAX_PROOF_FILE) {
    throw new ProofFileError('proof_too_large', `the file is larger than ${MAX_PROOF_FILE} bytes`);
  }
  const file = readFile(parseJson(json));
  if (file === undefined) {
    throw new ProofFileError('proof_not_json', 'the file is not a proof file');
  }
  if (file.proofFormat !== BigInt(PROOF_FORMAT)) {
    throw new ProofFileError('proof_format_unknown', `the file's proof_format is not ${PROOF_FORMAT}`);
  }
  const did = refusing('proof_did_invalid', () => parseShortDid(file.did));
  const { header } = finalHeader(file, pinned, cache);
  const time = header.timeMs / 1000n;
  const entry = provenEntry(file, did, header.stateRoot);
  const data =
    entry === undefined
      ? evidentInception(file.evidence, did, header.charter).document
      : evidentDocument(file.evidence, did, header.charter, entryAt(entry, time), entry);
  const document = didDocument(did, data);
  if (!equalsPlain(file.document, document)) {
    throw new ProofFileError('proof_document_mismatch', 'the document is not the one derived from the proven data');
  }
  if (!equalBytes(utf8(canonical(file, document)), json)) {
    throw new ProofFileError('proof_not_canonical', 'the file is not in its canonical form');
  }
  return {
    did: didText(did),
    published: entry !== undefined,
    status: entry === undefined ? 'active' : entryStatus(entry, time),
    version: entry?.version ?? 0,
    height: header.height,
    time,
    charter: header.charter,
    document,
  };
}

/** Indented JSON with the fields in this order and a newline at the end. */
function canonical({ did, evidence, finality, state }: ProofFile, document: DidDocument): string {
  return `${JSON.stringify({ proof_format: PROOF_FORMAT, did, document, evidence, finality, state }, null, 2)}\n`;
}

function readFile(value: Json | undefined): ProofFile | undefined {
  if (!(value instanceof JsonObject) || value.repeats || value.size !== 6) {
    return undefined;
  }
  const [proofFormat, evidence] = [asU64(value.get('proof_format')), readEvidence(value.get('evidence'))];
  const [did, finality, state] = [value.get('did'), value.get('finality'), value.get('state')];
  const document = value.get('document');
  if (
    proofFormat === undefined ||
    proofFormat > 0xffff_ffffn ||
    typeof did !== 'string' ||
    document === undefined ||
    evidence === undefined ||
    typeof finality !== 'string' ||
    typeof state !== 'string'
  ) {
    return undefined;
  }
  return { proofFormat, did, document, evidence, finality, state };
}

function readEvidence(value: Json | undefined): Evidence | undefined {
  if (!(value instanceof JsonObject) || value.repeats || value.size !== 1) {
    return undefined;
  }
  const [inception, operations] = [value.get('inception'), value.get('operations')];
  if (typeof inception === 'string') {
    return { inception };
  }
  const texts = Array.isArray(operations) ? operations.filter((text) => typeof text === 'string') : undefined;
  return texts !== undefined && texts.length === (operations as Json[]).length ? { operations: texts } : undefined;
}

function finalHeader(file: ProofFile, pinned: Pinned, cache: CertificateCache | undefined): FinalizedHeader {
  const proof = refusing('proof_certificate_invalid', () => decodeFinality(bytes(file.finality)));
  const charter = pinned.charterHash ?? proof.headers[0]?.charter;
  if (charter === undefined) {
    throw fieldMalformed();
  }
  return refusing('proof_certificate_invalid', () => verifyFinality(proof, charter, pinned.networkKey, cache));
}

function provenEntry(file: ProofFile, did: Did, stateRoot: Hash): Entry | undefined {
  const value = refusing('proof_state_invalid', () =>
    verifyLookup(decodeStateProof(bytes(file.state)), stateKey.did(did.hash), stateRoot),
  );
  if (value === undefined) {
    return undefined;
  }
  const record = refusing('proof_entry_invalid', () => decodeRecord(value));
  if (record.kind !== 'did') {
    throw new ProofFileError('proof_entry_invalid', 'the proven value is not the entry of a DID');
  }
  return record.entry;
}

/** The inception of a DID that is not on the ledger. */
function evidentInception(evidence: Evidence, did: Did, charter: Hash): Inception {
  if (!('inception' in evidence)) {
    throw dataMismatch();
  }
  const inception = refusing('proof_field_malformed', () => decodeInception(bytes(evidence.inception)));
  if (inceptionHash(inception) !== did.hash || inception.charter !== charter) {
    throw dataMismatch();
  }
  return inception;
}

/** The document data of a DID on the ledger, by operations that lead to its last one. */
function evidentDocument(
  evidence: Evidence,
  did: Did,
  charter: Hash,
  current: Entry,
  stored: Entry,
): DocumentData {
  if (!('operations' in evidence)) {
    throw dataMismatch();
  }
  if (evidence.operations.length > MAX_PROOF_OPERATIONS) {
    throw unlinked();
  }
  let previous: Hash | undefined;
  let data: DocumentData | undefined;
  for (const text of evidence.operations) {
    const { operation, hash } = refusing('proof_operation_invalid', () =>
      verifyOperation(decodeSigned(bytes(text)), charter),
    );
    if ((previous !== undefined && previous !== operation.previous) || operation.did !== did.hash) {
      throw unlinked();
    }
    if (previous === undefined) {
      // A first operation that recovers or deactivates carries the inception as well.
      const told = [operationDocument(operation), operationFounding(operation)?.inception.document];
      data = told.find((document) => document !== undefined && documentHash(document) === current.document);
    }
    previous = hash;
  }
  if (previous !== stored.lastOperation) {
    throw unlinked();
  }
  if (data === undefined) {
    throw dataMismatch();
  }
  return data;
}

function bytes(text: string): Uint8Array {
  return base64urlDecode(text);
}

/** Turns what is wrong with a part into what is wrong with the file. */
function refusing<T>(code: ProofFileError['code'], check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (error instanceof EncodingError) {
      throw fieldMalformed();
    }
    const parts = [DidError, FinalityError, StateProofError, OperationError, DecodeError];
    if (parts.some((part) => error instanceof part)) {
      throw new ProofFileError(code, (error as Error).message);
    }
    throw error;
  }
}

function fieldMalformed(): ProofFileError {
  return new ProofFileError('proof_field_malformed', 'a field of the file is malformed');
}

function dataMismatch(): ProofFileError {
  return new ProofFileError('proof_document_data_mismatch', 'the document data is not the one that is proven');
}

function unlinked(): ProofFileError {
  return new ProofFileError('proof_operations_unlinked', "the operations do not lead to the entry's last operation");
}
