/**
 * Bounds on what a call may get, from rules alone. What has a condition may match or not, independently of all else, so the bounds may be wider than the truth and are
 * never narrower.
 */
import type { CompiledFile } from './compile-file.ts';
import { rankOf } from './compile-rule.ts';
import { isForbiddenName } from './hard-blocks/hard-blocks.ts';
import { NO_FACTS, type PolicyRequest, TIERS, type Tier } from './policy.ts';
import { Question } from './question.ts';

type Asked = Pick<PolicyRequest, 'capability' | 'tags' | 'agent' | 'defaultTier'>;

/** What one file may say. */
type Possible = {
  readonly layer: number;
  /** Whether it says something in any case. */
  readonly isCertain: boolean;
  readonly mildest: number;
  readonly strictest: number;
  /** The mildest of its exceptions that may match. */
  readonly exception: number | undefined;
  /** Whether an exception, and one without a limit, is all it can say. */
  readonly isException: boolean;
};

export function outlook(files: readonly CompiledFile[], asked: Asked): { readonly mildest: Tier; readonly strictest: Tier } {
  if (isForbiddenName(asked.capability)) return { mildest: 'blocked', strictest: 'blocked' };
  const question = new Question({ ...asked, input: {}, facts: NO_FACTS, taint: [], at: 0 });
  const possible = files.flatMap((file) => possibleOf(file, question) ?? []);
  const fallback = rankOf(asked.defaultTier);
  return { mildest: tierOf(mildestOf(possible, fallback)), strictest: tierOf(strictestOf(possible, fallback)) };
}

function possibleOf(file: CompiledFile, question: Question): Possible | undefined {
  const { capability, agent, tags } = question.request;
  const reached = [];
  let isCertain = file.fallback !== undefined;
  for (const rule of file.rules.candidates(question)) {
    if (!rule.isAbout(capability, agent, tags)) continue;
    reached.push(rule);
    if (rule.isConditional) continue;
    isCertain = true;
    break;
  }
  const ends = reached.at(-1)?.isConditional === false ? undefined : file.fallback;
  const ranks = [...reached.flatMap(({ rank, exceededRank }) => [rank, exceededRank]), ...(ends === undefined ? [] : [ends.rank])];
  if (ranks.length === 0) return undefined;
  const exceptions = reached.filter(({ rule }) => rule.exception === true);
  return {
    layer: file.layer,
    isCertain,
    mildest: Math.min(...ranks),
    strictest: Math.max(...ranks),
    exception: exceptions.length === 0 ? undefined : Math.min(...exceptions.map(({ rank }) => rank)),
    isException: isCertain && ends === undefined && reached.every(({ rule }) => rule.exception === true && rule.limit === undefined),
  };
}

/** Without exceptions, or with the one that leaves the least above it. */
function mildestOf(possible: readonly Possible[], fallback: number): number {
  const ways = possible.flatMap(({ exception, layer }) => {
    if (exception === undefined) return [];
    const others = possible.filter((other) => other.layer <= layer && other.isCertain).map(({ mildest }) => mildest);
    return [Math.max(exception, ...others)];
  });
  const certain = possible.filter(({ isCertain }) => isCertain).map(({ mildest }) => mildest);
  const plain = certain.length > 0 ? Math.max(...certain) : Math.min(fallback, ...possible.map(({ mildest }) => mildest));
  return Math.min(plain, ...ways);
}

function strictestOf(possible: readonly Possible[], fallback: number): number {
  const floor = possible.find(({ isException }) => isException)?.layer ?? Number.POSITIVE_INFINITY;
  const ranks = possible.filter(({ layer }) => layer <= floor).map(({ strictest }) => strictest);
  return Math.max(...ranks, ...(possible.some(({ isCertain }) => isCertain) ? [] : [fallback]));
}

function tierOf(rank: number): Tier {
  return TIERS[rank] ?? 'blocked';
}
