/** Every capability there is, and what strangers may call a schema, in the shapes that vendors take. */
import { shippedDefinitions } from '@warren/platform';
import type { JsonObject } from '@warren/protocol';
import { toolFormat } from '@warren/protocol/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exportTools } from './export-tools.ts';
import { plainSchema } from './plain-schema.ts';
import { strictSchema } from './strict-schema.ts';
import { VENDOR_SHAPES } from './test-support/vendor-shapes.ts';
import { withoutAbsent } from './tool-arguments.ts';
import { TOOL_FORMATS, type Tool } from './tool-formats.ts';
import { toolOf } from './tool-of.ts';

function toolWith(inputSchema: JsonObject): Tool {
  return { name: 'mcp__notes__add', description: 'Adds', inputSchema };
}

describe.each(toolFormat.options)('%s', (format) => {
  it('takes every capability that Warren has', async () => {
    const { definitions } = await shippedDefinitions();
    const offered = [...definitions.values()].map((each) => ({ capability: each.name, tool: toolOf(each, 'notify') }));
    const { tools, names, leftOut } = exportTools(format, offered);
    VENDOR_SHAPES[format].parse(tools);
    expect(leftOut).toEqual([]);
    expect(names.length).toBe(definitions.size);
  });

  it('takes whatever a stranger says is the schema of a tool, or it is left out', () => {
    fc.assert(
      fc.property(anySchema, (schema) => {
        const { tools, leftOut } = exportTools(format, [{ capability: 'mcp.notes.add', tool: toolWith({ ...schema, type: 'object' }) }]);
        VENDOR_SHAPES[format].parse(tools);
        expect(tools.length + leftOut.length).toBe(1);
      }),
      { numRuns: 300 },
    );
  });

  it('has no more functions than a request takes, and says which it leaves out', () => {
    const many = Array.from({ length: 200 }, (_, at) => ({ capability: `demo.t${at}`, tool: toolWith({ type: 'object' }) }));
    const { tools, names, leftOut } = exportTools(format, many);
    VENDOR_SHAPES[format].parse(tools);
    expect(names.length).toBe(Math.min(200, TOOL_FORMATS[format].functionsMax));
    expect(names.length + leftOut.length).toBe(200);
  });
});

const key = fc.constantFrom('a', 'b', 'with space', '__proto__', 'constructor', 'x'.repeat(65));
const leaf = fc.record(
  {
    type: fc.constantFrom('string', 'integer', 'object', 'array', 'null', 'nonsense', ['object', 'null'], ['array', 'string'], 7),
    required: fc.array(key, { maxLength: 2 }),
    enum: fc.array(fc.constantFrom('', 'x', 1, null, { deep: 1 }), { maxLength: 3 }),
    const: fc.constantFrom('x', 1, null, {}),
    $ref: fc.constantFrom('#', '#/properties/a', '#/nowhere', 'https://elsewhere.example/x', '#/$defs/a'),
    patternProperties: fc.constant({ '^x': {} }),
    pattern: fc.constant('(?<=x)y'),
    minimum: fc.constantFrom(1, -0.5),
    default: fc.constantFrom(null, 1, 'x'),
    description: fc.constantFrom('words', ''),
  },
  { requiredKeys: [], noNullPrototype: true },
);

function schemaOf(depth: number): fc.Arbitrary<object> {
  if (depth === 0) return leaf;
  const below = schemaOf(depth - 1);
  const many = fc.array(below, { maxLength: 2 });
  const inner = {
    properties: fc.dictionary(key, below, { maxKeys: 3 }),
    items: fc.oneof(below, fc.constant(true), fc.constant([{}])),
    ...{ anyOf: many, oneOf: many, allOf: many, not: below },
    additionalProperties: fc.oneof(fc.boolean(), below),
  };
  return fc.tuple(leaf, fc.record(inner, { requiredKeys: [], noNullPrototype: true })).map(([one, other]) => ({ ...one, ...other }));
}

const anySchema = schemaOf(3) as fc.Arbitrary<JsonObject>; // Made of JSON.

describe('plainSchema', () => {
  it('puts references in place, and ends where they do not', () => {
    const schema = {
      type: 'object',
      properties: { one: { $ref: '#/$defs/point' }, tree: { $ref: '#/$defs/tree' } },
      $defs: {
        point: { type: 'object', properties: { x: { type: 'number' } } },
        tree: { type: 'object', properties: { left: { $ref: '#/$defs/tree' }, right: { $ref: '#/$defs/tree' } } },
      },
    };
    const plain = plainSchema(schema);
    expect(plain).toMatchObject({ properties: { one: { type: 'object', properties: { x: { type: 'number' } } } } });
    expect(JSON.stringify(plain)).not.toContain('$ref');
  });

  it('a small schema that would become a large one stays small', () => {
    const ten = (ref: string): JsonObject => ({
      type: 'object',
      properties: Object.fromEntries([...'abcdefghij'].map((name) => [name, { $ref: ref }])),
    });
    const $defs = {
      0: { enum: ['x'.repeat(60_000)] },
      ...Object.fromEntries([1, 2, 3, 4, 5, 6].map((at) => [at, ten(`#/$defs/${at - 1}`)])),
    };
    expect(JSON.stringify(plainSchema({ ...ten('#/$defs/6'), $defs })).length).toBeLessThan(400_000);
  });

  it('what one of several may have at the top, the whole may have', () => {
    const plain = plainSchema({
      type: 'object',
      oneOf: [
        { properties: { a: { type: 'string' } }, required: ['a'] },
        { properties: { b: { type: 'string' } }, required: ['b'] },
      ],
    });
    expect(plain).toEqual({ type: 'object', properties: { a: { type: 'string' }, b: { type: 'string' } } });
  });

  it('an argument that no vendor takes is gone when it may be, and its tool when not', () => {
    const properties = { 'a b': { type: 'string' }, c: { type: 'string' } };
    expect(plainSchema({ type: 'object', properties })).toEqual({ type: 'object', properties: { c: { type: 'string' } } });
    const tool = toolWith({ type: 'object', properties, required: ['a b'] });
    expect(exportTools('openai', [{ capability: 'mcp.notes.add', tool }])).toMatchObject({
      tools: [],
      leftOut: [{ capability: 'mcp.notes.add', reason: expect.stringContaining('name') }],
    });
  });
});

describe('strictSchema', () => {
  it('says absent as null, and withoutAbsent takes it out again', () => {
    const schema = {
      type: 'object',
      properties: {
        path: { type: 'string', minLength: 1 },
        mode: { enum: ['a', 'b'], type: 'string', default: 'a' },
        at: { type: 'object', properties: { line: { type: 'integer' } } },
        strip: { type: ['integer', 'null'], default: null },
      },
      required: ['path'],
      additionalProperties: false,
    };
    expect(strictSchema(plainSchema(schema))).toEqual({
      type: 'object',
      properties: {
        path: { type: 'string', description: 'at least 1 characters' },
        mode: { type: ['string', 'null'], enum: ['a', 'b', null], description: 'default "a"' },
        at: {
          type: ['object', 'null'],
          properties: { line: { type: ['integer', 'null'] } },
          required: ['line'],
          additionalProperties: false,
        },
        strip: { type: ['integer', 'null'], description: 'default null' },
      },
      required: ['path', 'mode', 'at', 'strip'],
      additionalProperties: false,
    });
    expect(withoutAbsent(schema, { path: 'x', mode: null, at: { line: null }, strip: null })).toEqual({ path: 'x', at: {} });
    expect(withoutAbsent(schema, { path: null, other: null })).toEqual({ path: null, other: null });
  });

  it.each([
    ['a free object', { free: { type: 'object' } }],
    ['a map', { map: { type: 'object', additionalProperties: { type: 'string' } } }],
    ['anything', { any: {} }],
    ['null that means something', { expires: { type: ['integer', 'null'] } }],
  ])('%s is not strict', (_, properties) => {
    expect(strictSchema(plainSchema({ type: 'object', properties, additionalProperties: false }))).toBeUndefined();
  });
});
