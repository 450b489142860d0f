/** Counts the values that a group of a regular expression takes, or how often it matches at all, over lines. */
import { compilePattern } from './compile-pattern.ts';
import { TaskRefusal } from './task-refusal.ts';

export type GroupRequest = {
  readonly lines: readonly string[];
  readonly pattern: string;
  /** Name or number of a group; undefined: only the total. */
  readonly group: string | undefined;
};
export type GroupCount = { readonly total: number; readonly values: readonly { readonly value: string; readonly count: number }[] };

const VALUES_MAX = 100_000;

export function countGroups({ lines, pattern, group }: GroupRequest): GroupCount {
  const expression = compilePattern(pattern);
  const counts = new Map<string, number>();
  let total = 0;
  if (group !== undefined) checkGroup(pattern, group);
  for (const line of lines) {
    for (const match of line.matchAll(expression)) {
      total++;
      if (group === undefined) continue;
      const value = (/^\d+$/.test(group) ? match[Number(group)] : match.groups?.[group]) ?? '';
      counts.set(value, (counts.get(value) ?? 0) + 1);
      if (counts.size > VALUES_MAX)
        throw new TaskRefusal('InvalidPattern', `Cannot count by ${group}: it has more than ${VALUES_MAX} values`);
    }
  }
  const values = [...counts].map(([value, count]) => ({ value, count }));
  return { total, values: values.toSorted((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1)) };
}

/** An expression that also matches nothing tells which groups there are. */
function checkGroup(pattern: string, group: string): void {
  const match = compilePattern(`${pattern}|`).exec('');
  const isKnown = /^\d+$/.test(group)
    ? Number(group) < (match?.length ?? 0)
    : match?.groups !== undefined && Object.hasOwn(match.groups, group);
  if (!isKnown) throw new TaskRefusal('InvalidPattern', `Cannot count by ${JSON.stringify(group)}: the pattern has no such group`);
}
