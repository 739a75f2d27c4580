// What the protocol libraries leave to their users: keys, hashes, signatures, encryption, certificates.
import 'reflect-metadata';
import assert from 'node:assert/strict';
import { X509Certificate, createHash, randomBytes, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import * as jose from 'jose';
import { resolveKey } from './did.mjs';

x509.cryptoProvider.set(webcrypto);

const CURVE = { ES256: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } };

/** A key pair for signing: `{ alg, publicJwk, privateKey }`. */
export async function newKey(alg = 'ES256') {
  const { publicKey, privateKey } = await jose.generateKeyPair(alg, { extractable: true });
  return { alg, publicJwk: await jose.exportJWK(publicKey), publicKey, privateKey };
}

/** A certificate authority with one certificate below it, as DER in base64, leaf first. */
export async function newChain(key, { dns = [], uris = [] }) {
  const root = await newKey();
  const times = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 3_600_000) };
  const usage = x509.KeyUsageFlags;
  const rootCertificate = await x509.X509CertificateGenerator.create({
    serialNumber: '01', subject: 'CN=Test root', issuer: 'CN=Test root', ...times,
    signingAlgorithm: CURVE.ES256, publicKey: root.publicKey, signingKey: root.privateKey,
    extensions: [new x509.BasicConstraintsExtension(true, 0, true), new x509.KeyUsagesExtension(usage.keyCertSign, true)],
  });
  const names = [...dns.map((value) => ({ type: 'dns', value })), ...uris.map((value) => ({ type: 'url', value }))];
  const leaf = await x509.X509CertificateGenerator.create({
    serialNumber: '02', subject: 'CN=Test leaf', issuer: 'CN=Test root', ...times,
    signingAlgorithm: CURVE.ES256, publicKey: key.publicKey, signingKey: root.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(usage.digitalSignature, true),
      new x509.SubjectAlternativeNameExtension(names),
    ],
  });
  const base64 = (certificate) => Buffer.from(certificate.rawData).toString('base64');
  return { x5c: [base64(leaf)], pem: `${leaf.toString('pem')}\n`, root: base64(rootCertificate) };
}

/** The public key of a chain's leaf, if the chain holds and ends at one of the trusted roots. */
export function chainKey(x5c, roots) {
  const [leaf, ...rest] = x5c.map((text) => new X509Certificate(Buffer.from(text, 'base64')));
  const trusted = roots.map((text) => new X509Certificate(text.includes('BEGIN') ? text : Buffer.from(text, 'base64')));
  let current = leaf;
  for (const above of [...rest, null]) {
    assert(Date.parse(current.validTo) > Date.now(), 'an expired certificate');
    const root = trusted.find((root) => root.raw.equals(current.raw) || (current.checkIssued(root) && current.verify(root.publicKey)));
    if (root) return leaf.publicKey.export({ format: 'jwk' });
    assert(above && current.checkIssued(above) && current.verify(above.publicKey), 'a broken chain of certificates');
    current = above;
  }
  assert.fail('a chain of certificates that ends nowhere');
}

const certificateNames = (text) => {
  const names = new X509Certificate(Buffer.from(text, 'base64')).subjectAltName?.split(', ') ?? [];
  const of = (kind) => names.filter((name) => name.startsWith(kind)).map((name) => name.slice(kind.length));
  return { sanDnsNames: of('DNS:'), sanUriNames: of('URI:') };
};

/** Public keys are told apart by their thumbprint. */
export const thumbprint = (jwk) => jose.calculateJwkThumbprint(jwk);

/** Verifies a compact JWS with a public key; whether it holds. */
export async function verifies(compact, jwk, alg) {
  const key = await jose.importJWK({ ...jwk, alg }, alg);
  return jose.compactVerify(compact, key, { algorithms: [alg] }).then(() => true, () => false);
}

/** The callbacks that @openid4vc/* ask for, over a set of own keys and trusted certificates. */
export function callbacks({ keys = [], roots = [], clientAuthentication }) {
  const own = async (jwk) => {
    for (const key of keys) if ((await thumbprint(key.publicJwk)) === (await thumbprint(jwk))) return key;
    return assert.fail('no such key of ours');
  };
  const publicKey = async (signer) => {
    if (signer.method === 'jwk') return signer.publicJwk;
    if (signer.method === 'x5c') return chainKey(signer.x5c, roots);
    if (signer.method === 'did') return resolveKey(signer.didUrl);
    return assert.fail(`no way to find the key of ${JSON.stringify(signer)}`);
  };
  return {
    hash: (data, alg) => createHash(alg.replace('-', '')).update(data).digest(),
    generateRandom: (length) => randomBytes(length),
    clientAuthentication,
    getX509CertificateMetadata: certificateNames,
    signJwt: async (signer, { header, payload }) => {
      const key = signer.key ?? (await own(signer.publicJwk ?? (await publicKey(signer))));
      const jwt = await new jose.SignJWT(payload).setProtectedHeader({ ...header, alg: signer.alg }).sign(key.privateKey);
      return { jwt, signerJwk: key.publicJwk };
    },
    verifyJwt: async (signer, { compact }) => {
      const jwk = await publicKey(signer).catch(() => null);
      if (!jwk || !(await verifies(compact, jwk, signer.alg))) return { verified: false };
      return { verified: true, signerJwk: jwk };
    },
    encryptJwe: async ({ publicJwk, apu, apv, alg, enc }, data) => {
      const jwe = await new jose.CompactEncrypt(new TextEncoder().encode(data))
        .setProtectedHeader({ alg, enc, kid: publicJwk.kid, ...(apu && { apu }), ...(apv && { apv }) })
        .encrypt(await jose.importJWK(publicJwk, alg));
      return { jwe, encryptionJwk: publicJwk };
    },
    decryptJwe: async (jwe) => {
      const { kid, alg } = jose.decodeProtectedHeader(jwe);
      const key = keys.find((key) => key.publicJwk.kid === kid);
      if (!key || alg !== 'ECDH-ES') return { decrypted: false };
      const { plaintext } = await jose.compactDecrypt(jwe, key.privateKey);
      return { decrypted: true, payload: new TextDecoder().decode(plaintext), decryptionJwk: key.publicJwk };
    },
  };
}
