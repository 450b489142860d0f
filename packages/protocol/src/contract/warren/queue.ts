/**
 * `queue.*`: how workers of Warren take work: under leases with a fence, and waiting for it instead of asking again and again.
 *
 * An operator claims over all workspaces, so a claim says of which one it is, and who answers for it says so too.
 */
import { z } from 'zod';
import { operation } from '../operation.ts';
import { exitKind, pendingSignal } from '../record/process.ts';
import { claim, readyEntry } from '../record/queue.ts';
import { itsTree, MEMBER } from '../scope.ts';
import { ON_WRITE } from '../store-faults.ts';
import { optional, withDefault } from '../value/absent.ts';
import { jsonObject, NO_PAYLOAD } from '../value/json-object.ts';
import { listOf } from '../value/list.ts';
import { int, milliseconds, seconds } from '../value/number.ts';
import { prose, word } from '../value/text.ts';
import { WAIT_MS_MAX } from '../value/wait.ts';

const DAY_MS = 86_400_000;
const lease_ms = optional(milliseconds(DAY_MS));

/** Which entry; the workspace is that of the caller unless it is given. */
const entry = { sched_id: int, workspace: optional(word) };
const claimed = { ...entry, fence: int };

export const QUEUE_OPERATIONS = {
  'queue.enqueue': operation({
    summary: 'Queues work for a process: once or by `cron`, with attempts, and only once under a `dedupe_key`',
    tier: 'experimental',
    effect: 'once',
    scope: itsTree(),
    params: z.strictObject({
      pid: int,
      priority: withDefault(int, 0),
      runnable_at: optional(seconds),
      deadline: optional(seconds),
      trigger: withDefault(word, 'manual'),
      payload: withDefault(jsonObject, NO_PAYLOAD),
      attempts_max: optional(int),
      backoff_ms: optional(milliseconds(DAY_MS)),
      cron: optional(z.strictObject({ pattern: word, zone: optional(word) })),
      dedupe_key: optional(word),
    }),
    result: readyEntry,
    faults: ['unknown_pid', 'queue_entry_invalid', 'queue_admission_denied', 'too_large', ...ON_WRITE],
  }),
  'queue.claim': operation({
    summary: 'Takes the best entries that can run, an operator of all workspaces, and waits up to `wait_ms` for the first',
    tier: 'experimental',
    effect: 'once',
    scope: MEMBER,
    params: z.strictObject({
      worker_id: word,
      max_n: withDefault(int.min(1).max(1_000), 1),
      lease_ms,
      wait_ms: withDefault(milliseconds(WAIT_MS_MAX), 0),
      admission_check: withDefault(z.boolean(), true),
      starts_process: withDefault(z.boolean(), true),
    }),
    result: z.object({ claims: listOf(claim) }),
    faults: ['queue_entry_invalid', ...ON_WRITE],
  }),
  'queue.heartbeat': operation({
    summary: 'Prolongs a lease, and says whether the process is asked to stop',
    tier: 'experimental',
    effect: 'idempotent',
    scope: MEMBER,
    params: z.strictObject({ ...claimed, lease_ms }),
    result: z.object({ lease_until: seconds, pending_signal: pendingSignal.nullable() }),
    faults: ['queue_entry_not_found', 'lease_lost', 'queue_entry_invalid', ...ON_WRITE],
  }),
  'queue.complete': operation({
    summary: 'Says that claimed work is done; its process waits for more, or ends if `ends_process` is given',
    tier: 'experimental',
    effect: 'once',
    scope: MEMBER,
    params: z.strictObject({
      ...claimed,
      exit_kind: exitKind,
      ends_process: withDefault(z.boolean(), false),
      detail: optional(jsonObject),
    }),
    result: readyEntry,
    faults: ['queue_entry_not_found', 'queue_illegal_transition', 'queue_entry_invalid', 'lease_lost', 'too_large', ...ON_WRITE],
  }),
  'queue.fail': operation({
    summary: 'Says that this attempt failed: it is queued again after a pause, or a dead letter when it was the last',
    tier: 'experimental',
    effect: 'once',
    scope: MEMBER,
    params: z.strictObject({ ...claimed, error: prose }),
    result: readyEntry,
    faults: ['queue_entry_not_found', 'queue_entry_invalid', 'lease_lost', ...ON_WRITE],
  }),
  'queue.release': operation({
    summary: 'Gives claimed work back untouched; the attempt does not count',
    tier: 'experimental',
    effect: 'once',
    scope: MEMBER,
    params: z.strictObject(claimed),
    result: readyEntry,
    faults: ['queue_entry_not_found', 'lease_lost', ...ON_WRITE],
  }),
  'queue.retry': operation({
    summary: 'Queues a dead letter again with fresh attempts',
    tier: 'experimental',
    effect: 'once',
    scope: MEMBER,
    params: z.strictObject(entry),
    result: readyEntry,
    faults: [
      'unknown_pid',
      'queue_entry_not_found',
      'queue_illegal_transition',
      'queue_entry_invalid',
      'queue_admission_denied',
      'too_large',
      ...ON_WRITE,
    ],
  }),
};
