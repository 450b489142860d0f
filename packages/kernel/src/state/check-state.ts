/** What callers hand in, checked before it is used. Throws `invalid_argument` with the field, or `too_large`. */
import { Fault } from '@warren/protocol';
import type { JsonValue } from '../internal/json.ts';
import { checkWord } from '../internal/payload.ts';
import { checkLabels } from '../taint/labels.ts';
import { ACCESS_PATTERNS_MAX, DEPTH_MAX, KEY_CHARACTERS_MAX, PARTS_MAX, TTL_MS_MAX, VALUE_BYTES_MAX } from './limits.ts';
import type { SetOptions, StateAccess } from './state.ts';

export type CheckedValue = { readonly value: JsonValue; readonly bytes: number };

export type CheckedOptions = {
  readonly expectedVersion: number | undefined;
  readonly ttlMs: number | undefined;
  readonly access: StateAccess | undefined;
  readonly labels: readonly string[] | undefined;
};

export function checkKey(key: unknown, field = 'key'): string {
  if (key === '') throw invalid(field, 'it is empty');
  return checkPrefix(key, field);
}

/** As a key, and it may be empty. */
export function checkPrefix(text: unknown, field: string): string {
  if (typeof text !== 'string') throw invalid(field, 'it is no text');
  if (text.length > KEY_CHARACTERS_MAX * 2 || Array.from(text).length > KEY_CHARACTERS_MAX) {
    throw invalid(field, `it has more than ${KEY_CHARACTERS_MAX} characters`);
  }
  if (!text.isWellFormed() || /\p{Cc}/u.test(text)) throw invalid(field, 'it has control characters or broken unicode');
  return text;
}

/** A copy, which nobody changes while it waits to be written. */
export function checkValue(value: unknown): CheckedValue {
  checkParts(value);
  const text = JSON.stringify(value);
  const bytes = Buffer.byteLength(text);
  if (bytes > VALUE_BYTES_MAX) {
    throw new Fault('too_large', `Cannot set a value of ${bytes} bytes: the limit is ${VALUE_BYTES_MAX}`, {
      details: { field: 'value', bytes, limit: VALUE_BYTES_MAX },
    });
  }
  return { value: JSON.parse(text) as JsonValue, bytes }; // It was just written.
}

/** Level by level, since following any depth would end the program. */
function checkParts(root: unknown): void {
  let level: readonly unknown[] = [root];
  let parts = 0;
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > DEPTH_MAX) throw invalid('value', `it is nested deeper than ${DEPTH_MAX}`);
    parts += level.length;
    if (parts > PARTS_MAX)
      throw new Fault('too_large', `Cannot set a value of more than ${PARTS_MAX} parts`, { details: { field: 'value' } });
    for (const part of level) if (!isJson(part)) throw invalid('value', `it is not JSON: there is a ${describe(part)} in it`);
    level = level.flatMap((part) => (typeof part === 'object' && part !== null ? Object.values(part) : []));
  }
}

function isJson(part: unknown): boolean {
  if (typeof part === 'number') return Number.isFinite(part);
  return part === null || typeof part === 'string' || typeof part === 'boolean' || typeof part === 'object';
}

function describe(part: unknown): string {
  return typeof part === 'number' ? String(part) : typeof part;
}

export function checkOptions({ expectedVersion, ttlMs, access, labels }: SetOptions, isShared: boolean): CheckedOptions {
  if (isShared && expectedVersion === undefined)
    throw invalid('expected_version', 'a shared key is changed only by who says which version it has');
  if (expectedVersion !== undefined && !(Number.isSafeInteger(expectedVersion) && expectedVersion >= 0)) {
    throw invalid('expected_version', 'it is not a whole number from 0');
  }
  if (ttlMs !== undefined && !(Number.isSafeInteger(ttlMs) && ttlMs >= 1 && ttlMs <= TTL_MS_MAX)) {
    throw invalid('ttl', `it is not between 1 ms and ${TTL_MS_MAX} ms`);
  }
  if (access !== undefined && !isShared) throw invalid('access', 'only a shared key has one');
  return {
    ...{ expectedVersion, ttlMs, access: access === undefined ? undefined : checkAccess(access) },
    labels: labels && checkLabels(labels, 'labels'),
  };
}

function checkAccess(access: StateAccess): StateAccess {
  if (typeof access !== 'object' || access === null) throw invalid('access', 'it is no object');
  return { read: checkPatterns(access.read, 'access.read'), write: checkPatterns(access.write, 'access.write') };
}

function checkPatterns(patterns: unknown, field: string): readonly string[] {
  if (!Array.isArray(patterns) || patterns.length > ACCESS_PATTERNS_MAX) {
    throw invalid(field, `it is not a list of up to ${ACCESS_PATTERNS_MAX} names`);
  }
  return patterns.map((pattern: unknown) => checkWord(pattern, field, 'invalid_argument'));
}

export function invalid(field: string, why: string): Fault {
  return new Fault('invalid_argument', `Cannot use ${field}: ${why}`, { details: { field } });
}

/** Undefined: an operator. Empty: a process without an agent. */
export function checkBy(by: unknown): string | undefined {
  return by === undefined || by === '' ? by : checkWord(by, 'by', 'invalid_argument');
}
