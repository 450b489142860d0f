/** Makes of arguments what may be recorded: secrets by their definition, their name or their form are left out, long content is told by its hash. */
import { createHash } from 'node:crypto';
import { type Capability, createRedactor, createTextRedactor } from '@warren/kernel';
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

type FindCapability = (name: string) => Pick<Capability, 'redact' | 'redactWhole'> | undefined;

/** For the audit: long content is shortened. `find`: the capabilities there are, for arguments of others among the arguments. */
export function compileRedaction(fields: readonly Field[], find: FindCapability = () => undefined): (input: JsonObject) => JsonObject {
  const ofText = (text: string): string => (text.length > LIMITS.recordedContentLengthMax ? shortened(text) : scanned(text));
  return compile(fields, { ofText, ofCall: (name, input) => find(name)?.redact(input) });
}

/** For those who decide: nothing is. */
export function compileWholeRedaction(fields: readonly Field[], find: FindCapability = () => undefined): (input: JsonObject) => JsonObject {
  return compile(fields, { ofText: wholeText, ofCall: (name, input) => find(name)?.redactWhole(input) });
}

type Ways = {
  readonly ofText: OfText;
  /** Arguments of another capability; undefined when there is none of this name. */
  readonly ofCall: (capability: string, input: JsonObject) => JsonObject | undefined;
};

function compile(fields: readonly Field[], ways: Ways): (input: JsonObject) => JsonObject {
  const known = byName(fields);
  return (input) => redactObject(input, ways, known);
}

function byName(fields: readonly Field[]): ReadonlyMap<string, Field> {
  return new Map(fields.map((field) => [field.name, field]));
}

function redactObject(value: JsonObject, ways: Ways, known: ReadonlyMap<string, Field> | undefined, values?: Field): JsonObject {
  const result: Record<string, JsonValue> = {};
  for (const [name, each] of Object.entries(value)) {
    const field = known?.get(name) ?? values;
    const isSecret = field?.isSecret === true || (typeof each !== 'boolean' && each !== null && SECRET_NAME.test(name));
    if (isSecret) result[name] = `[REDACTED:${name}]`;
    else if (field?.argumentsOf !== undefined && isObject(each)) result[name] = redactCall(value[field.argumentsOf], each, ways);
    else result[name] = redact(each, ways, field);
  }
  return result;
}

/** Of a capability that is not there nobody knows what is secret, so the names are all that is kept. */
function redactCall(capability: JsonValue | undefined, input: JsonObject, { ofCall }: Ways): JsonObject {
  const redacted = typeof capability === 'string' ? ofCall(capability, input) : undefined;
  return redacted ?? Object.fromEntries(Object.keys(input).map((name) => [name, '[REDACTED]']));
}

function redact(value: JsonValue, ways: Ways, field: Field | undefined): JsonValue {
  if (typeof value === 'string') return ways.ofText(value);
  if (Array.isArray(value))
    return value.map((each: JsonValue) => (field?.items?.isSecret === true ? '[REDACTED]' : redact(each, ways, field?.items)));
  if (isObject(value)) return redactObject(value, ways, field?.fields === undefined ? undefined : byName(field.fields), field?.values);
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
