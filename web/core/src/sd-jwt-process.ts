/**
 * From digests and disclosures to claims: RFC 9901 §7.1, steps 3 to 5. Twin of
 * `crates/credential/src/sd_jwt/process.rs`.
 */

import type { Claim, Content } from './claims.js';
import { JsonObject, compareCodePoints } from './json.js';
import type { Json } from './json.js';
import { SdJwtError } from './sd-jwt-error.js';
import type { RawDisclosure, SdJwt } from './sd-jwt.js';

/** Deepest nesting of claims, disclosed ones within disclosed ones included. The top is level 0. */
export const MAX_DEPTH = 32;
/** The name of an object's digests. */
const DIGESTS = '_sd';
/** The name of an array element's digest. */
const DOTS = '...';
/** The name of the hash function, at the top level. */
const HASH = '_sd_alg';

/**
 * The processed payload, as a tree.
 *
 * @throws {SdJwtError}
 */
export function processClaims({ jwt, disclosures, digest }: SdJwt): ReadonlyMap<string, Claim> {
  const byDigest = new Map(disclosures.map((disclosure, index) => [digest(disclosure.encoded), index]));
  if (byDigest.size < disclosures.length) {
    throw new SdJwtError('credential_disclosure_twice');
  }
  const processor = new Processor(disclosures, byDigest);
  const root = processor.members(jwt.stated, 0);
  root.delete(HASH);
  if (![...byDigest.keys()].every((named) => processor.seen.has(named))) {
    throw new SdJwtError('credential_unreferenced_disclosure');
  }
  return root;
}

class Processor {
  /** Digests met so far, of disclosures and decoys. */
  readonly seen = new Set<string>();
  readonly #disclosures: readonly RawDisclosure[];
  readonly #byDigest: ReadonlyMap<string, number>;

  constructor(disclosures: readonly RawDisclosure[], byDigest: ReadonlyMap<string, number>) {
    this.#disclosures = disclosures;
    this.#byDigest = byDigest;
  }

  members(object: JsonObject, depth: number): Map<string, Claim> {
    const members = new Map<string, Claim>();
    // in the order of the names, as the Rust code goes: so both find the same fault first
    for (const [name, value] of [...object].sort(([left], [right]) => compareCodePoints(left, right))) {
      if (name === DIGESTS) {
        continue;
      }
      if (name === DOTS) {
        throw new SdJwtError('credential_three_dots');
      }
      checkHashName(name, depth === 0);
      members.set(name, { disclosable: false, content: this.#content(value, depth + 1) });
    }
    for (const digest of digestsOf(object)) {
      const index = this.#find(digest);
      if (index !== undefined) {
        this.#member(index, members, depth);
      }
    }
    return members;
  }

  #content(value: Json, depth: number): Content {
    if (depth > MAX_DEPTH) {
      throw new SdJwtError('credential_too_deep');
    }
    if (value instanceof JsonObject) {
      return { kind: 'object', members: this.members(value, depth) };
    }
    if (Array.isArray(value)) {
      return { kind: 'array', elements: value.map((element) => this.#element(element, depth)) };
    }
    return { kind: 'leaf', value };
  }

  /** The disclosure of this place among those sent, if it is among them; a digest is met once. */
  #find(digest: string): number | undefined {
    if (this.seen.has(digest)) {
      throw new SdJwtError('credential_digest_twice');
    }
    this.seen.add(digest);
    return this.#byDigest.get(digest);
  }

  /** A member of an object, from its disclosure. */
  #member(index: number, members: Map<string, Claim>, depth: number): void {
    const [salt, name, value, more] = this.#disclosures[index]?.elements ?? [];
    if (typeof salt !== 'string' || typeof name !== 'string' || value === undefined || more !== undefined) {
      throw new SdJwtError('credential_member_disclosure');
    }
    if (name === DIGESTS || name === DOTS) {
      throw new SdJwtError('credential_reserved_name');
    }
    checkHashName(name, false);
    if (members.has(name)) {
      throw new SdJwtError('credential_name_twice');
    }
    members.set(name, { disclosable: true, disclosure: index, content: this.#content(value, depth + 1) });
  }

  /** An array's element: as it stands, or behind a digest, from its disclosure or hidden. */
  #element(element: Json, depth: number): Claim {
    const digest = elementDigest(element);
    if (digest === undefined) {
      return { disclosable: false, content: this.#content(element, depth + 1) };
    }
    const index = this.#find(digest);
    if (index === undefined) {
      return { disclosable: true, content: { kind: 'hidden' } };
    }
    const [salt, value, more] = this.#disclosures[index]?.elements ?? [];
    if (typeof salt !== 'string' || value === undefined || more !== undefined) {
      throw new SdJwtError('credential_element_disclosure');
    }
    return { disclosable: true, disclosure: index, content: this.#content(value, depth + 1) };
  }
}

/** The hash function's name is one for the top of the issuer's own part. */
function checkHashName(name: string, atTop: boolean): void {
  if (!atTop && name === HASH) {
    throw new SdJwtError('credential_hash_name');
  }
}

/** The digests of an object's hidden members. */
function digestsOf(object: JsonObject): readonly string[] {
  const digests = object.has(DIGESTS) ? object.get(DIGESTS) : [];
  if (!Array.isArray(digests)) {
    throw new SdJwtError('credential_digest_form');
  }
  const texts = digests.filter((digest) => typeof digest === 'string');
  if (texts.length !== digests.length) {
    throw new SdJwtError('credential_digest_form');
  }
  return texts;
}

/** The digest that stands for an array's element: the text under the one name `...`. */
function elementDigest(value: Json): string | undefined {
  const digest = value instanceof JsonObject && value.size === 1 ? value.get(DOTS) : undefined;
  return typeof digest === 'string' ? digest : undefined;
}
