// A wallet that somebody else wrote: @openid4vc/openid4vci and @openid4vc/openid4vp over @sd-jwt.
import assert from 'node:assert/strict';
import { clientAuthenticationAnonymous, clientAuthenticationNone, setGlobalConfig } from '@openid4vc/oauth2';
import { Openid4vciClient } from '@openid4vc/openid4vci';
import { Openid4vpClient } from '@openid4vc/openid4vp';
import { DcqlQuery } from 'dcql';
import { claimsOf, present } from './credential.mjs';
import { callbacks, newKey } from './crypto.mjs';

// The sandbox speaks http on loopback.
setGlobalConfig({ allowInsecureUrls: true });

const ENCRYPTION = {
  authorization_signing_alg_values_supported: [],
  authorization_encryption_alg_values_supported: ['ECDH-ES'],
  authorization_encryption_enc_values_supported: ['A256GCM', 'A128GCM', 'A128CBC-HS256'],
};

export class Wallet {
  credentials = []; // { compact, key, configuration }

  /** `clientId` for wallets that have one; `roots` are trusted certificates of verifiers. */
  constructor({ clientId, roots = [] } = {}) {
    this.keys = [];
    this.clientId = clientId;
    const clientAuthentication = clientId ? clientAuthenticationNone({ clientId }) : clientAuthenticationAnonymous();
    const common = callbacks({ keys: this.keys, roots, clientAuthentication });
    this.issuance = new Openid4vciClient({ callbacks: common });
    this.presenting = new Openid4vpClient({ callbacks: common });
  }

  async #newKey() {
    const key = await newKey('ES256');
    this.keys.push(key);
    return key;
  }

  async #dpop() {
    const { publicJwk } = await this.#newKey();
    return { signer: { method: 'jwk', alg: 'ES256', publicJwk } };
  }

  /** Reads an offer and its issuer's metadata. */
  async read(offer) {
    const credentialOffer = await this.issuance.resolveCredentialOffer(offer);
    const issuerMetadata = await this.issuance.resolveIssuerMetadata(credentialOffer.credential_issuer);
    return { credentialOffer, issuerMetadata };
  }

  /** The pre-authorized code flow up to the access token. */
  async redeem(offer, { txCode, dpop = true } = {}) {
    const read = typeof offer === 'string' ? await this.read(offer) : offer;
    const tokens = await this.issuance.retrievePreAuthorizedCodeAccessTokenFromOffer({
      ...read, txCode, dpop: dpop ? await this.#dpop() : undefined,
    });
    return { ...read, tokens };
  }

  /** The authorization code flow up to the access token; `browse` brings a URL to our redirect address. */
  async authorize(offer, { redirectUri, scope, browse }) {
    const read = await this.read(offer);
    const dpop = await this.#dpop();
    const begun = await this.issuance.initiateAuthorization({ ...read, clientId: this.clientId, redirectUri, scope, dpop });
    const url = await browse(begun.authorizationRequestUrl);
    const response = this.issuance.parseAndVerifyAuthorizationResponseRedirectUrl({
      url: String(url), authorizationServerMetadata: read.issuerMetadata.authorizationServers[0],
    });
    assert(response.code, `no code: ${JSON.stringify(response)}`);
    const tokens = await this.issuance.retrieveAuthorizationCodeAccessTokenFromOffer({
      ...read, authorizationCode: response.code, pkceCodeVerifier: begun.pkce.codeVerifier, redirectUri, dpop,
    });
    return { ...read, tokens };
  }

  /** Asks for `copies` copies, each under a key of its own. */
  async request({ credentialOffer, issuerMetadata, tokens }, { copies = 1, configuration, nonce } = {}) {
    const id = configuration ?? credentialOffer.credential_configuration_ids[0];
    const { c_nonce: fresh } = nonce ? { c_nonce: nonce } : await this.issuance.requestNonce({ issuerMetadata });
    const keys = await Promise.all(Array.from({ length: copies }, () => this.#newKey()));
    const proofs = await Promise.all(keys.map((key) => this.issuance.createCredentialRequestJwtProof({
      issuerMetadata, credentialConfigurationId: id, nonce: fresh, issuedAt: new Date(), clientId: this.clientId,
      signer: { method: 'jwk', alg: 'ES256', publicJwk: key.publicJwk },
    })));
    const answer = await this.issuance.retrieveCredentials({
      issuerMetadata, credentialConfigurationId: id, accessToken: tokens.accessTokenResponse.access_token,
      dpop: tokens.dpop, proofs: { jwt: proofs.map(({ jwt }) => jwt) },
    });
    const response = answer.credentialResponse;
    this.#keep(response, keys, id);
    return { response, keys, nonce: fresh };
  }

  #keep({ credentials = [] }, keys, configuration) {
    credentials.forEach(({ credential }, i) => this.credentials.push({ compact: credential, key: keys[i], configuration }));
  }

  /** Asks again for what was deferred. */
  async deferred({ issuerMetadata, tokens }, { response, keys }, configuration) {
    const answer = await this.issuance.retrieveDeferredCredentials({
      issuerMetadata, accessToken: tokens.accessTokenResponse.access_token, dpop: tokens.dpop,
      transactionId: response.transaction_id,
    });
    this.#keep(answer.deferredCredentialResponse, keys, configuration);
    return answer.deferredCredentialResponse;
  }

  /** Tells the issuer what became of its credentials. */
  notify({ issuerMetadata, tokens }, notificationId, event = 'credential_accepted') {
    return this.issuance.sendNotification({
      issuerMetadata, accessToken: tokens.accessTokenResponse.access_token, dpop: tokens.dpop,
      notification: { notificationId, event },
    });
  }

  /** Reads a presentation request, all its checks included. */
  async readRequest(link) {
    const { params } = this.presenting.parseOpenid4vpAuthorizationRequest({ authorizationRequest: link });
    return this.presenting.resolveOpenId4vpAuthorizationRequest({ authorizationRequestPayload: params });
  }

  /** Answers a presentation request with the claims it asks for and no others. */
  async show(link, { alter = (vpToken) => vpToken } = {}) {
    const request = await this.readRequest(link);
    const payload = request.authorizationRequestPayload;
    const query = DcqlQuery.parse(payload.dcql_query);
    DcqlQuery.validate(query);
    const held = await Promise.all(this.credentials.map(async ({ compact }) => ({
      credential_format: 'dc+sd-jwt', cryptographic_holder_binding: true, ...(await viewOf(compact)),
    })));
    const result = DcqlQuery.query(query, held);
    assert(result.can_be_satisfied, `nothing held answers ${JSON.stringify(payload.dcql_query)}`);
    const vpToken = {};
    for (const [id, match] of Object.entries(result.credential_matches)) {
      if (!match.success) continue;
      const [found] = match.valid_credentials;
      const { compact, key } = this.credentials[found.input_credential_index];
      const frame = frameOf(query.credentials.find((asked) => asked.id === id), found.claims);
      vpToken[id] = [await present(compact, key, { frame, audience: payload.client_id, nonce: payload.nonce })];
    }
    return this.#answer(payload, alter(vpToken));
  }

  async #answer(payload, vpToken) {
    const response = await this.presenting.createOpenid4vpAuthorizationResponse({
      authorizationRequestPayload: payload,
      authorizationResponsePayload: { vp_token: vpToken },
      jarm: payload.response_mode === 'direct_post.jwt'
        ? { encryption: { nonce: 'wallet' }, serverMetadata: ENCRYPTION }
        : undefined,
    });
    const sent = await this.presenting.submitOpenid4vpAuthorizationResponse({
      authorizationRequestPayload: payload,
      authorizationResponsePayload: response.authorizationResponsePayload,
      jarm: response.jarm && { responseJwt: response.jarm.responseJwt },
    });
    return { status: sent.response.status, body: await sent.response.json() };
  }
}

async function viewOf(compact) {
  const { vct, ...claims } = await claimsOf(compact);
  return { vct, claims: { vct, ...claims } };
}

// The claims of the first claim set that the credential fulfils, as a frame of @sd-jwt.
function frameOf(asked, matched) {
  const [set] = matched.valid_claim_sets ?? [];
  const indexes = set?.valid_claim_indexes ?? asked.claims?.map((_, i) => i) ?? [];
  const frame = {};
  for (const index of indexes) mark(frame, asked.claims[index].path);
  return frame;
}

function mark(frame, [first, ...rest]) {
  if (first === undefined) return true;
  if (first === null) return true; // every element
  frame[first] = rest.length === 0 ? true : mark(typeof frame[first] === 'object' ? frame[first] : {}, rest);
  return frame;
}
