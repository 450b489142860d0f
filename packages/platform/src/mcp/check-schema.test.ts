import type { JsonObject, JsonValue } from '@warren/protocol';
import { describe, expect, it } from 'vitest';
import { checkSchema } from './check-schema.ts';

const reasons = (schema: JsonObject, value: JsonValue): readonly string[] =>
  checkSchema(schema, value).map(({ field, reason }) => `${field} ${reason}`.trim());

describe('checkSchema', () => {
  it.each<[string, JsonObject, JsonValue]>([
    ['an object', { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] }, { a: 'x', b: 1 }],
    ['alternatives', { anyOf: [{ type: 'string' }, { type: 'null' }] }, null],
    ['one of two', { oneOf: [{ minimum: 5 }, { maximum: 3 }] }, 2],
    ['a condition', JSON.parse('{"if":{"required":["a"]},"then":{"required":["b"]}}'), { c: 1 }],
    ['a tuple', { prefixItems: [{ type: 'string' }], items: { type: 'integer' } }, ['x', 1, 2]],
    ['a reference', { $ref: '#/$defs/a~1b', $defs: { 'a/b': { type: 'integer' } } }, 3],
    ['a tree', { $defs: { t: { properties: { next: { $ref: '#/$defs/t' } } } }, $ref: '#/$defs/t' }, { next: { next: {} } }],
    ['a reference elsewhere, which is never looked at', { $ref: 'http://127.0.0.1/x.json' }, 1],
    ['a pattern nobody can match in linear time', { pattern: '(?=a)b' }, 'x'],
    ['a const that is an object', { const: { a: 1, b: 2 } }, { b: 2, a: 1 }],
    ['words of no schema', { type: 5, required: 'a', properties: [], enum: {}, items: 3, pattern: [] }, { a: 1 }],
    ['a decimal', { multipleOf: 0.1 }, 0.3],
  ])('lets pass %s', (_, schema, value) => {
    expect(checkSchema(schema, value)).toEqual([]);
  });

  it.each<[JsonObject, JsonValue, string]>([
    [{ type: 'object' }, [], 'is array, not object'],
    [{ properties: { a: { properties: { b: { type: 'integer' } } } } }, { a: { b: 1.5 } }, 'a.b is number, not integer'],
    [{ required: ['a'] }, {}, 'a is missing'],
    [{ properties: { a: true }, additionalProperties: false }, { toString: 1 }, 'toString is unknown'],
    [{ patternProperties: { '^x-': { type: 'string' } } }, { 'x-a': 1 }, 'x-a is number, not string'],
    [{ enum: ['a', 'b'] }, 'c', 'is not one of ["a","b"]'],
    [{ items: { type: 'string' } }, ['a', 1], '[1] is number, not string'],
    [{ uniqueItems: true }, [{ a: 1 }, { a: 1 }], 'has an item twice'],
    [{ contains: { const: 1 } }, [2], 'has no item of the kind it must have'],
    [{ minLength: 2 }, '😀', 'has fewer than 2 characters'],
    [{ pattern: '^a+$' }, 'ab', 'does not match "^a+$"'],
    [{ not: { type: 'string' } }, 'x', 'satisfies what it must not'],
    [{ oneOf: [{}, {}] }, 1, 'satisfies 2 of the alternatives, not one'],
    [{ exclusiveMinimum: 1 }, 1, 'is not more than 1'],
    [{ propertyNames: { maxLength: 1 } }, { ab: 1 }, 'ab has more than 1 characters'],
  ])('refuses by %j', (schema, value, reason) => {
    expect(reasons(schema, value)).toEqual([reason]);
  });

  it('gives up on a schema that refers to itself, or to itself twice at each step', () => {
    const stopped = ['cannot be checked: the schema of the tool asks for too much work'];
    expect(reasons({ $ref: '#' }, 1)).toEqual(stopped);
    const levels = Array.from({ length: 40 }, (_, index) => [
      `a${index}`,
      { allOf: [{ $ref: `#/$defs/a${index + 1}` }, { $ref: `#/$defs/a${index + 1}` }] },
    ]);
    expect(reasons({ $ref: '#/$defs/a0', $defs: Object.fromEntries(levels) }, 1)).toEqual(stopped);
    const large = Array.from({ length: 2_000 }, (_, index) => ({ index }));
    expect(reasons({ items: { enum: large } }, large)).toEqual(stopped);
  });

  it('matches a pattern in linear time', () => {
    expect(reasons({ pattern: '^(a+)+$' }, `${'a'.repeat(50_000)}b`)).toEqual(['does not match "^(a+)+$"']);
  });
});
