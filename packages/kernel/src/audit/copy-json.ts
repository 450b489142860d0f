/** A copy of JSON that has exactly one encoding; what is none, is too deep or too much is refused before it costs anything. */
import { Fault } from '@warren/protocol';
import { DEPTH_MAX, ENTRY_BYTES_MAX } from './limits.ts';

/** Faults: `invalid_argument` (no JSON, or too deep), `too_large`. */
export function copyJson(value: unknown, field: string): unknown {
  return copy(value, field, 0, { left: ENTRY_BYTES_MAX });
}

function copy(value: unknown, field: string, depth: number, budget: { left: number }): unknown {
  if (depth > DEPTH_MAX) throw refused(field, `is nested deeper than ${DEPTH_MAX}`);
  budget.left -= typeof value === 'string' ? value.length + 1 : 1;
  if (budget.left < 0) {
    throw new Fault('too_large', `Cannot record in the audit: ${field} is longer than ${ENTRY_BYTES_MAX} bytes`, { details: { field } });
  }
  switch (typeof value) {
    case 'string':
      return value.isWellFormed() ? value : value.toWellFormed();
    case 'boolean':
      return value;
    case 'number':
      if (!Number.isFinite(value)) throw refused(field, 'has a number that is not finite');
      return Object.is(value, -0) ? 0 : value;
    case 'object':
      break;
    default:
      throw refused(field, `has a ${typeof value}, which is no JSON`);
  }
  if (value === null) return null;
  if (Array.isArray(value)) return copyList(value, field, depth, budget);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw refused(field, 'has an object that is no plain one');
  const result: Record<string, unknown> = Object.create(null); // So that `__proto__` is a key like any other.
  for (const [key, inner] of Object.entries(value)) {
    if (inner === undefined) continue;
    budget.left -= key.length + 1;
    const name = key.toWellFormed();
    if (name !== key && name in result) throw refused(field, 'has two keys that differ in broken unicode only');
    result[name] = copy(inner, field, depth + 1, budget);
  }
  return result;
}

function copyList(list: readonly unknown[], field: string, depth: number, budget: { left: number }): unknown {
  if (list.length > budget.left)
    throw new Fault('too_large', `Cannot record in the audit: ${field} has ${list.length} values`, { details: { field } });
  return Array.from(list, (inner) => copy(inner === undefined ? null : inner, field, depth + 1, budget));
}

function refused(field: string, why: string): Fault {
  return new Fault('invalid_argument', `Cannot record in the audit: ${field} ${why}`, { details: { field } });
}
