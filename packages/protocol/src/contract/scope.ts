/** Who may call an operation, in the words of its definition. */
import type { Scope } from './operation.ts';

export const ANYONE: Scope = { kind: 'anyone' };
export const MEMBER: Scope = { kind: 'member' };
/** A member who decides about approvals. */
export const APPROVER: Scope = { kind: 'member', role: 'approver' };
export const AGENT: Scope = { kind: 'agent' };
export const OPERATOR: Scope = { kind: 'operator' };

/** A process for itself: this parameter must be its own pid. */
export function itself(pid = 'pid'): Scope {
  return { kind: 'process', pid };
}

/** A process for itself or any of its descendants. */
export function itsTree(pid = 'pid'): Scope {
  return { kind: 'process', pid, tree: true };
}

/** A process for any of its descendants and not for itself: what it may do to them, nobody but those above may do to it. */
export function belowIt(pid = 'pid'): Scope {
  return { kind: 'process', pid, tree: 'below' };
}
