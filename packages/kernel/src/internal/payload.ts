/** Checks of what callers hand in as data. */
import { Fault, type FaultCode } from '@warren/protocol';
import type { JsonObject } from './json.ts';

export const PAYLOAD_BYTES_MAX = 1_048_576;
const DEPTH_MAX = 64;
/** Values of all depths together: an empty list has two bytes and takes fifty times that in memory. */
const VALUES_MAX = 100_000;
export const WORD_BYTES_MAX = 256;

/** A plain object of JSON, not too deep and not too large. Throws `code` with the field, or `too_large`. */
export function checkPayload(value: unknown, field: string, code: FaultCode): JsonObject {
  serializePayload(value, field, code);
  return value as JsonObject; // It serialises, so it is JSON.
}

/** The same as a copy, which nobody else changes while it waits to be written. */
export function copyPayload(value: unknown, field: string, code: FaultCode, bytesMax?: number): JsonObject {
  return JSON.parse(serializePayload(value, field, code, bytesMax)) as JsonObject; // As above.
}

/** The same as its text. */
export function serializePayload(value: unknown, field: string, code: FaultCode, bytesMax: number = PAYLOAD_BYTES_MAX): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Fault(code, `Cannot use ${field}: it is not an object`, { details: { field } });
  }
  checkDepth(value, field, code);
  const text = JSON.stringify(value);
  const bytes = Buffer.byteLength(text);
  if (bytes > bytesMax) {
    throw new Fault('too_large', `Cannot use ${field}: it has ${bytes} bytes, the limit is ${bytesMax}`, { details: { field } });
  }
  return text;
}

/** Before serialising, which would follow any depth. */
function checkDepth(root: object, field: string, code: FaultCode): void {
  let level: readonly object[] = [root];
  let values = 0;
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > DEPTH_MAX) throw new Fault(code, `Cannot use ${field}: it is nested deeper than ${DEPTH_MAX}`, { details: { field } });
    const inner = level.flatMap((each) => Object.values(each));
    values += inner.length;
    if (values > VALUES_MAX)
      throw new Fault('too_large', `Cannot use ${field}: it has more than ${VALUES_MAX} values`, { details: { field } });
    level = inner.filter((each) => typeof each === 'object' && each !== null);
  }
}

/** A short text without control characters. Throws `code` with the field. */
export function checkWord(value: unknown, field: string, code: FaultCode, bytesMax: number = WORD_BYTES_MAX): string {
  if (typeof value !== 'string' || value === '')
    throw new Fault(code, `Cannot use ${field}: it is empty or no text`, { details: { field } });
  if (Buffer.byteLength(value) > bytesMax) {
    throw new Fault(code, `Cannot use ${field}: it is longer than ${bytesMax} bytes`, { details: { field } });
  }
  if (/[\u0000-\u001f\u007f]/.test(value) || !value.isWellFormed()) {
    throw new Fault(code, `Cannot use ${field}: it has control characters or broken unicode`, { details: { field } });
  }
  return value;
}
