/**
 * Compact JWS (RFC 7515) as RealDID uses it, and public keys as JSON Web Keys: the algorithm comes from
 * the key, never from the message. Twin of `crates/jose/src/{jws,jwk}.rs`.
 */

import { base64urlDecode, base64urlEncode, utf8 } from './bytes.js';
import { Refusal } from './errors.js';
import { JsonObject, parseObject, sortedJson, textMember } from './json.js';
import type { Json } from './json.js';
import { KeyError, PublicKey, SIGNATURE_LENGTH } from './key.js';
import type { KeyType } from './key.js';

/** Longest JWS that is parsed without a limit of the caller's own, in bytes. */
export const MAX_JWS = 64 * 1024;

/** Why a JWS is not accepted. */
export class JwsError extends Refusal<
  'too_long' | 'form' | 'critical' | 'type' | 'algorithm' | 'signature' | 'claims'
> {
  constructor(code: JwsError['code']) {
    super(code, `the signed message is refused: ${code.replaceAll('_', ' ')}`);
  }
}

/** What is to be signed: header and claims, encoded. */
export class SigningInput {
  /** Header and claims, encoded and joined by a dot. */
  readonly text: string;

  /**
   * Encodes a header, to which `alg` is added by the key's type, and claims, both with members in the
   * order of their names unless the claims come as text.
   *
   * @throws {JwsError} if the JWS would be longer than {@link MAX_JWS}.
   */
  constructor(kind: KeyType, header: object, claims: object | string) {
    const encoded = typeof claims === 'string' ? claims : sortedJson(claims);
    const head = sortedJson({ ...header, alg: kind });
    this.text = `${base64urlEncode(utf8(head))}.${base64urlEncode(utf8(encoded))}`;
    // 87 more: the dot and the encoded signature
    if (this.text.length + 87 > MAX_JWS) {
      throw new JwsError('too_long');
    }
  }

  /** The bytes to sign, as `SecretKey.signRaw` does. */
  get bytes(): Uint8Array {
    return utf8(this.text);
  }

  /** The JWS, given the signature over {@link bytes}. */
  finish(signature: Uint8Array): string {
    return `${this.text}.${base64urlEncode(signature)}`;
  }
}

/** A JWS whose signature has not been checked. {@link parseJws} makes one. */
export class UnverifiedJws {
  /** The whole header, as the sender states it. */
  readonly header: JsonObject;
  /** The claims as the sender states them. */
  readonly stated: JsonObject;
  readonly #signingInput: string;
  readonly #signature: Uint8Array;

  constructor(header: JsonObject, stated: JsonObject, signingInput: string, signature: Uint8Array) {
    this.header = header;
    this.stated = stated;
    this.#signingInput = signingInput;
    this.#signature = signature;
  }

  /** The header's `kid`: which key the signer says it is. */
  get kid(): string | undefined {
    return textMember(this.header, 'kid');
  }

  /** The header's `typ`. */
  get typ(): string | undefined {
    return textMember(this.header, 'typ');
  }

  /**
   * Checks that the message is of the expected type (RFC 8725 §3.11).
   *
   * @throws {JwsError}
   */
  expectType(typ: string): void {
    if (this.typ !== typ) {
      throw new JwsError('type');
    }
  }

  /**
   * Checks type, algorithm and signature of a message of ours: canonical signatures only.
   *
   * @throws {JwsError}
   */
  verify(key: PublicKey, typ: string): void {
    this.expectType(typ);
    this.#check(key, (message, signature) => key.verifyRaw(message, signature));
  }

  /**
   * Checks algorithm and signature of a message by anybody's software, where a high `s` is as good; the
   * type is the caller's to check.
   *
   * @throws {JwsError}
   */
  verifyForeign(key: PublicKey): void {
    this.#check(key, (message, signature) => key.verifyForeign(message, signature));
  }

  #check(key: PublicKey, verify: (message: Uint8Array, signature: Uint8Array) => boolean): void {
    const algorithm = textMember(this.header, 'alg');
    // RFC 9864 gives EdDSA with this curve a name of its own; both are in use.
    if (algorithm !== key.kind && !(key.kind === 'EdDSA' && algorithm === 'Ed25519')) {
      throw new JwsError('algorithm');
    }
    if (this.#signature.length !== SIGNATURE_LENGTH || !verify(utf8(this.#signingInput), this.#signature)) {
      throw new JwsError('signature');
    }
  }
}

/**
 * Takes a compact JWS apart.
 *
 * @throws {JwsError}
 */
export function parseJws(text: string, limit = MAX_JWS): UnverifiedJws {
  if (text.length > limit || utf8(text).length > limit) {
    throw new JwsError('too_long');
  }
  const [last, first] = [text.lastIndexOf('.'), text.indexOf('.')];
  if (first < 0 || first === last) {
    throw new JwsError('form');
  }
  const header = objectPart(text.slice(0, first));
  const stated = objectPart(text.slice(first + 1, last));
  const signature = bytesPart(text.slice(last + 1));
  if (header.has('crit')) {
    throw new JwsError('critical');
  }
  const wrong = ['alg', 'typ', 'kid'].some((name) => header.has(name) && typeof header.get(name) !== 'string');
  if (wrong || !header.has('alg')) {
    throw new JwsError('form');
  }
  return new UnverifiedJws(header, stated, text.slice(0, last), signature);
}

function objectPart(text: string): JsonObject {
  const object = parseObject(bytesPart(text));
  if (object === undefined) {
    throw new JwsError('form');
  }
  return object;
}

function bytesPart(text: string): Uint8Array {
  try {
    return base64urlDecode(text);
  } catch {
    throw new JwsError('form');
  }
}

/** A public key as JSON (RFC 7517), without anything but the key. */
export interface Jwk {
  readonly kty: string;
  readonly crv: string;
  readonly x: string;
  readonly y?: string;
}

/** The bare key: type, curve, coordinates. */
export function jwkOf(key: PublicKey): Jwk {
  const { x, y } = key.coordinates();
  return y === undefined
    ? { crv: 'Ed25519', kty: 'OKP', x: base64urlEncode(x) }
    : { crv: 'P-256', kty: 'EC', x: base64urlEncode(x), y: base64urlEncode(y) };
}

/** The key that a JWK stands for; `undefined` if it is no public key of a type that is known here. */
export function jwkKey(value: Json | undefined): PublicKey | undefined {
  if (!(value instanceof JsonObject) || value.repeats) {
    return undefined;
  }
  // members that are nothing but text, if they are there
  const optional = ['y', 'kid', 'alg', 'use'].map((name) => value.get(name) ?? '');
  const [kty, crv, x] = [textMember(value, 'kty'), textMember(value, 'crv'), textMember(value, 'x')];
  if (x === undefined || optional.some((member) => typeof member !== 'string')) {
    return undefined;
  }
  try {
    const y = textMember(value, 'y');
    return keyOfParts(`${kty} ${crv}`, base64urlDecode(x), y === undefined ? undefined : base64urlDecode(y));
  } catch (error) {
    if (error instanceof Refusal) {
      return undefined;
    }
    throw error;
  }
}

function keyOfParts(type: string, x: Uint8Array, y: Uint8Array | undefined): PublicKey {
  if (type === 'OKP Ed25519' && y === undefined) {
    return PublicKey.fromBytes('EdDSA', x);
  }
  if (type !== 'EC P-256' || y?.length !== 32 || x.length !== 32) {
    throw new KeyError('multikey', 'the JWK is not a public key of a registered type');
  }
  const key = PublicKey.fromBytes('ES256', Uint8Array.of(2 + ((y[31] ?? 0) & 1), ...x));
  // the sign bit alone does not prove that `y` belongs to `x`
  if (key.coordinates().y?.every((byte, index) => byte === y[index]) !== true) {
    throw new KeyError('not_on_curve', 'the key is not a point on its curve');
  }
  return key;
}
