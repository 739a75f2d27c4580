// An issuer that somebody else wrote: @openid4vc/openid4vci and @openid4vc/oauth2 over @sd-jwt, on
// loopback http. It knows one person and gives them a membership card.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { Oauth2AuthorizationServer, Oauth2ResourceServer, preAuthorizedCodeGrantIdentifier, setGlobalConfig } from '@openid4vc/oauth2';
import { Openid4vciIssuer, Openid4vciVersion } from '@openid4vc/openid4vci';
import { issue, statusListJwt } from './credential.mjs';
import { callbacks, newChain, newKey } from './crypto.mjs';
import { didJwk } from './did.mjs';

// The sandbox speaks http on loopback.
setGlobalConfig({ allowInsecureUrls: true });

export const MEMBERSHIP = 'https://club.example/membership';
export const PERSON = { given_name: 'Mei', family_name: 'Lin', member_since: '2019-04-01', age_over_18: true };

const random = () => randomBytes(24).toString('base64url');

export class Issuer {
  codes = new Map(); // pre-authorized codes and authorization codes: what was agreed
  pushed = new Map();
  nonces = new Set();
  statuses = Array.from({ length: 1024 }, () => 0);
  issued = 0;
  notifications = [];

  /** `foundBy`: how verifiers find its key, `x5c`, `did` or `metadata`. */
  static async listening({ foundBy = 'metadata' } = {}) {
    const issuer = new Issuer();
    issuer.key = await newKey('ES256');
    issuer.server = createServer((request, response) => issuer.#serve(request, response));
    await new Promise((resolve) => issuer.server.listen(0, '127.0.0.1', resolve));
    issuer.url = `http://127.0.0.1:${issuer.server.address().port}`;
    const signing = { keys: [issuer.key] };
    issuer.oauth = new Oauth2AuthorizationServer({ callbacks: callbacks(signing) });
    issuer.resource = new Oauth2ResourceServer({ callbacks: callbacks(signing) });
    issuer.issuance = new Openid4vciIssuer({ callbacks: callbacks(signing) });
    await issuer.#introduce(foundBy);
    const credentialIssuer = issuer.#issuerMetadata();
    issuer.metadata = {
      credentialIssuer,
      authorizationServers: [issuer.#serverMetadata()],
      knownCredentialConfigurations: credentialIssuer.credential_configurations_supported,
      originalDraftVersion: Openid4vciVersion.V1,
    };
    return issuer;
  }

  async #introduce(foundBy) {
    this.jwks = { keys: [{ ...this.key.publicJwk, kid: 'key-1', alg: 'ES256', use: 'sig' }] };
    this.iss = this.url;
    this.header = { kid: 'key-1' };
    if (foundBy === 'did') {
      this.iss = didJwk(this.key.publicJwk);
      this.header = { kid: `${this.iss}#0` };
    }
    if (foundBy === 'x5c') {
      this.chain = await newChain(this.key, { dns: ['localhost'], uris: [this.url] });
      this.header = { x5c: this.chain.x5c };
    }
  }

  close() {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(resolve));
  }

  #issuerMetadata() {
    return this.issuance.createCredentialIssuerMetadata({
      credential_issuer: this.url,
      credential_endpoint: `${this.url}/credential`,
      nonce_endpoint: `${this.url}/nonce`,
      notification_endpoint: `${this.url}/notification`,
      batch_credential_issuance: { batch_size: 10 },
      display: [{ name: 'The Club', locale: 'en' }],
      credential_configurations_supported: {
        membership: {
          format: 'dc+sd-jwt',
          vct: MEMBERSHIP,
          scope: 'membership',
          cryptographic_binding_methods_supported: ['jwk'],
          credential_signing_alg_values_supported: ['ES256'],
          proof_types_supported: { jwt: { proof_signing_alg_values_supported: ['ES256', 'EdDSA'] } },
          credential_metadata: {
            display: [{ name: 'Membership card', locale: 'en' }],
            claims: Object.keys(PERSON).map((name) => ({ path: [name] })),
          },
        },
      },
    });
  }

  #serverMetadata() {
    return this.oauth.createAuthorizationServerMetadata({
      issuer: this.url,
      token_endpoint: `${this.url}/token`,
      authorization_endpoint: `${this.url}/authorize`,
      pushed_authorization_request_endpoint: `${this.url}/par`,
      jwks_uri: `${this.url}/jwks`,
      code_challenge_methods_supported: ['S256'],
      dpop_signing_alg_values_supported: ['ES256', 'EdDSA'],
      grant_types_supported: ['authorization_code', preAuthorizedCodeGrantIdentifier],
      'pre-authorized_grant_anonymous_access_supported': true,
      authorization_response_iss_parameter_supported: true,
    });
  }

  /** An offer as a link; with `txCode`, the holder must know it. */
  async offer({ txCode, status = false, grant = 'pre-authorized' } = {}) {
    const code = random();
    const described = txCode && { input_mode: 'numeric', length: txCode.length, description: 'The code we sent you' };
    const grants = grant === 'pre-authorized'
      ? { [preAuthorizedCodeGrantIdentifier]: { 'pre-authorized_code': code, ...(described && { tx_code: described }) } }
      : { authorization_code: { issuer_state: code } };
    this.codes.set(code, { txCode, status, grant });
    const { credentialOffer } = await this.issuance.createCredentialOffer({
      issuerMetadata: this.metadata, credentialConfigurationIds: ['membership'], grants,
    });
    return credentialOffer;
  }

  async #serve(request, response) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const url = new URL(request.url, this.url);
    const asked = {
      url, body: Buffer.concat(chunks).toString(), http: request,
      like: { headers: new Headers(Object.entries(request.headers)), method: request.method, url: String(url) },
    };
    try {
      const answer = await this.#answer(asked);
      response.writeHead(answer.status ?? 200, { 'content-type': 'application/json', ...answer.headers });
      response.end(answer.text ?? (answer.json === undefined ? '' : JSON.stringify(answer.json)));
    } catch (error) {
      const json = error.errorResponse ?? { error: 'invalid_request', error_description: String(error.message) };
      response.writeHead(error.status ?? 400, { 'content-type': 'application/json' });
      response.end(JSON.stringify(json));
    }
  }

  #answer(asked) {
    const { pathname } = asked.url;
    const json = (value) => ({ json: value });
    switch (pathname) {
      case '/.well-known/openid-credential-issuer': return json(this.metadata.credentialIssuer);
      case '/.well-known/oauth-authorization-server': return json(this.metadata.authorizationServers[0]);
      case '/.well-known/jwt-vc-issuer': return json({ issuer: this.url, jwks: this.jwks });
      case '/jwks': return json(this.jwks);
      case '/par': return this.#push(asked);
      case '/authorize': return this.#authorize(asked);
      case '/token': return this.#token(asked);
      case '/nonce': return this.#nonce();
      case '/credential': return this.#credential(asked);
      case '/notification': this.notifications.push(JSON.parse(asked.body)); return { status: 204 };
      case '/status/1': return this.#statusList();
      default: return { status: 404, json: { error: 'not_found' } };
    }
  }

  async #push({ body, like }) {
    const authorizationRequest = Object.fromEntries(new URLSearchParams(body));
    assert.equal(authorizationRequest.code_challenge_method, 'S256', 'PKCE is required');
    await this.oauth.parsePushedAuthorizationRequest({ authorizationRequest, request: like });
    const uri = `urn:ietf:params:oauth:request_uri:${random()}`;
    this.pushed.set(uri, authorizationRequest);
    return { status: 201, json: { request_uri: uri, expires_in: 60 } };
  }

  // Whoever comes is the one person this issuer knows.
  #authorize({ url }) {
    const pushed = this.pushed.get(url.searchParams.get('request_uri'));
    const request = pushed ?? Object.fromEntries(url.searchParams);
    const agreed = this.codes.get(request.issuer_state);
    assert(agreed && request.client_id === url.searchParams.get('client_id'), 'who are you?');
    const code = random();
    this.codes.set(code, { ...agreed, request });
    const back = new URL(request.redirect_uri);
    back.searchParams.set('code', code);
    if (request.state) back.searchParams.set('state', request.state);
    back.searchParams.set('iss', this.url);
    return { status: 302, headers: { location: String(back) } };
  }

  async #token({ body, like }) {
    const parsed = this.oauth.parseAccessTokenRequest({
      accessTokenRequest: Object.fromEntries(new URLSearchParams(body)), request: like,
    });
    const { grant, accessTokenRequest, dpop } = parsed;
    const code = grant.preAuthorizedCode ?? grant.code;
    const agreed = this.codes.get(code);
    assert(agreed, 'no such code');
    const common = {
      grant, accessTokenRequest, request: like, authorizationServerMetadata: this.metadata.authorizationServers[0],
      dpop: { ...dpop, required: Boolean(dpop?.jwt), allowedSigningAlgs: ['ES256', 'EdDSA'] },
    };
    const verified = grant.preAuthorizedCode
      ? await this.oauth.verifyPreAuthorizedCodeAccessTokenRequest({
        ...common, expectedPreAuthorizedCode: code, expectedTxCode: agreed.txCode,
      })
      : await this.oauth.verifyAuthorizationCodeAccessTokenRequest({
        ...common, expectedCode: code,
        pkce: {
          codeVerifier: parsed.pkceCodeVerifier, codeChallenge: agreed.request.code_challenge, codeChallengeMethod: 'S256',
        },
      });
    this.codes.delete(code);
    return {
      headers: { 'cache-control': 'no-store' },
      json: await this.oauth.createAccessTokenResponse({
        audience: this.url, authorizationServer: this.url, expiresInSeconds: 300, subject: code,
        signer: { method: 'jwk', alg: 'ES256', publicJwk: this.key.publicJwk, kid: 'key-1', key: this.key },
        dpop: verified.dpop, additionalAccessTokenPayload: { with_status: agreed.status },
      }),
    };
  }

  #nonce() {
    const nonce = random();
    this.nonces.add(nonce);
    return { headers: { 'cache-control': 'no-store' }, json: this.issuance.createNonceResponse({ cNonce: nonce }) };
  }

  async #credential({ body, like }) {
    const { tokenPayload } = await this.resource.verifyResourceRequest({
      authorizationServers: this.metadata.authorizationServers, request: like, resourceServer: this.url,
      allowedAuthenticationSchemes: ['DPoP', 'Bearer'],
    });
    const parsed = this.issuance.parseCredentialRequest({
      issuerMetadata: this.metadata, credentialRequest: JSON.parse(body),
    });
    assert(parsed.proofs?.jwt?.length, 'a proof is required');
    const credentials = [];
    for (const jwt of parsed.proofs.jwt) credentials.push({ credential: await this.#issue(jwt, tokenPayload.with_status) });
    parsed.proofs.jwt.map(nonceOf).forEach((nonce) => this.nonces.delete(nonce));
    return {
      json: this.issuance.createCredentialResponse({ credentialRequest: parsed, credentials, notificationId: random() }),
    };
  }

  async #issue(jwt, withStatus) {
    const nonce = nonceOf(jwt);
    assert(this.nonces.has(nonce), 'no such nonce');
    const proof = await this.issuance.verifyCredentialRequestJwtProof({
      issuerMetadata: this.metadata, jwt, expectedNonce: nonce,
    });
    const now = Math.floor(Date.now() / 1000);
    const index = this.issued++;
    return issue(
      {
        iss: this.iss, iat: now, exp: now + 86_400, vct: MEMBERSHIP, cnf: { jwk: proof.signer.publicJwk }, ...PERSON,
        ...(withStatus && { status: { status_list: { idx: index, uri: `${this.url}/status/1` } } }),
      },
      { key: this.key, header: this.header, frame: { _sd: Object.keys(PERSON), _sd_decoy: 2 } },
    );
  }

  async #statusList() {
    const text = await statusListJwt(this.statuses, { uri: `${this.url}/status/1`, key: this.key, header: this.header });
    return { headers: { 'content-type': 'application/statuslist+jwt' }, text };
  }
}

const nonceOf = (jwt) => JSON.parse(Buffer.from(jwt.split('.')[1], 'base64url')).nonce;
