// Getting credentials by OpenID4VCI: from an offer to copies that are checked and stored.
import {
  PRE_AUTHORIZED, accountInput, checkAddress, dpopInput, issuerDocument, issuerOf, issuerQuestions, judgeIssued, judgeIssuer, parseObject,
  proofInput, readIssuerMetadata, readOffer, utf8, wellKnown,
} from 'realdid-core';
import type { CredentialOffer, IssuerMetadata, Json } from 'realdid-core';

import { common } from './account.js';
import { WalletFailure } from './failure.js';
import { attempt, getText, postJwt, refusalOf } from './http.js';
import type { Answer } from './http.js';
import { drawHolderKey, publicKey, random, sign } from './keys.js';
import { charterOf, document, now, proven } from './ledger.js';
import { recorded } from './state.js';
import type { HeldCopy, HeldKey, WalletState } from './state.js';
import { change } from './storage.js';

/** How many one-time copies are asked for. */
const COPIES = 8;
/** The type of the real-name credential. */
export const REAL_NAME = 'urn:realdid:realname:1';

const parsed = (text: string): Json | undefined => parseObject(new Uint8Array(utf8(text)));

/** Fetches the credentials that the authority has for the holder of the account. */
export async function fetchRealName(state: WalletState): Promise<void> {
  if (state.account === undefined) {
    throw new WalletFailure('not_enrolled');
  }
  const request = await sign(state.account.key, accountInput('offer', common(state), state.account.id));
  const made = (await postJwt('authority', `${state.network.authority}/v1/credential-offers`, request)) as { credential_offer: unknown };
  const offer = readOffer(parsed(JSON.stringify(made.credential_offer)), charterOf(state.network).sandbox);
  await collect(state, offer, undefined);
}

/** Reads the offer that a link carries or points to: `?credential_offer=…` or `?credential_offer_uri=…`. */
export async function readOfferLink(state: WalletState, search: string): Promise<CredentialOffer> {
  const { sandbox } = charterOf(state.network);
  const parameters = new URLSearchParams(search);
  const uri = parameters.get('credential_offer_uri');
  const text = uri === null ? parameters.get('credential_offer') : await getText('issuer', checkAddress(uri, sandbox), 'application/json');
  return readOffer(parsed(text ?? ''), sandbox);
}

/** An exchange with one issuer: its metadata, the token and the key that it is bound to. */
interface Exchange {
  readonly metadata: IssuerMetadata;
  readonly accessToken: string;
  readonly dpopKey: HeldKey;
  readonly bound: boolean;
}

/** Collects everything that an offer is for. */
export async function collect(state: WalletState, offer: CredentialOffer, txCode: string | undefined): Promise<void> {
  const { sandbox } = charterOf(state.network);
  const well = await getText('issuer', wellKnown(offer.issuer, 'openid-credential-issuer'), 'application/json');
  const metadata = readIssuerMetadata(parsed(well), offer.issuer, sandbox);
  const exchange = await redeem(metadata, offer, txCode, sandbox);
  for (const id of offer.configurations) {
    await collectOne(state, offer.issuer, exchange, id);
  }
}

async function redeem(metadata: IssuerMetadata, offer: CredentialOffer, txCode: string | undefined, sandbox: boolean): Promise<Exchange> {
  const server = metadata.authorizationServer;
  const text = await getText('issuer', wellKnown(server, 'oauth-authorization-server'), 'application/json');
  const found = JSON.parse(text) as { issuer?: unknown; token_endpoint?: unknown };
  if (found.issuer !== server || typeof found.token_endpoint !== 'string' || !isAllowed(found.token_endpoint, sandbox)) {
    throw new WalletFailure('issuer_metadata_invalid');
  }
  const dpopKey = await drawHolderKey();
  const form: Record<string, string> = { grant_type: PRE_AUTHORIZED, 'pre-authorized_code': offer.code };
  if (txCode !== undefined) {
    form['tx_code'] = txCode;
  }
  const answer = await withDpop(new URL(found.token_endpoint), dpopKey, undefined, new URLSearchParams(form));
  const token = JSON.parse(answer.text) as { access_token?: unknown; token_type?: unknown };
  if (typeof token.access_token !== 'string') {
    throw new WalletFailure('issuer_refused', 'malformed_answer');
  }
  return { metadata, accessToken: token.access_token, dpopKey, bound: String(token.token_type).toLowerCase() === 'dpop' };
}

function isAllowed(address: string, sandbox: boolean): boolean {
  return URL.canParse(address) && (new URL(address).protocol === 'https:' || sandbox);
}

/** A POST bound to the wallet's key; a nonce that the server wants is taken up once. */
async function withDpop(url: URL, key: HeldKey, accessToken: string | undefined, body: URLSearchParams | string): Promise<Answer> {
  let nonce: string | undefined;
  for (let again = false; ; again = true) {
    const proof = await sign(key, dpopInput(publicKey(key), url, BigInt(now()), random(16), { nonce, accessToken }));
    const headers: Record<string, string> = { dpop: proof };
    if (accessToken !== undefined) {
      headers['authorization'] = `DPoP ${accessToken}`;
    }
    if (typeof body === 'string') {
      headers['content-type'] = 'application/json';
    }
    const answer = await attempt('issuer', url, { method: 'POST', headers, body });
    if (answer.status < 400) {
      return answer;
    }
    nonce = answer.headers.get('dpop-nonce') ?? undefined;
    if (again || nonce === undefined) {
      throw refusalOf('issuer', answer);
    }
  }
}

async function collectOne(state: WalletState, issuer: string, exchange: Exchange, id: string): Promise<void> {
  const { metadata } = exchange;
  const configuration = metadata.configurations.get(id);
  if (configuration === undefined) {
    return;
  }
  const keys = await Promise.all(Array.from({ length: Math.min(COPIES, metadata.batchSize) }, drawHolderKey));
  const nonce = await fetchNonce(metadata);
  const input = (key: HeldKey) => proofInput(publicKey(key), issuer, nonce, BigInt(now()));
  const jwt = await Promise.all(keys.map((key) => sign(key, input(key))));
  const body = JSON.stringify({ credential_configuration_id: id, proofs: { jwt } });
  const answer = await withDpop(metadata.credentialEndpoint, exchange.dpopKey, exchange.accessToken, body);
  const { credentials } = JSON.parse(answer.text) as { credentials?: readonly { credential?: unknown }[] };
  const texts = (credentials ?? []).map(({ credential }) => credential).filter((text) => typeof text === 'string');
  if (texts.length === 0 || texts.length > keys.length) {
    throw new WalletFailure('issuer_refused', 'malformed_answer');
  }
  const reference = issuerOf(texts);
  const facts = await proven(state, issuerQuestions(reference, configuration.vct));
  const data = await document(state, issuerDocument(reference, facts, BigInt(now())));
  const known = judgeIssuer(reference, configuration.vct, facts, data, BigInt(now()));
  const judged = judgeIssued(texts, known.key, configuration.vct, keys.map(publicKey), now());
  const copies = judged.flatMap(({ key, text, vc }): HeldCopy[] => {
    const held = keys.find(({ multikey }) => multikey === key.toString());
    return held === undefined ? [] : [{ text, key: held, expires: vc.expiresAt ?? now() + 86_400, shownTo: [] }];
  });
  await change((current) => {
    const credential = {
      id: current.nextCredential,
      vct: configuration.vct,
      names: configuration.names,
      issuer: { identifier: issuer, name: known.name, key: known.key.toString() },
      obtained: now(),
      copies,
    };
    // Fresh copies take the place of those of the same kind.
    const others = current.credentials.filter(({ vct, issuer: by }) => vct !== credential.vct || by.identifier !== issuer);
    const next = { ...current, credentials: [...others, credential], nextCredential: current.nextCredential + 1 };
    return recorded(next, now(), { kind: 'credential', vct: credential.vct, issuer: known.name });
  });
}

async function fetchNonce(metadata: IssuerMetadata): Promise<string | undefined> {
  if (metadata.nonceEndpoint === undefined) {
    return undefined;
  }
  const answer = await attempt('issuer', metadata.nonceEndpoint, { method: 'POST' });
  const { c_nonce: nonce } = JSON.parse(answer.text) as { c_nonce?: unknown };
  return typeof nonce === 'string' ? nonce : undefined;
}
