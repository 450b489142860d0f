/** Arguments of a call, from words: `key=text`, `key:=JSON`. What a word means follows from the schema of the capability. */
import { Fault, type JsonObject, type JsonValue } from '@warren/protocol';

const WORD = /^(?<key>[A-Za-z_][A-Za-z0-9_.-]{0,127})(?<kind>:?=)(?<value>[\s\S]*)$/;

/** All arguments as one text, the value of `flag`. */
export function readObject(text: string, flag: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Fault('invalid_argument', `Cannot use ${flag}: it is no JSON`, { cause: error });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject; // It was parsed from JSON.
  throw new Fault('invalid_argument', `Cannot use ${flag}: it is no object`);
}

/** `schema` is the JSON Schema of the arguments. A word wins over what was given as one object; two words for one argument are a mistake. */
export function readCallInput(words: readonly string[], schema: JsonObject, given: JsonObject = {}): JsonObject {
  const input: Record<string, JsonValue> = { ...given };
  const said = new Set<string>();
  for (const word of words) {
    const { key, kind, value } = WORD.exec(word)?.groups ?? {};
    if (key === undefined || value === undefined) {
      throw new Fault('invalid_argument', `Cannot use the argument ${JSON.stringify(word)}: give key=value, or key:=JSON`);
    }
    if (said.has(key)) throw new Fault('invalid_argument', `Cannot use the argument ${JSON.stringify(word)}: ${key} is given twice`);
    said.add(key);
    put(input, key, kind === ':=' ? readJson(key, value) : readText(value, typesOf(schema, key)));
  }
  return input;
}

/** Not by assignment: a key may be `__proto__`. */
function put(input: Record<string, JsonValue>, key: string, value: JsonValue): void {
  Object.defineProperty(input, key, { value, enumerable: true, configurable: true, writable: true });
}

function readJson(key: string, text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue; // That is what JSON.parse makes.
  } catch (error) {
    throw new Fault('invalid_argument', `Cannot use ${key}:=…: it is no JSON`, { cause: error });
  }
}

/** A number where only a number may stand, and so on; else the text as it is, and whoever is called says what is wrong with it. */
function readText(text: string, types: readonly string[]): JsonValue {
  if (types.length === 0 || types.includes('string')) return text;
  try {
    return JSON.parse(text) as JsonValue; // As above.
  } catch {
    return text;
  }
}

function typesOf(schema: JsonObject, key: string): readonly string[] {
  const properties = schema['properties'];
  const property = isObject(properties) && Object.hasOwn(properties, key) ? properties[key] : undefined;
  if (!isObject(property)) return [];
  const { type } = property;
  if (typeof type === 'string') return [type];
  return Array.isArray(type) ? type.filter((each) => typeof each === 'string') : [];
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
