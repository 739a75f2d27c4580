// The sentences of the pages, from the same Fluent files that the pages use.
import { readFileSync } from 'node:fs';

import type { Language } from './support.js';

const LOCALES = new URL('../../locales/', import.meta.url);

/** The sentence of a key of a Fluent file; simple values are put in. */
export function words(language: Language, file = 'wallet'): (key: string, values?: Record<string, string>) => string {
  const text = readFileSync(new URL(`${language}/${file}.ftl`, LOCALES), 'utf8');
  const found = new Map([...text.matchAll(/^([a-z][\w-]*) = (.+)$/gm)].map(([, key = '', value = '']) => [key, value]));
  return (key, values = {}) => {
    const sentence = found.get(key);
    if (sentence === undefined) {
      throw new Error(`no sentence \`${key}\` in ${language}/${file}.ftl`);
    }
    // Fluent sets values apart from the text around them (Unicode TR 9)
    return sentence.replaceAll(/\{ \$(\w+) \}/g, (_, name: string) => `\u2068${values[name] ?? ''}\u2069`);
  };
}
