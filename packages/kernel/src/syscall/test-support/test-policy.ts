/** A policy of a few lines, for tests of what the gate makes of a decision. */
import {
  type CounterRef,
  DEFAULT_ASK,
  type Decision,
  type Policy,
  type PolicyRequest,
  type RuleRef,
  type Tier,
} from '../../policy/policy.ts';

export type TestRule = {
  readonly tier: Tier | ((request: PolicyRequest) => Tier);
  readonly ask?: Partial<Decision['ask']>;
  /** At most so many calls in a window. */
  readonly limit?: { readonly max: number; readonly perMs: number; readonly what?: string };
};

export function createTestPolicy(rules: Readonly<Record<string, TestRule>>, version = 'test'): Policy {
  return {
    version,
    decide(request, read, allowances = []) {
      const found = Object.entries(rules).find(([capability]) => capability === request.capability);
      const rule = found?.[1];
      let tier = typeof rule?.tier === 'function' ? rule.tier(request) : (rule?.tier ?? request.defaultTier);
      const ref: RuleRef = { layer: 'workspace', file: 'workspace.yaml', line: 7, rule: request.capability, reason: 'for the test' };
      if (tier === 'approval_required' && allowances.some((each) => each.agent === request.agent)) tier = 'notify';
      const { limit } = rule ?? {};
      const counter: CounterRef | undefined = limit && {
        key: `${request.capability}/${request.agent}`,
        perMs: limit.perMs,
        what: limit.what ?? 'calls',
        max: limit.max,
      };
      const counted = counter && read(counter);
      const isExceeded = counter !== undefined && counted !== undefined && counted.amount >= counter.max;
      return {
        tier: isExceeded ? 'blocked' : tier,
        rule: found === undefined ? undefined : ref,
        opinions: [],
        exception: undefined,
        exceeded: isExceeded
          ? { rule: ref, counter, retryAfterMs: (counted.oldestAt ?? request.at) + counter.perMs - request.at }
          : undefined,
        counters: counter === undefined ? [] : [counter],
        ask: { ...DEFAULT_ASK, ...rule?.ask },
      };
    },
    outlook({ capability, defaultTier }) {
      const rule = rules[capability]?.tier;
      const tier = typeof rule === 'string' ? rule : defaultTier;
      return { mildest: tier, strictest: tier };
    },
  };
}
