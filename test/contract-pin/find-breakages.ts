/**
 * What a change of the contract would break. Parameters may only become wider: a request that was accepted is accepted. Results may only
 * gain fields: what a program reads is there, and is what it was. Operations that are experimental may change in any way; deprecated ones
 * may go, and keep the promise while they are there.
 */
import { isDeepStrictEqual } from 'node:util';
import type { JsonSchema } from '@warren/protocol/contract';
import type { Pin, PinnedOperation } from './pin.ts';

/** One sentence each. Empty: nobody notices. */
export function findBreakages(pinned: Pin, current: Pin): readonly string[] {
  return Object.entries(pinned).flatMap(([name, was]) => breakagesOf(name, was, current[name]));
}

/**
 * The pin to write down: as things are now, except where that would break something. There it stays as it was, until somebody takes it
 * out of the file by hand.
 */
export function mergePins(pinned: Pin, current: Pin): Pin {
  const kept = Object.entries(pinned).filter(([name, was]) => breakagesOf(name, was, current[name]).length > 0);
  return { ...current, ...Object.fromEntries(kept) };
}

function breakagesOf(name: string, was: PinnedOperation, is: PinnedOperation | undefined): readonly string[] {
  if (was.tier === 'experimental') return [];
  if (is === undefined) return was.tier === 'deprecated' ? [] : [`${name} was removed`];
  return [
    ...(is.tier === 'experimental' ? [`${name} was ${was.tier} and is experimental`] : []),
    ...(is.effect === was.effect ? [] : [`${name}: the effect was ${was.effect} and is ${is.effect}`]),
    ...(isDeepStrictEqual(is.scope, was.scope) ? [] : [`${name}: the scope was ${say(was.scope)} and is ${say(is.scope)}`]),
    ...compare(was.params, is.params, { at: `${name} takes`, isResult: false }),
    ...compare(was.result, is.result, { at: `${name} gives`, isResult: true }),
  ];
}

type Place = { readonly at: string; readonly isResult: boolean };

function compare(was: JsonSchema, is: JsonSchema, place: Place): readonly string[] {
  const [before, now] = [alternativesOf(was), alternativesOf(is)];
  const changedDefault =
    was.default === undefined || isDeepStrictEqual(was.default, is.default)
      ? []
      : [`${place.at}: the default was ${say(was.default)} and is ${say(is.default)}`];
  const [only, onlyNow] = [before[0], now[0]];
  if (before.length === 1 && now.length === 1 && only !== undefined && onlyNow !== undefined) {
    return [...changedDefault, ...compareOne(only, onlyNow, place)];
  }
  const fits = (one: JsonSchema, other: JsonSchema): boolean => compareOne(one, other, place).length === 0;
  const gone = before.filter((one) => !now.some((other) => fits(one, other)));
  const added = place.isResult ? now.filter((other) => !before.some((one) => fits(one, other))) : [];
  return [
    ...changedDefault,
    ...gone.map((one) => `${place.at}: no longer ${say(one)}`),
    ...added.map((one) => `${place.at}: also ${say(one)}, which nobody expects`),
  ];
}

function alternativesOf(schema: JsonSchema): readonly JsonSchema[] {
  const alternatives = (schema.anyOf ?? schema.oneOf) as readonly JsonSchema[] | undefined; // The contract uses no schema that is true or false.
  if (alternatives !== undefined) return alternatives.flatMap(alternativesOf);
  const { default: _, ...rest } = schema;
  const types: unknown = schema.type;
  return Array.isArray(types) ? (types.map((type) => ({ ...rest, type: type as JsonSchema['type'] })) as JsonSchema[]) : [rest]; // A list of types is a list of their names.
}

const LEAST = ['minimum', 'exclusiveMinimum', 'minLength', 'minItems'] as const;
const MOST = ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems'] as const;
const FORM = ['pattern', 'format', 'contentEncoding', 'multipleOf', 'uniqueItems'] as const;
const NESTED = ['items', 'additionalProperties', 'propertyNames'] as const;
const KNOWN = new Set<string>([
  ...LEAST,
  ...MOST,
  ...FORM,
  ...NESTED,
  'type',
  'enum',
  'const',
  'properties',
  'required',
  'readOnly',
  'description',
]);

/** Two schemas without alternatives. */
function compareOne(was: JsonSchema, is: JsonSchema, place: Place): readonly string[] {
  const unknown = [...Object.keys(was), ...Object.keys(is)].filter((key) => !KNOWN.has(key));
  if (unknown.length > 0) throw new Error(`Cannot compare what ${place.at}: nothing is known about ${unknown.join(', ')}`);
  if (!place.isResult && Object.keys(is).length === 0) return []; // It takes anything.
  if (!isSameType(was, is, place)) return [`${place.at}: the type was ${say(was.type)} and is ${say(is.type)}`];
  return [
    ...compareValues(was, is, place),
    ...compareBounds(was, is, place),
    ...FORM.filter((key) => is[key] !== was[key] && (place.isResult || is[key] !== undefined)).map(
      (key) => `${place.at}: ${key} was ${say(was[key])} and is ${say(is[key])}`,
    ),
    ...NESTED.filter((key) => was[key] !== undefined || is[key] !== undefined).flatMap((key) =>
      compare(nested(was, key), nested(is, key), { ...place, at: `${place.at} ${key} of` }),
    ),
    ...compareFields(was, is, place),
  ];
}

function isSameType(was: JsonSchema, is: JsonSchema, { isResult }: Place): boolean {
  return was.type === is.type || (!isResult && was.type === 'integer' && is.type === 'number');
}

function compareValues(was: JsonSchema, is: JsonSchema, place: Place): readonly string[] {
  const [before, now] = [valuesOf(was), valuesOf(is)];
  if (before === undefined && now === undefined) return [];
  const gone = now === undefined ? [] : (before ?? ['anything']).filter((value) => !now.includes(value));
  const added = before === undefined || !place.isResult ? [] : (now ?? ['anything']).filter((value) => !before.includes(value));
  return [
    ...gone.map((value) => `${place.at}: no longer ${say(value)}`),
    ...added.map((value) => `${place.at}: also ${say(value)}, which nobody expects`),
  ];
}

function valuesOf(schema: JsonSchema): readonly unknown[] | undefined {
  return schema.const === undefined ? schema.enum : [schema.const];
}

function compareBounds(was: JsonSchema, is: JsonSchema, place: Place): readonly string[] {
  const isTighter = (key: (typeof LEAST | typeof MOST)[number]): boolean => {
    const [before, now] = [was[key], is[key]];
    if (before === now) return false;
    if (place.isResult) return true;
    if (now === undefined) return false;
    if (before === undefined) return true;
    return LEAST.some((least) => least === key) ? now > before : now < before;
  };
  return [...LEAST, ...MOST].filter(isTighter).map((key) => `${place.at}: ${key} was ${say(was[key])} and is ${say(is[key])}`);
}

function compareFields(was: JsonSchema, is: JsonSchema, place: Place): readonly string[] {
  const { properties: before = {}, required: neededBefore = [] } = was;
  const { properties: now = {}, required: needed = [] } = is;
  const fields = Object.entries(before).flatMap(([name, field]) => {
    const at = `${place.at} ${name}`;
    const other = now[name];
    return other === undefined ? [`${at}: it was removed`] : compare(field as JsonSchema, other as JsonSchema, { ...place, at }); // As above.
  });
  const missing = neededBefore.filter((name) => place.isResult && name in now && !needed.includes(name));
  const demanded = needed.filter((name) => !place.isResult && !neededBefore.includes(name));
  return [
    ...fields,
    ...missing.map((name) => `${place.at} ${name}: it was always there and is optional`),
    ...demanded.map((name) => `${place.at} ${name}: it is required and was not`),
  ];
}

function nested(schema: JsonSchema, key: (typeof NESTED)[number]): JsonSchema {
  const inner = schema[key];
  return typeof inner === 'object' && !Array.isArray(inner) ? (inner as JsonSchema) : {}; // As above.
}

function say(value: unknown): string {
  return JSON.stringify(value) ?? 'nothing';
}
