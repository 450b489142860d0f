/**
 * An object of whatever JSON can say: payloads, metadata, details. It is handed on as it came, not copied, also a key `__proto__`: as parsed
 * from JSON that is a key like any other, and stays one as long as nobody merges it into something.
 */
import { z } from 'zod';
import type { JsonObject } from '../../json.ts';

/** Deeper than anybody writes by hand, and shallow enough to follow by recursion. */
export const JSON_DEPTH_MAX = 64;

/**
 * About how many bytes of JSON are looked at. The kernel keeps half of that, counts exactly, and says `too_large`; this is where looking
 * stops.
 */
export const JSON_BYTES_MAX = 2_097_152;

export const jsonObject = z
  .custom<JsonObject>()
  .superRefine((value, context) => {
    const problem = problemWith(value);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  })
  .meta({ type: 'object' });

/** What a payload is when none is given. One for all, so it is frozen. */
export const NO_PAYLOAD: JsonObject = Object.freeze({});

/** Why this is no object of JSON within the bounds; undefined when it is one. */
export function problemWith(root: unknown): string | undefined {
  if (root === undefined) return 'is missing';
  if (!isPlainObject(root)) return 'is not an object';
  let bytes = 0;
  const visit = (value: unknown, depth: number): string | undefined => {
    bytes += typeof value === 'string' ? value.length + 2 : 2;
    if (bytes > JSON_BYTES_MAX) return `is larger than ${JSON_BYTES_MAX} bytes`;
    if (value === null || typeof value === 'string' || typeof value === 'boolean') return undefined;
    if (typeof value === 'number') return Number.isFinite(value) ? undefined : 'has a number that JSON does not have';
    if (!Array.isArray(value) && !isPlainObject(value)) return 'has a value that JSON does not have';
    if (depth > JSON_DEPTH_MAX) return `is nested deeper than ${JSON_DEPTH_MAX}`;
    if (!Array.isArray(value)) bytes += Object.keys(value).reduce((sum, key) => sum + key.length + 3, 0);
    for (const inner of Array.isArray(value) ? value : Object.values(value)) {
      const problem = visit(inner, depth + 1);
      if (problem !== undefined) return problem;
    }
    return undefined;
  };
  return visit(root, 1);
}

/** Not an instance of anything, also when another realm made it. */
function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
