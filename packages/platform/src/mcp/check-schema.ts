/**
 * Whether a value satisfies a JSON Schema of a stranger. The schema is interpreted, never compiled to code, and both sides are hostile: every step counts against a budget, references
 * lead only to places of the same schema, and patterns are matched in linear time. What a schema says beyond what is known here is the server's to check.
 */
import type { JsonObject, JsonValue } from '@warren/protocol';
import { RE2JS } from 're2js';
import { isObject } from '../capability/compile-field.ts';
import { canonicalJson } from './canonical-json.ts';

export type SchemaProblem = { readonly field: string; readonly reason: string };

const STEPS_MAX = 200_000;
const DEPTH_MAX = 128;
const PROBLEMS_MAX = 20;
const PATTERN_LENGTH_MAX = 1_000;
const PATTERN_SIZE_MAX = 10_000;
/** Texts longer than this are not held to patterns here. */
const MATCHED_LENGTH_MAX = 65_536;

/** Nothing is wrong: an empty list. */
export function checkSchema(schema: JsonObject, value: JsonValue): readonly SchemaProblem[] {
  const check = new SchemaCheck(schema);
  try {
    return check.problems(schema, value, '', 0).slice(0, PROBLEMS_MAX);
  } catch (error) {
    if (error instanceof TooMuch) return [{ field: '', reason: 'cannot be checked: the schema of the tool asks for too much work' }];
    throw error;
  }
}

class TooMuch extends Error {}

type Problems = readonly SchemaProblem[];
const NONE: Problems = [];

class SchemaCheck {
  readonly #root: JsonObject;
  readonly #patterns = new Map<string, RE2JS | undefined>();
  #steps = 0;

  constructor(root: JsonObject) {
    this.#root = root;
  }

  problems(schema: JsonValue | undefined, value: JsonValue, at: string, depth: number): Problems {
    this.#count(depth);
    if (schema === false) return [{ field: at, reason: 'is not allowed' }];
    if (!isObject(schema)) return NONE; // True, or nothing that could be asked for.
    const own = [
      ...this.#reference(schema, value, at, depth),
      ...checkType(schema['type'], value, at),
      ...this.#values(schema, value, at),
      ...this.#combined(schema, value, at, depth),
    ];
    if (typeof value === 'number') return [...own, ...checkNumber(schema, value, at)];
    if (typeof value === 'string') return [...own, ...this.#text(schema, value, at)];
    if (Array.isArray(value)) return [...own, ...this.#list(schema, value, at, depth)];
    return isObject(value) ? [...own, ...this.#object(schema, value, at, depth)] : own;
  }

  #count(depth: number, steps = 1): void {
    this.#steps += steps;
    if (this.#steps > STEPS_MAX || depth > DEPTH_MAX) throw new TooMuch();
  }

  #reference({ $ref: ref }: JsonObject, value: JsonValue, at: string, depth: number): Problems {
    if (typeof ref !== 'string' || !ref.startsWith('#')) return NONE; // Elsewhere is never looked.
    let found: JsonValue | undefined = this.#root;
    for (const part of ref.split('/').slice(1)) {
      this.#count(depth);
      const name = decode(part);
      if (Array.isArray(found)) found = found[Number(name)];
      else found = isObject(found) && Object.hasOwn(found, name) ? found[name] : undefined;
    }
    return this.problems(found, value, at, depth + 1);
  }

  #values(schema: JsonObject, value: JsonValue, at: string): Problems {
    const isSame = (each: JsonValue): boolean => {
      this.#count(0, 1 + (typeof each === 'object' ? sizeOf(each) + sizeOf(value) : 0));
      return typeof each === 'object' ? canonicalJson(each) === canonicalJson(value) : each === value;
    };
    const { enum: allowed, const: only } = schema;
    if (Array.isArray(allowed) && !allowed.some(isSame)) return [{ field: at, reason: `is not one of ${shown(allowed)}` }];
    if (only !== undefined && !isSame(only)) return [{ field: at, reason: `is not ${shown(only)}` }];
    return NONE;
  }

  #combined(schema: JsonObject, value: JsonValue, at: string, depth: number): Problems {
    const passes = (each: JsonValue | undefined): boolean => this.problems(each, value, at, depth + 1).length === 0;
    const { allOf, anyOf, oneOf, not, if: condition } = schema;
    const found: SchemaProblem[] = [];
    if (Array.isArray(allOf)) for (const each of allOf) found.push(...this.problems(each, value, at, depth + 1));
    if (Array.isArray(anyOf) && !anyOf.some(passes)) found.push({ field: at, reason: 'satisfies none of the alternatives' });
    if (Array.isArray(oneOf)) {
      const count = oneOf.filter(passes).length;
      if (count !== 1) found.push({ field: at, reason: `satisfies ${count} of the alternatives, not one` });
    }
    if (not !== undefined && passes(not)) found.push({ field: at, reason: 'satisfies what it must not' });
    if (condition !== undefined) found.push(...this.problems(passes(condition) ? schema['then'] : schema['else'], value, at, depth + 1));
    return found;
  }

  #text(schema: JsonObject, value: string, at: string): Problems {
    const { minLength, maxLength, pattern } = schema;
    const found: SchemaProblem[] = [];
    const length = (): number => [...value].length;
    if (typeof minLength === 'number' && length() < minLength) found.push({ field: at, reason: `has fewer than ${minLength} characters` });
    if (typeof maxLength === 'number' && value.length > maxLength && length() > maxLength)
      found.push({ field: at, reason: `has more than ${maxLength} characters` });
    if (typeof pattern === 'string' && !this.#matches(pattern, value))
      found.push({ field: at, reason: `does not match ${shown(pattern)}` });
    return found;
  }

  #list(schema: JsonObject, value: readonly JsonValue[], at: string, depth: number): Problems {
    const { minItems, maxItems, prefixItems, items, uniqueItems, contains } = schema;
    const found: SchemaProblem[] = [];
    if (typeof minItems === 'number' && value.length < minItems) found.push({ field: at, reason: `has fewer than ${minItems} items` });
    if (typeof maxItems === 'number' && value.length > maxItems) found.push({ field: at, reason: `has more than ${maxItems} items` });
    const first = Array.isArray(prefixItems) ? prefixItems : Array.isArray(items) ? items : []; // The second is how it was said before 2020-12.
    const rest = Array.isArray(items) ? schema['additionalItems'] : items;
    for (const [index, each] of value.entries())
      found.push(...this.problems(index < first.length ? first[index] : rest, each, `${at}[${index}]`, depth + 1));
    if (uniqueItems === true) {
      this.#count(depth, sizeOf(value));
      if (new Set(value.map(canonicalJson)).size < value.length) found.push({ field: at, reason: 'has an item twice' });
    }
    if (contains !== undefined && !value.some((each) => this.problems(contains, each, at, depth + 1).length === 0))
      found.push({ field: at, reason: 'has no item of the kind it must have' });
    return found;
  }

  #object(schema: JsonObject, value: JsonObject, at: string, depth: number): Problems {
    const { required, minProperties, maxProperties, propertyNames, additionalProperties } = schema;
    const properties = isObject(schema['properties']) ? schema['properties'] : {};
    const patterns = isObject(schema['patternProperties']) ? Object.entries(schema['patternProperties']) : [];
    const entries = Object.entries(value);
    const found: SchemaProblem[] = [];
    if (Array.isArray(required))
      for (const name of required) {
        this.#count(depth);
        if (typeof name === 'string' && !Object.hasOwn(value, name)) found.push({ field: placed(at, name), reason: 'is missing' });
      }
    if (typeof minProperties === 'number' && entries.length < minProperties)
      found.push({ field: at, reason: `has fewer than ${minProperties} fields` });
    if (typeof maxProperties === 'number' && entries.length > maxProperties)
      found.push({ field: at, reason: `has more than ${maxProperties} fields` });
    for (const [name, each] of entries) {
      const place = placed(at, name);
      if (propertyNames !== undefined) found.push(...this.problems(propertyNames, name, place, depth + 1));
      const matching = patterns.filter(([pattern]) => this.#matches(pattern, name));
      for (const [, inner] of matching) found.push(...this.problems(inner, each, place, depth + 1));
      if (Object.hasOwn(properties, name)) found.push(...this.problems(properties[name], each, place, depth + 1));
      else if (matching.length === 0 && additionalProperties === false) found.push({ field: place, reason: 'is unknown' });
      else if (matching.length === 0) found.push(...this.problems(additionalProperties, each, place, depth + 1));
    }
    return found;
  }

  /** What no linear matcher takes lets everything pass: then only the server can say. */
  #matches(pattern: string, text: string): boolean {
    this.#count(0, 10 + (text.length >> 6));
    if (!this.#patterns.has(pattern)) this.#patterns.set(pattern, compile(pattern));
    if (text.length > MATCHED_LENGTH_MAX) return true;
    return this.#patterns.get(pattern)?.matcher(text).find() ?? true;
  }
}

function compile(pattern: string): RE2JS | undefined {
  if (pattern.length > PATTERN_LENGTH_MAX) return undefined;
  try {
    const compiled = RE2JS.compile(pattern);
    return compiled.programSize() > PATTERN_SIZE_MAX ? undefined : compiled;
  } catch {
    return undefined; // As one with a look-ahead.
  }
}

function checkType(type: JsonValue | undefined, value: JsonValue, at: string): Problems {
  const types = typeof type === 'string' ? [type] : Array.isArray(type) ? type.filter((each) => typeof each === 'string') : [];
  if (types.length === 0 || types.some((each) => isOfType(each, value))) return NONE;
  return [{ field: at, reason: `is ${kindOf(value)}, not ${types.join(' or ').slice(0, 100)}` }];
}

function isOfType(type: string, value: JsonValue): boolean {
  if (type === 'integer') return Number.isInteger(value);
  return type === kindOf(value);
}

function kindOf(value: JsonValue): string {
  return value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
}

function checkNumber(
  { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf }: JsonObject,
  value: number,
  at: string,
): Problems {
  const found: SchemaProblem[] = [];
  if (typeof minimum === 'number' && value < minimum) found.push({ field: at, reason: `is less than ${minimum}` });
  if (typeof maximum === 'number' && value > maximum) found.push({ field: at, reason: `is more than ${maximum}` });
  if (typeof exclusiveMinimum === 'number' && value <= exclusiveMinimum)
    found.push({ field: at, reason: `is not more than ${exclusiveMinimum}` });
  if (typeof exclusiveMaximum === 'number' && value >= exclusiveMaximum)
    found.push({ field: at, reason: `is not less than ${exclusiveMaximum}` });
  if (typeof multipleOf === 'number' && multipleOf > 0 && Math.abs(value / multipleOf - Math.round(value / multipleOf)) > 1e-9)
    found.push({ field: at, reason: `is no multiple of ${multipleOf}` });
  return found;
}

function sizeOf(value: JsonValue): number {
  if (Array.isArray(value)) return value.reduce((sum: number, each: JsonValue) => sum + sizeOf(each), 1);
  return isObject(value) ? sizeOf(Object.values(value)) : 1;
}

/** Of a JSON pointer in a fragment. */
function decode(part: string): string {
  try {
    return decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
  } catch {
    return part; // Then there is no such place, or it is named like this.
  }
}

function placed(at: string, name: string): string {
  const short = name.length > 64 ? `${name.slice(0, 64)}…` : name;
  return at === '' ? short : `${at}.${short}`;
}

function shown(value: JsonValue): string {
  const text = JSON.stringify(value);
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
