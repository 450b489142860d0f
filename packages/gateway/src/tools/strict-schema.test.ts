/** Who is held to an exported schema can say whatever the capability takes, in fields that it declares; and what it says arrives as that. */
import type { JsonObject, JsonValue } from '@warren/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isObject } from '../internal/is-object.ts';
import { plainSchema } from './plain-schema.ts';
import { strictSchema } from './strict-schema.ts';
import { withoutAbsent } from './tool-arguments.ts';

const SCALARS: readonly JsonObject[] = [
  ...[{ type: 'string' }, { type: 'integer' }, { type: ['string', 'null'] }, { enum: ['x', 'y'], type: 'string' }],
  ...[{ enum: ['x', null] }, { const: 7 }],
];
const ABSENT_IS_NULL = { type: ['integer', 'null'], default: null };

function objectOf(depth: number): fc.Arbitrary<JsonObject> {
  const below = depth === 0 ? fc.constantFrom(...SCALARS) : schemaOf(depth - 1);
  const branches = depth === 0 ? fc.constant([]) : fc.array(objectOf(depth - 1), { minLength: 1, maxLength: 2 });
  const properties = fc.record({ a: below, b: below, n: fc.constant(ABSENT_IS_NULL) }, { requiredKeys: [], noNullPrototype: true });
  const isClosed = fc.constantFrom(true, false);
  const demands = fc.constantFrom('all', 'a', 'none');
  const parts = fc.record({ properties, isClosed, demands, branches, more: fc.constantFrom('none', 'none', 'anyOf', 'oneOf', 'allOf') });
  return parts.map(({ properties: own, isClosed: closed, demands: what, branches: of, more }) => ({
    ...{ type: 'object', properties: own, required: Object.keys(own).filter((name) => what === 'all' || name === what) },
    ...(closed && { additionalProperties: false }),
    ...(of.length > 0 && more !== 'none' && { [more]: of }),
  }));
}

function schemaOf(depth: number): fc.Arbitrary<JsonObject> {
  const scalar = fc.constantFrom(...SCALARS);
  if (depth === 0) return scalar;
  const below = schemaOf(depth - 1);
  const several = fc.array(below, { minLength: 1, maxLength: 2 });
  return fc.oneof(
    scalar,
    objectOf(depth),
    below.map((items) => ({ type: 'array', items })),
    several.map((anyOf) => ({ anyOf })),
    fc.tuple(several, several).map(([anyOf, oneOf]) => ({ allOf: [{ anyOf }, { anyOf: oneOf }] })),
  );
}

/** Of a schema made here. `oneOf` is read as `anyOf`: what it refuses beyond that, no vendor's words refuse. */
function takes(schema: JsonObject, value: JsonValue): boolean {
  const { type, enum: values, const: only, required = [], additionalProperties, items, properties = {} } = schema;
  const list = (key: string): readonly JsonObject[] => (schema[key] ?? []) as readonly JsonObject[]; // As they are made.
  const fields = properties as Readonly<Record<string, JsonObject>>; // As above.
  if (type !== undefined && ![type].flat().some((each) => isOfType(value, String(each)))) return false;
  if (Array.isArray(values) && !values.includes(value as string)) return false;
  if (only !== undefined && value !== only) return false;
  if (!list('allOf').every((each) => takes(each, value))) return false;
  for (const key of ['anyOf', 'oneOf']) if (list(key).length > 0 && !list(key).some((each) => takes(each, value))) return false;
  if (Array.isArray(value)) return items === undefined || value.every((each) => takes(items as JsonObject, each));
  if (!isObject(value)) return true;
  if (!(required as readonly string[]).every((name) => Object.hasOwn(value, name))) return false;
  return Object.entries(value).every(([name, each]) => {
    const field = fields[name];
    return field === undefined ? additionalProperties !== false : takes(field, each as JsonValue);
  });
}

function isOfType(value: JsonValue, type: string): boolean {
  if (type === 'null') return value === null;
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return isObject(value);
  return type === 'integer' ? Number.isInteger(value) : typeof value === type;
}

/** What may be one, of the fields it declares: its own, those of one of its alternatives, and those of all its parts. */
function valueFor(schema: JsonObject): fc.Arbitrary<JsonValue> {
  const { type, enum: values, const: only, items, allOf, anyOf, oneOf } = schema;
  if (only !== undefined) return fc.constant(only);
  if (Array.isArray(values)) return fc.constantFrom(...values);
  const either = (anyOf ?? oneOf) as readonly JsonObject[] | undefined; // As made here.
  const all = allOf as readonly JsonObject[] | undefined; // As above.
  if (type === undefined) return fc.oneof(...(either ?? all ?? []).map(valueFor));
  if (Array.isArray(type)) return fc.oneof(...type.map((each) => valueFor({ type: each })));
  if (type === 'array') return fc.array(valueFor(items as JsonObject), { maxLength: 2 });
  if (type !== 'object') return fc.constantFrom<JsonValue>(...(type === 'string' ? ['x', 'y', ''] : type === 'integer' ? [7, 8] : [null]));
  const fields = (schema['properties'] ?? {}) as Readonly<Record<string, JsonObject>>; // As above.
  const own = fc.record(Object.fromEntries(Object.entries(fields).map(([name, each]) => [name, valueFor(each)])), {
    requiredKeys: [],
    noNullPrototype: true,
  });
  const others = either === undefined ? (all ?? []).map(valueFor) : [fc.oneof(...either.map(valueFor))];
  return fc.tuple(own, ...others).map((parts) => Object.assign({}, ...parts.toReversed()) as JsonObject); // Objects, as their schemas are.
}

/** As a model says it that is held to this. */
function said(strict: JsonObject, value: JsonValue): JsonValue {
  const { anyOf, items, properties } = strict;
  if (Array.isArray(anyOf)) {
    const ways = (anyOf as readonly JsonObject[]).map((each) => ({ each, way: said(each, value) }));
    return ways.find(({ each, way }) => takes(each, way))?.way ?? value;
  }
  if (Array.isArray(value)) return isObject(items) ? value.map((each) => said(items, each)) : value;
  if (!isObject(value) || !isObject(properties)) return value;
  const fields = Object.entries(properties).map(([name, each]) => [
    name,
    Object.hasOwn(value, name) ? said(each as JsonObject, value[name] as JsonValue) : null,
  ]);
  return { ...value, ...Object.fromEntries(fields) };
}

describe('strictSchema', () => {
  it('of what it exports, whatever the capability takes can be said', () => {
    let strictly = 0;
    const one = objectOf(3).chain((schema) => fc.tuple(fc.constant(schema), valueFor(schema)));
    fc.assert(
      fc.property(one, ([schema, value]) => {
        const strict = strictSchema(plainSchema(schema));
        if (strict === undefined || !takes(schema, value)) return;
        const given = said(strict, value) as JsonObject; // Of an object it is one.
        expect([takes(strict, given), takes(schema, withoutAbsent(schema, given))]).toEqual([true, true]);
        if (Object.keys(value as JsonObject).length > 0) strictly++;
      }),
      { numRuns: 5_000 },
    );
    expect(strictly).toBeGreaterThan(100);
  });

  it.each([
    [
      'an alternative with a field that may be absent, which nobody could take out again',
      { at: { anyOf: [{ type: 'string' }, { type: 'object', properties: { line: { type: 'integer' } } }] } },
    ],
    [
      'an object with fields and alternatives, of which those have fields too',
      {
        to: {
          ...{ type: 'object', properties: { kind: { type: 'string' } }, required: ['kind'] },
          anyOf: [{ properties: { mail: { type: 'string' } }, required: ['mail'] }],
        },
      },
    ],
    ['fields by a pattern', { of: { type: 'object', properties: { a: {} }, patternProperties: { '^x-': { type: 'string' } } } }],
  ])('%s is not strict', (_, properties) => {
    const required = Object.keys(properties);
    expect(strictSchema(plainSchema({ type: 'object', properties, required, additionalProperties: false } as JsonObject))).toBeUndefined();
  });

  it('a field of which alternatives at the top say different things is either', () => {
    const one = (type: string): JsonObject => ({ type: 'object', properties: { a: { type } }, required: ['a'] });
    expect(strictSchema(plainSchema({ type: 'object', oneOf: [one('string'), one('integer')] }))).toMatchObject({
      properties: { a: { anyOf: [{ type: 'string' }, { type: 'integer' }, { type: 'null' }] } },
    });
  });
});
