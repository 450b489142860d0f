/** Everything a JSON Schema allows, as far as the contract uses the language. A word of it that is not known here is a defect of the test. */
import fc from 'fast-check';
import type { JsonSchema } from '../json-schema.ts';

const KNOWN = new Set([
  ...['type', 'properties', 'required', 'items', 'maxItems', 'additionalProperties', 'propertyNames', 'anyOf', 'oneOf', 'enum', 'const'],
  ...['minimum', 'maximum', 'minLength', 'maxLength', 'pattern', 'contentEncoding', 'default', 'readOnly'],
]);

export function arbitraryOf(schema: JsonSchema): fc.Arbitrary<unknown> {
  const unknown = Object.keys(schema).filter((key) => !KNOWN.has(key));
  if (unknown.length > 0) throw new Error(`No arbitrary knows ${unknown.join(', ')}`);
  const alternatives = (schema.anyOf ?? schema.oneOf) as readonly JsonSchema[] | undefined; // Only objects are used, never true or false.
  if (alternatives !== undefined) return fc.oneof(...alternatives.map(arbitraryOf));
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  const types = Array.isArray(schema.type) ? (schema.type as readonly string[]) : [schema.type as string];
  return fc.oneof(...types.map((type) => ofType(type, schema)));
}

function ofType(type: string, schema: JsonSchema): fc.Arbitrary<unknown> {
  switch (type) {
    case 'null':
      return fc.constant(null);
    case 'boolean':
      return fc.boolean();
    case 'integer':
      return fc.integer({ min: schema.minimum ?? Number.MIN_SAFE_INTEGER, max: schema.maximum ?? Number.MAX_SAFE_INTEGER });
    case 'number':
      return fc
        .double({
          noNaN: true,
          noDefaultInfinity: true,
          ...(schema.minimum === undefined ? {} : { min: schema.minimum, max: schema.maximum ?? 1e300 }),
        })
        .map((value) => value + 0);
    case 'string':
      return ofText(schema);
    case 'array':
      return fc.array(arbitraryOf(schema.items as JsonSchema), { maxLength: Math.min(5, schema.maxItems ?? 5) }); // Only objects are used.
    case 'object':
      return ofObject(schema);
    default:
      throw new Error(`No arbitrary knows the type ${type}`);
  }
}

function ofText(schema: JsonSchema): fc.Arbitrary<string> {
  if (schema.contentEncoding === 'base64') return fc.base64String({ maxLength: 40 });
  // What the pattern matches may say a number beyond the bounds, so only short ones.
  if (schema.pattern !== undefined)
    return fc.stringMatching(new RegExp(schema.pattern)).filter((text) => text.length <= 12 && !/e/i.test(text));
  return fc.string({ unit: 'binary', maxLength: Math.min(20, schema.maxLength ?? 20) });
}

function ofObject(schema: JsonSchema): fc.Arbitrary<unknown> {
  if (schema.properties === undefined) {
    const values =
      typeof schema.additionalProperties === 'object' ? arbitraryOf(schema.additionalProperties) : fc.jsonValue({ maxDepth: 2 });
    const keys = fc.string({ unit: 'binary', maxLength: 20 }).filter((key) => key !== '__proto__');
    return fc.dictionary(keys, values, { maxKeys: 5, noNullPrototype: true });
  }
  const fields = Object.entries(schema.properties).map(([name, field]) => [name, arbitraryOf(field as JsonSchema)]); // As above.
  return fc.record(Object.fromEntries(fields) as Record<string, fc.Arbitrary<unknown>>, {
    requiredKeys: schema.required ?? [],
    noNullPrototype: true,
  });
}
