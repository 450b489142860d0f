import { problemsOfCondition } from './check/check-condition.ts';
import { compileCondition } from './condition/compile-condition.ts';
import type { CompiledCondition } from './condition/compiled-condition.ts';
import { TRUE, UNKNOWN } from './condition/truth.ts';
import type { Allowance, Condition, RuleRef } from './policy.ts';
import type { Question } from './question.ts';

const compiled = new WeakMap<Condition, CompiledCondition>();

/** The first standing answer that holds for this call. */
export function permitsByAllowance(allowances: readonly Allowance[], question: Question): RuleRef | undefined {
  const { agent, capability, at } = question.request;
  for (const allowance of allowances) {
    if (allowance.capability !== capability || allowance.agent !== agent || !(at < allowance.expiresAt)) continue;
    if (allowance.when === undefined || compile(allowance.when)(question) === TRUE) return refOf(allowance);
  }
  return undefined;
}

function refOf({ id }: Allowance): RuleRef {
  return { layer: 'allowance', file: '', line: 0, rule: id, reason: undefined };
}

/** Conditions never change, so each is compiled once. */
function compile(condition: Condition): CompiledCondition {
  const known = compiled.get(condition);
  if (known !== undefined) return known;
  const fresh = problemsOfCondition(condition).length === 0 ? compileCondition(condition, 'every') : never;
  compiled.set(condition, fresh);
  return fresh;
}

function never(): typeof UNKNOWN {
  return UNKNOWN;
}
