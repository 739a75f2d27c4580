/**
 * What a verifier asks for (OpenID4VP 1.0 §6, DCQL), as far as a wallet of SD-JWT VCs and logins needs it.
 * Twin of the wallet's side of `crates/openid/src/dcql/`.
 */

import { selectClaims, valueOf } from './claims.js';
import type { Claim, ClaimPath } from './claims.js';
import { LEVELS } from './entry.js';
import type { Level } from './entry.js';
import { Refusal } from './errors.js';
import { JsonFloat, JsonObject, textMember } from './json.js';
import type { Json } from './json.js';
import { REALDID_JWT } from './realdid-jwt.js';

/** Most credential queries of a request, and most claims of a query. */
export const MAX_QUERIES = 32;
export const MAX_CLAIMS = 128;
/** The format's name. */
export const SD_JWT_VC = 'dc+sd-jwt';

/** Why a query is not answered. */
export class DcqlError extends Refusal<'request_query_unsupported'> {
  constructor(why: string) {
    super('request_query_unsupported', `the request's query cannot be answered: ${why}`);
  }
}

/** A claim that is asked for. */
export interface ClaimQuery {
  readonly id?: string | undefined;
  readonly path: ClaimPath;
  /** If there, the claim must have one of these values. */
  readonly values?: readonly (string | number | bigint | boolean)[] | undefined;
}

/** A credential that is asked for. */
export interface CredentialQuery {
  readonly id: string;
  readonly format: string;
  /** Types that will do. */
  readonly types: readonly string[];
  readonly claims: readonly ClaimQuery[];
  /** Which claims together will do, the best first; all of them if empty. */
  readonly claimSets: readonly (readonly string[])[];
}

/** Which queries together answer the request. */
export interface CredentialSet {
  readonly options: readonly (readonly string[])[];
  readonly required: boolean;
}

/** A query that was read. */
export interface Query {
  readonly credentials: readonly CredentialQuery[];
  readonly sets: readonly CredentialSet[];
  /** The login among what is asked for. */
  readonly login?: { readonly id: string; readonly level: Level } | undefined;
}

/**
 * Reads `dcql_query`.
 *
 * @throws {DcqlError}
 */
export function readQuery(value: Json | undefined): Query {
  const queries = objects(value instanceof JsonObject ? value.get('credentials') : undefined);
  if (!(value instanceof JsonObject) || queries.length === 0 || queries.length > MAX_QUERIES) {
    throw new DcqlError('it asks for nothing, or too much');
  }
  const credentials = queries.map(readCredential);
  const ids = new Set(credentials.map(({ id }) => id));
  if (ids.size !== credentials.length) {
    throw new DcqlError('two queries have one name');
  }
  const sets = value.has('credential_sets') ? objects(value.get('credential_sets')).map(readSet) : [];
  if (!sets.every(({ options }) => options.flat().every((id) => ids.has(id)))) {
    throw new DcqlError('a set names a query that is not there');
  }
  const logins = queries.filter((query) => textMember(query, 'format') === REALDID_JWT);
  return { credentials, sets, login: readLogin(logins) };
}

function readLogin(logins: readonly JsonObject[]): Query['login'] {
  const [query, ...more] = logins;
  if (query === undefined) {
    return undefined;
  }
  const meta = query.get('meta');
  const [purpose, asked] = meta instanceof JsonObject ? [textMember(meta, 'purpose'), textMember(meta, 'level')] : [];
  const level = LEVELS.find((known) => known === asked);
  if (more.length > 0 || purpose !== 'login' || level === undefined || query.has('claims')) {
    throw new DcqlError('the login is not asked for as it has to be');
  }
  return { id: textMember(query, 'id') ?? '', level };
}

function readCredential(query: JsonObject): CredentialQuery {
  const [id, format, meta] = [textMember(query, 'id'), textMember(query, 'format'), query.get('meta')];
  if (id === undefined || !/^[A-Za-z0-9_-]{1,64}$/.test(id) || format === undefined || !(meta instanceof JsonObject)) {
    throw new DcqlError('a query has no name, format or type');
  }
  const claims = query.has('claims') ? objects(query.get('claims')).map(readClaim) : [];
  const sets = query.get('claim_sets');
  const claimSets = Array.isArray(sets) ? sets.map(texts) : [];
  if (claims.length > MAX_CLAIMS || !claimSets.flat().every((name) => claims.some((claim) => claim.id === name))) {
    throw new DcqlError('a set names a claim that is not there');
  }
  return { id, format, types: texts(meta.get('vct_values') ?? []), claims, claimSets };
}

function readClaim(claim: JsonObject): ClaimQuery {
  const path = claim.get('path');
  const steps = Array.isArray(path) ? path.map(readStep) : [];
  if (steps.length === 0) {
    throw new DcqlError('a claim has no path');
  }
  const values = claim.get('values');
  const scalar = (value: Json): value is string | number | bigint | boolean =>
    ['string', 'number', 'bigint', 'boolean'].includes(typeof value);
  return { id: textMember(claim, 'id'), path: steps, values: Array.isArray(values) ? values.filter(scalar) : undefined };
}

function readStep(step: Json): string | number | null {
  if (step === null || typeof step === 'string') {
    return step;
  }
  const place = typeof step === 'number' || typeof step === 'bigint' ? Number(step) : -1;
  if (!Number.isSafeInteger(place) || place < 0) {
    throw new DcqlError('a path has a step that is none');
  }
  return place;
}

function readSet(set: JsonObject): CredentialSet {
  const options = set.get('options');
  if (!Array.isArray(options) || options.length === 0) {
    throw new DcqlError('a set has no options');
  }
  return { options: options.map(texts), required: set.get('required') !== false };
}

function objects(value: Json | undefined): readonly JsonObject[] {
  if (!Array.isArray(value) || value.length > MAX_CLAIMS || !value.every((item) => item instanceof JsonObject)) {
    throw new DcqlError('a list is missing or malformed');
  }
  return value.filter((item) => item instanceof JsonObject);
}

function texts(value: Json): readonly string[] {
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) {
    throw new DcqlError('a list of names is malformed');
  }
  return value.filter((item) => typeof item === 'string');
}

/**
 * The claims of a credential that would answer a query: the first set of claims that it has, in the
 * verifier's order. `undefined`: it does not answer.
 */
export function answerOf(query: CredentialQuery, vct: string, root: ReadonlyMap<string, Claim>): readonly ClaimPath[] | undefined {
  if (query.format !== SD_JWT_VC || !query.types.includes(vct)) {
    return undefined;
  }
  const has = ({ path, values }: ClaimQuery): boolean => {
    const found = selectClaims(root, path).flatMap((chain) => chain.slice(-1)).map(valueOf);
    return found.length > 0 && (values === undefined || found.some((value) => values.some((wanted) => same(wanted, value))));
  };
  const sets = query.claimSets.length > 0 ? query.claimSets : [undefined];
  for (const names of sets) {
    const claims = names === undefined ? query.claims : query.claims.filter(({ id }) => id !== undefined && names.includes(id));
    if (claims.every(has)) {
      return claims.map(({ path }) => path);
    }
  }
  return undefined;
}

function same(wanted: string | number | bigint | boolean, value: Json | undefined): boolean {
  if (typeof value === 'number' || typeof value === 'bigint') {
    return (typeof wanted === 'number' || typeof wanted === 'bigint') && Number(wanted) === Number(value);
  }
  return !(value instanceof JsonFloat) && value === wanted;
}

/**
 * Which queries are to be answered, given those that can be: with the optional ones, if `optional`.
 * `undefined`: what has to be answered cannot be.
 */
export function chooseQueries(query: Query, possible: ReadonlySet<string>, optional: boolean): readonly string[] | undefined {
  if (query.sets.length === 0) {
    const ids = query.credentials.map(({ id }) => id);
    return ids.every((id) => possible.has(id)) ? ids : undefined;
  }
  const chosen = new Set<string>();
  for (const { options, required } of query.sets) {
    const option = options.find((ids) => ids.every((id) => possible.has(id)));
    if (option === undefined && required) {
      return undefined;
    }
    if (required || optional) {
      option?.forEach((id) => chosen.add(id));
    }
  }
  return [...chosen];
}
