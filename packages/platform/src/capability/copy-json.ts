/** Takes a value of unknown origin over as JSON of our own: bounded, well-formed, and shared with nobody, so nobody changes it after it was checked. */
import type { JsonValue } from '@warren/protocol';
import { LIMITS } from './limits.ts';

export type CopiedJson =
  | { readonly kind: 'copied'; readonly value: JsonValue; readonly bytes: number }
  | { readonly kind: 'refused'; readonly field: string; readonly reason: string };

class Refusal {
  readonly path: string[] = [];
  readonly reason: string;
  constructor(reason: string) {
    this.reason = reason;
  }
}

export function copyJson(value: unknown, bytesMax: number): CopiedJson {
  const count = { bytes: 0, values: 0, bytesMax };
  const copied = copy(value, 0, count);
  if (copied instanceof Refusal) return { kind: 'refused', field: copied.path.reverse().join('.'), reason: copied.reason };
  return { kind: 'copied', value: copied, bytes: count.bytes };
}

type Count = { bytes: number; values: number; readonly bytesMax: number };

function copy(value: unknown, depth: number, count: Count): JsonValue | Refusal {
  if (++count.values > LIMITS.valuesMax) return new Refusal(`has more than ${LIMITS.valuesMax} values`);
  if (typeof value === 'string') return addText(value, count) ?? value;
  count.bytes += 5;
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : new Refusal('is not a finite number');
  if (typeof value !== 'object') return new Refusal(`is ${typeof value}, which is not JSON`);
  if (depth >= LIMITS.depthMax) return new Refusal(`is nested deeper than ${LIMITS.depthMax}`);
  return Array.isArray(value) ? copyList(value, depth, count) : copyObject(value, depth, count);
}

function copyList(list: readonly unknown[], depth: number, count: Count): JsonValue | Refusal {
  if (list.length > LIMITS.valuesMax) return new Refusal(`has more than ${LIMITS.valuesMax} values`);
  const result: JsonValue[] = [];
  for (let index = 0; index < list.length; index++) {
    const item = copy(list[index], depth + 1, count);
    if (item instanceof Refusal) return within(item, String(index));
    result.push(item);
  }
  return result;
}

function copyObject(object: object, depth: number, count: Count): JsonValue | Refusal {
  const prototype: unknown = Object.getPrototypeOf(object);
  if (prototype !== Object.prototype && prototype !== null) return new Refusal('is not a plain object');
  const result: Record<string, JsonValue> = {};
  for (const key of Object.keys(object)) {
    if (key === '__proto__') return new Refusal('has a field named __proto__');
    const refusal = addText(key, count);
    if (refusal !== undefined) return refusal;
    const value = copy((object as Record<string, unknown>)[key], depth + 1, count); // Its own key.
    if (value instanceof Refusal) return within(value, key);
    result[key] = value;
  }
  return result;
}

/** Length first: bytes of a huge text are not counted. */
function addText(text: string, count: Count): Refusal | undefined {
  if (text.length <= count.bytesMax) count.bytes += text.length < 64 ? shortBytes(text) : Buffer.byteLength(text);
  else count.bytes = Number.POSITIVE_INFINITY;
  if (count.bytes > count.bytesMax) return new Refusal(`makes it larger than ${count.bytesMax} bytes`);
  return text.isWellFormed() ? undefined : new Refusal('has broken unicode');
}

function shortBytes(text: string): number {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 127) return Buffer.byteLength(text);
  return text.length;
}

function within(refusal: Refusal, name: string): Refusal {
  refusal.path.push(name.length > 64 ? `${name.slice(0, 64)}…` : name);
  return refusal;
}
