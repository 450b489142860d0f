/** Who may call what. Pure but for what it may have to ask about processes. */
import type { Principal } from '@warren/kernel';
import { Fault, hasRole, type MemberRole } from '@warren/protocol';
import { leastRole, type Operation, type Scope } from '@warren/protocol/contract';

export type Decision = { readonly kind: 'allowed' } | { readonly kind: 'denied'; readonly why: string };

/** What is asked about processes of the caller's workspace. */
export type Family = {
  /** Whether the process `pid` is a descendant of `ancestor`. */
  isBelow(pid: number, ancestor: number): Promise<boolean>;
  /** Whether it runs for this agent. */
  isOf(pid: number, agent: string): Promise<boolean>;
};

const ALLOWED: Decision = { kind: 'allowed' };

/** What a caller may not see and what does not exist are denied in the same words. */
export async function authorize(
  principal: Principal,
  operation: Pick<Operation, 'scope' | 'effect'>,
  params: Readonly<Record<string, unknown>>,
  family: Family,
): Promise<Decision> {
  const { scope } = operation;
  if (principal.kind === 'operator') return ALLOWED;
  if (scope.kind === 'operator') return denied('it is for operators');
  if (principal.kind === 'member') return authorizeMember(principal.role, leastRole(operation));
  if (scope.kind === 'anyone') return ALLOWED;
  if (scope.kind === 'member') return denied(`it is for who acts for the whole workspace, not for ${wordOf(principal)}`);
  if (scope.kind === 'agent') return principal.kind === 'agent' ? ALLOWED : denied('it is for agents, and a process has no sessions');
  return principal.kind === 'agent'
    ? await authorizeAgent(principal.agent, scope, params[scope.pid], family)
    : await authorizeProcess(principal.pid, scope, params[scope.pid], family);
}

function authorizeMember(role: MemberRole, least: MemberRole): Decision {
  return hasRole(role, least) ? ALLOWED : denied(`the role ${role} does not go so far, it takes ${least}`);
}

type ProcessScope = Scope & { readonly kind: 'process' };

async function authorizeAgent(
  agent: string,
  { pid: parameter, tree }: ProcessScope,
  subject: unknown,
  { isOf }: Family,
): Promise<Decision> {
  if (tree === 'below') return denied('an agent may not do this to its own processes');
  if (typeof subject !== 'number') return denied(`an agent must say for which of its processes, in "${parameter}"`);
  return (await isOf(subject, agent)) ? ALLOWED : denied('an agent may do this for its own processes only');
}

async function authorizeProcess(
  own: number,
  { pid: parameter, tree }: ProcessScope,
  subject: unknown,
  { isBelow }: Family,
): Promise<Decision> {
  if (typeof subject !== 'number') return denied(`a process must say for whom, in "${parameter}"`);
  if (subject === own) return tree === 'below' ? denied('a process may do this to those below it, not to itself') : ALLOWED;
  if (tree !== undefined && tree !== false && (await isBelow(subject, own))) return ALLOWED;
  return denied(
    tree === undefined || tree === false ? 'a process may do this for itself only' : 'a process may do this for its own family only',
  );
}

function wordOf({ kind }: Principal): string {
  return kind === 'agent' ? 'an agent' : 'a process';
}

function denied(why: string): Decision {
  return { kind: 'denied', why };
}

/** Throws `permission_denied` unless it is allowed. */
export function requireAllowed(decision: Decision, action: string): void {
  if (decision.kind === 'denied') throw new Fault('permission_denied', `Cannot ${action}: ${decision.why}`);
}
