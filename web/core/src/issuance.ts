/**
 * Getting credentials: what a wallet says to an issuer (OpenID4VCI 1.0 with a pre-authorized code, DPoP)
 * and whether what was issued may be stored. Twin of the parts of `crates/wallet/src/issuance/` that a
 * browser's wallet needs. Nothing here talks to anybody.
 */

import { sha256 as sha256Function } from '@noble/hashes/sha2.js';

import { base64urlEncode, utf8 } from './bytes.js';
import { entryAt, entryStatus } from './entry.js';
import { Refusal } from './errors.js';
import type { Hash } from './hash.js';
import { parseShortDid } from './identifier.js';
import type { Did } from './identifier.js';
import { Purposes, isFor } from './inception.js';
import { JsonObject, textMember } from './json.js';
import type { Json } from './json.js';
import { SigningInput, jwkOf } from './jws.js';
import type { PublicKey } from './key.js';
import type { ProvenState } from './light.js';
import type { ListedDocument } from './listed-document.js';
import { stateKey, typeId } from './record.js';
import { parseIssuedVc, verifyVc } from './vc.js';
import type { VerifiedVc } from './vc.js';
import { checkAddress } from './web-address.js';

/** The grant of a pre-authorized code. */
export const PRE_AUTHORIZED = 'urn:ietf:params:oauth:grant-type:pre-authorized_code';
/** How far clocks may differ, in seconds. */
const CLOCK_SKEW = 30;

/** Why a credential is not got, or not stored. */
export class IssuanceError extends Refusal<
  | 'offer_invalid'
  | 'offer_unsupported'
  | 'issuer_metadata_invalid'
  | 'issued_without_issuer'
  | 'issued_by_several'
  | 'issued_other_type'
  | 'issued_to_other_key'
  | 'issued_to_one_key_twice'
  | 'issuer_not_accredited'
  | 'issuer_not_entitled'
  | 'document_mismatch'
> {
  constructor(code: IssuanceError['code'], why = code.replaceAll('_', ' ')) {
    super(code, why);
  }
}

/** An offer that carries a code. */
export interface CredentialOffer {
  /** The issuer's identifier, to the letter. */
  readonly issuer: string;
  readonly configurations: readonly string[];
  readonly code: string;
  /** Whether a transaction code is wanted beside. */
  readonly needsTxCode: boolean;
}

/** Reads an offer; throws {@link IssuanceError}, `AddressError`. */
export function readOffer(offer: Json | undefined, sandbox: boolean): CredentialOffer {
  if (!(offer instanceof JsonObject)) {
    throw new IssuanceError('offer_invalid');
  }
  const issuer = textMember(offer, 'credential_issuer') ?? '';
  checkAddress(issuer, sandbox);
  const ids = offer.get('credential_configuration_ids');
  const configurations = (Array.isArray(ids) ? ids : []).filter((id) => typeof id === 'string');
  const grants = offer.get('grants');
  const grant = grants instanceof JsonObject ? grants.get(PRE_AUTHORIZED) : undefined;
  const code = grant instanceof JsonObject ? textMember(grant, 'pre-authorized_code') : undefined;
  if (configurations.length === 0 || configurations.length > 16) {
    throw new IssuanceError('offer_invalid');
  }
  if (!(grant instanceof JsonObject) || code === undefined) {
    throw new IssuanceError('offer_unsupported', 'the offer does not carry a code');
  }
  return { issuer, configurations, code, needsTxCode: grant.has('tx_code') };
}

/** What the wallet needs of an issuer's metadata. */
export interface IssuerMetadata {
  readonly credentialEndpoint: URL;
  readonly nonceEndpoint: URL | undefined;
  readonly batchSize: number;
  readonly authorizationServer: string;
  readonly configurations: ReadonlyMap<string, Configuration>;
}

/** A kind of credential that an issuer gives. */
export interface Configuration {
  readonly vct: string;
  /** Display names by language tag; the empty tag is the default. */
  readonly names: ReadonlyMap<string, string>;
}

/** Where the metadata of an issuer or authorization server stands: the well-known part comes before the path. */
export function wellKnown(identifier: string, name: string): URL {
  const url = new URL(identifier);
  const path = url.pathname === '/' ? '' : url.pathname;
  return new URL(`${url.origin}/.well-known/${name}${path}`);
}

/** Reads an issuer's metadata; throws {@link IssuanceError}, `AddressError`. */
export function readIssuerMetadata(metadata: Json | undefined, issuer: string, sandbox: boolean): IssuerMetadata {
  if (!(metadata instanceof JsonObject) || textMember(metadata, 'credential_issuer') !== issuer) {
    throw new IssuanceError('issuer_metadata_invalid');
  }
  const own = (name: string): URL | undefined => {
    const text = textMember(metadata, name);
    return text === undefined ? undefined : checkAddress(text, sandbox);
  };
  const credentialEndpoint = own('credential_endpoint');
  const supported = metadata.get('credential_configurations_supported');
  if (credentialEndpoint === undefined || !(supported instanceof JsonObject)) {
    throw new IssuanceError('issuer_metadata_invalid');
  }
  const batch = metadata.get('batch_credential_issuance');
  const size = batch instanceof JsonObject ? Number(batch.get('batch_size') ?? 1) : 1;
  const servers = metadata.get('authorization_servers');
  const [server] = Array.isArray(servers) ? servers : [];
  return {
    credentialEndpoint,
    nonceEndpoint: own('nonce_endpoint'),
    batchSize: Number.isSafeInteger(size) ? Math.max(1, Math.min(size, 64)) : 1,
    authorizationServer: typeof server === 'string' ? server : issuer,
    configurations: readConfigurations(supported),
  };
}

function readConfigurations(supported: JsonObject): ReadonlyMap<string, Configuration> {
  const found = new Map<string, Configuration>();
  for (const [id, value] of supported) {
    const vct = value instanceof JsonObject ? textMember(value, 'vct') : undefined;
    if (value instanceof JsonObject && vct !== undefined && textMember(value, 'format') === 'dc+sd-jwt' && isReadHere(value)) {
      const described = value.get('credential_metadata');
      const display = described instanceof JsonObject ? described.get('display') : value.get('display');
      found.set(id, { vct, names: readNames(display) });
    }
  }
  return found;
}

/** Whether the credential is signed by an algorithm that can be checked here. */
function isReadHere(configuration: JsonObject): boolean {
  const algorithms = configuration.get('credential_signing_alg_values_supported');
  return !Array.isArray(algorithms) || algorithms.some((name) => ['ES256', 'EdDSA', 'Ed25519'].includes(String(name)));
}

function readNames(display: Json | undefined): ReadonlyMap<string, string> {
  const entries = (Array.isArray(display) ? display : []).filter((one) => one instanceof JsonObject);
  return new Map(entries.map((one) => [textMember(one, 'locale') ?? '', (textMember(one, 'name') ?? '').slice(0, 80)]));
}

/** What is to be signed by a holder key to have a credential bound to it (OpenID4VCI 1.0 appendix F.1). */
export function proofInput(key: PublicKey, issuer: string, nonce: string | undefined, now: bigint): SigningInput {
  const claims = { aud: issuer, iat: Number(now), ...(nonce === undefined ? {} : { nonce }) };
  return new SigningInput(key.kind, { typ: 'openid4vci-proof+jwt', jwk: jwkOf(key) }, claims);
}

/** What is to be signed to bind a request to the wallet's DPoP key (RFC 9449 §4.2). */
export function dpopInput(
  key: PublicKey,
  url: URL,
  now: bigint,
  unique: Uint8Array,
  more: { readonly nonce?: string | undefined; readonly accessToken?: string | undefined },
): SigningInput {
  const { nonce, accessToken } = more;
  const claims = {
    htm: 'POST',
    htu: `${url.origin}${url.pathname}`,
    iat: Number(now),
    jti: base64urlEncode(unique),
    ...(nonce === undefined ? {} : { nonce }),
    ...(accessToken === undefined ? {} : { ath: base64urlEncode(sha256Function(utf8(accessToken))) }),
  };
  return new SigningInput(key.kind, { typ: 'dpop+jwt', jwk: jwkOf(key) }, claims);
}

/** Whose key signed, as the credential says: a DID of this network and the key's multikey. */
export interface IssuerReference {
  readonly did: Did;
  readonly fragment: string;
}

/**
 * Who issued all of the copies.
 *
 * @throws {IssuanceError | SdJwtError | VcError} if a copy names no DID of this method, or they differ
 */
export function issuerOf(copies: readonly string[]): IssuerReference {
  const kids = new Set(copies.map((copy) => parseIssuedVc(copy).sdJwt.jwt.kid));
  const [kid, ...others] = kids;
  if (others.length > 0) {
    throw new IssuanceError('issued_by_several');
  }
  const [did, fragment] = (kid ?? '').split('#');
  if (did === undefined || fragment === undefined || !did.startsWith('did:real:')) {
    throw new IssuanceError('issued_without_issuer');
  }
  return { did: parseShortDid(did), fragment };
}

/** What must be proven before an issuer is believed. */
export function issuerQuestions({ did }: IssuerReference, vct: string): readonly Hash[] {
  const right = { did: did.hash, kind: 'issue', typeId: typeId(vct) } as const;
  return [stateKey.did(did.hash), stateKey.accreditation(did.hash), stateKey.grant(right)];
}

/** Hash of the issuer's document data; throws {@link IssuanceError} if its DID is not in use. */
export function issuerDocument({ did }: IssuerReference, state: ProvenState, now: bigint): Hash {
  const entry = state.did(did.hash);
  if (entry === undefined || entryStatus(entry, now) !== 'active') {
    throw new IssuanceError('issuer_not_accredited');
  }
  return entryAt(entry, now).document;
}

/** An issuer that the ledger knows: its name there, and the key that signed. */
export interface KnownIssuer {
  readonly name: string;
  readonly key: PublicKey;
}

/**
 * The issuer's key, if the issuer is accredited, in force and entitled to the type, under a proof of
 * {@link issuerQuestions}.
 *
 * @throws {IssuanceError | LightError}
 */
export function judgeIssuer(reference: IssuerReference, vct: string, state: ProvenState, document: ListedDocument, now: bigint): KnownIssuer {
  const accreditation = state.accreditation(reference.did.hash);
  if (accreditation === undefined || accreditation.revokedAt !== 0n || accreditation.suspendedAt !== 0n) {
    throw new IssuanceError('issuer_not_accredited');
  }
  if (state.right({ did: reference.did.hash, kind: 'issue', typeId: typeId(vct) }) === undefined) {
    throw new IssuanceError('issuer_not_entitled');
  }
  if (issuerDocument(reference, state, now) !== document.hash) {
    throw new IssuanceError('document_mismatch');
  }
  const key = document.keys.find((found) => found.key.toString() === reference.fragment && isFor(found, Purposes.ASSERTION));
  if (key === undefined) {
    throw new IssuanceError('issued_without_issuer');
  }
  return { name: accreditation.name, key: key.key };
}

/**
 * Checks what was issued: of the type that was offered, signed by the issuer's key, valid, and each copy
 * bound to another key that was sent. `now` in Unix seconds. The copies come back in the order of `keys`.
 *
 * @throws {IssuanceError | SdJwtError | VcError}
 */
export function judgeIssued(
  copies: readonly string[],
  issuer: PublicKey,
  vct: string,
  keys: readonly PublicKey[],
  now: number,
): readonly { readonly key: PublicKey; readonly text: string; readonly vc: VerifiedVc }[] {
  const used = new Set<PublicKey>();
  return copies.map((text) => {
    const vc = verifyVc(parseIssuedVc(text), issuer, { now, leeway: CLOCK_SKEW });
    if (vc.vct !== vct) {
      throw new IssuanceError('issued_other_type');
    }
    const holder = vc.sdJwt.holderKey;
    const key = keys.find((own) => holder !== undefined && own.equals(holder));
    if (key === undefined) {
      throw new IssuanceError('issued_to_other_key');
    }
    if (used.has(key)) {
      throw new IssuanceError('issued_to_one_key_twice');
    }
    used.add(key);
    return { key, text, vc };
  });
}
