/** Values that a schema of the document allows, and values that are nearly so. */
import fc from 'fast-check';
import { HOSTILE_TEXTS, HOSTILE_VALUES } from './hostile.ts';
import { Fields, type Json, Known, Raw } from './json-text.ts';
import type { OpenApi, Schema } from './open-api.ts';

/** Deeper than any schema has to be to be met. */
const DEPTH_MAX = 6;
/** Fields that say how long to wait: what is tried in many ways is not waited for. */
const WAIT = /(?:^|_)(?:wait|timeout|drain|deadline)_ms$/;
const WAIT_MS_MAX = 20;
const CHARACTERS_MAX = 40;
const ITEMS_MAX = 3;

export class Values {
  readonly #openApi: OpenApi;

  constructor(openApi: OpenApi) {
    this.#openApi = openApi;
  }

  /** `name`: of the field; something of that name may be known. */
  valid(schema: Schema, name: string, depth = 0): fc.Arbitrary<Json> {
    const own = this.#openApi.follow(schema);
    const value = this.#ofSchema(own, name, depth);
    const isWord = own.properties === undefined && own.enum === undefined;
    return isWord && depth < 3
      ? fc.oneof(
          { weight: 2, arbitrary: value },
          { weight: 3, arbitrary: fc.tuple(fc.nat(), value).map(([pick, otherwise]) => new Known(name, pick, otherwise)) },
        )
      : value;
  }

  /** Allowed, or spoiled in one place. */
  almostValid(schema: Schema, name: string): fc.Arbitrary<Json> {
    const hostile = fc.constantFrom(...HOSTILE_VALUES);
    return fc
      .tuple(this.valid(schema, name), fc.nat(), hostile, fc.constantFrom(...HOSTILE_TEXTS), fc.nat(4))
      .map(([value, at, bad, key, how]) => {
        if (!(value instanceof Fields)) return bad;
        return new Fields(spoil(value.entries, { at: value.entries.length === 0 ? 0 : at % value.entries.length, bad, key, how }));
      });
  }

  #ofSchema(schema: Schema, name: string, depth: number): fc.Arbitrary<Json> {
    const { enum: words, anyOf, oneOf, type } = schema;
    if ('const' in schema) return fc.constant(asJson(schema['const']));
    if (words !== undefined) return fc.constantFrom(...words.map(asJson));
    const several = anyOf ?? oneOf;
    if (several !== undefined) return fc.oneof(...several.map((each) => this.valid(each, name, depth + 1)));
    if (Array.isArray(type)) return fc.oneof(...type.map((each: string) => this.#ofType(each, schema, name, depth)));
    return this.#ofType(String(type), schema, name, depth);
  }

  #ofType(type: string, schema: Schema, name: string, depth: number): fc.Arbitrary<Json> {
    switch (type) {
      case 'null':
        return fc.constant(null);
      case 'boolean':
        return fc.boolean();
      case 'integer':
      case 'number':
        return numbers(schema, name, type === 'integer');
      case 'string':
        return texts(schema);
      case 'array':
        return depth >= DEPTH_MAX ? fc.constant([]) : this.#list(schema, name, depth);
      case 'object':
        return depth >= DEPTH_MAX ? fc.constant(new Fields([])) : this.#object(schema, depth);
      default:
        return fc.constantFrom<Json>(null, true, 0, 'x', []);
    }
  }

  #list({ items = {}, maxItems = ITEMS_MAX }: Schema, name: string, depth: number): fc.Arbitrary<Json> {
    return fc.array(this.valid(items, name.replace(/s$/, ''), depth + 1), { maxLength: Math.min(ITEMS_MAX, maxItems) });
  }

  #object({ properties, required = [], additionalProperties }: Schema, depth: number): fc.Arbitrary<Json> {
    if (properties === undefined) return this.#table(additionalProperties, depth);
    const fields = Object.entries(properties).map(([key, schema]) => {
      const field = this.valid(schema, key, depth + 1).map((value) => [[key, value] as const]);
      return required.includes(key) ? field : fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: field });
    });
    return fc.tuple(...fields).map((each) => new Fields(each.flat()));
  }

  /** Of any keys. */
  #table(additional: Schema | boolean | undefined, depth: number): fc.Arbitrary<Json> {
    const value: fc.Arbitrary<Json> =
      typeof additional === 'object'
        ? this.valid(additional, 'value', depth + 1)
        : fc.oneof(fc.integer(), fc.constantFrom<Json>(...HOSTILE_VALUES));
    const key = fc.oneof(fc.constantFrom('a', 'tokens', 'cost_usd', 'calls'), fc.constantFrom(...HOSTILE_TEXTS));
    return fc.array(fc.tuple(key, value), { maxLength: ITEMS_MAX }).map((entries) => new Fields(entries));
  }
}

type Spoiling = { readonly at: number; readonly bad: Json; readonly key: string; readonly how: number };

function spoil(entries: Fields['entries'], { at, bad, key, how }: Spoiling): Fields['entries'] {
  const chosen = entries[at];
  if (chosen === undefined || how === 0) return [...entries, [key, bad]];
  if (how === 1) return entries.toSpliced(at, 1);
  if (how === 2) return [...entries, [chosen[0], bad]]; // Twice.
  return entries.toSpliced(at, 1, [chosen[0], bad]);
}

function numbers({ minimum = -(2 ** 53), maximum = 2 ** 53 }: Schema, name: string, isInteger: boolean): fc.Arbitrary<Json> {
  const [min, max] = [Math.ceil(minimum), WAIT.test(name) ? Math.min(WAIT_MS_MAX, maximum) : Math.floor(maximum)];
  const integers = fc.integer({ min: Math.max(min, Number.MIN_SAFE_INTEGER), max: Math.min(max, Number.MAX_SAFE_INTEGER) });
  const small = fc.integer({ min: Math.max(min, 0), max: Math.min(max, Math.max(min, 0) + 9) });
  return isInteger ? fc.oneof(small, integers) : fc.oneof(small, integers, fc.double({ min, max, noNaN: true }));
}

function texts({ pattern, maxLength = Number.POSITIVE_INFINITY, ...schema }: Schema): fc.Arbitrary<Json> {
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern)).map((text) => text.slice(0, maxLength));
  if (schema['contentEncoding'] === 'base64') return fc.base64String({ maxLength: Math.min(CHARACTERS_MAX, maxLength) });
  const odd = HOSTILE_TEXTS.filter((text) => text.length <= maxLength);
  const length = { maxLength: Math.min(CHARACTERS_MAX, maxLength) };
  return fc.oneof(
    { weight: 3, arbitrary: fc.stringMatching(/^[a-z][a-z0-9_.-]{0,12}$/) },
    { weight: 1, arbitrary: fc.string({ ...length, unit: 'grapheme' }) },
    { weight: 1, arbitrary: fc.string({ ...length, unit: 'binary' }) },
    { weight: 2, arbitrary: fc.constantFrom(...odd) },
  );
}

/** What stands in a document is JSON. */
function asJson(value: unknown): Json {
  return new Raw(JSON.stringify(value));
}
