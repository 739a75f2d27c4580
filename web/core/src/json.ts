/**
 * JSON as the Rust code reads it (serde_json, and `crates/jose/src/json.rs`): numbers keep whether they
 * were written as integers, names that occur twice are noticed, nesting is limited, and text that is
 * not UTF-8 or has lone surrogates is refused. `JSON.parse` does none of that, and two readers of a
 * signed text must see the same values.
 */

import { fromUtf8 } from './bytes.js';

/** Deepest nesting of arrays and objects that is read. */
const MAX_NESTING = 127;

/** A number that was written with a fraction or exponent, or does not fit an integer of 64 bits. */
export class JsonFloat {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

/** An object's members. */
export class JsonObject extends Map<string, Json> {
  /** Whether a name occurred twice; the last value counts then. */
  repeats = false;
}

/** A JSON value. Integers are `number` where that is exact, else `bigint`. */
export type Json = null | boolean | string | number | bigint | JsonFloat | Json[] | JsonObject;

/** Parses JSON; `undefined` if it is none. */
export function parseJson(bytes: Uint8Array): Json | undefined {
  const text = fromUtf8(bytes);
  if (text === undefined) {
    return undefined;
  }
  try {
    const parser = new Parser(text);
    const value = parser.value(0);
    parser.end();
    return value;
  } catch (error) {
    if (error instanceof Malformed) {
      return undefined;
    }
    throw error;
  }
}

/** Parses a JSON object without duplicate names at any depth; `undefined` if it is none. */
export function parseObject(bytes: Uint8Array): JsonObject | undefined {
  const value = parseStrict(bytes);
  return value instanceof JsonObject ? value : undefined;
}

/** Parses JSON without duplicate names at any depth; `undefined` if it is none. */
export function parseStrict(bytes: Uint8Array): Json | undefined {
  const value = parseJson(bytes);
  return value === undefined || repeats(value) ? undefined : value;
}

function repeats(value: Json): boolean {
  if (value instanceof JsonObject) {
    return value.repeats || [...value.values()].some(repeats);
  }
  return Array.isArray(value) && value.some(repeats);
}

/** The member, if it is a text. */
export function textMember(object: JsonObject, name: string): string | undefined {
  const value = object.get(name);
  return typeof value === 'string' ? value : undefined;
}

/** An integer from 0 up to `2^64 - 1`, if the value is one and was written as one. */
export function asU64(value: Json | undefined): bigint | undefined {
  const integer = typeof value === 'number' || typeof value === 'bigint' ? BigInt(value) : undefined;
  return integer !== undefined && integer >= 0n ? integer : undefined;
}

/** A value as JavaScript has it, for showing and comparing; even a member `__proto__` is one like any other. */
export function toPlain(value: Json): unknown {
  if (value instanceof JsonFloat) {
    return value.value;
  }
  if (Array.isArray(value)) {
    return value.map(toPlain);
  }
  if (value instanceof JsonObject) {
    return Object.fromEntries([...value].map(([name, member]) => [name, toPlain(member)]));
  }
  return value;
}

/** Whether a parsed value is the same as a plain one: texts, arrays and objects. */
export function equalsPlain(value: Json, plain: unknown): boolean {
  if (value instanceof JsonObject) {
    const members = typeof plain === 'object' && plain !== null && !Array.isArray(plain) ? Object.entries(plain) : undefined;
    return (
      members?.length === value.size &&
      members.every(([name, member]) => equalsPlain(value.get(name) ?? null, member))
    );
  }
  if (Array.isArray(value)) {
    return (
      Array.isArray(plain) &&
      plain.length === value.length &&
      value.every((item, index) => equalsPlain(item, plain[index]))
    );
  }
  return value === plain;
}

/**
 * Compact JSON with members in the order of their names (as bytes), as serde_json writes a map. Takes
 * plain values: what `JSON.stringify` takes, and bigints.
 */
export function sortedJson(value: unknown): string {
  if (typeof value === 'bigint') {
    return value.toString();
  }
  if (Array.isArray(value)) {
    return `[${value.map(sortedJson).join(',')}]`;
  }
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    members.sort(([left], [right]) => compareCodePoints(left, right));
    return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${sortedJson(member)}`).join(',')}}`;
  }
  return JSON.stringify(value);
}

/** The order of texts by their UTF-8 bytes, which is that of their code points. */
export function compareCodePoints(left: string, right: string): number {
  const [a, b] = [[...left], [...right]];
  for (let index = 0; index < Math.min(a.length, b.length); index++) {
    const difference = (a[index]?.codePointAt(0) ?? 0) - (b[index]?.codePointAt(0) ?? 0);
    if (difference !== 0) {
      return difference;
    }
  }
  return a.length - b.length;
}

class Malformed extends Error {}

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
// everything but quotation mark, backslash and control characters, or an escape
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const SPACE = /[ \t\n\r]*/y;

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(nesting: number): Json {
    this.#take(SPACE);
    const first = this.#text[this.#at];
    if ((first === '{' || first === '[') && nesting >= MAX_NESTING) {
      throw new Malformed();
    }
    const value = this.#any(first, nesting);
    this.#take(SPACE);
    return value;
  }

  end(): void {
    if (this.#at !== this.#text.length) {
      throw new Malformed();
    }
  }

  #any(first: string | undefined, nesting: number): Json {
    switch (first) {
      case '{':
        return this.#object(nesting + 1);
      case '[':
        return this.#array(nesting + 1);
      case '"':
        return this.#string();
      case 't':
        return this.#word('true', true);
      case 'f':
        return this.#word('false', false);
      case 'n':
        return this.#word('null', null);
      default:
        return this.#number();
    }
  }

  #object(nesting: number): JsonObject {
    const object = new JsonObject();
    this.#list('}', () => {
      this.#take(SPACE);
      const name = this.#string();
      this.#take(SPACE);
      this.#literal(':');
      object.repeats ||= object.has(name);
      object.set(name, this.value(nesting));
    });
    return object;
  }

  #array(nesting: number): Json[] {
    const array: Json[] = [];
    this.#list(']', () => array.push(this.value(nesting)));
    return array;
  }

  /** What stands between brackets, separated by commas. */
  #list(close: string, item: () => void): void {
    this.#at += 1;
    this.#take(SPACE);
    if (this.#text[this.#at] === close) {
      this.#at += 1;
      return;
    }
    for (;;) {
      item();
      this.#take(SPACE);
      if (this.#text[this.#at] === close) {
        this.#at += 1;
        return;
      }
      this.#literal(',');
    }
  }

  #string(): string {
    const value = JSON.parse(this.#take(STRING) || '0') as unknown;
    if (typeof value !== 'string' || /\p{Surrogate}/u.test(value)) {
      throw new Malformed();
    }
    return value;
  }

  #number(): Json {
    const text = this.#take(NUMBER);
    const value = Number(text || 'none');
    if (!Number.isFinite(value)) {
      throw new Malformed();
    }
    if (/[.eE]/.test(text) || text === '-0') {
      return new JsonFloat(value);
    }
    if (Number.isSafeInteger(value)) {
      return value;
    }
    const integer = BigInt(text);
    return integer >= -(2n ** 63n) && integer < 2n ** 64n ? integer : new JsonFloat(value);
  }

  #word<T extends Json>(word: string, value: T): T {
    this.#literal(word);
    return value;
  }

  #literal(literal: string): void {
    if (!this.#text.startsWith(literal, this.#at)) {
      throw new Malformed();
    }
    this.#at += literal.length;
  }

  /** Takes what a sticky pattern finds here; nothing if it finds nothing. */
  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? '';
    this.#at += found.length;
    return found;
  }
}
