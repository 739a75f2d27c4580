/**
 * A request on its way from a link to something that can be shown to the holder: a site whose DID is on
 * the ledger, and for which an accredited sign-in server speaks. Twin of
 * `crates/wallet/src/presenting/{request,site,rights}.rs` and of the checks of
 * `crates/openid/src/authorization_request/verify.rs` for such requests.
 *
 * {@link parseRequest} takes it apart; the caller has {@link FetchedRequest.questions} proven, fetches the
 * document data, and {@link FetchedRequest.judge} decides.
 */

import { base64urlEncode, utf8 } from './bytes.js';
import type { ClaimPath } from './claims.js';
import { readQuery } from './dcql.js';
import type { Query } from './dcql.js';
import { entryAt, entryStatus } from './entry.js';
import type { Entry } from './entry.js';
import { Refusal } from './errors.js';
import { hashBytes, sha256 } from './hash.js';
import type { Hash } from './hash.js';
import { didText, parseShortDid } from './identifier.js';
import type { Did } from './identifier.js';
import { Purposes, isFor } from './inception.js';
import { JsonObject, asU64, equalsPlain, textMember, toPlain } from './json.js';
import type { Json } from './json.js';
import { parseJws } from './jws.js';
import type { UnverifiedJws } from './jws.js';
import type { PublicKey } from './key.js';
import type { ProvenState } from './light.js';
import type { ListedDocument } from './listed-document.js';
import { inForceAs, stateKey, typeId } from './record.js';
import type { Grant, Right } from './record.js';
import { checkAddress } from './web-address.js';

/** Longest link that is read, in characters. */
export const MAX_LINK = 4096;
/** The JWS type of request objects. */
export const REQUEST_TYP = 'oauth-authz-req+jwt';
/** Longest time from `iat` to `exp` of a request for a login, in seconds. */
const MAX_REQUEST_LIFETIME = 900n;
const CLOCK_SKEW = 30n;
const AUDIENCE = 'https://self-issued.me/v2';
const STATEMENT_TYP = 'realdid-site+jwt';
const REGISTRATION = 'realdid-registration';
const DID_PREFIX = 'decentralized_identifier:';

/** Why a request is not believed, or not listened to. The codes are those of the Rust wallet. */
export class AskError extends Refusal<
  | 'link_invalid'
  | 'request_invalid'
  | 'request_other_client'
  | 'request_expired'
  | 'response_uri_invalid'
  | 'response_uri_elsewhere'
  | 'site_statement_invalid'
  | 'site_statement_missing'
  | 'site_other_network'
  | 'site_not_sponsored'
  | 'sponsor_not_accredited'
  | 'sponsor_inactive'
  | 'document_mismatch'
  | 'request_key_not_current'
  | 'request_encryption'
  | 'transaction_unsupported'
> {
  constructor(code: AskError['code'], why = code.replaceAll('_', ' ')) {
    super(code, `the request is refused: ${why}`);
  }
}

/** A link to a signed request. */
export interface WalletLink {
  readonly clientId: string;
  readonly requestUri: URL;
}

/**
 * Reads a link: `openid4vp://?…`, or this wallet's own address with the same parameters.
 *
 * @throws {AskError | AddressError}
 */
export function parseLink(text: string, sandbox: boolean): WalletLink {
  const query = text.length <= MAX_LINK ? text.split('#')[0]?.split('?').slice(1).join('?') : undefined;
  const parameters = new URLSearchParams(query ?? '');
  const one = (name: string): string => {
    const [value, ...more] = parameters.getAll(name);
    if (value === undefined || more.length > 0) {
      throw new AskError('link_invalid', `the link must have exactly one ${name}`);
    }
    return value;
  };
  return { clientId: one('client_id'), requestUri: checkAddress(one('request_uri'), sandbox) };
}

/** What a site is said to be allowed to ask for. */
export interface MayAsk {
  readonly vct: string;
  /** Claims at these paths and below; any, if absent. */
  readonly claims?: readonly ClaimPath[] | undefined;
}

/** Something that is asked for without being registered: a type, or a claim of it. */
export interface OverAsked {
  readonly vct: string;
  readonly path?: ClaimPath;
}

/** Who asks, as far as it is proved. */
export interface Asker {
  readonly clientId: string;
  readonly name: string;
  readonly did: Did;
  readonly sponsor: { readonly name: string; readonly did: Did };
  /** Where the site takes its visitors back: origins. */
  readonly origins: readonly string[];
}

/** A request that was judged: who asks is proved. */
export interface VerifiedRequest {
  readonly asker: Asker;
  readonly query: Query;
  readonly nonce: string;
  readonly state?: string | undefined;
  readonly responseUri: URL;
  /** Until when it may be answered, in Unix seconds. */
  readonly expires: bigint;
  readonly overAsked: readonly OverAsked[];
  /** The epoch of the ledger at the proof. */
  readonly epoch: bigint;
}

/** What a wallet knows when it judges a request. */
export interface RequestContext {
  readonly link: WalletLink;
  readonly charter: Hash;
  readonly sandbox: boolean;
  /** In Unix seconds. */
  readonly now: bigint;
}

/**
 * Takes a request object apart far enough to know what to ask the ledger about.
 *
 * @throws {AskError | JwsError}
 */
export function parseRequest(text: string, link: WalletLink, network: string): FetchedRequest {
  const message = parseJws(text.trim());
  message.expectType(REQUEST_TYP);
  const clientId = textMember(message.stated, 'client_id');
  if (clientId !== link.clientId) {
    throw new AskError('request_other_client');
  }
  if (!clientId.startsWith(DID_PREFIX)) {
    throw new AskError('site_statement_missing', 'who asks is not a site that a sign-in server speaks for');
  }
  const site = ownDid(clientId.slice(DID_PREFIX.length), network);
  const statement = findStatement(message.stated.get('verifier_info'));
  const sponsor = ownDid(textMember(statement.stated, 'iss') ?? '', network);
  return new FetchedRequest(message, statement, site, sponsor);
}

function ownDid(text: string, network: string): Did {
  let did;
  try {
    did = parseShortDid(text);
  } catch {
    throw new AskError('site_other_network');
  }
  if (did.network !== network) {
    throw new AskError('site_other_network');
  }
  return did;
}

function findStatement(info: Json | undefined): UnverifiedJws {
  for (const element of Array.isArray(info) ? info : []) {
    if (element instanceof JsonObject && textMember(element, 'format') === STATEMENT_TYP) {
      return parseJws(textMember(element, 'data') ?? '');
    }
  }
  throw new AskError('site_statement_missing');
}

/** A request as it was fetched; nothing about it is believed yet. {@link parseRequest} makes one. */
export class FetchedRequest {
  readonly #message: UnverifiedJws;
  readonly #statement: UnverifiedJws;
  readonly #site: Did;
  readonly #sponsor: Did;
  readonly #types: readonly string[];

  constructor(message: UnverifiedJws, statement: UnverifiedJws, site: Did, sponsor: Did) {
    this.#message = message;
    this.#statement = statement;
    this.#site = site;
    this.#sponsor = sponsor;
    const query = readQuery(message.stated.get('dcql_query'));
    this.#types = [...new Set(query.credentials.flatMap(({ types }) => types))].slice(0, 8);
  }

  /** What must be proven before the request can be judged. */
  get questions(): readonly Hash[] {
    const { hash } = this.#sponsor;
    const rights = this.#rights().map(([, right]) => stateKey.grant(right));
    return [...new Set([stateKey.did(this.#site.hash), stateKey.did(hash), stateKey.accreditation(hash), ...rights])];
  }

  #rights(): readonly (readonly [string, Right])[] {
    return this.#types.map((vct) => [vct, { did: this.#sponsor.hash, kind: 'ask', typeId: typeId(vct) }]);
  }

  /** Hashes of the document data of the site and its sponsor; throws {@link AskError} for one that is not there. */
  documents(state: ProvenState, now: bigint): readonly [Hash, Hash] {
    const [site, sponsor] = [state.did(this.#site.hash), state.did(this.#sponsor.hash)];
    if (site === undefined) {
      throw new AskError('site_not_sponsored');
    }
    if (sponsor === undefined) {
      throw new AskError('sponsor_inactive');
    }
    return [entryAt(site, now).document, entryAt(sponsor, now).document];
  }

  /**
   * Judges the request under a proof of {@link questions}, with the data of {@link documents}.
   *
   * @throws {AskError | JwsError | DcqlError}
   */
  judge(state: ProvenState, documents: readonly [ListedDocument, ListedDocument], context: RequestContext): VerifiedRequest {
    const sponsorName = this.#checkFacts(state, documents, context.now);
    const [siteData, sponsorData] = documents;
    const kid = this.#message.kid ?? '';
    const fragment = kid.startsWith(`${didText(this.#site)}#`) ? (kid.split('#')[1] ?? '') : '';
    this.#message.verifyForeign(keyFor(siteData, fragment, Purposes.AUTHENTICATION));
    const request = readClaims(this.#message.stated, context);
    const { name, origins, mayAsk } = this.#checkStatement(sponsorData, context);
    if (context.link.requestUri.origin !== request.responseUri.origin) {
      throw new AskError('response_uri_elsewhere');
    }
    const asker: Asker = {
      clientId: context.link.clientId,
      name,
      did: this.#site,
      sponsor: { name: sponsorName, did: this.#sponsor },
      origins,
    };
    const overAsked = this.#overAsked(request.query, mayAsk, state);
    return { ...request, asker, overAsked, epoch: state.epoch };
  }

  #checkFacts(state: ProvenState, [siteData, sponsorData]: readonly [ListedDocument, ListedDocument], now: bigint): string {
    const active = (entry: Entry | undefined): entry is Entry => entry !== undefined && entryStatus(entry, now) === 'active';
    const site = state.did(this.#site.hash);
    if (!active(site) || site.assurance.backing !== 'sponsor' || site.assurance.by !== this.#sponsor.hash) {
      throw new AskError('site_not_sponsored');
    }
    const accreditation = state.accreditation(this.#sponsor.hash);
    if (accreditation === undefined || !inForceAs(accreditation, 'signin')) {
      throw new AskError('sponsor_not_accredited');
    }
    const sponsor = state.did(this.#sponsor.hash);
    if (!active(sponsor)) {
      throw new AskError('sponsor_inactive');
    }
    const told =
      entryAt(site, now).document === siteData.hash && entryAt(sponsor, now).document === sponsorData.hash;
    if (!told) {
      throw new AskError('document_mismatch');
    }
    return accreditation.name;
  }

  #checkStatement(
    sponsorData: ListedDocument,
    { charter, now }: RequestContext,
  ): { name: string; origins: readonly string[]; mayAsk: readonly MayAsk[] } {
    const { stated, kid } = this.#statement;
    const prefix = `${didText(this.#sponsor)}#`;
    const key = keyFor(sponsorData, kid?.startsWith(prefix) === true ? kid.slice(prefix.length) : '', Purposes.ASSERTION);
    this.#statement.verify(key, STATEMENT_TYP);
    const [iat, exp, name] = [asU64(stated.get('iat')), asU64(stated.get('exp')), textMember(stated, 'name') ?? ''];
    const holds =
      textMember(stated, 'sub') === didText(this.#site) &&
      textMember(stated, 'charter') === base64urlEncode(hashBytes(charter)) &&
      iat !== undefined && exp !== undefined && iat <= now + CLOCK_SKEW && now < exp &&
      isSiteName(name);
    if (!holds) {
      throw new AskError('site_statement_invalid');
    }
    const addresses = stated.get('redirect_uris');
    const uris = (Array.isArray(addresses) ? addresses : []).filter((uri) => typeof uri === 'string' && URL.canParse(uri));
    const origins = [...new Set(uris.map((uri) => new URL(String(uri)).origin))].sort();
    const mayAsk = stated.get('may_ask');
    return { name, origins, mayAsk: (Array.isArray(mayAsk) ? mayAsk : []).flatMap(readMayAsk) };
  }

  /** What is asked for beyond the site's statement, or beyond the sponsor's own rights. */
  #overAsked(query: Query, stated: readonly MayAsk[], state: ProvenState): readonly OverAsked[] {
    const shown = this.#message.stated.get('verifier_info');
    const granted = this.#rights().flatMap(([vct, right]) => {
      const grant = state.right(right);
      return grant === undefined ? [] : grantedBy(vct, grant, Array.isArray(shown) ? shown : []);
    });
    const over = [...beyond(query, granted), ...beyond(query, stated)];
    const seen = new Set<string>();
    return over.filter((one) => {
      const text = JSON.stringify(one);
      return !seen.has(text) && seen.add(text);
    });
  }
}

/** What a grant lets its holder ask for: anything, or what a list says whose hash it holds. */
function grantedBy(vct: string, grant: Grant, shown: readonly Json[]): readonly MayAsk[] {
  if (/^0+$/.test(grant.detail)) {
    return [{ vct }];
  }
  const lists = shown.flatMap((element) =>
    element instanceof JsonObject && textMember(element, 'format') === REGISTRATION ? readMayAsk(element.get('data') ?? null) : [],
  );
  return lists.filter((list) => list.vct === vct && detailOf(list) === grant.detail);
}

/** SHA-256 of the canonical text: paths sorted, each once. Only paths of names are compared here. */
function detailOf({ vct, claims }: MayAsk): Hash {
  const paths = [...new Set((claims ?? []).map((path) => JSON.stringify(path)))].sort();
  return sha256(utf8(`{"claims":[${paths.join(',')}],"vct":${JSON.stringify(vct)}}`));
}

function readMayAsk(value: Json): readonly MayAsk[] {
  const vct = value instanceof JsonObject ? textMember(value, 'vct') : undefined;
  if (!(value instanceof JsonObject) || vct === undefined) {
    return [];
  }
  const claims = value.get('claims');
  return [{ vct, claims: Array.isArray(claims) ? claims.map((path) => toPlain(path) as ClaimPath) : undefined }];
}

function beyond(query: Query, allowed: readonly MayAsk[]): readonly OverAsked[] {
  return query.credentials.flatMap(({ types, claims }) =>
    types.flatMap((vct): readonly OverAsked[] => {
      const lists = allowed.filter((list) => list.vct === vct);
      if (lists.length === 0) {
        return [{ vct }];
      }
      const covered = (path: ClaimPath): boolean =>
        lists.some(({ claims: paths }) =>
          paths === undefined || paths.some((listed) => listed.every((step, index) => index < path.length && path[index] === step)));
      return claims.filter(({ path }) => !covered(path)).map(({ path }) => ({ vct, path }));
    }),
  );
}

function keyFor(data: ListedDocument, fragment: string, purpose: number): PublicKey {
  const found = data.keys.find(({ key }) => key.toString() === fragment);
  if (found === undefined || !isFor(found, purpose)) {
    throw new AskError('request_key_not_current');
  }
  return found.key;
}

/** 1 to 64 bytes, nothing that is not seen or turns the direction, no white space at its ends. */
export function isSiteName(name: string): boolean {
  const bytes = utf8(name).length;
  return bytes >= 1 && bytes <= 64 && name.trim() === name && !/[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/u.test(name);
}

function readClaims(
  stated: JsonObject,
  { link, now, sandbox }: RequestContext,
): Pick<VerifiedRequest, 'query' | 'nonce' | 'state' | 'responseUri' | 'expires'> {
  const invalid = (why: string): never => {
    throw new AskError('request_invalid', why);
  };
  const aud = stated.get('aud');
  const audience = Array.isArray(aud) && aud.length === 1 ? (aud[0] ?? null) : (aud ?? null);
  if (!equalsPlain(audience, AUDIENCE) && !equalsPlain(audience, link.requestUri.href)) {
    invalid('it is not addressed to a wallet');
  }
  if (textMember(stated, 'response_type') !== 'vp_token' || stated.has('redirect_uri')) {
    invalid('it asks to be answered in a way that is not supported');
  }
  if (textMember(stated, 'response_mode') !== 'direct_post') {
    throw new AskError('request_encryption', 'it asks for an encrypted answer');
  }
  if (stated.has('transaction_data')) {
    throw new AskError('transaction_unsupported');
  }
  const query = readQuery(stated.get('dcql_query'));
  const [nonce, state] = [textMember(stated, 'nonce') ?? '', textMember(stated, 'state')];
  if (!/^[A-Za-z0-9._~-]{1,512}$/.test(nonce) || (query.login !== undefined && (nonce.length < 22 || nonce.length > 128))) {
    invalid('its nonce is not in order');
  }
  if (state !== undefined && !/^[\x21-\x7e]{1,4096}$/.test(state)) {
    invalid('its state is not in order');
  }
  const [iat, exp] = [asU64(stated.get('iat')), asU64(stated.get('exp'))];
  if (iat === undefined || exp === undefined || iat > now + CLOCK_SKEW || now >= exp || exp - iat > MAX_REQUEST_LIFETIME) {
    throw new AskError('request_expired');
  }
  const responseUri = checkAddress(textMember(stated, 'response_uri') ?? '', sandbox);
  return { query, nonce, state, responseUri, expires: exp };
}

/**
 * Whether the browser may be sent to this address after the answer: to where the answer went, or to the
 * site itself.
 */
export function mayReturnTo(request: VerifiedRequest, address: string, sandbox: boolean): URL | undefined {
  let url;
  try {
    url = checkAddress(address, sandbox);
  } catch {
    return undefined;
  }
  return url.origin === request.responseUri.origin || request.asker.origins.includes(url.origin) ? url : undefined;
}
