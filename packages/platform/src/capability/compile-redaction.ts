/** Makes of arguments what may be recorded: secrets by their definition, their name or their form are left out, long content is told by its hash. */
import { createHash } from 'node:crypto';
import { createRedactor, createTextRedactor } from '@warren/kernel';
import type { JsonObject, JsonValue } from '@warren/protocol';
import { isObject } from './compile-field.ts';
import type { Field } from './definition.ts';
import { LIMITS } from './limits.ts';

/** Names under which people put secrets, also where the definition takes any object: headers, environment, context. */
const SECRET_NAME =
  /^(?:.*[_-])?(?:api[_-]?key|access[_-]?key|private[_-]?key|secret(?:[_-]?key)?|pass(?:word|phrase|wd)|(?:access|auth|refresh|bearer|id|session)[_-]?token|token|(?:proxy-)?authorization|(?:set-)?cookie|credentials?)$/i;
const SHOWN_LENGTH = 1_024;
/** Looked at beyond what is shown, so that no secret is shown by half. */
const LOOKED_LENGTH = 4 * SHOWN_LENGTH;

const withoutSecrets = createRedactor();

/** What becomes of a text that is no secret by its definition or name. */
type OfText = (text: string) => string;

const wholeText = createTextRedactor([]);

/** For the audit: long content is shortened. */
export function compileRedaction(fields: readonly Field[]): (input: JsonObject) => JsonObject {
  return compile(fields, (text) => (text.length > LIMITS.recordedContentLengthMax ? shortened(text) : scanned(text)));
}

/** For those who decide: nothing is. */
export function compileWholeRedaction(fields: readonly Field[]): (input: JsonObject) => JsonObject {
  return compile(fields, wholeText);
}

function compile(fields: readonly Field[], ofText: OfText): (input: JsonObject) => JsonObject {
  const known = byName(fields);
  return (input) => redactObject(input, ofText, known);
}

function byName(fields: readonly Field[]): ReadonlyMap<string, Field> {
  return new Map(fields.map((field) => [field.name, field]));
}

function redactObject(value: JsonObject, ofText: OfText, known: ReadonlyMap<string, Field> | undefined, values?: Field): JsonObject {
  const result: Record<string, JsonValue> = {};
  for (const [name, each] of Object.entries(value)) {
    const field = known?.get(name) ?? values;
    const isSecret = field?.isSecret === true || (typeof each !== 'boolean' && each !== null && SECRET_NAME.test(name));
    result[name] = isSecret ? `[REDACTED:${name}]` : redact(each, ofText, field);
  }
  return result;
}

function redact(value: JsonValue, ofText: OfText, field: Field | undefined): JsonValue {
  if (typeof value === 'string') return ofText(value);
  if (Array.isArray(value))
    return value.map((each: JsonValue) => (field?.items?.isSecret === true ? '[REDACTED]' : redact(each, ofText, field?.items)));
  if (isObject(value)) return redactObject(value, ofText, field?.fields === undefined ? undefined : byName(field.fields), field?.values);
  return value;
}

function shortened(text: string): string {
  const hash = createHash('sha256').update(text).digest('hex');
  return `${scanned(text.slice(0, LOOKED_LENGTH)).slice(0, SHOWN_LENGTH).toWellFormed()}… [${Buffer.byteLength(text)} bytes, SHA-256 ${hash}]`;
}

/** Tokens and keys of well-known forms. */
function scanned(text: string): string {
  return withoutSecrets(text) as string; // Of a text it makes a text.
}
