/** An operation, or what an earlier system has for one, as the audit has it: who, what, with which parameters, and, of the result, what it was done to. */
import { type AuditActor, type OperationJournal, redactInput } from '@warren/kernel';
import type { JsonObject } from '@warren/protocol';
import type { Caller } from '../caller/caller.ts';
import type { Call } from './handler.ts';

/** What an entry says of a result: names, which are no secrets. */
const NAMED = ['pid', 'token_id', 'grant_id', 'version', 'revision', 'hash'] as const;

/** Arguments that people edited stand, redacted by their definition, in the entry of their answer. What a browser came back with is a secret, and so is what is kept as one. */
const LEFT_OUT: Readonly<Record<string, readonly string[]>> = {
  'secret.set': ['value'],
  'vault.unlock': ['passphrase'],
  'vault.change_passphrase': ['passphrase', 'current'],
  'approval.approve': ['input'],
  'mcp_server.finish_login': ['code', 'state'],
};

export async function auditOperation<Result extends object>(
  journal: Pick<OperationJournal, 'record'>,
  name: string,
  params: object,
  call: Pick<Call, 'caller' | 'workspace'>,
  act: () => Promise<Result>,
  agentOf: (pid: number) => Promise<string>,
): Promise<Result> {
  const { principal, tokenId } = call.caller;
  const actor = actorOf(call.caller, principal.kind === 'process' ? await agentOf(principal.pid) : '');
  const left = LEFT_OUT[name] ?? [];
  const recorded = Object.fromEntries(Object.entries(params).filter(([key]) => !left.includes(key)));
  const input = redactInput(recorded) as JsonObject; // Parameters are an object.
  const details = tokenId === undefined ? undefined : { token_id: tokenId };
  return await journal.record({ workspace: call.workspace, actor, action: name, input, details }, act, describe);
}

/** `agent`: of a process. Whoever comes in by the unix socket is known as what it is. */
export function actorOf({ principal, name }: Pick<Caller, 'principal' | 'name'>, agent: string): AuditActor {
  if (principal.kind === 'process') return { kind: 'process', pid: principal.pid, agent };
  // An agent that is none of its processes yet.
  if (principal.kind === 'agent') return { kind: 'process', pid: 0, agent: principal.agent };
  return { kind: principal.kind, name: name ?? principal.kind };
}

function describe(result: object): JsonObject | undefined {
  const named = Object.entries(result).filter(
    ([key, value]) => (NAMED as readonly string[]).includes(key) && (typeof value === 'string' || typeof value === 'number'),
  );
  return named.length === 0 ? undefined : { result: Object.fromEntries(named) };
}
