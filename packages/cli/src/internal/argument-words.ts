import type { JsonObject, JsonValue } from '@warren/protocol';

/** How the words of `warren call` for these arguments begin: `path=`; and whole, where there are few: `mode=fast`. Only what a shell takes for one word as it is. */
export function argumentWords(schema: JsonObject): readonly string[] {
  const { properties } = schema;
  if (!isObject(properties)) return [];
  return Object.entries(properties).flatMap(([name, property]) => {
    if (!PLAIN.test(name)) return [];
    const values = valuesOf(property).filter((value) => PLAIN.test(value));
    return values.length === 0 ? [`${name}=`] : values.map((value) => `${name}=${value}`);
  });
}

const PLAIN = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/;

function valuesOf(property: JsonValue): readonly string[] {
  if (!isObject(property)) return [];
  const { type, enum: values } = property;
  if (Array.isArray(values)) return values.filter((value) => value !== null).map(String);
  return [type].flat().includes('boolean') ? ['true', 'false'] : [];
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
