/**
 * Parameters that came as text, in a path or a query, as the types that the operation's schema says: numbers, booleans, lists as a key that is
 * repeated, objects as JSON. What does not read as its type stays text, so that the schema refuses it and names the field.
 */
import { Fault, type JsonObject, type JsonValue } from '@warren/protocol';
import { type JsonSchema, jsonSchema, OPERATIONS, type OperationName } from '@warren/protocol/contract';

/** Each key with all that was given for it. Keys that are no parameters stay text: whether they are refused is said where a body is read, too. Throws `invalid_argument`. */
export function readTexts(name: OperationName, texts: Iterable<readonly [string, string]>): JsonObject {
  const schemas = fieldsOf(name);
  const given = new Map<string, string[]>();
  for (const [key, text] of texts) {
    const before = given.get(key);
    if (before === undefined) given.set(key, [text]);
    else before.push(text);
  }
  return Object.fromEntries([...given].map(([key, values]) => [key, readField(name, key, values, schemas.get(key) ?? {})]));
}

const FIELDS = new Map<OperationName, ReadonlyMap<string, JsonSchema>>();

function fieldsOf(name: OperationName): ReadonlyMap<string, JsonSchema> {
  const known = FIELDS.get(name);
  if (known !== undefined) return known;
  const { properties = {} } = jsonSchema(OPERATIONS[name].params);
  const fields = new Map(Object.entries(properties) as [string, JsonSchema][]); // Of the contract no schema is just true or false.
  FIELDS.set(name, fields);
  return fields;
}

function readField(name: OperationName, key: string, values: readonly string[], schema: JsonSchema): JsonValue {
  const types = typesOf(schema);
  if (types.has('array')) {
    const items = typesOf((itemsOf(schema) ?? {}) as JsonSchema); // As above.
    return values.map((value) => readText(value, items));
  }
  const [value, second] = values;
  if (value === undefined || second !== undefined) {
    throw new Fault('invalid_argument', `Cannot call ${name}: "${key}" is given more than once`, { details: { field: key } });
  }
  return readText(value, types);
}

function typesOf(schema: JsonSchema): ReadonlySet<string> {
  const below = [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])] as readonly JsonSchema[]; // As above.
  const own = typeof schema.type === 'string' ? [schema.type] : ((schema.type ?? []) as readonly string[]); // It is one word or some.
  return new Set([...own, ...below.flatMap((each) => [...typesOf(each)])]);
}

function itemsOf(schema: JsonSchema): JsonSchema['items'] {
  const lists = (schema.anyOf ?? []) as readonly JsonSchema[]; // As above.
  return schema.items ?? lists.find(({ items }) => items !== undefined)?.items;
}

const NUMERAL = /^-?\d{1,20}(?:\.\d{1,20})?(?:[eE][+-]?\d{1,3})?$/;

function readText(text: string, types: ReadonlySet<string>): JsonValue {
  if ((types.has('integer') || types.has('number')) && NUMERAL.test(text)) return Number(text);
  if (types.has('boolean') && (text === 'true' || text === 'false')) return text === 'true';
  if (types.has('object') && text.startsWith('{')) return readObject(text);
  return text;
}

function readObject(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue; // What it parses is JSON.
  } catch {
    return text; // The schema says what is wrong with it.
  }
}
