import type { Approver } from '@warren/kernel';
import type { CallerName } from './handler.ts';

/** Who decides, as it is kept. Whoever comes in by the unix socket is the operator; others go by their token. */
export function approverOf({ principal, name, groups }: CallerName): Approver {
  return { name: name ?? principal.kind, groups, isOperator: principal.kind === 'operator' };
}
