/**
 * What an operation is: an entry of the wire contract that people and programs call. Each is defined once, as data; routes, help, types,
 * documents and pins come from the definitions. Field names on the wire are snake_case, times are seconds since 1970 (fractions allowed)
 * unless the name says otherwise, and every schema bounds what it accepts.
 *
 * A schema checks shape: types, and sizes that protect the machine. Rules of the domain (an empty name, a deadline in the past) stand in
 * the kernel, which answers with the fault of that rule. So `invalid_argument` always means that the request itself is malformed.
 */
import type { z } from 'zod';
import type { FaultCode } from '../fault.ts';
import type { MemberRole } from '../member-role.ts';

/** `stable`: may only gain optional parameters and result fields. `deprecated`: still works, will go. */
export type Tier = 'stable' | 'experimental' | 'deprecated';

/** What repeating a call does: nothing new, the same again, or a second time. */
export type Effect = 'read' | 'idempotent' | 'once';

/**
 * Who may call. `anyone`: whoever is authenticated, and sees of others what they publish. `process`: a process for itself or, with `tree`,
 * for its descendants too (`below`: for those only); the parameter named in `pid` says for whom, and a process must give it; an agent for
 * its processes. `agent`: an agent, for itself. `member`: whoever acts for the whole workspace and has at least this role; without one a
 * viewer may what only reads, and an admin the rest. `operator`: for all of them. Each includes those after it.
 */
export type Scope =
  | { readonly kind: 'anyone' }
  | { readonly kind: 'agent' }
  | { readonly kind: 'process'; readonly pid: string; readonly tree?: boolean | 'below' }
  | { readonly kind: 'member'; readonly role?: MemberRole }
  | { readonly kind: 'operator' };

export type Operation<Params extends z.ZodType = z.ZodType, Result extends z.ZodType = z.ZodType> = {
  /** What it does, in a sentence; help and documents show it. */
  readonly summary: string;
  readonly tier: Tier;
  readonly effect: Effect;
  readonly scope: Scope;
  readonly params: Params;
  readonly result: Result;
  /** What it may answer besides `invalid_argument`, `unauthenticated`, `permission_denied`, `rate_limited`, `aborted` and `internal`. */
  readonly faults: readonly FaultCode[];
};

/** Keeps the exact types of the schemas. */
export function operation<Params extends z.ZodType, Result extends z.ZodType>(
  definition: Operation<Params, Result>,
): Operation<Params, Result> {
  return Object.freeze(definition);
}

/** The least role of a member who may call it. */
export function leastRole({ scope, effect }: Pick<Operation, 'scope' | 'effect'>): MemberRole {
  return (scope.kind === 'member' ? scope.role : undefined) ?? (effect === 'read' ? 'viewer' : 'admin');
}
