import type { QueueEntry, ScheduledClaim } from '@warren/kernel';
import type { Claim, ReadyEntry } from '@warren/protocol/contract';
import { toSeconds, toSecondsOrNull } from '../time.ts';

export function toEntry(entry: QueueEntry): ReadyEntry {
  return {
    sched_id: entry.id,
    pid: entry.pid,
    priority: entry.priority,
    runnable_at: toSeconds(entry.runnableAt),
    deadline: toSecondsOrNull(entry.deadline),
    trigger: entry.trigger,
    payload: entry.payload,
    state: entry.state,
    worker_id: entry.worker ?? null,
    created_at: toSeconds(entry.createdAt),
    dispatched_at: toSecondsOrNull(entry.dispatchedAt),
    completed_at: toSecondsOrNull(entry.completedAt),
    exit_kind: entry.exitKind ?? null,
    attempts: entry.attempts,
    attempts_max: entry.attemptsMax,
    backoff_ms: entry.backoffMs,
    lease_until: toSecondsOrNull(entry.leaseUntil),
    error: entry.error ?? null,
    cron: entry.cron === undefined ? null : { pattern: entry.cron.pattern, zone: entry.cron.zone },
  };
}

export function toClaim({ workspace, entry, fence, leaseUntil }: ScheduledClaim): Claim {
  return { workspace, entry: toEntry(entry), fence, lease_until: toSeconds(leaseUntil) };
}
