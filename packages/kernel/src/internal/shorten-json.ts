import type { JsonObject, JsonValue } from './json.ts';

/** What is kept of arguments that are long: every field, long texts and lists with their beginning and their size. Whole when it is short enough. */
export function shortenJson(value: JsonObject, bytesMax: number): JsonObject {
  if (JSON.stringify(value).length <= bytesMax) return value;
  for (const textMax of [1_024, 128, 16]) {
    const shorter = shorten(value, textMax);
    if (isObject(shorter) && JSON.stringify(shorter).length <= bytesMax) return shorter;
  }
  return { shortened: `${Object.keys(value).length} fields, ${JSON.stringify(value).length} characters` };
}

function shorten(value: JsonValue, textMax: number): JsonValue {
  if (typeof value === 'string')
    return value.length <= textMax ? value : `${value.slice(0, textMax).toWellFormed()}… (${value.length} characters)`;
  if (isList(value)) {
    const kept = value.slice(0, 32).map((inner) => shorten(inner, textMax));
    return value.length > 32 ? [...kept, `… (${value.length} values)`] : kept;
  }
  return isObject(value) ? Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, shorten(inner, textMax)])) : value;
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What shortening leaves in the place of the rest, here, where secrets are looked for, and where definitions keep only a hash of long content. */
const REST = /… [([]\d+ |\[cut: \d+ |^\[\d+ more\]/;
const REST_NAMES: ReadonlySet<string> = new Set(['shortened', 'unreadable', '[more]']);

/** Whether something seems to be missing. Arguments that hold such words themselves only seem so; what was shortened never seems whole. */
export function isShortened(value: JsonValue): boolean {
  if (typeof value === 'string') return REST.test(value);
  if (isList(value)) return value.some(isShortened);
  return isObject(value) && Object.entries(value).some(([name, inner]) => REST_NAMES.has(name) || isShortened(inner));
}
