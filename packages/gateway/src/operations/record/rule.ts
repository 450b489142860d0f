import type { AskTerms, Decision, RuleRef } from '@warren/kernel';
import type { RuleReference } from '@warren/protocol/contract';

export function toRuleReference({ layer, file, line, rule, reason }: RuleRef): RuleReference {
  const place = file === '' ? { file: null, line: null } : { file, line };
  return { layer, ...place, rule, reason: reason ?? null };
}

export function toAskTerms({ quorum, approvers, expiresMs, escalate }: AskTerms) {
  const escalation = escalate === undefined ? null : { after_ms: escalate.afterMs, to: escalate.to };
  return { quorum, approvers, expires_ms: expiresMs, escalate: escalation };
}

export function toDecision({ tier, rule, opinions, exception, exceeded, ask }: Decision) {
  return {
    tier,
    rule: rule === undefined ? null : toRuleReference(rule),
    opinions: opinions.map((opinion) => ({ tier: opinion.tier, rule: toRuleReference(opinion.rule) })),
    exception: exception === undefined ? null : toRuleReference(exception),
    exceeded:
      exceeded === undefined
        ? null
        : {
            rule: toRuleReference(exceeded.rule),
            what: exceeded.counter.what,
            max: exceeded.counter.max,
            per_ms: exceeded.counter.perMs,
            retry_after_ms: Math.ceil(exceeded.retryAfterMs),
          },
    ask: toAskTerms(ask),
  };
}
