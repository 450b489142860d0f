/** Step 5: the process holds what the call needs: the capability, every path in its mode, every host. */
import { isAllowed } from '../grant/question.ts';
import type { CallFacts } from '../policy/policy.ts';
import type { ReadTransaction } from '../store/store.ts';
import type { PathGrant } from '../store/tables/grant-table.ts';
import { type GateError, gateError } from './call-error.ts';

/** Paths that an error names. */
const NAMED_MAX = 5;

/** What is missing, as the agent is told; undefined when nothing is. A process that is DEAD holds nothing. */
export function checkGrants(transaction: ReadTransaction, pid: number, capability: string, facts: CallFacts): GateError | undefined {
  const held = transaction.grants.find(pid);
  if (held === undefined || !isAllowed(held, { kind: 'tool', tool: capability })) return missingTool(pid, capability);
  const path = facts.paths.find((each) => !isAllowed(held, { kind: 'path', ...each }));
  if (path !== undefined) return outOfScope(pid, capability, path, held.paths);
  const host = facts.hosts.find((each) => !isAllowed(held, { kind: 'host', ...each }));
  return host === undefined ? undefined : notAllowed(pid, capability, host);
}

function missingTool(pid: number, capability: string): GateError {
  return gateError('GrantMissing', {
    message: `Cannot call ${capability} as process ${pid}: it holds no grant for it`,
    agentMessage: `You were not given ${capability}. Nothing was done. Use another capability, or ask for the grant "${capability}".`,
    recovery: [
      { action: 'list_capabilities', description: 'List the capabilities you may call', capability: 'agent.capabilities' },
      { action: 'request_grant', description: `Ask an operator for the grant of tool "${capability}"` },
    ],
    context: { capability, missing: { kind: 'tool', tool: capability } },
  });
}

function outOfScope(pid: number, capability: string, { path, mode }: CallFacts['paths'][number], held: readonly PathGrant[]): GateError {
  const to = mode === 'rw' ? 'write' : 'read';
  const usable = held.filter((grant) => mode === 'r' || grant.mode === 'rw').map(({ prefix }) => prefix);
  const given = usable.length === 0 ? '' : `: ${usable.slice(0, NAMED_MAX).join(', ')}${usable.length > NAMED_MAX ? ', …' : ''}`;
  return gateError('PathOutOfScope', {
    message: `Cannot call ${capability} as process ${pid}: it holds no grant to ${to} ${path}`,
    agentMessage: `You may not ${to} ${path}. Nothing was done. Use a path you were given${given}; or ask for the grant "${path}" with mode "${mode}".`,
    recovery: [
      { action: 'check_scope', description: 'Read which paths you were given', capability: 'agent.session' },
      { action: 'request_grant', description: `Ask an operator for the grant of path "${path}" with mode "${mode}"` },
    ],
    context: { capability, path, mode, missing: { kind: 'path', path, mode } },
  });
}

function notAllowed(pid: number, capability: string, { host, port }: CallFacts['hosts'][number]): GateError {
  return gateError('DomainNotAllowed', {
    message: `Cannot call ${capability} as process ${pid}: it holds no grant for ${host}:${port}`,
    agentMessage: `You may not connect to ${host} on port ${port}. Nothing was sent. Use a host you were given, or ask for the grant "${host}:${port}".`,
    recovery: [
      { action: 'check_scope', description: 'Read which hosts you were given', capability: 'agent.session' },
      { action: 'request_grant', description: `Ask an operator for the grant of host "${host}:${port}"` },
    ],
    context: { capability, host, port, missing: { kind: 'host', host, port } },
  });
}
