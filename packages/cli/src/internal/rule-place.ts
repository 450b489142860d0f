import type { RuleReference } from '@warren/protocol/contract';

/** Where a rule stands, for people: `workspace.yaml:7 hands-off`. */
export function rulePlace({ layer, file, line, rule }: RuleReference): string {
  if (file !== null) return `${file}:${line} ${rule}`;
  return layer === 'builtin' ? `built in: ${rule}` : `allowed by people: ${rule}`;
}
