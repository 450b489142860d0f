/**
 * A copy of what somebody else made, as plain JSON within bounds. Arguments come from agents and results from implementations, third-party ones
 * included: cycles, accessors, `__proto__`, BigInt, a hundred megabytes. Nothing of theirs but data is kept, and nothing is serialised before it is known to be small.
 */
import type { JsonObject, JsonValue } from '../internal/json.ts';
import { DEPTH_MAX, VALUES_MAX } from './limits.ts';

export type JsonBounds = {
  readonly bytesMax: number;
  /** Applied to every text and name. */
  readonly redact?: ((text: string) => string) | undefined;
  /** Whether a field named `__proto__` is refused; else it is copied as what it is, a name. */
  readonly isStrict?: boolean | undefined;
};

/** `too_large`: more bytes or values than allowed. `not_json`: a value that JSON has not, or too deep. `field` says where. */
export type JsonProblem = { readonly kind: 'too_large' | 'not_json'; readonly field: string; readonly reason: string };

export type Copied = { readonly kind: 'copied'; readonly value: JsonObject } | JsonProblem;

export function copyJson(value: unknown, bounds: JsonBounds): Copied {
  try {
    if (!isPlainObject(value)) return { kind: 'not_json', field: '', reason: 'it is not an object' };
    const copier = new Copier(bounds);
    const copy = copier.object(value, '', 1);
    // A character has up to six bytes as JSON, so only what is near the bound has to be measured.
    if (6 * copier.bytes > bounds.bytesMax && Buffer.byteLength(JSON.stringify(copy)) > bounds.bytesMax) {
      return { kind: 'too_large', field: '', reason: `it has more than ${bounds.bytesMax} bytes` };
    }
    return { kind: 'copied', value: copy };
  } catch (error) {
    if (error instanceof Refused) return error.problem;
    return { kind: 'not_json', field: '', reason: 'it cannot be read' }; // An accessor or a proxy of theirs threw; what is of no interest.
  }
}

class Refused extends Error {
  readonly problem: JsonProblem;

  constructor(problem: JsonProblem) {
    super(problem.reason);
    this.problem = problem;
  }
}

class Copier {
  readonly #bounds: JsonBounds;
  #bytes = 0;
  #values = 0;

  constructor(bounds: JsonBounds) {
    this.#bounds = bounds;
  }

  get bytes(): number {
    return this.#bytes;
  }

  object(source: object, field: string, depth: number): JsonObject {
    this.#enter(field, depth);
    const copy: Record<string, JsonValue> = {};
    for (const name of Object.keys(source)) {
      const inner = (source as Record<string, unknown>)[name]; // One of its own keys.
      if (inner === undefined) continue; // As JSON does.
      const place = field === '' ? name : `${field}.${name}`;
      if (name === '__proto__') {
        if (this.#bounds.isStrict === true) throw refuse('not_json', place, 'a field may not have this name');
        Object.defineProperty(copy, name, {
          value: this.#value(inner, place, depth),
          enumerable: true,
          configurable: true,
          writable: true,
        });
        continue;
      }
      copy[this.#text(name, place)] = this.#value(inner, place, depth);
    }
    return copy;
  }

  #value(value: unknown, field: string, depth: number): JsonValue {
    switch (typeof value) {
      case 'string':
        return this.#text(value, field);
      case 'boolean':
        this.#count(5, field);
        return value;
      case 'number':
        this.#count(8, field);
        return Number.isFinite(value) ? value : null; // As JSON does.
      case 'object':
        if (value === null) {
          this.#count(4, field);
          return null;
        }
        if (Array.isArray(value)) return this.#list(value, field, depth + 1);
        if (isPlainObject(value)) return this.object(value, field, depth + 1);
        throw refuse('not_json', field, 'it is no plain object');
      default:
        throw refuse('not_json', field, `it is a ${typeof value}`);
    }
  }

  #list(source: readonly unknown[], field: string, depth: number): JsonValue {
    this.#enter(field, depth);
    if (source.length > VALUES_MAX) throw refuse('too_large', field, `it has more than ${VALUES_MAX} values`);
    const copy: JsonValue[] = [];
    for (let index = 0; index < source.length; index++) {
      const inner = source[index];
      copy.push(inner === undefined ? null : this.#value(inner, `${field}[${index}]`, depth));
    }
    return copy;
  }

  #text(text: string, field: string): string {
    this.#count(text.length + 3, field);
    const { redact } = this.#bounds;
    return redact === undefined ? text : redact(text);
  }

  #enter(field: string, depth: number): void {
    if (depth > DEPTH_MAX) throw refuse('not_json', field, `it is nested deeper than ${DEPTH_MAX}`);
    this.#count(2, field);
  }

  #count(bytes: number, field: string): void {
    this.#bytes += bytes;
    this.#values += 1;
    if (this.#bytes > this.#bounds.bytesMax) throw refuse('too_large', field, `it has more than ${this.#bounds.bytesMax} bytes`);
    if (this.#values > 2 * VALUES_MAX) throw refuse('too_large', field, `it has more than ${VALUES_MAX} values`);
  }
}

function refuse(kind: JsonProblem['kind'], field: string, reason: string): Refused {
  return new Refused({ kind, field: field.slice(0, 200), reason });
}

function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null; // Also of another realm.
}
