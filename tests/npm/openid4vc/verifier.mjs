// A verifier that somebody else wrote: @openid4vc/openid4vp over @sd-jwt and dcql, on loopback http.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { setGlobalConfig } from '@openid4vc/oauth2';
import { Openid4vpVerifier, calculateX509HashClientIdPrefixValue } from '@openid4vc/openid4vp';
import { DcqlPresentationResult, DcqlQuery } from 'dcql';
import { verifyShown } from './credential.mjs';
import { callbacks, newChain, newKey, thumbprint } from './crypto.mjs';
import { didJwk } from './did.mjs';

setGlobalConfig({ allowInsecureUrls: true });

const random = () => randomBytes(24).toString('base64url');

export class Verifier {
  requests = new Map();
  tamper = (jwt) => jwt; // for tests

  /** `as`: the client id's prefix, one of `x509_san_dns`, `x509_hash`, `decentralized_identifier`. */
  static async listening({ as = 'x509_hash', roots = [], ways } = {}) {
    const verifier = new Verifier();
    Object.assign(verifier, { as, roots, ways });
    verifier.key = await newKey('ES256');
    verifier.encryption = await newKey('ECDH-ES');
    Object.assign(verifier.encryption.publicJwk, { use: 'enc', alg: 'ECDH-ES', kid: await thumbprint(verifier.encryption.publicJwk) });
    verifier.server = createServer((request, response) => verifier.#serve(request, response));
    await new Promise((resolve) => verifier.server.listen(0, '127.0.0.1', resolve));
    verifier.url = `http://localhost:${verifier.server.address().port}`;
    verifier.callbacks = callbacks({ keys: [verifier.key, verifier.encryption] });
    verifier.openid4vp = new Openid4vpVerifier(verifier);
    await verifier.#identify();
    return verifier;
  }

  async #identify() {
    this.chain = await newChain(this.key, { dns: ['localhost'] });
    const { key } = this;
    const signer = { alg: 'ES256', key };
    if (this.as === 'decentralized_identifier') {
      const did = didJwk(this.key.publicJwk);
      this.clientId = `decentralized_identifier:${did}`;
      this.signer = { ...signer, method: 'did', didUrl: `${did}#0` };
      return;
    }
    const x509Certificate = Buffer.from(this.chain.x5c[0], 'base64');
    const name = this.as === 'x509_san_dns' ? 'localhost' : await calculateX509HashClientIdPrefixValue({ x509Certificate, hash: this.callbacks.hash });
    this.clientId = `${this.as}:${name}`;
    this.signer = { ...signer, method: 'x5c', x5c: this.chain.x5c };
  }

  close() {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(resolve));
  }

  /** Asks by DCQL; the link for the wallet, and a promise of what it will show. */
  async ask(dcqlQuery, { responseMode = 'direct_post', method = 'get', aud = 'https://self-issued.me/v2', more = {} } = {}) {
    DcqlQuery.validate(DcqlQuery.parse(dcqlQuery));
    const id = random();
    const payload = {
      response_type: 'vp_token', response_mode: responseMode, client_id: this.clientId, nonce: random(), state: random(),
      response_uri: `${this.url}/response/${id}`, dcql_query: dcqlQuery, client_metadata: this.#metadata(responseMode), ...more,
    };
    const sign = (walletNonce) => this.#sign(id, payload, aud, walletNonce);
    const made = await sign();
    let settle;
    const shown = new Promise((resolve, reject) => (settle = { resolve, reject }));
    shown.catch(() => {}); // whoever waits for it is told
    this.requests.set(id, { payload, sign, settle });
    const link = new URL(made.authorizationRequest);
    if (method === 'post') link.searchParams.set('request_uri_method', 'post');
    return { link: String(link), shown };
  }

  // `aud: null` leaves the audience to the library, which takes the request_uri.
  #sign(id, payload, aud, walletNonce) {
    return this.openid4vp.createOpenId4vpAuthorizationRequest({
      authorizationRequestPayload: { ...payload, ...(walletNonce && { wallet_nonce: walletNonce }) },
      wallet: { expectedNonce: walletNonce },
      jar: {
        requestUri: `${this.url}/request/${id}`, jwtSigner: this.signer, expiresInSeconds: 300,
        ...(aud && { additionalJwtPayload: { aud } }),
      },
    });
  }

  #metadata(responseMode) {
    const algorithms = ['ES256', 'EdDSA'];
    const formats = { vp_formats_supported: { 'dc+sd-jwt': { 'sd-jwt_alg_values': algorithms, 'kb-jwt_alg_values': algorithms } } };
    if (responseMode === 'direct_post') return formats;
    return {
      ...formats, jwks: { keys: [this.encryption.publicJwk] },
      encrypted_response_enc_values_supported: ['A256GCM', 'A128GCM', 'A128CBC-HS256'],
    };
  }

  async #serve(request, response) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const [, what, id] = new URL(request.url, this.url).pathname.split('/');
    const known = this.requests.get(id);
    const form = Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString()));
    if (what === 'request' && known) {
      const { jar } = await known.sign(form.wallet_nonce);
      response.writeHead(200, { 'content-type': 'application/oauth-authz-req+jwt' });
      return response.end(this.tamper(jar.authorizationRequestJwt));
    }
    const [status, json] = await this.#receive(known, form).then(
      (shown) => { known.settle.resolve(shown); return [200, { redirect_uri: `${this.url}/done` }]; },
      (error) => { known?.settle.reject(error); return [400, { error: 'invalid_request', error_description: error.message }]; },
    );
    response.writeHead(status, { 'content-type': 'application/json' });
    return response.end(JSON.stringify(json));
  }

  async #receive(known, form) {
    assert(known, 'no such request');
    const { payload } = known;
    if (form.error) throw Object.assign(new Error(`the wallet refused: ${form.error}`), { refused: form });
    const parsed = await this.openid4vp.parseOpenid4vpAuthorizationResponse({
      authorizationRequestPayload: payload, authorizationResponse: form, callbacks: this.callbacks,
    });
    assert.equal(parsed.authorizationResponsePayload.state, payload.state);
    if (payload.response_mode === 'direct_post.jwt') assert(parsed.jarm, 'an encrypted answer was asked for');
    const shown = {};
    for (const [id, presentations] of Object.entries(parsed.dcql.presentations)) {
      assert(Array.isArray(presentations), 'vp_token holds arrays');
      shown[id] = await Promise.all(presentations.map((compact) => verifyShown(compact, {
        audience: payload.client_id, nonce: payload.nonce, roots: this.roots, ways: this.ways,
      })));
    }
    this.#satisfies(payload.dcql_query, shown);
    const { vp_token: raw } = parsed.authorizationResponsePayload;
    return { claims: shown, raw: typeof raw === 'string' ? JSON.parse(raw) : raw };
  }

  #satisfies(query, shown) {
    const views = Object.entries(shown).map(([id, all]) => [id, all.map((claims) => ({
      credential_format: 'dc+sd-jwt', vct: claims.vct, claims, cryptographic_holder_binding: true,
    }))]);
    const result = DcqlPresentationResult.fromDcqlPresentation(Object.fromEntries(views), { dcqlQuery: DcqlQuery.parse(query) });
    assert(result.can_be_satisfied, 'what was shown does not answer what was asked');
  }
}
