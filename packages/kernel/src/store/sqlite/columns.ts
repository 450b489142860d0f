/** From columns to values and back. */
import type { SQLInputValue } from 'node:sqlite';
import type { JsonObject } from '../../internal/json.ts';

/** SQL's null is our undefined. */
export function optional<T>(value: SQLInputValue | undefined, read: (value: SQLInputValue) => T): T | undefined {
  return value === null || value === undefined ? undefined : read(value);
}

/** Only objects we wrote ourselves stand in these columns. */
export function parseObject(value: SQLInputValue | undefined): JsonObject {
  return JSON.parse(String(value)) as JsonObject; // As above.
}

/** As above: lists of words. */
export function readNames(value: SQLInputValue): readonly string[] {
  return JSON.parse(String(value)) as readonly string[]; // As above.
}
