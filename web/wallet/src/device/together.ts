// What two sites could learn by comparing what this wallet really showed them. Computed here, told to nobody.
import type { Site } from './state.js';

/** How two sites, or a site and an issuer, could find out that it is one person. */
export interface Together {
  /** Claims that both have: equal values point to one person. */
  readonly shared: readonly string[];
  /** Whether what both have names a person, or nearly. */
  readonly recognisable: boolean;
  /** Types of credentials that both were shown: their issuer could tell both who it was. */
  readonly issuerTypes: readonly string[];
}

/** Claims that are the same for one person everywhere, and for few others. */
const NAMING = ['name', 'given_name', 'family_name', 'birthdate', 'document_number', 'number', 'licence_number', 'portrait'];

/** Compares what two sites have been shown. */
export function together(left: Site, right: Site): Together {
  const shared = left.knows.filter((claim) => right.knows.includes(claim));
  const names = shared.map((claim) => claim.split(' ')[1] ?? '');
  const types = (site: Site) => new Set(site.knows.map((claim) => claim.split(' ')[0] ?? ''));
  const issuerTypes = [...types(left)].filter((type) => types(right).has(type));
  return { shared, recognisable: names.some((name) => NAMING.includes(name)), issuerTypes };
}
