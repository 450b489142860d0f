/** What an approval and a key are bound to: hashes over arguments in one form, whatever the order of their fields. */
import { hash } from 'node:crypto';
import type { JsonObject, JsonValue } from '../internal/json.ts';

export function hashInput(input: JsonObject): string {
  return hash('sha256', canonical(input), 'hex');
}

/** Over process, capability and exact arguments. */
export function hashCall(pid: number, capability: string, inputHash: string): string {
  return hash('sha256', `${pid}\n${capability}\n${inputHash}`, 'hex');
}

function canonical(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).filter(([, inner]) => inner !== undefined);
  fields.sort(([one], [other]) => (one < other ? -1 : 1));
  return `{${fields.map(([name, inner]) => `${JSON.stringify(name)}:${canonical(inner)}`).join(',')}}`;
}
