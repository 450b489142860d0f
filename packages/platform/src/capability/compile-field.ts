/**
 * Makes of a field's definition the function that takes its value: strict about types (nothing is converted), with bounds and clamping, and with an answer in
 * canonical form. Done once for each definition; a call only runs what came out.
 */

import type { JsonObject, JsonValue } from '@warren/protocol';
import { suggest } from '@warren/protocol';
import type { Field, FieldType } from './definition.ts';
import { LIMITS } from './limits.ts';
import {
  hint,
  type ReadText,
  readArgument,
  readCapabilityName,
  readCron,
  readDateTime,
  readGlob,
  readHost,
  readName,
  readPath,
  readSha256,
  readSignal,
  readUrl,
  readZone,
} from './read-text.ts';

/** Collects what is wrong, each with its place. */
export class InputProblems {
  readonly list: { readonly field: string; readonly reason: string }[] = [];
  /** Bytes of content so far. */
  contentBytes = 0;

  add(field: string, reason: string): undefined {
    if (this.list.length < LIMITS.problemsMax) this.list.push({ field, reason });
    return undefined;
  }
}

/** Undefined when it was refused; then a problem says why. */
export type ReadValue = (value: JsonValue, at: string, problems: InputProblems) => JsonValue | undefined;

const TEXTS: Partial<Readonly<Record<FieldType, ReadText>>> = {
  FilesystemPath: readPath,
  GlobPattern: readGlob,
  URL: readUrl,
  Host: readHost,
  DateTime: readDateTime,
  SHA256: readSha256,
  AgentId: readName,
  SessionId: readName,
  CronExpression: readCron,
  TimeZone: readZone,
  Signal: readSignal,
  CapabilityName: readCapabilityName,
};

export function compileField(field: Field): ReadValue {
  const read = ofType(field);
  const checked = field.enum === undefined ? read : ofEnum(field.enum, read);
  if (!field.nullable) return checked;
  return (value, at, problems) => (value === null ? null : checked(value, at, problems));
}

function ofType(field: Field): ReadValue {
  switch (field.type) {
    case 'Any':
      return (value) => value;
    case 'Boolean':
      return (value, at, problems) => (typeof value === 'boolean' ? value : wrongType(value, at, problems, 'true or false'));
    case 'Integer':
      return ofNumber(field, 'a whole number', Number.isSafeInteger);
    case 'Port':
      return ofNumber({ ...field, minimum: field.minimum ?? 1, maximum: field.maximum ?? 65_535 }, 'a whole number', Number.isSafeInteger);
    case 'Float':
    case 'Number':
      return ofNumber(field, 'a number', Number.isFinite);
    case 'Array':
      return ofArray(field);
    case 'Object':
      return ofObject(field);
    case 'Command':
      return field.argumentsFrom === undefined ? ofCommandLine(field) : ofText({ ...field, minimum: field.minimum ?? 1 }, readArgument);
    case 'Content':
      return ofContent(field);
    case 'String':
      return ofText(field, undefined);
    default:
      return ofText(field, TEXTS[field.type]);
  }
}

function ofText(field: Field, read: ReadText | undefined): ReadValue {
  const { minimum = 0, maximum = Number.POSITIVE_INFINITY } = field;
  return (value, at, problems) => {
    if (typeof value !== 'string') return wrongType(value, at, problems, 'a text');
    if (value.length < minimum)
      return problems.add(at, value === '' ? 'is empty' : `has ${value.length} characters, at least ${minimum} are needed`);
    if (value.length > maximum) return problems.add(at, `has ${value.length} characters, at most ${maximum} are allowed`);
    if (read === undefined) return value;
    const text = read(value);
    return typeof text === 'string' ? text : problems.add(at, text.refused);
  };
}

function ofContent(field: Field): ReadValue {
  const text = ofText(field, undefined);
  return (value, at, problems) => {
    const content = text(value, at, problems);
    if (typeof content === 'string') problems.contentBytes += Buffer.byteLength(content);
    return content;
  };
}

function ofNumber(field: Field, what: string, isKind: (value: number) => boolean): ReadValue {
  const { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY, isClamped } = field;
  return (value, at, problems) => {
    if (typeof value !== 'number' || !isKind(value)) return wrongType(value, at, problems, what);
    if (value < minimum) return problems.add(at, `is ${value}, at least ${minimum} is needed`);
    if (value <= maximum) return value;
    return isClamped ? maximum : problems.add(at, `is ${value}, at most ${maximum} is allowed`);
  };
}

function ofArray(field: Field): ReadValue {
  const { minimum = 0, maximum = LIMITS.valuesMax } = field;
  const item = field.items === undefined ? undefined : compileField(field.items);
  return (value, at, problems) => {
    if (!Array.isArray(value)) return wrongType(value, at, problems, 'a list');
    if (value.length < minimum) return problems.add(at, `has ${value.length} items, at least ${minimum} are needed`);
    if (value.length > maximum) return problems.add(at, `has ${value.length} items, at most ${maximum} are allowed`);
    if (item === undefined) return value;
    return value.map((each: JsonValue, index) => item(each, `${at}[${index}]`, problems) ?? null); // With a problem nobody sees it.
  };
}

function ofCommandLine(field: Field): ReadValue {
  const list = ofArray({
    ...field,
    minimum: 1,
    maximum: field.maximum ?? LIMITS.argumentsMax,
    items: { ...field, type: 'Command', argumentsFrom: field.name, nullable: false, enum: undefined, minimum: 0, maximum: undefined },
  });
  return (value, at, problems) => {
    const line = list(value, at, problems);
    return Array.isArray(line) && line[0] === '' ? problems.add(`${at}[0]`, 'is empty; it is the program') : line;
  };
}

function ofObject(field: Field): ReadValue {
  if (field.fields !== undefined) {
    const read = compileFields(field.fields);
    return (value, at, problems) => (isObject(value) ? read(value, at, problems) : wrongType(value, at, problems, 'an object'));
  }
  const { maximum = LIMITS.valuesMax } = field;
  const each = field.values === undefined ? undefined : compileField(field.values);
  return (value, at, problems) => {
    if (!isObject(value)) return wrongType(value, at, problems, 'an object');
    const entries = Object.entries(value);
    if (entries.length > maximum) return problems.add(at, `has ${entries.length} fields, at most ${maximum} are allowed`);
    if (each === undefined) return value;
    return Object.fromEntries(entries.map(([name, one]) => [name, each(one, `${at}.${quoted(name)}`, problems) ?? null])); // As above.
  };
}

/** Of an object with known fields: what is missing gets its default, what is unknown is refused, and the result has them in the order of the definition. */
export function compileFields(fields: readonly Field[]): (value: JsonObject, at: string, problems: InputProblems) => JsonObject {
  const readers = fields.map((field) => ({
    name: field.name,
    read: compileField(field),
    isRequired: field.required,
    default: field.default,
  }));
  const known = new Set(fields.map(({ name }) => name));
  return (value, at, problems) => {
    const result: Record<string, JsonValue> = {};
    let taken = 0;
    for (const reader of readers) {
      const place = at === '' ? reader.name : `${at}.${reader.name}`;
      if (Object.hasOwn(value, reader.name)) {
        taken++;
        const read = reader.read(value[reader.name]!, place, problems); // It has it.
        if (read !== undefined) result[reader.name] = read;
      } else if (reader.default !== undefined) {
        result[reader.name] = cloneJson(reader.default);
      } else if (reader.isRequired) problems.add(place, 'is missing');
    }
    const names = Object.keys(value);
    if (taken < names.length) refuseUnknown(names, known, at, problems);
    return result;
  };
}

function refuseUnknown(names: readonly string[], known: ReadonlySet<string>, at: string, problems: InputProblems): void {
  for (const name of names) {
    if (known.has(name)) continue;
    const near = suggest(name, known);
    const taken = known.size === 0 ? 'nothing is taken' : `known are ${[...known].join(', ')}`;
    problems.add(at === '' ? quoted(name) : `${at}.${quoted(name)}`, `is unknown${near === undefined ? `; ${taken}` : hint(near)}`);
  }
}

function ofEnum(allowed: readonly JsonValue[], read: ReadValue): ReadValue {
  const set = new Set(allowed);
  const texts = allowed.filter((each) => typeof each === 'string');
  return (value, at, problems) => {
    const taken = read(value, at, problems);
    if (taken === undefined || set.has(taken)) return taken;
    const near = typeof taken === 'string' ? suggest(taken, texts) : undefined;
    return problems.add(at, `is not one of ${allowed.join(', ')}${hint(near)}`);
  };
}

function wrongType(value: JsonValue, at: string, problems: InputProblems, wanted: string): undefined {
  return problems.add(at, `is ${describe(value)}, not ${wanted}`);
}

function describe(value: JsonValue): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  switch (typeof value) {
    case 'string':
      return 'a text';
    case 'number':
      return `the number ${value}`;
    case 'boolean':
      return String(value);
    default:
      return 'an object';
  }
}

/** Much faster than `structuredClone` for the small values that defaults are. */
function cloneJson(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(cloneJson);
  return isObject(value) ? Object.fromEntries(Object.entries(value).map(([name, each]) => [name, cloneJson(each)])) : value;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function quoted(name: string): string {
  return name.length > 64 ? `${name.slice(0, 64)}…` : name;
}
