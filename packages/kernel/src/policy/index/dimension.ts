import type { PolicyRequest, Rule } from '../policy.ts';

/**
 * One way to tell rules apart. A rule that can match a request has at least one key in common with it, or has no keys: then it is looked at every time. More keys in common
 * than needed cost time and change nothing, for whether a rule matches is asked of the rule.
 */
export interface Dimension {
  /** Where a question keeps the keys of the request. */
  readonly slot: number;
  /** Whether it needs no arguments: capability, tags and agent. */
  readonly isStatic: boolean;
  keysOfRule(rule: Rule): readonly string[] | undefined;
  /** Undefined: any key may be its. */
  keysOfRequest(request: PolicyRequest): readonly string[] | undefined;
}

export type DimensionKind = Omit<Dimension, 'slot'>;
