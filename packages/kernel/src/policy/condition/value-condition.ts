import { RE2JS } from 're2js';
import type { JsonValue } from '../../internal/json.ts';
import type { ValueCondition } from '../policy.ts';
import { SEARCHED_TEXT_MAX, VALUES_MAX } from '../policy-bounds.ts';
import { argumentAt, namesOfPlace } from './argument-at.ts';
import type { CompiledCondition } from './compiled-condition.ts';
import { isEqual } from './is-equal.ts';
import { asksForNumber, isWithin } from './number-condition.ts';
import { against, both, type Quantifier, quantify, TRUE, type Truth, truthOf, UNKNOWN } from './truth.ts';

type Part = (value: JsonValue) => Truth;

export function compileValue(place: string, condition: ValueCondition, quantifier: Quantifier): CompiledCondition {
  const names = namesOfPlace(place);
  const test = compileArgument(condition, quantifier);
  return ({ request }) => test(argumentAt(request.input, names));
}

function compileArgument(condition: ValueCondition, quantifier: Quantifier): (argument: JsonValue | undefined) => Truth {
  const { exists, equals } = condition;
  const wholeList = Array.isArray(equals) ? equals : undefined;
  const quick = partsOf(condition);
  const search = searchOf(condition);
  const hasParts = quick.length > 0 || search !== undefined;
  return (argument) => {
    let truth: Truth = exists === undefined ? TRUE : truthOf(exists === (argument !== undefined));
    if (wholeList !== undefined) truth = both(truth, argument === undefined ? UNKNOWN : truthOf(isEqual(wholeList, argument)));
    if (!hasParts) return truth;
    if (argument === undefined) return both(truth, UNKNOWN);
    const values: readonly JsonValue[] = Array.isArray(argument) ? argument : [argument];
    if (values.length > VALUES_MAX) return both(truth, against(quantifier));
    const isTooLong = search !== undefined && textLengthOf(values) > SEARCHED_TEXT_MAX;
    return both(
      truth,
      quantify(values, quantifier, (value) => test(value, isTooLong)),
    );
  };

  function test(value: JsonValue, isTooLong: boolean): Truth {
    let truth: Truth = TRUE;
    for (const part of quick) truth = both(truth, part(value));
    if (search === undefined || truth === 0) return truth;
    if (typeof value !== 'string') return both(truth, UNKNOWN);
    return both(truth, isTooLong ? against(quantifier) : truthOf(search(value)));
  }
}

/** What takes no longer for a long text than for a short one. */
function partsOf(condition: ValueCondition): readonly Part[] {
  const { equals, in: among, notIn, startsWith, endsWith } = condition;
  const parts: Part[] = [];
  if (equals !== undefined && !Array.isArray(equals)) parts.push((value) => truthOf(isEqual(equals, value)));
  if (among !== undefined) parts.push((value) => truthOf(among.some((one) => isEqual(one, value))));
  if (notIn !== undefined) parts.push((value) => truthOf(!notIn.some((one) => isEqual(one, value))));
  if (startsWith !== undefined) parts.push((value) => (typeof value === 'string' ? truthOf(value.startsWith(startsWith)) : UNKNOWN));
  if (endsWith !== undefined) parts.push((value) => (typeof value === 'string' ? truthOf(value.endsWith(endsWith)) : UNKNOWN));
  if (asksForNumber(condition)) parts.push((value) => (typeof value === 'number' ? truthOf(isWithin(condition, value)) : UNKNOWN));
  return parts;
}

function searchOf({ contains, regex }: ValueCondition): ((text: string) => boolean) | undefined {
  if (contains === undefined && regex === undefined) return undefined;
  const compiled = regex === undefined ? undefined : RE2JS.compile(regex);
  return (text) => (contains === undefined || text.includes(contains)) && (compiled === undefined || compiled.test(text));
}

function textLengthOf(values: readonly JsonValue[]): number {
  return values.reduce<number>((sum, value) => sum + (typeof value === 'string' ? value.length : 0), 0);
}
