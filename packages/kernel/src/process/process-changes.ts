/**
 * What happens to processes inside a transaction: the row and its event together. Other parts use these to stop, wake or end a process in
 * their own transactions; the public operations of `create-processes.ts` are made of them.
 */
import { Fault } from '@warren/protocol';
import type { JsonObject } from '../internal/json.ts';
import type { Transaction } from '../store/store.ts';
import type { ExitKind, ProcessRow, ProcessState } from '../store/tables/process-table.ts';
import { MOVES } from './moves.ts';

export type Change = { readonly before: ProcessRow; readonly after: ProcessRow; readonly eventId: number };

/** Gives back what a process held. `eventId` is the event of its end. */
export type EndHook = (transaction: Transaction, process: ProcessRow, eventId: number) => void;
/** Hears of a move that is not an end. */
export type MoveHook = (transaction: Transaction, change: Change) => void;

/** Hears of a process that has no parent any more, because that ended. `eventId` is the event of it. */
export type DetachHook = (transaction: Transaction, process: ProcessRow, eventId: number) => void;

export type ProcessHooks = {
  readonly onEnd: readonly EndHook[];
  readonly onMove: readonly MoveHook[];
  readonly onDetach?: readonly DetachHook[] | undefined;
};

export type Exit = { readonly kind: ExitKind | undefined; readonly detail?: JsonObject | undefined };

export interface ProcessChanges {
  require(transaction: Transaction, pid: number): ProcessRow;
  /** A move to a state that is not DEAD. */
  move(
    transaction: Transaction,
    process: ProcessRow,
    target: ProcessState,
    options?: { readonly reason?: string | undefined; readonly causationId?: number | undefined },
  ): Change;
  /** Ends it and what its descendants' policies say, parents first. */
  end(
    transaction: Transaction,
    process: ProcessRow,
    exit: Exit,
    options?: { readonly reason?: string | undefined; readonly causationId?: number | undefined },
  ): Change;
}

export function createProcessChanges(hooks: ProcessHooks): ProcessChanges {
  const changes: ProcessChanges = {
    require(transaction, pid) {
      const process = transaction.processes.find(pid);
      if (process === undefined) throw new Fault('unknown_pid', `Cannot find process ${pid}: it does not exist`, { details: { pid } });
      return process;
    },

    move(transaction, before, target, { reason, causationId } = {}) {
      checkMove(before, target);
      const { now } = transaction;
      const after: ProcessRow = {
        ...before,
        state: target,
        stateReason: reason,
        updatedAt: now,
        startedAt: target === 'RUNNING' ? (before.startedAt ?? now) : before.startedAt,
        pendingSignal: before.state === 'RUNNING' ? undefined : before.pendingSignal,
      };
      transaction.processes.updateState(after);
      const payload = { prev_state: before.state, new_state: target, reason: reason ?? null };
      const eventId = transaction.events.append({ pid: before.pid, kind: 'kernel.process.transitioned', payload, causationId });
      const change = { before, after, eventId };
      for (const hook of hooks.onMove) hook(transaction, change);
      return change;
    },

    end(transaction, before, exit, options = {}) {
      const change = endOne(transaction, before, exit, options, hooks);
      endChildren(changes, hooks, transaction, change);
      return change;
    },
  };
  return changes;
}

function endOne(
  transaction: Transaction,
  before: ProcessRow,
  { kind, detail }: Exit,
  { reason, causationId }: { readonly reason?: string | undefined; readonly causationId?: number | undefined },
  hooks: ProcessHooks,
): Change {
  checkMove(before, 'DEAD');
  const { now } = transaction;
  const after: ProcessRow = {
    ...before,
    state: 'DEAD',
    stateReason: reason,
    updatedAt: now,
    endedAt: now,
    exitKind: kind,
    exitDetail: detail,
    pendingSignal: undefined,
  };
  transaction.processes.update(after);
  const payload = {
    prev_state: before.state,
    new_state: 'DEAD',
    reason: reason ?? null,
    exit_kind: kind ?? null,
    exit_detail: detail ?? null,
  };
  const eventId = transaction.events.append({ pid: before.pid, kind: 'kernel.process.terminated', payload, causationId });
  for (const hook of hooks.onEnd) hook(transaction, after, eventId);
  return { before, after, eventId };
}

/** What the end of a parent means for its children. A family is at most `DEPTH_MAX` deep, so this recursion ends soon. */
export function endChildren(
  changes: ProcessChanges,
  hooks: ProcessHooks,
  transaction: Transaction,
  { after: parent, eventId }: Pick<Change, 'after' | 'eventId'>,
): void {
  for (const child of transaction.processes.liveChildren(parent.pid)) {
    switch (child.onParentEnd) {
      case 'end':
        changes.end(
          transaction,
          child,
          { kind: 'cancelled', detail: { parent_pid: parent.pid } },
          { reason: 'parent_ended', causationId: eventId },
        );
        break;
      case 'detach':
        detach(transaction, hooks, child, eventId);
        break;
      case 'orphan':
        break;
      default:
        child.onParentEnd satisfies never;
    }
  }
}

function detach(transaction: Transaction, { onDetach = [] }: ProcessHooks, child: ProcessRow, causationId: number): void {
  const detached = { ...child, parentPid: undefined, updatedAt: transaction.now };
  transaction.processes.update(detached);
  const payload = { parent_pid: child.parentPid ?? null };
  const eventId = transaction.events.append({ pid: child.pid, kind: 'kernel.process.detached', payload, causationId });
  for (const hook of onDetach) hook(transaction, detached, eventId);
}

export function checkMove(process: ProcessRow, target: ProcessState): void {
  if (MOVES[process.state].includes(target)) return;
  throw new Fault('illegal_transition', `Cannot move process ${process.pid} from ${process.state} to ${target}`, {
    details: { pid: process.pid, prev_state: process.state, target_state: target },
  });
}
