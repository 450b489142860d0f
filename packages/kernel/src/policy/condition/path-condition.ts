import type { CallFacts, PathCondition } from '../policy.ts';
import type { CompiledCondition } from './compiled-condition.ts';
import { fitsGlob, readGlob } from './glob.ts';
import { isUnder } from './is-under.ts';
import { type Quantifier, quantify, truthOf } from './truth.ts';

type PathFact = CallFacts['paths'][number];

export function compilePath(condition: PathCondition, quantifier: Quantifier): CompiledCondition {
  const { under, notUnder, mode } = condition;
  const globs = condition.glob?.map(readGlob);
  const test = (fact: PathFact): boolean =>
    (mode === undefined || fact.mode === mode) &&
    (under === undefined || isUnderOne(fact.path, under)) &&
    (notUnder === undefined || !isUnderOne(fact.path, notUnder)) &&
    (globs === undefined || globs.some((glob) => isUnder(fact.path, glob.under) && fitsGlob(glob, fact.path)));
  return ({ request }) => quantify(request.facts.paths, quantifier, (fact) => truthOf(test(fact)));
}

function isUnderOne(path: string, prefixes: readonly string[]): boolean {
  for (const prefix of prefixes) if (isUnder(path, prefix)) return true;
  return false;
}
