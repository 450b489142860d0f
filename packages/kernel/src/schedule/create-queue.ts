/** The queue of one workspace: each operation one transaction. */
import { Fault } from '@warren/protocol';
import { clampPage } from '../internal/page.ts';
import { checkPayload } from '../internal/payload.ts';
import type { WorkspaceStore } from '../store/store.ts';
import { EXIT_KINDS } from '../store/tables/process-table.ts';
import { QUEUE_STATES, type QueueState } from '../store/tables/queue-table.ts';
import { cancelEntry, requeueDeadLetter } from './change-waiting.ts';
import { checkClaim, checkEnqueue, checkInteger, checkLease } from './check-request.ts';
import { type ClaimParts, claimEntries } from './claim-entries.ts';
import { completeEntry, failEntry, releaseEntry } from './end-attempt.ts';
import { enqueueEntry } from './enqueue-entry.ts';
import { invalidField, requireEntry, requireHeld, requireState, toEntry } from './entry.ts';
import type { Queue } from './queue.ts';
import { expirePast } from './sweep-queue.ts';

/** Entries expired in one transaction. */
const EXPIRE_STEP = 500;

export type QueueParts = ClaimParts & {
  readonly store: WorkspaceStore;
  /** How many entries of the workspace may be dispatched at once. */
  readonly runningMax: () => Promise<number>;
};

export function createQueue(parts: QueueParts): Queue {
  const { store, changes } = parts;
  return {
    async enqueue(request) {
      const checked = checkEnqueue(request);
      return await store.write((transaction) => toEntry(enqueueEntry(transaction, changes, checked)));
    },

    async claim(options) {
      const request = checkClaim(options);
      const runningMax = await parts.runningMax();
      for (;;) {
        const { claims, hasMore } = await store.write((transaction) => claimEntries(transaction, parts, request, runningMax));
        if (claims.length > 0 || !hasMore) return claims;
      }
    },

    async heartbeat(id, fence, leaseMs) {
      const length = leaseMs === undefined ? undefined : checkLease(leaseMs);
      return await store.write((transaction) => {
        const row = requireHeld(transaction, id, fence);
        const lease = length ?? row.leaseMs ?? checkLease();
        const leaseUntil = transaction.now + lease;
        transaction.queue.prolong({ ...row, leaseMs: lease, leaseUntil });
        transaction.events.append({
          pid: row.pid,
          kind: 'kernel.queue.lease_prolonged',
          payload: { sched_id: id, fence, lease_ms: lease },
        });
        const process = transaction.processes.find(row.pid);
        const isEnded = process === undefined || process.state === 'DEAD';
        return { leaseUntil, pendingSignal: isEnded ? 'terminate' : process.pendingSignal };
      });
    },

    async complete(id, exitKind, { fence, endsProcess = false, detail } = {}) {
      if (!EXIT_KINDS.includes(exitKind)) throw invalidField('exit_kind', `it is none of ${EXIT_KINDS.join(', ')}`);
      const checked = detail === undefined ? undefined : checkPayload(detail, 'detail', 'queue_entry_invalid');
      return await store.write((transaction) => {
        const row = fence === undefined ? requireEntry(transaction, id) : requireHeld(transaction, id, fence);
        requireState(row, 'dispatched', 'complete');
        const done = completeEntry(transaction, parts, row, { exitKind, endsProcess, detail: checked });
        return { prevState: row.state, entry: toEntry(done) };
      });
    },

    async fail(id, fence, error) {
      if (typeof error !== 'string') throw invalidField('error', 'it is no text');
      return await store.write((transaction) => toEntry(failEntry(transaction, parts, requireHeld(transaction, id, fence), error)));
    },

    async release(id, fence) {
      return await store.write((transaction) => toEntry(releaseEntry(transaction, parts, requireHeld(transaction, id, fence))));
    },

    async cancel(id) {
      return await store.write((transaction) => {
        const row = requireEntry(transaction, id);
        requireState(row, 'queued', 'cancel');
        return { prevState: row.state, entry: toEntry(cancelEntry(transaction, parts, row)) };
      });
    },

    async retry(id) {
      return await store.write((transaction) => {
        const row = requireEntry(transaction, id);
        requireState(row, 'dead', 'retry');
        return toEntry(requeueDeadLetter(transaction, changes, row));
      });
    },

    get: (id) => store.read((transaction) => toEntry(requireEntry(transaction, id))),

    async list(filter = {}, page = {}) {
      if (filter.state !== undefined) checkState(filter.state);
      return await store.read((transaction) => ({
        entries: transaction.queue.list(filter, clampPage(page)).map(toEntry),
        total: transaction.queue.count(filter),
      }));
    },

    async expire(now) {
      if (now !== undefined) checkInteger(now, 'now', 0, Number.MAX_SAFE_INTEGER);
      for (let expired = 0; ; ) {
        const step = await store.write((transaction) => expirePast(transaction, parts, now ?? transaction.now, EXPIRE_STEP));
        expired += step;
        if (step < EXPIRE_STEP) return expired;
      }
    },
  };
}

/** Throws `queue_state_invalid`. */
function checkState(state: QueueState): void {
  if (QUEUE_STATES.includes(state)) return;
  throw new Fault('queue_state_invalid', `Cannot list state ${String(state)}: it is none of ${QUEUE_STATES.join(', ')}`, {
    details: { field: 'state' },
  });
}
