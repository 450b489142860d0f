import type { JsonObject, JsonValue } from '../../internal/json.ts';

/** Whether a value of a call is the one a rule names. Goes only as deep as the rule's, which is bounded. */
export function isEqual(named: JsonValue, value: JsonValue | undefined): boolean {
  if (named === value) return true;
  if (typeof named !== 'object' || typeof value !== 'object' || named === null || value === null) return false;
  if (Array.isArray(named)) {
    return Array.isArray(value) && named.length === value.length && named.every((each, index) => isEqual(each, value[index]));
  }
  if (Array.isArray(value)) return false;
  const [ours, theirs] = [named as JsonObject, value as JsonObject]; // Neither is a list.
  const names = Object.keys(ours);
  return (
    names.length === Object.keys(theirs).length &&
    names.every((name) => Object.hasOwn(theirs, name) && isEqual(ours[name] ?? null, theirs[name]))
  );
}
