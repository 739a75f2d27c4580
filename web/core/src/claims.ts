/**
 * A credential's claims as a tree that remembers which of them are selectively disclosable, and by which
 * disclosure. Twin of `crates/credential/src/{claims,path}.rs`.
 */

import { JsonObject } from './json.js';
import type { Json } from './json.js';

/** A path from the top of a credential's claims: names, places in an array, `null` for all elements. */
export type ClaimPath = readonly (string | number | null)[];

/** What a claim holds. A hidden array element takes a place in the array as issued. */
export type Content =
  | { readonly kind: 'object'; readonly members: ReadonlyMap<string, Claim> }
  | { readonly kind: 'array'; readonly elements: readonly Claim[] }
  | { readonly kind: 'leaf'; readonly value: Json }
  | { readonly kind: 'hidden' };

/** A claim, or an element of an array, in the processed payload. */
export interface Claim {
  /** Whether it stands as a disclosure of its own in the credential as issued. */
  readonly disclosable: boolean;
  /** The disclosure it came by, as its place in the SD-JWT. */
  readonly disclosure?: number | undefined;
  readonly content: Content;
}

/** The processed value; nothing for a hidden one. */
export function valueOf({ content }: Claim): Json | undefined {
  switch (content.kind) {
    case 'object':
      return objectOf(content.members);
    case 'array':
      return content.elements.map(valueOf).filter((value) => value !== undefined);
    case 'leaf':
      return content.value;
    case 'hidden':
      return undefined;
  }
}

/** The processed payload of an object's members. */
export function objectOf(members: ReadonlyMap<string, Claim>): JsonObject {
  const object = new JsonObject();
  members.forEach((claim, name) => {
    const value = valueOf(claim);
    if (value !== undefined) {
      object.set(name, value);
    }
  });
  return object;
}

/** Whether this or anything beneath is selectively disclosable. */
export function hasDisclosable(claim: Claim): boolean {
  return claim.disclosable || beneath(claim).some(hasDisclosable);
}

/** Adds the disclosures of this and everything beneath. */
export function collectDisclosures(claim: Claim, into: Set<number>): void {
  if (claim.disclosure !== undefined) {
    into.add(claim.disclosure);
  }
  beneath(claim).forEach((child) => collectDisclosures(child, into));
}

/**
 * The claims that a path leads to, each as the chain of claims that lead to it, itself last; none, if
 * there is none or a step meets something that has no such steps. Places count what is disclosed.
 */
export function selectClaims(root: ReadonlyMap<string, Claim>, path: ClaimPath): readonly (readonly Claim[])[] {
  let selected: readonly (readonly Claim[])[] = [
    [{ disclosable: false, content: { kind: 'object', members: root } }],
  ];
  for (const step of path) {
    const next: (readonly Claim[])[] = [];
    for (const chain of selected) {
      const found = stepFrom(chain.at(-1), step);
      if (found === undefined) {
        return [];
      }
      found.forEach((claim) => next.push([...chain, claim]));
    }
    selected = next;
  }
  return selected;
}

/** Where one step leads; nothing if there are no such steps. */
function stepFrom(claim: Claim | undefined, step: ClaimPath[number]): readonly Claim[] | undefined {
  if (claim?.content.kind === 'object' && typeof step === 'string') {
    const member = claim.content.members.get(step);
    return member === undefined ? [] : [member];
  }
  if (claim?.content.kind === 'array' && typeof step !== 'string') {
    const shown = claim.content.elements.filter(({ content }) => content.kind !== 'hidden');
    return step === null ? shown : shown.slice(step, step + 1);
  }
  return undefined;
}

function beneath({ content }: Claim): readonly Claim[] {
  switch (content.kind) {
    case 'object':
      return [...content.members.values()];
    case 'array':
      return content.elements;
    default:
      return [];
  }
}
