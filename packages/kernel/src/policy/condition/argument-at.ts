import type { JsonObject, JsonValue } from '../../internal/json.ts';

/** What stands at a place of the arguments; only what is really there, never what objects inherit. The empty list of names stands for all of them. */
export function argumentAt(input: JsonObject, names: readonly string[]): JsonValue | undefined {
  let value: JsonValue | undefined = input;
  for (const name of names) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, name)) return undefined;
    value = (value as JsonObject)[name]; // Neither null nor a list.
  }
  return value;
}

export function namesOfPlace(place: string): readonly string[] {
  return place === '' ? [] : place.split('.');
}
