/** Accounts: as callers name them, and as the store does. */
import { Fault } from '@warren/protocol';
import { checkWord } from '../internal/payload.ts';
import type { ReadTransaction } from '../store/store.ts';
import { AGENT_ACCOUNT, PROCESS_ACCOUNT, WORKSPACE_ACCOUNT } from '../store/tables/ledger-table.ts';
import type { Account } from './ledger.ts';

/** Throws `invalid_argument`. Whether there is such a process is another question. */
export function accountKey(account: Account): string {
  switch (account.kind) {
    case 'process':
      return processKey(account.pid);
    case 'agent':
      return AGENT_ACCOUNT + checkWord(account.agent, 'agent', 'invalid_argument');
    case 'workspace':
      return WORKSPACE_ACCOUNT;
    default:
      account satisfies never;
      throw new Fault('invalid_argument', 'Cannot use account: its kind is none of process, agent, workspace', {
        details: { field: 'account' },
      });
  }
}

export function processKey(pid: number): string {
  return `${PROCESS_ACCOUNT}${pid}`;
}

/** The process an account is of; undefined for the others. */
export function pidOf(key: string): number | undefined {
  return key.startsWith(PROCESS_ACCOUNT) ? Number(key.slice(PROCESS_ACCOUNT.length)) : undefined;
}

/** The way back from a key that `accountKey` or the store made. */
export function readAccount(key: string): Account {
  if (key === WORKSPACE_ACCOUNT) return { kind: 'workspace' };
  if (key.startsWith(AGENT_ACCOUNT)) return { kind: 'agent', agent: key.slice(AGENT_ACCOUNT.length) };
  return { kind: 'process', pid: Number(key.slice(PROCESS_ACCOUNT.length)) };
}

/** Agents are names: there is one as soon as somebody says so. */
export function requireProcess(transaction: ReadTransaction, account: Account): void {
  if (account.kind === 'process') requirePid(transaction, account.pid);
}

export function requirePid(transaction: ReadTransaction, pid: number): void {
  if (transaction.processes.exists(pid)) return;
  throw new Fault('unknown_pid', `Cannot find process ${pid}: it does not exist`, { details: { pid } });
}
