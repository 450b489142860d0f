import { type JsonSchema, jsonSchema, OPERATIONS } from '@warren/protocol/contract';
import { expect, it } from 'vitest';
import { schemaFields } from './schema-fields.ts';

it('says of a field what it is, whether it must be there, and what it is otherwise', () => {
  const schema: JsonSchema = {
    type: 'object',
    properties: {
      pid: { type: 'integer' },
      mode: { anyOf: [{ type: 'string', enum: ['r', 'rw'] }, { type: 'null' }], default: 'r' },
      share: { type: 'number', minimum: 0, maximum: 1 },
      at: { type: ['number', 'null'], minimum: -8_640_000_000_000, maximum: 8_640_000_000_000 },
      used: { type: 'object', additionalProperties: { type: 'integer' } },
    },
    required: ['pid', 'at'],
  };
  expect(schemaFields(schema)).toEqual([
    { path: 'pid', type: 'integer', isRequired: true, otherwise: undefined },
    { path: 'mode', type: '"r" | "rw"', isRequired: false, otherwise: 'r' },
    { path: 'share', type: 'number from 0 to 1', isRequired: false, otherwise: undefined },
    { path: 'at', type: 'number of seconds | null', isRequired: true, otherwise: undefined },
    { path: 'used', type: 'object of integer', isRequired: false, otherwise: undefined },
  ]);
});

it('goes into objects and lists, and says each field of several shapes once', () => {
  const schema: JsonSchema = {
    type: 'object',
    properties: {
      tokens: {
        type: 'array',
        items: {
          oneOf: [
            { type: 'object', properties: { kind: { const: 'operator' } }, required: ['kind'] },
            { type: 'object', properties: { kind: { const: 'process' }, pid: { type: 'integer' } }, required: ['kind', 'pid'] },
          ],
        },
      },
    },
  };
  expect(schemaFields(schema).map(({ path, type }) => [path, type])).toEqual([
    ['tokens', 'array of object'],
    ['tokens[].kind', '"operator" | "process"'],
    ['tokens[].pid', 'integer'],
  ]);
});

it('has words for every field of every operation', () => {
  for (const { params, result } of Object.values(OPERATIONS)) {
    for (const { path, type } of [...schemaFields(jsonSchema(params)), ...schemaFields(jsonSchema(result))])
      expect([path, type]).toEqual([expect.stringMatching(/^[a-z[]/), expect.stringMatching(/^["a-z]/)]);
  }
});
