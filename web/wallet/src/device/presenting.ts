// Answering a request: who asks, what would be shown, and the answer that the holder agreed to.
import {
  answerOf, base64urlEncode, chooseQueries, epochAccepted, hashBytes, keyUrl, LEVELS, loginSigningInput, mayReturnTo, parseIssuedVc,
  parseLink, parseRequest, parseShortDid, PublicKey, selectClaims, sha256, toPlain, utf8, valueOf, verifySdJwt,
} from 'realdid-core';
import type { ClaimPath, Level, OverAsked, VerifiedRequest, VerifiedSdJwt } from 'realdid-core';

import { WalletFailure } from './failure.js';
import { getText, postForm, refusalOf } from './http.js';
import { publicKey, sign } from './keys.js';
import { charterOf, document, now, proven } from './ledger.js';
import { pooled, recorded } from './state.js';
import type { HeldCopy, HeldCredential, HeldDid, WalletState } from './state.js';
import { change } from './storage.js';

/** How long an answer may be shown, in seconds. */
const ANSWER_LIFETIME = 120;

/** A claim that would be shown. */
export interface ShownClaim {
  readonly vct: string;
  readonly path: ClaimPath;
  readonly value: string;
  /** Whether the site has been shown it before. */
  readonly known: boolean;
}

/** A credential that would be shown, in part. */
export interface ShownCredential {
  readonly query: string;
  readonly credential: HeldCredential;
  readonly copy: HeldCopy;
  readonly paths: readonly ClaimPath[];
  readonly claims: readonly ShownClaim[];
  readonly optional: boolean;
}

/** What the holder is asked to agree to. */
export interface Consent {
  readonly request: VerifiedRequest;
  /** The DID that would log in; none if no login is asked for. */
  readonly did?: HeldDid | undefined;
  readonly credentials: readonly ShownCredential[];
  readonly overAsked: readonly OverAsked[];
  /** Whether the site knows this wallet's DID for it already. */
  readonly known: boolean;
  /** Whether the DID's token is of the last epoch that counts. */
  readonly lapsesSoon: boolean;
}

/** What a site knows is named by type and claim. */
export function claimName(vct: string, path: ClaimPath): string {
  return `${vct} ${path.map((step) => step ?? '*').join('.')}`;
}

/** From a link to a request whose asker is proved. */
export async function fetchRequest(state: WalletState, link: string): Promise<VerifiedRequest> {
  const charter = charterOf(state.network);
  const parsed = parseLink(link, charter.sandbox);
  const text = await getText('site', parsed.requestUri, 'application/oauth-authz-req+jwt');
  const fetched = parseRequest(text, parsed, charter.network);
  const facts = await proven(state, fetched.questions);
  const [site, sponsor] = fetched.documents(facts, BigInt(now()));
  const documents = [await document(state, site), await document(state, sponsor)] as const;
  return fetched.judge(facts, documents, { link: parsed, charter: charter.hash, sandbox: charter.sandbox, now: BigInt(now()) });
}

/** What would be shown for a request; `without` names optional queries that the holder keeps back. */
export function consentFor(state: WalletState, request: VerifiedRequest, without: readonly string[] = []): Consent {
  const { query, asker } = request;
  const did = query.login && chooseDid(state, asker.clientId, request.epoch, query.login.level);
  const possible = new Map<string, Omit<ShownCredential, 'optional'>>();
  for (const asked of query.credentials) {
    const found = state.credentials.map((credential) => showable(state, asker.clientId, asked, credential)).find((one) => one !== undefined);
    if (found !== undefined && !without.includes(asked.id)) {
      possible.set(asked.id, found);
    }
  }
  const ids = new Set([...possible.keys(), ...(query.login === undefined ? [] : [query.login.id])]);
  const [all, needed] = [chooseQueries(query, ids, true), chooseQueries(query, ids, false)];
  if (all === undefined || needed === undefined) {
    throw new WalletFailure('nothing_fits');
  }
  const credentials = all.flatMap((id) => {
    const found = possible.get(id);
    return found === undefined ? [] : [{ ...found, optional: !needed.includes(id) }];
  });
  return {
    request,
    did,
    credentials,
    overAsked: request.overAsked,
    known: did?.site !== undefined,
    lapsesSoon: did?.token !== undefined && did.token.epoch < request.epoch,
  };
}

/** The one DID for a site: the one it knows, else one that nobody has seen. */
function chooseDid(state: WalletState, clientId: string, epoch: bigint, level: Level): HeldDid {
  const pinned = state.dids.find((held) => held.site?.clientId === clientId && held.unlinked !== true);
  const fresh = pooled(state).find((held) => held.token !== undefined && epochAccepted(held.token.epoch, epoch));
  const chosen = pinned ?? fresh;
  if (chosen === undefined) {
    throw new WalletFailure('pool_empty');
  }
  if (chosen.token !== undefined && !epochAccepted(chosen.token.epoch, epoch)) {
    throw new WalletFailure('token_lapsed');
  }
  if (chosen.token === undefined || LEVELS.indexOf(chosen.token.level) < LEVELS.indexOf(level)) {
    throw new WalletFailure('level_too_low');
  }
  return chosen;
}

/** The copy that would be shown next, read. */
function readCopy(credential: HeldCredential): { copy: HeldCopy; vc: VerifiedSdJwt } | undefined {
  const valid = credential.copies.filter(({ expires }) => expires > now());
  const copy = valid.find(({ shownTo }) => shownTo.length === 0) ?? valid[0];
  if (copy === undefined) {
    return undefined;
  }
  const vc = verifySdJwt(parseIssuedVc(copy.text).sdJwt, PublicKey.fromMultikey(credential.issuer.key));
  return { copy, vc };
}

/** What a card shows: the claims of a credential, as text. */
export function claimsOf(credential: HeldCredential): readonly { readonly name: string; readonly value: string }[] {
  const read = readCopy(credential);
  const hidden = ['iss', 'iat', 'nbf', 'exp', 'cnf', 'vct', 'vct#integrity', 'status', 'aka_vcts', '_sd_alg'];
  const claims = read === undefined ? [] : [...read.vc.claims];
  return claims.filter(([name]) => !hidden.includes(name)).map(([name, value]) => ({ name, value: asText(toPlain(value)) }));
}

function showable(
  state: WalletState,
  clientId: string,
  asked: VerifiedRequest['query']['credentials'][number],
  credential: HeldCredential,
): Omit<ShownCredential, 'optional'> | undefined {
  const read = readCopy(credential);
  const paths = read && answerOf(asked, credential.vct, read.vc.root);
  if (read === undefined || paths === undefined) {
    return undefined;
  }
  const site = state.dids.find((held) => held.site?.clientId === clientId && held.unlinked !== true)?.site;
  const claims = paths.map((path): ShownClaim => {
    const values = selectClaims(read.vc.root, path).flatMap((chain) => chain.slice(-1)).map(valueOf);
    const plain = values.map((value) => (value === undefined ? '' : asText(toPlain(value))));
    const known = site?.knows.includes(claimName(credential.vct, path)) === true;
    return { vct: credential.vct, path, value: plain.join(', '), known };
  });
  return { query: asked.id, credential, copy: read.copy, paths, claims };
}

function asText(value: unknown): string {
  if (Array.isArray(value)) {
    return value.map(asText).join(', ');
  }
  return typeof value === 'object' && value !== null ? Object.values(value).map(asText).join(' ') : String(value);
}

/**
 * Signs what the holder agreed to and sends it. What is shown is stored before it is sent: a crash must
 * show neither DID nor copy to another. Gives where the browser goes on.
 */
export async function answer(state: WalletState, consent: Consent): Promise<URL | undefined> {
  const { request, did, credentials } = consent;
  const { query, asker, nonce } = request;
  if (BigInt(now()) >= request.expires) {
    throw new WalletFailure('request_expired');
  }
  const vpToken: Record<string, string[]> = {};
  const hashes: string[] = [];
  for (const shown of credentials) {
    const presentation = await showCopy(shown, asker.clientId, nonce);
    hashes.push(base64urlEncode(hashBytes(sha256(utf8(presentation)))));
    (vpToken[shown.query] ??= []).push(presentation);
  }
  if (query.login !== undefined && did !== undefined) {
    vpToken[query.login.id] = [await signLogin(state, request, did, hashes)];
  }
  await pin(consent);
  const form: Record<string, string> = { vp_token: JSON.stringify(vpToken) };
  if (request.state !== undefined) {
    form['state'] = request.state;
  }
  const reply = await postForm('site', request.responseUri, form);
  if (reply.status >= 400) {
    const failure = refusalOf('site', reply);
    await noteRefusal(request, failure.said ?? failure.code);
    throw failure;
  }
  const claims = credentials.flatMap(({ claims: shown }) => shown.map(({ vct, path }) => claimName(vct, path)));
  await change((current) =>
    recorded(current, now(), { kind: did === undefined ? 'shown' : 'login', site: asker.name, clientId: asker.clientId, claims }),
  );
  return returnAddress(state, request, reply.text);
}

function returnAddress(state: WalletState, request: VerifiedRequest, text: string): URL | undefined {
  let address: unknown;
  try {
    address = (JSON.parse(text) as { redirect_uri?: unknown }).redirect_uri;
  } catch {
    return undefined;
  }
  if (typeof address !== 'string') {
    return undefined;
  }
  const allowed = mayReturnTo(request, address, charterOf(state.network).sandbox);
  if (allowed === undefined) {
    throw new WalletFailure('return_elsewhere');
  }
  return allowed;
}

async function showCopy({ credential, copy, paths }: ShownCredential, audience: string, nonce: string): Promise<string> {
  const vc = verifySdJwt(parseIssuedVc(copy.text).sdJwt, PublicKey.fromMultikey(credential.issuer.key));
  const presentation = vc.select(paths);
  const input = presentation.prepareBinding('ES256', { audience, nonce, issuedAt: now() });
  return presentation.text + (await sign(copy.key, input));
}

function signLogin(state: WalletState, request: VerifiedRequest, did: HeldDid, credentials: readonly string[]): Promise<string> {
  const charter = charterOf(state.network);
  const claims = {
    iss: did.did,
    did: did.onLedger === true ? did.did : did.longForm,
    aud: request.asker.clientId,
    nonce: request.nonce,
    iat: BigInt(now()),
    exp: BigInt(now() + ANSWER_LIFETIME),
    charter: base64urlEncode(hashBytes(charter.hash)),
    token: base64urlEncode(did.token?.bytes ?? new Uint8Array()),
    credentials,
  };
  const key = publicKey(did.key);
  return sign(did.key, loginSigningInput(claims, keyUrl(parseShortDid(did.did), key), 'EdDSA'));
}

/** Pins the DID to the site and marks the copies as used; refused if another tab gave the DID away meanwhile. */
async function pin({ request, did, credentials }: Consent): Promise<void> {
  const { asker } = request;
  const shown = new Set(credentials.map(({ copy }) => copy.text));
  const names = credentials.flatMap(({ claims }) => claims.map(({ vct, path }) => claimName(vct, path)));
  await change((current) => {
    const dids = current.dids.map((held): HeldDid => {
      if (held.did !== did?.did) {
        return held;
      }
      if (held.site !== undefined && held.site.clientId !== asker.clientId) {
        throw new WalletFailure('did_pinned_elsewhere');
      }
      const knows = [...new Set([...(held.site?.knows ?? []), ...names])];
      const since = held.site?.since ?? now();
      return { ...held, site: { clientId: asker.clientId, name: asker.name, since, lastUsed: now(), knows } };
    });
    const used = (copy: HeldCopy): HeldCopy => (shown.has(copy.text) ? { ...copy, shownTo: [...copy.shownTo, asker.clientId] } : copy);
    const held = current.credentials.map((credential) => ({ ...credential, copies: credential.copies.map(used) }));
    return { ...current, dids, credentials: held };
  });
}

/** Tells the site that its holder does not agree, and gives where the browser goes on. */
export async function refuse(state: WalletState, request: VerifiedRequest): Promise<URL | undefined> {
  await noteRefusal(request, 'consent_refused');
  const form: Record<string, string> = { error: 'access_denied' };
  if (request.state !== undefined) {
    form['state'] = request.state;
  }
  const reply = await postForm('site', request.responseUri, form);
  return reply.status < 400 ? returnAddress(state, request, reply.text) : undefined;
}

async function noteRefusal({ asker }: VerifiedRequest, code: string): Promise<void> {
  await change((current) => recorded(current, now(), { kind: 'refused', site: asker.name, clientId: asker.clientId, code }));
}

/** Forgets which DID a site knows: the next login there is with a new one, and the old one is never used again. */
export async function unlink(clientId: string): Promise<void> {
  await change((current) => {
    const of = (held: HeldDid): boolean => held.site?.clientId === clientId && held.unlinked !== true;
    const site = current.dids.find(of)?.site?.name ?? '';
    const dids = current.dids.map((held) => (of(held) ? { ...held, unlinked: true } : held));
    return recorded({ ...current, dids }, now(), { kind: 'unlinked', site });
  });
}
