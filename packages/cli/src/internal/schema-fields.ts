/** A JSON Schema as rows: each field by its path, with its type in words. For people; programs read the schema. */
import type { JsonSchema } from '@warren/protocol/contract';

/** `settings.retention.events_max`, `events[].kind`. */
export type SchemaField = { readonly path: string; readonly type: string; readonly isRequired: boolean; readonly otherwise: unknown };

export function schemaFields(schema: JsonSchema): readonly SchemaField[] {
  return merge(fieldsWithin(schema, '').filter(({ path }) => path !== ''));
}

function fieldsOf(schema: JsonSchema, path: string, isRequired: boolean): readonly SchemaField[] {
  const own = { path, type: typeWord(schema, isRequired), isRequired, otherwise: schema.default };
  return [own, ...fieldsWithin(schema, path)];
}

function fieldsWithin(schema: JsonSchema, path: string): readonly SchemaField[] {
  const prefix = path === '' ? '' : `${path}.`;
  const properties = Object.entries(schema.properties ?? {}).flatMap(([name, field]) =>
    fieldsOf(asSchema(field), prefix + name, schema.required?.includes(name) === true),
  );
  const items = schema.items === undefined || Array.isArray(schema.items) ? [] : fieldsWithin(asSchema(schema.items), `${path}[]`);
  return [...properties, ...items, ...choicesOf(schema).flatMap((choice) => fieldsWithin(choice, path))];
}

/** Where there are several shapes, a field is shown once, with every type it has in any of them. */
function merge(fields: readonly SchemaField[]): readonly SchemaField[] {
  const byPath = new Map<string, SchemaField>();
  for (const field of fields) {
    const known = byPath.get(field.path);
    const types = [...new Set([...(known?.type.split(' | ') ?? []), field.type])];
    byPath.set(field.path, { ...(known ?? field), type: types.join(' | ') });
  }
  return [...byPath.values()];
}

/** Null is one way to leave out what may be left out, so it is said only of what is always there. */
function typeWord(schema: JsonSchema, isNullSaid: boolean): string {
  const choices = choicesOf(schema);
  const types =
    choices.length > 0
      ? choices.map((choice) => typeWord(choice, true))
      : [schema.type ?? 'any'].flat().map((type) => typeOf(schema, type));
  const said = [...new Set(types)].filter((type) => isNullSaid || type !== 'null');
  return said.join(' | ');
}

function typeOf(schema: JsonSchema, type: string): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  switch (type) {
    case 'array':
      return schema.items === undefined || Array.isArray(schema.items) ? 'array' : `array of ${typeWord(asSchema(schema.items), true)}`;
    case 'object':
      return typeof schema.additionalProperties === 'object'
        ? `object of ${typeWord(asSchema(schema.additionalProperties), true)}`
        : 'object';
    case 'integer':
    case 'number':
      return type + range(schema);
    case 'string':
      return schema.contentEncoding === undefined ? 'string' : `string in ${schema.contentEncoding}`;
    default:
      return type;
  }
}

/** The bounds of what a clock can say go without saying. */
const CLOCK_MAX = 8_640_000_000_000;

function range({ minimum, maximum }: JsonSchema): string {
  if (maximum === CLOCK_MAX) return ' of seconds';
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`;
  if (minimum !== undefined) return ` from ${minimum}`;
  return maximum === undefined ? '' : ` up to ${maximum}`;
}

function choicesOf({ anyOf, oneOf }: JsonSchema): readonly JsonSchema[] {
  return [...(anyOf ?? []), ...(oneOf ?? [])].map(asSchema);
}

/** `true` as a schema means anything. */
function asSchema(schema: unknown): JsonSchema {
  return typeof schema === 'object' && schema !== null ? (schema as JsonSchema) : {}; // What stands where a schema stands is one.
}
