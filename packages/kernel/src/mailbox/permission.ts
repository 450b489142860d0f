/** Who may write to whom. The one place to ask, and to add to. */
import { Fault } from '@warren/protocol';
import type { ReadTransaction } from '../store/store.ts';
import type { BoxRow } from '../store/tables/mail-table.ts';
import { mergeLabels } from '../taint/labels.ts';
import { labelsOf } from '../taint/process-labels.ts';

/** A sender has to be a process, alive or not, or nobody in particular. Throws `unknown_pid`. */
export function checkSender(transaction: ReadTransaction, sender: number | undefined): void {
  if (sender === undefined || transaction.processes.exists(sender)) return;
  throw new Fault('unknown_pid', `Cannot send as process ${sender}: it does not exist`, { details: { pid: sender } });
}

/** What a letter of this sender carries. */
export function labelsFrom(
  transaction: ReadTransaction,
  sender: number | undefined,
  labels: readonly string[] | undefined,
): readonly string[] | undefined {
  return mergeLabels(labels, sender === undefined ? undefined : labelsOf(transaction, sender));
}

/** Whether this box takes mail of this sender. What no process sends comes from whoever runs the place. */
export function maySend(transaction: ReadTransaction, sender: number | undefined, box: BoxRow): boolean {
  if (sender === undefined || sender === box.pid) return true;
  switch (box.senders) {
    case 'anyone':
      return true;
    case 'family':
      return firstAncestor(transaction, sender) === firstAncestor(transaction, box.pid);
    default:
      return box.senders.includes(sender);
  }
}

export function denied(sender: number | undefined, { pid }: BoxRow): Fault {
  return new Fault('permission_denied', `Cannot send to process ${pid} as process ${sender}: its box takes no mail of it`, {
    details: { pid, sender: sender ?? null },
  });
}

function firstAncestor(transaction: ReadTransaction, pid: number): number | undefined {
  return transaction.processes.ancestry(pid).at(-1);
}
