import type { JsonValue } from '../../internal/json.ts';
import { argumentAt, namesOfPlace } from '../condition/argument-at.ts';
import type { PolicyRequest, Rule, ValueCondition } from '../policy.ts';
import { VALUES_MAX } from '../policy-bounds.ts';
import type { DimensionKind } from './dimension.ts';

/** Longer texts are not told apart here: a key has to be hashed. */
const KEY_LENGTH_MAX = 256;
/** Different lengths of beginnings and ends: each costs every question a look. */
const LENGTHS_MAX = 16;
const PLACES_MAX = 8;

/** The places that most rules ask about, by value and by the beginning and end of a text. */
export function argumentDimensions(rules: readonly Rule[]): readonly DimensionKind[] {
  const counts = new Map<string, number>();
  for (const { when } of rules) for (const place of Object.keys(when?.args ?? {})) counts.set(place, (counts.get(place) ?? 0) + 1);
  const places = [...counts].toSorted(([, one], [, other]) => other - one).slice(0, PLACES_MAX);
  return places.flatMap(([place]) => [valueDimension(place), ...edgeDimensions(place, rules)]);
}

function valueDimension(place: string): DimensionKind {
  const names = namesOfPlace(place);
  return {
    isStatic: false,
    keysOfRule: (rule) => keysOfCondition(conditionAt(rule, place)),
    keysOfRequest: (request) => valuesAt(request, names)?.flatMap((value) => keyOf(value) ?? []),
  };
}

function edgeDimensions(place: string, rules: readonly Rule[]): readonly DimensionKind[] {
  const names = namesOfPlace(place);
  return (['startsWith', 'endsWith'] as const).flatMap((edge) => {
    const texts = rules.flatMap((rule) => conditionAt(rule, place)?.[edge] ?? []);
    const lengths = [...new Set(texts.map(({ length }) => length))];
    if (lengths.length === 0 || lengths.length > LENGTHS_MAX) return [];
    const cut = (text: string, length: number): string =>
      edge === 'startsWith' ? text.slice(0, length) : text.slice(text.length - length);
    const keysOfRule = (rule: Rule): readonly string[] | undefined => {
      const text = conditionAt(rule, place)?.[edge];
      return text === undefined ? undefined : [text];
    };
    const keysOfText = (text: string): readonly string[] =>
      lengths.filter((length) => length <= text.length).map((length) => cut(text, length));
    const keysOfRequest = (request: PolicyRequest): readonly string[] | undefined =>
      valuesAt(request, names)?.flatMap((value) => (typeof value === 'string' ? keysOfText(value) : []));
    return [{ isStatic: false, keysOfRule, keysOfRequest }];
  });
}

function conditionAt({ when }: Rule, place: string): ValueCondition | undefined {
  return when?.args !== undefined && Object.hasOwn(when.args, place) ? when.args[place] : undefined;
}

function keysOfCondition(condition: ValueCondition | undefined): readonly string[] | undefined {
  const values = condition?.equals === undefined ? condition?.in : [condition.equals];
  const keys = values?.flatMap((value) => keyOf(value) ?? []);
  return keys?.length === values?.length ? keys : undefined;
}

function keyOf(value: JsonValue): string | undefined {
  if (typeof value === 'string') return value.length <= KEY_LENGTH_MAX ? `=${value}` : undefined;
  return value === null || typeof value !== 'object' ? String(value) : undefined;
}

/** Undefined when there are too many: then conditions do not look at them either. */
function valuesAt(request: PolicyRequest, names: readonly string[]): readonly JsonValue[] | undefined {
  const argument = argumentAt(request.input, names);
  if (argument === undefined) return [];
  if (!Array.isArray(argument)) return [argument];
  return argument.length > VALUES_MAX ? undefined : argument;
}
