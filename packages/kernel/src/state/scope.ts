/** Scopes: how each is called in the store, what it may hold, and who may come near it. */
import { checkWord } from '../internal/payload.ts';
import type { ReadTransaction } from '../store/store.ts';
import { AGENT_SCOPE, OWN_SCOPE, SESSION_SCOPE, SHARED_SCOPE } from '../store/tables/state-table.ts';
import { type By, denied } from './access.ts';
import { invalid } from './check-state.ts';
import { KEYS_MAX, OWN_NAME_BYTES_MAX, SHARED_KEYS_MAX, type StateQuotas, VERSIONS_MAX } from './limits.ts';
import type { StateScope } from './state.ts';

export type CheckedScope = {
  /** In the store. */
  readonly name: string;
  readonly isShared: boolean;
  readonly isOwn: boolean;
  readonly pid: number | undefined;
  readonly agent: string | undefined;
  readonly bytesMax: number;
  readonly keysMax: number;
  /** Earlier versions that are kept of a key. */
  readonly keep: number;
};

/** Throws `invalid_argument`. */
export function checkScope(scope: StateScope, quotas: StateQuotas): CheckedScope {
  const none = { isShared: false, isOwn: false, pid: undefined, agent: undefined, keep: 0, keysMax: KEYS_MAX };
  switch (scope?.kind) {
    case 'session':
      if (!(Number.isSafeInteger(scope.pid) && scope.pid >= 1)) throw invalid('pid', 'it is no pid');
      return { ...none, name: `${SESSION_SCOPE}${scope.pid}`, pid: scope.pid, bytesMax: quotas.sessionBytes };
    case 'agent': {
      const agent = checkWord(scope.agent, 'agent', 'invalid_argument');
      return { ...none, name: `${AGENT_SCOPE}${agent}`, agent, bytesMax: quotas.agentBytes, keep: VERSIONS_MAX - 1 };
    }
    case 'shared':
      return { ...none, name: SHARED_SCOPE, isShared: true, bytesMax: quotas.sharedBytes, keysMax: SHARED_KEYS_MAX };
    case 'own': {
      const name = checkWord(scope.name, 'name', 'invalid_argument', OWN_NAME_BYTES_MAX);
      return { ...none, name: `${OWN_SCOPE}${name}`, isOwn: true, bytesMax: quotas.agentBytes };
    }
    default:
      throw invalid('scope', 'it is neither session, agent, shared nor own');
  }
}

/** Whether this agent may come near it at all. */
export function isOpenTo({ processes }: ReadTransaction, { pid, agent, isOwn }: CheckedScope, by: By): boolean {
  if (by === undefined) return true;
  if (isOwn) return false;
  if (pid !== undefined) return (processes.find(pid)?.agent ?? '') === by;
  return agent === undefined || agent === by;
}

/** Throws `permission_denied`. */
export function requireOpen(transaction: ReadTransaction, scope: CheckedScope, by: By): void {
  if (!isOpenTo(transaction, scope, by)) throw denied(`use the state ${scope.name} as "${by}"`, 'it is not theirs');
}

/** A session is over with its process, although its rows may be there a little longer. */
export function isOver({ processes }: ReadTransaction, { pid }: CheckedScope): boolean {
  if (pid === undefined) return false;
  const process = processes.find(pid);
  return process === undefined || process.state === 'DEAD';
}
