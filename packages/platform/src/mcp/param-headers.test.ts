import { expect, it } from 'vitest';
import { areParamHeadersValid } from './param-headers.ts';

const header = (name: unknown, type = 'string') => ({ type, 'x-mcp-header': name });
const of = (properties: object, more: object = {}) => ({ type: 'object', properties, ...more });

it.each([
  [of({})],
  [of({ a: header('Region'), b: header('Size', 'integer'), c: header('Dry', 'boolean') })],
  [of({ a: of({ b: header('Deep') }) })],
  // Data, and a property that is called so.
  [of({ 'x-mcp-header': { type: 'string' } })],
  [of({ a: { type: 'object', default: header('Region') } }, { examples: [header('')] })],
])('%j is as the protocol lets it be', (schema) => expect(areParamHeadersValid(schema)).toBe(true));

it.each([
  [{ ...of({}), 'x-mcp-header': 'Root' }],
  [of({ a: header('') })],
  [of({ a: header(7) })],
  [of({ a: header('two words') })],
  [of({ a: header('Bad\r\nName') })],
  [of({ a: header('Größe') })],
  [of({ a: header('Size', 'number') })],
  [of({ a: header('Size', 'object') })],
  [of({ a: { 'x-mcp-header': 'Untyped' } })],
  [of({ a: header('Region'), b: header('REGION') })],
  [of({ a: { type: 'array', items: header('Item') } })],
  [of({ a: { anyOf: [header('Any')] } })],
  [of({ a: { items: of({ b: header('Item') }) } })],
  [of({}, { $defs: { x: header('Def') } })],
  [of({}, { patternProperties: { '^a': header('Pattern') } })],
  [of({}, { additionalProperties: header('More') })],
])('%j is not', (schema) => expect(areParamHeadersValid(schema)).toBe(false));
