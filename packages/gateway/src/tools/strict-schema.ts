/**
 * A plain schema in the subset of which OpenAI holds a model to each word (`strict`): objects are closed, every field is required, and one that may be absent is `null` instead;
 * who makes the call takes those out again, where it can tell: not in alternatives, of which it does not know which one was meant. What cannot be said so, free objects above all,
 * is not strict.
 */
import type { JsonObject, JsonValue } from '@warren/protocol';
import { isObject } from '../internal/is-object.ts';
import { describedInWords } from './schema-words.ts';

const DEPTH_MAX = 5;
const PROPERTIES_MAX = 100;
const VALUES_MAX = 250;

/** Undefined: it cannot be said so. */
export function strictSchema(plain: JsonObject): JsonObject | undefined {
  const used = { properties: 0, values: 0 };
  try {
    return strict(plain, { depth: 0, isAlternative: false }, used);
  } catch (error) {
    if (error instanceof NotStrict) return undefined;
    throw error;
  }
}

class NotStrict extends Error {}

/** `isAlternative`: it is one of several, or within one. */
type Place = { readonly depth: number; readonly isAlternative: boolean };

type Used = { properties: number; values: number };

function strict(schema: JsonObject, { depth, isAlternative }: Place, used: Used): JsonObject {
  const { type, enum: values, anyOf, items } = schema;
  const words = describedInWords(schema);
  if (depth > DEPTH_MAX) throw new NotStrict();
  if (Array.isArray(anyOf)) {
    const alternative = { depth: depth + 1, isAlternative: true };
    return { ...words, anyOf: anyOf.map((each) => strict(each as JsonObject, alternative, used)) }; // A plain one has objects there.
  }
  if (Array.isArray(values)) {
    used.values += values.length;
    if (used.values > VALUES_MAX) throw new NotStrict();
    return { ...words, ...(type !== undefined && { type }), enum: values };
  }
  if (type === undefined) throw new NotStrict();
  const types = typesOf(type);
  return {
    ...words,
    type,
    ...(types.includes('array') && { items: strict(items as JsonObject, { depth: depth + 1, isAlternative }, used) }), // As above.
    ...(types.includes('object') && fields(schema, { depth, isAlternative }, used)),
  };
}

function fields({ properties, required = [], additionalProperties }: JsonObject, { depth, isAlternative }: Place, used: Used): JsonObject {
  const entries = Object.entries(properties as Readonly<Record<string, JsonObject>>); // As above.
  used.properties += entries.length;
  const isFree = (additionalProperties ?? false) !== false || (entries.length === 0 && depth > 0 && additionalProperties !== false);
  if (isFree || used.properties > PROPERTIES_MAX) throw new NotStrict();
  const demanded = new Set(required as readonly string[]); // Made by us.
  if (isAlternative && entries.some(([name]) => !demanded.has(name))) throw new NotStrict();
  return {
    properties: Object.fromEntries(
      entries.map(([name, each]) => {
        const made = strict(each, { depth: depth + 1, isAlternative }, used);
        return [name, demanded.has(name) ? made : orNull(made, each)];
      }),
    ),
    required: entries.map(([name]) => name),
    additionalProperties: false,
  };
}

/** Where null means something of its own, and is not what counts when nothing is given, absent could not be told from it. */
function orNull(made: JsonObject, original: JsonObject): JsonObject {
  if (takesNull(original)) {
    if (original['default'] === null) return made;
    throw new NotStrict();
  }
  const { anyOf, type, enum: values } = made;
  if (Array.isArray(anyOf)) return { ...made, anyOf: [...anyOf, { type: 'null' }] };
  return {
    ...made,
    ...(type !== undefined && { type: [...typesOf(type), 'null'] }),
    ...(Array.isArray(values) && { enum: [...values, null] }),
  };
}

export function takesNull({ type, enum: values, anyOf }: JsonObject): boolean {
  if (Array.isArray(anyOf)) return anyOf.some((each) => isObject(each) && takesNull(each));
  if (Array.isArray(values)) return values.includes(null);
  return type === undefined || typesOf(type).includes('null');
}

function typesOf(type: JsonValue): readonly string[] {
  return (Array.isArray(type) ? type : [type]) as readonly string[]; // Of a plain schema.
}
