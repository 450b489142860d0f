/** Labels of untrusted content, for people who look after a process. */
import { Fault } from '@warren/protocol';
import type { ReadTransaction, Transaction } from '../store/store.ts';
import type { TaintRow } from '../store/tables/taint-table.ts';

export function taintsOf(transaction: ReadTransaction, pid: number): readonly TaintRow[] {
  requireProcess(transaction, pid);
  return transaction.taints.of(pid);
}

export function clearTaints(transaction: Transaction, pid: number): number {
  requireProcess(transaction, pid);
  const labels = transaction.taints.of(pid).map(({ label }) => label);
  if (labels.length > 0) transaction.events.append({ pid, kind: 'kernel.taint.cleared', payload: { labels } });
  return transaction.taints.clear(pid);
}

/** What a process carried goes with it. */
export function endTaints({ taints }: Transaction, { pid }: { readonly pid: number }): void {
  taints.clear(pid);
}

function requireProcess({ processes }: ReadTransaction, pid: number): void {
  if (processes.find(pid) === undefined)
    throw new Fault('unknown_pid', `Cannot look at process ${pid}: it does not exist`, { details: { pid } });
}
