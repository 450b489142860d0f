/** What somebody else says, without what it was trusted with: a server that repeats a secret does so to nobody. */
import type { JsonValue } from '@warren/protocol';

/** What is shorter stands in too many texts that are none. */
const SECRET_LENGTH_MIN = 6;

export function withoutSecrets<Value extends JsonValue>(value: Value, secrets: readonly string[]): Value {
  // The longest first: one may be a part of another.
  const long = secrets.filter(({ length }) => length >= SECRET_LENGTH_MIN).sort((one, other) => other.length - one.length);
  return long.length === 0 ? value : (without(value, long) as Value); // It stays what it is.
}

function without(value: JsonValue, secrets: readonly string[]): JsonValue {
  if (typeof value === 'string') return secrets.reduce((text, secret) => text.replaceAll(secret, '[REDACTED]'), value);
  if (Array.isArray(value)) return value.map((each) => without(each, secrets));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, without(each, secrets)]));
}
