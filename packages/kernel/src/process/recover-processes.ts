/** At a start: what ran or waited when the kernel went down runs no more. */
import type { Transaction, WorkspaceStore } from '../store/store.ts';
import type { ProcessRow } from '../store/tables/process-table.ts';
import { type Change, endChildren, type ProcessChanges, type ProcessHooks } from './process-changes.ts';
import type { RecoveryPolicy } from './processes.ts';

/** Processes in one transaction; a fleet is recovered in steps. */
const STEP = 500;

export type RecoveryParts = {
  readonly hooks: ProcessHooks;
  readonly changes: ProcessChanges;
  /** Whether somebody may still be running it: its work is under a lease. */
  readonly isLeased: (transaction: Transaction, pid: number) => boolean;
};

/** Suspends or ends processes as the policy says, each with an event. Returns how many. Twice does nothing more. */
export async function recoverProcesses(store: WorkspaceStore, policy: RecoveryPolicy, parts: RecoveryParts): Promise<number> {
  let recovered = 0;
  let after = 0;
  for (;;) {
    const step = await store.write((transaction) => recoverStep(transaction, policy, parts, after));
    if (step.seen === 0) return recovered;
    recovered += step.recovered;
    after = step.after;
  }
}

type Step = { readonly seen: number; readonly recovered: number; readonly after: number };

function recoverStep(transaction: Transaction, policy: RecoveryPolicy, parts: RecoveryParts, after: number): Step {
  const interrupted = transaction.processes.interrupted(after, STEP);
  const toRecover =
    policy === 'resume' ? interrupted.filter((each) => each.state === 'RUNNING' && !parts.isLeased(transaction, each.pid)) : interrupted;
  const recovered = toRecover.map((process) => recoverOne(transaction, process, policy, parts.hooks));
  for (const change of recovered) if (change.after.state === 'DEAD') endChildren(parts.changes, parts.hooks, transaction, change);
  return { seen: interrupted.length, recovered: toRecover.length, after: interrupted.at(-1)?.pid ?? after };
}

/** Its children are for later: those that ran as well have crashed as well, and were not ended by anybody. */
function recoverOne(transaction: Transaction, before: ProcessRow, policy: RecoveryPolicy, hooks: ProcessHooks): Change {
  const { now } = transaction;
  const reason = 'daemon_restart';
  const common = { ...before, stateReason: reason, updatedAt: now, pendingSignal: undefined };
  const after: ProcessRow =
    policy === 'mark-dead' ? { ...common, state: 'DEAD', endedAt: now, exitKind: 'crashed' } : { ...common, state: 'SUSPENDED' };
  transaction.processes.update(after);
  const payload = { prev_state: before.state, new_state: after.state, policy, reason };
  const eventId = transaction.events.append({ pid: before.pid, kind: 'kernel.process.recovered', payload });
  if (after.state === 'DEAD') for (const hook of hooks.onEnd) hook(transaction, after, eventId);
  else for (const hook of hooks.onMove) hook(transaction, { before, after, eventId });
  return { before, after, eventId };
}
