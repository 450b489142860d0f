import { type AskTerms, DEFAULT_ASK } from './policy.ts';

/** One answer out of the terms of several rules, from the top. See `AskTerms`. */
export function mergeAsk(terms: readonly Partial<AskTerms>[]): AskTerms {
  if (terms.length === 0) return DEFAULT_ASK;
  const quorums = terms.flatMap(({ quorum }) => quorum ?? []);
  const expiries = terms.flatMap(({ expiresMs }) => expiresMs ?? []);
  return {
    quorum: Math.max(DEFAULT_ASK.quorum, ...quorums),
    approvers: inCommon(terms.flatMap(({ approvers }) => (approvers === undefined || approvers.length === 0 ? [] : [approvers]))),
    expiresMs: expiries.length === 0 ? DEFAULT_ASK.expiresMs : Math.min(...expiries),
    escalate: terms.find(({ escalate }) => escalate !== undefined)?.escalate,
  };
}

/** An empty list would stand for everybody, so lists that have nothing in common leave the first. */
function inCommon(lists: readonly (readonly string[])[]): readonly string[] {
  const [first = [], ...rest] = lists;
  const shared = first.filter((group) => rest.every((list) => list.includes(group)));
  return shared.length === 0 ? first : shared;
}
