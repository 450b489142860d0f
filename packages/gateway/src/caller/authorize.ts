/** Who may call what. Pure but for the one question it may have to ask: whether one process is below another. */
import type { Principal } from '@warren/kernel';
import { Fault } from '@warren/protocol';
import type { Scope } from '@warren/protocol/contract';

export type Decision = { readonly kind: 'allowed' } | { readonly kind: 'denied'; readonly why: string };

/** Whether the process `pid` is a descendant of `ancestor`, in the workspace of the caller. */
export type IsBelow = (pid: number, ancestor: number) => Promise<boolean>;

const ALLOWED: Decision = { kind: 'allowed' };

/** What a process may not see and what does not exist are denied in the same words. */
export async function authorize(
  principal: Principal,
  scope: Scope,
  params: Readonly<Record<string, unknown>>,
  isBelow: IsBelow,
): Promise<Decision> {
  if (principal.kind === 'operator' || scope.kind === 'anyone') return ALLOWED;
  if (scope.kind === 'operator') return denied('it is for operators');
  if (principal.kind === 'member') return ALLOWED;
  if (scope.kind === 'member') return denied('it is for who acts for the whole workspace, not for a process');
  return await authorizeProcess(principal.pid, scope, params[scope.pid], isBelow);
}

async function authorizeProcess(
  own: number,
  { pid: parameter, tree }: Scope & { readonly kind: 'process' },
  subject: unknown,
  isBelow: IsBelow,
): Promise<Decision> {
  if (typeof subject !== 'number') return denied(`a process must say for whom, in "${parameter}"`);
  if (subject === own) return tree === 'below' ? denied('a process may do this to those below it, not to itself') : ALLOWED;
  if (tree !== undefined && tree !== false && (await isBelow(subject, own))) return ALLOWED;
  return denied(
    tree === undefined || tree === false ? 'a process may do this for itself only' : 'a process may do this for its own family only',
  );
}

function denied(why: string): Decision {
  return { kind: 'denied', why };
}

/** Throws `permission_denied` unless it is allowed. */
export function requireAllowed(decision: Decision, action: string): void {
  if (decision.kind === 'denied') throw new Fault('permission_denied', `Cannot ${action}: ${decision.why}`);
}
