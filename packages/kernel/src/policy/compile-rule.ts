import { compileCondition } from './condition/compile-condition.ts';
import type { CompiledCondition } from './condition/compiled-condition.ts';
import { type Quantifier, TRUE } from './condition/truth.ts';
import { fitsWildcard } from './condition/wildcard.ts';
import { patternsOf } from './index/static-dimensions.ts';
import { type CounterRef, LAYERS, type PolicyFile, type Rule, type RuleRef, TIERS, type Tier } from './policy.ts';
import type { Question } from './question.ts';

/** A rule as it is asked. */
export type CompiledRule = {
  readonly rule: Rule;
  readonly ref: RuleRef;
  /** From the top, 0. */
  readonly layer: number;
  /** In its file, from 0. */
  readonly position: number;
  readonly rank: number;
  readonly isConditional: boolean;
  /** Once its limit is reached. */
  readonly exceededRank: number;
  /** Whether it may match a call of this capability with some arguments. */
  isAbout(capability: string, agent: string, tags: readonly string[]): boolean;
  matches(question: Question): boolean;
  counterFor(agent: string): CounterRef | undefined;
};

export function rankOf(tier: Tier): number {
  return TIERS.indexOf(tier);
}

/** Rules that let pass want every value to satisfy them, rules that hold back are content with one. */
export function quantifierOf(tier: Tier): Quantifier {
  return tier === 'autonomous' || tier === 'notify' ? 'every' : 'one';
}

export function compileRule(file: PolicyFile, { rule, line }: PolicyFile['rules'][number], position: number): CompiledRule {
  const ref: RuleRef = { layer: file.layer, file: file.file, line, rule: rule.id ?? `rules[${position}]`, reason: rule.reason };
  const hasCapability = compileCapability(rule.capability);
  const hasAgent = compileAgent(rule.agent);
  const { tags, limit } = rule;
  const when: CompiledCondition | undefined = rule.when === undefined ? undefined : compileCondition(rule.when, quantifierOf(rule.tier));
  const isAbout = (capability: string, agent: string, labels: readonly string[]): boolean =>
    hasCapability(capability) && hasAgent(agent) && (tags === undefined || tags.some((tag) => labels.includes(tag)));
  const rank = rankOf(rule.tier);
  // The agent is the last part of the key and the rest tells where it ends, so no two keys are alike.
  const key =
    limit === undefined ? '' : JSON.stringify([file.layer, file.of ?? null, file.file, ref.rule, limit.what, limit.max, limit.perMs]);
  return {
    rule,
    ref,
    layer: LAYERS.indexOf(file.layer),
    position,
    rank,
    isConditional: when !== undefined,
    exceededRank: limit === undefined ? rank : Math.max(rank, rankOf(limit.onExceed)),
    isAbout,
    matches: (question) => {
      const { capability, agent, tags: labels } = question.request;
      return isAbout(capability, agent, labels) && (when === undefined || when(question) === TRUE);
    },
    counterFor: (agent) => (limit === undefined ? undefined : { key: key + agent, perMs: limit.perMs, what: limit.what, max: limit.max }),
  };
}

function compileCapability(patterns: readonly string[]): (capability: string) => boolean {
  if (patterns.includes('*')) return () => true;
  const [only] = patterns;
  if (patterns.length === 1 && only !== undefined) {
    if (!only.endsWith('.*')) return (capability) => capability === only;
    const category = only.slice(0, -1);
    return (capability) => capability.startsWith(category);
  }
  const all = new Set(patterns);
  return (capability) => patternsOf(capability).some((pattern) => all.has(pattern));
}

function compileAgent(names: readonly string[] | undefined): (agent: string) => boolean {
  if (names === undefined) return () => true;
  const exact = new Set(names.filter((name) => !name.includes('*')));
  const patterns = names.filter((name) => name.includes('*'));
  return (agent) => exact.has(agent) || patterns.some((pattern) => fitsWildcard(pattern, agent));
}
