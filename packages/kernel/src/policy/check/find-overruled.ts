/**
 * What a file of a lower layer says and never gets, because a file above is stricter about all of it: of two files the more restrictive tier wins. Only what is certain is
 * found: whatever the file above says of these calls up to the rule that matches all of them is stricter.
 */
import { rankOf } from '../compile-rule.ts';
import type { PolicyFile, Tier } from '../policy.ts';
import { covers, type Entry, entryOf } from './find-covered.ts';

/** A line of the lower file, and the one above that it stands against. */
export type Overruled = { readonly line: number; readonly tier: Tier; readonly by: number; readonly byTier: Tier };

const COMPARISONS_MAX = 200_000;

export function findOverruled(upper: PolicyFile, lower: PolicyFile): readonly Overruled[] {
  const above = entriesOf(upper);
  const found: Overruled[] = [];
  let comparisons = 0;
  for (const entry of entriesOf(lower)) {
    for (const one of above) {
      comparisons += 1;
      if (comparisons > COMPARISONS_MAX) return found; // Warnings are help, no promise.
      if (rankOf(one.rule.tier) <= rankOf(entry.rule.tier)) break; // It may be what decides about some of these calls.
      if (!covers(one, entry)) continue;
      found.push({ line: entry.line, tier: entry.rule.tier, by: one.line, byTier: one.rule.tier });
      break;
    }
  }
  return found;
}

/** What a file says when none of its rules matches is a rule about everything, at its end. */
function entriesOf({ rules, defaultTier, defaultLine = 1 }: PolicyFile): readonly Entry[] {
  const entries = rules.map(({ rule, line }) => entryOf(rule, line));
  return defaultTier === undefined ? entries : [...entries, entryOf({ capability: ['*'], tier: defaultTier }, defaultLine)];
}
