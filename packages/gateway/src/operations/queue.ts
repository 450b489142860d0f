import type { Kernel } from '@warren/kernel';
import type { Call, HandlersOf } from './handler.ts';
import { toClaim, toEntry } from './record/queue.ts';
import { toMs, toMsIfGiven, toSeconds } from './time.ts';

export function createQueueHandlers(kernel: Kernel): HandlersOf<'kernel.sched.' | 'queue.'> {
  return {
    async 'kernel.sched.enqueue'({ pid, priority, runnable_at, deadline, trigger, payload }, { mine }) {
      const entry = await mine.queue.enqueue({
        pid,
        priority,
        runnableAt: toMs(runnable_at),
        deadline: toMsIfGiven(deadline),
        trigger,
        payload,
      });
      return { sched_id: entry.id };
    },

    async 'kernel.sched.claim'({ worker_id, max_n, now, admission_check, lease_s, starts_process }, { mine }) {
      const claims = await mine.queue.claim({
        worker: worker_id,
        limit: max_n,
        now: toMsIfGiven(now),
        isAdmissionChecked: admission_check,
        leaseMs: toMs(lease_s),
        startsProcess: starts_process,
      });
      return { entries: claims.map(({ entry, fence }) => ({ ...toEntry(entry), fence })) };
    },

    async 'kernel.sched.complete'({ sched_id, exit_kind, fence, ends_process }, { mine }) {
      const { prevState } = await mine.queue.complete(sched_id, exit_kind, { fence, endsProcess: ends_process });
      return { sched_id, prev_state: prevState, state: 'completed' };
    },

    async 'kernel.sched.cancel'({ sched_id }, { mine }) {
      const { prevState } = await mine.queue.cancel(sched_id);
      return { sched_id, prev_state: prevState, state: 'cancelled' };
    },

    async 'kernel.sched.get'({ sched_id }, { mine }) {
      return toEntry(await mine.queue.get(sched_id));
    },

    async 'kernel.sched.list'({ state, pid, limit, offset }, { mine }) {
      const { entries, total } = await mine.queue.list({ state, pid }, { limit, offset });
      return { entries: entries.map(toEntry), total };
    },

    async 'kernel.sched.gc_expired'({ now }, { mine }) {
      return { swept: await mine.queue.expire(toMsIfGiven(now)) };
    },

    async 'queue.enqueue'(params, { mine }) {
      const { pid, priority, runnable_at, deadline, trigger, payload, attempts_max, backoff_ms, cron, dedupe_key } = params;
      const entry = await mine.queue.enqueue({
        pid,
        priority,
        runnableAt: toMsIfGiven(runnable_at),
        deadline: toMsIfGiven(deadline),
        trigger,
        payload,
        attemptsMax: attempts_max,
        backoffMs: backoff_ms,
        cron,
        dedupeKey: dedupe_key,
      });
      return toEntry(entry);
    },

    async 'queue.claim'({ worker_id, max_n, lease_ms, wait_ms, admission_check, starts_process }, call) {
      const claims = await kernel.scheduler.claim(
        {
          worker: worker_id,
          limit: max_n,
          leaseMs: lease_ms,
          isAdmissionChecked: admission_check,
          startsProcess: starts_process,
          waitMs: wait_ms,
          workspace: isForAll(call) ? undefined : call.workspace,
        },
        wait_ms > 0 ? call.waiting() : undefined,
      );
      return { claims: claims.map(toClaim) };
    },

    async 'queue.heartbeat'({ sched_id, fence, lease_ms }, { mine }) {
      const { leaseUntil, pendingSignal } = await mine.queue.heartbeat(sched_id, fence, lease_ms);
      return { lease_until: toSeconds(leaseUntil), pending_signal: pendingSignal ?? null };
    },

    async 'queue.complete'({ sched_id, fence, exit_kind, ends_process, detail }, { mine }) {
      const { entry } = await mine.queue.complete(sched_id, exit_kind, { fence, endsProcess: ends_process, detail });
      return toEntry(entry);
    },

    async 'queue.fail'({ sched_id, fence, error }, { mine }) {
      return toEntry(await mine.queue.fail(sched_id, fence, error));
    },

    async 'queue.release'({ sched_id, fence }, { mine }) {
      return toEntry(await mine.queue.release(sched_id, fence));
    },

    async 'queue.retry'({ sched_id }, { mine }) {
      return toEntry(await mine.queue.retry(sched_id));
    },
  };
}

/** Operators claim over all workspaces unless they ask for one. */
function isForAll({ principal, isWorkspaceNamed }: Call): boolean {
  return principal.kind === 'operator' && !isWorkspaceNamed;
}
