import type { PolicyFile } from '@warren/kernel';
import type { RuleView } from '../handler/agent/agent-parts.ts';

/** Rules as an agent may read them: what happens to which capability and why, from the top; not where they stand. */
export function ruleViews(files: readonly PolicyFile[]): { readonly rules: readonly RuleView[]; readonly defaultTier: string | null } {
  const rules = files.flatMap(({ layer, rules: all }) =>
    all.flatMap(({ rule }, index) =>
      rule.capability.map((capability) => ({
        ...{ capability, tier: rule.tier, reason: rule.reason ?? null },
        rate_limit:
          rule.limit === undefined
            ? null
            : { max: rule.limit.max, per_seconds: rule.limit.perMs / 1_000, what: rule.limit.what, on_exceed: rule.limit.onExceed },
        rule: `${layer}: ${rule.id ?? `rules[${index}]`}`,
      })),
    ),
  );
  return { rules, defaultTier: files.findLast(({ defaultTier }) => defaultTier !== undefined)?.defaultTier ?? null };
}
