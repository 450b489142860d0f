/** A plain schema in the words of Gemini's `Schema`, a part of OpenAPI 3.0: types in capitals, null as `nullable`, and of values only texts. */
import type { JsonObject, JsonValue } from '@warren/protocol';
import { describedInWords } from './schema-words.ts';

/** Undefined: the function takes nothing. */
export function geminiParameters(plain: JsonObject): JsonObject | undefined {
  const { properties, additionalProperties = false } = plain;
  if (Object.keys(properties as JsonObject).length === 0 && additionalProperties === false) return undefined; // A plain root has them.
  return geminiSchema(plain);
}

const ANYTHING: readonly JsonObject[] = [
  ...[{ type: 'STRING' }, { type: 'NUMBER' }, { type: 'BOOLEAN' }, { type: 'OBJECT' }],
  { type: 'ARRAY', items: { type: 'STRING' } },
];

function geminiSchema(schema: JsonObject): JsonObject {
  const { type, enum: values, anyOf } = schema;
  const words = describedInWords(schema);
  if (Array.isArray(anyOf)) {
    const alternatives = anyOf as readonly JsonObject[]; // Plain ones.
    const others = alternatives.filter((each) => each['type'] !== 'null').map(geminiSchema);
    return { ...words, ...oneOrAny(others), ...(others.length < alternatives.length && { nullable: true }) };
  }
  const types = type === undefined ? typesOfValues(values) : ((Array.isArray(type) ? type : [type]) as readonly string[]); // As above.
  const others = types.filter((each) => each !== 'null');
  const isNullable = others.length < types.length;
  const made = others.map((each) => ofType(each, schema));
  return { ...words, ...oneOrAny(made), ...(isNullable && { nullable: true }) };
}

function oneOrAny(schemas: readonly JsonObject[]): JsonObject {
  const [first, second] = schemas;
  if (first === undefined) return { anyOf: ANYTHING };
  return second === undefined ? first : { anyOf: schemas };
}

function ofType(type: string, schema: JsonObject): JsonObject {
  const made = { type: type.toUpperCase() };
  switch (type) {
    case 'string':
      return { ...made, ...textsOf(schema['enum']) };
    case 'array':
      return { ...made, items: geminiSchema(schema['items'] as JsonObject) }; // A plain list has them.
    case 'object':
      return { ...made, ...fieldsOf(schema) };
    default:
      return made;
  }
}

function textsOf(values: JsonValue | undefined): JsonObject {
  if (!Array.isArray(values)) return {};
  const texts = values.filter((each) => each !== null);
  return texts.length > 0 && texts.every((each) => typeof each === 'string' && each !== '') ? { enum: texts } : {};
}

function fieldsOf({ properties, required }: JsonObject): JsonObject {
  const fields = Object.entries(properties as Readonly<Record<string, JsonObject>>); // As above.
  if (fields.length === 0) return {};
  return {
    properties: Object.fromEntries(fields.map(([name, each]) => [name, geminiSchema(each)])),
    ...(required !== undefined && { required }),
  };
}

function typesOfValues(values: JsonValue | undefined): readonly string[] {
  if (!Array.isArray(values)) return [];
  return [...new Set(values.map((each) => (each === null ? 'null' : typeof each)))];
}
