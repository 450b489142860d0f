/**
 * Labels of untrusted content, inside a transaction. A process carries those of what it was given, until it ends or a person takes them off; and it counts as
 * having read whatever files it may read, since nobody sees what a command reads.
 */
import { Fault } from '@warren/protocol';
import type { ReadTransaction, Transaction } from '../store/store.ts';
import type { TaintRow } from '../store/tables/taint-table.ts';
import { fileLabelsFor } from './file-labels.ts';

/** All that its calls, its mail and what it writes carry. */
export function labelsOf(transaction: ReadTransaction, pid: number): readonly string[] {
  const carried = transaction.taints.of(pid);
  const ofFiles = fileLabelsFor(transaction, pid);
  if (carried.length === 0 && ofFiles.length === 0) return NONE;
  return [...new Set([...carried.map(({ label }) => label), ...ofFiles.map(({ label }) => label)])];
}

const NONE: readonly string[] = [];

export type Source = { readonly callId?: string | undefined; readonly causationId?: number | undefined };

/** Nothing when the process has ended. */
export function addLabels(transaction: Transaction, pid: number, labels: readonly string[], { callId, causationId }: Source = {}): void {
  const { processes, taints, events, now } = transaction;
  if (labels.length === 0 || (processes.find(pid)?.state ?? 'DEAD') === 'DEAD') return;
  for (const label of labels) {
    if (!taints.add({ pid, label, since: now, callId })) continue;
    events.append({ pid, kind: 'kernel.process.tainted', payload: { label, call_id: callId ?? null }, causationId });
  }
}

/** As people see them: with those of the files it may read. */
export function taintsOf(transaction: ReadTransaction, pid: number): readonly TaintRow[] {
  requireProcess(transaction, pid);
  const carried = transaction.taints.of(pid);
  const others = fileLabelsFor(transaction, pid).filter(({ label }) => !carried.some((each) => each.label === label));
  const ofFiles = new Map(others.map(({ label, since }) => [label, { pid, label, since, callId: undefined }]));
  return [...carried, ...ofFiles.values()];
}

/** Those of files stay: they come off with `clearFiles`. */
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
