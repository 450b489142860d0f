import type { ReadTransaction } from '../store/store.ts';
import type { GrantRow } from '../store/tables/grant-table.ts';
import { isAllowed, type Question } from './question.ts';

/** What a process holds; undefined when it was given nothing or is DEAD. */
export function heldGrants(transaction: ReadTransaction, pid: number): GrantRow | undefined {
  const process = transaction.processes.find(pid);
  return process === undefined || process.state === 'DEAD' ? undefined : transaction.grants.find(pid);
}

/** Whether a process holds what is asked for. Never throws; odd input gets a no. */
export function isGranted(transaction: ReadTransaction, pid: number, question: Question): boolean {
  const held = Number.isSafeInteger(pid) ? heldGrants(transaction, pid) : undefined;
  return held !== undefined && isAllowed(held, question);
}
