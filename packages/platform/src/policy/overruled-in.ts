import { findOverruled, LAYERS } from '@warren/kernel';
import type { LoadedPolicy } from './parse-policies.ts';
import type { FoundPolicy } from './policy-places.ts';
import type { FileProblem } from './read-yaml.ts';

const TOLD_MAX = 100;

/** What files say and never get, because a file of a layer above that concerns the same calls is stricter about all of them. Warnings, at most a hundred. */
export function overruledIn(loaded: readonly LoadedPolicy[]): readonly FileProblem[] {
  const found: FileProblem[] = [];
  for (const { found: below, policy: lower } of loaded) {
    for (const { found: above, policy: upper } of loaded) {
      if (!isAbove(above, below)) continue;
      for (const { line, tier, by, byTier } of findOverruled(upper, lower)) {
        const message = `says ${tier}, but of the same calls ${upper.file}:${by} says ${byTier}, and the stricter one wins`;
        found.push({ file: lower.file, line, severity: 'warning', message });
        if (found.length >= TOLD_MAX) return found;
      }
    }
  }
  return found;
}

function isAbove(one: FoundPolicy, other: FoundPolicy): boolean {
  return (
    LAYERS.indexOf(one.layer) < LAYERS.indexOf(other.layer) &&
    one.agent === undefined &&
    (one.workspace === undefined || one.workspace === other.workspace)
  );
}
